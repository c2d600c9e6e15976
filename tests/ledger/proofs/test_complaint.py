"""Complaint files: whose envelope it is, and whether it is spoilt or the complaint false; no part of it replaced."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.codes import Code
from ledger.contracts.evidence import Complaint as SaidComplaint
from ledger.documents import commit_fields, digests_statement, envelope
from ledger.encoding import decode, encode
from ledger.envelopes import seal
from ledger.errors import MalformedError, NotProvenError
from ledger.keys import BoxKey, Domain, Verifier, seed_for
from ledger.openings import Opening, Soundness, make_opening
from ledger.proofs import decode_complaint, is_complaint_file, verify_complaint
from tests.ledger.proofs.conftest import C1, Trade

VERIFIER = Verifier()
READER = BoxKey.from_seed(seed_for("test", "globex/box"))
DOCUMENT = commit_fields({"kind": "INVOICE", "value": 5}, Random(1))
OTHER = commit_fields({"kind": "INVOICE", "value": 6}, Random(2))
ROOT = DOCUMENT.root
SOUND = seal(envelope(DOCUMENT, DOCUMENT.names), READER.public, Random(3))
SPOILT = {
    Soundness.WRONG_SIZE: SOUND[:-1],
    Soundness.FOREIGN_KEY: seal(envelope(DOCUMENT, DOCUMENT.names), BoxKey(b"x" * 32).public, Random(3)),
    Soundness.BAD_KEY: bytes(32) + SOUND[32:],
    Soundness.DOES_NOT_OPEN: SOUND[:-1] + bytes([SOUND[-1] ^ 1]),
    Soundness.NO_ENVELOPE: seal(b"rubbish", READER.public, Random(4)),
    Soundness.OTHER_ROOT: seal(envelope(OTHER, OTHER.names), READER.public, Random(5)),
}
RUBBISH = SPOILT[Soundness.DOES_NOT_OPEN]


def opening_of(sealed, key=READER):
    return make_opening(sealed, key) if sealed[32:64] == key.public else None


def accused(trade, sealed, reason="UNREADABLE"):
    """Anchor the document for globex, have acme seal this for it, and let globex complain of it."""
    trade.anchor_document(ROOT)
    return trade.complain(trade.signed_seal(sealed, ROOT), {"root": ROOT}, reason)


def file_about(trade, sealed, **options):
    complained = accused(trade, sealed, **options)
    assert complained.code is Code.VALID
    return trade.complaint(complained, ROOT, sealed, opening_of(sealed))


def verified(trade, proof):
    return verify_complaint(decode_complaint(proof.encode()), trade.genesis.hash, VERIFIER)


@pytest.mark.parametrize("soundness", SPOILT)
@pytest.mark.parametrize("reason", ["UNREADABLE", "ROOT_MISMATCH"])
def test_a_spoilt_envelope_convicts_who_sealed_it_whatever_the_reader_called_it(trade, soundness, reason):
    proof = file_about(trade, SPOILT[soundness], reason=reason)
    complaint = verified(trade, proof)
    assert complaint.judged.soundness is soundness
    assert complaint.is_true
    assert (complaint.reader, complaint.accused, complaint.root) == ("globex", "acme", ROOT)
    assert (complaint.reason, complaint.standing, complaint.certificate) == (reason, "DISPUTED", None)
    assert is_complaint_file(proof.encode())


def test_a_sound_envelope_makes_the_complaint_false(trade):
    complaint = verified(trade, file_about(trade, SOUND))
    assert complaint.judged.soundness is Soundness.SOUND
    assert not complaint.is_true


@pytest.mark.parametrize(("sealed", "is_true"), [(RUBBISH, True), (SOUND, False)])
def test_a_certificate_s_envelope_is_judged_in_the_same_way(trade, sealed, is_true):
    trade.anchor(root=ROOT)
    trade.deliver()
    complained = trade.complain(trade.signed_seal(sealed, ROOT), {"certificate": C1})
    complaint = verified(trade, trade.complaint(complained, ROOT, sealed, opening_of(sealed), C1))
    assert (complaint.certificate, complaint.root, complaint.is_true) == (C1, ROOT, is_true)


def digests_of(trade, document, root=ROOT):
    signature = trade.signing("acme/organization").sign(
        Domain.ENVELOPE, trade.genesis.network, digests_statement(root, document.digests)
    )
    return {"by": "acme", "digests": b"".join(document.digests), "signature": signature}


def test_signed_digests_convict_without_an_envelope(trade):
    trade.anchor_document(ROOT)
    body = {"root": ROOT, "reason": "ROOT_MISMATCH", "evidence": digests_of(trade, OTHER)}
    complained = trade.do("globex", "document.complain", body)
    complaint = verified(trade, trade.complaint(complained, ROOT, None, None))
    assert (complaint.judged, complaint.envelope, complaint.is_true) == (None, None, True)
    with pytest.raises(NotProvenError, match="an envelope besides"):
        verified(trade, trade.complaint(complained, ROOT, SOUND, None))


def test_what_was_acknowledged_since_is_told(trade):
    complained = accused(trade, RUBBISH)
    assert trade.do("globex", "document.acknowledge", {"root": ROOT}).code is Code.VALID
    complaint = verified(trade, trade.complaint(complained, ROOT, RUBBISH, opening_of(RUBBISH)))
    assert complaint.standing == "ACKNOWLEDGED"
    assert complaint.is_true


def test_a_sound_envelope_cannot_be_shown_with_another_opening(trade):
    """Neither that of another envelope nor that of another key, nor none at all."""
    proof = file_about(trade, SOUND)
    others = [None, opening_of(RUBBISH), make_opening(SOUND, BoxKey(b"x" * 32))]
    others.append(Opening(opening_of(SOUND).point, opening_of(SPOILT[Soundness.OTHER_ROOT]).proof))
    for opening in others:
        with pytest.raises(NotProvenError) as refused:
            verified(trade, replace(proof, opening=opening))
        assert refused.value.part == "envelope"


def test_who_has_two_keys_shows_an_envelope_with_the_one_it_is_sealed_to(trade):
    """The envelope names its key: that another key of the reader's does not open it proves nothing."""
    complained = accused(trade, SOUND)
    new = BoxKey.from_seed(seed_for("test", "globex/box 2"))
    assert (
        trade.act("globex", "key.rotate", {"key": None, "key_proof": None, "box_key": new.public}).code
        is Code.VALID
    )
    proof = trade.complaint(complained, ROOT, SOUND, opening_of(SOUND))
    assert not verified(trade, proof).is_true
    with pytest.raises(NotProvenError, match="not proven to be that of the addressee's key"):
        verified(trade, replace(proof, opening=make_opening(SOUND, new)))


@pytest.mark.parametrize(("since", "holds"), [(0, False), (1, False), (2, True), (3, True)])
def test_a_theft_before_the_complaint_undoes_it_and_one_after_it_does_not(trade, since, holds):
    """The complaint stood at height 2: whatever its signature was made with, it was made by then."""
    complained = accused(trade, RUBBISH)
    trade.do("globex", "document.acknowledge", {"root": ROOT})
    theft = {"organization": "acme", "key": trade.keys["acme"].public, "compromised_since": since}
    theft |= {"successor": None, "successor_proof": None}
    assert trade.act("acme", "key.revoke", theft).code is Code.VALID
    proof = trade.complaint(complained, ROOT, RUBBISH, opening_of(RUBBISH))
    if holds:
        assert verified(trade, proof).is_true
        return
    with pytest.raises(NotProvenError, match="not stolen by height 2"):
        verified(trade, proof)


def test_another_envelope_of_the_same_sender_is_not_the_one_complained_of(trade):
    """A sound one is accused, and a spoilt one with its own opening is shown: both acme's for globex, of one root."""
    proof = file_about(trade, SOUND)
    swapped = replace(proof, sealed=RUBBISH, opening=opening_of(RUBBISH))
    for changed, reason in [
        (swapped, "another one than the complaint names"),
        (replace(proof, sealed=None), "does not have"),
    ]:
        with pytest.raises(NotProvenError, match=reason):
            verified(trade, changed)


class TestLyingOrderers:
    """Orderers that certified a complaint which the rules refuse: the file is refused all the same."""

    @pytest.fixture
    def lenient(self, monkeypatch, trade):
        monkeypatch.setattr(SaidComplaint, "holds", lambda *_: True)
        return trade

    def test_who_never_sent_it_is_not_accused(self, lenient):
        lenient.anchor_document(ROOT)
        signed = lenient.signed_seal(RUBBISH, ROOT, by="cbp")
        complained = lenient.complain(signed, {"root": ROOT}, by="cbp")
        assert complained.code is Code.VALID
        with pytest.raises(NotProvenError, match="cbp did not send globex this document"):
            verified(lenient, lenient.complaint(complained, ROOT, RUBBISH, opening_of(RUBBISH)))

    @pytest.mark.parametrize("signed", [{"by": "cbp"}, {"to": "cbp"}])
    def test_a_seal_that_the_accused_did_not_sign_accuses_nobody(self, lenient, signed):
        lenient.anchor_document(ROOT)
        complained = lenient.complain(lenient.signed_seal(RUBBISH, ROOT, **signed), {"root": ROOT})
        assert complained.code is Code.VALID
        with pytest.raises(NotProvenError, match="no key that acme has"):
            verified(lenient, lenient.complaint(complained, ROOT, RUBBISH, opening_of(RUBBISH)))

    def test_digests_of_the_root_itself_contradict_nothing(self, lenient):
        lenient.anchor_document(ROOT)
        body = {"root": ROOT, "reason": "ROOT_MISMATCH", "evidence": digests_of(lenient, DOCUMENT)}
        complained = lenient.do("globex", "document.complain", body)
        assert complained.code is Code.VALID
        with pytest.raises(NotProvenError, match="contradict nothing"):
            verified(lenient, lenient.complaint(complained, ROOT, None, None))


@pytest.fixture(scope="module")
def two_complaints(founders):
    """Files about two documents' envelopes, each complained of, in one network."""
    trade = Trade(founders.genesis)
    first = accused(trade, RUBBISH)
    trade.anchor(root=OTHER.root)
    trade.deliver()
    spoilt = SPOILT[Soundness.NO_ENVELOPE]
    second = trade.complain(trade.signed_seal(spoilt, OTHER.root), {"certificate": C1})
    return (
        trade,
        trade.complaint(first, ROOT, RUBBISH, opening_of(RUBBISH)),
        trade.complaint(second, OTHER.root, spoilt, opening_of(spoilt), C1),
    )


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("complaint", "certificate record|complaint|standing record"),
        ("membership", "membership record"),
        ("document", "document record"),
        ("standing", "standing record"),
        ("certificate", "certificate record|complaint"),
        ("sealed", "envelope"),
        ("opening", "envelope"),
    ],
)
def test_no_part_is_taken_from_another_file(two_complaints, name, part):
    trade, first, second = two_complaints
    strange = replace(second.membership, value=second.document.value)
    value = strange if name == "membership" else getattr(second, name)
    with pytest.raises(NotProvenError) as refused:
        verified(trade, replace(first, **{name: value}))
    assert refused.value.part in part.split("|")
    if name != "membership":
        with pytest.raises(NotProvenError):
            verified(trade, replace(second, **{name: getattr(first, name)}))


def test_another_network_s_genesis_hash_proves_nothing(two_complaints):
    _, first, _ = two_complaints
    with pytest.raises(NotProvenError) as refused:
        verify_complaint(first, bytes(32), VERIFIER)
    assert refused.value.part == "genesis"


def test_an_act_that_is_no_complaint_is_none(trade):
    complained = accused(trade, RUBBISH)
    acknowledged = trade.do("globex", "document.acknowledge", {"root": ROOT})
    proof = trade.complaint(complained, ROOT, RUBBISH, opening_of(RUBBISH))
    with pytest.raises(NotProvenError, match="no complaint about an envelope"):
        verified(trade, replace(proof, complaint=trade.proven(acknowledged)))


def test_a_complaint_that_the_ledger_refused_proves_nothing(trade):
    trade.anchor_document(ROOT)
    refused = trade.complain(trade.signed_seal(RUBBISH, ROOT, "cbp"), {"root": ROOT})
    assert refused.code is Code.RULE_VIOLATED
    accused_now = trade.complain(trade.signed_seal(RUBBISH, ROOT), {"root": ROOT})
    assert accused_now.code is Code.VALID
    with pytest.raises(NotProvenError, match="RULE_VIOLATED"):
        verified(trade, trade.complaint(refused, ROOT, RUBBISH, opening_of(RUBBISH)))


@pytest.mark.parametrize(
    "change",
    [
        lambda value: value | {"format": "seatrial/complaint-file/v2"},
        lambda value: value | {"more": 1},
        lambda value: value | {"opening": {"point": bytes(31), "proof": bytes(64)}},
        lambda value: value | {"opening": {"point": bytes(32)}},
        lambda value: value | {"sealed": 7},
        lambda value: {name: part for name, part in value.items() if name != "sealed"} | {"opening": None},
        lambda value: {name: part for name, part in value.items() if name != "checkpoint"},
    ],
)
def test_a_file_of_another_form_is_none(two_complaints, change):
    _, first, _ = two_complaints
    value = decode(first.encode(), limit_bytes=1 << 22)
    with pytest.raises(MalformedError):
        decode_complaint(encode(change(value)))


def test_bytes_that_are_no_file_are_none():
    assert not is_complaint_file(b"\xc1")
    assert not is_complaint_file(encode({"format": "seatrial/possession-file/v1"}))
    with pytest.raises(MalformedError, match="no complaint file"):
        decode_complaint(b"\xc1")


@given(st.data())
@settings(deadline=None, max_examples=150)
def test_a_changed_byte_is_refused_or_proves_the_very_same(two_complaints, data):
    trade, first, _ = two_complaints
    raw = bytearray(first.encode())
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    try:
        found = verify_complaint(decode_complaint(bytes(raw)), trade.genesis.hash, VERIFIER)
    except (MalformedError, NotProvenError):
        return
    assert found.is_true
    assert (found.accused, found.reader, found.root) == ("acme", "globex", ROOT)
    assert found.judged.soundness is Soundness.DOES_NOT_OPEN
