"""A store that goes on from a state others executed: the switch, the gap it leaves, and how that is filled."""

from __future__ import annotations

import pytest

from ledger.block import decode_block
from ledger.checkpoint import parse_certificate
from ledger.errors import BadProofError, DamagedStoreError, NoProofError, NotHereYetError
from ledger.keys import Verifier
from ledger.store import LogRow, SnapshotRow


@pytest.fixture
def source(fleet, tmp_path, request):
    """A node of the same network that executed everything."""
    directory = tmp_path / "source"
    directory.mkdir()
    made = type(request.getfixturevalue("node"))(fleet, directory).create()
    yield made
    made.close()


def reopened(node):
    node.close()
    return node.load().store


def lives(node):
    """Yield the store now and in the next life."""
    yield node.store
    yield reopened(node)


def certified(source):
    """Return what a snapshot of the source's present height says."""
    height = source.ledger.height
    note = source.store.certificate(height)
    checkpoint = parse_certificate(note, source.ledger.roster.electorate(height)).checkpoint
    return checkpoint, note, source.ledger.time_ms, source.ledger.log.frontier()


def differences(node, source):
    old, new = dict(node.ledger.state.items()), dict(source.ledger.state.items())
    gone = dict.fromkeys(key for key in old if key not in new)
    return gone | {key: value for key, value in new.items() if old.get(key) != value}


def received(source):
    """Return the snapshot that a leader would send of the source's present height."""
    index = source.store.applied_index
    return SnapshotRow(index, source.store.entry_term(index), b"who votes", b"certificate", awaited=True)


def take_over(node, source, *, with_log=True):
    """Go on from the source's present height, as a node does once it has the state."""
    checkpoint, note, time_ms, frontier = certified(source)
    changes = differences(node, source)
    snapshot = None
    if with_log:
        node.store.restore_log(received(source))
        node.commit()
        snapshot = SnapshotRow(
            node.store.snapshot.index, node.store.snapshot.term, b"who votes", b"certificate"
        )
    node.ledger.install(checkpoint, time_ms=time_ms, frontier=frontier, changes=changes)
    node.store.install(
        checkpoint, note=note, time_ms=time_ms, frontier=frontier, changes=changes, snapshot=snapshot
    )


def leaves_of(source, first, end):
    return [
        row[0]
        for row in source.connection.execute("SELECT data FROM leaf WHERE idx >= ? AND idx < ?", (first, end))
    ]


def fill_all(node, source):
    """Fetch what the snapshot passed over, a block at a time, and the blocks from the last to the first."""
    while node.store.gaps:
        gap = node.store.gaps[0]
        end = source.store.size_at(gap.height_first) if gap.height_first <= gap.height_end else gap.leaf_end
        node.store.fill_leaves(leaves_of(source, gap.leaf_first, end))
        node.commit()
    for height in sorted(node.store.absent_blocks, reverse=True):
        node.store.put_block(height, node.store.block_hash(height), source.store.block(height))
        node.commit()


def test_a_node_that_took_a_state_over_goes_on_as_the_one_that_executed_it(node, source):
    node.grow(2)
    for _ in range(2):
        source.grow(4)
    take_over(node, source)
    node.commit()
    assert node.store.applied_index == source.store.applied_index
    for _ in range(2):
        block = source.order([node.fleet.transaction().raw])
        source.commit()
        expected = source.execute(block)
        row = LogRow(node.store.last_index + 1, 1, 0, block.encode(), (block.hash, block.header.height))
        node.store.append_entries([row])
        execution = node.execute(block)
        node.commit()
        assert execution.checkpoint == expected.checkpoint
    told = node.store.receipts(-1, 100)
    assert [receipt.height for receipt in told] == [1, 1, 1, 2, 2, 2]  # none beyond what is not here
    assert node.store.receipts(told[-1].index, 100) == []
    node.close()
    node.load()
    assert node.ledger.checkpoint == source.ledger.checkpoint
    assert dict(node.ledger.state.items()) == dict(source.ledger.state.items())


def test_the_last_receipt_is_another_one_as_the_gap_is_filled(node, source):
    node.grow(2)
    source.grow(7)
    take_over(node, source)
    node.commit()
    told = [node.store.last_receipt_index(7)]
    while node.store.gaps:
        gap = node.store.gaps[0]
        node.store.fill_leaves(leaves_of(source, gap.leaf_first, source.store.size_at(gap.height_first)))
        told.append(node.store.last_receipt_index(7))
    assert told == [source.store.last_receipt_index(height) for height in range(2, 8)]


def test_what_was_passed_over_says_so_until_it_is_here(node, source):
    node.grow(2)
    source.grow(7)
    own = [receipt.id for receipt in node.store.receipts(-1, 100)]
    take_over(node, source)
    node.commit()
    for store in lives(node):
        assert [receipt.id for receipt in store.receipts(-1, 100)] == own
        assert store.block(2)
        with pytest.raises(NotHereYetError, match="block 3 is not here yet"):
            store.block(3)
        with pytest.raises(NotHereYetError, match="block 5"):
            store.own_checkpoint(5)
        with pytest.raises(NotHereYetError, match="block 7"):
            store.block(7)
        assert store.own_checkpoint(7)[1] == b""
        assert store.height == 7
    assert "5 blocks were passed over" in node.store.repairs[0]
    with pytest.raises(NoProofError, match="being fetched"):
        node.ledger.log.inclusion_proof(0)
    report = node.store.verify_all(Verifier())
    assert (report.damage, report.absent, report.whole) == ((), 5, False)
    assert "5 blocks are not here yet" in report.notes[0]


def same_network(node, source):
    """Give the node the source's first two blocks, as an orderer that fell behind has them."""
    for height in (1, 2):
        data = source.store.block(height)
        block = decode_block(data, 1 << 20)
        node.store.append_entries([LogRow(height, 1, 0, data, (block.hash, height))])
        execution = node.execute(block)
        node.store.put_certificate(height, source.store.certificate(height))
        assert execution.height == height
        node.commit()


@pytest.mark.parametrize("behind", [False, True])
@pytest.mark.parametrize("with_log", [False, True])
def test_a_filled_gap_leaves_a_store_that_verifies_whole(node, source, behind, with_log):
    source.grow(6)
    if behind:
        same_network(node, source)
    take_over(node, source, with_log=with_log)
    node.commit()
    fill_all(node, source)
    assert not node.store.absent_blocks
    for store in lives(node):
        assert store.repairs == []
        assert store.receipts(-1, 100) == source.store.receipts(-1, 100)
        assert [store.block(h) for h in range(1, 7)] == [source.store.block(h) for h in range(1, 7)]
    report = node.store.verify_all(Verifier())
    assert report.whole, report.damage
    assert (report.blocks, report.leaves) == (6, 24)
    assert node.ledger.log.inclusion_proof(3) == source.ledger.log.inclusion_proof(3)


def test_two_gaps_are_filled_one_after_the_other(node, source):
    source.grow(4)
    same_network(node, source)
    take_over(node, source)
    node.commit()
    source.grow(3)
    take_over(node, source)
    node.commit()
    assert [(gap.height_first, gap.height_end) for gap in node.store.gaps] == [(3, 4), (5, 7)]
    assert reopened(node).gaps == node.store.gaps
    assert node.ledger.checkpoint == source.ledger.checkpoint
    fill_all(node, source)
    assert reopened(node).verify_all(Verifier()).whole


def test_gaps_and_snapshots_cannot_vanish_unseen(node, source):
    source.grow(3)
    take_over(node, source)
    node.commit()
    for sql, said in (
        ("DELETE FROM gap", "table gap: it has 0 rows where 1"),
        ("UPDATE gap SET leaf_first = 1", "table gap, gap up to leaf 12"),
        ("DELETE FROM snapshot", "table snapshot: it has 0 rows"),
        ("UPDATE snapshot SET awaited = 1", "table snapshot, its row"),
    ):
        node.connection.execute("SAVEPOINT look")
        node.connection.execute(sql)
        with pytest.raises(DamagedStoreError) as refused:
            type(node.store).open(node.connection, watermark=(node.directory / "watermark").read_bytes())
        assert said in str(refused.value)
        node.connection.execute("ROLLBACK TO look")
        node.connection.execute("RELEASE look")


def test_derived_data_that_are_damaged_are_not_rebuilt_from_half_a_history(node, source):
    source.grow(3)
    take_over(node, source)
    node.commit()
    node.connection.execute("DELETE FROM state")
    node.close()
    node.open()
    with pytest.raises(DamagedStoreError, match="cannot be rebuilt while blocks are not here"):
        node.store.load_ledger(node.fleet.verifier)


@pytest.mark.parametrize("when", ["received", "installed"])
def test_a_crash_leaves_the_old_ledger_or_the_new_one(node, source, tmp_path, when):
    node.grow(2)
    source.grow(5)
    before = node.ledger.checkpoint
    if when == "received":
        node.store.restore_log(received(source))
        expected = (0, before)
    else:
        take_over(node, source)
        expected = (5, before)
    torn = node.crash_copy(tmp_path / "torn").load()
    awaited = torn.store.snapshot.awaited
    assert (torn.store.snapshot.index, torn.ledger.checkpoint) == expected
    assert awaited == (when == "installed")
    torn.close()
    node.commit()
    whole = node.crash_copy(tmp_path / "whole").load()
    assert whole.store.snapshot.index == 5
    assert whole.ledger.checkpoint == (before if when == "received" else source.ledger.checkpoint)
    whole.close()


def test_a_snapshot_received_replaces_the_log_and_blocks_that_only_it_named(node, source):
    node.grow(2)
    node.order([node.fleet.transaction().raw])
    source.grow(5)
    node.store.restore_log(received(source))
    node.commit()
    for store in lives(node):
        assert (store.first_index, store.last_index, store.entry_term(5)) == (6, 5, 1)
        assert (store.applied_index, store.height) == (2, 2)
        assert store.snapshot.awaited
    assert [row[0] for row in node.connection.execute("SELECT height FROM block")] == [1, 2]
    with pytest.raises(ValueError, match="not ahead"):
        node.store.restore_log(SnapshotRow(2, 1, b"", b"", awaited=True))


def test_a_second_snapshot_that_comes_close_takes_the_place_of_the_first(node, source):
    # Known bug 29: two snapshots close together.
    source.grow(3)
    node.store.restore_log(received(source))
    source.grow(2)
    node.store.restore_log(received(source))
    node.commit()
    for store in lives(node):
        assert (store.first_index, store.last_index, store.snapshot.index) == (6, 5, 5)
    with pytest.raises(ValueError, match="not ahead"):
        node.store.restore_log(SnapshotRow(3, 1, b"", b"", awaited=True))


def test_the_log_is_released_only_after_the_snapshot_is_recorded_and_synced(node):
    # Known bug 29: "recorded and synced before the log is released".
    node.grow(4)
    with pytest.raises(ValueError, match="no snapshot recorded and committed before"):
        node.store.compact(1)
    node.store.put_snapshot(SnapshotRow(3, 1, b"who votes", b"certificate"))
    with pytest.raises(ValueError, match="no snapshot recorded and committed before"):
        node.store.compact(1)
    node.commit()
    with pytest.raises(ValueError, match="no snapshot recorded and committed before"):
        node.store.compact(4)
    node.store.compact(3)
    node.commit()
    assert reopened(node).first_index == 4
    with pytest.raises(ValueError, match="not within"):
        node.store.put_snapshot(SnapshotRow(2, 1, b"", b""))
    with pytest.raises(ValueError, match="not within"):
        node.store.put_snapshot(SnapshotRow(5, 1, b"", b""))


def test_nothing_is_taken_over_that_does_not_give_the_certified_roots(node, source):
    source.grow(3)
    checkpoint, _, time_ms, frontier = certified(source)
    changes = differences(node, source)
    key = next(iter(changes))
    with pytest.raises(BadProofError, match="another root"):
        node.ledger.install(
            checkpoint, time_ms=time_ms, frontier=frontier, changes=changes | {key: b"another"}
        )


def test_leaves_that_do_not_fit_the_gap_are_refused(node, source):
    source.grow(3)
    with pytest.raises(ValueError, match="do not fit"):
        node.store.fill_leaves(leaves_of(source, 0, 4))
    take_over(node, source)
    node.commit()
    with pytest.raises(ValueError, match="do not fit"):
        node.store.fill_leaves(leaves_of(source, 0, 12) * 2)
    with pytest.raises(ValueError, match="without their block's"):
        node.store.fill_leaves(leaves_of(source, 0, 3))
    node.connection.execute("ROLLBACK")


def test_chunks_underway_survive_a_restart_and_damaged_ones_are_not_there(node, source):
    node.store.put_chunk(b"a" * 32, b"one")
    node.store.put_chunk(b"b" * 32, b"two")
    node.commit()
    reopened(node)
    node.connection.execute("UPDATE chunk SET data = x'00' WHERE hash = ?", (b"b" * 32,))
    assert node.store.chunk(b"a" * 32) == b"one"
    assert node.store.chunk(b"b" * 32) is None
    assert node.store.chunk(b"c" * 32) is None
    source.grow(2)
    take_over(node, source)
    node.commit()
    assert node.store.chunk(b"a" * 32) is None


def test_a_lost_table_of_chunks_is_made_again(node):
    node.grow(1)
    node.connection.execute("DROP TABLE chunk")
    store = reopened(node)
    assert store.repairs == ["chunk: made again"]
    assert len(store.receipts(-1, 10)) == 3
