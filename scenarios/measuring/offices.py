"""How long offices could use the ledger, folded from the faults of trade that closed, silenced or sent them to paper.

Rules:
- Time is the calendar's, from the trade phase's beginning to its end; windows of one office that overlap count once.
- Every organization whose node ever started is counted, those without a fault too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from scenarios.measuring.compute import ALL, ArmFigures, Figure
from scenarios.measuring.facts import Happening

CLOSES_AN_OFFICE = ("outage", "silence", "paper_fallback")


@dataclass(slots=True)
class _Closed:
    """One office: how many windows are in force, since when, and how long it was closed before, milliseconds."""

    in_force: int = 0
    since_ms: int = 0
    before_ms: int = 0


@dataclass(slots=True)
class OfficeFacts:
    """What faults of trade come to; call it with each event, in order."""

    _offices: dict[str, _Closed] = field(default_factory=dict)
    _from_ms: int | None = None
    _to_ms: int | None = None
    _last_ms: int = 0

    def followed(self, happenings: Iterable[Happening]) -> Iterator[Happening]:
        """Yield events as they come, taking each into account."""
        for happening in happenings:
            handler = _HANDLERS.get(happening.name)
            if handler is not None:
                handler(self, happening)
            self._last_ms = happening.time_ms
            yield happening

    def put_into(self, figures: ArmFigures) -> None:
        """Add the share of time in which offices were open to an arm's figures: everybody's, and each one's own."""
        if self._from_ms is None or not self._offices:
            figures.figures["M12-open"] = {ALL: Figure()}
            return
        to_ms = self._last_ms if self._to_ms is None else self._to_ms
        all_ms = to_ms - self._from_ms
        if all_ms <= 0:
            figures.figures["M12-open"] = {ALL: Figure()}
            return
        closed = {name: self._closed_ms(office, to_ms) for name, office in self._offices.items()}
        shares = {name: Figure(total=1 - spent_ms / all_ms) for name, spent_ms in closed.items() if spent_ms}
        everybody = 1 - sum(closed.values()) / (all_ms * len(closed))
        figures.figures["M12-open"] = {ALL: Figure(total=everybody), **shares}

    def _closed_ms(self, office: _Closed, to_ms: int) -> int:
        return office.before_ms + (to_ms - office.since_ms if office.in_force else 0)

    def _phase(self, happening: Happening) -> None:
        if happening.text("name") == "trade":
            self._from_ms = happening.time_ms
        elif self._from_ms is not None and self._to_ms is None:
            self._to_ms = happening.time_ms

    def _started(self, happening: Happening) -> None:
        self._offices.setdefault(happening.text("node"), _Closed())

    def _began(self, happening: Happening) -> None:
        for office in self._hit(happening):
            if not office.in_force:
                office.since_ms = happening.time_ms
            office.in_force += 1

    def _ended(self, happening: Happening) -> None:
        end_ms = happening.time_ms if self._to_ms is None else min(happening.time_ms, self._to_ms)
        for office in self._hit(happening):
            office.in_force -= 1
            if not office.in_force:
                office.before_ms += end_ms - office.since_ms

    def _hit(self, happening: Happening) -> list[_Closed]:
        hit = happening.fields.get("hit")
        if happening.text("kind") not in CLOSES_AN_OFFICE or not isinstance(hit, list):
            return []
        return [self._offices.setdefault(str(name), _Closed()) for name in hit]


_HANDLERS: Mapping[str, Callable[[OfficeFacts, Happening], None]] = {
    "phase": OfficeFacts._phase,
    "node.started": OfficeFacts._started,
    "fault.began": OfficeFacts._began,
    "fault.ended": OfficeFacts._ended,
}
