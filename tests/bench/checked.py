"""What a transaction costs with all checks of a run switched on: the load once without and once with them, in turn.

Rules:
- Both have the same transactions, which anchor real certificates of origin with all their private fields. Committing
  and signing is no part of any figure.
- Without: what `load` measures. With: all that is told of a run while it happens (`scenarios.running.watching`), the
  history, and the public record read over HTTP, as in `seatrial run`; afterwards, told apart, all that a run is held
  against once it is over: frames, records and disks searched for every private value and salt, who could read
  what, stores read back, every check's end.
- No check may be violated; how often each was exercised is told. One that nothing of this load could trip says 0.
"""

from __future__ import annotations

import asyncio
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from ledger.encoding import Value
from p2p.holdings import Holding
from p2p.observer import RecordField
from scenarios.agents.client import NodeClient
from scenarios.agents.papers import KIND, open_fields
from scenarios.agents.wallet import Wallet
from scenarios.judging.checks.check import FinalState
from scenarios.judging.checks.raft import RaftProperties
from scenarios.judging.checks.registry import Setting, make_checks
from scenarios.judging.final import read_final
from scenarios.judging.measure import Measurement
from scenarios.model.catalog import load_scenario
from scenarios.model.documents import form_of, form_values
from scenarios.privacy.entitlement import entitlement_of
from scenarios.privacy.leaks import LeakSearch
from scenarios.privacy.reach import Reach
from scenarios.privacy.readings import Readings, compare
from scenarios.privacy.survey import Findings, survey
from scenarios.record.eventbook import EventBook
from scenarios.record.runfolder import RunFolder
from scenarios.running.watching import Watch
from scenarios.trial.history import History
from scenarios.trial.ledgerwatch import LedgerWatch
from scenarios.trial.names import Names
from scenarios.trial.trial import TrialOutcome
from scenarios.worlds.virtual import STORE_FILES, SimulatedWorld
from tests.bench.cluster import SCENARIO, SEED, Cluster, in_cluster, network
from tests.bench.load import (
    BATCH,
    EXPORTER,
    RATE_PER_S,
    WARM_UP_S,
    all_certified,
    check_outcome,
    hand_in,
    sign_load,
)
from tests.bench.reference import reference_ms

DURATION_S = 10
PAIRS = 3
GOAL_MS = 4.0
DOCUMENT = "c1"
READERS = ("importer", "cbp")


@dataclass(frozen=True, slots=True)
class CheckedFigures:
    """One measured load, CPU milliseconds per transaction.

    Attributes:
        during_ms: from the first batch until all is certified everywhere, and the public record has it.
        afterwards_ms: what the run is held against once it is over; 0 without checks.
        exercised: how often each check was; nothing without checks.
        searched_mib: what was searched for private values.
        sought: how many private values and salts.
    """

    during_ms: float
    afterwards_ms: float
    exercised: Mapping[str, int]
    searched_mib: float
    sought: int

    @property
    def whole_ms(self) -> float:
        """All of it."""
        return self.during_ms + self.afterwards_ms


@dataclass(frozen=True, slots=True)
class PairFigures:
    """Pairs of loads without and with checks, in the order in which they were measured.

    Attributes:
        without, checked: figures of each pair.
        transactions: in each load.
        fields_each: of each document.
        references_ms: the fixed reference work beside each pair.
    """

    without: tuple[CheckedFigures, ...]
    checked: tuple[CheckedFigures, ...]
    transactions: int
    fields_each: int
    references_ms: tuple[float, ...]

    def median_ms(self, figure: Callable[[CheckedFigures, CheckedFigures], float]) -> float:
        """Return the median over the pairs of something of a load without and its like with checks."""
        return statistics.median(
            figure(bare, watched) for bare, watched in zip(self.without, self.checked, strict=True)
        )


def measure_checked(pairs: int = PAIRS, duration_s: int = DURATION_S) -> PairFigures:
    """Measure loads without and with checks in turn.

    Raises:
        AssertionError: if a transaction was lost or refused, or a check violated.
    """
    papers = Papers(RATE_PER_S * duration_s)
    without: list[CheckedFigures] = []
    checked: list[CheckedFigures] = []
    references: list[float] = []
    for _ in range(pairs):
        references.append(reference_ms())
        without.append(in_cluster(lambda cluster: _bare(cluster, papers.raws)))
        with tempfile.TemporaryDirectory(prefix="seatrial-") as out:
            checked.append(WatchedLoad(papers, Path(out)).measure())
    return PairFigures(
        tuple(without), tuple(checked), len(papers.raws), papers.fields_each, tuple(references)
    )


class Papers:
    """The load's documents, committed to by the exporter.

    Attributes:
        raws: the signed transactions that anchor them.
        outcome: every organization's wallet, and a witness of all that was committed to.
    """

    def __init__(self, count: int) -> None:
        founding, _, now_ms = network()
        self.outcome = TrialOutcome()
        for organization, own in founding.secrets.items():
            self.outcome.wallets[organization] = Wallet(
                organization,
                founding.genesis.network,
                own.organization_key,
                own.box_key,
                random.Random(f"papers of {organization}"),
                witness=self.outcome.witness,
            )
        names = [organization.name for organization in founding.genesis.organizations]
        document = load_scenario(SCENARIO).documents[DOCUMENT]
        form = form_of(document)
        fields = {KIND: form.code, **form.flatten(form_values(document))}
        self.fields_each = len(fields)
        roots = [
            self._commit(fields | {"exporter_tax_id": f"ABM{number:09d}"}, names) for number in range(count)
        ]
        self.raws = sign_load(founding, now_ms, count, roots)

    def _commit(self, fields: Mapping[str, Value], names: list[str]) -> bytes:
        wallet = self.outcome.wallets[EXPORTER]
        root = wallet.commit(fields, public=open_fields(fields, names))
        for reader in READERS:
            wallet.mean(root, reader)
        return root


class WatchedLoad:
    """A load that everything watches which watches a run."""

    def __init__(self, papers: Papers, out: Path) -> None:
        self._papers = papers
        self._scenario = load_scenario(SCENARIO)
        self._folder = RunFolder.create(out, SCENARIO, SEED)
        self._search = LeakSearch()
        self._reach = Reach(self._search)
        setting = Setting(self._scenario, self._search, self._compare, self._holdings)
        self._checks = make_checks(setting)
        self._watch = Watch(list(self._scenario.organizations), self._checks, self._folder.path)

    @property
    def raft(self) -> RaftProperties:
        """The check of Raft's properties."""
        return self._watch.raft

    def record(self, event: str, fields: Mapping[str, RecordField]) -> None:
        """Take what a node records."""
        self._watch.record(event, fields)

    def frame(self, now_ns: int, source: str, target: str, kind: str, frame: bytes) -> None:
        """Take a frame."""
        self._watch.frame(now_ns, source, target, kind, frame)

    def begin(self, world: SimulatedWorld) -> None:
        """Follow what happens in a world."""
        self._world = world
        self._book = EventBook(world.calendar_ms, world.now_ns, self._watch.spool)
        self._book.subscribe(History())
        self._watch.follow(self._book)

    def measure(self) -> CheckedFigures:
        """Return its figures."""
        during_s = in_cluster(self._during, watcher=self)
        begun = time.process_time()
        self._conclude()
        afterwards_s = time.process_time() - begun
        self._watch.frames.close()
        violations = [violation for check in self._checks for violation in check.violations]
        if violations:
            raise AssertionError(f"a check was violated: {violations[0]}")
        count = len(self._papers.raws)
        return CheckedFigures(
            1000 * during_s / count,
            1000 * afterwards_s / count,
            {check.name: check.exercised for check in self._checks},
            self._search.bytes_searched / (1 << 20),
            self._search.canaries,
        )

    async def _during(self, cluster: Cluster) -> float:
        world, organizations = self._world, self._world.organizations
        sessions: list[aiohttp.ClientSession] = []
        clients: dict[str, NodeClient] = {}
        for organization in organizations:
            with world.place(organization):
                sessions.append(aiohttp.ClientSession())
                endpoint = world.endpoint(organization)
                clients[organization] = NodeClient(sessions[-1], endpoint.url, endpoint.token)
        public = LedgerWatch(clients, world.is_up, self._book, Names(), ["importer"])
        with world.place(organizations[0]):
            watching = asyncio.get_running_loop().create_task(public.run())
        await asyncio.sleep(WARM_UP_S)
        begun = time.process_time()
        await hand_in(cluster, self._papers.raws, BATCH)
        await all_certified(cluster)
        while public.seen < len(self._papers.raws) - 1:  # noqa: ASYNC110 - it tells nobody how far it has got
            await asyncio.sleep(0.02)
        spent_s = time.process_time() - begun
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        for session in sessions:
            await session.close()
        check_outcome(self._watch.measurement, len(self._papers.raws), len(cluster.nodes))
        return spent_s

    def _conclude(self) -> None:
        """Do what a run does once it is over, until its verdict."""
        self._watch.trace.finish()
        for organization in self._world.organizations:
            disk = self._world.kit.host(organization).disk
            self._folder.write_disk(organization, {name: disk.pieces(name) for name in STORE_FILES.values()})
        found = Findings(
            self._folder,
            self._scenario,
            self._papers.outcome,
            self._book.events,
            self._watch.records_of_nodes,
            self._watch.frames,
            (),
        )
        survey(self._reach, found)
        organizations = self._world.organizations
        directories = {
            organization: self._folder.node_directory(organization) for organization in organizations
        }
        final, unreadable = read_final(directories, organizations)
        if unreadable:
            raise AssertionError(f"a store cannot be read: {unreadable[0]}")
        for check in self._checks:
            check.finish(final)
        self._folder.write_events(self._book.events)

    def _holdings(self, organization: str) -> Sequence[Holding]:
        return self._world.holdings(organization)

    def _compare(self, final: FinalState) -> Readings:
        outcome, genesis = self._papers.outcome, self._world.founding.genesis
        entitlement = entitlement_of(outcome.witness, final.documents, genesis, final.carnets)
        return compare(entitlement, self._reach, outcome.wallets)


async def _bare(cluster: Cluster, raws: Sequence[bytes]) -> CheckedFigures:
    await asyncio.sleep(WARM_UP_S)
    begun = time.process_time()
    await hand_in(cluster, raws, BATCH)
    await all_certified(cluster)
    spent_s = time.process_time() - begun
    measurement = Measurement(cluster.world.organizations)
    for event in cluster.events():
        measurement(event)
    check_outcome(measurement, len(raws), len(cluster.nodes))
    return CheckedFigures(1000 * spent_s / len(raws), 0.0, {}, 0.0, 0)
