"""What one node is told before it starts.

Rules:
- A configuration is complete: the node asks nothing of its environment variables, home directory or host name.
- All durations are protocol time, in the unit their name says.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ledger.genesis import Genesis
from ledger.keys import SigningKey
from p2p.errors import ConfigError
from p2p.frames import FRAME_BYTES_MAX
from p2p.hello import VERSION

FRAME_ROOM_BYTES = 65536
"""What a frame takes beside a block or an envelope, generously."""


TICKS_PER_HEARTBEAT = 2
"""Raft's clock is finer than its heartbeats, so that election timeouts, which are whole ticks, seldom collide."""


@dataclass(frozen=True, slots=True)
class Timing:
    """How a node paces itself.

    Attributes, where the name does not say all:
        heartbeat_ms: between a leader's heartbeats: a fifth of the shortest election timeout, so that one of them may
            be lost, or late, without anybody campaigning.
        election_ticks: ticks without a word from the leader, at least, before a follower campaigns.
        snapshot_blocks: a snapshot is taken every so many blocks, at the same heights on every node.
        log_entries_kept: entries that stay in the log behind the last snapshot; whoever lacks more fetches a state.
        replay_blocks_max: a member that does not order and lacks more blocks than this fetches a state.
        sync_questions_max: chunks of a state asked for at a time.

    The gossip values start from Hyperledger Fabric's defaults: fan-out 3, 10 ms batches, pull every 4 s,
    alive every 5 s, expired after 25 s.
    """

    heartbeat_ms: int = 200
    election_ticks: int = 10
    block_interval_ms: int = 50
    blocks_in_flight_max: int = 8
    push_interval_ms: int = 10
    fanout: int = 3
    reconcile_interval_ms: int = 4000
    lag_interval_ms: int = 500
    alive_interval_ms: int = 5000
    alive_expiry_ms: int = 25000
    hello_timeout_ms: int = 5000
    dial_backoff_ms_min: int = 100
    dial_backoff_ms_max: int = 2000
    envelope_retry_ms: int = 3000
    snapshot_blocks: int = 1000
    log_entries_kept: int = 2000
    replay_blocks_max: int = 2000
    sync_timeout_ms: int = 2000
    sync_questions_max: int = 8
    backfill_bytes_per_s: int = 4 << 20

    @property
    def tick_ms(self) -> int:
        """The unit of Raft's clock."""
        return self.heartbeat_ms // TICKS_PER_HEARTBEAT

    @property
    def election_timeout_ms_min(self) -> int:
        """The shortest randomized election timeout."""
        return self.tick_ms * self.election_ticks

    @property
    def election_timeout_ms_max(self) -> int:
        """The longest randomized election timeout."""
        return self.tick_ms * (2 * self.election_ticks)


@dataclass(frozen=True, slots=True)
class NodeConfig:
    """One node's place in a network.

    Attributes:
        genesis: the network it belongs to.
        organization: the member that runs it.
        node_key: the secret half of the node key that is registered for it.
        peer_host, peer_port: where it listens for peers.
        api_host, api_port: where it listens for its own organization.
        peers: base URL of every other node's peer port, by organization.
        neighbors: the members it gossips with.
        token: the bearer token of its own organization.
        control_token: the bearer token of the trial; None switches the control channel off.
        calendar_ms: the calendar at start, UTC milliseconds.
        timing: how it paces itself.
        incarnation: lifetime of the node key, from 1; the ledger counts them.
        registered_raft_id: the Raft id that the ledger gave this node; None for a founder's first one, which has its
            place in genesis.
        protocol_version: the version of the peers' protocol that it speaks; a node of another one is refused.
    """

    genesis: Genesis
    organization: str
    node_key: SigningKey
    peer_host: str
    peer_port: int
    api_host: str
    api_port: int
    peers: Mapping[str, str]
    neighbors: tuple[str, ...]
    token: str
    control_token: str | None
    calendar_ms: int
    timing: Timing = field(default_factory=Timing)
    incarnation: int = 1
    registered_raft_id: int | None = None
    protocol_version: int = VERSION

    def __post_init__(self) -> None:
        if self.registered_raft_id is None:
            self._check_founder()
        elif self.registered_raft_id <= len(self.genesis.organizations) or self.incarnation < 1:
            raise ConfigError(
                f"raft_id {self.registered_raft_id}, incarnation {self.incarnation}: founders' first nodes have the ids"
                f" 1 to {len(self.genesis.organizations)}; give what the ledger registered, as /v1/members tells it"
            )
        others = [o.id for o in self.genesis.organizations if o.id != self.organization]
        missing = [other for other in others if other not in self.peers]
        if missing:
            raise ConfigError(f"peers: no address for {missing}; every other founder needs one")
        for name in self.neighbors:
            if name == self.organization or name not in (*others, *self.peers):
                raise ConfigError(f"neighbors: {name!r} is no other member; members: {others}")
        self._check_frames()
        if len(self.token) < 16:
            raise ConfigError(f"token: {len(self.token)} characters; at least 16 are needed")

    def _check_founder(self) -> None:
        """Refuse a founder's first node that is not as genesis registers it."""
        if self.genesis.find(self.organization) is None or self.incarnation != 1:
            raise ConfigError(
                f"organization {self.organization}, incarnation {self.incarnation}: genesis has no such node; give the"
                " raft_id that the ledger registered for it, as /v1/members tells it"
            )
        me = self.genesis.organization(self.organization)
        if me.node_key != self.node_key.public:
            raise ConfigError(
                f"node key of {self.organization}: its public half {self.node_key.public.hex()} is not the one genesis"
                f" registers ({me.node_key.hex()}); give the key that `init` wrote for this organization"
            )

    def _check_frames(self) -> None:
        """Refuse limits under which a block or an envelope could not travel."""
        for name in ("block_bytes_max", "envelope_bytes_max"):
            value = getattr(self.genesis.limits, name)
            if value + FRAME_ROOM_BYTES > FRAME_BYTES_MAX:
                raise ConfigError(
                    f"genesis limits.{name}: {value} bytes do not fit a frame between peers; found the network with"
                    f" at most {FRAME_BYTES_MAX - FRAME_ROOM_BYTES}"
                )

    @property
    def raft_id(self) -> int:
        """This node's Raft id."""
        if self.registered_raft_id is not None:
            return self.registered_raft_id
        return self.genesis.raft_id(self.organization)
