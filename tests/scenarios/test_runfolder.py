"""What a run leaves, and that nothing is overwritten."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from scenarios.errors import RefusedError
from scenarios.record.eventbook import EventBook
from scenarios.record.latefile import LateFile
from scenarios.record.runfolder import RunFolder
from scenarios.running.replaying import Difference, compare


def filled(out: Path, *, note: str = "the same") -> RunFolder:
    folder = RunFolder.create(out, "pilot", "7")
    book = EventBook(lambda: 1_536_069_600_071, lambda: 5)
    book.add("fault.began", {"fault": 1})
    book.add("receipt", {"code": "VALID", "note": note}, public=True)
    folder.write_events(book.events)
    folder.write_json("metrics.json", {"blocks": 1})
    folder.write_json("verdict.json", {"verdict": "passed"})
    return folder


def test_runs_of_one_second_and_seed_get_folders_of_their_own(tmp_path: Path) -> None:
    folders = [RunFolder.create(tmp_path, "pilot", "7").path for _ in range(3)]
    assert len(set(folders)) == 3
    assert all(folder.is_dir() for folder in folders)


def test_latest_is_the_last_one_published_not_the_last_one_made(tmp_path: Path) -> None:
    latest = tmp_path / "pilot" / "latest"
    for _ in range(2):
        last = RunFolder.create(tmp_path, "pilot", "7")
        last.publish()
        assert latest.resolve() == last.path.resolve()
    RunFolder.create(tmp_path, "pilot", "7")
    assert latest.resolve() == last.path.resolve()


def test_members_see_the_public_events_and_the_observer_all(tmp_path: Path) -> None:
    folder = filled(tmp_path)
    public, everything = folder.event_lines("public"), folder.event_lines("observer")
    assert [json.loads(line)["event"] for line in everything] == ["fault.began", "receipt"]
    assert public == everything[1:]
    assert json.loads(public[0])["calendar"] == "2018-09-04T14:00:00.071Z"


@pytest.mark.parametrize(
    ("text", "words"), [("[1]", "no JSON object"), ('{"seed": ', "no JSON: Expecting value")]
)
def test_json_that_is_no_object_is_refused(tmp_path: Path, text: str, words: str) -> None:
    folder = filled(tmp_path)
    folder.write_text("run.json", text)
    with pytest.raises(RefusedError, match=rf"run\.json: {words}.*the folder is damaged"):
        folder.read_json("run.json")


def test_a_line_that_is_no_event_is_named_by_file_and_line(tmp_path: Path) -> None:
    folder = filled(tmp_path)
    path = folder.path / "observer" / "events.ndjson"
    path.write_text(path.read_text() + '{"event":"rec')
    with pytest.raises(RefusedError, match=r"observer/events\.ndjson:3: no event"):
        folder.events()


def test_what_an_unfinished_run_lacks_is_told_so_and_what_a_finished_one_lacks_is_damage(
    tmp_path: Path,
) -> None:
    folder = filled(tmp_path)
    (folder.path / "metrics.json").unlink()
    with pytest.raises(RefusedError, match=r"is an unfinished run: no metrics\.json"):
        compare(folder, folder)
    folder.write_text("run.json", "{}")
    with pytest.raises(RefusedError, match=r"metrics\.json is missing; the folder is damaged"):
        compare(folder, folder)


def test_a_full_disk_is_told_by_file_with_what_to_do(tmp_path: Path) -> None:
    folder = filled(tmp_path)
    book = EventBook(lambda: 0, lambda: 0)
    book.add("fault.began", {"fault": 1})
    for name in ("metrics.json", "observer/events.ndjson"):
        (folder.path / name).unlink()
        (folder.path / name).symlink_to("/dev/full")
    words = "cannot be written: No space left on device;.*unfinished; make room or give another --out"
    with pytest.raises(RefusedError, match=rf"metrics\.json {words}"):
        folder.write_json("metrics.json", {"blocks": 1})
    with pytest.raises(RefusedError, match=rf"events\.ndjson {words}"):
        folder.write_events(book.events)


def test_a_file_written_while_nodes_run_tells_of_a_full_disk_when_it_is_read_or_closed() -> None:
    for end in (LateFile.read_from_start, LateFile.close):
        late = LateFile(Path("/dev/full"))
        for _ in range(3):
            late.write(bytes(100_000))
        with pytest.raises(RefusedError, match="/dev/full cannot be written: No space left on device"):
            end(late)


def test_equal_folders_do_not_differ(tmp_path: Path) -> None:
    assert compare(filled(tmp_path), filled(tmp_path)) is None


def test_the_first_difference_is_named_by_file_and_line(tmp_path: Path) -> None:
    one, other = filled(tmp_path), filled(tmp_path, note="another")
    difference = compare(one, other)
    assert isinstance(difference, Difference)
    assert (difference.file, difference.line) == ("observer/events.ndjson", 2)
    assert "the same" in difference.recorded
    assert "another" in difference.repeated


@pytest.mark.parametrize("name", ["metrics.json", "verdict.json", "public/events.ndjson"])
def test_every_file_counts_and_a_missing_line_is_a_difference(tmp_path: Path, name: str) -> None:
    one, other = filled(tmp_path), filled(tmp_path)
    path = other.path / name
    path.write_text("\n".join(path.read_text().splitlines()[:-1]))
    difference = compare(one, other)
    assert difference is not None
    assert difference.file == name
    assert difference.repeated == "(nothing)"


def test_the_message_trace_is_compared_where_it_was_written(tmp_path: Path) -> None:
    one, other = filled(tmp_path), filled(tmp_path)
    one.trace_path.write_text("1 cbp noaa RAFT 15 aa\n")
    other.trace_path.write_text("1 cbp noaa RAFT 15 bb\n")
    difference = compare(one, other)
    assert difference is not None
    assert (difference.file, difference.line) == ("observer/messages.txt", 1)
