"""Documents and papers as bytes for a real file of the process' own, and back.

Rules:
- Private values are in the clear in these bytes: they go into files without a name, and nowhere else.
- Nothing is checked on the way back: nobody else can have written there.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

import msgpack

from ledger.documents import DIGEST_BYTES, Disclosure, DocumentPlain, OpenedEnvelope, Private
from ledger.encoding import Value
from scenarios.agents.papers import Paper

_Shown = list[tuple[str, bytes, Value]]


def pack_document(document: DocumentPlain) -> bytes:
    """Return an issued document's bytes."""
    return _packed((document.root, b"".join(document.digests), _shown(document.disclosures)))


def unpack_document(data: bytes) -> DocumentPlain:
    """Return the document behind its bytes."""
    root, digests, shown = cast("tuple[bytes, bytes, _Shown]", _unpacked(data))
    return DocumentPlain(root, _split(digests), _disclosures(shown))


def pack_opened(opened: OpenedEnvelope) -> bytes:
    """Return an opened envelope's bytes."""
    return _packed(
        (opened.root, b"".join(opened.digests), _shown(opened.disclosures), opened.vouched),
    )


def unpack_opened(data: bytes) -> OpenedEnvelope:
    """Return the opened envelope behind its bytes."""
    root, digests, shown, vouched = cast("tuple[bytes, bytes, _Shown, bytes | None]", _unpacked(data))
    return OpenedEnvelope(root, _split(digests), _disclosures(shown), vouched)


def pack_paper(paper: Paper) -> bytes:
    """Return a paper's bytes."""
    fields = [(name, value.reveal()) for name, value in paper.fields.items()]
    return _packed((paper.kind, paper.root, fields))


def unpack_paper(data: bytes) -> Paper:
    """Return the paper behind its bytes."""
    kind, root, fields = cast("tuple[str, bytes, list[tuple[str, Value]]]", _unpacked(data))
    return Paper(kind, root, {name: Private(value) for name, value in fields})


def _shown(disclosures: Iterable[Disclosure]) -> _Shown:
    return [(disclosure.name, disclosure.salt, disclosure.value.reveal()) for disclosure in disclosures]


def _disclosures(shown: _Shown) -> tuple[Disclosure, ...]:
    return tuple(Disclosure(name, salt, Private(value)) for name, salt, value in shown)


def _split(digests: bytes) -> tuple[bytes, ...]:
    return tuple(digests[at : at + DIGEST_BYTES] for at in range(0, len(digests), DIGEST_BYTES))


def _packed(value: object) -> bytes:
    return cast(bytes, msgpack.packb(value))


def _unpacked(data: bytes) -> object:
    return msgpack.unpackb(data, strict_map_key=False)
