"""The seller's application: it sends invoices.

Rules:
- An invoice goes to its buyer alone, in one envelope; its root is anchored, so that neither side can exchange it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from ledger.forms import FORMS
from scenarios.agents.agent import Agent
from scenarios.agents.papers import KIND, PaperKind
from scenarios.model.steps import SendInvoice


class Seller(Agent):
    """What whoever sells goods does about them: an exporter or a producer."""

    steps: ClassVar[Mapping[str, str]] = {"send-invoice": "send_invoice"}

    async def send_invoice(self, step: SendInvoice) -> None:
        """Send an invoice to its buyer and anchor its root."""
        invoice = self.script.invoices[step.invoice]
        form = FORMS[PaperKind.INVOICE]
        fields = self.conduct.filled_in("invoice", invoice.form_values(), f"invoice {step.invoice}")
        root = self.commit({KIND: form.code, **form.flatten(fields)})
        self.desk.bind("invoice", step.invoice, root.hex())
        await self.send(root, invoice.to)
        place = await self.transact(
            "document.anchor", {"class": "commercial", "addressees": [invoice.to]}, (root,)
        )
        self.record("invoice.sent", invoice=step.invoice, to=invoice.to, time_ms=place.time_ms)
