"""Blocks: what the header binds, and every way in which one can fail."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ledger.block import Block, check_block, decode_block, transactions_root
from ledger.encoding import decode, encode
from ledger.errors import BadBlockError
from ledger.genesis import Limits
from ledger.keys import Domain, Verifier
from ledger.merkle import EMPTY_ROOT, leaf_hash, node_hash
from ledger.roster import Roster

LIMIT = 1 << 20


def _resign(founders, block: Block, **changes: object) -> Block:
    header = replace(block.header, **changes)
    signature = founders.node_key("cbp").sign(Domain.HEADER, header.network, header.payload())
    return Block(header, signature, block.transactions)


def test_a_block_comes_back_from_its_bytes_and_holds(founders) -> None:
    block = founders.block()
    again = decode_block(block.encode(), LIMIT)
    assert again == block
    assert again.hash == block.header.hash
    check_block(
        again, founders.genesis, founders.roster, Verifier(), height=1, previous=founders.genesis.hash, term=3,
        not_before_ms=0, size_bytes=len(block.encode()),
    )  # fmt: skip


def test_an_empty_block_holds_too(founders) -> None:
    block = founders.block(transactions=())
    assert block.header.transactions_root == EMPTY_ROOT
    check_block(block, founders.genesis, founders.roster, Verifier())


def test_the_root_is_rfc_6962_over_the_full_signed_bytes(founders) -> None:
    a, b, c = founders.block().transactions
    expected = node_hash(node_hash(leaf_hash(a), leaf_hash(b)), leaf_hash(c))
    assert transactions_root([a, b, c]) == expected == founders.block().header.transactions_root


@pytest.mark.parametrize(
    "change",
    [
        {"network": "x"}, {"height": 2}, {"term": 4}, {"previous": bytes(32)}, {"time_ms": 1},
        {"transactions_root": bytes(32)}, {"proposer": "acme"},
    ],
)  # fmt: skip
def test_every_field_of_the_header_counts_for_the_hash(change: dict[str, object], founders) -> None:
    header = founders.block().header
    assert replace(header, **change).hash != header.hash


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"network": "other-1"}, "network is other-1, expected pilot-"),
        ({"height": 2}, "height is 2, expected 1"),
        ({"term": 4}, "term is 4, expected 3"),
        ({"previous": b"\x01" * 32}, "previous is 0101"),
        (
            {"time_ms": 1_530_000_000_099},
            "time 1530000000099 ms is before the previous block's 1530000000100 ms",
        ),
        ({"transactions_root": bytes(32)}, "transactions_root is 0000"),
        ({"proposer": "nobody"}, "the proposer is no orderer; they are cbp, acme"),
        ({"proposer": "acme"}, "the signature is not the proposer's over this header"),
    ],
)
def test_a_signed_header_in_the_wrong_place_is_refused(
    change: dict[str, object], message: str, founders
) -> None:
    block = _resign(founders, founders.block(), **change)
    with pytest.raises(BadBlockError, match=message):
        check_block(
            block, founders.genesis, founders.roster, Verifier(), height=1, previous=founders.genesis.hash, term=3,
            not_before_ms=1_530_000_000_100,
        )  # fmt: skip


def test_without_expectations_genesis_still_binds_the_first_block_and_all_times(founders) -> None:
    block = founders.block()
    for change, message in (
        ({"height": 0}, "height 0 is genesis; blocks begin at 1"),
        ({"previous": bytes(32)}, "previous is 0000"),
        ({"time_ms": founders.genesis.time_ms - 1}, "is before the previous block's"),
    ):
        with pytest.raises(BadBlockError, match=message):
            check_block(_resign(founders, block, **change), founders.genesis, founders.roster, Verifier())


def test_a_later_block_follows_the_one_before(founders) -> None:
    first = founders.block()
    second = founders.block(height=2, previous=first.hash)
    check_block(second, founders.genesis, founders.roster, Verifier(), height=2, previous=first.hash)
    with pytest.raises(BadBlockError, match=r"block 2 by cbp: previous is [0-9a-f]{64}, expected 0000"):
        check_block(second, founders.genesis, founders.roster, Verifier(), height=2, previous=bytes(32))


def test_changed_transactions_are_refused(founders) -> None:
    block = founders.block()
    a, b, c = block.transactions
    for transactions in ((a, b), (b, a, c), (a, b, c, c), (a, b, c[:-1] + bytes([c[-1] ^ 1]))):
        with pytest.raises(BadBlockError, match="transactions_root"):
            check_block(
                replace(block, transactions=transactions), founders.genesis, founders.roster, Verifier()
            )


def test_a_member_who_does_not_order_may_not_propose(founders) -> None:
    genesis = replace(founders.genesis, orderers=("acme", "globex", "noaa"))
    block = founders.block(network=genesis.network, previous=genesis.hash)
    with pytest.raises(BadBlockError, match="the proposer is no orderer"):
        check_block(block, genesis, Roster.of_genesis(genesis), Verifier())


def test_limits_hold(founders) -> None:
    block = founders.block()
    size = len(block.encode())
    genesis = replace(founders.genesis, limits=Limits(block_transactions_max=2))
    few = founders.block(network=genesis.network, previous=genesis.hash)
    with pytest.raises(BadBlockError, match="3 transactions are over the limit of 2"):
        check_block(few, genesis, Roster.of_genesis(genesis), Verifier())
    with pytest.raises(BadBlockError, match=rf"{LIMIT + 1} bytes are over the limit of {LIMIT}"):
        check_block(block, founders.genesis, founders.roster, Verifier(), size_bytes=LIMIT + 1)
    assert decode_block(block.encode(), size) == block
    with pytest.raises(BadBlockError, match="over the limit of"):
        decode_block(block.encode(), size - 1)


def test_a_block_over_the_limit_is_measured_when_nobody_says_its_size(founders) -> None:
    genesis = replace(founders.genesis, limits=Limits(transaction_bytes_max=1024, block_bytes_max=4096))
    block = founders.block(network=genesis.network, previous=genesis.hash, transactions=[bytes(1000)] * 5)
    with pytest.raises(BadBlockError, match="bytes are over the limit of 4096"):
        check_block(block, genesis, Roster.of_genesis(genesis), Verifier())


@pytest.mark.parametrize(
    "spoil",
    [
        lambda fields: fields.pop("signature"),
        lambda fields: fields.update(signature=bytes(63)),
        lambda fields: fields.update(extra=1),
        lambda fields: fields["header"].update(extra=1),
        lambda fields: fields["header"].update(height=-1),
        lambda fields: fields["header"].update(height=2**63),
        lambda fields: fields["header"].update(previous=bytes(31)),
        lambda fields: fields["header"].pop("term"),
        lambda fields: fields.update(transactions=["text"]),
        lambda fields: fields.update(transactions={}),
    ],
)
def test_bytes_that_are_no_block_are_refused(spoil, founders) -> None:
    fields = decode(founders.block().encode(), limit_bytes=LIMIT)
    spoil(fields)
    with pytest.raises(BadBlockError, match="these bytes are no block"):
        decode_block(encode(fields), LIMIT)
