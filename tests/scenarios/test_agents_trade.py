"""Exporter, importer and Customs over real nodes in the virtual world, with the smallest possible trial."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field

import pytest
from aiohttp import ClientSession

from ledger.envelopes import SignedEnvelope
from ledger.genesis import Genesis
from ledger.keys import SigningKey
from p2p.finality import Finality, TransactionStatus
from p2p.observer import RecordField
from p2p.virtual import VirtualWorld, run_virtual
from scenarios.agents import Agent, Kind, StepError, WaitKind, make_agent
from scenarios.agents.client import NodeClient
from scenarios.agents.register import CertificateEntry
from scenarios.agents.wallet import Wallet
from scenarios.agents.witness import Witness
from scenarios.model import Scenario
from scenarios.model.catalog import load_scenario
from scenarios.model.steps import (
    CorrectClaim,
    DenyClaim,
    Liquidate,
    NotifyIncorrect,
    ReinstateHolding,
    RejectHolding,
    SuspendHolding,
)
from scenarios.network.founding import Charter, Founding, Member, found_from_seed
from scenarios.network.plan import NetworkPlan
from scenarios.trial.agenda import Agenda
from scenarios.trial.names import Names
from scenarios.worlds.virtual import SimulatedWorld

DAY_MS = 86_400_000
POLL_S = 0.05
REST_LIMIT_S = 60
FILED = "claim e1 filed"
CORRECTION = {
    "do": "correct-claim",
    "when": FILED,
    "by": "importer",
    "claim": "e1",
    "discovered_on": "2018-12-01",
}
REASON = "the producer's affidavit was withdrawn"


@dataclass
class Desk:
    """One agent's view of the trial."""

    trial: Trial
    genesis: Genesis

    def founding_key(self, organization: str) -> SigningKey:
        return self.trial.world.founding.secrets[organization].organization_key

    def now_ms(self) -> int:
        return self.trial.now_ms()

    async def sleep_until(self, time_ms: int) -> None:
        await self.trial.agenda.wait_until(time_ms)

    def call_at(self, time_ms: int, call: Callable[[], None]) -> None:
        self.trial.agenda.call_at(time_ms, call)

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
    witness: Witness = field(default_factory=Witness)
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
                witness=self.witness,
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
        ended = await asyncio.gather(*self.runs, return_exceptions=True)
        for session in self.sessions:
            await session.close()
        await self.world.close()
        for error in ended:
            if isinstance(error, Exception):
                raise error

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
            await self.move(max(moment, self.now_ms()))
            if moment == time_ms:
                await self.rest()
                return

    async def move(self, time_ms: int) -> None:
        await self.world.set_calendar(time_ms)
        self.base_ms, self.base_ns = time_ms, self.world.now_ns()
        self.agenda.come_to(time_ms)

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

    @property
    def genesis(self) -> Genesis:
        return self.world.founding.genesis

    def certificate(self) -> CertificateEntry:
        (certificate,) = self.agents["noaa"].register.certificates.values()
        return certificate

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
        try:
            await trial.open()
            await play(trial)
        finally:
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


pytestmark = pytest.mark.slow


def test_three_claims_from_certificate_to_liquidation() -> None:
    trial = trade(whole_year)
    assert trial.states("e1") == ["CLAIMED", "ALLOWED", "LIQUIDATED"]
    assert trial.states("e2") == ["CLAIMED", "CERT_REQUESTED", "UNDER_REVIEW", "ALLOWED", "LIQUIDATED"]
    assert trial.states("e3") == ["CLAIMED", "ALLOWED", "LIQUIDATED"]
    (sent,), (answered,) = trial.named("request.sent"), trial.named("request.answered")
    assert isinstance(sent["time_ms"], int)
    assert isinstance(answered["time_ms"], int)
    assert DAY_MS <= answered["time_ms"] - sent["time_ms"] < DAY_MS + 60_000
    assert [d["believed"] for d in trial.named("decision.received")] == [True, True, True]
    assert trial.named("act.refused") == []
    assert_nothing_private_is_recorded(trial)


async def whole_year(trial: Trial) -> None:
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


def assert_nothing_private_is_recorded(trial: Trial) -> None:
    shown = repr(trial.records)
    searched = 0
    for secret in trial.witness.secrets():
        value = secret.value.reveal()
        if len(value) >= 12:
            searched += 1
            assert value.decode("latin-1") not in shown, secret.where
            assert value.hex() not in shown, secret.where
    assert searched > 50


def test_a_year_repeats_exactly_from_its_seed() -> None:
    assert trade(whole_year, seed=7).records == trade(whole_year, seed=7).records


async def first_claim(trial: Trial) -> None:
    await held(trial)
    await trial.until(at(trial, 2))
    await trial.take(2)
    await trial.until(at(trial, 2) + 90 * DAY_MS)


def test_importer_never_sees_the_producer_that_customs_sees() -> None:
    trial = trade(held)
    root = trial.certificate().root
    producer = {"producer_name", "producer_address", "producer_email", "producer_tax_id"}
    for reader, sees in (("importer", set()), ("cbp", producer)):
        opened = trial.wallets[reader].opened(root)
        assert opened is not None
        assert producer & set(opened.fields) == sees


def test_heading_that_the_certificate_lacks_is_asked_about_and_denied() -> None:
    trial = trade(first_claim, 'claims.e1.goods.hts="0304.87.0000"')
    assert trial.states("e1") == ["CLAIMED", "CERT_REQUESTED", "UNDER_REVIEW", "DENIED"]
    assert trial.named("decision.received")[0]["believed"] is True


def test_claim_without_proven_possession_is_asked_about_and_denied() -> None:
    trial = trade(first_claim, "organizations.importer.agent.acknowledge_after=never")
    assert trial.states("e1") == ["CLAIMED", "CERT_REQUESTED", "UNDER_REVIEW", "DENIED"]
    (claim,) = trial.agents["noaa"].register.claims.values()
    assert claim.findings == ("NO_POSSESSION",)


def test_silence_past_the_requests_time_is_denied() -> None:
    async def play(trial: Trial) -> None:
        await held(trial)
        await trial.until(at(trial, 3))
        await trial.take(3)
        await trial.until(at(trial, 3) + DAY_MS)
        await trial.take(4)
        await trial.until(at(trial, 3) + 31 * DAY_MS)
        assert trial.states("e2") == ["CLAIMED", "CERT_REQUESTED"]
        await trial.until(at(trial, 3) + 33 * DAY_MS)

    trial = trade(play, "organizations.importer.agent.answer_after=never")
    assert trial.states("e2") == ["CLAIMED", "CERT_REQUESTED", "DENIED"]


def test_customs_leaves_a_scripted_request_to_the_script() -> None:
    async def play(trial: Trial) -> None:
        await held(trial)
        await trial.until(at(trial, 3))
        await trial.take(3)
        await trial.until(at(trial, 3) + DAY_MS)
        assert trial.states("e2") == ["CLAIMED"]
        await trial.take(4)
        await trial.until(at(trial, 3) + 5 * DAY_MS)

    trial = trade(play, "organizations.cbp.agent.review_after=1h")
    assert trial.states("e2") == ["CLAIMED", "CERT_REQUESTED", "UNDER_REVIEW", "ALLOWED"]


def test_certified_act_is_work_as_soon_as_the_feed_tells_of_it() -> None:
    async def play(trial: Trial) -> None:
        await trial.until(at(trial, 1))
        exporter = trial.agents["exporter"]
        status = exporter.client.status

        async def slow(
            transaction_id: bytes, wait: Finality | None = None, timeout_ms: int = 0
        ) -> TransactionStatus | None:
            answer = await status(transaction_id, wait, timeout_ms)
            await asyncio.sleep(3)
            return answer

        exporter.client.status = slow  # type: ignore[method-assign]
        step = asyncio.create_task(trial.take(1))
        while exporter.seen_receipt < 0:
            await exporter.news.wait()
        assert (exporter.active, step.done()) == (1, False)
        assert await step == ("VALID", "VALID")

    trade(play)


def test_act_that_expired_without_effect_is_signed_again() -> None:
    async def play(trial: Trial) -> None:
        await held(trial)
        await trial.until(at(trial, 2))
        importer = trial.agents["importer"]
        others = [name for name in trial.agents if name != "importer"]
        leads = {name: (await trial.world.standing(name)).role == "leader" for name in others}
        assert any(leads.values()), "a leader that stays would have it in a block already"
        away = sorted(others, key=lambda name: not leads[name])[:3]
        for organization in away:
            await trial.world.crash(organization)
        step = asyncio.create_task(trial.take(2))
        await asyncio.sleep(5)
        assert (importer.active, importer.blocked) == (0, 0)
        assert [kind for _, kind, _ in importer.waits] == [WaitKind.RECEIPT]
        await trial.move(trial.now_ms() + 8 * DAY_MS)
        for organization in away:
            await trial.world.restart(organization)
        assert await step == ("VALID", "VALID")
        await trial.rest()

    trial = trade(play, "organizations.cbp.agent.review_after=never")
    assert trial.states("e1") == ["CLAIMED"]
    assert trial.wallets["importer"].nonces.next_counter == 4


def test_customs_decides_what_the_scenario_scripts() -> None:
    async def play(trial: Trial) -> None:
        await first_claim(trial)
        customs = trial.agents["cbp"]
        assert trial.states("e1") == ["CLAIMED"]
        deny = DenyClaim(
            do="deny-claim", at=None, after=None, when=FILED, by="cbp", claim="e1", reason=REASON
        )
        assert [act.code for act in await customs.perform(deny)] == ["VALID"]
        (refused,) = await customs.perform(deny)
        assert (refused.code, refused.rule) == ("RULE_VIOLATED", "deny/impossible-transition")
        liquidate = Liquidate(do="liquidate", at=None, after=None, when=FILED, by="cbp", claim="e1")
        assert [act.code for act in await customs.perform(liquidate)] == ["VALID"]
        await trial.rest()

    trial = trade(play, "organizations.cbp.agent.review_after=never")
    assert trial.states("e1") == ["CLAIMED", "DENIED", "LIQUIDATED"]
    assert REASON not in repr(trial.records)
    assert len(trial.named("act.refused")) == 1


def test_notice_correction_and_suspension_go_their_ways() -> None:
    async def play(trial: Trial) -> None:
        await first_claim(trial)
        by_cbp = {"when": FILED, "by": "cbp", "document": "c1", "holder": "importer"}
        codes: list[str] = []
        for step in (
            SuspendHolding(do="suspend-holding", **by_cbp),
            ReinstateHolding(do="reinstate-holding", **by_cbp),
            NotifyIncorrect(
                do="notify-incorrect",
                at=None,
                after=None,
                when=FILED,
                by="exporter",
                document="c1",
                reason=REASON,
            ),
            CorrectClaim.model_validate(CORRECTION),
        ):
            codes += [act.code for act in await trial.agents[step.by].perform(step)]
        assert codes == ["VALID"] * 5
        await trial.rest()

    trial = trade(play, "organizations.cbp.agent.review_after=never")
    assert trial.states("e1") == ["CLAIMED", "CORRECTED"]
    assert [notice["organization"] for notice in trial.named("notice.received")] == ["importer"]
    assert REASON not in repr(trial.records)
    assert_nothing_private_is_recorded(trial)


def test_envelope_of_another_document_is_complained_of_not_acknowledged() -> None:
    async def play(trial: Trial) -> None:
        exporter = trial.agents["exporter"]
        send = exporter.send

        async def cheat(root: bytes, to: str, names: tuple[str, ...] | None = None) -> None:
            if to != "importer":
                await send(root, to, names)
                return
            other = exporter.wallet.commit({"kind": "NAFTA-434", "exporter_name": "Another"})
            signed = exporter.wallet.seal(other, to, trial.genesis.organization(to).box_key)
            sealed = SignedEnvelope.decode(signed).sealed
            await exporter.client.post_document(root, to, exporter.wallet.sign_envelope(root, to, sealed))

        exporter.send = cheat  # type: ignore[method-assign]
        await held(trial)

    trial = trade(play)
    assert [c["reason"] for c in trial.named("certificate.complained")] == ["ROOT_MISMATCH"] * 2
    assert trial.named("certificate.acknowledged") == []
    assert [c["holder"] for c in trial.named("complaint.received")] == ["importer"] * 2


def test_step_outlives_its_node_and_has_one_effect() -> None:
    async def play(trial: Trial) -> None:
        await held(trial)
        await trial.until(at(trial, 2))
        importer = trial.agents["importer"]
        await trial.world.crash("importer")
        step = asyncio.create_task(trial.take(2))
        await asyncio.sleep(5)
        assert (importer.active, importer.blocked, step.done()) == (0, 1, False)
        await trial.world.restart("importer")
        assert await step == ("VALID", "VALID")
        await trial.until(at(trial, 2) + 3 * DAY_MS)

    assert trade(play).states("e1") == ["CLAIMED", "ALLOWED"]


def test_step_of_another_trade_is_refused_by_name() -> None:
    async def play(trial: Trial) -> None:
        with pytest.raises(StepError, match="noaa cannot issue-certificate: it is fisheries"):
            await trial.agents["noaa"].perform(trial.scenario.steps[0])
        step = CorrectClaim.model_validate(CORRECTION)
        with pytest.raises(StepError, match="claim e1 is not on the ledger"):
            await trial.agents["importer"].perform(step)

    trade(play)


def test_failing_reaction_ends_its_agent_and_is_told() -> None:
    async def play(trial: Trial) -> None:
        importer = trial.agents["importer"]
        told: list[BaseException] = []
        importer.on_failure = lambda _agent, error: told.append(error)

        def fail(root: bytes, sealed: bytes) -> None:
            raise ZeroDivisionError("broken program")

        importer.wallet.open = fail  # type: ignore[method-assign,assignment]
        await trial.until(at(trial, 1))
        await trial.take(1)
        with pytest.raises(ZeroDivisionError):
            await trial.rest()
        assert [type(error) for error in told] == [ZeroDivisionError]
        assert importer.failure is told[0]

    with pytest.raises(ZeroDivisionError):
        trade(play)


def test_what_customs_decides_on_a_holding_its_importer_learns_and_nobody_else() -> None:
    async def play(trial: Trial) -> None:
        await first_claim(trial)
        customs = trial.agents["cbp"]
        by_cbp = {"when": FILED, "by": "cbp", "document": "c1", "holder": "importer"}
        await customs.perform(SuspendHolding(do="suspend-holding", **by_cbp))
        reject = RejectHolding(do="reject-holding", **by_cbp)
        (early,) = await customs.perform(reject)
        assert (early.code, early.rule) == ("RULE_VIOLATED", "reject/too-early")
        await trial.until(at(trial, 2) + 110 * DAY_MS)
        assert [act.code for act in await customs.perform(reject)] == ["VALID"]
        await trial.rest()

    trial = trade(play, "organizations.cbp.agent.review_after=never")
    told = [
        (record["organization"], record["state"], record["believed"])
        for record in trial.named("holding.told")
    ]
    assert told == [("importer", "SUSPENDED", True), ("importer", "NOT_ACCEPTED", True)]
    public = [(name, fields) for name, private, fields in trial.records if not private]
    assert [name for name, _ in public if name.startswith("holding.")] == ["holding.opened", "holding.closed"]
    assert "SUSPENDED" not in repr(public)
    assert "NOT_ACCEPTED" not in repr(public)
    assert_nothing_private_is_recorded(trial)
