"""The order in which a run is told: an act stands where the ledger has it.

Rules:
- A program records its act once it knows that it is on the ledger; what followed from the act may be on record by then.
  So what comes after a receipt waits until its sender has spoken of it, and the act is told first.
- Nothing waits longer than `WAIT_MS` of the calendar, or beyond the phase of the run: the sender may be down. An act
  that is recorded before its receipt waits `NEWS_MS` for that.
- What an organization only learns (`.received`) is no act of its own; it waits `NEWS_MS` for the act that it learns of.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from scenarios.model.subjects import SUBJECTS
from scenarios.record.eventbook import Event

WAIT_MS = 20_000
NEWS_MS = 1_000
_SUBJECTS = tuple(dict.fromkeys(["certificate", *(kind.field for kind in SUBJECTS.values())]))


@dataclass(slots=True)
class Told:
    """One thing to tell.

    Attributes:
        event: what somebody recorded, or None if a receipt's sender said nothing of it.
        receipt: the receipt it rests on, if it is an act on the ledger.
        open_until_ms: the calendar until which it waits for its other half; 0 if it waits no more.
    """

    event: Event | None
    receipt: Event | None = None
    open_until_ms: int = 0

    @property
    def calendar_ms(self) -> int:
        """When it was so."""
        first = self.receipt or self.event
        assert first is not None  # noqa: S101 - one of the two is there
        return first.calendar_ms


@dataclass(slots=True)
class LedgerOrder:
    """Takes events as they are recorded and gives them as they are to be told."""

    _waiting: deque[Told] = field(default_factory=deque)
    _news: list[Event] = field(default_factory=list)

    def take(self, event: Event) -> list[Told]:
        """Take an event; return what can be told now."""
        is_end = event.name == "phase"
        for told in self._waiting:
            if is_end or event.calendar_ms >= told.open_until_ms:
                told.open_until_ms = 0
        while self._news and (is_end or event.calendar_ms >= self._news[0].calendar_ms + NEWS_MS):
            self._waiting.append(Told(self._news.pop(0)))
        if event.name == "receipt":
            self._take_receipt(event)
        elif event.name.endswith(".received"):
            self._news.append(event)
        elif event.public and "organization" in event.fields:
            self._take_act(event)
        else:
            self._waiting.append(Told(event))
        ready: list[Told] = []
        while self._waiting and not self._waiting[0].open_until_ms:
            ready.append(self._waiting.popleft())
        return ready

    def rest(self) -> list[Told]:
        """Return all that still waits."""
        rest = [*self._waiting, *map(Told, self._news)]
        self._waiting.clear()
        self._news.clear()
        return rest

    def _take_receipt(self, receipt: Event) -> None:
        is_valid = receipt.fields.get("code") == "VALID"
        for told in self._waiting:
            if is_valid and told.open_until_ms and told.receipt is None and _is_of(told.event, receipt):
                told.receipt, told.open_until_ms = receipt, 0
                return
        self._waiting.append(Told(None, receipt, receipt.calendar_ms + WAIT_MS if is_valid else 0))

    def _take_act(self, act: Event) -> None:
        for told in self._waiting:
            if told.open_until_ms and told.event is None and _is_of(act, told.receipt):
                told.event, told.open_until_ms = act, 0
                return
        self._waiting.append(Told(act, None, act.calendar_ms + NEWS_MS))


def _is_of(act: Event | None, receipt: Event | None) -> bool:
    """Whether an act may be the one a receipt is of: by the same organization, about the same thing."""
    if act is None or receipt is None or act.fields["organization"] != receipt.fields.get("creator"):
        return False
    return any(
        act.fields.get(subject) is not None and act.fields.get(subject) == receipt.fields.get(subject)
        for subject in _SUBJECTS
    )
