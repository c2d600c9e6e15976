"""The lineage: the chain of configuration changes that leads from genesis to a roster, proven by certificates.

Rules:
- A link is a block that changed the roster, its certificate, and the path from the roster's leaf to the
  certificate's root. Whoever has genesis can check a chain of links without anybody's ledger or state.
- A link's block is repeated on the roster before it; its certificate needs k of the old and k of the new orderers.
- The leaf says which change it is, the how many-th, and what the roster is then: a link that is left out, stands in
  another order, was not VALID or is another network's does not fit.
- A chain tells the roster up to its last link; that no later change exists is for the state under a certificate to
  tell.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ledger.block import Block, check_block, decode_block
from ledger.checkpoint import Checkpoint, parse_certificate, verify_certificate
from ledger.contracts.act import Context, Sender
from ledger.contracts.deadlines import LegalCalendar
from ledger.contracts.membership import RosterAct, changed_roster
from ledger.contracts.membership.approval import judged_approvals
from ledger.contracts.rules import read_act
from ledger.contracts.table import RuleViolatedError
from ledger.errors import BadBlockError, BadLinkError, BadProofError, MalformedError
from ledger.genesis import Genesis
from ledger.keys import Verifier
from ledger.merkle import MerkleLog, leaf_hash, verify_inclusion
from ledger.roster import Roster, roster_leaf
from ledger.transaction import parse_transaction

LINK_LEAVES = 3
"""What a block that changes the roster adds to the Merkle log: one receipt, the roster, the block."""


@dataclass(frozen=True, slots=True)
class ConfigurationLink:
    """One change of the roster with its proof.

    Attributes:
        block: canonical bytes of the block that carries it.
        certificate: signed note of that block's height.
        path: RFC 6962 audit path from the roster's leaf, the last but one, to the certificate's root.
    """

    block: bytes
    certificate: str
    path: tuple[bytes, ...]


def build_link(block: bytes, certificate: str, size: int, log: MerkleLog) -> ConfigurationLink:
    """Return the link of a block that changed the roster.

    Args:
        block: its canonical bytes.
        certificate: the signed note of its height.
        size: leaves in the Merkle log after it.
        log: at that size or later.
    """
    return ConfigurationLink(block, certificate, tuple(log.inclusion_proof(size - 2, size)))


def verify_lineage(genesis: Genesis, links: Iterable[ConfigurationLink], verifier: Verifier) -> Roster:
    """Return the roster to which a chain of links leads from genesis.

    Args:
        genesis: of the network; the caller knows its hash from elsewhere.
        links: every change of the roster, in order.
        verifier: for the signatures.

    Raises:
        BadLinkError: at the first link that does not hold, naming it and what to do.
    """
    roster = Roster.of_genesis(genesis)
    for number, link in enumerate(links, 1):
        try:
            roster = follow_link(genesis, roster, link, verifier)
        except (BadBlockError, BadProofError, MalformedError, RuleViolatedError) as error:
            raise BadLinkError(f"link {number} after height {roster.height}: {error}") from error
    return roster


def follow_link(genesis: Genesis, roster: Roster, link: ConfigurationLink, verifier: Verifier) -> Roster:
    """Return the roster after one more link.

    Args:
        genesis: of the network.
        roster: before the link.
        link: the next change.
        verifier: for the signatures.

    Raises:
        BadBlockError: if the block does not hold, or is no later one.
        BadProofError: if the certificate does not hold, or its log does not have this change in this place.
        MalformedError: if the block's transaction has no form.
        RuleViolatedError: if its transaction does not change this roster.
    """
    block = decode_block(link.block, genesis.limits.block_bytes_max)
    check_block(block, genesis, roster, verifier, size_bytes=len(link.block))
    height = block.header.height
    if height <= roster.height:
        raise BadBlockError(f"block {height} does not come after {roster.height}; order links by height")
    after = _repeat(genesis, roster, block, verifier)
    electorate = after.electorate(height)
    certificate = parse_certificate(link.certificate, electorate)
    verify_certificate(certificate, electorate, verifier)
    _check_leaf(certificate.checkpoint, block, after, link.path)
    return after


def _repeat(genesis: Genesis, roster: Roster, block: Block, verifier: Verifier) -> Roster:
    """Return what the roster becomes by a block's only transaction."""
    if not block.is_configuration:
        raise BadBlockError(f"block {block.header.height} carries no configuration transaction")
    (raw,) = block.transactions
    transaction = parse_transaction(raw, genesis.limits.transaction_bytes_max).transaction
    found = read_act(transaction)
    sender = roster.find(transaction.creator)
    if found is None or sender is None:
        raise BadBlockError(f"block {block.header.height}: {transaction.creator} is no member")
    calendar = LegalCalendar.of(genesis)
    context = Context(
        event=transaction.type,
        sender=Sender(transaction.creator, frozenset(sender.roles)),
        documents=(),
        time_ms=block.header.time_ms,
        today=calendar.legal_date(block.header.time_ms),
        calendar=calendar,
        height=block.header.height,
        roster=roster,
        approvals=judged_approvals(transaction, roster, verifier),
        verifier=verifier,
    )
    act: RosterAct = found[1]  # type: ignore[assignment]
    return changed_roster(act, context)


def _check_leaf(checkpoint: Checkpoint, block: Block, after: Roster, path: tuple[bytes, ...]) -> None:
    height = block.header.height
    if checkpoint.height != height or checkpoint.block_hash != block.hash:
        raise BadProofError(
            f"the certificate is of height {checkpoint.height} and another block than block {height}"
        )
    leaf = leaf_hash(roster_leaf(after))
    index = checkpoint.size - 2
    if checkpoint.size < LINK_LEAVES or not verify_inclusion(
        leaf, index, checkpoint.size, path, checkpoint.root
    ):
        raise BadProofError(
            f"the log certified at height {height} does not have this as change {len(after.heights)} of the "
            "roster: a link before it is missing, or the transaction was not VALID"
        )
