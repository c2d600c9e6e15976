"""Generated shipments as papers and acts: sound where honest, and playable on the ledger beside paper."""

import json

import pytest

from ledger.forms import may_be_signed
from scenarios.measuring.comparison import compare_run
from scenarios.model.catalog import load_scenario
from scenarios.model.documents import form_of, form_values
from scenarios.model.fisheries import Vessel
from scenarios.paper.parameters import standard_parameters
from scenarios.running.options import RunOptions
from scenarios.running.papertrial import trade_of
from scenarios.running.runner import run_scenario
from scenarios.trading.carnets import carnet_lot
from scenarios.trading.openscript import OpenScript
from scenarios.trading.origin import origin_lot
from scenarios.trading.spoiling import leaves_spoilt, submissions
from scenarios.trading.tuna import tuna_lot
from scenarios.workload.pace import Pace
from scenarios.workload.plan import shipments
from scenarios.workload.shipment import CarnetPlan, Noncompliance, OriginPlan

PARAMETERS = standard_parameters()
VESSELS = (
    Vessel(name="Reina", flag="MX", capacity_short_tons=1320),
    Vessel(name="Estrella", flag="EC", capacity_short_tons=380),
)


def scenario(*overrides):
    return load_scenario("pilot-quarter", [*overrides])


@pytest.fixture(scope="module")
def lots():
    asked = scenario("workload.shipments=400", "workload.noncompliance=0.4", "workload.requested=0.3")
    trade = trade_of(asked, "5")
    found = []
    for s in shipments(trade):
        pace = Pace(PARAMETERS, s)
        if isinstance(s.plan, OriginPlan):
            lot = origin_lot(s, s.plan, trade.workload, trade.hours, pace, first=True)
        elif isinstance(s.plan, CarnetPlan):
            lot = carnet_lot(s, s.plan, trade.workload)
        else:
            lot = tuna_lot(s, s.plan, VESSELS, pace)
        found.append((s, lot))
    return found


def test_every_shipment_has_papers_and_acts_in_order(lots):
    for s, lot in lots:
        moments = [act.time_ms for act in lot.acts]
        assert moments == sorted(moments), s.name
        assert lot.claims or lot.carnets or lot.forms


def test_papers_come_back_equal_when_they_are_long_out_of_memory(lots):
    papers = OpenScript(scenario())
    for _, lot in lots:
        papers.take(lot)
    for kind in ("documents", "invoices", "claims", "verifications", "carnets", "forms"):
        taken = {name: paper for _, lot in lots for name, paper in getattr(lot, kind).items()}
        assert dict(getattr(papers, kind)) == taken
        assert "nobody's" not in getattr(papers, kind)


def test_every_certificate_may_be_signed(lots):
    for s, lot in lots:
        for document in lot.documents.values():
            assert may_be_signed(form_of(document).check(form_values(document))), s.name


def test_the_fault_is_on_the_paper_and_nowhere_else(lots):
    for s, lot in lots:
        if not isinstance(s.plan, OriginPlan):
            continue
        (claim,), (invoice,) = lot.claims.values(), lot.invoices.values()
        if leaves_spoilt(s, s.plan.broker or s.plan.importer):
            continue  # a digit keyed wrong is another matter
        over = claim.goods.quantity > invoice.lines[0].quantity
        assert over is (s.noncompliance is Noncompliance.OVER_CLAIMED)
        for document in lot.documents.values():
            named = document.fields.shipment
            other = named is not None and named != claim.shipment
            assert other is (s.noncompliance is Noncompliance.REUSED_CERTIFICATE)


def test_private_words_of_two_papers_differ(lots):
    seen = {}
    for s, lot in lots:
        for name, document in lot.documents.items():
            for word in (document.fields.signer_name, document.fields.exporter_address):
                assert seen.setdefault(word, name) == name, s.name


def test_papers_beside_the_scenarios_own():
    asked = load_scenario("nafta-certificate")
    script = OpenScript(asked)
    trade = trade_of(scenario(), "5")
    s = next(s for s in shipments(trade) if isinstance(s.plan, OriginPlan))
    lot = origin_lot(s, s.plan, trade.workload, trade.hours, Pace(PARAMETERS, s), first=True)
    script.take(lot)
    assert set(script.claims) == {*asked.claims, s.name}
    assert s.name not in asked.claims
    assert tuple(script.steps)[: len(asked.steps)] == asked.steps


def test_a_mistake_is_stopped_at_the_desk_or_leaves_it(lots):
    """Every spoilt form is one or the other, and a stopped one is handed in twice."""
    kinds = set()
    for s, lot in lots:
        for organization in s.spoilt:
            attempts = [(f["attempt"], f["valid"]) for f in submissions(s, organization, "x")]
            leaves = leaves_spoilt(s, organization)
            kinds.add(leaves)
            assert attempts == ([(1, False)] if leaves else [(1, False), (2, True)])
        if isinstance(s.plan, OriginPlan) and s.plan.certificate is not None:
            (document,) = lot.documents.values()
            wrong = document.fields.goods[0].hs6 != s.plan.good.hs6
            assert wrong is leaves_spoilt(s, s.plan.certificate.issuer)
    assert kinds == {True, False}


@pytest.mark.slow
def test_a_trade_is_played_on_the_ledger_and_on_paper(tmp_path):
    asked = scenario("workload.shipments=12", "workload.noncompliance=0.3", "workload.requested=0.3")
    result = run_scenario(asked, RunOptions("virtual", "3", tmp_path))
    assert result.judgment.verdict.value == "passed", result.judgment
    folder = result.folder.path
    written = json.loads((folder / "measures.json").read_text())
    assert written == json.loads(json.dumps(compare_run(folder).plain()))
    comparison = compare_run(folder)
    for metric in ("M2", "M3", "M5", "M6-recall", "M7", "M8", "M9"):
        row = comparison.row(metric)
        assert row.ledger.value is not None, metric
        assert row.paper.value is not None, metric
    assert comparison.row("M2").ledger.open == comparison.row("M2").paper.open == 0
    assert comparison.row("M7").ledger == comparison.row("M7").paper
