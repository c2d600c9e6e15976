"""What a forger does: it signs in another's name and hands that to its own node.

Rules:
- A made-up key is the forger's own invention; a stolen one is the victim's founding key, which the trial gives it.
- What the door or the ledger refuses is noted as the step's outcome, like any refusal; nothing is tried twice.
- A forged certificate that is taken is delivered to the forger, which acknowledges it with its own key.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from ledger.codes import Code
from ledger.contracts import LegalCalendar
from ledger.encoding import Value
from ledger.forms import public_facts
from ledger.keys import BoxKey, SigningKey
from scenarios.agents.agent import Agent
from scenarios.agents.client import ApiProblem
from scenarios.agents.outgoing import VALID_FOR_MS, RefusedActError
from scenarios.agents.papers import KIND
from scenarios.agents.wallet import Wallet
from scenarios.agents.work import Act
from scenarios.model.documents import form_of, form_values
from scenarios.model.forgeries import ForgeCarnet, ForgeCertificate

_ID_BYTES = 16
_CARNET_MS = 180 * 86_400_000


class Forger(Agent):
    """What anybody's application does if a scenario has it forge."""

    steps: ClassVar[Mapping[str, str]] = {
        "forge-certificate": "forge_certificate",
        "forge-carnet": "forge_carnet",
    }

    async def forge_certificate(self, step: ForgeCertificate) -> None:
        """Anchor a certificate in its issuer's name, have it delivered to this organization, and acknowledge it."""
        document = self.script.documents[step.document]
        form, fields = form_of(document), form_values(document)
        facts = public_facts(form, fields)
        certificate = self.random.randbytes(_ID_BYTES)
        self.desk.bind("certificate", step.document, certificate.hex())
        root = self.commit({KIND: form.code, **form.flatten(fields)})
        blanket: Value = None
        if facts.blanket is not None:
            blanket = {"from": facts.blanket[0], "to": facts.blanket[1]}
        body: dict[str, Value] = {
            "certificate": certificate,
            "form": form.code,
            "signed_on": facts.signed_on,
            "blanket": blanket,
            "shipment": facts.shipment,
            "addressees": list(document.addressees),
        }
        forged = self._forged_wallet(document.issuer, step.key)
        await self._submit_forged(forged, "certificate.anchor", body, (root,))
        for addressee in document.addressees:
            if addressee != self.id:
                await self.send(root, addressee)
        delivery: dict[str, Value] = {"certificate": certificate, "holder": self.id}
        await self._submit_forged(forged, "certificate.deliver", delivery, ())
        await self.transact("holding.acknowledge", {"certificate": certificate})

    async def forge_carnet(self, step: ForgeCarnet) -> None:
        """Issue a carnet that nobody applied for, in an association's name."""
        until_ms = self.desk.now_ms() + _CARNET_MS
        valid_until = LegalCalendar.of(self.desk.genesis).legal_date(until_ms)
        body: dict[str, Value] = {
            "carnet": self.random.randbytes(_ID_BYTES),
            "guarantor": step.victim,
            "valid_until": valid_until.isoformat(),
        }
        await self._submit_forged(self._forged_wallet(step.victim, step.key), "carnet.issue", body, ())

    def _forged_wallet(self, victim: str, key: str) -> Wallet:
        made_up = SigningKey.from_seed(self.random.randbytes(32))
        signing = self.desk.founding_key(victim) if key == "STOLEN" else made_up
        return Wallet(
            victim, self.desk.genesis.network, signing, BoxKey(self.random.randbytes(32)), self.random
        )

    async def _submit_forged(
        self, wallet: Wallet, act: str, body: Mapping[str, Value], documents: tuple[bytes, ...]
    ) -> None:
        valid_until_ms = self.desk.now_ms() + min(VALID_FOR_MS, self.desk.genesis.limits.valid_for_ms_max)
        signed = wallet.sign(act, body, documents, valid_until_ms)
        try:
            status = await self._settled(signed)
            outcome = Act(act, signed.id.hex(), status.code or "", status.rule)
        except ApiProblem as problem:
            outcome = Act(act, signed.id.hex(), problem.code, None)
        self.note(outcome)
        if outcome.code != Code.VALID:
            raise RefusedActError(outcome)
        self.record("act.forged", private=True, act=act, victim=wallet.organization, id=outcome.id)
