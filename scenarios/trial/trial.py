"""One run of a scenario in a world, from founding to verdict.

Rules:
- Phases: warm up (a leader, everybody linked), trade under faults, heal a majority (`healing`), heal all, converge
  within a bound, final checks.
- The calendar moves only when the network is at rest (`settling`), and then to the next moment somebody waits for.
- Agents act for their organizations over HTTP; the trial only keeps the calendar, wakes them, and listens.
- A failure of the program, in a node, an agent or here, is raised; it is never a verdict.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextvars import ContextVar
from dataclasses import dataclass, field
from random import Random

import aiohttp

from ledger.genesis import Genesis, Role
from ledger.keys import SigningKey
from ledger.transaction import parse_transaction
from p2p.finality import TransactionStatus
from p2p.observer import RecordField
from scenarios.agents import Agent, StepError, make_agent
from scenarios.agents.answers import ApiProblem
from scenarios.agents.client import NodeClient, PauseHook, unnoticed
from scenarios.agents.desk import Kind
from scenarios.agents.wallet import Wallet
from scenarios.agents.witness import Witness
from scenarios.filedindex import FiledIndex
from scenarios.model import Scenario, Step
from scenarios.network.founding import key_stream
from scenarios.paper.parameters import standard_parameters
from scenarios.record.eventbook import EventBook
from scenarios.trading.openscript import OpenScript
from scenarios.trading.trader import Trader
from scenarios.trial.agenda import Agenda
from scenarios.trial.auditor import Auditor
from scenarios.trial.faultengine import FaultEngine
from scenarios.trial.healing import CONVERGENCE_LIMIT_S, Healing
from scenarios.trial.history import History
from scenarios.trial.ledgerwatch import LedgerWatch
from scenarios.trial.names import Names
from scenarios.trial.pace import Pace
from scenarios.trial.pilot import Pilot, Script
from scenarios.trial.settling import Rest, Settling
from scenarios.trial.tradestage import TradeStage
from scenarios.workload.trade import Trade
from scenarios.worlds.base import World

_CURRENT_STEP: ContextVar[int | None] = ContextVar("current_step", default=None)


@dataclass(slots=True)
class TrialOutcome:
    """What a trial leaves besides its events.

    Attributes:
        progress_faults: why it got stuck or did not converge, if it did.
        faults_never_begun: numbers of faults that never began.
        steps_never_begun: numbers of steps that never began.
        steps_not_taken: numbers of steps that could not be taken as things stood when they began, and why.
        script_unfinished: whether the script had not come to its end when trade was over.
        metrics_texts: each node's Prometheus figures at the end.
        unread: what was to be searched for private values and could not be read, and why.
        wallets: every organization's wallet, to open with its keys what it could get hold of.
        witness: what was committed, sealed and meant for whom.
        problems: every error body that a node answered its organization's program with, each once.
        frames_sent, bytes_sent: by the nodes' last lives, as they count themselves.
    """

    progress_faults: list[str] = field(default_factory=list)
    faults_never_begun: list[int] = field(default_factory=list)
    steps_never_begun: list[int] = field(default_factory=list)
    steps_not_taken: dict[int, str] = field(default_factory=dict)
    unread: list[str] = field(default_factory=list)
    script_unfinished: bool = False
    metrics_texts: dict[str, str] = field(default_factory=dict)
    wallets: dict[str, Wallet] = field(default_factory=dict)
    witness: Witness = field(default_factory=Witness)
    problems: dict[str, dict[bytes, None]] = field(default_factory=dict)
    frames_sent: int = 0
    bytes_sent: int = 0


class _StepClient(NodeClient):
    """A client that notes which scripted step a transaction belongs to, and how its node words errors."""

    def __init__(
        self, trial: Trial, organization: str, session: aiohttp.ClientSession, url: str, token: str
    ) -> None:
        super().__init__(session, url, token)
        self._trial = trial
        self._problems = trial.outcome.problems.setdefault(organization, {})

    def note_problem(self, body: bytes) -> None:
        """Keep an error's body, each once, to be searched for private values."""
        self._problems[body] = None

    async def settle(
        self, transaction_id: bytes, raw: bytes, *, pause: PauseHook = unnoticed, poll_ms: int = 30_000
    ) -> TransactionStatus:
        """Wait, then note that the outcome is known."""
        status = await super().settle(transaction_id, raw, pause=pause, poll_ms=poll_ms)
        if self._trial.auditor is not None:
            self._trial.auditor.returned(transaction_id)
        return status

    async def submit(self, raw: bytes) -> TransactionStatus:
        """Note the step, then hand in."""
        self._trial.note_step_transaction(raw)
        try:
            return await super().submit(raw)
        except ApiProblem as problem:
            if not problem.is_passing:
                self._trial.note_refusal(raw, problem.code)
            raise


@dataclass(slots=True)
class _Desk:
    """The trial as one agent sees it; see `scenarios.agents.desk.Desk`."""

    trial: Trial

    @property
    def genesis(self) -> Genesis:
        """The network's founding record."""
        return self.trial.world.founding.genesis

    def founding_key(self, organization: str) -> SigningKey:
        """Return the key with which a member was founded."""
        return self.trial.world.founding.secrets[organization].organization_key

    def now_ms(self) -> int:
        """Return the calendar."""
        return self.trial.now_ms()

    async def sleep_until(self, time_ms: int) -> None:
        """Wait until the calendar has come to `time_ms`."""
        await self.trial.agenda.wait_until(time_ms)

    def call_at(self, time_ms: int, call: Callable[[], None]) -> None:
        """Have something called when the calendar has come to `time_ms`."""
        self.trial.agenda.call_at(time_ms, call)

    def record(self, event: str, *, private: bool = False, **fields: RecordField) -> None:
        """Write a business event down."""
        self.trial.book.add(event, fields, public=not private)

    def local_name(self, kind: Kind, ledger_id: str) -> str | None:
        """Return the scenario's name for an id."""
        return self.trial.names.local(kind, ledger_id)

    def ledger_id(self, kind: Kind, local_name: str) -> str | None:
        """Return the id of a local name."""
        return self.trial.names.ledger(kind, local_name)

    def bind(self, kind: Kind, local_name: str, ledger_id: str) -> None:
        """Note an id."""
        self.trial.names.bind(kind, local_name, ledger_id)


class Trial:
    """Runs a scenario.

    Args:
        scenario: what is to happen.
        world: where.
        book: where events are written; its clocks are this trial's.
        chance: makes independent streams of chance by name.
        script: what happens besides the scenario's steps, if it is written in Python.
        trade: shipments drawn from the seed, if the scenario asks for any.
    """

    def __init__(
        self,
        scenario: Scenario,
        world: World,
        book: EventBook,
        chance: Callable[[str], Random],
        script: Script | None = None,
        trade: Trade | None = None,
    ) -> None:
        self.scenario = scenario
        self.world = world
        self.book = book
        self.chance = chance
        self.script = script
        self.papers = OpenScript(scenario)
        self.trader: Trader | None = None
        if trade is not None:
            people = standard_parameters().with_values(scenario.paper)
            self.trader = Trader(trade, people, self.papers, TradeStage(self), scenario.fisheries.vessels)
        self.pilot = Pilot(self)
        self.agenda = Agenda(scenario.calendar.grain_ms)
        self.history = History()
        self.names = Names()
        self.outcome: TrialOutcome = TrialOutcome()
        self.agents: dict[str, Agent] = {}
        self.is_closing = False
        self.auditor: Auditor | None = None
        self.calendar = CalendarClock(scenario.calendar.start_ms, world.now_ns)
        self.pace = Pace(scenario.calendar.pace, scenario.calendar.start_ms)
        self._gave_up = False
        self._sessions: list[aiohttp.ClientSession] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._noted: FiledIndex[bytes] = FiledIndex()
        self._steps_begun: list[int] = []
        book.subscribe(self.history)

    def now_ms(self) -> int:
        """Return the calendar, UTC milliseconds."""
        return self.calendar.now_ms()

    async def run(self) -> TrialOutcome:
        """Run all phases; the world is closed when this returns.

        Raises:
            Exception: whatever failed in the program itself.
        """
        try:
            await self._open()
            await self._trade()
            await self._end()
        finally:
            await self._close()
        return self.outcome

    def note_step_transaction(self, raw: bytes) -> None:
        """Write down that the running step handed in a transaction."""
        step = _CURRENT_STEP.get()
        signed = parse_transaction(raw, self.world.founding.genesis.limits.transaction_bytes_max)
        if self.auditor is not None:
            self.auditor.called(signed)
        if step is not None and signed.id not in self._noted:
            self._noted.number(signed.id)
            self.book.add("step.transaction", {"step": step, "id": signed.id.hex()})

    def note_refusal(self, raw: bytes, code: str) -> None:
        """Note that a transaction was refused at the door."""
        signed = parse_transaction(raw, self.world.founding.genesis.limits.transaction_bytes_max)
        self.history.note_code(signed.id.hex(), code)

    # Phases.

    async def _open(self) -> None:
        self.book.add("phase", {"name": "warm up", "world": self.world.kind})
        await self.world.open(self.scenario.calendar.start_ms)
        clients: dict[str, NodeClient] = {}
        for organization in self.world.organizations:
            with self.world.place(organization):
                clients[organization] = self._start_agent(organization)
        genesis = self.world.founding.genesis
        importers = [member.id for member in genesis.with_role(Role.IMPORTER)]
        self._watch = LedgerWatch(clients, self.world.is_up, self.book, self.names, importers)
        self.settling = Settling(
            self.world,
            self.agents,
            lambda: self._watch.seen,
            self._faults_explain,
            self.world.plan.timing.election_timeout_ms_max,
            lambda: self.pilot.active,
            is_away=lambda organization: not self.agents[organization].office.reads,
        )
        self.faults = FaultEngine(
            self.scenario,
            self.world,
            self.book,
            self.history,
            self.agenda,
            self.now_ms,
            self.leader,
            self.chance,
            {organization: agent.office for organization, agent in self.agents.items()},
            lambda organization: self.outcome.wallets[organization].signing_key,
        )
        self.healing = Healing(
            world=self.world,
            faults=self.faults,
            book=self.book,
            settling=self.settling,
            clients=clients,
            wallets=self.outcome.wallets,
            chance=self.chance("healing"),
            now_ms=self.now_ms,
        )
        if "linearizability" in self.scenario.checks:
            orderers, chance = self.scenario.orderers, self.chance("auditor")
            self.auditor = Auditor(self.world, orderers, clients, self.book, chance, self._spawn)
        self._spawn(self._watch.run(), "ledger watch", self.world.organizations[0])
        await self._rest("warm up")

    async def _trade(self) -> None:
        self.book.add("phase", {"name": "trade"})
        self.faults.start()
        self.pace.begin()
        for number, step in enumerate(self.scenario.steps, 1):
            self._spawn(self._take_step(number, step), f"step {number}", step.by)
        if self.trader is not None:
            self._spawn(self.trader.run(), "trade", self.world.organizations[0])
        if self.script is not None:
            self._spawn(self.pilot.run(self.script), "script", self.world.organizations[0])
        end_ms = self.scenario.calendar.end_ms
        while True:
            await self._rest("trade")
            following = self.agenda.next_ms()
            if self.outcome.progress_faults or self._gave_up:
                break
            is_over = following is None or following > end_ms
            if await self.pace.keep(end_ms if following is None or is_over else following):
                continue
            if following is None or is_over:
                break
            await self._move_calendar(max(following, self.now_ms()))
        self.history.complete = not (self.outcome.progress_faults or self._gave_up)

    async def _end(self) -> None:
        self.outcome.faults_never_begun = self.faults.never_begun
        steps = range(1, len(self.scenario.steps) + 1)
        self.outcome.steps_never_begun = [number for number in steps if number not in self._steps_begun]
        self.outcome.script_unfinished = self.pilot.is_running
        await self.healing.heal_majority()
        if not await self.healing.heal_all():
            text = f"not converged within {CONVERGENCE_LIMIT_S:g} s after all faults were healed"
            self._note_stuck(text, "convergence.missed")
        self._raise_failures()
        for organization in self.world.organizations:
            standing = await self.world.standing(organization)
            if standing is not None:
                self.outcome.frames_sent += standing.frames_sent
                self.outcome.bytes_sent += standing.bytes_sent
        for organization, agent in self.agents.items():
            if self.world.is_up(organization):
                try:
                    self.outcome.metrics_texts[organization] = await self._metrics(organization, agent)
                except (aiohttp.ClientError, TimeoutError) as error:
                    self.outcome.unread.append(
                        f"the metrics of {organization}'s node could not be read and were not searched:"
                        f" {type(error).__name__}: {error}"
                    )

    async def _close(self) -> None:
        self.is_closing = True
        if self.trader is not None:
            self.trader.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for session in self._sessions:
            await session.close()
        await self.world.close()
        self.book.add("phase", {"name": "closed"})

    # Parts.

    def _start_agent(self, organization: str) -> NodeClient:
        endpoint = self.world.endpoint(organization)
        session = aiohttp.ClientSession()
        self._sessions.append(session)
        client = _StepClient(self, organization, session, endpoint.url, endpoint.token)
        own = self.world.founding.secrets[organization]
        wallet = Wallet(
            organization,
            self.world.founding.genesis.network,
            own.organization_key,
            own.box_key,
            self.chance(f"{organization}: wallet"),
            key_random=self.chance(key_stream(organization)),
            witness=self.outcome.witness,
        )
        self.outcome.wallets[organization] = wallet
        agent = make_agent(
            self.scenario.organizations[organization],
            wallet=wallet,
            client=client,
            desk=_Desk(self),
            random=self.chance(f"{organization}: agent"),
            scenario=self.papers,
        )
        self.agents[organization] = agent
        self._spawn(agent.run(), f"agent of {organization}", organization)
        return client

    def _spawn(self, coroutine: Coroutine[object, object, None], name: str, organization: str) -> None:
        with self.world.place(organization):
            task = asyncio.get_running_loop().create_task(coroutine, name=name)
        self._tasks.append(task)

    async def _take_step(self, number: int, step: Step) -> None:
        if step.at is not None:
            await self.agenda.wait_until(self.scenario.moment_ms(step.at))
        elif step.when is not None:
            await self.history.until(step.when)
            if step.after is not None:
                await self.agenda.wait_until(self.now_ms() + step.after.duration.ms)
        _CURRENT_STEP.set(number)
        self._steps_begun.append(number)
        self.book.add("step.began", {"step": number, "do": step.do, "organization": step.by})
        try:
            await self.agents[step.by].perform(step)
        except StepError as error:
            self.outcome.steps_not_taken[number] = str(error)
            fields: dict[str, RecordField] = {"step": number, "do": step.do, "organization": step.by}
            self.book.add("step.not_taken", fields | {"reason": str(error)})

    async def _move_calendar(self, time_ms: int) -> None:
        await self.world.set_calendar(time_ms)
        self.calendar.set(time_ms)
        self.agenda.come_to(time_ms)

    async def _rest(self, phase: str) -> None:
        rest = await self.settling.rest()
        self._raise_failures()
        if rest is Rest.STUCK:
            self._note_stuck(f"nothing moved during {phase} and no fault in force explains it")

    def _note_stuck(self, text: str, event: str = "progress.missed") -> None:
        waits = [
            f"{job} waits for {kind} {what}" for a in self.agents.values() for job, kind, what in a.waits
        ]
        told = "; ".join([text, *waits[:10]])
        if event == "progress.missed" and self.scenario.beyond and self.faults.has_taken_majority:
            self._gave_up = True
            self.book.add("progress.excused", {"text": told})
            return
        self.outcome.progress_faults.append(told)
        self.book.add(event, {"text": told})

    def _raise_failures(self) -> None:
        self.faults.raise_failure()
        if self.trader is not None and self.trader.failure is not None:
            raise self.trader.failure
        for task in self._tasks:
            if task.done() and not task.cancelled() and (error := task.exception()) is not None:
                raise error

    def _faults_explain(self) -> bool:
        return self.faults.blocks

    async def leader(self) -> str | None:
        """Return whose node leads, if anybody's."""
        for organization in self.world.organizations:
            standing = await self.world.standing(organization)
            if standing is not None and standing.role == "leader":
                return organization
        return None

    async def _metrics(self, organization: str, agent: Agent) -> str:
        endpoint = self.world.endpoint(organization)
        headers = {"Authorization": f"Bearer {endpoint.token}"}
        with self.world.place(organization):
            async with (
                aiohttp.ClientSession(headers=headers) as session,
                session.get(f"{endpoint.url}/metrics") as response,
            ):
                response.raise_for_status()
                return await response.text()


class CalendarClock:
    """The trial's own calendar: runs with protocol time from where it was last set."""

    def __init__(self, start_ms: int, now_ns: Callable[[], int]) -> None:
        self._base_ms = start_ms
        self._now_ns = now_ns
        self._base_ns = now_ns()

    def set(self, time_ms: int) -> None:
        """Move the calendar."""
        self._base_ms = time_ms
        self._base_ns = self._now_ns()

    def now_ms(self) -> int:
        """Return UTC milliseconds."""
        return self._base_ms + (self._now_ns() - self._base_ns) // 1_000_000
