"""Which country's authorities decide: that of importation, and no other's."""

from __future__ import annotations

import pytest

from ledger.codes import Code
from ledger.encoding import Value

LINE: dict[str, Value] = {"entry": "ABC-1234567-8", "line": 1, "fine": bytes([9]) * 32}
HOLDING: dict[str, Value] = {"certificate": bytes([1]) * 16, "holder": "globex", "fine": bytes(32)}


@pytest.mark.parametrize("act", ["open", "close", "liquidate"])
def test_a_foreign_customs_decides_on_no_claim(pilot, act: str) -> None:
    pilot.possess()
    pilot.claim()
    document = act == "open"
    refused = pilot.act("aduana", f"claim.{act}", LINE, on="2018-09-25", document=document)
    assert refused.rule == f"claim.{act}/not-in-charge"
    assert pilot.act("cbp", f"claim.{act}", LINE, on="2018-09-25", document=document).code is Code.VALID


def test_a_foreign_customs_goes_on_with_no_open_claim(pilot) -> None:
    pilot.possess()
    pilot.claim()
    pilot.decide("claim.open", "2018-09-25", document=True)
    assert pilot.act("aduana", "claim.act", LINE, on="2018-09-26").rule == "claim.act/not-in-charge"
    assert pilot.act("aduana", "claim.close", LINE, on="2018-09-26").rule == "claim.close/not-in-charge"
    assert pilot.decide("claim.act", "2018-09-26").code is Code.VALID


def test_a_foreign_customs_looks_into_no_holding(pilot) -> None:
    pilot.possess()
    for act in ("open", "close", "open"):
        refused = pilot.act("aduana", f"holding.{act}", HOLDING, on="2018-09-25")
        assert refused.rule == f"holding.{act}/not-in-charge"
        assert pilot.act("cbp", f"holding.{act}", HOLDING, on="2018-09-25").code is Code.VALID
