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


class Nafta434(Record):
    """A certificate of origin on NAFTA Form 434."""

    form: Literal["nafta-434"] = Field(description="NAFTA certificate of origin, Form 434.")
    issuer: str = Field(description="Organization that signs and anchors it; needs the role exporter.")
    addressees: tuple[str, ...] = Field(
        min_length=1, description="Organizations that get an envelope: importers and Customs."
    )
    faulty: bool = Field(False, description="Scripted mistake: allows faults of form.")
    fields: Form434Fields = Field(description="The form's boxes.")

    def form_values(self) -> dict[str, Value]:
        """Return the form as filled in, as the ledger's module of this form takes it."""
        values: dict[str, Value] = self.fields.model_dump(mode="json", exclude_none=True)
        return values


Document: TypeAlias = Annotated[Nafta434, Field(discriminator="form")]
