"""The customs broker's application: it enters lines in its principals' names, and answers Customs for them.

Rules:
- It acts on instructions alone, and only while the principal's power of attorney is in force (19 CFR 141.46); one that
  comes without a power it declines. A step of the scenario it takes whatever its powers are: the ledger judges.
- What it enters is what the instruction says; an invoice that was not disclosed to it, it cannot pass on.
- A request of Customs that its principal passes on it answers after as long as it takes, with the certificate if that
  was disclosed to it. A silent broker leaves Customs without an answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from ledger.encoding import Value
from scenarios.agents.agent import Relation
from scenarios.agents.client import Receipt
from scenarios.agents.entrant import Entrant
from scenarios.agents.papers import Paper, PaperError, PaperKind
from scenarios.agents.register import CertificateEntry


class Broker(Entrant):
    """What a customs broker does."""

    reactions: ClassVar[Mapping[tuple[str, Relation], str]] = {
        ("document.anchor", Relation.ANY): "instruction_anchored",
        ("document.disclose", Relation.ANY): "letter_passed_on",
    }

    async def instruction_anchored(self, receipt: Receipt) -> None:
        """Enter a line for a principal that instructs this broker."""
        addressees = receipt.body["addressees"]
        principal = receipt.creator or ""
        if not isinstance(addressees, list) or self.id not in addressees:
            return
        mail = await self.receive(receipt.documents[0], principal)
        if mail.paper is None or mail.paper.kind != PaperKind.INSTRUCTION:
            return
        try:
            line = _line_of(mail.paper)
        except PaperError:
            self.record("instruction.unreadable", private=True, principal=principal, time_ms=receipt.time_ms)
            return
        name = self._name_of(line, principal)
        delay_ms = self.draw_ms(self.behavior.file_after)
        if name is None or delay_ms is None:
            return
        await self.sleep_until(receipt.time_ms + delay_ms)
        if not self.is_in_force(principal, self.id):
            self.record("instruction.declined", private=True, claim=name, time_ms=self.desk.now_ms())
            return
        await self.enter(name, await self._as_disclosed(line), post=False)

    async def letter_passed_on(self, receipt: Receipt) -> None:
        """Answer a request of Customs that a principal has passed on."""
        root = bytes.fromhex(str(receipt.body["root"]))
        principal = receipt.creator or ""
        if receipt.body["to"] != self.id:
            return
        mail = await self.receive(root, principal)
        if mail.paper is None or mail.paper.kind not in (PaperKind.REQUEST, PaperKind.SERIES_NOTICE):
            return
        claim = self.register.claims.get(mail.paper.text("claim"))
        if claim is None or claim.importer != principal or claim.request != root:
            return
        await self._await_disclosed(self.register.certificates.get(claim.certificate or ""))
        name = self.desk.local_name("claim", claim.id)
        self.record("request.received", private=True, claim=name, time_ms=self.desk.now_ms())
        await self.answer_in_time(claim, name, receipt.time_ms, cured=False)

    async def _as_disclosed(self, line: dict[str, Value]) -> dict[str, Value]:
        """Return an instruction's entry line, with its invoice only if that was disclosed to this broker."""
        root = line.get("invoice_root")
        if isinstance(root, bytes):
            await self._await_root(root)
            if self.wallet.opened(root) is None:
                return {**line, "invoice_root": None}
        return line

    async def _await_disclosed(self, certificate: CertificateEntry | None) -> None:
        if certificate is not None:
            await self._await_root(certificate.root)

    async def _await_root(self, root: bytes) -> None:
        """Wait for the envelope of a document if the ledger says that it was disclosed to this broker."""
        by = self.disclosures.by(root, self.id)
        if by is not None:
            await self.receive(root, by)

    def _name_of(self, line: Mapping[str, Value], principal: str) -> str | None:
        """Return the scenario's name of the claim that an instruction is about."""
        about = (line["entry"], line["line"], principal)
        named = [name for name, claim in self.script.claims.items() if claim.broker == self.id]
        claims = self.script.claims
        return next(
            (n for n in named if (claims[n].entry, claims[n].line, claims[n].importer) == about), None
        )


def _line_of(instruction: Paper) -> dict[str, Value]:
    """Return the entry line of an instruction.

    Raises:
        PaperError: if it lacks what no claim can be without.
    """
    for name in ("entry", "regime", "spi", "entry_on", "import_on"):
        instruction.text(name)
    instruction.integer("line")
    return instruction.plain()
