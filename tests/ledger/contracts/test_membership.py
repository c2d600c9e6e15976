"""Members join and leave, orderers are chosen, by a majority; every refusal is a rule with a remedy."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ledger.block import check_block
from ledger.codes import Code
from ledger.configuration import CONFIGURATION_TYPES, configuration_type
from ledger.contracts.membership import NODE_TABLE, NodeState
from ledger.contracts.membership.standing import state_of
from ledger.contracts.rules import RULES, rule_remedy
from ledger.errors import BadBlockError
from ledger.execution import Ledger
from ledger.keys import Verifier
from ledger.transaction import sign_approval, sign_transaction

APPROVERS = ("acme", "globex")


def joined(consortium, organization="dhl"):
    receipt = consortium.act("cbp", "member.add", consortium.joining(organization), APPROVERS)
    assert receipt.code is Code.VALID
    return consortium.roster.organization(organization)


def promoted(consortium, organization="dhl", **body):
    body = {"organization": organization, **body}
    assert consortium.act("cbp", "orderer.promote", body, APPROVERS).code is Code.VALID
    receipt = consortium.act(organization, "node.ready", {"incarnation": 1})
    assert receipt.code is Code.VALID
    return consortium.roster.organization(organization)


def anchored(consortium, creator, addressee):
    body = {"class": "commercial", "addressees": [addressee]}
    root = bytes([consortium.counter + 1]) * 32
    return consortium.act(creator, "document.anchor", body, documents=(root,))


def refused(consortium, creator, kind, body, approvers=APPROVERS, **changes):
    before = consortium.roster
    receipt = consortium.act(creator, kind, body, approvers, **changes)
    assert receipt.code is Code.RULE_VIOLATED, receipt
    assert consortium.roster == before
    assert consortium.ledger.roster is before
    assert rule_remedy(receipt.rule)
    return receipt.rule


def test_the_registry_knows_every_configuration_type_and_no_other_takes_approvals() -> None:
    assert {kind for kind in RULES if kind.partition(".")[0] in {"member", "orderer", "node", "key"}} == (
        CONFIGURATION_TYPES
    )
    assert {kind for kind, rule in RULES.items() if rule.takes_approvals} < CONFIGURATION_TYPES


def test_a_newcomer_is_a_member_at_once_and_does_not_order(consortium) -> None:
    member = joined(consortium)
    roster = consortium.roster
    assert (member.since, member.node.raft_id, member.node.url) == (1, 6, "http://dhl:7000")
    assert (len(roster.members), roster.majority, roster.next_raft_id) == (6, 4, 7)
    assert roster.orderers == consortium.genesis.orderers
    assert state_of(member) is NodeState.OUTSIDE
    assert anchored(consortium, "dhl", "cbp").code is Code.VALID
    assert anchored(consortium, "cbp", "dhl").code is Code.VALID


def test_a_learner_becomes_an_orderer_when_it_says_so_itself(consortium) -> None:
    joined(consortium)
    assert (
        consortium.act("cbp", "orderer.promote", {"organization": "dhl"}, ("acme", "globex", "dhl")).code
        is Code.VALID
    )
    assert consortium.roster.learners == (6,)
    assert consortium.roster.quorum == 3
    assert refused(consortium, "dhl", "node.ready", {"incarnation": 2}, ()) == "node.ready/wrong-incarnation"
    assert consortium.act("dhl", "node.ready", {"incarnation": 1}).code is Code.VALID
    roster = consortium.roster
    assert roster.orderers == (*consortium.genesis.orderers, "dhl")
    assert (roster.voters, roster.learners, roster.quorum) == ((1, 2, 3, 4, 5, 6), (), 4)


def test_an_orderer_gives_its_seat_to_another_in_one_block(consortium) -> None:
    joined(consortium)
    body = {"organization": "dhl", "in_place_of": "acme"}
    assert consortium.act("cbp", "orderer.promote", body, ("acme", "globex", "noaa")).code is Code.VALID
    assert "acme" in consortium.roster.orderers
    assert consortium.act("dhl", "node.ready", {"incarnation": 1}).code is Code.VALID
    roster = consortium.roster
    assert roster.orderers == ("cbp", "globex", "chamber", "noaa", "dhl")
    assert [c.orderers for c in roster.electorate(roster.height).constituencies] == [
        ("cbp", "acme", "globex", "chamber", "noaa"),
        ("cbp", "globex", "chamber", "noaa", "dhl"),
    ]
    assert state_of(roster.find("acme")) is NodeState.OUTSIDE


def test_who_is_demoted_stays_a_member_and_may_be_promoted_again_under_its_id(consortium) -> None:
    assert consortium.act("cbp", "orderer.demote", {"organization": "noaa"}, APPROVERS).code is Code.VALID
    assert consortium.roster.orderers == ("cbp", "acme", "globex", "chamber")
    again = promoted(consortium, "noaa")
    assert (again.node.raft_id, len(again.node.seats)) == (5, 2)
    assert consortium.roster.orderers == ("cbp", "acme", "globex", "chamber", "noaa")
    assert consortium.roster.orderers_at(0) == consortium.genesis.orderers
    assert consortium.roster.orderers_at(1) == ("cbp", "acme", "globex", "chamber")


def test_who_was_removed_neither_signs_nor_is_addressed_and_its_id_is_nobody_elses(consortium) -> None:
    assert consortium.act("cbp", "member.remove", {"organization": "noaa"}, APPROVERS).code is Code.VALID
    roster = consortium.roster
    assert (roster.find("noaa"), roster.orderers) == (None, ("cbp", "acme", "globex", "chamber"))
    assert roster.find_ever("noaa").until == roster.find_ever("noaa").node.until == 1
    assert anchored(consortium, "noaa", "cbp").code is Code.UNKNOWN_ORGANIZATION
    assert anchored(consortium, "cbp", "noaa").rule == "document.anchor/unknown-addressee"
    assert refused(consortium, "cbp", "member.add", consortium.joining("noaa")) == "member.add/member-exists"
    assert (
        refused(consortium, "cbp", "member.remove", {"organization": "noaa"})
        == "member.remove/unknown-member"
    )


def test_no_raft_id_is_given_twice(consortium) -> None:
    assert joined(consortium, "dhl").node.raft_id == 6
    assert (
        consortium.act("cbp", "member.remove", {"organization": "dhl"}, ("acme", "globex", "noaa")).code
        is Code.VALID
    )
    assert joined(consortium, "ups").node.raft_id == 7


# Approvals.


@pytest.mark.parametrize("approvers", [(), ("acme",), ("cbp", "acme")])
def test_less_than_a_majority_is_not_enough_and_the_creator_counts_once(consortium, approvers) -> None:
    rule = refused(consortium, "cbp", "member.add", consortium.joining("dhl"), approvers)
    assert rule == "member.add/too-few-approvals"


def test_an_approval_is_worth_nothing_but_by_a_members_current_key_over_this_transaction(consortium) -> None:
    body = consortium.joining("dhl")
    signed = consortium.sign("cbp", "member.add", body, APPROVERS)
    good = signed.transaction.approvals
    other = sign_approval(replace(signed.transaction, nonce=(9, 99)), consortium.keys["globex"])
    node = sign_approval(signed.transaction, consortium.node_keys["globex"])
    stranger = sign_approval(signed.transaction, consortium.keys["dhl"])
    for bad in (("globex", other), ("globex", node), ("dhl", stranger), ("acme2", stranger)):
        transaction = replace(signed.transaction, approvals=(good[0], bad, ("noaa", good[1][1])))
        receipt = consortium.block(sign_transaction(transaction, consortium.keys["cbp"]).raw).receipts[0]
        assert (receipt.code, receipt.rule) == (Code.RULE_VIOLATED, "member.add/bad-approval")
        consortium.counter += 1
        signed = consortium.sign("cbp", "member.add", body, APPROVERS)
        good = signed.transaction.approvals


def test_approvals_under_a_type_that_takes_none_are_malformed(consortium) -> None:
    receipt = consortium.act("acme", "node.replace", consortium.replacing("acme", 2), ("cbp",))
    assert receipt.code is Code.MALFORMED


# What the network could not go on without.


def test_the_last_customs_the_last_orderer_and_the_quorum_stay(founders, make_consortium) -> None:
    five = make_consortium(founders.genesis)
    rule = refused(five, "acme", "member.remove", {"organization": "cbp"}, ("globex", "noaa"))
    assert rule == "member.remove/last-customs"
    alone = make_consortium(replace(founders.genesis, orderers=("acme",)))
    for kind in ("orderer.demote", "member.remove"):
        assert refused(alone, "cbp", kind, {"organization": "acme"}) == f"{kind}/last-orderer"
    assert (
        refused(alone, "acme", "node.replace", alone.replacing("acme", 2), ()) == "node.replace/last-orderer"
    )
    strict = make_consortium(
        replace(founders.genesis, orderers=("cbp", "acme", "noaa"), orderer_liars_tolerated=2)
    )
    for kind in ("orderer.demote", "member.remove"):
        assert refused(strict, "cbp", kind, {"organization": "acme"}) == f"{kind}/no-quorum"
    assert (
        refused(strict, "acme", "node.replace", strict.replacing("acme", 2), ()) == "node.replace/no-quorum"
    )


def test_no_more_orderers_than_the_limit_learners_counted(make_consortium, founders, monkeypatch) -> None:
    from ledger.contracts.membership import standing

    monkeypatch.setattr(standing, "ORDERERS_MAX", 4)
    consortium = make_consortium(replace(founders.genesis, orderers=("cbp", "acme", "globex")))
    assert consortium.act("cbp", "orderer.promote", {"organization": "noaa"}, APPROVERS).code is Code.VALID
    body = {"organization": "chamber"}
    assert refused(consortium, "cbp", "orderer.promote", body) == "orderer.promote/too-many-orderers"
    body["in_place_of"] = "acme"
    assert consortium.act("cbp", "orderer.promote", body, APPROVERS).code is Code.VALID


def test_no_more_members_than_the_limit(consortium, monkeypatch) -> None:
    from ledger.contracts.membership import standing

    monkeypatch.setattr(standing, "ORGANIZATIONS_MAX", 5)
    assert (
        refused(consortium, "cbp", "member.add", consortium.joining("dhl")) == "member.add/too-many-members"
    )


def test_a_seat_is_given_up_by_an_orderer_only(consortium) -> None:
    joined(consortium)
    for other in ("dhl", "nobody"):
        body = {"organization": "dhl", "in_place_of": other}
        rule = refused(consortium, "cbp", "orderer.promote", body, ("acme", "globex", "noaa"))
        assert rule == "orderer.promote/not-an-orderer"


def test_what_the_table_does_not_list_is_refused(consortium) -> None:
    assert (
        refused(consortium, "cbp", "orderer.promote", {"organization": "acme"})
        == "orderer.promote/impossible-transition"
    )
    assert (
        refused(consortium, "acme", "node.ready", {"incarnation": 1}, ())
        == "node.ready/impossible-transition"
    )
    joined(consortium)
    body = {"organization": "dhl"}
    rule = refused(consortium, "cbp", "orderer.demote", body, ("acme", "globex", "noaa"))
    assert rule == "orderer.demote/impossible-transition"


@pytest.mark.parametrize("name", ["key_proof", "node_key_proof"])
def test_who_registers_a_key_must_hold_it(consortium, name) -> None:
    body = consortium.joining("dhl")
    body[name] = consortium.joining("ups")[name]
    assert refused(consortium, "cbp", "member.add", body) == "member.add/bad-possession"


def test_another_members_keys_are_not_registered_again(consortium) -> None:
    body = consortium.joining("dhl", {"box_key": consortium.roster.organization("acme").box_key})
    assert refused(consortium, "cbp", "member.add", body) == "member.add/roster"


@pytest.mark.parametrize(
    "change",
    [
        {"organization": "DHL"},
        {"name": " DHL"},
        {"country": "Germany"},
        {"roles": []},
        {"roles": ["broker", "broker"]},
        {"roles": ["king"]},
        {"key": b"short"},
        {"url": "dhl:7000"},
        {"more": 1},
    ],
)
def test_a_newcomer_of_the_wrong_form_is_malformed(consortium, change) -> None:
    receipt = consortium.act("cbp", "member.add", consortium.joining("dhl", change), APPROVERS)
    assert receipt.code is Code.MALFORMED


# Blocks.


def test_a_configuration_transaction_stands_alone_in_its_block(consortium, founders) -> None:
    change = consortium.sign("cbp", "member.remove", {"organization": "noaa"}, APPROVERS).raw
    other = consortium.sign(
        "acme", "document.anchor", {"class": "commercial", "addressees": ["cbp"]}, documents=(b"d" * 32,)
    ).raw
    for transactions in ((change, other), (other, change), (change, change)):
        block = founders.block(transactions=transactions)
        with pytest.raises(BadBlockError, match="stands among others; it stands alone"):
            check_block(block, founders.genesis, founders.roster, Verifier())
        ledger = Ledger(founders.genesis, Verifier())
        with pytest.raises(BadBlockError, match="is not alone in it"):
            ledger.execute(block, block.hash)
        assert ledger.height == 0
    assert (
        check_block(founders.block(transactions=(change,)), founders.genesis, founders.roster, Verifier())
        is None
    )


def test_the_type_is_read_from_the_end_of_the_bytes(consortium) -> None:
    for kind in sorted(CONFIGURATION_TYPES):
        for valid_until_ms in (0, 127, 255, 65535, 2**32, 253_402_300_799_999):
            signed = consortium.sign("cbp", kind, {}, valid_until_ms=valid_until_ms)
            assert configuration_type(signed.raw) == kind
    hidden = {"type": "member.add", "valid_until_ms": 1, "version": 1}
    assert configuration_type(consortium.sign("cbp", "claim.file", hidden).raw) is None
    assert configuration_type(consortium.sign("cbp", "xmember.add", hidden).raw) is None
    for rubbish in (b"", b"member.add", b"valid_until_ms"):
        assert configuration_type(rubbish) is None


def test_the_roster_is_under_the_state_root_and_its_digest_in_the_log(consortium) -> None:
    before = consortium.ledger.log.size
    execution = consortium.block(
        consortium.sign("cbp", "member.remove", {"organization": "noaa"}, APPROVERS).raw
    )
    assert set(execution.changes) >= {"membership", "organization/noaa"}
    assert execution.changes_roster
    assert execution.checkpoint.size - before == 3
    refusal = consortium.block(
        consortium.sign("cbp", "member.remove", {"organization": "noaa"}, APPROVERS).raw
    )
    assert not refusal.changes_roster
    assert refusal.checkpoint.size - execution.checkpoint.size == 2


def test_every_step_of_the_table_is_taken_in_these_tests_or_those_beside_them() -> None:
    assert {step.event for step in NODE_TABLE.steps} == CONFIGURATION_TYPES - {"key.rotate", "key.revoke"}
