"""An act: one transaction's typed body, and what it may see while it changes the state.

Rules:
- A body is read once into a frozen record, with every field typed and bounded; what is left over is refused.
- An act sees the state, the roots it anchors, the block's time and height, and the roster before the block. It has
  no clock, chance or memory.
- Legal dates that a body declares lie within `LEGAL_DATE_FIRST .. LEGAL_DATE_LAST`, so that no date computed
  from one leaves the calendar; a poisoned date would stop every node at the same block.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, Self

from ledger.contracts.deadlines import LegalCalendar
from ledger.contracts.findings import Finding
from ledger.contracts.parameters import LEGAL_DATE_FIRST, LEGAL_DATE_LAST
from ledger.encoding import Encodable
from ledger.fields import Fields
from ledger.genesis import Role
from ledger.keys import KEY_BYTES, PublicKey, Verifier
from ledger.points import edwards
from ledger.roster import Roster

CERTIFICATE_ID_BYTES = 16
COMMITMENT_BYTES = 32
ADDRESSEES_MAX = 32
ORGANIZATION = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")


class Writer(Protocol):
    """The state as an act sees and changes it."""

    def get(self, key: str) -> bytes | None:
        """Return the value under a key, or None."""

    def put(self, key: str, value: bytes) -> None:
        """Write a value."""

    def put_map(self, key: str, value: Mapping[str, Encodable]) -> None:
        """Write a map."""


@dataclass(frozen=True, slots=True)
class Sender:
    """Who signed the transaction."""

    id: str
    roles: frozenset[Role]


@dataclass(frozen=True, slots=True)
class Context:
    """Where an act stands.

    Attributes:
        event: the transaction's type.
        sender: who signed it.
        documents: the roots that it anchors.
        time_ms: the block's time, UTC milliseconds.
        today: the block's legal date.
        calendar: the network's zone and holidays.
        height: the block's height.
        roster: who belongs to the network before the block.
        approvals: (organization id, whether its signature holds) of everyone who approves.
        verifier: for proofs that an act carries.
    """

    event: str
    sender: Sender
    documents: tuple[bytes, ...]
    time_ms: int
    today: datetime.date
    calendar: LegalCalendar
    height: int
    roster: Roster
    approvals: tuple[tuple[str, bool], ...]
    verifier: Verifier


class Act(Protocol):
    """A typed body that knows what it does."""

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Take the body's fields.

        Raises:
            MalformedError: if one is missing, of the wrong type or out of bounds.
        """

    def apply(self, context: Context, state: Writer) -> tuple[Finding, ...]:
        """Change the state, or refuse.

        Raises:
            RuleViolatedError: if a form rule refuses; what was written by then is thrown away.
        """


def country_of(context: Context) -> str | None:
    """Return the country of the sender, or None if the roster does not have it."""
    member = context.roster.find(context.sender.id)
    return None if member is None else member.country


def read_legal_date(fields: Fields, name: str) -> datetime.date:
    """Take a date that a body declares."""
    day = fields.date(name)
    if not LEGAL_DATE_FIRST <= day <= LEGAL_DATE_LAST:
        fields.refuse(name, f"{day} is outside {LEGAL_DATE_FIRST} .. {LEGAL_DATE_LAST}")
    return day


def read_organization(fields: Fields, name: str) -> str:
    """Take an organization's id; whether it exists is for the act to ask."""
    return fields.text(name, 40, ORGANIZATION)


def read_box_key(fields: Fields, name: str) -> PublicKey:
    """Take an X25519 key: of prime order, or envelopes to its owner could not be proven to be anything."""
    return _checked_box_key(fields, name, fields.raw(name, size=KEY_BYTES))


def read_optional_box_key(fields: Fields, name: str) -> PublicKey | None:
    """Take an X25519 key as `read_box_key` does, or None."""
    key = fields.optional_raw(name, size=KEY_BYTES)
    return None if key is None else _checked_box_key(fields, name, key)


def _checked_box_key(fields: Fields, name: str, key: bytes) -> PublicKey:
    if edwards(key) is None:
        fields.refuse(name, "no X25519 key of prime order; derive one from a secret key as RFC 7748 does")
    return PublicKey(key)


def read_addressees(fields: Fields, name: str, min_items: int) -> tuple[str, ...]:
    """Take a list of organization ids, each once."""
    addressees = fields.texts(name, ADDRESSEES_MAX, 40, min_items)
    for place, addressee in enumerate(addressees):
        if ORGANIZATION.fullmatch(addressee) is None:
            fields.refuse(f"{name}[{place}]", f"{addressee!r} is no organization id")
        if addressee in addressees[:place]:
            fields.refuse(f"{name}[{place}]", f"{addressee!r} is listed twice; list it once")
    return addressees
