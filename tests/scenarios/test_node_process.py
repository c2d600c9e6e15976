"""What `seatrial node` and `seatrial up` do about a node that cannot go on."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

import pytest

from ledger.watermark import pack_watermark
from p2p.live import WATERMARK_FILE
from p2p.machine import DiskFailureError
from p2p.node import Node
from scenarios.hosting.commands import _until_too_few, init_network
from scenarios.model.catalog import load_scenario
from scenarios.network.deployment import GENESIS_FILE, NODE_FILE, load_node_config, read_genesis
from scenarios.network.process import (
    EXIT_CANNOT_GO_ON,
    EXIT_CANNOT_START,
    EXIT_DAMAGED,
    EXIT_STOPPED,
    run_node,
)


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("network") / "n"
    init_network(directory, load_scenario("nafta-certificate"), 47000, lambda _line: None)
    return directory


def test_a_store_that_is_gone_beside_its_watermark_ends_the_node_with_65_and_the_remedy(
    network: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = network / "noaa" / NODE_FILE
    directory = load_node_config(path)[1]
    directory.mkdir()
    (directory / WATERMARK_FILE).write_bytes(pack_watermark(7))
    assert run_node(path) == EXIT_DAMAGED == 65
    said = capfd.readouterr().err
    assert str(path) in said
    assert "node.db: it is missing or empty, though watermark is there; nothing was touched" in said
    assert "node.replace" in said
    assert "Traceback" not in said


def test_a_failed_disk_ends_the_node_with_70(
    network: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def run(self: Node, *_services: object) -> None:
        self.store.connection.close()
        raise DiskFailureError("cbp: commit 9 is not durable; stop the node, do not retry")

    monkeypatch.setattr(Node, "run", run)
    assert run_node(network / "cbp" / NODE_FILE) == EXIT_CANNOT_GO_ON == 70
    assert "commit 9 is not durable" in capfd.readouterr().err


@dataclass
class Process:
    """A node's process as `up` sees it."""

    returncode: int | None = None


def up(network: Path, ends: list[tuple[str, int]]) -> tuple[int, list[str], bool]:
    """Let processes end one after the other; return the exit code, what was said, and whether it had to be stopped."""
    genesis = read_genesis(network / GENESIS_FILE)
    said: list[str] = []

    async def run() -> tuple[int, bool]:
        processes = {o.id: Process() for o in genesis.organizations}
        stopping, heard = asyncio.Event(), asyncio.Event()

        def say(line: str) -> None:
            said.append(line)
            heard.set()

        watching = asyncio.create_task(_until_too_few(genesis, processes, stopping, say))  # type: ignore[arg-type]
        for organization, code in ends:
            heard.clear()
            processes[organization].returncode = code
            await heard.wait()
        await asyncio.sleep(0)  # whoever said its last word ends now
        was_done = watching.done()
        stopping.set()
        return await watching, not was_done

    code, stopped = asyncio.run(run())
    return code, said, stopped


def test_up_goes_on_without_nodes_that_cannot_as_long_as_a_quorum_is_left(network: Path) -> None:
    code, said, stopped = up(network, [("noaa", EXIT_DAMAGED), ("cbp", EXIT_CANNOT_GO_ON)])
    assert stopped
    assert code == EXIT_CANNOT_GO_ON
    assert said == [
        "the node of noaa ended with 65, see above; the others go on",
        "the node of cbp ended with 70, see above; the others go on",
    ]


def test_up_stops_when_too_few_orderers_are_left(network: Path) -> None:
    code, said, stopped = up(
        network, [("noaa", EXIT_DAMAGED), ("cbp", EXIT_DAMAGED), ("exporter", EXIT_DAMAGED)]
    )
    assert not stopped
    assert code == EXIT_CANNOT_GO_ON
    assert (
        said[-1]
        == "the node of exporter ended with 65; 2 orderers are left of the 3 that are needed: stopping them"
    )


@pytest.mark.parametrize("code", [EXIT_STOPPED, EXIT_CANNOT_START, -9])
def test_up_stops_when_a_node_ends_for_any_other_reason(network: Path, code: int) -> None:
    exit_code, said, stopped = up(network, [("noaa", code)])
    assert not stopped
    assert exit_code == (EXIT_CANNOT_START if code == EXIT_CANNOT_START else EXIT_CANNOT_GO_ON)
    assert said == [f"the node of noaa ended with {code}; stopping the others"]


def test_up_that_was_stopped_with_all_nodes_running_is_no_failure(network: Path) -> None:
    assert up(network, []) == (0, [], True)
