"""What a user can get wrong is told with place and remedy, exit code 64 and no traceback; and who stops listening
ends nothing."""

from __future__ import annotations

import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import apsw
import pytest

from scenarios.cli import run_command
from scenarios.network.deployment import read_node_file

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-m", "scenarios"]
ANCHOR = """\
type: certificate.anchor
documents: [!hex 7272727272727272727272727272727272727272727272727272727272727272]
body: {certificate: !hex 00112233445566778899aabbccddeeff}
"""


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that came to its verdict."""
    out = tmp_path_factory.mktemp("runs")
    assert run_command(["run", "nafta-certificate", "--seed", "7", "--out", str(out)]) == 0
    return (out / "nafta-certificate" / "latest").resolve()


@pytest.fixture(scope="module")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A founded network whose ports are free."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        base = min(probe.getsockname()[1], 65000)
    directory = tmp_path_factory.mktemp("founded") / "net"
    assert run_command(["init", str(directory), "--base-port", str(base)]) == 0
    return directory


@pytest.fixture
def network(founded: Path, tmp_path: Path) -> Path:
    """A copy of the founded network, to be spoiled."""
    return shutil.copytree(founded, tmp_path / "net")


def refused(words: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """Run a command that must be refused; return what it complains of."""
    capsys.readouterr()
    code = run_command(words)
    said = capsys.readouterr().err
    assert (code, "Traceback" in said) == (64, False), said
    return said


# Places that cannot be used.


def test_a_network_needs_a_directory(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "afile").touch()
    said = refused(["init", str(tmp_path / "afile")], capsys)
    assert "afile: File exists; give an empty or new directory" in said


def test_a_base_port_names_its_range(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = refused(["init", str(tmp_path / "net"), "--base-port", "99"], capsys)
    assert "--base-port 99 leaves no room for 10 ports; 1024 to 65525; choose one within" in said


def test_signed_bytes_that_cannot_be_written_are_told_by_place(
    network: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (network / "anchor.yaml").write_text(ANCHOR)
    words = ["sign", str(network), "exporter", str(network / "anchor.yaml"), "--out"]
    for place in (network / "nowhere" / "tx.bin", network):
        assert f"--out {place} cannot be written: " in refused([*words, str(place)], capsys)


def test_a_file_that_is_no_text_is_told_by_name(network: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (network / "bad.yaml").write_bytes(b"\xff\xfe")
    assert "bad.yaml: " in refused(["sign", str(network), "exporter", str(network / "bad.yaml")], capsys)
    assert "bad.yaml: not YAML" in refused(["node", "--config", str(network / "bad.yaml")], capsys)


@pytest.mark.parametrize("which", ["peer", "api"])
def test_a_port_in_use_is_told_by_number(
    network: Path, which: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = network / "cbp" / "node.yaml"
    listener = getattr(read_node_file(file), which)
    with socket.create_server((listener.host, listener.port)):
        said = refused(["node", "--config", str(file)], capsys)
    assert f"127.0.0.1:{listener.port}, the port for " in said
    assert "another program listens there; stop that program" in said


def test_a_store_that_another_process_holds_is_told_by_path(
    network: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = network / "cbp" / "data"
    data.mkdir()
    holder = apsw.Connection(str(data / "node.db"))
    holder.execute("PRAGMA locking_mode=EXCLUSIVE; CREATE TABLE held(x); BEGIN EXCLUSIVE").fetchall()
    said = refused(["node", "--config", str(network / "cbp" / "node.yaml")], capsys)
    holder.close()
    assert "cbp/data/node.db: another process works on this database; stop the node" in said


def test_a_data_directory_that_cannot_be_made_is_told_by_path(
    network: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (network / "cbp" / "data").touch()
    said = refused(["node", "--config", str(network / "cbp" / "node.yaml")], capsys)
    assert "cbp/data: cannot be written" in said


# Runs' folders.


def spoiled(finished: Path, tmp_path: Path, name: str, *, cut: bool) -> Path:
    folder = tmp_path / "spoiled"
    shutil.copytree(finished, folder)
    if cut:
        (folder / name).write_bytes((folder / name).read_bytes()[:100])
    else:
        (folder / name).unlink()
    return folder


@pytest.mark.parametrize("cut", [True, False])
@pytest.mark.parametrize(
    ("command", "name"),
    [
        (["replay"], "run.json"),
        (["show", "e2"], "observer/events.ndjson"),
        (["show", "e2"], "scenario.yaml"),
    ],
)
def test_a_damaged_run_is_told_by_file(
    finished: Path,
    tmp_path: Path,
    command: list[str],
    name: str,
    cut: bool,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder = spoiled(finished, tmp_path, name, cut=cut)
    assert Path(name).name in refused([command[0], str(folder), *command[1:]], capsys)


@pytest.mark.parametrize("name", ["verdict.json", "metrics.json", "public/events.ndjson"])
def test_replay_tells_what_is_missing_before_it_repeats_the_run(
    finished: Path,
    tmp_path: Path,
    name: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("scenarios.running.replaying.run_scenario", None)
    said = refused(["replay", str(spoiled(finished, tmp_path, name, cut=False))], capsys)
    assert f"{name} is missing; the folder is damaged" in said


def test_an_unfinished_run_is_shown_as_such(
    finished: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = spoiled(finished, tmp_path, "run.json", cut=False)
    assert run_command(["show", str(folder), "e2"]) == 0
    assert capsys.readouterr().out.startswith("this run is unfinished: ")
    assert run_command(["show", str(finished), "e2"]) == 0
    assert "unfinished" not in capsys.readouterr().out


def test_a_full_disk_ends_a_run_with_its_name_and_leaves_no_latest(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scenarios.record.runfolder.EVENTS_FILE", "../../../full")
    (tmp_path / "full").symlink_to("/dev/full")
    said = refused(["run", "nafta-certificate", "--seed", "7", "--out", str(tmp_path)], capsys)
    assert "cannot be written: No space left on device" in said
    assert not (tmp_path / "nafta-certificate" / "latest").is_symlink()


# The command that repeats a run.


def test_the_command_to_run_it_again_can_be_pasted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "my runs"
    words = ["run", "nafta-certificate", "--seed", "7", "--out", str(out), "--trace", "messages"]
    words += ["--set", 'expect=["claim e1 is DENIED"]', "--set", "title=It's [bold]one[/bold]"]
    assert run_command(words) == 1
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("nafta-certificate: It's [bold]one[/bold]; virtual world, seed 7")
    (again,) = [line.removeprefix("again").strip() for line in said if line.startswith("again ")]
    assert shlex.split(again) == [
        "seatrial",
        "run",
        "nafta-certificate",
        "--world",
        "virtual",
        "--seed",
        "7",
        "--set",
        'expect=["claim e1 is DENIED"]',
        "--set",
        "title=It's [bold]one[/bold]",
        "--out",
        str(out),
        "--trace",
        "messages",
    ]


# Signals and pipes.


@pytest.mark.slow
def test_a_run_is_carried_to_its_verdict_though_nobody_listens(tmp_path: Path) -> None:
    with subprocess.Popen(
        [*COMMAND, "run", "nafta-certificate", "--seed", "7", "--out", str(tmp_path)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline().startswith(b"nafta-certificate: ")
        process.stdout.close()
        assert process.wait(60) == 0
        heartbeat = re.compile(rb"\d+ s: ")
        assert [line for line in process.stderr if not heartbeat.match(line)] == []
    assert (tmp_path / "nafta-certificate" / "latest" / "verdict.json").exists()


SLOW_LIBRARY = """
import sys, time, scenarios.__main__

class Slow:
    def find_spec(self, name, path, target=None):
        if name == "scenarios.cli":
            print("loading", flush=True)
            time.sleep(60)

sys.meta_path.insert(0, Slow())
scenarios.__main__.main()
"""


def test_ctrl_c_while_the_libraries_load_is_quiet() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", SLOW_LIBRARY], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == b"loading\n"
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130
        assert process.stderr.read() == b"seatrial: stopped by Ctrl-C; nothing was started\n"
