"""Documents after they were anchored: disclosed, acknowledged, complained about with proof, purged."""

from __future__ import annotations

from random import Random

import pytest

from ledger.codes import Code
from ledger.contracts.records import DocumentState, ReadingState, read_document, read_reading
from ledger.documents import commit_fields, digests_statement
from ledger.keys import Domain
from ledger.state import document_key, reading_key
from tests.ledger.contracts.conftest import signing_key

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
    statement = digests_statement(root, document.digests)
    signature = signing_key(signer or by).sign(Domain.ENVELOPE, pilot.genesis.network, statement)
    return {"by": by, "digests": b"".join(document.digests), "signature": signature}


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
    extra = {"disclose": {"to": "cbp"}, "complain": {"reason": "UNREADABLE", "evidence": None}}.get(what, {})
    assert act(pilot, "acme", what, **extra).rule == f"document.{what}/unknown-document"


def test_only_readers_say_something_of_their_envelope_and_acknowledge_once(anchored):
    assert act(anchored, "cbp", "acknowledge").rule == "document.acknowledge/wrong-actor"
    assert act(anchored, "acme", "acknowledge").rule == "document.acknowledge/wrong-actor"
    assert act(anchored, "globex", "acknowledge").code is Code.VALID
    assert act(anchored, "globex", "acknowledge").rule == "document.acknowledge/impossible-transition"
    late = act(anchored, "globex", "complain", reason="UNREADABLE", evidence=None)
    assert late.rule == "document.complain/impossible-transition"


def test_a_complaint_without_evidence_is_a_statement_and_ends_with_an_acknowledgement(anchored):
    said = act(anchored, "globex", "complain", reason="UNREADABLE", evidence=None)
    assert (said.code, said.findings) == (Code.VALID, ())
    assert reading(anchored, "globex").state is ReadingState.DISPUTED
    assert act(anchored, "globex", "acknowledge").code is Code.VALID
    assert reading(anchored, "globex").state is ReadingState.ACKNOWLEDGED


def test_signed_digests_of_another_root_convict_the_sender(anchored):
    said = act(anchored, "globex", "complain", reason="ROOT_MISMATCH", evidence=evidence(anchored))
    assert (said.code, said.findings) == (Code.VALID, ("ENVELOPE_CONTRADICTS_ROOT",))
    assert reading(anchored, "globex").convicted == "acme"


def test_one_who_disclosed_it_further_is_convicted_for_its_own_envelope(anchored):
    assert act(anchored, "globex", "disclose", to="cbp").code is Code.VALID
    said = act(anchored, "cbp", "complain", reason="ROOT_MISMATCH", evidence=evidence(anchored, "globex"))
    assert said.findings == ("ENVELOPE_CONTRADICTS_ROOT",)
    assert reading(anchored, "cbp").convicted == "globex"


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
