"""What a run's nodes held is gone from memory when the run is judged."""

from __future__ import annotations

from weakref import ref

import pytest

from ledger import statetree
from p2p.node import Node
from p2p.virtual import VirtualWorld, run_virtual
from p2p.virtual.machine import VirtualMachine
from scenarios.judging.verdict import Verdict
from scenarios.privacy.survey import survey
from scenarios.record import eventspool
from scenarios.running import runner
from scenarios.worlds.virtual import SimulatedWorld

SCENARIO = "nafta-certificate"


def test_no_node_and_no_disk_is_in_memory_while_a_long_run_is_judged(
    run_virtual_scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    nodes: list[ref[Node]] = []
    left: list[int] = []
    founded = Node.__init__
    before = len(statetree._shared)

    def noted(node: Node, *arguments: object, **named: object) -> None:
        nodes.append(ref(node))
        founded(node, *arguments, **named)  # type: ignore[arg-type]

    def counted(*arguments: object) -> None:
        left.append(sum(node() is not None for node in nodes))
        left.append(len(statetree._shared) - before)
        survey(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(eventspool, "EVENTS_RESIDENT_MAX", 100)
    monkeypatch.setattr(Node, "__init__", noted)
    monkeypatch.setattr(runner, "survey", counted)
    result = run_virtual_scenario(SCENARIO)
    assert result.judgment.verdict is Verdict.PASSED
    assert len(nodes) == 5
    assert left[0] == 0
    assert left[1] <= 0, "nor is the state that they shared"
    world = result.trial.world
    assert isinstance(world, SimulatedWorld)
    assert [host.disk.files for host in world.kit.hosts] == [{}] * 5


def test_a_host_that_is_up_is_not_let_go_of() -> None:
    async def idle(_machine: VirtualMachine) -> None:
        """End at once."""

    async def main(world: VirtualWorld) -> None:
        host = world.add_host("cbp")
        host.disk.files.clear()
        host.boot(idle)
        with pytest.raises(RuntimeError, match="host cbp is up"):
            host.let_go()
        host.crash()
        host.let_go()
        assert host.life is None

    run_virtual(main, seed=1)
