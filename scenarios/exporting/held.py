"""A document as one of its addressees holds it, out of a run's folder.

Rules:
- What counts is what that addressee's own node kept: the envelope sealed to it, the block that anchors the root, and
  the ledger behind it. Nobody else's knowledge enters.
- A node's database is opened as a copy: looking at a run changes nothing in it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ledger.block import decode_block
from ledger.documents import OpenedEnvelope, open_envelope
from ledger.errors import EnvelopeError
from ledger.execution import Ledger
from ledger.keys import Verifier
from ledger.store import Store, StoredReceipt
from ledger.transaction import Transaction, parse_transaction
from scenarios.errors import RefusedError
from scenarios.judging.final import opened_copy
from scenarios.model import Scenario
from scenarios.model.catalog import load_scenario
from scenarios.network.founding import Founding
from scenarios.trial.runfolder import RunFolder
from scenarios.trial.runner import founding_of

ROOT_DIGITS_MIN = 8
ANCHOR = "certificate.anchor"


@dataclass(frozen=True, slots=True)
class HeldDocument:
    """One document in one addressee's hands.

    Attributes:
        founding: of the run's network, secrets included: a trial plays everybody.
        seed: the run's.
        scenario: that was run.
        name: the document's local name; its root in hex if it has none.
        holder: the addressee.
        opened: the envelope sealed to it.
        transaction: the one that anchored the root.
        raw: that transaction's bytes.
        receipt: what became of it.
        ledger: the executed ledger of the holder's node.
        certificate: the latest certificate of that node: its height and signed note.
        anchored_roots: the roots that the same issuer anchored, oldest first.
        certificates: ids of that issuer's certificates of origin, by their roots.
    """

    founding: Founding
    seed: str
    scenario: Scenario
    name: str
    holder: str
    opened: OpenedEnvelope
    transaction: Transaction
    raw: bytes
    receipt: StoredReceipt
    ledger: Ledger
    certificate: tuple[int, str]
    anchored_roots: tuple[bytes, ...]
    certificates: Mapping[bytes, bytes]

    @property
    def issuer(self) -> str:
        """Who anchored the document."""
        return self.transaction.creator


def find_document(folder: RunFolder, document: str, holder: str | None) -> HeldDocument:
    """Return a document of a run as an addressee holds it.

    Args:
        folder: of a finished run.
        document: its local name in the scenario, or the beginning of its root in hex.
        holder: an addressee; the first one if None.

    Raises:
        RefusedError: if the run knows no such document, or that organization does not hold it.
    """
    scenario = load_scenario(folder.path / "scenario.yaml")
    run = folder.read_json("run.json")
    founding = founding_of(scenario, str(run["seed"]))
    root = root_of(folder, scenario, document)
    holder = holder or _first_addressee(folder, root)
    if holder not in founding.secrets:
        known = ", ".join(founding.secrets)
        raise RefusedError(f'holder "{holder}" is no organization of this run', f"they are {known}")
    with opened_copy(folder.node_directory(holder)) as store:
        ledger = store.load_ledger(Verifier())
        certificate = store.latest_certificate()
        if certificate is None:
            raise RefusedError(f"the node of {holder} has no certificate: nothing can be proven by it")
        return _held(store, ledger, founding, scenario, str(run["seed"]), document, holder, root, certificate)


def _held(
    store: Store,
    ledger: Ledger,
    founding: Founding,
    scenario: Scenario,
    seed: str,
    name: str,
    holder: str,
    root: bytes,
    certificate: tuple[int, str],
) -> HeldDocument:
    sealed = store.inbox_envelope(root)
    if sealed is None:
        raise RefusedError(
            f"{holder} has no envelope of document {name}",
            "an addressee holds what was sealed to it",
            "name an addressee with --holder",
        )
    opened = open_envelope(sealed, founding.secrets[holder].box_key)
    try:
        opened.check_root(root)
    except EnvelopeError as error:
        raise RefusedError(
            f"the envelope of document {name} at {holder} is not what was anchored: {error}"
        ) from error
    anchors = list(_anchors(store, founding.genesis.limits.block_bytes_max, certificate[0]))
    found = [anchor for anchor in anchors if root in anchor[1].documents]
    if not found:
        raise RefusedError(f"document {name} is on no certified block of {holder}'s node")
    receipt, transaction, raw = found[0]
    own = [t for _, t, _ in anchors if t.creator == transaction.creator]
    return HeldDocument(
        founding=founding,
        seed=seed,
        scenario=scenario,
        name=name,
        holder=holder,
        opened=opened,
        transaction=transaction,
        raw=raw,
        receipt=receipt,
        ledger=ledger,
        certificate=certificate,
        anchored_roots=tuple(anchored for t in own for anchored in t.documents),
        certificates={
            t.documents[0]: certificate_id
            for t in own
            if isinstance(certificate_id := t.body.get("certificate"), bytes) and t.type == ANCHOR
        },
    )


def _anchors(
    store: Store, block_bytes_max: int, certified: int
) -> Iterator[tuple[StoredReceipt, Transaction, bytes]]:
    """Yield every valid transaction that anchors documents, with its receipt and bytes."""
    after = -1
    while page := store.receipts(after, 500):
        after = page[-1].index
        for receipt in page:
            if receipt.code != "VALID" or receipt.height > certified:
                continue
            raw = decode_block(store.block(receipt.height), block_bytes_max).transactions[receipt.position]
            transaction = parse_transaction(raw, len(raw)).transaction
            if transaction.documents:
                yield receipt, transaction, raw


def _receipts(folder: RunFolder) -> Iterator[dict[str, object]]:
    for line in folder.event_lines("observer"):
        event = json.loads(line)
        if event["event"] == "receipt" and event["code"] == "VALID" and event["documents"]:
            yield event


def root_of(folder: RunFolder, scenario: Scenario, document: str) -> bytes:
    """Return the root under which a run anchored a document.

    Args:
        folder: of the run.
        scenario: that was run.
        document: its local name in the scenario, or the beginning of its root in hex.

    Raises:
        RefusedError: if the run knows no such document, or never anchored it.
    """
    roots: dict[str, None] = {}
    for event in _receipts(folder):
        documents = event["documents"]
        if not isinstance(documents, list):
            raise TypeError(f"event {event['number']}: documents is no list")
        if document in scenario.documents:
            if event.get("certificate") == document and str(event["type"]).endswith(".anchor"):
                return bytes.fromhex(str(documents[0]))
        else:
            roots.update((str(root), None) for root in documents)
    matching = [root for root in roots if len(document) >= ROOT_DIGITS_MIN and root.startswith(document)]
    if len(matching) == 1:
        return bytes.fromhex(matching[0])
    if document in scenario.documents:
        raise RefusedError(
            f"document {document} was never anchored in this run", "see `seatrial show RUN DOCUMENT`"
        )
    known = ", ".join(scenario.documents) or "none has a name"
    raise RefusedError(
        f'"{document}" is no document of this run',
        f"documents: {known}",
        f"or give at least {ROOT_DIGITS_MIN} hex digits of a root",
    )


def _first_addressee(folder: RunFolder, root: bytes) -> str:
    for event in _receipts(folder):
        if root.hex() in str(event["documents"]):
            addressees = json.loads(str(event["body"])).get("addressees", [])
            if addressees:
                return str(addressees[0])
    raise RefusedError(
        f"document {root.hex()[:16]} names no addressee on the ledger", "", "name who holds it with --holder"
    )
