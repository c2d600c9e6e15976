"""The carnet holder's application: it applies, presents goods, proves that they left, and returns the carnet.

Rules:
- A cover or list with faults is not sent, unless the scenario says that somebody really does.
- The general list goes to an office with the first goods that are presented there.
- Marks on goods are those of the list unless the scenario says what they really bear.
- A proof names the vouchers whose counterfoils show that goods left: re-exports, else re-imports or other countries'
  importations. It goes to the issuing association, which passes it on.
- A dishonest one may present a voucher twice, an item that is not listed, other goods, or goods too late; or sell them
  and call them lost. What the ledger refuses it presents as it should be.
- A carnet is returned when all goods are home or settled.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from ledger.contracts.carnet import CarnetState, VoucherKind
from ledger.encoding import Value
from ledger.forms import may_be_signed
from ledger.forms.carnet import ATA_CARNET, listed_marks, listed_pieces, value_of
from ledger.forms.voucher import ATA_VOUCHER
from ledger.genesis import Role
from scenarios.agents import carnetpapers as papers
from scenarios.agents.agent import Relation, StepError
from scenarios.agents.authority import business_ms
from scenarios.agents.carnetpapers import CarnetPaper
from scenarios.agents.carnetpart import CarnetPart
from scenarios.agents.carnetregister import CarnetClaimEntry, CarnetEntry
from scenarios.agents.client import Receipt
from scenarios.agents.papers import KIND
from scenarios.agents.register import Place
from scenarios.model.behaviors import Dishonesty
from scenarios.model.carnetsteps import (
    ApplyCarnet,
    PresentGoods,
    ProveReexport,
    ReportLostCarnet,
    ReturnCarnet,
)

CARNET_ID_BYTES = 16
SWAPPED_MARKS = "other marks than on the list"
LATE = datetime.timedelta(days=10)


@dataclass(frozen=True, slots=True)
class _Line:
    """Goods that are presented: how many pieces of an item, with which marks if not those of the list."""

    item: int
    pieces: int
    marks: str | None


class CarnetHolder(CarnetPart):
    """What a carnet holder's application does."""

    steps: ClassVar[Mapping[str, str]] = {
        "apply-carnet": "apply_carnet",
        "present-goods": "present_goods",
        "report-lost-carnet": "report_lost_carnet",
        "return-carnet": "return_carnet",
        "prove-reexport": "prove_reexport",
    }
    reactions: ClassVar[Mapping[tuple[str, Relation], str]] = {
        ("carnet.issue", Relation.ANY): "show_carnet",
        ("carnet.endorse", Relation.ANY): "goods_moved",
        ("carnet.settle", Relation.ANY): "goods_moved",
        ("carnet.claim", Relation.ANY): "claim_came_down",
    }

    async def apply_carnet(self, step: ApplyCarnet) -> None:
        """Apply for a carnet with its general list, and give its security."""
        scripted = self.script.carnets[step.carnet]
        if scripted.form != "ata-carnet":
            raise StepError(f"carnet {step.carnet} replaces another; report that one lost instead")
        fields = scripted.form_values()
        faults = ATA_CARNET.check(fields)
        if not may_be_signed(faults) and not scripted.faulty:
            raise StepError(
                f"carnet {step.carnet}: faults in box {', '.join(str(fault.box) for fault in faults)}"
            )
        fields = self.conduct.filled_in("carnet", fields, f"carnet {step.carnet}")
        carnet = self.random.randbytes(CARNET_ID_BYTES)
        self.desk.bind("carnet", step.carnet, carnet.hex())
        root = self.commit({KIND: papers.CARNET, **ATA_CARNET.flatten(fields)})
        await self.send(root, scripted.issuer)
        items: list[Value] = [[item, count] for item, count in sorted(listed_pieces(fields).items())]
        await self.transact(
            "carnet.apply", {"carnet": carnet, "issuer": scripted.issuer, "items": items}, (root,)
        )
        amount_usd = -(-value_of(fields) * scripted.security_percent // 100)
        security = self.commit(papers.security(carnet.hex(), amount_usd))
        await self.send(security, scripted.issuer)
        secured = await self.transact("carnet.secure", {"carnet": carnet}, (security,))
        self.record("carnet.applied", carnet=step.carnet, ledger_id=carnet.hex(), time_ms=secured.time_ms)

    async def show_carnet(self, receipt: Receipt) -> None:
        """Show an issued carnet to the home customs, which activates it."""
        carnet = self.carnets.carnet_of(receipt.body)
        customs = self.first_of(Role.CUSTOMS, self.organization.country)
        if carnet.holder == self.id and customs is not None:
            await self.send(carnet.root, customs)

    async def present_goods(self, step: PresentGoods) -> None:
        """Present goods with a voucher; what a dishonest holder does instead goes on by itself."""
        carnet = await self.carnet_named(step.carnet)
        subject = f"voucher {step.carnet}/{step.voucher}"
        came_in = step.cites is not None and self.carnets.has_voucher(carnet, step.cites)
        leaves = came_in and step.kind == VoucherKind.REEXPORT
        if leaves and self.conduct.commits(Dishonesty.SELLS_ABROAD, subject) is not None:
            await self._report_goods_lost(step, carnet)
        elif leaves and self.conduct.commits(Dishonesty.BACK_DATES_VOUCHER, subject) is not None:
            self.start(f"late {subject}", self._present_late(step, carnet))
        else:
            await self._present_as_tempted(step, carnet, subject)

    async def _present_as_tempted(self, step: PresentGoods, carnet: CarnetEntry, subject: str) -> None:
        await self.send(carnet.root, step.office)
        lines = [_Line(line.item, line.pieces, line.marks) for line in step.items]
        if self.conduct.commits(Dishonesty.ADDS_UNLISTED_ITEM, subject) is not None:
            listed = [*carnet.items, *(line.item for line in lines)]
            added = [*lines, _Line(max(listed) + 1, 1, None)]
            if await self._present(step, carnet, added) is not None:
                return
        if self.conduct.commits(Dishonesty.SWAPS_SERIAL, subject) is not None:
            lines = [_Line(line.item, line.pieces, SWAPPED_MARKS) for line in lines]
        presented = await self._present(step, carnet, lines)
        if presented is None:
            return
        self._tell_presented(step, presented)
        if self.conduct.commits(Dishonesty.PRESENTS_TWICE, subject) is not None:
            await self._present(step, carnet, lines)

    async def _present_late(self, step: PresentGoods, carnet: CarnetEntry) -> None:
        """Present goods ten days after the final date, with a voucher that bears that date."""
        cited = self.carnets.voucher(carnet, step.cites).record if step.cites is not None else None
        final_on = cited.final_on if cited is not None and cited.final_on is not None else self.today
        await self.sleep_until(business_ms(final_on + LATE))
        await self.send(carnet.root, step.office)
        lines = [_Line(line.item, line.pieces, line.marks) for line in step.items]
        presented = await self._present(step, carnet, lines, signed_on=final_on.isoformat())
        if presented is not None:
            self._tell_presented(step, presented)

    async def _present(
        self, step: PresentGoods, carnet: CarnetEntry, lines: Sequence[_Line], signed_on: str | None = None
    ) -> Place | None:
        """Hand a voucher in; None if the ledger refuses it."""
        fields = self._filled_voucher(step, carnet, lines)
        if signed_on is not None:
            fields["signed_on"] = signed_on
        written = self.conduct.filled_in("voucher", fields, f"voucher {step.carnet}/{step.voucher}")
        root = self.commit({KIND: papers.VOUCHER, **ATA_VOUCHER.flatten(written)})
        await self.send(root, step.office)
        body: dict[str, Value] = {
            "carnet": bytes.fromhex(carnet.id),
            "serial": step.voucher,
            "counterfoil": step.counterfoil or step.voucher,
            "kind": step.kind,
            "office": step.office,
            "items": [[line.item, line.pieces] for line in lines],
            "cites": step.cites,
        }
        return await self.attempt("carnet.present", body, (root,))

    def _tell_presented(self, step: PresentGoods, presented: Place) -> None:
        self.record(
            "goods.presented",
            carnet=step.carnet,
            voucher=f"{step.carnet}/{step.voucher}",
            kind=step.kind,
            office=step.office,
            items=papers.told({line.item: line.pieces for line in step.items}),
            time_ms=presented.time_ms,
        )

    async def _report_goods_lost(self, step: PresentGoods, carnet: CarnetEntry) -> None:
        """Tell the office that goods were lost there; their duties are owed all the same."""
        root = self.commit(papers.goods_lost(f"{carnet.id}/{step.cites}"))
        await self.send(root, step.office)
        await self.transact("document.anchor", {"class": "commercial", "addressees": [step.office]}, (root,))

    async def report_lost_carnet(self, step: ReportLostCarnet) -> None:
        """Tell the association that a carnet is lost."""
        carnet = await self.carnet_named(step.carnet)
        root = self.commit(papers.loss(carnet.id))
        await self.send(root, carnet.issuer)
        told = await self.transact(
            "document.anchor", {"class": "commercial", "addressees": [carnet.issuer]}, (root,)
        )
        self.record("carnet.lost", private=True, carnet=step.carnet, time_ms=told.time_ms)

    async def return_carnet(self, step: ReturnCarnet) -> None:
        """Return a carnet."""
        await self._return_carnet(await self.carnet_named(step.carnet))

    async def goods_moved(self, receipt: Receipt) -> None:
        """Return the carnet when its last goods are home or settled."""
        carnet = self.carnets.living(self.carnets.carnet_of(receipt.body))
        delay_ms = self.draw_ms(self.behavior.return_after)
        if carnet.holder != self.id or delay_ms is None or not self._all_home(carnet):
            return
        if self.has_step("return-carnet", carnet):
            return
        await self.sleep_until(receipt.time_ms + delay_ms)
        if self._all_home(carnet):
            await self._return_carnet(carnet)

    # Claims.

    async def claim_came_down(self, receipt: Receipt) -> None:
        """Answer customs' claim, which comes down the chain of associations, with a proof if there is one."""
        carnet = self.carnets.carnet_of(receipt.body)
        if carnet.holder != self.id or carnet.guarantor is None:
            return
        claim = self.carnets.claim_of(receipt.body)
        await self.receive_about(CarnetPaper.CLAIM, carnet.guarantor, claim.id)
        self.record(
            "carnet_claim.received",
            private=True,
            carnet_claim=self.name_of_voucher(claim.id),
            time_ms=self.desk.now_ms(),
        )
        delay_ms = self.draw_ms(self.behavior.prove_after)
        if delay_ms is None or self.has_step("prove-reexport", carnet, claim.serial):
            return
        await self.sleep_until(receipt.time_ms + delay_ms)
        if self._evidence(carnet, claim.serial):
            await self._prove(carnet, claim)

    async def prove_reexport(self, step: ProveReexport) -> None:
        """Send the issuing association what proof there is."""
        carnet, voucher = await self.voucher_named(step)
        claim = self.carnets.claims.get(voucher.id)
        if claim is None:
            raise StepError(f"there is no claim on voucher {step.carnet}/{step.voucher}")
        await self._prove(carnet, claim)

    # Parts.

    async def _prove(self, carnet: CarnetEntry, claim: CarnetClaimEntry) -> None:
        if carnet.guarantor is None:
            raise StepError(f"carnet {self.name_of(carnet)} was never issued")
        root = self.commit(papers.proof(claim.id, self._evidence(carnet, claim.serial)))
        await self.send(root, carnet.guarantor)
        self.record(
            "carnet_claim.proof_sent",
            private=True,
            carnet_claim=self.name_of_voucher(claim.id),
            time_ms=self.desk.now_ms(),
        )

    def _evidence(self, carnet: CarnetEntry, serial: int) -> list[int]:
        """Return the serials of the vouchers that show where goods went that came in under one."""
        return [entry.serial for entry in self.carnets.citing(carnet, serial)]

    def _all_home(self, carnet: CarnetEntry) -> bool:
        goods = self.carnets.goods_of(carnet)
        abroad = any(goods.out.values()) or any(any(there.values()) for there in goods.inside.values())
        return carnet.state is CarnetState.ACTIVE and not abroad

    async def _return_carnet(self, carnet: CarnetEntry) -> None:
        returned = await self.transact("carnet.return", {"carnet": bytes.fromhex(carnet.id)})
        self.record("carnet.returned", carnet=self.name_of(carnet), time_ms=returned.time_ms)

    def _filled_voucher(
        self, step: PresentGoods, carnet: CarnetEntry, lines: Sequence[_Line]
    ) -> dict[str, Value]:
        """Return the holder's part of a voucher, filled in from cover and list."""
        cover = self.carnet_fields(carnet)
        if cover is None:
            raise StepError(
                f"{self.id} has no general list of carnet {step.carnet}; let its holder present it"
            )
        # What a careless hand left off the cover, the holder knows all the same.
        scripted = self.scripted(carnet)
        header = {**({} if scripted is None else scripted.form_values()), **cover}
        marks = listed_marks(cover)
        items: list[Value] = []
        for line in lines:
            row: dict[str, Value] = {"item": line.item, "pieces": line.pieces}
            borne = line.marks if line.marks is not None else marks.get(line.item)
            items.append(row if borne is None else row | {"marks": borne})
        fields: dict[str, Value] = {
            "voucher_kind": step.kind,
            "serial": step.voucher,
            **{
                name: header[name]
                for name in ("number", "holder_name", "representative", "use")
                if name in header
            },
            "transport": step.transport,
            "items": items,
            "cites": step.cites,
        }
        faults = ATA_VOUCHER.check(fields)
        if not may_be_signed(faults):
            boxes = ", ".join(str(fault.box) for fault in faults)
            raise StepError(f"voucher {step.carnet}/{step.voucher}: faults in box {boxes}; correct them")
        return fields
