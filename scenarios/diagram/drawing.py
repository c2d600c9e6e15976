"""A scene as an SVG picture by itself: no font, script or style from elsewhere.

Rules:
- Nothing is told by color alone: what never came is a stub with a cross, what was held up is two stubs, kinds of
  frames differ in their dashes, a fault's band is hatched and named, a violation has a word.
- Colors follow the reader's light or dark scheme. Every arrow, mark and band has a title to point at; the picture has a
  title and a description, and what they cannot say stands in the text beside it.
- The same scene gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from xml.sax.saxutils import escape

from scenarios.diagram.axis import Axis
from scenarios.diagram.recording import Fate
from scenarios.diagram.scene import Arrow, Band, Scene, seconds

TIME_WIDTH = 92
LANE_WIDTH = 118
NOTES_WIDTH = 420
TOP = 128
NOTE_LINE = 15
NOTE_CHARACTERS_MAX = 62
STUB = 0.3
"""How far towards its target what never came is drawn."""
STUB_FALL = 10.0

STYLE = """
svg{--paper:#fff;--ink:#1a1a1a;--dim:#6b6b6b;--raft:#1f5fa8;--sign:#7a3e9d;--data:#2c7a3f;--bad:#b3261e;--band:#e8a33d}
@media (prefers-color-scheme:dark){svg{--paper:#16181c;--ink:#ececec;--dim:#9aa0a6;--raft:#7db4f0;--sign:#cf9ee8;
--data:#7ccf8f;--bad:#ff8a80;--band:#c98a2b}}
text{font:11px ui-sans-serif,system-ui,sans-serif;fill:var(--ink)}
.h{font-size:15px;font-weight:600}.d{fill:var(--dim)}.lane{font-weight:600;text-anchor:middle}
.life{stroke:var(--ink);stroke-width:2}.gone{stroke:var(--dim);stroke-width:1;stroke-dasharray:1 4}
line.a,path.a{fill:none;stroke-width:1.2}.raft{stroke:var(--raft)}.sign{stroke:var(--sign);stroke-dasharray:5 3}
.data{stroke:var(--data);stroke-dasharray:9 3}.beat{stroke:var(--dim);stroke-dasharray:2 3}
.bad{stroke:var(--bad);fill:none;stroke-width:1.6}
.band{fill:url(#hatch);stroke:var(--band);stroke-opacity:.8}.hatch{stroke:var(--band);stroke-width:2;opacity:.45}
.block{fill:var(--paper);stroke:var(--ink)}.leader{fill:var(--raft)}.up{fill:var(--data)}.down{fill:var(--bad)}
.violation{stroke:var(--bad);stroke-width:2;stroke-dasharray:8 4}text.v{fill:var(--bad);font-weight:600}
text.f{font-weight:600}.lead{stroke:var(--dim);stroke-width:.6;fill:none}.break{stroke:var(--dim);fill:none}
"""

_CLASS = {"RAFT": "raft", "HEARTBEAT": "beat", "CHECKPOINT": "sign", "CERTIFICATE": "sign"}
LEGEND = (
    ("raft", "Raft"),
    ("beat", "heartbeats in a row, as one"),
    ("sign", "checkpoints, certificates"),
    ("data", "transactions, envelopes, others"),
)


def draw(scene: Scene) -> str:
    """Return a scene as the text of an SVG file."""
    return _Drawing(scene).text()


class _Drawing:
    """One picture."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._lanes = {node: TIME_WIDTH + (at + 0.5) * LANE_WIDTH for at, node in enumerate(scene.lanes)}
        times = [scene.from_ns, scene.to_ns]
        for arrow in scene.arrows:
            times += [arrow.from_ns] if arrow.to_ns is None else [arrow.from_ns, arrow.to_ns]
        times += [mark.at_ns for mark in scene.marks] + [note.at_ns for note in scene.notes]
        self._axis = Axis(times, TOP)
        self._right = TIME_WIDTH + len(scene.lanes) * LANE_WIDTH
        notes = list(self._note_heights())
        self._notes = notes
        self._height = max(self._axis.bottom, *(notes or [0.0])) + 30
        self._width = self._right + NOTES_WIDTH

    def text(self) -> str:
        scene, width, height = self._scene, self._width, round(self._height)
        about = f"{len(scene.arrows)} messages between {len(scene.lanes)} nodes"
        stretch = f"{seconds(scene.from_ns)} to {seconds(scene.to_ns)} of {seconds(scene.whole_ns)}"
        desc = (
            f"Space-time diagram. Time runs down, from {stretch} of protocol time; a lane per node: "
            f"{', '.join(scene.lanes)}. {about}. Faults: {'; '.join(b.text for b in scene.bands) or 'none'}. "
            f"{'Violated: ' + scene.violation if scene.violation else 'Nothing was violated.'} "
            "The text file beside this picture tells the same line by line."
        )
        parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
            f'viewBox="0 0 {width} {height}" role="img" aria-labelledby="title desc">',
            f'<title id="title">{escape(scene.title)}</title>',
            f'<desc id="desc">{escape(desc)}</desc>',
            f"<style>{STYLE}</style>",
            '<defs><pattern id="hatch" width="8" height="8" patternUnits="userSpaceOnUse" '
            'patternTransform="rotate(45)"><line class="hatch" x1="0" y1="0" x2="0" y2="8"/></pattern></defs>',
            f'<rect width="{width}" height="{height}" style="fill:var(--paper)"/>',
            *self._head(f"{about}, {stretch} of protocol time"),
            *(self._band(band) for band in scene.bands),
            *self._lines(),
            *self._times(),
            *(self._arrow(arrow) for arrow in scene.arrows),
            *self._marks(),
            *self._told(),
            "</svg>",
        ]
        return "\n".join(parts) + "\n"

    def _head(self, about: str) -> Iterator[str]:
        scene = self._scene
        yield _text(12, 24, "h", scene.title)
        rest = f"; {scene.left_out} more not drawn" if scene.left_out else ""
        yield _text(
            12, 42, "d", f"{about}{rest}. Time runs down; idle stretches are cut short at the zigzags."
        )
        x = 12.0
        for name, meaning in LEGEND:
            yield f'<line class="a {name}" x1="{x:g}" y1="58" x2="{x + 30:g}" y2="58"/>'
            yield _text(x + 36, 62, "", meaning)
            x += 60 + 6.2 * len(meaning)
        yield f'<path class="bad" d="M{x:g} 58h22m-4 -4l8 8m0 -8l-8 8"/>'
        yield _text(x + 34, 62, "", "never came, or came changed")
        yield '<path class="leader" d="M18 72l6 10h-12z"/>' + _text(30, 81, "", "leads from here on")
        yield '<circle class="block" cx="154" cy="77" r="4"/>' + _text(
            164, 81, "", "executes the block of this height"
        )
        yield '<rect class="band" x="360" y="70" width="22" height="13"/>' + _text(
            388, 81, "", "a fault is in force"
        )
        yield '<path class="violation" d="M510 77h30"/>' + _text(546, 81, "", "the violation shows")
        for node, x in self._lanes.items():
            yield _text(x, TOP - 14, "lane", node)

    def _band(self, band: Band) -> str:
        top = self._axis.height(band.from_ns)
        tall = max(self._axis.height(band.to_ns) - top, 3)
        title = f"{band.text}, {seconds(band.from_ns)} to {seconds(band.to_ns)}"
        rects = [
            f'<rect class="band" x="{self._lanes[node] - 0.36 * LANE_WIDTH:g}" y="{top:.1f}" '
            f'width="{0.72 * LANE_WIDTH:g}" height="{tall:.1f}"/>'
            for node in band.nodes
            if node in self._lanes
        ]
        return f"<g><title>{escape(title)}</title>{''.join(rects)}</g>"

    def _lines(self) -> Iterator[str]:
        for x in self._lanes.values():
            yield f'<line class="gone" x1="{x:g}" y1="{TOP}" x2="{x:g}" y2="{self._axis.bottom:.1f}"/>'
        for life in self._scene.lives:
            x = self._lanes[life.node]
            top, bottom = self._axis.height(life.from_ns), self._axis.height(life.to_ns)
            yield f'<line class="life" x1="{x:g}" y1="{top:.1f}" x2="{x:g}" y2="{bottom:.1f}"/>'

    def _times(self) -> Iterator[str]:
        """Write the time where something begins, no two nearer than a line."""
        last = -NOTE_LINE * 1.0
        moments = sorted(
            {*(note.at_ns for note in self._scene.notes), *(a.from_ns for a in self._scene.arrows)}
        )
        for at_ns in [self._scene.from_ns, *moments]:
            height = self._axis.height(at_ns)
            if height - last >= 3 * NOTE_LINE:
                yield _text(12, height + 4, "d", seconds(at_ns))
                last = height
        for height in self._axis.breaks:
            yield f'<path class="break" d="M{TIME_WIDTH - 16} {height - 6:.1f}l6 4l-10 4l6 4"/>'

    def _arrow(self, arrow: Arrow) -> str:
        x1, x2 = self._lanes[arrow.source], self._lanes[arrow.target]
        y1 = self._axis.height(arrow.from_ns)
        times = f" (the first of {arrow.count} in a row)" if arrow.count > 1 else ""
        title = f"{arrow.label}, {arrow.source} to {arrow.target}, {arrow.bytes} bytes{times}: "
        aside = 1 if x2 > x1 else -1
        if arrow.to_ns is None:
            title += f"left at {seconds(arrow.from_ns)} and {arrow.fate}"
            x = x1 + aside * STUB * LANE_WIDTH
            y = y1 + STUB_FALL
            path = f"M{x1:g} {y1:.1f}L{x:.1f} {y:.1f}m-3 -3l6 6m0 -6l-6 6"
            return f'<path class="bad" d="{path}"><title>{escape(title)}</title></path>{_times_label(x, y, arrow)}'
        y2 = self._axis.height(arrow.to_ns)
        title += f"{seconds(arrow.from_ns)} to {seconds(arrow.to_ns)}"
        title += f", {arrow.fate}" if arrow.fate is not Fate.CAME else ""
        name = "bad" if arrow.fate is Fate.REFUSED else f"a {_CLASS.get(arrow.kind, 'data')}"
        head = f"M{x2 - aside * 7:g} {y2 - 4 - 0.04 * abs(y2 - y1):.1f}L{x2:g} {y2:.1f}L{x2 - aside * 7:g} {y2 + 3:.1f}"
        if arrow.fate is Fate.REFUSED:
            head = f"M{x2 - aside * 9:g} {y2 - 4:.1f}l8 8m0 -8l-8 8"
        if arrow.is_late:
            return self._late(arrow, (x1, y1), (x2, y2), title, head)
        near = x1 + 0.12 * (x2 - x1)
        label = _times_label(near, y1 + 0.12 * (y2 - y1), arrow)
        line = f"M{x1:g} {y1:.1f}L{x2:g} {y2:.1f}{head}"
        return f'<path class="{name}" d="{line}"><title>{escape(title)}</title></path>{label}'

    def _late(
        self, arrow: Arrow, left: tuple[float, float], came: tuple[float, float], title: str, head: str
    ) -> str:
        """Draw what was held up as two pieces, where it left and where it came: hundreds of them hide nothing."""
        (x1, y1), (x2, y2) = left, came
        aside = STUB * LANE_WIDTH if x2 > x1 else -STUB * LANE_WIDTH
        line = f"M{x1:g} {y1:.1f}l{aside:g} {STUB_FALL:g}M{x2 - aside:g} {y2 - STUB_FALL:.1f}L{x2:g} {y2:.1f}{head}"
        name = _CLASS.get(arrow.kind, "data")
        label = _times_label(x1 + aside, y1 + STUB_FALL, arrow)
        return f'<path class="a {name}" d="{line}"><title>{escape(title)}</title></path>{label}'

    def _marks(self) -> Iterator[str]:
        for mark in self._scene.marks:
            x, y = self._lanes[mark.node], self._axis.height(mark.at_ns)
            title = (
                f"<title>{escape(f'{mark.node} at {seconds(mark.at_ns)}: {mark.kind} {mark.text}')}</title>"
            )
            if mark.kind == "block":
                yield f'<circle class="block" cx="{x:g}" cy="{y:.1f}" r="4">{title}</circle>'
            else:
                yield f'<path class="{mark.kind}" d="M{x:g} {y - 6:.1f}l6 11h-12z">{title}</path>'
            yield _text(x + 8, y + 4, "", mark.text)

    def _note_heights(self) -> Iterator[float]:
        last = TOP - NOTE_LINE * 1.0
        for note in self._scene.notes:
            last = max(self._axis.height(note.at_ns) + 4, last + NOTE_LINE)
            yield last

    def _told(self) -> Iterator[str]:
        for note, height in zip(self._scene.notes, self._notes, strict=True):
            y = self._axis.height(note.at_ns)
            if note.kind == "violation":
                yield f'<path class="violation" d="M{TIME_WIDTH} {y:.1f}H{self._right}"/>'
            yield f'<path class="lead" d="M{self._right - 8} {y:.1f}h10L{self._right + 14} {height - 4:.1f}h4"/>'
            name = {"violation": "v", "fault": "f", "phase": "d"}.get(note.kind, "")
            for part, line in enumerate([_short(note.text)]):
                title = f"<title>{escape(f'{seconds(note.at_ns)}: {note.text}')}</title>"
                at = height + part * NOTE_LINE
                yield f'<text class="{name}" x="{self._right + 22}" y="{at:.1f}">{escape(line)}{title}</text>'


def _times_label(x: float, y: float, arrow: Arrow) -> str:
    return _text(x + 3, y - 3, "d", f"×{arrow.count}") if arrow.count > 1 else ""


def _short(text: str) -> str:
    return text if len(text) <= NOTE_CHARACTERS_MAX else text[: NOTE_CHARACTERS_MAX - 1] + "…"


def _text(x: float, y: float, name: str, text: str) -> str:
    return f'<text class="{name}" x="{x:g}" y="{y:.1f}">{escape(text)}</text>'
