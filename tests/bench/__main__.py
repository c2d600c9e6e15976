"""`make bench`: the figures of docs/performance.md, measured here and now.

    python -m tests.bench [idle] [load] [seed] [live] [elections] [catchup] [--seeds N]
    python -m tests.bench load --checks
    python -m tests.bench quarter [--shipments N ...]
    python -m tests.bench memory [--shipments N N]
    python -m tests.bench storm [--seeds N] [--jobs]

Without a name everything of the first line is measured, which takes one to two minutes. `--seeds` says over how many
seeds elections, or the storm, are measured, 20 unless given; 1,000 elections take about five minutes of one processor.
`--jobs` holds two workers against one over the storm's seeds, which tells something on idle processors only. `--checks`
measures the load with all checks of a run switched on, in pairs with and without them, and nothing else of the load.
"""

from __future__ import annotations

import argparse
import platform
import statistics
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import version

import apsw
from rich.console import Console
from rich.table import Table

from p2p.config import Timing
from tests.bench import catchup, checked, elections, idle, live, load, memory, quarter, seed, storm
from tests.bench.attribution import Sampler
from tests.bench.cluster import SCENARIO, SEED
from tests.bench.reference import reference_ms

PROFILED_S = 20
VARIANT_S = 10
VARIANTS = ((1, None), (100, None), (load.BATCH, 200))
"""(transactions per request, block interval in milliseconds if not the default) for short runs of comparison."""

PARTS = ("idle", "load", "seed", "live", "elections", "catchup", "quarter", "memory", "storm")
ONLY_NAMED = ("quarter", "memory", "storm")
BEHIND = (1000, 10_000)
SEEDS = 20

console = Console(width=110, highlight=False, markup=False)


def main(wanted: Sequence[str]) -> int:
    """Measure what was asked for and print it; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench")
    parser.add_argument(
        "parts",
        nargs="*",
        metavar="PART",
        help=f"of {', '.join(PARTS)}; all but the last three if none is named",
    )
    parser.add_argument(
        "--seeds", type=int, default=SEEDS, help="for elections and storm (default: %(default)s)"
    )
    parser.add_argument(
        "--behind",
        type=int,
        nargs="+",
        metavar="ENTRIES",
        help="for catchup: how many log entries a node lacks; 100000 takes two minutes (default: 1000 10000)",
    )
    parser.add_argument(
        "--shipments",
        type=int,
        nargs="+",
        help="for quarter (default: 100 300) and memory (default: 200 800, some five minutes)",
    )
    parser.add_argument(
        "--checks", action="store_true", help="for load: with all checks of a run switched on, and without"
    )
    parser.add_argument("--jobs", action="store_true", help="for storm: two workers against one as well")
    asked = parser.parse_args(wanted)
    unknown = [part for part in asked.parts if part not in PARTS]
    if unknown:
        print(f"{unknown[0]!r} is no part of the bench; parts: {', '.join(PARTS)}", file=sys.stderr)
        return 64
    if asked.seeds < 1:
        print(f"--seeds {asked.seeds}: at least one seed is needed", file=sys.stderr)
        return 64
    if "memory" in asked.parts and asked.shipments and len(dict.fromkeys(asked.shipments)) < 2:
        print(f"--shipments {asked.shipments[0]}: memory compares two sizes at least", file=sys.stderr)
        return 64
    _print_setting()
    runs = {"idle": _idle, "load": _load, "seed": _seed, "live": _live}
    if asked.checks:
        runs["load"] = _checked
    runs["elections"] = lambda: _elections(asked.seeds)
    runs["catchup"] = lambda: _catch_up(asked.behind or BEHIND)
    runs["quarter"] = lambda: _quarter(asked.shipments or quarter.SHIPMENTS)
    runs["memory"] = lambda: _memory(asked.shipments or memory.SHIPMENTS)
    runs["storm"] = lambda: _storm(asked.seeds, with_jobs=asked.jobs)
    for part, run in runs.items():
        if part in asked.parts or not (asked.parts or part in ONLY_NAMED):
            run()
    return 0


def _print_setting() -> None:
    timing = Timing()
    references = [reference_ms() for _ in range(7)]
    table = _table("Setting", "what", "value")
    table.add_row(
        "command",
        "make bench = python -m tests.bench [idle] [load] [seed] [live] [elections] [catchup] [--seeds N]",
    )
    table.add_row(
        "Python, aiohttp, SQLite",
        f"{platform.python_version()}, {version('aiohttp')}, {apsw.sqlite_lib_version()}",
    )
    table.add_row(
        "network", f"the five members of {SCENARIO}, all orderers, complete gossip graph, seed {SEED!r}"
    )
    table.add_row("links and disks", "10-30 ms one way; 0.3-1.0 ms per durable commit (virtual)")
    table.add_row(
        "pace",
        f"heartbeat {timing.heartbeat_ms} ms, block interval {timing.block_interval_ms} ms, "
        f"fan-out {timing.fanout}, push {timing.push_interval_ms} ms",
    )
    table.add_row("time", "process_time: CPU of this one process; virtual time never counts it")
    table.add_row(
        "reference work",
        f"{statistics.median(references):.1f} ms CPU (fixed; tells a slow machine from slow code)",
    )
    console.print(table)


def _idle() -> None:
    figures = idle.measure_idle()
    table = _table(
        f"1. An idle network: {idle.WINDOWS} windows of {idle.WINDOW_S} virtual seconds after "
        f"{idle.WARM_UP_S} s of warm-up",
        "figure",
        "value",
    )
    table.add_row(
        "virtual seconds per CPU second, median",
        f"{figures.median:.0f} (goal >= {idle.GOAL_S_PER_S}: "
        f"{_verdict(figures.median >= idle.GOAL_S_PER_S)})",
    )
    table.add_row("all windows", " ".join(f"{speed:.0f}" for speed in figures.speeds))
    table.add_row(
        "frames and driver turns per virtual second, all nodes",
        f"{figures.frames_per_s:.0f} and {figures.turns_per_s:.0f}",
    )
    table.add_row("CPU per frame", f"{1e6 / figures.median / figures.frames_per_s:.0f} us")
    table.add_row("reference work beside each window", f"{statistics.median(figures.references_ms):.1f} ms")
    console.print(table)


def _load() -> None:
    figures = load.measure_load()
    _print_cost(figures)
    _print_variants(figures)
    sampler = Sampler()
    load.measure_load(sampler=sampler, duration_s=PROFILED_S)
    table = _table(
        f"3. Shares of CPU under the same load, from a separate run of {PROFILED_S} virtual seconds, "
        f"{sampler.samples} samples by CPU time (tests/bench/attribution.py says whose is what)",
        "whose code",
        "%",
    )
    for owner, percent in sampler.shares():
        table.add_row(owner, f"{percent:.1f}")
    console.print(table)
    _print_gossip(figures)


def _checked() -> None:
    figures = checked.measure_checked()
    table = _table(
        f"2c. CPU per transaction without and with all checks of a run, {len(figures.without)} pairs in turn, "
        f"{figures.transactions:,} transactions each, every node verifying for itself",
        "figure",
        "median",
        "pairs",
    )
    rows: list[tuple[str, Callable[[checked.CheckedFigures, checked.CheckedFigures], float]]] = [
        ("without checks", lambda bare, _: bare.during_ms),
        ("with, while it runs", lambda _, watched: watched.during_ms),
        ("so checks cost meanwhile", lambda bare, watched: watched.during_ms - bare.during_ms),
        ("afterwards: search, stores, ends of checks", lambda _, watched: watched.afterwards_ms),
        ("all with checks", lambda _, watched: watched.whole_ms),
    ]
    for name, figure in rows:
        pairs = zip(figures.without, figures.checked, strict=True)
        each = " ".join(f"{figure(bare, watched):.2f}" for bare, watched in pairs)
        table.add_row(name, f"{figures.median_ms(figure):.2f} ms", each)
    whole_ms = figures.median_ms(rows[-1][1])
    table.add_row("goal", f"<= {checked.GOAL_MS} ms", _verdict(whole_ms <= checked.GOAL_MS))
    table.add_row("reference work", "", " ".join(f"{each:.1f}" for each in figures.references_ms))
    console.print(table)
    last = figures.checked[-1]
    sought = f"{last.sought:,} values and salts sought in {last.searched_mib:.0f} MiB"
    table = _table(
        f"2d. What the checks saw, {figures.fields_each} fields a document; {sought}", "check", "times"
    )
    for name, times in last.exercised.items():
        table.add_row(name, f"{times:,}")
    console.print(table)


def _print_cost(figures: load.LoadFigures) -> None:
    table = _table(
        f"2. {load.RATE_PER_S} signed transactions a second over HTTP for {load.DURATION_S} virtual seconds",
        "figure",
        "value",
    )
    table.add_row(
        "CPU per transaction, all five nodes, client, wire and disks",
        f"{figures.cpu_ms:.2f} ms (goal <= {load.GOAL_MS}: {_verdict(figures.cpu_ms <= load.GOAL_MS)})",
    )
    table.add_row(
        "load",
        f"{figures.transactions} certificate.anchor of {figures.transaction_bytes:.0f} bytes by the "
        f"exporter at its own node; leader {figures.leader}",
    )
    table.add_row("batch size", f"{figures.batch} transactions per POST /v1/transactions/batch, open loop")
    table.add_row("signing the load", "done before the clock starts, in no figure")
    table.add_row(
        "verification",
        f"each node its own memory: {figures.verified} verified, {figures.remembered} remembered",
    )
    table.add_row(
        "one verification, measured alone",
        f"{figures.verification_us:.0f} us, so {figures.verified_ms:.2f} ms of the CPU per transaction",
    )
    table.add_row(
        "outcome",
        f"all {figures.transactions} VALID and certified on all five nodes after "
        f"{figures.virtual_s:.2f} virtual s; {figures.elections} election",
    )
    table.add_row("reference work beside it", f"{figures.reference_ms:.1f} ms")
    for share, (p50, p95, p99, most) in figures.latencies_ms.items():
        table.add_row(
            f"submission to certified at {share}% of nodes, protocol time",
            f"p50 {p50:.0f}, p95 {p95:.0f}, p99 {p99:.0f}, max {most:.0f} ms",
        )
    table.add_row(
        "blocks", f"{figures.blocks}, {figures.transactions / figures.blocks:.1f} transactions each"
    )
    table.add_row("turns and durable commits, all nodes", f"{figures.turns} and {figures.commits}")
    console.print(table)


def _print_variants(figures: load.LoadFigures) -> None:
    table = _table(
        f"2b. The same with other batches and block intervals, {VARIANT_S} virtual seconds each",
        "batch, block interval",
        "CPU per transaction",
        "certified on all nodes, p50 and p95",
        "transactions per block",
    )
    runs = [(figures, Timing().block_interval_ms)]
    for batch, interval_ms in VARIANTS:
        variant = load.measure_load(batch=batch, block_interval_ms=interval_ms, duration_s=VARIANT_S)
        runs.append((variant, interval_ms or Timing().block_interval_ms))
    for run, shown_ms in runs:
        p50, p95, _, _ = run.latencies_ms[100]
        table.add_row(
            f"{run.batch}, {shown_ms} ms",
            f"{run.cpu_ms:.2f} ms",
            f"{p50:.0f} and {p95:.0f} ms",
            f"{run.transactions / run.blocks:.1f}",
        )
    console.print(table)


def _print_gossip(figures: load.LoadFigures) -> None:
    count = figures.transactions
    table = _table("4. Messages under that load, all nodes together, heartbeats included", "figure", "value")
    table.add_row(
        "duplicates per delivery by gossip",
        f"{figures.duplicates / figures.delivered:.2f} "
        f"({figures.duplicates} of {figures.delivered} deliveries)",
    )
    table.add_row("asked for by reconciliation", str(figures.repaired))
    table.add_row("frames per transaction", f"{figures.messages / count:.2f}")
    table.add_row("bytes per transaction", f"{figures.message_bytes / count:.0f}")
    console.print(table)


def _seed() -> None:
    figures = seed.measure_seeds()
    count = len(figures.cpu_s)
    table = _table(
        f"8. A run from its job to its result: {figures.scenario}, seeds 1 to {count} in one process, after seed 0",
        "figure",
        "value",
    )
    table.add_row(
        "CPU seconds per seed, mean",
        f"{figures.mean_s:.2f} (goal <= {seed.GOAL_S}: {_verdict(figures.mean_s <= seed.GOAL_S)})",
    )
    table.add_row(
        "all seeds; the first run of the process", f"{_listed(figures.cpu_s)}; {figures.first_s:.2f}"
    )
    table.add_row("protocol seconds", _listed(figures.protocol_s))
    table.add_row(
        "transactions and faults of a run, mean", f"{figures.transactions:.0f} and {figures.faults:.1f}"
    )
    table.add_row(
        "verdicts", ", ".join(f"{verdict} {number}" for verdict, number in figures.verdicts.items())
    )
    table.add_row("reference work beside it", f"{figures.reference_ms:.1f} ms")
    console.print(table)
    table = _table(f"8b. Shares of that CPU, {figures.samples} samples", "whose code", "%")
    for owner, percent in figures.shares:
        table.add_row(owner, f"{percent:.1f}")
    console.print(table)


def _listed(values: Sequence[float]) -> str:
    return " ".join(f"{value:.2f}" for value in values)


def _live() -> None:
    figures = live.measure_live()
    p50, p95, most = figures.latencies_ms
    table = _table(
        f"5. The live world: five processes on {figures.cores} cores, {live.OUTSTANDING} transactions outstanding, "
        "no bar",
        "figure",
        "value",
    )
    table.add_row(
        "transactions per plain SQLite commit",
        f"{figures.ratio:.2f} ({figures.per_s:.0f}/s against "
        f"{figures.commits_per_s:.0f} one-row commits/s in the same run)",
    )
    table.add_row(
        "submission to certified at the intake node, real time",
        f"p50 {p50:.0f}, p95 {p95:.0f}, max {most:.0f} ms",
    )
    console.print(table)


def _catch_up(behind: Sequence[int]) -> None:
    table = _table(
        "7. Catching up over the same small state, three orderers; until the node stands where the others stand",
        "behind by, log entries",
        "way",
        "protocol time",
        "CPU, all nodes",
        "bytes between nodes",
        "history afterwards",
    )
    for entries in behind:
        figures = catchup.measure_catch_up(entries)
        table.add_row(
            f"{entries:,}",
            f"state of {figures.state_keys} keys" if figures.by_state else "log replayed",
            f"{figures.protocol_s:.2f} s",
            f"{figures.cpu_s * 1000:.0f} ms",
            f"{figures.frames_bytes:,}",
            f"{figures.history_s:.1f} s, {figures.history_cpu_s:.1f} s CPU" if figures.by_state else "none",
        )
    console.print(table)


def _elections(seeds: int) -> None:
    figures = elections.measure_elections(seeds)
    table = _table(
        f"6. Time without a leader, {elections.ORDERERS} orderers, seeds 0 to {seeds - 1}, protocol time",
        "figure",
        "value",
    )
    led = figures.led_ms
    goal_ms = elections.crash_goal_ms()
    table.add_row(
        "a leader's crash until a majority follows another",
        f"p50 {elections.percentile(led, 50):.0f}, p99 {elections.percentile(led, 99):.0f}, max {max(led):.0f} ms "
        f"(goal p99 < {goal_ms}: {_verdict(elections.percentile(led, 99) < goal_ms)})",
    )
    won = figures.won_ms
    table.add_row(
        "until another has won",
        f"p50 {elections.percentile(won, 50):.0f}, p99 {elections.percentile(won, 99):.0f}, max {max(won):.0f} ms",
    )
    lossy = figures.lossy_ms
    limit_ms = elections.loss_goal_ms()
    table.add_row(
        f"longest time without a leader in {elections.LOSSY_S:.0f} s under {elections.LOSS:.0%} loss, with a crash",
        f"p50 {elections.percentile(lossy, 50):.0f}, p99 {elections.percentile(lossy, 99):.0f}, "
        f"max {max(lossy):.0f} ms (goal: none over {limit_ms}: {_verdict(max(lossy) <= limit_ms)})",
    )
    console.print(table)
    table = _table(
        "7. What an idle network sends, all nodes together, per protocol second",
        "orderers",
        "Raft messages",
        "each of the others",
        "frames of every kind",
    )
    for cost in figures.idle:
        table.add_row(
            str(cost.orderers),
            f"{cost.raft_per_s:.1f}",
            f"{cost.raft_per_s / (cost.orderers - 1):.1f}",
            f"{cost.frames_per_s:.1f}",
        )
    console.print(table)


def _quarter(sizes: Sequence[int]) -> None:
    table = _table(
        "8. seatrial run pilot-quarter: both arms, checks, reports",
        "shipments",
        "CPU",
        "memory at most",
        "transactions, blocks",
        "CPU per transaction, all nodes and everything else",
    )
    for size in sizes:
        figures = quarter.measure_quarter(size)
        table.add_row(
            f"{size:,}",
            f"{figures.cpu_s:.0f} s",
            f"{figures.memory_mib_max} MiB",
            f"{figures.transactions:,} in {figures.blocks:,}",
            f"{figures.cpu_ms_each:.1f} ms over {figures.organizations} nodes",
        )
    console.print(table)
    shares = quarter.measure_shares(min(sizes))
    title = f"8b. whose work it is, {shares.shipments:,} shipments, {shares.transactions:,} transactions"
    table = _table(title, "whose", "share of CPU", "per transaction")
    for whose, share, each_ms in shares.shares:
        table.add_row(whose, f"{share:.1f} %", f"{each_ms:.2f} ms")
    console.print(table)


def _memory(sizes: Sequence[int]) -> None:
    figures = [memory.measure_memory(size) for size in sorted(sizes)]
    small, large = figures[0], figures[-1]
    title = f"9. What a shipment leaves in memory: {small.shipments:,} to {large.shipments:,} shipments"
    table = _table(title, "who", *(f"bytes a shipment, {moment}" for moment in memory.MOMENTS))
    for owner, each in memory.slopes(small, large):
        if any(round(of) for of in each):
            table.add_row(owner, *(f"{of:,.0f}" for of in each))
    console.print(table)
    table = _table("9b. The resident set", "shipments", *memory.MOMENTS, "at most, the end included", "jobs")
    for one in figures:
        resident = (one.resident_mib[moment] for moment in (*memory.MOMENTS, "at most"))
        table.add_row(f"{one.shipments:,}", *(f"{mib} MiB" for mib in resident), str(one.jobs[memory.COME]))
    console.print(table)


def _storm(seeds: int, *, with_jobs: bool) -> None:
    batch = storm.measure_batch(seeds)
    table = _table(f"10. {storm.STORM}, seeds 1 to {seeds} in one process, after seed 0", "figure", "value")
    low, high = min(batch.cpu_s), max(batch.cpu_s)
    table.add_row(
        "CPU seconds per seed, median (least to most)",
        f"{batch.median_s:.2f} ({low:.2f} to {high:.2f}; goal <= {storm.GOAL_S}: "
        f"{_verdict(batch.median_s <= storm.GOAL_S)})",
    )
    table.add_row("transactions of a run, least and median", _least_and_median(batch.transactions))
    table.add_row("faults that met one under way, least and median", _least_and_median(batch.hits))
    lazy = batch.not_exercised
    table.add_row("checks", f"not exercised in every run: {', '.join(lazy)}" if lazy else "all, in every run")
    verdicts = [result.verdict for result in batch.results]
    table.add_row("verdicts", ", ".join(f"{v} {verdicts.count(v)}" for v in dict.fromkeys(verdicts)))
    table.add_row("reference work beside it", f"{batch.reference_ms:.1f} ms")
    if with_jobs:
        busy = storm.load_average()
        one, two = storm.measure_speeds(seeds)
        bare = one.batch_s / two.batch_s
        whole = (one.started_s + one.batch_s) / (two.started_s + two.batch_s)
        table.add_row(
            "two workers against one, start-up excluded and included",
            f"{bare:.2f} and {whole:.2f} times (goal >= {storm.SPEEDUP_GOAL}: "
            f"{_verdict(bare >= storm.SPEEDUP_GOAL)}; load average before: {busy:.1f})",
        )
    console.print(table)


def _least_and_median(values: Sequence[int]) -> str:
    return f"{min(values)} and {statistics.median(values):g}"


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", expand=True)
    for column in columns:
        table.add_column(column)
    return table


def _verdict(holds: bool) -> str:
    return "met" if holds else "NOT met"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
