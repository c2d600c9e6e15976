"""Files in which every orderer certifies what no honest execution could: the verifier believes no contradiction."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ledger.checkpoint import certificate_of, sign_checkpoint
from ledger.contracts.findings import Finding
from ledger.contracts.records import (
    ClaimState,
    HoldingRecord,
    HoldingState,
    read_certificate,
    read_claim,
    read_document,
)
from ledger.encoding import decode, encode
from ledger.errors import NotProvenError
from ledger.keys import Verifier
from ledger.merkle import MerkleLog, leaf_hash
from ledger.proofs import (
    PossessionProof,
    ProvenAct,
    ProvenLeaf,
    ProvenRecord,
    decode_proof,
    verify_possession,
)
from ledger.state import certificate_key, claim_key, document_key, holding_key
from ledger.statetree import StateTree
from tests.ledger.proofs.conftest import C1, ENTRY, ROOT1

RECORDS = {
    "certificate": certificate_key(C1),
    "document": document_key(ROOT1),
    "holding": holding_key(C1, "globex"),
    "filed": claim_key(ENTRY, 1),
}
ACTS = ("anchor", "acknowledgement", "claim")


@pytest.fixture
def acts(trade):
    return dict(zip(ACTS, trade.lawful(), strict=True))


def receipt_of(trade, done):
    return decode(trade.leaves[done.leaf], limit_bytes=1 << 16)


def block_of(trade, done):
    return decode(trade.leaves[done.block_leaf], limit_bytes=1 << 16)


def lied(trade, acts, leaves=None, records=None, indexes=None, transactions=None) -> PossessionProof:
    """A file under a checkpoint that all orderers sign over leaves and records of our choice.

    Args:
        leaves: other data by index.
        records: other values by the file's name of them.
        indexes: other (receipt, block) leaf indexes by act.
        transactions: other bytes by act.
    """
    made = [(leaves or {}).get(i, data) for i, data in enumerate(trade.leaves)]
    log = MerkleLog(leaf_hash(data) for data in made)
    changed = {RECORDS[name]: value for name, value in (records or {}).items()}
    tree = StateTree(dict(trade.ledger.state.items()) | changed)
    checkpoint = replace(trade.ledger.checkpoint, root=log.root(), state_root=tree.root)
    electorate = trade.roster.electorate(trade.ledger.height)
    signatures = [(name, sign_checkpoint(checkpoint, trade.node_keys[name])) for name in electorate.orderers]

    def leaf(index: int) -> ProvenLeaf:
        return ProvenLeaf(index, made[index], log.inclusion_proof(index))

    def act(name: str) -> ProvenAct:
        done = acts[name]
        receipt, block = (indexes or {}).get(name, (done.leaf, done.block_leaf))
        return ProvenAct((transactions or {}).get(name, done.signed.raw), leaf(receipt), leaf(block))

    def record(key: str) -> ProvenRecord:
        value = changed.get(key) or trade.ledger.state.get(key)
        assert value is not None
        return ProvenRecord(value, tree.prove(key).encode())

    return PossessionProof(
        genesis=trade.genesis.encode(),
        links=(),
        checkpoint=certificate_of(checkpoint, signatures, electorate).note(electorate),
        membership=record("membership"),
        **{name: act(name) for name in ACTS},
        **{name: record(key) for name, key in RECORDS.items()},
    )


def refused(trade, proof) -> str:
    with pytest.raises(NotProvenError) as caught:
        verify_possession(decode_proof(proof.encode()), trade.genesis.hash, Verifier())
    return str(caught.value)


def test_without_a_lie_such_a_file_is_proven(trade, acts) -> None:
    proof = lied(trade, acts)
    assert verify_possession(proof, trade.genesis.hash, Verifier()).came_before


@pytest.mark.parametrize("name", ACTS)
def test_what_its_creator_did_not_sign_is_refused(trade, acts, name) -> None:
    signed = acts[name].signed
    forged = trade.sign(
        signed.transaction.creator,
        signed.transaction.type,
        signed.transaction.body,
        key=trade.keys["noaa"],
        documents=signed.transaction.documents,
    )
    receipt = receipt_of(trade, acts[name])
    receipt[3] = forged.id
    leaves = {acts[name].leaf: encode(receipt)}
    said = refused(trade, lied(trade, acts, leaves, transactions={name: forged.raw}))
    assert "the signature is not by the key that" in said


def test_what_was_signed_for_another_network_is_refused(trade, acts) -> None:
    foreign = trade.sign(
        "globex", "holding.acknowledge", {"certificate": C1}, network="pilot-0000000000000000"
    )
    receipt = receipt_of(trade, acts["acknowledgement"])
    receipt[3] = foreign.id
    leaves = {acts["acknowledgement"].leaf: encode(receipt)}
    proof = lied(trade, acts, leaves, transactions={"acknowledgement": foreign.raw})
    assert "it is for network pilot-0000000000000000" in refused(trade, proof)


def test_leaves_whose_numbers_contradict_their_heights_are_refused(trade, acts) -> None:
    held, claimed = acts["acknowledgement"], acts["claim"]
    swapped = {
        held.leaf: trade.leaves[claimed.leaf],
        claimed.leaf: trade.leaves[held.leaf],
    }
    indexes = {
        "acknowledgement": (claimed.leaf, held.block_leaf),
        "claim": (held.leaf, claimed.block_leaf),
    }
    said = refused(trade, lied(trade, acts, swapped, indexes=indexes))
    assert said == "order of the log: the leaves' numbers do not follow the blocks' heights"


def test_two_leaves_for_one_block_are_refused(trade) -> None:
    anchored = trade.anchor()
    trade.deliver()
    held, claimed = trade.together(
        trade.sign("globex", "holding.acknowledge", {"certificate": C1}),
        trade.sign("globex", "claim.file", trade.claiming()),
    )
    acts = dict(zip(ACTS, (anchored, held, claimed), strict=True))
    spare = anchored.leaf + 2  # the delivery's receipt
    leaves = {spare: trade.leaves[held.block_leaf]}
    said = refused(trade, lied(trade, acts, leaves, indexes={"claim": (claimed.leaf, spare)}))
    assert said.startswith("order of the log: two leaves stand for one place in block 3")


def test_block_times_that_go_back_are_refused(trade, acts) -> None:
    block = block_of(trade, acts["claim"])
    block[3] = block_of(trade, acts["acknowledgement"])[3] - 1
    said = refused(trade, lied(trade, acts, {acts["claim"].block_leaf: encode(block)}))
    assert said == "order of the log: the blocks' times do not follow their heights"


def test_an_acknowledgement_before_the_anchoring_is_refused(trade) -> None:
    trade.anchor(certificate=bytes([5]) * 16, root=bytes([5]) * 32)
    acts = dict(zip(ACTS, trade.lawful(), strict=True))
    early = receipt_of(trade, acts["acknowledgement"])
    early[1] = 1
    leaves = {0: encode(early)}
    said = refused(trade, lied(trade, acts, leaves, indexes={"acknowledgement": (0, 1)}))
    assert said == "order of the log: the certificate was anchored after it was acknowledged"


@pytest.mark.parametrize("name", RECORDS)
def test_a_record_that_contradicts_the_acts_is_refused(trade, acts, name) -> None:
    value = trade.ledger.state.get(RECORDS[name])
    for changed in contradictions(name, value):
        said = refused(trade, lied(trade, acts, records={name: changed}))
        assert said.endswith("record: it says something else than the transactions in the file")


def contradictions(name: str, value: bytes) -> list[bytes]:
    match name:
        case "certificate":
            record = read_certificate(value)
            changed = [
                replace(record, issuer="cbp"),
                replace(record, root=bytes(32)),
                replace(record, anchored_ms=1),
            ]
        case "document":
            document = read_document(value)
            changed = [replace(document, issuer="cbp"), replace(document, anchored_ms=1)]
        case "holding":
            changed = [HoldingRecord(HoldingState.HELD, 1, at) for at in (1, None)]
        case _:
            claim = read_claim(value)
            changed = [
                replace(claim, importer="cbp"),
                replace(claim, filer="cbp"),
                replace(claim, certificate=None),
                replace(claim, filed_ms=1),
            ]
    return [record.encode() for record in changed]


def test_a_record_of_rules_that_are_not_known_is_refused(trade, acts) -> None:
    value = trade.ledger.state.get(RECORDS["filed"])
    changed = value.replace(encode(ClaimState.CLAIMED), encode("CLAIMER"))
    said = refused(trade, lied(trade, acts, records={"filed": changed}))
    assert said.startswith("claim record: it is of other rules than these")


def test_a_finding_that_contradicts_the_order_is_refused(trade, acts) -> None:
    receipt = receipt_of(trade, acts["claim"])
    receipt[6] = [Finding.NO_POSSESSION.value]
    said = refused(trade, lied(trade, acts, {acts["claim"].leaf: encode(receipt)}))
    assert "that possession was not proven, against its own order" in said


def test_a_missing_finding_contradicts_the_order_too(trade) -> None:
    anchored = trade.anchor()
    trade.deliver()
    claimed = trade.claim()
    acts = dict(zip(ACTS, (anchored, trade.acknowledge(), claimed), strict=True))
    receipt = receipt_of(trade, claimed)
    receipt[6] = []
    said = refused(trade, lied(trade, acts, {claimed.leaf: encode(receipt)}))
    assert "that possession was proven, against its own order" in said


def test_leaves_that_are_no_receipt_s_or_block_s_fields_are_refused(trade, acts) -> None:
    held = acts["acknowledgement"]
    for index, data, what in (
        (held.leaf, encode(["receipt", 1]), "a receipt's fields"),
        (held.block_leaf, encode(["block", 1]), "a block's fields"),
        (held.leaf, encode({"receipt": 1}), "is not a receipt's"),
        (held.leaf, b"\xc1", "not msgpack"),
    ):
        assert what in refused(trade, lied(trade, acts, {index: data}))
