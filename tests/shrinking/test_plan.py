"""The order in which a failing scenario is made smaller, against an oracle."""

from __future__ import annotations

import datetime
from typing import cast

from scenarios.shrinking.candidate import Candidate
from scenarios.shrinking.failure import Failure
from scenarios.shrinking.plan import tries

START = "2018-09-04T08:00:00Z"
FAULTS = [{"kind": "crash", "target": "node cbp"}, {"kind": "rebuild", "target": "node importer"}]


def days(candidate: Candidate) -> float:
    calendar = cast("dict[str, str]", candidate.value["calendar"])
    begin, end = (datetime.datetime.fromisoformat(calendar[name]) for name in ("start", "end"))
    return (end - begin).total_seconds() / 86_400


def late(candidate: Candidate) -> bool:
    """Something that takes three days is not done: it is lost with a disk, or the calendar ends before."""
    kinds = [fault["kind"] for fault in cast("list[dict[str, str]]", candidate.value["faults"])]
    return "rebuild" in kinds or days(candidate) < 3


def test_a_calendar_is_not_made_so_short_that_its_end_is_what_fails() -> None:
    calendar = {"start": START, "end": "2018-10-06T08:00:00Z", "pace": "1d"}
    value = {"scenario": "s", "calendar": calendar, "faults": FAULTS, "expect": ["claim e1 is ALLOWED"]}
    trying = tries(Candidate(value, Failure("violated", "claim e1 is ALLOWED")))
    answer: bool | None = None
    while True:
        try:
            asked = next(trying) if answer is None else trying.send(answer)
        except StopIteration as stop:
            smallest = stop.value
            break
        answer = late(asked)
    assert smallest.value["faults"] == FAULTS[1:]
    assert days(smallest) == 4
