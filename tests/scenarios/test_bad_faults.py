"""Faults that cannot be are named with file and line, the value, the limit and the remedy, before anything starts."""

from __future__ import annotations

from pathlib import Path

import pytest

from scenarios.errors import ScenarioError
from scenarios.model.catalog import load_scenario

SOON = "at: { protocol: 1s }, for: { protocol: 1s }"


def told(tmp_path: Path, *faults: str) -> list[str]:
    """Return what is said of a file with these faults, from line 5 on, without its name."""
    path = tmp_path / "bad.yaml"
    lines = "".join(f"  - {{ {fault} }}\n" for fault in faults)
    path.write_text(f"scenario: bad\nextends: nafta-certificate\ntitle: Bad\nfaults:\n{lines}")
    with pytest.raises(ScenarioError) as caught:
        load_scenario(path)
    return [str(fault).partition("bad.yaml:")[2] for fault in caught.value.faults]


@pytest.mark.parametrize(
    ("fault", "wanted"),
    [
        (f"{SOON}, kind: crsh, target: leader", '5: faults.1.kind: unknown kind "crsh"'),
        (f"{SOON}, kind: crsh, target: leader", 'did you mean "crash"?'),
        (f"{SOON}, kind: crash, target: node cpb", 'unknown organization "cpb"'),
        (f"{SOON}, kind: crash, target: leaders", 'unknown target "leaders"'),
        (f"{SOON}, kind: crash, target: 'role:broker'", "5: faults.1.target: nobody is broker; roles here: chamber"),
        (f"{SOON}, kind: crash, target: 'region:north'", "add network.regions"),
        (f"{SOON}, kind: crash, target: 'nodes cbp, cbp'", "names a node twice"),
        ("at: { protocol: -3s }, kind: crash, target: leader", '5: faults.1.at.protocol: "-3s" is a negative time'),
        ("at: { protocol: 3 }, kind: crash, target: leader", "3 has no unit"),
        ("at: { calendar: '2031-01-01T00:00:00' }, kind: crash, target: leader", "is after the end; the end is 2019"),
        (f"when: leader elected, {SOON}, kind: crash, target: leader", "has both at and when"),
        (f"{SOON}, kind: loss, target: leader", "5: faults.1.params: is missing; add params: {percent: ...}"),
        (f"{SOON}, kind: crash, target: leader, params: {{ hard: true }}", 'unknown key "hard"; it takes no key'),
        (
            f"{SOON}, kind: crash_at, target: leader, params: {{ point: before_lunch }}",
            '5: faults.1.params.point: "before_lunch" is not allowed; one of "before_propose"',
        ),
        (f"{SOON}, kind: timer_drift, target: leader, params: {{ ppm: 0 }}", "drifts by nothing; 1 ppm at least"),
        (
            f"{SOON}, kind: slow_disk, target: all, params: {{ range_ms: [90, 10] }}",
            "[90, 10] is no range; the lower end first; write [10, 90]",
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_with_one_fault_is_said_by_line(tmp_path: Path, fault: str, wanted: str) -> None:
    (said,) = told(tmp_path, fault)
    assert wanted in said


def test_all_that_is_wrong_is_said_at_once_each_by_its_line(tmp_path: Path) -> None:
    said = told(
        tmp_path,
        f"{SOON}, kind: crsh, target: leader",
        f"{SOON}, kind: crash, target: leader",
        "at: { protocol: 1s }, for: { protocol: 0s }, kind: pause, target: leader",
    )
    assert [line.partition(":")[0] for line in said] == ["5", "7"]
