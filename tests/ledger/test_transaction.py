"""Signed transactions: identity, signature, parsing."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest

from ledger.encoding import decode, encode
from ledger.errors import MalformedError
from ledger.keys import Domain, Verifier
from ledger.transaction import malformed_id, parse_transaction, sign_approval, sign_transaction

LIMIT = 16384


def test_a_transaction_comes_back_from_its_bytes(founders) -> None:
    signed = founders.signed(documents=(bytes(32),), approvals=(("cbp", bytes(64)),))
    again = parse_transaction(signed.raw, LIMIT)
    assert again == signed
    assert again.id == signed.id == again.transaction.id
    assert again.holds(founders.key("globex").public, Verifier())


def test_the_wire_form_is_one_canonical_map_and_times_name_their_unit(founders) -> None:
    fields = decode(founders.signed().raw, limit_bytes=LIMIT)
    assert list(fields) == [
        "approvals", "body", "creator", "documents", "network", "nonce", "signature", "type",
        "valid_until_ms", "version",
    ]  # fmt: skip


def test_the_id_is_the_hash_of_domain_and_every_field_but_the_signature(founders) -> None:
    signed = founders.signed()
    fields = decode(signed.raw, limit_bytes=LIMIT)
    del fields["signature"]
    assert signed.id == hashlib.sha256(b"seatrial/transaction/v1\n" + encode(fields)).digest()


@pytest.mark.parametrize(
    "change",
    [
        {"network": "other-0123456789abcdef"},
        {"type": "claim.correct"},
        {"creator": "acme"},
        {"nonce": (5, 2)},
        {"nonce": (6, 1)},
        {"valid_until_ms": 1},
        {"documents": (bytes(32),)},
        {"approvals": (("cbp", bytes(64)),)},
        {"body": {}},
    ],
)
def test_every_field_counts_for_id_and_signature(change: dict[str, object], founders) -> None:
    signed = founders.signed()
    other = replace(signed.transaction, **change)
    assert other.id != signed.id
    forged = replace(signed, transaction=other)
    assert not forged.holds(founders.key("globex").public, Verifier())


def test_an_approval_is_over_everything_but_approvals_and_signature(founders) -> None:
    transaction = founders.transaction()
    approval = sign_approval(transaction, founders.key("cbp"))
    approved = replace(transaction, approvals=(("cbp", approval),))
    verifier, public = Verifier(), founders.key("cbp").public

    def holds(given) -> bool:
        return verifier.verify(public, Domain.APPROVAL, given.network, given.approval_payload(), approval)

    assert holds(approved)
    assert not holds(replace(approved, nonce=(5, 9)))
    # An approval is no signature of the transaction itself.
    assert not verifier.verify(
        public, Domain.TRANSACTION, transaction.network, transaction.payload(), approval
    )


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("version", 2, "transaction.version: 2 is outside 1 .. 1"),
        ("version", None, "transaction.version: expected an integer, got null"),
        ("network", "", "transaction.network: has 0 characters; it takes 1 to 64"),
        ("network", "a\nb", "transaction.network: 'a\\nb' does not have the form [a-z0-9-]+"),
        ("type", "claim", "transaction.type: 'claim' does not have the form"),
        ("type", "a." + "b" * 63, "transaction.type: has 65 characters; it takes 1 to 64"),
        ("creator", "CBP", "transaction.creator: 'CBP' does not have the form [a-z0-9-]+"),
        ("nonce", [1], "transaction.nonce: has 1 items; it takes 2 to 2"),
        ("nonce", [1, -1], "transaction.nonce: counter -1 is no integer within 0 .. 9223372036854775807"),
        ("nonce", [2**63, 1], "transaction.nonce: epoch 9223372036854775808 is no integer within"),
        ("nonce", [True, 1], "transaction.nonce: epoch True is no integer within"),
        ("valid_until_ms", -1, "transaction.valid_until_ms: -1 is outside 0 .. 253402300799999"),
        ("documents", [bytes(31)], "transaction.documents[0]: has 31 bytes; it takes exactly 32"),
        ("documents", [bytes(32)] * 17, "transaction.documents: has 17 items; it takes 0 to 16"),
        (
            "approvals",
            [["cbp", bytes(63)]],
            "transaction.approvals[0]: expected [organization, 64 bytes of signature]",
        ),
        ("approvals", [["cbp"]], "transaction.approvals[0]: expected [organization, 64 bytes of signature]"),
        (
            "approvals",
            [["cbp", bytes(64)], ["cbp", b"1" * 64]],
            "transaction.approvals[1]: 'cbp' approves twice; list it once",
        ),
        ("body", [], "transaction.body: expected a map, got a list of 0 items"),
        ("signature", bytes(65), "transaction.signature: has 65 bytes; it takes exactly 64"),
        ("extra", 1, "transaction: unknown field extra; leave it out"),
    ],
)
def test_a_field_of_the_wrong_form_is_named(name: str, value: object, message: str, founders) -> None:
    fields = decode(founders.signed().raw, limit_bytes=LIMIT)
    fields[name] = value
    with pytest.raises(MalformedError) as caught:
        parse_transaction(encode(fields), LIMIT)
    assert str(caught.value).startswith(message)


def test_every_field_is_required(founders) -> None:
    fields = decode(founders.signed().raw, limit_bytes=LIMIT)
    for name in fields:
        without = {other: value for other, value in fields.items() if other != name}
        with pytest.raises(MalformedError, match=f"transaction.{name}: missing"):
            parse_transaction(encode(without), LIMIT)


def test_the_size_limit_is_looked_at_before_anything_else(founders) -> None:
    raw = founders.signed().raw
    assert parse_transaction(raw, len(raw))
    with pytest.raises(MalformedError, match="over the limit of"):
        parse_transaction(raw, len(raw) - 1)
    with pytest.raises(MalformedError, match="transaction: expected a map, got 1"):
        parse_transaction(b"\x01", LIMIT)


def test_rubbish_has_an_id_that_no_transaction_can_have(founders) -> None:
    raw = founders.signed().raw
    assert malformed_id(raw) == hashlib.sha256(b"seatrial/malformed/v1\n" + raw).digest()
    assert malformed_id(raw) != founders.signed().id
    assert len(malformed_id(b"")) == 32


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"valid_until_ms": 0},
        {"valid_until_ms": 2**40, "nonce": (2**63 - 1, 0)},
        {"type": "a.b", "body": {"signature": bytes(64), "type": "x", "version": 1}},
        {"type": f"{'a' * 40}.{'b' * 20}", "body": {"long": "x" * 300}, "documents": (bytes(32),) * 16},
        {"approvals": (("cbp", bytes(64)), ("acme", bytes(64)))},
    ],
)
def test_the_payload_cut_out_of_the_bytes_is_the_one_that_encoding_gives(change, founders) -> None:
    raw = sign_transaction(replace(founders.transaction(), **change), founders.key("globex")).raw
    parsed = parse_transaction(raw, LIMIT)
    assert parsed.payload == parsed.transaction.payload()
    assert parsed.id == parsed.transaction.id
