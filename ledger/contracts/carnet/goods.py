"""Where a carnet's goods are, per item and country, and how vouchers move them.

Rules:
- Per item: home + out + sum(inside) + sum(settled) = listed, and nothing is ever negative. `carnet_balances` checks
  it of a whole state, and that the pieces inside a country are those that its vouchers hold.
- A voucher of each kind moves pieces from one place to another by the table `MOVES`; nothing else moves goods but a
  settlement.
- Goods that left a country without its customs' endorsement come from that country nonetheless: the voucher under
  which they came in stays undischarged, and customs may claim.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from ledger.contracts.carnet.records import (
    GoodsRecord,
    Pieces,
    VoucherKind,
    VoucherRecord,
    read_goods,
    read_voucher,
)
from ledger.state import State

_GOODS = "carnet-goods/"
_VOUCHER = "carnet-voucher/"


@dataclass(frozen=True, slots=True)
class Move:
    """What a kind of voucher does to goods.

    Attributes:
        source, target: `home`, `out`, or `inside` a country.
        at_home: whether it is home customs' to endorse, or another country's.
        brings_in: whether the goods are then held under this voucher.
        closes: whether it must cite the voucher under which the goods came in, and discharges it.
        may_cite: whether it may cite such a voucher of another country that endorsed no exit.
        needs_validity: whether the carnet must be valid on the day.
    """

    source: str
    target: str
    at_home: bool = False
    brings_in: bool = False
    closes: bool = False
    may_cite: bool = False
    needs_validity: bool = False


MOVES: Mapping[VoucherKind, Move] = {
    VoucherKind.EXPORT: Move("home", "out", at_home=True, needs_validity=True),
    VoucherKind.IMPORT: Move("out", "inside", brings_in=True, may_cite=True, needs_validity=True),
    VoucherKind.REEXPORT: Move("inside", "out", closes=True),
    VoucherKind.TRANSIT_ENTRY: Move("out", "inside", brings_in=True, needs_validity=True),
    VoucherKind.TRANSIT_EXIT: Move("inside", "out", closes=True),
    VoucherKind.REIMPORT: Move("out", "home", at_home=True, may_cite=True),
}
"""Every kind of voucher."""

CLOSED_BY: Mapping[VoucherKind, VoucherKind] = {
    VoucherKind.REEXPORT: VoucherKind.IMPORT,
    VoucherKind.TRANSIT_EXIT: VoucherKind.TRANSIT_ENTRY,
}
"""The kind of voucher that a closing one cites."""


def plus(pieces: Pieces, more: Pieces) -> Pieces:
    """Return the sum per item."""
    return {item: pieces.get(item, 0) + more.get(item, 0) for item in sorted({*pieces, *more})}


def minus(pieces: Pieces, less: Pieces) -> Pieces:
    """Return the difference per item, items without pieces left out.

    Raises:
        ValueError: if there are fewer pieces than are taken away.
    """
    left = {item: pieces.get(item, 0) - less.get(item, 0) for item in sorted({*pieces, *less})}
    short = [item for item, count in left.items() if count < 0]
    if short:
        raise ValueError(f"items {short}: fewer pieces there than are taken away; ask `covers` first")
    return {item: count for item, count in left.items() if count}


def covers(pieces: Pieces, wanted: Pieces) -> bool:
    """Say whether there are as many pieces of every item as wanted."""
    return all(pieces.get(item, 0) >= count for item, count in wanted.items())


def pieces_at_source(goods: GoodsRecord, kind: VoucherKind, cited: VoucherRecord | None) -> Pieces:
    """Return what is where a voucher takes its goods from: under the voucher it cites, if it cites one."""
    if cited is not None:
        return cited.inside
    return goods.home if MOVES[kind].source == "home" else goods.out


def moved(
    goods: GoodsRecord, kind: VoucherKind, country: str, items: Pieces, cited: VoucherRecord | None
) -> GoodsRecord:
    """Return the goods after a voucher's pieces have crossed.

    Args:
        goods: before it.
        kind: the voucher's.
        country: of the office that endorses it.
        items: the voucher's pieces.
        cited: the voucher under which they came in, if it cites one.

    Raises:
        ValueError: if there are not as many pieces.
    """
    if cited is not None:
        goods = _inside(goods, cited.country, minus, items)
    elif MOVES[kind].source == "home":
        goods = replace(goods, home=minus(goods.home, items))
    else:
        goods = replace(goods, out=minus(goods.out, items))
    match MOVES[kind].target:
        case "home":
            return replace(goods, home=plus(goods.home, items))
        case "out":
            return replace(goods, out=plus(goods.out, items))
        case _:
            return _inside(goods, country, plus, items)


def settled(goods: GoodsRecord, country: str, items: Pieces) -> GoodsRecord:
    """Return the goods after pieces inside a country were destroyed, stolen, or sold with duty paid.

    Raises:
        ValueError: if there are not as many pieces inside.
    """
    inside = _inside(goods, country, minus, items)
    there = plus(goods.settled.get(country, {}), items)
    return replace(inside, settled={**goods.settled, country: there})


def discharged(
    voucher: VoucherRecord, items: Pieces, *, endorsed: bool, unconditional: bool
) -> VoucherRecord:
    """Return the voucher that goods came in under, after some of them have left its country or were settled.

    Args:
        voucher: an importation or transit voucher.
        items: what left.
        endorsed: whether customs of its country endorsed that; else they are still undischarged.
        unconditional: whether it did so without reserve.
    """
    after = replace(voucher, inside=minus(voucher.inside, items))
    if not endorsed:
        return after
    return replace(
        after,
        undischarged=minus(voucher.undischarged, items),
        unconditional=voucher.unconditional and unconditional,
    )


def carnet_balances(state: State) -> list[str]:
    """Return everything wrong with the item balances of all carnets in a state; empty if all is well.

    Per item: home + out + sum(inside) + sum(settled) = listed, nothing negative or unlisted; per country, what is
    inside is what the importation and transit vouchers of that country hold.
    """
    held: dict[str, dict[str, Pieces]] = {}
    for key, data in state.items():
        if key.startswith(_VOUCHER):
            voucher = read_voucher(data)
            of_line = held.setdefault(key.split("/")[1], {})
            of_line[voucher.country] = plus(of_line.get(voucher.country, {}), voucher.inside)
    wrong: list[str] = []
    for key, data in state.items():
        if key.startswith(_GOODS):
            line = key.removeprefix(_GOODS)
            wrong += [f"carnet {line}: {what}" for what in _unbalanced(read_goods(data), held.get(line, {}))]
    return wrong


def _unbalanced(goods: GoodsRecord, held: Mapping[str, Pieces]) -> list[str]:
    wrong: list[str] = []
    places = (goods.home, goods.out, *goods.inside.values(), *goods.settled.values())
    for item in sorted({*goods.listed, *(item for place in places for item in place)}):
        counts = [place.get(item, 0) for place in places]
        if min(counts) < 0:
            wrong.append(f"item {item} has {min(counts)} pieces somewhere")
        if sum(counts) != goods.listed.get(item, 0):
            wrong.append(
                f"item {item}: {sum(counts)} pieces are somewhere, {goods.listed.get(item, 0)} are listed"
            )
    for country in sorted({*goods.inside, *held}):
        inside, under = goods.inside.get(country, {}), held.get(country, {})
        if _only_some(inside) != _only_some(under):
            wrong.append(f"inside {country} are {_only_some(inside)}, its vouchers hold {_only_some(under)}")
    return wrong


def _only_some(pieces: Pieces) -> dict[int, int]:
    return {item: count for item, count in sorted(pieces.items()) if count}


def _inside(
    goods: GoodsRecord, country: str, change: Callable[[Pieces, Pieces], Pieces], items: Pieces
) -> GoodsRecord:
    there = change(goods.inside.get(country, {}), items)
    return replace(goods, inside={**goods.inside, country: there})
