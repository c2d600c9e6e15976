"""One claim, document or transaction of a run, told in order.

Rules:
- A story is made of the run's recorded events: the public ones, and the observer's where the reader has the folder.
- It names what each line rests on: block, code, findings, who.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Iterator, Mapping
from zoneinfo import ZoneInfo

from scenarios.errors import RefusedError
from scenarios.model import Scenario
from scenarios.model.subjects import SUBJECTS
from scenarios.telling.carnets import about_carnet, about_voucher
from scenarios.telling.fisheries import FORM_SENTENCES, about_form
from scenarios.telling.moments import local
from scenarios.trial.runfolder import RunFolder

Fields = Mapping[str, object]
_HIDDEN = ("number", "calendar", "protocol_ns", "event", "body", "documents", "index", "position", "time_ms")
_TELLING = (
    "claim.",
    "certificate.",
    "holding.",
    "request.",
    "decision.",
    "answer.",
    "notice.",
    "act.",
    "carnet.",
    "goods.",
    "carnet_claim.",
    "form370.",
)


def tell(folder: RunFolder, scenario: Scenario, subject: str) -> list[str]:
    """Return the story's lines.

    Args:
        folder: of the run.
        scenario: that was run.
        subject: a claim's or document's local name, or (the beginning of) a transaction's id in hex.

    Raises:
        RefusedError: if the run knows nothing of that name.
    """
    events: list[Fields] = list(folder.events())
    stories: list[str] = []
    for kind in SUBJECTS.values():
        known = getattr(scenario, kind.section)
        if subject.partition("/")[0] in known and re.fullmatch(kind.pattern, subject):
            lines = list(_lines(events, kind.field, subject, scenario))
            if lines or not kind.part:
                stories += [f"{kind.word} {subject}: {_ABOUT[kind.word](scenario, subject)}", *lines]
    if stories:
        return stories
    if subject in scenario.documents:
        document = scenario.documents[subject]
        head = f"document {subject}: {document.form}, issued by {document.issuer} for {', '.join(document.addressees)}"
        return [head, *_lines(events, "certificate", subject, scenario)]
    ids = sorted({str(e["id"]) for e in events if "id" in e and str(e["id"]).startswith(subject)})
    if len(subject) < 6 or not ids:
        sections = dict.fromkeys(kind.section for kind in SUBJECTS.values())
        known = [*(name for section in sections for name in getattr(scenario, section)), *scenario.documents]
        raise RefusedError(
            f'"{subject}" is no claim, document or transaction of this run',
            f"claims and documents: {', '.join(known)}",
            "or give at least 6 hex digits of a transaction's id",
        )
    if len(ids) > 1:
        raise RefusedError(f'"{subject}" begins {len(ids)} transaction ids', "", "give more digits")
    return [f"transaction {ids[0]}", *_transaction_lines(events, ids[0], scenario.zone)]


def _about_claim(scenario: Scenario, name: str) -> str:
    claim = scenario.claims[name]
    rests = f"on certificate {claim.certificate}" if claim.certificate else "without a certificate"
    return f"entry {claim.entry} line {claim.line}, {claim.regime} {claim.spi}, by {claim.importer} {rests}"


_ABOUT: Mapping[str, Callable[[Scenario, str], str]] = {
    "claim": _about_claim,
    "carnet": about_carnet,
    "voucher": about_voucher,
    "carnet claim": about_voucher,
    "form": about_form,
}
"""What a story begins with, by the kind's word."""


def _lines(events: list[Fields], field: str, name: str, scenario: Scenario) -> Iterator[str]:
    for event in events:
        if event.get(field) != name:
            continue
        kind = str(event["event"])
        if kind == "receipt":
            yield _line(event, scenario.zone, str(event["creator"]), _receipt(event))
        elif kind in FORM_SENTENCES:
            told = FORM_SENTENCES[kind](event)
            if told:
                yield _line(event, scenario.zone, str(event.get("organization", "-")), told)
        elif kind.startswith(_TELLING):
            who = str(event.get("organization", "-"))
            facts = {k: v for k, v in event.items() if k not in (*_HIDDEN, "organization", field)}
            told = " ".join(f"{k}={_short(v)}" for k, v in sorted(facts.items()))
            yield _line(event, scenario.zone, who, f"{kind} {told}".rstrip())


def _transaction_lines(events: list[Fields], transaction_id: str, zone: ZoneInfo) -> Iterator[str]:
    height: int | None = None
    certified: list[str] = []
    for event in events:
        kind = str(event["event"])
        if event.get("id") == transaction_id:
            who = str(event.get("node") or event.get("creator") or "-")
            yield _line(event, zone, who, _receipt(event) if kind == "receipt" else kind)
        elif kind == "block.executed" and any(
            str(receipt).startswith(transaction_id) for receipt in _list(event["receipts"])
        ):
            height = int(str(event["height"]))
            yield _line(event, zone, str(event["node"]), f"executed in block {height}")
        elif (
            kind == "block.certified"
            and height is not None
            and int(str(event["height"])) >= height
            and str(event["node"]) not in certified
        ):
            certified.append(str(event["node"]))
            yield _line(event, zone, str(event["node"]), f"certified with height {event['height']}")


def _receipt(event: Fields) -> str:
    findings = ", ".join(str(f) for f in _list(event["findings"])) or "no finding"
    rule = f" {event['rule']}" if event.get("rule") else ""
    transaction = str(event["id"])[:12]
    return f"{event['type']} {event['code']}{rule} in block {event['height']} ({findings}), transaction {transaction}"


def _line(event: Fields, zone: ZoneInfo, who: str, text: str) -> str:
    return f"{local(_calendar_ms(event), zone)}  {who:<10}{text}"


def _calendar_ms(event: Fields) -> int:
    moment = datetime.datetime.fromisoformat(str(event["calendar"]))
    return round(moment.timestamp() * 1000)


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _short(value: object) -> str:
    text = ",".join(str(v) for v in value) if isinstance(value, list) else str(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
