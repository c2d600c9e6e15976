"""What Customs knows of one claim: its file, from the claim's first block to the last decision."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from ledger.contracts import FineState, Review
from scenarios.agents.papers import Paper
from scenarios.agents.register import ClaimEntry


@dataclass(slots=True)
class CaseFile:
    """One claim's file.

    Attributes:
        id: the claim's id on the ledger.
        claims: what the ledger says, by such ids; of claims that are over it lies in a file.
        turn: held by the job that works on it.
        is_filed: whether this Customs was told that the claim is filed.
        is_ours: whether this Customs decides it; another did until then, if it was filed before.
        review: its fine state.
        answer: the importer's latest answer or protest, as opened; None before one came or if it does not open.
        has_cured: whether a time to cure was given already.
        is_proposed: whether a denial was proposed already.
        is_corrected: whether the importer has corrected the claim.
        is_due: whether the time to liquidate has come.
    """

    id: str
    claims: Mapping[str, ClaimEntry]
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    is_filed: bool = False
    is_ours: bool = False
    review: Review = field(default_factory=Review)
    answer: Paper | None = None
    has_cured: bool = False
    is_proposed: bool = False
    is_corrected: bool = False
    is_due: bool = False

    @property
    def filed(self) -> ClaimEntry:
        """The claim, which is on the ledger."""
        if not self.is_filed:
            raise AssertionError(f"claim {self.id} is worked on before it was filed")
        return self.claims[self.id]


TOLD: Mapping[str, FineState] = {
    "claim.file": FineState.CLAIMED,
    "claim.file_post": FineState.CLAIMED,
    "claim.correct": FineState.CLAIMED,
    "claim.open": FineState.UNDER_REVIEW,
    "claim.act": FineState.UNDER_REVIEW,
    "claim.respond": FineState.UNDER_REVIEW,
    "claim.close": FineState.ALLOWED,
    "claim.liquidate": FineState.LIQUIDATED,
    "claim.protest": FineState.PROTESTED,
}
"""Where a claim stands to a Customs that takes it over, by the latest act on it: the fine state is not on the ledger.

What was asked and until when, and how a review was closed, its predecessor and the importer know. An open review goes
on without a running time; a closed one can only be liquidated, however it was closed.
"""
