"""Customs' application at the border: it activates carnets, looks at goods, stamps vouchers or refuses them.

Rules:
- What the ledger can check it leaves to the ledger. It looks at what is private: whether the papers came, whether the
  goods bear the marks of the general list, whether voucher and list are those that the public acts speak of; and it
  lets nothing in under an expired carnet.
- Goods that came in get a final date for re-export, within the carnet's validity.
- A dishonest one stamps what is not in order, what nobody presented, or what is late as if it were not.
- It stamps goods that leave late too, with reserve: the discharge is not unconditional then.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import ClassVar

from ledger.contracts.carnet import MOVES
from ledger.encoding import Value
from ledger.forms import may_be_signed
from ledger.forms.carnet import ATA_CARNET, listed_pieces
from ledger.forms.voucher import ATA_VOUCHER, swapped_items
from ledger.genesis import Role
from scenarios.agents import carnetpapers as papers
from scenarios.agents.agent import Relation
from scenarios.agents.carnetpapers import GoodsDefect
from scenarios.agents.carnetpart import CarnetPart
from scenarios.agents.carnetregister import CarnetEntry, VoucherEntry
from scenarios.agents.client import Receipt
from scenarios.agents.papers import KIND, Paper
from scenarios.model.behaviors import Dishonesty
from scenarios.model.carnetsteps import EndorseVoucher, SettleGoods
from scenarios.model.units import DAY_MS

ABSENT_SERIAL = 999
"""Serial of a voucher that nobody presents."""


class CarnetOffice(CarnetPart):
    """What customs' application does where goods cross the border."""

    steps: ClassVar[Mapping[str, str]] = {
        "endorse-voucher": "endorse_voucher",
        "settle-goods": "settle_goods",
    }
    reactions: ClassVar[Mapping[tuple[str, Relation], str]] = {
        ("carnet.issue", Relation.ANY): "activate_carnet",
        ("carnet.present", Relation.ANY): "goods_presented",
        ("carnet.endorse", Relation.OWN): "goods_endorsed",
    }

    async def activate_carnet(self, receipt: Receipt) -> None:
        """Activate a carnet of this country when its holder has shown it."""
        carnet = self.carnets.carnet_of(receipt.body)
        country = self.carnets.countries[carnet.holder]
        delay_ms = self.draw_ms(self.behavior.endorse_after)
        if self.first_of(Role.CUSTOMS, country) != self.id or delay_ms is None:
            return
        shown = await self.receive(carnet.root, carnet.holder)
        await self.sleep_until(self.desk.now_ms() + delay_ms)
        if shown.paper is None or dict(listed_pieces(_list_of(shown.paper))) != dict(carnet.items):
            self.record(
                "carnet.not_activated", private=True, carnet=self.name_of(carnet), time_ms=self.desk.now_ms()
            )
            return
        activated = await self.transact("carnet.activate", {"carnet": bytes.fromhex(carnet.id)})
        self.record("carnet.activated", carnet=self.name_of(carnet), time_ms=activated.time_ms)

    async def goods_presented(self, receipt: Receipt) -> None:
        """Look at goods that are presented here, and stamp or refuse them."""
        carnet, voucher = self.carnets.carnet_of(receipt.body), self.carnets.voucher_of(receipt.body)
        delay_ms = self.draw_ms(self.behavior.endorse_after)
        if voucher.record.office != self.id or delay_ms is None:
            return
        if self.has_step("endorse-voucher", carnet, voucher.serial):
            return
        shown = await self.receive(voucher.root, carnet.holder)
        listed = await self.receive(carnet.root, carnet.holder)
        await self.sleep_until(receipt.time_ms + delay_ms)
        defects = self._goods_defects(carnet, voucher, shown.paper, listed.paper)
        subject = f"voucher {self.name_of_voucher(voucher.id)}"
        if defects and self.conduct.commits(Dishonesty.STAMPS_UNSEEN, subject) is None:
            await self._refuse_goods(carnet, voucher, defects)
            return
        day, last = self.today, self._last_day(carnet, voucher)
        if (
            last is not None
            and day > last
            and self.conduct.commits(Dishonesty.BACK_DATES_STAMPS, subject) is not None
        ):
            day = last
        late = last is not None and day > last
        await self._stamp(carnet, voucher, day, self._final_date(carnet, voucher), unconditional=not late)
        if self.conduct.commits(Dishonesty.STAMPS_ABSENT_GOODS, subject) is not None:
            body: dict[str, Value] = {
                "carnet": bytes.fromhex(voucher.carnet), "serial": ABSENT_SERIAL, "endorsed_on": day.isoformat(),
                "final_on": None, "unconditional": True,
            }  # fmt: skip
            await self.attempt("carnet.endorse", body, (self._counterfoil(day, None),))

    async def goods_endorsed(self, receipt: Receipt) -> None:
        """Tell of a stamp with what the ledger found."""
        voucher = self.carnets.voucher_of(receipt.body)
        self.record(
            "goods.endorsed",
            carnet=self.name_of(self.carnets.carnet_of(receipt.body)),
            voucher=self.name_of_voucher(voucher.id),
            findings=list(receipt.findings),
            time_ms=receipt.time_ms,
        )

    async def endorse_voucher(self, step: EndorseVoucher) -> None:
        """Stamp a voucher unseen."""
        carnet, voucher = await self.voucher_named(step)
        day = step.endorsed_on or self.today
        final_on = step.final_on or self._final_date(carnet, voucher)
        await self._stamp(carnet, voucher, day, final_on, unconditional=step.unconditional)

    async def settle_goods(self, step: SettleGoods) -> None:
        """Take goods as settled."""
        carnet, voucher = await self.voucher_named(step)
        pieces = {line.item: line.pieces for line in step.items}
        root = self.commit(papers.settlement(voucher.id, step.how))
        await self.send(root, carnet.holder)
        body: dict[str, Value] = {
            **_naming(voucher),
            "items": [[item, count] for item, count in sorted(pieces.items())],
        }
        settled = await self.transact("carnet.settle", body, (root,))
        self.record(
            "goods.settled",
            carnet=step.carnet,
            voucher=self.name_of_voucher(voucher.id),
            items=papers.told(pieces),
            time_ms=settled.time_ms,
        )

    # Parts.

    def _goods_defects(
        self, carnet: CarnetEntry, voucher: VoucherEntry, shown: Paper | None, listed: Paper | None
    ) -> list[GoodsDefect]:
        if shown is None or listed is None or (shown.kind, listed.kind) != (papers.VOUCHER, papers.CARNET):
            return [GoodsDefect.UNREADABLE]
        goods, general_list = ATA_VOUCHER.unflatten(shown.plain()), _list_of(listed)
        late = carnet.valid_until is not None and self.today > carnet.valid_until
        found = (
            (GoodsDefect.OTHER_MARKS, bool(swapped_items(general_list, goods))),
            (
                GoodsDefect.OTHER_PIECES,
                dict(listed_pieces(goods)) != dict(voucher.record.items)
                or dict(listed_pieces(general_list)) != dict(carnet.items),
            ),
            (GoodsDefect.NOT_FILLED_IN, not may_be_signed(ATA_VOUCHER.check(goods))),
            (GoodsDefect.EXPIRED, late and MOVES[voucher.record.kind].needs_validity),
        )
        return [defect for defect, holds in found if holds]

    async def _refuse_goods(
        self, carnet: CarnetEntry, voucher: VoucherEntry, defects: list[GoodsDefect]
    ) -> None:
        root = self.commit(papers.refusal(voucher.id, defects))
        await self.send(root, carnet.holder)
        self.record(
            "goods.judged",
            private=True,
            voucher=self.name_of_voucher(voucher.id),
            defects=[defect.value for defect in defects],
            time_ms=self.desk.now_ms(),
        )
        refused = await self.transact("carnet.refuse", _naming(voucher), (root,))
        self.record(
            "goods.refused",
            carnet=self.name_of(carnet),
            voucher=self.name_of_voucher(voucher.id),
            time_ms=refused.time_ms,
        )

    async def _stamp(
        self,
        carnet: CarnetEntry,
        voucher: VoucherEntry,
        day: datetime.date,
        final_on: datetime.date | None,
        *,
        unconditional: bool,
    ) -> None:
        """Stamp voucher and counterfoil; the counterfoil's words go to the holder alone."""
        root = self._counterfoil(day, final_on)
        await self.send(root, carnet.holder)
        body: dict[str, Value] = {
            **_naming(voucher),
            "endorsed_on": day.isoformat(),
            "final_on": None if final_on is None else final_on.isoformat(),
            "unconditional": unconditional,
        }
        await self.transact("carnet.endorse", body, (root,))

    def _counterfoil(self, day: datetime.date, final_on: datetime.date | None) -> bytes:
        return self.commit(
            {
                KIND: papers.COUNTERFOIL,
                "office": self.organization.name,
                "stamped_on": day.isoformat(),
                "final_on": None if final_on is None else final_on.isoformat(),
                "officer": f"officer no. {self.random.randrange(1000, 10_000)} on duty",
            }
        )

    def _final_date(self, carnet: CarnetEntry, voucher: VoucherEntry) -> datetime.date | None:
        """Return the last day for re-export that goods get which come in."""
        final_ms = self.draw_ms(self.behavior.final_after)
        if not MOVES[voucher.record.kind].brings_in or carnet.valid_until is None:
            return None
        if final_ms is None:
            return carnet.valid_until
        return min(carnet.valid_until, self.today + datetime.timedelta(days=final_ms // DAY_MS))

    def _last_day(self, carnet: CarnetEntry, voucher: VoucherEntry) -> datetime.date | None:
        """Return the last day on which goods that leave may do so: the final date, or the carnet's validity."""
        cites = voucher.record.cites
        cited = None if cites is None else self.carnets.voucher(carnet, cites).record
        days = [
            day for day in (None if cited is None else cited.final_on, carnet.valid_until) if day is not None
        ]
        return min(days) if days and MOVES[voucher.record.kind].closes else None


def _naming(voucher: VoucherEntry) -> dict[str, Value]:
    return {"carnet": bytes.fromhex(voucher.carnet), "serial": voucher.serial}


def _list_of(paper: Paper) -> dict[str, Value]:
    return ATA_CARNET.unflatten(paper.plain())
