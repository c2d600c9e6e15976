"""Two runs held against each other, one with a fault that the other does not have."""

import re

import pytest

from scenarios.diagram.repeating import follow_run
from scenarios.model.catalog import load_scenario
from scenarios.shrinking.difference import tell_difference

TRADE = """
scenario: cut-off
extends: nafta-certificate
title: Customs is cut off
steps:
  - {at: "2018-09-04T10:00:00", by: exporter, do: issue-certificate, document: c1}
  - {at: "2018-09-19T09:30:00", by: importer, do: file-claim, claim: e1}
expect: [claim e1 is ALLOWED within 5 days]
"""
FAULT = """
faults:
  - {at: {calendar: "2018-09-19T08:00:00"}, for: {calendar: 16d}, kind: partition, target: node cbp}
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    directory = tmp_path_factory.mktemp("difference")

    def follow(text, seed):
        (directory / "cut-off.yaml").write_text(text)
        return follow_run(load_scenario(directory / "cut-off.yaml"), seed)

    return follow


@pytest.fixture(scope="module")
def failing(run):
    return run(TRADE + FAULT, "5")


def test_runs_of_one_seed_part_where_the_fault_begins(run, failing):
    lines = tell_difference(failing, run(TRADE, "5"), "without fault 1")
    assert max(map(len, lines)) <= 80
    assert lines[0].startswith("failing  cut-off, seed 5: violated: claim e1 is ALLOWED")
    assert lines[lines.index("passing  without fault 1") + 2] == "They part at"
    first = lines[lines.index("They part at") + 1]
    assert "2018-09-19T12:00: fault.began fault=1" in " ".join(lines[lines.index("They part at") + 1 :][:2])
    assert first.startswith("  failing  event ")
    claim = lines.index("  claim e1")
    told = " ".join(lines[claim : lines.index("", claim)])
    assert re.search(r"failing +CLAIMED 10-05, .*ALLOWED +10-", told), told
    assert re.search(r"passing +CLAIMED 09-19, .*ALLOWED +09-", told), told
    assert any(line.startswith("    passing  held: claim e1 was ALLOWED") for line in lines)


def test_runs_of_two_seeds_are_compared_by_the_trade_alone(run, failing):
    lines = tell_difference(failing, run(TRADE, "6"), "seed 6 instead of 5, without fault 1")
    at = lines.index("In the trade and its faults they part at")
    told = " ".join(lines[at + 1 : lines.index("", at)])
    assert "failing  event " in told
    assert "passing  event " in told
    assert not re.search(r"(link|raft|block|node|transaction)\.", told)


def test_a_run_differs_from_itself_in_nothing(failing):
    lines = tell_difference(failing, failing, "the same")
    assert "Not an event differs: they are judged differently" in lines
    assert sum(": 0 come out differently" in line for line in lines) == 3
