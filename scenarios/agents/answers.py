"""What a node's interface answers, read field by field.

ClientError
├── ApiProblem            the node answered, and its answer is an error: status, code, message, remedy
├── NodeUnreachableError  no answer: the connection failed or time ran out; what was asked may have happened
└── BadAnswerError        an answer that is not what the interface promises

Rules:
- Every field that is used is read with its type and its bounds; unknown fields are ignored.
- An answer that breaks the interface's promise is a `BadAnswerError`, never a guess.
- The same page of receipts is read once for all programs of a process: what it says follows from its bytes, and nobody
  changes what was read.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import NoReturn, TypeVar, cast

from ledger.encoding import Value
from ledger.errors import MalformedError
from ledger.fields import Fields
from p2p.finality import Finality, TransactionStatus

TEXT_MAX = 4096
HEX_MAX = 1 << 24
ITEMS_MAX = 10_000
RECEIPTS_MAX = 500
PAGES_REMEMBERED = 32
_PASSING_STATUSES = (429, 502, 503, 504)

T = TypeVar("T")


class ClientError(Exception):
    """Root of what can go wrong between an application and its node."""


class ApiProblem(ClientError):  # noqa: N818  the API's own word for it
    """The node's answer is an error.

    Attributes:
        status: the HTTP status.
        code: the node's code, such as `NONCE_REUSED`; `HTTP` if the answer had none.
        message: what does not hold.
        remedy: what to do about it.
    """

    def __init__(self, status: int, code: str, message: str, remedy: str) -> None:
        super().__init__(f"{status} {code}: {message}; {remedy}")
        self.status = status
        self.code = code
        self.message = message
        self.remedy = remedy

    @property
    def is_passing(self) -> bool:
        """Whether the same request may succeed later: the node is full, busy or not there yet."""
        return self.status in _PASSING_STATUSES


class NodeUnreachableError(ClientError):
    """The node did not answer; what was asked of it may have happened."""


class BadAnswerError(ClientError):
    """An answer that is not what the interface promises."""


@dataclass(frozen=True, slots=True)
class Submission:
    """What became of one transaction of a batch: a status, or the problem it met."""

    status: TransactionStatus | None
    problem: ApiProblem | None


@dataclass(frozen=True, slots=True)
class Receipt:
    """One certified receipt with the public part of its transaction.

    Attributes:
        index: its leaf's place in the Merkle log.
        height: its block.
        position: its place in the block.
        id: the transaction's id, 32 bytes.
        code: the validation code.
        rule: the rule that refused it, if one did.
        findings: recorded legal findings.
        time_ms: its block's time, UTC milliseconds.
        type: the transaction's type, or None if its bytes were malformed.
        creator: the organization that signed it, or None.
        body: the transaction's body; byte strings are lower-case hex.
        documents: the document roots it anchors.
    """

    index: int
    height: int
    position: int
    id: bytes
    code: str
    rule: str | None
    findings: tuple[str, ...]
    time_ms: int
    type: str | None
    creator: str | None
    body: Mapping[str, Value]
    documents: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class ReceiptPage:
    """Certified receipts in the log's order, and the leaf index to go on after."""

    next: int
    receipts: tuple[Receipt, ...]


@dataclass(frozen=True, slots=True)
class DocumentNotice:
    """An envelope that has arrived; its bytes are fetched by root."""

    index: int
    root: bytes
    sender: str
    size_bytes: int
    received_ms: int


@dataclass(frozen=True, slots=True)
class DocumentPage:
    """Envelopes in the order of arrival, the number to go on after, and the inbox in which that counts."""

    inbox: str
    next: int
    documents: tuple[DocumentNotice, ...]


@dataclass(frozen=True, slots=True)
class Health:
    """Where a node stands."""

    status: str
    network: str
    organization: str
    height: int
    certified: int
    term: int
    role: str
    leader: str | None
    calendar_ms: int


@dataclass(frozen=True, slots=True)
class ReceiptProof:
    """An RFC 6962 audit path from a receipt's leaf to the root of a certificate."""

    leaf: bytes
    index: int
    size: int
    path: tuple[bytes, ...]
    certificate: str


@dataclass(frozen=True, slots=True)
class StateAnswer:
    """A state value at a height, or its absence, with its proof if one was asked for (canonical bytes)."""

    key: str
    height: int
    state_root: bytes
    value: bytes | None
    fields: Mapping[str, Value]
    proof: bytes | None


@dataclass(frozen=True, slots=True)
class Answer:
    """The bytes of an answer and how to read them."""

    what: str
    status: int
    data: bytes

    def read(self, reader: Callable[[Fields], T]) -> T:
        """Read a JSON object field by field."""
        try:
            return reader(Fields(_parse_json(self.data), "answer"))
        except (MalformedError, ValueError) as error:
            raise BadAnswerError(f"{self.what}: {self.status}: {error}") from error

    def receipts(self) -> ReceiptPage:
        """Read a page of certified receipts."""
        try:
            return _read_page(self.data)
        except (MalformedError, ValueError) as error:
            raise BadAnswerError(f"{self.what}: {self.status}: {error}") from error

    def text(self) -> str:
        """Read the answer as UTF-8 text."""
        try:
            return self.data.decode()
        except UnicodeDecodeError as error:
            raise BadAnswerError(f"{self.what}: {self.status}: the text is not UTF-8") from error

    def problem(self) -> ApiProblem:
        """Return the error that the answer states; `HTTP` where it states none."""
        try:
            return _read_problem(self.status, Fields(_parse_json(self.data), "answer"))
        except (MalformedError, ValueError):
            remedy = "look at the node's own records"
            return ApiProblem(self.status, "HTTP", f"{self.what} answered without a reason", remedy)


def _parse_json(data: bytes) -> Value:
    """Parse JSON as the interface writes it: no fractions.

    Raises:
        ValueError: if the bytes are no such JSON.
    """
    return cast(Value, json.loads(data, parse_float=_refuse_number, parse_constant=_refuse_number))


def _refuse_number(text: str) -> NoReturn:
    raise ValueError(f"{text[:40]} is no whole number")


def _hex(fields: Fields, name: str, size: int | None = None) -> bytes:
    data = _from_hex(fields, name, fields.text(name, HEX_MAX, min_length=0))
    if size is not None and len(data) != size:
        fields.refuse(name, f"has {len(data)} bytes; it takes {size}")
    return data


def _optional_hex(fields: Fields, name: str) -> bytes | None:
    text = fields.optional_text(name, HEX_MAX, min_length=0)
    return None if text is None else _from_hex(fields, name, text)


def _hexes(fields: Fields, name: str) -> tuple[bytes, ...]:
    return tuple(_from_hex(fields, name, text) for text in fields.texts(name, ITEMS_MAX, TEXT_MAX))


def _from_hex(fields: Fields, name: str, text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        fields.refuse(name, "is not hex")


def _finality(fields: Fields) -> Finality:
    text = fields.text("status", 40)
    try:
        return Finality(text)
    except ValueError:
        fields.refuse("status", f"{text!r} is not one of {', '.join(Finality)}")


def read_status(fields: Fields) -> TransactionStatus:
    """Read how final a transaction is."""
    code = fields.optional_text("code", 64)
    return TransactionStatus(
        id=_hex(fields, "id", 32),
        status=_finality(fields),
        code=code,
        rule=fields.optional_text("rule", TEXT_MAX),
        findings=() if code is None else fields.texts("findings", ITEMS_MAX),
        height=fields.optional_integer("height"),
        position=fields.optional_integer("position"),
        index=fields.optional_integer("index"),
        time_ms=fields.optional_integer("time_ms"),
        accepted_ms=fields.optional_integer("accepted_ms"),
    )


def _read_problem(status: int, fields: Fields) -> ApiProblem:
    error = fields.fields("error")
    return ApiProblem(
        status,
        error.text("code", 64),
        error.text("message", TEXT_MAX, min_length=0),
        error.text("remedy", TEXT_MAX, min_length=0),
    )


def read_submission(item: Value) -> Submission:
    """Read what became of one transaction of a batch."""
    fields = Fields(item, "results")
    status = fields.integer("http", 100, 599)
    if status in (200, 202):
        return Submission(read_status(fields), None)
    return Submission(None, _read_problem(status, fields))


def read_receipt(item: Value) -> Receipt:
    """Read one certified receipt."""
    fields = Fields(item, "receipts")
    transaction_type = fields.optional_text("type", 64)
    malformed = transaction_type is None
    return Receipt(
        index=fields.integer("index"),
        height=fields.integer("height"),
        position=fields.integer("position"),
        id=_hex(fields, "id", 32),
        code=fields.text("code", 64),
        rule=fields.optional_text("rule", TEXT_MAX),
        findings=fields.texts("findings", ITEMS_MAX),
        time_ms=fields.integer("time_ms"),
        type=transaction_type,
        creator=fields.optional_text("creator", 40),
        body={} if malformed else fields.map("body"),
        documents=() if malformed else _hexes(fields, "documents"),
    )


@lru_cache(PAGES_REMEMBERED)
def _read_page(data: bytes) -> ReceiptPage:
    fields = Fields(_parse_json(data), "answer")
    receipts = fields.items("receipts", RECEIPTS_MAX)
    return ReceiptPage(fields.integer("next", -1), tuple(read_receipt(item) for item in receipts))


def read_notice(item: Value) -> DocumentNotice:
    """Read one arrived envelope's facts."""
    fields = Fields(item, "documents")
    return DocumentNotice(
        index=fields.integer("index"),
        root=_hex(fields, "root", 32),
        sender=fields.text("from", 40),
        size_bytes=fields.integer("size"),
        received_ms=fields.integer("received_ms"),
    )


def read_health(fields: Fields) -> Health:
    """Read where a node stands."""
    return Health(
        status=fields.text("status", 40),
        network=fields.text("network", 64),
        organization=fields.text("organization", 40),
        height=fields.integer("height"),
        certified=fields.integer("certified"),
        term=fields.integer("term"),
        role=fields.text("role", 40),
        leader=fields.optional_text("leader", 40),
        calendar_ms=fields.integer("calendar_ms"),
    )


def read_proof(fields: Fields) -> ReceiptProof:
    """Read a receipt's inclusion proof."""
    return ReceiptProof(
        leaf=_hex(fields, "leaf"),
        index=fields.integer("index"),
        size=fields.integer("size"),
        path=_hexes(fields, "path"),
        certificate=fields.text("certificate", 1 << 20),
    )


def read_state(fields: Fields) -> StateAnswer:
    """Read a state value."""
    return StateAnswer(
        key=fields.text("key", TEXT_MAX),
        height=fields.integer("height"),
        state_root=_hex(fields, "state_root", 32),
        value=_optional_hex(fields, "value"),
        fields=fields.optional_map("fields") or {},
        proof=_optional_hex(fields, "proof"),
    )
