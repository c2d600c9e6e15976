"""Raft in etcd's shape: no clock, socket, disk, event loop or global randomness.

`RawNode` is a state machine. The caller feeds it messages, ticks and proposals, and does the work that
`ready` hands out, in this order::

    node = RawNode(config, storage.hard_state, storage, applied)
    while True:
        feed(node)                                # node.step(message), node.tick(), node.propose(data)
        while node.has_ready():
            ready = node.ready()
            send(ready.messages)                  # 1. at once, while the disk is still writing
            with storage.transaction():           # 2. one atomic write; durable if ready.must_sync
                if ready.snapshot is not None:    #    in the place of the whole log
                    storage.apply_snapshot(ready.snapshot)
                if ready.entries:                 #    replaces the stored log from entries[0].index on
                    storage.append(ready.entries)
                if ready.hard_state is not None:
                    storage.hard_state = ready.hard_state
                for entry in ready.committed_entries:
                    if entry.type is EntryType.CONF_CHANGE:
                        change = derive(entry) if entry.data else LEAVE_JOINT
                        storage.conf_state = node.apply_conf_change(entry.index, change)
                    if not entry.is_empty:        # 3. in the same write, or after it
                        apply(entry)
            send(ready.messages_after_append)     # 4. only now: these show what had to be durable first
            node.advance(ready)                   # 5. may make new work: hence the inner loop

Rules for the caller:

- **Order.** Writes in the order of the Readies; `messages_after_append` after the write of their Ready;
  entries and hard state together or not at all; entries applied after they are written, and the last
  applied index kept with what they changed.
- **While a write is under way** the node may be fed and the next Ready taken, so that heartbeats need not
  wait: send its `messages`, and write it next. Several Readies may share one write; `advance` of the last
  covers all.
- **Failure.** If a write fails or may have failed, stop: never write again, never `advance`, never send the
  rest.
- **Time.** `tick()` is the only clock. After a stall, `step` what has already arrived, then `tick()` once.
- **Proposals.** Ask `can_propose(len(data))`, then `propose(data)` with nothing in between: it cannot fail
  then. The entry returned tells term and index. Until an entry is committed at that index its fate is
  unknown, never "failed"; a retry under another index may mean the data is applied twice, which the state
  machine must notice.
- **Leadership** is told by `Ready.soft_state`. A new leader's state machine is up to date when it has
  applied the empty entry that opens its term (`Status.term_start`).
- **Handing over.** `transfer_leader(to)` makes a chosen voter take over, for a restart without an election
  timeout's silence; proposals are refused meanwhile.
- **Reads.** `read_index(context)` on the leader, then wait until the `Ready.read_states` entry of that context
  has an index that is applied, then read. If leadership is lost first, the answer never comes: ask again.
- **Snapshots.** Make one of what is applied whenever the log is long, store it, and only then drop entries up to
  it or less. A snapshot is an index, its term, the configuration there and the caller's small `data`; whoever
  receives one in a `Ready` stores it in the same write and may `advance` at once, but must fetch the state it
  stands for before it applies anything further, also after a restart.
- **Members.** `propose_conf_change(data, change)` on the leader; the entry's data is the caller's. When it is
  committed, derive the change from it and call `apply_conf_change`, on every node alike, before `advance`;
  store the `ConfState` returned with the applied index, and start from it (`Config.conf_state`). A node joins
  as a learner with an empty log and its cluster's configuration, which need not name it yet; ids are never
  used again.
- **The network** may lose, double, delay and reorder messages; a caller may hold or drop any of them.
- **Sending from disk.** `Storage` is asked for old entries while messages are built, so it must answer at
  once. One that cannot be read while it writes raises `StorageBusyError`; the peer is passed over until the caller
  says `storage_available()`, which it must when the write is done, or the peer waits for its next answer.

The modules: `types`, `configuration` and `messages` are the nouns, `config` the settings, `quorum` and
`progress` the arithmetic, `log` and `storage` the log, `core` the state of a node, `election` and
`replication` the algorithm, `changer` and `membership` who takes part, `transfer`, `reads` and `snapshots`
what else a leader does, `raft` the table that joins them, `rawnode` this loop's counterpart, `trace` and
`status` for watching, `ablation` for tests that show what a safeguard is for.
"""

from consensus.changer import LEAVE_JOINT, Change, ChangeType, ConfChange, Transition, next_conf
from consensus.config import Config
from consensus.configuration import ConfState
from consensus.errors import (
    CommittedConflictError,
    ConfChangeError,
    ConfigError,
    InconsistentStateError,
    MalformedMessageError,
    ProposalRefusedError,
    RaftError,
    ReadRefusedError,
    Refusal,
    RefusedError,
    StorageBusyError,
    TransferRefusedError,
)
from consensus.messages import Field, Message, MessageType
from consensus.progress import ProgressState
from consensus.quorum import majority
from consensus.rawnode import RawNode
from consensus.ready import Ready
from consensus.status import PeerStatus, Status
from consensus.storage import MemoryStorage, Storage
from consensus.trace import Trace, TraceEvent, TraceName
from consensus.types import (
    ENTRY_OVERHEAD_BYTES,
    NOBODY,
    Entry,
    EntryType,
    HardState,
    ReadState,
    Role,
    Snapshot,
    SoftState,
)

__all__ = [
    "ENTRY_OVERHEAD_BYTES",
    "LEAVE_JOINT",
    "NOBODY",
    "Change",
    "ChangeType",
    "CommittedConflictError",
    "ConfChange",
    "ConfChangeError",
    "ConfState",
    "Config",
    "ConfigError",
    "Entry",
    "EntryType",
    "Field",
    "HardState",
    "InconsistentStateError",
    "MalformedMessageError",
    "MemoryStorage",
    "Message",
    "MessageType",
    "PeerStatus",
    "ProgressState",
    "ProposalRefusedError",
    "RaftError",
    "RawNode",
    "ReadRefusedError",
    "ReadState",
    "Ready",
    "Refusal",
    "RefusedError",
    "Role",
    "Snapshot",
    "SoftState",
    "Status",
    "Storage",
    "StorageBusyError",
    "Trace",
    "TraceEvent",
    "TraceName",
    "TransferRefusedError",
    "Transition",
    "majority",
    "next_conf",
]
