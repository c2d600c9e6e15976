"""What an exploration may do, and what it reports."""

from dataclasses import dataclass

from consensus import ConfChange, ConfState


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much the world may do.

    Attributes:
        nodes: how many cores.
        campaigns_max: elections begun, and so how many terms pass.
        proposals_max: entries beside the empty ones that open terms.
        flying_max: messages in flight.
        duplicates_max: messages delivered and kept.
        crashes_max: crashes, each followed by a restart.
        beats_max: ticks of leaders.
        transfers_max: leaders asked to hand over to another voter.
        reads_max: leaders asked for a linearizable read.
        learners: so many of the nodes, the last ones, are learners at the start.
        changes: the changes of members that a leader may be asked for.
        changes_max: how many of them.
        releases_max: nodes that make a snapshot of all they have applied and drop it from their log.
        writes_max: writes under way at one node; 0 makes every write instant.
        pre_vote: as in `Config`.
        check_quorum: as in `Config`; time then passes tick by tick at every node.
        logs: the terms of the entries each node starts with; empty logs if not given.
        states_max: the search ends after so many states.
        depth_max: and after so many moves.
    """

    nodes: int = 3
    campaigns_max: int = 2
    proposals_max: int = 1
    flying_max: int = 3
    duplicates_max: int = 0
    crashes_max: int = 0
    beats_max: int = 0
    transfers_max: int = 0
    reads_max: int = 0
    learners: int = 0
    changes: tuple[ConfChange, ...] = ()
    changes_max: int = 0
    releases_max: int = 0
    writes_max: int = 1
    pre_vote: bool = False
    check_quorum: bool = False
    logs: tuple[tuple[int, ...], ...] = ()
    states_max: int = 1 << 60
    depth_max: int = 1 << 60

    @property
    def conf(self) -> ConfState:
        """The configuration at the start."""
        ids = tuple(range(1, self.nodes + 1))
        voters = self.nodes - self.learners
        return ConfState(voters=ids[:voters], learners=ids[voters:])

    @property
    def is_symmetric(self) -> bool:
        """Whether nodes differ in nothing but their names at the start."""
        return not (self.logs or self.learners or self.changes)


@dataclass(frozen=True, slots=True)
class Report:
    """What a search found.

    Attributes:
        states: distinct states checked.
        transitions: moves tried, those to known states included.
        depth: the longest of the shortest paths to a state.
        local_states: distinct states of single nodes.
        inputs: pairs of local state and input, each run through a core once.
        complete: whether no state within the bounds was left out.
        leaders: terms led in some state.
        committed_max: the longest committed log in any state.
        reads_answered: answers to reads, over all transitions.
        confs: distinct configurations that some node went by.
        snapshots: inputs after which a node had put a snapshot in the place of its log.
        violation: the broken rule, or None.
        path: the moves that lead there.
    """

    states: int
    transitions: int
    depth: int
    local_states: int
    inputs: int
    complete: bool
    leaders: int
    committed_max: int
    reads_answered: int
    confs: int
    snapshots: int
    violation: str | None
    path: tuple[str, ...]

    def __str__(self) -> str:
        whole = "all states within the bounds" if self.complete else "cut short"
        return (
            f"{self.states} states ({whole}), {self.transitions} transitions, depth {self.depth}, "
            f"{self.local_states} local states, {self.inputs} inputs run, terms led {self.leaders}, "
            f"longest committed log {self.committed_max}, read answers {self.reads_answered}, "
            f"configurations {self.confs}, snapshots taken in {self.snapshots}"
        )
