"""The opening of a link: a peer is who its node key says, on this link, in this network."""

import asyncio

import msgpack
import pytest

from ledger.genesis import Role
from ledger.keys import SigningKey, Verifier
from ledger.roster import Roster
from p2p.errors import HelloError
from p2p.hello import Identity, decode_opening, shake_hands
from scenarios.network.founding import Charter, Member, found_from_seed


def founding(name="test"):
    members = [
        Member("cbp", "Customs", "US", (Role.CUSTOMS,)),
        Member("exporter", "Exporter", "MX", (Role.EXPORTER,)),
        Member("importer", "Importer", "US", (Role.IMPORTER,)),
    ]
    return found_from_seed(Charter(name, 1_536_000_000_000, members), "1")


def identity(found, organization, key=None, *, roster=None, incarnation=1):
    roster = roster or Roster.of_genesis(found.genesis)
    own = key or found.secrets[organization].node_key
    return Identity(roster, organization, own, incarnation, b"s" * 16)


async def meet(dialer, listener, expected, tap=None):
    """Connect two sides by queues and return both outcomes."""
    to_listener, to_dialer = asyncio.Queue(), asyncio.Queue()

    async def put(queue, data):
        if tap is not None:
            data = tap(data)
        queue.put_nowait(data)

    dialing = shake_hands(
        dialer,
        Verifier(),
        challenge=b"d" * 32,
        expected=expected,
        send=lambda data: put(to_listener, data),
        receive=to_dialer.get,
    )
    listening = shake_hands(
        listener,
        Verifier(),
        challenge=b"l" * 32,
        expected=None,
        send=lambda data: put(to_dialer, data),
        receive=to_listener.get,
    )
    return await asyncio.wait_for(asyncio.gather(dialing, listening, return_exceptions=True), 1)


async def test_two_members_know_each_other_afterwards():
    found = founding()
    one, other = await meet(identity(found, "cbp"), identity(found, "exporter"), "exporter")
    assert (one.organization, other.organization) == ("exporter", "cbp")


async def test_a_name_without_its_key_is_refused():
    found = founding()
    thief = identity(found, "cbp", SigningKey.generate())
    _, outcome = await meet(thief, identity(found, "exporter"), "exporter")
    assert isinstance(outcome, HelloError)
    assert "not by the node key of 'cbp'" in str(outcome)


async def test_another_network_is_refused_before_anything_is_signed_for_it():
    other = founding("other")
    _, outcome = await asyncio.wait_for(
        asyncio.gather(
            _only_opening(identity(other, "cbp")),
            _listen_once(
                identity(founding(), "exporter"), identity(other, "cbp").opening(b"d" * 32).encode()
            ),
            return_exceptions=True,
        ),
        1,
    )
    assert "is not this one" in str(outcome)


async def _only_opening(one):
    return one.opening(b"d" * 32)


async def _listen_once(listener, first_message):
    sent = []

    async def send(data):
        sent.append(data)

    async def receive():
        return first_message

    try:
        await shake_hands(
            listener, Verifier(), challenge=b"l" * 32, expected=None, send=send, receive=receive
        )
    finally:
        assert len(sent) == 1


async def test_who_asks_for_a_dial_proves_who_it_is_like_any_other():
    found = founding()
    one, other = await meet(identity(found, "exporter"), identity(found, "cbp"), "cbp")
    assert (one.organization, other.organization) == ("cbp", "exporter")
    _, outcome = await meet(identity(found, "exporter", SigningKey.generate()), identity(found, "cbp"), "cbp")
    assert "not by the node key of 'exporter'" in str(outcome)


async def test_who_answers_must_be_who_was_dialed():
    found = founding()
    dialer = identity(found, "cbp")
    with pytest.raises(HelloError, match="but 'importer' answered"):
        dialer.check_opening(identity(found, "importer").opening(b"l" * 32), expected="exporter")


def test_a_proof_recorded_on_one_link_is_worth_nothing_on_another():
    found = founding()
    cbp, exporter = identity(found, "cbp"), identity(found, "exporter")
    old_mine, theirs = cbp.opening(b"1" * 32), exporter.opening(b"2" * 32)
    proof = cbp.sign(old_mine, theirs, dialed_by_me=True)
    exporter.check_proof(theirs, old_mine, proof, Verifier(), dialed_by_me=False)
    fresh = exporter.opening(b"3" * 32)
    with pytest.raises(HelloError):
        exporter.check_proof(fresh, old_mine, proof, Verifier(), dialed_by_me=False)


def test_a_proof_cannot_be_reflected():
    found = founding()
    cbp, exporter = identity(found, "cbp"), identity(found, "exporter")
    mine, theirs = cbp.opening(b"1" * 32), exporter.opening(b"2" * 32)
    proof = exporter.sign(theirs, mine, dialed_by_me=True)
    with pytest.raises(HelloError):
        cbp.check_proof(mine, theirs, proof, Verifier(), dialed_by_me=True)


@pytest.mark.parametrize(
    "data", [b"", b"\xc1", b"\x93\x01\x02\x03", b"x" * 2000, b"\x95\xa11\xa1n\xa1o\x01\xc4\x00"]
)
def test_rubbish_is_no_opening(data):
    with pytest.raises(HelloError):
        decode_opening(data)


def _of_version(data: bytes, version: int, *added: object) -> bytes:
    packed: bytes = msgpack.packb([version, *msgpack.unpackb(data, raw=False)[1:], *added], use_bin_type=True)
    return packed


@pytest.mark.parametrize("added", [(), ("one field more",)], ids=["same fields", "one more"])
def test_bug_36_another_version_is_refused_by_name_whatever_it_adds(added):
    ours = identity(founding(), "cbp").opening(b"c" * 32).encode()
    with pytest.raises(
        HelloError, match="version 2 is not spoken here, version 1 is; run one version on both"
    ):
        decode_opening(_of_version(ours, 2, *added))


def test_bug_36_more_fields_under_this_version_are_no_opening():
    ours = identity(founding(), "cbp").opening(b"c" * 32).encode()
    with pytest.raises(HelloError, match="opening must be"):
        decode_opening(_of_version(ours, 1, "one field more"))


async def test_bug_36_two_versions_part_before_anything_is_signed():
    found = founding()
    outcome = (
        await asyncio.gather(
            _listen_once(
                identity(found, "exporter"),
                _of_version(identity(found, "cbp").opening(b"d" * 32).encode(), 2),
            ),
            return_exceptions=True,
        )
    )[0]
    assert "version 2 is not spoken here" in str(outcome)
