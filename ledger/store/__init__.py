"""The node's SQLite file: what is kept, how damage is found, what is rebuilt.

The caller opens the connection (exclusive locking, then WAL, `synchronous=FULL`), has every transaction that the
store has opened sealed, commits it, and then writes the number that `Store.seal` returned into the watermark file.
Why it is so: docs/decisions/0003.
Opening the connection itself meets damage too: `with damage_named("node.db", anything=True)` around it turns
what SQLite says into a `DamagedStoreError`.
"""

from __future__ import annotations

from ledger.store.documents import envelope_bytes
from ledger.store.rows import (
    GapRow,
    InboxRow,
    LogRow,
    OutboxRow,
    PoolRow,
    Report,
    SecondCheckpointError,
    SnapshotRow,
    StoredReceipt,
)
from ledger.store.session import damage_named
from ledger.store.store import Store
from ledger.store.verify import FREE_NOTE

__all__ = [
    "FREE_NOTE",
    "GapRow",
    "InboxRow",
    "LogRow",
    "OutboxRow",
    "PoolRow",
    "Report",
    "SecondCheckpointError",
    "SnapshotRow",
    "Store",
    "StoredReceipt",
    "damage_named",
    "envelope_bytes",
]
