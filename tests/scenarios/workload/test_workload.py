"""The generated trade: repeatable one by one, as honest as asked, and played only by those who can."""

import datetime
from collections import Counter
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.contracts.deadlines import last_day_of_period
from ledger.genesis import Role
from scenarios.errors import RefusedError
from scenarios.model.workload import Workload
from scenarios.workload.cast import Member
from scenarios.workload.chance import Chance
from scenarios.workload.plan import open_trade, shipment, shipments
from scenarios.workload.shipment import KINDS, MEANING, Noncompliance, UseCase

ZONE = ZoneInfo("America/New_York")
START = datetime.date(2018, 9, 4)


def member(name, country, *roles):
    return Member(name, country, frozenset(roles))


MEMBERS = (
    member("cbp", "US", Role.CUSTOMS),
    member("noaa", "US", Role.FISHERIES),
    member("importer", "US", Role.IMPORTER),
    member("importer-2", "US", Role.IMPORTER),
    member("broker", "US", Role.BROKER),
    member("uscib", "US", Role.GUARANTEEING),
    member("showman", "US", Role.EXPORTER),
    member("exporter", "MX", Role.EXPORTER),
    member("maquila", "MX", Role.PRODUCER),
    member("mill", "HN", Role.EXPORTER),
    member("cannery", "MX", Role.PROCESSOR),
    member("aduana", "MX", Role.CUSTOMS),
    member("canaco", "MX", Role.CHAMBER),
    member("zoll", "DE", Role.CUSTOMS),
    member("dihk", "DE", Role.GUARANTEEING),
)


def trade(seed="7", members=MEMBERS, **fields):
    return open_trade(seed, Workload.model_validate(fields), members, ZONE, START)


@pytest.fixture(scope="module")
def many():
    opened = trade(shipments=4000, noncompliance=0.3)
    return opened, list(shipments(opened))


def test_a_shipment_is_the_same_by_itself_and_among_all_others(many):
    opened, all_of_them = many
    for number in (1, 17, 4000):
        assert shipment(opened, number) == all_of_them[number - 1]
    assert list(shipments(opened, first=3999)) == all_of_them[-2:]


def test_another_seed_is_another_trade():
    assert list(shipments(trade("7", shipments=5))) != list(shipments(trade("8", shipments=5)))


def test_a_fault_more_changes_nothing_else():
    """The honest twin of a shipment has the same parties, goods and days: differences are the fault's alone."""
    honest = list(shipments(trade(shipments=300, noncompliance=0.0)))
    broken = list(shipments(trade(shipments=300, noncompliance=1.0)))
    for one, other in zip(honest, broken, strict=True):
        assert (one.use_case, one.value_usd) == (other.use_case, other.value_usd)
        if one.use_case is UseCase.ORIGIN:
            same = ("exporter", "importer", "good", "invoiced_quantity", "imported_on", "entry", "claimed_ms")
            assert [getattr(one.plan, n) for n in same] == [getattr(other.plan, n) for n in same]


def test_shares_are_those_asked_for(many):
    _, all_of_them = many
    counts = Counter(s.use_case for s in all_of_them)
    assert 0.66 < counts[UseCase.ORIGIN] / 4000 < 0.74
    assert 0.08 < counts[UseCase.CARNET] / 4000 < 0.12
    assert 0.27 < sum(s.noncompliance is not None for s in all_of_them) / 4000 < 0.33
    blanket = [
        s.plan.certificate.is_blanket
        for s in all_of_them
        if s.use_case is UseCase.ORIGIN and not s.noncompliance
    ]
    assert 0.76 < sum(blanket) / len(blanket) < 0.84
    values = sorted(s.value_usd for s in all_of_them)
    assert 55_000 < values[2000] < 65_000


def test_every_fault_occurs_and_only_where_it_belongs(many):
    _, all_of_them = many
    seen = {(s.use_case, s.noncompliance) for s in all_of_them if s.noncompliance}
    assert seen == {(use_case, kind) for use_case, kinds in KINDS.items() for kind in kinds}
    assert set(MEANING) == set(Noncompliance)


def test_arrivals_are_in_order_and_in_office_hours(many):
    opened, all_of_them = many
    arrivals = [opened.arrival_ms(s.number) for s in all_of_them]
    assert arrivals == sorted(arrivals)
    for moment in arrivals[::50]:
        local = datetime.datetime.fromtimestamp(moment / 1000, ZONE)
        assert local.weekday() < 5
        assert 9 <= local.hour < 17
        assert START <= local.date() < START + datetime.timedelta(days=91)


def test_honest_claims_keep_the_rules(many):
    opened, all_of_them = many
    for s in all_of_them:
        if s.use_case is not UseCase.ORIGIN or s.noncompliance is not None:
            continue
        plan = s.plan
        assert plan.quantity == plan.invoiced_quantity
        assert plan.certificate.signed_on == plan.certificate.dated_on <= plan.imported_on
        if plan.certificate.is_blanket:
            first, last = plan.certificate.covers
            assert first <= plan.imported_on <= last == last_day_of_period(first, 12)
        claimed_on = opened.hours.day_of(plan.claimed_ms)
        assert plan.entered_on < claimed_on <= opened.hours.add_working_days(plan.entered_on, 10)


def test_each_fault_is_what_it_says(many):
    opened, all_of_them = many
    for s in all_of_them:
        plan = s.plan
        match s.noncompliance:
            case Noncompliance.BACK_DATED:
                assert plan.certificate.dated_on < plan.imported_on
                assert opened.hours.day_of(plan.claimed_ms) <= plan.certificate.signed_on
            case Noncompliance.OVER_CLAIMED:
                assert plan.quantity > plan.invoiced_quantity
            case Noncompliance.OUTSIDE_BLANKET:
                assert plan.certificate.covers[1] < plan.imported_on
            case Noncompliance.NO_CERTIFICATE:
                assert plan.certificate is None
            case Noncompliance.NOT_REEXPORTED:
                assert plan.visits[-1].out_ms is None
                assert plan.home_ms is None
            case Noncompliance.LATE_REEXPORT:
                assert opened.hours.day_of(plan.visits[-1].out_ms) > plan.visits[-1].final_on
            case Noncompliance.FALSE_STATUS:
                assert plan.declared_status != plan.true_status
            case Noncompliance.MISSING_ENDORSEMENT:
                assert set(plan.custody) - set(plan.endorses)
            case Noncompliance.OVERWEIGHT:
                assert plan.kg_out > plan.kg_in
            case Noncompliance.LATE_FILING:
                assert opened.hours.day_of(plan.filed_ms) > plan.imported_on


def test_honest_carnets_come_home_in_time(many):
    opened, all_of_them = many
    honest = [s for s in all_of_them if s.use_case is UseCase.CARNET and s.noncompliance is None]
    assert honest
    for s in honest:
        at = s.plan.out_ms
        for visit in s.plan.visits:
            assert at < visit.in_ms < visit.out_ms
            assert opened.hours.day_of(visit.out_ms) <= visit.final_on <= s.plan.valid_until
            at = visit.out_ms
        assert at < s.plan.home_ms


def test_shipments_of_one_good_share_a_blanket(many):
    _, all_of_them = many
    by_name = {}
    for s in all_of_them:
        if s.use_case is UseCase.ORIGIN and s.plan.certificate is not None:
            by_name.setdefault(s.plan.certificate.name, set()).add(s.plan.certificate)
    assert all(len(same) == 1 for same in by_name.values())
    assert any(name.startswith("b-") for name in by_name)


def test_who_cannot_be_played_is_named():
    without_noaa = [m for m in MEMBERS if m.name != "noaa"]
    with pytest.raises(RefusedError, match="use case tuna"):
        trade(members=without_noaa)
    opened = trade(members=without_noaa, mix={"tuna": 0.0}, shipments=50)
    assert all(s.use_case is not UseCase.TUNA for s in shipments(opened))


def test_a_mix_of_nothing_is_refused():
    with pytest.raises(ValueError, match="no use case has a weight"):
        Workload.model_validate({"mix": {"origin": 0.0, "carnet": 0.0, "tuna": 0.0}})


@given(st.dictionaries(st.text(max_size=3), st.floats(0, 5), min_size=1, max_size=5), st.text(max_size=5))
def test_nothing_of_weight_0_is_picked(weights, draw):
    if sum(weights.values()) > 0:
        assert weights[Chance("7", "x").weighted(draw, weights)] > 0
