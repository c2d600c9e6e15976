"""Exporter, importer and Customs over real nodes in the virtual world, with the smallest trial there can be."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from random import Random

import pytest
from aiohttp import ClientSession

from ledger.genesis import Genesis
from p2p.observer import RecordField
from p2p.virtual import VirtualWorld, run_virtual
from scenarios.agenda import Agenda
from scenarios.agents import Agent, Kind, make_agent
from scenarios.catalog import load_scenario
from scenarios.client import NodeClient
from scenarios.founding import Charter, Founding, Member, found_from_seed
from scenarios.model import Scenario
from scenarios.names import Names
from scenarios.wallet import Wallet
from scenarios.worlds.base import NetworkPlan
from scenarios.worlds.virtual import SimulatedWorld

DAY_MS = 86_400_000
POLL_S = 0.05
REST_LIMIT_S = 60


@dataclass
class Desk:
    """One agent's view of the trial."""

    trial: Trial
    genesis: Genesis

    def now_ms(self) -> int:
        return self.trial.now_ms()

    async def sleep_until(self, time_ms: int) -> None:
        await self.trial.agenda.wait_until(time_ms)

    def record(self, event: str, *, private: bool = False, **fields: RecordField) -> None:
        self.trial.records.append((event, private, fields))

    def local_name(self, kind: Kind, ledger_id: str) -> str | None:
        return self.trial.names.local(kind, ledger_id)

    def ledger_id(self, kind: Kind, local_name: str) -> str | None:
        return self.trial.names.ledger(kind, local_name)

    def bind(self, kind: Kind, local_name: str, ledger_id: str) -> None:
        self.trial.names.bind(kind, local_name, ledger_id)


@dataclass
class Trial:
    """A calendar that moves when every agent waits and every node has told all it knows."""

    scenario: Scenario
    kit: VirtualWorld
    world: SimulatedWorld
    agenda: Agenda = field(default_factory=Agenda)
    names: Names = field(default_factory=Names)
    records: list[tuple[str, bool, dict[str, RecordField]]] = field(default_factory=list)
    agents: dict[str, Agent] = field(default_factory=dict)
    wallets: dict[str, Wallet] = field(default_factory=dict)
    runs: list[asyncio.Task[None]] = field(default_factory=list)
    sessions: list[ClientSession] = field(default_factory=list)
    base_ms: int = 0
    base_ns: int = 0

    def now_ms(self) -> int:
        return self.base_ms + (self.world.now_ns() - self.base_ns) // 1_000_000

    async def open(self) -> None:
        self.base_ms = self.scenario.calendar.start_ms
        await self.world.open(self.base_ms)
        self.base_ns = self.world.now_ns()
        genesis = self.world.founding.genesis
        for name, organization in self.scenario.organizations.items():
            secrets = self.world.founding.secrets[name]
            wallet = self.wallets[name] = Wallet(
                name,
                genesis.network,
                secrets.organization_key,
                secrets.box_key,
                self.kit.random(f"{name}:wallet"),
            )
            endpoint = self.world.endpoint(name)
            with self.world.place(name):
                session = ClientSession()
                self.sessions.append(session)
                agent = self.agents[name] = make_agent(
                    organization,
                    wallet=wallet,
                    client=NodeClient(session, endpoint.url, endpoint.token),
                    desk=Desk(self, genesis),
                    random=self.kit.random(f"{name}:agent"),
                    scenario=self.scenario,
                )
                self.runs.append(asyncio.get_running_loop().create_task(agent.run()))

    async def close(self) -> None:
        for run in self.runs:
            run.cancel()
        for ended in await asyncio.gather(*self.runs, return_exceptions=True):
            if isinstance(ended, Exception):
                raise ended
        for session in self.sessions:
            await session.close()
        await self.world.close()

    async def rest(self) -> None:
        """Wait until everybody waits, and every agent has seen what its node has."""
        deadline = asyncio.get_running_loop().time() + REST_LIMIT_S
        seen = 0
        while seen < 2:
            await asyncio.sleep(POLL_S)
            for run in self.runs:
                if run.done():
                    run.result()
            seen = seen + 1 if await self._is_idle() else 0
            if asyncio.get_running_loop().time() > deadline:
                waits = [wait for agent in self.agents.values() for wait in agent.waits]
                raise AssertionError(f"no rest: {waits}, {[a.active for a in self.agents.values()]}")

    async def _is_idle(self) -> bool:
        for name, agent in self.agents.items():
            standing = await self.world.standing(name)
            if standing is None or agent.active or agent.blocked:
                return False
            if standing.pool or standing.outbox or standing.height != standing.certified:
                return False
            if agent.seen_receipt < standing.last_receipt or agent.seen_document < standing.last_document:
                return False
        return True

    async def until(self, time_ms: int) -> None:
        """Let the calendar run to a moment, stopping wherever somebody waits."""
        while True:
            await self.rest()
            following = self.agenda.next_ms()
            moment = time_ms if following is None else min(following, time_ms)
            now_ms = max(moment, self.now_ms())
            await self.world.set_calendar(now_ms)
            self.base_ms, self.base_ns = now_ms, self.world.now_ns()
            self.agenda.come_to(now_ms)
            if moment == time_ms:
                await self.rest()
                return

    async def take(self, number: int) -> tuple[str, ...]:
        """Take a step of the scenario, counted from 1; return the codes of its transactions."""
        step = self.scenario.steps[number - 1]
        acts = await self.agents[step.by].perform(step)
        return tuple(act.code for act in acts)

    def states(self, claim: str) -> list[str]:
        return [
            str(fields["state"])
            for event, _, fields in self.records
            if event == "claim.state" and fields["claim"] == claim
        ]

    def named(self, event: str) -> list[dict[str, RecordField]]:
        return [fields for name, _, fields in self.records if name == event]


def founding_of(scenario: Scenario) -> Founding:
    members = [Member(i, o.name, o.country, o.roles) for i, o in scenario.organizations.items()]
    charter = Charter(
        "trade",
        scenario.calendar.start_ms,
        members,
        zone=scenario.calendar.zone,
        orderers=scenario.orderers,
    )
    return found_from_seed(charter, "trade")


def trade(play: Callable[[Trial], Coroutine[object, object, None]], *overrides: str, seed: int = 1) -> Trial:
    """Open the scenario's network and agents, let `play` run, and close them."""
    scenario = load_scenario("nafta-certificate", overrides)
    founding = founding_of(scenario)

    async def main(kit: VirtualWorld) -> Trial:
        world = SimulatedWorld(kit, founding, NetworkPlan(), lambda _event, _fields: None)
        trial = Trial(scenario, kit, world)
        await trial.open()
        await play(trial)
        await trial.close()
        return trial

    return run_virtual(main, seed=seed, time_limit_s=3600)


def at(trial: Trial, number: int) -> int:
    moment = trial.scenario.steps[number - 1].at
    assert moment is not None
    return trial.scenario.moment_ms(moment)


async def held(trial: Trial) -> None:
    """Issue the certificate and let the importer acknowledge it."""
    await trial.until(at(trial, 1))
    assert await trial.take(1) == ("VALID", "VALID")
    await trial.until(at(trial, 1) + DAY_MS)


@pytest.mark.slow
def test_three_claims_from_certificate_to_liquidation() -> None:
    async def play(trial: Trial) -> None:
        await held(trial)
        await trial.until(at(trial, 2))
        assert await trial.take(2) == ("VALID", "VALID")
        await trial.until(at(trial, 3))
        await trial.take(3)
        await trial.until(at(trial, 3) + DAY_MS)
        assert await trial.take(4) == ("VALID",)
        await trial.until(at(trial, 5))
        await trial.take(5)
        await trial.until(trial.scenario.calendar.end_ms - DAY_MS)

    trial = trade(play)
    assert trial.states("e1") == ["CLAIMED", "ALLOWED", "LIQUIDATED"]
    assert trial.states("e2") == ["CLAIMED", "CERT_REQUESTED", "UNDER_REVIEW", "ALLOWED", "LIQUIDATED"]
    assert trial.states("e3") == ["CLAIMED", "ALLOWED", "LIQUIDATED"]
    (sent,), (answered,) = trial.named("request.sent"), trial.named("request.answered")
    assert isinstance(sent["time_ms"], int)
    assert isinstance(answered["time_ms"], int)
    assert DAY_MS <= answered["time_ms"] - sent["time_ms"] < DAY_MS + 60_000
    assert [d["believed"] for d in trial.named("decision.received")] == [True, True, True]
    assert trial.named("act.refused") == []
