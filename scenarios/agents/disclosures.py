"""Who reads which document by a later disclosure, as certified receipts tell it."""

from __future__ import annotations

from ledger.codes import Code
from scenarios.agents.client import Receipt


class Disclosures:
    """Every disclosure of a document to a further reader."""

    def __init__(self) -> None:
        self._by: dict[tuple[str, str], str] = {}

    def take(self, receipt: Receipt) -> None:
        """Take one certified receipt into account."""
        if receipt.code == Code.VALID and receipt.type == "document.disclose":
            key = (str(receipt.body["root"]), str(receipt.body["to"]))
            self._by[key] = receipt.creator or ""

    def by(self, root: bytes, reader: str) -> str | None:
        """Return who disclosed a document to a reader, or None if nobody did."""
        return self._by.get((root.hex(), reader))

    def reads(self, root: bytes, reader: str) -> bool:
        """Say whether a document was disclosed to a reader."""
        return self.by(root, reader) is not None
