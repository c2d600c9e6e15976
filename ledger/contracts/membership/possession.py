"""Possession: who registers a signing key proves that it holds it, or it could claim another's signatures.

Rules:
- The new key signs its organization's id, what it is for and itself, in a domain of its own that names the network.
- A key is never registered twice, so a proof need not be fresh.
- X25519 keys cannot sign; the organization key that registers one answers for it.
"""

from __future__ import annotations

from enum import StrEnum

from ledger.contracts.act import Context
from ledger.contracts.table import Refusal, RuleViolatedError
from ledger.encoding import encode
from ledger.keys import Domain, PublicKey, SigningKey


class Purpose(StrEnum):
    """What a key is registered for."""

    ORGANIZATION = "organization"
    NODE = "node"


def prove_possession(key: SigningKey, network: str, organization: str, purpose: Purpose) -> bytes:
    """Return the proof that its holder registers a key for an organization, 64 bytes."""
    return key.sign(Domain.POSSESSION, network, _payload(organization, purpose, key.public))


def check_possession(
    context: Context, organization: str, purpose: Purpose, key: PublicKey, proof: bytes
) -> None:
    """Refuse a key whose holder did not sign for its registration.

    Raises:
        RuleViolatedError: if the proof does not hold.
    """
    payload = _payload(organization, purpose, key)
    if not context.verifier.verify(key, Domain.POSSESSION, context.roster.network, payload, proof):
        raise RuleViolatedError(
            context.event,
            Refusal.BAD_POSSESSION,
            f"the proof is not by {key.hex()[:16]} over its registration as {organization}'s {purpose} key",
        )


def _payload(organization: str, purpose: Purpose, key: PublicKey) -> bytes:
    return encode({"organization": organization, "purpose": purpose, "key": key})
