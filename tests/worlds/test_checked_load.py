"""The bench's load with all checks switched on is whole: what its figure counts really happened."""

from __future__ import annotations

import pytest

from scenarios.judging.checks.registry import CHECKS
from tests.bench.checked import measure_checked

AT_REST = {
    "linearizability",
    "carnet-balances",
    "claimed-quantities",
    "reconciliation",
    "progress",
    "convergence",
}
"""Checks of what the load has none of: audited reads, carnets, claims, paper, faults."""


@pytest.mark.slow
def test_a_load_with_all_checks_has_its_checks_exercised_and_its_private_values_sought() -> None:
    figures = measure_checked(pairs=1, duration_s=1)
    (checked,) = figures.checked
    assert {name for name, times in checked.exercised.items() if not times} == AT_REST
    assert checked.exercised.keys() == CHECKS.keys()
    assert checked.sought >= figures.transactions * figures.fields_each
    assert checked.searched_mib > 1
    assert all(one.during_ms > 0 for one in (*figures.without, *figures.checked))
    assert checked.afterwards_ms > 0
