"""The whole store, verified from the ground up.

Rules:
- Nothing is changed, and one find does not end it: everything that can still be looked at is.
- Nothing that is only derived is trusted: state, leaves and receipts are compared with what execution gives.
- It says what cannot be seen.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import zip_longest
from typing import cast

from ledger.checkpoint import parse_certificate, parse_checkpoint, verify_certificate, verify_checkpoint
from ledger.errors import BadProofError, DamagedStoreError, NotHereYetError
from ledger.execution import Ledger
from ledger.keys import PublicKey, Verifier
from ledger.roster import Roster
from ledger.store.damage import check_structure, scan_primary
from ledger.store.ledgerrows import leaf_columns
from ledger.store.rebuild import StaleError, execute_again, read_leaves, restore
from ledger.store.rows import Report
from ledger.store.session import Row, damage_named
from ledger.store.syncrows import SyncRows

FREE_NOTE = (
    "damage in free pages, in gaps between rows, in pages that a newer one in the WAL replaces and in "
    "counters that SQLite does not read changes nothing that is served, and cannot be seen"
)


class Verification:
    """One verification under way.

    Args:
        store: to verify.
        verifier: for the signatures.
        organization: whose node this is.
        incarnation: lifetime of its key.
    """

    def __init__(self, store: SyncRows, verifier: Verifier, organization: str, incarnation: int) -> None:
        self._store = store
        self._verifier = verifier
        self._organization = organization
        self._incarnation = incarnation
        self._damage: list[str] = []
        self._absent = 0
        self._notes: list[str] = []

    def run(self) -> Report:
        """Look at everything."""
        with self._noted():
            check_structure(self._store.connection)
        with self._noted():
            self._damage.extend(f"block {h}: damaged" for h in scan_primary(self._store).damaged_blocks)
        ledger = Ledger(self._store.genesis, self._verifier)
        transactions = leaves = 0
        with self._noted():
            stored = self._stored_leaves()
            for execution in execute_again(self._store, ledger):
                transactions += len(execution.receipts)
                for columns in leaf_columns(execution):
                    self._compare_leaf(leaves, columns, next(stored, None))
                    leaves += 1
            self._damage.extend(f"table leaf, leaf {row[0]!r}: there is no such leaf" for row in stored)
            self._compare_state(ledger)
        roster = self._latest_roster(ledger)
        certificates = self._verify_certificates(roster)
        signed = self._verify_own_signatures(roster)
        file_bytes, free_bytes = self._measure()
        return Report(
            height=self._store.height,
            blocks=ledger.height,
            transactions=transactions,
            state_keys=len(ledger.state),
            leaves=leaves,
            certificates=certificates,
            checkpoints=signed,
            file_bytes=file_bytes,
            free_bytes=free_bytes,
            damage=tuple(self._damage),
            notes=(*self._notes, FREE_NOTE),
            absent=self._absent,
        )

    @contextmanager
    def _noted(self) -> Iterator[None]:
        try:
            yield
        except DamagedStoreError as error:
            self._damage.append(f"{error.what}: {error.reason}")
        except NotHereYetError as error:
            store = self._store
            gaps = sum(gap.height_end - gap.height_first for gap in store.gaps)
            self._absent = gaps + sum(not was_here for was_here in store.absent_blocks.values())
            self._notes.append(
                f"{self._absent} blocks are not here yet; what is executed again ends before height {error.height}"
            )

    def _stored_leaves(self) -> Iterator[Row]:
        with self._noted():
            yield from read_leaves(self._store)

    def _compare_leaf(
        self, index: int, columns: tuple[bytes | int | str | None, ...], row: Row | None
    ) -> None:
        if row is None or row[1:-1] != columns:
            self._damage.append(f"table leaf, leaf {index}: it is not what execution gives")

    def _compare_state(self, ledger: Ledger) -> None:
        rows = self._store.rows("state", "SELECT key, value FROM state ORDER BY key")
        for given, row in zip_longest(ledger.state.items(), rows):
            if given != row:
                key = min(str(item[0]) for item in (given, row) if item is not None)
                self._damage.append(f"table state, {key}: from here on it is not what execution gives")
                return

    def _verify_certificates(self, roster: Roster | None) -> int:
        heights: list[int] = []
        with self._noted():
            rows = self._store.rows("certificate", "SELECT height FROM certificate ORDER BY height")
            heights = [cast(int, row[0]) for row in rows]
        held = 0
        for height in heights:
            with self._noted():
                reason = self._certificate_fault(height, roster)
                if reason is None:
                    held += 1
                else:
                    self._damage.append(f"table certificate, height {height}: {reason}")
        return held

    def _latest_roster(self, ledger: Ledger) -> Roster | None:
        """Return the roster at the store's height, or None if neither blocks nor a signed state give it."""
        if ledger.height == self._store.height:
            return ledger.roster
        try:
            return restore(self._store, self._verifier).roster
        except StaleError:
            return None

    def _certificate_fault(self, height: int, roster: Roster | None) -> str | None:
        store = self._store
        if roster is None:
            return "it cannot be judged: neither the blocks nor the state say whose signatures it needs"
        electorate = roster.electorate(height)
        try:
            certificate = parse_certificate(store.certificate(height) or "", electorate)
            verify_certificate(certificate, electorate, self._verifier)
        except BadProofError as error:
            return str(error)
        checkpoint = certificate.checkpoint
        if checkpoint.height != height:
            return f"it is of height {checkpoint.height}"
        stated = store.own_checkpoint(height)[0] if height <= store.height else ""
        if stated and checkpoint.text() != stated:
            return "it is of another checkpoint than this node signed"
        return None

    def _verify_own_signatures(self, roster: Roster | None) -> int:
        held = 0
        node_key = self._node_key(roster)
        gaps = [(gap.height_first, gap.height_end) for gap in self._store.gaps]
        for height in range(1, self._store.height + 1):
            if any(first <= height < end for first, end in gaps):
                continue
            with self._noted():
                text, signature = self._store.own_checkpoint(height)
                if not signature:
                    continue
                if node_key is not None and not verify_checkpoint(
                    parse_checkpoint(text), node_key, signature, self._verifier
                ):
                    self._damage.append(f"own checkpoint of height {height}: not this node's signature")
                else:
                    held += 1
        return held

    def _node_key(self, roster: Roster | None) -> PublicKey | None:
        """Return the key with which this node signs, or None if it is not known."""
        member = None if roster is None else roster.find_ever(self._organization)
        for node in () if member is None else member.nodes:
            if node.incarnation == self._incarnation:
                return node.key
        return None

    def _measure(self) -> tuple[int, int]:
        """Return the bytes of the file's pages, and those of free pages and of gaps between rows."""
        connection = self._store.connection
        with damage_named("node.db"):
            page_bytes, pages, free = (
                cast(int, connection.pragma(name)) for name in ("page_size", "page_count", "freelist_count")
            )
            gaps = cast(int, connection.execute("SELECT sum(unused) FROM dbstat").get)
        return page_bytes * pages, page_bytes * free + gaps
