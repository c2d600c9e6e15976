"""One claim, document or transaction of a run, told in order.

Rules:
- A story is made of the run's recorded events: the public ones, and the observer's where the reader has the folder.
- It names what each line rests on: block, code, findings, who; an act stands where the ledger has it.
- It speaks the trade's language; what has no sentence is told by its event's name and facts.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Iterator, Mapping
from typing import cast
from zoneinfo import ZoneInfo

from p2p.observer import RecordField
from scenarios.errors import RefusedError
from scenarios.model import Scenario
from scenarios.model.subjects import SUBJECTS
from scenarios.record.eventbook import Event
from scenarios.record.runfolder import RunFolder
from scenarios.telling.acts import refusal, told
from scenarios.telling.carnets import about_carnet, about_voucher
from scenarios.telling.fisheries import about_form
from scenarios.telling.moments import local
from scenarios.telling.narration import STORY_SENTENCES
from scenarios.telling.order import LedgerOrder

Fields = Mapping[str, object]
_ID_DIGITS_MIN = 6
VALID = "VALID"
_NODE_WORDS = {
    "transaction.submitted": "is handed it",
    "transaction.accepted": "has accepted it: durable here",
    "step.transaction": "handed in by a step of the scenario",
}
_FRAME = ("number", "calendar", "protocol_ns", "event")
_HIDDEN = ("body", "documents", "index", "position", "time_ms")
_TELLING = (
    "claim.",
    "certificate.",
    "holding.",
    "request.",
    "decision.",
    "answer.",
    "notice.",
    "complaint.",
    "act.",
    "carnet.",
    "goods.",
    "carnet_claim.",
    "form370.",
    "verification.",
    "letter.",
)


def tell(folder: RunFolder, scenario: Scenario, subject: str) -> list[str]:
    """Return the story's lines.

    Args:
        folder: of the run.
        scenario: that was run.
        subject: a claim's or document's local name, an entry or entry line, or (the beginning of) a document's root or
            id, or of a transaction's id, in hex.

    Raises:
        RefusedError: if the run knows nothing of that name.
    """
    events = _events(folder)
    stories: list[str] = []
    subject = _local_name(events, scenario, subject)
    for kind in SUBJECTS.values():
        known = getattr(scenario, kind.section) if kind.word in ABOUT else ()
        if subject.partition("/")[0] in known and re.fullmatch(kind.pattern, subject):
            lines = list(_lines(events, kind.field, subject, scenario))
            if lines or not kind.part:
                stories += [f"{kind.word} {subject}: {ABOUT[kind.word](scenario, subject)}", *lines]
    if stories:
        return stories
    if subject in scenario.documents:
        document = scenario.documents[subject]
        head = f"document {subject}: {document.form}, issued by {document.issuer} for {', '.join(document.addressees)}"
        return [head, *_lines(events, "certificate", subject, scenario)]
    ids = sorted({str(e.fields["id"]) for e in events if str(e.fields.get("id", "")).startswith(subject)})
    if len(subject) < _ID_DIGITS_MIN or not ids:
        sections = dict.fromkeys(kind.section for kind in SUBJECTS.values())
        known = [*(name for section in sections for name in getattr(scenario, section)), *scenario.documents]
        raise RefusedError(
            f'"{subject}" is no claim, document or transaction of this run',
            f"names: {', '.join(known)}; or an entry line such as SX7-1000418-2/1",
            f"or give at least {_ID_DIGITS_MIN} hex digits of a transaction's id or a document's root",
        )
    if len(ids) > 1:
        raise RefusedError(f'"{subject}" begins {len(ids)} transaction ids', "", "give more digits")
    return [f"transaction {ids[0]}", *_transaction_lines(events, ids[0], scenario.zone)]


def subjects_of(scenario: Scenario) -> list[str]:
    """Return what of a scenario has a story, a line for each kind."""
    sections = dict.fromkeys([*(kind.section for kind in SUBJECTS.values()), "documents"])
    lines = [(section, getattr(scenario, section)) for section in sections]
    return [f"{section:<14}{', '.join(names)}" for section, names in lines if names]


def _local_name(events: list[Event], scenario: Scenario, subject: str) -> str:
    """Return the local name of what is named by an entry, an entry line, or the ledger's id or root."""
    for name, claim in scenario.claims.items():
        if subject in {f"{claim.entry}/{claim.line}", claim.entry}:
            return name
    for name, form in scenario.forms.items():
        if subject in {form.entry, form.shipment}:
            return name
    if len(subject) >= _ID_DIGITS_MIN:
        for event in events:
            certificate = event.fields.get("certificate")
            if event.name == "carnet.applied" and str(event.fields["ledger_id"]).startswith(subject):
                return str(event.fields["carnet"])
            if event.name == "form370.drafted" and str(event.fields["ledger_id"]).startswith(subject):
                return str(event.fields["form370"])
            if certificate is None or event.name not in {"certificate.issued", "receipt"}:
                continue
            ids = [event.fields.get("ledger_id"), *_list(event.fields.get("documents"))]
            if event.fields.get("type", "certificate.anchor") == "certificate.anchor" and any(
                str(known).startswith(subject) for known in ids
            ):
                return str(certificate)
    return subject


def _about_claim(scenario: Scenario, name: str) -> str:
    claim = scenario.claims[name]
    rests = f"on certificate {claim.certificate}" if claim.certificate else "without a certificate"
    return f"entry {claim.entry} line {claim.line}, {claim.regime} {claim.spi}, by {claim.importer} {rests}"


def _about_verification(scenario: Scenario, name: str) -> str:
    plan = scenario.verifications[name]
    return f"of {plan.party} on certificate {plan.certificate}, by {plan.by.lower()}"


ABOUT: Mapping[str, Callable[[Scenario, str], str]] = {
    "claim": _about_claim,
    "verification": _about_verification,
    "carnet": about_carnet,
    "voucher": about_voucher,
    "carnet claim": about_voucher,
    "form": about_form,
}
"""What a story begins with, by the kind's word; other kinds are told in the story of one of these."""


def _lines(events: list[Event], field: str, name: str, scenario: Scenario) -> Iterator[str]:
    order = LedgerOrder()
    for act in (
        act for event in [*events, None] for act in (order.rest() if event is None else order.take(event))
    ):
        parts = [part for part in (act.event, act.receipt) if part is not None]
        if not any(_is_about(part.fields, field, name) for part in parts):
            continue
        sentence = "" if act.event is None else sentence_of(act.event, field)
        if act.event is not None and sentence:
            rests = "" if act.receipt is None else f" [{basis_of(act.receipt.fields)}]"
            who = str(act.event.fields.get("organization", "-"))
            yield _line(act.calendar_ms, scenario.zone, who, sentence + rests)
        elif act.receipt is not None:
            fields = act.receipt.fields
            yield _line(act.calendar_ms, scenario.zone, str(fields["creator"]), receipt_sentence(fields))


def _is_about(fields: Fields, field: str, name: str) -> bool:
    """Say whether an event is about a subject; a carnet's story has its vouchers and the claims on it, too."""
    if fields.get(field) == name:
        return True
    return field == "carnet" and str(fields.get("carnet_claim", "")).partition("/")[0] == name


def sentence_of(event: Event, field: str) -> str:
    """Return what an event tells, or nothing if another one tells it."""
    sentence = STORY_SENTENCES.get(event.name)
    if sentence is not None:
        return sentence(event.fields)
    if not event.name.startswith(_TELLING):
        return ""
    facts = {k: v for k, v in event.fields.items() if k not in (*_HIDDEN, "organization", field)}
    return " ".join([event.name, *(f"{k}={_short(v)}" for k, v in sorted(facts.items()))])


def _events(folder: RunFolder) -> list[Event]:
    """Return the run's events, the public ones marked."""
    public = set(folder.event_lines("public"))
    found: list[Event] = []
    for line, record in zip(folder.event_lines("observer"), folder.events(), strict=True):
        fields = {name: value for name, value in record.items() if name not in _FRAME}
        found.append(
            Event(
                int(str(record["number"])),
                _calendar_ms(record),
                int(str(record["protocol_ns"])),
                str(record["event"]),
                cast("dict[str, RecordField]", fields),
                public=line in public,
            )
        )
    return found


def _transaction_lines(events: list[Event], transaction_id: str, zone: ZoneInfo) -> Iterator[str]:
    height: int | None = None
    certified: list[str] = []
    for event in events:
        fields, kind = event.fields, event.name
        who = str(fields.get("node") or fields.get("creator") or "-")
        text = ""
        if fields.get("id") == transaction_id:
            text = receipt_sentence(fields) if kind == "receipt" else _NODE_WORDS.get(kind, kind)
        elif kind == "block.executed" and any(
            str(receipt).startswith(transaction_id) for receipt in _list(fields["receipts"])
        ):
            height = event.integer("height")
            text = f"has executed it in block {height}"
        elif (
            kind == "block.certified"
            and height is not None
            and event.integer("height") >= height
            and who not in certified
        ):
            certified.append(who)
            text = f"has it certified, with height {fields['height']}"
        if text:
            yield _line(event.calendar_ms, zone, who, text)


def receipt_sentence(event: Fields) -> str:
    """Return what a receipt tells by itself: the act, a refusal's code, and what it rests on."""
    words = told(str(event["type"]))
    if event["code"] != VALID:
        words += f": refused, {refusal(str(event['code']), event.get('rule'))}"
    return f"{words} [{basis_of(event)}]"


def basis_of(receipt: Fields) -> str:
    """Return what an act on the ledger rests on."""
    findings = ", ".join(str(f) for f in _list(receipt["findings"])) or "no finding"
    return f"block {receipt['height']}, {findings}, transaction {str(receipt['id'])[:12]}"


def _line(calendar_ms: int, zone: ZoneInfo, who: str, text: str) -> str:
    return f"{local(calendar_ms, zone)}  {who:<9} {text}"


def _calendar_ms(event: Fields) -> int:
    moment = datetime.datetime.fromisoformat(str(event["calendar"]))
    return round(moment.timestamp() * 1000)


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _short(value: object) -> str:
    text = ",".join(str(v) for v in value) if isinstance(value, list) else str(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
