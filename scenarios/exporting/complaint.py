"""The evidence of a complaint about an envelope, gathered from what its reader's node kept.

Rules:
- What the ledger has of it is public; the sealed bytes are the reader's, and its key makes their opening. A trial plays
  every reader.
- What is gathered is verified from the genesis hash before it is handed out, and says so if the complaint is false.
- Where there is nothing to show it is said why, and what could be done instead.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ledger.contracts import read_certificate
from ledger.contracts.evidence import Complaint as SaidComplaint
from ledger.contracts.evidence import SignedSeal
from ledger.contracts.holding import ComplainHolding
from ledger.contracts.reading import ComplainDocument
from ledger.contracts.rules import read_act
from ledger.envelopes import SignedEnvelope, addressed_key
from ledger.keys import Verifier
from ledger.openings import Opening, make_opening
from ledger.proofs import Complaint, ComplaintProof, verify_complaint
from ledger.state import MEMBERSHIP_KEY, certificate_key, document_key, holding_key, reading_key
from scenarios.errors import RefusedError
from scenarios.exporting.gathering import Found, Gathering
from scenarios.exporting.keyring import Keyring
from scenarios.exporting.roots import envelopes_under, root_of
from scenarios.exporting.written import write_proof
from scenarios.model.catalog import load_scenario
from scenarios.network.asked import founding_of
from scenarios.record.nodestore import opened_copy
from scenarios.record.runfolder import RunFolder

SUFFIX = ".complaint"


@dataclass(frozen=True, slots=True)
class ExportedComplaint:
    """A proof, and what it proves.

    Attributes:
        proof: what the file holds.
        complaint: what it proves from the genesis hash.
        genesis_hash: 32 bytes, to be told to whoever verifies it by another way than the file.
        number: which of the reader's complaints about the document it is, from 1.
        count: how many there are.
    """

    proof: ComplaintProof
    complaint: Complaint
    genesis_hash: bytes
    number: int
    count: int


@dataclass(frozen=True, slots=True)
class _Said:
    """A complaint on a node's certified ledger."""

    found: Found
    reader: str
    complaint: SaidComplaint
    certificate: bytes | None


def export_complaint(
    folder: RunFolder,
    document: str,
    reader: str | None = None,
    number: int | None = None,
    keys: Path | None = None,
) -> ExportedComplaint:
    """Return the evidence of a complaint about an envelope of a document.

    Args:
        folder: of a finished run.
        document: its local name in the scenario, or the beginning of its root in hex.
        reader: who complained; the first who did if None.
        number: which of its complaints, from 1; the last if None.
        keys: folder with keys that do not follow from the run's seed, by organization.

    Raises:
        RefusedError: if the run knows no such document, nobody complained of it, or the envelope is not there any more.
        KeyFileError: if a key file cannot be used.
    """
    scenario = load_scenario(folder.path / "scenario.yaml")
    seed = str(folder.read_json("run.json")["seed"])
    founding = founding_of(scenario, seed)
    root = root_of(folder, scenario, document)
    if reader is None:
        reader = _first_reader(folder, founding.genesis.orderers[0], document, root)
    if reader not in folder.nodes:
        known = ", ".join(folder.nodes)
        raise RefusedError(f'reader "{reader}" has no node in this run', f"who has one: {known}")
    with opened_copy(folder.node_directory(reader)) as store:
        gathering = _Gathering(store, Verifier())
        complaints = gathering.complaints(root, reader)
        said = _chosen(complaints, document, reader, number)
        proof = gathering.proof(said, root, Keyring(seed, keys))
    genesis_hash = founding.genesis.hash
    complaint = verify_complaint(proof, genesis_hash, Verifier())
    return ExportedComplaint(proof, complaint, genesis_hash, complaints.index(said) + 1, len(complaints))


def write_complaint(exported: ExportedComplaint, path: Path) -> None:
    """Write the file.

    Raises:
        RefusedError: if it is too large, is there already, or cannot be written.
    """
    write_proof("evidence", exported.proof.encode(), len(exported.proof.links), path)


def complaint_file_name(document: str, reader: str) -> str:
    """Return the name of a complaint's file where none is given."""
    return f"{document.replace('/', '-')}-{reader}{SUFFIX}"


def _first_reader(folder: RunFolder, node: str, document: str, root: bytes) -> str:
    with opened_copy(folder.node_directory(node)) as store:
        complaints = _Gathering(store, Verifier()).complaints(root)
    if not complaints:
        raise _nobody(document, "nobody")
    return complaints[0].reader


def _chosen(complaints: list[_Said], document: str, reader: str, number: int | None) -> _Said:
    if not complaints:
        raise _nobody(document, reader)
    if number is not None and not 1 <= number <= len(complaints):
        raise RefusedError(
            f"{reader} has no complaint number {number} about document {document}",
            f"it made {len(complaints)}, counted from 1",
        )
    return complaints[-1 if number is None else number - 1]


def _nobody(document: str, who: str) -> RefusedError:
    return RefusedError(
        f"{who} complained about an envelope of document {document} on the certified ledger",
        "there is nothing to show evidence of" if who == "nobody" else f"{who} did not",
        "see `seatrial show RUN`; a reader complains by itself when an envelope is spoilt",
    )


class _Gathering(Gathering):
    """One complaint's evidence under way."""

    def complaints(self, root: bytes, reader: str | None = None) -> list[_Said]:
        """Return the complaints about envelopes of a document, by one reader or all, in the ledger's order."""
        complaints: list[_Said] = []
        for found in self.valid("holding.complain", "document.complain"):
            read = read_act(found.transaction)
            act = None if read is None else read[1]
            creator = found.transaction.creator
            if reader is not None and creator != reader:
                continue
            if isinstance(act, ComplainDocument) and act.root == root:
                complaints.append(_Said(found, creator, act.complaint, None))
            elif isinstance(act, ComplainHolding) and self._root_of(act.certificate) == root:
                complaints.append(_Said(found, creator, act.complaint, act.certificate))
        return complaints

    def proof(self, said: _Said, root: bytes, keyring: Keyring) -> ComplaintProof:
        """Return the evidence of one complaint."""
        certificate = said.certificate
        sealed, opening = self._envelope(said, root, keyring)
        standing = (
            reading_key(root, said.reader) if certificate is None else holding_key(certificate, said.reader)
        )
        return ComplaintProof(
            genesis=self.store.genesis.encode(),
            links=tuple(self.links()),
            checkpoint=self.note,
            complaint=self.act(said.found),
            membership=self.record(MEMBERSHIP_KEY),
            document=self.record(document_key(root)),
            standing=self.record(standing),
            certificate=None if certificate is None else self.record(certificate_key(certificate)),
            sealed=sealed,
            opening=opening,
        )

    def _root_of(self, certificate: bytes) -> bytes | None:
        data = self.ledger.state.get(certificate_key(certificate))
        return None if data is None else read_certificate(data).root

    def _envelope(self, said: _Said, root: bytes, keyring: Keyring) -> tuple[bytes | None, Opening | None]:
        evidence = said.complaint.evidence
        if not isinstance(evidence, SignedSeal):
            return None, None
        sealed = self._sealed(root, evidence.envelope, said.reader)
        member = self.ledger.roster.find_ever(said.reader)
        assert member is not None  # noqa: S101 - its complaint is VALID, and no member is ever forgotten
        addressed = addressed_key(sealed)
        if addressed not in [term.key for term in member.box_keys]:
            return sealed, None
        for key in keyring.box_keys(member):
            if key.public == addressed:
                return sealed, make_opening(sealed, key)
        raise RefusedError(
            f"the X25519 key of {said.reader} that the envelope is sealed to is not to be had",
            "only with it can be shown what the envelope is",
            f"give a folder with {said.reader}/box.key by --keys",
        )

    def _sealed(self, root: bytes, digest: bytes, reader: str) -> bytes:
        purged = False
        for row in envelopes_under(self.store, root):
            data = self.store.inbox_envelope(root, row.index) or b""
            purged |= not data
            if data:
                signed = SignedEnvelope.decode(data)
                if signed.digest == digest:
                    return signed.sealed
        raise RefusedError(
            f"the node of {reader} has the envelope {digest.hex()[:16]} no more"
            + (": the document was purged" if purged else ""),
            "without it nobody can say what was in it",
            "a reader that may need the evidence exports it before records need not be kept any more",
        )
