"""A leader that orders what it should not: bad transactions stay without effect, bad blocks are never taken."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ledger.block import Block, build_block
from ledger.genesis import Limits
from ledger.state import nonce_key
from ledger.transaction import malformed_id
from p2p.ordering import Ordering

LIMITS = Limits(transaction_bytes_max=4096, block_bytes_max=65536)


@pytest.fixture(scope="module")
def ordered(five):
    """What a dishonest leader's block of bad transactions did on every node."""

    async def main(net):
        leader, orders = await net.lying_leader()
        first = net.sign()
        await net.certify(first)
        await net.settled()
        before = dict(net.node(leader).ledger.state.items())
        reused = net.sign(nonce=first.transaction.nonce)
        wrong = net.sign(signer="importer")
        bad = {
            "malformed": b"\x80 rubbish",
            "too large": b"x" * 5000,
            "wrongly signed": wrong.raw,
            "duplicate": first.raw,
            "nonce reused": reused.raw,
            "expired": net.sign(valid_until_ms=5).raw,
            "stranger": net.sign("stranger", signer="cbp").raw,
            "other network": net.sign(network="other-0123456789abcdef").raw,
        }
        orders.blocks.append(list(bad.values()))
        await net.until(lambda: all(net.certified(o, 2) for o in net.up))
        feeds = {o: (await net.get(o, "/v1/receipts?after=-1")).json["receipts"] for o in net.up}
        status = await net.get("exporter", f"/v1/transactions/{first.id.hex()}")
        states = [dict(node.ledger.state.items()) for node in net.nodes]
        roots = [node.ledger.state_root for node in net.nodes]
        await net.certify_many(1)
        return bad, feeds, status, before, states, roots, first, wrong

    return five(main, limits=LIMITS)


def test_every_bad_transaction_stays_on_the_ledger_with_its_code_on_all_nodes(ordered):
    bad, feeds, *_ = ordered
    codes = [
        "MALFORMED",
        "TOO_LARGE",
        "BAD_SIGNATURE",
        "DUPLICATE",
        "NONCE_REUSED",
        "EXPIRED",
        "UNKNOWN_ORGANIZATION",
        "WRONG_NETWORK",
    ]
    assert len(codes) == len(bad)
    assert len(feeds) == 5
    for receipts in feeds.values():
        assert [receipt["code"] for receipt in receipts[1:]] == codes
        assert receipts == feeds["cbp"]


def test_bad_transactions_change_nothing_in_the_state(ordered):
    _, _, _, before, states, roots, *_ = ordered
    assert states == [before] * 5
    assert len(set(roots)) == 1


def test_bytes_that_are_no_transaction_have_an_id_of_their_own(ordered):
    bad, feeds, *_ = ordered
    receipts = feeds["importer"]
    for position, what in ((1, "malformed"), (2, "too large")):
        assert receipts[position]["id"] == malformed_id(bad[what]).hex()
        assert "body" not in receipts[position]


def test_a_second_copy_does_not_hide_the_receipt_that_counted(ordered):
    *_, status, _, _, _, first, _ = ordered
    assert (status.json["code"], status.json["height"]) == ("VALID", 1)
    assert status.json["id"] == first.id.hex()


def test_an_honest_body_ordered_first_with_a_rubbish_signature_lives(five):
    async def main(net):
        _leader, orders = await net.lying_leader()
        honest = net.sign()
        fake = honest.raw.replace(honest.signature, b"\x07" * 64)
        assert fake != honest.raw
        orders.blocks.append([fake])
        await net.until(lambda: all(net.certified(o, 1) for o in net.up))
        unknown = await net.get("exporter", f"/v1/transactions/{honest.id.hex()}")
        answer = await net.certify(honest)
        await net.settled()
        nonce = nonce_key("exporter", honest.transaction.nonce)
        return unknown, answer, [node.ledger.state.get(nonce) is not None for node in net.nodes]

    unknown, answer, used = five(main)
    assert unknown.json["code"] == "BAD_SIGNATURE"
    assert (answer.json["code"], answer.json["height"]) == ("VALID", 2)
    assert used == [True] * 5


def test_an_honest_transaction_that_waits_while_its_rubbish_copy_is_ordered_lives(five):
    async def main(net):
        leader, orders = await net.lying_leader()
        mine = next(o for o in net.up if o != leader)
        mend = net.world.partition([[mine], [o for o in net.up if o != mine]])
        honest = net.sign()
        await net.post(honest, mine)
        orders.blocks.append([honest.raw.replace(honest.signature, b"\x07" * 64)])
        await net.until(lambda: all(net.certified(o, 1) for o in net.up if o != mine))
        mend()
        answer = await net.get(mine, f"/v1/transactions/{honest.id.hex()}?wait=certified")
        await net.settled()
        return answer, len(net.node(mine).store.pool_rows())

    answer, rows = five(main)
    assert (answer.json["code"], answer.json["height"]) == ("VALID", 2)
    assert rows == 0


# Blocks whose header does not hold.


def rebuilt(ordering: Ordering, block: Block, **changes) -> bytes:
    """Sign the block again, with other fields in its header."""
    header = block.header
    fields = {
        "network": header.network,
        "height": header.height,
        "term": header.term,
        "previous": header.previous,
        "time_ms": header.time_ms,
        "transactions": block.transactions,
        "proposer": header.proposer,
        "key": ordering.config.node_key,
    }
    return build_block(**{**fields, **changes}).encode()


def another(ordering: Ordering) -> str:
    return next(o for o in ordering.config.genesis.orderers if o != ordering.config.organization)


SPOILS = {
    "previous": lambda o, b: rebuilt(o, b, previous=b"p" * 32),
    "height": lambda o, b: rebuilt(o, b, height=b.header.height + 1),
    "term": lambda o, b: rebuilt(o, b, term=b.header.term + 1),
    "time": lambda o, b: rebuilt(o, b, time_ms=b.header.time_ms - 3_600_000),
    "network": lambda o, b: rebuilt(o, b, network="other-0123456789abcdef"),
    "transactions_root": lambda o, b: replace(b, transactions=(*b.transactions, b"more")).encode(),
    "signature": lambda o, b: replace(b, signature=b"s" * 64).encode(),
    "no orderer": lambda o, b: rebuilt(o, b, proposer="stranger"),
    "limit": lambda o, b: rebuilt(o, b, transactions=(b"x" * 70_000,)),
    "no block": lambda o, b: b"\xc1 no block at all",
}
REASONS = {"no orderer": "is no orderer", "limit": "65536", "no block": "no block"}


@pytest.mark.slow
@pytest.mark.parametrize("what", SPOILS)
def test_a_block_that_does_not_hold_is_never_taken_and_the_network_recovers(five, what):
    async def main(net):
        (_good,) = await net.certify_many(1)
        await net.settled()
        leader, orders = await net.lying_leader()
        term = net.node(leader).ordering.raw.term
        orders.spoil = SPOILS[what]
        orders.blocks.append([net.sign().raw])
        followers = [o for o in net.up if o != leader]
        await net.until(lambda: net.told("raft.block_refused", peer=leader))
        await net.until(lambda: net.node(followers[0]).ordering.raw.term > term)
        at = next(o for o in ORDER if o in followers)
        answer = await net.certify(net.sign(), at)
        refused = net.told("raft.block_refused", peer=leader)
        counted = [net.node(o).ordering.figures.blocks_refused for o in followers]
        await net.settled()
        return answer, refused, counted, [node.ledger.height for node in net.nodes]

    answer, refused, counted, heights = five(main, limits=LIMITS)
    assert (answer.json["code"], answer.json["height"]) == ("VALID", 2)
    assert counted == [1] * 4
    assert REASONS.get(what, what) in str(refused[0]["reason"])
    assert heights == [2] * 5


ORDER = ("exporter", "importer", "cbp", "chamber", "noaa")


def test_a_header_signed_by_who_does_not_lead_is_refused(five):
    async def main(net):
        leader, orders = await net.lying_leader()
        accomplice = next(o for o in net.up if o != leader)
        key = net.founding.secrets[accomplice].node_key
        orders.spoil = lambda ordering, block: rebuilt(ordering, block, proposer=accomplice, key=key)
        orders.blocks.append([net.sign().raw])
        await net.until(lambda: net.told("raft.block_refused", peer=leader))
        return str(net.told("raft.block_refused", peer=leader)[0]["reason"]), [
            n.ledger.height for n in net.nodes
        ]

    reason, heights = five(main)
    assert "proposed it, but" in reason
    assert heights == [0] * 5
