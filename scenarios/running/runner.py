"""One command's worth of work: a scenario run in a world, judged, and written into its folder.

Rules:
- Everything random follows from the seed, by named streams; in the virtual world nothing else enters.
- The folder is written whatever the verdict. In the virtual world, where it can be repeated, a failure of the program
  itself is one: the run is *broken*. In the live world it leaves what there was and is raised.
"""

from __future__ import annotations

import traceback
from collections.abc import Mapping, Sequence
from random import Random

from p2p.holdings import Holding
from p2p.observer import RecordField
from scenarios.judging.checks.check import Check, FinalState
from scenarios.judging.checks.registry import Setting, make_checks
from scenarios.judging.final import read_final
from scenarios.judging.measure import traffic
from scenarios.judging.verdict import JudgedExpectation, Judgment, judge
from scenarios.measuring.comparison import compare_run
from scenarios.model import Scenario
from scenarios.model.excuses import judge_sentence
from scenarios.privacy.entitlement import entitlement_of
from scenarios.privacy.inference import Figure, measure_inference
from scenarios.privacy.leaks import LeakSearch
from scenarios.privacy.outsider import infer
from scenarios.privacy.programlog import ProgramLog
from scenarios.privacy.reach import Reach
from scenarios.privacy.readings import Readings, compare
from scenarios.privacy.survey import Findings, survey
from scenarios.record import eventspool
from scenarios.record.eventbook import EventBook
from scenarios.record.latefile import LateFile
from scenarios.record.runfolder import RUN_FILE, SCRIPT_FILE, TRACEBACK_FILE, RunFolder
from scenarios.running.broken import broken, is_programs_own
from scenarios.running.memory import give_back_memory
from scenarios.running.options import RunOptions, RunResult
from scenarios.running.papertrial import MEASURES_FILE, play_on_paper, trade_of
from scenarios.running.playing import Playing
from scenarios.running.verdictfiles import Stopwatch, left_undone, run_of, verdict_of
from scenarios.running.watching import Watch
from scenarios.schedules import with_drawn_faults
from scenarios.trial.trial import Trial, TrialOutcome
from scenarios.worlds.base import World


def run_scenario(scenario: Scenario, options: RunOptions) -> RunResult:
    """Run a scenario, judge it, and write its folder.

    Raises:
        ScenarioError, RefusedError: what was given cannot be run.
        Exception: whatever failed in the program itself, in the live world or before the trial began.
    """
    return _Run(with_drawn_faults(scenario, options.seed, options.world), options).run()


class _Run:
    """One run's parts."""

    def __init__(self, scenario: Scenario, options: RunOptions) -> None:
        self.scenario = scenario
        self.options = options
        self.folder = RunFolder.create(options.out, scenario.scenario, options.seed)
        self.trade = trade_of(scenario, options.seed)
        self.search = LeakSearch()
        self.reach = Reach(self.search)
        self.readings = Readings()
        self.checks: list[Check] = make_checks(Setting(scenario, self.search, self._compare, self._holdings))
        self.watching = Watch(list(scenario.organizations), self.checks, self.folder.path)
        self.playing = self._stage()
        self.log = ProgramLog()
        self.has_written_events = False
        self.watch = Stopwatch()

    def _stage(self) -> Playing:
        return Playing(
            scenario=self.scenario,
            options=self.options,
            folder=self.folder,
            sink=self.watching.record,
            frame=self.watching.frame,
            raft=self.watching.raft,
            trial=self._trial,
            is_closing=lambda: hasattr(self, "trial") and self.trial.is_closing,
            chance=self._chance,
        )

    def run(self) -> RunResult:
        """Run, judge, write."""
        try:
            with self.log:
                self._carry_out()
            self._let_go()
            return self._conclude()
        except Exception as error:
            if self.options.world != "virtual" or not hasattr(self, "trial") or not is_programs_own(error):
                raise
            return self._break(error)
        finally:
            if not self.has_written_events and hasattr(self, "book"):
                self._write_events()
            self.watching.frames.close()

    def _carry_out(self) -> None:
        self.folder.write_text("scenario.yaml", self.scenario.resolved())
        if self.options.script_text is not None:
            self.folder.write_text(SCRIPT_FILE, self.options.script_text)
        lines = LateFile(self.folder.trace_path) if self.options.trace_messages else None
        self.watching.trace.lines = lines
        try:
            self.playing.play()
        finally:
            self.watching.trace.finish()
            if lines is not None:
                lines.close()

    def _let_go(self) -> None:
        """Let nodes and disks go; a short run's memory is not worth a walk through all that the process holds."""
        self.playing.let_go()
        if len(self.book.events) > eventspool.EVENTS_RESIDENT_MAX:
            give_back_memory()

    async def _trial(self, world: World) -> None:
        self.book = EventBook(self._now_ms, world.now_ns, self.watching.spool)
        self.trial = Trial(self.scenario, world, self.book, self._chance, self.options.script, self.trade)
        self.watching.follow(self.book)
        if self.options.progress is not None:
            self.options.progress.checks = self.checks
            self.book.subscribe(self.options.progress)
        self.options.on_event_book(self.book)
        self.options.tamper(self.trial)
        self.outcome: TrialOutcome = await self.trial.run()

    def _holdings(self, organization: str) -> Sequence[Holding]:
        return self.playing.holdings(organization)

    def _now_ms(self) -> int:
        return self.trial.now_ms()

    def _chance(self, stream: str) -> Random:
        return Random(f"{self.options.seed}:{stream}")

    def _write_events(self) -> None:
        self.has_written_events = True
        self.folder.write_events(self.book.events)

    def _now(self, stage: str) -> None:
        """Say what is under way now that trade is over."""
        if self.options.progress is not None:
            self.options.progress.stage = stage

    def _conclude(self) -> RunResult:
        self._now("searching for private values")
        survey(
            self.reach,
            Findings(
                self.folder,
                self.scenario,
                self.outcome,
                self.book.events,
                self.watching.records_of_nodes,
                self.watching.frames,
                self.log.lines,
            ),
        )
        self._now("reading the stores")
        directories = {o: self.folder.node_directory(o) for o in self.scenario.organizations}
        final, unreadable = read_final(directories, list(self.scenario.organizations))
        self._now("checking")
        found_before_end = {check.name: len(check.violations) for check in self.checks}
        for check in self.checks:
            check.finish(final)
        self.book.add(
            "privacy.compared",
            {
                "pairs": self.readings.pairs,
                "as_entitled": self.readings.as_entitled,
                "leaks": self.readings.leak_count,
            },
        )
        self._write_events()
        metrics = self._metrics()
        self.trial.history.metrics = metrics
        expectations = [
            JudgedExpectation(expectation.text, judge_sentence(expectation, self.trial.history))
            for expectation in (*self.scenario.expect, *self.trial.pilot.expectations)
        ]
        pilot = self.trial.pilot
        judgment = judge(
            expectations,
            self.checks,
            must_exercise=self._must_exercise(),
            open_points=left_undone(self.scenario, self.outcome)
            + self.outcome.unread
            + (["the script still waited when the calendar ended"] if self.outcome.script_unfinished else []),
            found_before_end=found_before_end,
            violations=[f"durability: {text}" for text in unreadable]
            + ([f"script: {pilot.failure}"] if pilot.failure is not None else []),
        )
        self._now("playing the trade on paper")
        self._play_on_paper()
        self._now("writing")
        self._write(judgment, metrics)
        return RunResult(self.folder, judgment, metrics, self.trial, self.book, self.readings)

    def _break(self, error: Exception) -> RunResult:
        """Leave what there is of a run that the program failed in, and what repeats it."""
        judgment = broken(error)
        self.folder.write_text(TRACEBACK_FILE, "".join(traceback.format_exception(error)))
        if not self.has_written_events:
            self._write_events()
        metrics: dict[str, RecordField | float] = {"events": len(self.book.events)}
        self.folder.write_json("metrics.json", metrics)
        self._write_verdict(judgment)
        return RunResult(self.folder, judgment, metrics, self.trial, self.book, self.readings, error)

    def _must_exercise(self) -> list[str]:
        """Return the checks that the scenario lists, without those that a fault that struck excuses."""
        excuses, has_struck = self.scenario.checks_unless, self.trial.history.has_struck
        return [name for name in self.scenario.checks if not any(map(has_struck, excuses.get(name, ())))]

    def _play_on_paper(self) -> None:
        """Play the same trade on paper, if there is one, and measure both arms from what they left."""
        if self.trade is not None:
            play_on_paper(self.trade, self.scenario, self.folder.path)
            self.folder.write_json(MEASURES_FILE, compare_run(self.folder.path).plain())

    def _metrics(self) -> dict[str, RecordField | float]:
        seen = self.watching
        metrics = seen.measurement.figures() | seen.tuna.figures() | seen.paper.figures()
        if self.options.world == "virtual":
            metrics.update(traffic(seen.trace.frames_by_kind, seen.trace.bytes_by_kind))
        else:
            metrics.update({"messages": self.outcome.frames_sent, "bytes": self.outcome.bytes_sent})
        for check in self.checks:
            metrics[f"check_{check.name}_exercised"] = check.exercised
        metrics["privacy_pairs"] = self.readings.pairs
        metrics["privacy_as_entitled"] = self.readings.as_entitled
        metrics["privacy_leaks"] = self.readings.leak_count
        metrics["events"] = len(self.book.events)
        return metrics

    def _inference(self) -> dict[str, Figure]:
        """Have an outsider conclude what it can from the public events, and hold that against the truth."""
        knowledge = infer(event.line() for event in self.book.events if event.public)
        return measure_inference(knowledge, self.scenario, self.outcome.witness, self.book.events)

    def _compare(self, final: FinalState) -> Readings:
        """Hold what every organization could read against what it may."""
        genesis = self.trial.world.founding.genesis
        entitlement = entitlement_of(self.outcome.witness, final.documents, genesis, final.carnets)
        self.readings = compare(entitlement, self.reach, self.outcome.wallets)
        return self.readings

    def _write(self, judgment: Judgment, metrics: Mapping[str, RecordField | float]) -> None:
        self.folder.write_json("metrics.json", {**metrics, "privacy": self._inference()})
        self._write_verdict(judgment)

    def _write_verdict(self, judgment: Judgment) -> None:
        """Write the verdict, and last of all what repeats the run."""
        self.folder.write_json("verdict.json", verdict_of(judgment, self.book, self.checks, self.readings))
        network = self.trial.world.founding.genesis.network
        self.folder.write_json(RUN_FILE, run_of(self.scenario, self.options, network, self.watch))
        self.folder.publish()
