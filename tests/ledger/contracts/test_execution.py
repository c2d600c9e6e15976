"""Execution: the order of checks, dishonest orderings, nonces, determinism, and what a receipt leaves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger import nonces
from ledger.block import build_block
from ledger.codes import Code
from ledger.configuration import CONFIGURATION_TYPES
from ledger.contracts import RULES
from ledger.encoding import Value, decode, encode
from ledger.errors import BadBlockError, DamagedStoreError
from ledger.execution import Ledger, genesis_items
from ledger.keys import SigningKey, Verifier, seed_for
from ledger.merkle import MerkleLog, leaf_hash
from ledger.state import nonce_key
from ledger.statetree import StateTree, verify_state
from ledger.transaction import SignedTransaction, malformed_id

C1 = bytes([1]) * 16
ANCHOR: dict[str, Value] = {"class": "commercial", "addressees": ["cbp"]}
ROOT = bytes([3]) * 32
DAY_MS = 86_400_000


def anchor(pilot, creator: str = "acme", body: dict[str, Value] | None = None, **changes: object):
    """A sound document.anchor, but for the changes."""
    changes = {"documents": (pilot.roots.randbytes(32),)} | changes
    return pilot.sign(creator, "document.anchor", ANCHOR if body is None else body, **changes)


def rubbish_signature(signed: SignedTransaction) -> bytes:
    """The same body under a signature that is none."""
    return re_encoded(signed, signature=bytes(64))


def re_encoded(signed: SignedTransaction, **changes: Value) -> bytes:
    value = decode(signed.raw, limit_bytes=1 << 20)
    assert isinstance(value, dict)
    return encode(value | changes)


def codes(pilot, *raws: bytes, time_ms: int | None = None) -> list[str]:
    return [receipt.code.value for receipt in pilot.block(*raws, time_ms=time_ms).receipts]


# The order of checks: each transaction breaks one check and every later one.


def test_each_check_comes_before_the_next(pilot) -> None:
    used = anchor(pilot)
    pilot.block(used.raw)
    now_ms = pilot.ledger.time_ms + 40 * DAY_MS
    wrong = {"network": "elsewhere-0123456789abcdef", "valid_until_ms": pilot.ledger.time_ms}
    big = anchor(pilot, body=ANCHOR | {"padding": "x" * 20_000}, signer="rival", **wrong)
    shapeless = anchor(pilot, "nobody", body=ANCHOR | {"padding": "x"}, signer="acme", **wrong)
    elsewhere = anchor(pilot, "nobody", signer="acme", **wrong)
    unknown = anchor(pilot, "nobody", signer="acme", valid_until_ms=wrong["valid_until_ms"])
    unsigned = anchor(pilot, signer="rival", valid_until_ms=wrong["valid_until_ms"])
    expired = pilot.sign("watcher", "dance.tango", {}, valid_until_ms=now_ms - 1)
    too_long = pilot.sign("watcher", "dance.tango", {}, valid_until_ms=now_ms + 31 * DAY_MS)
    no_type = pilot.sign("watcher", "dance.tango", {}, valid_until_ms=now_ms)
    no_role = anchor(pilot, "watcher", {"class": "official", "addressees": ["nobody"]}, valid_until_ms=now_ms)
    no_rule = anchor(pilot, "rival", {"class": "official", "addressees": ["nobody"]}, valid_until_ms=now_ms)
    raws = [big, shapeless, elsewhere, unknown, unsigned, expired, too_long, no_type, no_role, no_rule]
    assert codes(pilot, *(signed.raw for signed in raws), time_ms=now_ms) == [
        "TOO_LARGE",
        "MALFORMED",
        "WRONG_NETWORK",
        "UNKNOWN_ORGANIZATION",
        "BAD_SIGNATURE",
        "EXPIRED",
        "VALIDITY_TOO_LONG",
        "NOT_AUTHORIZED",
        "NOT_AUTHORIZED",
        "RULE_VIOLATED",
    ]


def test_signature_id_nonce_and_validity_in_this_order(pilot) -> None:
    used = anchor(pilot)
    pilot.block(used.raw)
    late_ms = used.transaction.valid_until_ms
    same_nonce = anchor(pilot, nonce=used.transaction.nonce, valid_until_ms=late_ms - 1)
    order = [rubbish_signature(used), used.raw, same_nonce.raw]
    assert codes(pilot, *order, time_ms=late_ms) == ["BAD_SIGNATURE", "DUPLICATE", "NONCE_REUSED"]


# Dishonest orderings.


def test_a_rubbish_signature_ordered_first_takes_nothing_from_the_genuine(pilot) -> None:
    genuine = anchor(pilot)
    execution = pilot.block(rubbish_signature(genuine), genuine.raw, genuine.raw)
    assert [receipt.code for receipt in execution.receipts] == [
        Code.BAD_SIGNATURE,
        Code.VALID,
        Code.DUPLICATE,
    ]
    assert {receipt.id for receipt in execution.receipts} == {genuine.id}


@pytest.mark.parametrize(
    "spoil",
    [
        lambda signed: signed.raw[:-1],
        lambda signed: signed.raw + b"\x00",
        lambda signed: re_encoded(signed, documents=[]),
        lambda signed: re_encoded(signed, approvals=[["cbp", bytes(64)]]),
        lambda signed: re_encoded(signed, body={"class": "gossip", "addressees": ["cbp"]}),
        lambda signed: re_encoded(signed, surprise=1),
    ],
)
def test_a_malformed_copy_ordered_first_takes_nothing_and_has_no_transactions_id(pilot, spoil) -> None:
    genuine = anchor(pilot)
    spoilt = spoil(genuine)
    first, second = pilot.block(spoilt, genuine.raw).receipts
    assert (first.code, first.id) == (Code.MALFORMED, malformed_id(spoilt))
    assert (second.code, second.id) == (Code.VALID, genuine.id)


def test_another_body_under_a_used_nonce_changes_nothing(pilot) -> None:
    first = anchor(pilot)
    second = anchor(pilot, nonce=first.transaction.nonce)
    execution = pilot.block(first.raw, second.raw)
    assert [receipt.code for receipt in execution.receipts] == [Code.VALID, Code.NONCE_REUSED]
    assert [key for key in execution.changes if key.startswith("document/")] == [
        "document/" + first.transaction.documents[0].hex()
    ]


def test_the_same_nonce_of_another_organization_is_another_nonce(pilot) -> None:
    first = anchor(pilot)
    second = anchor(pilot, "rival", nonce=first.transaction.nonce)
    assert codes(pilot, first.raw, second.raw) == ["VALID", "VALID"]


def test_what_consumes_id_and_nonce_and_what_does_not(pilot) -> None:
    now_ms = pilot.ledger.time_ms
    attempts = {
        Code.VALID: anchor(pilot),
        Code.RULE_VIOLATED: anchor(pilot, body={"class": "official", "addressees": ["cbp"]}),
        Code.NOT_AUTHORIZED: anchor(pilot, "watcher"),
        Code.EXPIRED: anchor(pilot, valid_until_ms=now_ms - 1),
        Code.VALIDITY_TOO_LONG: anchor(pilot, valid_until_ms=now_ms + 31 * DAY_MS),
        Code.WRONG_NETWORK: anchor(pilot, network="elsewhere-0123456789abcdef"),
        Code.UNKNOWN_ORGANIZATION: anchor(pilot, "nobody", signer="acme"),
        Code.BAD_SIGNATURE: anchor(pilot, signer="rival"),
    }
    assert codes(pilot, *(signed.raw for signed in attempts.values())) == [code.value for code in attempts]
    consuming = {Code.VALID, Code.RULE_VIOLATED, Code.NOT_AUTHORIZED}
    for code, signed in attempts.items():
        key = nonce_key(signed.transaction.creator, signed.transaction.nonce)
        assert (pilot.ledger.state.get(key) is not None) == (code in consuming)


def test_a_refused_act_changes_nothing_but_its_nonce(pilot) -> None:
    root = (ROOT,)
    certificate: dict[str, Value] = {
        "certificate": C1,
        "form": "NAFTA-434",
        "signed_on": "2017-06-01",
        "shipment": "S1",
        "addressees": ["cbp", "nobody"],
    }
    signed = pilot.sign("acme", "certificate.anchor", certificate, documents=root)
    execution = pilot.block(signed.raw)
    assert execution.receipts[0].rule == "certificate.anchor/unknown-addressee"
    assert list(execution.changes) == [nonce_key("acme", signed.transaction.nonce)]


def test_what_a_refused_act_wrote_before_its_refusal_is_thrown_away(pilot) -> None:
    pilot.possess("2018-09-04")
    pilot.claim()
    root = pilot.certificate_record().root
    body: dict[str, Value] = {"entry": "ABC-1234567-8", "line": 1, "fine": bytes(32)}
    signed = pilot.sign("cbp", "claim.open", body, documents=(root,))
    assert pilot.block(signed.raw).receipts[0].rule == "claim.open/document-exists"
    assert pilot.claim_record().state.value == "CLAIMED"


# Validity and forgetting.


def test_a_transaction_holds_to_the_last_millisecond(pilot) -> None:
    last, late = anchor(pilot), anchor(pilot)
    until_ms = last.transaction.valid_until_ms
    assert codes(pilot, last.raw, time_ms=until_ms) == ["VALID"]
    assert codes(pilot, late.raw, time_ms=until_ms + 1) == ["EXPIRED"]


def test_validity_is_bounded_from_the_blocks_time(pilot) -> None:
    now_ms = pilot.ledger.time_ms
    longest = now_ms + pilot.genesis.limits.valid_for_ms_max
    within, beyond = anchor(pilot, valid_until_ms=longest), anchor(pilot, valid_until_ms=longest + 1)
    assert codes(pilot, within.raw, beyond.raw) == ["VALID", "VALIDITY_TOO_LONG"]
    assert codes(pilot, beyond.raw, time_ms=now_ms + 1) == ["VALID"]


def test_a_nonce_is_remembered_while_it_can_matter_and_then_forgotten(pilot) -> None:
    signed = anchor(pilot)
    key = nonce_key("acme", signed.transaction.nonce)
    pilot.block(signed.raw)
    until_ms = signed.transaction.valid_until_ms
    assert codes(pilot, signed.raw, time_ms=until_ms) == ["DUPLICATE"]
    assert pilot.ledger.state.get(key) is not None
    execution = pilot.block(signed.raw, time_ms=until_ms + 1)
    assert [receipt.code for receipt in execution.receipts] == [Code.EXPIRED]
    assert execution.changes == {key: None}
    assert pilot.ledger.state.get(key) is None


def test_forgetting_is_bounded_per_block_and_catches_up(pilot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nonces, "FORGOTTEN_PER_BLOCK_MAX", 2)
    start_ms = pilot.ledger.time_ms
    signed = [anchor(pilot, valid_until_ms=start_ms + 10 - n) for n in range(5)]
    pilot.block(*(each.raw for each in signed))
    forgotten = [list(pilot.block(time_ms=start_ms + 100).changes) for _ in range(4)]
    assert [len(keys) for keys in forgotten] == [2, 2, 1, 0]
    by_expiry = [nonce_key("acme", each.transaction.nonce) for each in reversed(signed)]
    assert sorted(forgotten[0]) == sorted(by_expiry[:2])
    assert forgotten[2] == by_expiry[4:]


# Determinism, restoring, and the log.


def scenario(pilot) -> list[bytes]:
    """Blocks with all kinds of outcomes; returns each height's checkpoint text."""
    texts = []

    def keep(execution) -> None:
        texts.append(execution.checkpoint.text())

    genuine = anchor(pilot)
    keep(pilot.block(genuine.raw, rubbish_signature(genuine), b"rubbish", genuine.raw))
    pilot.possess("2018-09-04")
    pilot.claim("2018-09-20")
    keep(pilot.block(anchor(pilot, "watcher").raw))
    pilot.claim("2019-12-01", line=2)
    keep(pilot.block())
    return texts


def test_two_ledgers_reach_the_same_roots(new_pilot: Callable) -> None:
    first, second = new_pilot(), new_pilot()
    assert scenario(first) == scenario(second)
    assert first.ledger.checkpoint == second.ledger.checkpoint


def test_a_restored_ledger_goes_on_as_the_same(new_pilot: Callable) -> None:
    pilot = new_pilot()
    leaves: list[bytes] = []
    block = pilot.block

    def keeping(*raws: bytes, time_ms: int | None = None):
        execution = block(*raws, time_ms=time_ms)
        leaves.extend(leaf_hash(leaf) for leaf in execution.leaves)
        return execution

    pilot.block = keeping
    scenario(pilot)
    ledger = pilot.ledger
    restored = Ledger.restore(
        pilot.genesis,
        Verifier(),
        height=ledger.height,
        block_hash=ledger.block_hash,
        time_ms=ledger.time_ms,
        state_items=Random(1).sample(list(ledger.state.items()), len(ledger.state)),
        log=MerkleLog(leaves),
    )
    assert restored.checkpoint == ledger.checkpoint
    later_ms = ledger.time_ms + 40 * DAY_MS
    after = pilot.block(time_ms=later_ms)
    assert after.changes
    pilot.ledger = restored
    again = block(time_ms=later_ms)
    assert (again.changes, again.leaves, again.checkpoint) == (after.changes, after.leaves, after.checkpoint)


def test_a_damaged_nonce_record_is_not_restored(pilot) -> None:
    with pytest.raises(DamagedStoreError, match="nonce/acme/1/1"):
        Ledger.restore(
            pilot.genesis,
            Verifier(),
            height=1,
            block_hash=bytes(32),
            time_ms=0,
            state_items={**genesis_items(pilot.genesis), "nonce/acme/1/1": encode({"id": b""})},
            log=MerkleLog(),
        )


def test_state_tree_log_and_checkpoint_agree(pilot) -> None:
    log = MerkleLog()
    for _ in range(3):
        execution = pilot.block(anchor(pilot).raw, b"rubbish")
        for leaf in execution.leaves:
            log.append(leaf_hash(leaf))
        assert (execution.checkpoint.size, execution.checkpoint.root) == (log.size, log.root())
    assert StateTree(dict(pilot.ledger.state.items())).root == execution.checkpoint.state_root
    for key, value in pilot.ledger.state.items():
        assert verify_state(execution.checkpoint.state_root, key, value, pilot.ledger.prove(key))


def test_leaves_are_the_receipts_then_the_block(pilot) -> None:
    pilot.anchor("2018-09-04", blanket={"from": "2018-09-04", "to": "2019-09-04"})
    signed = anchor(pilot)
    execution = pilot.block(signed.raw, b"rubbish")
    height = execution.height
    assert [decode(leaf, limit_bytes=1000) for leaf in execution.leaves] == [
        ["receipt", height, 0, signed.id, "VALID", None, []],
        ["receipt", height, 1, malformed_id(b"rubbish"), "MALFORMED", None, []],
        ["block", height, pilot.ledger.block_hash, pilot.ledger.time_ms, pilot.ledger.state_root],
    ]


def test_a_receipts_leaf_carries_its_findings(pilot) -> None:
    receipt = pilot.anchor("2018-09-04", blanket={"from": "2018-09-04", "to": "2019-09-04"})
    assert decode(receipt.leaf(), limit_bytes=1000) == [
        "receipt",
        receipt.height,
        0,
        receipt.id,
        "VALID",
        None,
        ["BLANKET_TOO_LONG"],
    ]


def test_an_empty_block_still_moves_the_log(pilot) -> None:
    execution = pilot.block()
    assert len(execution.leaves) == execution.checkpoint.size == 1
    assert execution.changes == {}


def test_only_the_next_block_is_executed(pilot) -> None:
    first = pilot.ledger.checkpoint
    ledger = pilot.ledger
    for change in ({"height": 2}, {"previous": bytes(32)}, {"time_ms": ledger.time_ms - 1}):
        header = replace(_next_block(pilot).header, **change)
        block = replace(_next_block(pilot), header=header)
        with pytest.raises(BadBlockError):
            ledger.execute(block, block.hash)
    assert ledger.checkpoint == first


def _next_block(pilot):
    ledger = pilot.ledger
    signed = anchor(pilot)
    return build_block(
        network=pilot.genesis.network,
        height=ledger.height + 1,
        term=1,
        previous=ledger.block_hash,
        time_ms=ledger.time_ms,
        transactions=(signed.raw,),
        proposer="cbp",
        key=SigningKey.from_seed(seed_for("pilot", "cbp/node")),
    )


# Admission.


def test_admission_says_what_execution_would_and_changes_nothing(pilot) -> None:
    used = anchor(pilot)
    pilot.block(used.raw)
    now_ms = pilot.ledger.time_ms
    before = dict(pilot.ledger.state.items())
    attempts = [
        anchor(pilot, body=ANCHOR | {"padding": "x" * 20_000}).raw,
        anchor(pilot, body=ANCHOR | {"padding": "x"}).raw,
        b"rubbish",
        anchor(pilot, network="elsewhere-0123456789abcdef").raw,
        anchor(pilot, "nobody", signer="acme").raw,
        rubbish_signature(anchor(pilot)),
        used.raw,
        anchor(pilot, nonce=used.transaction.nonce).raw,
        anchor(pilot, valid_until_ms=now_ms - 1).raw,
        anchor(pilot, valid_until_ms=now_ms + 31 * DAY_MS).raw,
        pilot.sign("acme", "dance.tango", {}).raw,
        anchor(pilot, "watcher").raw,
        anchor(pilot).raw,
    ]
    admissions = [pilot.ledger.admit(raw, now_ms) for raw in attempts]
    assert dict(pilot.ledger.state.items()) == before
    assert all(admission.message for admission in admissions[:-1])
    assert all(admission.remedy == admission.code.remedy for admission in admissions)
    receipts = pilot.block(*attempts).receipts
    assert [admission.code for admission in admissions] == [receipt.code for receipt in receipts]
    for admission, receipt in zip(admissions, receipts, strict=True):
        assert admission.id in {None, receipt.id}
        assert (admission.transaction is not None) == (admission.code is Code.VALID)


def test_admission_names_value_and_limit(pilot) -> None:
    now_ms = pilot.ledger.time_ms
    late = pilot.ledger.admit(anchor(pilot, valid_until_ms=now_ms - 1).raw, now_ms)
    assert str(now_ms - 1) in late.message
    big = pilot.ledger.admit(bytes(20_000), now_ms)
    assert "20000" in big.message
    assert "16384" in big.message
    roles = pilot.ledger.admit(pilot.sign("globex", "holding.open", HOLDING | FINE).raw, now_ms)
    assert (roles.code, "customs" in roles.message, "importer" in roles.message) == (
        Code.NOT_AUTHORIZED,
        True,
        True,
    )
    body = pilot.ledger.admit(
        pilot.sign("globex", "claim.respond", {"entry": "x", "line": 1}, documents=(ROOT,)).raw, now_ms
    )
    assert "claim.respond body.entry" in body.message


def test_admission_does_not_ask_the_contract(pilot) -> None:
    early = pilot.sign("globex", "holding.acknowledge", {"certificate": C1})
    assert pilot.ledger.admit(early.raw, pilot.ledger.time_ms).code is Code.VALID


def test_a_node_whose_calendar_is_behind_admits_by_the_last_blocks_time(pilot) -> None:
    now_ms = pilot.ledger.time_ms
    gone = anchor(pilot, valid_until_ms=now_ms - 1)
    longest = anchor(pilot, valid_until_ms=now_ms + 30 * DAY_MS)
    assert pilot.ledger.admit(gone.raw, now_ms - DAY_MS).code is Code.EXPIRED
    assert pilot.ledger.admit(longest.raw, now_ms - DAY_MS).code is Code.VALID


# Whatever is signed and ordered, no node falls over.

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.sampled_from(
        ["2018-09-04", "2099-12-31", "9999-12-31", "0001-01-01", "1994-01-01", "2020-02-29", "S1"]
    )
    | st.sampled_from(["ABC-1234567-8", "globex", "cbp", "acme", "nobody", "official"])
    | st.fixed_dictionaries({"from": st.just("2099-01-01"), "to": st.just("2099-12-31")})
    | st.binary(max_size=2)
    | st.sampled_from([bytes(16), bytes(32), C1]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab", max_size=3), inner, max_size=3),
    max_leaves=5,
)
LINE: dict[str, Value] = {"entry": "ABC-1234567-8", "line": 1}
FINE: dict[str, Value] = {"fine": bytes(32)}
EVIDENCE: dict[str, Value] = {"by": "acme", "envelope": bytes(32), "signature": bytes(64)}
HOLDING: dict[str, Value] = {"certificate": C1, "holder": "globex"}
CLAIM: dict[str, Value] = (
    LINE
    | FINE
    | {
        "regime": "NAFTA",
        "spi": "MX",
        "certificate": C1,
        "entry_on": "2018-09-18",
        "import_on": "2018-09-18",
        "shipment": None,
    }
)
FORM370: dict[str, Value] = {"form370": bytes([3]) * 16}
K1 = bytes([3]) * 16
CARNET: dict[str, Value] = {"carnet": K1}
VOUCHER: dict[str, Value] = CARNET | {"serial": 1}
CLAIMED: dict[str, Value] = CARNET | {"voucher": 1}
SOUND: dict[str, dict[str, Value]] = {
    "carnet.apply": CARNET | {"issuer": "chamber", "items": [[1, 2]]},
    "carnet.secure": CARNET,
    "carnet.issue": CARNET | {"guarantor": "chamber", "valid_until": "2019-09-03"},
    "carnet.activate": CARNET,
    "carnet.present": VOUCHER
    | {"counterfoil": 1, "kind": "EXPORT", "office": "cbp", "items": [[1, 2]], "cites": None},
    "carnet.endorse": VOUCHER | {"endorsed_on": "2018-09-20", "final_on": None, "unconditional": True},
    "carnet.refuse": VOUCHER,
    "carnet.settle": VOUCHER | {"items": [[1, 1]]},
    "carnet.return": CARNET,
    "carnet.discharge": CARNET,
    "carnet.replace": CARNET | {"successor": bytes(16)},
    "carnet.claim": CLAIMED | FINE | {"association": "chamber", "improper": False},
    "carnet.answer": CLAIMED,
    "carnet.decide": CLAIMED | FINE,
    "carnet.close": CLAIMED | FINE,
    "certificate.anchor": {
        "certificate": C1,
        "form": "NAFTA-434",
        "signed_on": "2018-09-04",
        "blanket": {"from": "2018-09-01", "to": "2019-08-31"},
        "shipment": None,
        "addressees": ["globex", "cbp"],
    },
    "certificate.deliver": HOLDING,
    "certificate.notify": {"certificate": C1},
    "certificate.supersede": {"certificate": C1, "successor": C1},
    "holding.acknowledge": {"certificate": C1},
    "holding.complain": {"certificate": C1, "reason": "UNREADABLE", "evidence": EVIDENCE},
    "holding.open": HOLDING | FINE,
    "holding.close": HOLDING | FINE,
    "power.grant": {"broker": "swift", "from": "2018-09-01", "to": None},
    "power.revoke": {"broker": "swift"},
    "claim.file": CLAIM,
    "claim.file_post": CLAIM,
    "claim.correct": LINE | FINE | {"discovered_on": "2018-09-18"},
    "claim.open": LINE | FINE,
    "claim.respond": LINE,
    "claim.act": LINE | FINE,
    "claim.close": LINE | FINE,
    "claim.liquidate": LINE | FINE,
    "claim.protest": LINE | FINE,
    "verification.open": FINE | {"verification": C1, "party": "acme", "also": []},
    "verification.respond": {"verification": C1},
    "verification.act": FINE | {"verification": C1, "also": []},
    "verification.close": FINE | {"verification": C1, "also": []},
    "fisheries.permit": {"holder": "globex", "from": "2018-01-01", "to": "2018-12-31"},
    "fisheries.draft": FORM370
    | {
        "shipment": "TUN-1",
        "custody": [
            {"organization": "acme", "role": "exporter"},
            {"organization": "globex", "role": "importer"},
        ],
        "addressees": ["noaa"],
    },
    "fisheries.endorse": FORM370 | {"signed_on": "2018-09-04", "addressees": ["noaa"]},
    "fisheries.file": FORM370
    | FINE
    | {"entry": "ABC-1234567-8", "import_on": "2018-09-18", "addressees": ["noaa"]},
    "fisheries.open": FORM370 | FINE | {"addressees": ["globex"]},
    "fisheries.respond": FORM370,
    "fisheries.act": FORM370 | FINE | {"addressees": ["globex"]},
    "fisheries.close": FORM370 | FINE | {"addressees": ["globex"]},
    "document.anchor": ANCHOR,
    "document.disclose": {"root": bytes(32), "to": "cbp"},
    "document.acknowledge": {"root": bytes(32)},
    "document.complain": {"root": bytes(32), "reason": "UNREADABLE", "evidence": EVIDENCE},
    "document.purge": {"root": bytes(32)},
    "member.add": {
        "organization": "dhl",
        "name": "DHL",
        "country": "DE",
        "roles": ["broker"],
        "key": bytes(32),
        "key_proof": bytes(64),
        "box_key": (9).to_bytes(32, "little"),
        "node_key": bytes(32),
        "node_key_proof": bytes(64),
        "url": "http://dhl:7000",
    },
    "member.remove": {"organization": "acme"},
    "orderer.promote": {"organization": "rival", "in_place_of": "acme"},
    "orderer.demote": {"organization": "acme"},
    "node.replace": {"incarnation": 2, "node_key": bytes(32), "node_key_proof": bytes(64)},
    "node.ready": {"incarnation": 1},
    "key.rotate": {"key": bytes(32), "key_proof": bytes(64), "box_key": (9).to_bytes(32, "little")},
    "key.revoke": {"organization": "acme", "key": bytes(32), "compromised_since": 0},
}


SENDERS = {
    "carnet.issue": "chamber",
    "carnet.discharge": "chamber",
    "carnet.replace": "chamber",
    "carnet.answer": "chamber",
    **{
        f"carnet.{act}": "cbp"
        for act in ("activate", "endorse", "refuse", "settle", "claim", "decide", "close")
    },
    **{f"carnet.{act}": "acme" for act in ("apply", "secure", "present", "return")},
}
"""Who may send the acts of a carnet; a certificate's and a claim's go by their first word."""


def test_there_is_a_sound_body_for_every_type() -> None:
    assert set(SOUND) == set(RULES)


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(sorted(SOUND)), st.integers(0, 9), values, st.booleans()),
        min_size=1,
        max_size=8,
    )
)
def test_no_body_stops_a_node(new_pilot, acts: list[tuple[str, int, Value, bool]]) -> None:
    pilot = new_pilot()
    pilot.possess("2018-09-04")
    pilot.claim("2018-09-20", line=2)
    for kind in ("carnet.apply", "carnet.secure", "carnet.issue", "carnet.activate", "carnet.present"):
        document = bool(RULES[kind].documents)
        assert pilot.act(SENDERS[kind], kind, SOUND[kind], document=document).code is Code.VALID
    senders = {"certificate": "acme", "holding": "globex", "claim": "globex", "document": "acme"}
    senders["fisheries"] = "acme"
    raws = []
    for number, (kind, place, value, sound) in enumerate(acts):
        body = dict(SOUND[kind])
        if not sound:
            body[sorted(body)[place % len(body)]] = value
        creator = SENDERS.get(kind) or senders.get(kind.split(".")[0], "acme")
        if not RULES[kind].roles & set(pilot.genesis.organization(creator).roles):
            creator = next(o.id for o in pilot.genesis.organizations if RULES[kind].roles & set(o.roles))
        documents = tuple(bytes([number, n]) * 16 for n in range(RULES[kind].documents))
        raws.append(pilot.sign(creator, kind, body, documents=documents).raw)
    alone = any(kind in CONFIGURATION_TYPES for kind, *_ in acts)
    blocks = [[raw] for raw in raws] if alone else [raws]
    receipts = [receipt for block in blocks for receipt in pilot.block(*block).receipts]
    revoked = {Code.REVOKED_KEY} if any(kind == "key.revoke" for kind, *_ in acts) else set()
    assert {receipt.code for receipt in receipts} <= {
        Code.VALID,
        Code.MALFORMED,
        Code.RULE_VIOLATED,
    } | revoked


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=200), st.integers(0, 400), st.integers(1, 255))
def test_no_bytes_stop_a_node(new_pilot, rubbish: bytes, place: int, flip: int) -> None:
    pilot = new_pilot()
    flipped = bytearray(anchor(pilot).raw)
    flipped[place % len(flipped)] ^= flip
    receipts = pilot.block(rubbish, bytes(flipped)).receipts
    assert all(receipt.code is not Code.VALID for receipt in receipts)
