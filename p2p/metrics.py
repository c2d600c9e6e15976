"""Prometheus figures of one node, gathered only when asked for."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from p2p.node import Node


class _NodeCollector:
    """Reads a node's counters at scrape time; the hot path only adds to plain integers."""

    def __init__(self, node: Node) -> None:
        self.node = node

    def collect(self) -> Iterator[Metric]:
        node = self.node
        raw = node.ordering.raw
        yield _gauge("height", "Last executed block", node.ledger.height)
        yield _gauge("certified_height", "Last certified block", node.certifier.certified_height)
        yield _gauge("raft_term", "Current Raft term", node.ordering.term)
        yield _gauge("raft_is_leader", "1 if this node leads", int(node.ordering.is_leader))
        yield _gauge("orders", "1 if this node takes part in ordering", int(node.ordering.orders))
        gaps = sum(gap.height_end - gap.height_first for gap in node.store.gaps)
        yield _gauge("blocks_absent", "Blocks still to be fetched", len(node.store.absent_blocks) + gaps)
        yield _gauge("log_first_index", "First log entry that is kept", node.store.first_index)
        yield _gauge("snapshot_index", "Log entry of the last snapshot", node.store.snapshot.index)
        yield _gauge("raft_commit_index", "Highest committed log index", raw.commit)
        yield _gauge("pool_transactions", "Transactions waiting", len(node.pool))
        yield _gauge("outbox_envelopes", "Envelopes not delivered yet", node.courier.outstanding)
        yield _gauge("peers_connected", "Open links", len(node.links.connected))
        for group, figures in (
            ("link", node.links.figures),
            ("gossip", node.gossip.figures),
            ("raft", node.ordering.figures),
            ("raft", node.ordering.cutting.figures),
            ("certifier", node.certifier.figures),
            ("courier", node.courier.figures),
            ("driver", node.driver.figures),
            ("reads", node.reads.figures),
            ("sync", node.sync.figures),
        ):
            for name in figures.__slots__:
                value = getattr(figures, name)
                yield _counter(f"{group}_{name}", f"{group}: {name.replace('_', ' ')}", value)
        refused = CounterMetricFamily("seatrial_refused", "Transactions refused at the door", labels=["code"])
        for code, count in node.intake.refused.items():
            refused.add_metric([code.value], count)
        yield refused
        yield _counter("blocks_withheld", "Damaged blocks not sent to peers", node.ordering.log.withheld)
        yield _counter("signatures_verified", "Signatures verified", node.verifier.verified)
        yield _counter(
            "signatures_remembered", "Verifications answered from memory", node.verifier.remembered
        )


def render_metrics(node: Node) -> bytes:
    """Return a node's figures in Prometheus' text format."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_NodeCollector(node))
    return generate_latest(registry)


def _gauge(name: str, text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"seatrial_{name}", text, value=value)


def _counter(name: str, text: str, value: float) -> CounterMetricFamily:
    return CounterMetricFamily(f"seatrial_{name}", text, value=value)
