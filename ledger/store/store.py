"""The node's store: what it keeps, opened with every safeguard."""

from __future__ import annotations

from array import array

import apsw

from ledger.errors import DamagedBlockError, DamagedStoreError
from ledger.execution import Ledger
from ledger.genesis import Genesis
from ledger.keys import Verifier
from ledger.store import damage, rebuild
from ledger.store.documents import DocumentRows
from ledger.store.rows import Report, SnapshotRow
from ledger.store.schema import DERIVED_TABLES, FORMAT, SCHEMA, row_digest
from ledger.store.session import Progress, Session
from ledger.store.syncrows import SyncRows
from ledger.store.verify import Verification


class Store(SyncRows, DocumentRows):
    """One node's store over a connection that it is given.

    Made by `create` or `open`, then `load_ledger`. Every method that changes something does so in the open
    transaction, which it opens if need be; the caller commits, then writes `sequence` into the watermark
    file.

    Attributes:
        connection: exclusive, WAL, `synchronous=FULL`.
        genesis: of the network.
        organization: whose node this is.
        incarnation: lifetime of the node's key, from 1.
        store_id: drawn when the store was made; a store that was lost and made again has another.
        repairs: what was found damaged and yet did not stop the node, for people to read.
    """

    def __init__(self, connection: apsw.Connection, contents: damage.Contents) -> None:
        super().__init__(
            connection,
            progress=contents.progress,
            hard_state=contents.hard_state,
            terms=contents.terms,
            genesis=contents.genesis,
            size=contents.size,
        )
        self.organization = contents.organization
        self.incarnation = contents.incarnation
        self._snapshot = contents.snapshot
        self._configuration = contents.configuration
        self._peers = contents.peers
        self.store_id = contents.store_id
        self._gaps = list(contents.gaps)
        self._absent = dict.fromkeys(contents.absent_blocks, False) | dict.fromkeys(
            contents.damaged_blocks, True
        )

    @classmethod
    def create(
        cls,
        connection: apsw.Connection,
        *,
        genesis: Genesis,
        organization: str,
        incarnation: int,
        store_id: bytes,
    ) -> Store:
        """Lay out an empty file, in a transaction that the caller commits.

        Args:
            connection: to an empty file; exclusive, WAL, `synchronous=FULL`.
            genesis: of the network.
            organization: whose node this is.
            incarnation: lifetime of the node's key, from 1.
            store_id: 16 random bytes.

        Raises:
            DamagedStoreError: if the file is not empty.
        """
        if connection.execute("SELECT count(*) FROM sqlite_schema").get:
            raise DamagedStoreError("node.db", "a new store was asked for where there is one; open it")
        store = cls(
            connection,
            damage.Contents(genesis, organization, incarnation, store_id, Progress(), terms=array("Q")),
        )
        connection.execute("BEGIN IMMEDIATE")
        for statement in SCHEMA.values():
            connection.execute(statement)
        store._change(sequence=1)
        hard_state = (1, 0, 0, 0)
        connection.execute(
            "INSERT INTO hard_state VALUES (?, ?, ?, ?, ?)",
            (*hard_state, row_digest("hard_state", *hard_state)),
        )
        store._write_snapshot(SnapshotRow())
        store.set_configuration(0, b"")
        store.set_peers(b"")
        values = {
            "format": str(FORMAT).encode(),
            "genesis": genesis.encode(),
            "organization": organization.encode(),
            "incarnation": str(incarnation).encode(),
            "store_id": store_id,
        }
        connection.executemany(
            "INSERT INTO meta VALUES (?, ?, ?)",
            [(name, value, row_digest("meta", name, value)) for name, value in values.items()],
        )
        store._clear_derived()
        return store

    @classmethod
    def open(cls, connection: apsw.Connection, *, watermark: bytes | None) -> Store:
        """Open a store, having looked for damage everywhere but in derived data, which `load_ledger` looks
        at.

        Damage in indexes and free pages is repaired here and now, by writing the file anew.

        Args:
            connection: to the file; exclusive, WAL, `synchronous=FULL`.
            watermark: the watermark file's bytes, or None if there is none.

        Raises:
            DamagedStoreError: if something is damaged that verified blocks cannot rebuild; it names what. The
                node must neither vote nor serve from this store.
        """
        missing = damage.check_schema(connection, watermark)
        session = Session(connection, Progress())
        progress = Progress(*(int(str(value)) for value in damage.read_single(session, "progress")))
        damage.check_watermark(watermark, progress.sequence)
        contents = damage.scan_primary(session)
        structure = damage.check_structure(connection)
        if structure.complaints:
            damage.rewrite_file(connection, structure)
        store = cls(connection, contents)
        store._make_again(structure, missing)
        store.repairs.extend(
            f"block {height}: its bytes are damaged; it is not served until it is fetched again"
            for height in contents.damaged_blocks
        )
        absent = len(contents.absent_blocks) + sum(gap.height_end - gap.height_first for gap in contents.gaps)
        if absent:
            store.repairs.append(
                f"{absent} blocks were passed over by a snapshot; they are not served until they are fetched"
            )
        return store

    def load_ledger(self, verifier: Verifier) -> Ledger:
        """Return the executed ledger, rebuilt from the blocks if derived data are damaged.

        A rebuild leaves its transaction open for the caller to commit, and says so in `repairs`. It costs an
        execution of every block.

        Args:
            verifier: for the signatures of what is executed.

        Raises:
            DamagedStoreError: if derived data are damaged and a block is, too, so that they cannot be
                rebuilt.
        """
        if not self._stale:
            try:
                return rebuild.restore(self, verifier)
            except rebuild.StaleError as error:
                self._stale.append(str(error))
        reasons = "; ".join(self._stale)
        if self._gaps or self._absent:
            self._refuse_rebuilding(reasons)
        self._clear_derived()
        ledger = Ledger(self.genesis, verifier)
        for execution in rebuild.execute_again(self, ledger):
            self._put_derived(execution)
        self.repairs.append(
            f"state, leaves and receipts: rebuilt from {self.height} blocks, because {reasons}"
        )
        self._stale.clear()
        return ledger

    def verify_all(self, verifier: Verifier) -> Report:
        """Verify the whole store again, changing nothing.

        Structure, digests, every block's bytes, header, signature and place; every transaction is executed
        again and receipts, state, leaves and own checkpoints compared; own signatures and certificates are
        verified.

        Args:
            verifier: for the signatures; one that remembers nothing verifies each of them.
        """
        return Verification(self, verifier, self.organization, self.incarnation).run()

    def _refuse_rebuilding(self, reasons: str) -> None:
        damaged = [height for height, was_here in self._absent.items() if was_here]
        if damaged:
            raise DamagedBlockError(damaged[0], f"its bytes are damaged, and it is needed, because {reasons}")
        raise DamagedStoreError(
            "derived data",
            f"{reasons}; they cannot be rebuilt while blocks are not here that a snapshot passed over",
        )

    def _make_again(self, structure: damage.Structure, missing: tuple[str, ...]) -> None:
        """Create what was forgotten, in the open transaction."""
        absent = [name for name in SCHEMA if name in structure.forget or name in missing]
        if structure.complaints:
            self.repairs.append(f"node.db: written anew, because {structure.complaints[0]}")
        if not absent:
            return
        self._change()
        for name in absent:
            self.connection.execute(SCHEMA[name])
            self.repairs.append(f"{name}: made again")
        if DERIVED_TABLES.keys() & set(absent):
            self._stale.append("their tables were damaged")

    def _clear_derived(self) -> None:
        """Put derived data back to genesis, in the open transaction."""
        self._change()
        for table in DERIVED_TABLES:
            self.connection.execute(f"DELETE FROM {table}")  # noqa: S608 (our own table names)
        self._size = 0
        self._last_receipt = None
        items = list(Ledger(self.genesis, Verifier(1)).state.items())
        self.connection.executemany("INSERT INTO state VALUES (?, ?)", items)
