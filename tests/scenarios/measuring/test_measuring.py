"""The metrics on events whose answers are known, on both arms, and on the paper arm as it plays."""

import dataclasses
import datetime
import json
import math
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenarios.measuring.comparison import compare_arms, compare_run
from scenarios.measuring.compute import compute
from scenarios.measuring.definitions import METRICS
from scenarios.measuring.effort import Arm, Effort, efforts, read_effort, standard_effort
from scenarios.measuring.facts import Happening, facts_of
from scenarios.measuring.revenue import forgone_usd, processing_fee_usd
from scenarios.measuring.statistics import bootstrap_mean, difference, quantile
from scenarios.model.units import DAY_MS
from tests.scenarios.paper.test_paper import play
from tests.scenarios.workload.test_workload import trade

EFFORT = standard_effort()
START = 1_536_000_000_000  # 2018-09-03


def at(day, name, **fields):
    return Happening(name, START + round(day * DAY_MS), fields)


def origin(name="s1", noncompliance=None, value_usd=100_000):
    return at(
        0,
        "shipment.began",
        shipment=name,
        use_case="origin",
        noncompliance=noncompliance,
        value_usd=value_usd,
        general_percent="6",
        preferential_percent="0",
        organizations=["exporter", "importer", "cbp"],
    )


def measured(*happenings, arm=Arm.LEDGER):
    return compute(facts_of(happenings), arm, EFFORT)


def test_a_claim_that_is_asked_about():
    figures = measured(
        origin(),
        at(1, "certificate.acknowledged", organization="importer", certificate="c1", holder="importer"),
        at(2, "claim.filed", organization="importer", claim="s1", certificate="c1"),
        at(5, "request.sent", organization="cbp", claim="s1"),
        at(6.5, "request.answered", organization="cbp", claim="s1"),
        at(9, "claim.decided", organization="cbp", claim="s1", state="ALLOWED", defects=[]),
        at(316, "claim.liquidated", organization="cbp", claim="s1"),
    )
    assert figures.figure("M1").by_shipment == {"s1": 1.5}
    assert figures.figure("M2", "importer").by_shipment == {"s1": 7.0}
    assert figures.figure("M2-liquidation").by_shipment == {"s1": 314.0}
    assert (figures.figure("M3").hits, figures.figure("M4").hits) == (1, 1)
    assert figures.figure("M8").total == 0.0
    assert figures.figure("M2", "noaa").by_shipment == {}


def test_possession_after_the_claim_proves_nothing():
    claim = at(2, "claim.filed", organization="importer", claim="s1", certificate="c1")
    held = at(3, "certificate.acknowledged", organization="importer", certificate="c1", holder="importer")
    other = at(1, "certificate.acknowledged", organization="rival", certificate="c1", holder="rival")
    assert measured(origin(), other, claim, held).figure("M4").hits == 0
    slip = at(2, "possession.shown", organization="importer", claim="s1", proven=True)
    assert measured(origin(), claim, slip).figure("M4").hits == 1


def test_a_claim_that_a_broker_files_is_the_importers():
    held = at(1, "certificate.acknowledged", organization="importer", certificate="c1", holder="importer")
    claim = at(2, "claim.filed", organization="broker", importer="importer", claim="s1", certificate="c1")
    assert measured(origin(), held, claim).figure("M4").hits == 1


def test_what_has_not_ended_is_open_and_not_left_out():
    figures = measured(
        origin(),
        at(2, "claim.filed", organization="importer", claim="s1", certificate=None),
        at(3, "request.sent", organization="cbp", claim="s1"),
    )
    assert (figures.figure("M1").open, figures.figure("M2").open) == (1, 1)
    assert figures.figure("M4").of == 0


def test_detection_by_class():
    def decided(name, state, *defects):
        return at(9, "claim.decided", organization="cbp", claim=name, state=state, defects=list(defects))

    names = ("s1", "s2", "s3", "s4")
    figures = measured(
        origin("s1", "over-claimed"),
        origin("s2", "back-dated"),
        origin("s3"),
        origin("s4"),
        *(at(2, "claim.filed", organization="importer", claim=n, certificate=None) for n in names),
        decided("s1", "DENIED", "OVER_INVOICE"),
        decided("s2", "ALLOWED"),
        decided("s3", "DENIED", "UNREADABLE"),
        decided("s4", "ALLOWED"),
    )
    recall, precision = figures.figure("M6-recall"), figures.figure("M6-precision")
    assert (recall.hits, recall.of) == (1, 2)
    assert (precision.hits, precision.of) == (1, 2)
    assert (figures.figure("M6-false-hold").hits, figures.figure("M6-false-hold").of) == (1, 2)
    assert figures.figure("M6-delay").by_shipment == {"s1": 7.0}
    # only the undetected one costs: 6 percent of 100,000 and the fee
    assert figures.figure("M8").total == pytest.approx(6000 + 346.4)
    assert (figures.figure("M7").hits, figures.figure("M7").of) == (2, 4)


def test_a_finding_of_the_ledger_itself_is_detection():
    figures = measured(
        origin("s1", "back-dated"),
        at(2, "claim.filed", organization="importer", claim="s1", certificate="c1"),
        at(2, "receipt", claim="s1", findings=["NO_POSSESSION"], code="VALID"),
    )
    assert figures.figure("M6-recall").hits == 1
    assert figures.figure("M6-delay").by_shipment == {"s1": 0.0}


def test_carnets_and_forms():
    def carnet(name):
        return at(
            0,
            "shipment.began",
            shipment=name,
            use_case="carnet",
            noncompliance=None,
            organizations=["holder", "uscib"],
        )

    tuna = at(
        0,
        "shipment.began",
        shipment="s9",
        use_case="tuna",
        noncompliance=None,
        organizations=["a", "b", "c"],
        custody=["a", "b", "c"],
    )
    figures = measured(
        *(carnet(n) for n in ("s1", "s2", "s3")),
        *(
            at(1, "carnet.issued", organization="uscib", carnet=n, valid_until="2019-09-02")
            for n in ("s1", "s2")
        ),
        at(1, "carnet.issued", organization="uscib", carnet="s3", valid_until="2020-09-02"),
        at(90, "carnet.discharged", organization="uscib", carnet="s1"),
        at(400, "carnet_claim.opened", organization="zoll", carnet="s2", country="DE"),
        at(460, "carnet_claim.closed", organization="zoll", carnet="s2", country="DE"),
        tuna,
        at(2, "form370.endorsed", organization="a", form370="s9"),
        at(3, "form370.endorsed", organization="c", form370="s9"),
        at(4, "form370.filed", organization="c", form370="s9", on_time=False),
        at(5, "form370.endorsed", organization="b", form370="s9"),
    )
    assert (figures.figure("M11").hits, figures.figure("M11").of) == (1, 2)  # the third is still under way
    assert (figures.figure("M11-claims").hits, figures.figure("M11-claims").of) == (1, 3)
    assert figures.figure("M11-days").by_shipment == {"s2 DE": 60.0}
    assert (figures.figure("M10").hits, figures.figure("M10").of) == (0, 1)
    assert (figures.figure("M10-endorsed").hits, figures.figure("M10-endorsed").of) == (2, 3)


def test_effort_and_benefit():
    happenings = (
        at(1, "certificate.issued", organization="exporter", certificate="c1"),
        at(2, "carnet_claim.proof_sent", organization="holder", carnet="s1"),
        at(3, "no.such.act", organization="holder"),
    )
    rows = compare_arms(measured(*happenings), measured(*happenings, arm=Arm.PAPER))
    assert rows.row("M9", "exporter").ledger.value == 0.25
    assert rows.row("M13", "exporter").ledger.value == 0.0  # nobody gains where both cost the same
    assert rows.row("M13", "holder").ledger.value == pytest.approx((180 - 30) / 180)
    assert rows.row("M9").gain == pytest.approx(2.5)


def test_first_pass_counts_the_first_attempt_only():
    handed = [(1, False), (2, True), (1, True)]
    figures = measured(
        *(
            at(1, "form.submitted", organization="exporter", form="f", shipment="s1", attempt=n, valid=v)
            for n, v in handed
        )
    )
    assert (figures.figure("M5", "exporter").hits, figures.figure("M5", "exporter").of) == (1, 2)


def test_the_fee_has_a_floor_and_a_cap_by_date():
    first, later = datetime.date(2018, 9, 30), datetime.date(2018, 10, 1)
    assert [str(processing_fee_usd(v, first)) for v in (100, 100_000, 10**9)] == ["25.67", "346.40", "497.99"]
    assert [str(processing_fee_usd(v, later)) for v in (100, 10**9)] == ["26.22", "508.70"]
    assert str(forgone_usd(100, Decimal(10), Decimal(0), first)) == "35.67"


def test_paper_beside_ledger_over_one_trade():
    """The paper arm against itself: nothing differs; and every metric but the two without cases has a value."""
    events = play(trade(shipments=600, noncompliance=0.3, requested=0.3), days=1500)
    happenings = [Happening(e.name, e.calendar_ms, e.fields) for e in events]
    one = compute(facts_of(happenings), Arm.PAPER, EFFORT)
    comparison = compare_arms(one, one)
    for metric in METRICS.values():
        row = comparison.row(metric.id)
        if metric.id.startswith("M12"):
            assert row.ledger.value is None, "paper has none of the ledger's own figures"
            continue
        if metric.id == "M1-found":
            assert row.ledger.value is None, "on paper nobody sees a cause before asking"
            continue
        assert row.ledger.value is not None, metric.id
        assert row.gain in (0.0, None) or metric.id == "M13"
        if metric.paired:
            assert (row.difference.median, row.difference.mean) == (0.0, 0.0)
    json.dumps(comparison.plain())


def test_a_run_without_a_paper_arm_has_no_comparison(tmp_path):
    (tmp_path / "observer").mkdir()
    event = {"number": 0, "calendar": "2018-09-04T10:00:00.000Z", "protocol_ns": 0, "event": "claim.filed"}
    (tmp_path / "observer" / "events.ndjson").write_text(json.dumps(event) + "\n")
    comparison = compare_run(tmp_path)
    assert comparison.row("M2").paper is None
    assert comparison.row("M2").gain is None


def test_differences_are_taken_shipment_by_shipment():
    found = difference({"s1": 1.0, "s2": 5.0, "s4": 9.0}, {"s1": 31.0, "s2": 25.0, "s3": 2.0})
    assert (found.median, found.mean, found.count) == (-30.0, -25.0, 2)
    assert (found.only_ledger, found.only_paper) == (1, 1)
    assert found.interval[0] <= -25.0 <= found.interval[1]
    assert difference({"s1": 1.0}, {"s2": 1.0}) is None
    assert difference({"s1": 1.0}, {"s1": 3.0}).interval is None


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=30))
def test_a_bootstrap_interval_lies_within_the_values_and_repeats(values):
    mean, (low, high) = bootstrap_mean(values)
    slack = 1e-6 * max(1.0, *map(abs, values))
    assert min(values) - slack <= low <= high <= max(values) + slack
    assert bootstrap_mean(values)[1] == (low, high)
    assert math.isclose(mean, sum(values) / len(values), abs_tol=slack)


def test_a_quantile_is_a_value_that_occurred():
    assert [quantile([1.0, 2.0, 3.0, 4.0], q) for q in (0.25, 0.5, 0.95, 1.0)] == [1.0, 2.0, 4.0, 4.0]
    with pytest.raises(ValueError, match="no values"):
        quantile([], 0.5)


def test_a_table_of_effort_that_does_not_hold_is_refused():
    with pytest.raises(ValueError, match="5 keyed again of 4"):
        read_effort("a: {both: {minutes: 1, keyed: 4, again: 5}, range: [1, 2], mark: read, source: s}")
    with pytest.raises(ValueError, match="give both, or ledger and paper"):
        read_effort("a: {ledger: {minutes: 1, keyed: 4, again: 1}, range: [1, 2], mark: read, source: s}")


def test_efforts_add_up():
    sums = efforts({("x", "certificate.issued"): 4, ("x", "request.sent"): 1}, Arm.PAPER, EFFORT)
    assert sums == {"x": Effort(90, 102, 4)}
    assert dataclasses.replace(sums["x"]).hours == 1.5
