"""The virtual world's nodes: what they share since they are in one process, and what they do not."""

import asyncio

from p2p.virtual import VirtualWorld, run_virtual
from scenarios.model.catalog import load_scenario
from scenarios.network.asked import founding_of
from scenarios.network.plan import NetworkPlan
from scenarios.worlds.virtual import SimulatedWorld


def test_nodes_of_one_process_verify_a_signature_once() -> None:
    async def main(kit: VirtualWorld) -> list[tuple[int, int]]:
        founding = founding_of(load_scenario("nafta-certificate"), "1")
        world = SimulatedWorld(kit, founding, NetworkPlan(), lambda _event, _fields: None)
        await world.open(founding.genesis.time_ms)
        nodes = [world.node(organization) for organization in world.organizations]
        public, message, signature = bytes(32), b"message", bytes(64)
        verified = [(node.verifier.verify_bytes(public, message, signature), node.verifier) for node in nodes]
        assert not any(holds for holds, _ in verified)
        await world.close()
        return [(id(verifier), verifier.verified) for _, verifier in verified]

    assert len(dict.fromkeys(run_virtual(main, seed=1, time_limit_s=60))) == 1


def test_a_node_that_stops_for_a_failed_write_stands_nowhere_any_more() -> None:
    """Its memory is ahead of its store: what is asked of both would find a row missing."""

    async def main(kit: VirtualWorld) -> tuple[bool, bool]:
        founding = founding_of(load_scenario("nafta-certificate"), "1")
        world = SimulatedWorld(kit, founding, NetworkPlan(), lambda _event, _fields: None)
        await world.open(founding.genesis.time_ms)
        before = await world.standing("cbp")
        world.node("cbp").driver.halted = "a commit is not durable"
        after = await world.standing("cbp")
        await world.close()
        return before is not None, after is None

    assert run_virtual(main, seed=1, time_limit_s=60) == (True, True)


def test_closing_waits_for_no_node_that_nobody_told_to_stop() -> None:
    """A run can end at any moment, also while a node boots: it is told as soon as it is there."""

    async def main(kit: VirtualWorld) -> list[bool]:
        founding = founding_of(load_scenario("nafta-certificate"), "1")
        world = SimulatedWorld(kit, founding, NetworkPlan(), lambda _event, _fields: None)
        await world.open(founding.genesis.time_ms)
        await world.crash("cbp")
        booting = asyncio.get_running_loop().create_task(world.restart("cbp"))
        await asyncio.sleep(0)
        assert kit.host("cbp").is_up
        await world.close()
        await booting
        return [kit.host(organization).is_up for organization in world.organizations]

    assert run_virtual(main, seed=1, time_limit_s=60) == [False] * 5
