"""The event of a run at which its first violation shows.

Rules:
- A violated check names its event, and that is it. One found at the end of the run shows at the last event.
- A failed expectation with a deadline shows at the first event after it; another at the last event about its subject.
- Of a run that passed, or is undecided, there is none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from scenarios.judging.verdict import Judgment
from scenarios.model.sentences import Judgement
from scenarios.record.eventbook import Event

_EVENT = re.compile(r"\(event ([0-9]+)\)$")
_WITHIN = re.compile(r"within ([0-9]+) (day|hour|minute)s?$")
_OF_WAITING = ("progress:", "convergence:")
_UNITS_MS = {"day": 86_400_000, "hour": 3_600_000, "minute": 60_000}


@dataclass(frozen=True, slots=True)
class Anchor:
    """Where the first violation shows, and which it is."""

    event: Event
    text: str

    @property
    def is_of_waiting(self) -> bool:
        """Whether something was waited for in vain: that shows long after what it came of."""
        return self.text.startswith(_OF_WAITING)


def anchor_of(judgment: Judgment, events: Sequence[Event]) -> Anchor | None:
    """Return where a run's first violation shows, or None if nothing was violated.

    Args:
        judgment: of the run.
        events: all of it.
    """
    if judgment.violations:
        text = judgment.violations[0]
        named = _EVENT.search(text)
        event = events[int(named[1])] if named is not None and int(named[1]) < len(events) else events[-1]
        return Anchor(event, text)
    for expectation in judgment.expectations:
        if expectation.outcome.judgement is Judgement.FAILED:
            text = f"{expectation.sentence}: {expectation.outcome.text}"
            return Anchor(_shows(expectation.sentence, events), text)
    return None


def _shows(sentence: str, events: Sequence[Event]) -> Event:
    about = list(_about(sentence, events))
    if not about:
        return events[-1]
    within = _WITHIN.search(sentence)
    if within is None:
        return about[-1]
    deadline_ms = about[0].calendar_ms + int(within[1]) * _UNITS_MS[within[2]]
    return next((event for event in events if event.calendar_ms > deadline_ms), events[-1])


def _about(sentence: str, events: Sequence[Event]) -> Iterator[Event]:
    """Yield the events that name the sentence's subject: `claim e1`, `notice of c1`, `step 3`."""
    words = sentence.split()
    for event in events:
        for key, value in event.fields.items():
            where = words.index(key) + 1 if key in words else 0
            if 0 < where < len(words) and str(value) == words[where]:
                yield event
                break
