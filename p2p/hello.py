"""The signed opening of a link.

Rules:
- Both sides first send a fresh challenge, then sign both challenges, both names and who dialed, in the domain
  `hello` of their network. A hello recorded on one link is worth nothing on another.
- A peer is who its signature says, by the node key that the roster has for its present incarnation; names alone prove
  nothing. A node that was replaced or removed is refused, and so is one that is not registered here yet.
- A side shows the id of its store, so that a node whose store was lost cannot pass for itself.
- An opening begins with its version, and that is read before anything else of it: whatever a later version adds,
  both sides learn which versions met. Two versions do not talk: docs/decisions/0021.
- The node with the lower Raft id dials. A hello from the other side opens no link: it asks for a dial, and is answered
  and proven like any.
- What fails raises `HelloError`, and the link closes with that reason.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import msgpack

from ledger.errors import UnknownOrganizationError
from ledger.keys import Domain, SigningKey, Verifier
from ledger.members import NodeTerm
from ledger.roster import Roster
from p2p.errors import HelloError

VERSION = 1
CHALLENGE_BYTES = 32
STORE_ID_BYTES = 16
_HELLO_BYTES_MAX = 1024
_OPENING_FIELDS_MAX = 64
"""More than this version's six, so that a later one's opening can be read as far as its version."""


@dataclass(frozen=True, slots=True)
class Opening:
    """The first thing each side sends."""

    network: str
    organization: str
    incarnation: int
    store_id: bytes
    challenge: bytes
    version: int = VERSION

    def encode(self) -> bytes:
        """Return the bytes to send."""
        fields = [
            self.version,
            self.network,
            self.organization,
            self.incarnation,
            self.store_id,
            self.challenge,
        ]
        packed: bytes = msgpack.packb(fields, use_bin_type=True)
        return packed


def decode_opening(data: bytes, version: int = VERSION) -> Opening:
    """Return the opening in `data`, if it is of the version that is spoken here.

    Raises:
        HelloError: if it is none.
    """
    if len(data) > _HELLO_BYTES_MAX:
        raise HelloError(f"opening of {len(data)} bytes; at most {_HELLO_BYTES_MAX}")
    try:
        value = msgpack.unpackb(
            data, raw=False, max_ext_len=0, max_map_len=0, max_array_len=_OPENING_FIELDS_MAX
        )
    except (ValueError, msgpack.UnpackException, msgpack.ExtraData) as error:
        raise HelloError(f"opening is not msgpack: {error}") from error
    match value:
        case [int(theirs), *_] if theirs != version:
            raise HelloError(
                f"version {theirs} is not spoken here, version {version} is; run one version on both sides"
            )
        case [
            int(),
            str(network),
            str(organization),
            int(incarnation),
            bytes(store_id),
            bytes(challenge),
        ]:
            if len(challenge) != CHALLENGE_BYTES:
                raise HelloError(f"challenge of {len(challenge)} bytes; {CHALLENGE_BYTES} are needed")
            if len(store_id) != STORE_ID_BYTES:
                raise HelloError(f"store id of {len(store_id)} bytes; {STORE_ID_BYTES} are needed")
            return Opening(network, organization, incarnation, store_id, challenge, version)
        case _:
            raise HelloError(
                "opening must be [version, network, organization, incarnation, store id, challenge]"
            )


def proof_payload(signer: Opening, other: Opening, *, signer_dialed: bool) -> bytes:
    """Return what `signer` signs: both openings, its own first, and who dialed."""
    packed: bytes = msgpack.packb(
        [
            "dialer" if signer_dialed else "listener",
            signer.organization,
            signer.incarnation,
            signer.store_id,
            signer.challenge,
            other.organization,
            other.incarnation,
            other.store_id,
            other.challenge,
        ],
        use_bin_type=True,
    )
    return packed


@dataclass(frozen=True, slots=True)
class Identity:
    """Who this node is when it opens links.

    Attributes:
        roster: who belongs to the network, as far as this node knows.
        organization: whose node it is.
        node_key: its secret key.
        incarnation: lifetime of its key.
        store_id: of its store.
        version: of the protocol that it speaks.
    """

    roster: Roster
    organization: str
    node_key: SigningKey
    incarnation: int
    store_id: bytes
    version: int = VERSION

    def opening(self, challenge: bytes) -> Opening:
        """Return this node's opening with a fresh `challenge` (32 bytes)."""
        return Opening(
            self.roster.network,
            self.organization,
            self.incarnation,
            self.store_id,
            challenge,
            self.version,
        )

    def check_opening(self, theirs: Opening, *, expected: str | None) -> None:
        """Refuse an opening this node must not answer.

        Args:
            theirs: the other side's opening.
            expected: the organization this side meant to reach, if it dialed.

        Raises:
            HelloError: naming what does not hold.
        """
        if theirs.network != self.roster.network:
            raise HelloError(f"network {theirs.network!r} is not this one ({self.roster.network!r})")
        if expected is not None and theirs.organization != expected:
            raise HelloError(f"dialed {expected!r}, but {theirs.organization!r} answered")
        if theirs.organization == self.organization:
            raise HelloError(f"{theirs.organization!r} is this node's own name")
        self.node_of(theirs)

    def node_of(self, theirs: Opening) -> NodeTerm:
        """Return the node that an opening names, as the roster has it.

        Raises:
            HelloError: if it is not its member's present node.
        """
        try:
            node = self.roster.organization(theirs.organization).node
        except UnknownOrganizationError as error:
            raise HelloError(str(error)) from error
        if theirs.incarnation < node.incarnation:
            raise HelloError(
                f"incarnation {theirs.incarnation} of {theirs.organization!r} was replaced by "
                f"{node.incarnation} at height {node.since}; that node must not run any more"
            )
        if theirs.incarnation > node.incarnation:
            raise HelloError(
                f"incarnation {theirs.incarnation} of {theirs.organization!r} is not registered here yet, "
                f"{node.incarnation} is; send node.replace, or wait until this node has caught up"
            )
        return node

    def sign(self, mine: Opening, theirs: Opening, *, dialed_by_me: bool) -> bytes:
        """Return this side's proof."""
        payload = proof_payload(mine, theirs, signer_dialed=dialed_by_me)
        return self.node_key.sign(Domain.HELLO, self.roster.network, payload)

    def check_proof(
        self, mine: Opening, theirs: Opening, proof: bytes, verifier: Verifier, *, dialed_by_me: bool
    ) -> None:
        """Check the other side's proof.

        Raises:
            HelloError: if the signature is not by the node key that is registered for it.
        """
        payload = proof_payload(theirs, mine, signer_dialed=not dialed_by_me)
        key = self.node_of(theirs).key
        if len(proof) != 64 or not verifier.verify(key, Domain.HELLO, self.roster.network, payload, proof):
            raise HelloError(f"the signature is not by the node key of {theirs.organization!r}")


async def shake_hands(
    identity: Identity,
    verifier: Verifier,
    *,
    challenge: bytes,
    expected: str | None,
    send: Callable[[bytes], Awaitable[None]],
    receive: Callable[[], Awaitable[bytes]],
) -> Opening:
    """Run the opening over a fresh connection and return the other side's opening.

    Args:
        identity: who we are.
        verifier: checks the other side's signature.
        challenge: 32 fresh random bytes.
        expected: the organization we dialed, or None when we were dialed.
        send: sends one message.
        receive: returns the next message.

    Raises:
        HelloError: if the other side is not who it must be.
    """
    dialed = expected is not None
    mine = identity.opening(challenge)
    await send(mine.encode())
    theirs = decode_opening(await receive(), identity.version)
    identity.check_opening(theirs, expected=expected)
    await send(identity.sign(mine, theirs, dialed_by_me=dialed))
    identity.check_proof(mine, theirs, await receive(), verifier, dialed_by_me=dialed)
    return theirs
