"""An outsider's knowledge held against the truth: what public facts give away, in figures.

Rules:
- Truth is the scenario and what the trial's own programs recorded; the outsider sees neither.
- Shares are from 0 to 1. What there was no case of has no figure (null), never a zero or a one.
- Where shipments are drawn from the seed the scenario does not state the truth: of those only documents are measured.
- Nothing here is a check: what is public gives something away by design. Figures tell how much.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence

from scenarios.agents.papers import KIND
from scenarios.agents.witness import Witness
from scenarios.model import Scenario
from scenarios.model.claims import Claim
from scenarios.privacy.guessing import Guess, guess, rank_correlation
from scenarios.privacy.outsider import Knowledge
from scenarios.record.eventbook import Event

Figure = int | float | None
Pair = tuple[str | None, str]

_INQUIRY = ("CERT_REQUESTED", "UNDER_REVIEW", "VERIFYING", "DENIAL_NOTICED")
_ALLOWED, _DENIED = "ALLOWED", "DENIED"


def measure_inference(
    knowledge: Knowledge, scenario: Scenario, witness: Witness, events: Sequence[Event]
) -> dict[str, Figure]:
    """Return every figure by name.

    Args:
        knowledge: what an outsider concluded.
        scenario: what was to be traded.
        witness: the documents that were committed to.
        events: all of the run's.
    """
    if scenario.workload is not None:
        return _documents(witness)
    claims = {f"{claim.entry}/{claim.line}": claim for claim in scenario.claims.values()}
    suppliers = {line: _supplier(scenario, claim) for line, claim in claims.items()}
    figures: dict[str, Figure] = {}
    figures |= _partners(knowledge, scenario, claims, suppliers)
    figures |= _volume(knowledge, claims, suppliers)
    figures |= _inquiries(knowledge, scenario, claims, events)
    figures |= _goods(knowledge, claims)
    figures |= _documents(witness)
    figures["carnets"] = len(scenario.carnets)
    figures["carnet_holders_known"] = _share(len(knowledge.carnets), len(scenario.carnets))
    return figures


def _supplier(scenario: Scenario, claim: Claim) -> str | None:
    return None if claim.certificate is None else scenario.documents[claim.certificate].issuer


def _partners(
    knowledge: Knowledge,
    scenario: Scenario,
    claims: Mapping[str, Claim],
    suppliers: Mapping[str, str | None],
) -> dict[str, Figure]:
    """Who trades with whom: of the pairs concluded how many are right, of the right ones how many are concluded."""
    true: dict[tuple[str, str], None] = {}
    for line, claim in claims.items():
        supplier = suppliers[line]
        if supplier is not None and supplier != claim.importer:
            true[supplier, claim.importer] = None
    true.update({(form.exporter, form.importer): None for form in scenario.forms.values()})
    true.update({(invoice.issuer, invoice.to): None for invoice in scenario.invoices.values()})
    right = sum(pair in true for pair in knowledge.pairs)
    return {
        "pairs": len(true),
        "pairs_precision": _share(right, len(knowledge.pairs)),
        "pairs_recall": _share(right, len(true)),
    }


def _volume(
    knowledge: Knowledge, claims: Mapping[str, Claim], suppliers: Mapping[str, str | None]
) -> dict[str, Figure]:
    """How much and how often: shipments per pair and month, days between them, and whether counts tell values."""
    true: dict[tuple[Pair, str], int] = {}
    value: dict[Pair, int] = {}
    days: dict[Pair, list[int]] = {}
    for line, claim in claims.items():
        pair = (suppliers[line], claim.importer)
        month = claim.import_on.isoformat()[:7]
        true[pair, month] = true.get((pair, month), 0) + 1
        value[pair] = value.get(pair, 0) + claim.goods.value_usd
        days.setdefault(pair, []).append(claim.import_on.toordinal())
    seen: dict[tuple[Pair, str], int] = {}
    count: dict[Pair, int] = {}
    seen_days: dict[Pair, list[int]] = {}
    for shipment in knowledge.shipments.values():
        pair = (shipment.exporter, shipment.importer)
        month = shipment.import_on.isoformat()[:7]
        seen[pair, month] = seen.get((pair, month), 0) + 1
        count[pair] = count.get(pair, 0) + 1
        seen_days.setdefault(pair, []).append(shipment.import_on.toordinal())
    months = dict.fromkeys([*true, *seen])
    off = sum(abs(true.get(key, 0) - seen.get(key, 0)) for key in months)
    rhythm = [
        abs(_rhythm(days[pair]) - _rhythm(seen_days[pair]))
        for pair in days
        if len(days[pair]) > 1 and len(seen_days.get(pair, ())) > 1
    ]
    return {
        "shipments": len(claims),
        "shipments_per_month_error": _rounded(off / len(months)) if months else None,
        "rhythm_error_days": _rounded(statistics.mean(rhythm)) if rhythm else None,
        "volume_rank_correlation": _rounded(
            rank_correlation([(count.get(pair, 0), value[pair]) for pair in value])
        ),
    }


def _rhythm(days: list[int]) -> float:
    """Return the median number of days from one importation to the next."""
    ordered = sorted(days)
    return statistics.median(ordered[place] - ordered[place - 1] for place in range(1, len(ordered)))


def _inquiries(
    knowledge: Knowledge, scenario: Scenario, claims: Mapping[str, Claim], events: Sequence[Event]
) -> dict[str, Figure]:
    """Who is asked by Customs, about what, and how it ends."""
    names = {name: f"{claim.entry}/{claim.line}" for name, claim in scenario.claims.items()}
    asked: dict[str, None] = {}
    ends: dict[str, str] = {}
    for event in events:
        if event.public or event.name not in ("claim.state", "claim.decided"):
            continue
        line = names.get(str(event.fields.get("claim")))
        state = str(event.fields.get("state"))
        if line is not None and state in _INQUIRY:
            asked[line] = None
        if line is not None and event.name == "claim.decided" and state in (_ALLOWED, _DENIED):
            ends.setdefault(line, state)
    about = [
        (knowledge.shipments[line].importer, claims[line].importer)
        for line in asked
        if line in knowledge.inquired and line in knowledge.shipments
    ]
    opened = list(dict.fromkeys(v.party for v in scenario.verifications.values()))
    parties = list(knowledge.verified.values())
    decisions = guess([(knowledge.courses.get(line), end) for line, end in ends.items()])
    held = dict.fromkeys(
        (str(event.fields["certificate"]), str(event.fields["holder"]))
        for event in events
        if not event.public and event.name == "holding.state"
    )
    return {
        "inquiries": len(asked),
        "inquiries_attributed": _share(sum(one == other for one, other in about), len(asked)),
        "verified_parties": len(opened),
        "verified_parties_known": _share(sum(party in parties for party in opened), len(opened)),
        "decisions": len(ends),
        **_guessed("decisions", decisions),
        "holdings_questioned": len(held),
        "holdings_questioned_known": _share(min(len(knowledge.questioned), len(held)), len(held)),
    }


def _goods(knowledge: Knowledge, claims: Mapping[str, Claim]) -> dict[str, Figure]:
    """What is traded: each private fact guessed from supplier, importer and program, beside a blind guess."""
    seen = [
        ((shipment.exporter, shipment.importer, shipment.spi), claims[line].goods)
        for line, shipment in knowledge.shipments.items()
        if line in claims
    ]
    figures: dict[str, Figure] = {}
    for name in ("hts", "quantity", "value_usd"):
        figures |= _guessed(name, guess([(public, str(getattr(goods, name))) for public, goods in seen]))
    return figures


def _documents(witness: Witness) -> dict[str, Figure]:
    """What an envelope's size tells of the kind of document in it, to who sees envelopes under way."""
    cases = []
    for sealed, root in witness.sealed.items():
        kinds = [d.value.reveal() for d in witness.documents[root].document.disclosures if d.name == KIND]
        cases.append((len(sealed), str(kinds)))
    return _guessed("kind_by_size", guess(cases))


def _guessed(name: str, guessed: Guess | None) -> dict[str, Figure]:
    return {
        f"{name}_guessed": None if guessed is None else round(guessed.looking, 3),
        f"{name}_guessed_blind": None if guessed is None else round(guessed.blind, 3),
    }


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 3) if whole else None


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
