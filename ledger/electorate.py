"""Whose signatures certify one height: k of every set of orderers.

Rules:
- A block is certified by the orderers after the block before it; the block that changes them needs k of the old
  and k of the new.
- k = (n + f) // 2 + 1 of the n orderers, f being how many may lie.
- Orderers sign with their node's key of that time. Nobody stands in both sets with two keys.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from ledger.keys import PublicKey


@dataclass(frozen=True, slots=True)
class Constituency:
    """One set of orderers, in the order of their seats, and how many of them must sign (k)."""

    orderers: tuple[str, ...]
    quorum: int


@dataclass(frozen=True, slots=True)
class Electorate:
    """Who may sign the certificate of one height, and who must.

    Attributes:
        origin: of the network's checkpoints.
        keys: the node key of everybody who may sign, in the order in which certificates list them.
        constituencies: the sets of each of which k must sign: one, or the old and the new.
    """

    origin: str
    keys: Mapping[str, PublicKey] = field(hash=False)
    constituencies: tuple[Constituency, ...]

    @property
    def orderers(self) -> tuple[str, ...]:
        """Everybody who may sign."""
        return tuple(self.keys)

    def lacks(self, signers: Collection[str]) -> str | None:
        """Say what is missing for a certificate, or None if nothing is.

        Args:
            signers: ids of those whose signatures hold.
        """
        for constituency in self.constituencies:
            count = sum(orderer in signers for orderer in constituency.orderers)
            if count < constituency.quorum:
                of = ", ".join(constituency.orderers)
                return f"{count} orderers of {of} signed, k = {constituency.quorum} are needed"
        return None
