"""What clients saw of each record could have happened one act at a time.

Rules:
- A record is a register of its state. A write is an act: called when it was handed in, returned when its client learned
  that it is certified. What it writes is where its receipt leads by the tables (`reachable`), not what a node says.
- A read is what an orderer answered to who asked for the latest. Only records that were read are judged.
- The clock of the history is the number of the event: in virtual time a return and the next call are at one instant.
- The search is bounded; a record that it does not decide counts as not exercised.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from scenarios.judging.checks.check import FinalState, Violation
from scenarios.judging.checks.reachable import Reachable
from scenarios.judging.linearizability import Action, Operation, Verdict, check_history
from scenarios.record.eventbook import Event

STEPS_MAX = 50_000
"""Of the search, per record."""


@dataclass(slots=True)
class _Read:
    key: str
    node: str
    called: int


@dataclass(slots=True)
class Linearizability:
    """Every record read by clients is a linearizable register.

    Attributes:
        walk: follows the receipts; its own, since its violations are another check's.
    """

    walk: Reachable
    name: str = "linearizability"
    exercised: int = 0
    violations: list[Violation] = field(default_factory=list)
    _called: dict[str, tuple[str, int]] = field(default_factory=dict)
    _returned: dict[str, int] = field(default_factory=dict)
    _writes: list[tuple[str, str, str]] = field(default_factory=list)
    _open: dict[int, _Read] = field(default_factory=dict)
    _reads: list[Operation] = field(default_factory=list)

    def __call__(self, event: Event) -> None:
        """Take note of a call, a return, or where a receipt leads."""
        if event.name == "operation.called":
            self._called[event.text("id")] = (event.text("organization"), event.number)
        elif event.name == "operation.returned":
            self._returned[event.text("id")] = event.number
        elif event.name == "read.called":
            read = _Read(event.text("key"), event.text("node"), event.number)
            self._open[event.integer("read")] = read
        elif event.name == "read.returned":
            read = self._open.pop(event.integer("read"))
            state = event.fields["state"]
            value = state if isinstance(state, str) else None
            self._reads.append(Operation(read.node, read.key, Action.READ, value, read.called, event.number))
        elif event.name == "receipt" and self._called:
            self._written(event)

    def finish(self, final: FinalState) -> None:
        """Search an order for every record that was read."""
        keys = {read.key for read in self._reads}
        writes = [self._write(*write) for write in self._writes if write[1] in keys]
        report = check_history([*writes, *self._reads], steps_max=STEPS_MAX)
        for key, judged in report.keys.items():
            if judged.verdict is Verdict.VIOLATED:
                self.violations.append(Violation(self.name, None, str(judged)))
            if judged.verdict is not Verdict.UNDECIDED:
                self.exercised += sum(read.key == key for read in self._reads)

    def _written(self, event: Event) -> None:
        self.walk(event)
        for key in self.walk.touched:
            self._writes.append((event.text("id"), key, self.walk.records[key].state))

    def _write(self, transaction_id: str, key: str, state: str) -> Operation:
        client, called_ns = self._called.get(transaction_id, ("?", 0))
        returned_ns = self._returned.get(transaction_id)
        return Operation(client, key, Action.WRITE, state, called_ns, returned_ns)
