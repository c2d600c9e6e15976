"""What a carnet's association asks for before it issues: two fifths of the list's value, to the dollar."""

from __future__ import annotations

import pytest

from ledger.documents import Private
from ledger.encoding import Value
from ledger.forms.carnet import ATA_CARNET, security_due
from scenarios.agents.carnetassociation import _is_secured
from scenarios.agents.papers import Paper

LIST: dict[str, Value] = {
    "items": [
        {"item": 1, "description": "drums", "pieces": 10, "value_usd": 4_005, "origin": "US"},
        {"item": 2, "description": "lamps", "pieces": 4, "value_usd": 1_000, "origin": "US"},
    ]
}


def paper(kind: str, fields: dict[str, Value]) -> Paper:
    return Paper(kind, bytes(32), {name: Private(value) for name, value in fields.items()})


@pytest.mark.parametrize(("amount_usd", "enough"), [(2_002, True), (2_001, False), (5_005, True), (0, False)])
def test_a_security_is_enough_to_the_dollar(amount_usd: int, enough: bool) -> None:
    assert security_due(LIST) == 2_002
    applied = paper("ATA-CARNET", ATA_CARNET.flatten(LIST))
    assert _is_secured(applied, paper("CARNET-SECURITY", {"amount_usd": amount_usd})) is enough


@pytest.mark.parametrize("fields", [{}, {"amount_usd": "2002"}, {"amount_usd": True}])
def test_a_security_that_says_no_amount_is_none(fields: dict[str, Value]) -> None:
    applied = paper("ATA-CARNET", ATA_CARNET.flatten(LIST))
    assert not _is_secured(applied, paper("CARNET-SECURITY", fields))
    assert not _is_secured(applied, None)
    assert not _is_secured(None, paper("CARNET-SECURITY", {"amount_usd": 10**6}))
