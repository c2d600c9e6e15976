"""What every private table is made with: events that public acts carry, a case, a salted commitment to a state.

Rules:
- A private table runs in its parties' own programs; of what happens in it the ledger has the act that carries an event,
  and a commitment to the state that it leads to.
- Each table commits under a domain of its own, so that no commitment passes for another table's.
"""

from __future__ import annotations

import datetime
import hashlib
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from ledger.contracts.table import Actor
from ledger.encoding import Encodable, encode

SALT_BYTES = 16


class CarriedEvent(StrEnum):
    """An event of a private table. `act` is the public transaction type that carries it."""

    act: str

    def __new__(cls, name: str, act: str) -> Self:
        """Make a member."""
        member = str.__new__(cls, name)
        member._value_ = name
        member.act = act
        return member


@dataclass(frozen=True, slots=True)
class PrivateCase:
    """What a step is judged by: who acts, on which day, and the last day of the time that runs, if one does."""

    actor: Actor
    on: datetime.date
    due_on: datetime.date | None

    def plays(self, actor: Actor) -> bool:
        """Say whether the sender is that actor here."""
        return self.actor is actor


def commitment(domain: str, salt: bytes, *about: Encodable) -> bytes:
    """Return the salted commitment to a state, 32 bytes.

    Args:
        domain: the table's.
        salt: 16 random bytes, fresh for each commitment, kept with the state.
        about: what the state is of, then the state.

    Raises:
        ValueError: if the salt is not 16 bytes.
    """
    if len(salt) != SALT_BYTES:
        raise ValueError(f"a salt has {SALT_BYTES} bytes, got {len(salt)}; draw fresh random ones")
    return hashlib.sha256(encode([domain, salt, *about])).digest()
