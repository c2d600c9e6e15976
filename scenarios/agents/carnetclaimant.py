"""Customs' application where it claims from the guaranteeing association for goods that did not leave as they should.

Rules:
- It claims when the final date for re-export has passed and goods are undischarged, or when they left late. What it
  claims are the import duties and taxes on their value, unless the scenario says more.
- The fine state of a claim moves only by the private review table; each public act that goes with a move carries a
  fresh salted commitment to the new state, and its salt goes to the association alone.
- A proof is direct if every piece was endorsed as gone by the last day of validity, indirect if every piece was seen
  elsewhere; both regularize, but for a direct one where that stamp itself is in dispute. An objection to the sum is
  met by the cap, one to the claim itself by withdrawing it, or by standing by it if the ledger has no such finding.
- A deposit that nobody recovered in time is made final; goods still held under the voucher are settled then.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from ledger.codes import Code
from ledger.contracts import Actor, Finding, RuleViolatedError
from ledger.contracts.carnet import (
    MOVES,
    CarnetFineState,
    CarnetReview,
    CarnetReviewEvent,
    ProofKind,
    advance_carnet_review,
    carnet_fine_commitment,
    claim_cap,
    open_review,
    proof_kind,
)
from ledger.encoding import Value
from ledger.forms.carnet import value_of
from ledger.genesis import Role
from scenarios.agents import carnetpapers as papers
from scenarios.agents.agent import Relation, StepError, Surroundings
from scenarios.agents.authority import business_ms
from scenarios.agents.carnetpapers import CarnetPaper, Objection
from scenarios.agents.carnetpart import DAY, CarnetPart
from scenarios.agents.carnetregister import CarnetEntry, VoucherEntry
from scenarios.agents.client import Receipt
from scenarios.agents.outgoing import RefusedActError
from scenarios.agents.papers import Paper
from scenarios.agents.register import Place
from scenarios.agents.work import Act
from scenarios.model.carnetsteps import ClaimOnCarnet

FALSE_OBJECTION = "FALSE_OBJECTION"
"""An objection that the ledger contradicts."""

_EVENTS: Mapping[str, CarnetReviewEvent] = {
    CarnetPaper.OBJECTION: CarnetReviewEvent.OBJECT,
    CarnetPaper.PROOF: CarnetReviewEvent.PROVE,
    CarnetPaper.DEPOSIT: CarnetReviewEvent.DEPOSIT,
}
"""What an association's answer is, by its kind."""


@dataclass(slots=True)
class _Claim:
    """A claim of this customs, with what is private of it."""

    id: str
    carnet: CarnetEntry
    voucher: VoucherEntry
    review: CarnetReview
    duties_usd: int
    amount_usd: int
    improper: bool


class CarnetClaimant(CarnetPart):
    """What customs' application does about goods that did not leave."""

    steps: ClassVar[Mapping[str, str]] = {"claim-on-carnet": "claim_on_carnet"}
    reactions: ClassVar[Mapping[tuple[str, Relation], str]] = {
        ("carnet.endorse", Relation.ANY): "watch_goods",
        ("carnet.claim", Relation.OWN): "claim_stands",
        ("carnet.answer", Relation.ANY): "association_answered",
    }

    def __init__(self, surroundings: Surroundings) -> None:
        super().__init__(surroundings)
        self._own_claims: dict[str, _Claim] = {}
        self._claimed_for: dict[str, None] = {}

    async def watch_goods(self, receipt: Receipt) -> None:
        """Claim for goods that came in here and are not gone in time, or that left here late."""
        carnet, voucher = self.carnets.carnet_of(receipt.body), self.carnets.voucher_of(receipt.body)
        delay_ms = self.draw_ms(self.behavior.carnet_claim_after)
        if voucher.record.office != self.id or delay_ms is None:
            return
        if MOVES[voucher.record.kind].brings_in and voucher.record.final_on is not None:
            late_ms = business_ms(voucher.record.final_on + DAY) + delay_ms
            await self.go_on_at(late_ms, partial(self._claim_if_still_here, carnet.id, voucher.serial))
        elif receipt.body.get("unconditional") is False and voucher.record.cites is not None:
            await self.sleep_until(receipt.time_ms + delay_ms)
            await self._claim_by_itself(carnet, self.carnets.voucher(carnet, voucher.record.cites))

    async def _claim_if_still_here(self, carnet_id: str, serial: int) -> None:
        carnet = self.carnets.carnets[carnet_id]
        voucher = self.carnets.voucher(carnet, serial)
        if voucher.record.undischarged:
            await self._claim_by_itself(carnet, voucher)

    async def claim_stands(self, receipt: Receipt) -> None:
        """Tell of a claim with what the ledger found."""
        claim = self.carnets.claim_of(receipt.body)
        self.record(
            "carnet_claim.opened",
            carnet_claim=self.name_of_voucher(claim.id),
            association=claim.association,
            findings=list(receipt.findings),
            time_ms=receipt.time_ms,
        )

    async def claim_on_carnet(self, step: ClaimOnCarnet) -> None:
        """Claim as the scenario says."""
        carnet, voucher = await self.voucher_named(step)
        await self._claim(carnet, voucher, step.amount_percent, improper=step.improper)

    async def association_answered(self, receipt: Receipt) -> None:
        """Take an association's answer in, and decide when its time comes."""
        entry = self.carnets.claim_of(receipt.body)
        claim = self._own_claims.get(entry.id)
        if claim is None or receipt.creator is None:
            return
        mail = await self.receive(receipt.documents[0], receipt.creator)
        event = None if mail.paper is None else _EVENTS.get(mail.paper.kind)
        if mail.paper is None or event is None:
            return
        day = self.legal_calendar.legal_date(receipt.time_ms)
        try:
            claim.review = advance_carnet_review(claim.review, event, Actor.GUARANTOR, day)
        except RuleViolatedError as error:
            self.record(
                "carnet_claim.late_answer",
                private=True,
                carnet_claim=self.name_of_voucher(claim.id),
                rule=error.rule,
                time_ms=receipt.time_ms,
            )
            return
        self._note_claim(claim, receipt.time_ms, receipt.creator)
        if event is CarnetReviewEvent.DEPOSIT:
            await self._finalize_after(claim)
            return
        delay_ms = self.draw_ms(self.behavior.review_after)
        if delay_ms is None:
            return
        await self.sleep_until(receipt.time_ms + delay_ms)
        if event is CarnetReviewEvent.OBJECT:
            await self._meet_objection(claim, mail.paper)
        else:
            await self._judge_proof(claim, mail.paper)

    # Moves.

    async def _claim_by_itself(self, carnet: CarnetEntry, voucher: VoucherEntry) -> None:
        """Claim once for one importation, however many of its parts are late."""
        if voucher.id in self._claimed_for or voucher.id in self.carnets.claims:
            return
        if not self.has_step("claim-on-carnet", carnet, voucher.serial):
            self._claimed_for[voucher.id] = None
            await self._claim(carnet, voucher, 100, improper=False)

    async def _claim(
        self, carnet: CarnetEntry, voucher: VoucherEntry, amount_percent: int, *, improper: bool
    ) -> None:
        fields, scripted = self.carnet_fields(carnet), self.scripted(carnet)
        association = self.first_of(Role.GUARANTEEING, self.organization.country)
        if fields is None or scripted is None or association is None:
            raise StepError(
                f"{self.id} cannot claim on {self.name_of_voucher(voucher.id)}: it has no general list, or its country"
                " no guaranteeing association"
            )
        pieces = voucher.record.undischarged or voucher.record.items
        duties_usd = value_of(fields, pieces) * scripted.duty_percent // 100
        amount_usd = duties_usd * amount_percent // 100
        claim = _Claim(voucher.id, carnet, voucher, open_review(self.today), duties_usd, amount_usd, improper)
        fine, salt = self._commit_claim(claim, CarnetFineState.CLAIM_OPEN)
        root = self.commit(papers.claim(claim.id, duties_usd, amount_usd, fine, salt))
        await self.send(root, association)
        self._own_claims[claim.id] = claim
        body: dict[str, Value] = {
            **_naming(voucher), "association": association, "improper": improper, "fine": fine,
        }  # fmt: skip
        try:
            place = await self.transact("carnet.claim", body, (root,))
        except RefusedActError:
            del self._own_claims[claim.id]
            raise
        claim.review = open_review(self.legal_calendar.legal_date(place.time_ms))
        self._note_claim(claim, place.time_ms, self.id, is_first=True)

    async def _meet_objection(self, claim: _Claim, paper: Paper) -> None:
        defects = paper.plain().get("defects")
        if isinstance(defects, list) and defects == [Objection.OVER_CAP.value]:
            claim.amount_usd = claim_cap(claim.duties_usd)
            await self._move_claim(claim, CarnetReviewEvent.AMEND)
        elif Finding.CARNET_CLAIM_LATE.value not in self.carnets.claims[claim.id].findings:
            # The ledger says that the claim was in time: it stands, at the same sum.
            self.record(
                "carnet_claim.false_objection",
                private=True,
                carnet_claim=self.name_of_voucher(claim.id),
                defect=FALSE_OBJECTION,
                time_ms=self.desk.now_ms(),
            )
            await self._move_claim(claim, CarnetReviewEvent.AMEND)
        else:
            await self._move_claim(claim, CarnetReviewEvent.WITHDRAW)

    async def _judge_proof(self, claim: _Claim, paper: Paper) -> None:
        proof = self._proof_of(claim, paper)
        accepted = proof is ProofKind.INDIRECT or (proof is ProofKind.DIRECT and not claim.improper)
        await self._move_claim(claim, CarnetReviewEvent.ACCEPT if accepted else CarnetReviewEvent.REJECT)
        if not accepted and self.today > claim.review.due_on:
            await self._finalize_after(claim)  # its time came while the proof was looked at

    async def _finalize_after(self, claim: _Claim) -> None:
        """Make a deposit final when the time to recover it is over; settle what is still held."""
        due_on = claim.review.due_on
        await self.sleep_until(business_ms(due_on + DAY))
        if claim.review.state is not CarnetFineState.PROVISIONAL_DEPOSIT or claim.review.due_on != due_on:
            return
        await self._move_claim(claim, CarnetReviewEvent.FINALIZE)
        held = claim.voucher.record.inside
        if held:
            root = self.commit(papers.settlement(claim.id, "DUTY PAID"))
            await self.send(root, claim.carnet.holder)
            body: dict[str, Value] = {
                "carnet": bytes.fromhex(claim.voucher.carnet),
                "serial": claim.voucher.serial,
                "items": [[item, count] for item, count in sorted(held.items())],
            }
            settled = await self.transact("carnet.settle", body, (root,))
            self.record(
                "goods.settled",
                carnet=self.name_of(claim.carnet),
                voucher=self.name_of_voucher(claim.id),
                items=papers.told(held),
                time_ms=settled.time_ms,
            )

    async def _move_claim(self, claim: _Claim, event: CarnetReviewEvent) -> Place:
        """Put the act that goes with an event on the ledger, then move the fine state as of its block."""
        after = self._claim_after(claim, event, self.desk.now_ms())
        fine, salt = self._commit_claim(claim, after.state)
        place = await self.transact(event.act, {**_naming(claim.voucher), "fine": fine})
        claim.review = self._claim_after(claim, event, place.time_ms)
        self._note_claim(claim, place.time_ms, self.id)
        root = self.commit(papers.decision(claim.id, after.state, fine, salt, claim.amount_usd))
        await self.send(root, self.carnets.claims[claim.id].association)
        return place

    def _claim_after(self, claim: _Claim, event: CarnetReviewEvent, time_ms: int) -> CarnetReview:
        day = self.legal_calendar.legal_date(time_ms)
        try:
            return advance_carnet_review(claim.review, event, Actor.OFFICE, day)
        except RuleViolatedError as error:
            act = Act(event.act, "", Code.RULE_VIOLATED.value, error.rule)
            self.note(act)
            raise RefusedActError(act) from None

    # Parts.

    def _proof_of(self, claim: _Claim, paper: Paper) -> ProofKind | None:
        """Return which proof a paper brings: every piece must be seen on the vouchers it names, and on the ledger."""
        named = paper.plain().get("vouchers")
        citing = self.carnets.citing(claim.carnet, claim.voucher.serial)
        shown = [entry for entry in citing if isinstance(named, list) and entry.serial in named]
        record = claim.voucher.record
        gone = [entry.record.endorsed_on for entry in shown if MOVES[entry.record.kind].closes]
        seen = [entry.record.endorsed_on for entry in shown if not MOVES[entry.record.kind].closes]
        gone_days, seen_days = [day for day in gone if day], [day for day in seen if day]
        if record.endorsed_on is None or claim.carnet.valid_until is None:
            return None
        return proof_kind(
            record.endorsed_on,
            claim.carnet.valid_until,
            max(gone_days) if gone_days and not record.undischarged else None,
            max(seen_days) if seen_days and not record.inside else None,
        )

    def _commit_claim(self, claim: _Claim, state: CarnetFineState) -> tuple[bytes, bytes]:
        salt = self.wallet.draw_salt()
        fine = carnet_fine_commitment(salt, bytes.fromhex(claim.voucher.carnet), claim.voucher.serial, state)
        self.wallet.keep_salt(fine, salt)
        return fine, salt

    def _note_claim(self, claim: _Claim, time_ms: int, by: str, *, is_first: bool = False) -> None:
        self.record(
            "carnet_claim.state",
            private=True,
            carnet_claim=self.name_of_voucher(claim.id),
            state=claim.review.state.value,
            is_first=is_first,
            time_ms=time_ms,
            by=by,
        )


def _naming(voucher: VoucherEntry) -> dict[str, Value]:
    return {"carnet": bytes.fromhex(voucher.carnet), "voucher": voucher.serial}
