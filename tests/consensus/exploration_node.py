"""One node of the exploration: a real core with its disk, how to copy it, and what must hold of it alone.

Rules:

- A copy shares what is immutable and nothing else. It walks `__slots__`, so that attributes added to the
  cores later are copied too; `copy.deepcopy` does the same sixteen times slower.
- A change of members is spelled in its entry, and a snapshot's data is the applied log it stands for: what a node
  needs to go on is in what it gets.
- What holds of one node is checked across each input: the disk forgets nothing, indexes keep their order,
  a leader only appends, and no message shows what its sender's disk does not hold.
"""

import ast
from collections import deque
from dataclasses import dataclass, is_dataclass
from enum import Enum
from random import Random
from typing import Any, Final

from consensus import (
    LEAVE_JOINT,
    Change,
    ChangeType,
    ConfChange,
    Config,
    ConfState,
    Entry,
    EntryType,
    MemoryStorage,
    Message,
    MessageType,
    RawNode,
    Ready,
    Role,
    Snapshot,
    Transition,
    election,
    next_conf,
)

Log = tuple[tuple[int, bytes], ...]
"""Term and data of every entry; the data begins with the entry's type."""

BYTES_MAX: Final = 1 << 40


class BrokenRuleError(AssertionError):
    """A state in which one of Raft's rules does not hold; the message says which and how."""


def require(condition: object, message: str) -> None:
    """Raises BrokenRuleError unless the condition holds."""
    if not condition:
        raise BrokenRuleError(message)


class Constant(Random):
    """The longest election timeout every time, and no state that a clone could share."""

    def randrange(self, start: int, stop: int | None = None, step: int = 1) -> int:
        return (start if stop is None else stop) - 1


_IMMUTABLE: Final[dict[type, bool]] = {}


def is_immutable(kind: type) -> bool:
    """Whether values of this type never change, so that copies may share them."""
    known = _IMMUTABLE.get(kind)
    if known is None:
        record = is_dataclass(kind) and kind.__dataclass_params__.frozen  # type: ignore[attr-defined]
        plain = issubclass(kind, int | str | bytes | type(None) | Enum | tuple | frozenset | Random)
        known = _IMMUTABLE[kind] = record or plain
    return known


def slots(kind: type) -> tuple[str, ...]:
    """The names of the attributes, where the type declares them."""
    return getattr(kind, "__slots__", ())


def clone(value: Any, memo: dict[int, Any]) -> Any:
    """A copy that shares only what is immutable; `memo` keeps what is shared inside shared."""
    kind = type(value)
    if is_immutable(kind):
        return value
    if kind is list:
        return [clone(item, memo) for item in value]
    if kind is dict:
        return {key: clone(item, memo) for key, item in value.items()}
    if kind is set:
        return set(value)
    if kind is deque:
        return deque(clone(item, memo) for item in value)
    known = memo.get(id(value))
    if known is None:
        known = memo[id(value)] = kind.__new__(kind)
        for name in slots(kind) or vars(value):
            setattr(known, name, clone(getattr(value, name), memo))
    return known


def spelled(change: ConfChange) -> bytes:
    """The data of a change's entry."""
    if change == LEAVE_JOINT:
        return b""
    parts = [(int(item.type), item.node) for item in change.changes]
    return repr((parts, change.transition.value)).encode()


def derived(data: bytes) -> ConfChange:
    """The change that an entry's data spells."""
    if not data:
        return LEAVE_JOINT
    parts, transition = ast.literal_eval(data.decode())
    return ConfChange(tuple(Change(ChangeType(kind), node) for kind, node in parts), Transition(transition))


def fetched(snapshot: Snapshot) -> list[Entry]:
    """The applied entries that a snapshot stands for."""
    return [
        Entry(term, index, EntryType(kind), data)
        for index, (term, kind, data) in enumerate(ast.literal_eval(snapshot.data.decode()), 1)
    ]


class Local:
    """One node: its core, its disk with the configuration stored there, and the writes under way."""

    __slots__ = ("applied", "conf", "core", "disk", "writing")

    def __init__(self, config: Config, disk: MemoryStorage, applied: list[Entry]) -> None:
        self.disk = disk
        self.applied = applied
        self.conf = config.initial_conf
        self.core = RawNode(config, disk.hard_state, disk, len(applied))
        self.writing: deque[Ready] = deque()

    def write(self, ready: Ready) -> None:
        """What a Ready asks for, in one atomic write."""
        if ready.snapshot is not None:
            self.disk.apply_snapshot(ready.snapshot)
            self.conf = ready.snapshot.conf_state
            self.applied = fetched(ready.snapshot)
        self.disk.append(ready.entries)
        if ready.hard_state is not None:
            self.disk.hard_state = ready.hard_state
        for entry in ready.committed_entries:
            self.applied.append(entry)
            if entry.type is EntryType.CONF_CHANGE:
                self.conf = next_conf(self.conf, derived(entry.data))

    def persist(self) -> Ready:
        """The oldest write is done, and what it applies is in force; what is left is to send and to advance."""
        ready = self.writing.popleft()
        self.write(ready)
        for entry in ready.committed_entries:
            if entry.type is EntryType.CONF_CHANGE:
                self.core.apply_conf_change(entry.index, derived(entry.data))
        return ready

    def release(self) -> None:
        """Makes a snapshot of all that is applied and drops it from the log."""
        data = repr([(entry.term, int(entry.type), entry.data) for entry in self.applied]).encode()
        snapshot = self.disk.create_snapshot(len(self.applied), self.conf, data)
        self.disk.compact(snapshot.index)

    def log(self) -> Log:
        """The core's log, stored or not; what is dropped of it, as the snapshot has it that stands for it."""
        core, log = self.core, self.core._core.log
        first = log.first_index
        before: list[Entry] = self.applied[: first - 1]
        for snapshot in (log.pending_snapshot, *(ready.snapshot for ready in reversed(self.writing))):
            if snapshot is not None and snapshot.index == first - 1:
                before = fetched(snapshot)
                break
        return plain((*before, *log.slice(first, core.last_index + 1, BYTES_MAX)))

    def stored(self) -> Log:
        """The log on disk, from its beginning."""
        first = self.disk.first_index()
        kept = self.disk.entries(first, self.disk.last_index() + 1, BYTES_MAX)
        return plain((*self.applied[: first - 1], *kept))


def plain(entries: Any) -> Log:
    return tuple((entry.term, bytes([entry.type]) + entry.data) for entry in entries)


def configuration(start: ConfState, log: Log) -> tuple[tuple[int, ConfState], ...]:
    """Every configuration that the changes in `log` lead to, each with the index of its change."""
    known = _CONFIGURATIONS.get((start, log))
    if known is None:
        known = ((0, start),)
        if log:
            known = configuration(start, log[:-1])
            kind, data = log[-1][1][0], log[-1][1][1:]
            if kind == EntryType.CONF_CHANGE:
                known = (*known, (len(log), next_conf(known[-1][1], derived(data))))
        _CONFIGURATIONS[start, log] = known
    return known


_CONFIGURATIONS: Final[dict[tuple[ConfState, Log], tuple[tuple[int, ConfState], ...]]] = {}


@dataclass(frozen=True, slots=True)
class View:
    """What the checks across nodes need of one local state."""

    node: int
    term: int
    leads: bool
    log: Log
    stored: Log
    stored_term: int
    commit: int
    applied: Log
    matches: tuple[tuple[int, int], ...]
    writes: int
    conf: ConfState
    conf_index: int
    proposes: bool
    reads: bool
    stands: bool
    changes: tuple[int, ...]
    releases: bool


def view_of(local: Local, changes: tuple[ConfChange, ...] = ()) -> View:
    """The view of a local state; `changes` are those that a leader may be asked for."""
    core = local.core
    snapshot = local.disk.snapshot()
    leads = core.role is Role.LEADER
    return View(
        core.id,
        core.term,
        leads,
        local.log(),
        local.stored(),
        local.disk.hard_state.term,
        core.commit,
        plain(local.applied),
        tuple((peer, status.match) for peer, status in core.status().peers.items()),
        len(local.writing),
        core.status().conf_state,
        core._core.conf_index,
        leads and core.can_propose(1),
        leads and core.commit >= core.status().term_start,
        not leads and election.may_campaign(core._core),
        tuple(
            number
            for number, change in enumerate(changes)
            if leads and core.conf_change_refusal(len(spelled(change)), change) is None
        ),
        len(local.applied) > (0 if snapshot is None else snapshot.index),
    )


def check_leaves(local: Local, message: Message) -> None:
    """Persist before send: what a message shows is on its sender's disk."""
    hard = local.disk.hard_state
    kind = message.type
    shown = f"{kind.name} of term {message.term} leaves {local.core.id} with only {hard} on disk"
    if kind is MessageType.PRE_VOTE:
        require(message.term - 1 <= hard.term, shown)
        return
    if kind is MessageType.PRE_VOTE_RESPONSE and not message.reject:
        return
    require(message.term <= hard.term, shown)
    if message.term < hard.term:
        return
    if kind is MessageType.VOTE:
        require(hard.vote == message.sender, shown)
    elif kind is MessageType.VOTE_RESPONSE and not message.reject:
        require(hard.vote == message.to, shown)
    elif kind is MessageType.APPEND_RESPONSE and not message.reject:
        stored = local.stored()
        require(message.index <= len(stored), shown)
        # A later term may already have replaced in memory what an earlier write has just made durable.
        require(
            message.term < local.core.term or stored[: message.index] == local.log()[: message.index],
            f"{shown}; other entries are stored",
        )


def check_local(before: Local, after: Local, *, crashed: bool) -> None:
    """What must hold of one node across one input."""
    old, new = before.disk.hard_state, after.disk.hard_state
    require(new.term >= old.term, f"the stored term went back: {old} {new}")
    require(new.term > old.term or old.vote in (0, new.vote), f"the stored vote changed: {old} {new}")
    require(new.commit >= old.commit, f"the stored commit went back: {old} {new}")
    require(len(after.applied) >= len(before.applied), "what was applied is gone")
    indexes = [entry.index for entry in after.applied]
    require(indexes == list(range(1, len(indexes) + 1)), f"applied {indexes}")
    core, log = after.core, after.core._core.log
    require(log.applied <= log.applying <= log.commit <= log.last_index, f"index order: {core.status()}")
    snapshot = after.disk.snapshot()
    snapshot_index = 0 if snapshot is None else snapshot.index
    require(
        after.disk.first_index() - 1 <= snapshot_index <= len(after.applied) <= new.commit,
        f"index order: snapshot {snapshot_index}, applied {len(after.applied)}, {new}",
    )
    in_flight = [
        entry.index
        for entry in log.slice(log.first_index, log.last_index + 1, BYTES_MAX)
        if entry.type is EntryType.CONF_CHANGE and entry.index > core._core.conf_index
    ]
    require(core.role is not Role.LEADER or len(in_flight) <= 1, f"changes {in_flight} are in flight at once")
    require(log.stable <= log.handed <= log.last_index, f"stable {log.stable}, handed {log.handed}")
    require(after.stored()[: log.stable] == after.log()[: log.stable], "stable entries are not on disk")
    for peer, status in core.status().peers.items():
        require(status.match < status.next, f"match {status.match} of {peer} is not below {status.next}")
    if crashed:
        return
    require(core.term >= before.core.term, "the term went back")
    require(core.commit >= before.core.commit, "commit went back")
    if core.role is Role.LEADER and before.core.role is Role.LEADER and core.term == before.core.term:
        ours = before.log()
        require(after.log()[: len(ours)] == ours, f"leader {core.id} changed its own log")
