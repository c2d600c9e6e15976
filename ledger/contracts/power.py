"""The power of attorney by which a customs broker acts in an importer's name: granted, renewed, revoked.

Rules:
- A broker needs a valid power before it transacts customs business in a principal's name, and keeps it among its own
  papers (19 CFR 141.46). On the ledger are principal, broker and days alone; the instrument itself is not.
- A power may be without an end (19 CFR 141.34, partly read), and may be revoked at any time (19 CFR 141.35,
  unconfirmed): from the revocation's place in the ledger's order on. Both named days are covered.
- A new grant takes the place of the one before it, also of a revoked one.
- That a partnership's power lasts two years at most (19 CFR 141.34, partly read) is not checked: the ledger knows no
  legal forms.
- The role broker stands for the license (19 CFR 111.2, unconfirmed); a member without it acts in nobody's name.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass, replace
from typing import Self

from ledger.contracts.act import Context, Writer, read_legal_date, read_organization
from ledger.contracts.findings import Finding
from ledger.contracts.records import PowerRecord, PowerState, read_power
from ledger.contracts.table import Actor, Guard, Refusal, Step, Table
from ledger.fields import Fields
from ledger.genesis import Role
from ledger.state import power_key


@dataclass(frozen=True, slots=True)
class PowerCase:
    """What a power's step is judged by: who acts, for which broker, and the days of a grant."""

    context: Context
    broker: str
    first: datetime.date | None = None
    last: datetime.date | None = None

    def plays(self, actor: Actor) -> bool:
        """Say whether the sender is that actor here; a power stands under its grantor's own name."""
        return actor is Actor.IMPORTER and Role.IMPORTER in self.context.sender.roles


def _is_broker(case: PowerCase) -> bool:
    member = case.context.roster.find(case.broker)
    return member is not None and Role.BROKER in member.roles and case.broker != case.context.sender.id


def _in_order(case: PowerCase) -> bool:
    return case.first is None or case.last is None or case.first <= case.last


_S = PowerState
_GRANTED: tuple[Guard[PowerCase], ...] = (
    Guard("another member that has the role broker", Refusal.NOT_BROKER, _is_broker),
    Guard("a first day that is not after the last", Refusal.POWER_ORDER, _in_order),
)
_GRANT = "19 CFR 141.31(a), 141.46"

POWER_TABLE: Table[PowerState, PowerCase] = Table(
    "power of attorney",
    PowerState,
    (
        Step(_S.NONE, "power.grant", Actor.IMPORTER, _S.GRANTED, _GRANT, guards=_GRANTED),
        Step(_S.GRANTED, "power.grant", Actor.IMPORTER, _S.GRANTED, _GRANT, guards=_GRANTED),
        Step(_S.REVOKED, "power.grant", Actor.IMPORTER, _S.GRANTED, _GRANT, guards=_GRANTED),
        Step(_S.GRANTED, "power.revoke", Actor.IMPORTER, _S.REVOKED, "19 CFR 141.35 (unconfirmed)"),
    ),
)


def acts_for(context: Context, state: Writer, importer: str) -> bool:
    """Say whether the sender, as a customs broker, may act in an importer's name on the block's legal date."""
    data = state.get(power_key(importer, context.sender.id))
    is_broker = Role.BROKER in context.sender.roles and context.roster.find(importer) is not None
    return is_broker and data is not None and read_power(data).covers(context.today)


def _find(context: Context, state: Writer, broker: str) -> PowerRecord | None:
    data = state.get(power_key(context.sender.id, broker))
    return None if data is None else read_power(data)


@dataclass(frozen=True, slots=True)
class GrantPower:
    """`power.grant`: an importer has a customs broker act in its name."""

    broker: str
    first: datetime.date
    last: datetime.date | None

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Take the body's fields."""
        return cls(
            read_organization(fields, "broker"), read_legal_date(fields, "from"), fields.optional_date("to")
        )

    def apply(self, context: Context, state: Writer) -> tuple[Finding, ...]:
        """Record the power."""
        before = _find(context, state, self.broker)
        case = PowerCase(context, self.broker, self.first, self.last)
        reached = POWER_TABLE.advance(
            PowerState.NONE if before is None else before.state, context.event, case
        )
        record = PowerRecord(reached, self.first, self.last, context.time_ms)
        state.put(power_key(context.sender.id, self.broker), record.encode())
        return ()


@dataclass(frozen=True, slots=True)
class RevokePower:
    """`power.revoke`: an importer ends a broker's power, for every act that the ledger orders after this one."""

    broker: str

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Take the body's fields."""
        return cls(read_organization(fields, "broker"))

    def apply(self, context: Context, state: Writer) -> tuple[Finding, ...]:
        """Record the revocation."""
        before = _find(context, state, self.broker)
        case = PowerCase(context, self.broker)
        reached = POWER_TABLE.advance(
            PowerState.NONE if before is None else before.state, context.event, case
        )
        if before is not None:
            after = replace(before, state=reached, revoked_ms=context.time_ms)
            state.put(power_key(context.sender.id, self.broker), after.encode())
        return ()
