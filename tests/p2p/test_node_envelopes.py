"""Envelopes: what was acknowledged arrives, whatever dies, and what there is no room for is not acknowledged."""

from __future__ import annotations

import asyncio

import pytest

from ledger.encoding import encode
from ledger.genesis import Limits
from p2p.frames import EnvelopeFrame
from p2p.machine import DiskFailureError

ROOT = b"r" * 32
NARROW = Limits(envelope_bytes_max=2048, outbox_bytes_max=5000, inbox_bytes_max=5000)
"""Room for two envelopes of 2,000 bytes, which count 2,256 each."""
SEALED_BYTES = 2000 - 64
"""What an envelope of 2,000 bytes has before its signature."""


def isolated(net, organization):
    """Cut a node off from all others; return how to mend it."""
    return net.world.partition([[organization], [o for o in net.up if o != organization]])


def outbox(net, organization="exporter"):
    return [row.envelope for row in net.node(organization).store.outbox_rows()]


def inbox(net, organization="importer"):
    store = net.node(organization).store
    return [store.inbox_envelope(ROOT, row.index) for row in store.inbox_rows(0, 100)]


async def send(net, sealed=b"sealed", to="importer"):
    body = encode({"root": ROOT, "to": to, "envelope": net.signed_envelope(sealed, to=to)})
    return await net.ask("exporter", "POST", "/v1/documents", body)


def envelopes(net):
    return [(row.root, row.sender) for row in net.node("importer").store.inbox_rows(0, 100)]


def test_an_envelope_survives_the_crash_of_its_sender(five):
    async def main(net):
        await net.leader()
        mend = isolated(net, "exporter")
        posted = await send(net)
        await net.world.power_loss(["exporter"])
        await net.until(lambda: not net.host("exporter").is_up)
        mend()
        await net.restart("exporter")
        await net.until(lambda: envelopes(net))
        await net.settled()
        return posted.status, envelopes(net), len(net.node("exporter").store.outbox_rows())

    assert five(main) == (202, [(ROOT, "exporter")], 0)


def test_an_envelope_survives_the_crash_of_its_addressee_and_arrives_once(five):
    async def main(net):
        await net.leader()
        host = net.host("importer")
        host.at_disk_operation(2, host.power_loss)
        await send(net)
        await net.until(lambda: not host.is_up)
        net.world._gone("importer")
        assert net.node("exporter").courier.outstanding == 1
        await net.restart("importer")
        await net.until(lambda: net.node("exporter").courier.outstanding == 0)
        return envelopes(net), len(net.node("exporter").store.outbox_rows())

    assert five(main) == ([(ROOT, "exporter")], 0)


def test_an_envelope_is_stored_before_its_receipt_leaves(five):
    async def main(net):
        """The addressee's disk takes its time and fails: the sender must not have been told meanwhile."""
        await net.leader()
        await net.certify_many(1)
        await net.settled()
        await asyncio.sleep(1)

        async def commit(_connection, _sequence):
            await asyncio.sleep(2)
            raise DiskFailureError("no")

        net.node("importer").machine.commit = commit
        await send(net)
        await net.until(lambda: not net.host("importer").is_up)
        assert not net.told("envelope.received", node="importer")
        return net.node("exporter").courier.outstanding, len(net.node("exporter").store.outbox_rows())

    assert five(main) == (1, 1)


def test_an_envelope_that_is_too_large_is_not_kept(five):
    async def main(net):
        await net.leader()
        node = net.node("importer")
        node.turns.take(
            "exporter", EnvelopeFrame(ROOT, b"x" * (node.config.genesis.limits.envelope_bytes_max + 1))
        )
        return envelopes(net), net.told("envelope.refused", node="importer")

    kept, refused = five(main)
    assert kept == []
    assert "65537 bytes" in str(refused[0]["reason"])


def test_a_second_envelope_under_the_same_root_takes_nothing_back(five):
    async def main(net):
        await net.leader()
        mend = isolated(net, "exporter")
        posted = [await send(net, sealed) for sealed in (b"first", b"second", b"first")]
        waiting = outbox(net)
        mend()
        await net.settled()
        await net.until(lambda: len(inbox(net)) == 2)
        late = await send(net, b"first")
        await net.settled()
        return [a.status for a in posted], waiting, inbox(net), outbox(net), late.status

    statuses, waiting, arrived, left, late = five(main)
    assert statuses == [202, 202, 200]
    assert [envelope[:-64] for envelope in waiting] == [b"first", b"second"]
    assert arrived == waiting
    assert (left, late) == ([], 202)


def test_an_outbox_without_room_refuses_by_name_and_takes_again_once_there_is_room(five):
    async def main(net):
        await net.leader()
        mend = isolated(net, "exporter")
        answers = [await send(net, bytes([n]) * SEALED_BYTES) for n in range(3)]
        again = await send(net, bytes([0]) * SEALED_BYTES)
        held = len(outbox(net))
        mend()
        await net.settled()
        await net.until(lambda: not outbox(net))
        later = await send(net, bytes([3]) * SEALED_BYTES, to="cbp")
        return answers, again, held, later

    answers, again, held, later = five(main, limits=NARROW)
    assert [a.status for a in answers] == [202, 202, 429]
    assert answers[2].code == "OVERLOADED"
    assert (
        "holds 4512 bytes and has no room for 2000 more; genesis' outbox_bytes_max is 5000"
        in answers[2].message
    )
    assert "send the same bytes again" in answers[2].json["error"]["remedy"]
    assert answers[2].headers["Retry-After"] == "1"
    assert (again.status, held, later.status) == (200, 2, 202)


def test_what_an_inbox_has_no_room_for_stays_with_its_sender(five):
    async def main(net):
        await net.leader()
        answers = []
        for n in range(3):
            answers.append((await send(net, bytes([n]) * SEALED_BYTES)).status)
            await asyncio.sleep(1)
        await asyncio.sleep(10)  # the sender tries again and again
        another = net.signed_envelope(b"from another", "chamber")
        other = encode({"root": ROOT, "to": "importer", "envelope": another})
        await net.ask("chamber", "POST", "/v1/documents", other)
        await net.until(lambda: len(inbox(net)) == 3)
        return answers, inbox(net), outbox(net), net.told("envelope.refused", node="importer")

    answers, arrived, left, refused = five(main, limits=NARROW)
    assert answers == [202, 202, 202]
    assert [envelope[:-64] for envelope in arrived] == [
        bytes([0]) * SEALED_BYTES,
        bytes([1]) * SEALED_BYTES,
        b"from another",
    ]
    assert [envelope[:-64] for envelope in left] == [bytes([2]) * SEALED_BYTES]
    (record,) = refused
    assert "inbox_bytes_max is 5000" in str(record["reason"])


def test_one_s_own_inbox_has_the_same_limit(five):
    async def main(net):
        await net.leader()
        return [await send(net, bytes([n]) * SEALED_BYTES, to="exporter") for n in (0, 1, 2, 0)]

    answers = five(main, limits=NARROW)
    assert [a.status for a in answers] == [202, 202, 429, 200]
    assert "the inbox of exporter for exporter" in answers[2].message


@pytest.mark.parametrize(
    "wrong",
    [
        {"signer": "chamber"},
        {"to": "cbp"},
        {"root": bytes(32)},
        {"sealed": b"other bytes"},
    ],
)
def test_an_envelope_that_its_sender_did_not_sign_as_it_is_sent_goes_nowhere(five, wrong):
    """Neither from one's own application nor from a peer."""

    async def main(net):
        await net.leader()
        signed = net.signed_envelope(**{"sealed": b"sealed"} | wrong)
        if "sealed" in wrong:
            signed = b"sealed" + signed[-64:]
        posted = await net.ask(
            "exporter", "POST", "/v1/documents", encode({"root": ROOT, "to": "importer", "envelope": signed})
        )
        net.node("importer").turns.take("exporter", EnvelopeFrame(ROOT, signed))
        return posted, outbox(net), envelopes(net), net.told("envelope.refused", node="importer")

    posted, out, arrived, refused = five(main)
    assert (posted.status, posted.code) == (403, "BAD_SIGNATURE")
    assert "seatrial/seal/v1" in posted.json["error"]["remedy"]
    assert (out, arrived) == ([], [])
    assert ["no key that exporter has" in record["reason"] for record in refused] == [True]


def test_an_envelope_too_short_to_be_signed_is_refused(five):
    async def main(net):
        await net.leader()
        body = encode({"root": ROOT, "to": "importer", "envelope": bytes(63)})
        return await net.ask("exporter", "POST", "/v1/documents", body)

    assert five(main).code == "BAD_SIGNATURE"
