"""The root that a document's name means in a run, with who was sent it.

Rules:
- A certificate's name means the certificate, a Form 370's its draft, a carnet's its cover and general list, a voucher's
  what was presented with it. Any other document is named by the beginning of its root.
- Names are the scenario's, and those that a generated trade gave its documents as it went.
- Who holds a document is on the ledger where its act names addressees; else the nodes are looked through.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from ledger.store import InboxRow, Store
from scenarios.errors import RefusedError
from scenarios.model import Scenario
from scenarios.record.nodestore import opened_copy
from scenarios.record.runfolder import RunFolder

ROOT_DIGITS_MIN = 8
NAMES_SHOWN = 12
_PAGE = 500
_FIELDS = ("certificate", "form370", "carnet", "voucher")
"""Of a receipt's event: which named document it is about. The first such receipt with a root has the document's."""


def root_of(folder: RunFolder, scenario: Scenario, document: str) -> bytes:
    """Return the root under which a run anchored a document.

    Args:
        folder: of the run.
        scenario: that was run.
        document: its local name in the scenario, or the beginning of its root in hex.

    Raises:
        RefusedError: if the run knows no such document, or never anchored it.
    """
    names = dict.fromkeys((*scenario.documents, *scenario.forms, *scenario.carnets))
    is_scripted = document.partition("/")[0] in names
    roots: dict[str, None] = {}
    for event in _receipts(folder):
        documents = _roots(event)
        roots.update((root, None) for root in documents)
        if not _may_bear(event):
            continue
        told = [event[field] for field in _FIELDS if event.get(field) is not None]
        if document in told:
            return bytes.fromhex(documents[0])
        names.update((str(name), None) for name in told[:1])
    if is_scripted:
        raise RefusedError(
            f"document {document} was never anchored in this run", "", f"see `seatrial show RUN {document}`"
        )
    matching = [root for root in roots if len(document) >= ROOT_DIGITS_MIN and root.startswith(document)]
    if len(matching) == 1:
        return bytes.fromhex(matching[0])
    raise RefusedError(
        f'"{document}" is no document of this run',
        f"documents: {known(names)}",
        f"or give at least {ROOT_DIGITS_MIN} hex digits of a root",
    )


def known(names: Iterable[str]) -> str:
    """Return the names that there are, for an error to show: at most `NAMES_SHOWN` of them."""
    listed = list(names)
    more = f" and {len(listed) - NAMES_SHOWN} more" if len(listed) > NAMES_SHOWN else ""
    return (", ".join(listed[:NAMES_SHOWN]) or "none has a name") + more


def addressees_of(folder: RunFolder, root: bytes) -> tuple[str, ...]:
    """Return the addressees that the ledger names for a document; none where its act names none."""
    for event in _receipts(folder):
        if root.hex() in _roots(event):
            addressees = json.loads(str(event["body"])).get("addressees", [])
            if addressees:
                return tuple(str(addressee) for addressee in addressees)
    return ()


def first_holder(folder: RunFolder, root: bytes) -> str:
    """Return the first addressee of a document, or where the ledger names none, who got an envelope of it first.

    Raises:
        RefusedError: if nobody has one.
    """
    addressees = addressees_of(folder, root)
    if addressees:
        return addressees[0]
    received: list[tuple[int, str]] = []
    for organization in folder.nodes:
        with opened_copy(folder.node_directory(organization)) as store:
            received += [(row.received_ms, organization) for row in envelopes_under(store, root)]
    if not received:
        raise RefusedError(f"no node of this run has an envelope of document {root.hex()[:16]}")
    return min(received)[1]


def envelopes_under(store: Store, root: bytes) -> Iterator[InboxRow]:
    """Yield the rows of every envelope that a node has under a root: a stranger's rubbish may be among them."""
    after = 0
    while page := store.inbox_rows(after, _PAGE):
        after = page[-1].index
        yield from (row for row in page if row.root == root)


def _may_bear(event: dict[str, object]) -> bool:
    """Say whether a receipt about a named document has that document's root: of a certificate, only its anchor."""
    return event.get("certificate") is None or str(event["type"]).endswith(".anchor")


def _roots(event: dict[str, object]) -> list[str]:
    documents = event["documents"]
    if not isinstance(documents, list):
        raise TypeError(f"event {event['number']}: documents is no list")
    return [str(root) for root in documents]


def _receipts(folder: RunFolder) -> Iterator[dict[str, object]]:
    for line in folder.event_lines("observer"):
        event = json.loads(line)
        if event["event"] == "receipt" and event["code"] == "VALID" and event["documents"]:
            yield event
