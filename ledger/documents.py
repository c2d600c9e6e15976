"""Confidential documents: one root on the ledger, an envelope of chosen fields for each addressee.

Rules:
- Every field has its own random salt; its digest is over salt, name and value, so a yes/no or a country
  cannot be guessed from it. Random decoys fill the digests up to a size class, so their number says nothing
  of the fields'.
- The root is over the sorted digests. All envelopes of a document hold all digests, and so share the root;
  each holds only the disclosures meant for its addressee.
- Its sender signs the digests with the root they belong to: one whose signed digests give another root is convicted by
  its own word, and no field has to be shown for it.
- How an envelope travels, and who signs for it, is `ledger.envelopes`'s.
- Values come out wrapped in `Private`, which shows itself to nobody who does not ask with `reveal`; no error here
  quotes a value.
- Whatever is anything but sorted digests and disclosures among them is an EnvelopeError; nothing in it is trusted.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Generic, NoReturn, Protocol, TypeVar

from ledger.encoding import Value, decode, encode
from ledger.errors import EncodingError, EnvelopeError, MalformedError
from ledger.fields import Fields
from ledger.keys import SIGNATURE_BYTES

SALT_BYTES = 16
DIGEST_BYTES = 32
FIELDS_MAX = 512
FIELD_NAME_LENGTH_MAX = 128
DIGEST_CLASS = 32
"""Digests come in multiples of this many, decoys making up the difference."""

ENVELOPE_BYTES_MAX = 64 << 10
"""More than any envelope that travels has."""

_FIELD_DOMAIN = "seatrial/field/v1"
_DOCUMENT_DOMAIN = b"seatrial/document/v1\n"

T = TypeVar("T")


class Chance(Protocol):
    """A stream of random bytes, such as `random.Random` or `random.SystemRandom`."""

    def randbytes(self, n: int, /) -> bytes:
        """Return `n` random bytes."""


class Private(Generic[T]):
    """A value that does not show itself: not in text, formats, logs, pickles or bytes. `reveal` gives it."""

    __slots__ = ("__value",)

    def __init__(self, value: T) -> None:
        self.__value = value

    def reveal(self) -> T:
        """Return the value. Call this only where its owner's rules allow the value to go."""
        return self.__value

    def __repr__(self) -> str:
        return "Private(...)"

    def __str__(self) -> str:
        return "Private(...)"

    def __format__(self, spec: str) -> str:
        return "Private(...)"

    def __bytes__(self) -> NoReturn:
        raise TypeError("a private value has no bytes; reveal it where that is allowed")

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a private value is not pickled or copied; reveal it where that is allowed")


@dataclass(frozen=True, slots=True)
class Disclosure:
    """One field with the salt that opens its digest."""

    name: str
    salt: bytes = field(repr=False)
    value: Private[Value]

    @property
    def digest(self) -> bytes:
        """The field's digest, 32 bytes."""
        return hashlib.sha256(encode([_FIELD_DOMAIN, self.salt, self.name, self.value.reveal()])).digest()


@dataclass(frozen=True, slots=True)
class DocumentPlain:
    """A document as its issuer has it.

    Attributes:
        root: what goes on the ledger, 32 bytes.
        digests: all of them, sorted, decoys among them.
        disclosures: every field, in the order of the names.
    """

    root: bytes
    digests: tuple[bytes, ...] = field(repr=False)
    disclosures: tuple[Disclosure, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all fields."""
        return tuple(disclosure.name for disclosure in self.disclosures)


@dataclass(frozen=True, slots=True)
class OpenedEnvelope:
    """A document as an addressee has it: all digests, some fields.

    Attributes:
        root: recomputed from the digests; compare it with the ledger's before believing any field.
        digests: all of them, sorted.
        vouched: the sender's signature that these digests are the document's, 64 bytes, if there is one.
        disclosures: the fields meant for this addressee, in the order of the names.
    """

    root: bytes
    digests: tuple[bytes, ...] = field(repr=False)
    disclosures: tuple[Disclosure, ...]
    vouched: bytes | None = None

    @property
    def fields(self) -> dict[str, Private[Value]]:
        """The disclosed fields by name."""
        return {disclosure.name: disclosure.value for disclosure in self.disclosures}

    def check_root(self, anchored: bytes) -> None:
        """Compare with the root on the ledger.

        Raises:
            EnvelopeError: if they differ: complain with ROOT_MISMATCH and believe nothing in it.
        """
        if self.root != anchored:
            raise EnvelopeError(
                f"the envelope's root {self.root.hex()} is not the ledger's {anchored.hex()}; "
                f"complain with ROOT_MISMATCH"
            )


def document_root(digests: Iterable[bytes]) -> bytes:
    """Return the root over digests that are sorted already, 32 bytes."""
    return hashlib.sha256(_DOCUMENT_DOMAIN + b"".join(digests)).digest()


def commit_fields(fields: Mapping[str, Value], random: Chance) -> DocumentPlain:
    """Commit to a document's fields.

    Args:
        fields: names and values.
        random: for salts and decoys.

    Raises:
        EnvelopeError: if there is no field, there are too many, a name is empty or too long, or a value has no
            canonical form; the message never shows a value.
    """
    if not 1 <= len(fields) <= FIELDS_MAX:
        raise EnvelopeError(f"a document has 1 to {FIELDS_MAX} fields, got {len(fields)}; split it")
    for name in fields:
        if not 1 <= len(name) <= FIELD_NAME_LENGTH_MAX:
            raise EnvelopeError(f"field name {name[:60]!r} is not 1 to {FIELD_NAME_LENGTH_MAX} characters")
    disclosures = tuple(
        Disclosure(name, random.randbytes(SALT_BYTES), Private(fields[name])) for name in sorted(fields)
    )
    decoys = -len(disclosures) % DIGEST_CLASS
    digests = [_committed(disclosure) for disclosure in disclosures]
    digests += [random.randbytes(DIGEST_BYTES) for _ in range(decoys)]
    digests.sort()
    return DocumentPlain(document_root(digests), tuple(digests), disclosures)


def _committed(disclosure: Disclosure) -> bytes:
    """Return a field's digest; the encoding's error quotes the value, so it is told anew."""
    try:
        return disclosure.digest
    except EncodingError:
        raise EnvelopeError(
            f"field {disclosure.name[:60]!r} has no canonical form; use text in normalization form C, whole numbers of "
            "64 bits, bytes, and lists and maps of them"
        ) from None


def digests_statement(root: bytes, digests: Iterable[bytes]) -> bytes:
    """Return what a sender signs under `Domain.ENVELOPE`: that these digests are those of that root.

    Signed digests that give another root convict the sender, and tell nothing of any field.
    """
    return encode({"root": root, "digests": b"".join(digests)})


def envelope(
    document: DocumentPlain | OpenedEnvelope, names: Iterable[str], vouched: bytes | None = None
) -> bytes:
    """Return the canonical bytes of an envelope that discloses only the named fields.

    Args:
        document: issued, or opened and passed on.
        names: of the fields to disclose.
        vouched: the sender's signature over `digests_statement`.

    Raises:
        EnvelopeError: if the document does not have a named field.
    """
    chosen = set(names)
    unknown = sorted(chosen - {disclosure.name for disclosure in document.disclosures})
    if unknown:
        raise EnvelopeError(f"the document has no field {', '.join(unknown)}; name only fields it has")
    disclosed = [
        [disclosure.salt, disclosure.name, disclosure.value.reveal()]
        for disclosure in document.disclosures
        if disclosure.name in chosen
    ]
    return encode({"digests": b"".join(document.digests), "disclosures": disclosed, "vouched": vouched})


def read_envelope(data: bytes) -> OpenedEnvelope:
    """Return the envelope whose canonical bytes are `data`, its root and every digest recomputed.

    Raises:
        EnvelopeError: if the bytes are no envelope, or a disclosed field is not among the digests.
    """
    try:
        fields = Fields(decode(data, limit_bytes=ENVELOPE_BYTES_MAX), "envelope")
        packed = fields.raw("digests", max_size=ENVELOPE_BYTES_MAX)
        disclosures = tuple(
            _read_disclosure(item, place)
            for place, item in enumerate(fields.items("disclosures", FIELDS_MAX))
        )
        vouched = fields.optional_raw("vouched", size=SIGNATURE_BYTES)
        fields.finish()
    except EncodingError:
        # The encoding's error quotes the text that it cannot take, and that is private.
        raise EnvelopeError(
            "these bytes are no envelope: they are not canonical; complain with UNREADABLE"
        ) from None
    except MalformedError as error:
        raise EnvelopeError(f"these bytes are no envelope: {error}; complain with UNREADABLE") from error
    digests = tuple(packed[start : start + DIGEST_BYTES] for start in range(0, len(packed), DIGEST_BYTES))
    _check_digests(digests, len(packed))
    _check_disclosures(disclosures, digests)
    return OpenedEnvelope(document_root(digests), digests, disclosures, vouched)


def _read_disclosure(item: Value, place: int) -> Disclosure:
    match item:
        case [bytes(salt), str(name), value] if len(salt) == SALT_BYTES:
            return Disclosure(name, salt, Private(value))
    raise MalformedError(f"envelope.disclosures[{place}]: expected [{SALT_BYTES} bytes of salt, name, value]")


def _check_digests(digests: tuple[bytes, ...], size: int) -> None:
    if not digests or size % (DIGEST_BYTES * DIGEST_CLASS):
        raise EnvelopeError(
            f"{size} bytes of digests are no multiple of {DIGEST_BYTES * DIGEST_CLASS}; "
            f"complain with UNREADABLE"
        )
    if any(digests[place - 1] >= digests[place] for place in range(1, len(digests))):
        raise EnvelopeError("the digests are not sorted, each once; complain with UNREADABLE")


def _check_disclosures(disclosures: tuple[Disclosure, ...], digests: tuple[bytes, ...]) -> None:
    known = frozenset(digests)
    before = ""
    for disclosure in disclosures:
        if disclosure.name <= before:
            raise EnvelopeError(
                f"field {disclosure.name[:60]!r} stands after {before[:60]!r}; fields are sorted, each once"
            )
        before = disclosure.name
        if disclosure.digest not in known:
            raise EnvelopeError(
                f"field {disclosure.name!r} is not among the digests: it is no part of this document; "
                f"complain with UNREADABLE"
            )
