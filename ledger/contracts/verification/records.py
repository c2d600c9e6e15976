"""The record of a verification in the state, and its only spelling in bytes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from ledger.encoding import decode, encode
from ledger.fields import Fields
from ledger.state import VALUE_BYTES_MAX

_REMEMBERED = 1024


class VerificationState(StrEnum):
    """What every member may know of a verification."""

    NONE = "NONE"
    OFFICIAL_OPEN = "OFFICIAL_OPEN"
    OFFICIAL_CLOSED = "OFFICIAL_CLOSED"


@dataclass(frozen=True, slots=True)
class VerificationRecord:
    """A verification: whom Customs asks, not what about.

    Attributes:
        state: see the table.
        authority: organization id of Customs.
        party: organization id of who is asked.
        fine: salted commitment to the private fine state.
        opened_ms: block time.
        regime: the agreement, if Customs says it: where its rules for who may be asked or may answer differ.
    """

    state: VerificationState
    authority: str
    party: str
    fine: bytes
    opened_ms: int
    regime: str | None = None

    def encode(self) -> bytes:
        """Return the canonical bytes."""
        return encode(
            {
                "state": self.state.value,
                "authority": self.authority,
                "party": self.party,
                "fine": self.fine,
                "opened_ms": self.opened_ms,
                "regime": self.regime,
            }
        )


@lru_cache(_REMEMBERED)
def read_verification(data: bytes) -> VerificationRecord:
    """Return the verification whose canonical bytes are `data`."""
    fields = Fields(decode(data, limit_bytes=VALUE_BYTES_MAX), "verification record")
    return VerificationRecord(
        state=VerificationState(fields.text("state")),
        authority=fields.text("authority"),
        party=fields.text("party"),
        fine=fields.raw("fine"),
        opened_ms=fields.integer("opened_ms"),
        regime=fields.optional_text("regime"),
    )
