"""Figures of a run, out of its events alone.

Rules:
- Latency is from submission at the intake node to the moment when a stated share of all nodes has the transaction
  under a certificate (the Hyperledger performance working group's confirmation at a share of nodes).
- Only VALID transactions count as goodput; what did not finish is counted and shown, never left out.
- All durations are protocol time in milliseconds; virtual time does not count the processor.
"""

from __future__ import annotations

import statistics
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from sys import intern

from p2p.observer import RecordField
from scenarios.filedindex import FiledIndex
from scenarios.record.eventbook import Event

SHARES = (50, 90, 100)
NS_PER_MS = 1_000_000


@dataclass(frozen=True, slots=True)
class Journey:
    """One transaction's way through the network.

    Attributes:
        submitted_ns: when its intake node got it.
        accepted_ns: when it was durable there.
        height: its block.
        code: its validation code.
        certified_ns: per node, when that node had it under a certificate; one map for all of a block.
    """

    submitted_ns: int
    accepted_ns: int | None = None
    height: int | None = None
    code: str | None = None
    certified_ns: Mapping[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class Journeys:
    """All transactions in the order in which they were handed in: a few numbers each, and ids that are filed.

    Attributes:
        moments: by height, per node, when that node had it under a certificate.
    """

    moments: dict[int, dict[str, int]] = field(default_factory=dict)
    _ids: FiledIndex[str] = field(default_factory=FiledIndex)
    _submitted_ns: array[int] = field(default_factory=lambda: array("q"))
    _accepted_ns: array[int] = field(default_factory=lambda: array("q"))
    _heights: array[int] = field(default_factory=lambda: array("q"))
    _codes: list[str | None] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self._submitted_ns)

    def __iter__(self) -> Iterator[Journey]:
        for submitted_ns, accepted_ns, height, code in zip(
            self._submitted_ns, self._accepted_ns, self._heights, self._codes, strict=True
        ):
            yield Journey(
                submitted_ns,
                None if accepted_ns == _NEVER else accepted_ns,
                None if height == _NEVER else height,
                code,
                self.moments.get(height, {}),
            )

    def submitted(self, transaction_id: str, time_ns: int) -> None:
        """Note that a transaction was handed in; only the first time counts."""
        if self._ids.number(transaction_id) == len(self._submitted_ns):
            self._submitted_ns.append(time_ns)
            self._accepted_ns.append(_NEVER)
            self._heights.append(_NEVER)
            self._codes.append(None)

    def accepted(self, transaction_id: str, time_ns: int) -> None:
        """Note that a transaction is durable at its intake node; only the first time counts.

        Raises:
            KeyError: if it was not handed in.
        """
        number = self._ids.get(transaction_id)
        if number is None:
            raise KeyError(transaction_id)
        if self._accepted_ns[number] == _NEVER:
            self._accepted_ns[number] = time_ns

    def executed(self, transaction_id: str, height: int, code: str) -> None:
        """Note which block a transaction is in, if it was handed in; only the first counts."""
        number = self._ids.get(transaction_id)
        if number is not None and self._heights[number] == _NEVER:
            self._heights[number] = height
            self._codes[number] = intern(code)


_NEVER = -1


@dataclass(slots=True)
class Measurement:
    """Follows events and gives figures at the end.

    Attributes:
        nodes: every node's organization; shares are of these.
    """

    nodes: Sequence[str]
    journeys: Journeys = field(default_factory=Journeys)
    _certified: dict[str, int] = field(default_factory=dict)
    _codes: dict[str, int] = field(default_factory=dict)
    _leaders: int = 0
    _term_max: int = 0

    def __call__(self, event: Event) -> None:
        """Take an event into account."""
        handler = _HANDLERS.get(event.name)
        if handler is not None:
            handler(self, event)

    def figures(self) -> dict[str, RecordField | float]:
        """Return all figures by name; durations in milliseconds of protocol time."""
        figures: dict[str, RecordField | float] = {
            "transactions_submitted": len(self.journeys),
            "transactions_accepted": sum(j.accepted_ns is not None for j in self.journeys),
            "transactions_valid": sum(j.code == "VALID" for j in self.journeys),
            "transactions_unfinished": sum(len(j.certified_ns) < len(self.nodes) for j in self.journeys),
            "blocks": max(self.journeys.moments, default=0),
            "elections_won": self._leaders,
            "term_max": self._term_max,
        }
        for code, count in sorted(self._codes.items()):
            figures[f"code_{code}"] = count
        for share in SHARES:
            values = self.latencies_ms(share)
            figures[f"certified_{share}_count"] = len(values)
            if values:
                figures[f"certified_{share}_median_ms"] = round(statistics.median(values), 3)
                figures[f"certified_{share}_p95_ms"] = round(_quantile(values, 0.95), 3)
                figures[f"certified_{share}_max_ms"] = round(max(values), 3)
        return figures

    def latencies_ms(self, share: int) -> list[float]:
        """Return, of every transaction that got there, the latency to certified at `share` percent of nodes."""
        needed = -(-len(self.nodes) * share // 100)
        latencies: list[float] = []
        for journey in self.journeys:
            moments = sorted(journey.certified_ns.values())
            if len(moments) >= needed:
                latencies.append((moments[needed - 1] - journey.submitted_ns) / NS_PER_MS)
        return latencies

    def _submitted(self, event: Event) -> None:
        self.journeys.submitted(event.text("id"), event.protocol_ns)

    def _accepted(self, event: Event) -> None:
        self.journeys.accepted(event.text("id"), event.protocol_ns)

    def _executed(self, event: Event) -> None:
        height = event.integer("height")
        if height in self.journeys.moments:
            return
        for receipt in receipts_of(event):
            self._codes[receipt.code] = self._codes.get(receipt.code, 0) + 1
            self.journeys.executed(receipt.id, height, receipt.code)
        self.journeys.moments[height] = {}

    def _certified_at(self, event: Event) -> None:
        node = event.text("node")
        height = event.integer("height")
        for covered in range(self._certified.get(node, 0) + 1, height + 1):
            moments = self.journeys.moments.get(covered)
            if moments is not None:
                moments.setdefault(node, event.protocol_ns)
        self._certified[node] = max(height, self._certified.get(node, 0))

    def _role(self, event: Event) -> None:
        self._term_max = max(self._term_max, event.integer("term"))
        if event.fields["role"] == "leader":
            self._leaders += 1


_HANDLERS = {
    "transaction.submitted": Measurement._submitted,
    "transaction.accepted": Measurement._accepted,
    "block.executed": Measurement._executed,
    "block.certified": Measurement._certified_at,
    "raft.role": Measurement._role,
}


@dataclass(frozen=True, slots=True)
class ReceiptRecord:
    """A receipt as a node's record names it."""

    id: str
    code: str
    rule: str
    findings: tuple[str, ...]


def receipts_of(event: Event) -> list[ReceiptRecord]:
    """Return the receipts in a `block.executed` event."""
    receipts = event.fields["receipts"]
    found: list[ReceiptRecord] = []
    for text in receipts if isinstance(receipts, list) else []:
        transaction_id, code, rule, findings = text.split(":", 3)
        found.append(ReceiptRecord(transaction_id, code, rule, tuple(f for f in findings.split(",") if f)))
    return found


def _quantile(values: Sequence[float], share: float) -> float:
    """Return the nearest-rank quantile of a non-empty sequence."""
    ordered = sorted(values)
    rank = max(1, -(-len(ordered) * round(share * 100) // 100))
    return ordered[rank - 1]


def traffic(frames: Mapping[str, int], sizes: Mapping[str, int]) -> dict[str, RecordField | float]:
    """Return message and byte counts in all and by kind."""
    figures: dict[str, RecordField | float] = {
        "messages": sum(frames.values()),
        "bytes": sum(sizes.values()),
    }
    for kind in sorted(frames):
        figures[f"messages_{kind.lower()}"] = frames[kind]
        figures[f"bytes_{kind.lower()}"] = sizes[kind]
    return figures
