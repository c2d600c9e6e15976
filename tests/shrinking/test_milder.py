"""A fault made milder step by step: less latency, shorter bursts, more bandwidth, fewer nodes and fields."""

from __future__ import annotations

import pytest

from scenarios.shrinking.candidate import Candidate, milder, with_milder
from scenarios.shrinking.failure import Failure
from scenarios.shrinking.milder import made_milder, ways


def steps(kind: str, what: str, value: object) -> list[object]:
    fault = {"kind": kind, "target": "all", "params": {what: value}}
    candidate = Candidate({"faults": [fault]}, Failure("violated", "agreement"))  # type: ignore[dict-item]
    assert (0, what) in milder(candidate)
    found: list[object] = []
    while (less := with_milder(candidate, 0, what)) is not None:
        candidate = less
        found.append(candidate.value["faults"][0]["params"][what])  # type: ignore[index,call-overload]
    return found


@pytest.mark.parametrize(
    ("kind", "what", "value", "expected"),
    [
        ("burst_drop", "frames", 8, [4, 2, 1]),
        ("bandwidth", "bytes_per_s", 2_000_000, [4_000_000, 8_000_000]),
        (
            "latency",
            "normal",
            {"mean_ms": 6, "deviation_ms": 2},
            [{"mean_ms": 3.0, "deviation_ms": 1.0}, {"mean_ms": 1.5, "deviation_ms": 0.5}],
        ),
    ],
)
def test_a_link_fault_is_made_milder_until_it_hardly_does_anything(kind, what, value, expected):
    assert steps(kind, what, value) == expected


def test_a_fault_of_some_nodes_loses_one_after_the_other_but_the_last():
    fault = {"kind": "power_loss", "target": "nodes cbp, noaa, importer"}
    assert ways(fault) == ["target without cbp", "target without noaa", "target without importer"]
    fewer = made_milder(fault, "target without noaa")
    assert fewer == {"kind": "power_loss", "target": "nodes cbp, importer"}
    last = made_milder(fewer, "target without cbp")
    assert last == {"kind": "power_loss", "target": "node importer"}
    assert ways(last) == []
    assert made_milder(fewer, "target without noaa") is None


def test_wrong_data_lose_one_field_after_the_other_but_the_last():
    fields = ["certificate/hs6", "invoice/unit"]
    fault = {"kind": "wrong_data", "target": "organization exporter", "params": {"fields": fields}}
    fewer = made_milder(fault, "fields without certificate/hs6")
    assert fewer["params"] == {"fields": ["invoice/unit"]}
    assert ways(fewer) == []
    assert fault["params"]["fields"] == fields


def test_a_partition_loses_whole_groups_and_members_but_the_last_of_each_and_two_groups():
    groups = [["cbp", "noaa"], ["importer"], ["exporter", "chamber"]]
    fault = {"kind": "partition", "target": "all", "params": {"groups": groups}}
    assert ways(fault) == [
        "groups without group cbp, noaa",
        "groups without group importer",
        "groups without group exporter, chamber",
        "groups without cbp",
        "groups without noaa",
        "groups without exporter",
        "groups without chamber",
    ]
    two = made_milder(fault, "groups without group importer")
    assert two["params"] == {"groups": [["cbp", "noaa"], ["exporter", "chamber"]]}
    assert made_milder(two, "groups without group cbp, noaa") is None
    fewer = made_milder(made_milder(two, "groups without noaa"), "groups without exporter")
    assert fewer["params"] == {"groups": [["cbp"], ["chamber"]]}
    assert ways(fewer) == []
    assert fault["params"] == {"groups": groups}
