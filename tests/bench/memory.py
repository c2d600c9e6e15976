"""Who keeps how much memory in a run of the pilot's quarter, and how much more with every shipment.

Rules:
- Each size is a process of its own. Twice it is copied, and the copy counts: when all shipments have come and most is
  under way, and when the trade is over. So the count is in no figure of the run itself.
- An object counts to the first owner of the table that reaches it without passing another owner.
- What is no Python object (SQLite's caches, the interpreter) is in the resident set alone.
"""

from __future__ import annotations

import gc
import json
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import BuiltinFunctionType, CodeType, FunctionType, ModuleType
from typing import Any

from scenarios.model.catalog import load_scenario
from scenarios.record.event import Event
from scenarios.record.eventbook import EventBook
from scenarios.running.options import RunOptions
from scenarios.running.runner import run_scenario
from scenarios.trial.trial import Trial

SCENARIO = "pilot-quarter"
SHIPMENTS = (200, 800)
DAY_MS = 86_400_000
COME, OVER = "all have come", "trade is over"
MOMENTS = (COME, OVER)
_NOBODYS = (type, ModuleType, FunctionType, BuiltinFunctionType, CodeType)


@dataclass(frozen=True, slots=True)
class MemoryFigures:
    """One run's figures.

    Attributes:
        shipments: its size.
        kept: at each moment, by owner: how many objects, and their bytes.
        jobs: how many jobs of programs were under way or asleep at each moment.
        resident_mib: at each moment, and at most over the whole run (`at most`).
    """

    shipments: int
    kept: dict[str, dict[str, list[int]]]
    jobs: dict[str, int]
    resident_mib: dict[str, int]

    def kept_bytes(self, moment: str, owner: str) -> int:
        """How many bytes an owner kept at a moment."""
        return self.kept[moment].get(owner, [0, 0])[1]


def measure_memory(shipments: int, seed: str = "1") -> MemoryFigures:
    """Run the quarter in a process of its own and return who kept what.

    Raises:
        subprocess.CalledProcessError: if it fails.
    """
    asked = [sys.executable, "-m", "tests.bench.memory", str(shipments), seed]
    done = subprocess.run(asked, check=True, stdout=subprocess.PIPE, text=True)
    return MemoryFigures(shipments, **json.loads(done.stdout.splitlines()[-1]))


def slopes(small: MemoryFigures, large: MemoryFigures) -> list[tuple[str, tuple[float, ...]]]:
    """Return of every owner how many bytes more it kept per shipment at each moment, the most first."""
    more = large.shipments - small.shipments
    owners = dict.fromkeys(owner for moment in MOMENTS for owner in large.kept[moment])
    rows = [
        (o, tuple((large.kept_bytes(m, o) - small.kept_bytes(m, o)) / more for m in MOMENTS)) for o in owners
    ]
    return sorted(rows, key=lambda row: -max(row[1]))


class _Counter:
    """Follows a run and counts at its moments."""

    def __init__(self, days: int) -> None:
        self.trial: Trial | None = None
        self.book: EventBook | None = None
        self.kept: dict[str, dict[str, list[int]]] = {}
        self.jobs: dict[str, int] = {}
        self.resident_mib: dict[str, int] = {}
        self._days = days
        self._start_ms = 0

    def follow(self, trial: Trial) -> None:
        """Count in this trial."""
        self.trial, self.book = trial, trial.book
        self._start_ms = trial.scenario.calendar.start_ms
        trial.book.subscribe(self)

    def __call__(self, event: Event) -> None:
        """Count when a moment has come."""
        if COME not in self.kept and event.calendar_ms > self._start_ms + self._days * DAY_MS:
            self._count(COME)
        elif event.name == "phase" and event.fields["name"] == "closed":
            self._count(OVER)

    def _count(self, moment: str) -> None:
        trial, book = self.trial, self.book
        if trial is None or book is None:
            raise RuntimeError("no trial is followed")
        self.resident_mib[moment] = _resident_mib()
        self.jobs[moment] = sum(agent._work.count for agent in trial.agents.values())
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reading)
            with os.fdopen(writing, "w") as out:
                json.dump(count(owners(trial, book, self)), out)
            os._exit(0)
        os.close(writing)
        with os.fdopen(reading) as told:
            self.kept[moment] = json.load(told)
        os.waitpid(child, 0)


def count(asked: Sequence[tuple[str, Sequence[object]]]) -> dict[str, list[int]]:
    """Return how many objects each owner keeps and how many bytes they take, in the order of the table."""
    gc.collect()
    roots = {id(root) for _, held in asked for root in held}
    seen: set[int] = {id(asked)}
    kept: dict[str, list[int]] = {}
    for owner, held in asked:
        own = {id(root) for root in held}
        waiting, objects, size = list(held), 0, 0
        while waiting:
            found = waiting.pop()
            if (
                id(found) in seen
                or isinstance(found, _NOBODYS)
                or (id(found) in roots and id(found) not in own)
            ):
                continue
            seen.add(id(found))
            objects += 1
            size += sys.getsizeof(found, 0)
            waiting.extend(gc.get_referents(found))
        before = kept.get(owner, [0, 0])
        kept[owner] = [before[0] + objects, before[1] + size]
    return kept


def owners(trial: Trial, book: EventBook, counter: object) -> list[tuple[str, list[object]]]:
    """Return who is asked what it keeps; a later owner has what earlier ones do not reach."""
    world: Any = trial.world
    agents = list(trial.agents.values())
    subscribers = [one for one in book._subscribers if one is not counter]
    return [
        ("virtual disks", [world.kit.host(name).disk for name in world.organizations]),
        ("nodes", [*world._nodes.values(), *world._apis.values()]),
        ("programs: registers", [register for agent in agents for register in agent.registers]),
        ("programs: mail", [agent.mailroom for agent in agents]),
        ("programs: wallets", [agent.wallet for agent in agents]),
        ("the witness of documents", [trial.outcome.witness]),
        *((_name_of(one), [one]) for one in subscribers),
        ("names", [trial.names]),
        ("generated trade", [trial.trader, trial.papers]),
        ("events", [book.spool]),
        ("programs: the rest", list(agents)),
        ("programs: jobs, asleep most of them", [agent._work for agent in agents]),
        ("the calendar", [trial.agenda]),
        ("the trial, loop and network", [trial, world, world.kit]),
    ]


def _name_of(subscriber: object) -> str:
    name = getattr(subscriber, "name", None)
    return type(subscriber).__name__ if name is None else f"check {name}"


def _resident_mib() -> int:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") // 1_048_576


def main(shipments: str, seed: str) -> None:
    """Run one size and print its figures."""
    scenario = load_scenario(SCENARIO, [f"workload.shipments={shipments}"])
    if scenario.workload is None:
        raise RuntimeError(f"{SCENARIO} has no workload")
    counter = _Counter(scenario.workload.days)
    with tempfile.TemporaryDirectory(prefix="seatrial-") as out:
        run_scenario(scenario, RunOptions("virtual", seed, Path(out), tamper=counter.follow))
    counter.resident_mib["at most"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(json.dumps({n: getattr(counter, n) for n in ("kept", "jobs", "resident_mib")}))


if __name__ == "__main__":
    main(*sys.argv[1:])
