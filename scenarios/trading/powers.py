"""Powers of attorney that a generated trade takes for granted: importers' for brokers that enter goods."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from scenarios.model import Step
from scenarios.model.brokersteps import GrantPower
from scenarios.trading.lot import step_of
from scenarios.workload.trade import Trade


def powers(trade: Trade, scripted: Sequence[Step], now_ms: int) -> Iterator[Step]:
    """Yield the grants that a trade through brokers needs before its first entry (19 CFR 141.46).

    Args:
        trade: the shipments.
        scripted: the scenario's own steps; a power that one of them grants is left to it.
        now_ms: as the trade begins, UTC milliseconds.
    """
    if not (trade.workload.broker and trade.workload.mix.origin):
        return
    granted = {(step.by, step.broker) for step in scripted if isinstance(step, GrantPower)}
    first = trade.hours.day_of(now_ms).isoformat()
    for importer in trade.cast.importers:
        for broker in trade.cast.brokers:
            if (importer, broker) not in granted:
                yield step_of("grant-power", importer, broker=broker, first=first)
