"""Keys, what their signatures are over, their files, and the remembering verifier."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from ledger.errors import KeyFileError
from ledger.keys import BoxKey, Domain, SigningKey, Verifier, note_key_id, seed_for, signed_message

NETWORK = "pilot-0123456789abcdef"
KEY = SigningKey.from_seed(bytes(range(32)))


def test_ed25519_gives_the_published_signature() -> None:
    # RFC 8032 section 7.1, test 2.
    key = SigningKey.from_seed(
        bytes.fromhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")
    )
    assert key.public.hex() == "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"
    signature = key.sign_bytes(b"\x72")
    assert signature.hex() == (
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
    )
    assert Verifier().verify_bytes(key.public, b"\x72", signature)


def test_the_domains_are_the_stated_ones() -> None:
    assert [domain.value for domain in Domain] == [
        "seatrial/transaction/v1",
        "seatrial/header/v1",
        "seatrial/hello/v1",
        "seatrial/approval/v1",
        "seatrial/vote/v1",
        "seatrial/ack/v1",
        "seatrial/promise/v1",
        "seatrial/possession/v1",
        "seatrial/acknowledgement/v1",
        "seatrial/credential-key/v1",
        "seatrial/envelope/v1",
        "seatrial/seal/v1",
    ]
    assert signed_message(Domain.VOTE, "net", b"\x00x") == b"seatrial/vote/v1\nnet\n\x00x"


def test_a_signature_holds_for_its_purpose_network_payload_and_key_only() -> None:
    verifier = Verifier()
    signature = KEY.sign(Domain.VOTE, NETWORK, b"payload")
    assert len(signature) == 64
    assert verifier.verify(KEY.public, Domain.VOTE, NETWORK, b"payload", signature)
    assert not verifier.verify(KEY.public, Domain.ACK, NETWORK, b"payload", signature)
    assert not verifier.verify(KEY.public, Domain.VOTE, "pilot-other", b"payload", signature)
    assert not verifier.verify(KEY.public, Domain.VOTE, NETWORK, b"payloae", signature)
    assert not verifier.verify(SigningKey.generate().public, Domain.VOTE, NETWORK, b"payload", signature)


def test_a_network_name_cannot_blur_where_the_payload_begins() -> None:
    with pytest.raises(ValueError, match="line feed"):
        KEY.sign(Domain.VOTE, "net\nx", b"y")
    signature = KEY.sign(Domain.VOTE, "net", b"x\ny")
    assert not Verifier().verify(KEY.public, Domain.VOTE, "net\nx", b"y", signature)


def test_rubbish_sizes_are_false_and_cost_no_verification() -> None:
    verifier = Verifier()
    assert not verifier.verify_bytes(KEY.public[:31], b"m", bytes(64))
    assert not verifier.verify_bytes(KEY.public, b"m", bytes(63))
    assert not verifier.verify_bytes(KEY.public, b"m", bytes(65))
    assert not verifier.verify_bytes(b"", b"", b"")
    assert (verifier.verified, verifier.remembered, len(verifier)) == (0, 0, 0)


def test_results_are_remembered_both_good_and_bad() -> None:
    verifier = Verifier()
    signature = KEY.sign_bytes(b"m")
    for _ in range(3):
        assert verifier.verify_bytes(KEY.public, b"m", signature)
        assert not verifier.verify_bytes(KEY.public, b"n", signature)
    assert (verifier.verified, verifier.remembered) == (2, 4)


def test_a_remembered_result_is_for_exactly_those_bytes() -> None:
    # The same concatenation, cut in other places, must not find the other's result.
    verifier = Verifier()
    signature = KEY.sign_bytes(b"ab")
    assert verifier.verify_bytes(KEY.public, b"ab", signature)
    shifted = signature[1:] + b"a"
    assert not verifier.verify_bytes(KEY.public, b"b", shifted)
    assert not verifier.verify_bytes(KEY.public[1:] + signature[:1], b"b", shifted)


def test_the_memory_is_bounded_and_forgets_the_least_recently_used() -> None:
    verifier = Verifier(capacity=2)
    signatures = {m: KEY.sign_bytes(m) for m in (b"a", b"b", b"c")}
    for message in (b"a", b"b", b"a", b"c"):  # c pushes out b
        assert verifier.verify_bytes(KEY.public, message, signatures[message])
    assert len(verifier) == 2
    verifier.verify_bytes(KEY.public, b"a", signatures[b"a"])
    assert (verifier.verified, verifier.remembered) == (3, 2)
    verifier.verify_bytes(KEY.public, b"b", signatures[b"b"])
    assert verifier.verified == 4


def test_capacity_0_switches_the_memory_off() -> None:
    verifier = Verifier(capacity=0)
    signature = KEY.sign_bytes(b"m")
    for _ in range(2):
        assert verifier.verify_bytes(KEY.public, b"m", signature)
    assert (verifier.verified, verifier.remembered, len(verifier)) == (2, 0, 0)
    with pytest.raises(ValueError, match="negative"):
        Verifier(capacity=-1)


def test_a_signature_with_its_scalar_moved_by_the_group_order_is_refused() -> None:
    # Without this check one signed transaction would have two byte strings (RFC 8032 section 5.1.7: S < L).
    order = 2**252 + 27742317777372353535851937790883648493
    signature = KEY.sign_bytes(b"m")
    scalar = int.from_bytes(signature[32:], "little") + order
    assert not Verifier().verify_bytes(KEY.public, b"m", signature[:32] + scalar.to_bytes(32, "little"))


def test_a_key_of_small_order_verifies_nothing() -> None:
    # Under the neutral element as key, R = neutral and S = 0 satisfies the bare equation for every message.
    neutral = b"\x01" + bytes(31)
    assert not Verifier().verify_bytes(neutral, b"m", neutral + bytes(32))


@pytest.mark.parametrize("kind", [SigningKey, BoxKey])
def test_a_key_file_comes_back_and_only_its_owner_may_read_it(
    kind: type[SigningKey | BoxKey], tmp_path: Path
) -> None:
    key, path = kind.generate(), tmp_path / "organization.key"
    old = os.umask(0)
    try:
        key.save(path)
    finally:
        os.umask(old)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert kind.load(path).public == key.public


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o610, 0o601])
def test_a_key_file_that_others_may_use_is_refused_with_the_remedy(mode: int, tmp_path: Path) -> None:
    path = tmp_path / "node.key"
    KEY.save(path)
    path.chmod(mode)
    with pytest.raises(KeyFileError, match=f"mode {mode:04o}, so others may use it; run: chmod 600 {path}"):
        SigningKey.load(path)
    path.chmod(0o600)
    assert SigningKey.load(path).public == KEY.public


def test_saving_never_writes_over_a_file_nor_through_a_link(tmp_path: Path) -> None:
    path = tmp_path / "node.key"
    path.write_bytes(b"precious")
    with pytest.raises(KeyFileError, match="exists already"):
        KEY.save(path)
    assert path.read_bytes() == b"precious"
    link = tmp_path / "link.key"
    link.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(KeyFileError, match="exists already"):
        KEY.save(link)
    assert not (tmp_path / "elsewhere").exists()
    with pytest.raises(KeyFileError, match="cannot be created: No such file"):
        KEY.save(tmp_path / "missing" / "node.key")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"seatrial ed25519 secret key 1\n",
        b"seatrial ed25519 secret key 1\n" + b"0" * 64,
        b"seatrial ed25519 secret key 1\n" + b"0" * 64 + b"\n\n",
        b"seatrial ed25519 secret key 1\n" + b"0" * 63 + b"\n",
        b"seatrial ed25519 secret key 1\n" + b"g" * 64 + b"\n",
        b"seatrial ed25519 secret key 1\n" + b"\xff" * 64 + b"\n",
        b"seatrial ed25519 secret key 1\n" + b"00 " * 20 + b"0000\n",
        b"seatrial x25519 secret key 1\n" + b"0" * 64 + b"\n",
        b"x" * 10_000,
    ],
)
def test_a_file_that_is_no_signing_key_is_refused(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "node.key"
    path.write_bytes(data)
    path.chmod(0o600)
    with pytest.raises(KeyFileError, match="holds no signing key"):
        SigningKey.load(path)


def test_what_is_no_file_is_refused_and_waits_for_nobody(tmp_path: Path) -> None:
    with pytest.raises(KeyFileError, match="make one or correct the path"):
        SigningKey.load(tmp_path / "missing.key")
    with pytest.raises(KeyFileError, match="no regular file"):
        SigningKey.load(tmp_path)
    os.mkfifo(tmp_path / "pipe.key", 0o600)
    with pytest.raises(KeyFileError, match="no regular file"):
        SigningKey.load(tmp_path / "pipe.key")


def test_a_secret_never_shows_itself() -> None:
    for key in (KEY, BoxKey.from_seed(bytes(range(32)))):
        for shown in (repr(key), str(key), f"{key}"):
            assert bytes(range(32)).hex() not in shown
            assert key.public.hex() in shown


def test_a_key_needs_32_bytes() -> None:
    for kind in (SigningKey, BoxKey):
        with pytest.raises(ValueError, match="32 bytes, got 31"):
            kind.from_seed(bytes(31))


def test_two_box_keys_share_a_secret_and_a_third_does_not() -> None:
    ours, theirs, other = BoxKey.generate(), BoxKey.generate(), BoxKey.generate()
    sealed = ours.box(theirs.public).encrypt(b"the producer", bytes(24))
    assert theirs.box(ours.public).decrypt(sealed) == b"the producer"
    with pytest.raises(Exception, match="An error occurred trying to decrypt"):
        other.box(ours.public).decrypt(sealed)


def test_a_box_key_is_x25519() -> None:
    # RFC 7748 section 6.1, Alice.
    secret = bytes.fromhex("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a")
    public = "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a"
    assert BoxKey.from_seed(secret).public.hex() == public


def test_seeds_differ_by_run_and_stream_however_the_two_are_cut() -> None:
    assert seed_for("7", "cbp/node") == seed_for("7", "cbp/node")
    drawn = [
        seed_for(seed, stream)
        for seed, stream in (("7", "a"), ("8", "a"), ("7", "b"), ("7a", ""), ("", "7a"))
    ]
    assert len(set(drawn)) == 5
    assert len(drawn[0]) == 32
    assert seed_for("1:a,1", "b") != seed_for("1", "a,1:b")


def test_note_key_ids_are_those_of_c2sp_signed_note() -> None:
    # The example of c2sp.org/signed-note, whose verifier key is
    # example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k
    public = bytes.fromhex("e932791ae6e7a840a46164c904786426d5e7821dd8b29a00d61cae72afdd4da4")
    assert note_key_id("example.com/foo", public).hex() == "530d903a"
