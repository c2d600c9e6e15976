"""Approval: a majority of the members, the creator among them, for what concerns more than oneself.

Rules:
- Who creates the transaction approves of it by its signature; every other approval is a signature over the
  transaction without approvals and signature, by the approver's current organization key.
- One approval that does not hold refuses the transaction: its creator has put it there.
- A majority is more than half of the members before the block.
"""

from __future__ import annotations

from ledger.contracts.act import Context
from ledger.contracts.table import Refusal, RuleViolatedError
from ledger.keys import Domain, Verifier
from ledger.roster import Roster
from ledger.transaction import Transaction


def judged_approvals(
    transaction: Transaction, roster: Roster, verifier: Verifier
) -> tuple[tuple[str, bool], ...]:
    """Return who approves of a transaction, each with whether the signature is by a member's current key.

    Args:
        transaction: what is approved of.
        roster: before its block.
        verifier: for the signatures.
    """
    if not transaction.approvals:
        return ()
    payload = transaction.approval_payload()
    judged: list[tuple[str, bool]] = []
    for organization, signature in transaction.approvals:
        member = roster.find(organization)
        key = None if member is None else member.key
        holds = key is not None and verifier.verify(
            key, Domain.APPROVAL, transaction.network, payload, signature
        )
        judged.append((organization, holds))
    return tuple(judged)


def require_majority(context: Context) -> bool:
    """Return True if a majority of the members approves.

    Raises:
        RuleViolatedError: if an approval does not hold, or there are too few.
    """
    approvers = {context.sender.id: None}
    for organization, holds in context.approvals:
        if not holds:
            raise RuleViolatedError(
                context.event,
                Refusal.BAD_APPROVAL,
                f"the approval of {organization} is not by the current key of a member over this transaction",
            )
        approvers[organization] = None
    roster = context.roster
    if len(approvers) < roster.majority:
        raise RuleViolatedError(
            context.event,
            Refusal.TOO_FEW_APPROVALS,
            f"{len(approvers)} of {len(roster.members)} members approve, {roster.majority} are needed",
        )
    return True
