"""Documents after they were anchored: disclosed, acknowledged, complained about with proof, purged."""

from __future__ import annotations

from random import Random

import pytest

from ledger.codes import Code
from ledger.contracts.membership import Purpose, prove_possession
from ledger.contracts.records import (
    ComplaintRecord,
    DocumentState,
    ReadingRecord,
    ReadingState,
    read_document,
    read_reading,
)
from ledger.documents import commit_fields, digests_statement
from ledger.keys import Domain, SigningKey
from ledger.state import document_key, reading_key
from tests.ledger.contracts.conftest import sealed_evidence, signing_key

ANCHORED = "2018-09-04"
DOCUMENT = commit_fields({"kind": "INVOICE", "value": 5}, Random(1))
OTHER = commit_fields({"kind": "INVOICE", "value": 6}, Random(2))


@pytest.fixture
def anchored(pilot):
    """acme's document for globex."""
    body = {"class": "commercial", "addressees": ["globex"]}
    signed = pilot.sign("acme", "document.anchor", body, documents=(DOCUMENT.root,))
    assert pilot.block(signed.raw).receipts[0].code is Code.VALID
    return pilot


def act(pilot, who, what, on=None, **body):
    return pilot.act(who, f"document.{what}", {"root": DOCUMENT.root, **body}, on=on)


def record(pilot):
    return read_document(pilot.ledger.state.get(document_key(DOCUMENT.root)))


def reading(pilot, who):
    return read_reading(pilot.ledger.state.get(reading_key(DOCUMENT.root, who)))


def evidence(pilot, by="acme", document=OTHER, root=DOCUMENT.root, signer=None):
    """Digests that somebody signed as those of a root."""
    statement = digests_statement(root, document.digests)
    signature = signing_key(signer or by).sign(Domain.ENVELOPE, pilot.genesis.network, statement)
    return {"by": by, "digests": b"".join(document.digests), "signature": signature}


def sealed(pilot, to="globex", by="acme", root=DOCUMENT.root, **changes):
    """The seal of an envelope."""
    return sealed_evidence(changes.pop("network", pilot.genesis.network), root, to, by, **changes)


def test_whoever_has_a_document_discloses_it_further_and_the_ledger_says_who_did(anchored):
    assert act(anchored, "acme", "disclose", to="cbp").code is Code.VALID
    assert act(anchored, "globex", "disclose", to="watcher").code is Code.VALID
    assert act(anchored, "watcher", "acknowledge").code is Code.VALID
    assert record(anchored).disclosed == (("cbp", "acme"), ("watcher", "globex"))
    assert record(anchored).addressees == ("globex",)
    assert reading(anchored, "watcher").state is ReadingState.ACKNOWLEDGED


@pytest.mark.parametrize(
    ("who", "to", "rule"),
    [
        ("rival", "cbp", "wrong-actor"),
        ("acme", "globex", "reads-already"),
        ("globex", "acme", "reads-already"),
        ("acme", "nobody", "unknown-addressee"),
    ],
)
def test_a_disclosure_by_a_stranger_or_to_nobody_new_is_refused(anchored, who, to, rule):
    assert act(anchored, who, "disclose", to=to).rule == f"document.disclose/{rule}"
    assert record(anchored).disclosed == ()


@pytest.mark.parametrize("what", ["disclose", "acknowledge", "complain", "purge"])
def test_nothing_is_done_with_a_document_that_is_not_there(pilot, what):
    complaint = {"reason": "UNREADABLE", "evidence": sealed(pilot, "acme")}
    extra = {"disclose": {"to": "cbp"}, "complain": complaint}.get(what, {})
    assert act(pilot, "acme", what, **extra).rule == f"document.{what}/unknown-document"


def test_only_readers_say_something_of_their_envelope_and_acknowledge_once(anchored):
    assert act(anchored, "cbp", "acknowledge").rule == "document.acknowledge/wrong-actor"
    assert act(anchored, "acme", "acknowledge").rule == "document.acknowledge/wrong-actor"
    assert act(anchored, "globex", "acknowledge").code is Code.VALID
    assert act(anchored, "globex", "acknowledge").rule == "document.acknowledge/impossible-transition"
    late = act(anchored, "globex", "complain", reason="UNREADABLE", evidence=sealed(anchored))
    assert late.rule == "document.complain/impossible-transition"


@pytest.mark.parametrize("reason", ["UNREADABLE", "ROOT_MISMATCH"])
def test_a_complaint_names_whose_envelope_it_is_and_ends_with_an_acknowledgement(anchored, reason):
    said = act(anchored, "globex", "complain", reason=reason, evidence=sealed(anchored))
    assert (said.code, said.findings) == (Code.VALID, ("ENVELOPE_DISPUTED",))
    assert reading(anchored, "globex").state is ReadingState.DISPUTED
    assert reading(anchored, "globex").complaint == ComplaintRecord(reason, "acme", b"e" * 32)
    assert act(anchored, "globex", "acknowledge").code is Code.VALID
    assert reading(anchored, "globex") == ReadingRecord(ReadingState.ACKNOWLEDGED, anchored.ledger.time_ms)


@pytest.mark.parametrize("evidence", [None, {}, {"by": "acme", "signature": bytes(64)}, 7])
def test_a_complaint_without_evidence_is_no_complaint(anchored, evidence):
    for body in ({"evidence": evidence}, {}):
        said = act(anchored, "globex", "complain", reason="UNREADABLE", **body)
        assert said.code is Code.MALFORMED
    assert anchored.ledger.state.get(reading_key(DOCUMENT.root, "globex")) is None


def test_evidence_is_digests_or_a_seal_and_digests_show_another_root_alone(anchored):
    both = evidence(anchored) | {"envelope": bytes(32)}
    for reason, shown in (("ROOT_MISMATCH", both), ("UNREADABLE", evidence(anchored))):
        assert act(anchored, "globex", "complain", reason=reason, evidence=shown).code is Code.MALFORMED


@pytest.mark.parametrize(
    "forged",
    [
        {"to": "mill"},  # sealed for another
        {"root": OTHER.root},  # under another root
        {"by": "rival"},  # by who never sent it
        {"by": "globex"},  # by the reader itself
        {"signer": signing_key("globex")},  # in the sender's name
        {"network": "pilot-0000000000000000"},  # in another network
    ],
)
def test_a_seal_that_its_sender_did_not_sign_for_this_reader_accuses_nobody(anchored, forged):
    said = act(anchored, "globex", "complain", reason="UNREADABLE", evidence=sealed(anchored, **forged))
    assert said.rule == "document.complain/evidence-does-not-hold"
    assert anchored.ledger.state.get(reading_key(DOCUMENT.root, "globex")) is None


@pytest.mark.parametrize("changed", ["envelope", "signature"])
def test_a_seal_with_another_byte_accuses_nobody(anchored, changed):
    shown = sealed(anchored)
    shown[changed] = bytes([shown[changed][0] ^ 1]) + shown[changed][1:]
    said = act(anchored, "globex", "complain", reason="UNREADABLE", evidence=shown)
    assert said.rule == "document.complain/evidence-does-not-hold"


def test_each_reader_accuses_who_sent_it_its_own_envelope(anchored):
    """globex passed it on to cbp: cbp's envelope is globex', not acme's."""
    assert act(anchored, "globex", "disclose", to="cbp").code is Code.VALID
    acmes = act(anchored, "cbp", "complain", reason="UNREADABLE", evidence=sealed(anchored, "cbp"))
    assert acmes.rule == "document.complain/evidence-does-not-hold"
    shown = sealed(anchored, "cbp", "globex")
    assert act(anchored, "cbp", "complain", reason="UNREADABLE", evidence=shown).code is Code.VALID
    assert reading(anchored, "cbp").complaint.accused == "globex"


@pytest.mark.parametrize("kind", [sealed, evidence])
@pytest.mark.parametrize("stolen", [False, True])
def test_a_rotated_key_accuses_its_owner_and_a_stolen_one_nobody(anchored, kind, stolen):
    """A new key does not undo what the old one signed; after a theft anybody may have signed it."""
    shown, new = kind(anchored), SigningKey.from_seed(bytes(32))
    proof = prove_possession(new, anchored.genesis.network, "acme", Purpose.ORGANIZATION)
    rotation = {"key": new.public, "key_proof": proof, "box_key": None}
    theft = {"organization": "acme", "key": signing_key("acme").public, "compromised_since": 0}
    theft |= {"successor": None, "successor_proof": None}
    act_, body = ("key.revoke", theft) if stolen else ("key.rotate", rotation)
    assert anchored.act("acme", act_, body).code is Code.VALID
    said = act(anchored, "globex", "complain", reason="ROOT_MISMATCH", evidence=shown)
    assert said.rule == ("document.complain/evidence-does-not-hold" if stolen else None)


def test_signed_digests_of_another_root_convict_the_sender(anchored):
    said = act(anchored, "globex", "complain", reason="ROOT_MISMATCH", evidence=evidence(anchored))
    assert (said.code, said.findings) == (Code.VALID, ("ENVELOPE_CONTRADICTS_ROOT",))
    assert reading(anchored, "globex").complaint == ComplaintRecord("ROOT_MISMATCH", "acme", None)


def test_one_who_disclosed_it_further_is_convicted_for_its_own_envelope(anchored):
    assert act(anchored, "globex", "disclose", to="cbp").code is Code.VALID
    said = act(anchored, "cbp", "complain", reason="ROOT_MISMATCH", evidence=evidence(anchored, "globex"))
    assert said.findings == ("ENVELOPE_CONTRADICTS_ROOT",)
    assert reading(anchored, "cbp").complaint.accused == "globex"


@pytest.mark.parametrize(
    "forged",
    [
        {"document": DOCUMENT},  # these are the document's digests
        {"signer": "globex"},  # the complainer's own signature
        {"root": OTHER.root},  # signed for the root they belong to
        {"by": "rival"},  # who never sent it
        {"by": "globex"},  # who received it
    ],
)
def test_evidence_that_proves_nothing_accuses_nobody(anchored, forged):
    said = act(anchored, "globex", "complain", reason="ROOT_MISMATCH", evidence=evidence(anchored, **forged))
    assert said.rule == "document.complain/evidence-does-not-hold"
    assert anchored.ledger.state.get(reading_key(DOCUMENT.root, "globex")) is None


def test_a_certificate_s_holder_convicts_its_issuer_in_the_same_way(pilot):
    pilot.anchor()
    body = {"certificate": bytes([1]) * 16}
    assert pilot.act("acme", "certificate.deliver", {**body, "holder": "globex"}).code is Code.VALID
    root = pilot.certificate_record().root
    forged = {**body, "reason": "ROOT_MISMATCH", "evidence": evidence(pilot, root=OTHER.root)}
    assert pilot.act("globex", "holding.complain", forged).rule == "holding.complain/evidence-does-not-hold"
    proven = {**body, "reason": "ROOT_MISMATCH", "evidence": evidence(pilot, root=root)}
    assert pilot.act("globex", "holding.complain", proven).findings == ("ENVELOPE_CONTRADICTS_ROOT",)
    assert pilot.holding_record().complaint == ComplaintRecord("ROOT_MISMATCH", "acme", None)


def test_a_certificate_s_holder_accuses_its_issuer_of_the_envelope_it_sealed(pilot):
    pilot.anchor()
    body = {"certificate": bytes([1]) * 16}
    assert pilot.act("acme", "certificate.deliver", {**body, "holder": "globex"}).code is Code.VALID
    for shown in (sealed(pilot, root=OTHER.root), sealed(pilot, "initech"), sealed(pilot, by="rival")):
        forged = {**body, "reason": "UNREADABLE", "evidence": shown}
        assert (
            pilot.act("globex", "holding.complain", forged).rule == "holding.complain/evidence-does-not-hold"
        )
    assert pilot.complain().findings == ("ENVELOPE_DISPUTED",)
    assert pilot.holding_record().complaint == ComplaintRecord("UNREADABLE", "acme", b"e" * 32)


@pytest.mark.parametrize("digests", [b"", bytes(31), bytes(385 * 32)])
def test_evidence_of_another_form_is_malformed(anchored, digests):
    proof = evidence(anchored) | {"digests": digests}
    assert act(anchored, "globex", "complain", reason="ROOT_MISMATCH", evidence=proof).code is Code.MALFORMED


def test_an_issuer_purges_when_records_need_not_be_kept_any_more(anchored):
    """Five years from anchoring: on the anniversary they are still kept."""
    anchored_on = anchored.ledger.calendar.legal_date(record(anchored).anchored_ms)
    last = anchored_on.replace(year=anchored_on.year + 5)
    after = last.replace(day=last.day + 1)
    assert act(anchored, "acme", "purge", on=str(last)).rule == "document.purge/too-early"
    assert act(anchored, "globex", "purge", on=str(after)).rule == "document.purge/wrong-actor"
    assert act(anchored, "acme", "purge", on=str(after)).code is Code.VALID
    assert record(anchored).state is DocumentState.PURGED
    assert record(anchored).purged_ms == anchored.ledger.time_ms
    for what, extra in (("disclose", {"to": "cbp"}), ("purge", {})):
        assert act(anchored, "acme", what, **extra).rule == f"document.{what}/impossible-transition"
    assert act(anchored, "globex", "acknowledge").rule == "document.acknowledge/impossible-transition"
