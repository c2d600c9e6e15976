"""What a possession file proves and what it does not, in words.

Rules:
- The first line is the answer; what it rests on follows, with block, place and local time; then the limits, always.
- Nothing is said that does not follow from the file and the genesis hash, but for what it takes to believe it.
"""

from __future__ import annotations

from collections.abc import Iterator
from zoneinfo import ZoneInfo

from ledger.contracts.records import CertificateState, HoldingState
from ledger.errors import NotProvenError
from ledger.proofs import Possession
from scenarios.exporting.words import certified_by, changes_of, limit, named, row, trusted, when, wrapped
from scenarios.telling.moments import local


def tell_possession(possession: Possession) -> Iterator[str]:
    """Yield the lines that say what a file proves."""
    yield from wrapped(verdict(possession))
    yield ""
    for label, text in _rows(possession):
        yield from row(label, text)
    yield ""
    yield "What this does not say:"
    for text in _limits(possession):
        yield from limit(text)


def tell_unproven(error: NotProvenError) -> Iterator[str]:
    """Yield the lines that say which part of a file does not hold."""
    yield from wrapped(f"NOT PROVEN: the {error.part} does not hold: {error.reason}.")
    yield from wrapped(
        "Ask for the file again, and for the genesis hash from somebody other than who gave you the file."
    )


def verdict(possession: Possession) -> str:
    """Return the answer in one sentence."""
    who, line = possession.holder, f"{possession.entry}/{possession.line}"
    if not possession.came_before:
        return (
            f"REFUTED: {who} had not acknowledged this certificate on the ledger when its claim {line} was made; it did"
            f" so only {_apart(possession)} after."
        )
    did = "certified this itself" if possession.is_own else "acknowledged this certificate on the ledger"
    return f"PROVEN: {who} had {did} {_apart(possession)} before its claim {line} was made."


def _apart(possession: Possession) -> str:
    days = abs(possession.days)
    if days:
        return f"{days} calendar day{'s' * (days != 1)}"
    blocks = abs(possession.claimed.height - possession.held.height)
    if blocks:
        return f"{blocks} block{'s' * (blocks != 1)} (on the same day)"
    places = abs(possession.claimed.position - possession.held.position)
    return f"{places} place{'s' * (places != 1)} in the same block"


def _rows(possession: Possession) -> Iterator[tuple[str, str]]:
    ledger, record = possession.ledger, possession.record
    zone = ZoneInfo(ledger.genesis.zone)

    yield (
        "certificate",
        f"{record.form} {possession.certificate.hex()}, dated {record.signed_on} by its signer",
    )
    yield "root", record.root.hex()
    yield "anchored", f"{when(ledger, possession.anchored)}, signed by {named(ledger, record.issuer)}"
    if possession.is_own:
        yield (
            "held",
            f"from the anchoring on: {named(ledger, possession.holder)} certified itself;"
            f" {when(ledger, possession.held)}",
        )
    else:
        yield "acknowledged", f"{when(ledger, possession.held)}, signed by {named(ledger, possession.holder)}"
    kind = "post-importation claim" if possession.claim.post else "claim"
    naming = "names this certificate" if possession.is_named else "names no certificate"
    signer = (
        "the same"
        if possession.filer == possession.holder
        else f"its broker {named(ledger, possession.filer)}"
    )
    yield "claimed", f"{when(ledger, possession.claimed)}, signed by {signer}; the {kind} {naming}"
    yield "findings", ", ".join(possession.findings) or "none recorded with the claim"
    yield "as it stands", _standing(possession, zone)
    yield "certified", certified_by(ledger)
    yield "roster", changes_of(ledger)


def _standing(possession: Possession, zone: ZoneInfo) -> str:
    record, holding = possession.record, possession.holding
    parts = [f"certificate {record.state.value}"]
    if record.state is CertificateState.CORRECTED and record.successor is not None:
        parts[0] += f", replaced by {record.successor.hex()}"
    parts.append(f"holding {holding.state.value}, claim {possession.claim.state.value}")
    if holding.state in (HoldingState.OFFICIAL_OPEN, HoldingState.OFFICIAL_CLOSED):
        parts.append("Customs looked into its use later; that takes nothing from when it was held")
    if possession.document.purged_ms is not None:
        parts.append(
            f"the envelopes were purged {local(possession.document.purged_ms, zone)}; the root stays"
        )
    return "; ".join(parts)


def _limits(possession: Possession) -> Iterator[str]:
    if not possession.is_named:
        yield (
            "That the claim rests on this certificate: the claim names none. Only the order of the two is proven."
        )
    yield (
        "That paper was, or was not, in anybody's hand. The importer signed that it had opened the document and found"
        " this root; a document that it had on paper before leaves nothing that this could show."
    )
    yield "That what the certificate says is true, or that the claim is lawful: that is for Customs."
    yield from trusted(possession.ledger)
