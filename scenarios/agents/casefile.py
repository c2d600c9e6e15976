"""What Customs knows of one claim: its file, from the claim's first block to the last decision."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from ledger.contracts import Review
from scenarios.agents.papers import Paper
from scenarios.agents.register import ClaimEntry


@dataclass(slots=True)
class CaseFile:
    """One claim's file.

    Attributes:
        id: the claim's id on the ledger.
        turn: held by the job that works on it.
        claim: what the ledger says, once the claim is filed.
        committed: the commitment with which it was filed.
        review: its fine state.
        answer: the importer's latest answer or protest, as opened; None before one came or if it does not open.
        has_cured: whether a time to cure was given already.
        is_proposed: whether a denial was proposed already.
        is_corrected: whether the importer has corrected the claim.
        is_due: whether the time to liquidate has come.
    """

    id: str
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    claim: ClaimEntry | None = None
    committed: bytes = b""
    review: Review = field(default_factory=Review)
    answer: Paper | None = None
    has_cured: bool = False
    is_proposed: bool = False
    is_corrected: bool = False
    is_due: bool = False

    @property
    def filed(self) -> ClaimEntry:
        """The claim, which is on the ledger."""
        if self.claim is None:
            raise AssertionError(f"claim {self.id} is worked on before it was filed")
        return self.claim
