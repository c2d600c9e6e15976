"""The three commands on tiny runs, as their user calls them."""

import json

from scenarios.cli import run_command
from scenarios.comparing.budget import BUDGET_FILE

SHORT = ["--set", "workload.shipments=2", "--set", "workload.days=20", "--set", "expect=[]"]


def test_sweep_then_compare_what_it_left_and_find_a_budget(tmp_path, capsys):
    swept = tmp_path / "sweep"
    command = ["sweep", "pilot-quarter-customs-down", *SHORT, "--out", str(swept), "--seeds", "2"]
    command += ["--over", "faults.1.for.calendar=1d,40d", "--figure", "M1 ledger", "--figure", "bytes"]
    assert run_command(command) == 0
    first = capsys.readouterr().out
    assert "M1 ledger: document retrieval time, calendar days" in first
    assert "faults.1.for.calendar=40d" in first

    results = (swept / "results.ndjson").read_text()
    assert run_command(command) == 0
    assert capsys.readouterr().out == first
    assert (swept / "results.ndjson").read_text() == results, "taken up again, nothing is run twice"

    same = ["compare", str(swept), str(swept)]
    assert run_command([*same, "--threshold", "bytes <= +0"]) == 0
    assert run_command([*same, "--threshold", "bytes <= 0"]) == 1
    capsys.readouterr()

    found = tmp_path / "budget"
    command = ["budget", "pilot-quarter-customs-down", *SHORT, "--out", str(found), "--seeds", "1"]
    command += ["--over", "faults.1.for.calendar=1d..40d", "--until", "M2 ledger > 0", "--runs", "2"]
    assert run_command(command) == 0
    assert "It holds already at 1d" in capsys.readouterr().out
    budget = json.loads((found / BUDGET_FILE).read_text())
    assert (budget["crossing"]["end"], budget["runs"]) == ("already", 2)


def test_what_is_asked_wrongly_is_refused_before_any_run(tmp_path, capsys):
    budget = ["budget", "pilot-quarter-customs-down", "--out", str(tmp_path / "x")]
    span, until = ["--over", "faults.1.for.calendar=1d..9d"], ["--until", "M1 ledger > paper"]
    assert run_command([*budget, *span, "--until", "M1"]) == 64
    assert run_command([*budget, *until, "--over", "faults.1.for.calendar=9d"]) == 64
    assert run_command([*budget, *span, *until, "--runs", "3"]) == 64
    assert run_command([*budget, *span, *until, "--precision", "0.5"]) == 64
    assert run_command(["compare", str(tmp_path)]) == 64
    assert run_command(["sweep", "pilot-quarter", "--over", "workload.nonsense=1,2"]) == 64
    told = capsys.readouterr().err
    assert "at least 8: both ends, 4 seeds each" in told
    assert "workload.nonsense" in told
    assert not (tmp_path / "x").exists()
