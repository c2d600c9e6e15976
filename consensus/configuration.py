"""Who votes and who only listens.

Rules:

- Voters elect and commit. Learners receive the log and count for nothing.
- While two sets of voters are joined (`voters` comes, `voters_outgoing` goes), every election and every commit
  needs a majority of both (Raft paper, section 6; dissertation, 4.3).
- A voter that becomes a learner votes until the joint configuration is left: until then it stands in
  `learners_next`, not in `learners`.
- Ids are kept in ascending order, so that equal configurations are equal values.
"""

from dataclasses import dataclass

from consensus.errors import ConfigError


@dataclass(frozen=True, slots=True)
class ConfState:
    """One configuration, as it is stored with the state and carried by snapshots.

    Attributes:
        voters: the voters, those that come if joint.
        voters_outgoing: the voters that go; empty unless joint.
        learners: members without a vote.
        learners_next: outgoing voters that become learners when the joint configuration is left.
        auto_leave: whether the leader leaves the joint configuration by itself.

    Raises:
        ConfigError: a contradiction; names it.
    """

    voters: tuple[int, ...] = ()
    voters_outgoing: tuple[int, ...] = ()
    learners: tuple[int, ...] = ()
    learners_next: tuple[int, ...] = ()
    auto_leave: bool = False

    def __post_init__(self) -> None:
        for name in ("voters", "voters_outgoing", "learners", "learners_next"):
            ids = getattr(self, name)
            if list(ids) != sorted(set(ids)) or min(ids, default=1) < 1:
                raise ConfigError(f"{name} must be distinct ids from 1 up in ascending order; got {ids}")
        electors = {*self.voters, *self.voters_outgoing}
        both = electors.intersection(self.learners)
        if both:
            raise ConfigError(
                f"{sorted(both)} cannot vote and be learners; use learners_next until they leave"
            )
        if not set(self.learners_next) <= set(self.voters_outgoing):
            raise ConfigError(
                f"learners_next {self.learners_next} must be among voters_outgoing {self.voters_outgoing}"
            )
        if set(self.learners_next).intersection(self.voters):
            raise ConfigError(f"learners_next {self.learners_next} must not be among voters {self.voters}")
        if not self.voters_outgoing and self.auto_leave:
            raise ConfigError("auto_leave needs voters_outgoing: there is nothing to leave")
        if not self.voters and electors.union(self.learners):
            raise ConfigError("voters must not be empty where there are other members")

    @property
    def is_joint(self) -> bool:
        """Whether two sets of voters are joined."""
        return bool(self.voters_outgoing)

    @property
    def halves(self) -> tuple[tuple[int, ...], ...]:
        """The sets of voters of each of which a majority is needed."""
        return (self.voters, self.voters_outgoing) if self.voters_outgoing else (self.voters,)

    @property
    def electors(self) -> tuple[int, ...]:
        """Everybody who votes in either set."""
        if not self.voters_outgoing:
            return self.voters
        return tuple(sorted({*self.voters, *self.voters_outgoing}))

    @property
    def members(self) -> tuple[int, ...]:
        """Everybody who receives the log."""
        return tuple(sorted({*self.electors, *self.learners}))
