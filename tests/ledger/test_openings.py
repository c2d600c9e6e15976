"""Openings of envelopes: anybody finds an envelope to be what its addressee finds, and nothing else can be shown."""

from __future__ import annotations

from random import Random

import nacl.bindings
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.documents import commit_fields, envelope
from ledger.envelopes import open_envelope, seal
from ledger.errors import BadProofError, EnvelopeError
from ledger.keys import BoxKey
from ledger.openings import _OPENER, Opening, Soundness, _opener_point, judge, make_opening
from ledger.points import edwards, montgomery, without_sign
from tests.ledger.test_dleq import shifted

READER = BoxKey(b"r" * 32)
OLDER = BoxKey(b"o" * 32)
KEYS = (OLDER.public, READER.public)
DOCUMENT = commit_fields({"kind": "INVOICE", "value": 5}, Random(1))
SEALED = seal(envelope(DOCUMENT, DOCUMENT.names), READER.public, Random(2))


def resealed(padded: bytes) -> bytes:
    """What a dishonest sender seals: any bytes of the smallest class's size."""
    ephemeral = BoxKey(b"e" * 32)
    padded = padded.ljust(1024 - 64 - 64 - 24 - 16, b"\0")
    return ephemeral.public + READER.public + bytes(ephemeral.box(READER.public).encrypt(padded, bytes(24)))


def judged(sealed: bytes, root: bytes = DOCUMENT.root, key: BoxKey = READER) -> Soundness:
    return judge(sealed, root, KEYS, make_opening(sealed, key)).soundness


def test_the_box_is_opened_by_the_shared_point_of_the_published_vector() -> None:
    """RFC 7748, 6.1, and Bernstein, "Cryptography in NaCl", section 8: the box's first key."""
    alice = BoxKey(bytes.fromhex("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a"))
    bob = BoxKey(bytes.fromhex("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb"))
    opening = make_opening(bob.public + alice.public, alice)
    assert opening is not None
    shared = "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742"
    assert montgomery(opening.point).hex() == shared
    key = nacl.bindings.crypto_box_beforenm(_opener_point(opening.point), _OPENER.scalar)
    assert key.hex() == "1b27556473e985d462cd51197a9a46c76009549eac6474f206c4ee0844f68389"


def test_a_sound_envelope_is_found_sound_by_whoever_has_the_opening() -> None:
    found = judge(SEALED, DOCUMENT.root, KEYS, make_opening(SEALED, READER))
    assert found.soundness is Soundness.SOUND
    assert found.opened is not None
    assert found.opened.fields["value"].reveal() == 5


@pytest.mark.parametrize("place", [64, 88, 200, -1])
def test_a_changed_envelope_does_not_open_for_anybody(place: int) -> None:
    sealed = bytearray(SEALED)
    sealed[place] ^= 1
    assert judged(bytes(sealed)) is Soundness.DOES_NOT_OPEN


@pytest.mark.parametrize(
    ("padded", "why"),
    [(b"\0\0\xff\xff", "padding"), (b"\0\0\0\x03abc", "no envelope"), (b"\0\0\0\x01\x90", "no envelope")],
)
def test_what_opens_to_no_envelope_is_none(padded: bytes, why: str) -> None:
    sealed = resealed(padded)
    found = judge(sealed, DOCUMENT.root, KEYS, make_opening(sealed, READER))
    assert found.soundness is Soundness.NO_ENVELOPE
    assert why in found.why


def test_another_root_is_told() -> None:
    found = judge(SEALED, bytes(32), KEYS, make_opening(SEALED, READER))
    assert found.soundness is Soundness.OTHER_ROOT
    assert DOCUMENT.root.hex() in found.why


def test_what_is_spoilt_as_it_stands_needs_no_opening() -> None:
    assert judge(SEALED[:-1], DOCUMENT.root, KEYS, None).soundness is Soundness.WRONG_SIZE
    foreign = seal(envelope(DOCUMENT, DOCUMENT.names), BoxKey(b"x" * 32).public, Random(2))
    assert judge(foreign, DOCUMENT.root, KEYS, None).soundness is Soundness.FOREIGN_KEY
    torsion = montgomery(without_sign(shifted(edwards(SEALED[:32]) or b"")))
    for key in (bytes(32), (2).to_bytes(32, "little"), torsion):
        sealed = key + SEALED[32:]
        assert make_opening(sealed, READER) is None
        assert judge(sealed, DOCUMENT.root, KEYS, None).soundness is Soundness.BAD_KEY
        with pytest.raises(EnvelopeError, match="UNREADABLE"):
            open_envelope(sealed, READER)


OPENING = make_opening(SEALED, READER)
assert OPENING is not None
ANOTHER = make_opening(resealed(b""), READER)
assert ANOTHER is not None


@pytest.mark.parametrize(
    "opening",
    [
        None,
        ANOTHER,  # of another envelope to the same key
        Opening(ANOTHER.point, OPENING.proof),
        Opening(OPENING.point, ANOTHER.proof),
        Opening(shifted(OPENING.point), OPENING.proof),
        make_opening(SEALED, OLDER),  # by another key of the reader's
        Opening(OPENING.point, bytes(64)),
    ],
)
def test_a_sound_envelope_cannot_be_shown_to_be_spoilt(opening: Opening | None) -> None:
    """Each of these points opens nothing: were it believed, the sender would stand accused of a sound envelope."""
    with pytest.raises(BadProofError):
        judge(SEALED, DOCUMENT.root, KEYS, opening)


def test_an_opening_holds_for_its_envelope_s_every_byte() -> None:
    changed = SEALED[:-1] + bytes([SEALED[-1] ^ 1])
    with pytest.raises(BadProofError):
        judge(changed, DOCUMENT.root, KEYS, OPENING)


def test_a_reader_whose_own_key_has_no_point_proves_nothing() -> None:
    twisted = (2).to_bytes(32, "little")
    sealed = SEALED[:32] + twisted + SEALED[64:]
    with pytest.raises(BadProofError, match="own key"):
        judge(sealed, DOCUMENT.root, (twisted,), OPENING)


@given(st.binary(min_size=32, max_size=32), st.integers(0, 2**32), st.binary(max_size=60), st.booleans())
@settings(deadline=None, max_examples=40)
def test_whoever_judges_finds_what_the_addressee_finds(
    seed: bytes, chance: int, content: bytes, spoils: bool
) -> None:
    reader = BoxKey(seed)
    sealed = seal(content, reader.public, Random(chance))
    if spoils:
        sealed = sealed[:-1] + bytes([sealed[-1] ^ 1])
    found = judge(sealed, DOCUMENT.root, [reader.public], make_opening(sealed, reader))
    try:
        opened = open_envelope(sealed, reader)
    except EnvelopeError:
        assert found.soundness in (Soundness.DOES_NOT_OPEN, Soundness.NO_ENVELOPE)
        assert (found.soundness is Soundness.DOES_NOT_OPEN) is spoils
    else:
        assert opened.root == found.opened.root if found.opened else False
