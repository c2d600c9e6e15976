"""Points of X25519 keys, and the proof that two of them are multiples by one secret."""

from __future__ import annotations

from random import Random

import nacl.bindings
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger import dleq
from ledger.keys import BoxKey
from ledger.points import edwards, has_sign, is_point, is_scalar, montgomery, reduced, times, without_sign

ORDER = 2**252 + 27742317777372353535851937790883648493
PRIME = 2**255 - 19
TORSION = bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a")
"""A point of order 8."""
CONTEXT = b"what it is for"


def scalar(number: int) -> bytes:
    return (number % ORDER).to_bytes(32, "little")


def shifted(point: bytes) -> bytes:
    """The point with a torsion part."""
    return nacl.bindings.crypto_core_ed25519_add(point, TORSION)


SECRET = scalar(0xD1CE)
BASE = times(scalar(7))
PUBLIC = times(SECRET)
SHARED = times(SECRET, BASE)
PROOF = dleq.prove(SECRET, BASE, CONTEXT)


@pytest.mark.parametrize(
    ("public", "base", "gamma_c_s", "u", "v"),
    [
        (
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
            "91bbed02a99461df1ad4c6564a5f5d829d0b90cfc7903e7a5797bd658abf3318",
            "8657106690b5526245a92b003bb079ccd1a92130477671f6fc01ad16f26f723f26f8a57ccaed74ee1b190bed1f479d97"
            "27d2d0f9b005a6e456a35d4fb0daab1268a1b0db10836d9826a528ca76567805",
            "aef27c725be964c6a9bf4c45ca8e35df258c1878b838f37d9975523f09034071",
            "5016572f71466c646c119443455d6cb9b952f07d060ec8286d678615d55f954f",
        ),
        (
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
            "5b659fc3d4e9263fd9a4ed1d022d75eaacc20df5e09f9ea937502396598dc551",
            "f3141cd382dc42909d19ec5110469e4feae18300e94f304590abdced48aed5933bf0864a62558b3ed7f2fea45c92a465"
            "301b3bbf5e3e54ddf2d935be3b67926da3ef39226bbc355bdc9850112c8f4b02",
            "1dcb0a4821a2c48bf53548228b7f170962988f6d12f5439f31987ef41f034ab3",
            "fd03c0bf498c752161bae4719105a074630a2aa5f200ff7b3995f7bfb1513423",
        ),
    ],
)
def test_the_commitments_are_those_of_the_published_vectors(public, base, gamma_c_s, u, v):
    """RFC 9381, B.3, examples 16 and 17: its proof is of the same form, with a challenge of 16 bytes."""
    proof = bytes.fromhex(gamma_c_s)
    gamma, challenge, response = proof[:32], proof[32:48] + bytes(16), proof[48:]
    found = dleq.commitments(bytes.fromhex(public), bytes.fromhex(base), gamma, challenge, response)
    assert [point.hex() for point in found] == [u, v]


def test_a_proof_holds_for_what_it_proves():
    assert dleq.verify(PUBLIC, BASE, SHARED, CONTEXT, PROOF)
    assert dleq.prove(SECRET, BASE, CONTEXT) == PROOF, "no chance is in it"


OTHER = times(scalar(9))


@pytest.mark.parametrize(
    ("public", "base", "shared", "context"),
    [
        (OTHER, BASE, SHARED, CONTEXT),
        (PUBLIC, OTHER, SHARED, CONTEXT),
        (PUBLIC, BASE, OTHER, CONTEXT),
        (PUBLIC, BASE, SHARED, b"another thing"),
        (PUBLIC, SHARED, BASE, CONTEXT),
        (SHARED, BASE, PUBLIC, CONTEXT),
        (BASE, PUBLIC, SHARED, CONTEXT),
        (shifted(PUBLIC), BASE, SHARED, CONTEXT),
        (PUBLIC, shifted(BASE), SHARED, CONTEXT),
        (PUBLIC, BASE, shifted(SHARED), CONTEXT),
        (PUBLIC, BASE, TORSION, CONTEXT),
        (PUBLIC, BASE, b"\x01" + bytes(31), CONTEXT),
        (PUBLIC, BASE, SHARED[:-1], CONTEXT),
        (PUBLIC, BASE, SHARED[:-1] + bytes([SHARED[-1] ^ 0x80]), CONTEXT),
    ],
)
def test_a_proof_holds_for_nothing_else(public, base, shared, context):
    assert not dleq.verify(public, base, shared, context, PROOF)


def test_two_secrets_give_no_proof():
    """Honest steps with a response for another secret than the shared point's."""
    forged = dleq.prove(scalar(0xBAD), BASE, CONTEXT)
    assert not dleq.verify(PUBLIC, BASE, times(scalar(0xBAD), BASE), CONTEXT, forged)
    assert not dleq.verify(times(scalar(0xBAD)), BASE, SHARED, CONTEXT, forged)


def test_a_response_written_otherwise_is_no_proof():
    """s + order gives the same points, and would be a second spelling of one proof."""
    longer = int.from_bytes(PROOF[32:], "little") + ORDER
    assert not dleq.verify(PUBLIC, BASE, SHARED, CONTEXT, PROOF[:32] + longer.to_bytes(32, "little"))
    for proof in (b"", PROOF[:-1], PROOF + b"\0", bytes(64), PROOF[:32] + bytes(32), bytes(32) + PROOF[32:]):
        assert not dleq.verify(PUBLIC, BASE, SHARED, CONTEXT, proof)


@given(st.integers(0, 511))
@settings(deadline=None, max_examples=60)
def test_a_changed_bit_breaks_it(bit):
    proof = bytearray(PROOF)
    proof[bit // 8] ^= 1 << bit % 8
    assert not dleq.verify(PUBLIC, BASE, SHARED, CONTEXT, bytes(proof))


@given(st.integers(1, ORDER - 2), st.integers(1, ORDER - 1), st.binary(max_size=40))
@settings(deadline=None, max_examples=30)
def test_every_secret_proves_what_is_so(secret, base, context):
    point = times(scalar(base))
    proof = dleq.prove(scalar(secret), point, context)
    shared = times(scalar(secret), point)
    assert dleq.verify(times(scalar(secret)), point, shared, context, proof)
    assert not dleq.verify(times(scalar(secret)), point, times(scalar(secret + 1), point), context, proof)


@given(st.binary(min_size=32, max_size=32))
@settings(deadline=None, max_examples=60)
def test_a_box_key_s_point_is_its_secret_times_the_base(seed):
    key = BoxKey(seed)
    point = edwards(key.public)
    assert point is not None
    assert not has_sign(point)
    assert without_sign(times(reduced(key.scalar))) == point
    assert montgomery(point) == key.public


def test_the_base_point_of_x25519_is_that_of_ed25519():
    """RFC 7748, 4.1: u = 9 and y = 4/5."""
    point = edwards((9).to_bytes(32, "little"))
    assert point == times(scalar(1))
    assert int.from_bytes(point, "little") * 5 % PRIME == 4
    assert montgomery(point) == (9).to_bytes(32, "little")


def on_twist(u):
    right = (pow(u, 3, PRIME) + 486662 * u * u + u) % PRIME
    return pow(right, (PRIME - 1) // 2, PRIME) == PRIME - 1


def test_keys_on_the_twist_of_small_order_or_written_otherwise_have_no_point():
    twisted = [u for u in range(2, 40) if on_twist(u)]
    assert twisted
    assert all(edwards(u.to_bytes(32, "little")) is None for u in twisted)
    small = [0, 1, PRIME - 1, 325606250916557431795983626356110631294008115727848805560023387167927233504]
    assert all(edwards(u.to_bytes(32, "little")) is None for u in small)
    assert edwards((9 + PRIME).to_bytes(32, "little")) is None
    nine = bytearray((9).to_bytes(32, "little"))
    nine[31] |= 0x80
    assert edwards(bytes(nine)) is None
    assert edwards(b"\x09") is None


def test_a_torsion_part_makes_it_no_point():
    chance = Random(3)
    for _ in range(4):
        point = times(scalar(chance.randrange(ORDER)))
        assert is_point(point)
        assert not is_point(shifted(point))
        assert edwards(montgomery(without_sign(shifted(point)))) is None


def test_scalars_are_reduced_and_not_zero():
    assert is_scalar(scalar(1))
    assert not is_scalar(bytes(32))
    assert not is_scalar(ORDER.to_bytes(32, "little"))
    assert not is_scalar(b"\x01")
