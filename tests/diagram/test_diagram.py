"""The space-time diagram of a run in which one fault makes an expectation false."""

import json
import re
import shutil
from dataclasses import replace
from xml.etree import ElementTree

import pytest

from scenarios.cli import run_command
from scenarios.diagram.axis import GAP_MAX, HEIGHT_MAX, PIXELS_PER_MS, Axis
from scenarios.diagram.drawing import draw
from scenarios.diagram.recording import Fate
from scenarios.diagram.repeating import follow_again
from scenarios.diagram.scene import ARROWS_MAX, scene_of
from scenarios.diagram.words import words_of
from scenarios.errors import RefusedError
from scenarios.model.catalog import load_scenario
from scenarios.running.options import RunOptions
from scenarios.running.runner import run_scenario

FAILING = """
scenario: cut-off
extends: nafta-certificate
title: Customs is cut off too long
steps:
  - {at: "2018-09-04T10:00:00", by: exporter, do: issue-certificate, document: c1}
  - {at: "2018-09-19T09:30:00", by: importer, do: file-claim, claim: e1}
faults:
  - {at: {calendar: "2018-09-19T08:00:00"}, for: {calendar: 16d}, kind: partition, target: node cbp}
  - {when: certificate c1 anchored, for: {protocol: 1s}, kind: drop, target: node noaa, params: {percent: 30}}
expect: [claim e1 is ALLOWED within 5 days]
"""


def parsed(text):
    return ElementTree.fromstring(text)  # noqa: S314 - of our own making


SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    directory = tmp_path_factory.mktemp("cut-off")
    (directory / "cut-off.yaml").write_text(FAILING)
    return run_scenario(
        load_scenario(directory / "cut-off.yaml"), RunOptions("virtual", "5", directory)
    ).folder


@pytest.fixture(scope="module")
def followed(folder):
    return follow_again(folder)


def test_what_comes_long_before_the_first_fault_or_after_the_violation_is_left_out(followed):
    late = [replace(event, protocol_ns=event.protocol_ns + 5_000_000_000) for event in followed.events]
    first_ns = next(event.protocol_ns for event in late if event.name == "fault.began")
    quiet = replace(followed, events=late, flights=followed.flights[:0])
    assert scene_of(quiet).from_ns == first_ns - 2_000_000_000 > 4_000_000_000
    assert scene_of(quiet, from_ns=0).from_ns == 0
    judgment = replace(quiet.judgment, violations=(f"raft: two lead (event {late[-9].number})",))
    early = [*late[:-8], *(replace(e, protocol_ns=e.protocol_ns + 60_000_000_000) for e in late[-8:])]
    shown = scene_of(replace(quiet, events=early, judgment=judgment))
    assert shown.to_ns == late[-9].protocol_ns + 3_000_000_000
    passed = replace(quiet, judgment=replace(quiet.judgment, violations=(), expectations=()))
    assert scene_of(passed).from_ns == 0


def test_the_violation_is_shown_where_its_deadline_has_passed(followed):
    scene = scene_of(followed)
    (shown,) = [note for note in scene.notes if note.kind == "violation"]
    assert scene.from_ns <= shown.at_ns <= scene.to_ns
    assert "claim e1 is ALLOWED within 5 days" in shown.text
    assert shown.text.startswith("violated: ")  # at its own time, not at the edge
    filed = next(event for event in followed.events if event.name == "claim.filed")
    at = next(event for event in followed.events if event.protocol_ns >= shown.at_ns)
    assert at.calendar_ms > filed.calendar_ms + 5 * 86_400_000
    assert [band.nodes for band in scene.bands if "partition" in band.text] == [("cbp",)]


def test_messages_over_a_cut_come_when_it_has_healed_and_the_others_at_once(followed):
    scene = scene_of(followed)
    (cut,) = [band for band in scene.bands if "partition" in band.text]
    during = [arrow for arrow in scene.arrows if cut.from_ns < arrow.from_ns < cut.to_ns]
    over = [arrow for arrow in during if "cbp" in (arrow.source, arrow.target)]
    assert over
    assert all(arrow.to_ns is None or arrow.to_ns >= cut.to_ns for arrow in over)  # TCP brings it then
    assert any(arrow.to_ns < cut.to_ns for arrow in during if arrow.to_ns is not None)
    assert all(arrow.to_ns > arrow.from_ns for arrow in scene.arrows if arrow.to_ns is not None)


def test_messages_that_a_fault_drops_never_come(followed):
    scene = scene_of(followed)
    (drop,) = [band for band in scene.bands if "drop" in band.text]
    lost = [arrow for arrow in scene.arrows if arrow.fate is Fate.LOST]
    assert lost
    assert {arrow.source for arrow in lost} == {"noaa"}
    assert all(drop.from_ns <= arrow.from_ns <= drop.to_ns for arrow in lost)
    assert draw(scene).count("and never came") == len(lost)


def test_heartbeats_in_a_row_are_one_arrow_with_their_number(followed):
    scene = scene_of(followed, 0, followed.events[-1].protocol_ns)
    beats = [arrow for arrow in scene.arrows if arrow.kind == "HEARTBEAT"]
    assert max(arrow.count for arrow in beats) > 10
    assert all(arrow.count == 1 for arrow in scene.arrows if arrow.kind != "HEARTBEAT")


def test_no_more_arrows_than_the_limit_and_the_rest_is_counted(followed):
    whole = scene_of(followed, 0)
    assert len(whole.arrows) == ARROWS_MAX
    assert whole.left_out > 0
    assert f"{whole.left_out} more" in draw(whole)
    assert any(f"{whole.left_out} more" in line for line in words_of(whole))


def test_the_picture_stands_by_itself_and_says_what_it_is(followed):
    text = draw(scene_of(followed))
    root = parsed(text)
    assert root.find(f"{SVG}title").text == "cut-off, seed 5: violated"
    assert "ALLOWED within 5 days" in root.find(f"{SVG}desc").text
    assert "prefers-color-scheme:dark" in text
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)|<script|@import|href|@font-face", text)
    width, height = float(root.get("width")), float(root.get("height"))
    for element in root.iter(f"{SVG}text"):
        assert 0 <= float(element.get("x")) <= width
        assert 0 <= float(element.get("y")) <= height
    assert draw(scene_of(followed)) == text


def test_a_name_with_markup_in_it_does_no_harm(followed):
    scene = replace(scene_of(followed), title='<b> & "c"', violation="x < y & z")
    assert parsed(draw(scene)).find(f"{SVG}title").text == '<b> & "c"'


def test_the_words_tell_the_same_in_80_columns(followed):
    scene = scene_of(followed)
    lines = words_of(scene)
    assert max(map(len, lines)) <= 80
    assert any("fault 1 partition of cbp" in line for line in lines)
    assert sum(" > " in line for line in lines) == len(scene.arrows)


def test_the_command_writes_both_files_and_names_them(folder, tmp_path, capsys):
    picture = tmp_path / "p.svg"
    assert (
        run_command(["diagram", str(folder.path), "--from", "1", "--until", "1.5", "--out", str(picture)])
        == 0
    )
    assert "1.000 s to 1.500 s" in capsys.readouterr().out
    assert picture.exists()
    assert (tmp_path / "p.txt").exists()


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--from", "3", "--until", "2"], "ends after it begins"),
        (["--from", "-1"], "0 seconds or more"),
        (["--out", "picture.png"], "ends in .svg"),
        (["--out", "/nowhere/p.svg"], "no folder /nowhere"),
    ],
)
def test_a_wrong_stretch_or_place_is_refused_before_time_is_spent(folder, capsys, words, why):
    assert run_command(["diagram", str(folder.path), *words]) == 64
    assert why in capsys.readouterr().err


def test_a_run_that_comes_out_otherwise_is_not_drawn(folder, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(folder.path, copy)
    run = json.loads((copy / "run.json").read_text())
    (copy / "run.json").write_text(json.dumps(run | {"seed": "6"}))
    with pytest.raises(RefusedError, match="does not repeat"):
        follow_again(replace(folder, path=copy))


def test_the_axis_cuts_idle_stretches_short_and_stays_within_its_height():
    axis = Axis([0, 1_000_000, 10_000_000_000], 100.0)
    assert axis.height(1_000_000) == 100 + PIXELS_PER_MS
    assert axis.bottom == 100 + PIXELS_PER_MS + GAP_MAX
    assert axis.breaks
    assert axis.height(500_000) == 101
    assert (axis.height(-5), axis.height(20_000_000_000)) == (100, axis.bottom)
    many = Axis(range(0, 100_000_000_000, 20_000_000), 0.0)
    assert many.bottom == pytest.approx(HEIGHT_MAX)
