"""Keys end and nodes come back: old signatures stay good, new ones by old keys are refused."""

from __future__ import annotations

import pytest

from ledger.codes import Code
from ledger.contracts.membership import KEY_TABLE, NodeState
from ledger.contracts.membership.standing import state_of
from ledger.contracts.rules import rule_remedy
from ledger.keys import SigningKey

ANCHOR = {"class": "commercial", "addressees": ["cbp"]}


def anchor(consortium, creator="acme", **changes):
    root = bytes([consortium.counter + 1]) * 32
    return consortium.sign(creator, "document.anchor", ANCHOR, documents=(root,), **changes)


def rotated(consortium, organization="acme", number=2) -> SigningKey:
    """Give an organization its next key and return the old one."""
    body, new = consortium.rotating(organization, number)
    assert consortium.act(organization, "key.rotate", body).code is Code.VALID
    old, consortium.keys[organization] = consortium.keys[organization], new
    return old


def refused(consortium, creator, kind, body, approvers=(), **changes):
    before = consortium.roster
    receipt = consortium.act(creator, kind, body, approvers, **changes)
    assert receipt.code is Code.RULE_VIOLATED, receipt
    assert consortium.roster is before
    assert rule_remedy(receipt.rule)
    return receipt.rule


def revoking(consortium, organization="acme", key=None, since=0, **more):
    key = key or consortium.keys[organization]
    return {"organization": organization, "key": key.public, "compromised_since": since, **more}


# Rotation.


def test_after_a_rotation_only_the_new_key_signs(consortium) -> None:
    old = rotated(consortium)
    assert consortium.block(anchor(consortium).raw).receipts[0].code is Code.VALID
    late = anchor(consortium, key=old)
    assert consortium.block(late.raw).receipts[0].code is Code.REVOKED_KEY
    admission = consortium.ledger.admit(late.raw, 0)
    assert (admission.code, admission.remedy) == (Code.REVOKED_KEY, Code.REVOKED_KEY.remedy)
    assert "ended at height 1" in admission.message
    stranger = anchor(consortium, key=consortium.keys["globex"])
    assert consortium.ledger.admit(stranger.raw, 0).code is Code.BAD_SIGNATURE


def test_what_an_old_key_signed_is_refused_without_using_up_its_nonce(consortium) -> None:
    waiting = anchor(consortium)
    old = rotated(consortium)
    assert old.public != consortium.keys["acme"].public
    assert consortium.block(waiting.raw).receipts[0].code is Code.REVOKED_KEY
    again = anchor(consortium, nonce=waiting.transaction.nonce)
    assert consortium.block(again.raw).receipts[0].code is Code.VALID


def test_a_rotation_is_signed_by_the_old_key_and_proven_by_the_new(consortium) -> None:
    body, new = consortium.rotating("acme", 2)
    assert consortium.act("acme", "key.rotate", body, key=new).code is Code.BAD_SIGNATURE
    stolen = {"key": body["key"], "key_proof": consortium.rotating("acme", 3)[0]["key_proof"]}
    assert refused(consortium, "acme", "key.rotate", stolen) == "key.rotate/bad-possession"
    other, _ = consortium.rotating("globex", 2)
    assert refused(consortium, "acme", "key.rotate", other) == "key.rotate/bad-possession"


def test_an_x25519_key_is_rotated_alone_or_with_the_other(consortium) -> None:
    box = consortium.box("acme/box 2")
    assert consortium.act("acme", "key.rotate", {"box_key": box}).code is Code.VALID
    member = consortium.roster.organization("acme")
    assert member.box_key == box
    assert [(term.since, term.until) for term in member.box_keys] == [(0, 1), (1, None)]
    assert len(member.keys) == 1
    body, _ = consortium.rotating("acme", 2)
    assert consortium.act("acme", "key.rotate", {**body, "box_key": consortium.box("3")}).code is Code.VALID


@pytest.mark.parametrize("missing", [("key",), ("key_proof",), ("key", "key_proof")])
def test_a_rotation_to_nothing_or_without_proof_is_malformed(consortium, missing) -> None:
    body, _ = consortium.rotating("acme", 2)
    for name in missing:
        del body[name]
    assert consortium.act("acme", "key.rotate", body).code is Code.MALFORMED


def test_nobody_goes_back_to_a_key_it_had(consortium) -> None:
    old = rotated(consortium)
    body, _ = consortium.rotating("acme", 2)
    from ledger.contracts.membership import Purpose

    body = {"key": old.public, "key_proof": consortium.proof(old, "acme", Purpose.ORGANIZATION)}
    assert refused(consortium, "acme", "key.rotate", body) == "key.rotate/roster"


# Revocation.


def test_a_stolen_key_is_revoked_by_the_majority_with_a_successor_and_since_when(consortium) -> None:
    for _ in range(3):
        assert consortium.block(anchor(consortium).raw).receipts[0].code is Code.VALID
    thief = consortium.keys["acme"]
    body, new = consortium.rotating("acme", 2)
    more = {"successor": body["key"], "successor_proof": body["key_proof"]}
    receipt = consortium.act("cbp", "key.revoke", revoking(consortium, since=2, **more), ("globex", "noaa"))
    assert receipt.code is Code.VALID
    first = consortium.roster.organization("acme").keys[0]
    assert (first.until, first.compromised_since) == (4, 2)
    assert consortium.block(anchor(consortium, key=thief).raw).receipts[0].code is Code.REVOKED_KEY
    consortium.keys["acme"] = new
    assert consortium.block(anchor(consortium).raw).receipts[0].code is Code.VALID


def test_the_owner_revokes_alone_and_has_no_voice_until_the_majority_gives_it_a_key(consortium) -> None:
    old = consortium.keys["acme"]
    assert consortium.act("acme", "key.revoke", revoking(consortium)).code is Code.VALID
    assert consortium.roster.organization("acme").key is None
    assert consortium.block(anchor(consortium).raw).receipts[0].code is Code.REVOKED_KEY
    rule = refused(
        consortium, "cbp", "member.remove", {"organization": "noaa"}, ("acme", "globex", "chamber")
    )
    assert rule == "member.remove/bad-approval"
    rule = refused(consortium, "cbp", "key.revoke", revoking(consortium), ("globex", "noaa"))
    assert rule == "key.revoke/no-successor"
    body, new = consortium.rotating("acme", 2)
    more = revoking(consortium, key=old, successor=body["key"], successor_proof=body["key_proof"])
    assert refused(consortium, "cbp", "key.revoke", more, ("globex",)) == "key.revoke/too-few-approvals"
    assert consortium.act("cbp", "key.revoke", more, ("globex", "noaa")).code is Code.VALID
    consortium.keys["acme"] = new
    assert consortium.block(anchor(consortium).raw).receipts[0].code is Code.VALID


def test_a_thief_cannot_give_itself_a_successor_by_revocation_nor_others_revoke_alone(consortium) -> None:
    body, _ = consortium.rotating("acme", 2)
    more = {"successor": body["key"], "successor_proof": body["key_proof"]}
    rule = refused(consortium, "acme", "key.revoke", revoking(consortium, **more))
    assert rule == "key.revoke/too-few-approvals"
    assert refused(consortium, "globex", "key.revoke", revoking(consortium)) == "key.revoke/too-few-approvals"


def test_a_former_key_is_revoked_too_and_takes_no_successor(consortium) -> None:
    old = rotated(consortium)
    body, _ = consortium.rotating("acme", 3)
    more = {"successor": body["key"], "successor_proof": body["key_proof"]}
    rule = refused(consortium, "cbp", "key.revoke", revoking(consortium, key=old, **more), ("globex", "noaa"))
    assert rule == "key.revoke/has-successor"
    assert consortium.act("acme", "key.revoke", revoking(consortium, key=old, since=1)).code is Code.VALID
    term = consortium.roster.organization("acme").keys[0]
    assert (term.until, term.compromised_since) == (1, 1)
    assert consortium.roster.organization("acme").key == consortium.keys["acme"].public


def test_a_key_is_stolen_between_its_registration_and_now(consortium) -> None:
    rotated(consortium)
    for since in (0, 9):
        rule = refused(consortium, "acme", "key.revoke", revoking(consortium, since=since))
        assert rule == "key.revoke/compromised-since"
    strange = revoking(consortium, key=consortium.keys["globex"])
    assert refused(consortium, "acme", "key.revoke", strange) == "key.revoke/unknown-key"
    assert consortium.act("acme", "key.revoke", revoking(consortium, since=1)).code is Code.VALID


def test_the_steps_are_these() -> None:
    assert {step.event for step in KEY_TABLE.steps} == {"key.rotate", "key.revoke"}


# Nodes.


def test_an_orderers_node_comes_back_as_a_learner_with_a_new_id_and_then_orders(consortium) -> None:
    old = consortium.roster.organization("acme").node
    body = consortium.replacing("acme", 2, url="http://new.acme:7001", compromised_since=0)
    assert consortium.act("acme", "node.replace", body).code is Code.VALID
    roster = consortium.roster
    member = roster.organization("acme")
    assert state_of(member) is NodeState.LEARNER
    assert (member.node.raft_id, member.node.incarnation, member.node.url) == (6, 2, "http://new.acme:7001")
    assert (roster.voters, roster.learners, roster.quorum) == ((1, 3, 4, 5), (6,), 3)
    past = member.nodes[0]
    assert (past.key, past.until, past.compromised_since, past.seats[0].until) == (old.key, 1, 0, 1)
    assert roster.with_raft_id(2) is None
    assert consortium.act("acme", "node.ready", {"incarnation": 2}).code is Code.VALID
    roster = consortium.roster
    assert (roster.voters, roster.orderers[-1]) == ((1, 3, 4, 5, 6), "acme")
    assert roster.electorate(1).keys["acme"] == old.key
    assert roster.electorate(2).keys["acme"] == member.node.key


def test_one_orderers_node_is_replaced_at_a_time(consortium) -> None:
    assert consortium.act("acme", "node.replace", consortium.replacing("acme", 2)).code is Code.VALID
    rule = refused(consortium, "noaa", "node.replace", consortium.replacing("noaa", 2))
    assert rule == "node.replace/replacement-under-way"
    again = consortium.replacing("acme", 3)
    assert consortium.act("acme", "node.replace", again).code is Code.VALID  # its own again: still one
    rule = refused(consortium, "noaa", "node.replace", consortium.replacing("noaa", 2))
    assert rule == "node.replace/replacement-under-way"
    demotion = {"organization": "acme"}
    assert consortium.act("cbp", "orderer.demote", demotion, ("globex", "noaa")).code is Code.VALID
    assert consortium.act("noaa", "node.replace", consortium.replacing("noaa", 2)).code is Code.VALID


def test_a_node_outside_the_ordering_is_replaced_at_any_time_and_stays_outside(consortium) -> None:
    assert (
        consortium.act("cbp", "member.add", consortium.joining("dhl"), ("acme", "globex")).code is Code.VALID
    )
    assert consortium.act("acme", "node.replace", consortium.replacing("acme", 2)).code is Code.VALID
    assert consortium.act("dhl", "node.replace", consortium.replacing("dhl", 2)).code is Code.VALID
    member = consortium.roster.organization("dhl")
    assert state_of(member) is NodeState.OUTSIDE
    assert member.node.url == "http://dhl:7000"


def test_incarnations_follow_each_other_and_the_new_node_key_is_proven(consortium) -> None:
    for incarnation in (3, 7):
        rule = refused(consortium, "acme", "node.replace", consortium.replacing("acme", incarnation))
        assert rule == "node.replace/wrong-incarnation"
    body = consortium.replacing("acme", 2) | {
        "node_key_proof": consortium.replacing("noaa", 2)["node_key_proof"]
    }
    assert refused(consortium, "acme", "node.replace", body) == "node.replace/bad-possession"
    late = consortium.replacing("acme", 2, compromised_since=99)
    assert refused(consortium, "acme", "node.replace", late) == "node.replace/compromised-since"
    assert consortium.act("acme", "node.replace", consortium.replacing("acme", 1)).code is Code.MALFORMED


@pytest.mark.parametrize("key", [bytes(32), (2).to_bytes(32, "little"), b"\xff" * 32])
def test_a_box_key_that_no_secret_key_gives_is_not_registered(consortium, key):
    """Of small order, on the twist, no coordinate: of an envelope to it nothing could be proven."""
    assert consortium.act("acme", "key.rotate", {"box_key": key}).code is Code.MALFORMED
    body = consortium.joining("dhl", {"box_key": key})
    joined = consortium.act("cbp", "member.add", body, ("acme", "globex"))
    assert joined.code is Code.MALFORMED
