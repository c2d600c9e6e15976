"""Members that come and go while agents are at work: who joined is addressed and answers, who left is not."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from random import Random

import pytest
from aiohttp import ClientSession

from ledger.contracts.membership import Purpose, prove_possession
from ledger.encoding import Value
from ledger.genesis import Role
from ledger.keys import BoxKey, SigningKey, seed_for
from ledger.transaction import Transaction, sign_approval, sign_transaction
from p2p.config import NodeConfig
from p2p.virtual import VirtualWorld, run_virtual
from scenarios.agents import make_agent
from scenarios.agents.client import NodeClient, Receipt
from scenarios.agents.members import Members
from scenarios.agents.wallet import Wallet
from scenarios.model.catalog import load_scenario
from scenarios.network.founding import Charter, Founding, Member, Secrets, found_from_seed
from scenarios.network.plan import Address, NetworkPlan, node_config
from scenarios.worlds import virtual as worlds
from scenarios.worlds.virtual import API_PORT, PEER_PORT, SimulatedWorld
from tests.scenarios.test_agents_trade import DAY_MS, Desk, Trial, at

NEWCOMER = "newcomer"
SCENARIO = """
scenario: joining
extends: nafta-certificate
title: An importer joins during the trade
organizations:
  newcomer:
    name: Newcomer Foods, Inc.
    country: US
    roles: [importer, broker]
    agent: { acknowledge_after: 1h }
documents:
  c1: { addressees: [importer, newcomer, cbp] }
"""


def key_of(purpose: str) -> SigningKey:
    return SigningKey.from_seed(seed_for("joining", purpose))


class Joining:
    """The trade's little trial, and one organization that genesis does not list."""

    def __init__(self, trial: Trial) -> None:
        self.trial = trial
        self.nonce = 0

    async def change(self, kind: str, body: dict[str, Value]) -> str | None:
        """Have a change of members certified, approved by every founder; return its code."""
        world = self.trial.world
        self.nonce += 1
        keys = {name: secrets.organization_key for name, secrets in world.founding.secrets.items()}
        founders = [member.id for member in world.founding.genesis.organizations]
        unsigned = Transaction(
            version=1,
            network=self.trial.genesis.network,
            type=kind,
            creator="exporter",
            nonce=(1 << 40, self.nonce),
            valid_until_ms=self.trial.now_ms() + DAY_MS,
            documents=(),
            approvals=(),
            body=body,
        )
        approvals = tuple(
            (name, sign_approval(unsigned, keys[name])) for name in founders if name != "exporter"
        )
        signed = sign_transaction(approved(unsigned, approvals), keys["exporter"])
        client = self.trial.agents["exporter"].client
        await client.submit_until_accepted(signed.raw)
        return (await client.settle(signed.id, signed.raw)).code

    async def join(self) -> None:
        """Have the newcomer added, start its node, then its agent."""
        trial, world = self.trial, self.trial.world
        host = world.kit.add_host(NEWCOMER, on_failure=world._note_failure)
        host.calendar.set(world.kit.loop, trial.now_ms())
        world._addresses[NEWCOMER] = Address(host.address, PEER_PORT, API_PORT)
        box_key = BoxKey.from_seed(seed_for("joining", "box"))
        own = Secrets(key_of("organization"), key_of("node"), box_key, "t" * 32, "c" * 32)
        world.founding.secrets[NEWCOMER] = own  # type: ignore[index]
        network = trial.genesis.network
        code = await self.change(
            "member.add",
            {
                "organization": NEWCOMER,
                "name": trial.scenario.organizations[NEWCOMER].name,
                "country": "US",
                "roles": ["importer", "broker"],
                "key": own.organization_key.public,
                "key_proof": prove_possession(own.organization_key, network, NEWCOMER, Purpose.ORGANIZATION),
                "box_key": box_key.public,
                "node_key": own.node_key.public,
                "node_key_proof": prove_possession(own.node_key, network, NEWCOMER, Purpose.NODE),
                "url": f"http://{host.address}:{PEER_PORT}",
            },
        )
        assert code == "VALID"
        world.organizations.append(NEWCOMER)
        world._boot(NEWCOMER)
        await world._opened(NEWCOMER)
        wallet = trial.wallets[NEWCOMER] = Wallet(
            NEWCOMER, network, own.organization_key, box_key, Random("w")
        )
        with world.place(NEWCOMER):
            session = ClientSession()
            trial.sessions.append(session)
            agent = trial.agents[NEWCOMER] = make_agent(
                trial.scenario.organizations[NEWCOMER],
                wallet=wallet,
                client=NodeClient(session, f"http://{host.address}:{API_PORT}", own.token),
                desk=Desk(trial, trial.genesis),
                random=Random("a"),
                scenario=trial.scenario,
            )
            trial.runs.append(asyncio.get_running_loop().create_task(agent.run()))


def approved(transaction: Transaction, approvals: tuple[tuple[str, bytes], ...]) -> Transaction:
    fields = {name: getattr(transaction, name) for name in Transaction.__slots__}
    return Transaction(**fields | {"approvals": approvals})


def founding() -> Founding:
    scenario = load_scenario("nafta-certificate")
    members = [Member(i, o.name, o.country, o.roles) for i, o in scenario.organizations.items()]
    start_ms, orderers = scenario.calendar.start_ms, scenario.orderers
    return found_from_seed(Charter("joining", start_ms, members, orderers=orderers), "joining")


Play = Callable[[Joining], Coroutine[object, object, None]]


@pytest.fixture
def joining(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Play], Trial]:
    path = tmp_path / "joining.yaml"
    path.write_text(SCENARIO, encoding="utf-8")
    scenario = load_scenario(path)

    def configured(
        founded: Founding, plan: NetworkPlan, name: str, addresses: dict[str, Address], *, calendar_ms: int
    ) -> NodeConfig:
        founders = {o.id: addresses[o.id] for o in founded.genesis.organizations}
        if name in founders:
            return node_config(founded, plan, name, founders, calendar_ms=calendar_ms)
        template = node_config(founded, plan, "exporter", founders, calendar_ms=calendar_ms)
        fields = {slot: getattr(template, slot) for slot in template.__slots__}
        here, own = addresses[name], founded.secrets[name]
        urls = {other: f"http://{a.host}:{a.peer_port}" for other, a in founders.items()}
        return NodeConfig(
            **fields
            | {
                "organization": name,
                "node_key": own.node_key,
                "peer_host": here.host,
                "api_host": here.host,
                "peers": urls,
                "neighbors": tuple(urls),
                "token": own.token,
                "registered_raft_id": len(founders) + 1,
                "incarnation": 1,
            }
        )

    monkeypatch.setattr(worlds, "node_config", configured)

    def run(play: Play) -> Trial:
        async def main(kit: VirtualWorld) -> Trial:
            world = SimulatedWorld(kit, founding(), NetworkPlan(), lambda _event, _fields: None)
            founders = {m.id: scenario.organizations[m.id] for m in world.founding.genesis.organizations}
            trial = Trial(scenario.model_copy(update={"organizations": founders}), kit, world)
            try:
                await trial.open()
                trial.scenario = scenario
                await play(Joining(trial))
            finally:
                await trial.close()
            return trial

        return run_virtual(main, seed=1, time_limit_s=3600)

    return run


@pytest.mark.slow
def test_an_importer_that_joined_during_the_run_receives_a_certificate_and_acknowledges(
    joining: Callable[[Play], Trial],
) -> None:
    async def play(joins: Joining) -> None:
        trial = joins.trial
        await trial.until(at(trial, 1) - DAY_MS // 24)
        await joins.join()
        await trial.until(at(trial, 1))
        assert await trial.take(1) == ("VALID", "VALID", "VALID")
        await trial.until(at(trial, 1) + DAY_MS)

    trial = joining(play)
    held = {record["holder"] for record in trial.named("certificate.acknowledged")}
    assert held == {"importer", NEWCOMER}
    assert trial.agents[NEWCOMER].organization.roles == (Role.IMPORTER, Role.BROKER)


@pytest.mark.slow
def test_a_member_that_left_is_no_longer_addressed(joining: Callable[[Play], Trial]) -> None:
    async def play(joins: Joining) -> None:
        trial = joins.trial
        await trial.until(at(trial, 1) - DAY_MS // 24)
        await joins.join()
        await trial.rest()
        assert await joins.change("member.remove", {"organization": NEWCOMER}) == "VALID"
        trial.runs.pop().cancel()
        del trial.agents[NEWCOMER]
        await trial.rest()
        await trial.until(at(trial, 1))
        assert await trial.take(1) == ("VALID", "VALID")
        await trial.until(at(trial, 1) + DAY_MS)

    trial = joining(play)
    (issued,) = trial.named("certificate.issued")
    assert issued["addressees"] == ["importer", "cbp"]
    assert [record["holder"] for record in trial.named("certificate.acknowledged")] == ["importer"]


def receipt(kind: str, **body: Value) -> Receipt:
    return Receipt(0, 1, 0, bytes(32), "VALID", None, (), 0, kind, "cbp", body, ())


def test_the_book_of_members_follows_the_ledger() -> None:
    members = Members(founding().genesis)
    assert [member.id for member in members.with_role(Role.IMPORTER)] == ["importer"]
    added = {"organization": NEWCOMER, "name": "N", "country": "CA", "roles": ["importer"]}
    members.take(receipt("member.add", **added))
    assert [member.id for member in members.with_role(Role.IMPORTER)] == ["importer", NEWCOMER]
    assert members.countries[NEWCOMER] == "CA"
    members.take(receipt("member.remove", organization=NEWCOMER))
    assert not members.has_role(NEWCOMER, Role.IMPORTER)
    assert members.has_left(NEWCOMER)
    assert not members.has_left("never-heard-of")
    assert members.countries[NEWCOMER] == "CA"
