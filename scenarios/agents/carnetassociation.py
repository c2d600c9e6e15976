"""The association's application: it issues, replaces and discharges carnets, and answers customs' claims.

Rules:
- It issues when the general list has no fault of form, its public part is the list's, and the security is enough. A
  chamber issues under the guarantee of its country's first guaranteeing association.
- A claim goes down the chain, association of the country of importation, issuing association, holder, and a proof
  comes up it; each passes on the envelope it was sent. A further proof comes up after one that customs rejected, and
  waits until customs has decided on the one before.
- It objects to a claim that is late or more than the duties and ten percent. On the last day of its time without a
  proof it deposits the sum, and never more than the cap.
- A dishonest one issues before it has security, for less than is due, for too long, or to nobody who applied; or it
  objects to a claim in time.
- A carnet that is returned is discharged as soon as no claim is open or possible.
"""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from typing import ClassVar

from ledger.contracts import Actor, Finding, RuleViolatedError
from ledger.contracts.carnet import (
    CarnetFineState,
    CarnetReview,
    CarnetReviewEvent,
    CarnetState,
    advance_carnet_review,
    carnet_claim_due_on,
    carnet_fine_commitment,
    claim_cap,
    open_review,
)
from ledger.encoding import Value
from ledger.forms import may_be_signed
from ledger.forms.carnet import ATA_CARNET, listed_pieces, security_due
from ledger.genesis import Role
from scenarios.agents import carnetpapers as papers
from scenarios.agents.agent import Relation, Surroundings
from scenarios.agents.authority import business_ms
from scenarios.agents.carnetpapers import CarnetPaper, Objection
from scenarios.agents.carnetpart import DAY, CarnetPart
from scenarios.agents.carnetregister import CarnetClaimEntry, CarnetEntry
from scenarios.agents.client import Receipt
from scenarios.agents.papers import FINE, Paper, PaperError
from scenarios.model.behaviors import Dishonesty

CARNET_ID_BYTES = 16
TOO_LONG = datetime.timedelta(days=730)
HALF_A_YEAR = datetime.timedelta(days=182)


_UNDER_REVIEW = (CarnetFineState.PROOF_GIVEN, CarnetFineState.RECOVERY_SOUGHT)
"""States in which customs looks at a proof; the next one waits for its decision."""


@dataclass(slots=True)
class _Answering:
    """A claim that this association answers.

    Attributes:
        claim: what the ledger says of it.
        review: its fine state, as this association knows it.
        duties_usd, amount_usd: import duties and taxes, and what is claimed.
        turn: held by the job that answers.
    """

    claim: CarnetClaimEntry
    review: CarnetReview
    duties_usd: int
    amount_usd: int
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)


class CarnetAssociation(CarnetPart):
    """What a chamber's or a guaranteeing association's application does."""

    reactions: ClassVar[Mapping[tuple[str, Relation], str]] = {
        ("carnet.apply", Relation.ANY): "carnet_applied",
        ("carnet.secure", Relation.ANY): "carnet_secured",
        ("carnet.return", Relation.ANY): "carnet_returned",
        ("carnet.close", Relation.ANY): "claim_was_closed",
        ("carnet.claim", Relation.ANY): "claim_was_made",
        ("carnet.decide", Relation.ANY): "claim_was_decided",
        ("document.anchor", Relation.ANY): "document_came",
    }

    def __init__(self, surroundings: Surroundings) -> None:
        super().__init__(surroundings)
        self._answering: dict[str, _Answering] = {}

    # Carnets.

    async def carnet_secured(self, receipt: Receipt) -> None:
        """Issue a carnet whose list and security are in order."""
        carnet = self.carnets.carnet_of(receipt.body)
        if carnet.issuer != self.id:
            return
        applied = await self.receive(carnet.root, carnet.holder)
        secured = await self.receive(receipt.documents[0], carnet.holder)
        scripted, delay_ms = self.scripted(carnet), self.draw_ms(self.behavior.issue_after)
        if delay_ms is None or scripted is None:
            return
        await self.sleep_until(receipt.time_ms + delay_ms)
        name = f"carnet {self.name_of(carnet)}"
        await self._invent_holder(name)
        sound = _is_sound(carnet, applied.paper)
        if not sound or not (
            _is_secured(applied.paper, secured.paper)
            or self.conduct.commits(Dishonesty.WAIVES_SECURITY, name) is not None
        ):
            self.record(
                "carnet.withheld", private=True, carnet=self.name_of(carnet), time_ms=self.desk.now_ms()
            )
            return
        if self.conduct.commits(Dishonesty.ISSUES_TOO_LONG, name) is not None and await self._try_issue(
            bytes.fromhex(carnet.id), self.today + TOO_LONG
        ):
            return
        body = self._issue_body(bytes.fromhex(carnet.id), scripted.valid_until)
        issued = await self.transact("carnet.issue", body)
        self.record(
            "carnet.issued",
            carnet=self.name_of(carnet),
            valid_until=scripted.valid_until.isoformat(),
            time_ms=issued.time_ms,
        )

    async def carnet_applied(self, receipt: Receipt) -> None:
        """Issue a carnet before it is secured, if this association is dishonest so."""
        carnet = self.carnets.carnet_of(receipt.body)
        scripted = self.scripted(carnet)
        if carnet.issuer != self.id or scripted is None:
            return
        if self.conduct.commits(Dishonesty.ISSUES_UNSECURED, f"carnet {self.name_of(carnet)}") is not None:
            await self._try_issue(bytes.fromhex(carnet.id), scripted.valid_until)

    async def _invent_holder(self, subject: str) -> None:
        if self.conduct.commits(Dishonesty.INVENTS_HOLDER, subject) is not None:
            await self._try_issue(self.random.randbytes(CARNET_ID_BYTES), self.today + HALF_A_YEAR)

    async def _try_issue(self, carnet: bytes, valid_until: datetime.date) -> bool:
        """Issue a carnet against the rules; say whether the ledger took it."""
        return await self.attempt("carnet.issue", self._issue_body(carnet, valid_until)) is not None

    def _issue_body(self, carnet: bytes, valid_until: datetime.date) -> dict[str, Value]:
        guarantor = self.first_of(Role.GUARANTEEING, self.organization.country)
        return {
            "carnet": carnet,
            "guarantor": self.id if Role.GUARANTEEING in self.organization.roles else guarantor,
            "valid_until": valid_until.isoformat(),
        }

    async def document_came(self, receipt: Receipt) -> None:
        """Replace a carnet whose holder says that it is lost."""
        addressees = receipt.body.get("addressees")
        if not isinstance(addressees, list) or self.id not in addressees or receipt.creator is None:
            return
        mail = await self.receive(receipt.documents[0], receipt.creator)
        if mail.paper is None or mail.paper.kind != CarnetPaper.LOSS:
            return
        carnet = self.carnets.carnets.get(mail.paper.text("claim"))
        delay_ms = self.draw_ms(self.behavior.issue_after)
        if carnet is None or delay_ms is None or (carnet.holder, carnet.issuer) != (receipt.creator, self.id):
            return
        await self.sleep_until(receipt.time_ms + delay_ms)
        name, successor = self.name_of(carnet), self.random.randbytes(CARNET_ID_BYTES)
        new_name = next(
            (
                other
                for other, scripted in self.script.carnets.items()
                if scripted.form == "ata-replacement" and scripted.replaces == name
            ),
            None,
        )
        if new_name is not None:
            self.desk.bind("carnet", new_name, successor.hex())
        replaced = await self.transact(
            "carnet.replace", {"carnet": bytes.fromhex(carnet.id), "successor": successor}
        )
        self.record(
            "carnet.replaced",
            carnet=name,
            carnet_successor=new_name or successor.hex(),
            time_ms=replaced.time_ms,
        )

    async def carnet_returned(self, receipt: Receipt) -> None:
        """Discharge a returned carnet, at the latest when the year for claims is over."""
        carnet = self.carnets.carnet_of(receipt.body)
        if carnet.issuer != self.id or carnet.valid_until is None:
            return
        if not await self._discharge_carnet(carnet) and not self.carnets.goods_of(carnet).open_claims:
            over_ms = business_ms(carnet_claim_due_on(carnet.valid_until) + DAY)
            await self.go_on_at(over_ms, partial(self._discharge_after_a_year, carnet.id))

    async def _discharge_after_a_year(self, carnet: str) -> None:
        await self._discharge_carnet(self.carnets.carnets[carnet])

    async def claim_was_closed(self, receipt: Receipt) -> None:
        """Discharge a carnet when its last claim is closed; take customs' decision in."""
        carnet = self.carnets.living(self.carnets.carnet_of(receipt.body))
        await self.claim_was_decided(receipt)
        if carnet.issuer == self.id:
            await self._discharge_carnet(carnet)

    async def _discharge_carnet(self, carnet: CarnetEntry) -> bool:
        """Discharge a returned carnet if no claim is open or possible; say whether that is done."""
        goods = self.carnets.goods_of(carnet)
        in_time = carnet.valid_until is not None and self.today <= carnet_claim_due_on(carnet.valid_until)
        possible = bool(goods.open_claims) or (bool(goods.open_imports) and in_time)
        if carnet.state is not CarnetState.RETURNED or possible:
            return carnet.state is CarnetState.DISCHARGED
        done = await self.transact("carnet.discharge", {"carnet": bytes.fromhex(carnet.id)})
        self.record("carnet.discharged", carnet=self.name_of(carnet), time_ms=done.time_ms)
        return True

    # Claims.

    async def claim_was_made(self, receipt: Receipt) -> None:
        """Pass a claim on down the chain, a proof up it, and answer if it is made to this association."""
        carnet = self.carnets.carnet_of(receipt.body)
        claim = self.carnets.claim_of(receipt.body)
        if claim.association == self.id:
            await self._answer_claim(carnet, claim)
        elif carnet.guarantor == self.id:
            paper = await self.receive_about(CarnetPaper.CLAIM, claim.association, claim.id)
            if await self._pass_on_in_time(claim.opened.time_ms):
                await self.send(paper.root, carnet.holder)
                for seen in count():
                    proof = await self.receive_next(CarnetPaper.PROOF, carnet.holder, claim.id, seen)
                    await self._pass_on_in_time(self.desk.now_ms())
                    await self.send(proof.root, claim.association)

    async def _pass_on_in_time(self, since_ms: int) -> bool:
        """Wait as long as this association takes to pass something on; False if it never does."""
        delay_ms = self.draw_ms(self.behavior.pass_on_after)
        if delay_ms is None:
            return False
        await self.sleep_until(since_ms + delay_ms)
        return True

    async def claim_was_decided(self, receipt: Receipt) -> None:
        """Take customs' decision in: go on from the state that it opens."""
        carnet = self.carnets.carnet_of(receipt.body)
        case = self._answering.get(self.carnets.claim_of(receipt.body).id)
        if case is None or receipt.creator is None:
            return
        paper = await self.receive_about(FINE, receipt.creator, str(receipt.body["fine"]))
        state = _opened(paper, case.claim)
        self.record(
            "carnet_claim.decision_received",
            private=True,
            carnet_claim=self.name_of_voucher(case.claim.id),
            believed=state is not None,
            time_ms=self.desk.now_ms(),
        )
        if state is None or receipt.type != "carnet.decide":
            return
        was_contested = case.review.state is CarnetFineState.CONTESTED
        case.review = CarnetReview(state, case.review.due_on)
        case.amount_usd = paper.integer("amount_usd")
        self.news.fire()
        if was_contested:
            self._stand_by(carnet, case)
        else:
            self.start(f"deposit for {case.claim.id}", self._deposit_at(case))

    async def _answer_claim(self, carnet: CarnetEntry, claim: CarnetClaimEntry) -> None:
        mail = await self.receive(claim.root, claim.customs)
        if mail.paper is None or mail.paper.kind != CarnetPaper.CLAIM:
            return
        opened_on = self.legal_calendar.legal_date(claim.opened.time_ms)
        paper = mail.paper
        case = _Answering(
            claim, open_review(opened_on), paper.integer("duties_usd"), paper.integer("amount_usd")
        )
        self._answering[claim.id] = case
        name = self.name_of_voucher(claim.id)
        objections = [
            objection
            for objection, holds in (
                (Objection.CLAIM_LATE, Finding.CARNET_CLAIM_LATE.value in claim.findings),
                (Objection.OVER_CAP, case.amount_usd > claim_cap(case.duties_usd)),
            )
            if holds
        ]
        if (
            not objections
            and self.conduct.commits(Dishonesty.REFUSES_HONEST_CLAIM, f"carnet claim {name}") is not None
        ):
            objections = [Objection.CLAIM_LATE]
        if not await self._pass_on_in_time(claim.opened.time_ms):
            return
        if objections:
            root = self.commit(papers.objection(claim.id, objections))
            await self._respond_to_customs(case, CarnetReviewEvent.OBJECT, root)
        else:
            self._stand_by(carnet, case)

    def _stand_by(self, carnet: CarnetEntry, case: _Answering) -> None:
        """Pass the claim on, and wait for a proof and for the last day of the time for one."""
        self.start(f"proofs for {case.claim.id}", self._pass_proofs(carnet, case))
        self.start(f"deposit for {case.claim.id}", self._deposit_at(case))

    async def _pass_proofs(self, carnet: CarnetEntry, case: _Answering) -> None:
        if carnet.guarantor is None:
            return
        await self.send(case.claim.root, carnet.guarantor)
        for seen in count():
            proof = await self.receive_next(CarnetPaper.PROOF, carnet.guarantor, case.claim.id, seen)
            await self._pass_on_in_time(self.desk.now_ms())
            await self.until(f"a decision on {case.claim.id}", lambda: case.review.state not in _UNDER_REVIEW)
            await self._respond_to_customs(case, CarnetReviewEvent.PROVE, proof.root)

    async def _deposit_at(self, case: _Answering) -> None:
        await self.sleep_until(business_ms(case.review.due_on))
        if case.review.state is CarnetFineState.CLAIM_OPEN and not case.claim.is_closed:
            amount_usd = min(case.amount_usd, claim_cap(case.duties_usd))
            root = self.commit(papers.deposit(case.claim.id, amount_usd))
            await self._respond_to_customs(case, CarnetReviewEvent.DEPOSIT, root)

    async def _respond_to_customs(self, case: _Answering, event: CarnetReviewEvent, root: bytes) -> None:
        """Answer customs, if the private table lets this association do so today."""
        claim = case.claim
        async with case.turn:
            try:
                after = advance_carnet_review(case.review, event, Actor.GUARANTOR, self.today)
            except RuleViolatedError as error:
                self.record(
                    "carnet_claim.unanswered",
                    private=True,
                    carnet_claim=self.name_of_voucher(claim.id),
                    answer=event.value,
                    rule=error.rule,
                    time_ms=self.desk.now_ms(),
                )
                return
            case.review = after
            await self.send(root, claim.customs)
            body: dict[str, Value] = {"carnet": bytes.fromhex(claim.carnet), "voucher": claim.serial}
            answered = await self.transact("carnet.answer", body, (root,))
        self.record(
            "carnet_claim.answered", carnet_claim=self.name_of_voucher(claim.id), time_ms=answered.time_ms
        )


def _is_sound(carnet: CarnetEntry, applied: Paper | None) -> bool:
    """Whether the list has no fault and is the public one."""
    if applied is None:
        return False
    fields = ATA_CARNET.unflatten(applied.plain())
    return may_be_signed(ATA_CARNET.check(fields)) and dict(listed_pieces(fields)) == dict(carnet.items)


def _is_secured(applied: Paper | None, secured: Paper | None) -> bool:
    """Whether the security given is what is due."""
    if applied is None or secured is None:
        return False
    try:
        return secured.integer("amount_usd") >= security_due(ATA_CARNET.unflatten(applied.plain()))
    except PaperError:
        return False


def _opened(decision: Paper, claim: CarnetClaimEntry) -> CarnetFineState | None:
    """Return the state that a decision says, if its salt and it open the commitment on the ledger."""
    try:
        state = CarnetFineState(decision.text("state"))
        fine = carnet_fine_commitment(decision.raw("salt"), bytes.fromhex(claim.carnet), claim.serial, state)
    except (PaperError, ValueError):
        return None
    return state if fine == decision.raw(FINE) else None
