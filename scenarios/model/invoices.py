"""Commercial invoices of a scenario: what an exporter or producer bills an importer for."""

from __future__ import annotations

from pydantic import Field

from ledger.encoding import Value
from scenarios.model.units import DateText, Record


class InvoiceLine(Record):
    """One line of an invoice."""

    description: str = Field(min_length=1, max_length=500, description="What was sold.")
    quantity: int = Field(ge=1, le=10**12, description="Quantity in `unit`.")
    unit: str = Field(min_length=1, max_length=20, description="Unit of quantity, such as kg.")
    value_usd: int = Field(ge=1, le=10**12, description="Price of the line, whole US dollars.")


class Invoice(Record):
    """A commercial invoice (19 CFR 141.86)."""

    issuer: str = Field(description="Organization that sells; needs the role exporter or producer.")
    to: str = Field(description="Importer that buys; it passes the invoice on to Customs with its claim.")
    number: str = Field(min_length=1, max_length=100, description="Number of the invoice.")
    issued_on: DateText = Field(description="Date of the invoice.")
    seller_name: str = Field(min_length=1, max_length=300, description="Seller's name as on the invoice.")
    seller_address: str = Field(min_length=1, max_length=300, description="Seller's address.")
    buyer_name: str = Field(min_length=1, max_length=300, description="Buyer's name as on the invoice.")
    buyer_address: str = Field(min_length=1, max_length=300, description="Buyer's address.")
    statement: str | None = Field(
        None,
        min_length=1,
        max_length=500,
        description="Statement of origin that a small shipment bears (19 CFR 181.22(d)(1)).",
    )
    lines: tuple[InvoiceLine, ...] = Field(min_length=1, max_length=50, description="What was sold.")

    def form_values(self) -> dict[str, Value]:
        """Return the invoice as the ledger's form takes it."""
        values: dict[str, Value] = self.model_dump(mode="json", exclude_none=True, exclude={"issuer", "to"})
        return values
