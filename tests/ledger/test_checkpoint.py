"""Checkpoints and certificates: C2SP's formats to the letter, and k orderers over one text."""

from __future__ import annotations

import base64
from dataclasses import replace

import pytest

from ledger.checkpoint import (
    Certificate,
    Checkpoint,
    certificate_of,
    note_line,
    parse_certificate,
    parse_checkpoint,
    sign_checkpoint,
    split_note,
    verify_certificate,
    verify_checkpoint,
)
from ledger.electorate import Electorate
from ledger.errors import BadProofError, UnknownOrganizationError
from ledger.genesis import Genesis
from ledger.keys import SigningKey, Verifier, note_key_id
from ledger.roster import Roster

C2SP_NOTE = (
    "This is an example message.\n"
    "\n"
    "— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu7"
    "2IneyaQM=\n"
)
C2SP_KEY = base64.b64decode("AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k")[1:]


@pytest.fixture(scope="module")
def checkpoint(founders) -> Checkpoint:
    return Checkpoint(founders.genesis.origin, 12, b"r" * 32, 3, b"b" * 32, b"s" * 32)


def _electorate(genesis: Genesis) -> Electorate:
    return Roster.of_genesis(genesis).electorate(1)


def _sign(founders, checkpoint: Checkpoint, *orderers: str) -> Certificate:
    return Certificate(
        checkpoint,
        tuple((o, sign_checkpoint(checkpoint, founders.node_key(o), checkpoint.origin)) for o in orderers),
    )


def test_the_example_of_c2sp_signed_note_reads_and_verifies() -> None:
    text, [(name, key_id, signature)] = split_note(C2SP_NOTE)
    assert text == "This is an example message.\n"
    assert (name, key_id) == ("example.com/foo", note_key_id("example.com/foo", C2SP_KEY))
    assert Verifier().verify_bytes(C2SP_KEY, text.encode(), signature)
    assert note_line(name, C2SP_KEY, signature) == C2SP_NOTE.split("\n\n")[1]


def test_the_text_is_a_tlog_checkpoint_with_three_extension_lines(checkpoint) -> None:
    assert checkpoint.text().split("\n") == [
        checkpoint.origin,
        "12",
        base64.b64encode(b"r" * 32).decode(),
        "height 3",
        "block " + base64.b64encode(b"b" * 32).decode(),
        "state " + base64.b64encode(b"s" * 32).decode(),
        "",
    ]
    assert checkpoint.origin.startswith("ledger.invalid/pilot-")
    assert parse_checkpoint(checkpoint.text()) == checkpoint


def test_a_checkpoint_is_signed_over_its_text_alone(checkpoint, founders) -> None:
    signature = sign_checkpoint(checkpoint, founders.node_key("cbp"), checkpoint.origin)
    public = founders.genesis.organization("cbp").node_key
    verifier = Verifier()
    assert verifier.verify_bytes(public, checkpoint.text().encode(), signature)
    assert verify_checkpoint(checkpoint, public, signature, verifier)
    assert not verify_checkpoint(replace(checkpoint, height=4), public, signature, verifier)
    assert not verify_checkpoint(
        checkpoint, founders.genesis.organization("acme").node_key, signature, verifier
    )
    assert sign_checkpoint(checkpoint, founders.node_key("cbp")) == signature


def test_only_the_log_signs_and_only_what_reads_back(checkpoint, founders) -> None:
    key = founders.node_key("cbp")
    with pytest.raises(
        BadProofError, match=r"key name 'cbp' is not the checkpoint's origin .*; sign as the log"
    ):
        sign_checkpoint(checkpoint, key, "cbp")
    for change in ({"root": b"short"}, {"size": -1}, {"origin": "a b"}, {"origin": "a\nb"}, {"origin": ""}):
        spoilt = replace(checkpoint, **change)
        with pytest.raises(BadProofError):
            sign_checkpoint(spoilt, key, spoilt.origin)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("\n12\n", "\n012\n"),
        ("\n12\n", "\n-1\n"),
        ("\n12\n", "\n１２\n"),
        ("\n12\n", "\n12 \n"),
        ("\n12\n", "\n\n"),
        ("\n12\n", f"\n{2**63}\n"),
        ("height 3", "height 03"),
        ("height 3", "height  3"),
        ("height 3", "Height 3"),
        ("height 3\n", ""),
        ("height 3\n", "height 3\nheight 3\n"),
        ("block ", "state "),
        ("cnJy", "cn\u200bJy"),
        ("cnI=", "cnJ="),  # base64 with a loose bit
        ("cnI=", "cnI"),
        ("cnI=\n", "cnI= \n"),
        ("ledger.invalid/", "ledger invalid/"),
        ("ledger.invalid/", "ledger+invalid/"),
        ("ledger.invalid/", "ledger.invalid\r/"),
        ("ledger.invalid/", "ledger.invalid\x01/"),
    ],
)
def test_a_text_in_another_form_is_no_checkpoint(old: str, new: str, checkpoint) -> None:
    text = checkpoint.text()
    assert old in text
    with pytest.raises(BadProofError):
        parse_checkpoint(text.replace(old, new, 1))


def test_a_checkpoint_without_its_last_line_feed_or_with_more_is_refused(checkpoint) -> None:
    for text in (checkpoint.text()[:-1], checkpoint.text() + "\n", checkpoint.text() + "more\n", ""):
        with pytest.raises(BadProofError):
            parse_checkpoint(text)


def test_a_certificate_comes_back_from_its_note_and_holds(checkpoint, founders) -> None:
    certificate = _sign(founders, checkpoint, "cbp", "globex", "noaa")
    note = certificate.note(founders.electorate)
    assert note.startswith(checkpoint.text() + "\n— ledger.invalid/")
    assert note.count("\n— ") == 3
    again = parse_certificate(note, founders.electorate)
    assert again == certificate
    verify_certificate(again, founders.electorate, Verifier())


def test_k_distinct_orderers_are_needed(checkpoint, founders) -> None:
    verifier = Verifier()
    with pytest.raises(BadProofError, match=r"2 orderers of .* signed, k = 3 are needed; collect more"):
        verify_certificate(_sign(founders, checkpoint, "cbp", "acme"), founders.electorate, verifier)
    with pytest.raises(BadProofError, match="'acme' signs twice; each orderer counts once"):
        verify_certificate(_sign(founders, checkpoint, "cbp", "acme", "acme"), founders.electorate, verifier)
    liars = _electorate(replace(founders.genesis, orderer_liars_tolerated=1))
    theirs = replace(checkpoint, origin=liars.origin)
    with pytest.raises(BadProofError, match=r"3 orderers of .* signed, k = 4 are needed"):
        verify_certificate(_sign(founders, theirs, "cbp", "acme", "noaa"), liars, verifier)
    verify_certificate(_sign(founders, theirs, "cbp", "acme", "noaa", "globex"), liars, verifier)


def test_members_who_do_not_order_do_not_count(checkpoint, founders) -> None:
    genesis = replace(founders.genesis, orderers=("cbp", "acme", "globex"))
    electorate = _electorate(genesis)
    theirs = replace(checkpoint, origin=genesis.origin)
    certificate = _sign(founders, theirs, "cbp", "noaa")
    with pytest.raises(BadProofError, match="'noaa' is no orderer; they are cbp, acme, globex"):
        verify_certificate(certificate, electorate, Verifier())
    everybody = replace(founders.electorate, origin=genesis.origin)
    parsed = parse_certificate(certificate.note(everybody), electorate)
    assert [organization for organization, _ in parsed.signatures] == ["cbp"]


def test_one_bad_signature_refuses_the_whole_certificate(checkpoint, founders) -> None:
    good = _sign(founders, checkpoint, "cbp", "acme", "noaa")
    other = _sign(founders, replace(checkpoint, root=b"x" * 32), "globex")
    mixed = Certificate(checkpoint, good.signatures + other.signatures)
    with pytest.raises(BadProofError, match="the signature of 'globex' does not hold"):
        verify_certificate(mixed, founders.electorate, Verifier())


@pytest.mark.parametrize(
    "change",
    [{"size": 13}, {"root": bytes(32)}, {"height": 4}, {"block_hash": bytes(32)}, {"state_root": bytes(32)}],
)
def test_every_field_of_the_checkpoint_is_certified(change: dict[str, object], checkpoint, founders) -> None:
    certificate = _sign(founders, checkpoint, "cbp", "acme", "noaa")
    spoilt = replace(certificate, checkpoint=replace(checkpoint, **change))
    with pytest.raises(BadProofError, match="does not hold"):
        verify_certificate(spoilt, founders.electorate, Verifier())


def test_another_networks_certificate_is_refused(checkpoint, founders) -> None:
    other = _electorate(replace(founders.genesis, time_ms=0))
    with pytest.raises(BadProofError, match="is another log's; this one is"):
        verify_certificate(_sign(founders, checkpoint, "cbp", "acme", "noaa"), other, Verifier())


def test_signatures_by_unknown_keys_are_ignored_and_only_the_first_of_a_key_is_read(
    checkpoint, founders
) -> None:
    note = _sign(founders, checkpoint, "cbp", "acme", "noaa").note(founders.electorate)
    stranger = note_line("witness.example/w", SigningKey.generate().public, bytes(72))
    same_name = note_line(checkpoint.origin, SigningKey.generate().public, bytes(64))
    again = note_line(checkpoint.origin, founders.genesis.organization("cbp").node_key, bytes(64))
    parsed = parse_certificate(note + stranger + same_name + again, founders.electorate)
    verify_certificate(parsed, founders.electorate, Verifier())
    assert len(parsed.signatures) == 3
    first = note.replace("\n\n", f"\n\n{again}", 1)
    with pytest.raises(BadProofError, match="'cbp' does not hold"):
        verify_certificate(parse_certificate(first, founders.electorate), founders.electorate, Verifier())


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("\n\n", "\n"),
        ("\n\n", "\n\n\n"),
        ("— ", "- "),
        ("— ", "—  "),
        ("— ledger", "—\u00a0ledger"),
        ("— ledger", "— led+ger"),
        ("— ledger", "— led\u2003ger"),
        ("— ledger", "— led\tger"),
        ("=\n", "= \n"),
        ("=\n", "\n"),
    ],
)
def test_a_note_in_another_form_is_refused(old: str, new: str, checkpoint, founders) -> None:
    note = _sign(founders, checkpoint, "cbp").note(founders.electorate)
    head, tail = note.split("\n\n")
    spoilt = note.replace(old, new) if old == "\n\n" else f"{head}\n\n{tail.replace(old, new)}"
    assert spoilt != note
    with pytest.raises(BadProofError):
        parse_certificate(spoilt, founders.electorate)


def test_a_note_without_end_is_refused(checkpoint, founders) -> None:
    note = _sign(founders, checkpoint, "cbp").note(founders.electorate)
    line = note.split("\n\n")[1]
    assert parse_certificate(note + line * 15, founders.electorate)
    with pytest.raises(BadProofError, match="signatures is over the limit of 300"):
        parse_certificate(note + "— a AAAAAAE=\n" * 300, founders.electorate)
    with pytest.raises(BadProofError, match="bytes is over the limit of 65536"):
        parse_certificate(note + line * 1000, founders.electorate)
    for spoilt in (note[:-1], note.split("\n\n")[0] + "\n\n", "", "\n\n", "\ud800\n\n— a AAAAAAE=\n"):
        with pytest.raises(BadProofError):
            parse_certificate(spoilt, founders.electorate)
    with pytest.raises(BadProofError, match="signature lines that end in a line feed"):
        parse_certificate(note[:-1], founders.electorate)
    with pytest.raises(BadProofError, match="no control characters"):
        split_note("text\twith a tab\n\n— a AAAAAAE=\n")
    with pytest.raises(BadProofError, match="no room for a key id"):
        split_note("text\n\n— a AAAAAA==\n")


def test_the_last_empty_line_parts_text_and_signatures() -> None:
    assert split_note("one\n\ntwo\n\n— a AAAAAAE=\n") == ("one\n\ntwo\n", (("a", bytes(4), b"\x01"),))


def test_nodes_that_collect_in_other_orders_write_the_same_certificate(checkpoint, founders) -> None:
    certificate = _sign(founders, checkpoint, "noaa", "cbp", "acme")
    ordered = certificate_of(checkpoint, certificate.signatures, founders.electorate)
    assert [organization for organization, _ in ordered.signatures] == ["cbp", "acme", "noaa"]
    assert ordered == certificate_of(checkpoint, certificate.signatures[::-1], founders.electorate)


def test_a_signer_outside_the_electorate_has_no_line(checkpoint, founders) -> None:
    with pytest.raises(UnknownOrganizationError, match="'dhl' of height 3 is no orderer then"):
        Certificate(checkpoint, (("dhl", bytes(64)),)).note(founders.electorate)
