"""Whose work a run's processor time is: nodes, agents, the virtual world, whoever watches, and what comes afterwards.

Rules:
- A timer of CPU time samples the stack. What the event loop runs counts to whose task or callback it is, its outermost
  frame within the loop, whatever code it calls; but for the records that nodes leave, which count to who watches.
- What runs outside the loop is before or after the run, by the outermost frame that the table knows.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

ROOT = Path(__file__).resolve().parents[2]
INTERVAL_S = 0.004
LOOP = (f"{ROOT}/p2p/virtual/loop.py", "_run_once")

WATCHING = (
    "scenarios/record/event",
    "scenarios/running/watching.py",
    "scenarios/privacy/framespool.py",
    "scenarios/trial/tracing.py",
    "scenarios/trial/history.py",
    "scenarios/trial/ledgerwatch.py",
    "scenarios/judging/",
    "scenarios/telling/",
)
"""Beginnings of paths that count wherever they stand in the stack."""

TASKS = (
    ("scenarios/worlds/virtual.py", "nodes"),
    ("scenarios/agents/", "agents"),
    ("scenarios/trial/tradestage.py", "agents"),
    ("scenarios/trial/settling.py", "looking for rest"),
    ("scenarios/trial/", "the trial: calendar, looking for rest"),
    ("scenarios/", "the trial: calendar, looking for rest"),
    ("p2p/", "nodes"),
    ("/aiohttp/web", "nodes: HTTP interface"),
    ("/aiohttp/", "aiohttp at any end"),
)
VIRTUAL = "p2p/virtual/"
"""Carries everybody's work: it counts only where there is nobody else's."""
OUTSIDE = (
    ("scenarios/privacy/", "afterwards: search for private values, who could read what"),
    ("scenarios/paper/", "afterwards: paper arm and metrics"),
    ("scenarios/measuring/", "afterwards: paper arm and metrics"),
    ("scenarios/judging/", "afterwards: stores read back, checks"),
)


class WhoseSampler:
    """Counts samples by whose work it is while `running`."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}

    @contextmanager
    def running(self) -> Iterator[None]:
        """Take samples inside the block."""
        before = signal.signal(signal.SIGPROF, self._take)
        signal.setitimer(signal.ITIMER_PROF, INTERVAL_S, INTERVAL_S)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
            signal.signal(signal.SIGPROF, before)

    def shares(self) -> list[tuple[str, float]]:
        """Return whose work took which share of the samples, in percent, the greatest first."""
        samples = sum(self.counts.values())
        shares = [(whose, 100 * count / samples) for whose, count in self.counts.items()]
        return sorted(shares, key=lambda share: -share[1])

    def _take(self, _number: int, frame: FrameType | None) -> None:
        whose = whose_is(frame)
        self.counts[whose] = self.counts.get(whose, 0) + 1


def whose_is(frame: FrameType | None) -> str:
    """Return whose work a stack is, given its innermost frame."""
    paths: list[str] = []
    while frame is not None:
        code = frame.f_code
        if (code.co_filename, code.co_name) == LOOP:
            return _of_task(paths)
        paths.append(code.co_filename.removeprefix(f"{ROOT}/"))
        frame = frame.f_back
    for path in reversed(paths):
        for beginning, whose in OUTSIDE:
            if path.startswith(beginning):
                return whose
    return "before and afterwards: founding, events and folder written"


def _of_task(paths: list[str]) -> str:
    if any(path.startswith(WATCHING) for path in paths):
        return "watching: events, message trace, frames kept, checks"
    for path in reversed(paths):
        if path.startswith(VIRTUAL):
            continue
        for part, whose in TASKS:
            if path.startswith(part) or (part.startswith("/") and part in path):
                return whose
    return "virtual loop and network"
