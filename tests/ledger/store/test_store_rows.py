"""What the store takes is what it gives, through commits, restarts and crashes."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from ledger.codes import Code
from ledger.errors import DamagedStoreError
from ledger.receipt import Execution
from ledger.store import (
    InboxRow,
    LogRow,
    OutboxRow,
    PoolRow,
    SecondCheckpointError,
    SnapshotRow,
    Store,
    session,
)
from ledger.store.documents import ENVELOPE_ROW_BYTES


def empty(index: int, term: int) -> LogRow:
    return LogRow(index, term, 0, b"", None)


def filler(index: int, term: int, height: int, data: bytes) -> LogRow:
    return LogRow(index, term, 0, data, (data[:1] * 32, height))


def block_keys(node) -> list[tuple[int, bytes]]:
    return list(node.store.connection.execute("SELECT height, hash FROM block ORDER BY height, hash"))


def reopen(node) -> Store:
    node.close()
    return node.load().store


def now_and_in_the_next_life(node) -> Iterator[Store]:
    yield node.store
    yield reopen(node)


def test_an_open_transaction_has_one_number_and_the_next_one_the_next(node):
    store = node.store
    assert store.sequence == 1
    store.pool_put(b"a" * 32, b"raw", 1)
    store.set_hard_state(1, 1, 0)
    store.note_applied(1)
    assert store.sequence == 2
    assert store.connection.in_transaction
    node.commit()
    store.pool_put(b"b" * 32, b"raw", 1)
    assert store.sequence == 3


def test_reading_opens_no_transaction(node):
    node.store.pool_rows()
    node.store.receipt(b"x" * 32)
    node.store.outbox_rows()
    node.store.pool_remove([])
    node.store.append_entries([])
    assert not node.store.connection.in_transaction


def test_a_store_knows_whose_it_is(node):
    store = reopen(node)
    assert (store.genesis, store.organization, store.incarnation) == (node.fleet.genesis, "cbp", 1)


def test_a_store_is_not_created_over_another(node):
    genesis = node.fleet.genesis
    with pytest.raises(DamagedStoreError, match="there is one; open it"):
        Store.create(node.connection, genesis=genesis, organization="cbp", incarnation=1, store_id=bytes(16))


# Raft.


def test_term_vote_and_commit_survive(node):
    node.store.set_hard_state(4, 2, 9)
    node.commit()
    assert reopen(node).hard_state() == (4, 2, 9)


@pytest.mark.parametrize("back", [(3, 2, 9), (4, 1, 9), (4, 0, 9), (4, 2, 8)])
def test_term_vote_and_commit_never_go_back(node, back):
    node.store.set_hard_state(4, 2, 9)
    with pytest.raises(ValueError, match="take back"):
        node.store.set_hard_state(*back)
    assert node.store.hard_state() == (4, 2, 9)


def test_a_new_term_may_have_another_vote(node):
    node.store.set_hard_state(4, 2, 9)
    node.store.set_hard_state(5, 0, 9)
    node.store.set_hard_state(5, 3, 9)
    assert node.store.hard_state() == (5, 3, 9)


def test_the_log_gives_back_whole_entries_and_terms(node):
    rows = [empty(1, 1), filler(2, 1, 1, b"a block"), LogRow(3, 2, 1, b"other", None)]
    node.store.append_entries(rows)
    node.commit()
    for store in now_and_in_the_next_life(node):
        assert (store.first_index, store.last_index) == (1, 3)
        assert store.entries(1, 4, 1 << 20) == rows
        assert [store.entry_term(i) for i in range(4)] == [0, 1, 1, 2]


def test_a_block_is_kept_once(node):
    node.store.append_entries([filler(1, 1, 1, b"a block")])
    assert list(node.store.connection.execute("SELECT data FROM log")) == [(None,)]


def test_entries_stop_before_the_limit_but_never_before_the_first(node):
    rows = [LogRow(i, 1, 1, b"x" * 100, None) for i in range(1, 6)]
    node.store.append_entries(rows)
    assert node.store.entries(1, 6, 0) == rows[:1]
    assert node.store.entries(1, 6, 299) == rows[:2]
    assert node.store.entries(2, 6, 300) == rows[1:4]
    assert node.store.entries(3, 3, 300) == []


@pytest.mark.parametrize(("low", "high"), [(0, 2), (2, 5), (3, 2)])
def test_entries_outside_the_log_are_refused(node, low, high):
    node.store.append_entries([empty(i, 1) for i in range(1, 4)])
    with pytest.raises(IndexError):
        node.store.entries(low, high, 100)


def test_appending_replaces_the_tail(node):
    node.store.append_entries([empty(i, 1) for i in range(1, 6)])
    node.store.append_entries([empty(3, 2)])
    assert node.store.last_index == 3
    assert [node.store.entry_term(i) for i in range(1, 4)] == [1, 1, 2]
    with pytest.raises(IndexError):
        node.store.entry_term(4)
    node.commit()
    assert reopen(node).entries(1, 4, 100) == [empty(1, 1), empty(2, 1), empty(3, 2)]


@pytest.mark.parametrize(
    "rows", [[empty(5, 1)], [empty(4, 1), empty(6, 1)], [empty(2, 1)]], ids=["gap", "holes", "executed"]
)
def test_rows_that_do_not_fit_are_refused(node, rows):
    node.store.append_entries([empty(i, 1) for i in range(1, 4)])
    node.store.note_applied(2)
    with pytest.raises(ValueError, match="log entries"):
        node.store.append_entries(rows)
    assert node.store.last_index == 3


def test_truncation_removes_the_bytes_of_blocks_that_nothing_names_any_longer(node):
    node.grow(1)
    kept = block_keys(node)
    node.store.append_entries(
        [filler(2, 1, 2, b"lost"), filler(3, 1, 3, b"lost too"), filler(4, 1, 4, b"again")]
    )
    node.store.append_entries([filler(2, 2, 2, b"new"), filler(3, 2, 4, b"again")])
    assert block_keys(node) == [*kept, (2, b"n" * 32), (4, b"a" * 32)]
    assert [row.data for row in node.store.entries(2, 4, 1000)] == [b"new", b"again"]


def snapshot(node, index):
    """Record a snapshot of what is executed up to `index`, and commit it."""
    node.store.put_snapshot(SnapshotRow(index, node.store.entry_term(index), b"who votes", b"certificate"))
    node.commit()


def test_truncation_leaves_executed_blocks(node):
    node.grow(2)
    kept = block_keys(node)
    snapshot(node, 2)
    node.store.compact(2)
    node.store.append_entries([filler(3, 2, 3, b"lost")])
    node.store.append_entries([empty(3, 3)])
    assert block_keys(node) == kept


def test_compaction_forgets_entries_and_keeps_blocks_and_the_last_term(node):
    node.grow(3)
    before = [node.store.block(height) for height in (1, 2, 3)]
    node.store.append_entries([empty(4, 2)])
    snapshot(node, 3)
    node.store.compact(2)
    node.store.compact(1)
    node.commit()
    for store in now_and_in_the_next_life(node):
        assert (store.first_index, store.last_index) == (3, 4)
        assert [store.entry_term(i) for i in (2, 3, 4)] == [1, 1, 2]
        assert [store.block(height) for height in (1, 2, 3)] == before
        with pytest.raises(IndexError):
            store.entries(2, 3, 100)
        with pytest.raises(ValueError, match="not executed yet"):
            store.compact(4)


# Execution.


def test_everything_of_a_block_is_there_after_a_restart(node):
    waiting = node.fleet.transaction()
    node.store.pool_put(waiting.id, waiting.raw, 17)
    node.commit()
    assert node.store.pool_rows() == [PoolRow(waiting.id, waiting.raw, 17)]
    block = node.order([waiting.raw])
    execution = node.execute(block, removed=[waiting.id])
    node.commit()
    signature = node.fleet.sign(execution)
    for store in now_and_in_the_next_life(node):
        assert (store.height, store.applied_index) == (1, 1)
        assert store.block(1) == block.encode()
        assert (store.block_hash(0), store.block_hash(1)) == (node.fleet.genesis.hash, block.hash)
        assert store.block_time_ms(1) == block.header.time_ms
        assert store.own_checkpoint(1) == (execution.checkpoint.text(), signature)
        assert store.pool_rows() == []
        receipt = store.receipt(waiting.id)
        assert (receipt.index, receipt.height, receipt.position, receipt.code) == (0, 1, 0, Code.VALID)
        assert (receipt.time_ms, receipt.rule, receipt.findings) == (block.header.time_ms, None, ())
        assert store.receipts(-1, 10) == [receipt]
    assert node.ledger.checkpoint == execution.checkpoint
    assert node.store.repairs == []


def test_a_crash_inside_an_execution_leaves_neither_state_nor_applied_index(node, tmp_path):
    # The etcd 3.5 data inconsistency: the applied index was stored apart from what it stood for.
    block = node.order([node.fleet.transaction().raw])
    node.commit()
    node.execute(block)
    assert node.store.applied_index == 1
    later = node.crash_copy(tmp_path / "killed").load()
    assert (later.store.applied_index, later.store.height, later.ledger.height) == (0, 0, 0)
    assert later.store.receipts(-1, 10) == []
    assert later.store.entries(1, 2, 1 << 20)[0].data == block.encode()
    later.execute(block)
    later.commit()
    assert later.store.applied_index == 1
    later.close()


def test_state_and_applied_index_are_written_in_one_transaction(node):
    block = node.order([node.fleet.transaction().raw])
    node.commit()
    commits = []
    node.connection.set_commit_hook(lambda: bool(commits.append(1)))
    node.execute(block)
    assert commits == []
    node.commit()
    assert commits == [1]


def test_a_second_different_checkpoint_of_a_height_is_refused(node):
    block = node.order([node.fleet.transaction().raw])
    execution = node.execute(block)
    with pytest.raises(SecondCheckpointError, match="height 1"):
        node.store.put_execution(
            execution, block_hash=block.hash, applied_index=2, checkpoint_signature=bytes(64)
        )
    node.commit()
    node.close()
    node.load()
    with pytest.raises(SecondCheckpointError, match="height 1"):
        node.store.put_execution(
            execution, block_hash=block.hash, applied_index=2, checkpoint_signature=bytes(64)
        )


def test_a_size_that_was_signed_is_never_signed_again(node):
    node.grow(2)
    block = node.order([node.fleet.transaction().raw])
    execution = node.ledger.execute(block, block.hash)
    shrunk = Execution(
        execution.height,
        execution.receipts,
        execution.changes,
        execution.leaves,
        type(execution.checkpoint)(
            **{name: getattr(execution.checkpoint, name) for name in execution.checkpoint.__slots__}
            | {"size": 4}
        ),
    )
    with pytest.raises(SecondCheckpointError, match="size 4"):
        node.store.put_execution(
            shrunk, block_hash=block.hash, applied_index=3, checkpoint_signature=bytes(64)
        )


def test_an_execution_out_of_place_is_refused(node):
    node.grow(1)
    block = node.order([node.fleet.transaction().raw])
    execution = node.ledger.execute(block, block.hash)
    put = node.store.put_execution
    with pytest.raises(ValueError, match="applied already"):
        put(execution, block_hash=block.hash, applied_index=1, checkpoint_signature=bytes(64))
    with pytest.raises(ValueError, match="no bytes in the store"):
        put(execution, block_hash=b"?" * 32, applied_index=2, checkpoint_signature=bytes(64))
    put(execution, block_hash=block.hash, applied_index=2, checkpoint_signature=node.fleet.sign(execution))
    with pytest.raises(ValueError, match="executed already"):
        put(
            execution, block_hash=block.hash, applied_index=3, checkpoint_signature=node.fleet.sign(execution)
        )
    with pytest.raises(ValueError, match="applied already"):
        node.store.note_applied(2)


def test_the_receipt_that_consumed_an_id_counts(node):
    good = node.fleet.transaction()
    rubbish = good.raw.replace(good.signature, bytes(64))
    block = node.order([rubbish, good.raw, good.raw])
    execution = node.execute(block)
    codes = [receipt.code for receipt in execution.receipts]
    assert codes == [Code.BAD_SIGNATURE, Code.VALID, Code.DUPLICATE]
    assert node.store.receipt(good.id).code is Code.VALID
    assert [receipt.code for receipt in node.store.receipts(-1, 10)] == codes


def test_a_refused_rule_and_findings_come_back(node):
    stranger = node.fleet.transaction(body={"class": "commercial", "addressees": ["acme"]})
    node.execute(node.order([stranger.raw]))
    receipt = node.store.receipt(stranger.id)
    assert receipt.code is Code.RULE_VIOLATED
    assert receipt.rule is not None
    assert receipt.rule.startswith("document.anchor/")


def test_receipts_page_over_block_leaves(node):
    node.grow(3, transactions=2)
    indexes = [0, 1, 3, 4, 6, 7]
    assert [receipt.index for receipt in node.store.receipts(-1, 100)] == indexes
    assert [receipt.index for receipt in node.store.receipts(1, 2)] == [3, 4]
    assert [node.store.last_receipt_index(height) for height in (0, 1, 2, 3, 9)] == [-1, 1, 4, 7, 7]
    assert node.store.receipt(b"?" * 32) is None


def test_heights_that_are_not_executed_have_no_block(node):
    node.grow(1)
    node.order([node.fleet.transaction().raw])
    for height in (-1, 2):
        with pytest.raises(IndexError, match="not executed"):
            node.store.block_hash(height)
    with pytest.raises(IndexError):
        node.store.block(0)


def test_certificates_are_found_by_height_and_the_latest_too(node):
    assert node.store.latest_certificate() is None
    node.store.put_certificate(3, "three")
    node.store.put_certificate(1, "one")
    node.store.put_certificate(3, "three again")
    assert node.store.latest_certificate() == (3, "three again")
    assert [node.store.certificate(height) for height in (1, 2, 3)] == ["one", None, "three again"]


def test_the_pool_keeps_the_first_copy_and_gives_the_order_of_acceptance(node):
    for number, accepted_ms in ((1, 30), (2, 10), (3, 20), (3, 5)):
        node.store.pool_put(bytes([number]) * 32, b"%d" % accepted_ms, accepted_ms)
    assert [row.raw for row in node.store.pool_rows()] == [b"10", b"20", b"30"]
    node.store.pool_remove([bytes([2]) * 32, bytes([9]) * 32])
    assert [row.raw for row in node.store.pool_rows()] == [b"20", b"30"]


# Documents.


def test_the_outbox_gives_up_nothing_for_another_and_keeps_the_same_bytes_once(node):
    store = node.store
    assert store.outbox_put(b"r" * 32, "acme", b"first") == 1
    assert store.outbox_put(b"r" * 32, "globex", b"second") == 2
    assert store.outbox_put(b"r" * 32, "acme", b"third") == 3
    assert store.outbox_put(b"r" * 32, "acme", b"first") == 1
    node.commit()
    assert reopen(node).outbox_rows() == [
        OutboxRow(1, b"r" * 32, "acme", b"first"),
        OutboxRow(2, b"r" * 32, "globex", b"second"),
        OutboxRow(3, b"r" * 32, "acme", b"third"),
    ]
    node.store.outbox_remove(2)
    node.store.outbox_remove(9)
    assert [row.envelope for row in node.store.outbox_rows()] == [b"first", b"third"]


def test_outbox_and_inbox_say_how_many_bytes_they_take_before_and_after_a_restart(node):
    store = node.store
    assert (store.outbox_bytes, store.inbox_bytes("acme")) == (0, 0)
    for number in range(3):
        store.outbox_put(b"r" * 32, "acme", bytes(100 + number))
    store.outbox_put(b"r" * 32, "acme", bytes(100))
    store.outbox_remove(2)
    store.inbox_put(b"r" * 32, "acme", bytes(50), 1)
    store.inbox_put(b"r" * 32, "acme", bytes(50), 2)
    store.inbox_put(b"s" * 32, "acme", bytes(7), 2)
    node.commit()
    for opened in (store, reopen(node)):
        assert opened.outbox_bytes == 100 + 102 + 2 * ENVELOPE_ROW_BYTES
        assert opened.inbox_bytes("acme") == 57 + 2 * ENVELOPE_ROW_BYTES
        assert opened.inbox_bytes("globex") == 0


def test_the_inbox_is_idempotent_and_numbered(node):
    store = node.store
    assert store.inbox_put(b"r" * 32, "acme", b"envelope", 5) == 1
    assert store.inbox_put(b"r" * 32, "acme", b"envelope", 9) == 1
    assert store.inbox_put(b"r" * 32, "globex", b"envelope", 6) == 2
    assert store.inbox_put(b"r" * 32, "acme", b"corrected", 7) == 3
    node.commit()
    store = reopen(node)
    assert store.inbox_put(b"r" * 32, "acme", b"envelope", 11) == 1
    assert not store.connection.in_transaction
    assert store.last_document_index == 3
    assert store.inbox_rows(0, 1) == [InboxRow(1, b"r" * 32, "acme", 5, 8)]
    assert [row.index for row in store.inbox_rows(1, 10)] == [2, 3]
    assert store.inbox_envelope(b"r" * 32) == b"envelope"
    assert store.inbox_envelope(b"x" * 32) is None


# The WAL and the watermark.


def test_the_wal_is_copied_only_before_a_transaction_begins(node, monkeypatch):
    monkeypatch.setattr(session, "WAL_PAGES_MAX", 40)
    copied_at = []
    copy = Store.copy_wal

    def noted(store):
        assert not store.connection.in_transaction
        copied_at.append(store.sequence)
        copy(store)

    monkeypatch.setattr(Store, "copy_wal", noted)
    database = node.directory / "node.db"
    for number in range(40):
        size = database.stat().st_size
        node.store.pool_put(bytes([number]) * 32, bytes(9000), number)
        begun = database.stat().st_size
        node.commit()
        assert database.stat().st_size == begun, "a commit has written into the database"
        assert (begun > size) <= (node.store.sequence - 1 in copied_at)
    assert 3 <= len(copied_at) <= 20
    assert (node.directory / "node.db-wal").stat().st_size < 80 * 4120


def test_a_crash_between_commit_and_watermark_is_no_damage(node, tmp_path):
    node.grow(1)
    node.store.pool_put(b"p" * 32, b"raw", 1)
    node.commit(watermark=False)
    later = node.crash_copy(tmp_path / "killed").load()
    assert [row.raw for row in later.store.pool_rows()] == [b"raw"]
    later.close()


def test_a_crash_before_the_first_watermark_is_no_damage(fleet, tmp_path, node):
    directory = tmp_path / "fresh"
    directory.mkdir()
    fresh = type(node)(fleet, directory)
    fresh.store = Store.create(
        fresh.connect(), genesis=fleet.genesis, organization="acme", incarnation=1, store_id=bytes(16)
    )
    fresh.commit(watermark=False)
    later = fresh.crash_copy(tmp_path / "killed").load()
    assert later.store.organization == "acme"
    later.close()
    fresh.close()


# Cost.


def cpu_ms(action) -> float:
    begun = time.process_time()
    action()
    return (time.process_time() - begun) * 1000


@pytest.mark.slow
def test_the_hot_path_is_within_its_budget(node):
    puts, appends = [], []
    for _ in range(9):
        signed = [node.fleet.transaction() for _ in range(100)]
        for one in signed:
            node.store.pool_put(one.id, one.raw, 1)
        node.commit()
        block = node.fleet.block(node.ledger, [one.raw for one in signed])
        row = LogRow(node.store.last_index + 1, 1, 0, block.encode(), (block.hash, block.header.height))
        appends.append(cpu_ms(lambda row=row: node.store.append_entries([row])))
        node.commit()
        execution = node.ledger.execute(block, block.hash)
        arguments = {
            "block_hash": block.hash,
            "applied_index": node.store.applied_index + 1,
            "checkpoint_signature": node.fleet.sign(execution),
            "removed": [one.id for one in signed],
        }
        puts.append(cpu_ms(lambda e=execution, a=arguments: node.store.put_execution(e, **a)))
        node.commit()
    print(
        f"put_execution {sorted(puts)[4]:.2f} ms, append_entries {sorted(appends)[4]:.2f} ms of CPU, medians"
    )
    # Budgets are 3 and 0.3 ms on an idle machine; the best of nine allows for a busy one.
    assert min(puts) < 3
    assert min(appends) < 0.6
