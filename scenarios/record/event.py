"""One thing that happened in a trial, and its line in a file."""

from __future__ import annotations

import datetime
import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass

from p2p.observer import RecordField


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened.

    Attributes:
        number: its place among all events of the run, from 0.
        calendar_ms: the calendar, UTC milliseconds.
        protocol_ns: protocol time, nanoseconds since the world opened.
        name: what happened.
        fields: its facts.
        public: whether any member may see it.
    """

    number: int
    calendar_ms: int
    protocol_ns: int
    name: str
    fields: Mapping[str, RecordField]
    public: bool

    def line(self) -> str:
        """Return the event as one line of JSON, keys sorted."""
        record = {
            "number": self.number,
            "calendar": iso(self.calendar_ms),
            "protocol_ns": self.protocol_ns,
            "event": self.name,
            **self.fields,
        }
        return json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=False)

    def text(self, name: str) -> str:
        """Return a field that is text.

        Raises:
            KeyError: if there is no such text.
        """
        value = self.fields[name]
        if not isinstance(value, str):
            raise KeyError(f"{self.name}.{name} is no text")
        return value

    def integer(self, name: str) -> int:
        """Return a field that is a whole number.

        Raises:
            KeyError: if there is no such number.
        """
        value = self.fields[name]
        if not isinstance(value, int):
            raise KeyError(f"{self.name}.{name} is no whole number")
        return value


def iso(time_ms: int) -> str:
    """Return UTC milliseconds as ISO 8601 text."""
    return f"{_iso_second(time_ms // 1000)}.{time_ms % 1000:03d}Z"


@functools.lru_cache(maxsize=64)
def _iso_second(time_s: int) -> str:
    moment = datetime.datetime.fromtimestamp(time_s, datetime.UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S")
