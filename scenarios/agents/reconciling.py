"""What was written on paper held against what the ledger has of it.

Rules:
- The ledger's receipts are the measure, not what whoever entered the slips believes to have done.
- An act stands on the ledger as often as there are receipts of this organization with its type, body and documents.
- Lateness is what the ledger found. It was in time on paper if the slip's date is not after the last day.
- An acknowledgement on paper before a claim is possession, though the ledger had to find NO_POSSESSION
  (19 CFR 181.21(a)): the claim overtook the slip.
- A form does not match if a field was entered otherwise than it stands on paper; only the field's name is told.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ledger.codes import Code
from ledger.contracts import LegalCalendar
from ledger.contracts.findings import Finding
from ledger.encoding import Value
from scenarios.agents.carelessness import spoilt_fields
from scenarios.agents.client import Receipt
from scenarios.agents.paperbook import PaperAct, Paperbook, Slip
from scenarios.agents.paperdue import LATE, TOO_LATE, last_day

_ACKNOWLEDGE = "holding.acknowledge"
_CLAIMS = ("claim.file", "claim.file_post")


@dataclass(frozen=True, slots=True)
class ReconciledAct:
    """One act of a slip, held against the ledger.

    Attributes:
        slip: the slip's number.
        type, body: of the act.
        id: of the transaction that entered it, or None.
        written_ms: its date on paper.
        on_ledger_ms: of its first receipt, or None if the ledger has none.
        entries: receipts of it; more than one if it was entered twice.
        valid: of these, VALID ones.
        late: what the ledger found or refused as late, or as not possessed.
        in_time: of these, what was in time on paper.
        unknown: of these, what may have been: the act does not say until when.
    """

    slip: int
    type: str
    body: Mapping[str, Value]
    id: str | None
    written_ms: int
    on_ledger_ms: int | None
    entries: int
    valid: int
    late: tuple[str, ...]
    in_time: tuple[str, ...]
    unknown: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Mismatch:
    """A form that was entered otherwise than it stands on paper: what it is about, and the fields."""

    subject: str
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """What a window on paper came to."""

    slips: int
    acts: tuple[ReconciledAct, ...]
    mismatches: tuple[Mismatch, ...]

    @property
    def missing(self) -> int:
        """Acts on paper that the ledger has no receipt of."""
        return sum(not act.entries for act in self.acts)

    @property
    def doubled(self) -> int:
        """Acts that were entered more than once."""
        return sum(act.entries > 1 for act in self.acts)

    @property
    def late(self) -> int:
        """Acts that are late on the ledger."""
        return sum(bool(act.late) for act in self.acts)

    @property
    def in_time(self) -> int:
        """Acts that are late on the ledger and were in time on paper."""
        return sum(bool(act.in_time) for act in self.acts)


def reconcile(book: Paperbook, receipts: Sequence[Receipt], legal: LegalCalendar) -> Reconciliation:
    """Hold a paperbook against the organization's own receipts since it was opened.

    Args:
        book: with every slip entered.
        receipts: in the order of the log.
        legal: the network's days.
    """
    claims = [one for one in receipts if one.type in _CLAIMS and Finding.NO_POSSESSION.value in one.findings]
    made = [(one, _made_ms(one, book)) for one in claims]
    acts = [_held_against(slip, act, receipts, made, legal) for slip in book.slips for act in slip.acts]
    found = [
        Mismatch(
            form.subject, tuple(f"{form.form}/{name}" for name in spoilt_fields(form.on_paper, form.entered))
        )
        for form in book.forms
    ]
    return Reconciliation(len(book.slips), tuple(acts), tuple(one for one in found if one.fields))


def _held_against(
    slip: Slip,
    act: PaperAct,
    receipts: Sequence[Receipt],
    claims: Sequence[tuple[Receipt, int]],
    legal: LegalCalendar,
) -> ReconciledAct:
    of_it = [one for one in receipts if _is_of(one, act)]
    on_paper = legal.legal_date(slip.written_ms)
    late, in_time, unknown = [], [], []
    for finding in dict.fromkeys(finding for one in of_it for finding in one.findings if finding in LATE):
        late.append(finding)
        until = last_day(finding, act.body, legal)
        if until is None:
            unknown.append(finding)
        elif on_paper <= until:
            in_time.append(finding)
    refused = [one.rule for one in of_it[:1] if one.rule is not None and one.rule.endswith(TOO_LATE)]
    if _is_overtaken(slip, act, claims):
        late.append(Finding.NO_POSSESSION.value)
        in_time.append(Finding.NO_POSSESSION.value)
    return ReconciledAct(
        slip=slip.number,
        type=act.type,
        body=act.body,
        id=act.id,
        written_ms=slip.written_ms,
        on_ledger_ms=of_it[0].time_ms if of_it else None,
        entries=len(of_it),
        valid=sum(one.code == Code.VALID for one in of_it),
        late=(*map(str, late), *refused),
        in_time=tuple(map(str, in_time)),
        unknown=(*map(str, unknown), *refused),
    )


def _is_of(receipt: Receipt, act: PaperAct) -> bool:
    return (
        receipt.type == act.type
        and receipt.documents == act.documents
        and dict(receipt.body) == as_told(act.body)
    )


def _made_ms(claim: Receipt, book: Paperbook) -> int:
    """Return when a claim was made: the date of its slip if it was on paper, else its block's."""
    dates = [slip.written_ms for slip in book.slips for act in slip.acts if _is_of(claim, act)]
    return min(dates, default=claim.time_ms)


def _is_overtaken(slip: Slip, act: PaperAct, claims: Sequence[tuple[Receipt, int]]) -> bool:
    """Say whether a claim came on the ledger before the acknowledgement that it rests on, and on paper after it."""
    if act.type != _ACKNOWLEDGE:
        return False
    certificate = as_told(act.body).get("certificate")
    return any(
        one.body.get("certificate") == certificate and made_ms >= slip.written_ms for one, made_ms in claims
    )


def as_told(body: Mapping[str, Value]) -> dict[str, Value]:
    """Return a body as receipts tell it: byte strings as lower-case hex."""
    return {name: _told(value) for name, value in body.items()}


def _told(value: Value) -> Value:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, Mapping):
        return as_told(value)
    if isinstance(value, list | tuple):
        return [_told(item) for item in value]
    return value
