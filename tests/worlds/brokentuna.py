"""Rules of Form 370, each with the sentences of the library's scenario that rest on it."""

from __future__ import annotations

from ledger.contracts import Finding
from scenarios.model.subjects import FormDefect
from tests.worlds import brokenrules as rules
from tests.worlds.brokencases import Case


def _tuna(
    rule: rules.Break,
    forms: tuple[str, ...],
    form: str = "",
    defect: str = "",
    status: str = "",
    besides: tuple[str, ...] = (),
) -> Case:
    """Return a case of a rule that is about the first of some forms; the others are beside it.

    Args:
        rule: what breaks it.
        forms: the names.
        form, defect, status: what no longer holds of that form, of its defects, of its status.
        besides: sentences about another of the forms that fail too.
    """
    said = (("defect of form", defect), ("form", form), ("status of form", status))
    fails = tuple(f"{what} {forms[0]}: {rest}" for what, rest in said if rest)
    return Case("tuna-matrix", {rule: (*fails, *besides)}, only=forms)


TUNA = (
    _tuna(
        rules.driftnets_are_other_gear,
        ("driftnet", "line-safe"),
        form="ends REFUSED; is REJECTED within 5 days; is never MAY_PROCEED",
        defect="is DRIFTNET",
    ),
    _tuna(
        rules.asks_for_nothing(2),
        ("large-uncertified", "large-safe"),
        form="ends REFUSED; is HOLD within 5 days; is never MAY_PROCEED",
        defect="is EVIDENCE_MISSING",
        status="is 5A",
    ),
    _tuna(
        rules.any_observer_will_do,
        ("large-unobserved", "large-safe"),
        form="is HOLD within 5 days",
        defect="is EVIDENCE_MISSING",
        status="is 5A",
    ),
    _tuna(
        rules.any_captain_will_do,
        ("small-untrained", "small-safe"),
        form="is HOLD within 5 days",
        defect="is EVIDENCE_MISSING",
        status="is 5A",
    ),
    _tuna(
        rules.asks_for_nothing(4),
        ("associated-late", "associated-safe"),
        form="is HOLD within 5 days",
        defect="is EVIDENCE_MISSING",
    ),
    _tuna(
        rules.any_trip_will_do,
        ("seine-other-trip", "seine-safe"),
        form="ends REFUSED; is HOLD within 5 days; is never MAY_PROCEED",
        defect="is EVIDENCE_MISSING; is NO_ANSWER",
        status="is 5A",
    ),
    _tuna(
        rules.asks_for_nothing(6),
        ("gillnet-unobserved", "gillnet-observed"),
        form="ends REFUSED; is HOLD within 5 days; is never MAY_PROCEED",
        defect="is EVIDENCE_MISSING",
        status="is 5A",
    ),
    _tuna(
        rules.vessels_of_the_limit_are_large,
        ("small-safe",),
        form="ends RELEASED; is RELEASED within 5 days; is never HOLD",
        status="is 5B4",
    ),
    _tuna(
        rules.vessels_over_the_limit_are_small,
        ("large-unobserved",),
        defect="is EVIDENCE_MISSING",
        status="is 5A",
    ),
    _tuna(
        rules.noaa_overlooks(FormDefect.STATUS_NOT_SUPPORTED),
        ("wrong-status", "seine-safe"),
        form="is HOLD within 5 days",
        defect="is STATUS_NOT_SUPPORTED",
    ),
    _tuna(
        rules.sets_are_not_looked_at,
        ("wrong-area", "seine-safe"),
        form="ends REFUSED; is HOLD within 5 days; is never MAY_PROCEED",
        defect="is AREA_MISMATCH; is EVIDENCE_MISSING",
        status="is 5A",
    ),
    _tuna(
        rules.no_flag_is_embargoed,
        ("embargoed", "embargo-skipjack"),
        form="ends REFUSED; is REJECTED within 5 days; is never MAY_PROCEED",
        defect="is EMBARGOED",
    ),
    _tuna(
        rules.every_flag_is_embargoed_for_any_tuna,
        ("embargo-skipjack", "embargoed"),
        form="ends RELEASED; is RELEASED within 5 days",
    ),
    _tuna(
        rules.noaa_overlooks(FormDefect.FLAG_MISMATCH),
        ("false-flag", "large-safe"),
        form="ends REFUSED; is HOLD within 5 days; is never MAY_PROCEED",
        defect="is FLAG_MISMATCH",
    ),
    _tuna(
        rules.the_filing_overlooks(Finding.MISSING_ENDORSEMENT),
        ("unendorsed", "unendorsed-cured"),
        form="ends REFUSED; has finding MISSING_ENDORSEMENT; is HOLD; is never MAY_PROCEED",
        besides=(
            "form unendorsed-cured: has finding ENDORSED_AFTER_FILING; has finding MISSING_ENDORSEMENT; is HOLD",
        ),
    ),
    _tuna(
        rules.noaa_overlooks(FormDefect.OUT_EXCEEDS_IN),
        ("grown-in-cannery", "even-weights"),
        form="ends REFUSED; is REJECTED within 5 days; is never MAY_PROCEED",
        defect="is OUT_EXCEEDS_IN",
    ),
    _tuna(
        rules.noaa_overlooks(FormDefect.IN_EXCEEDS_OUT_BEFORE),
        ("grown-on-the-way", "even-weights"),
        form="ends REFUSED; is REJECTED within 5 days; is never MAY_PROCEED",
        defect="is IN_EXCEEDS_OUT_BEFORE",
    ),
    _tuna(
        rules.noaa_overlooks(FormDefect.FORM_EXCEEDS_CUSTODY),
        ("grown-on-paper", "even-weights"),
        form="ends REFUSED; is REJECTED within 5 days; is never MAY_PROCEED",
        defect="is FORM_EXCEEDS_CUSTODY",
    ),
    _tuna(
        rules.entered_weight_is_not_compared,
        ("grown-at-entry", "even-weights"),
        form="ends REFUSED; is never RELEASED",
        defect="is ENTERED_EXCEEDS_FORM",
    ),
    _tuna(
        rules.the_filing_overlooks(Finding.FILED_AFTER_IMPORTATION),
        ("filed-late", "filed-in-time"),
        form="has finding FILED_AFTER_IMPORTATION; is HOLD",
    ),
    _tuna(
        rules.the_filing_overlooks(Finding.NO_IFTP_PERMIT),
        ("no-permit", "line-safe"),
        form="has finding NO_IFTP_PERMIT; is HOLD within 5 days",
    ),
    _tuna(
        rules.the_filing_overlooks(Finding.SECOND_FORM),
        ("second-form", "seine-safe"),
        form="ends REFUSED; has finding SECOND_FORM; is HOLD; is never MAY_PROCEED",
    ),
)
