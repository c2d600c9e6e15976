"""What a configuration becomes by a change: a pure function, the same on every node.

Rules:

- One voter more or less is taken at once: any two majorities of the old and the new set share a voter
  (dissertation, 4.1). Anything more goes through a joint configuration, where both majorities are needed
  (4.3), and is left by a second entry: by the leader itself unless the change says otherwise.
- In a joint configuration the only change is to leave it.
- A new voter has been a learner first: a voter with an empty log would count in every quorum and hold up
  commits until it has caught up (4.2.1).
- A voter made a learner keeps its vote until the joint configuration is left.
- There is always a voter.
- A change of nothing is allowed at any time: it is what becomes of an entry whose change the caller's rules
  turned down.
"""

from dataclasses import dataclass
from enum import Enum, IntEnum
from typing import Final

from consensus.configuration import ConfState
from consensus.errors import ConfChangeError


class ChangeType(IntEnum):
    """What becomes of one node. Values follow etcd."""

    ADD_VOTER = 0
    REMOVE = 1
    ADD_LEARNER = 3


@dataclass(frozen=True, slots=True)
class Change:
    """What becomes of `node`: a vote for a learner, no vote for a voter, or no part at all."""

    type: ChangeType
    node: int


class Transition(Enum):
    """How a change is taken."""

    AUTO = "auto"
    """At once if it is one voter at most, else joint, left by the leader itself."""
    JOINT = "joint"
    """Joint, left by the leader itself."""
    JOINT_EXPLICIT = "joint explicit"
    """Joint, left when the caller proposes it."""
    LEAVE = "leave"
    """Leave the joint configuration."""


@dataclass(frozen=True, slots=True)
class ConfChange:
    """Changes that take effect together; none of them is a change of nothing."""

    changes: tuple[Change, ...] = ()
    transition: Transition = Transition.AUTO


LEAVE_JOINT: Final = ConfChange(transition=Transition.LEAVE)
"""What an entry of type CONF_CHANGE without data means."""


def next_conf(conf: ConfState, change: ConfChange, *, learners_first: bool = True) -> ConfState:
    """What `conf` becomes by `change`.

    Args:
        conf: the configuration now.
        change: the change.
        learners_first: whether a new voter must have been a learner.

    Raises:
        ConfChangeError: not from this configuration; says what to do first.
    """
    if change.transition is Transition.LEAVE:
        return _left(conf, change)
    if not change.changes and change.transition is Transition.AUTO:
        return conf
    if conf.is_joint:
        raise ConfChangeError(f"{change} while joint ({conf}); leave the joint configuration first")
    nodes = [item.node for item in change.changes]
    if len(set(nodes)) != len(nodes) or min(nodes, default=1) < 1:
        raise ConfChangeError(f"{change} names a node twice or one below 1; name each once")
    voters, learners, learners_next = _split(conf, change.changes)
    if not voters:
        raise ConfChangeError(f"{change} leaves no voter of {conf.voters}; add one first")
    if learners_first:
        _check_learners_first(conf, voters)
    moved = voters.symmetric_difference(conf.voters)
    if len(moved) <= 1 and change.transition is Transition.AUTO:
        return ConfState(voters=tuple(sorted(voters)), learners=tuple(sorted(learners.union(learners_next))))
    return ConfState(
        tuple(sorted(voters)),
        conf.voters,
        tuple(sorted(learners)),
        tuple(sorted(learners_next)),
        change.transition is not Transition.JOINT_EXPLICIT,
    )


def _left(conf: ConfState, change: ConfChange) -> ConfState:
    if change.changes:
        raise ConfChangeError(f"{change} leaves and changes; leave first, then change")
    if not conf.is_joint:
        raise ConfChangeError(f"there is no joint configuration to leave in {conf}")
    return ConfState(voters=conf.voters, learners=tuple(sorted({*conf.learners, *conf.learners_next})))


def _split(conf: ConfState, changes: tuple[Change, ...]) -> tuple[set[int], set[int], set[int]]:
    """Voters, learners and voters that become learners after `changes`."""
    voters = set(conf.voters)
    learners = set(conf.learners)
    learners_next: set[int] = set()
    for change in changes:
        if change.type is ChangeType.ADD_LEARNER and change.node not in learners:
            (learners_next if change.node in voters else learners).add(change.node)
            voters.discard(change.node)
        elif change.type is ChangeType.REMOVE:
            voters.discard(change.node)
            learners.discard(change.node)
        elif change.type is ChangeType.ADD_VOTER:
            learners.discard(change.node)
            voters.add(change.node)
    return voters, learners, learners_next


def _check_learners_first(conf: ConfState, voters: set[int]) -> None:
    fresh = voters.difference(conf.voters, conf.learners)
    if fresh:
        raise ConfChangeError(
            f"{sorted(fresh)} would vote without having been learners; add them as learners first and wait "
            f"until they have caught up"
        )
