"""What is asked on the command line, and how figures are paired and judged: with made-up figures."""

import json

import pyarrow.parquet as pq
import pytest

from scenarios.campaign.result import LOST, Result
from scenarios.comparing.compare import compare_sides, exit_code
from scenarios.comparing.condition import read_condition
from scenarios.comparing.over import grid, read_range, read_values
from scenarios.comparing.paired import change_of
from scenarios.comparing.sources import Source, read_side
from scenarios.comparing.sweep import TABLE_FILE, cells_of, write_sweep
from scenarios.comparing.threshold import Kept, read_threshold, read_thresholds
from scenarios.comparing.told import tell_compared, tell_sweep, told_number
from scenarios.errors import RefusedError
from scenarios.measuring.flat import flat_measures

TEN = {str(seed): 100.0 + seed for seed in range(10)}


def scaled(factor, spread=0.0):
    return {seed: value * factor + spread * (-1) ** int(seed) for seed, value in TEN.items()}


def test_lists_of_values_make_a_grid():
    keys = [read_values("workload.requested=0.05,0.1"), read_values("paper.x=[1, 2],{a: 1, b: 2}")]
    assert grid(keys) == [
        ("workload.requested=0.05", "paper.x=[1, 2]"),
        ("workload.requested=0.05", "paper.x={a: 1, b: 2}"),
        ("workload.requested=0.1", "paper.x=[1, 2]"),
        ("workload.requested=0.1", "paper.x={a: 1, b: 2}"),
    ]


@pytest.mark.parametrize("text", ["", "a", "a=", "=1", "a=1,,2", "a=1,1"])
def test_what_is_no_list_of_values_is_refused(text):
    with pytest.raises(RefusedError):
        read_values(text)


def test_a_key_comes_once_and_a_grid_has_a_limit():
    with pytest.raises(RefusedError, match="comes twice"):
        grid([read_values("a=1"), read_values("a=2")])
    with pytest.raises(RefusedError, match=r"10,000 combinations"):
        grid([read_values(f"{key}={','.join(map(str, range(100)))}") for key in "ab"])


def test_a_range_keeps_its_unit():
    span = read_range("faults.1.for.calendar=1d..90d")
    assert (span.low, span.high, span.whole) == (1, 90, True)
    assert span.override(45) == "faults.1.for.calendar=45d"
    assert read_range("a=0.0..1.0").override(0.125) == "a=0.125"


@pytest.mark.parametrize("text", ["a", "a=1", "a=1d..2h", "a=5..1", "a=1..1", "=1..2"])
def test_what_is_no_range_is_refused(text):
    with pytest.raises(RefusedError):
        read_range(text)


def test_a_condition_has_a_margin():
    condition = read_condition("M1 ledger > paper")
    assert condition.margin({"M1 ledger": 12.0, "M1 paper": 10.0}) == 2
    assert read_condition("M1 ledger mean < paper").right == "M1 paper mean"
    assert read_condition("M9 ledger @cbp < paper").right == "M9 paper @cbp"
    assert read_condition("bytes <= 1000").margin({"bytes": 400.0}) == 600
    assert condition.margin({"M1 ledger": 12.0}) is None
    assert not condition.holds_by(0)
    assert read_condition("bytes <= 1000").holds_by(0)


@pytest.mark.parametrize("text", ["M1", "M1 ledger", "a > b > c", "M1 > paper", "> 3"])
def test_what_is_no_condition_is_refused(text):
    with pytest.raises(RefusedError, match="--until"):
        read_condition(text)


def test_a_misspelt_figure_is_named_with_the_nearest():
    with pytest.raises(RefusedError, match='did you mean "M1 ledger"'):
        read_condition("M1 ledgr > 3").check_known({"M1 ledger": 1.0})


@pytest.mark.parametrize(
    ("text", "factor", "spread", "kept"),
    [
        ("M1 <= +10%", 1.05, 0, Kept.WITHIN),
        ("M1 <= +10%", 1.2, 0, Kept.OUTSIDE),
        ("M1 <= +10%", 1.1, 30, Kept.UNDECIDED),
        ("M1 <= +0", 1.0, 0, Kept.WITHIN),
        ("M1 < +0", 1.0, 0, Kept.OUTSIDE),
        ("M1 >= -5%", 0.8, 0, Kept.OUTSIDE),
        ("M1 <= +12", 1.1, 0, Kept.WITHIN),
        ("M1 <= 120", 1.0, 0, Kept.WITHIN),
        ("M1 <= 90", 1.0, 0, Kept.OUTSIDE),
    ],
)
def test_a_threshold_is_kept_only_if_the_whole_interval_keeps_it(text, factor, spread, kept):
    change = change_of("M1 ledger", "seed", TEN, scaled(factor, spread))
    assert read_threshold(text).judge(change) is kept


@pytest.mark.parametrize("text", ["M1", "M1 <= ten", "M1 <= 10%", "M1 = 3", "<= 3"])
def test_what_is_no_threshold_is_refused(text):
    with pytest.raises(RefusedError, match="--threshold"):
        read_threshold(text)


def test_one_pair_decides_nothing():
    change = change_of("M1 ledger", "seed", {"1": 1.0}, {"1": 1.0, "2": 5.0})
    assert (change.pairs, change.alone, change.interval) == (1, 1, None)
    assert read_threshold("M1 <= +10%").judge(change) is Kept.UNDECIDED


def test_pairs_show_what_means_hide():
    """Seeds differ far more among themselves than the versions do: only pairing shows the difference."""
    first = {str(seed): 1000.0 * seed for seed in range(20)}
    other = {seed: value + 1 for seed, value in first.items()}
    change = change_of("bytes", "seed", first, other)
    assert change.is_sure
    assert change.interval == (1.0, 1.0)
    assert change_of("bytes", "seed", {"1": 1.0}, {"2": 1.0}) is None
    assert change_of("bytes", "seed", {"1": 0.0, "2": 0.0}, {"1": 1.0, "2": 1.0}).percent_interval is None


def side(tmp_path, values, shipments=None):
    return Source(tmp_path, {seed: {"M1 ledger": v} for seed, v in values.items()}, shipments or {})


def test_the_exit_code_is_the_worst_and_outside_is_worse_than_undecided(tmp_path):
    bounds = [read_threshold("M1 <= +10%")]
    codes = {}
    for name, factor, spread in (("within", 1, 0), ("outside", 1.5, 0), ("undecided", 1.1, 30)):
        codes[name] = compare_sides(side(tmp_path, TEN), side(tmp_path, scaled(factor, spread)), bounds)
    assert exit_code([codes["within"]]) == 0
    assert exit_code([codes["within"], codes["undecided"]]) == 2
    assert exit_code([codes["undecided"], codes["outside"]]) == 1
    told = "\n".join(tell_compared(codes["outside"], []))
    assert "outside    M1 <= +10%" in told
    assert all(len(line) <= 80 for line in told.splitlines() if str(tmp_path) not in line)


def test_single_runs_are_paired_by_shipment_and_campaigns_by_seed(tmp_path):
    one = side(tmp_path, {"1": 5.0}, {"M1 ledger": {"s1": 1.0, "s2": 2.0, "s3": 9.0}})
    two = side(tmp_path, {"1": 6.0}, {"M1 ledger": {"s1": 2.0, "s2": 3.0}})
    change = compare_sides(one, two, []).changes["M1 ledger"]
    assert (change.per, change.pairs, change.alone, change.difference) == ("shipment", 2, 1, 1.0)
    assert compare_sides(side(tmp_path, TEN), side(tmp_path, TEN), []).changes["M1 ledger"].per == "seed"


def test_sides_without_a_seed_or_figure_in_common_are_refused(tmp_path):
    with pytest.raises(RefusedError, match="no seed in common"):
        compare_sides(side(tmp_path, {"1": 1.0}), side(tmp_path, {"2": 1.0}), [])
    with pytest.raises(RefusedError, match="share no figure"):
        compare_sides(side(tmp_path, TEN), side(tmp_path, TEN), [read_threshold("M2 <= +1")])


def test_thresholds_come_from_a_file_too(tmp_path):
    path = tmp_path / "bounds.yaml"
    path.write_text('thresholds:\n  - "M1 <= +10%"\n  - bytes < 3\n', encoding="utf-8")
    assert [bound.figure for bound in read_thresholds(path)] == ["M1 ledger", "bytes"]
    path.write_text("thresholds: []\n", encoding="utf-8")
    with pytest.raises(RefusedError, match="no list of thresholds"):
        read_thresholds(path)


def test_a_folder_that_is_neither_is_refused(tmp_path):
    with pytest.raises(RefusedError, match="neither a run's folder nor a campaign's"):
        read_side(tmp_path)


def test_a_campaign_is_read_with_its_last_results(tmp_path):
    (tmp_path / "campaign.json").write_text("{}", encoding="utf-8")
    results = [
        Result("a", "1", LOST),
        Result("a", "1", "passed", metrics={"bytes": 7.0}, measures={"M1 ledger": 2.0}),
        Result("a", "2", LOST),
    ]
    lines = "".join(json.dumps(result.plain()) + "\n" for result in results)
    (tmp_path / "results.ndjson").write_text(lines, encoding="utf-8")
    assert read_side(tmp_path).by_seed == {"1": {"M1 ledger": 2.0, "bytes": 7.0}}


def test_a_sweep_has_a_cell_per_point_and_figure(tmp_path):
    points = [("a=1",), ("a=2",)]
    results = [
        Result(f"x.{n}", str(seed), "passed", metrics={"bytes": 10.0 * n + seed})
        for n in (1, 2)
        for seed in (1, 2, 3)
    ]
    cells = cells_of("x", points, [*results, Result("x.2", "4", LOST)])
    assert [(cell.point, cell.runs, cell.mean, cell.low, cell.high) for cell in cells] == [
        (("a=1",), 3, 12.0, 11.0, 13.0),
        (("a=2",), 3, 22.0, 21.0, 23.0),
    ]
    write_sweep(cells, tmp_path)
    rows = pq.read_table(tmp_path / TABLE_FILE).to_pylist()
    assert [(row["point"], row["figure"], row["mean"]) for row in rows] == [
        ([("a", "1")], "bytes", 12.0),
        ([("a", "2")], "bytes", 22.0),
    ]
    told = tell_sweep(cells, points, ["bytes"])
    assert told[0] == "bytes"
    assert [line.split()[:2] for line in told[2:4]] == [["a=1", "12"], ["a=2", "22"]]
    with pytest.raises(RefusedError, match='did you mean "bytes"'):
        tell_sweep(cells, points, ["byte"])


def test_measures_have_one_name_each():
    number = {"value": 3.0, "count": 2, "open": 0, "p95": 4.0, "mean": None, "interval": None}
    row = {"ledger": number, "paper": None, "difference": {"median": 1.0, "mean": 2.0}, "gain": None}
    assert flat_measures({"M1": {"all": row, "cbp": row}}) == {
        "M1 ledger": 3.0,
        "M1 ledger p95": 4.0,
        "M1 difference": 2.0,
        "M1 ledger @cbp": 3.0,
        "M1 ledger p95 @cbp": 4.0,
        "M1 difference @cbp": 2.0,
    }


@pytest.mark.parametrize(
    ("value", "told"),
    [(0.0, "0"), (0.01234, "0.01234"), (12.345, "12.35"), (1234.5, "1,234"), (-3.5, "-3.500")],
)
def test_numbers_are_told_short(value, told):
    assert told_number(value) == told


def test_what_is_next_to_nothing_is_told_as_nothing() -> None:
    assert [told_number(value) for value in (0.0, -1e-7, 4e-6, 6e-6, -0.25)] == [
        "0",
        "0",
        "0",
        "0.00001",
        "-0.2500",
    ]
