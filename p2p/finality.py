"""How final a transaction is, as this node knows it.

Rules:
- *accepted*: in the intake node's durable pool; resubmitted until executed or expired.
- *ordered*: in a block of this node's log, not yet known to be committed.
- *committed*: in a committed block this node has executed; the receipt has its code.
- *certified*: under a certificate of k orderers' checkpoints.
- *expired*: its validity ended before any block took it, or, where a code says so, its key or its creator's membership
  did; as it is signed it will never take effect.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Finality(StrEnum):
    """The steps a transaction takes, in order; `expired` is the one way out."""

    ACCEPTED = "accepted"
    ORDERED = "ordered"
    COMMITTED = "committed"
    CERTIFIED = "certified"
    EXPIRED = "expired"

    def reaches(self, wanted: Finality) -> bool:
        """Whether this is at least `wanted`; expired ends every wait."""
        return self is Finality.EXPIRED or _STEPS.index(self) >= _STEPS.index(wanted)


_STEPS = (Finality.ACCEPTED, Finality.ORDERED, Finality.COMMITTED, Finality.CERTIFIED)


@dataclass(frozen=True, slots=True)
class TransactionStatus:
    """What this node knows of one transaction.

    Attributes:
        id: its id.
        status: how final it is.
        code: its validation code once executed.
        rule: the rule that refused it, if one did.
        findings: recorded legal findings.
        height: its block's height.
        position: its place in the block.
        index: its receipt's place in the Merkle log.
        time_ms: its block's time, UTC milliseconds.
        accepted_ms: the calendar when this node took it in, if it did and it still waits.
    """

    id: bytes
    status: Finality
    code: str | None = None
    rule: str | None = None
    findings: tuple[str, ...] = ()
    height: int | None = None
    position: int | None = None
    index: int | None = None
    time_ms: int | None = None
    accepted_ms: int | None = None
