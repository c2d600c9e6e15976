"""A campaign from plan to summary.

Rules:
- What is done stays done: results are durable one by one, and the same command takes the campaign up again.
- Progress is told every few seconds: runs per second, verdicts so far, how long it will still take.
- Stopped by Ctrl-C or SIGTERM it says how much is done, and that the same command goes on.
- The folder of every run that did not pass is kept (on one machine), and the command that repeats it is told.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from scenarios.campaign.cluster import run_on_cluster
from scenarios.campaign.crew import Crew
from scenarios.campaign.job import Job
from scenarios.campaign.journal import FAILURES, Journal
from scenarios.campaign.parquet import FILE, check_installed, write_parquet
from scenarios.campaign.result import LOST, Result
from scenarios.campaign.stopping import StoppedError, run_until_stopped
from scenarios.campaign.summary import summarize
from scenarios.judging.verdict import EXIT_INTERNAL, Verdict

SUMMARY_FILE = "summary.json"
TELL_EVERY_S = 5.0

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class CampaignOptions:
    """How a campaign is run.

    Attributes:
        out: its directory.
        workers: processes on this machine.
        cluster: address of a Dask scheduler instead, or None.
        say: told a line of progress now and then.
    """

    out: Path
    workers: int
    cluster: str | None = None
    say: Say = print


def run_campaign(jobs: Sequence[Job], options: CampaignOptions) -> Journal:
    """Run what is not done yet of a campaign, and write its Parquet file and summary.

    Raises:
        RefusedError: if the directory holds another campaign, or the cluster cannot be used.
        StoppedError: if it was stopped by SIGINT or SIGTERM; what was done is kept.
    """
    check_installed()
    journal = Journal.open(options.out, jobs)
    left = [job for job in jobs if not journal.is_done(job)]
    progress = _Progress(len(jobs), len(jobs) - len(left), options.say)
    if len(left) < len(jobs):
        options.say(f"taking up a campaign: {len(jobs) - len(left):,} of {len(jobs):,} runs are done")

    def take(result: Result) -> None:
        journal.add(result)
        progress.take(result)

    try:
        if options.cluster is not None:
            run_until_stopped(run_on_cluster(options.cluster, left, take, options.say))
        else:
            run_until_stopped(Crew(options.workers, options.out / FAILURES).run(left, take))
        _write_summary(journal, options.out)
    except StoppedError as stopped:
        options.say(f"{stopped}: {progress.done:,} of {len(jobs):,} runs are done; the same command goes on")
        raise
    finally:
        journal.close()
    return journal


def _write_summary(journal: Journal, directory: Path) -> None:
    write_parquet(journal.results.values(), directory / FILE)
    summaries = summarize(journal.results.values())
    value = {name: summary.plain() for name, summary in summaries.items()}
    (directory / SUMMARY_FILE).write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")


def exit_code(results: Sequence[Result]) -> int:
    """Return the campaign's exit code: 70 if a run was lost or broken, else the worst verdict's."""
    verdicts = {result.verdict for result in results}
    if LOST in verdicts:
        return EXIT_INTERNAL
    for verdict in (Verdict.BROKEN, Verdict.VIOLATED, Verdict.UNDECIDED):
        if verdict.value in verdicts:
            return verdict.exit_code
    return 0


class _Progress:
    """Counts and tells."""

    def __init__(self, total: int, done: int, say: Say) -> None:
        self._total, self.done, self._say = total, done, say
        self._begun = self._told = time.monotonic()
        self._here = 0
        self._verdicts: dict[str, int] = {}

    def take(self, result: Result) -> None:
        """Count a result and tell, if it is time."""
        self.done += 1
        self._here += 1
        self._verdicts[result.verdict] = self._verdicts.get(result.verdict, 0) + 1
        now = time.monotonic()
        if now - self._told >= TELL_EVERY_S:
            self._told = now
            rate = self._here / (now - self._begun)
            verdicts = ", ".join(f"{name} {count:,}" for name, count in sorted(self._verdicts.items()))
            left = _duration((self._total - self.done) / rate)
            self._say(f"{self.done:,} of {self._total:,}  {rate:.2f} runs/s  {verdicts}  about {left} left")


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
