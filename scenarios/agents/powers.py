"""Which powers of attorney of importers are in force, as certified receipts tell it."""

from __future__ import annotations

import datetime

from ledger.codes import Code
from ledger.fields import Fields
from scenarios.agents.client import Receipt


class Powers:
    """Every importer's powers of attorney for customs brokers."""

    def __init__(self) -> None:
        self._days: dict[tuple[str, str], tuple[datetime.date, datetime.date | None]] = {}

    def take(self, receipt: Receipt) -> None:
        """Take one certified receipt into account."""
        if receipt.code != Code.VALID or receipt.type not in ("power.grant", "power.revoke"):
            return
        body = Fields(dict(receipt.body), receipt.type)
        key = (receipt.creator or "", body.text("broker"))
        if receipt.type == "power.grant":
            self._days[key] = (body.date("from"), body.optional_date("to"))
        else:
            self._days.pop(key, None)

    def are_in_force(self, importer: str, broker: str, day: datetime.date) -> bool:
        """Say whether a broker may act in an importer's name on a day."""
        days = self._days.get((importer, broker))
        return days is not None and days[0] <= day and (days[1] is None or day <= days[1])
