"""Words that every proof is told in: rows, who certified it, and what it takes to believe it.

Rules:
- Lines fit a terminal of 80 columns; a label stands before its text.
- Nothing is said here that does not follow from the certified ledger, but for what it takes to believe it.
"""

from __future__ import annotations

import textwrap
from zoneinfo import ZoneInfo

from ledger.proofs import CertifiedLedger, Moment
from scenarios.telling.moments import local

COLUMNS = 80
_LABEL = 14


def row(label: str, text: str) -> list[str]:
    """Return the lines of a row."""
    lines = textwrap.wrap(text, COLUMNS - _LABEL - 2, break_on_hyphens=False)
    return [f"  {label if not i else '':<{_LABEL}}{line}" for i, line in enumerate(lines)]


def wrapped(text: str) -> list[str]:
    """Return a sentence's lines."""
    return textwrap.wrap(text, COLUMNS, break_on_hyphens=False)


def limit(text: str) -> list[str]:
    """Return the lines of something that a proof does not say."""
    return textwrap.wrap(text, COLUMNS, initial_indent="- ", subsequent_indent="  ")


def named(ledger: CertifiedLedger, organization: str) -> str:
    """Return an organization's id with its name for people."""
    member = ledger.roster.find_ever(organization)
    return organization if member is None else f"{organization} ({member.name})"


def when(ledger: CertifiedLedger, moment: Moment) -> str:
    """Return when and where something stood on the ledger."""
    time = local(moment.time_ms, ZoneInfo(ledger.genesis.zone))
    return f"{time}, block {moment.height}, place {moment.position}"


def certified_by(ledger: CertifiedLedger) -> str:
    """Return who certified the ledger at which height."""
    checkpoint, signers = ledger.checkpoint, ledger.signers
    needed = " and of ".join(
        f"{constituency.quorum} of {len(constituency.orderers)}"
        for constituency in ledger.electorate.constituencies
    )
    return (
        f"height {checkpoint.height} of {ledger.genesis.network}, {checkpoint.size} leaves, by"
        f" {', '.join(signers)} ({needed} orderers are needed)"
    )


def changes_of(ledger: CertifiedLedger) -> str:
    """Return how the roster came about."""
    changes = len(ledger.roster.heights)
    if not changes:
        return "as founded: nobody joined, left or changed a key up to that height"
    heights = ", ".join(str(height) for height in ledger.roster.heights[:8])
    more = ", ..." if changes > 8 else ""
    return f"{changes} change{'s' * (changes != 1)} since genesis, each certified (block {heights}{more})"


def trusted(ledger: CertifiedLedger) -> list[str]:
    """Return what it takes to believe the ledger, a sentence each."""
    constituency = ledger.electorate.constituencies[-1]
    count, k = len(constituency.orderers), constituency.quorum
    told = [
        f"Time by any clock but the orderers': blocks are ordered by their signatures. {k} of {count} orderers who lied"
        f" together, or lost their keys of any time since genesis to one thief, could certify another history. A"
        f" second certificate of this size needs {max(2 * k - count, 1)} or more of them to sign twice, which convicts"
        " who did."
    ]
    if ledger.genesis.insecure_keys:
        told.append(
            "Anything outside a trial: genesis says that the keys of this network were made from a seed, so whoever"
            " has the seed can sign as everybody."
        )
    return told
