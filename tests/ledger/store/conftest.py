"""A node's store in a directory: opened, filled, committed, copied as a crash leaves it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import apsw
import pytest

from ledger.block import Block, build_block
from ledger.checkpoint import certificate_of, sign_checkpoint
from ledger.encoding import Value
from ledger.execution import Ledger
from ledger.genesis import Genesis, Organization, Role
from ledger.keys import BoxKey, SigningKey, Verifier, seed_for
from ledger.receipt import Execution
from ledger.roster import Roster
from ledger.store import LogRow, Store
from ledger.transaction import SignedTransaction, Transaction, sign_transaction
from ledger.watermark import pack_watermark

ROLES = {
    "cbp": (Role.CUSTOMS,),
    "acme": (Role.EXPORTER, Role.PRODUCER),
    "globex": (Role.IMPORTER,),
}
START_MS = 1_530_000_000_000
NORMAL, BLOCK = 0, 1
FILES = ("node.db", "node.db-wal", "watermark")


def _key(name: str) -> SigningKey:
    return SigningKey.from_seed(seed_for("store", name))


def make_genesis() -> Genesis:
    return Genesis(
        name="pilot",
        time_ms=START_MS,
        organizations=tuple(
            Organization(
                id=name,
                name=name.upper(),
                country="US",
                roles=roles,
                key=_key(f"{name}/organization").public,
                node_key=_key(f"{name}/node").public,
                box_key=BoxKey.from_seed(seed_for("store", f"{name}/box")).public,
            )
            for name, roles in ROLES.items()
        ),
        orderers=("cbp", "acme", "globex"),
        insecure_keys=True,
    )


@dataclass
class Fleet:
    """One network whose chain grows block by block; stores of its nodes are filled from it."""

    genesis: Genesis = field(default_factory=make_genesis)
    verifier: Verifier = field(default_factory=lambda: Verifier(1 << 20))
    counter: int = 0

    def transaction(self, **changes: object) -> SignedTransaction:
        self.counter += 1
        fields: dict[str, object] = {
            "version": 1,
            "network": self.genesis.network,
            "type": "document.anchor",
            "creator": "acme",
            "nonce": (7, self.counter),
            "valid_until_ms": START_MS + 86_400_000,
            "documents": (seed_for("document", str(self.counter)),),
            "approvals": (),
            "body": {"class": "commercial", "addressees": ["globex"]},
        }
        transaction = Transaction(**(fields | changes))  # type: ignore[arg-type]
        return sign_transaction(transaction, _key(f"{transaction.creator}/organization"))

    def block(self, ledger: Ledger, raws: list[bytes], *, term: int = 1, later_ms: int = 1000) -> Block:
        return build_block(
            network=self.genesis.network,
            height=ledger.height + 1,
            term=term,
            previous=ledger.block_hash,
            time_ms=ledger.time_ms + later_ms,
            transactions=raws,
            proposer="cbp",
            key=_key("cbp/node"),
        )

    def sign(self, execution: Execution) -> bytes:
        return sign_checkpoint(execution.checkpoint, _key("cbp/node"))

    def certificate(self, execution: Execution, roster: Roster | None = None) -> str:
        checkpoint = execution.checkpoint
        signatures = [(name, sign_checkpoint(checkpoint, _key(f"{name}/node"))) for name in ("cbp", "acme")]
        electorate = (roster or Roster.of_genesis(self.genesis)).electorate(execution.height)
        return certificate_of(checkpoint, signatures, electorate).note(electorate)


@dataclass
class Node:
    """One store on disk, with the committing that its node would do."""

    fleet: Fleet
    directory: Path
    connection: apsw.Connection | None = None
    store: Store = field(init=False)
    ledger: Ledger = field(init=False)

    def connect(self) -> apsw.Connection:
        self.connection = apsw.Connection(str(self.directory / "node.db"))
        self.connection.execute("PRAGMA locking_mode=EXCLUSIVE")
        self.connection.execute("PRAGMA journal_mode=WAL")
        self.connection.execute("PRAGMA synchronous=FULL")
        return self.connection

    def create(self) -> Node:
        self.store = Store.create(
            self.connect(), genesis=self.fleet.genesis, organization="cbp", incarnation=1, store_id=bytes(16)
        )
        self.commit()
        self.ledger = self.store.load_ledger(self.fleet.verifier)
        return self

    def open(self) -> Node:
        path = self.directory / "watermark"
        self.store = Store.open(self.connect(), watermark=path.read_bytes() if path.exists() else None)
        return self

    def load(self) -> Node:
        self.open()
        self.ledger = self.store.load_ledger(self.fleet.verifier)
        return self

    def commit(self, *, watermark: bool = True) -> None:
        if self.store.connection.in_transaction:
            self.store.seal()
            self.store.connection.execute("COMMIT")
        if watermark:
            (self.directory / "watermark").write_bytes(pack_watermark(self.store.sequence))

    def order(self, raws: list[bytes], *, term: int = 1) -> Block:
        """Append the next block to the log."""
        block = self.fleet.block(self.ledger, raws, term=term)
        row = LogRow(
            self.store.last_index + 1, term, NORMAL, block.encode(), (block.hash, block.header.height)
        )
        self.store.append_entries([row])
        return block

    def execute(self, block: Block, removed: list[bytes] | None = None) -> Execution:
        execution = self.ledger.execute(block, block.hash)
        self.store.put_execution(
            execution,
            block_hash=block.hash,
            applied_index=self.store.applied_index + 1,
            checkpoint_signature=self.fleet.sign(execution),
            removed=removed or [],
        )
        return execution

    def grow(self, blocks: int = 1, transactions: int = 3) -> None:
        """Order, execute, certify and commit some blocks."""
        for _ in range(blocks):
            block = self.order([self.fleet.transaction().raw for _ in range(transactions)])
            self.commit()
            self.store.set_hard_state(1, 1, self.store.last_index)
            execution = self.execute(block)
            self.store.put_certificate(execution.height, self.fleet.certificate(execution))
            self.commit()

    def change(self, creator: str, kind: str, body: dict[str, Value]) -> Execution:
        """Order, execute, certify and commit one configuration transaction."""
        raw = self.fleet.transaction(creator=creator, type=kind, body=body, documents=()).raw
        execution = self.execute(self.order([raw]))
        note = self.fleet.certificate(execution, self.ledger.roster)
        self.store.put_certificate(execution.height, note)
        self.commit()
        return execution

    def crash_copy(self, directory: Path) -> Node:
        """Return a node over the files as a killed process leaves them."""
        directory.mkdir()
        for name in FILES:
            if (self.directory / name).exists():
                shutil.copyfile(self.directory / name, directory / name)
        return Node(self.fleet, directory)

    def close(self) -> None:
        """Stop in an orderly way; SQLite copies the WAL into the database."""
        if self.connection is not None:
            self.connection.close()
            self.connection = None


@pytest.fixture
def fleet() -> Fleet:
    return Fleet()


@pytest.fixture
def node(fleet: Fleet, tmp_path: Path) -> Iterator[Node]:
    directory = tmp_path / "node"
    directory.mkdir()
    made = Node(fleet, directory).create()
    yield made
    made.close()
