"""A change of the roster as an act: what it becomes, written into the state, or a refusal by name.

Rules:
- A change is a function of the roster before the block and of the transaction alone, so that whoever has the
  roster can repeat it without the state.
- A roster with which the network could not go on is refused, whatever the tables let pass.
"""

from __future__ import annotations

from typing import Protocol

from ledger.contracts.act import Context, Writer
from ledger.contracts.findings import Finding
from ledger.contracts.table import Refusal, RuleViolatedError
from ledger.errors import RosterError, UnknownOrganizationError
from ledger.members import Member
from ledger.roster import Roster


class RosterAct(Protocol):
    """A typed body that changes who belongs to the network."""

    def change(self, context: Context) -> Roster:
        """Return the roster after the act.

        Raises:
            RuleViolatedError: if a form rule refuses.
            RosterError: if the network could not go on with what it would become.
        """


def changed_roster(act: RosterAct, context: Context) -> Roster:
    """Return what the roster becomes by an act.

    Raises:
        RuleViolatedError: if a form rule refuses.
    """
    try:
        return act.change(context)
    except RosterError as error:
        raise RuleViolatedError(context.event, Refusal.ROSTER, str(error)) from error


def put_roster(act: RosterAct, context: Context, state: Writer) -> tuple[Finding, ...]:
    """Write what the roster becomes by an act.

    Raises:
        RuleViolatedError: if a form rule refuses.
    """
    for key, value in changed_roster(act, context).items().items():
        if state.get(key) != value:
            state.put(key, value)
    return ()


def find_member(context: Context, organization: str) -> Member:
    """Return a present member that an act names.

    Raises:
        RuleViolatedError: if there is none.
    """
    try:
        return context.roster.organization(organization)
    except UnknownOrganizationError as error:
        raise RuleViolatedError(context.event, Refusal.UNKNOWN_MEMBER, str(error)) from error
