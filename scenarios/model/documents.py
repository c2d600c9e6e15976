"""Documents of a scenario: one model per paper form, told apart by `form`.

Rules:
- Fields bear the form's own names and are all text as on paper, but for counts; what the form itself asks of
  them is checked by the ledger's module of that form, not here.
- `faulty: true` allows faults of form: somebody really sends such a paper. Frauds need no such word, since a
  fraudulent paper is well formed.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from ledger.encoding import Value
from ledger.forms import CERTIFICATES, Form
from scenarios.model.units import Record

FieldText = Annotated[str, Field(max_length=2000)]


class Form434Good(Record):
    """One line of goods on NAFTA Form 434."""

    description: FieldText | None = Field(None, description="Box 5: description of the good.")
    hs6: FieldText | None = Field(None, description='Box 6: HS subheading, six digits, quoted: "160414".')
    criterion: FieldText | None = Field(None, description="Box 7: preference criterion A to F.")
    producer_basis: FieldText | None = Field(None, description="Box 8: YES, NO(1), NO(2) or NO(3).")
    net_cost: FieldText | None = Field(None, description="Box 9: NC or NO.")
    origin: FieldText | None = Field(None, description="Box 10: US, MX, CA or JNT.")
    producer_name: FieldText | None = Field(None, description="Box 3, with LIST: producer of this line.")
    producer_address: FieldText | None = Field(None, description="Box 3, with LIST: producer's address.")


class Form434Fields(Record):
    """The boxes of NAFTA Form 434."""

    exporter_name: FieldText | None = Field(None, description="Box 1: exporter's legal name.")
    exporter_address: FieldText | None = Field(None, description="Box 1: exporter's address.")
    exporter_email: FieldText | None = Field(None, description="Box 1: exporter's e-mail.")
    exporter_tax_id: FieldText | None = Field(
        None, description="Box 1: exporter's tax number (RFC in Mexico)."
    )
    blanket_from: FieldText | None = Field(None, description="Box 2: first day of the blanket period.")
    blanket_to: FieldText | None = Field(None, description="Box 2: last day of the blanket period.")
    shipment: FieldText | None = Field(None, description="Box 2: the single shipment, in place of a blanket.")
    producer: FieldText | None = Field(
        None, description="Box 3: SAME, NAMED, UNKNOWN, AVAILABLE TO CUSTOMS UPON REQUEST, or LIST."
    )
    producer_name: FieldText | None = Field(None, description="Box 3: producer's legal name.")
    producer_address: FieldText | None = Field(None, description="Box 3: producer's address.")
    producer_email: FieldText | None = Field(None, description="Box 3: producer's e-mail.")
    producer_tax_id: FieldText | None = Field(None, description="Box 3: producer's tax number.")
    importer: FieldText | None = Field(None, description="Box 4: UNKNOWN, VARIOUS, or NAMED.")
    importer_name: FieldText | None = Field(None, description="Box 4: importer's legal name.")
    importer_address: FieldText | None = Field(None, description="Box 4: importer's address.")
    importer_email: FieldText | None = Field(None, description="Box 4: importer's e-mail.")
    importer_tax_id: FieldText | None = Field(None, description="Box 4: importer's tax number.")
    goods: tuple[Form434Good, ...] | None = Field(None, description="Boxes 5 to 10, one line per good.")
    signed_on: FieldText | None = Field(None, description="Box 11: date of the signature.")
    signer_name: FieldText | None = Field(None, description="Box 11: name of who signed.")
    signer_title: FieldText | None = Field(None, description="Box 11: title of who signed.")
    company: FieldText | None = Field(None, description="Box 11: company of who signed.")
    phone: FieldText | None = Field(None, description="Box 11: telephone.")
    email: FieldText | None = Field(None, description="Box 11: e-mail.")
    pages: int | None = Field(None, description="Box 11: number of pages with attachments.")


class CaftaDrGood(Record):
    """One good on a CAFTA-DR certification."""

    description: FieldText | None = Field(None, description="Description of the good, tied to the invoice.")
    invoice: FieldText | None = Field(None, description="Number of the invoice that the good is on.")
    hs6: FieldText | None = Field(None, description='Tariff number, six digits or more, quoted: "6109.10".')
    criterion: FieldText | None = Field(None, description="Rule of General Note 29: WO, TS or OM.")


class CaftaDrFields(Record):
    """The data elements of a CAFTA-DR certification (19 CFR 10.584(a))."""

    importer_name: FieldText | None = Field(None, description="Importer's legal name.")
    importer_address: FieldText | None = Field(None, description="Importer's address.")
    importer_phone: FieldText | None = Field(None, description="Importer's telephone.")
    importer_email: FieldText | None = Field(None, description="Importer's e-mail.")
    exporter_name: FieldText | None = Field(None, description="Exporter's legal name.")
    exporter_address: FieldText | None = Field(None, description="Exporter's address.")
    exporter_phone: FieldText | None = Field(None, description="Exporter's telephone.")
    exporter_email: FieldText | None = Field(None, description="Exporter's e-mail.")
    producer_name: FieldText | None = Field(None, description="Producer's legal name.")
    producer_address: FieldText | None = Field(None, description="Producer's address.")
    producer_phone: FieldText | None = Field(None, description="Producer's telephone.")
    producer_email: FieldText | None = Field(None, description="Producer's e-mail.")
    certifier: FieldText | None = Field(None, description="Who certifies: IMPORTER, EXPORTER or PRODUCER.")
    signer_name: FieldText | None = Field(None, description="Name of the signing official.")
    signer_title: FieldText | None = Field(None, description="Title of the signing official.")
    signer_phone: FieldText | None = Field(None, description="Telephone of the signing official.")
    signer_email: FieldText | None = Field(None, description="E-mail of the signing official.")
    goods: tuple[CaftaDrGood, ...] | None = Field(None, description="The goods.")
    statement: FieldText | None = Field(None, description="The certifying statement.")
    signed_on: FieldText | None = Field(None, description="Date of the certification.")
    blanket_from: FieldText | None = Field(None, description="First day of the blanket period.")
    blanket_to: FieldText | None = Field(None, description="Last day of the blanket period.")
    shipment: FieldText | None = Field(None, description="The single shipment, in place of a blanket.")


class UsmcaGood(Record):
    """One good on a USMCA certification."""

    description: FieldText | None = Field(None, description="Element 6: description of the good.")
    hs6: FieldText | None = Field(None, description='Element 6: HS subheading, quoted: "870899".')
    criterion: FieldText | None = Field(None, description="Element 7: origin criterion A to D.")


class UsmcaFields(Record):
    """The nine data elements of a USMCA certification (annex 5-A)."""

    certifier: FieldText | None = Field(None, description="Element 1: IMPORTER, EXPORTER or PRODUCER.")
    certifier_name: FieldText | None = Field(None, description="Element 2: certifier's name.")
    certifier_title: FieldText | None = Field(None, description="Element 2: certifier's title.")
    certifier_address: FieldText | None = Field(None, description="Element 2: certifier's address.")
    certifier_phone: FieldText | None = Field(None, description="Element 2: certifier's telephone.")
    certifier_email: FieldText | None = Field(None, description="Element 2: certifier's e-mail.")
    exporter: FieldText | None = Field(
        None, description="Element 3: SAME, NAMED, or AVAILABLE UPON REQUEST BY THE IMPORTING AUTHORITIES."
    )
    exporter_name: FieldText | None = Field(None, description="Element 3: exporter's name.")
    exporter_address: FieldText | None = Field(None, description="Element 3: exporter's address.")
    exporter_phone: FieldText | None = Field(None, description="Element 3: exporter's telephone.")
    exporter_email: FieldText | None = Field(None, description="Element 3: exporter's e-mail.")
    producer: FieldText | None = Field(
        None,
        description="Element 4: SAME, NAMED, VARIOUS, or AVAILABLE UPON REQUEST BY THE IMPORTING AUTHORITIES.",
    )
    producer_name: FieldText | None = Field(None, description="Element 4: producer's name.")
    producer_address: FieldText | None = Field(None, description="Element 4: producer's address.")
    producer_phone: FieldText | None = Field(None, description="Element 4: producer's telephone.")
    producer_email: FieldText | None = Field(None, description="Element 4: producer's e-mail.")
    importer: FieldText | None = Field(None, description="Element 5: SAME, NAMED, VARIOUS or UNKNOWN.")
    importer_name: FieldText | None = Field(None, description="Element 5: importer's name.")
    importer_address: FieldText | None = Field(None, description="Element 5: importer's address.")
    importer_phone: FieldText | None = Field(None, description="Element 5: importer's telephone.")
    importer_email: FieldText | None = Field(None, description="Element 5: importer's e-mail.")
    goods: tuple[UsmcaGood, ...] | None = Field(None, description="Elements 6 and 7, one per good.")
    blanket_from: FieldText | None = Field(None, description="Element 8: first day of the blanket period.")
    blanket_to: FieldText | None = Field(None, description="Element 8: last day of the blanket period.")
    shipment: FieldText | None = Field(None, description="The single shipment, in place of a blanket.")
    signed_on: FieldText | None = Field(None, description="Element 9: date of the signature.")
    signer_name: FieldText | None = Field(None, description="Element 9: name of who signed.")


class _Certificate(Record):
    """What every certificate of origin has in a scenario."""

    issuer: str = Field(
        description="Organization that signs and anchors it; its agreement says in which role."
    )
    addressees: tuple[str, ...] = Field(
        min_length=1, description="Organizations that get an envelope: importers and Customs."
    )
    faulty: bool = Field(False, description="Scripted mistake: allows faults of form.")


class Nafta434(_Certificate):
    """A certificate of origin on NAFTA Form 434, signed by an exporter."""

    form: Literal["nafta-434"] = Field(description="NAFTA certificate of origin, Form 434.")
    fields: Form434Fields = Field(description="The form's boxes.")


class CaftaDr(_Certificate):
    """A CAFTA-DR certification, by an importer, exporter or producer."""

    form: Literal["cafta-dr"] = Field(description="CAFTA-DR certification of origin.")
    fields: CaftaDrFields = Field(description="The certification's data elements.")


class Usmca(_Certificate):
    """A USMCA certification, by an importer, exporter or producer."""

    form: Literal["usmca"] = Field(description="USMCA certification of origin.")
    fields: UsmcaFields = Field(description="The certification's data elements.")


Document: TypeAlias = Annotated[Nafta434 | CaftaDr | Usmca, Field(discriminator="form")]


def form_of(document: Document) -> Form:
    """Return the ledger's form of a document."""
    return CERTIFICATES[document.form.upper()]


def form_values(document: Document) -> dict[str, Value]:
    """Return a document as filled in, as the ledger's form takes it."""
    values: dict[str, Value] = document.fields.model_dump(mode="json", exclude_none=True)
    return values
