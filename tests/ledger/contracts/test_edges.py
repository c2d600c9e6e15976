"""Every limit of the trade rules, on both sides of its edge: one row per limit, and none of them may be missing.

A limit in time is tried at the last millisecond of its last day and one millisecond later, in the zone of the genesis,
whatever zone that is. Rows are over holidays, over 29 February, and over the days on which clocks are changed.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from ledger.contracts import (
    REGIMES,
    Actor,
    Blanket,
    CertificateRecord,
    CertificateState,
    Finding,
    FineState,
    HoldingEvent,
    HoldingReview,
    LegalCalendar,
    Review,
    ReviewEvent,
    RuleViolatedError,
    advance_holding_review,
    advance_review,
)
from ledger.contracts import parameters as numbers
from ledger.contracts.carnet import (
    CARNET_TABLE,
    CarnetFineState,
    CarnetReview,
    CarnetReviewEvent,
    CarnetState,
    advance_carnet_review,
    claim_cap,
    open_review,
    proof_due_on,
)
from ledger.contracts.carnet.claim import _claim_findings
from ledger.contracts.certificate import blanket_too_long
from ledger.contracts.claim_findings import (
    ClaimFacts,
    claim_findings,
    correction_findings,
    protest_findings,
)
from ledger.contracts.document import DOCUMENT_TABLE
from ledger.contracts.fisheries import InspectionEvent, InspectionState, advance_inspection
from ledger.contracts.fisheries.dolphin import Gear, Trip, captain_certifies
from ledger.contracts.fisheries.etp import Position, in_etp
from ledger.contracts.fisheries.inspection import Inspection
from ledger.contracts.parameters import Parameter
from ledger.contracts.records import DocumentState
from ledger.contracts.table import Refusal
from ledger.contracts.verification import (
    Verification,
    VerificationEvent,
    VerificationFineState,
    advance_verification,
    denial_effective_on,
    determination_is_late,
    is_pattern,
)
from ledger.genesis import TIME_MS_MAX
from ledger.holidays_data import calendar_data

ZONES = ("America/New_York", "Asia/Tokyo", "Pacific/Honolulu")
DAY = datetime.timedelta(days=1)
CBP = Actor.CUSTOMS


def day(text: str) -> datetime.date:
    return datetime.date.fromisoformat(text)


def noon_ms(on: datetime.date, zone: str) -> int:
    return int(datetime.datetime.combine(on, datetime.time(12), ZoneInfo(zone)).timestamp() * 1000)


def midnight_after_ms(on: datetime.date, zone: str) -> int:
    return int(datetime.datetime.combine(on + DAY, datetime.time(), ZoneInfo(zone)).timestamp() * 1000)


@dataclass(frozen=True, slots=True)
class Time:
    """A time that runs: from the day on which it starts, seen on a day of the network's calendar."""

    calendar: LegalCalendar
    zone: str
    starts: datetime.date
    on: datetime.date


def allowed(act: Callable[[], object]) -> bool:
    """Whether the rule lets an act be; what it refuses, it refuses for its time."""
    try:
        act()
    except RuleViolatedError as refusal:
        if not refusal.rule.endswith(("/too-early", "/too-late")):
            raise
        return False
    return True


# One question per limit: is the time still running on that day?


def facts(time: Time, **changes: Any) -> ClaimFacts:
    certificate = CertificateRecord(
        state=CertificateState.ACTIVE,
        form="NAFTA-434",
        issuer="acme",
        signed_on=changes.pop("signed_on", time.on),
        blanket=None,
        shipment="S1",
        addressees=("globex",),
        root=bytes(32),
        anchored_ms=0,
    )
    fields: dict[str, Any] = {
        "post": False,
        "regime": REGIMES["NAFTA"],
        "claimed_on": time.on,
        "claimed_ms": 0,
        "entry": "ABC-1234567-8",
        "entry_on": time.on,
        "import_on": time.on,
        "shipment": "S1",
        "certificate": certificate,
        "holding": None,
        "calendar": time.calendar,
    }
    return ClaimFacts(**(fields | changes))


def blanket(time: Time) -> bool:
    return not blanket_too_long(Blanket(time.starts, time.on))


def validity(time: Time) -> bool:
    return Finding.CERTIFICATE_EXPIRED not in claim_findings(facts(time, signed_on=time.starts))


def summary(time: Time) -> bool:
    return Finding.SUMMARY_LATE not in claim_findings(facts(time, entry_on=time.starts))


def post_claim(time: Time) -> bool:
    return Finding.LATE_POST_CLAIM not in claim_findings(facts(time, post=True, import_on=time.starts))


def correction(time: Time) -> bool:
    return Finding.CORRECTION_LATE not in correction_findings(time.starts, time.on)


def protest(time: Time) -> bool:
    return Finding.PROTEST_LATE not in protest_findings(time.starts, time.on)


def review_time(state: FineState, event: ReviewEvent, ends: ReviewEvent) -> Callable[[Time], bool]:
    """The time that an event gives the importer runs until Customs may close its silence."""

    def runs(time: Time) -> bool:
        given = advance_review(Review(state), event, CBP, time.starts, time.calendar)
        return not allowed(lambda: advance_review(given, ends, CBP, time.on, time.calendar))

    return runs


def backup(time: Time) -> bool:
    asked = advance_review(Review(), ReviewEvent.REQUEST, CBP, time.starts, time.calendar)
    more = advance_review(asked, ReviewEvent.EXTEND, CBP, time.starts, time.calendar)
    return not allowed(lambda: advance_review(more, ReviewEvent.DENY_SILENCE, CBP, time.on, time.calendar))


def holding_cure(time: Time) -> bool:
    suspended = advance_holding_review(HoldingReview(), HoldingEvent.SUSPEND, CBP, time.starts, time.calendar)
    reject = HoldingEvent.REJECT
    return not allowed(lambda: advance_holding_review(suspended, reject, CBP, time.on, time.calendar))


V, VF = VerificationEvent, VerificationFineState


def verification_time(state: VF, event: V, ends: V) -> Callable[[Time], bool]:
    def runs(time: Time) -> bool:
        long_ago = Verification(state, None if state is VF.OPEN else time.starts - DAY)
        given = advance_verification(long_ago, event, Actor.VERIFIER, time.starts)
        return not allowed(lambda: advance_verification(given, ends, Actor.VERIFIER, time.on))

    return runs


def determination(event: V, actor: Actor, state: VF) -> Callable[[Time], bool]:
    def runs(time: Time) -> bool:
        answered = advance_verification(Verification(state), event, actor, time.starts)
        return not determination_is_late(answered, time.on)

    return runs


def no_denial_yet(time: Time) -> bool:
    return time.on < denial_effective_on(time.starts)


def hold(time: Time) -> bool:
    held = advance_inspection(Inspection(time.starts), InspectionEvent.HOLD, Actor.FISHERIES, time.starts)
    silence = InspectionEvent.REJECT_SILENCE
    return not allowed(lambda: advance_inspection(held, silence, Actor.FISHERIES, time.on))


def audit(time: Time) -> bool:
    released = Inspection(time.starts, InspectionState.RELEASED)
    return allowed(lambda: advance_inspection(released, InspectionEvent.AUDIT, Actor.FISHERIES, time.on))


def records(time: Time) -> bool:
    """A document may not be purged yet: it was anchored at noon."""
    step = DOCUMENT_TABLE.find(DocumentState.ANCHORED, "document.purge")
    assert step is not None
    (guard,) = (guard for guard in step.guards if guard.refusal is Refusal.TOO_EARLY)
    context = SimpleNamespace(calendar=time.calendar, today=time.on)
    record = SimpleNamespace(anchored_ms=noon_ms(time.starts, time.zone))
    return not guard.holds(SimpleNamespace(context=context, record=record))  # type: ignore[arg-type]


def carnet_validity(time: Time) -> bool:
    """The association issues a carnet on the day the time starts, valid to the day seen."""
    step = CARNET_TABLE.find(CarnetState.SECURED, "carnet.issue")
    assert step is not None
    (guard,) = (guard for guard in step.guards if guard.refusal is Refusal.VALIDITY)
    context = SimpleNamespace(today=time.starts)
    return guard.holds(SimpleNamespace(context=context, valid_until=time.on))  # type: ignore[arg-type]


def carnet_claim(time: Time) -> bool:
    case = SimpleNamespace(
        context=SimpleNamespace(today=time.on),
        voucher=SimpleNamespace(undischarged={}, final_on=None),
        is_discharged=False,
    )
    carnet = SimpleNamespace(valid_until=time.starts)
    return Finding.CARNET_CLAIM_LATE not in _claim_findings(case, carnet)  # type: ignore[arg-type]


def carnet_proof(time: Time) -> bool:
    review = open_review(time.starts)
    prove = CarnetReviewEvent.PROVE
    assert (time.on <= proof_due_on(time.starts)) == allowed(
        lambda: advance_carnet_review(review, prove, Actor.GUARANTOR, time.on)
    )
    return time.on <= proof_due_on(time.starts)


def recovery(time: Time) -> bool:
    """A proof still recovers the deposit, and it is not final: never both, never neither."""
    review = CarnetReview(CarnetFineState.CLAIM_OPEN, time.starts)
    deposit = advance_carnet_review(review, CarnetReviewEvent.DEPOSIT, Actor.GUARANTOR, time.starts)
    prove, finalize = CarnetReviewEvent.PROVE, CarnetReviewEvent.FINALIZE
    proves = allowed(lambda: advance_carnet_review(deposit, prove, Actor.GUARANTOR, time.on))
    assert proves != allowed(lambda: advance_carnet_review(deposit, finalize, Actor.OFFICE, time.on))
    return proves


R = ReviewEvent
F = FineState
LIMITS: dict[str, list[tuple[Callable[[Time], bool], list[str]]]] = {
    # Each edge: the day on which the time starts, and its last day.
    "BLANKET_MONTHS_MAX": [
        (blanket, ["2018-09-04 2019-09-03", "2019-03-01 2020-02-29", "2020-02-29 2021-02-28"])
    ],
    "CERTIFICATE_VALID_YEARS": [
        (validity, ["2018-09-04 2022-09-04", "2016-02-29 2020-02-29", "2018-11-04 2022-11-04"])
    ],
    "SUMMARY_WORKING_DAYS": [
        (
            summary,
            [
                "2018-08-14 2018-08-28",
                "2018-08-28 2018-09-12",  # over Labor Day
                "2018-12-20 2019-01-07",  # over Christmas and New Year
                "2018-10-22 2018-11-05",  # the day after clocks are put back
                "2021-12-17 2022-01-04",  # Christmas and New Year on Saturdays, kept on Fridays
            ],
        )
    ],
    "POST_CLAIM_YEARS": [
        (post_claim, ["2018-09-18 2019-09-18", "2019-03-01 2020-03-01", "2020-02-29 2021-02-28"])
    ],
    "CORRECTION_CALENDAR_DAYS": [
        (
            correction,
            [
                "2018-10-05 2018-11-04",  # clocks are put back: the last day has 25 hours
                "2019-02-08 2019-03-10",  # clocks are put forward: the last day has 23
                "2020-01-30 2020-02-29",
                "2018-11-23 2018-12-23",  # a Sunday is a calendar day
            ],
        )
    ],
    "PROTEST_CALENDAR_DAYS": [(protest, ["2019-07-29 2020-01-25", "2019-09-02 2020-02-29"])],
    "REQUEST_CALENDAR_DAYS": [
        (
            review_time(F.CLAIMED, R.REQUEST, R.DENY_SILENCE),
            ["2018-10-05 2018-11-04", "2020-01-30 2020-02-29"],
        ),
        (review_time(F.UNDER_REVIEW, R.REQUEST, R.DENY_SILENCE), ["2018-10-01 2018-10-31"]),
    ],
    "BACKUP_CALENDAR_DAYS": [(backup, ["2018-10-01 2018-11-30", "2019-12-31 2020-02-29"])],
    "SERIES_NOTICE_CALENDAR_DAYS": [
        (review_time(F.CLAIMED, R.SERIES_NOTICE, R.DENY_SILENCE), ["2018-10-01 2018-10-31"])
    ],
    "CURE_WORKING_DAYS": [
        (
            review_time(F.UNDER_REVIEW, R.FIND_DEFECT, R.DENY_SILENCE),
            ["2018-09-10 2018-09-17", "2018-10-03 2018-10-11", "2018-08-29 2018-09-06"],
        ),
        (holding_cure, ["2018-09-10 2018-09-17", "2018-10-03 2018-10-11"]),
    ],
    "PROPOSED_DENIAL_CALENDAR_DAYS": [
        (review_time(F.UNDER_REVIEW, R.PROPOSE_DENIAL, R.DENY), ["2018-10-01 2018-10-21"])
    ],
    "DENIAL_EFFECTIVE_CALENDAR_DAYS": [
        # In both places: the thirtieth day is the first on which a denial may have effect.
        (
            review_time(F.VERIFYING, R.NOTICE_DENIAL, R.DENY),
            ["2018-12-01 2018-12-30", "2020-01-31 2020-02-29"],
        ),
        (no_denial_yet, ["2018-12-01 2018-12-30", "2020-01-31 2020-02-29"]),
    ],
    "VERIFICATION_REPLY_CALENDAR_DAYS": [
        (verification_time(VF.OPEN, V.QUESTIONNAIRE, V.REMIND), ["2018-10-01 2018-10-31"])
    ],
    "VERIFICATION_FOLLOW_UP_CALENDAR_DAYS": [
        (verification_time(VF.WAITING, V.REMIND, V.SILENCE), ["2018-11-01 2018-12-01"])
    ],
    "VISIT_CONSENT_CALENDAR_DAYS": [
        (verification_time(VF.OPEN, V.VISIT_NOTICE, V.NO_CONSENT), ["2018-10-01 2018-10-31"]),
        (verification_time(VF.ANSWERED, V.VISIT_NOTICE, V.NO_CONSENT), ["2018-10-05 2018-11-04"]),
    ],
    "INTENT_CALENDAR_DAYS": [
        (verification_time(VF.REFUSED, V.INTEND, V.DETERMINE_NEGATIVE), ["2018-10-08 2018-11-07"])
    ],
    "DETERMINATION_CALENDAR_DAYS": [
        (determination(V.REPLY, Actor.VERIFIED, VF.WAITING), ["2018-10-10 2018-12-09"]),
        (determination(V.VISITED, Actor.VERIFIER, VF.VISIT), ["2019-12-31 2020-02-29"]),
    ],
    "FORM_370_HOLD_CALENDAR_DAYS": [(hold, ["2018-10-05 2018-11-04"])],
    "FORM_370_RECORD_YEARS": [(audit, ["2018-09-12 2020-09-12", "2020-02-29 2022-02-28"])],
    "DOCUMENT_RECORD_YEARS": [(records, ["2018-09-04 2023-09-04", "2016-02-29 2021-02-28"])],
    "CARNET_VALID_YEARS_MAX": [(carnet_validity, ["2018-09-04 2019-09-04", "2020-02-29 2021-02-28"])],
    "CARNET_CLAIM_YEARS": [(carnet_claim, ["2019-09-03 2020-09-03", "2020-02-29 2021-02-28"])],
    "CARNET_PROOF_MONTHS": [(carnet_proof, ["2019-02-01 2019-08-01", "2019-08-31 2020-02-29"])],
    "CARNET_RECOVERY_MONTHS": [(recovery, ["2019-08-01 2019-11-01", "2018-11-30 2019-02-28"])],
}

EDGES = [
    pytest.param(runs, *edge.split(), id=f"{name}-{edge}")
    for name, questions in LIMITS.items()
    for runs, edges in questions
    for edge in edges
]


@pytest.fixture(scope="module", params=ZONES)
def zoned(request: pytest.FixtureRequest) -> tuple[str, LegalCalendar]:
    offsets, holidays = calendar_data(request.param, 2015, 2027)
    return request.param, LegalCalendar(offsets, map(day, holidays))


@pytest.mark.parametrize(("runs", "starts", "last"), EDGES)
def test_a_limit_in_time_ends_with_the_last_millisecond_of_its_last_day(
    zoned: tuple[str, LegalCalendar], runs: Callable[[Time], bool], starts: str, last: str
) -> None:
    zone, calendar = zoned
    end_ms = midnight_after_ms(day(last), zone)
    assert 0 < end_ms < TIME_MS_MAX

    def seen(moment_ms: int) -> bool:
        return runs(Time(calendar, zone, day(starts), calendar.legal_date(moment_ms)))

    assert [seen(end_ms - 1), seen(end_ms)] == [True, False]
    assert [seen(noon_ms(day(starts), zone)), seen(end_ms + 400 * 86_400_000)] == [True, False]


# Limits that are no times.


def is_large(short_tons: int) -> bool:
    return Trip(Gear.PURSE_SEINE, True, short_tons, False, False, frozenset()).is_large


def trained(trip_begin: datetime.date) -> bool:
    return captain_certifies(
        trip_begin=trip_begin,
        not_set_on_dolphins=True,
        none_killed_or_injured=True,
        training_completed=False,
    )


NEGATIVE, POSITIVE = VF.NEGATIVE, VF.POSITIVE
BOUNDS: dict[str, tuple[Callable[[Any], bool], Any, Any]] = {
    # Each: a question, the last value to which the answer is yes, and the first to which it is no.
    "CARRYING_CAPACITY_SHORT_TONS": (lambda tons: not is_large(tons), 400, 401),
    "ETP_LATITUDE_DEGREES": (lambda north: in_etp(Position(north, -150_000)), 40_000, 40_001),
    "ETP_WEST_LONGITUDE_DEGREES": (lambda west: in_etp(Position(0, -west)), 160_000, 160_001),
    "CARNET_AMOUNT_PERCENT_MAX": (lambda amount: amount <= claim_cap(1_000), 1_100, 1_101),
    "PATTERN_VERIFICATIONS_MIN": (is_pattern, (NEGATIVE, NEGATIVE), (NEGATIVE,)),
    "PATTERN_NEGATIVE_MIN": (is_pattern, (NEGATIVE, POSITIVE, NEGATIVE), (NEGATIVE, POSITIVE, POSITIVE)),
    "NAFTA_LAST_IMPORT_ON": (REGIMES["NAFTA"].governs, day("2020-06-30"), day("2020-07-01")),
    "USMCA_FIRST_IMPORT_ON": (REGIMES["USMCA"].governs, day("2020-07-01"), day("2020-06-30")),
    "CAFTA_DR_FIRST_IMPORT_ON": (REGIMES["CAFTA-DR"].governs, day("2006-03-01"), day("2006-02-28")),
    "CAPTAIN_TRAINING_FROM": (trained, day("2016-05-20"), day("2016-05-21")),
}

ELSEWHERE = {
    "SMALL_VALUE_USD_MAX": "Customs judges it in private: tests/scenarios/test_agents_examination.py",
    "SERIES_NOTICE_CLAIMS_MIN": "Customs judges it in private: tests/scenarios/test_agents_evidence.py",
    "SERIES_WINDOW_CALENDAR_DAYS": "Customs judges it in private: tests/scenarios/test_agents_evidence.py",
    "CARNET_SECURITY_PERCENT": "the association asks for it in private: tests/scenarios/test_agents_security.py",
    "LEGAL_DATE_FIRST": "a bound of what a body may declare: test_claims.py",
    "LEGAL_DATE_LAST": "a bound of what a body may declare: test_claims.py",
    "LIQUIDATION_CALENDAR_DAYS": "about 314 days is what Customs' program does, no rule",
    "CARNET_FINAL_DATE_CALENDAR_DAYS": "what a customs' program gives by itself, no rule",
    "FORM_434_RECORD_YEARS": "DOCUMENT_RECORD_YEARS takes its value from it",
}


@pytest.mark.parametrize("name", BOUNDS)
def test_a_bound_has_two_sides(name: str) -> None:
    holds, last, first_not = BOUNDS[name]
    assert [holds(last), holds(first_not)] == [True, False]


def test_no_limit_of_the_rules_is_without_its_edge() -> None:
    named = {name for name, value in vars(numbers).items() if isinstance(value, Parameter | datetime.date)}
    assert set(LIMITS).isdisjoint(BOUNDS)
    assert {*LIMITS, *BOUNDS, *ELSEWHERE} == named
