"""Majority arithmetic, on plain values.

Rules:

- A majority of n voters is n // 2 + 1: of 4 it is 3, of 1 it is 1.
- Every voter counts once, whatever it sent how often.
- Where two sets of voters are joined, each needs its own majority, whoever is in both (dissertation, 4.3).
- A voter that has not answered counts neither way.
"""

from collections.abc import Callable, Mapping, Sequence
from enum import Enum


class VoteResult(Enum):
    """How an election stands."""

    PENDING = "pending"
    WON = "won"
    LOST = "lost"


def majority(voter_count: int) -> int:
    """How many of `voter_count` voters are a majority."""
    return voter_count // 2 + 1


def committed_index(match_indexes: Sequence[int]) -> int:
    """The highest index that a majority of the voters holds, given each voter's match index."""
    return sorted(match_indexes, reverse=True)[len(match_indexes) // 2]


def joint_committed_index(halves: Sequence[Sequence[int]], held: Callable[[int], int]) -> int:
    """The highest index that a majority of every set of voters holds.

    Args:
        halves: the sets of voters, none of them empty.
        held: the highest index a voter holds.
    """
    return min(committed_index([held(voter) for voter in half]) for half in halves)


def joint_vote_result(halves: Sequence[Sequence[int]], votes: Mapping[int, bool]) -> VoteResult:
    """How an election by every set of voters stands: won where all won, lost where one is lost."""
    results = {vote_result(half, votes) for half in halves}
    if VoteResult.LOST in results:
        return VoteResult.LOST
    return VoteResult.PENDING if VoteResult.PENDING in results else VoteResult.WON


def vote_result(voters: Sequence[int], votes: Mapping[int, bool]) -> VoteResult:
    """How an election stands.

    Args:
        voters: every voter's id, once.
        votes: answers by voter; ids that are no voters are not counted.
    """
    granted = sum(votes.get(voter, False) for voter in voters)
    answered = sum(voter in votes for voter in voters)
    needed = majority(len(voters))
    if granted >= needed:
        return VoteResult.WON
    return VoteResult.PENDING if granted + len(voters) - answered >= needed else VoteResult.LOST
