"""A run's report: reproducible, self-contained, readable by everybody, small however large the run."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest

from scenarios.errors import RefusedError
from scenarios.measuring.definitions import METRICS
from scenarios.model.units import DAY_MS
from scenarios.paper.arm import PaperArm
from scenarios.paper.parameters import standard_parameters
from scenarios.record.runfolder import RunFolder
from scenarios.reporting.charts import unbroken
from scenarios.reporting.commands import EVENTS_AT_END_MAX, report, story_file, write_if_cheap
from scenarios.reporting.items import ALL_MAX, chosen, find
from scenarios.reporting.owner import MATTERING, Gain, Standing, compared, gains, mattering
from scenarios.reporting.page import BYTES_MAX, Read, read, report_html, within_budget
from scenarios.reporting.palette import CONTRAST_TEXT_MIN, DARK, GROUNDS, LIGHT, TEXTS, contrast
from scenarios.reporting.recorded import Recorded
from scenarios.reporting.stories import paper_sentence, stories_of
from scenarios.reporting.told import WIDTH, tell_report, tell_story
from tests.scenarios.reporting.madeup import madeup_run
from tests.scenarios.workload.test_workload import trade

HOSTILE = '<script>alert("{}")</script>&"\''
LOADS = {"src", "href", "srcset", "action", "data", "poster", "xlink:href"}


class Page(HTMLParser):
    """Collects what a page loads, its drawings and its tables."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.scopeless: list[str] = []
        self.drawings: list[list[str]] = []
        self.tables: list[list[str]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            if name in LOADS and value is not None:
                self.loaded.append(value)
            if name == "id" and value is not None:
                self.ids.append(value)
        if tag == "svg":
            self.drawings.append([])
        elif tag == "table":
            self.tables.append([])
        if self.drawings and tag in ("title", "desc"):
            self.drawings[-1].append(tag)
        if self.tables and tag == "caption":
            self.tables[-1].append(tag)
        if tag == "th" and "scope" not in dict(attrs):
            self.scopeless.append(str(attrs))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    return madeup_run(tmp_path_factory.mktemp("madeup") / "run", 40)


@pytest.fixture(scope="module")
def run(folder: RunFolder) -> Read:
    return read(Recorded.at(folder))


@pytest.fixture(scope="module")
def html(run: Read) -> str:
    return report_html(run)


def test_the_same_folder_gives_the_same_bytes(folder: RunFolder, html: str):
    report(folder.path)
    first = (folder.path / "report.html").read_bytes()
    assert first.decode() == html
    report(folder.path)
    assert (folder.path / "report.html").read_bytes() == first


def test_what_only_tells_of_the_machine_is_not_in_it(tmp_path: Path, html: str):
    other = madeup_run(tmp_path / "elsewhere", 40)
    other.write_json(
        "run.json", {"seed": "7", "world": "virtual", "version": "0.1.0", "host": {"cpu_s": 99.0}}
    )
    assert report_html(read(Recorded.at(other))) == html


def test_nothing_is_loaded_from_anywhere(html: str):
    page = Page(html)
    assert page.loaded
    assert [value for value in page.loaded if not value.startswith(("#", "data:,"))] == []
    assert not {"script", "iframe", "object", "embed", "img"} & set(page.tags)
    assert not re.search(r"url\(|@import", html)


def test_every_anchor_leads_somewhere_and_ids_are_unique(html: str):
    page = Page(html)
    assert {value[1:] for value in page.loaded if value.startswith("#")} <= set(page.ids)
    assert len(page.ids) == len(set(page.ids))


def test_every_drawing_has_words_and_every_table_a_caption_and_heads(html: str):
    page = Page(html)
    assert len(page.drawings) >= 6
    assert all({"title", "desc"} <= set(parts) for parts in page.drawings)
    assert len(page.tables) >= 5
    assert all(parts == ["caption"] for parts in page.tables)
    assert page.scopeless == []


def test_drawings_are_well_formed(html: str):

    drawings = re.findall(r"<svg.*?</svg>", html, re.DOTALL)
    assert len(drawings) >= 6
    for drawing in drawings:
        assert len(ElementTree.fromstring(drawing)) > 3  # noqa: S314 - our own


@pytest.mark.parametrize("palette", [LIGHT, DARK])
@pytest.mark.parametrize("ground", GROUNDS)
def test_text_stands_out(palette: dict[str, str], ground: str):
    for text in TEXTS:
        assert contrast(palette[text], palette[ground]) >= CONTRAST_TEXT_MIN, (text, ground)
    assert palette.keys() == LIGHT.keys()


def test_contrast_is_what_the_guideline_says():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


def test_hostile_names_stay_text(tmp_path: Path):
    folder = madeup_run(tmp_path / "run", 12, HOSTILE)
    html = report_html(read(Recorded.at(folder)))
    assert "&lt;script&gt;alert(" in html
    assert "script" not in Page(html).tags


def test_a_large_run_keeps_its_report_small_and_says_what_it_leaves_out(tmp_path: Path):
    folder = madeup_run(tmp_path / "run", 10_000)
    run = read(Recorded.at(folder))
    html = report_html(run)
    assert len(html.encode()) < BYTES_MAX
    assert "of 10,000 shipments are told" in html
    assert "seatrial report RUN --shipment NAME" in html
    assert len(run.operation.bins()) <= 96


def test_stories_keep_to_their_budget_and_the_exceptional_come_first(
    run: Read, monkeypatch: pytest.MonkeyPatch
):
    stories = stories_of(run.recorded, run.items)
    assert within_budget(stories) == stories
    room = sum(story.size for story in stories if story.item.marks)
    monkeypatch.setattr("scenarios.reporting.page.STORIES_BYTES_MAX", room)
    kept = within_budget(stories)
    assert [story.item.name for story in kept] == ["s10", "s20", "s30", "s40"]


def test_where_not_all_are_told_every_exceptional_one_is(tmp_path: Path):
    items = read(Recorded.at(madeup_run(tmp_path / "run", ALL_MAX + 50))).items
    told = chosen(items)
    assert len(told) < len(items)
    exceptional = [item for item in items if item.marks]
    assert exceptional
    assert [item for item in told if item.marks] == exceptional


def test_an_unknown_shipment_is_told_the_nearest(folder: RunFolder, tmp_path: Path):
    with pytest.raises(RefusedError, match=r'unknown shipment "s400".*did you mean "s40"') as refused:
        report(folder.path, shipment="s400")
    assert len(str(refused.value)) < 200


def test_one_story_is_told_and_written(folder: RunFolder, capsys: pytest.CaptureFixture[str]):
    report(folder.path, shipment="s20")
    told = capsys.readouterr().out
    assert "decides claim s20: DENIED for NO_CERTIFICATE" in told
    assert "ended otherwise on paper" in told.replace("\n", " ")
    assert "searches its files" in told
    assert "claims preference s20" in (folder.path / "report-s20.html").read_text(encoding="utf-8")
    assert "s21" not in told


def test_the_file_of_a_story_stays_in_the_folder():
    assert "/" not in story_file("../../k1/2")


def test_the_terminal_gets_no_line_over_its_width(run: Read):
    lines = [*tell_report(run), *tell_story(stories_of(run.recorded, [find(run.items, "s20")])[0])]
    assert len(lines) > 20
    assert [line for line in lines if len(line) > WIDTH] == []


def test_whoever_loses_is_told_as_plainly_as_whoever_gains(run: Read):
    def both(ledger: float, paper: float) -> dict[str, object]:
        return {"ledger": {"value": ledger}, "paper": {"value": paper}, "difference": None}

    burden = {"all": both(8, 8), "loser": both(6, 3), "winner": both(2, 5), "new": both(1, 0)}
    benefit = {"loser": both(-1.0, 0), "winner": both(0.6, 0), "new": {"ledger": {"value": None}}}
    recorded = replace(run.recorded, measures={"M9": burden, "M13": benefit})
    html = report_html(replace(run, recorded=recorded, gains=gains(recorded)))
    assert [(gain.organization, gain.word) for gain in gains(recorded)] == [
        ("winner", "gains"),
        ("new", "works only on the ledger"),
        ("loser", "loses"),
    ]
    assert "It saves work for winner (3.0 hours). It makes more work for loser (3.0 hours)." in html
    assert '<b class="bad">loses</b>' in html
    assert '<b class="good">gains</b>' in html
    drawing = re.search(r"<svg[^>]*benefit.*?</svg>", html, re.DOTALL)
    assert drawing is not None
    assert "winner +60%; loser -100%" in drawing[0]


def test_nobody_gains_or_loses_what_no_tenth_of_an_hour_shows(run: Read):
    def gain(ledger: float, paper: float) -> str:
        return Gain("x", ledger, paper, (paper - ledger) / paper, [], []).word

    assert (gain(2.27, 2.31), gain(2.31, 2.27), gain(2.2, 2.31)) == ("even", "even", "gains")


def test_every_act_of_the_paper_arm_has_a_sentence_of_its_own():
    opened = trade(shipments=1200, noncompliance=0.4, requested=0.4, verified=0.2, careless=0.3)
    seen: dict[str, str] = {}
    end_ms = opened.hours.place(0.0) + 1500 * DAY_MS
    arm = PaperArm(
        opened, standard_parameters(), end_ms, lambda e: seen.setdefault(e.name, paper_sentence(e))
    )
    arm.run()
    bare = {name for name, text in seen.items() if text == name.replace(".", " ").replace("_", " ")}
    assert bare == set()
    assert len(seen) > 30


def test_which_numbers_matter_is_decided_beforehand(run: Read):
    assert set(MATTERING) <= set(METRICS)
    counted = [row.metric.id for row in mattering(run.compared)]
    assert counted == ["M6-recall", "M8", "M9", "M2", "M6-false-hold"]
    by_id = {row.metric.id: row for row in run.compared}
    assert by_id["M7"].standing is Standing.NEITHER
    assert by_id["M1"].standing is Standing.UNCOUNTED


def figures(value: float, low: float, high: float) -> dict[str, object]:
    return {"value": value, "count": 9, "open": 0, "interval": [low, high]}


@pytest.mark.parametrize(
    ("metric", "ledger", "paper", "standing"),
    [
        ("M4", figures(0.9, 0.8, 0.95), figures(0.5, 0.4, 0.6), Standing.BETTER),
        ("M4", figures(0.5, 0.4, 0.6), figures(0.9, 0.8, 0.95), Standing.WORSE),
        ("M4", figures(0.9, 0.5, 0.95), figures(0.5, 0.4, 0.6), Standing.EVEN),
        ("M6-false-hold", figures(0.9, 0.8, 0.95), figures(0.5, 0.4, 0.6), Standing.WORSE),
        ("M9", {"value": 9.0}, {"value": 4.0}, Standing.WORSE),
        ("M9", {"value": 4.0}, {"value": 4.0}, Standing.EVEN),
        ("M9", {"value": 4.0}, {"value": 4.001}, Standing.EVEN),
        ("M12-bytes", {"value": 4.0}, {"value": None}, Standing.LEDGER_ONLY),
    ],
)
def test_a_difference_is_named_only_where_the_figures_bear_it(
    metric: str, ledger: dict[str, object], paper: dict[str, object], standing: Standing, run: Read
):
    measures = {metric: {"all": {"ledger": ledger, "paper": paper, "difference": None}}}
    (row,) = compared(replace(run.recorded, measures=measures))
    assert row.standing is standing


@pytest.mark.parametrize(
    ("interval", "standing"),
    [
        ([-4.0, -1.0], Standing.BETTER),
        ([1.0, 4.0], Standing.WORSE),
        ([-1.0, 4.0], Standing.EVEN),
        ([0.001, 0.04], Standing.EVEN),
        ([0.001, 0.06], Standing.WORSE),
        (None, Standing.EVEN),
    ],
)
def test_a_paired_difference_counts_if_its_interval_leaves_out_nothing(
    interval: list[float] | None, standing: Standing, run: Read
):
    difference = {"mean": -2.0, "median": -2.0, "count": 9, "interval": interval}
    table = {"ledger": {"value": 3.0}, "paper": {"value": 5.0}, "difference": difference}
    (row,) = compared(replace(run.recorded, measures={"M2": {"all": table}}))
    assert row.standing is standing


def test_who_led_and_what_struck_are_in_order(run: Read):
    leads = [(lead.node, lead.term) for lead in run.operation.leads()]
    assert leads == [("cbp", 1), ("noaa", 2)]
    (band,) = run.operation.all_bands()
    assert (band.kind, band.hit) == ("crash", "cbp")
    assert run.operation.leads()[0].ended_s == band.began_s


def test_an_unfinished_run_has_no_report(tmp_path: Path):
    folder = madeup_run(tmp_path / "run", 1)
    (folder.path / "run.json").unlink()
    with pytest.raises(RefusedError, match="unfinished"):
        report(folder.path)


def test_a_short_run_leaves_its_report_and_a_long_one_waits_until_asked(tmp_path: Path):
    folder = madeup_run(tmp_path / "run", 3)
    assert write_if_cheap(folder, EVENTS_AT_END_MAX + 1) is None
    assert not (folder.path / "report.html").exists()
    written = write_if_cheap(folder, EVENTS_AT_END_MAX)
    assert written == folder.path / "report.html"
    first = written.read_bytes()
    report(folder.path)
    assert written.read_bytes() == first


def test_a_line_does_not_lead_across_a_stretch_without_a_value():
    points = [(0.0, 1.0), (1.0, None), (2.0, 3.0), (3.0, 4.0), (4.0, None)]
    assert unbroken(points) == [[(0.0, 1.0)], [(2.0, 3.0), (3.0, 4.0)]]
