"""Whether a history of client operations could have happened one at a time (Herlihy and Wing, 1990).

Rules:

- Each key is a register of its own: a write sets it, a read returns what was written last, or `initial`
  before the first write. Linearizability is local, so each key is searched alone.
- An operation takes effect at one moment between its call and its return. If one returned before another
  was called, it came first; equal times leave the order open.
- An operation without a return has an unknown outcome: a write may have taken effect at any moment after
  its call, or never; a read says nothing. One that is known to have failed has no place in the history.
- The search is Wing and Gong's (1993) with Lowe's memory (2017): take any operation that no other precedes,
  go on with the rest, and never come twice to the same set of operations taken with the same value.
- It may take long, since the question is NP-complete. After `steps_max` steps a key is UNDECIDED, and so is
  the history, unless another key decides it. The number of steps does not depend on the machine;
  `is_out_of_time` may end the search as well, for who has a clock.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

RegisterValue = str | int | bytes | None
"""What a register holds; None where nothing was ever written."""

STEPS_MAX: Final = 1_000_000
"""Steps per key, a few seconds' worth."""

_STEPS_BETWEEN_LOOKS: Final = 1024


class Action(Enum):
    """What a client asked of a register."""

    READ = "read"
    WRITE = "write"


class Verdict(Enum):
    """What the search found."""

    LINEARIZABLE = "linearizable"
    VIOLATED = "violated"
    UNDECIDED = "undecided"


class HistoryError(ValueError):
    """An operation that no client can have seen: it returned before it was called."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation as its client saw it.

    Attributes:
        client: who called; only for the reader.
        key: which register.
        action: read or write.
        value: what was written, or what a read returned.
        called_ns: when it was called, on a clock that all operations of the history share.
        returned_ns: when it returned; None where the outcome is unknown.

    Raises:
        HistoryError: it returned before it was called.
    """

    client: str
    key: str
    action: Action
    value: RegisterValue
    called_ns: int
    returned_ns: int | None

    def __post_init__(self) -> None:
        if self.returned_ns is not None and self.returned_ns < self.called_ns:
            raise HistoryError(
                f"{self}: returned_ns is before called_ns; both must come from one clock, and an operation "
                f"without an answer has returned_ns None"
            )

    def __str__(self) -> str:
        end = "?" if self.returned_ns is None else self.returned_ns
        arrow = ":=" if self.action is Action.WRITE else "="
        return f"{self.client} [{self.called_ns}, {end}] {self.key} {arrow} {self.value!r}"


@dataclass(frozen=True, slots=True)
class KeyReport:
    """What the search found for one key.

    Attributes:
        key: the register.
        verdict: the finding.
        steps: how many steps it took.
        order: LINEARIZABLE: an order that explains the history, without the writes it need not hold.
            Otherwise: the longest order found.
        unplaced: VIOLATED: the completed operations of which one would have had to come after `order`, and
            none can; the first place to look.
    """

    key: str
    verdict: Verdict
    steps: int
    order: tuple[Operation, ...]
    unplaced: tuple[Operation, ...]

    def __str__(self) -> str:
        text = f"{self.key}: {self.verdict.value} after {self.steps} steps"
        if self.verdict is Verdict.VIOLATED:
            after = str(self.order[-1]) if self.order else "the beginning"
            text += f"; after {after} none of these fits: {', '.join(map(str, self.unplaced))}"
        return text


@dataclass(frozen=True, slots=True)
class HistoryReport:
    """What the search found for a history: VIOLATED if any key is, else UNDECIDED if any is."""

    verdict: Verdict
    keys: Mapping[str, KeyReport]


def check_history(
    operations: Iterable[Operation],
    *,
    initial: RegisterValue = None,
    steps_max: int = STEPS_MAX,
    is_out_of_time: Callable[[], bool] = lambda: False,
) -> HistoryReport:
    """Checks a history, key by key.

    Args:
        operations: all operations of all clients, in any order.
        initial: what each register holds before its first write.
        steps_max: steps per key before it is called undecided.
        is_out_of_time: asked now and then; keys not decided when it first says so are undecided.
    """
    by_key: dict[str, list[Operation]] = {}
    for operation in operations:
        by_key.setdefault(operation.key, []).append(operation)
    keys = {
        key: check_register(by_key[key], initial=initial, steps_max=steps_max, is_out_of_time=is_out_of_time)
        for key in sorted(by_key)
    }
    verdicts = [report.verdict for report in keys.values()]
    for verdict in (Verdict.VIOLATED, Verdict.UNDECIDED):
        if verdict in verdicts:
            return HistoryReport(verdict, keys)
    return HistoryReport(Verdict.LINEARIZABLE, keys)


def check_register(
    operations: Sequence[Operation],
    *,
    initial: RegisterValue = None,
    steps_max: int = STEPS_MAX,
    is_out_of_time: Callable[[], bool] = lambda: False,
) -> KeyReport:
    """Checks the operations of one key; see `check_history`."""
    telling = _telling(operations)
    search = _Search(telling, initial)
    key = operations[0].key if operations else ""
    verdict = search.run(steps_max, is_out_of_time)
    places = search.taken if verdict is Verdict.LINEARIZABLE else search.longest
    return KeyReport(
        key,
        verdict,
        search.steps,
        tuple(telling[place] for place in places),
        tuple(telling[place] for place in search.stuck) if verdict is Verdict.VIOLATED else (),
    )


def _telling(operations: Sequence[Operation]) -> list[Operation]:
    """Leaves out what constrains nothing: unknown reads, and unknown writes of what nobody ever read."""
    read = {
        operation.value
        for operation in operations
        if operation.action is Action.READ and operation.returned_ns is not None
    }
    return [
        operation
        for operation in operations
        if operation.returned_ns is not None or (operation.action is Action.WRITE and operation.value in read)
    ]


class _Event:
    """A call or a return in a doubly linked list of events by time."""

    __slots__ = ("after", "before", "is_call", "operation", "returns")

    def __init__(self, operation: int, *, is_call: bool) -> None:
        self.operation = operation
        self.is_call = is_call
        self.before: _Event | None = None
        self.after: _Event | None = None
        self.returns: _Event | None = None


class _Search:
    """Wing and Gong's search over one register.

    What may come next are the calls before the first return in the list. Taking one takes its call and its
    return out; at a return nothing more may be skipped, so the search goes back.
    """

    def __init__(self, operations: Sequence[Operation], initial: RegisterValue) -> None:
        self.operations = operations
        self.value = initial
        self.steps = 0
        self.taken: list[int] = []
        self.longest: list[int] = []
        self.stuck: list[int] = []
        self._head = _Event(-1, is_call=True)
        self._pending = sum(operation.returned_ns is not None for operation in operations)
        self._link()

    def _link(self) -> None:
        events: list[tuple[int, bool, int]] = []
        for place, operation in enumerate(self.operations):
            events.append((operation.called_ns, False, place))
            if operation.returned_ns is not None:
                events.append((operation.returned_ns, True, place))
        events.sort()  # at equal times calls come first: the order is left open
        calls: dict[int, _Event] = {}
        last = self._head
        for _, is_return, place in events:
            event = _Event(place, is_call=not is_return)
            if is_return:
                calls[place].returns = event
            else:
                calls[place] = event
            last.after, event.before = event, last
            last = event

    def run(self, steps_max: int, is_out_of_time: Callable[[], bool]) -> Verdict:
        """Searches to the end, or until told to stop."""
        seen: set[tuple[int, RegisterValue]] = set()
        mask = 0
        undo: list[tuple[_Event, RegisterValue]] = []
        event = self._head.after
        while self._pending:
            if self.steps >= steps_max or (self.steps % _STEPS_BETWEEN_LOOKS == 0 and is_out_of_time()):
                return Verdict.UNDECIDED
            self.steps += 1
            if event is not None and event.is_call:
                operation = self.operations[event.operation]
                is_write = operation.action is Action.WRITE
                bit = 1 << event.operation
                after = operation.value if is_write else self.value
                if (is_write or operation.value == self.value) and (mask | bit, after) not in seen:
                    seen.add((mask | bit, after))
                    undo.append((event, self.value))
                    mask |= bit
                    self.value = after
                    self._take(event)
                    event = self._head.after
                else:
                    event = event.after
                continue
            self._note_dead_end()
            if not undo:
                return Verdict.VIOLATED
            event, self.value = undo.pop()
            mask &= ~(1 << event.operation)
            self._put_back(event)
            event = event.after
        return Verdict.LINEARIZABLE

    def _take(self, call: _Event) -> None:
        self.taken.append(call.operation)
        _unlink(call)
        if call.returns is not None:
            _unlink(call.returns)
            self._pending -= 1

    def _put_back(self, call: _Event) -> None:
        self.taken.pop()
        if call.returns is not None:
            _relink(call.returns)
            self._pending += 1
        _relink(call)

    def _note_dead_end(self) -> None:
        """Remembers the longest order, and what would have had to follow it."""
        if self.stuck and len(self.taken) <= len(self.longest):
            return
        self.longest = list(self.taken)
        self.stuck = []
        event = self._head.after
        while event is not None and event.is_call:
            if event.returns is not None:
                self.stuck.append(event.operation)
            event = event.after


def _unlink(event: _Event) -> None:
    if event.before is not None:
        event.before.after = event.after
    if event.after is not None:
        event.after.before = event.before


def _relink(event: _Event) -> None:
    if event.before is not None:
        event.before.after = event
    if event.after is not None:
        event.after.before = event
