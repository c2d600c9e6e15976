"""Faults of nodes that no run could carry out as written, refused by line before anything starts."""

import pytest

from scenarios.errors import ScenarioError
from scenarios.model.catalog import load_scenario

HEAD = "scenario: clash\nextends: nafta-certificate\ntitle: Faults that cannot both be\nfaults:\n"
AT_1 = "at: {protocol: 1s}, for: {protocol: 5s}, target: node cbp"
AT_2 = "at: {protocol: 2s}, for: {protocol: 5s}, target: node cbp"
AT_9 = "at: {protocol: 9s}, for: {protocol: 5s}, target: node cbp"


def refused(tmp_path, *faults):
    path = tmp_path / "clash.yaml"
    path.write_text(HEAD + "".join(f"  - {{{fault}}}\n" for fault in faults))
    try:
        load_scenario(path)
    except ScenarioError as error:
        return [str(fault).partition("clash.yaml")[2] for fault in error.faults]
    return []


PAIRS = [
    ("kind: disk_full", "kind: sync_failure", "how its disk fails"),
    ("kind: read_failure", "kind: write_failure", "how its disk fails"),
    (
        "kind: calendar_offset, params: {seconds: 3}",
        "kind: calendar_drift, params: {ppm: 30}",
        "calendar goes",
    ),
    (
        "kind: calendar_jump, params: {seconds: 3, every_ms: 50}",
        "kind: calendar_offset, params: {seconds: 3}",
        "calendar goes",
    ),
    (
        "kind: crash_at, params: {point: before_send}",
        "kind: crash_at, params: {point: after_send}",
        "at which point its program dies",
    ),
    ("kind: crash", "kind: flip_bits", "how its process stands"),
    ("kind: lost_file, params: {file: log}", "kind: pause", "how its process stands"),
    ("kind: other_version", "kind: crash", "how its process stands"),
]


@pytest.mark.parametrize(("one", "other", "family"), PAIRS)
def test_two_faults_that_decide_one_thing_at_one_node_are_refused_by_line(tmp_path, one, other, family):
    (told,) = refused(tmp_path, f"{AT_1}, {one}", f"{AT_2}, {other}")
    assert told.startswith(":6: faults.2: ")
    assert family in told
    assert refused(tmp_path, f"{AT_1}, {one}", f"{AT_9}, {other}") == []  # one after the other
    assert refused(tmp_path, f"{AT_1}, {one}", f"{AT_2}, {other}".replace("node cbp", "node noaa")) == []


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        ("kind: calendar_offset, params: {seconds: 0}", "off by nothing"),
        ("kind: calendar_drift, params: {ppm: 0}", "drifts by nothing"),
        ("kind: calendar_jump, params: {seconds: 0, every_ms: 50}", "jumps by nothing"),
    ],
)
def test_a_fault_that_does_nothing_is_refused(tmp_path, fault, why):
    (told,) = refused(tmp_path, f"{AT_1}, {fault}")
    assert told.startswith(":5: faults.1.params.")
    assert why in told


def test_stores_of_more_than_a_minority_are_not_lost(tmp_path):
    rebuild = "at: {protocol: 1s}, kind: rebuild, target: 'nodes cbp, noaa"
    assert refused(tmp_path, f"{rebuild}'") == []
    (told,) = refused(tmp_path, f"{rebuild}, chamber'")
    assert told.startswith(":5: faults.1.target: 3 orderers' stores are lost: cbp, noaa, chamber; 2 of 5")


@pytest.mark.parametrize(
    ("fault", "place"),
    [
        ("at: {protocol: -1s}, for: {protocol: 2s}, kind: pause, target: node cbp", "faults.1.at.protocol"),
        ("at: {protocol: 1s}, for: {protocol: -2s}, kind: pause, target: node cbp", "faults.1.for.protocol"),
        ("at: {protocol: 1s}, for: {protocol: 2s}, kind: explode, target: node cbp", "faults.1.kind"),
        ("at: {protocol: 1s}, for: {protocol: 2s}, kind: pause, target: node cbpp", "faults.1.target"),
    ],
)
def test_negative_times_unknown_kinds_and_impossible_targets_are_named_by_line(tmp_path, fault, place):
    (told,) = refused(tmp_path, fault)
    assert told.startswith(f":5: {place}: ")
