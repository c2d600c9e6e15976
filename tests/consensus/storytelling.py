"""Plays a story: a script of what the world does, and after each line everything that came of it.

Rules:

- A story file holds comments (`#`), commands at the margin, and indented what they caused. The commands are
  the author's, the rest is written by `pytest tests/consensus --rewrite-stories` and reviewed as a diff.
- The cores are real, their world is `harness.Cluster`, whose observer checks Raft's invariants at each step.
- After each command every node does its work: it takes what its core has ready, writes it and sends it. A
  node whose disk is slow takes and sends, but each of its writes waits for `persist`.
- Messages wait in flight until the story delivers or drops them, oldest first.
- Entries are written term.index, with their data where they have any.

The commands:

    cluster 3 pre_vote=off      nodes 1 to 3; settings as in `Config` (on, off, numbers)
    campaign 1                  1 stands for election
    tick 1 10                   ten ticks pass at 1
    propose 1 hello             1 is asked to append "hello"
    transfer 1 2                1 is asked to hand leadership over to 2
    change 1 learner 4          1 is asked for a change of members: learner 4, voter 4, without 3; several at once,
                                and last what is done with a joint configuration: joint, explicit, leave
    read 1                      1 is asked for a linearizable read
    forget 2                    2 is told to forget its leader
    release 1 2                 1 makes a snapshot of all it has applied and drops all but the last 2 entries of it
    report 1 3 failed           1 is told what became of the snapshot that it sent to 3 (also: arrived)
    deliver                     every message now in flight arrives
    deliver 1>2 3>*             those from 1 to 2, then those from 3 to anybody
    deliver 1>2 newest          only the newest of them (also: oldest)
    deliver 1>2 with hello      only those that carry the entry "hello" (also: without hello)
    settle                      all messages arrive, and those they cause, until none is left
    drop 1>2                    these messages are lost (what is chosen as with deliver)
    double 1>2                  these messages are in flight twice
    partition 1 | 2 3           links between the sides are cut: what arrives over them is lost
    cut 1 3                     the link between 1 and 3 is cut, both ways
    heal                        all links work again
    disk 2 slow                 writes at 2 wait for `persist 2` (also: fast)
    persist 2                   the oldest write of 2 is done
    crash 3                     3 stops, writes under way are lost
    crash 3 torn 1              3 stops, only the first write under way has reached the disk
    restart 3                   3 starts again from its disk
    show                        all nodes, as they stand
    quietly settle              any command, with nothing told
"""

from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final

from raft_harness import Cluster, log_of

from consensus import (
    ChangeType,
    ConfState,
    Entry,
    EntryType,
    Message,
    MessageType,
    ProposalRefusedError,
    RawNode,
    ReadRefusedError,
    Snapshot,
    TransferRefusedError,
    Transition,
)

INDENT: Final = "  "
_CHANGES: Final = {
    "learner": ChangeType.ADD_LEARNER,
    "voter": ChangeType.ADD_VOTER,
    "without": ChangeType.REMOVE,
}
_TRANSITIONS: Final = {
    "joint": Transition.JOINT,
    "explicit": Transition.JOINT_EXPLICIT,
    "leave": Transition.LEAVE,
}
TOLD_IN_WORDS: Final = 11
"""So many fields of a message have words of their own; those added since are told by their names."""


class StoryError(Exception):
    """A line that cannot be played; names file, line and what was expected."""


def played(path: Path) -> str:
    """The text of a story as it plays out now."""
    teller = Teller()
    told: list[str] = []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if line.startswith(INDENT):
            continue
        told.append(line)
        if line.strip() and not line.startswith("#"):
            try:
                told.extend(f"{INDENT}{line}" for line in teller.play(line.split()))
            except (StoryError, ValueError, KeyError) as wrong:
                raise StoryError(f"{path.name}:{number}: cannot play {line!r}: {wrong}") from wrong
    return "\n".join(told) + "\n"


@dataclass(frozen=True, slots=True)
class Standing:
    """What a story tells about one node when it changes."""

    term: int
    vote: int
    lead: int
    role: str
    log: tuple[Entry, ...]
    first: int
    commit: int
    conf: ConfState
    transferee: int
    reads: int


def standing(core: RawNode) -> Standing:
    """How a core stands."""
    status = core.status()
    return Standing(
        status.term,
        status.vote,
        status.lead,
        status.role.value,
        tuple(log_of(core)),
        status.first_index,
        status.commit,
        status.conf_state,
        status.transferee,
        status.reads_waiting,
    )


class Teller:
    """Plays commands and tells what they caused."""

    def __init__(self) -> None:
        self.cluster = Cluster(1)
        self.slow: list[int] = []
        self.told: list[str] = []
        self.before: dict[int, Standing] = {}
        self.applied: dict[int, int] = {}
        self.flown = 0

    def play(self, words: list[str]) -> list[str]:
        """What a command causes, line by line."""
        if words[0] == "quietly" and words[1:]:
            self.play(words[1:])
            return []
        command: Callable[..., None] | None = getattr(self, f"do_{words[0]}", None)
        if command is None:
            raise StoryError(f"no command is called {words[0]!r}; known are {_commands()}")
        self.told = []
        try:
            command(*words[1:])
        except TypeError as wrong:
            raise StoryError(str(wrong)) from wrong
        self.aftermath("")
        return self.told

    # --- telling

    def say(self, indent: str, text: str) -> None:
        self.told.append(f"{indent}{text}")

    def aftermath(self, indent: str) -> None:
        """Lets every node do its work, and tells what changed and what was sent, in that order."""
        for node, peer in self.cluster.peers.items():
            self.news(indent, node)
            while peer.core is not None and (
                peer.core.has_ready() or (peer.writing and node not in self.slow)
            ):
                self.take(indent, node)
                self.news(indent, node)
                if node not in self.slow:
                    self.cluster.persist(node)
                    self.news(indent, node)

    def take(self, indent: str, node: int) -> None:
        """The node takes what its core has ready; reads answered are told."""
        writing = self.cluster.peers[node].writing
        before = len(writing)
        self.cluster.take(node)
        if len(writing) > before:
            for state in writing[-1].read_states:
                self.say(
                    indent,
                    f"{node} answers read {state.context.decode()}, good once {state.index} is applied",
                )

    def news(self, indent: str, node: int) -> None:
        """What is new of one node, and what it has sent."""
        peer = self.cluster.peers[node]
        if peer.core is not None:
            self.changes(indent, node, peer.core)
        snapshot = peer.disk.snapshot()
        if snapshot is not None and snapshot.index > self.applied[node]:
            self.say(indent, f"{node} fetches what the snapshot stands for, all up to {snapshot.index}")
            self.applied[node] = snapshot.index
        for entry in peer.disk.applied[self.applied[node] :]:
            self.say(indent, f"{node} applies {_entry(entry)}")
        self.applied[node] = len(peer.disk.applied)
        for message in self.cluster.flying[self.flown :]:
            self.say(indent, _message(message))
        self.flown = len(self.cluster.flying)

    def changes(self, indent: str, node: int, core: RawNode) -> None:
        was, now = self.before[node], standing(core)
        self.before[node] = now
        if (was.term, was.role, was.lead) != (now.term, now.role, now.lead):
            follows = f" of {now.lead}" if now.role == "follower" and now.lead else ""
            self.say(indent, f"{node} is {now.role}{follows} in term {now.term}")
        if now.vote not in (0, was.vote) or (now.vote and now.term != was.term):
            self.say(indent, f"{node} votes for {now.vote if now.vote != node else 'itself'}")
        if was.transferee and not now.transferee and was.role == now.role:
            self.say(indent, f"{node} gives up handing over to {was.transferee}")
        if was.reads and was.role == "leader" != now.role:
            self.say(indent, f"{node} leaves {was.reads} {'read' if was.reads == 1 else 'reads'} unanswered")
        if now.first > was.first:
            self.say(indent, f"{node} has its log from {now.first} on")
        old = tuple(entry for entry in was.log if entry.index >= now.first)
        kept = next(
            (place for place, pair in enumerate(zip(old, now.log, strict=False)) if pair[0] != pair[1]),
            min(len(old), len(now.log)),
        )
        if old[kept:]:
            self.say(indent, f"{node} removes {_entries(old[kept:])}")
        if now.log[kept:]:
            self.say(indent, f"{node} appends {_entries(now.log[kept:])}")
        if now.commit != was.commit:
            self.say(indent, f"{node} knows {now.commit} committed")
        if now.conf != was.conf:
            self.say(indent, f"{node} goes by {_conf(now.conf)}")

    # --- the world

    def do_cluster(self, size: str, *settings: str) -> None:
        given: dict[str, Any] = {}
        for setting in settings:
            name, _, value = setting.partition("=")
            given[name] = {"on": True, "off": False}[value] if value in {"on", "off"} else int(value)
        self.cluster = Cluster(int(size), **given)
        self.before = {node: standing(self.cluster.core(node)) for node in self.cluster.ids}
        self.applied = dict.fromkeys(self.cluster.ids, 0)
        self.slow = []
        self.flown = 0

    def do_campaign(self, node: str) -> None:
        self.cluster.campaign(int(node))

    def do_tick(self, node: str, ticks: str = "1") -> None:
        for tick in range(1, int(ticks) + 1):
            self.cluster.tick(int(node))
            place = len(self.told)
            self.aftermath(INDENT if ticks != "1" else "")
            if ticks != "1" and len(self.told) > place:
                self.told.insert(place, f"tick {tick}")

    def do_propose(self, node: str, *text: str) -> None:
        try:
            self.cluster.touch(int(node), lambda core: _propose(core, " ".join(text)))
        except ProposalRefusedError as refused:
            self.say("", f"{node} refuses: {refused.reason}")

    def do_transfer(self, node: str, to: str) -> None:
        try:
            self.cluster.touch(int(node), lambda core: core.transfer_leader(int(to)))
        except TransferRefusedError as refused:
            self.say("", f"{node} refuses: {refused.reason}")

    def do_change(self, node: str, *words: str) -> None:
        transition = _TRANSITIONS.get(words[-1], Transition.AUTO) if words else Transition.AUTO
        rest = words[:-1] if words and words[-1] in _TRANSITIONS else words
        if len(rest) % 2 or not set(rest[::2]) <= set(_CHANGES):
            raise StoryError(f"a change is made of {', '.join(_CHANGES)}, each with a node; got {rest}")
        changes = [(_CHANGES[kind], int(member)) for kind, member in zip(rest[::2], rest[1::2], strict=True)]
        if self.cluster.change(int(node), *changes, transition=transition) is None:
            assert self.cluster.refused is not None
            self.say("", f"{node} refuses: {self.cluster.refused.reason}")

    def do_read(self, node: str) -> None:
        number = self.cluster.reads + 1
        try:
            self.cluster.touch(int(node), lambda core: core.read_index(b"%d" % number))
        except ReadRefusedError as refused:
            self.say("", f"{node} refuses: {refused.reason}")
        else:
            self.cluster.reads = number
            self.cluster.observer.read_asked(number)
            self.say("", f"{node} takes in read {number}")

    def do_forget(self, node: str) -> None:
        self.cluster.touch(int(node), lambda core: core.forget_leader())

    def do_release(self, node: str, kept: str = "0") -> None:
        self.cluster.release(int(node), int(kept))

    def do_report(self, node: str, peer: str, what: str) -> None:
        ok = {"arrived": True, "failed": False}[what]
        self.cluster.touch(int(node), lambda core: core.report_snapshot(int(peer), ok=ok))

    def do_persist(self, node: str) -> None:
        if not self.cluster.peers[int(node)].writing:
            raise StoryError(f"node {node} has no write under way")
        self.cluster.persist(int(node))

    def do_disk(self, node: str, pace: str) -> None:
        if pace not in {"slow", "fast"}:
            raise StoryError(f"a disk is slow or fast, not {pace}")
        self.slow = [other for other in self.slow if other != int(node)]
        if pace == "slow":
            self.slow.append(int(node))

    def do_crash(self, node: str, torn: str = "torn", written: str = "0") -> None:
        if torn != "torn":
            raise StoryError("after the node comes nothing, or torn and how many writes reached the disk")
        lost = len(self.cluster.peers[int(node)].writing) - int(written)
        if lost < 0:
            raise StoryError(f"node {node} has only {lost + int(written)} writes under way")
        self.cluster.crash(int(node), int(written))
        self.say("", f"{node} is down, {lost} writes are lost" if lost else f"{node} is down")

    def do_restart(self, node: str) -> None:
        if self.cluster.peers[int(node)].core is not None:
            raise StoryError(f"node {node} is not down")
        self.cluster.restart(int(node))
        now = self.before[int(node)] = standing(self.cluster.core(int(node)))
        self.say("", f"{node} is back: {_standing(now)}")

    def do_partition(self, *words: str) -> None:
        sides = [[int(node) for node in side.split()] for side in " ".join(words).split("|")]
        self.cluster.heal()
        for side in sides:
            self.cluster.isolate(*side)

    def do_cut(self, one: str, other: str) -> None:
        self.cluster.cut[int(one), int(other)] = self.cluster.cut[int(other), int(one)] = True

    def do_heal(self) -> None:
        self.cluster.heal()

    def do_show(self) -> None:
        for node, peer in self.cluster.peers.items():
            self.say("", f"{node} {_standing(standing(peer.core)) if peer.core is not None else 'is down'}")
            if peer.core is not None:
                for other, status in peer.core.status().peers.items():
                    paused = ", paused" if status.paused else ""
                    place = f"match {status.match}, next {status.next}, in flight {status.inflight_messages}"
                    paused += ", learner" if status.is_learner else ""
                    self.say(INDENT, f"{other}: {status.state.value}, {place}{paused}")

    # --- messages

    def do_deliver(self, *words: str) -> None:
        for message in self.chosen(words):
            self.deliver(message)

    def do_settle(self) -> None:
        while self.cluster.flying:
            self.do_deliver()

    def do_drop(self, *words: str) -> None:
        for message in self.chosen(words):
            self.cluster.flying.remove(message)
            self.say("", f"lost: {_message(message)}")
        self.flown = len(self.cluster.flying)

    def do_double(self, *words: str) -> None:
        for message in self.chosen(words):
            self.cluster.flying.append(message)
            self.say("", f"twice: {_message(message)}")
        self.flown = len(self.cluster.flying)

    def deliver(self, message: Message) -> None:
        cluster = self.cluster
        lost = ""
        if cluster.peers[message.to].core is None:
            lost = f"lost, {message.to} is down: "
        elif cluster.cut.get((message.sender, message.to)):
            lost = "lost on a cut link: "
        self.say("", f"{'' if lost else 'arrives: '}{lost}{_message(message)}")
        cluster.deliver(cluster.flying.index(message))
        self.flown = len(cluster.flying)
        self.aftermath(INDENT)

    def chosen(self, words: tuple[str, ...]) -> list[Message]:
        """The messages in flight that the words choose; it is an error to choose none on purpose."""
        flying = self.cluster.flying
        links = [word for word in words if ">" in word]
        rest = words[len(links) :]
        found = (
            [message for link in links for message in flying if _on(link, message)] if links else list(flying)
        )
        match rest:
            case ():
                pass
            case ("newest",):
                found = found[-1:]
            case ("oldest",):
                found = found[:1]
            case ("with" | "without" as which, text):
                found = [message for message in found if _carries(message, text) is (which == "with")]
            case _:
                raise StoryError(f"after the links come newest, oldest, or with and a text; got {rest}")
        if words and not found:
            raise StoryError(f"no such message is in flight; there are {[_message(each) for each in flying]}")
        return found


def _commands() -> str:
    return ", ".join(name.removeprefix("do_") for name in dir(Teller) if name.startswith("do_"))


def _propose(core: RawNode, text: str) -> None:
    core.propose(text.encode())


def _on(link: str, message: Message) -> bool:
    sender, _, to = link.partition(">")
    return sender in {"*", str(message.sender)} and to in {"*", str(message.to)}


def _carries(message: Message, text: str) -> bool:
    return any(entry.data == text.encode() for entry in message.entries)


# --- words


def _entry(entry: Entry) -> str:
    if entry.type is EntryType.CONF_CHANGE and not entry.data:
        return f"{entry.term}.{entry.index} leave joint"
    return f"{entry.term}.{entry.index}" + (f" {entry.data.decode()}" if entry.data else "")


def _entries(entries: tuple[Entry, ...]) -> str:
    return f"[{', '.join(_entry(entry) for entry in entries)}]"


def _conf(conf: ConfState) -> str:
    parts = [f"voters {_ids(conf.voters)}"]
    if conf.is_joint:
        parts.append(f"and {_ids(conf.voters_outgoing)}")
    if conf.learners:
        parts.append(f"learners {_ids(conf.learners)}")
    if conf.learners_next:
        parts.append(f"then learners {_ids(conf.learners_next)}")
    return ", ".join(parts)


def _ids(ids: tuple[int, ...]) -> str:
    return " ".join(str(node) for node in ids)


def _standing(now: Standing) -> str:
    lead = f", leader {now.lead}" if now.lead else ""
    return f"{now.role} in term {now.term}{lead}, commit {now.commit}, log {_entries(now.log)}"


def _message(message: Message) -> str:
    later = _named(message, [field.name for field in fields(message)][TOLD_IN_WORDS:])
    if message.snapshot is not None:
        later = f", {_snapshot(message.snapshot)}"
    return f"{message.sender}>{message.to} {message.type.name} term {message.term}{_content(message)}{later}"


def _snapshot(snapshot: Snapshot) -> str:
    return f"all up to {snapshot.term}.{snapshot.index}, {_conf(snapshot.conf_state)}"


def _named(message: Message, names: list[str]) -> str:
    return "".join(f", {name} {value}" for name in names if (value := getattr(message, name)))


def _content(message: Message) -> str:
    match message.type:
        case MessageType.VOTE | MessageType.PRE_VOTE:
            return f", log ends at {message.log_term}.{message.index}"
        case MessageType.VOTE_RESPONSE | MessageType.PRE_VOTE_RESPONSE:
            return ", refused" if message.reject else ", granted"
        case MessageType.APPEND:
            after = f", after {message.log_term}.{message.index}, commit {message.commit}"
            return f"{after}, {_entries(message.entries)}"
        case MessageType.APPEND_RESPONSE if message.reject:
            hint = f"{message.log_term}.{message.reject_hint}"
            return f", refused after {message.index}, may agree at {hint}"
        case MessageType.APPEND_RESPONSE:
            return f", accepted to {message.index}"
        case MessageType.HEARTBEAT:
            return f", commit {message.commit}"
        case MessageType.HEARTBEAT_RESPONSE:
            return ""
        case _:  # kinds this page does not know are told in full
            return _named(message, [field.name for field in fields(message)][4:TOLD_IN_WORDS])
