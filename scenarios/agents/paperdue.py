"""Until which day an act could be done, where its own body says it: to tell what was in time on paper.

Rules:
- Only findings of lateness are here; the dates are those of the contracts' own rules.
- Where the last day depends on what the ledger knows and the act does not say, nothing is returned.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping

from ledger.contracts import LegalCalendar
from ledger.contracts.claim_findings import correction_due_on, post_claim_due_on, summary_due_on
from ledger.contracts.findings import Finding
from ledger.encoding import Value

LATE: tuple[Finding, ...] = (
    Finding.SUMMARY_LATE,
    Finding.LATE_POST_CLAIM,
    Finding.CORRECTION_LATE,
    Finding.PROTEST_LATE,
    Finding.FILED_AFTER_IMPORTATION,
    Finding.ENDORSED_AFTER_FILING,
    Finding.REEXPORT_LATE,
    Finding.CARNET_CLAIM_LATE,
    Finding.CARNET_ANSWER_LATE,
)
"""Findings that say that an act came too late."""
TOO_LATE = "/too-late"
"""How the rule of an act ends that was refused because its time had passed."""

_DAYS: Mapping[str, tuple[str, Callable[[datetime.date, LegalCalendar], datetime.date]]] = {
    Finding.SUMMARY_LATE: ("entry_on", summary_due_on),
    Finding.LATE_POST_CLAIM: ("import_on", lambda day, _legal: post_claim_due_on(day)),
    Finding.CORRECTION_LATE: ("discovered_on", lambda day, _legal: correction_due_on(day)),
    Finding.FILED_AFTER_IMPORTATION: ("import_on", lambda day, _legal: day),
}


def last_day(finding: str, body: Mapping[str, Value], legal: LegalCalendar) -> datetime.date | None:
    """Return the last day on which an act with this finding would have been in time, if its body says it.

    Args:
        finding: of lateness.
        body: of the act.
        legal: the network's days.
    """
    rule = _DAYS.get(finding)
    if rule is None:
        return None
    name, due = rule
    day = body.get(name)
    return due(datetime.date.fromisoformat(day), legal) if isinstance(day, str) else None
