"""Bytes handed to a node: what is refused and with which code, and what is taken in once."""

from __future__ import annotations

import asyncio

import pytest

from ledger.encoding import decode, encode
from ledger.genesis import Limits
from p2p.pool import Waiting
from p2p.views import Views

OTHER_BODY = {"certificate": b"o" * 16}


@pytest.fixture(scope="module")
def refused(five):
    """Answers to what must not enter, and what the node's pool held afterwards."""

    async def main(net):
        await net.leader()
        good = net.sign()
        fields = decode(good.raw, limit_bytes=1 << 20)
        huge = net.sign(body={"certificate": b"x" * 20_000})
        answers = {
            "too large": await net.post(huge),
            "no msgpack": await net.post(b"\xc1 no msgpack"),
            "empty": await net.post(b""),
            "not canonical": await net.post(b"\x82\xa1b\x01\xa1a\x02"),
            "field of another type": await net.post(encode({**fields, "creator": 7})),
            "unknown field": await net.post(encode({**fields, "extra": 1})),
            "body without a field": await net.post(net.sign(body={"certificate": b"c" * 16})),
            "wrongly signed": await net.post(net.sign(signer="importer")),
            "stranger": await net.post(net.sign("stranger", signer="exporter")),
            "other network": await net.post(net.sign(network="other-0123456789abcdef")),
            "expired": await net.post(net.sign(valid_until_ms=1_000_000)),
            "valid too long": await net.post(net.sign(valid_until_ms=net.genesis.time_ms + (1 << 40))),
            "wrong role": await net.post(net.sign("noaa"), "noaa"),
            "unknown type": await net.post(net.sign(type="certificate.invent")),
        }
        pools = [len(node.pool) for node in net.nodes]
        heights = [node.ledger.height for node in net.nodes]
        return answers, pools, heights

    return five(main)


@pytest.mark.parametrize(
    ("what", "status", "code"),
    [
        ("too large", 413, "TOO_LARGE"),
        ("no msgpack", 400, "MALFORMED"),
        ("empty", 400, "MALFORMED"),
        ("not canonical", 400, "MALFORMED"),
        ("field of another type", 400, "MALFORMED"),
        ("unknown field", 400, "MALFORMED"),
        ("body without a field", 400, "MALFORMED"),
        ("wrongly signed", 403, "BAD_SIGNATURE"),
        ("stranger", 403, "UNKNOWN_ORGANIZATION"),
        ("other network", 400, "WRONG_NETWORK"),
        ("expired", 400, "EXPIRED"),
        ("valid too long", 400, "VALIDITY_TOO_LONG"),
        ("wrong role", 403, "NOT_AUTHORIZED"),
        ("unknown type", 403, "NOT_AUTHORIZED"),
    ],
)
def test_what_does_not_hold_is_refused_with_its_code_and_a_remedy(refused, what, status, code):
    answer = refused[0][what]
    assert (answer.status, answer.code) == (status, code)
    assert answer.json["error"]["remedy"]


@pytest.mark.parametrize(
    ("what", "named"),
    [
        ("too large", "transaction_bytes_max, 16384"),
        ("field of another type", "creator"),
        ("unknown field", "extra"),
        ("body without a field", "body.form"),
        ("stranger", "stranger"),
        ("wrong role", "exporter"),
        ("expired", "1000000"),
    ],
)
def test_a_refusal_names_the_thing_and_the_limit(refused, what, named):
    assert named in refused[0][what].message


def test_nothing_refused_enters_a_pool_or_the_ledger(refused):
    _, pools, heights = refused
    assert pools == [0] * 5
    assert heights == [0] * 5


@pytest.fixture(scope="module")
def repeated(five):
    """Answers to the same bytes sent again, at every stage of their way."""

    async def main(net):
        await net.leader()
        signed = net.sign()
        twin = net.sign(nonce=signed.transaction.nonce)
        answers = {"first": await net.post(signed)}
        answers["waiting"], answers["twin of waiting"] = await asyncio.gather(
            net.post(signed), net.post(twin)
        )
        await net.certify(signed)
        await net.settled()
        answers["executed"] = await net.post(signed)
        answers["twin of executed"] = await net.post(twin)
        answers["elsewhere"] = await net.post(signed, "importer")
        again = net.sign()
        answers["race"] = await asyncio.gather(*(net.post(again) for _ in range(3)))
        await net.certify(again)
        await net.settled()
        answers["receipts"] = await net.get("exporter", "/v1/receipts")
        return answers, signed, again

    return five(main)


def test_the_same_bytes_have_one_effect(repeated):
    answers, signed, again = repeated
    ids = [receipt["id"] for receipt in answers["receipts"].json["receipts"]]
    assert ids == [signed.id.hex(), again.id.hex()]


def test_the_same_bytes_again_get_200_with_their_status(repeated):
    answers, signed, _ = repeated
    assert answers["first"].status == 202
    assert answers["waiting"].status == answers["executed"].status == answers["elsewhere"].status == 200
    assert answers["waiting"].json["id"] == signed.id.hex()
    assert answers["executed"].json["status"] == "certified"
    assert answers["executed"].json["code"] == "VALID"


def test_of_equal_requests_at_once_one_is_new(repeated):
    answers, _, _ = repeated
    assert sorted(answer.status for answer in answers["race"]) == [200, 200, 202]


def test_another_body_under_a_used_nonce_is_refused_while_the_first_waits_and_afterwards(repeated):
    answers, signed, _ = repeated
    for when in ("twin of waiting", "twin of executed"):
        assert (answers[when].status, answers[when].code) == (409, "NONCE_REUSED")
    assert signed.id.hex() in answers["twin of waiting"].message


def test_a_batch_gives_each_item_its_own_outcome(five):
    async def main(net):
        await net.leader()
        good, other, late = net.sign(), net.sign(), net.sign(valid_until_ms=5)
        twin = net.sign(nonce=good.transaction.nonce)
        raws = [good.raw, b"junk", good.raw, twin.raw, other.raw, net.sign(signer="cbp").raw, late.raw]
        answer = await net.ask("exporter", "POST", "/v1/transactions/batch", encode(raws))
        certified = await net.get("exporter", f"/v1/transactions/{other.id.hex()}?wait=certified")
        return answer, certified

    answer, certified = five(main)
    assert answer.status == 200
    results = answer.json["results"]
    assert [result["http"] for result in results] == [202, 400, 200, 409, 202, 403, 400]
    assert results[0]["id"] == results[2]["id"]
    assert [results[i]["error"]["code"] for i in (1, 3, 5, 6)] == [
        "MALFORMED",
        "NONCE_REUSED",
        "BAD_SIGNATURE",
        "EXPIRED",
    ]
    assert certified.json["code"] == "VALID"


def test_what_is_no_batch_is_refused_as_a_whole(five):
    async def main(net):
        bodies = [b"\xc1", encode({"a": 1}), encode([b"x", 3]), encode([b"x"] * 1001), b"", b"x" * 3_000_000]
        return [await net.ask("exporter", "POST", "/v1/transactions/batch", body) for body in bodies]

    answers = five(main)
    assert [(a.status, a.code) for a in answers] == [(400, "MALFORMED")] * 5 + [(413, "TOO_LARGE")]
    assert "1000" in answers[3].message


def test_a_full_pool_refuses_newcomers_and_throws_nobody_out(five):
    async def main(net):
        leader = await net.leader()
        mine = await net.follower() if leader == "exporter" else "exporter"
        others = [o for o in net.up if o != mine]
        net.world.partition([[mine], others])
        waiting = [net.sign(), net.sign()]
        accepted = [await net.post(signed, mine) for signed in waiting]
        refused = await net.post(net.sign(), mine)
        again = await net.post(waiting[0], mine)
        metrics = await net.get(mine, "/metrics")
        return accepted, refused, again, metrics, [w.id for w in net.node(mine).pool], [s.id for s in waiting]

    accepted, refused, again, metrics, pool, waiting = five(main, limits=Limits(pool_transactions_max=2))
    assert [a.status for a in accepted] == [202, 202]
    assert (refused.status, refused.code) == (503, "OVERLOADED")
    assert refused.headers["Retry-After"] == "1"
    assert again.status == 200
    assert pool == waiting
    assert b'seatrial_refused_total{code="OVERLOADED"} 1.0' in metrics.data


@pytest.fixture(scope="module")
def waited(five):
    """When each finality was answered, on the intake node, in virtual time."""

    async def main(net):
        await net.leader()
        signed = net.sign()
        path = f"/v1/transactions/{signed.id.hex()}?wait="

        async def wait(goal):
            answer = await net.get("exporter", path + goal)
            return goal, answer, net.kit.loop.time()

        goals = ["accepted", "ordered", "committed", "certified"]
        waits = [asyncio.create_task(wait(goal)) for goal in goals]
        await asyncio.sleep(0.5)
        posted = await net.post(signed)
        steps = await asyncio.gather(*waits)
        return posted, steps

    return five(main)


def test_every_finality_can_be_waited_for_before_the_transaction_is_there(waited):
    _, steps = waited
    reached = {"accepted": 0, "ordered": 1, "committed": 2, "certified": 3}
    for goal, answer, _ in steps:
        assert answer.status == 200
        assert reached[answer.json["status"]] >= reached[goal]


def test_finalities_come_in_their_order(waited):
    _, steps = waited
    times = [time for _, _, time in steps]
    assert times == sorted(times)
    assert times[0] < times[1] < times[3]


def test_a_wait_for_acceptance_wakes_when_the_transaction_is_on_the_disk(five):
    async def main(net):
        mine = await net.follower()
        net.world.partition([[mine], [o for o in net.up if o != mine]])
        signed = net.sign()
        path = f"/v1/transactions/{signed.id.hex()}?wait=accepted&timeout_ms=20000"
        wait = asyncio.create_task(net.get(mine, path))
        await asyncio.sleep(0.5)
        await net.post(signed, mine)
        posted = net.kit.loop.time()
        answer = await wait
        return answer.json["status"], net.kit.loop.time() - posted

    status, took = five(main)
    assert status == "accepted"
    assert took < 0.1


def test_what_is_on_its_way_to_the_disk_is_not_called_accepted(five):
    async def main(net):
        node, signed = net.node("exporter"), net.sign()
        waiting = Waiting(signed.id, signed.raw, 0, 0.0, ("exporter", 7, 1))
        node.pool.add(waiting)
        before = Views(node).status(signed.id)
        waiting.is_accepted = True
        return before, Views(node).status(signed.id).status.value

    assert five(main) == (None, "accepted")


def test_a_wait_that_ends_without_it_gives_504_with_the_status_as_it_is(five):
    async def main(net):
        mine = await net.follower()
        net.world.partition([[mine], [o for o in net.up if o != mine]])
        signed = net.sign()
        await net.post(signed, mine)
        begun = net.kit.loop.time()
        answer = await net.get(mine, f"/v1/transactions/{signed.id.hex()}?wait=committed&timeout_ms=700")
        took = net.kit.loop.time() - begun
        unknown = await net.get(mine, f"/v1/transactions/{'ab' * 32}?wait=accepted&timeout_ms=300")
        return answer, took, unknown

    answer, took, unknown = five(main)
    assert (answer.status, answer.json["status"]) == (504, "accepted")
    assert 0.7 <= took < 0.8
    assert (unknown.status, unknown.code) == (404, "UNKNOWN_TRANSACTION")


def test_what_waited_past_its_validity_is_told_as_expired(five):
    async def main(net):
        mine = await net.follower()
        others = [o for o in net.up if o != mine]
        mend = net.world.partition([[mine], others])
        late = net.sign(valid_until_ms=net.node(mine).machine.now_ms() + 60_000)
        await net.post(late, mine)
        await net.world.set_calendar(net.node(mine).machine.now_ms() + 3_600_000)
        await net.certify(net.sign(), others[0])
        mend()
        answer = await net.get(mine, f"/v1/transactions/{late.id.hex()}?wait=certified")
        await net.settled()
        return answer, [node.ledger.height for node in net.nodes], len(net.node(mine).store.pool_rows())

    answer, heights, rows = five(main)
    assert (answer.status, answer.json["status"]) == (200, "expired")
    assert heights == [1] * 5
    assert rows == 0
