"""Every behavior of the real cores within small bounds: a breadth-first search over what the world can do.

Rules:

- The cores are the implementation's own, fed through `RawNode` as any caller would; nothing is a model.
- The world may deliver any message in flight next (so it reorders), deliver it and keep a copy, let a
  candidate's patience end, let a leader's heartbeat fall due, ask it for a proposal, a read, a change of members
  or to hand over, drop what a node has applied, end the oldest write of a node, and crash a node with any number
  of its writes under way on disk; it restarts at once (being down longer is the same as hearing nothing). Loss is
  never delivering; where more than `flying_max` messages are in flight, some must be lost first, any of them.
- A state is canonical: everything that a core, its disk and its writes hold, the multiset of messages in
  flight, what the world may still spend, and the history that no crash erases (who led which term, what
  was ever committed). Numbers of Readies count relatively, timers only where they decide something.
- What one node does with one input depends on that node alone, so it is computed once for each pair of
  local state and input, and looked up ever after. This, and a walk over `__slots__` in place of
  `copy.deepcopy` (19 us in place of 310 us for a leader of three), is what makes the search fast.
- By symmetry, where all start equal and no change names one of them, the first to campaign is node 1.
- Raft's safety is checked in each state: election safety over history, leaders append-only, log matching,
  leader completeness, state machine safety, committed entries on a majority of disks, a leader's match on
  its peer's disk, persist before send, monotonic term, vote and commit, index order, one change of members in
  flight, every node's configuration as its log has it, and that no read shows less than was committed when it was
  asked for.

`python -m tests.consensus.exploration --help` runs deeper searches than the tests do.
"""

import argparse
import sys
import time
from collections import deque
from collections.abc import Iterator
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
    HardState,
    MemoryStorage,
    Message,
    Ready,
    Transition,
)
from tests.consensus.exploration_bounds import Bounds, Report
from tests.consensus.exploration_node import (
    Constant,
    Local,
    View,
    check_leaves,
    check_local,
    clone,
    is_immutable,
    require,
    slots,
    spelled,
    view_of,
)
from tests.consensus.exploration_rules import History, Rules

Action = tuple[Any, ...]
Outcome = tuple[int, tuple[int, ...], tuple[tuple[int, int], ...]]
"""What an input leads to: the local state, the messages sent, the reads answered by number and index."""
State = tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...], int]
"""Local state of every node, messages in flight, budgets, history: all by number."""

ELECTION_TICK: Final = 2
CAMPAIGNS, PROPOSALS, DUPLICATES, CRASHES, BEATS, TRANSFERS, READS, CHANGES, RELEASES = range(9)


class Explorer:
    """The search."""

    def __init__(self, bounds: Bounds) -> None:
        self.bounds = bounds
        self.nodes = tuple(range(1, bounds.nodes + 1))
        self.rules = Rules(bounds.conf)
        self.forgotten = {"_number", "config", "_storage"}
        if not bounds.check_quorum:
            self.forgotten |= {"election_elapsed", "heartbeat_elapsed", "recent_active"}
        self.locals: list[Local] = []
        self.views: list[View] = []
        self.local_ids: dict[Any, int] = {}
        self.messages: list[Message] = []
        self.message_ids: dict[Message, int] = {}
        self.histories: list[History] = []
        self.history_ids: dict[History, int] = {}
        self.steps: dict[tuple[int, Action], Outcome] = {}
        self.checked: dict[tuple[tuple[int, ...], int], int] = {}
        self.transitions = 0
        self.committed_max = 0
        self.reads_answered = 0
        self.snapshots = 0
        self.trying: Action = ()

    # --- numbering

    def _intern_local(self, local: Local) -> int:
        key = self._key(local, local.core._number)
        number = self.local_ids.get(key)
        if number is None:
            number = self.local_ids[key] = len(self.locals)
            self.locals.append(local)
            self.views.append(view_of(local, self.bounds.changes))
        return number

    def _key(self, value: Any, ready_number: int) -> Any:
        kind = type(value)
        if kind is Ready:
            return (ready_number - value.number, tuple(value.entries), value.hard_state, value.must_sync,
                    tuple(value.committed_entries), tuple(value.messages_after_append), value.snapshot)  # fmt: skip
        if is_immutable(kind):
            return value
        if kind is list or kind is deque:
            return tuple(self._key(item, ready_number) for item in value)
        if kind is set:
            return tuple(sorted(value))
        if kind is dict:
            return tuple((key, self._key(item, ready_number)) for key, item in sorted(value.items()))
        parts = []
        for name in slots(kind) or vars(value):
            if name in self.forgotten:
                continue
            item = getattr(value, name)
            if name in {"_out", "_writes"}:  # these begin with the number of a Ready
                parts.append(tuple((ready_number - first, *rest) for first, *rest in item))
            else:
                parts.append(self._key(item, ready_number))
        return tuple(parts)

    def _intern_message(self, message: Message) -> int:
        number = self.message_ids.get(message)
        if number is None:
            number = self.message_ids[message] = len(self.messages)
            self.messages.append(message)
        return number

    def _intern_history(self, history: History) -> int:
        number = self.history_ids.get(history)
        if number is None:
            number = self.history_ids[history] = len(self.histories)
            self.histories.append(history)
            self.committed_max = max(self.committed_max, len(history[1]))
        return number

    # --- one node, one input

    def _start(self, node: int) -> int:
        disk = MemoryStorage()
        if self.bounds.logs:
            terms = self.bounds.logs[node - 1]
            disk.append([Entry(term, index, EntryType.NORMAL, b"old") for index, term in enumerate(terms, 1)])
            disk.hard_state = HardState(term=max(max(log, default=0) for log in self.bounds.logs))
        return self._intern_local(Local(self._config(node, self.bounds.conf), disk, []))

    def _config(self, node: int, conf: ConfState) -> Config:
        return Config(
            id=node,
            voters=(),
            conf_state=conf,
            accept_snapshots=True,
            tail_bytes_max=1 if self.bounds.releases_max else 1 << 20,
            rng=Constant(),
            election_tick=ELECTION_TICK,
            pre_vote=self.bounds.pre_vote,
            check_quorum=self.bounds.check_quorum,
            message_bytes_max=1,
        )

    def _step(self, number: int, action: Action) -> Outcome:
        """What an input leads to at one node."""
        known = self.steps.get((number, action))
        if known is None:
            before = self.locals[number]
            after: Local = clone(before, {})
            sent: list[Message] = []
            after = self._act(after, action, sent)
            answered = self._work(after, sent)
            check_local(before, after, crashed=action[0] == "crash")
            self.snapshots += after.core._core.log._floor > before.core._core.log._floor
            numbers = tuple(self._intern_message(message) for message in sent)
            known = (self._intern_local(after), numbers, tuple(answered))
            self.steps[number, action] = known
        return known

    def _act(self, local: Local, action: Action, sent: list[Message]) -> Local:
        core = local.core
        match action:
            case ("step", message_number):
                core.step(self.messages[message_number])
            case ("campaign",):
                core.campaign()
            case ("tick",):
                core.tick()
            case ("propose",):
                core.propose(b"by %d" % core.id)
            case ("transfer", peer):
                core.transfer_leader(peer)
            case ("read", read_number):
                core.read_index(b"%d" % read_number)
            case ("change", number):
                change = self.bounds.changes[number]
                core.propose_conf_change(spelled(change), change)
            case ("release",):
                local.release()
            case ("persist",):
                self._persist(local, sent)
            case ("crash", written):
                for ready in list(local.writing)[:written]:
                    local.write(ready)
                return Local(self._config(core.id, local.conf), local.disk, local.applied)
        return local

    def _work(self, local: Local, sent: list[Message]) -> list[tuple[int, int]]:
        """Takes Readies as long as the disk takes writes; what need not be synced is written at once.

        Returns:
            The reads answered: their numbers, and the index each may show.
        """
        answered: list[tuple[int, int]] = []
        while local.core.has_ready() and len(local.writing) < max(self.bounds.writes_max, 1):
            ready = local.core.ready()
            local.writing.append(ready)
            _send(local, ready.messages, sent)
            answered += [(int(state.context), state.index) for state in ready.read_states]
            if self.bounds.writes_max == 0 or (len(local.writing) == 1 and not ready.must_sync):
                self._persist(local, sent)
        return answered

    def _persist(self, local: Local, sent: list[Message]) -> None:
        ready = local.persist()
        _send(local, ready.messages_after_append, sent)
        local.core.advance(ready)

    # --- all nodes

    def _initial(self) -> State:
        nodes = tuple(self._start(node) for node in self.nodes)
        bounds = self.bounds
        budgets = (
            bounds.campaigns_max,
            bounds.proposals_max,
            bounds.duplicates_max,
            bounds.crashes_max,
            bounds.beats_max,
            bounds.transfers_max,
            bounds.reads_max,
            bounds.changes_max,
            bounds.releases_max,
        )
        return nodes, (), budgets, self._check(nodes, self._intern_history(((), (), (), ())))

    def _moves(self, state: State) -> Iterator[tuple[Action, int, tuple[int, ...], int | None]]:
        """What can happen: the input, the node it happens to, the messages left, the budget it costs."""
        nodes, flying, budgets, history = state
        for place, number in enumerate(flying):
            if place and flying[place - 1] == number:
                continue
            node = self.messages[number].to
            yield ("step", number), node, flying[:place] + flying[place + 1 :], None
            if budgets[DUPLICATES]:
                yield ("step", number), node, flying, DUPLICATES
        first_move = self.bounds.is_symmetric and budgets[CAMPAIGNS] == self.bounds.campaigns_max
        for node, number in enumerate(nodes, 1):
            view = self.views[number]
            if view.writes:
                yield ("persist",), node, flying, None
            if budgets[CRASHES] and not first_move:
                for written in range(view.writes + 1):
                    yield ("crash", written), node, flying, CRASHES
            if budgets[RELEASES] and view.releases:
                yield ("release",), node, flying, RELEASES
            if view.leads:
                yield from self._asks(view, flying, budgets, len(self.histories[history][3]))
            elif not first_move or node == 1:
                yield from self._patience(number, node, flying, budgets)

    def _asks(
        self, view: View, flying: tuple[int, ...], budgets: tuple[int, ...], reads: int
    ) -> Iterator[tuple[Action, int, tuple[int, ...], int | None]]:
        """What a leader can be asked for."""
        node = view.node
        if budgets[PROPOSALS] and view.proposes:
            yield ("propose",), node, flying, PROPOSALS
        if budgets[BEATS]:
            yield ("tick",), node, flying, BEATS
        if budgets[READS] and view.reads:
            yield ("read", reads), node, flying, READS
        if budgets[TRANSFERS]:
            for peer in view.conf.voters:
                if peer == node:
                    continue
                yield ("transfer", peer), node, flying, TRANSFERS

        if budgets[CHANGES]:
            for number in view.changes:
                yield ("change", number), node, flying, CHANGES

    def _patience(
        self, number: int, node: int, flying: tuple[int, ...], budgets: tuple[int, ...]
    ) -> Iterator[tuple[Action, int, tuple[int, ...], int | None]]:
        if self.bounds.check_quorum:
            core = self.locals[number].core._core
            ends = core.election_elapsed + 1 >= core.election_timeout
            if budgets[CAMPAIGNS] or not ends:
                yield ("tick",), node, flying, CAMPAIGNS if ends else None
        elif budgets[CAMPAIGNS] and self.views[number].stands:
            yield ("campaign",), node, flying, CAMPAIGNS

    def successors(self, state: State) -> Iterator[tuple[Action, State]]:
        """Every state one move away, with the move."""
        nodes, flying, budgets, history = state
        if len(flying) > self.bounds.flying_max:
            for place, number in enumerate(flying):
                yield ("lose", number), (nodes, flying[:place] + flying[place + 1 :], budgets, history)
            return
        for action, node, left, cost in self._moves(state):
            self.trying = (*action, node)
            number, sent, answered = self._step(nodes[node - 1], action)
            since = self._since(history, action, node)
            after = (*nodes[: node - 1], number, *nodes[node:])
            spent = budgets if cost is None else _spend(budgets, cost)
            flies = tuple(sorted((*left, *sent))) if sent else left
            for read, index in answered:
                self.reads_answered += 1
                due = self.histories[since][3][read]
                require(index >= due, f"stale read: number {read} shows {index} of {due} committed before it")
            yield (*action, node), (after, flies, spent, self._check(after, since))

    def _since(self, history: int, action: Action, node: int) -> int:
        """The history once a read is asked for, or a node crashed: what it led, it must not lead again."""
        leaders, committed, terms, reads = self.histories[history]
        if action[0] == "read":
            reads = (*reads, len(committed))
        elif action[0] == "crash" and node in leaders:
            leaders = tuple(-leader if leader == node else leader for leader in leaders)
        else:
            return history
        return self._intern_history((leaders, committed, terms, reads))

    def run(self) -> Report:
        """Searches until all is seen, a bound is reached or a rule is broken."""
        start = self._initial()
        came_from: dict[State, tuple[State, Action] | None] = {start: None}
        frontier = [start]
        depth = 0
        complete = True
        while frontier:
            if depth >= self.bounds.depth_max or len(came_from) >= self.bounds.states_max:
                complete = False
                break
            reached: list[State] = []
            for state in frontier:
                moves = self.successors(state)
                while True:
                    try:
                        action, after = next(moves)
                    except StopIteration:
                        break
                    except Exception as broken:
                        path = (*self._path(came_from, state), self._told(self.trying))
                        path = (*path, f"{type(broken).__name__}: {broken}")
                        return self._report(len(came_from), depth, str(broken), path, complete=False)
                    self.transitions += 1
                    if after not in came_from:
                        came_from[after] = (state, action)
                        reached.append(after)
            frontier = reached
            depth += bool(reached)
        return self._report(len(came_from), depth, None, (), complete=complete)

    def _report(
        self, states: int, depth: int, violation: str | None, path: tuple[str, ...], *, complete: bool
    ) -> Report:
        led = max((len([node for node in leaders if node]) for leaders, *_ in self.histories), default=0)
        return Report(
            states,
            self.transitions,
            depth,
            len(self.locals),
            len(self.steps),
            complete,
            led,
            self.committed_max,
            self.reads_answered,
            len({view.conf for view in self.views}),
            self.snapshots,
            violation,
            path,
        )

    def _path(self, came_from: dict[State, tuple[State, Action] | None], state: State) -> tuple[str, ...]:
        told: list[str] = []
        step = came_from[state]
        while step is not None:
            state, action = step
            told.append(self._told(action))
            step = came_from[state]
        return tuple(reversed(told))

    def _told(self, action: Action) -> str:
        if action[0] in {"step", "lose"}:
            message = self.messages[action[1]]
            verb = "deliver" if action[0] == "step" else "lose"
            return (
                f"{verb} {message.type.name} {message.sender}>{message.to} term {message.term} "
                f"index {message.index} commit {message.commit} entries {len(message.entries)} "
                f"{'refused' if message.reject else ''}".rstrip()
            )
        return " ".join(str(part) for part in action)

    def _check(self, nodes: tuple[int, ...], history: int) -> int:
        """Checks a combination of local states against history; gives the history from here on."""
        known = self.checked.get((nodes, history))
        if known is None:
            after = self.rules.check([self.views[number] for number in nodes], self.histories[history])
            known = self.checked[nodes, history] = self._intern_history(after)
        return known


def _spend(budgets: tuple[int, ...], kind: int) -> tuple[int, ...]:
    return (*budgets[:kind], budgets[kind] - 1, *budgets[kind + 1 :])


def _send(local: Local, messages: Any, sent: list[Message]) -> None:
    for message in messages:
        check_leaves(local, message)
        sent.append(message)


def explore(bounds: Bounds) -> Report:
    """Searches within `bounds`."""
    return Explorer(bounds).run()


COUNTED: Final = (
    "nodes",
    "campaigns",
    "proposals",
    "flying",
    "duplicates",
    "crashes",
    "beats",
    "transfers",
    "reads",
    "changes",
    "releases",
    "writes",
)


def bounds_of(arguments: list[str]) -> Bounds:
    """The bounds that a command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m tests.consensus.exploration", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    plain = Bounds()
    for name in COUNTED:
        field = name if name == "nodes" else f"{name}_max"
        parser.add_argument(f"--{name}", dest=field, type=int, default=getattr(plain, field), metavar="N")
    parser.add_argument("--learners", type=int, default=0, metavar="N")
    parser.add_argument(
        "--ask",
        dest="changes",
        type=_changes,
        default=(),
        metavar="+3,-1/-2",
        help="changes of members to ask for: + voter, = learner, - removal; `leave`, and `!` for not by itself",
    )
    parser.add_argument("--depth", dest="depth_max", type=int, default=plain.depth_max, metavar="N")
    parser.add_argument("--states", dest="states_max", type=int, default=3_000_000, metavar="N")
    parser.add_argument("--pre-vote", action="store_true")
    parser.add_argument("--check-quorum", action="store_true")
    parser.add_argument(
        "--logs", type=_logs, default=(), metavar="1,1/1/2", help="terms of the logs at start"
    )
    return Bounds(**vars(parser.parse_args(arguments)))


def main(arguments: list[str]) -> int:
    """Searches as told on the command line; exit code 1 if a rule is broken."""
    bounds = bounds_of(arguments)
    started = time.process_time()
    report = explore(bounds)
    print(f"{report}, {time.process_time() - started:.1f} s of CPU")
    if report.violation is not None:
        print(f"BROKEN: {report.violation}", *report.path, sep="\n  ")
    return int(report.violation is not None)


def _changes(text: str) -> tuple[ConfChange, ...]:
    return tuple(changed(change) for change in text.split("/"))


def changed(text: str) -> ConfChange:
    """The change that a text such as `+3,-1` asks for; `leave` leaves a joint configuration."""
    if text == "leave":
        return LEAVE_JOINT
    kinds = {"+": ChangeType.ADD_VOTER, "=": ChangeType.ADD_LEARNER, "-": ChangeType.REMOVE}
    joint = Transition.JOINT_EXPLICIT if text.endswith("!") else Transition.AUTO
    return ConfChange(
        tuple(Change(kinds[part[0]], int(part[1:])) for part in text.removesuffix("!").split(",")), joint
    )


def _logs(text: str) -> tuple[tuple[int, ...], ...]:
    return tuple(tuple(int(term) for term in log.split(",") if term) for log in text.split("/"))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
