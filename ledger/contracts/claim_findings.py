"""Which legal findings a claim has: one table of findings, each a predicate over the claim's facts.

Rules:
- Findings come out in the table's order, each at most once, so every node records the same.
- A predicate sees dates, order and states on the ledger; never a private value.
- A claim on the importer's own knowledge names no certificate; where the agreement allows it at entry, that is
  no finding. After importation it is.
- Blanket length, import date and four-year validity are three checks: each can fail alone.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import dataclass

from ledger.contracts.certificate import blanket_too_long
from ledger.contracts.deadlines import LegalCalendar, add_calendar_days, anniversary
from ledger.contracts.findings import Finding
from ledger.contracts.parameters import (
    CERTIFICATE_VALID_YEARS,
    CORRECTION_CALENDAR_DAYS,
    POST_CLAIM_YEARS,
    PROTEST_CALENDAR_DAYS,
    SUMMARY_WORKING_DAYS,
)
from ledger.contracts.records import CertificateRecord, CertificateState, HoldingRecord, HoldingState
from ledger.contracts.regime import REGIME_OF_FORM, Regime


@dataclass(frozen=True, slots=True)
class ClaimFacts:
    """What findings are judged by: the claim's declared dates, its block's time and date, its evidence."""

    post: bool
    regime: Regime
    claimed_on: datetime.date
    claimed_ms: int
    entry: str
    entry_on: datetime.date
    import_on: datetime.date
    shipment: str | None
    certificate: CertificateRecord | None
    holding: HoldingRecord | None
    calendar: LegalCalendar


def summary_due_on(entry_on: datetime.date, calendar: LegalCalendar) -> datetime.date:
    """Return the last day for the entry summary (19 CFR 142.12(b))."""
    return calendar.add_working_days(entry_on, SUMMARY_WORKING_DAYS.value)


def post_claim_due_on(import_on: datetime.date) -> datetime.date:
    """Return the last day for a post-importation claim (19 USC 1520(d))."""
    return anniversary(import_on, POST_CLAIM_YEARS.value)


def certificate_valid_until(signed_on: datetime.date) -> datetime.date:
    """Return the last day on which a certificate is accepted (19 CFR 181.22(b)(4))."""
    return anniversary(signed_on, CERTIFICATE_VALID_YEARS.value)


def correction_due_on(discovered_on: datetime.date) -> datetime.date:
    """Return the last day for a correction (19 CFR 181.21(b))."""
    return add_calendar_days(discovered_on, CORRECTION_CALENDAR_DAYS.value)


def protest_due_on(liquidated_on: datetime.date) -> datetime.date:
    """Return the last day for a protest (19 USC 1514(c)(3))."""
    return add_calendar_days(liquidated_on, PROTEST_CALENDAR_DAYS.value)


def has_proven_possession(holding: HoldingRecord | None, claimed_ms: int) -> bool:
    """Say whether the importer had acknowledged the certificate by the claim's time (19 CFR 181.21(a))."""
    if holding is None or holding.acknowledged_ms is None:
        return False
    return holding.acknowledged_ms <= claimed_ms


def claim_findings(facts: ClaimFacts) -> tuple[Finding, ...]:
    """Return a new claim's findings."""
    return tuple(finding for finding, holds in _FINDINGS if holds(facts))


def correction_findings(discovered_on: datetime.date, corrected_on: datetime.date) -> tuple[Finding, ...]:
    """Return a correction's findings."""
    findings = []
    if corrected_on > correction_due_on(discovered_on):
        findings.append(Finding.CORRECTION_LATE)
    if discovered_on > corrected_on:
        findings.append(Finding.DATE_IN_FUTURE)
    return tuple(findings)


def protest_findings(liquidated_on: datetime.date, protested_on: datetime.date) -> tuple[Finding, ...]:
    """Return a protest's findings."""
    return (Finding.PROTEST_LATE,) if protested_on > protest_due_on(liquidated_on) else ()


def _on_certificate(
    holds: Callable[[ClaimFacts, CertificateRecord], bool],
) -> Callable[[ClaimFacts], bool]:
    """Return a predicate that is false without a certificate."""
    return lambda facts: facts.certificate is not None and holds(facts, facts.certificate)


def _is_second_shipment(facts: ClaimFacts, certificate: CertificateRecord) -> bool:
    return (
        certificate.shipment is not None
        and facts.shipment is not None
        and facts.shipment != certificate.shipment
        and facts.entry != certificate.entry
    )


def _rests_on_knowledge(facts: ClaimFacts) -> bool:
    return facts.certificate is None and facts.regime.knowledge_suffices and not facts.post


_FINDINGS: tuple[tuple[Finding, Callable[[ClaimFacts], bool]], ...] = (
    (
        Finding.NO_POSSESSION,
        lambda facts: (
            not has_proven_possession(facts.holding, facts.claimed_ms) and not _rests_on_knowledge(facts)
        ),
    ),
    (
        Finding.SIGNED_AFTER_CLAIM,
        _on_certificate(lambda facts, certificate: certificate.signed_on > facts.claimed_on),
    ),
    (
        Finding.OUTSIDE_BLANKET,
        _on_certificate(
            lambda facts, certificate: (
                certificate.blanket is not None and not certificate.blanket.covers(facts.import_on)
            )
        ),
    ),
    (
        Finding.BLANKET_TOO_LONG,
        _on_certificate(
            lambda _, certificate: certificate.blanket is not None and blanket_too_long(certificate.blanket)
        ),
    ),
    (Finding.SECOND_SHIPMENT, _on_certificate(_is_second_shipment)),
    (
        Finding.SHIPMENT_UNNAMED,
        _on_certificate(
            lambda facts, certificate: certificate.shipment is not None and facts.shipment is None
        ),
    ),
    (
        Finding.CERTIFICATE_EXPIRED,
        _on_certificate(
            lambda facts, certificate: facts.claimed_on > certificate_valid_until(certificate.signed_on)
        ),
    ),
    (
        Finding.NOTICE_GIVEN,
        _on_certificate(lambda _, certificate: certificate.state is CertificateState.NOTICE_GIVEN),
    ),
    (
        Finding.CERTIFICATE_SUPERSEDED,
        _on_certificate(lambda _, certificate: certificate.state is CertificateState.CORRECTED),
    ),
    (
        Finding.HOLDING_OPEN,
        lambda facts: facts.holding is not None and facts.holding.state is HoldingState.OFFICIAL_OPEN,
    ),
    (
        Finding.SUMMARY_LATE,
        lambda facts: not facts.post and facts.claimed_on > summary_due_on(facts.entry_on, facts.calendar),
    ),
    (
        Finding.LATE_POST_CLAIM,
        lambda facts: facts.post and facts.claimed_on > post_claim_due_on(facts.import_on),
    ),
    (Finding.WRONG_REGIME, lambda facts: not facts.regime.governs(facts.import_on)),
    (
        Finding.CERTIFICATE_OF_OTHER_REGIME,
        _on_certificate(
            lambda facts, certificate: REGIME_OF_FORM[certificate.form].name != facts.regime.name
        ),
    ),
)
