"""How long offices could use the ledger, and what entering from paper costs, on events whose answers are known."""

import pytest

from scenarios.measuring.compute import ALL, ArmFigures, compute
from scenarios.measuring.effort import Arm, standard_effort
from scenarios.measuring.facts import Happening, facts_of
from scenarios.measuring.offices import OfficeFacts
from scenarios.measuring.statistics import number

DAY_MS = 86_400_000
STARTED = [Happening("node.started", 0, {"node": node}) for node in "abcd"]


def at(day, event, /, **fields):
    return Happening(event, day * DAY_MS, fields)


TRADE, HEAL = at(0, "phase", name="trade"), at(100, "phase", name="heal")


def shares(*happenings):
    offices, events = OfficeFacts(), [at(0, "phase", name="warm up"), *STARTED, *happenings]
    assert list(offices.followed(events)) == events
    arm = ArmFigures(Arm.LEDGER)
    offices.put_into(arm)
    return {whom: number(figure).value for whom, figure in arm.figures["M12-open"].items()}


def test_an_outage_a_silence_and_work_on_paper_close_an_office_and_a_crash_does_not():
    seen = shares(
        TRADE,
        at(10, "fault.began", kind="outage", hit=["a"]),
        at(30, "fault.ended", kind="outage", hit=["a"]),
        at(40, "fault.began", kind="silence", hit=["b"]),
        at(50, "fault.ended", kind="silence", hit=["b"]),
        at(50, "fault.began", kind="paper_fallback", hit=["b"]),
        at(60, "fault.ended", kind="paper_fallback", hit=["b"]),
        at(60, "fault.began", kind="crash", hit=["c"]),
        at(90, "fault.ended", kind="crash", hit=["c"]),
        HEAL,
    )
    assert seen == {ALL: pytest.approx(0.9), "a": pytest.approx(0.8), "b": pytest.approx(0.8)}


def test_windows_that_overlap_count_once_and_one_that_lasts_ends_with_the_trade():
    seen = shares(
        TRADE,
        at(10, "fault.began", kind="outage", hit=["a"]),
        at(20, "fault.began", kind="outage", hit=["a", "d"]),
        at(30, "fault.ended", kind="outage", hit=["a"]),
        at(40, "fault.ended", kind="outage", hit=["a", "d"]),
        at(75, "fault.began", kind="silence", hit=["d"]),
        HEAL,
        at(101, "fault.ended", kind="silence", hit=["d"]),
    )
    assert seen["a"] == pytest.approx(0.7)
    assert seen["d"] == pytest.approx(1 - 0.20 - 0.25)


def test_without_a_fault_everybody_is_open_and_without_a_trade_nothing_is_said():
    assert shares(TRADE, HEAL) == {ALL: 1}
    assert shares() == {ALL: None}


def test_what_is_entered_from_paper_is_keyed_again_and_what_is_entered_twice_once_more():
    filed = at(1, "claim.filed", organization="importer", claim="s1")
    entered = at(2, "paper.entered", organization="importer", act="claim.file")
    again = at(2, "paper.entered_again", organization="importer", act="claim.file")

    def keyed(*happenings):
        figures = compute(facts_of(happenings), Arm.LEDGER, standard_effort())
        return number(figures.figure("M5-keyed", "importer")).value, figures.figure("M9", "importer").total

    once, on_paper, twice = keyed(filed), keyed(filed, entered), keyed(filed, entered, again)
    assert once[0] < on_paper[0] < twice[0]
    assert once[1] < on_paper[1] < twice[1]
