"""A run's progress on a terminal: a live panel, or a line every few seconds where there is no terminal.

Rules:
- It is told from a thread of its own by real time, so that a run that is stuck, or busy after its trade, shows so.
- It only reads; standard output has nothing of the heartbeat, which goes to standard error.
- A run that is over before the first line is due says nothing.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from zoneinfo import ZoneInfo

from rich.console import Console, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table

from scenarios.running.progress import Progress
from scenarios.telling.moments import local_day

HEARTBEAT_S = 5.0
"""How long one line of the heartbeat stands."""

REFRESHES_PER_S = 4
BAR_WIDTH = 30


@contextmanager
def told_progress(
    progress: Progress, console: Console, zone: ZoneInfo, say: Callable[[str], None]
) -> Iterator[None]:
    """Tell a run's progress until the block is left.

    Args:
        progress: the run's.
        console: where the run is narrated; a live panel stands below that if it is a terminal.
        zone: in which the calendar is told.
        say: takes a line of the heartbeat otherwise.
    """
    started = time.monotonic()
    if console.is_terminal and not console.is_dumb_terminal:
        with Live(
            console=console,
            get_renderable=lambda: panel(progress, zone, time.monotonic() - started),
            refresh_per_second=REFRESHES_PER_S,
            transient=True,
        ):
            yield
        return
    over = threading.Event()

    def beat() -> None:
        while not over.wait(HEARTBEAT_S):
            try:
                say(line(progress, zone, time.monotonic() - started))
            except BrokenPipeError:
                return  # nobody listens any more; the run goes on

    thread = threading.Thread(target=beat, name="heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def line(progress: Progress, zone: ZoneInfo, real_s: float) -> str:
    """Return progress as one line.

    Args:
        progress: the run's.
        zone: in which the calendar is told.
        real_s: since the run began.
    """
    told = [
        f"{real_s:.0f} s: {progress.stage}",
        f"{local_day(progress.calendar_ms, zone)} ({progress.share:.0%})",
        f"protocol {progress.protocol_ns / 1e9:.0f} s",
        f"{progress.certified:,} transactions" + (f", {progress.refused:,} refused" * (progress.refused > 0)),
    ]
    if progress.faults:
        told.append(_faults(progress))
    return ", ".join([*told, _verdict(progress)])


def panel(progress: Progress, zone: ZoneInfo, real_s: float) -> RenderableType:
    """Return progress as a panel; arguments as `line`'s."""
    rows = Table.grid(padding=(0, 2))
    rows.add_column(style="dim")
    rows.add_column()
    rows.add_row("calendar", local_day(progress.calendar_ms, zone))
    rows.add_row("", ProgressBar(total=1.0, completed=progress.share, width=BAR_WIDTH))
    rows.add_row("time", f"protocol {progress.protocol_ns / 1e9:,.1f} s, real {real_s:,.0f} s")
    rows.add_row("transactions", f"{progress.certified:,} certified, {progress.refused:,} of them refused")
    rows.add_row("faults", _faults(progress) + f", {progress.faults_begun} begun so far")
    rows.add_row("so far", f"{_verdict(progress)}; checks exercised {progress.exercised:,} times")
    return Panel(rows, title=progress.stage, title_align="left", width=80)


def _faults(progress: Progress) -> str:
    kinds = list(progress.faults.values())  # at once: the run goes on meanwhile
    return f"{len(kinds)} in force ({', '.join(sorted(set(kinds)))})" if kinds else "none in force"


def _verdict(progress: Progress) -> str:
    count = progress.violations
    if not count:
        return "no violation"
    return f"violated {count:,} times" if count > 1 else "violated once"
