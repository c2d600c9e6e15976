"""The entry lines that have come, by what one looks for among earlier claims: an invoice, like goods, a shipment.

Rules:
- A claim's line is the first that came; it is looked at once, when it has come, and not at every later claim.
- A small line without a heading is like no other.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

from scenarios.agents.examination import is_small, six_digits
from scenarios.agents.mail import Mailroom
from scenarios.agents.papers import Paper, PaperError, PaperKind
from scenarios.agents.register import ClaimEntry, Register

K = TypeVar("K")

HTS = "hts"
INVOICE = "invoice_root"


class EntryLines:
    """Entry lines by claim.

    Args:
        register: the claims.
        mailroom: what was opened, by its subject.
    """

    def __init__(self, register: Register, mailroom: Mailroom) -> None:
        self._register = register
        self._mailroom = mailroom
        self._known = 0
        self._awaited: dict[str, None] = {}
        self._by_invoice: dict[bytes, list[str]] = {}
        self._by_goods: dict[tuple[str, str], list[str]] = {}
        self._by_shipment: dict[str, list[str]] = {}

    def of(self, claim: ClaimEntry) -> Paper | None:
        """Return the line behind a claim, if it has come."""
        return self._mailroom.about(PaperKind.ENTRY_LINE, claim.filer, claim.id).paper

    def on_invoice(self, root: bytes, before: ClaimEntry) -> Iterator[tuple[ClaimEntry, Paper]]:
        """Give the lines of earlier claims that name an invoice."""
        return self._earlier(self._by_invoice, root, before)

    def of_small_goods(self, subheading: str, before: ClaimEntry) -> Iterator[tuple[ClaimEntry, Paper]]:
        """Give the lines of an importer's earlier claims on small values of goods of a subheading."""
        return self._earlier(self._by_goods, (before.importer, subheading), before)

    def of_shipment(self, shipment: str, before: ClaimEntry) -> Iterator[tuple[ClaimEntry, Paper]]:
        """Give the lines of earlier claims on a shipment."""
        return self._earlier(self._by_shipment, shipment, before)

    def _earlier(
        self, index: dict[K, list[str]], key: K, before: ClaimEntry
    ) -> Iterator[tuple[ClaimEntry, Paper]]:
        self._take_in()
        for claim_id in index.get(key, ()):
            claim = self._register.claims[claim_id]
            if claim.filed.index < before.filed.index and (line := self.of(claim)) is not None:
                yield claim, line

    def _take_in(self) -> None:
        """Look at the lines that have come since the last time."""
        claims = self._register.claims
        self._awaited.update(dict.fromkeys(claims.keys_from(self._known)))
        self._known = len(claims)
        for claim_id in list(self._awaited):
            line = self.of(claims[claim_id])
            if line is not None:
                del self._awaited[claim_id]
                self._take(claims[claim_id], line)

    def _take(self, claim: ClaimEntry, line: Paper) -> None:
        if line.has(INVOICE):
            self._by_invoice.setdefault(line.raw(INVOICE), []).append(claim.id)
        if claim.shipment is not None:
            self._by_shipment.setdefault(claim.shipment, []).append(claim.id)
        if _is_small(line) and line.has(HTS):
            key = (claim.importer, six_digits(line.text(HTS)))
            self._by_goods.setdefault(key, []).append(claim.id)


def _is_small(line: Paper) -> bool:
    try:
        return is_small(line)
    except PaperError:
        return False
