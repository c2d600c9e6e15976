"""Possession files: what they prove, and that whatever is changed in one is refused or proves the same."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ledger.checkpoint import certificate_of, parse_checkpoint, sign_checkpoint, split_note
from ledger.codes import Code
from ledger.contracts.findings import Finding
from ledger.contracts.records import CertificateState, ClaimState, DocumentState, HoldingState
from ledger.errors import NotProvenError
from ledger.keys import Verifier
from ledger.proofs import decode_proof, verify_possession
from ledger.state import certificate_key, document_key, holding_key
from tests.ledger.proofs.conftest import C1, C2, DAY_MS, ROOT2, Trade

VERIFIER = Verifier()


def verified(trade, proof, genesis_hash=None):
    """Verify what is read back from a file's bytes."""
    return verify_possession(decode_proof(proof.encode()), genesis_hash or trade.genesis.hash, VERIFIER)


def refused(trade, proof, genesis_hash=None) -> str:
    with pytest.raises(NotProvenError) as caught:
        verified(trade, proof, genesis_hash)
    return str(caught.value)


def joined(trade, name, *roles):
    body = trade.joining(name, {"roles": list(roles)})
    assert trade.act("cbp", "member.add", body, ("acme", "globex", "noaa")).code is Code.VALID


# What is proven.


def test_what_was_acknowledged_before_the_claim_is_proven_with_who_what_and_when(trade) -> None:
    said = verified(trade, trade.file(*trade.lawful()))
    assert said.came_before
    assert said.days == 2
    assert (said.holder, said.record.issuer, said.certificate) == ("globex", "acme", C1)
    assert (said.entry, said.line) == ("ABC-1234567-8", 1)
    assert [moment.height for moment in (said.anchored, said.held, said.claimed)] == [1, 3, 4]
    assert said.is_named
    assert not said.is_own
    assert Finding.NO_POSSESSION not in said.findings
    assert said.ledger.signers == trade.genesis.orderers
    assert (said.holding.state, said.claim.state) == (HoldingState.HELD, ClaimState.CLAIMED)


def test_what_was_acknowledged_only_after_the_claim_is_proven_to_be_so(trade) -> None:
    anchored = trade.anchor()
    trade.deliver()
    claimed = trade.claim()
    trade.skip_ms = 3 * DAY_MS
    held = trade.acknowledge()
    said = verified(trade, trade.file(anchored, held, claimed))
    assert not said.came_before
    assert said.days == -3
    assert Finding.NO_POSSESSION in said.findings


@pytest.mark.parametrize("first", ["acknowledgement", "claim"])
def test_in_one_block_the_position_decides(trade, first) -> None:
    anchored = trade.anchor()
    trade.deliver()
    signed = [
        trade.sign("globex", "holding.acknowledge", {"certificate": C1}),
        trade.sign("globex", "claim.file", trade.claiming()),
    ]
    done = trade.together(*(signed if first == "acknowledgement" else reversed(signed)))
    held, claimed = done if first == "acknowledgement" else reversed(done)
    said = verified(trade, trade.file(anchored, held, claimed))
    assert said.held.height == said.claimed.height
    assert said.came_before == (first == "acknowledgement")
    assert (Finding.NO_POSSESSION in said.findings) == (first == "claim")


def test_a_claim_that_names_no_certificate_is_ordered_against_it_and_no_more(trade) -> None:
    anchored = trade.anchor()
    trade.deliver()
    held = trade.acknowledge()
    claimed = trade.claim(certificate=None)
    said = verified(trade, trade.file(anchored, held, claimed))
    assert said.came_before
    assert not said.is_named
    assert Finding.NO_POSSESSION in said.findings


def test_a_broker_s_claim_rests_on_what_its_importer_of_record_held(trade) -> None:
    joined(trade, "swift", "broker")
    power = {"broker": "swift", "from": "2018-06-26", "to": None}
    assert trade.do("globex", "power.grant", power).code is Code.VALID
    anchored = trade.anchor()
    trade.deliver()
    held = trade.acknowledge()
    claimed = trade.claim("swift", importer_of_record="globex")
    assert claimed.code is Code.VALID
    said = verified(trade, trade.file(anchored, held, claimed))
    assert said.came_before
    assert (said.holder, said.filer) == ("globex", "swift")


def test_an_importer_that_certifies_itself_holds_from_the_anchoring_on(trade) -> None:
    anchored = trade.anchor("globex", form="CAFTA-DR")
    claimed = trade.claim(regime="CAFTA-DR", spi="P")
    assert claimed.code is Code.VALID
    said = verified(trade, trade.file(anchored, None, claimed))
    assert said.is_own
    assert said.came_before
    assert said.held == said.anchored


def test_a_replaced_and_purged_certificate_is_still_proven_and_told_as_it_stands(trade) -> None:
    acts = trade.lawful()
    trade.anchor(certificate=C2, root=ROOT2)
    assert trade.do("acme", "certificate.notify", {"certificate": C1}).code is Code.VALID
    assert trade.do("acme", "certificate.supersede", {"certificate": C1, "successor": C2}).code is Code.VALID
    trade.skip_ms = 3000 * DAY_MS
    assert (
        trade.do("acme", "document.purge", {"root": acts[0].signed.transaction.documents[0]}).code
        is Code.VALID
    )
    said = verified(trade, trade.file(*acts))
    assert said.came_before
    assert (said.record.state, said.record.successor) == (CertificateState.CORRECTED, C2)
    assert said.document.state is DocumentState.PURGED


def test_after_members_orderers_nodes_and_keys_changed_the_genesis_hash_is_still_enough(trade) -> None:
    anchored = trade.anchor()
    trade.deliver()
    joined(trade, "dhl", "broker")
    promotion = {"organization": "dhl", "in_place_of": "cbp"}
    assert trade.act("cbp", "orderer.promote", promotion, ("acme", "globex", "noaa")).code is Code.VALID
    held = trade.acknowledge()
    assert trade.act("dhl", "node.ready", {"incarnation": 1}).code is Code.VALID
    body, new = trade.rotating("globex", 2)
    assert trade.act("globex", "key.rotate", body).code is Code.VALID
    trade.keys["globex"] = new
    assert trade.act("noaa", "node.replace", trade.replacing("noaa", 2)).code is Code.VALID
    claimed = trade.claim()
    said = verified(trade, trade.file(anchored, held, claimed))
    assert said.came_before
    assert len(said.ledger.roster.heights) == 5
    assert "dhl" in said.ledger.signers
    assert "cbp" not in said.ledger.signers


# Genesis and the chain of changes.


def test_another_genesis_hash_is_refused(trade, founders) -> None:
    proof = trade.file(*trade.lawful())
    assert refused(trade, proof, bytes(32)).startswith("genesis: its hash is")
    other = replace(founders.genesis, time_ms=1)
    assert "another network's" in refused(trade, replace(proof, genesis=other.encode()))
    assert "these bytes are no genesis" in refused(trade, replace(proof, genesis=b"\x80"))


def test_with_a_foreign_genesis_and_its_own_hash_nothing_of_this_network_holds(trade, founders) -> None:
    other = replace(founders.genesis, time_ms=1)
    proof = replace(trade.file(*trade.lawful()), genesis=other.encode())
    assert "another log's" in refused(trade, proof, other.hash)


def test_a_chain_that_was_rolled_back_is_noticed_by_the_state_under_the_checkpoint(trade) -> None:
    acts = trade.lawful()
    body, _ = trade.rotating("acme", 2)  # changes no orderer: every signature still holds without it
    assert trade.act("acme", "key.rotate", body).code is Code.VALID
    proof = trade.file(*acts)
    assert verified(trade, proof).came_before
    assert "changes are missing" in refused(trade, replace(proof, links=()))


def test_a_chain_without_its_beginning_or_with_a_link_twice_is_refused(trade) -> None:
    acts = trade.lawful()
    for name in ("dhl", "ups"):
        joined(trade, name, "broker")
    proof = trade.file(*acts)
    one, two = proof.links
    for links in ((two,), (two, one), (one, one, two), (one, two, two)):
        assert refused(trade, replace(proof, links=links)).startswith("chain of membership changes: link")


def test_a_checkpoint_before_the_last_change_does_not_fit_the_chain(trade) -> None:
    acts = trade.lawful()
    before = trade.file(*acts)
    joined(trade, "dhl", "broker")
    proof = replace(before, links=tuple(trade.links))
    assert "too many" in refused(trade, proof)


# The certificate.


def certified_by(trade, *names, checkpoint=None):
    electorate = trade.roster.electorate(trade.ledger.height)
    stated = checkpoint or parse_checkpoint(split_note(trade.notes[trade.ledger.height])[0])
    signatures = [(name, sign_checkpoint(stated, trade.node_keys[name])) for name in names]
    return certificate_of(stated, signatures, electorate).note(electorate)


def test_too_few_orderers_certify_nothing(trade) -> None:
    proof = trade.file(*trade.lawful())
    assert verified(trade, replace(proof, checkpoint=certified_by(trade, "cbp", "acme", "noaa"))).came_before
    lonely = replace(proof, checkpoint=certified_by(trade, "cbp", "acme"))
    assert "2 orderers of cbp, acme, globex, chamber, noaa signed, k = 3 are needed" in refused(trade, lonely)


def test_an_orderer_counts_once(trade) -> None:
    proof = trade.file(*trade.lawful())
    note = certified_by(trade, "cbp", "acme")
    doubled = note + note.splitlines(keepends=True)[-1]
    assert "k = 3 are needed" in refused(trade, replace(proof, checkpoint=doubled))


def test_orderers_that_left_do_not_certify(trade) -> None:
    acts = trade.lawful()
    joined(trade, "dhl", "broker")
    promotion = {"organization": "dhl", "in_place_of": "cbp"}
    assert trade.act("cbp", "orderer.promote", promotion, ("acme", "globex", "noaa")).code is Code.VALID
    assert trade.act("dhl", "node.ready", {"incarnation": 1}).code is Code.VALID
    trade.anchor(certificate=C2, root=ROOT2)
    proof = trade.file(*acts)
    checkpoint = parse_checkpoint(split_note(proof.checkpoint)[0])
    signatures = [
        (name, sign_checkpoint(checkpoint, trade.node_keys[name])) for name in ("cbp", "acme", "globex")
    ]
    old = trade.roster.electorate(1)
    note = certificate_of(checkpoint, signatures, old).note(old)
    assert "2 orderers of acme" in refused(trade, replace(proof, checkpoint=note))


def test_parts_against_another_checkpoint_are_refused(trade) -> None:
    acts = trade.lawful()
    early = trade.file(*acts)
    trade.anchor(certificate=C2, root=ROOT2)
    late = trade.file(*acts)
    assert verified(trade, early).came_before
    assert refused(trade, replace(late, checkpoint=early.checkpoint)).startswith("membership record")
    for name in ("anchor", "acknowledgement", "claim"):
        mixed = replace(late, **{name: getattr(early, name)})
        assert "is not leaf" in refused(trade, mixed)
    for name in ("certificate", "document", "holding", "filed", "membership"):
        mixed = replace(late, **{name: getattr(early, name)})
        assert "the certified state does not have this record" in refused(trade, mixed)


# The acts.


def test_receipts_that_were_swapped_are_refused(trade) -> None:
    proof = trade.file(*trade.lawful())
    acts = {name: getattr(proof, name) for name in ("anchor", "acknowledgement", "claim")}
    for name, act in acts.items():
        for other, its in acts.items():
            if other != name:
                swapped = replace(proof, **{name: replace(act, receipt=its.receipt, block=its.block)})
                assert "the receipt is of transaction" in refused(trade, swapped)
                swapped = replace(proof, **{name: replace(act, block=its.block)})
                assert "the block's leaf of block" in refused(trade, swapped)
                swapped = replace(proof, **{name: replace(act, receipt=its.block)})
                assert "is not a receipt's" in refused(trade, swapped)
                swapped = replace(proof, **{name: replace(act, block=its.receipt)})
                assert "is not a block's" in refused(trade, swapped)


def test_acts_in_one_another_s_place_are_refused(trade) -> None:
    proof = trade.file(*trade.lawful())
    anchor, held, claim = proof.anchor, proof.acknowledgement, proof.claim
    assert "anchors no certificate" in refused(trade, replace(proof, anchor=held))
    assert "acknowledges no certificate" in refused(trade, replace(proof, acknowledgement=anchor))
    assert "acknowledges no certificate" in refused(trade, replace(proof, acknowledgement=claim))
    assert "files no claim" in refused(trade, replace(proof, claim=held))


def test_an_acknowledgement_that_the_ledger_refused_proves_nothing(trade) -> None:
    anchored = trade.anchor()
    early = trade.acknowledge()  # before it was delivered
    assert early.code is Code.RULE_VIOLATED
    trade.deliver()
    expired = trade.acknowledge(valid_until_ms=0)
    claimed = trade.claim()
    held = trade.acknowledge()
    proof = trade.file(anchored, held, claimed)
    assert not verified(trade, proof).came_before
    for done, code in ((early, "RULE_VIOLATED"), (expired, "EXPIRED")):
        assert done.code == code
        assert f"the ledger has it as {code}" in refused(
            trade, replace(proof, acknowledgement=trade.proven(done))
        )


def test_a_claim_of_another_importer_is_refused(make_joined) -> None:
    trade = make_joined("initech")
    anchored = trade.anchor(addressees=["globex", "initech", "cbp"])
    trade.deliver()
    held = trade.acknowledge()
    trade.deliver("initech")
    other = trade.acknowledge("initech")
    claimed = trade.claim()
    proof = trade.file(anchored, held, claimed)
    assert verified(trade, proof).came_before
    assert "globex is its importer of record, and initech held" in refused(
        trade, replace(proof, acknowledgement=trade.proven(other))
    )
    initechs = trade.record(holding_key(C1, "initech"))
    assert refused(trade, replace(proof, holding=initechs)).startswith("holding record")


@pytest.fixture
def make_joined(trade):
    def make(name: str) -> Trade:
        joined(trade, name, "importer")
        return trade

    return make


def test_another_certificate_is_refused(trade) -> None:
    anchored, held, claimed = trade.lawful()
    second = trade.anchor(certificate=C2, root=ROOT2)
    trade.deliver(certificate=C2)
    held2 = trade.acknowledge(certificate=C2)
    proof = trade.file(anchored, held, claimed)
    wrong = replace(proof, acknowledgement=trade.proven(held2))
    assert refused(trade, wrong).startswith("acknowledgement: it is of certificate 0202")
    both = replace(
        wrong,
        anchor=trade.proven(second),
        certificate=trade.record(certificate_key(C2)),
        document=trade.record(document_key(ROOT2)),
        holding=trade.record(holding_key(C2, "globex")),
    )
    assert refused(trade, both).startswith("claim: it names certificate 0101")


def test_without_an_acknowledgement_only_an_importer_s_own_certification_counts(trade) -> None:
    proof = trade.file(*trade.lawful())
    said = refused(trade, replace(proof, acknowledgement=None))
    assert said.startswith("acknowledgement: there is none, and acme is no importer")


def test_a_transaction_of_another_network_is_refused(trade, founders) -> None:
    proof = trade.file(*trade.lawful())
    other = Trade(replace(founders.genesis, time_ms=founders.genesis.time_ms + 1))
    theirs = other.file(*other.lawful())
    assert verified(other, theirs).came_before
    for name in ("anchor", "acknowledgement", "claim"):
        assert "is not leaf" in refused(trade, replace(proof, **{name: getattr(theirs, name)}))


def test_what_a_stolen_key_signed_proves_nothing_against_its_owner(trade) -> None:
    anchored, held, claimed = trade.lawful()
    old, new = trade.keys["globex"], trade.signing("globex/organization 2")
    body, _ = trade.rotating("globex", 2)
    more = {"organization": "globex", "key": old.public, "successor": body["key"]}
    more["successor_proof"] = body["key_proof"]
    since = 2  # the acknowledgement is in block 3
    receipt = trade.act("cbp", "key.revoke", more | {"compromised_since": since}, ("acme", "noaa"))
    assert receipt.code is Code.VALID, receipt
    trade.keys["globex"] = new
    said = refused(trade, trade.file(anchored, held, claimed))
    assert "globex has told that its key of then was stolen after height 2" in said
