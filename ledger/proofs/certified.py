"""The ledger as one certificate certifies it, known from the genesis hash alone.

Rules:
- Genesis is the one whose hash the reader brought; the roster follows from it by the chain of changes (`lineage`), and
  the state under the checkpoint says that the chain ends where the file ends it.
- The checkpoint is certified by k of every set of orderers whose word that height needs; all leaves and all records
  are judged by that one checkpoint.
- An act counts if its receipt is in the log and VALID, if the receipt is of these bytes, and if they were signed with
  the key that its creator had then and has not disowned since. Its time is its block's, which is in the log too.
- The first part that does not hold ends it, and the error names that part.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from ledger.checkpoint import Checkpoint, certified_height, parse_certificate, verify_certificate
from ledger.codes import Code
from ledger.contracts.act import Act
from ledger.contracts.deadlines import LegalCalendar
from ledger.contracts.rules import read_act
from ledger.electorate import Electorate
from ledger.encoding import Value, decode
from ledger.errors import BadProofError, LedgerError, NotProvenError
from ledger.genesis import Genesis
from ledger.keys import PublicKey, Verifier
from ledger.lineage import ConfigurationLink, verify_lineage
from ledger.merkle import leaf_hash, verify_inclusion
from ledger.proofs.file import ProvenAct, ProvenLeaf, ProvenRecord
from ledger.roster import Roster
from ledger.state import MEMBERSHIP_KEY
from ledger.statetree import StateProof, verify_state
from ledger.transaction import SignedTransaction, Transaction, parse_transaction


@dataclass(frozen=True, slots=True)
class Moment:
    """When something stood on the ledger.

    Attributes:
        height: of the block.
        position: in the block, from 0.
        time_ms: the block's time, UTC milliseconds.
        day: that time's legal date in the network's zone.
    """

    height: int
    position: int
    time_ms: int
    day: datetime.date

    @property
    def place(self) -> tuple[int, int]:
        """Its place in the ledger's order."""
        return self.height, self.position


@dataclass(frozen=True, slots=True)
class CertifiedAct:
    """A transaction of which the checkpoint says that it was VALID.

    Attributes:
        transaction: as its creator signed it.
        act: its typed body.
        moment: its place in the ledger's order and its block's time.
        findings: the legal findings recorded with it.
        indexes: of its receipt's and its block's leaf.
    """

    transaction: Transaction
    act: Act
    moment: Moment
    findings: tuple[str, ...]
    indexes: tuple[int, int]


@dataclass(frozen=True, slots=True)
class CertifiedLedger:
    """What the certificate certifies, and by whom.

    Attributes:
        genesis: of the network.
        roster: at the checkpoint.
        checkpoint: what was certified.
        electorate: whose word its height needs.
        signers: who of them gave it.
    """

    genesis: Genesis
    roster: Roster
    checkpoint: Checkpoint
    electorate: Electorate
    signers: tuple[str, ...]

    def record(self, part: str, key: str, proven: ProvenRecord) -> bytes:
        """Return the state's value under a key.

        Args:
            part: what an error calls it.
            key: the state's key.
            proven: the value and its proof.

        Raises:
            NotProvenError: if the certified state does not have this value there.
        """
        with proving(part):
            proof = StateProof.decode(proven.proof)
            if not verify_state(self.checkpoint.state_root, key, proven.value, proof):
                raise BadProofError(
                    f"the certified state does not have this record under {key} at height {self.checkpoint.height}"
                )
        return proven.value

    def act(self, part: str, proven: ProvenAct, verifier: Verifier) -> CertifiedAct:
        """Return a transaction that the ledger has as VALID.

        Args:
            part: what an error calls it.
            proven: the transaction and its leaves.
            verifier: for its signature.

        Raises:
            NotProvenError: if a leaf is not in the log, the receipt is another's or not VALID, or the signature is not
                its creator's.
        """
        with proving(part):
            signed = parse_transaction(proven.transaction, self.genesis.limits.transaction_bytes_max)
            height, position, transaction_id, code, findings = _receipt(self._leaf("receipt", proven.receipt))
            block_height, time_ms = _block(self._leaf("block", proven.block))
            if transaction_id != signed.id:
                raise BadProofError(
                    f"the receipt is of transaction {transaction_id.hex()[:16]}, these bytes are {signed.id.hex()[:16]}"
                )
            if code != Code.VALID:
                raise BadProofError(f"the ledger has it as {code}, and only what is VALID took effect")
            if block_height != height:
                raise BadProofError(
                    f"the receipt is of block {height}, the block's leaf of block {block_height}"
                )
            self._check_signature(signed, height, verifier)
            found = read_act(signed.transaction)
            if found is None:
                raise BadProofError(f"type {signed.transaction.type} is not known to these rules")
            day = LegalCalendar.of(self.genesis).legal_date(time_ms)
            moment = Moment(height, position, time_ms, day)
            indexes = (proven.receipt.index, proven.block.index)
            return CertifiedAct(signed.transaction, found[1], moment, findings, indexes)

    def _leaf(self, kind: str, leaf: ProvenLeaf) -> list[Value]:
        checkpoint = self.checkpoint
        if not verify_inclusion(
            leaf_hash(leaf.data), leaf.index, checkpoint.size, leaf.path, checkpoint.root
        ):
            raise BadProofError(
                f"its {kind} is not leaf {leaf.index} of the log of {checkpoint.size} leaves that is certified"
            )
        value = decode(leaf.data, limit_bytes=len(leaf.data))
        if type(value) is not list or value[:1] != [kind]:
            raise BadProofError(f"leaf {leaf.index} is not a {kind}'s")
        return value

    def _check_signature(self, signed: SignedTransaction, height: int, verifier: Verifier) -> None:
        transaction = signed.transaction
        if transaction.network != self.genesis.network:
            raise BadProofError(f"it is for network {transaction.network}, not {self.genesis.network}")
        key = self._key_at(transaction.creator, height)
        if not signed.holds(key, verifier):
            raise BadProofError(
                f"the signature is not by the key that {transaction.creator} had at height {height}"
            )

    def _key_at(self, organization: str, height: int) -> PublicKey:
        """Return the key that a block's transactions by an organization were judged by."""
        member = self.roster.find_ever(organization)
        for term in () if member is None else member.keys:
            if term.covers(height - 1):
                if term.compromised_since is not None and height > term.compromised_since:
                    raise BadProofError(
                        f"{organization} has told that its key of then was stolen after height "
                        f"{term.compromised_since}: what it signed at {height} proves nothing against its owner"
                    )
                return term.key
        raise BadProofError(f"{organization} had no key at height {height}")


def certified_ledger(
    genesis_hash: bytes,
    genesis: bytes,
    links: Iterable[ConfigurationLink],
    checkpoint: str,
    membership: ProvenRecord,
    verifier: Verifier,
) -> CertifiedLedger:
    """Return the ledger that a checkpoint's certificate certifies.

    Args:
        genesis_hash: 32 bytes that the reader trusts.
        genesis: the canonical bytes of genesis.
        links: every change of the roster up to the checkpoint, in order.
        checkpoint: signed note.
        membership: the state's record of the roster.
        verifier: for the signatures.

    Raises:
        NotProvenError: naming the part that does not hold.
    """
    with proving("genesis"):
        founding = Genesis.decode(genesis)
        if founding.hash != genesis_hash:
            raise BadProofError(
                f"its hash is {founding.hash.hex()}, the one you trust is {genesis_hash.hex()}: another network's"
            )
    with proving("chain of membership changes"):
        roster = verify_lineage(founding, links, verifier)
    with proving("checkpoint"):
        electorate = roster.electorate(certified_height(checkpoint))
        certificate = parse_certificate(checkpoint, electorate)
        verify_certificate(certificate, electorate, verifier)
    signers = tuple(organization for organization, _ in certificate.signatures)
    certified = CertifiedLedger(founding, roster, certificate.checkpoint, electorate, signers)
    value = certified.record("membership record", MEMBERSHIP_KEY, membership)
    with proving("chain of membership changes"):
        if value != roster.items()[MEMBERSHIP_KEY]:
            raise BadProofError(
                f"it leads to {len(roster.heights)} changes; the certified state at height "
                f"{certificate.checkpoint.height} knows another roster: changes are missing, or too many"
            )
    return certified


@contextmanager
def proving(part: str) -> Iterator[None]:
    """Let what does not hold be told as this part's failure."""
    try:
        yield
    except NotProvenError:
        raise
    except LedgerError as error:
        raise NotProvenError(part, str(error)) from error


def _receipt(leaf: list[Value]) -> tuple[int, int, bytes, str, tuple[str, ...]]:
    match leaf:
        case [_, int(height), int(position), bytes(id_), str(code), _, list(findings)]:
            return height, position, id_, code, tuple(str(finding) for finding in findings)
    raise BadProofError("the receipt's leaf does not have a receipt's fields")


def _block(leaf: list[Value]) -> tuple[int, int]:
    match leaf:
        case [_, int(height), bytes(), int(time_ms), bytes()]:
            return height, time_ms
    raise BadProofError("the block's leaf does not have a block's fields")
