"""When the calendar may move: idle, stalled, or stuck."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from p2p.virtual import VirtualWorld, run_virtual
from scenarios.trial.settling import POLL_S, Rest, Settling
from scenarios.worlds.base import Standing

ELECTION_TIMEOUT_MS = 2000
LIMIT_S = 30.0

AT_REST = Standing(
    height=3, certified=3, pool=0, outbox=0, term=1, role="follower", leader="cbp", in_flight=0, last_receipt=7,
    last_document=2, busy=False, orders=True, frames_sent=0, bytes_sent=0,
)  # fmt: skip


@dataclass
class FakeAgent:
    seen_receipt: int = 7
    seen_document: int = 2
    active: int = 0
    blocked: int = 0


class FakeWorld:
    """Two nodes that stand where a test puts them; it counts how often it was looked at."""

    organizations = ("cbp", "noaa")

    def __init__(self, **standings: Standing | None) -> None:
        self.standings: dict[str, Standing | None] = {"cbp": AT_REST, "noaa": AT_REST, **standings}
        self.looks = 0
        self.on_look: Callable[[int], None] = lambda _looks: None

    async def standing(self, organization: str) -> Standing | None:
        self.looks += organization == "cbp"
        self.on_look(self.looks)
        return self.standings[organization]


def rest(
    world: FakeWorld, *, agents: dict[str, FakeAgent] | None = None, seen: int = 7, explained: bool = False
) -> tuple[Rest, float]:
    """Return why the calendar may move, and after how many seconds."""

    async def main(_world: VirtualWorld) -> tuple[Rest, float]:
        settling = Settling(
            world,  # type: ignore[arg-type]
            agents or {"cbp": FakeAgent(), "noaa": FakeAgent()},
            lambda: seen,
            lambda: explained,
            ELECTION_TIMEOUT_MS,
        )
        found = await settling.rest(LIMIT_S)
        return found, asyncio.get_running_loop().time()

    return run_virtual(main, seed=1)


def test_all_quiet_is_idle_when_seen_twice() -> None:
    world = FakeWorld()
    assert rest(world)[0] is Rest.IDLE
    assert world.looks == 2


def test_a_node_that_is_down_does_not_keep_the_others_from_rest() -> None:
    assert rest(FakeWorld(noaa=None))[0] is Rest.IDLE


@pytest.mark.parametrize(
    "standing",
    [
        replace(AT_REST, height=4, certified=4),
        replace(AT_REST, certified=2),
        replace(AT_REST, pool=1),
        replace(AT_REST, outbox=1),
        replace(AT_REST, in_flight=1),
        replace(AT_REST, busy=True),
        replace(AT_REST, leader=None),
        replace(AT_REST, last_receipt=8),
        replace(AT_REST, last_document=3),
    ],
)
def test_work_at_one_node_is_no_rest(standing: Standing) -> None:
    assert rest(FakeWorld(noaa=standing))[0] is Rest.STUCK


@pytest.mark.parametrize(
    "agent",
    [FakeAgent(active=1), FakeAgent(blocked=1), FakeAgent(seen_receipt=6), FakeAgent(seen_document=1)],
)
def test_an_agent_at_work_or_behind_is_no_rest(agent: FakeAgent) -> None:
    assert rest(FakeWorld(), agents={"cbp": FakeAgent(), "noaa": agent})[0] is Rest.STUCK


def test_an_agent_whose_node_is_down_has_not_heard_everything() -> None:
    behind = {"cbp": FakeAgent(), "noaa": FakeAgent(seen_receipt=3)}
    assert rest(FakeWorld(noaa=None), agents=behind)[0] is Rest.STUCK


def test_a_public_record_that_lags_is_no_rest() -> None:
    assert rest(FakeWorld(), seen=6)[0] is Rest.STUCK


def test_nobody_up_is_no_rest() -> None:
    assert rest(FakeWorld(cbp=None, noaa=None))[0] is Rest.STUCK


def test_what_faults_block_stalls_after_two_election_timeouts() -> None:
    found, after_s = rest(FakeWorld(noaa=replace(AT_REST, pool=1)), explained=True)
    assert found is Rest.STALLED
    assert 2 * ELECTION_TIMEOUT_MS / 1000 < after_s < LIMIT_S / 2


def test_without_a_fault_that_explains_it_silence_is_stuck() -> None:
    found, after_s = rest(FakeWorld(noaa=replace(AT_REST, pool=1)))
    assert found is Rest.STUCK
    assert after_s > LIMIT_S


def test_an_agent_at_work_is_no_stall() -> None:
    agents = {"cbp": FakeAgent(active=1), "noaa": FakeAgent()}
    assert rest(FakeWorld(), agents=agents, explained=True)[0] is Rest.STUCK


def test_every_movement_starts_the_wait_anew() -> None:
    world = FakeWorld(noaa=replace(AT_REST, pool=1))

    def step(looks: int) -> None:
        if looks <= 100:
            world.standings["noaa"] = replace(AT_REST, pool=1, height=looks)

    world.on_look = step
    found, after_s = rest(world, explained=True)
    assert found is Rest.STALLED
    assert after_s > 100 * POLL_S + 2 * ELECTION_TIMEOUT_MS / 1000
