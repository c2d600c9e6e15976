"""The change of Raft's configuration that a configuration block means.

Rules:
- Orderers vote, learners listen, everybody else is no member of the Raft cluster; the change is what the block did to
  these sets, nothing if it touched neither. The roster knows its past, so the answer is the same whenever it is asked.
- One voter more or less is taken at once; a seat given to another goes through a joint configuration, which the
  leader leaves by itself.
"""

from __future__ import annotations

from consensus import Change, ChangeType, ConfChange
from ledger.roster import Roster


def raft_change(roster: Roster, height: int) -> ConfChange:
    """Return what the block of a height changed in Raft's configuration.

    Args:
        roster: after that block, or later.
        height: the block's.
    """
    old_voters, old_learners = roster.raft_members_at(height - 1)
    new_voters, new_learners = roster.raft_members_at(height)
    old, new = old_voters | old_learners, new_voters | new_learners
    return ConfChange(
        (
            *(Change(ChangeType.REMOVE, node) for node in sorted(old - new)),
            *(Change(ChangeType.ADD_LEARNER, node) for node in sorted(new_learners - old_learners)),
            *(Change(ChangeType.ADD_VOTER, node) for node in sorted(new_voters - old_voters)),
        )
    )
