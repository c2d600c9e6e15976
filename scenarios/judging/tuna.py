"""Figures of forms 370, out of certified receipts alone: filed on time, endorsements complete.

Rules:
- A form counts when it is filed. It is on time if the ledger recorded no late filing; a hop is signed if its party had
  endorsed by then.
- Each figure is given for all and for each organization: an importer's filings, a party's own endorsements.
- Shares are in percent of all; without any form there are no figures, not figures of zero.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from ledger.contracts.findings import Finding
from p2p.observer import RecordField
from scenarios.model.sentences import METRICS
from scenarios.record.eventbook import Event

ALL = "all"
TUNA_METRICS = tuple(name for name in METRICS if name.startswith("form370_"))
"""Figures for all organizations together; their meaning stands with the names."""


@dataclass(slots=True)
class _Count:
    filed: int = 0
    on_time: int = 0
    hops: int = 0
    signed: int = 0


@dataclass(slots=True)
class TunaMeasurement:
    """Follows events and gives figures at the end."""

    _chains: dict[str, dict[str, bool]] = field(default_factory=dict)
    _counts: dict[str, _Count] = field(default_factory=dict)

    def __call__(self, event: Event) -> None:
        """Take an event into account."""
        kind = event.fields.get("type") if event.name == "receipt" else None
        if not isinstance(kind, str) or event.fields.get("code") != "VALID":
            return
        form = str(event.fields.get("form370"))
        if kind == "fisheries.draft":
            custody = json.loads(event.text("body"))["custody"]
            self._chains[form] = {str(hop["organization"]): False for hop in custody}
        elif kind == "fisheries.endorse":
            self._chains[form][event.text("creator")] = True
        elif kind == "fisheries.file":
            self._filed(event, self._chains[form])

    def figures(self) -> dict[str, RecordField | float]:
        """Return all figures by name."""
        figures: dict[str, RecordField | float] = {}
        for organization, count in self._counts.items():
            end = "" if organization == ALL else f"_{organization}"
            if count.filed:
                figures[f"form370_filed{end}"] = count.filed
                figures[f"form370_on_time_percent{end}"] = _percent(count.on_time, count.filed)
            if count.hops:
                figures[f"form370_hops{end}"] = count.hops
                figures[f"form370_endorsed_percent{end}"] = _percent(count.signed, count.hops)
        return figures

    def _filed(self, event: Event, chain: Mapping[str, bool]) -> None:
        findings = event.fields.get("findings")
        late = isinstance(findings, list) and Finding.FILED_AFTER_IMPORTATION.value in findings
        for organization in (ALL, event.text("creator")):
            count = self._counts.setdefault(organization, _Count())
            count.filed += 1
            count.on_time += not late
        for party, has_signed in chain.items():
            for organization in (ALL, party):
                count = self._counts.setdefault(organization, _Count())
                count.hops += 1
                count.signed += has_signed


def _percent(part: int, whole: int) -> float:
    return round(100 * part / whole, 3)
