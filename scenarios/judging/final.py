"""Every node at the end of a run, read back from the files its disk kept.

Rules:
- What counts is what a reopened store says, watermark and all: durability is judged on disks, not on memory.
- A store that does not open is a node that is missing at the end, with the reason.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import apsw

from ledger.checkpoint import parse_checkpoint
from ledger.errors import LedgerError
from ledger.execution import CONSUMING
from ledger.store import Store, damage_named
from scenarios.judging.checks import FinalNode, FinalState

DATABASE = "node.db"
WATERMARK = "watermark"
_PAGE = 500


def open_store(directory: Path) -> Store:
    """Open the store in a node's data directory.

    Raises:
        DamagedStoreError: naming what is damaged.
        FileNotFoundError: if there is no database.
    """
    path = directory / DATABASE
    if not path.exists():
        raise FileNotFoundError(f"{path} does not exist; a node's data directory has its {DATABASE}")
    with damage_named(str(path), anything=True):
        connection = apsw.Connection(str(path))
        connection.execute("PRAGMA locking_mode=EXCLUSIVE")
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
    watermark = directory / WATERMARK
    try:
        return Store.open(connection, watermark=watermark.read_bytes() if watermark.exists() else None)
    except BaseException:
        connection.close()
        raise


def read_final(directories: Mapping[str, Path], organizations: Sequence[str]) -> tuple[FinalState, list[str]]:
    """Return where every node stands, and the reasons for those that cannot be read."""
    nodes: dict[str, FinalNode] = {}
    faults: list[str] = []
    for organization, directory in directories.items():
        try:
            store = open_store(directory)
        except (LedgerError, FileNotFoundError, apsw.Error) as error:
            faults.append(f"{organization}: {error}")
            continue
        try:
            nodes[organization] = _final_node(store)
        finally:
            store.connection.close()
    return FinalState(organizations, nodes), faults


def _final_node(store: Store) -> FinalNode:
    receipts: dict[str, tuple[int, str]] = {}
    after = -1
    while page := store.receipts(after, _PAGE):
        after = page[-1].index
        for receipt in page:
            if receipt.code in CONSUMING:
                receipts.setdefault(receipt.id.hex(), (receipt.height, receipt.code))
    latest = store.latest_certificate()
    state_root = (
        "" if store.height == 0 else parse_checkpoint(store.own_checkpoint(store.height)[0]).state_root.hex()
    )
    return FinalNode(
        height=store.height,
        certified=0 if latest is None else latest[0],
        block_hashes={height: store.block_hash(height).hex() for height in range(1, store.height + 1)},
        state_root=state_root,
        receipts=receipts,
    )
