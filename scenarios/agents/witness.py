"""A trial's own memory of documents: what was committed, sealed and meant for whom, whatever is purged later.

Rules:
- A witness belongs to a trial, never to a deployment: a wallet without one tells nobody.
- It notes what an application *means* to show before anything is sealed; what was in fact sealed is for others to open.
- Nothing in it is forgotten: what was purged must still be searched for.
- Values and salts stay wrapped until the search reveals them.
- None of that stays in memory: most of it lies in real files without a name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import cast

import msgpack

from consensus.frozen import cheaply_made
from ledger.documents import DocumentPlain, Private
from ledger.encoding import Value
from scenarios.agents.packing import pack_document, unpack_document
from scenarios.filed import Filed, FiledMap

_ROOT_BYTES = 32


@cheaply_made
@dataclass(frozen=True, slots=True)
class Secret:
    """A private value and where it stands, to search for leaks: `where` never shows the value."""

    where: str
    value: Private[bytes]


@dataclass(frozen=True, slots=True)
class Committed:
    """A document as its issuer committed to it.

    Attributes:
        issuer: whose wallet it is of.
        document: all its fields.
        public: names of fields whose values tell nothing wherever found.
    """

    issuer: str
    document: DocumentPlain
    public: frozenset[str]

    def place(self, name: str) -> str:
        """Return what names a field of it without showing it."""
        return f"{self.issuer}'s document {self.document.root.hex()[:16]}.{name}"


def _pack_committed(committed: Committed) -> bytes:
    parts = (committed.issuer, sorted(committed.public), pack_document(committed.document))
    return cast(bytes, msgpack.packb(parts))


def _unpack_committed(data: bytes) -> Committed:
    issuer, public, document = cast("tuple[str, list[str], bytes]", msgpack.unpackb(data))
    return Committed(issuer, unpack_document(document), frozenset(public))


def _pack_readers(readers: dict[str, tuple[str, ...]]) -> bytes:
    return cast(bytes, msgpack.packb(readers))


def _unpack_readers(data: bytes) -> dict[str, tuple[str, ...]]:
    return cast("dict[str, tuple[str, ...]]", msgpack.unpackb(data, use_list=False))


def _pack_salt(noted: tuple[str, Private[bytes]]) -> bytes:
    organization, salt = noted
    return cast(bytes, msgpack.packb((organization, salt.reveal())))


def _unpack_salt(data: bytes) -> tuple[str, Private[bytes]]:
    organization, salt = cast("tuple[str, bytes]", msgpack.unpackb(data))
    return organization, Private(salt)


class Sealed:
    """Every envelope sealed, oldest first, with the root of its document."""

    def __init__(self) -> None:
        self._filed: Filed[tuple[bytes, bytes]] = Filed(
            lambda pair: pair[1] + pair[0], lambda data: (data[_ROOT_BYTES:], data[:_ROOT_BYTES])
        )

    def __len__(self) -> int:
        return len(self._filed)

    def __iter__(self) -> Iterator[bytes]:
        for sealed, _ in self._filed:
            yield sealed

    def __getitem__(self, number: int) -> bytes:
        """Return an envelope by its place, from 0."""
        return self._filed[number][0]

    def items(self) -> Iterator[tuple[bytes, bytes]]:
        """Give every envelope with its document's root."""
        return iter(self._filed)

    def add(self, sealed: bytes, root: bytes) -> None:
        """Take in an envelope; its ephemeral key is drawn for it alone, so that none comes twice."""
        self._filed.add((sealed, root))

    def clear(self) -> None:
        """Know of none any more."""
        self.__init__()  # type: ignore[misc]


@dataclass(slots=True)
class Witness:
    """What every wallet of a trial tells.

    Attributes:
        documents: every document committed to, by its root, oldest first.
        meant: by root and organization, the fields that one who has the document meant it to see.
        sealed: every envelope sealed, oldest first.
    """

    documents: FiledMap[bytes, Committed] = field(
        default_factory=lambda: FiledMap(_pack_committed, _unpack_committed)
    )
    meant: FiledMap[bytes, dict[str, tuple[str, ...]]] = field(
        default_factory=lambda: FiledMap(_pack_readers, _unpack_readers)
    )
    sealed: Sealed = field(default_factory=Sealed)
    _salts: FiledMap[bytes, tuple[str, Private[bytes]]] = field(
        default_factory=lambda: FiledMap(_pack_salt, _unpack_salt)
    )

    def note_document(self, issuer: str, document: DocumentPlain, public: frozenset[str]) -> None:
        """Note that an organization committed to a document."""
        self.documents.put(document.root, Committed(issuer, document, public))

    def note_reader(self, root: bytes, reader: str, names: Iterable[str]) -> None:
        """Note that one who has a document means a reader to see these fields of it."""
        readers = self.meant.get(root, {})
        meant = tuple(dict.fromkeys((*readers.get(reader, ()), *names)))
        self.meant.put(root, {**readers, reader: meant})

    def note_envelope(self, root: bytes, sealed: bytes) -> None:
        """Note a sealed envelope of a document."""
        self.sealed.add(sealed, root)

    def note_salt(self, organization: str, commitment: bytes, salt: Private[bytes]) -> None:
        """Note the salt that opens a commitment."""
        self._salts.put(commitment, (organization, salt))

    def secrets(self) -> Iterator[Secret]:
        """Give every private text and salt of all documents, and every commitment's salt."""
        for committed in self.documents.values():
            for disclosure in committed.document.disclosures:
                name = committed.place(disclosure.name)
                yield Secret(f"salt of {name}", Private(disclosure.salt))
                if disclosure.name in committed.public:
                    continue
                for text in _texts(disclosure.value.reveal()):
                    yield Secret(name, Private(text.encode()))
        for commitment, (organization, salt) in self._salts.items():
            yield Secret(f"{organization}'s salt of {commitment.hex()[:16]}", salt)


def _texts(value: Value) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
