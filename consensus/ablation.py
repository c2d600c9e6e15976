"""Safeguards that a test may switch off, one at a time, to see the check that catches their absence.

Rules:

- A safeguard without a test that fails when it is off is not a safeguard. Each of these has one; the table is in
  `docs/ablation.md`.
- They are on. A `Config` with any of them off is refused, unless it is made inside `ablation_permitted()`, which
  only tests call: nothing on a node's path, no setting and no file, can switch one off.
- Pre-vote and check-quorum are settings of their own, since clusters without them are lawful.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, fields
from typing import Final


@dataclass(frozen=True, slots=True)
class Safeguards:
    """What protects the cluster, and from what.

    Attributes:
        persist_vote: the vote is stored with its term; else a restarted node votes twice in one term.
        persist_before_answer: what a message shows is stored before it leaves.
        own_term_commit: only entries of the own term are committed by counting (Raft paper, figure 8).
        truncate_on_conflict_only: a late append deletes nothing (section 5.3).
        votes_per_voter: a doubled grant is one vote.
        session_on_answers: an answer counts only for the stay and the campaign it answers.
        log_comparison: a vote goes to logs at least as up to date (section 5.4.1).
        learners_first: a new voter has caught up before it votes (dissertation, 4.2.1).
        inflight_limits: what is sent ahead of a peer's answers is bounded.
    """

    persist_vote: bool = True
    persist_before_answer: bool = True
    own_term_commit: bool = True
    truncate_on_conflict_only: bool = True
    votes_per_voter: bool = True
    session_on_answers: bool = True
    log_comparison: bool = True
    learners_first: bool = True
    inflight_limits: bool = True

    @property
    def off(self) -> tuple[str, ...]:
        """The names of those that are off."""
        return tuple(field.name for field in fields(self) if not getattr(self, field.name))


ALL_ON: Final = Safeguards()
_permitted: ContextVar[bool] = ContextVar("ablation_permitted", default=False)


@contextmanager
def ablation_permitted() -> Iterator[None]:
    """Lets a test make a `Config` with a safeguard off."""
    token = _permitted.set(True)
    try:
        yield
    finally:
        _permitted.reset(token)


def is_permitted() -> bool:
    """Whether a `Config` may have safeguards off here."""
    return _permitted.get()
