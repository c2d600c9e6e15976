"""The public record of a trial: certified receipts, as any member may read them from its own node.

Rules:
- It reads one node's feed and goes on at another when that one does not answer; the log is the same everywhere.
- It writes down what members see: who did what about which certificate or claim, with code and findings. The bodies
  of acts are public facts; nothing private is in them.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Collection

from ledger.codes import Code
from ledger.contracts import REGIME_OF_FORM
from ledger.genesis import Role
from p2p.observer import RecordField
from scenarios.agents.client import ApiProblem, NodeClient, NodeUnreachableError, Receipt
from scenarios.agents.receiptstream import ReceiptStream
from scenarios.record.eventbook import EventBook
from scenarios.trial.names import Names

WAIT_MS = 5000
RETRY_S = 0.2


class LedgerWatch:
    """Follows certified receipts and writes them into the event book.

    Args:
        clients: of every node, in the order in which they are asked.
        is_up: whether a node is worth asking.
        book: where receipts are written.
        names: the scenario's local names.
        importers: founders that hold what they certify themselves, where the agreement lets importers certify.
    """

    def __init__(
        self,
        clients: dict[str, NodeClient],
        is_up: Callable[[str], bool],
        book: EventBook,
        names: Names,
        importers: Collection[str],
    ) -> None:
        self._clients = clients
        self._is_up = is_up
        self._book = book
        self._names = names
        self._importers = list(importers)
        self.seen = -1

    async def run(self) -> None:
        """Follow until cancelled."""
        while True:
            for organization, client in self._clients.items():
                if self._is_up(organization):
                    await self._follow(organization, client)
            await asyncio.sleep(RETRY_S)

    async def _follow(self, organization: str, client: NodeClient) -> None:
        """Follow one node's feed until it does not answer."""
        stream = ReceiptStream(client, WAIT_MS)
        try:
            while self._is_up(organization):
                page = await stream.next(self.seen)
                for receipt in page.receipts:
                    self.seen = receipt.index
                    self._note_importer(receipt)
                    self._book.add("receipt", self._fields(receipt), public=True)
        except NodeUnreachableError:
            return
        except ApiProblem as problem:
            if not problem.is_passing:
                raise
        finally:
            stream.close()

    def _note_importer(self, receipt: Receipt) -> None:
        """Take an importer that joins into account."""
        roles = receipt.body.get("roles")
        joins = receipt.code == Code.VALID and receipt.type == "member.add"
        if joins and isinstance(roles, list) and Role.IMPORTER.value in roles:
            self._importers.append(str(receipt.body["organization"]))

    def _fields(self, receipt: Receipt) -> dict[str, RecordField]:
        fields: dict[str, RecordField] = {
            "index": receipt.index,
            "height": receipt.height,
            "position": receipt.position,
            "id": receipt.id.hex(),
            "code": receipt.code,
            "rule": receipt.rule,
            "findings": list(receipt.findings),
            "time_ms": receipt.time_ms,
            "type": receipt.type,
            "creator": receipt.creator,
            "documents": [root.hex() for root in receipt.documents],
            "body": json.dumps(receipt.body, sort_keys=True, separators=(",", ":")),
            **self._names.subject(receipt.body),
        }
        if receipt.type is not None and receipt.type.startswith(("holding.", "certificate.deliver")):
            holder = receipt.body.get("holder", receipt.creator)
            fields["holder"] = holder if isinstance(holder, str) else None
        elif receipt.type == "certificate.anchor" and receipt.creator in self._importers:
            regime = REGIME_OF_FORM[str(receipt.body.get("form"))]
            fields["holder"] = receipt.creator if Role.IMPORTER in regime.certifiers else None
        return fields
