"""The application of an importer that works through a customs broker: powers, instructions, Customs' letters passed on.

Rules:
- It grants and revokes powers as the scenario says; the ledger judges by them.
- An instruction has what is behind the entry line. Before it goes out, certificate and invoice are disclosed to the
  broker on the ledger, so that the broker reads what was anchored and nothing is issued twice.
- Customs writes to the importer of record. A request on a claim that a broker filed is disclosed to the broker
  while its power is in force; after that the importer answers itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import ClassVar

from ledger.encoding import Value
from scenarios.agents.agent import Relation, StepError, Surroundings
from scenarios.agents.client import Receipt
from scenarios.agents.entrant import Entrant
from scenarios.agents.papers import KIND, PaperKind
from scenarios.model.brokersteps import GrantPower, InstructBroker, RevokePower


class Principal(Entrant):
    """What an importer does with its customs broker."""

    steps: ClassVar[Mapping[str, str]] = {
        **Entrant.steps,
        "grant-power": "grant_power",
        "revoke-power": "revoke_power",
        "instruct-broker": "instruct_broker",
    }
    reactions: ClassVar[Mapping[tuple[str, Relation], str]] = {
        ("claim.open", Relation.CONCERNED): "letter_for_broker",
    }

    def __init__(self, surroundings: Surroundings) -> None:
        super().__init__(surroundings)
        self._disclosing = asyncio.Lock()

    async def grant_power(self, step: GrantPower) -> None:
        """Grant a broker its power of attorney."""
        last = None if step.last is None else step.last.isoformat()
        body: dict[str, Value] = {"broker": step.broker, "from": step.first.isoformat(), "to": last}
        granted = await self.transact("power.grant", body)
        self.record(
            "power.granted",
            broker=step.broker,
            first=step.first.isoformat(),
            last=last,
            time_ms=granted.time_ms,
        )

    async def revoke_power(self, step: RevokePower) -> None:
        """End a broker's power of attorney."""
        revoked = await self.transact("power.revoke", {"broker": step.broker})
        self.record("power.revoked", broker=step.broker, time_ms=revoked.time_ms)

    async def instruct_broker(self, step: InstructBroker) -> None:
        """Have the claim's broker enter a line: disclose what supports it, then send the instruction."""
        broker = self.script.claims[step.claim].broker
        if broker is None:
            raise StepError(f"claim {step.claim} has no broker; name one under the claim")
        line = self.line_of(step.claim)
        await self._disclose_support(line, broker)
        root = self.commit({**line, KIND: PaperKind.INSTRUCTION.value})
        await self.send(root, broker)
        place = await self.transact(
            "document.anchor", {"class": "commercial", "addressees": [broker]}, (root,)
        )
        self.record("broker.instructed", claim=step.claim, broker=broker, time_ms=place.time_ms)

    async def letter_for_broker(self, receipt: Receipt) -> None:
        """Pass a request of Customs on to the broker that filed the claim, while its power is in force."""
        claim = self.register.claim_of(receipt)
        name = self.desk.local_name("claim", claim.id)
        if claim.filer == self.id or name is None:
            return
        request = await self.receive(receipt.documents[0], receipt.creator or "")
        if request.paper is None or not self.is_in_force(self.id, claim.filer):
            return
        await self._disclose_support(self.line_of(name), claim.filer)
        await self._disclose_to(request.root, claim.filer)
        self.record("request.passed_on", private=True, claim=name, to=claim.filer, time_ms=self.desk.now_ms())

    async def _disclose_support(self, line: Mapping[str, Value], broker: str) -> None:
        """Disclose the certificate and invoice of an entry line, as far as the broker does not read them yet."""
        certificate = self.register.certificates.get(str(line["certificate"]))
        invoice = line["invoice_root"]
        if certificate is not None and await self._disclose_to(certificate.root, broker):
            name = self.desk.local_name("certificate", certificate.id)
            self.record("certificate.disclosed", certificate=name, to=broker, time_ms=self.desk.now_ms())
        if isinstance(invoice, bytes) and await self._disclose_to(invoice, broker):
            name = self.desk.local_name("invoice", invoice.hex())
            self.record("invoice.disclosed", invoice=name, to=broker, time_ms=self.desk.now_ms())

    async def _disclose_to(self, root: bytes, broker: str) -> bool:
        """Disclose a document to a broker that does not read it yet; say whether it was done."""
        document = self.wallet.issued(root) or self.wallet.opened(root)
        async with self.in_turn(self._disclosing, "a disclosure"):
            if document is None or self.disclosures.reads(root, broker):
                return False
            await self.send(root, broker)
            await self.transact("document.disclose", {"root": root, "to": broker})
            await self.until("the disclosure", lambda: self.disclosures.reads(root, broker))
        return True
