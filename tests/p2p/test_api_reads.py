"""What a node tells its organization: feeds that wake, proofs that hold without the node, health and figures."""

from __future__ import annotations

import asyncio

import pytest

from ledger.block import check_block, decode_block
from ledger.checkpoint import parse_certificate, verify_certificate
from ledger.encoding import decode, encode
from ledger.execution import Ledger
from ledger.genesis import Genesis
from ledger.keys import Verifier
from ledger.merkle import leaf_hash, verify_inclusion
from ledger.roster import Roster
from ledger.statetree import StateProof, verify_state


@pytest.fixture(scope="module")
def told(five):
    """Answers of a network that has certified four transactions."""

    async def main(net):
        await net.leader()
        signed = await net.certify_many(3)
        refused = net.sign(body={**signed[0].transaction.body}, documents=(b"r" * 32,))
        await net.certify(refused)
        await net.settled()
        certificate = f"certificate/{signed[1].transaction.body['certificate'].hex()}"
        paths = {
            "genesis": "/v1/genesis",
            "proof": f"/v1/proofs/{signed[1].id.hex()}",
            "unknown proof": f"/v1/proofs/{'00' * 32}",
            "state": f"/v1/state/{certificate}?proof=true",
            "no state": "/v1/state/certificate/00?proof=true",
            "plain state": f"/v1/state/{certificate}",
            "checkpoint": "/v1/checkpoint",
            "checkpoint 2": "/v1/checkpoint?height=2",
            "checkpoint 99": "/v1/checkpoint?height=99",
            "block": "/v1/blocks/2",
            "block 0": "/v1/blocks/0",
            "block 99": "/v1/blocks/99",
            "receipts": "/v1/receipts?after=-1",
            "first two": "/v1/receipts?after=-1&limit=2",
            "document": f"/v1/documents/{'00' * 32}",
            "metrics": "/metrics",
        }
        answers = {name: await net.get("importer", path) for name, path in paths.items()}
        token = {
            "Authorization": f"Bearer {net.world.endpoint('cbp').token}",
            "Accept": "application/octet-stream",
        }
        answers["raw block"] = await net.ask("cbp", "GET", "/v1/blocks/2", headers=token)
        answers["health"] = await net.ask("cbp", "GET", "/v1/health", headers={})
        return answers, [*signed, refused]

    return five(main)


def test_a_receipt_is_proved_by_genesis_and_the_answer_alone(told):
    answers, signed = told
    genesis = Genesis.decode(answers["genesis"].data)
    electorate = Roster.of_genesis(genesis).electorate(1)
    proof = answers["proof"].json
    certificate = parse_certificate(proof["certificate"], electorate)
    verify_certificate(certificate, electorate, Verifier())
    leaf = bytes.fromhex(proof["leaf"])
    path = [bytes.fromhex(step) for step in proof["path"]]
    root, size = certificate.checkpoint.root, certificate.checkpoint.size
    assert size == proof["size"]
    assert verify_inclusion(leaf_hash(leaf), proof["index"], size, path, root)
    assert not verify_inclusion(leaf_hash(leaf + b"x"), proof["index"], size, path, root)
    receipt = decode(leaf, limit_bytes=1000)
    assert receipt[3] == signed[1].id
    assert receipt[4] == "VALID"


def test_a_state_value_and_an_absence_are_proved_under_the_certified_root(told):
    answers, _ = told
    genesis = Genesis.decode(answers["genesis"].data)
    electorate = Roster.of_genesis(genesis).electorate(1)
    certificate = parse_certificate(answers["checkpoint"].data.decode(), electorate)
    verify_certificate(certificate, electorate, Verifier())
    for name in ("state", "no state"):
        state = answers[name].json
        assert state["height"] == certificate.checkpoint.height
        value = None if state["value"] is None else bytes.fromhex(state["value"])
        assert (value is None) is (name == "no state")
        proof = StateProof.decode(bytes.fromhex(state["proof"]))
        root = certificate.checkpoint.state_root
        assert verify_state(root, state["key"], value, proof)
        assert not verify_state(root, state["key"], b"another", proof)
    assert "proof" not in answers["plain state"].json
    assert answers["state"].json["fields"]["issuer"] == "exporter"


def test_a_block_executes_to_the_checkpoint_that_its_certificate_states(told):
    answers, _ = told
    genesis = Genesis.decode(answers["genesis"].data)
    electorate = Roster.of_genesis(genesis).electorate(1)
    data = answers["raw block"].data
    block = decode_block(data, genesis.limits.block_bytes_max)
    check_block(block, genesis, Roster.of_genesis(genesis), Verifier(), height=2, size_bytes=len(data))
    checkpoint = parse_certificate(answers["checkpoint 2"].data.decode(), electorate).checkpoint
    assert checkpoint.block_hash == block.hash
    told_block = answers["block"].json
    assert told_block["hash"] == block.hash.hex()
    assert [bytes.fromhex(raw) for raw in told_block["transactions"]] == list(block.transactions)
    assert told_block["certified"] is True
    assert Ledger(genesis, Verifier()).height == 0


@pytest.mark.parametrize("name", ["unknown proof", "checkpoint 99", "block 0", "block 99", "document"])
def test_what_is_not_there_is_404_with_a_remedy(told, name):
    answer = told[0][name]
    assert answer.status == 404
    assert answer.json["error"]["remedy"]


def test_receipts_come_in_the_order_of_the_log_with_what_is_public(told):
    answers, signed = told
    receipts = answers["receipts"].json["receipts"]
    assert [receipt["id"] for receipt in receipts] == [one.id.hex() for one in signed]
    assert [receipt["code"] for receipt in receipts] == ["VALID"] * 3 + ["RULE_VIOLATED"]
    assert receipts[3]["rule"]
    assert receipts[0]["type"] == "certificate.anchor"
    assert receipts[0]["body"]["certificate"] == signed[0].transaction.body["certificate"].hex()
    assert receipts[0]["documents"] == [root.hex() for root in signed[0].transaction.documents]
    page = answers["first two"].json
    assert [receipt["id"] for receipt in page["receipts"]] == [one.id.hex() for one in signed[:2]]
    assert page["next"] == receipts[1]["index"]


def test_health_says_where_the_node_stands(told):
    health = told[0]["health"].json
    assert health["status"] == "ok"
    assert health["organization"] == "cbp"
    assert health["height"] == health["certified"] == 4
    assert health["leader"] in {"cbp", "exporter", "importer", "chamber", "noaa"}
    assert sorted(health["peers"]) == ["chamber", "exporter", "importer", "noaa"]
    assert health["insecure_keys"] is True
    assert health["repairs"] == []


def test_metrics_are_prometheus_text(told):
    answer = told[0]["metrics"]
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    lines = answer.data.decode().splitlines()
    assert "seatrial_height 4.0" in lines
    assert "seatrial_certified_height 4.0" in lines
    assert "seatrial_raft_blocks_refused_total 0.0" in lines
    assert "seatrial_peers_connected 4.0" in lines


def test_the_receipt_feed_wakes_when_the_next_receipt_is_certified(five):
    async def main(net):
        await net.leader()
        poll = asyncio.create_task(net.get("importer", "/v1/receipts?after=-1&wait_ms=20000"))
        await asyncio.sleep(1)
        assert not poll.done()
        begun = net.kit.loop.time()
        signed = net.sign()
        await net.post(signed)
        answer = await poll
        took = net.kit.loop.time() - begun
        status = await net.get("importer", f"/v1/transactions/{signed.id.hex()}")
        idle = net.kit.loop.time()
        nothing = await net.get("importer", f"/v1/receipts?after={answer.json['next']}&wait_ms=400")
        return signed, answer, took, status, nothing, net.kit.loop.time() - idle

    signed, answer, took, status, nothing, idle = five(main)
    assert [receipt["id"] for receipt in answer.json["receipts"]] == [signed.id.hex()]
    assert status.json["status"] == "certified"
    assert took < 1
    assert nothing.json == {"next": answer.json["next"], "receipts": []}
    assert 0.4 <= idle < 0.5


def test_nothing_is_told_as_a_receipt_before_it_is_certified(five):
    async def main(net):
        await net.leader()
        await net.certify_many(1)
        told = []

        def look():
            for node in net.nodes:
                views = net.world._apis[node.organization].views
                certified = node.certifier.certified_height
                told.extend(r["height"] <= certified for r in views.receipts(-1, 100)[1])

        await net.post(net.sign())
        for _ in range(200):
            look()
            await asyncio.sleep(0.001)
        await net.settled()
        return told, [node.certifier.certified_height for node in net.nodes]

    told, certified = five(main)
    assert told
    assert all(told)
    assert certified == [2] * 5


def test_an_envelope_is_carried_to_its_addressee_and_the_feed_wakes(five):
    async def main(net):
        await net.leader()
        poll = asyncio.create_task(net.get("importer", "/v1/documents?after=0&wait_ms=20000"))
        await asyncio.sleep(0.5)
        body = encode({"root": b"r" * 32, "to": "importer", "envelope": net.signed_envelope(b"sealed")})
        posted = [await net.ask("exporter", "POST", "/v1/documents", body) for _ in range(2)]
        listed = await poll
        await net.settled()
        got = await net.get("importer", f"/v1/documents/{(b'r' * 32).hex()}")
        others = [await net.get(o, f"/v1/documents/{(b'r' * 32).hex()}") for o in ("cbp", "exporter", "noaa")]
        after = await net.get("importer", f"/v1/documents?after={listed.json['next']}")
        to_self = net.signed_envelope(b"mine", "noaa", "noaa", b"s" * 32)
        own = await net.ask(
            "noaa", "POST", "/v1/documents", encode({"root": b"s" * 32, "to": "noaa", "envelope": to_self})
        )
        mine = await net.get("noaa", f"/v1/documents/{(b's' * 32).hex()}")
        return posted, listed, got, others, after, own, mine

    posted, listed, got, others, after, own, mine = five(main)
    assert [answer.status for answer in posted] == [202, 200]
    (document,) = listed.json["documents"]
    assert (document["root"], document["from"], document["size"]) == ((b"r" * 32).hex(), "exporter", 70)
    assert got.data[:-64] == b"sealed"
    assert [answer.status for answer in others] == [404] * 3
    assert after.json["documents"] == []
    assert own.status == 202
    assert mine.data[:-64] == b"mine"


@pytest.mark.parametrize(
    ("body", "status", "named"),
    [
        (b"\xc1", 400, ""),
        (encode({"root": b"r" * 31, "to": "importer", "envelope": b"e"}), 400, "root"),
        (encode({"root": b"r" * 32, "to": "importer"}), 400, "envelope"),
        (encode({"root": b"r" * 32, "to": "nobody", "envelope": b"e"}), 403, "nobody"),
        (encode({"root": b"r" * 32, "to": "importer", "envelope": b"e" * 70_000}), 413, "envelope_bytes_max"),
        (encode({"root": b"r" * 32, "to": "importer", "envelope": b"e", "more": 1}), 400, "more"),
    ],
)
def test_what_is_no_envelope_is_refused_by_name(five, body, status, named):
    answer = five(lambda net: net.ask("exporter", "POST", "/v1/documents", body))
    assert answer.status == status
    assert named in answer.message


def test_a_get_asked_twice_has_no_effect_and_the_same_answer(five):
    """aiohttp's client repeats a GET whose connection broke; every GET must bear that."""

    async def main(net):
        await net.leader()
        (signed,) = await net.certify_many(1)
        await net.settled()
        envelope = net.signed_envelope(b"sealed", to="exporter")
        document = encode({"root": b"r" * 32, "to": "exporter", "envelope": envelope})
        await net.ask("exporter", "POST", "/v1/documents", document)
        node = net.node("exporter")
        paths = [
            f"/v1/transactions/{signed.id.hex()}?wait=certified",
            "/v1/receipts?after=-1",
            "/v1/blocks/1",
            "/v1/state/organization/cbp?proof=true",
            f"/v1/proofs/{signed.id.hex()}",
            "/v1/checkpoint",
            "/v1/genesis",
            "/v1/documents?after=0",
            f"/v1/documents/{(b'r' * 32).hex()}",
        ]
        before = node.store.sequence
        answers = [[await net.get("exporter", path) for _ in range(2)] for path in paths]
        return answers, node.store.sequence - before

    answers, written = five(main)
    for once, twice in answers:
        assert once.status == 200
        assert once.data == twice.data
    assert written == 0
