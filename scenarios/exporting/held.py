"""A document as one of its addressees holds it, out of a run's folder.

Rules:
- What counts is what that addressee's own node kept: the envelope sealed to it, the block that anchors the root, and
  the ledger behind it. Nobody else's knowledge enters.
- A holder is whoever the ledger knows as a member, a founder or one that joined later, and opens with any key it had.
- A node's database is opened as a copy: looking at a run changes nothing in it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ledger.block import decode_block
from ledger.contracts import CertificateState, read_certificate
from ledger.documents import OpenedEnvelope
from ledger.envelopes import SignedEnvelope, open_envelope
from ledger.errors import EnvelopeError
from ledger.keys import Verifier
from ledger.members import Member
from ledger.state import certificate_key
from ledger.store import Store, StoredReceipt
from ledger.transaction import Transaction, parse_transaction
from scenarios.errors import RefusedError
from scenarios.exporting.certified import CertifiedLedger, latest_certified
from scenarios.exporting.keyring import Keyring
from scenarios.exporting.roots import addressees_of, envelopes_under, first_holder, root_of
from scenarios.model.catalog import load_scenario
from scenarios.record.nodestore import opened_copy
from scenarios.record.runfolder import RunFolder

ANCHOR = "certificate.anchor"
_PAGE = 500


@dataclass(frozen=True, slots=True)
class HeldDocument:
    """One document in one addressee's hands.

    Attributes:
        keyring: the run's secret keys: a trial plays everybody.
        name: the document's local name; its root in hex if it has none.
        holder: the addressee.
        opened: the envelope sealed to it.
        transaction: the one that anchored the root.
        raw: that transaction's bytes.
        receipt: what became of it.
        certified: the ledger of the holder's node at its latest certificate.
        anchored_roots: the roots that the same issuer anchored, oldest first.
        certificates: ids of that issuer's certificates of origin, by their roots.
    """

    keyring: Keyring
    name: str
    holder: str
    opened: OpenedEnvelope
    transaction: Transaction
    raw: bytes
    receipt: StoredReceipt
    certified: CertifiedLedger
    anchored_roots: tuple[bytes, ...]
    certificates: Mapping[bytes, bytes]

    @property
    def issuer(self) -> Member:
        """Who anchored the document, as it stands at the certified height."""
        issuer = self.certified.ledger.roster.find_ever(self.transaction.creator)
        assert issuer is not None  # noqa: S101 - its transaction is VALID, and no member is ever forgotten
        return issuer

    def state_of(self, root: bytes) -> CertificateState | None:
        """Return where the issuer's certificate with a root stands, or None if the root is no certificate's."""
        certificate = self.certificates.get(root)
        data = None if certificate is None else self.certified.ledger.state.get(certificate_key(certificate))
        return None if data is None else read_certificate(data).state


def find_document(
    folder: RunFolder, document: str, holder: str | None, keys: Path | None = None
) -> HeldDocument:
    """Return a document of a run as an addressee holds it.

    Args:
        folder: of a finished run.
        document: its local name in the scenario, or the beginning of its root in hex.
        holder: an addressee; the first one if None.
        keys: folder with keys that do not follow from the run's seed, by organization.

    Raises:
        RefusedError: if the run knows no such document, or that organization does not hold it.
        KeyFileError: if a key file cannot be used.
    """
    scenario = load_scenario(folder.path / "scenario.yaml")
    keyring = Keyring(str(folder.read_json("run.json")["seed"]), keys)
    root = root_of(folder, scenario, document)
    holder = holder or first_holder(folder, root)
    if holder not in folder.nodes:
        known = ", ".join(folder.nodes)
        raise RefusedError(f'holder "{holder}" has no node in this run', f"who has one: {known}")
    with opened_copy(folder.node_directory(holder)) as store:
        return _held(store, keyring, document, holder, root, addressees_of(folder, root))


def _held(
    store: Store, keyring: Keyring, name: str, holder: str, root: bytes, addressees: Sequence[str]
) -> HeldDocument:
    certified = latest_certified(store, Verifier())
    member = certified.ledger.roster.find_ever(holder)
    if member is None:
        raise RefusedError(f"{holder} is no member at the certified height {certified.height} of its node")
    envelopes = list(_envelopes(store, root))
    if not envelopes:
        named = f", for {', '.join(addressees)}" if addressees else ""
        raise RefusedError(
            f"{holder} has no envelope of document {name}",
            f"an addressee holds what was sealed to it{named}",
            "name another with --holder",
        )
    opened = _opened(envelopes, keyring, member, name, root)
    anchors = list(_anchors(store, store.genesis.limits.block_bytes_max, certified.height))
    found = [anchor for anchor in anchors if root in anchor[1].documents]
    if not found:
        raise RefusedError(f"document {name} is on no certified block of {holder}'s node")
    receipt, transaction, raw = found[0]
    own = [t for _, t, _ in anchors if t.creator == transaction.creator]
    return HeldDocument(
        keyring=keyring,
        name=name,
        holder=holder,
        opened=opened,
        transaction=transaction,
        raw=raw,
        receipt=receipt,
        certified=certified,
        anchored_roots=tuple(anchored for t in own for anchored in t.documents),
        certificates={
            t.documents[0]: certificate_id
            for t in own
            if isinstance(certificate_id := t.body.get("certificate"), bytes) and t.type == ANCHOR
        },
    )


def _envelopes(store: Store, root: bytes) -> Iterator[bytes]:
    """Yield every envelope that came under a root; a purged one is empty."""
    for row in envelopes_under(store, root):
        yield store.inbox_envelope(root, row.index) or b""


def _opened(
    envelopes: Sequence[bytes], keyring: Keyring, holder: Member, name: str, root: bytes
) -> OpenedEnvelope:
    """Return the first envelope that opens with a key of the holder's and is what was anchored."""
    sealed = [envelope for envelope in envelopes if envelope]
    if not sealed:
        raise RefusedError(f"the envelopes of document {name} were purged; only its root is left")
    keys = keyring.box_keys(holder)
    if len(keys) < len(holder.box_keys):
        missing = (
            f" ({len(holder.box_keys) - len(keys)} of its {len(holder.box_keys)} X25519 keys are missing)"
        )
        remedy = f"give a folder with {holder.id}/box.key by --keys"
    else:
        missing, remedy = "", ""
    reason: EnvelopeError | None = None
    for envelope in sealed:
        for key in keys:
            try:
                opened = open_envelope(SignedEnvelope.decode(envelope).sealed, key)
                opened.check_root(root)
            except EnvelopeError as error:
                reason = error
                continue
            return opened
    raise RefusedError(
        f"no envelope of document {name} at {holder.id} opens as what was anchored{missing}", "", remedy
    ) from reason


def _anchors(
    store: Store, block_bytes_max: int, certified: int
) -> Iterator[tuple[StoredReceipt, Transaction, bytes]]:
    """Yield every valid transaction that anchors documents, with its receipt and bytes."""
    after = -1
    while page := store.receipts(after, _PAGE):
        after = page[-1].index
        for receipt in page:
            if receipt.code != "VALID" or receipt.height > certified:
                continue
            raw = decode_block(store.block(receipt.height), block_bytes_max).transactions[receipt.position]
            transaction = parse_transaction(raw, len(raw)).transaction
            if transaction.documents:
                yield receipt, transaction, raw
