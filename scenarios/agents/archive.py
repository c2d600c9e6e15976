"""What every organization's application does with documents after they were sent, and with its own keys.

Rules:
- What is disclosed to this organization later it opens, holds against the anchored root, and acknowledges or complains
  of.
- A complaint carries what the sender signed.
- Disclosing a document further passes on what this organization may see of it, all or some fields; nothing new is
  anchored.
- New keys sign once the ledger knows them; documents sealed to the old ones stay readable.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from ledger.contracts.membership import Purpose, prove_possession
from ledger.encoding import Value
from scenarios.agents.agent import Agent, Relation, StepError
from scenarios.agents.client import Receipt
from scenarios.agents.mail import is_proven
from scenarios.model.archivesteps import DiscloseDocument, PurgeDocument, RotateKeys


class Archive(Agent):
    """Documents later, and keys."""

    steps: ClassVar[Mapping[str, str]] = {
        "disclose-document": "disclose",
        "purge-document": "purge",
        "rotate-keys": "rotate_keys",
    }
    reactions: ClassVar[Mapping[tuple[str, Relation], str]] = {
        ("document.disclose", Relation.ANY): "disclosed",
    }

    async def disclose(self, step: DiscloseDocument) -> None:
        """Send a document that this organization has to a further member, and say so on the ledger."""
        root = self._root_of(step.document)
        document = self.wallet.issued(root) or self.wallet.opened(root)
        if document is None:
            raise StepError(
                f"document {step.document}: {self.id} does not have it; let one who does disclose it"
            )
        names = tuple(disclosure.name for disclosure in document.disclosures)
        if step.fields is not None:
            missing = [name for name in step.fields if name not in names]
            if missing:
                raise StepError(f"document {step.document}: {self.id} cannot show {', '.join(missing)}")
            names = step.fields
        await self.send(root, step.to, names)
        body: dict[str, Value] = {"root": root, "to": step.to}
        disclosed = await self.transact("document.disclose", body)
        self.record("document.disclosed", document=step.document, to=step.to, time_ms=disclosed.time_ms)

    async def disclosed(self, receipt: Receipt) -> None:
        """Open what was disclosed to this organization; acknowledge or complain."""
        if receipt.body["to"] != self.id:
            return
        root = bytes.fromhex(str(receipt.body["root"]))
        mail = await self.receive(root, receipt.creator or "")
        body: dict[str, Value] = {"root": root}
        complaint = mail.take_complaint()
        if complaint is not None:
            complained = await self.transact("document.complain", {**body, **complaint})
            self.record(
                "document.complained",
                root=root.hex(),
                reason=str(complaint["reason"]),
                accused=mail.sender,
                proven=is_proven(complaint),
                time_ms=complained.time_ms,
            )
            return
        if mail.paper is None:
            self.record("document.unusable", private=True, root=root.hex(), time_ms=self.desk.now_ms())
            return
        acknowledged = await self.transact("document.acknowledge", body)
        self.record("document.acknowledged", root=root.hex(), time_ms=acknowledged.time_ms)

    async def purge(self, step: PurgeDocument) -> None:
        """Have every envelope of a document deleted, where records need not be kept any more."""
        root = self._root_of(step.document)
        purged = await self.transact("document.purge", {"root": root})
        self.wallet.forget(root)
        self.sent.forget(root)
        self.record("document.purged", document=step.document, time_ms=purged.time_ms)

    async def rotate_keys(self, _step: RotateKeys) -> None:
        """Register new keys under the old one; sign with them from then on."""
        key, box_key = self.wallet.draw_keys()
        network = self.desk.genesis.network
        body: dict[str, Value] = {
            "key": key.public,
            "key_proof": prove_possession(key, network, self.id, Purpose.ORGANIZATION),
            "box_key": box_key.public,
        }
        rotated = await self.transact("key.rotate", body)
        self.wallet.take_keys(key, box_key)
        self.record("keys.rotated", time_ms=rotated.time_ms)

    def _root_of(self, document: str) -> bytes:
        ledger_id = self.desk.ledger_id("certificate", document)
        entry = None if ledger_id is None else self.register.certificates.get(ledger_id)
        if entry is None:
            raise StepError(f"document {document} is not on the ledger; have its issuer anchor it first")
        return entry.root
