"""Verifications in a scenario file: whom an agreement lets Customs ask."""

from __future__ import annotations

import pytest

from scenarios.errors import ScenarioError
from scenarios.model.catalog import load_scenario


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("verifications.v3.faulty=false", "cordova may not do this"),
        ("verifications.v1.by=VISIT", "cordova is not visited"),
        ("verifications.v1.direct=quimby", "quimby may not do this"),
        ("verifications.v3.direct=molinos", "19 CFR 182.72\\(c\\) is of the USMCA"),
    ],
)
def test_a_slip_of_the_pen_is_refused_where_it_stands(override: str, message: str) -> None:
    with pytest.raises(ScenarioError, match=message):
        load_scenario("usmca-verification", [override])
