"""Whether an organization's office reads and speaks now, and what becomes of what it sends and writes.

Rules:
- An office that is *away* neither reads nor speaks: what comes in lies there till it is back. A *silent* one reads.
- What may be in force several times over is counted: an office is back when the last absence has ended.
- An office on paper reads, and writes down what it would have handed in, until its window ends.
- An envelope is lost if any rule of its addressee loses it, else held until the last rule that holds it has ended.
- Whoever waits for the office looks again at every change.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random

from p2p.signal import Signal
from scenarios.agents.paperbook import Paperbook
from scenarios.model.tradefaults import FallbackParams

End = Callable[[], None]
"""Ends what was begun."""


class Fate(StrEnum):
    """What becomes of an envelope on its way out."""

    SENT = "sent"
    HELD = "held"
    LOST = "lost"


@dataclass(eq=False, slots=True)
class _PostRule:
    """What becomes of envelopes to an addressee, or to everybody if None."""

    fate: Fate
    to: str | None

    def fits(self, to: str) -> bool:
        """Say whether it is about this addressee."""
        return self.to in (None, to)


@dataclass(slots=True)
class Office:
    """One organization's office.

    Attributes:
        changed: fires whenever anything here begins, goes on or ends.
        on_paper: the book that is written in now; None while the office works as it should.
        take_up: told of a book when its window begins, for its organization to enter and reconcile it.
    """

    changed: Signal = field(default_factory=Signal)
    on_paper: Paperbook | None = None
    take_up: Callable[[Paperbook], None] = lambda _book: None
    _windows: int = 0
    _slips: int = 0
    _absences: int = 0
    _silences: int = 0
    _post: list[_PostRule] = field(default_factory=list)
    _falsified: list[tuple[str, ...]] = field(default_factory=list)

    @property
    def reads(self) -> bool:
        """Whether it takes in what comes, and does anything at all."""
        return not self._absences

    @property
    def speaks(self) -> bool:
        """Whether it hands in and sends."""
        return not (self._absences or self._silences)

    def fate_of(self, to: str) -> Fate:
        """Return what becomes of an envelope to an addressee now."""
        fates = [rule.fate for rule in self._post if rule.fits(to)]
        return Fate.LOST if Fate.LOST in fates else Fate.HELD if fates else Fate.SENT

    def falsified(self, form: str, names: Iterable[str]) -> frozenset[str]:
        """Return which of a form's fields are written otherwise than agreed now.

        Args:
            form: as `misdeeds.WRITTEN` calls it.
            names: its fields.
        """
        wrong = {name for fields in self._falsified for name in fields}
        return frozenset(name for name in names if name in wrong or f"{form}/{name}" in wrong)

    # Beginnings; what each returns ends it.

    def leave(self) -> End:
        """Be away."""
        self._absences += 1
        return self._ending(self._come_back)

    def fall_silent(self) -> End:
        """Read on and say nothing."""
        self._silences += 1
        return self._ending(self._speak_again)

    def strike_post(self, fate: Fate, to: str | None) -> End:
        """Let this be the fate of envelopes to an addressee, or of all."""
        rule = _PostRule(fate, to)
        self._post.append(rule)
        return self._ending(lambda: self._post.remove(rule))

    def falsify(self, fields: tuple[str, ...]) -> End:
        """Write these fields otherwise than agreed, as `form/field` or `field`."""
        self._falsified.append(fields)
        return self._ending(lambda: self._falsified.remove(fields))

    def go_on_paper(self, plan: FallbackParams, chance: Random, now_ms: Callable[[], int]) -> End:
        """Work on paper.

        Args:
            plan: how it is entered afterwards.
            chance: the fault's own stream.
            now_ms: the calendar.
        """
        before = self.on_paper
        if before is not None:
            return self._ending(lambda: None)
        self._windows += 1
        book = Paperbook(self._windows, plan, chance, self.changed.fire, self._slips + 1)
        self.on_paper = book
        self.take_up(book)

        def close() -> None:
            self._slips += len(book.slips)
            book.closed_ms = now_ms()
            self.on_paper = None

        return self._ending(close)

    def _ending(self, end: End) -> End:
        self.changed.fire()

        def ended() -> None:
            end()
            self.changed.fire()

        return ended

    def _come_back(self) -> None:
        self._absences -= 1

    def _speak_again(self) -> None:
        self._silences -= 1
