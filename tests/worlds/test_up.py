"""`up`, and the tour by hand of docs/api.md, run as written but for the ports and where `seatrial` is."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

ROOT = Path(__file__).parents[2]
SEATRIAL = shlex.join([sys.executable, "-m", "scenarios"])
ORGANIZATIONS = 5
WRITTEN_PORT = 7100
PATIENCE_S = 90.0


def tour() -> tuple[list[str], str]:
    """Return the tour's commands, one a line, and its transaction."""
    text = (ROOT / "docs" / "api.md").read_text(encoding="utf-8").split("## By hand")[1]
    commands = text.split("```\n")[1].replace("\\\n", " ")
    lines = [re.sub(r"\s+#.*$", "", line) for line in commands.splitlines()]
    return [line for line in lines if line], text.split("```yaml\n")[1].split("```")[0]


class Shell:
    """Runs the tour's commands in a folder of its own, over ports of its own."""

    def __init__(self, folder: Path, base_port: int) -> None:
        self.folder = folder
        self.base_port = base_port

    def words(self, line: str) -> str:
        """Return a command as the shell is given it."""
        line = re.sub(r"\b71(\d\d)\b", lambda m: str(self.base_port + int(m[1])), line)
        return line.replace("seatrial init net", f"seatrial init net --base-port {self.base_port}").replace(
            "seatrial ", f"{SEATRIAL} "
        )

    def start(self, line: str) -> subprocess.Popen[str]:
        """Start a command."""
        return subprocess.Popen(
            ["/bin/sh", "-c", f"exec {self.words(line)}"],
            cwd=self.folder,
            env={"PYTHONPATH": str(ROOT), "PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, line: str) -> tuple[int, str, str]:
        """Run a command to its end; return its code and what it said."""
        with self.start(line) as process:
            out, err = process.communicate(timeout=PATIENCE_S)
        return process.returncode, out, err

    def leads(self) -> bool:
        """Whether the exporter's node serves and knows a leader."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.base_port + 3}/v1/health") as answer:
                return json.load(answer)["leader"] is not None
        except (urllib.error.URLError, ConnectionError):
            return False


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        base_port = min(probe.getsockname()[1], 65000)
    return Shell(tmp_path_factory.mktemp("tour"), base_port)


@pytest.fixture(scope="module")
def network(shell: Shell) -> Iterator[subprocess.Popen[str]]:
    """The network of the tour's first line, up."""
    founding, starting = tour()[0][0].split(" && ")
    assert shell.run(founding)[0] == 0
    process = shell.start(starting)
    deadline = time.monotonic() + PATIENCE_S
    while not shell.leads():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline, "no leader in time"
        time.sleep(0.05)
    yield process
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=PATIENCE_S)


@pytest.mark.skipif(shutil.which("curl") is None, reason="the tour is made with curl")
def test_the_tour_by_hand_does_what_it_says(network: subprocess.Popen[str], shell: Shell) -> None:
    commands, anchor = tour()
    (shell.folder / "anchor.yaml").write_text(anchor)
    (signing, posting, asking) = commands[1:]
    assert shell.run(signing)[0] == 0
    code, posted, _ = shell.run(posting)
    assert (code, json.loads(posted)["status"]) == (0, "accepted")
    code, answered, _ = shell.run(asking)
    (receipt,) = json.loads(answered)["receipts"]
    assert (receipt["type"], receipt["code"], receipt["id"]) == (
        "certificate.anchor", "VALID", json.loads(posted)["id"],
    )  # fmt: skip


def test_what_is_up_is_not_verified_nor_started_again(network: subprocess.Popen[str], shell: Shell) -> None:
    code, _, said = shell.run("seatrial verify net")
    assert (code, "Traceback" in said) == (64, False)
    assert "node.db: a node is running on it" in said
    code, _, said = shell.run("seatrial node --config net/cbp/node.yaml")
    assert (code, "Traceback" in said) == (64, False)
    assert "another process works on this database" in said


def test_ctrl_c_stops_every_node_in_good_order_and_what_they_wrote_is_whole(
    network: subprocess.Popen[str], shell: Shell
) -> None:
    network.send_signal(signal.SIGINT)
    out, err = network.communicate(timeout=PATIENCE_S)
    assert (network.returncode, err) == (0, "")
    assert len(re.findall(r": stopped at height \d+$", out, re.MULTILINE)) == ORGANIZATIONS
    code, said, _ = shell.run("seatrial verify net")
    assert (code, "5 of 5 stores are whole" in said) == (0, True)
