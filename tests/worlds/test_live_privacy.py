"""In the live world, too, what nodes send is searched: frame by frame, in files of the nodes' own."""

from __future__ import annotations

from pathlib import Path

import pytest

from scenarios.agents import wallet as wallet_module
from scenarios.model.catalog import load_scenario
from scenarios.network.deployment import FRAMES_FILE
from scenarios.network.frametap import TappedEventLog, tapped_frames
from scenarios.running.options import RunOptions
from scenarios.running.runner import run_scenario


def test_frames_are_kept_whole_over_lives_and_a_torn_one_is_let_go(tmp_path: Path) -> None:
    path = tmp_path / FRAMES_FILE
    assert list(tapped_frames(path)) == []
    first = TappedEventLog(lambda: 0, path)
    first.frame("exporter", "importer", "ENVELOPE", b"sealed")
    first.frame("exporter", "cbp", "RAFT", b"")
    assert (first.frames, first.frame_bytes) == (2, 6)
    kept = [("ENVELOPE", "importer", b"sealed"), ("RAFT", "cbp", b"")]
    assert list(tapped_frames(path)) == kept
    whole = path.read_bytes()
    for torn in range(1, 22):
        path.write_bytes(whole[:-torn])
        assert list(tapped_frames(path)) == kept[: 1 if torn < 16 else 0]
    path.write_bytes(whole + whole[:9])
    TappedEventLog(lambda: 0, path).frame("exporter", "noaa", "HAVE", b"after the kill")
    assert list(tapped_frames(path)) == [*kept, ("HAVE", "noaa", b"after the kill")]


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_an_envelope_that_is_not_sealed_is_found_in_the_frames_of_live_nodes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wallet_module, "seal", lambda envelope, _recipient, _random: envelope)
    scenario = load_scenario("nafta-certificate")
    result = run_scenario(scenario, RunOptions("live", "7", tmp_path))
    found = [text for text in result.judgment.violations if text.startswith("confidentiality: ")]
    assert any(
        ".exporter_email stands in a ENVELOPE frame from exporter to importer (raw)" in text for text in found
    )
    assert any(" of importer's node" in text for text in found)
    assert not list(result.folder.path.rglob(FRAMES_FILE)), "frames are let go once they were searched"
