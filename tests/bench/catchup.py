"""How long a node takes to catch up that is behind by ever more entries over the same small state.

Rules:
- The history is real: blocks signed, executed, certified by all three orderers, written by the store's own code, before
  the clock starts. Each block carries one transaction that is malformed, which leaves a receipt and nothing in the
  state: so the state stays as small as `ANCHORS` documents make it, however long the history.
- Two orderers start over the whole history and elect a leader; then the third starts over the first entries alone.
- Counted is from its start until it stands where the others stand, with everything that all three nodes do meanwhile:
  opening its store, the snapshot, the state, the entries behind it. What it passed over comes later, in the background,
  and is told apart.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import apsw

from ledger.block import build_block
from ledger.checkpoint import certificate_of, sign_checkpoint
from ledger.execution import Ledger
from ledger.genesis import Genesis, Role
from ledger.keys import Verifier
from ledger.store import LogRow, Store
from ledger.transaction import Transaction, sign_transaction
from ledger.watermark import pack_watermark
from p2p.config import Timing
from p2p.virtual import NS_PER_MS, VirtualWorld, run_virtual
from p2p.virtual.disk import DiskFile
from scenarios.network.founding import Charter, Founding, Member, found_from_seed
from scenarios.network.plan import NetworkPlan
from scenarios.worlds.virtual import SimulatedWorld
from tests.bench.reference import reference_ms

ANCHORS = 500
BEHIND_AT = 200
"""How many entries the node that lags has."""

COMMIT_EVERY = 500
CALENDAR_MS = 1_536_076_800_000
DAY_MS = 86_400_000
LATENCY_MS = (10, 30)
LIMIT_S = 3000.0
POLL_S = 0.01
KEPT = Timing().log_entries_kept
MEMBERS = (
    Member("cbp", "Customs", "US", (Role.CUSTOMS,)),
    Member("exporter", "Exporter", "MX", (Role.EXPORTER,)),
    Member("importer", "Importer", "US", (Role.IMPORTER,)),
)
LAGGING = "importer"


@dataclass(frozen=True, slots=True)
class CatchUpFigures:
    """One catching up.

    Attributes:
        behind: log entries that the node lacked.
        state_keys: keys of the state.
        by_state: whether it fetched a state; else it replayed the log.
        protocol_s: protocol time from its start until it stood where the others stood.
        cpu_s: CPU time of all three nodes meanwhile.
        frames_bytes: bytes that it and its peers sent each other meanwhile.
        history_s: protocol time from then until it had the whole history.
        history_cpu_s: CPU time of all three nodes meanwhile.
        reference_ms: the fixed reference work beside it.
    """

    behind: int
    state_keys: int
    by_state: bool
    protocol_s: float
    cpu_s: float
    frames_bytes: int
    history_s: float
    history_cpu_s: float
    reference_ms: float


def measure_catch_up(behind: int) -> CatchUpFigures:
    """Measure one node that is behind by so many log entries."""
    charter = Charter("bench", CALENDAR_MS - DAY_MS, MEMBERS)
    founding = found_from_seed(charter, "bench")
    with tempfile.TemporaryDirectory() as directory:
        disks = _History(founding, Path(directory)).write(BEHIND_AT + behind)
    timing = Timing()
    kit = VirtualWorld(
        "bench",
        latency_ns=(LATENCY_MS[0] * NS_PER_MS, LATENCY_MS[1] * NS_PER_MS),
        calendar_ms=CALENDAR_MS + DAY_MS,
    )

    async def main(_kit: VirtualWorld) -> CatchUpFigures:
        world = _PreparedWorld(kit, founding, NetworkPlan(timing=timing), lambda _event, _fields: None)
        world.disks = disks
        await world.open(CALENDAR_MS + DAY_MS)
        figures = await _watch(world, behind)
        await world.close()
        return figures

    return run_virtual(main, seed="bench", world=kit, time_limit_s=LIMIT_S)


async def _watch(world: _PreparedWorld, behind: int) -> CatchUpFigures:
    others = [world.node(o) for o in world.organizations if o != LAGGING]
    await _until(lambda: any(node.ordering.is_leader for node in others))
    if BEHIND_AT + behind > 2 * KEPT:  # the log is cut down to what is kept before anybody asks
        await _until(lambda: all(node.store.first_index > 1 for node in others))
    await asyncio.sleep(5)
    height = others[0].ledger.height
    loop = asyncio.get_running_loop()
    reference = reference_ms()
    sent = sum(node.links.figures.bytes_sent for node in others)
    begun, cpu_begun = loop.time(), time.process_time()
    world.boot_late()
    await _until(lambda: LAGGING in world.ready)
    node = world.node(LAGGING)
    await _until(lambda: min(node.ledger.height, node.certifier.certified_height) >= height)
    caught_up, cpu_caught_up = loop.time(), time.process_time()
    sent_by_all = sum(n.links.figures.bytes_sent for n in (*others, node)) - sent
    await _until(lambda: not node.sync.is_busy)
    return CatchUpFigures(
        behind=behind,
        state_keys=len(node.ledger.state),
        by_state=node.sync.figures.states_installed > 0,
        protocol_s=caught_up - begun,
        cpu_s=cpu_caught_up - cpu_begun,
        frames_bytes=sent_by_all,
        history_s=loop.time() - caught_up,
        history_cpu_s=time.process_time() - cpu_caught_up,
        reference_ms=reference,
    )


async def _until(holds: Callable[[], bool]) -> None:
    while not holds():  # noqa: ASYNC110 - what is waited for is many nodes' doing
        await asyncio.sleep(POLL_S)


class _PreparedWorld(SimulatedWorld):
    """Nodes over disks that were written before; the one that lags starts when it is told to."""

    disks: Mapping[str, Mapping[str, bytes]]
    ready: Mapping[str, object]

    def _boot(self, organization: str) -> None:
        self.ready = self._apis
        files = self.kit.host(organization).disk.files
        for name, data in self.disks[organization].items():
            file = files[name] = DiskFile()
            file.write(0, data)
            file.sync()
            file.name_durable = True
        if organization != LAGGING:
            super()._boot(organization)

    def boot_late(self) -> None:
        """Start the node that lags."""
        super()._boot(LAGGING)


class _History:
    """A history written into three stores at once."""

    def __init__(self, founding: Founding, directory: Path) -> None:
        self.founding = founding
        self.genesis: Genesis = founding.genesis
        self.directory = directory
        self.ledger = Ledger(self.genesis, Verifier(1))
        self.stores = {member.id: self._create(member.id) for member in MEMBERS}
        self.files: dict[str, dict[str, bytes]] = {}

    def write(self, entries: int) -> dict[str, dict[str, bytes]]:
        """Return each node's files: all entries for two of them, the first ones for the third."""
        self._append(1, b"", None)
        for number in range(1, entries):
            if number == BEHIND_AT:
                self.files[LAGGING] = self._close(LAGGING)
            self._block(number, self._anchor(number) if number <= ANCHORS else b"entry %d" % number)
        for organization in list(self.stores):
            self.files[organization] = self._close(organization)
        return self.files

    def _create(self, organization: str) -> Store:
        connection = apsw.Connection(str(self.directory / f"{organization}.db"))
        connection.execute("PRAGMA locking_mode=EXCLUSIVE")
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=OFF")
        return Store.create(
            connection,
            genesis=self.genesis,
            organization=organization,
            incarnation=1,
            store_id=organization.encode().ljust(16, b"."),
        )

    def _close(self, organization: str) -> dict[str, bytes]:
        store = self.stores.pop(organization)
        store.set_hard_state(1, 1, store.last_index)
        store.seal()
        store.connection.execute("COMMIT")
        store.connection.close()
        data = (self.directory / f"{organization}.db").read_bytes()
        return {"node.db": data, "watermark": pack_watermark(store.sequence)}

    def _append(self, index: int, data: bytes, block: tuple[bytes, int] | None) -> None:
        for store in self.stores.values():
            store.append_entries([LogRow(index, 1, 0, data, block)])
            if not data:
                store.note_applied(index)

    def _block(self, number: int, raw: bytes) -> None:
        ledger = self.ledger
        block = build_block(
            network=self.genesis.network,
            height=number,
            term=1,
            previous=ledger.block_hash,
            time_ms=max(CALENDAR_MS, ledger.time_ms + 1),
            transactions=[raw],
            proposer="cbp",
            key=self.founding.secrets["cbp"].node_key,
        )
        block_hash = block.hash
        self._append(number + 1, block.encode(), (block_hash, number))
        execution = ledger.execute(block, block_hash)
        signatures = {
            member.id: sign_checkpoint(execution.checkpoint, self.founding.secrets[member.id].node_key)
            for member in MEMBERS
        }
        electorate = ledger.roster.electorate(number)
        note = certificate_of(execution.checkpoint, signatures.items(), electorate).note(electorate)
        for organization, store in self.stores.items():
            store.put_execution(
                execution,
                block_hash=block_hash,
                applied_index=number + 1,
                checkpoint_signature=signatures[organization],
            )
            store.put_certificate(number, note)
            if number % COMMIT_EVERY == 0:
                store.connection.execute("COMMIT")

    def _anchor(self, number: int) -> bytes:
        name = number.to_bytes(16, "big")
        transaction = Transaction(
            version=1,
            network=self.genesis.network,
            type="document.anchor",
            creator="exporter",
            nonce=(7, number),
            valid_until_ms=CALENDAR_MS + DAY_MS,
            documents=(name * 2,),
            approvals=(),
            body={"class": "commercial", "addressees": ["importer"]},
        )
        return sign_transaction(transaction, self.founding.secrets["exporter"].organization_key).raw
