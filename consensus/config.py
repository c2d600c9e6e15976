"""What a core is told once, at its start.

Rules:

- Nothing here changes during a life; two lives of one node may differ in everything but `id`.
- Every bound is checked at construction, so that the core never meets a setting that cannot work.
- The only randomness is `rng`, drawn from once per election timeout.
"""

from dataclasses import dataclass
from random import Random

from consensus.ablation import ALL_ON, Safeguards, is_permitted
from consensus.configuration import ConfState
from consensus.errors import ConfigError
from consensus.trace import Trace


@dataclass(frozen=True, slots=True)
class Config:
    """Settings of one core.

    Attributes:
        id: this node, one of `voters`.
        voters: every voting node, this one included; for a cluster whose configuration never changed.
        rng: the source of election timeouts.
        election_tick: a follower that hears no leader campaigns after this many ticks to twice as many
            (drawn anew for each wait); a leader that hears no majority for this many steps down.
        heartbeat_tick: a leader sends heartbeats every this many ticks.
        pre_vote: ask whether an election could be won before disturbing anybody (dissertation, 9.6).
        check_quorum: leaders without a majority step down, and nodes that hear a leader refuse to help
            another candidate (dissertation, 6.2 and 4.2.3).
        message_bytes_max: an append carries entries up to this size, but at least one.
        inflight_messages_max: appends sent to a peer ahead of its answers.
        inflight_bytes_max: the same in bytes of entries; passed by at most one message.
        uncommitted_bytes_max: what a leader takes in before it is committed.
        apply_bytes_max: committed entries in one `Ready`, but at least one.
        tail_bytes_max: recent entries kept in memory after they are stable and applied.
        reads_max: reads waiting to be confirmed.
        conf_state: the configuration after entry `applied`, as the caller stored it with that entry; instead
            of `voters`. This node need not be in it: one that joins or was removed only listens.
        accept_snapshots: whether the caller handles `Ready.snapshot`; if not, snapshots received are ignored.
        step_down_on_removal: a leader that has applied its own removal steps down; otherwise it goes on leading,
            without counting itself, until another is elected.
        safeguards: all on, but for tests; see `consensus.ablation`.
        trace: called with a `TraceEvent` for everything that happens; must not call back into the core.

    Raises:
        ConfigError: a value no cluster can run with.
    """

    id: int
    voters: tuple[int, ...]
    rng: Random
    election_tick: int = 10
    heartbeat_tick: int = 1
    pre_vote: bool = True
    check_quorum: bool = True
    message_bytes_max: int = 1 << 20
    inflight_messages_max: int = 256
    inflight_bytes_max: int = 8 << 20
    uncommitted_bytes_max: int = 16 << 20
    apply_bytes_max: int = 4 << 20
    tail_bytes_max: int = 8 << 20
    reads_max: int = 4096
    trace: Trace | None = None
    conf_state: ConfState | None = None
    accept_snapshots: bool = False
    step_down_on_removal: bool = True
    safeguards: Safeguards = ALL_ON

    def __post_init__(self) -> None:
        if self.conf_state is not None:
            if self.voters:
                raise ConfigError(f"give voters {self.voters} or conf_state, not both")
        elif min(self.voters, default=0) < 1 or len(set(self.voters)) != len(self.voters):
            raise ConfigError(f"voters must be distinct ids from 1 up, at least one; got {self.voters}")
        elif self.id not in self.voters:
            raise ConfigError(f"id {self.id} must be one of the voters {self.voters}")
        if self.heartbeat_tick < 1:
            raise ConfigError(f"heartbeat_tick must be at least 1, got {self.heartbeat_tick}")
        if self.election_tick <= self.heartbeat_tick:
            raise ConfigError(
                f"election_tick must be more than heartbeat_tick {self.heartbeat_tick} (ten times is usual), "
                f"or followers campaign between two heartbeats; got {self.election_tick}"
            )
        if self.safeguards.off and not is_permitted():
            raise ConfigError(
                f"safeguards {', '.join(self.safeguards.off)} are off, which only a test may do, inside "
                f"ablation_permitted(); leave them on"
            )
        for name in _BOUNDS:
            if getattr(self, name) < 1:
                raise ConfigError(f"{name} must be at least 1, got {getattr(self, name)}")

    @property
    def initial_conf(self) -> ConfState:
        """The configuration to start with."""
        return self.conf_state or ConfState(tuple(sorted(self.voters)))


_BOUNDS = (
    "message_bytes_max",
    "inflight_messages_max",
    "inflight_bytes_max",
    "uncommitted_bytes_max",
    "apply_bytes_max",
    "tail_bytes_max",
    "reads_max",
)
