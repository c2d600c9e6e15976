"""What blocks can give again is rebuilt; what they cannot is not invented; verification says all of it."""

from __future__ import annotations

import pytest

from ledger.errors import DamagedBlockError, DamagedStoreError
from ledger.keys import Verifier
from ledger.store.schema import block_digest, row_digest


def break_row(node, sql: str, *bindings: object) -> None:
    """Change the file behind the store's back, as no flipped bit but a bug might."""
    node.connection.execute(sql, bindings)


def spoil_block(node, height: int) -> None:
    data = bytearray(node.store.block(height))
    data[len(data) // 2] ^= 1
    break_row(node, "UPDATE block SET bytes = ? WHERE height = ?", bytes(data), height)


def reload(node):
    node.close()
    return node.load()


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("UPDATE state SET value = x'00' WHERE key LIKE 'document/%'", "state"),
        ("DELETE FROM state WHERE key LIKE 'nonce/%'", "the state gives another root"),
        ("INSERT INTO state VALUES ('zz', x'00')", "the state gives another root"),
        ("UPDATE leaf SET time_ms = 1 WHERE idx = 1", "leaf 1: the row does not match"),
        ("DELETE FROM leaf WHERE idx = 2", "leaf 2: the row is missing"),
        ("DELETE FROM leaf WHERE idx = (SELECT max(idx) FROM leaf)", "the leaves give another log"),
    ],
)
def test_derived_data_that_do_not_give_the_signed_roots_are_rebuilt(node, sql, reason):
    node.grow(3)
    state, receipts = list(node.ledger.state.items()), node.store.receipts(-1, 100)
    break_row(node, sql)
    reload(node)
    (said,) = node.store.repairs
    assert "rebuilt from 3 blocks" in said
    assert reason in said
    assert list(node.ledger.state.items()) == state
    assert node.store.receipts(-1, 100) == receipts
    node.commit()
    assert reload(node).store.repairs == []
    assert node.store.verify_all(Verifier()).whole


def test_a_rebuild_that_is_not_committed_is_done_again(node, tmp_path):
    node.grow(2)
    break_row(node, "DELETE FROM state")
    for number in range(2):
        later = node.crash_copy(tmp_path / f"killed {number}").load()
        assert len(later.store.repairs) == 1
        later.close()


def test_genesis_state_is_rebuilt_too(node):
    break_row(node, "UPDATE state SET value = x'00'")
    assert "the state is not genesis'" in reload(node).store.repairs[0]
    node.grow(1)


def test_nothing_is_rebuilt_from_a_damaged_block(node):
    node.grow(3)
    spoil_block(node, 2)
    break_row(node, "DELETE FROM state")
    node.close()
    node.open()
    with pytest.raises(DamagedBlockError, match="block 2"):
        node.store.load_ledger(node.fleet.verifier)


def test_a_block_that_executes_to_something_else_than_was_signed_stops_the_rebuild(node, monkeypatch):
    node.grow(2)
    break_row(node, "DELETE FROM state")
    node.close()
    node.open()
    own = type(node.store).own_checkpoint
    monkeypatch.setattr(type(node.store), "own_checkpoint", lambda store, height: own(store, 3 - height))
    with pytest.raises(DamagedStoreError, match="block 1: executing it gives another checkpoint"):
        node.store.load_ledger(node.fleet.verifier)


def test_derived_data_are_not_read_before_they_are_rebuilt(node):
    node.grow(1)
    break_row(node, "DROP TABLE leaf")
    node.close()
    node.open()
    with pytest.raises(DamagedStoreError, match="load_ledger rebuilds them"):
        node.store.receipts(-1, 1)
    node.store.load_ledger(node.fleet.verifier)
    assert len(node.store.receipts(-1, 100)) == 3


@pytest.mark.parametrize("gone", ["INDEX leaf_by_id", "TABLE state", "TABLE leaf", "INDEX outbox_by_root"])
def test_a_repair_that_was_interrupted_is_taken_up(node, gone):
    node.grow(2)
    break_row(node, f"DROP {gone}")
    reload(node)
    name = gone.split()[1]
    assert f"{name}: made again" in node.store.repairs
    node.commit()
    assert reload(node).store.repairs == []
    node.grow(1)


@pytest.mark.parametrize(
    ("sql", "what"),
    [
        ("DROP TABLE pool", "schema of pool"),
        ("CREATE TABLE more(x)", "schema of more"),
        ("DROP INDEX inbox_by_root; CREATE INDEX inbox_by_root ON inbox(sender)", "schema of inbox_by_root"),
        ("DELETE FROM log WHERE idx = 2", "table log: row 2 is missing"),
        ("DELETE FROM log WHERE idx = 3", "table log: row 3 is missing"),
        ("DELETE FROM executed WHERE height = 3", "table executed: row 3 is missing"),
        ("DELETE FROM pool", "table pool: it has 0 rows where 1 were written"),
        ("DELETE FROM outbox", "table outbox: it has 0 rows"),
        ("DELETE FROM certificate WHERE height = 2", "table certificate: it has 2 rows where 3"),
        ("DELETE FROM inbox", "table inbox: row 1 is missing"),
        ("DELETE FROM hard_state", "table hard_state: it has 0 rows"),
        ("DELETE FROM meta WHERE name = 'genesis'", "table meta: its rows are"),
        ("UPDATE hard_state SET vote = 2", "table hard_state, its row"),
        ("UPDATE progress SET applied_index = 2", "table progress, its row"),
        ("UPDATE pool SET accepted_ms = 2", "table pool, row 70"),
        ("UPDATE pool SET id = x'00'", "table pool, row 00"),
        ("UPDATE executed SET signature = zeroblob(64) WHERE height = 1", "table executed, height 1"),
        ("UPDATE certificate SET height = 9 WHERE height = 3", "table certificate, row 9"),
        ("UPDATE inbox SET sender = 'globex'", "table inbox, row 1"),
        ("UPDATE outbox SET recipient = 'acme'", "table outbox, row 1"),
        ("UPDATE log SET term = 9 WHERE idx = 1", "table log, entry 1"),
        ("UPDATE meta SET value = x'39' WHERE name = 'incarnation'", "table meta, incarnation"),
    ],
)
def test_primary_data_that_are_not_what_was_written_stop_the_node(node, sql, what):
    node.store.pool_put(b"p" * 32, b"raw", 1)
    node.store.inbox_put(b"r" * 32, "acme", b"envelope", 1)
    node.store.outbox_put(b"r" * 32, "globex", b"envelope")
    node.grow(3)
    break_row(node, sql)
    node.close()
    with pytest.raises(DamagedStoreError) as refused:
        node.open()
    assert what in str(refused.value)


def test_a_row_of_another_table_does_not_pass(node):
    node.grow(1)
    break_row(node, "INSERT INTO certificate SELECT 2, note, digest FROM certificate WHERE height = 1")
    node.close()
    with pytest.raises(DamagedStoreError, match="table certificate, row 2"):
        node.open()


def test_a_damaged_block_is_named_refused_and_replaced_by_a_good_copy(node):
    node.grow(3)
    good = node.store.block(2)
    spoil_block(node, 2)
    reload(node)
    assert node.store.repairs == [
        "block 2: its bytes are damaged; it is not served until it is fetched again"
    ]
    with pytest.raises(DamagedBlockError, match="block 2"):
        node.store.block(2)
    with pytest.raises(DamagedBlockError, match="block 2"):
        node.store.entries(1, 4, 1 << 20)
    assert node.store.block(3) != good
    node.grow(1)
    with pytest.raises(ValueError, match="another hash"):
        node.store.put_block(2, b"?" * 32, good)
    node.store.put_block(2, node.store.block_hash(2), good)
    node.commit()
    assert reload(node).store.repairs == []
    assert node.store.block(2) == good


def test_a_block_is_hashed_at_every_read(node):
    node.grow(1)
    assert node.store.block(1)
    spoil_block(node, 1)
    with pytest.raises(DamagedBlockError):
        node.store.block(1)
    assert node.store.absent_blocks == {1: True}  # to be fetched again


@pytest.mark.parametrize("other", ["outbox_by_root", "state"])
def test_a_table_that_begins_in_another_ones_page_is_damage(node, other):
    # One bit in the schema makes the pool begin in an empty index: SQLite's only complaint is of that page.
    node.store.pool_put(b"p" * 32, b"raw", 1)
    node.grow(1)
    node.connection.execute("PRAGMA writable_schema=ON")
    root = node.connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = ?", (other,)).get
    node.connection.execute("UPDATE sqlite_schema SET rootpage = ? WHERE name = 'pool'", (root,))
    node.connection.execute("PRAGMA writable_schema=RESET")
    node.close()
    with pytest.raises(DamagedStoreError, match="table pool"):
        node.open()


# Verification.


def test_verification_counts_what_it_verified(node):
    node.grow(3, transactions=4)
    report = node.store.verify_all(Verifier())
    assert report.whole
    assert (report.height, report.blocks, report.transactions, report.leaves) == (3, 3, 12, 15)
    assert (report.checkpoints, report.certificates) == (3, 3)
    assert report.state_keys == len(node.ledger.state)
    assert 0 < report.free_bytes < report.file_bytes
    assert "cannot be seen" in report.notes[0]


@pytest.mark.parametrize(
    ("sql", "find"),
    [
        ("UPDATE leaf SET time_ms = 1 WHERE idx = 1", "table leaf, leaf 1"),
        ("DELETE FROM leaf WHERE idx = 11", "table leaf, leaf 11: it is not what execution gives"),
        ("INSERT INTO leaf SELECT 12, id, time_ms, data, digest FROM leaf WHERE idx = 1", "leaf 12"),
        ("UPDATE state SET value = x'00' WHERE key LIKE 'document/%'", "table state, document/"),
        ("DELETE FROM state WHERE key = 'organization/acme'", "table state, organization/acme"),
        ("UPDATE certificate SET note = x'00' WHERE height = 2", "table certificate, row 2"),
        ("UPDATE pool SET raw = x'00'", "table pool"),
    ],
)
def test_verification_names_what_does_not_hold_and_changes_nothing(node, sql, find):
    node.store.pool_put(b"p" * 32, b"raw", 1)
    node.grow(3)
    break_row(node, sql)
    before = node.connection.total_changes()
    report = node.store.verify_all(Verifier())
    assert not report.whole
    assert any(find in damage for damage in report.damage), report.damage
    assert (report.blocks, node.connection.total_changes()) == (3, before)


def test_verification_goes_on_after_a_damaged_block(node):
    node.grow(3)
    spoil_block(node, 2)
    report = node.store.verify_all(Verifier())
    assert report.damage[0] == "block 2: damaged"
    assert (report.blocks, report.certificates, report.checkpoints) == (1, 3, 3)


def test_verification_does_not_believe_rows_that_fit_their_digests(node):
    # A dishonest hand can write rows with right digests; signatures and execution tell.
    node.grow(2)
    node.store.put_certificate(2, node.store.certificate(1))
    node.store.put_certificate(1, node.store.certificate(1).replace("height 1", "height 2"))
    report = node.store.verify_all(Verifier())
    assert report.certificates == 0
    assert len(report.damage) == 2
    text, _ = node.store.own_checkpoint(1)
    stored = node.store._executed(1)
    forged = (*stored[:6], bytes(64))
    sql = "UPDATE executed SET signature = ?, digest = ? WHERE height = 1"
    break_row(node, sql, bytes(64), row_digest("executed", *forged))
    assert any("not this node's signature" in damage for damage in node.store.verify_all(Verifier()).damage)
    assert node.store.own_checkpoint(1) == (text, bytes(64))


@pytest.mark.parametrize("value", [None, "text", 7, b"", b"other"])
def test_a_digest_keeps_types_apart(value):
    good = row_digest("log", 1, b"data")
    assert row_digest("log", 1, value) != good
    assert row_digest("log", value, b"data") != good
    assert block_digest(1, b"hash", value) != block_digest(1, b"hash", b"data")
    assert block_digest(value, b"hash", b"data") != block_digest(1, b"hash", b"data")


def test_a_digest_keeps_columns_and_tables_apart():
    assert row_digest("log", "ab", "c") != row_digest("log", "a", "bc")
    assert row_digest("log", 1) != row_digest("pool", 1)
    assert block_digest(1, b"ab", b"c") != block_digest(1, b"a", b"bc")
