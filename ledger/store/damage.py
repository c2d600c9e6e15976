"""What is looked for when a store is opened.

Rules:
- Schema, watermark, every primary row and the file's structure are looked at, in this order; the first damage
  in primary data ends it, naming table and row.
- The order of pages is SQLite's to check (`PRAGMA integrity_check`): a complaint that names a primary table
  stops the node; one about derived tables, indexes or free pages is repaired, once every primary row has been
  found whole.
- An executed block with damaged bytes is not needed for starting: it is named, and refused when asked for. A
  block that the log holds and that is not executed yet is part of what this node has promised to others: that
  stops it.
"""

from __future__ import annotations

import re
from array import array
from dataclasses import dataclass, field
from typing import cast

import apsw

from ledger.errors import DamagedStoreError, GenesisError, LedgerError
from ledger.genesis import Genesis
from ledger.store.rows import GapRow, SnapshotRow
from ledger.store.schema import (
    FORMAT,
    INDEX_TABLES,
    REBUILDABLE,
    SCHEMA,
    Column,
    block_digest,
)
from ledger.store.session import Progress, Row, Session, check_digest, damage_named
from ledger.watermark import unpack_watermark

COMPLAINTS_MAX = 100
_TREE = re.compile(r"\bTree (\d+)\b")
_NAME = re.compile(r"\b(" + "|".join(sorted(SCHEMA, key=len, reverse=True)) + r")\b")
_ROOT = re.compile(r"^2nd reference to page (\d+)$")
_FREE = re.compile(r"^(Freelist: |Page \d+: never used)")


@dataclass(slots=True)
class Contents:
    """What the primary rows say.

    Attributes:
        genesis: of the network.
        organization: whose node this is.
        incarnation: lifetime of the node's key.
        progress: how far the store has got.
        hard_state: term, vote, commit.
        terms: of the log's entries.
        size: leaves in the Merkle log.
        store_id: drawn when the store was made.
        configuration: index and bytes of Raft's members.
        peers: what is kept of the peers.
        snapshot: the last one taken or received.
        gaps: what snapshots let the node pass over.
        damaged_blocks: executed heights whose bytes are not what was written.
        absent_blocks: heights whose bytes were never here.
    """

    genesis: Genesis
    organization: str
    incarnation: int
    store_id: bytes
    progress: Progress
    hard_state: tuple[int, int, int] = (0, 0, 0)
    terms: array[int] = field(default_factory=lambda: array("Q"))
    size: int = 0
    configuration: tuple[int, bytes] = (0, b"")
    peers: bytes = b""
    snapshot: SnapshotRow = SnapshotRow()  # noqa: RUF009 (it is frozen)
    gaps: list[GapRow] = field(default_factory=list)
    damaged_blocks: list[int] = field(default_factory=list)
    absent_blocks: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Structure:
    """What SQLite finds wrong with the order of pages, where primary data are not concerned.

    Attributes:
        forget: damaged tables and indexes that can be made again, in the schema's order.
        complaints: SQLite's words; if there are any, the file must be written anew.
    """

    forget: tuple[str, ...]
    complaints: tuple[str, ...]


def check_schema(connection: apsw.Connection, watermark: bytes | None) -> tuple[str, ...]:
    """Compare the schema letter by letter.

    Args:
        connection: to the file.
        watermark: the watermark file's bytes, to say what is missing in an empty file.

    Returns:
        Derived tables and indexes that are missing, as an interrupted repair leaves them.

    Raises:
        DamagedStoreError: if anything else differs.
    """
    with damage_named("node.db, schema", anything=True):
        if connection.readonly("main"):
            raise DamagedStoreError(
                "node.db, header", "SQLite finds it read-only; see its mode and its first 100 bytes"
            )
        found = {
            str(name): str(sql) for name, sql in connection.execute("SELECT name, sql FROM sqlite_schema")
        }
    if not found:
        check_watermark(watermark, 0)
    for name, sql in found.items():
        if SCHEMA.get(name) != sql:
            raise DamagedStoreError(
                f"node.db, schema of {name[:40]}", f"it is not this version's: {sql[:120]}"
            )
    missing = tuple(name for name in SCHEMA if name not in found)
    for name in missing:
        if name not in REBUILDABLE:
            raise DamagedStoreError(f"node.db, schema of {name}", "it is missing")
    return missing


def check_watermark(watermark: bytes | None, sequence: int) -> None:
    """Refuse a store that has not got as far as was answered for.

    The very first commit may be without a watermark: a crash between the two leaves it so, and nothing was
    answered.

    Raises:
        DamagedStoreError: if the watermark is missing or damaged, or the store is behind it.
    """
    if watermark is None:
        if sequence > 1:
            raise DamagedStoreError(
                "watermark", f"the file is missing, though the store has made commit {sequence}"
            )
        return
    answered = unpack_watermark(watermark)
    if sequence < answered:
        raise DamagedStoreError(
            "node.db or its WAL",
            f"commit {answered} was answered for, the file ends at {sequence}: what came between is lost",
        )


def read_meta(session: Session) -> tuple[Genesis, str, int, bytes]:
    """Return genesis, organization, incarnation and the store's id.

    Raises:
        DamagedStoreError: if a row is missing, unknown, or does not match its digest.
    """
    values: dict[str, bytes] = {}
    for name, value, digest in session.rows("meta", "SELECT name, value, digest FROM meta ORDER BY name"):
        check_digest("meta", str(name), digest, name, value)
        values[str(name)] = cast(bytes, value)
    if list(values) != ["format", "genesis", "incarnation", "organization", "store_id"]:
        raise DamagedStoreError("table meta", f"its rows are {', '.join(values) or 'missing'}")
    if values["format"] != str(FORMAT).encode():
        raise DamagedStoreError(
            "table meta, format",
            f"{values['format'][:20]!r} is not {FORMAT}; open it with the version that wrote it",
        )
    try:
        genesis = Genesis.decode(values["genesis"])
    except (GenesisError, LedgerError) as error:
        raise DamagedStoreError("table meta, genesis", str(error)) from error
    return genesis, values["organization"].decode(), int(values["incarnation"]), values["store_id"]


def read_single(session: Session, table: str) -> Row:
    """Return the columns of a table's only row, without key and digest.

    Raises:
        DamagedStoreError: if there is another number of rows, or the row does not match its digest.
    """
    rows = session.rows(table, f"SELECT * FROM {table}")  # noqa: S608 (our own table names)
    if len(rows) != 1 or rows[0][0] != 1:
        raise DamagedStoreError(f"table {table}", f"it has {len(rows)} rows where there is one")
    check_digest(table, "its row", rows[0][-1], *rows[0][:-1])
    return rows[0][1:-1]


def scan_primary(session: Session) -> Contents:
    """Read every primary row.

    Raises:
        DamagedStoreError: at the first that is missing, out of order or does not match its digest.
    """
    progress = Progress(*cast("tuple[int, ...]", read_single(session, "progress")))
    contents = Contents(*read_meta(session), progress)
    contents.hard_state = cast("tuple[int, int, int]", read_single(session, "hard_state"))
    _scan_snapshot(session, contents)
    contents.configuration = cast("tuple[int, bytes]", read_single(session, "configuration"))
    contents.peers = cast(bytes, read_single(session, "peers")[0])
    pending = _scan_log(session, contents)
    executed = _scan_executed(session, contents)
    _scan_blocks(session, contents, executed, pending)
    counts = {"certificate": progress.certificates, "pool": progress.pooled, "outbox": progress.outgoing}
    for table, count in counts.items():
        found = len(_scan_keys(session, table))
        if found != count:
            raise DamagedStoreError(f"table {table}", f"it has {found} rows where {count} were written")
    _check_numbers("inbox", _scan_keys(session, "inbox"), 1, progress.inbox_index)
    return contents


def check_structure(connection: apsw.Connection) -> Structure:
    """Let SQLite look at the order of pages, and say what can be made again.

    Raises:
        DamagedStoreError: if a primary table is concerned, or a complaint names nothing that is known.
    """
    with damage_named("node.db", anything=True):
        schema = connection.execute("SELECT rootpage, name FROM sqlite_schema")
        roots = {int(root): str(name) for root, name in schema}
        answer = [str(row[0]) for row in connection.execute(f"PRAGMA integrity_check({COMPLAINTS_MAX})")]
    if answer == ["ok"]:
        return Structure((), ())
    lines = [line for text in answer for line in text.splitlines() if not line.startswith("*** in database")]
    damaged: set[str] = set()
    for line in lines:
        names = _concerned(line, roots)
        for name in names:
            if name not in REBUILDABLE:
                raise DamagedStoreError(f"node.db, {name}", line)
        if not names and not _FREE.match(line):
            raise DamagedStoreError("node.db", line)
        damaged.update(names)
    damaged.update(index for index, table in INDEX_TABLES.items() if table in damaged)
    return Structure(tuple(name for name in SCHEMA if name in damaged), tuple(lines))


def rewrite_file(connection: apsw.Connection, structure: Structure) -> None:
    """Forget what is damaged and can be made again, and write everything else into fresh pages.

    Raises:
        DamagedStoreError: if the file is not whole then.
    """
    with damage_named("node.db", anything=True):
        connection.execute("PRAGMA temp_store=MEMORY")
        if structure.forget:
            connection.execute("PRAGMA writable_schema=ON")
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany(
                "DELETE FROM sqlite_schema WHERE name = ?", [(name,) for name in structure.forget]
            )
            connection.execute("COMMIT")
            connection.execute("PRAGMA writable_schema=RESET")
        connection.execute("VACUUM")
    left = check_structure(connection)
    if left.complaints:
        raise DamagedStoreError("node.db", f"writing it anew left {left.complaints[0]}")


def _concerned(line: str, roots: dict[int, str]) -> list[str]:
    tree = _TREE.search(line)
    if tree is not None:
        return [roots.get(int(tree[1]), "schema")]
    root = _ROOT.match(line)  # a page that is both free and a tree's first
    if root is not None:
        return [roots.get(int(root[1]), "schema")]
    # "row 5 missing from index leaf_by_id", "NULL value in leaf.data": the last name is the damaged thing.
    return _NAME.findall(line)[-1:]


def _scan_keys(session: Session, table: str) -> list[Column]:
    """Check every row of a table against its digest; return the keys."""
    found: list[Column] = []
    for row in session.scan(table, f"SELECT * FROM {table}"):  # noqa: S608 (our own table names)
        check_digest(table, f"row {_name(row[0])}", row[-1], *row[:-1])
        found.append(row[0])
    return found


def _scan_snapshot(session: Session, contents: Contents) -> None:
    """Fill in the snapshot and the gaps."""
    awaited, index, term, configuration, data = cast(
        "tuple[int, int, int, bytes, bytes]", read_single(session, "snapshot")
    )
    contents.snapshot = SnapshotRow(index, term, configuration, data, bool(awaited))
    for row in session.scan("gap", "SELECT * FROM gap ORDER BY leaf_first"):
        check_digest("gap", f"gap up to leaf {_name(row[0])}", row[-1], *row[:-1])
        leaf_end, leaf_first, height_first, height_end, frontier = cast(
            "tuple[int, int, int, int, bytes]", row[:-1]
        )
        hashes = tuple(frontier[i : i + 32] for i in range(0, len(frontier), 32))
        contents.gaps.append(GapRow(leaf_first, leaf_end, height_first, height_end, hashes))
    if len(contents.gaps) != contents.progress.gaps:
        raise DamagedStoreError(
            "table gap", f"it has {len(contents.gaps)} rows where {contents.progress.gaps} were written"
        )


def _scan_log(session: Session, contents: Contents) -> dict[tuple[int, bytes], int]:
    """Fill in the terms; return the blocks of entries that are not executed yet, with their index."""
    progress = contents.progress
    pending: dict[tuple[int, bytes], int] = {}
    indexes: list[Column] = []
    for row in session.scan("log", "SELECT * FROM log"):
        check_digest("log", f"entry {_name(row[0])}", row[-1], *row[:-1])
        index, term, _, _, block_hash, height = cast(
            "tuple[int, int, int, bytes, bytes | None, int]", row[:-1]
        )
        indexes.append(index)
        contents.terms.append(term)
        if block_hash is not None and index > progress.applied_index:
            pending[height, block_hash] = index
    _check_numbers("log", indexes, progress.first_index, progress.last_index)
    return pending


def _scan_executed(session: Session, contents: Contents) -> dict[tuple[int, bytes], bool]:
    """Fill in the Merkle log's size; return the executed blocks, and whether this node executed them itself."""
    executed: dict[tuple[int, bytes], bool] = {}
    heights: list[Column] = []
    for row in session.scan("executed", "SELECT * FROM executed"):
        check_digest("executed", f"height {_name(row[0])}", row[-1], *row[:-1])
        height, block_hash, size = cast("tuple[int, bytes, int]", row[:3])
        heights.append(height)
        # A row without signature may stand for a block that was taken over; one that was executed had its bytes.
        executed[height, block_hash] = bool(row[6])
        contents.size = size
    heights.extend(height for gap in contents.gaps for height in range(gap.height_first, gap.height_end))
    heights.sort(key=lambda height: cast(int, height))
    _check_numbers("executed", heights, 1, contents.progress.height)
    return executed


def _scan_blocks(
    session: Session,
    contents: Contents,
    executed: dict[tuple[int, bytes], bool],
    pending: dict[tuple[int, bytes], int],
) -> None:
    damaged: dict[tuple[int, bytes], None] = {}
    for row in session.scan("block", "SELECT height, hash, digest, bytes FROM block"):
        height, block_hash, digest, data = cast("tuple[int, bytes, bytes, bytes]", row)
        if block_digest(height, block_hash, data) == digest:
            executed.pop((height, block_hash), None)
            pending.pop((height, block_hash), None)
        else:
            damaged[height, block_hash] = None
    for (height, _), index in pending.items():
        raise DamagedStoreError(
            f"table block, block {height} of log entry {index}",
            "its bytes are missing or do not match their digest",
        )
    for (height, block_hash), was_here in executed.items():
        if was_here or (height, block_hash) in damaged:
            contents.damaged_blocks.append(height)
        else:
            contents.absent_blocks.append(height)


def _check_numbers(table: str, found: list[Column], first: int, last: int) -> None:
    if found != list(range(first, last + 1)):
        there = set(found)
        missing = next((number for number in range(first, last + 1) if number not in there), None)
        what = (
            f"row {missing} is missing" if missing is not None else f"it has more rows than {first} .. {last}"
        )
        raise DamagedStoreError(f"table {table}", what)


def _name(key: Column) -> str:
    return key.hex() if isinstance(key, bytes) else str(key)
