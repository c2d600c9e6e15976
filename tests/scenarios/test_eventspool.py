"""A run's events come back as they were, in order, wherever they waited, and memory does not grow with them."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest

from scenarios.record.event import Event
from scenarios.record.eventspool import CHUNK_EVENTS, EVENTS_RESIDENT_MAX, EventSpool

MANY = EVENTS_RESIDENT_MAX + 5 * CHUNK_EVENTS + 3


def event(number: int) -> Event:
    fields = {"node": "cbp", "height": number, "rule": None, "busy": True, "findings": [f"f{number}", "é"]}
    return Event(number, 1_536_000_000_000 + number, number * 1000, "block.executed", fields, number % 2 == 0)


def test_events_come_back_as_they_were_also_while_more_are_added(tmp_path: Path) -> None:
    spool = EventSpool(tmp_path)
    for number in range(MANY):
        spool.append(event(number))
    assert list(tmp_path.iterdir()) == [], "the file has no name"
    going_through = iter(spool)
    assert [next(going_through) for _ in range(3)] == [event(0), event(1), event(2)]
    for number in range(MANY, MANY + 2 * CHUNK_EVENTS):
        spool.append(event(number))
    assert len(spool) == MANY + 2 * CHUNK_EVENTS
    assert list(spool) == [event(number) for number in range(len(spool))]
    assert (spool[1], spool[-1], spool[1500:1502]) == (
        event(1),
        event(len(spool) - 1),
        [event(1500), event(1501)],
    )
    with pytest.raises(IndexError, match="none at 99999"):
        spool[99_999]


def test_memory_does_not_grow_with_events(tmp_path: Path) -> None:
    spool = EventSpool(tmp_path)

    def grow_to(count: int) -> int:
        for number in range(len(spool), count):
            spool.append(event(number))
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    before = grow_to(MANY)
    assert grow_to(2 * MANY) - before < 2_000_000, (
        "twenty-five thousand events more are some fifteen million bytes"
    )
    tracemalloc.stop()
    assert len(spool) == 2 * MANY
