"""Every event of a run in order, of which only the latest are in memory.

Rules:
- Beyond `EVENTS_RESIDENT_MAX` the older ones wait in a file without a name, in chunks, and come back as they were when
  somebody goes through them; a long run's memory does not grow with its events.
- Without a directory all stay in memory.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import overload

import msgpack

from scenarios.record.event import Event
from scenarios.record.latefile import LateFile

EVENTS_RESIDENT_MAX = 20_000
CHUNK_EVENTS = 1_000


class EventSpool(Sequence[Event]):
    """Events in the order in which they were added; its length is how many there are.

    Args:
        directory: where the file is made, if it is needed; None keeps all in memory.
    """

    def __init__(self, directory: Path | None = None) -> None:
        self._directory = directory
        self._file: LateFile | None = None
        self._chunks: list[tuple[int, int]] = []
        self._written_bytes = 0
        self._latest: list[Event] = []

    def append(self, event: Event) -> None:
        """Add an event."""
        self._latest.append(event)
        if len(self._latest) >= EVENTS_RESIDENT_MAX + CHUNK_EVENTS and self._directory is not None:
            self._write_out(self._directory)

    def __len__(self) -> int:
        return len(self._chunks) * CHUNK_EVENTS + len(self._latest)

    def __iter__(self) -> Iterator[Event]:
        for chunk in range(len(self._chunks)):
            yield from self._chunk(chunk)
        yield from self._latest

    @overload
    def __getitem__(self, place: int) -> Event: ...
    @overload
    def __getitem__(self, place: slice) -> list[Event]: ...
    def __getitem__(self, place: int | slice) -> Event | list[Event]:
        if isinstance(place, slice):
            return [self[at] for at in range(*place.indices(len(self)))]
        at = place if place >= 0 else len(self) + place
        if not 0 <= at < len(self):
            raise IndexError(f"there are {len(self)} events, and none at {place}")
        chunk, within = divmod(at, CHUNK_EVENTS)
        if chunk < len(self._chunks):
            return self._chunk(chunk)[within]
        return self._latest[at - len(self._chunks) * CHUNK_EVENTS]

    def __del__(self) -> None:
        if self._file is not None:
            self._file.discard()

    def _write_out(self, directory: Path) -> None:
        if self._file is None:
            path = directory / "events"
            self._file = LateFile(path)
            path.unlink()
        older, self._latest = self._latest[:CHUNK_EVENTS], self._latest[CHUNK_EVENTS:]
        rows = [(e.number, e.calendar_ms, e.protocol_ns, e.name, e.fields, e.public) for e in older]
        data = msgpack.packb(rows)
        self._file.write(data)
        self._chunks.append((self._written_bytes, len(data)))
        self._written_bytes += len(data)

    def _chunk(self, number: int) -> list[Event]:
        """Return a chunk's events.

        Raises:
            RefusedError: if some could not be written.
        """
        if self._file is None:
            raise RuntimeError("events were written out and there is no file")
        file = self._file.read_from_start()
        offset, size = self._chunks[number]
        file.seek(offset)
        data = file.read(size)
        file.seek(self._written_bytes)
        return [Event(*row) for row in msgpack.unpackb(data)]
