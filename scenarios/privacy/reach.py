"""What every organization could get hold of in a run, by the place where it lies.

Rules:
- A place has holders: a frame its sender and its receiver, a disk, a log, metrics and error messages the organization
  whose node they are of, what is public everybody.
- An envelope is within reach of whoever holds a place in which the first bytes of it stand, an ephemeral key that no
  opening can do without: in a row, a free page, a log of writes, a frame of any kind, raw or in another form.
- Envelopes looked for are those that wallets sealed, and whatever frames and rows hold in an envelope's stead besides.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ledger.envelopes import SIZE_CLASSES_BYTES
from ledger.keys import KEY_BYTES
from p2p.errors import FrameError
from p2p.framecodec import decode_frame
from p2p.frames import EnvelopeFrame, FrameKind
from scenarios.agents.witness import Sealed
from scenarios.filedindex import FiledIndex
from scenarios.privacy.leaks import LeakSearch


@dataclass(slots=True)
class Reach:
    """What lies where, searched as it is put in.

    Args:
        search: knows what to look for.

    Attributes:
        places: every place where something was put in, with its holders.
        at_rest: those of them that are a node's disk.
    """

    search: LeakSearch
    places: dict[str, dict[str, None]] = field(default_factory=dict)
    at_rest: dict[str, None] = field(default_factory=dict)
    _sealed: Sealed = field(default_factory=Sealed)
    _envelopes: FiledIndex[bytes] = field(default_factory=FiledIndex)
    _found: dict[bytes, dict[str, None]] = field(default_factory=dict)

    def know(self, envelopes: Sealed) -> Iterator[bytes]:
        """Know these envelopes from others that may lie anywhere; give a marker of each, to be looked for."""
        self._sealed = envelopes
        self._envelopes = FiledIndex()
        for number, sealed in enumerate(envelopes):
            if sealed[:KEY_BYTES] not in self._envelopes:
                self._envelopes.add(sealed[:KEY_BYTES], number)
        return iter(self._envelopes)

    def expect(self, envelopes: Sealed) -> None:
        """Look for these envelopes in all that is put in from now on."""
        for marker in self.know(envelopes):
            self.search.mark(marker)

    def put(self, place: str, holders: Iterable[str], data: bytes, *, at_rest: bool = False) -> None:
        """Put in bytes that stand in a place which these organizations hold, on a disk or not."""
        self._hold(place, holders, at_rest=at_rest)
        self.search.search(place, data)

    def put_file(self, place: str, holders: Iterable[str], path: Path) -> None:
        """Put in a file on a disk that these organizations hold."""
        self._hold(place, holders, at_rest=True)
        self.search.search_file(place, path)

    def _hold(self, place: str, holders: Iterable[str], *, at_rest: bool) -> None:
        self.places.setdefault(place, {}).update(dict.fromkeys(holders))
        if at_rest:
            self.at_rest[place] = None

    def put_frame(self, kind: str, source: str, target: str, frame: bytes) -> None:
        """Put in a frame between two nodes."""
        place = frame_place(kind, source, target)
        self.put(place, (source, target), frame)
        if kind == FrameKind.ENVELOPE.name:
            try:
                decoded = decode_frame(frame)
            except FrameError:
                return  # harmed under way: nobody can open it, and its bytes were searched
            if isinstance(decoded, EnvelopeFrame):
                self._keep(decoded.envelope, place)

    def put_row(self, organization: str, table: str, value: bytes) -> None:
        """Put in a value of a row of an organization's node."""
        place = f"table {table} of {organization}'s node"
        self.put(place, (organization,), value, at_rest=True)
        if len(value) in SIZE_CLASSES_BYTES:
            self._keep(value, place)

    def envelopes(self) -> Iterator[tuple[bytes, tuple[str, ...]]]:
        """Give every envelope that lies anywhere, with its places."""
        for sealed in self._sealed:
            places = self.search.marked[sealed[:KEY_BYTES]]
            if places:
                yield sealed, places
        for sealed, others in self._found.items():
            yield sealed, tuple(others)

    def _keep(self, sealed: bytes, place: str) -> None:
        """Keep an envelope that no wallet told of."""
        number = self._envelopes.get(sealed[:KEY_BYTES])
        if number is None or self._sealed[number] != sealed:
            self._found.setdefault(sealed, {})[place] = None


def frame_place(kind: str, source: str, target: str) -> str:
    """Return what a frame between two nodes is called as a place."""
    return f"a {kind} frame from {source} to {target}"
