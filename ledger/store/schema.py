"""What the store's SQLite file holds, table by table.

Rules:
- *Primary* data exist nowhere else on this node; damage there stops it. *Derived* data follow from genesis
  and the blocks; damage there is rebuilt.
- Every primary row, and every leaf, ends in a digest over the table's name and all its other columns, key
  included: a row that was changed, or that turns up under another key or in another table, does not match.
- State rows have no digest: the state root in the last signed checkpoint covers them all.
- Primary rows cannot vanish unseen: log entries, executed heights and the inbox are numbered without gaps up
  to a number in the progress row, but for the gaps that snapshots left, each of which has a row; gaps,
  certificates, pool and outbox are counted there; blocks are named by others.
- *Scratch* is what is only underway, chunks of a state being fetched: damage there is fetched again.
- The schema's text is compared letter by letter; a file with another schema is not this store.
- No UNIQUE constraints and no automatic indexes: every index has a name, so that a damaged one can be dropped
  and made again.
"""

from __future__ import annotations

import hashlib
from typing import TypeAlias

import msgpack

FORMAT = 4
"""Number of this schema; a change of any statement below needs another one."""

Column: TypeAlias = "int | str | bytes | None"

PRIMARY_TABLES: dict[str, str] = {
    "meta": (
        "CREATE TABLE meta(name TEXT PRIMARY KEY, value BLOB NOT NULL, digest BLOB NOT NULL) "
        "STRICT, WITHOUT ROWID"
    ),
    "progress": (
        "CREATE TABLE progress(one INTEGER PRIMARY KEY, sequence INTEGER NOT NULL, "
        "first_index INTEGER NOT NULL, before_term INTEGER NOT NULL, last_index INTEGER NOT NULL, "
        "applied_index INTEGER NOT NULL, height INTEGER NOT NULL, inbox_index INTEGER NOT NULL, "
        "certificates INTEGER NOT NULL, pooled INTEGER NOT NULL, outgoing INTEGER NOT NULL, "
        "gaps INTEGER NOT NULL, "
        "digest BLOB NOT NULL) STRICT"
    ),
    "hard_state": (
        "CREATE TABLE hard_state(one INTEGER PRIMARY KEY, term INTEGER NOT NULL, vote INTEGER NOT NULL, "
        "commit_index INTEGER NOT NULL, digest BLOB NOT NULL) STRICT"
    ),
    "configuration": (
        "CREATE TABLE configuration(one INTEGER PRIMARY KEY, idx INTEGER NOT NULL, data BLOB NOT NULL, "
        "digest BLOB NOT NULL) STRICT"
    ),
    "peers": "CREATE TABLE peers(one INTEGER PRIMARY KEY, data BLOB NOT NULL, digest BLOB NOT NULL) STRICT",
    "snapshot": (
        "CREATE TABLE snapshot(one INTEGER PRIMARY KEY, awaited INTEGER NOT NULL, idx INTEGER NOT NULL, "
        "term INTEGER NOT NULL, configuration BLOB NOT NULL, data BLOB NOT NULL, digest BLOB NOT NULL) STRICT"
    ),
    "gap": (
        "CREATE TABLE gap(leaf_end INTEGER PRIMARY KEY, leaf_first INTEGER NOT NULL, "
        "height_first INTEGER NOT NULL, height_end INTEGER NOT NULL, frontier BLOB NOT NULL, "
        "digest BLOB NOT NULL) STRICT"
    ),
    "log": (
        "CREATE TABLE log(idx INTEGER PRIMARY KEY, term INTEGER NOT NULL, type INTEGER NOT NULL, data BLOB, "
        "block_hash BLOB, block_height INTEGER, digest BLOB NOT NULL) STRICT"
    ),
    "block": (
        "CREATE TABLE block(height INTEGER NOT NULL, hash BLOB NOT NULL, digest BLOB NOT NULL, "
        "bytes BLOB NOT NULL, PRIMARY KEY(height, hash)) STRICT, WITHOUT ROWID"
    ),
    "executed": (
        "CREATE TABLE executed(height INTEGER PRIMARY KEY, hash BLOB NOT NULL, size INTEGER NOT NULL, "
        "time_ms INTEGER NOT NULL, log_index INTEGER NOT NULL, checkpoint BLOB NOT NULL, "
        "signature BLOB NOT NULL, digest BLOB NOT NULL) STRICT"
    ),
    "certificate": (
        "CREATE TABLE certificate(height INTEGER PRIMARY KEY, note BLOB NOT NULL, "
        "digest BLOB NOT NULL) STRICT"
    ),
    "pool": (
        "CREATE TABLE pool(id BLOB PRIMARY KEY, accepted_ms INTEGER NOT NULL, raw BLOB NOT NULL, "
        "digest BLOB NOT NULL) STRICT, WITHOUT ROWID"
    ),
    "outbox": (
        "CREATE TABLE outbox(idx INTEGER PRIMARY KEY, root BLOB NOT NULL, recipient TEXT NOT NULL, "
        "envelope BLOB NOT NULL, digest BLOB NOT NULL) STRICT"
    ),
    "inbox": (
        "CREATE TABLE inbox(idx INTEGER PRIMARY KEY, root BLOB NOT NULL, sender TEXT NOT NULL, "
        "received_ms INTEGER NOT NULL, envelope BLOB NOT NULL, digest BLOB NOT NULL) STRICT"
    ),
}

DERIVED_TABLES: dict[str, str] = {
    "state": "CREATE TABLE state(key TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID",
    "leaf": (
        "CREATE TABLE leaf(idx INTEGER PRIMARY KEY, id BLOB, time_ms INTEGER NOT NULL, "
        "data BLOB NOT NULL, digest BLOB NOT NULL) STRICT"
    ),
}

SCRATCH_TABLES: dict[str, str] = {
    "chunk": (
        "CREATE TABLE chunk(hash BLOB PRIMARY KEY, data BLOB NOT NULL, digest BLOB NOT NULL) "
        "STRICT, WITHOUT ROWID"
    ),
}

INDEXES: dict[str, str] = {
    "leaf_by_id": "CREATE INDEX leaf_by_id ON leaf(id) WHERE id IS NOT NULL",
    "outbox_by_root": "CREATE INDEX outbox_by_root ON outbox(root, recipient)",
    "inbox_by_root": "CREATE INDEX inbox_by_root ON inbox(root)",
}

INDEX_TABLES: dict[str, str] = {"leaf_by_id": "leaf", "outbox_by_root": "outbox", "inbox_by_root": "inbox"}

SCHEMA: dict[str, str] = {**PRIMARY_TABLES, **DERIVED_TABLES, **SCRATCH_TABLES, **INDEXES}
"""Every object of the file, in the order of creation, by name."""

REBUILDABLE: frozenset[str] = frozenset(DERIVED_TABLES) | frozenset(SCRATCH_TABLES) | frozenset(INDEXES)

DIGEST_BYTES = 16

_pack = msgpack.Packer(autoreset=True).pack
_sha256 = hashlib.sha256


def row_digest(table: str, *columns: Column) -> bytes:
    """Return the digest that ends a row of `table` with these columns, key first.

    Msgpack keeps types and lengths apart, so no two different rows give the same bytes to hash.
    """
    return _sha256(_pack((table, *columns))).digest()[:DIGEST_BYTES]


def block_digest(height: Column, block_hash: Column, data: Column) -> bytes:
    """Return the digest of a block row; the bytes are hashed without being copied.

    Key and bytes cannot run into each other: msgpack says where the key ends. Damage can turn bytes into
    text; that has the empty digest, which no row has.
    """
    if not isinstance(data, bytes):
        return b""
    hasher = _sha256(_pack(("block", height, block_hash)))
    hasher.update(data)
    return hasher.digest()[:DIGEST_BYTES]
