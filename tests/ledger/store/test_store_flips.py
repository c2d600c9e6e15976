"""One flipped bit, anywhere in a store's files, and what becomes of it.

Never may a store open and serve something else than before. It may refuse to open and name the damage, open
and refuse one block that it names, open having rebuilt what is derived, or serve all as before because the
bit meant nothing.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import apsw
import pytest

from ledger.block import decode_block
from ledger.encoding import encode
from ledger.errors import DamagedBlockError, DamagedStoreError
from ledger.keys import Verifier
from ledger.store import Store, session
from ledger.store.schema import SCHEMA
from ledger.watermark import pack_watermark
from tests.ledger.store.conftest import Node

REFUSED, BLOCK_REFUSED, REBUILT, IDENTICAL, SILENT = (
    "refused",
    "block refused",
    "rebuilt",
    "identical",
    "SILENT",
)

Served = dict[str, object]


def serve(store: Store) -> Served:
    """Return all that a store can be asked for."""
    served: Served = {
        "who": (store.genesis.hash, store.organization, store.incarnation),
        "progress": (store.first_index, store.last_index, store.applied_index, store.height),
        "hard state": store.hard_state(),
        "terms": [store.entry_term(i) for i in range(store.first_index - 1, store.last_index + 1)],
        "certificates": [store.certificate(h) for h in range(store.height + 2)],
        "latest certificate": store.latest_certificate(),
        "pool": store.pool_rows(),
        "outbox": store.outbox_rows(),
        "inbox": store.inbox_rows(0, 1000),
        "last document": store.last_document_index,
        "receipts": store.receipts(-1, 100_000),
        "last receipts": [store.last_receipt_index(h) for h in range(store.height + 2)],
        "block hashes": [store.block_hash(h) for h in range(store.height + 1)],
        "checkpoints": [store.own_checkpoint(h) for h in range(1, store.height + 1)],
    }
    for row in store.inbox_rows(0, 1000):
        served[f"envelope {row.root.hex()}"] = store.inbox_envelope(row.root)
    for receipt in store.receipts(-1, 100_000):
        served[f"receipt {receipt.id.hex()}"] = store.receipt(receipt.id)
    for height in range(1, store.height + 1):
        served[f"block {height}"] = _or_damage(lambda height=height: store.block(height))
    for index in range(store.first_index, store.last_index + 1):
        served[f"entry {index}"] = _or_damage(lambda index=index: store.entries(index, index + 1, 0))
    return served


def _or_damage(read: Callable[[], object]) -> object:
    try:
        return read()
    except DamagedBlockError as error:
        return f"damaged block {error.height}"


@dataclass
class Outcome:
    kind: str
    said: str


def judge(node, before: Served) -> Outcome:
    """Open a store whose files were damaged, and say what becomes of that."""
    try:
        node.load()
        served = serve(node.store)
    except DamagedStoreError as error:
        return Outcome(REFUSED, f"{error.what}: {error.reason}")
    except apsw.Error as error:
        if hasattr(node, "store"):
            raise
        return Outcome(REFUSED, f"SQLite does not open it: {error}")
    repairs = "; ".join(node.store.repairs)
    served["state"] = (node.ledger.state_root, node.ledger.checkpoint)
    node.commit()  # a rebuild waits for it
    differing = {key for key in served.keys() | before.keys() if served.get(key) != before.get(key)}
    if not differing:
        return Outcome(REBUILT if repairs else IDENTICAL, repairs)
    refused = {str(served.get(key)) for key in differing}
    if all(text.startswith("damaged block") and text.removeprefix("damaged ") in repairs for text in refused):
        return Outcome(BLOCK_REFUSED, repairs)
    return Outcome(SILENT, f"{sorted(differing)} {repairs}")


def flip(path: Path, bit: int) -> None:
    data = bytearray(path.read_bytes())
    data[bit // 8] ^= 1 << bit % 8
    path.write_bytes(data)


def fill(node) -> None:
    """Put something of everything into a store, free pages included."""
    store = node.store
    for number in range(40):
        store.pool_put(bytes([number]) * 32, b"passing %d " % number * 60, number)
    store.inbox_put(b"r" * 32, "acme", b"an envelope " * 200, 5)
    store.outbox_put(b"s" * 32, "globex", b"another envelope " * 90)
    node.commit()
    node.grow(blocks=6, transactions=4)
    store.pool_remove(bytes([number]) * 32 for number in range(38))
    store.inbox_put(b"t" * 32, "globex", b"a later envelope " * 10, 6)
    node.commit()
    node.order([node.fleet.transaction().raw], term=2)
    store.set_hard_state(3, 2, store.applied_index)
    node.commit()


@dataclass
class Wreck:
    """A store to be damaged over and over: its files, and what it served when whole."""

    node: Node
    directory: Path
    before: Served
    after: Served
    count: int = 0

    def damaged(self, name: str, bit: int) -> Outcome:
        """Flip one bit in a copy and say what becomes of it."""
        self.count += 1
        copy = self.node.crash_copy(self.directory / f"{self.count}")
        flip(copy.directory / name, bit)
        try:
            outcome = judge(copy, self.before)
            if outcome.kind in {REFUSED, SILENT}:
                return outcome
            later = judge_going_on(copy, self.after)
            return later if later.kind == SILENT else outcome
        finally:
            copy.close()
            for path in copy.directory.iterdir():
                path.unlink()

    def bits(self, name: str) -> int:
        path = self.node.directory / name
        return path.stat().st_size * 8 if path.exists() else 0

    def find(self, name: str, text: bytes) -> int:
        """Return the first bit of the last place in a file that holds `text`."""
        at = (self.node.directory / name).read_bytes().rindex(text)
        return at * 8


def wreck(node, tmp_path: Path) -> Wreck:
    """Take a node's files as they are now."""
    original = node.crash_copy(tmp_path / "original")
    whole = original.crash_copy(tmp_path / "whole").load()
    before = serve(whole.store)
    before["state"] = (whole.ledger.state_root, whole.ledger.checkpoint)
    assert whole.store.repairs == []
    go_on(whole)
    whole.load()
    after = serve(whole.store)
    after["state"] = (whole.ledger.state_root, whole.ledger.checkpoint)
    whole.close()
    return Wreck(original, tmp_path, before, after)


@pytest.fixture
def live(node, tmp_path) -> Wreck:
    """Killed with nearly everything in the WAL."""
    fill(node)
    assert (node.directory / "node.db-wal").stat().st_size > 100_000
    return wreck(node, tmp_path)


@pytest.fixture
def worn(node, tmp_path) -> Wreck:
    """Killed when half of the WAL was written over, long after most of it was copied into the database."""
    fill(node)
    node.store.copy_wal()
    for number in range(200, 206):
        node.store.pool_put(bytes([number]) * 32, b"after the copy %d " % number * 99, number)
        node.commit()
    return wreck(node, tmp_path)


@pytest.fixture
def still(node, tmp_path) -> Wreck:
    """Stopped in an orderly way: everything in the database file."""
    fill(node)
    node.close()
    assert not (node.directory / "node.db-wal").exists()
    return wreck(node, tmp_path)


def go_on(node) -> None:
    """Do what the node would do next: execute the pending entry, take in more of everything."""
    (entry,) = node.store.entries(node.store.applied_index + 1, node.store.last_index + 1, 1 << 20)
    node.execute(decode_block(entry.data, 1 << 20))
    for number in range(100, 140):
        node.store.pool_put(bytes([number]) * 32, b"later %d " % number * 60, number)
    node.store.inbox_put(b"u" * 32, "globex", b"the last envelope " * 1000, 7)
    node.store.outbox_remove(1)
    node.store.set_hard_state(4, 1, node.store.last_index)
    node.commit()
    node.close()


def judge_going_on(node, after: Served) -> Outcome:
    """Go on with a store that was opened, and say what a later life finds."""
    go_on(node)
    again = judge(node, after)
    if again.kind == SILENT:
        return again
    with_faults = node.store.verify_all(Verifier()).damage if again.kind != REFUSED else ()
    if again.kind in {REBUILT, REFUSED} or any(not fault.startswith("block ") for fault in with_faults):
        return Outcome(SILENT, f"harmless before, but going on: {again.said} {with_faults}")
    return again


def page_of(found: Wreck, table: str) -> int:
    """Return the number of a table's or index's first leaf page, from 0."""
    looked_at = found.node.crash_copy(found.directory / f"page of {table}")
    reader = looked_at.connect()
    sql = "SELECT pageno FROM dbstat WHERE name = ? AND pagetype = 'leaf' ORDER BY pageno LIMIT 1"
    number = reader.execute(sql, (table,)).get
    reader.close()
    return number - 1


def header_number(found: Wreck, offset: int) -> int:
    """Return a big-endian number of four bytes in the database file."""
    return int.from_bytes((found.node.directory / "node.db").read_bytes()[offset : offset + 4], "big")


def everywhere(found: Wreck, text: bytes, *, bit: int = 3) -> list[Outcome]:
    """Damage the middle of every copy of `text` in the database file, one at a time."""
    data = (found.node.directory / "node.db").read_bytes()
    outcomes, at = [], data.find(text)
    while at >= 0:
        outcomes.append(found.damaged("node.db", (at + len(text) // 2) * 8 + bit))
        at = data.find(text, at + 1)
    assert outcomes
    return outcomes


def kinds(outcomes: list[Outcome]) -> set[str]:
    """Return the kinds of outcomes, copies that SQLite left behind in free space apart."""
    return {outcome.kind for outcome in outcomes} - {IDENTICAL}


@pytest.mark.slow
def test_a_damaged_block_is_refused_and_named_and_all_else_is_served(still):
    node = still.node.crash_copy(still.directory / "look").load()
    raw = decode_block(node.store.block(2), 1 << 20).transactions[1]
    node.close()
    outcomes = everywhere(still, raw)
    assert kinds(outcomes) == {BLOCK_REFUSED}
    assert "block 2: its bytes are damaged" in outcomes[0].said


@pytest.mark.slow
def test_a_damaged_block_that_is_not_executed_yet_stops_the_node(still):
    node = still.node.crash_copy(still.directory / "look").load()
    (entry,) = node.store.entries(7, 8, 1 << 20)
    raw = decode_block(entry.data, 1 << 20).transactions[0]
    node.close()
    outcomes = everywhere(still, raw)
    assert kinds(outcomes) == {REFUSED}
    assert {o.said for o in outcomes if o.kind == REFUSED} == {
        "table block, block 7 of log entry 7: its bytes are missing or do not match their digest"
    }


@pytest.mark.slow
def test_damaged_state_and_leaves_are_rebuilt_and_that_is_said(still):
    node = still.node.crash_copy(still.directory / "look").load()
    key, value = next(item for item in node.ledger.state.items() if item[0].startswith("document/"))
    receipt = node.store.receipts(-1, 1)[0]
    leaf = encode(["receipt", 1, 0, receipt.id, receipt.code, None, []])
    node.close()
    for text, reason in (
        (key.encode(), "state"),
        (key.encode() + value, "the state gives another root"),
        (leaf, "table leaf, leaf 0"),
    ):
        outcomes = everywhere(still, text)
        assert kinds(outcomes) == {REBUILT}, reason
        assert any("rebuilt from 6 blocks" in o.said and reason in o.said for o in outcomes)


@pytest.mark.slow
def test_a_damaged_index_is_made_again(still):
    for index in ("leaf_by_id", "inbox_by_root", "outbox_by_root"):
        outcome = still.damaged("node.db", (page_of(still, index) + 1) * 4096 * 8 - 20 * 8)
        assert (outcome.kind, f"{index}: made again" in outcome.said) == (REBUILT, True), outcome


@pytest.mark.slow
@pytest.mark.parametrize(
    "table", ["meta", "progress", "hard_state", "log", "executed", "certificate", "outbox", "inbox"]
)
def test_damage_in_a_primary_row_stops_the_node_and_names_the_table(still, table):
    end = (page_of(still, table) + 1) * 4096 * 8
    # A row's last bytes are its digest; 20 bytes before the end of a page are within its first row.
    for bit in (end - 3, end - 20 * 8):
        outcome = still.damaged("node.db", bit)
        assert outcome.kind == REFUSED
        assert f"table {table}" in outcome.said


@pytest.mark.slow
def test_damage_in_what_a_node_has_signed_or_promised_stops_it(still):
    node = still.node.crash_copy(still.directory / "look").load()
    texts = {
        "table executed, height 6": node.store.own_checkpoint(6)[1],
        "table meta, genesis": node.store.genesis.encode()[200:260],
        "table pool": b"passing 39 " * 60,
        "table inbox, row 2": b"a later envelope " * 10,
        "table outbox": b"another envelope " * 90,
    }
    node.close()
    for name, text in texts.items():
        outcomes = everywhere(still, text)
        assert kinds(outcomes) == {REFUSED}, name
        assert any(o.said.startswith(name) for o in outcomes)


@pytest.mark.slow
def test_every_bit_of_the_places_where_tables_begin_matters(still):
    # A table that begins in another page is empty or stale there, and its rows still match their digests.
    first_page = (still.node.directory / "node.db").read_bytes()[:4096]
    seen: set[str] = set()
    for statement in SCHEMA.values():
        at = first_page.index(statement.encode()) - 1
        for bit in range(8):
            seen.add(still.damaged("node.db", at * 8 + bit).kind)
    assert seen <= {REFUSED, REBUILT}


@pytest.mark.slow
def test_a_header_by_which_sqlite_would_only_read_is_refused_before_the_first_write(still):
    outcome = still.damaged("node.db", 18 * 8 + 2)  # the file format's write version
    assert (outcome.kind, "read-only" in outcome.said) == (REFUSED, True)


@pytest.mark.slow
def test_damage_in_the_list_of_free_pages_is_mended_before_it_can_spread(still):
    trunk = header_number(still, 32)
    assert header_number(still, 36) > 3, "the store must have free pages"
    at = (trunk - 1) * 4096
    for offset, bit in ((0, 0), (7, 1), (8, 0), (12, 3)):
        outcome = still.damaged("node.db", (at + offset) * 8 + bit)
        assert outcome.kind == REBUILT, (offset, outcome)
        assert "written anew" in outcome.said


@pytest.mark.slow
def test_damage_in_free_pages_and_gaps_changes_nothing(still):
    free_leaf = header_number(still, (header_number(still, 32) - 1) * 4096 + 8)
    gap = page_of(still, "progress") * 4096 + 2000
    for byte in ((free_leaf - 1) * 4096 + 99, gap):
        assert still.damaged("node.db", byte * 8 + 5) == Outcome(IDENTICAL, "")


@pytest.mark.slow
def test_a_bit_of_the_wal_never_drops_answered_commits_in_silence(live):
    frames = (live.bits("node.db-wal") // 8 - 32) // 4120
    assert frames > 40
    places = [0, 17, 28]  # in the WAL's own header: magic, salt, checksum
    for frame in (0, 1, frames // 2, frames - 1):
        start = 32 + frame * 4120
        places += [start + 1, start + 9, start + 20, start + 24 + 50, start + 4119]
    for place in places:
        outcome = live.damaged("node.db-wal", place * 8 + 1)
        assert outcome.kind == REFUSED, (place, outcome)


@pytest.mark.slow
def test_without_the_watermark_the_wal_would_drop_commits_in_silence(live):
    # Why the watermark exists: SQLite calls a store whole that has lost its last commits.
    place = 32 + ((live.bits("node.db-wal") // 8 - 32) // 4120 - 1) * 4120 + 200
    copy = live.node.crash_copy(live.directory / "cut")
    flip(copy.directory / "node.db-wal", place * 8)
    (copy.directory / "watermark").write_bytes(pack_watermark(1))
    copy.load()
    assert copy.store.repairs == []
    assert serve(copy.store) != {key: live.before[key] for key in live.before if key != "state"}
    copy.close()


@pytest.mark.slow
def test_every_bit_of_the_watermark_matters(live):
    for bit in range(0, live.bits("watermark"), 23):
        outcome = live.damaged("watermark", bit)
        assert (outcome.kind, outcome.said[:9]) == (REFUSED, "watermark")


def test_a_missing_watermark_or_one_from_the_future_stops_the_node(node, tmp_path):
    node.grow(1)
    lost = node.crash_copy(tmp_path / "lost")
    (lost.directory / "watermark").unlink()
    with pytest.raises(DamagedStoreError, match="watermark: the file is missing"):
        lost.open()
    behind = node.crash_copy(tmp_path / "behind")
    (behind.directory / "watermark").write_bytes(pack_watermark(node.store.sequence + 1))
    with pytest.raises(DamagedStoreError, match="start the new incarnation"):
        behind.open()
    lost.close()
    behind.close()


def test_an_empty_file_beside_a_watermark_is_damage(node, tmp_path):
    copy = node.crash_copy(tmp_path / "emptied")
    for name in ("node.db", "node.db-wal"):
        (copy.directory / name).unlink()
    with pytest.raises(DamagedStoreError, match="was answered for, the file ends at 0"):
        copy.open()
    copy.close()


def test_a_flip_in_an_unanswered_commit_cannot_mix_with_pages_already_copied(node, tmp_path, monkeypatch):
    # The commit is durable, its watermark is not, and its frames are cut short: the commit is gone, wholly.
    monkeypatch.setattr(session, "WAL_PAGES_MAX", 1)
    node.grow(2)
    served = serve(node.store)
    node.store.pool_put(b"p" * 32, bytes(9000), 1)
    node.store.set_hard_state(9, 3, node.store.last_index)
    node.commit(watermark=False)
    killed = node.crash_copy(tmp_path / "killed")
    frames = (killed.directory / "node.db-wal").read_bytes()
    flip(killed.directory / "node.db-wal", (32 + 24 + 5) * 8)
    assert len(frames) > 32
    killed.load()
    assert serve(killed.store) == served
    killed.close()


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("state", ["live", "worn", "still"])
def test_no_flipped_bit_anywhere_changes_what_is_served_in_silence(request, state):
    found = request.getfixturevalue(state)
    chance = random.Random(f"flips:{state}")
    outcomes: Counter[tuple[str, str]] = Counter()
    files = [name for name in ("node.db", "node.db-wal", "watermark") if found.bits(name)]
    for number in range(220):
        # Nine of ten anywhere, by size; the others where a bit means most: the first bytes of a page.
        name = chance.choices(files, [found.bits(name) for name in files])[0]
        bit = chance.randrange(found.bits(name))
        if number % 10 == 0 and name == "node.db":
            bit = chance.randrange(found.bits(name) // 8 // 4096) * 4096 * 8 + chance.randrange(40 * 8)
        outcome = found.damaged(name, bit)
        outcomes[name, outcome.kind] += 1
        assert outcome.kind != SILENT, f"{state}: bit {bit} of {name}: {outcome.said}"
    print(f"\n{state}: " + ", ".join(f"{file} {kind} {n}" for (file, kind), n in sorted(outcomes.items())))
    assert outcomes["node.db", IDENTICAL] > 0
    if state != "live":
        assert all(outcomes["node.db", kind] > 0 for kind in (REFUSED, BLOCK_REFUSED, REBUILT))
    if state != "still":
        assert outcomes["node.db-wal", REFUSED] > 0
