"""A wallet signs under fresh durable nonces and lets plaintext out only in envelopes."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path
from random import Random

import pytest

from ledger.encoding import Value
from ledger.errors import EncodingError, EnvelopeError
from ledger.keys import BoxKey, SigningKey, Verifier
from ledger.transaction import parse_transaction
from scenarios.agents.nonces import NonceFile, Nonces
from scenarios.agents.wallet import Wallet
from scenarios.agents.witness import Witness

NETWORK = "test-0123456789abcdef"
FIELDS: dict[str, Value] = {
    "kind": "NAFTA-434",
    "exporter_name": "Secret Cannery",
    "value": 104760,
    "goods": ["Skipjack tuna"],
}


def wallet(seed: int = 1, **options: object) -> Wallet:
    return Wallet("acme", NETWORK, key_of(seed), box_of(seed), Random(seed), **options)  # type: ignore[arg-type]


def key_of(seed: int) -> SigningKey:
    return SigningKey.from_seed(Random(f"key {seed}").randbytes(32))


def box_of(seed: int) -> BoxKey:
    return BoxKey.from_seed(Random(f"box {seed}").randbytes(32))


def test_signed_bytes_parse_and_hold_under_the_key() -> None:
    mine = wallet()
    signed = mine.sign("claim.liquidate", {"line": 1}, (bytes(32),), 99)
    parsed = parse_transaction(signed.raw, 4096)
    public = key_of(1).public
    assert parsed.holds(public, Verifier())
    assert (parsed.transaction.creator, parsed.transaction.network) == ("acme", NETWORK)
    assert parsed.transaction.documents == (bytes(32),)
    assert parsed.transaction.valid_until_ms == 99


def test_every_transaction_has_a_nonce_of_its_own() -> None:
    mine = wallet()
    nonces = [mine.sign("a.b", {}, (), 1).transaction.nonce for _ in range(5)]
    assert [counter for _, counter in nonces] == [0, 1, 2, 3, 4]
    assert len({epoch for epoch, _ in nonces}) == 1
    assert wallet(2).sign("a.b", {}, (), 1).transaction.nonce[0] != nonces[0][0]


def test_nonce_is_durable_before_the_transaction_is_handed_out() -> None:
    saved: list[Nonces] = []
    mine = wallet(save=saved.append)
    epoch, counter = mine.sign("a.b", {}, (), 1).transaction.nonce
    assert saved == [Nonces(epoch, counter + 1)]


def test_nothing_is_signed_when_the_nonce_cannot_be_kept() -> None:
    def fail(_nonces: Nonces) -> None:
        raise OSError("disk full")

    mine = wallet(save=fail)
    with pytest.raises(OSError, match="disk full"):
        mine.sign("a.b", {}, (), 1)
    assert mine.nonces.next_counter == 0


def test_what_has_no_canonical_form_uses_no_nonce() -> None:
    saved: list[Nonces] = []
    mine = wallet(save=saved.append)
    with pytest.raises(EncodingError):
        mine.sign("a.b", {"rate": 1.5}, (), 1)  # type: ignore[dict-item]
    assert saved == []


def test_wallet_goes_on_where_its_file_stands(tmp_path: Path) -> None:
    path = tmp_path / "nonces"
    with NonceFile(path) as file:
        mine = wallet(nonces=file.begin(Random(7)), save=file.save)
        first = mine.sign("a.b", {}, (), 1).transaction.nonce
    with NonceFile(path) as file:
        again = wallet(nonces=file.load(), save=file.save)
        second = again.sign("a.b", {}, (), 1).transaction.nonce
    assert second == (first[0], first[1] + 1)


def test_envelope_shows_its_addressee_only_the_named_fields() -> None:
    issuer, reader = wallet(1), wallet(2)
    root = issuer.commit(FIELDS)
    public = box_of(2).public
    opened = reader.open(root, issuer.seal(root, "reader", public, ("kind", "value")))
    assert {name: value.reveal() for name, value in opened.fields.items()} == {
        "kind": "NAFTA-434",
        "value": 104760,
    }
    assert opened.root == root
    assert reader.opened(root) is opened


def test_envelope_for_another_does_not_open() -> None:
    issuer, reader = wallet(1), wallet(2)
    root = issuer.commit(FIELDS)
    with pytest.raises(EnvelopeError):
        reader.open(root, issuer.seal(root, "reader", box_of(9).public))


def test_document_under_another_root_is_not_kept() -> None:
    issuer, reader = wallet(1), wallet(2)
    root = issuer.commit(FIELDS)
    public = box_of(2).public
    opened = reader.open(bytes(32), issuer.seal(root, "reader", public))
    assert opened.root == root
    assert reader.opened(bytes(32)) is None
    assert reader.opened(root) is None


def test_nothing_private_shows_in_text_copies_or_pickles() -> None:
    witness = Witness()
    mine = wallet(witness=witness)
    root = mine.commit(FIELDS)
    salt = mine.draw_salt()
    mine.keep_salt(bytes(32), salt)
    shown = f"{mine!r} {mine.issued(root)!r} {list(witness.secrets())!r}"
    for secret in ("Secret Cannery", "Skipjack", "104760", salt.hex(), repr(salt)):
        assert secret not in shown
    for leak in (pickle.dumps, copy.deepcopy):
        with pytest.raises(TypeError):
            leak(mine.issued(root))


def test_secrets_are_private_texts_and_salts_but_no_public_values() -> None:
    witness = Witness()
    mine = wallet(witness=witness)
    root = mine.commit(FIELDS, public=frozenset({"kind"}))
    document = mine.issued(root)
    assert document is not None
    mine.keep_salt(bytes(32), b"0123456789abcdef")
    values = [secret.value.reveal() for secret in witness.secrets()]
    assert b"Secret Cannery" in values
    assert b"Skipjack tuna" in values
    assert b"NAFTA-434" not in values
    assert b"0123456789abcdef" in values
    assert all(disclosure.salt in values for disclosure in document.disclosures)
    assert not any(b"Secret" in secret.where.encode() for secret in witness.secrets())
