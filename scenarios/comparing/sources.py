"""What is compared: a run's folder, or a campaign's, as figures per seed and, of one run, values per shipment."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

from scenarios.campaign.journal import PLAN_FILE, RESULTS_FILE
from scenarios.campaign.result import Result
from scenarios.errors import RefusedError
from scenarios.judging.verdict import Verdict
from scenarios.measuring.comparison import LEDGER_EVENTS, PAPER_EVENTS
from scenarios.measuring.compute import compute
from scenarios.measuring.definitions import METRICS
from scenarios.measuring.effort import Arm, standard_effort
from scenarios.measuring.facts import facts_of, read_events
from scenarios.measuring.flat import flat_measures
from scenarios.record.runfolder import RUN_FILE, RunFolder
from scenarios.running.papertrial import MEASURES_FILE


@dataclass(frozen=True, slots=True)
class Source:
    """One side of a comparison.

    Attributes:
        path: its folder.
        by_seed: figures by name, per seed; of a campaign over several scenarios, per scenario and seed.
        by_shipment: values per shipment by the figure's name, of a single run with a drawn trade.
    """

    path: Path
    by_seed: dict[str, dict[str, float]]
    by_shipment: dict[str, dict[str, float]] = field(default_factory=dict)


def read_side(path: Path) -> Source:
    """Read a run's or a campaign's folder.

    Raises:
        RefusedError: if it is neither, or has no finished run.
    """
    if (path / PLAN_FILE).exists():
        return _campaign(path)
    if not (path / "scenario.yaml").exists():
        limit = "a run's folder has a scenario.yaml, a campaign's a campaign.json"
        raise RefusedError(f"{path} is neither a run's folder nor a campaign's", limit, "see runs/")
    return _run(RunFolder.at(path))


def _campaign(path: Path) -> Source:
    try:
        lines = (path / RESULTS_FILE).read_text(encoding="utf-8").splitlines()
        results = [Result.of_plain(json.loads(line)) for line in lines]
    except (OSError, ValueError, TypeError) as error:
        raise RefusedError(
            f"{path / RESULTS_FILE} cannot be read: {error}", "", "run the campaign again"
        ) from error
    done = {result.name: result for result in results}
    ended = [result for result in done.values() if result.is_whole]
    if not ended:
        raise RefusedError(f"{path} has no run that came to its end", "", "run the campaign again")
    single = len({result.scenario for result in ended}) == 1
    return Source(path, {r.seed if single else r.name: r.figures for r in ended})


def _run(folder: RunFolder) -> Source:
    seed = str(folder.read_json(RUN_FILE)["seed"])
    if folder.read_json("verdict.json").get("verdict") == Verdict.BROKEN:
        raise RefusedError(
            f"{folder.path} is a run that the program failed in", "it has no figures", "name another"
        )
    metrics = {
        name: float(value)
        for name, value in folder.read_json("metrics.json").items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }
    if not (folder.path / MEASURES_FILE).exists():
        return Source(folder.path, {seed: metrics})
    figures = flat_measures(folder.read_json(MEASURES_FILE)) | metrics
    shipments: dict[str, dict[str, float]] = {}
    for arm, events in ((Arm.LEDGER, LEDGER_EVENTS), (Arm.PAPER, PAPER_EVENTS)):
        if not (folder.path / events).exists():
            continue
        arm_figures = compute(facts_of(read_events(folder.path / events)), arm, standard_effort())
        for metric in METRICS.values():
            values = arm_figures.figure(metric.id).by_shipment
            if metric.paired and values:
                shipments[f"{metric.id} {arm.value}"] = values
    return Source(folder.path, {seed: figures}, shipments)
