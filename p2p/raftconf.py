"""The change of Raft's configuration that a configuration block means.

Rules:
- Orderers vote, learners listen, everybody else is no member of the Raft cluster; the change is what the block did to
  these sets, nothing if it touched neither. The roster knows its past, so the answer is the same whenever it is asked.
- One voter more or less is taken at once; a seat given to another goes through a joint configuration, which the
  leader leaves by itself.
- What a snapshot says of the members is held against the roster: the sets after its block, and those that a joint
  configuration still counts are a set that ordered before.
"""

from __future__ import annotations

from consensus import Change, ChangeType, ConfChange, ConfState
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


def accords(conf: ConfState, roster: Roster, height: int) -> bool:
    """Whether a configuration can be the one after the block of a height.

    Args:
        conf: what a snapshot says.
        roster: as far as it is known; one that ends before the height says what was so until then.
        height: the block's.
    """
    voters, learners = roster.raft_members_at(height)
    if set(conf.voters) != voters or {*conf.learners, *conf.learners_next} != learners:
        return False
    before = (roster.raft_members_at(change - 1)[0] for change in roster.heights if change <= height)
    return not conf.is_joint or set(conf.voters_outgoing) in before
