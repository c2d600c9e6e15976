"""What an agent may ask of the trial it takes part in.

Rules:
- An agent has no other clock than the calendar it is given, and no other chance than its own stream.
- What an agent records is business: public records are what any member may see; private ones are the
  simulator's truth and go to the observer alone. Neither ever holds a private field's value, a reason in
  words, or a salt.
- Local names (`c1`) are the scenario's; the ledger knows only its own ids. The desk keeps the two together.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, Protocol

from ledger.genesis import Genesis
from ledger.keys import SigningKey
from p2p.observer import RecordField

Kind = Literal[
    "certificate",
    "claim",
    "invoice",
    "verification",
    "carnet",
    "carnet_successor",
    "voucher",
    "carnet_claim",
    "form370",
]
"""What has a local name. A certificate's ledger id is its 32 hex digits, a claim's is `<entry>/<line>`,
an invoice's is its root's 64 hex digits; a verification's, a carnet's or a form 370's its 32 hex digits; vouchers and
claims on carnets are the carnet's with `/<serial>` behind it. A successor is the carnet that replaces another."""


class Desk(Protocol):
    """The trial, as an agent sees it."""

    @property
    def genesis(self) -> Genesis:
        """The network's founding record."""

    def founding_key(self, organization: str) -> SigningKey:
        """Return the key with which a member was founded, for a thief whom the scenario has steal it."""

    def now_ms(self) -> int:
        """Return the calendar, UTC milliseconds."""

    async def sleep_until(self, time_ms: int) -> None:
        """Wait until the calendar has come to `time_ms`; months may pass in between."""

    def call_at(self, time_ms: int, call: Callable[[], None]) -> None:
        """Have something called when the calendar has come to `time_ms`; it takes less memory than who sleeps."""

    def record(self, event: str, *, private: bool = False, **fields: RecordField) -> None:
        """Write a business event down, for every member to see or, if `private`, for the observer alone."""

    def local_name(self, kind: Kind, ledger_id: str) -> str | None:
        """Return the scenario's name for what has this id on the ledger, or None."""

    def ledger_id(self, kind: Kind, local_name: str) -> str | None:
        """Return the id on the ledger of what the scenario calls so, or None if it is not there yet."""

    def bind(self, kind: Kind, local_name: str, ledger_id: str) -> None:
        """Note that what the scenario calls `local_name` has this id on the ledger."""
