"""Safeguards switched off: the checks must say so, within a bounded number of seeds."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable

import pytest

from ledger.store import damage
from p2p.node import Node
from p2p.virtual import DiskModel
from p2p.virtual.machine import VirtualMachine
from scenarios.judging.verdict import Verdict
from scenarios.running.options import RunResult
from scenarios.trial.trial import Trial
from scenarios.worlds.virtual import SimulatedWorld

RunVirtual = Callable[..., RunResult]

pytestmark = pytest.mark.slow

SEEDS_MAX = 8
POWER_LOSS = "nafta-certificate-power-loss"


def violated_by(run: Callable[[str], RunResult], check: str) -> list[str]:
    """Return the first violations of a check that some seed shows."""
    for seed in range(1, SEEDS_MAX + 1):
        result = run(str(seed))
        found = [text for text in result.judgment.violations if text.startswith(f"{check}: ")]
        if found:
            assert result.judgment.verdict is Verdict.VIOLATED
            return found
    pytest.fail(f"{SEEDS_MAX} seeds, and {check} was never violated")


def without_sync(trial: Trial) -> None:
    """Give every node a disk that SQLite trusts too much."""
    world = trial.world
    assert isinstance(world, SimulatedWorld)
    lazy = DiskModel(synchronous="NORMAL")
    world.kit.add_host = functools.partial(world.kit.add_host, disk_model=lazy)  # type: ignore[method-assign]


def test_commits_that_are_not_synced_are_lost_and_that_is_seen(run_virtual_scenario: RunVirtual) -> None:
    found = violated_by(lambda seed: run_virtual_scenario(POWER_LOSS, seed, without_sync), "durability")
    assert "was answered for" in found[0]


def test_without_the_watermark_too_lost_commits_are_seen(
    run_virtual_scenario: RunVirtual, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The check holds what was acknowledged against the disks; it does not rest on the node's own suspicion."""
    monkeypatch.setattr(damage, "check_watermark", lambda _watermark, _sequence: None)
    monkeypatch.setattr(VirtualMachine, "read_watermark", lambda _self: None)
    found = violated_by(lambda seed: run_virtual_scenario(POWER_LOSS, seed, without_sync), "durability")
    assert "ends with" in found[0]


def test_a_node_that_executes_otherwise_is_seen(
    run_virtual_scenario: RunVirtual, monkeypatch: pytest.MonkeyPatch
) -> None:
    founded = Node.__init__

    def with_a_stray_value(node: Node, *arguments: object, **named: object) -> None:
        founded(node, *arguments, **named)  # type: ignore[arg-type]
        if node.organization == "chamber":
            stray = {"claim/SX7-9999999-9/1": b"\x80"}
            node.ledger.state.apply(stray)
            node.ledger.tree.update(stray)

    monkeypatch.setattr(Node, "__init__", with_a_stray_value)
    result = run_virtual_scenario("nafta-certificate")
    assert result.judgment.verdict is Verdict.VIOLATED
    found = [text for text in result.judgment.violations if text.startswith("agreement: ")]
    assert any("height 1" in text and "chamber" in text for text in found)
    assert result.book.named("checkpoint.divergent"), "and the nodes themselves see it"


def test_a_network_that_never_heals_is_stuck_and_no_success(run_virtual_scenario: RunVirtual) -> None:
    def deaf(trial: Trial) -> None:
        async def stay_down(_organization: str) -> None:
            """A node that does not come back."""

        stays: Callable[[str], Awaitable[None]] = stay_down
        trial.world.restart = stays  # type: ignore[method-assign]

    result = run_virtual_scenario("nafta-certificate-leader-crash", "1", deaf)
    assert result.judgment.verdict is Verdict.VIOLATED
    for check in ("progress: ", "convergence: "):
        assert any(text.startswith(check) for text in result.judgment.violations)
