"""Which of an issuer's keys stand behind a credential: the one that signed the document, and the one that vouches now.

Rules:
- The transaction was signed with the key of its block; that the key was replaced since takes nothing from it.
- What a stolen key signed above the height of its theft proves nothing against its owner, and is not handed out.
- The credential's own key is vouched for by the key that is the issuer's at the certified height. An issuer without a
  key, or one that left, has none: nobody could revoke it any more.
"""

from __future__ import annotations

from dataclasses import dataclass

from ledger.members import KeyTerm, Member
from scenarios.errors import RefusedError


@dataclass(frozen=True, slots=True)
class IssuerKeys:
    """The keys behind a credential.

    Attributes:
        signed: the key that signed the anchoring transaction, with its term.
        vouching: the issuer's key at the certified height.
    """

    signed: KeyTerm
    vouching: KeyTerm


def issuer_keys(issuer: Member, name: str, anchored: int) -> IssuerKeys:
    """Return the keys behind a credential.

    Args:
        issuer: as it stands at the certified height.
        name: the document's.
        anchored: height of the block that anchored it.

    Raises:
        RefusedError: if the document's key was stolen by then, or nobody can vouch for the issuer.
    """
    signed = next(term for term in issuer.keys if term.covers(anchored - 1))
    if signed.compromised_since is not None and anchored > signed.compromised_since:
        raise RefusedError(
            f"document {name} was signed at height {anchored} with a key of {issuer.id} that is declared stolen above"
            f" height {signed.compromised_since}",
            "what such a key signed proves nothing against its owner",
            f"ask {issuer.id} for a document under its present key",
        )
    if issuer.until is not None:
        raise RefusedError(
            f"{issuer.id}, who issued document {name}, left the network at height {issuer.until}",
            "the key of a former member can no longer be revoked, so it vouches for no credential",
            "",
        )
    vouching = issuer.keys[-1]
    if vouching.until is not None:
        raise RefusedError(
            f"{issuer.id}, who issued document {name}, has no key since height {vouching.until}, where its last one was"
            " revoked",
            "its present key vouches for a credential",
            "export again once a majority has named its next key",
        )
    return IssuerKeys(signed, vouching)
