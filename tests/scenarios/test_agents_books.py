"""Whether books bear a certificate out."""

from __future__ import annotations

import pytest

from ledger.contracts import REGIMES
from ledger.documents import Private
from ledger.encoding import Value
from scenarios.agents.books import supports
from scenarios.agents.papers import Paper

BOOKS: dict[str, Value] = {
    "hs6": "160414",
    "criterion": "B",
    "is_originating": "YES",
    "records_kept": "YES",
    "materials.1.hs6": "0303.43",
    "materials.1.origin": "JP",
    "materials.2.hs6": "160414",
    "materials.2.origin": "MX",
}
GOODS: list[Value] = [{"hs6": "1604.14", "criterion": "B"}, {"hs6": "0307.52", "criterion": "A"}]


def judged(goods: list[Value] = GOODS, **changes: Value) -> bool:
    fields = {name: Private(value) for name, value in {**BOOKS, **changes}.items()}
    return supports(Paper("CF-446", bytes(32), fields), goods, REGIMES["NAFTA"])


def test_material_from_elsewhere_in_another_heading_and_own_material_in_the_same_are_fine() -> None:
    assert judged()


@pytest.mark.parametrize(
    "changes",
    [
        {"materials.2.origin": "MA"},
        {"is_originating": "NO"},
        {"records_kept": "NO"},
        {"criterion": "A"},
        {"hs6": "160413"},
        {"hs6": "030752", "criterion": "A"},
    ],
    ids=["same heading", "says no", "no records", "another criterion", "another good", "not wholly obtained"],
)
def test_books_that_do_not_bear_it_out(changes: dict[str, Value]) -> None:
    assert not judged(**changes)


def test_wholly_obtained_goods_have_no_material_from_elsewhere_at_all() -> None:
    own: dict[str, Value] = {"hs6": "030752", "criterion": "A", "materials.1.origin": "US"}
    assert judged(**own)
    assert not judged(**own, **{"materials.2.origin": "KR"})
