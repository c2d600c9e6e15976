"""The command line: `seatrial COMMAND`.

Rules:
- Exit codes: 0 passed, 1 violated, 2 undecided, 64 a wrong call or file, or a place that cannot be read or written, 70
  a failure of the program itself.
- What a command cannot do it says with place, value, limit and remedy; a traceback is only ever our own fault.
- Long work shows who does what as it goes; a success says little.
- Who stops listening (`| head`) ends nothing: a run is carried to its verdict and its folder written.
"""

from __future__ import annotations

import os
import secrets
import shlex
import signal
import sys
import textwrap
import traceback
from collections.abc import Callable
from contextlib import nullcontext
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, CycloptsError, Parameter, validators
from rich.console import Console
from rich.text import Text

from ledger.errors import LedgerError
from p2p.errors import PeerError
from scenarios.agents.nonces import NonceFileError
from scenarios.campaign.campaign import CampaignOptions, run_campaign
from scenarios.campaign.campaign import exit_code as campaign_exit_code
from scenarios.campaign.job import jobs_of
from scenarios.campaign.stopping import StoppedError
from scenarios.campaign.told import tell_campaign
from scenarios.comparing.commands import budget, compare, sweep
from scenarios.diagram.files import FILE as DIAGRAM_FILE
from scenarios.diagram.files import check_picture_path, check_stretch, tell_diagram, write_diagram
from scenarios.diagram.repeating import follow_again
from scenarios.errors import OUTSIDE, RefusedError, ScenarioError
from scenarios.exporting.commands import RunPath, export, verify_proof
from scenarios.hosting.calls import ScenarioName, approve, init, node, prepare, sign, up
from scenarios.hosting.commands import verify_path
from scenarios.judging.checks.registry import CHECKS
from scenarios.judging.verdict import EXIT_INTERNAL, EXIT_USAGE, Judgment, Verdict
from scenarios.model.catalog import library_names, load_scenario, load_script_of
from scenarios.model.schema import schema_text
from scenarios.model.template import write_new
from scenarios.privacy.told import SUBJECT as PRIVACY
from scenarios.privacy.told import tell_privacy
from scenarios.record.runfolder import RunFolder
from scenarios.reporting.commands import report, write_if_cheap
from scenarios.running.options import RunOptions, RunResult
from scenarios.running.progress import Progress
from scenarios.running.replaying import replay as replay_run
from scenarios.running.runner import run_scenario
from scenarios.shrinking.keeping import keep as keep_shrunk
from scenarios.shrinking.keeping import kept_path
from scenarios.shrinking.shrinking import End, read_failure, shrink_run
from scenarios.shrinking.told import FILE as SHRUNK_FILE
from scenarios.shrinking.told import tell_shrunk, write_beside, write_shrunk
from scenarios.telling.narration import VERDICT_STYLES, Narrator, print_summary, print_wrapped
from scenarios.telling.panel import told_progress
from scenarios.telling.story import subjects_of, tell

RUNS = Path("runs")
LIST_INDENT = 34
"""Where a scenario's title begins in the list: after its name."""

app = App(
    name="seatrial",
    help="Put a trade-consortium ledger through its sea trial: scripted trade, real nodes, bad weather on purpose.",
    version=version("seatrial"),
    version_flags=["--version"],
    suppress_keyboard_interrupt=False,
)


@app.command
def run(
    scenario: ScenarioName,
    *,
    world: Annotated[Literal["virtual", "live"], Parameter(help="Where the nodes run.")] = "virtual",
    seed: Annotated[
        str, Parameter(help="Decides everything random; drawn and printed if not given.", show_default=False)
    ] = "",
    out: Annotated[Path, Parameter(help="Where run folders go.")] = RUNS,
    set_: Annotated[
        list[str],
        Parameter(
            name="--set", help="KEY=VALUE: override a value of the file.", negative="", show_default=False
        ),
    ] = [],  # noqa: B006 - never changed
    trace: Annotated[
        Literal["messages"] | None, Parameter(help="`messages`: write every message down.")
    ] = None,
    story: Annotated[
        bool, Parameter(help="Tell the story as it goes.", negative="--no-story", show_default=False)
    ] = True,
    quiet: Annotated[
        bool, Parameter(help="Tell neither story nor progress, only what came of it.", negative="")
    ] = False,
) -> int:
    """Run a scenario and judge it."""
    loaded = load_scenario(scenario, set_)
    unsupported = loaded.unsupported_in(world)
    if unsupported:
        raise ScenarioError(unsupported)
    script, script_text = load_script_of(scenario) or (None, None)
    seed = seed or secrets.token_hex(4)
    console = _console()
    console.print(Text(f"{loaded.scenario}: {loaded.title}; {world} world, seed {seed}", style="dim"))
    narrator = Narrator(console, loaded.zone)
    progress = Progress(loaded.calendar.start_ms, loaded.calendar.end_ms)
    options = RunOptions(
        world,
        seed,
        out,
        trace_messages=trace == "messages",
        on_event_book=lambda book: book.subscribe(narrator) if story and not quiet else None,
        progress=progress,
        script=script,
        script_text=script_text,
    )
    with nullcontext() if quiet else told_progress(progress, console, loaded.zone, _complain):
        result = run_scenario(loaded, options)
    if result.failure is None:
        print_summary(console, loaded, result.trial.history, result.metrics, result.judgment)
    else:
        _print_broken(console, result.failure, result.judgment)
    again = ["seatrial", "run", scenario, "--world", world, "--seed", seed]
    again += [word for override in set_ for word in ("--set", override)]
    again += [] if out == RUNS else ["--out", str(out)]
    again += [] if trace is None else ["--trace", trace]
    _print_where(console, result, shlex.join(again))
    return result.judgment.verdict.exit_code


@app.command
def campaign(
    scenario: Annotated[list[str], Parameter(help="Library names or files.", negative="")],
    *,
    seeds: Annotated[int, Parameter(help="How many seeds each.", validator=validators.Number(gte=1))] = 100,
    first: Annotated[int, Parameter(help="The first seed.", validator=validators.Number(gte=0))] = 1,
    jobs: Annotated[
        int | None, Parameter(help="Processes on this machine; one per processor if absent.")
    ] = None,
    cluster: Annotated[
        str | None, Parameter(help="Address of a Dask scheduler whose workers run them instead.")
    ] = None,
    out: Annotated[
        Path | None, Parameter(help="The campaign's directory; the same command takes it up again.")
    ] = None,
    set_: Annotated[
        list[str], Parameter(name="--set", help="KEY=VALUE: override a value of every file.", negative="")
    ] = [],  # noqa: B006 - never changed
) -> int:
    """Run scenarios over many seeds and say how often what came of them."""
    if jobs is not None and jobs < 1:
        raise RefusedError(f"--jobs {jobs}", "1 or more processes", "leave it out for one per processor")
    loaded = [
        (load_scenario(name, set_), script[1] if (script := load_script_of(name)) else None)
        for name in scenario
    ]
    directory = out or RUNS / "campaigns" / f"{'+'.join(s.scenario for s, _ in loaded)}-{first}-{seeds}"[:120]
    options = CampaignOptions(directory, jobs or os.cpu_count() or 1, cluster, _complain)
    try:
        journal = run_campaign(list(jobs_of(loaded, first, seeds)), options)
    except StoppedError as stopped:
        return stopped.exit_code
    results = list(journal.results.values())
    for line in tell_campaign(results, directory):
        print(line)
    return campaign_exit_code(results)


@app.command(name="list")
def list_(
    what: Annotated[Literal["scenarios", "checks"], Parameter(help="What to list.")] = "scenarios",
) -> int:
    """List the library's scenarios, or what is checked in every run."""
    console = _console()
    if what == "checks":
        for row in CHECKS.values():
            console.print(Text(row.name, style="bold"))
            for text in (row.sentence, row.source):
                console.print(Text(textwrap.indent(textwrap.fill(text, console.width - 3), "  ")))
        return 0
    for name in library_names():
        print_wrapped(console, Text(f"{name:<{LIST_INDENT}}{load_scenario(name).title}"), LIST_INDENT)
    return 0


@app.command
def new(
    name: Annotated[str, Parameter(help="The scenario's name; the file is NAME.yaml or NAME.py.")],
    *,
    python: Annotated[bool, Parameter(help="Write the scenario in Python.", negative="")] = False,
) -> int:
    """Write a commented scenario to begin with; it passes as it stands."""
    path = write_new(name, Path(), python=python)
    print(f"{path}: run it with `seatrial run ./{path}`")
    return 0


@app.command
def validate(file: ScenarioName) -> int:
    """Check a scenario file and name all its faults at once."""
    loaded = load_scenario(file)
    steps, faults, expected = len(loaded.steps), len(loaded.faults), len(loaded.expect)
    told = f"{_count(steps, 'step')}, {_count(faults, 'fault')}, {_count(expected, 'expectation')}"
    if str(file).endswith(".py"):
        told += ", and what its script does"
    _console().print(f"{file}: sound: {told}", highlight=False)
    return 0


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"


@app.command
def schema() -> int:
    """Print the JSON Schema of scenario files, for editors."""
    sys.stdout.write(schema_text())
    return 0


@app.command
def show(
    run: RunPath,
    subject: Annotated[
        str | None,
        Parameter(
            help="A claim, certificate, verification, carnet, voucher (k1/2) or form by its name, an entry or entry "
            "line, a root or id in hex; or privacy. What has a story is listed if none is named."
        ),
    ] = None,
) -> int:
    """Tell the story of one claim, document or transaction of a run, or who could read what of it."""
    folder = RunFolder.at(run)
    if subject is None:
        for line in subjects_of(load_scenario(folder.path / "scenario.yaml")):
            print(line)
        print(f"{PRIVACY:<14}who could read what")
        return 0
    if not folder.is_finished:
        print(
            "this run is unfinished: it was stopped or failed before its verdict; this is what it had recorded"
        )
    if subject == PRIVACY:
        for line in tell_privacy(folder):
            print(line)
        return 0
    for line in tell(folder, load_scenario(folder.path / "scenario.yaml"), subject):
        print(line)
    return 0


@app.command
def replay(run: RunPath) -> int:
    """Repeat a virtual run from its folder and say whether it came out the same."""
    folder = RunFolder.at(run)
    difference = replay_run(folder)
    if difference is None:
        events = len(folder.event_lines("observer"))
        print(f"identical: {events} events, every digest of the message trace, metrics and verdict")
        return 0
    print(f"differs first at {difference.file}:{difference.line}")
    print(f"  recorded {difference.recorded}")
    print(f"  repeated {difference.repeated}")
    return Verdict.VIOLATED.exit_code


@app.command
def shrink(
    run: RunPath,
    *,
    runs: Annotated[
        int,
        Parameter(
            name=["--runs", "--budget"],
            help="How many runs may be spent.",
            validator=validators.Number(gte=1),
        ),
    ] = 200,
    out: Annotated[
        Path | None, Parameter(help="The scenario file to write; shrunk.yaml in the run's folder if absent.")
    ] = None,
    keep: Annotated[
        Path | None,
        Parameter(
            help="Keep it too in this directory, whose list of failures is replayed; tests/regressions."
        ),
    ] = None,
) -> int:
    """Find a shortest scenario that still fails as a virtual run failed, and write it as a file."""
    folder = RunFolder.at(run)
    path = out or folder.path / SHRUNK_FILE
    if not path.parent.is_dir():
        raise RefusedError(f"--out {path}: there is no folder {path.parent}", "", "make it or name another")
    recorded = read_failure(folder)
    kept = None if keep is None else kept_path(recorded, keep)
    shrunk = shrink_run(recorded, runs, _complain)
    write_shrunk(shrunk, path)
    for line in [*tell_shrunk(shrunk, path), *write_beside(shrunk, path)]:
        print(line)
    if kept is not None:
        print(f"kept       {kept}: {keep_shrunk(shrunk, kept)}")
    return 128 + signal.SIGINT if shrunk.end is End.INTERRUPTED else 0


@app.command
def diagram(
    run: RunPath,
    *,
    from_: Annotated[
        float | None, Parameter(name="--from", help="Second of protocol time with which it begins.")
    ] = None,
    until: Annotated[float | None, Parameter(help="Second with which it ends.")] = None,
    out: Annotated[
        Path | None, Parameter(help="The picture to write; diagram.svg in the run's folder if absent.")
    ] = None,
) -> int:
    """Draw a virtual run's space-time diagram: nodes, messages, faults, blocks, and the violation."""
    folder = RunFolder.at(run)
    path = out or folder.path / DIAGRAM_FILE
    check_stretch(from_, until)
    check_picture_path(path)
    scene = write_diagram(follow_again(folder), path, from_, until)
    for line in tell_diagram(scene, path):
        print(line)
    return 0


@app.command
def verify(path: Annotated[Path, Parameter(help="A run's or network's folder, or a node.db.")]) -> int:
    """Verify stores from genesis: every block, signature, receipt, state, proof and certificate."""
    return verify_path(path, print)


app.command(report)
app.command(export)
app.command(verify_proof)
app.command(sweep)
app.command(budget)
app.command(compare)
for _call in (init, up, sign, approve, prepare, node):
    app.command(_call)


def main() -> None:
    """Run the command line and exit with its code."""
    sys.exit(run_command(sys.argv[1:]))


def run_command(words: list[str]) -> int:
    """Run one command and return its exit code; nothing is raised."""
    return _guarded(lambda: app(words, exit_on_error=False, print_error=False, result_action="return_value"))


def _guarded(call: Callable[[], object]) -> int:
    """Turn every failure into a message and an exit code."""
    code = 0
    try:
        result = call()
        code = result if isinstance(result, int) else 0
        sys.stdout.flush()
        return code
    except CycloptsError as error:
        _complain(f"seatrial: {error}", "run `seatrial --help` or `seatrial COMMAND --help`")
        return EXIT_USAGE
    except ScenarioError as error:
        for fault in error.faults:
            _complain(str(fault))
        count = len(error.faults)
        _complain(f"seatrial: {count} fault{'s' * (count != 1)}; nothing was started")
        return EXIT_USAGE
    except (RefusedError, NonceFileError, PeerError, LedgerError) as error:
        _complain(f"seatrial: {error}")
        return EXIT_USAGE
    except KeyboardInterrupt:
        _complain("seatrial: stopped by Ctrl-C; no node is left running")
        return 128 + signal.SIGINT
    except BrokenPipeError:
        _write_no_more()
        return code
    except Exception as error:
        if isinstance(error, OSError) and error.errno in OUTSIDE:
            where = "" if error.filename is None else f"{error.filename}: "
            _complain(f"seatrial: {where}{error.strerror}; {OUTSIDE[error.errno]}")
            return EXIT_USAGE
        traceback.print_exc()
        _complain("seatrial: this is a fault of seatrial itself; please report it with the lines above")
        return EXIT_INTERNAL


def _complain(*lines: str) -> None:
    for line in lines:
        print(line, file=sys.stderr)


class _Console(Console):
    """A console that goes on in silence when nobody listens any more."""

    def on_broken_pipe(self) -> None:
        """Write no more; what is under way goes on."""
        _write_no_more()


def _write_no_more() -> None:
    """Let standard output lead nowhere, so that nothing fails by it, the interpreter's last flush included."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def _console() -> Console:
    return _Console(highlight=False, soft_wrap=True)


def _print_broken(console: Console, failure: Exception, judgment: Judgment) -> None:
    """Tell where the program itself failed, with what whoever mends it needs to see."""
    _complain("".join(traceback.format_exception(failure)).rstrip())
    _complain("seatrial: this is a fault of seatrial itself; please report it with the lines above")
    console.print(Text(f"verdict    {judgment.verdict.value}", style=VERDICT_STYLES[judgment.verdict]))
    for text in judgment.violations:
        print_wrapped(console, Text(f"by         {text}"), 11)


def _print_where(console: Console, result: RunResult, again: str) -> None:
    console.print(Text(f"folder     {result.folder.path}", style="dim"))
    if result.failure is not None:
        console.print(Text(f"short      {shlex.join(['seatrial', 'shrink', str(result.folder.path)])}"))
    elif write_if_cheap(result.folder, result.metrics.get("events")) is None:
        console.print(Text(f"report     {shlex.join(['seatrial', 'report', str(result.folder.path)])}"))
    if result.judgment.verdict is not Verdict.PASSED:
        console.print(Text(f"again      {again}"))
        if result.trial.scenario.claims:
            claim = next(iter(result.trial.scenario.claims))
            console.print(
                Text(f"look       {shlex.join(['seatrial', 'show', str(result.folder.path), claim])}")
            )


if __name__ == "__main__":
    main()
