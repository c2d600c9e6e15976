"""What an exported credential rests on, in words: which keys of its issuer, whose certificate, and where it stands.

Rules:
- Everything is as of the certified height, which is named; what may have changed since is for a later export.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from ledger.checkpoint import parse_certificate
from ledger.contracts import CertificateState
from scenarios.exporting.held import HeldDocument
from scenarios.exporting.issuer import issuer_keys
from scenarios.exporting.words import COLUMNS

_STANDING = {
    None: "It is no certificate of origin: nothing suspends or revokes it.",
    CertificateState.CORRECTED: "It was superseded: the status list has it revoked.",
    CertificateState.NOTICE_GIVEN: "It was found incorrect: the status list has it suspended.",
    CertificateState.ACTIVE: "It is neither suspended nor revoked.",
}


def tell_credential(held: HeldDocument) -> Iterator[str]:
    """Yield the lines that say what a document's credential rests on."""
    for sentence in (_certified(held), _keys(held), _STANDING[held.state_of(held.opened.root)]):
        yield from textwrap.wrap(sentence, COLUMNS, break_on_hyphens=False)


def _certified(held: HeldDocument) -> str:
    roster, height = held.certified.ledger.roster, held.certified.height
    electorate = roster.electorate(height)
    signers = [signer for signer, _ in parse_certificate(held.certified.note, electorate).signatures]
    needed = " and of ".join(f"{c.quorum} of {len(c.orderers)}" for c in electorate.constituencies)
    return (
        f"Issued by {held.issuer.id} at height {held.receipt.height}, held by {held.holder}, certified at height"
        f" {height} by {', '.join(signers)} ({needed} orderers are needed)."
    )


def _keys(held: HeldDocument) -> str:
    keys = issuer_keys(held.issuer, held.name, held.receipt.height)
    if keys.signed == keys.vouching:
        return f"{held.issuer.id}'s key is still the one that signed it."
    stolen = keys.signed.compromised_since
    theft = "" if stolen is None else f" and is declared stolen above height {stolen}, which is after"
    return (
        f"The key that signed it was replaced at height {keys.signed.until}{theft}; {held.issuer.id}'s key since height"
        f" {keys.vouching.since} vouches for the credential."
    )
