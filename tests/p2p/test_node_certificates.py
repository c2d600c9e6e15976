"""Certificates through the node: k orderers, one who lies, and who was away."""

from __future__ import annotations

import asyncio

import pytest

from ledger.checkpoint import parse_certificate, parse_checkpoint, verify_certificate
from ledger.keys import Verifier
from ledger.roster import Roster
from p2p.frames import CheckpointFrame


def away(net, *organizations):
    return net.world.partition([list(organizations), [o for o in net.up if o not in organizations]])


@pytest.mark.parametrize(("liars", "up", "certified"), [(0, 3, True), (1, 4, True), (1, 3, False)])
def test_a_block_is_certified_by_k_orderers_and_not_by_fewer(five, liars, up, certified):
    async def main(net):
        await net.leader()
        for organization in net.up[up:]:
            await net.world.crash(organization)
        leader = await net.leader()
        signed = net.sign()
        await net.post(signed, leader)
        path = f"/v1/transactions/{signed.id.hex()}?wait=certified&timeout_ms=8000"
        answer = await net.get(leader, path)
        note = await net.get(leader, "/v1/checkpoint")
        feed = await net.get(leader, "/v1/receipts")
        return answer, note, feed, net.genesis

    answer, note, feed, genesis = five(main, liars=liars)
    assert answer.json["status"] == ("certified" if certified else "committed")
    assert answer.status == (200 if certified else 504)
    assert note.status == (200 if certified else 404)
    assert len(feed.json["receipts"]) == certified
    if certified:
        electorate = Roster.of_genesis(genesis).electorate(1)
        certificate = parse_certificate(note.data.decode(), electorate)
        verify_certificate(certificate, electorate, Verifier())
        assert len(certificate.signatures) >= genesis.quorum


def test_certificates_are_caught_up_with_after_isolation(five):
    async def main(net):
        leader = await net.leader()
        late = next(o for o in net.up if o != leader)
        mend = away(net, late)
        for signed in [net.sign() for _ in range(5)]:
            await net.certify(signed, leader)
        mend()
        await net.until(lambda: net.certified(late, 5))
        answers = [await net.get(o, "/v1/checkpoint?height=5") for o in (late, leader)]
        return [answer.data for answer in answers], net.genesis, net.node(late).certifier.certified_height

    notes, genesis, height = five(main)
    assert height == 5
    for note in notes:
        electorate = Roster.of_genesis(genesis).electorate(1)
        verify_certificate(parse_certificate(note.decode(), electorate), electorate, Verifier())


def test_what_could_not_be_certified_is_once_enough_orderers_are_back(five):
    async def main(net):
        await net.leader()
        for organization in ("chamber", "noaa"):
            await net.world.crash(organization)
        leader = await net.leader()
        signed = net.sign()
        await net.post(signed, leader)
        await net.get(leader, f"/v1/transactions/{signed.id.hex()}?wait=committed")
        await asyncio.sleep(3)
        before = [node.certifier.certified_height for node in net.nodes]
        await net.world.crash(leader)
        await net.restart(leader)
        for organization in ("chamber", "noaa"):
            await net.restart(organization)
        await net.settled()
        return before, [node.certifier.certified_height for node in net.nodes]

    before, after = five(main, liars=1)
    assert before == [0] * 3
    assert after == [1] * 5


def test_a_divergent_checkpoint_is_reported_and_never_adopted(five):
    async def main(net):
        """noaa's node says another state root for every block, and signs it."""
        await net.leader()
        key = net.founding.secrets["noaa"].node_key
        liar = net.node("noaa")
        send = liar.executor.take_checkpoints

        def lie():
            for frame in send():
                checkpoint = parse_checkpoint(frame.text)
                text = frame.text.replace(frame.text.splitlines()[5], "state " + "A" * 43 + "=")
                yield CheckpointFrame(checkpoint.height, text, key.sign_bytes(text.encode()))

        liar.executor.take_checkpoints = lie
        await net.certify_many(2)
        await asyncio.sleep(2)
        told = net.told("checkpoint.divergent")
        notes = [(await net.get(o, "/v1/checkpoint")).data.decode() for o in net.up if o != "noaa"]
        electorate = Roster.of_genesis(net.genesis).electorate(1)
        signers = [[s for s, _ in parse_certificate(note, electorate).signatures] for note in notes]
        metrics = await net.get("cbp", "/metrics")
        return told, signers, metrics

    told, signers, metrics = five(main)
    assert {(record["orderer"], record["height"]) for record in told} == {("noaa", 1), ("noaa", 2)}
    assert {record["node"] for record in told} == {"cbp", "exporter", "importer", "chamber"}
    assert all("noaa" not in names and len(names) >= 3 for names in signers)
    assert b"seatrial_certifier_divergent_total 2.0" in metrics.data


def test_a_certificate_that_does_not_hold_is_refused_by_name(five):
    async def main(net):
        await net.leader()
        await net.certify_many(1)
        await net.settled()
        node = net.node("cbp")
        text, _ = node.store.own_checkpoint(1)
        node.turns._take_certificate("noaa", f"{text}\n— {net.genesis.origin} AAAAAAAA\n")
        node.turns._take_certificate("noaa", "rubbish")
        return net.told("certificate.refused", node="cbp"), node.certifier.figures.refused

    refused, counted = five(main)
    assert counted == len(refused) >= 1
    assert {record["peer"] for record in refused} == {"noaa"}
