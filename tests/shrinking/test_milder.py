"""A link fault made milder step by step: less latency, shorter bursts, more bandwidth."""

from __future__ import annotations

import pytest

from scenarios.shrinking.candidate import Candidate, halved, milder
from scenarios.shrinking.failure import Failure


def steps(kind: str, what: str, value: object) -> list[object]:
    fault = {"kind": kind, "target": "all", "params": {what: value}}
    candidate = Candidate({"faults": [fault]}, Failure("violated", "agreement"))  # type: ignore[dict-item]
    assert (0, what) in milder(candidate)
    found: list[object] = []
    while (less := halved(candidate, 0, what)) is not None:
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
