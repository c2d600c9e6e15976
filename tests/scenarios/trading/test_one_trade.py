"""One trade, played twice: what is drawn for a shipment is the same on the ledger and on paper."""

import dataclasses
import datetime
import json

import pytest

from ledger.contracts import REGIMES
from ledger.documents import Private
from ledger.forms import FORMS
from scenarios.agents.books import supports
from scenarios.agents.papers import Paper, PaperKind
from scenarios.model.catalog import load_scenario
from scenarios.model.documents import form_values
from scenarios.model.units import DAY_MS
from scenarios.paper.arm import PaperArm
from scenarios.paper.parameters import standard_parameters
from scenarios.running.options import RunOptions
from scenarios.running.papertrial import trade_of
from scenarios.running.runner import run_scenario
from scenarios.trading.carnets import carnet_lot
from scenarios.trading.origin import origin_lot
from scenarios.trading.powers import powers
from scenarios.trading.spoiling import leaves_spoilt
from scenarios.trading.tuna import tuna_lot
from scenarios.workload.pace import Pace
from scenarios.workload.plan import shipments
from scenarios.workload.shipment import CarnetPlan, Noncompliance, OriginPlan

PARAMETERS = standard_parameters()
MUCH = (
    "workload.broker=0.5",
    "workload.requested=0.3",
    "workload.verified=0.2",
    "workload.unanswered=0.3",
    "workload.unreplied=0.3",
)


@pytest.fixture(scope="module")
def arms():
    """The lots of a trade by shipment, and its events on paper."""
    asked = load_scenario(
        "pilot-quarter",
        ["workload.shipments=400", "workload.unpresented=0.2", "workload.noncompliance=0.3", *MUCH],
    )
    trade = trade_of(asked, "7")
    lots = {}
    for s in shipments(trade):
        pace = Pace(PARAMETERS, s)
        if isinstance(s.plan, OriginPlan):
            lot = origin_lot(s, s.plan, trade.workload, trade.hours, pace, first=True)
        elif isinstance(s.plan, CarnetPlan):
            lot = carnet_lot(s, s.plan, trade.workload)
        else:
            lot = tuna_lot(s, s.plan, asked.fisheries.vessels, pace)
        lots[s.name] = lot
    events = []
    PaperArm(trade, PARAMETERS, asked.calendar.end_ms, events.append).run()
    return lots, events, trade, asked


def named(events, name):
    return [e for e in events if e.name == name]


def steps(lots, do):
    return {
        (name, act.time_ms): act.step for name, lot in lots.items() for act in lot.acts if act.step.do == do
    }


def test_the_same_claims_are_filed_by_the_same_brokers(arms):
    lots, events, _, _ = arms
    instructed = {name: step.by for (name, _), step in steps(lots, "instruct-broker").items()}
    assert instructed == {e.text("claim"): e.text("organization") for e in named(events, "broker.instructed")}
    assert 0.4 < len(instructed) / len(named(events, "claim.filed")) < 0.6
    brokers = {name: lot.claims[name].broker for name, lot in lots.items() if lot.claims}
    writers = {e.text("claim"): e.text("organization") for e in named(events, "claim.filed")}
    assert all(writers[name] == broker for name, broker in brokers.items() if broker is not None)


def test_every_importer_has_granted_its_brokers_their_power_before(arms):
    _, _, trade, asked = arms
    granted = list(powers(trade, asked.steps, asked.calendar.start_ms))
    assert {(step.by, step.broker) for step in granted} == {("importer", "broker"), ("grocer", "broker")}
    assert not list(powers(trade, granted, asked.calendar.start_ms))
    alone = dataclasses.replace(trade, workload=trade.workload.model_copy(update={"broker": 0.0}))
    assert not list(powers(alone, asked.steps, asked.calendar.start_ms))


def test_a_broker_enters_goods_for_others_and_travels_with_none(arms):
    _, _, trade, _ = arms
    holders = {s.plan.holder for s in shipments(trade) if isinstance(s.plan, CarnetPlan)}
    assert holders == {"importer", "grocer"}


def test_customs_looks_into_the_same_claims_in_the_same_way(arms):
    lots, events, _, _ = arms
    for do, event in (("request-information", "request.sent"), ("open-verification", "verification.opened")):
        on_ledger = {name for name, _ in steps(lots, do)}
        assert on_ledger == {e.text("claim") for e in named(events, event)}, do
        assert on_ledger
    assert not {e.text("claim") for e in named(events, "request.sent")} & {
        e.text("claim") for e in named(events, "verification.opened")
    }


def test_who_stays_silent_on_paper_is_silent_on_the_ledger(arms):
    lots, events, _, _ = arms
    asked = {e.text("claim") for e in named(events, "request.sent")}
    unanswered = {
        e.text("claim") for e in named(events, "claim.decided") if e.fields["defects"] == ["no-answer"]
    }
    silent = {n for n in asked if str(lots[n].claims[n].answer_after) == "never"}
    assert silent
    assert silent == unanswered & asked
    verified = {e.text("claim") for e in named(events, "verification.opened")}
    silent = {n for n in verified if str(lots[n].verifications[n].reply_after) == "never"}
    assert silent
    unanswered = verified - {e.text("claim") for e in named(events, "verification.answered")}
    assert silent <= unanswered
    for name in unanswered - silent:  # too late: the limit is the law's, in either arm
        assert lots[name].verifications[name].reply_after.duration.ms > 30 * DAY_MS


def test_books_bear_out_what_originates_under_every_agreement_and_show_the_rest_as_on_paper(arms):
    lots, events, trade, _ = arms
    negative = {
        e.text("claim") for e in named(events, "verification.closed") if e.fields["outcome"] == "NEGATIVE"
    } & {e.text("claim") for e in named(events, "verification.answered")}
    regimes = set()
    for s in shipments(trade):
        verification = lots[s.name].verifications.get(s.name)
        if verification is None:
            continue
        (document,) = lots[s.name].documents.values()
        (good,) = form_values(document)["goods"]
        if leaves_spoilt(s, s.plan.certificate.issuer):
            continue
        fields = FORMS[PaperKind.QUESTIONNAIRE].flatten(verification.books.form_values())
        books = Paper("CF-446", bytes(32), {name: Private(value) for name, value in fields.items()})
        agreed = supports(books, [good], REGIMES[s.plan.regime])
        assert agreed or s.noncompliance is Noncompliance.WRONG_ORIGIN, s.name
        answered = str(verification.reply_after) != "never" and s.name not in negative
        assert agreed or not answered, s.name
        regimes.add(s.plan.regime)
    assert regimes == {"NAFTA", "CAFTA-DR"}


def test_people_take_as_long_on_the_ledger_as_on_paper(arms):
    lots, events, _, _ = arms
    at = {(e.name, e.text("claim")): e.calendar_ms for e in events if "claim" in e.fields}
    accepted = returned = determined = 0
    for name, lot in lots.items():
        if not lot.claims:
            continue
        claim = lot.claims[name]
        filed_ms, decided_ms = at["claim.filed", name], at["claim.decided", name]
        if ("request.sent", name) not in at and ("verification.opened", name) not in at:
            assert decided_ms - filed_ms == claim.review_after.duration.ms
            accepted += 1
        if ("request.returned", name) in at and ("request.passed_on", name) not in at:
            took_ms = at["request.returned", name] - at["request.received", name]
            assert took_ms >= claim.answer_after.duration.ms
            returned += 1
        if ("verification.answered", name) in at:
            took_ms = at["verification.closed", name] - at["verification.answered", name]
            assert took_ms == lot.verifications[name].determine_after.duration.ms
            determined += 1
    assert min(accepted, returned, determined) > 5


def test_goods_leave_unseen_in_both_arms(arms):
    lots, events, trade, _ = arms
    unseen = {(e.text("carnet"), e.text("organization")) for e in named(events, "goods.unstamped")}
    on_ledger = set()
    for s in shipments(trade):
        if isinstance(s.plan, CarnetPlan):
            shown = {
                act.step.office for act in lots[s.name].acts if getattr(act.step, "kind", "") == "REEXPORT"
            }
            left = {visit.customs for visit in s.plan.visits if visit.out_ms is not None}
            on_ledger |= {(s.name, office) for office in left - shown}
    assert on_ledger
    assert on_ledger <= unseen


def test_a_form_370_is_drawn_up_at_the_same_moment(arms):
    lots, events, _, asked = arms
    start_ms = asked.calendar.start_ms  # what was earlier is done on the ledger as the trade begins
    on_paper = {(e.text("form370"), max(start_ms, e.calendar_ms)) for e in named(events, "form370.drafted")}
    assert on_paper == {(name, max(start_ms, time_ms)) for name, time_ms in steps(lots, "draft-form370")}


@pytest.mark.slow
def test_played_out_the_silent_are_denied_after_sixty_days_in_both_arms_and_goods_unseen_are_claimed_for(
    tmp_path,
):
    asked = load_scenario(
        "pilot-quarter",
        [
            "workload.shipments=6",
            "workload.mix.tuna=0",
            "workload.mix.carnet=0.5",
            "workload.noncompliance=0",
            "workload.careless=0",
            "workload.requested=1",
            "workload.unanswered=1",
            "workload.broker=1",
            "workload.unpresented=1",
        ],
    )
    folder = run_scenario(asked, RunOptions("virtual", "3", tmp_path)).folder.path
    came = []
    for path in (folder / "observer/events.ndjson", folder / "paper/observer/events.ndjson"):
        with path.open() as lines:
            events = [json.loads(line) for line in lines]
        sent = {e["claim"]: e["calendar"] for e in events if e["event"] == "request.sent"}
        decided = {e["claim"]: e for e in events if e["event"] == "claim.decided"}
        came.append((sorted(sent), {(e["claim"], e["state"]) for e in decided.values()}))
        assert sent.keys() == decided.keys()
        assert {e["organization"] for e in events if e["event"] == "claim.filed"} == {"broker"}
        for claim, e in decided.items():
            waited_ms = _ms(e["calendar"]) - _ms(sent[claim])
            assert 60 * DAY_MS <= waited_ms < 62 * DAY_MS
        assert [e for e in events if e["event"] == "carnet_claim.opened"]
    assert came[0] == came[1]


def _ms(text):
    return datetime.datetime.fromisoformat(text).timestamp() * 1000
