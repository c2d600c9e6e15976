"""Five nodes in the virtual world, and what tests ask of them."""

from __future__ import annotations

import asyncio
import datetime
import functools
import io
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import aiohttp
import pytest

from ledger.block import build_block
from ledger.envelopes import sign_envelope
from ledger.genesis import Limits, Role
from ledger.transaction import SignedTransaction, Transaction, sign_transaction
from p2p.config import Timing
from p2p.node import Node
from p2p.observer import RecordField
from p2p.ordering import Ordering
from p2p.virtual import VirtualHost, VirtualWorld, run_virtual
from scenarios.network.founding import Charter, Founding, Member, found_from_seed
from scenarios.network.plan import NetworkPlan
from scenarios.worlds.virtual import PEER_PORT, SimulatedWorld

MEMBERS = (
    Member("cbp", "Customs", "US", (Role.CUSTOMS,)),
    Member("exporter", "Exporter", "MX", (Role.EXPORTER, Role.PRODUCER)),
    Member("importer", "Importer", "US", (Role.IMPORTER,)),
    Member("chamber", "Chamber", "MX", (Role.CHAMBER,)),
    Member("noaa", "Fisheries", "US", (Role.FISHERIES,)),
)
ORGANIZATIONS = tuple(member.id for member in MEMBERS)
CALENDAR_MS = int(datetime.datetime(2018, 9, 4, 16, tzinfo=datetime.UTC).timestamp() * 1000)
DAY_MS = 86_400_000
LIMIT_S = 30.0
LIMITS = Limits()
TIMING = Timing()


@functools.cache
def found(limits: Limits, liars: int, orderers: tuple[str, ...] = ()) -> Founding:
    """Found the network; the keys and the calendar data take longer than most tests."""
    charter = Charter(
        "five", CALENDAR_MS - DAY_MS, MEMBERS, orderers=orderers, orderer_liars_tolerated=liars, limits=limits
    )
    return found_from_seed(charter, "five")


@dataclass
class Answer:
    """What an HTTP interface said."""

    status: int
    data: bytes
    headers: Mapping[str, str]
    json: Any = None

    @property
    def code(self) -> str:
        return str(self.json["error"]["code"])

    @property
    def message(self) -> str:
        return str(self.json["error"]["message"])


class World(SimulatedWorld):
    """A node that ends by an error is told of, and fails nothing but the tests that look."""

    failures: dict[str, BaseException]

    def _note_failure(self, host: VirtualHost, error: BaseException) -> None:
        self._gone(host.name)
        self.failures[host.name] = error


@dataclass
class Five:
    """The network of one test, seen from outside."""

    kit: VirtualWorld
    world: World
    founding: Founding
    records: list[tuple[str, dict[str, RecordField]]]
    sessions: dict[str, aiohttp.ClientSession] = field(default_factory=dict)
    counter: int = 0

    @property
    def genesis(self) -> Any:
        return self.founding.genesis

    @property
    def failures(self) -> dict[str, BaseException]:
        return self.world.failures

    def node(self, organization: str) -> Node:
        return self.world.node(organization)

    def host(self, organization: str) -> VirtualHost:
        return self.kit.host(organization)

    @property
    def up(self) -> list[str]:
        return [o for o in ORGANIZATIONS if self.world.is_up(o)]

    @property
    def nodes(self) -> list[Node]:
        return [self.node(o) for o in self.up]

    def told(self, event: str, **wanted: RecordField) -> list[dict[str, RecordField]]:
        """Return the records of an event whose fields are as wanted."""
        return [
            fields
            for name, fields in self.records
            if name == event and all(fields.get(key) == value for key, value in wanted.items())
        ]

    # Waiting, in virtual time.

    async def until(
        self, holds: Callable[[], object], limit_s: float = LIMIT_S, what: str = "", every_s: float = 0.01
    ) -> None:
        deadline = self.kit.loop.time() + limit_s
        while not holds():
            assert self.kit.loop.time() < deadline, what or f"not within {limit_s} virtual seconds"
            await asyncio.sleep(every_s)

    async def leader(self) -> str:
        """Wait for a leader that all running nodes follow, and return it."""

        def leaders() -> list[str | None]:
            return [node.ordering.leader for node in self.nodes if node.ordering.orders]

        def agreed() -> bool:
            return len(set(leaders())) == 1 and leaders()[0] in self.up

        await self.until(agreed, what="no leader")
        return str(leaders()[0])

    async def follower(self) -> str:
        leader = await self.leader()
        return next(o for o in self.up if o != leader)

    def certified(self, organization: str, height: int) -> bool:
        return self.node(organization).certifier.certified_height >= height

    async def settled(self, limit_s: float = LIMIT_S) -> None:
        """Wait until every running node has executed and certified the same, and nothing waits."""
        await self.until(self._is_settled, limit_s, "the network does not settle")

    def _is_settled(self) -> bool:
        heights = {(n.ledger.height, n.certifier.certified_height) for n in self.nodes}
        ((height, certified),) = heights if len(heights) == 1 else {(0, -1)}
        idle = not any(len(n.pool) or n.ordering.chain.in_flight or n.courier.outstanding for n in self.nodes)
        return idle and height == certified

    # Acts.

    def sign(
        self, creator: str = "exporter", *, signer: str | None = None, **changes: Any
    ) -> SignedTransaction:
        """Sign the anchoring of a certificate of its own, or whatever `changes` make of it."""
        self.counter += 1
        name = self.counter.to_bytes(16, "big")
        transaction = Transaction(
            version=1,
            network=self.genesis.network,
            type="certificate.anchor",
            creator=creator,
            nonce=(7, self.counter),
            valid_until_ms=CALENDAR_MS + 10 * DAY_MS,
            documents=(name * 2,),
            approvals=(),
            body={
                "certificate": name,
                "form": "NAFTA-434",
                "signed_on": "2018-09-04",
                "blanket": {"from": "2018-09-01", "to": "2019-08-31"},
                "shipment": None,
                "addressees": ["importer", "cbp"],
            },
        )
        key = self.founding.secrets[signer or creator].organization_key
        return sign_transaction(replace(transaction, **changes), key)

    def signed_envelope(
        self,
        sealed: bytes,
        sender: str = "exporter",
        to: str = "importer",
        root: bytes = b"r" * 32,
        signer: str | None = None,
    ) -> bytes:
        """Sign bytes that nobody needs to open as an envelope for somebody."""
        key = self.founding.secrets[signer or sender].organization_key
        return sign_envelope(sealed, key, self.genesis.network, root, to)

    def session(self, organization: str) -> aiohttp.ClientSession:
        if organization not in self.sessions:
            with self.world.place(organization):
                self.sessions[organization] = aiohttp.ClientSession()
        return self.sessions[organization]

    async def ask(
        self,
        organization: str,
        method: str,
        path: str,
        body: bytes | None = None,
        *,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send one request to an organization's own node, with its token unless `headers` say otherwise."""
        endpoint = self.world.endpoint(organization)
        headers = {"Authorization": f"Bearer {endpoint.token}"} if headers is None else headers
        session = self.session(organization)
        data: Any = body if body is None or len(body) < 1 << 20 else io.BytesIO(body)
        async with session.request(method, endpoint.url + path, data=data, headers=headers) as response:
            answer = Answer(response.status, await response.read(), dict(response.headers))
            if response.content_type == "application/json":
                answer.json = await response.json()
            return answer

    async def get(self, organization: str, path: str) -> Answer:
        return await self.ask(organization, "GET", path)

    async def post(self, signed: SignedTransaction | bytes, organization: str = "exporter") -> Answer:
        raw = signed if isinstance(signed, bytes) else signed.raw
        while True:
            answer = await self.ask(organization, "POST", "/v1/transactions", raw)
            if answer.status != 503 or answer.code != "STORE_NOT_KNOWN":
                return answer
            await asyncio.sleep(0.01)

    async def certify(self, signed: SignedTransaction, organization: str = "exporter") -> Answer:
        """Hand a transaction in and return its status once it is certified."""
        posted = await self.post(signed, organization)
        assert posted.status in {200, 202}, posted.json
        return await self.get(organization, f"/v1/transactions/{signed.id.hex()}?wait=certified")

    async def certify_many(self, count: int, organization: str = "exporter") -> list[SignedTransaction]:
        """Certify `count` transactions, each in a block of its own."""
        many = [self.sign() for _ in range(count)]
        for signed in many:
            answer = await self.certify(signed, organization)
            assert (answer.json["status"], answer.json["code"]) == ("certified", "VALID")
        return many

    def corrupt(self, organization: str) -> Orders:
        """Make a node's orderer a liar, and return what it will be told."""
        self.node(organization).ordering.__class__ = LyingOrdering
        return ORDERS.setdefault(organization, Orders())

    async def lying_leader(self) -> tuple[str, Orders]:
        leader = await self.leader()
        return leader, self.corrupt(leader)

    async def restart(self, organization: str) -> None:
        await self.world.restart(organization)

    def peer_url(self, organization: str) -> str:
        return f"http://{self.host(organization).address}:{PEER_PORT}"


@dataclass
class Orders:
    """What a dishonest leader puts into its next blocks instead of what it should."""

    blocks: list[list[bytes]] = field(default_factory=list)
    spoil: Callable[[Ordering, Any], bytes] | None = None
    proposed: int = 0


class LyingOrdering(Ordering):
    """An orderer that, while it leads, proposes what its `ORDERS` say."""

    __slots__ = ()

    def block_due_in(self, now: float) -> float | None:
        return (
            0.0
            if self.cutting.may_cut and ORDERS[self.config.organization].blocks
            else super().block_due_in(now)
        )

    def propose(self) -> bool:
        orders = ORDERS[self.config.organization]
        if not orders.blocks:
            return super().propose()
        head = self.chain.head
        block = build_block(
            network=self.config.genesis.network,
            height=head.height + 1,
            term=self.raw.term,
            previous=head.hash,
            time_ms=max(self.machine.now_ms(), head.time_ms),
            transactions=orders.blocks.pop(0),
            proposer=self.config.organization,
            key=self.config.node_key,
        )
        data = block.encode() if orders.spoil is None else orders.spoil(self, block)
        self.chain.remember(data, block)  # the liar does not check itself
        self.raw.propose(data)
        orders.proposed += 1
        return True


ORDERS: dict[str, Orders] = {}
"""What each lying orderer of the running network is told."""


Main = Callable[[Five], Coroutine[Any, Any, Any]]


@pytest.fixture(scope="session")
def five() -> Any:
    """Run a test's coroutine as the outside world of five fresh nodes, and return its result."""

    def run(
        main: Main,
        *,
        seed: int = 1,
        limits: Limits = LIMITS,
        liars: int = 0,
        timing: Timing = TIMING,
        orderers: tuple[str, ...] = (),
        time_limit_s: float = 400.0,
    ) -> Any:
        ORDERS.clear()
        founding = found(limits, liars, orderers)
        records: list[tuple[str, dict[str, RecordField]]] = []

        async def outside(kit: VirtualWorld) -> Any:
            plan = NetworkPlan(timing=timing)
            world = World(kit, founding, plan, lambda event, fields: records.append((event, dict(fields))))
            world.failures = {}
            network = Five(kit, world, founding, records)
            await world.open(CALENDAR_MS)
            try:
                result = await main(network)
            finally:
                for session in network.sessions.values():
                    await session.close()
            await world.close()
            return result

        return run_virtual(outside, seed=seed, time_limit_s=time_limit_s)

    return run
