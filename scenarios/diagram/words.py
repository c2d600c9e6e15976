"""A scene in words, line by line: what the picture shows, for whoever does not see it or wants to search in it."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from scenarios.diagram.recording import Fate
from scenarios.diagram.scene import Arrow, Scene, seconds

WIDTH_CHARACTERS = 80
NS_PER_MS = 1_000_000


def words_of(scene: Scene) -> list[str]:
    """Return the lines, at most 80 characters wide."""
    head = [
        scene.title,
        f"{seconds(scene.from_ns)} to {seconds(scene.to_ns)} of {seconds(scene.whole_ns)} of protocol time",
        f"nodes: {', '.join(scene.lanes)}",
        *(
            f"{b.text} of {', '.join(b.nodes)}, {seconds(b.from_ns)} to {seconds(b.to_ns)}"
            for b in scene.bands
        ),
        f"violated: {scene.violation}" if scene.violation else "nothing was violated",
    ]
    if scene.left_out:
        head.append(f"{scene.left_out} more messages of this stretch are not told")
    lines = [line for text in head for line in textwrap.wrap(text, WIDTH_CHARACTERS, subsequent_indent="  ")]
    lines.append("")
    for at_ns, text in sorted(_happenings(scene), key=lambda happening: happening[0]):
        first = f"{seconds(at_ns):>12}  {text}"
        lines += textwrap.wrap(first, WIDTH_CHARACTERS, subsequent_indent=" " * 16, drop_whitespace=True)
    return lines


def _happenings(scene: Scene) -> Iterator[tuple[int, str]]:
    for note in scene.notes:
        yield note.at_ns, note.text
    for mark in scene.marks:
        text = f"executes block {mark.text}" if mark.kind == "block" else mark.text
        yield mark.at_ns, f"{mark.node} {text}"
    for arrow in scene.arrows:
        yield arrow.from_ns, f"{arrow.source} > {arrow.target}: {arrow.label}{_came(arrow)}"


def _came(arrow: Arrow) -> str:
    times = f", first of {arrow.count} in a row" if arrow.count > 1 else ""
    if arrow.to_ns is None:
        return f"{times}: {arrow.fate}"
    after = f"{(arrow.to_ns - arrow.from_ns) / NS_PER_MS:.1f} ms"
    return f"{times}, {after}" + ("" if arrow.fate is Fate.CAME else f": {arrow.fate}")
