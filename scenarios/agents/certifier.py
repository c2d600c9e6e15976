"""The certifier's application: it signs certificates of origin, sends them, and owns up to errors.

Rules:
- Who certifies is an exporter, a producer or an importer, as the form's agreement allows.
- A careless certifier spoils fields at the rates it is given; such a form is signed and sent as it is.
- A dishonest one back-dates its signature by sixty days, writes criterion A for every good, rests on a producer's
  representation that nobody made, or seals rubbish for an importer until that complains.
- A form with faults is not signed, unless the scenario says that somebody really sends such a paper.
- Every addressee gets its own envelope: Customs all fields, an importer all but a producer that is available
  to Customs upon request. All envelopes share the anchored root.
- An addressee that has left the network by then is left out.
- Envelopes are in the node's outbox before the root is anchored; delivery is stated to importers alone, once
  the anchor is certified.
- Who complains of an envelope is sent another one, once, and the delivery is stated again: whoever is right about the
  first, a sound second one ends the dispute.
- The words of a notice go to the recipients in envelopes; the ledger gets a code word.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import ClassVar

from ledger.encoding import Value
from ledger.envelopes import seal
from ledger.forms import CERTIFICATES, Form, may_be_signed, public_facts
from ledger.forms.criterion import WHOLLY_OBTAINED
from ledger.forms.form434 import SAME, UNKNOWN
from ledger.genesis import Role
from scenarios.agents.agent import Agent, Relation, StepError, Surroundings
from scenarios.agents.client import Receipt
from scenarios.agents.papers import KIND, Paper, PaperKind
from scenarios.agents.register import CertificateEntry
from scenarios.model.behaviors import Dishonesty
from scenarios.model.documents import Document, form_of, form_values
from scenarios.model.steps import IssueCertificate, NotifyIncorrect, SupersedeCertificate

CERTIFICATE_ID_BYTES = 16
BACK_DATED_DAYS = 60
RUBBISH_BYTES = 2000
"""So many that a spoilt envelope has the size of a sound one."""
WRITTEN_REPRESENTATION = "NO(2)"


class Certifier(Agent):
    """What a certifier's application does."""

    steps: ClassVar[Mapping[str, str]] = {
        "issue-certificate": "issue",
        "notify-incorrect": "notify_incorrect",
        "supersede-certificate": "supersede",
    }
    reactions: ClassVar[Mapping[tuple[str, Relation], str]] = {
        ("holding.complain", Relation.CONCERNED): "complaint_received",
    }

    def __init__(self, surroundings: Surroundings) -> None:
        super().__init__(surroundings)
        self._sent_again: dict[tuple[str, str], None] = {}

    async def issue(self, step: IssueCertificate) -> None:
        """Sign a certificate, send its envelopes, anchor it, and state its delivery to every importer."""
        document = self.script.documents[step.document]
        form = form_of(document)
        fields = self._filled_in(step.document, document, form)
        certificate = self.random.randbytes(CERTIFICATE_ID_BYTES)
        self.desk.bind("certificate", step.document, certificate.hex())
        root = self.commit({KIND: form.code, **form.flatten(fields)})
        addressees = [name for name in document.addressees if not self.members.has_left(name)]
        for addressee in addressees:
            if not await self._spoils(root, addressee, step.document):
                await self.send(root, addressee, self._readable_by(addressee, form, fields))
        body = self._anchor(certificate, addressees, form, fields)
        anchored = await self.transact("certificate.anchor", body, (root,))
        self.record(
            "certificate.issued",
            certificate=step.document,
            ledger_id=certificate.hex(),
            addressees=addressees,
            time_ms=anchored.time_ms,
        )
        for holder in addressees:
            if self.members.has_role(holder, Role.IMPORTER):
                await self._deliver(certificate, step.document, holder)

    async def notify_incorrect(self, step: NotifyIncorrect) -> None:
        """Tell every recipient that a certificate is incorrect."""
        certificate = await self._issued(step.document)
        notice: dict[str, Value] = {
            KIND: PaperKind.NOTICE.value,
            "certificate": certificate.id,
            "reason": step.reason,
        }
        root = self.commit(notice)
        for addressee in certificate.addressees:
            await self.send(root, addressee)
        body: dict[str, Value] = {"certificate": bytes.fromhex(certificate.id)}
        notified = await self.transact("certificate.notify", body)
        self.record("certificate.notified", certificate=step.document, time_ms=notified.time_ms)

    async def supersede(self, step: SupersedeCertificate) -> None:
        """Name the certificate that replaces an incorrect one."""
        body: dict[str, Value] = {
            "certificate": bytes.fromhex((await self._issued(step.document)).id),
            "successor": bytes.fromhex((await self._issued(step.successor)).id),
        }
        superseded = await self.transact("certificate.supersede", body)
        self.record(
            "certificate.superseded",
            certificate=step.document,
            successor=step.successor,
            time_ms=superseded.time_ms,
        )

    async def complaint_received(self, receipt: Receipt) -> None:
        """Take in that a holder could not read its envelope, or found another root, and send it another one."""
        certificate, holder = self.register.certificate_of(receipt), receipt.creator or ""
        name = self.desk.local_name("certificate", certificate.id)
        self.record("complaint.received", certificate=name, holder=holder, time_ms=receipt.time_ms)
        document = self.wallet.issued(certificate.root)
        if document is None or (certificate.id, holder) in self._sent_again:
            return
        self._sent_again[certificate.id, holder] = None
        form = CERTIFICATES[certificate.form]
        fields = form.unflatten(Paper.of(document).plain())
        await self.send(certificate.root, holder, self._readable_by(holder, form, fields))
        await self._deliver(bytes.fromhex(certificate.id), name, holder)

    async def _spoils(self, root: bytes, to: str, name: str) -> bool:
        """Send an importer an envelope that is none, if this certifier is dishonest so; say whether it did."""
        is_importer = self.members.has_role(to, Role.IMPORTER)
        if not is_importer or self.conduct.commits(Dishonesty.SPOILS_ENVELOPE, f"certificate {name}") is None:
            return False
        rubbish = seal(self.random.randbytes(RUBBISH_BYTES), self.keybook.box_key(to), self.random)
        await self.hand_over(root, to, self.wallet.sign_envelope(root, to, rubbish))
        return True

    async def _deliver(self, certificate: bytes, name: str | None, holder: str) -> None:
        delivered = await self.transact("certificate.deliver", {"certificate": certificate, "holder": holder})
        self.record("certificate.delivered", certificate=name, holder=holder, time_ms=delivered.time_ms)

    def _filled_in(self, name: str, document: Document, form: Form) -> dict[str, Value]:
        fields = form_values(document)
        subject = f"certificate {name}"
        if self.conduct.commits(Dishonesty.BACK_DATES, subject) is not None:
            today = datetime.datetime.fromtimestamp(self.desk.now_ms() / 1000, datetime.UTC).date()
            fields["signed_on"] = (today - datetime.timedelta(days=BACK_DATED_DAYS)).isoformat()
        faults = form.check(fields)
        if not may_be_signed(faults) and not document.faulty:
            boxes = ", ".join(f"{fault.box} ({fault.field})" for fault in faults)
            raise StepError(f"document {name}: faults in box {boxes}; correct them or say faulty: true")
        if self.conduct.commits(Dishonesty.WRONG_CRITERION, subject) is not None:
            fields = _with_goods(fields, "criterion", WHOLLY_OBTAINED[form.code])
        if (
            form.code == "NAFTA-434"
            and self.conduct.commits(Dishonesty.FORGES_PRODUCER_STATEMENT, subject) is not None
        ):
            fields = _with_goods(fields, "producer_basis", WRITTEN_REPRESENTATION)
            if fields["producer"] == SAME:
                fields["producer"] = UNKNOWN
        return self.conduct.filled_in("certificate", fields, subject)

    def _readable_by(self, addressee: str, form: Form, fields: Mapping[str, Value]) -> tuple[str, ...]:
        role = Role.CUSTOMS if self.members.has_role(addressee, Role.CUSTOMS) else Role.IMPORTER
        return (KIND, *form.disclosed_names(fields, role))

    def _anchor(
        self, certificate: bytes, addressees: list[str], form: Form, fields: Mapping[str, Value]
    ) -> dict[str, Value]:
        try:
            facts = public_facts(form, fields)
        except ValueError:
            # The error quotes the field's value, which is private.
            raise StepError(
                "the form's date, blanket or shipment cannot stand on the ledger; correct them"
            ) from None
        blanket: Value = None
        if facts.blanket is not None:
            blanket = {"from": facts.blanket[0], "to": facts.blanket[1]}
        return {
            "certificate": certificate,
            "form": form.code,
            "signed_on": facts.signed_on,
            "blanket": blanket,
            "shipment": facts.shipment,
            "addressees": list(addressees),
        }

    async def _issued(self, name: str) -> CertificateEntry:
        """Return a certificate of the scenario, once the feed has told of it."""
        ledger_id = self.desk.ledger_id("certificate", name)
        if ledger_id is None:
            raise StepError(f"certificate {name} is not on the ledger; issue it first")
        await self.until(f"certificate {name} anchored", lambda: ledger_id in self.register.certificates)
        return self.register.certificates[ledger_id]


def _with_goods(fields: Mapping[str, Value], name: str, value: Value) -> dict[str, Value]:
    """Return a certificate with a field of every good changed."""
    goods = fields.get("goods")
    lines = [line | {name: value} for line in goods if type(line) is dict] if type(goods) is list else []
    return {**fields, "goods": [*lines]}
