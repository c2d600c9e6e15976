"""A claim's proof of possession, gathered from what one node of a run kept.

Rules:
- All of it is public on the ledger: any node's store will do, and no key is needed.
- Which certificate a claim rests on is what the claim names; a claim that names none is held against the one its
  scenario or the caller names, and the proof says that the claim did not.
- Where nothing can be proven it is said why, and what could be done instead.
- What is gathered is verified from the genesis hash before it is handed out.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

from ledger.keys import Verifier
from ledger.proofs import (
    Possession,
    PossessionProof,
    verify_possession,
)
from ledger.state import MEMBERSHIP_KEY, certificate_key, claim_key, document_key, holding_key
from scenarios.errors import RefusedError
from scenarios.exporting.gathering import Found, Gathering
from scenarios.exporting.roots import known, root_of
from scenarios.exporting.written import write_proof
from scenarios.model import Scenario
from scenarios.model.catalog import load_scenario
from scenarios.model.subjects import SUBJECTS
from scenarios.network.asked import founding_of
from scenarios.record.nodestore import opened_copy
from scenarios.record.runfolder import RunFolder

SUFFIX = ".possession"
_LINE = re.compile(r"([A-Z0-9]{3}-[0-9]{7}-[0-9])/([1-9][0-9]{0,3})")
_FILED = ("claim.file", "claim.file_post")


@dataclass(frozen=True, slots=True)
class ExportedPossession:
    """A proof, and what it proves.

    Attributes:
        proof: what the file holds.
        possession: what it proves from the genesis hash.
        genesis_hash: 32 bytes, to be told to whoever verifies it by another way than the file.
        others: names of further claims of the scenario on the same entry line, of which the ledger took one.
    """

    proof: PossessionProof
    possession: Possession
    genesis_hash: bytes
    others: tuple[str, ...] = ()


def export_possession(
    folder: RunFolder, claim: str, certificate: str | None = None, node: str | None = None
) -> ExportedPossession:
    """Return the proof of what a claim's importer held, and when.

    Args:
        folder: of a finished run.
        claim: its local name in the scenario, or an entry line such as SX7-1000418-2/1.
        certificate: local name or the beginning of the root of the certificate; what the claim rests on if None.
        node: whose node's store is read; the importer's if None.

    Raises:
        RefusedError: if the run knows no such claim, or there is no possession to prove.
    """
    scenario = load_scenario(folder.path / "scenario.yaml")
    founding = founding_of(scenario, str(folder.read_json("run.json")["seed"]))
    line, importer, meant = _claim_of(folder, scenario, claim)
    node = node or importer or founding.genesis.orderers[0]
    if node not in folder.nodes:
        known = ", ".join(folder.nodes)
        raise RefusedError(f'"{node}" has no node in this run', f"who has one: {known}")
    chosen = certificate or meant
    root = None if chosen is None else root_of(folder, scenario, chosen)
    with opened_copy(folder.node_directory(node)) as store:
        proof = _Gathering(store, Verifier()).proof(claim, line, root, is_asked_for=certificate is not None)
    genesis_hash = founding.genesis.hash
    possession = verify_possession(proof, genesis_hash, Verifier())
    others = tuple(
        name for name, one in scenario.claims.items() if (one.entry, one.line) == line and name != claim
    )
    return ExportedPossession(proof, possession, genesis_hash, others if claim in scenario.claims else ())


def write_possession(exported: ExportedPossession, path: Path) -> None:
    """Write the file.

    Raises:
        RefusedError: if it is too large, is there already, or cannot be written.
    """
    write_proof("proof", exported.proof.encode(), len(exported.proof.links), path)


def file_name(claim: str) -> str:
    """Return the name of a claim's file where none is given."""
    return claim.replace("/", "-line-") + SUFFIX


def _claim_of(
    folder: RunFolder, scenario: Scenario, claim: str
) -> tuple[tuple[str, int], str | None, str | None]:
    """Return entry and line, the importer and the certificate's local name as far as scenario and run tell them."""
    named = scenario.claims.get(claim)
    if named is not None:
        return (named.entry, named.line), named.importer, named.certificate
    for kind in SUBJECTS.values():
        if kind.section != "claims" and claim.partition("/")[0] in getattr(scenario, kind.section):
            raise RefusedError(
                f"{kind.word} {claim} is no claim of preference",
                "possession is proven of certificates of origin, which claims of preference rest on; who has a carnet"
                " or a Form 370 is not decided by an acknowledgement",
                "see `seatrial show RUN`, or `seatrial export credential` for a document itself",
            )
    filed = _filed(folder)
    if claim in filed:
        return filed[claim]
    found = _LINE.fullmatch(claim)
    if found is None:
        names = known((*scenario.claims, *(name for name in filed if name not in scenario.claims)))
        raise RefusedError(
            f'"{claim}" is no claim of this run', f"claims: {names}; or an entry line such as SX7-1000418-2/1"
        )
    line = (found[1], int(found[2]))
    for one in scenario.claims.values():
        if (one.entry, one.line) == line:
            return line, one.importer, one.certificate
    return line, None, None


def _filed(folder: RunFolder) -> dict[str, tuple[tuple[str, int], str | None, str | None]]:
    """Return the claims that a run's agents filed under a name, those of a generated trade among them."""
    filed: dict[str, tuple[tuple[str, int], str | None, str | None]] = {}
    for text in folder.event_lines("observer"):
        event = json.loads(text)
        if event["event"] == "claim.filed":
            entry, _, number = str(event["ledger_id"]).partition("/")
            filed[str(event["claim"])] = (entry, int(number)), event["importer"], event["certificate"]
    return filed


class _Gathering(Gathering):
    """One claim's proof under way."""

    def proof(
        self, claim: str, line: tuple[str, int], root: bytes | None, *, is_asked_for: bool
    ) -> PossessionProof:
        filed = self._find_claim(claim, line)
        named = filed.transaction.body.get("certificate")
        anchor = self._find_anchor(claim, named if isinstance(named, bytes) else None, root, is_asked_for)
        certificate = anchor.transaction.body["certificate"]
        assert isinstance(certificate, bytes)  # noqa: S101 - its receipt is VALID
        importer = str(filed.transaction.body.get("importer_of_record") or filed.transaction.creator)
        acknowledgement = self._find_acknowledgement(claim, anchor, certificate, importer)
        return PossessionProof(
            genesis=self.store.genesis.encode(),
            links=tuple(self.links()),
            checkpoint=self.note,
            anchor=self.act(anchor),
            acknowledgement=None if acknowledgement is None else self.act(acknowledgement),
            claim=self.act(filed),
            membership=self.record(MEMBERSHIP_KEY),
            certificate=self.record(certificate_key(certificate)),
            document=self.record(document_key(anchor.transaction.documents[0])),
            holding=self.record(holding_key(certificate, importer)),
            filed=self.record(claim_key(*line)),
        )

    def _find_claim(self, claim: str, line: tuple[str, int]) -> Found:
        for found in self.valid(*_FILED):
            body = found.transaction.body
            if (body["entry"], body["line"]) == line:
                return found
        raise RefusedError(
            f"claim {claim} is on no certified block of {self.store.organization}'s node",
            f"certified is height {self.height}",
            "see `seatrial show RUN CLAIM`",
        )

    def _find_anchor(self, claim: str, named: bytes | None, root: bytes | None, is_asked_for: bool) -> Found:
        if named is None and root is None:
            raise RefusedError(
                f"claim {claim} names no certificate: it rests on the importer's own knowledge, and there is no"
                " possession to prove",
                "",
                "give --certificate to hold it against one all the same",
            )
        for found in self.valid("certificate.anchor"):
            certificate, anchored = found.transaction.body["certificate"], found.transaction.documents[0]
            if is_asked_for and named is not None and certificate == named and anchored != root:
                raise RefusedError(
                    f"claim {claim} names certificate {named.hex()} (root {anchored.hex()[:16]}), not the one that is"
                    " asked for",
                    "",
                    "leave out --certificate",
                )
            if certificate == named or (named is None and anchored == root):
                return found
        raise RefusedError(
            f"the certificate that claim {claim} is held against is on no certified block of"
            f" {self.store.organization}'s node",
            "a document that is no certificate of origin proves no possession",
            "name a certificate with --certificate",
        )

    def _find_acknowledgement(
        self, claim: str, anchor: Found, certificate: bytes, importer: str
    ) -> Found | None:
        for found in self.valid("holding.acknowledge"):
            if found.transaction.creator == importer and found.transaction.body["certificate"] == certificate:
                return found
        if anchor.transaction.creator == importer and holding_key(certificate, importer) in self.ledger.state:
            return None
        raise RefusedError(
            f"{importer}, whose claim {claim} is, never acknowledged the certificate (root"
            f" {anchor.transaction.documents[0].hex()[:16]}): the ledger has no possession to prove",
            "",
            "if it had the certificate on paper, that is for a courier's slip to show",
        )
