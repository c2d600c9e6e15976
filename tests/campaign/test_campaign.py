"""Campaigns: results that do not depend on who ran them, workers that die, and taking one up again."""

import asyncio
import json
import math
import os
import re
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from scenarios.campaign.campaign import CampaignOptions, exit_code, run_campaign
from scenarios.campaign.crew import Crew
from scenarios.campaign.execute import execute
from scenarios.campaign.job import Job, jobs_of
from scenarios.campaign.journal import RESULTS_FILE
from scenarios.campaign.result import LOST, Result
from scenarios.campaign.summary import summarize
from scenarios.campaign.told import tell_campaign
from scenarios.errors import RefusedError
from scenarios.model.catalog import load_scenario
from scenarios.shares import wilson

ROOT = Path(__file__).parents[2]
SMALL = ["steps=[]", "faults=[]", "expect=[]", "checks=[]"]

DIES = """
import os
async def scenario(pilot):
    if not os.path.exists({marker!r}):
        open({marker!r}, "w").close()
        os._exit(9)
    await pilot.do("issue-certificate", by="exporter", document="c1")
"""
ISSUES = """
async def scenario(pilot):
    await pilot.do("issue-certificate", by="exporter", document="c1")
    pilot.expect("certificate c1 is ACTIVE")
    assert int(pilot.now_ms()) and {seed_fails!r} != "yes"
"""


def job(script=None, seed="1", name="nafta-certificate"):
    return Job(name, load_scenario("nafta-certificate", SMALL).resolved(), script, seed)


def jobs(count, script=None):
    return [job(script, str(seed)) for seed in range(1, count + 1)]


def run(list_of_jobs, directory, **options):
    said = []
    journal = run_campaign(list_of_jobs, CampaignOptions(directory, 2, say=said.append, **options))
    return journal.results, said


def what_repeats(result):
    plain = result.plain()
    return {name: value for name, value in plain.items() if name not in ("cpu_s", "real_s")}


def test_a_result_does_not_depend_on_who_ran_it(tmp_path):
    script = ISSUES.format(seed_fails="no")
    results, _ = run(jobs(3, script), tmp_path)
    for one in jobs(3, script):
        assert what_repeats(results[one.name]) == what_repeats(execute(one))
    assert {result.verdict for result in results.values()} == {"passed"}


def test_a_worker_that_dies_costs_one_run_which_is_run_again(tmp_path):
    dying = job(DIES.format(marker=str(tmp_path / "marker")), "7")
    taken = []
    crew = Crew(2)
    asyncio.run(crew.run([job(), dying, job(seed="2")], taken.append))
    assert sorted((result.name, result.verdict) for result in taken) == [
        ("nafta-certificate-1", "passed"),
        ("nafta-certificate-2", "passed"),
        ("nafta-certificate-7", "passed"),
    ]
    assert crew.ended == 1


def test_a_run_that_ends_its_worker_twice_is_lost_and_told(tmp_path):
    dies = (
        "import os, sys\n"
        "async def scenario(pilot):\n"
        "    print('last words', file=sys.stderr, flush=True)\n"
        "    os._exit(9)\n"
    )
    results, _ = run([job(dies), job(seed="2", name="other")], tmp_path)
    lost = results["nafta-certificate-1"]
    assert lost.verdict == LOST
    assert "last words" in lost.reason
    assert results["other-2"].verdict == "passed"
    assert exit_code(list(results.values())) == 70
    again, said = run([job(dies), job(seed="2", name="other")], tmp_path)
    assert again["nafta-certificate-1"].verdict == LOST
    assert "1 of 2 runs are done" in said[0]


def test_a_run_without_an_end_is_given_up(tmp_path):
    hangs = "import time\nasync def scenario(pilot):\n    time.sleep(600)\n"
    taken = []
    asyncio.run(Crew(1, limit_s=3.0).run([job(hangs)], taken.append))
    assert [(result.verdict, result.reason) for result in taken] == [(LOST, "no result within 3 s")]


def test_a_campaign_is_taken_up_where_it_was_cut_off(tmp_path):
    script = ISSUES.format(seed_fails="no")
    first, _ = run(jobs(3, script), tmp_path)
    path = tmp_path / RESULTS_FILE
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:-1]) + lines[-1][: len(lines[-1]) // 2])
    second, said = run(jobs(3, script), tmp_path)
    assert said[0] == "taking up a campaign: 2 of 3 runs are done"
    assert {n: what_repeats(r) for n, r in second.items()} == {n: what_repeats(r) for n, r in first.items()}
    assert len(path.read_bytes().splitlines()) == 3
    third, said = run(jobs(3, script), tmp_path)
    assert said[0].endswith("3 of 3 runs are done")
    assert third.keys() == first.keys()


@pytest.mark.parametrize("other", [jobs(2), jobs(3, "async def scenario(pilot):\n    pass\n")])
def test_a_directory_holds_one_campaign(tmp_path, other):
    run(jobs(3)[:1], tmp_path)
    with pytest.raises(RefusedError, match="holds another campaign"):
        run(other, tmp_path)


def test_runs_that_did_not_pass_are_kept_and_can_be_shown(tmp_path):
    results, _ = run(jobs(1, ISSUES.format(seed_fails="yes")), tmp_path)
    assert results["nafta-certificate-1"].verdict == "violated"
    assert exit_code(list(results.values())) == 1
    kept = tmp_path / "failures" / "nafta-certificate-1"
    assert json.loads((kept / "verdict.json").read_text())["verdict"] == "violated"
    told = "\n".join(tell_campaign(list(results.values()), tmp_path))
    assert f"again: seatrial replay {kept}" in told, "whatever file or settings it was run with"
    assert f"short: seatrial shrink {kept}" in told
    elsewhere = "\n".join(tell_campaign(list(results.values()), tmp_path / "elsewhere"))
    assert "again: seatrial run nafta-certificate --seed 1" in elsewhere
    done = subprocess.run(
        [sys.executable, "-m", "scenarios.cli", "replay", kept],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_parquet_file_has_a_row_per_run_in_the_order_of_seeds(tmp_path):
    script = ISSUES.format(seed_fails="no")
    results, _ = run(jobs(11, script)[8:], tmp_path)
    table = pq.read_table(tmp_path / "results.parquet")
    assert table["seed"].to_pylist() == ["9", "10", "11"]
    rows = table.to_pylist()
    for row in rows:
        result = results[f"nafta-certificate-{row['seed']}"]
        assert dict(row["metrics"]) == result.metrics
        assert dict(row["expectations"]) == result.expectations == {"certificate c1 is ACTIVE": "held"}
        assert row["cpu_s"] == result.cpu_s > 0


def test_a_fault_hits_with_a_transaction_under_way_as_it_begins_and_meets_one_while_it_lasts():
    idle = "async def scenario(pilot):\n    await pilot.fault('crash', target='leader', lasts={'protocol': '3s'})\n"
    busy = (
        "async def scenario(pilot):\n"
        "    doing = pilot.begin('issue-certificate', by='exporter', document='c1')\n"
        "    await pilot.protocol('200ms')\n"
        "    await pilot.fault('crash', target='leader', lasts={'protocol': '3s'})\n"
        "    await doing.done()\n"
    )
    over_before = idle + (
        "    await pilot.protocol('4s')\n"
        "    await pilot.begin('issue-certificate', by='exporter', document='c1').done()\n"
    )
    meanwhile = idle + "    await pilot.begin('issue-certificate', by='exporter', document='c1').done()\n"
    hits = [
        [(fault["in_flight"], fault["met"]) for fault in execute(job(script)).faults]
        for script in (idle, busy, over_before, meanwhile)
    ]
    assert hits == [[(False, False)], [(True, True)], [(False, False)], [(False, True)]]


@pytest.mark.parametrize(
    ("hits", "of", "low", "high"),
    [
        # Newcombe (1998), "Two-sided confidence intervals for the single proportion", table I, method 3.
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_the_interval_is_wilson_s(hits, of, low, high):
    assert wilson(hits, of) == pytest.approx((low, high), abs=5e-5)


def test_an_interval_is_within_bounds_and_of_a_share_only():
    assert wilson(5, 5)[1] == 1.0
    assert wilson(0, 5)[0] == 0.0
    for hits, of in ((-1, 5), (6, 5), (0, 0)):
        with pytest.raises(ValueError, match="no share"):
            wilson(hits, of)


def test_nothing_is_left_out_of_a_summary():
    results = [
        Result("s", "1", "passed", exercised={"agreement": 3, "durability": 0}, expectations={"a": "held"}),
        Result("s", "2", "violated", violations=["durability: lost"], exercised={"agreement": 1}),
        Result("s", "3", "undecided", open_points=["fault 1 never began"], expectations={"a": "undecided"}),
        Result("s", "4", LOST, reason="the worker ended"),
    ]
    (summary,) = summarize(results).values()
    plain = summary.plain()
    assert [plain["verdicts"][v]["count"] for v in ("passed", "violated", "undecided", LOST)] == [1, 1, 1, 1]
    assert plain["failing"] == {"2": "durability: lost", "3": "fault 1 never began", "4": "the worker ended"}
    assert plain["exercised"] == {"agreement": {"runs": 2, "times": 4}, "durability": {"runs": 0, "times": 0}}
    assert plain["expectations"] == {"a": {"held": 1, "undecided": 1}}
    assert math.isclose(sum(plain["verdicts"][v]["share"] for v in plain["verdicts"]), 1.0)


def test_faults_are_counted_by_kind_whatever_their_number():
    def fault(number, kind, in_flight, met):
        return {"number": number, "kind": kind, "in_flight": in_flight, "met": met}

    results = [
        Result("s", "1", "passed", faults=[fault(1, "crash", False, True), fault(2, "crash", True, True)]),
        Result("s", "2", "passed", faults=[fault(1, "pause", False, False), fault(4, "crash", False, False)]),
        Result("s", "3", "passed"),
    ]
    (summary,) = summarize(results).values()
    faults = summary.plain()["faults"]
    assert list(faults) == ["crash", "pause"]
    assert [faults["crash"][name] for name in ("runs", "began")] == [2, 3]
    low, high = wilson(2, 3)
    assert faults["crash"]["in_flight"]["count"] == 1
    assert faults["crash"]["met"] == {"count": 2, "share": 2 / 3, "low_95": low, "high_95": high}
    told = "\n".join(tell_campaign(results, Path("c")))
    assert re.search(r"crash +3 +2   33% \(6% to 79%\) +67% \(21% to 94%\)", told)


def test_runs_in_which_few_faults_met_anything_are_named():
    def run(seed, met, began):
        faults = [
            {"number": n, "kind": "crash", "in_flight": False, "met": n <= met} for n in range(1, began + 1)
        ]
        return Result("s", seed, "passed", faults=faults)

    few = [run("7", 6, 6), run("8", 4, 8), run("9", 2, 5), Result("s", "10", LOST)]
    (summary,) = summarize(few).values()
    met = summary.plain()["faults_met"]
    assert (met["least"], met["median"]) == (2, 4)
    assert (met["fewer_than_5"]["seeds"], met["fewer_than_5"]["count"]) == ({"9": 2, "8": 4}, 2)
    told = "\n".join(tell_campaign(few, Path("c")))
    assert "faults that met one in a run: 2 at least, 4 in the median" in told
    assert "fewer than 5 in 2 runs: seeds 9 (2), 8 (4)" in told
    assert "fewer than 5" not in "\n".join(tell_campaign(few[:1], Path("c")))
    with_one_fault = [run("1", 0, 1)]
    assert summarize(with_one_fault)["s"].plain()["faults_met"] is None
    assert "met one in a run" not in "\n".join(tell_campaign(with_one_fault, Path("c")))


def test_every_scenario_gets_every_seed():
    loaded = [(load_scenario("nafta-certificate"), None), (load_scenario("nafta-certificate-loss"), None)]
    named = [one.name for one in jobs_of(loaded, 5, 2)]
    assert named == [
        "nafta-certificate-5",
        "nafta-certificate-loss-5",
        "nafta-certificate-6",
        "nafta-certificate-loss-6",
    ]


def test_two_scenarios_of_one_name_are_refused():
    once = (load_scenario("nafta-certificate"), None)
    other = (load_scenario("nafta-certificate", ["faults=[]"]), None)
    with pytest.raises(RefusedError, match='"nafta-certificate" is named 2 times'):
        list(jobs_of([once, other], 1, 2))


def test_the_command_says_what_came_of_it(tmp_path):
    command = [sys.executable, "-m", "scenarios.cli", "campaign", "nafta-certificate", "--seeds", "2"]
    done = subprocess.run(
        [*command, "--jobs", "2", "--out", tmp_path / "c"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 0, done.stderr
    assert "nafta-certificate: 2 runs" in done.stdout
    assert "passed           2   34.24% to 100.00% (Wilson, 95 %)" in done.stdout
    assert json.loads((tmp_path / "c" / "summary.json").read_text())["nafta-certificate"]["runs"] == 2
