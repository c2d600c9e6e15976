"""The pool keeps the order of arrival; the courier forgets nothing until it is told."""

import hashlib

from p2p.courier import Courier
from p2p.frames import EnvelopeStoredFrame
from p2p.pool import Pool, Waiting


def waiting(number, valid_until_ms=1000):
    raw = b"transaction %d" % number
    return Waiting(bytes([number]) * 32, raw, valid_until_ms, float(number), ("org", 0, number), None)


def filled(count=3):
    pool = Pool(10)
    for number in range(count):
        pool.add(waiting(number))
    return pool


def test_selection_is_oldest_first_within_count_and_bytes():
    pool = filled(5)
    assert pool.select(2, 10_000, 1000) == [waiting(0).raw, waiting(1).raw]
    assert pool.select(5, len(waiting(0).raw) + 8, 1000) == [waiting(0).raw]


def test_what_stands_in_a_block_is_not_cut_again_until_released():
    pool = filled()
    pool.mark_ordered([waiting(0).raw], 5)
    assert pool.is_ordered(waiting(0).id, 5)
    assert not pool.is_ordered(waiting(0).id, 4)
    assert waiting(0).raw not in pool.select(10, 10_000, 1000)
    pool.release_all()
    assert pool.select(1, 10_000, 1000) == [waiting(0).raw]


def test_what_is_valid_for_too_long_waits_for_a_later_block():
    pool = filled(1)
    assert pool.select(10, 10_000, 999) == []
    assert pool.select(10, 10_000, 1000) == [waiting(0).raw]


def test_a_block_without_a_final_answer_lets_its_transaction_wait_for_another():
    pool = filled(1)
    pool.mark_ordered([waiting(0).raw], 5)
    pool.release(waiting(0).id)
    assert pool.select(1, 10_000, 1000) == [waiting(0).raw]


def test_removal_forgets_the_bytes_too():
    pool = filled()
    assert pool.id_of(waiting(1).raw) == waiting(1).id
    pool.remove(waiting(1).id)
    assert pool.id_of(waiting(1).raw) is None
    assert len(pool) == 2


def test_only_what_is_in_no_block_expires():
    pool = Pool(10)
    pool.add(waiting(1, valid_until_ms=5))
    pool.add(waiting(2, valid_until_ms=5))
    pool.add(waiting(3, valid_until_ms=6))
    pool.mark_ordered([waiting(1).raw], 5)
    assert [w.id for w in pool.expired(6)] == [waiting(2).id]


def test_the_oldest_wait_counts_only_what_is_free():
    pool = filled(2)
    assert pool.oldest_wait(10.0) == 10.0
    pool.mark_ordered([waiting(0).raw], 5)
    assert pool.oldest_wait(10.0) == 9.0


def test_an_envelope_is_sent_again_after_a_pause_until_its_receiver_says_stored():
    courier = Courier(retry_ms=1000)
    courier.add(1, b"r" * 32, "importer", b"sealed")
    assert courier.due(0.0, []) == []
    assert [peer for peer, _ in courier.due(0.0, ["importer"])] == ["importer"]
    assert courier.due(0.5, ["importer"]) == []
    assert len(courier.due(1.1, ["importer"])) == 1
    digest = hashlib.sha256(b"sealed").digest()
    assert courier.stored("stranger", EnvelopeStoredFrame(b"r" * 32, digest)) is None
    assert courier.stored("importer", EnvelopeStoredFrame(b"r" * 32, b"x" * 32)) is None
    assert courier.stored("importer", EnvelopeStoredFrame(b"r" * 32, digest)) == 1
    assert courier.outstanding == 0


def test_a_new_link_gets_what_the_old_one_may_have_lost():
    courier = Courier(retry_ms=1000)
    courier.add(1, b"r" * 32, "importer", b"sealed")
    courier.due(0.0, ["importer"])
    courier.reconnected("importer")
    assert len(courier.due(0.1, ["importer"])) == 1


def test_of_two_envelopes_under_one_root_only_the_one_that_was_stored_may_go():
    courier = Courier(retry_ms=1000)
    courier.add(1, b"r" * 32, "importer", b"first")
    courier.add(2, b"r" * 32, "importer", b"second")
    courier.add(7, b"r" * 32, "importer", b"first")  # the same again
    assert [frame.envelope for _, frame in courier.due(0.0, ["importer"])] == [b"first", b"second"]
    assert courier.stored("importer", EnvelopeStoredFrame(b"r" * 32, hashlib.sha256(b"first").digest())) == 1
    assert [frame.envelope for _, frame in courier.due(1.1, ["importer"])] == [b"second"]
