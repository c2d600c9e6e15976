"""A store whose network changed: everything verifies with the keys of its time, and rebuilds to the same roster."""

from __future__ import annotations

import pytest

from ledger.codes import Code
from ledger.contracts.membership import Purpose, prove_possession
from ledger.keys import SigningKey, Verifier, seed_for
from ledger.lineage import verify_lineage


@pytest.fixture
def changed(node):
    """Two blocks, acme's key rotated, a block, globex' node replaced, two blocks."""
    network = node.fleet.genesis.network
    key = SigningKey.from_seed(seed_for("changed", "acme"))
    other = SigningKey.from_seed(seed_for("changed", "globex"))
    node.grow(2)
    rotation = {"key": key.public, "key_proof": prove_possession(key, network, "acme", Purpose.ORGANIZATION)}
    assert node.change("acme", "key.rotate", rotation).receipts[0].code is Code.VALID
    node.grow(1, transactions=1)
    replacement = {
        "incarnation": 2,
        "node_key": other.public,
        "node_key_proof": prove_possession(other, network, "globex", Purpose.NODE),
    }
    assert node.change("globex", "node.replace", replacement).receipts[0].code is Code.VALID
    node.grow(2, transactions=1)
    return node


def test_old_blocks_and_certificates_verify_with_the_keys_of_their_time(changed) -> None:
    report = changed.store.verify_all(Verifier(0))
    assert report.damage == ()
    assert (report.blocks, report.certificates, report.checkpoints) == (7, 7, 7)
    assert changed.ledger.roster.heights == (3, 5)
    assert changed.ledger.roster.orderers == ("cbp", "acme")


def test_the_roster_is_restored_and_rebuilt(changed) -> None:
    before = changed.ledger.roster
    changed.close()
    assert changed.load().ledger.roster == before
    changed.store.connection.execute("DELETE FROM state WHERE key = 'membership'")
    changed.close()
    assert changed.load().ledger.roster == before
    assert "rebuilt from 7 blocks" in changed.store.repairs[-1]


def test_a_certificate_by_keys_of_another_time_is_damage(changed) -> None:
    late = changed.store.certificate(7)
    assert late is not None
    early = changed.store.certificate(1)
    changed.store.put_certificate(7, early)
    changed.commit()
    assert "height 7" in changed.store.verify_all(Verifier(0)).damage[0]


def test_the_links_out_of_the_store_lead_from_genesis_to_the_roster(changed) -> None:
    store, ledger = changed.store, changed.ledger
    links = [store.configuration_link(height, ledger.log) for height in ledger.roster.heights]
    assert verify_lineage(store.genesis, links, Verifier()) == ledger.roster


def test_a_change_that_is_not_certified_yet_is_no_link(node) -> None:
    body = {"organization": "noaa"}
    node.execute(node.order([node.fleet.transaction(type="member.remove", documents=(), body=body).raw]))
    assert node.store.configuration_link(1, node.ledger.log) is None
