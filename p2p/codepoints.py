"""The named points of a node's program at which a trial may end it.

Rules:
- A point that nobody listens at costs one look at an empty table; nothing is counted then.
- Occurrences are counted in one process life, from when the point is armed; or each passage is fatal by chance.
- Who reaches an armed point for the nth time, or is struck there, dies as by SIGKILL: nothing after it is done.

File systems are tested by crashes at their persistence points (Mohan et al., OSDI 2018); in a node that orders and
acknowledges, proposing, sending, executing and answering are such points too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from random import Random


class CodePoint(StrEnum):
    """Where a node's program can be ended; each is a moment that is passed again and again."""

    BEFORE_PROPOSE = "before_propose"
    """A leader is about to cut and sign a block."""
    AFTER_PROPOSE = "after_propose"
    """The block is signed and in the leader's log in memory; nothing of it is durable or sent."""
    BEFORE_PERSIST = "before_persist"
    """A commit is staged; nothing of it is durable."""
    WITHIN_PERSIST = "within_persist"
    """The database has committed; the watermark has not been written."""
    AFTER_PERSIST = "after_persist"
    """The commit is durable; what depends on it has not been sent, shown or answered."""
    BEFORE_SEND = "before_send"
    """A Raft frame with more than heartbeats is about to be written to a peer's link."""
    AFTER_SEND = "after_send"
    """That frame is written to the link."""
    BEFORE_APPLY = "before_apply"
    """A committed block is about to be executed."""
    AFTER_APPLY = "after_apply"
    """The block is executed in memory and staged."""
    BEFORE_ANSWER = "before_answer"
    """A transaction is durable in the pool; its sender has not been told."""
    AFTER_ANSWER = "after_answer"
    """The answer is written to the sender's connection."""
    BEFORE_INSTALL = "before_install"
    """A state taken over from others is whole and about to be installed."""
    AFTER_INSTALL = "after_install"
    """That state is installed in memory and staged."""


@dataclass(frozen=True, slots=True)
class Trap:
    """A point at which a node is to die: at its nth passage, or at any with a probability.

    Attributes:
        point: the point.
        nth: which passage, from 1.
        chance: the probability that a passage is fatal, instead.
    """

    point: CodePoint
    nth: int = 1
    chance: float | None = None


class CodePoints:
    """The points of one process life.

    Args:
        die: ends the process at once.
        random: decides which passage is fatal, where that is left to chance.
    """

    def __init__(self, die: Callable[[], None], random: Random) -> None:
        self._die = die
        self._random = random
        self._left: dict[CodePoint, int] = {}
        self._chances: dict[CodePoint, float] = {}
        self.on_struck: Callable[[CodePoint], None] = lambda _point: None

    @property
    def armed(self) -> bool:
        """Whether anybody listens at any point."""
        return bool(self._left or self._chances)

    def arm(self, point: CodePoint, nth: int = 1) -> None:
        """End the process when `point` is reached for the `nth` time from now (1 is the next).

        Raises:
            ValueError: if `nth` is below 1.
        """
        if nth < 1:
            raise ValueError(f"{point}: occurrence {nth}; the first one is 1")
        self._left[point] = nth

    def set_trap(self, trap: Trap) -> None:
        """Arm a point as a trap says."""
        if trap.chance is None:
            self.arm(trap.point, trap.nth)
        else:
            self.arm_by_chance(trap.point, trap.chance)

    def arm_by_chance(self, point: CodePoint, chance: float) -> None:
        """Let every passage of `point` end the process with a probability.

        Raises:
            ValueError: if `chance` is no probability above 0.
        """
        if not 0 < chance <= 1:
            raise ValueError(f"{point}: chance {chance}; above 0, at most 1")
        self._chances[point] = chance

    def disarm(self) -> None:
        """Listen nowhere any more."""
        self._left.clear()
        self._chances.clear()

    def reached(self, point: CodePoint) -> None:
        """Note that the program is at a point; the process ends here if that was asked for."""
        if point in self._left:
            self._left[point] -= 1
            is_fatal = self._left[point] == 0
        else:
            is_fatal = point in self._chances and self._random.random() < self._chances[point]
        if is_fatal:
            self.disarm()
            self.on_struck(point)
            self._die()
