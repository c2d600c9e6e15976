"""One organization may have several roles, and its one application plays all of them as several would."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from scenarios.judging.verdict import Verdict
from scenarios.running.options import RunOptions
from scenarios.running.runner import run_scenario
from tests.scenarios.delays.everybody import CLAIMS, PARTS, TRADERS, VERIFICATIONS, everybody

pytestmark = pytest.mark.slow

ALLOWED = [name for name in CLAIMS if name not in ("noticed", "mismatched")]
CARNETS = [f"carnet {trader} ends DISCHARGED" for trader in TRADERS]
REGULARIZED = [f"carnet claim {trader}/2 ends REGULARIZED" for trader in TRADERS]


@pytest.mark.parametrize(
    ("part", "cast", "expect"),
    [
        (
            "origin",
            {"producer": "exporter"},
            [
                *(f"claim {name} is ALLOWED" for name in ALLOWED),
                *(f"verification {name} ends POSITIVE" for name in VERIFICATIONS),
                "claim mismatched ends LIQUIDATED",
                "claim mismatched is never ALLOWED",
            ],
        ),
        ("tuna", {"noaa": "cbp"}, ["form safe ends RELEASED", "form held ends RELEASED"]),
        ("carnets", {"chamber": "council"}, [*CARNETS, *REGULARIZED]),
        ("carnets", dict.fromkeys(TRADERS, "exporter"), [*CARNETS, *REGULARIZED]),
    ],
    ids=["seller", "authority", "association", "trader"],
)
def test_one_organization_of_several_roles_does_what_each_of_them_does(
    part: str, cast: Mapping[str, str], expect: list[str], tmp_path: Path
) -> None:
    agents = {name: {} for name in PARTS[part]}
    scenario = everybody(tmp_path, part, agents, expect=expect, cast=cast)
    several = next(iter(cast.values()))
    assert len(scenario.roles[several]) > 1
    assert not set(scenario.roles) & (set(cast) - {several})
    result = run_scenario(scenario, RunOptions("virtual", "1", tmp_path / "run"))
    assert result.judgment.verdict is Verdict.PASSED, result.judgment
