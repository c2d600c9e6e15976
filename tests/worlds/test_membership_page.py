"""docs/membership.md by hand: a member added, made an orderer, a key rotated, a node replaced, as the page says."""

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
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "membership.md").read_text(encoding="utf-8")
FOUNDERS = ("cbp", "exporter", "importer", "chamber", "noaa")
PATIENCE_S = 150.0


def commands(title: str) -> list[list[str]]:
    """Return the commands below a title of the page, word by word."""
    return [shlex.split(line) for block in _blocks(title, "") for line in block.splitlines()]


def _blocks(title: str, language: str) -> list[str]:
    section = PAGE.split(f"## {title}\n")[1].split("\n## ")[0]
    blocks = re.findall(r"^```(\w*)\n(.*?)^```$", section, re.DOTALL | re.MULTILINE)
    return [text for written_in, text in blocks if written_in == language]


class Network:
    """A network founded by `init`, each node started by itself."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.base_port = min(probe.getsockname()[1], 65000)
        self.folder = folder
        self.nodes: dict[str, subprocess.Popen[bytes]] = {}
        self.seatrial("init", "net", "--base-port", str(self.base_port))
        for name in FOUNDERS:
            self.start(name)
        self.wait(lambda: self.health("cbp")["leader"])

    def seatrial(self, *words: str) -> None:
        """Run a command that must succeed."""
        done = subprocess.run(
            [sys.executable, "-m", "scenarios", *words],
            cwd=self.folder,
            env={"PYTHONPATH": str(ROOT), "PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8"},
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
        assert done.returncode == 0, (words, done.stdout, done.stderr)

    def follow(self, title: str, **changed: str) -> None:
        """Run the page's commands below a title, with some words changed."""
        for program, *words in commands(title):
            assert program == "seatrial"
            self.seatrial(*[changed.get(word, word) for word in words])

    def start(self, name: str) -> None:
        """Start a node."""
        self.nodes[name] = subprocess.Popen(
            [sys.executable, "-m", "scenarios", "node", "--config", f"net/{name}/node.yaml"],
            cwd=self.folder,
            env={"PYTHONPATH": str(ROOT), "PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8"},
            stdout=subprocess.DEVNULL,
        )

    def stop(self) -> None:
        """Stop every node in good order."""
        for process in self.nodes.values():
            process.send_signal(signal.SIGINT)
        for process in self.nodes.values():
            process.wait(PATIENCE_S)

    def port(self, name: str) -> int:
        """Return the port of a node's own interface."""
        config = (self.folder / "net" / name / "node.yaml").read_text(encoding="utf-8")
        return int(re.search(r"api: \{host: 127.0.0.1, port: (\d+)\}", config)[1])  # type: ignore[index]

    def ask(self, name: str, path: str, data: bytes | None = None) -> Any:
        """Ask a node as its organization's own program does."""
        token = (self.folder / "net" / name / "token").read_text(encoding="utf-8").strip()
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port(name)}{path}", data, {"Authorization": f"Bearer {token}"}
        )
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:  # noqa: S310 - loopback
            return json.load(answer)

    def health(self, name: str) -> Any:
        """Return where a node stands; nothing while it does not serve yet."""
        try:
            return self.ask(name, "/v1/health")
        except (urllib.error.URLError, ConnectionError):
            return {"leader": None, "height": -1}

    def wait(self, holds: Callable[[], object]) -> None:
        """Wait until something holds."""
        deadline = time.monotonic() + PATIENCE_S
        while not holds():
            assert time.monotonic() < deadline, "not in time"
            time.sleep(0.05)

    def post(self, file: str, to: str = "cbp") -> Any:
        """Post what was signed and wait until it is certified."""
        posted = self.ask(to, "/v1/transactions", (self.folder / file).read_bytes())
        found = self.ask(to, f"/v1/transactions/{posted['id']}?wait=certified&timeout_ms=60000")
        assert (found["status"], found["code"]) == ("certified", "VALID"), found
        return found

    def member(self, name: str) -> Any:
        """Return what the ledger has of a member."""
        return next(m for m in self.ask("cbp", "/v1/members")["members"] if m["id"] == name)

    def catch_up(self, name: str) -> None:
        """Wait until a node has come as far as the others."""
        self.wait(lambda: self.health(name)["height"] >= self.health("cbp")["height"])


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    found = Network(tmp_path_factory.mktemp("members"))
    yield found
    found.stop()


@pytest.fixture(scope="module")
def joined(network: Network) -> Network:
    """The network after a member was added as the page says, and its node started."""
    peer = network.base_port + 30
    network.follow("Add a member", **{"http://dhl.example:7000": f"http://127.0.0.1:{peer}"})
    network.post("add.approved")
    (config,) = _blocks("Add a member", "yaml")
    config = config.replace("host: 0.0.0.0, port: 7000", f"host: 127.0.0.1, port: {peer}")
    config = config.replace("port: 7001", f"port: {peer + 1}")
    config = re.sub(r":71(\d\d)\b", lambda m: f":{network.base_port + int(m[1])}", config)
    assert f"raft_id: {network.member('dhl')['nodes'][-1]['raft_id']}\n" in config
    (network.folder / "net" / "dhl" / "node.yaml").write_text(config, encoding="utf-8")
    network.start("dhl")
    network.catch_up("dhl")
    return network


def test_a_member_is_added_and_made_an_orderer(joined: Network) -> None:
    promote, ready = _blocks("Make it an orderer", "yaml")
    (joined.folder / "promote.yaml").write_text(promote, encoding="utf-8")
    (joined.folder / "ready.yaml").write_text(ready, encoding="utf-8")
    joined.seatrial("sign", "net", "cbp", "promote.yaml", "--out", "promote.bin")
    approvals: list[str] = []
    for name in ("exporter", "importer", "chamber"):
        joined.seatrial("approve", "net", name, "promote.bin", "--out", f"promote.{name}")
        approvals += ["--approval", f"promote.{name}"]
    joined.seatrial("sign", "net", "cbp", "promote.bin", *approvals, "--out", "promote.approved")
    joined.post("promote.approved")
    joined.catch_up("dhl")
    joined.follow("Make it an orderer")
    joined.post("ready.bin", "dhl")
    assert "dhl" in joined.ask("cbp", "/v1/members")["orderers"]
    joined.wait(lambda: joined.health("dhl")["orders"])


def test_a_key_is_rotated(joined: Network) -> None:
    joined.follow("Rotate a key")
    joined.post("rotate.bin", "exporter")
    own = joined.folder / "net" / "exporter"
    shutil.move(own / "organization.key.next", own / "organization.key")
    joined.seatrial("prepare", "key", "net", "exporter", "--out", "again.yaml")
    joined.seatrial("sign", "net", "exporter", "again.yaml", "--out", "again.bin")
    joined.post("again.bin", "exporter")


def test_a_lost_node_is_replaced(joined: Network) -> None:
    joined.nodes["noaa"].kill()
    joined.nodes["noaa"].wait()
    shutil.rmtree(joined.folder / "net" / "noaa" / "data")
    joined.follow("Replace a lost node")
    joined.post("replace.bin")
    path = joined.folder / "net" / "noaa" / "node.yaml"
    config = path.read_text(encoding="utf-8").replace("node_key: node.key", "node_key: node-2.key")
    config = config.replace("data: data", "data: data-2").replace("incarnation: 1", "incarnation: 2")
    raft_id = joined.member("noaa")["nodes"][-1]["raft_id"]
    path.write_text(re.sub(r"raft_id: \w+", f"raft_id: {raft_id}", config), encoding="utf-8")
    joined.start("noaa")
    joined.catch_up("noaa")
    (joined.folder / "ready-2.yaml").write_text(
        "type: node.ready\nbody: {incarnation: 2}\n", encoding="utf-8"
    )
    joined.seatrial("sign", "net", "noaa", "ready-2.yaml", "--out", "ready-2.bin")
    joined.post("ready-2.bin", "noaa")
    joined.wait(lambda: joined.health("noaa")["orders"])
