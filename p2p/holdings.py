"""What a node keeps in memory, each with its bound.

Rules:
- A bound is the constant or the genesis limit that the code itself keeps to; what is over it is a fault of the node.
- Counts and bytes of kept things, not the process' memory: that is the interpreter's business, and repeats nowhere.
"""

from __future__ import annotations

from dataclasses import dataclass

from p2p.frames import FRAME_BYTES_MAX
from p2p.inbox import INBOX_BYTES_MAX, INBOX_FRAMES_MAX
from p2p.link import QUEUE_BYTES_MAX
from p2p.node import Node


@dataclass(frozen=True, slots=True)
class Holding:
    """How much of something a node keeps, or has kept at most, and how much it may."""

    name: str
    held: int
    bound: int


def holdings(node: Node) -> tuple[Holding, ...]:
    """Return what a node holds."""
    limits, figures = node.config.genesis.limits, node.driver.figures
    blocks_max = node.config.timing.blocks_in_flight_max
    return (
        Holding("transactions in the pool", len(node.pool), limits.pool_transactions_max),
        Holding("frames in the inbox", figures.inbox_peak, INBOX_FRAMES_MAX),
        Holding("bytes in the inbox", figures.inbox_bytes_peak, INBOX_BYTES_MAX + FRAME_BYTES_MAX),
        Holding("bytes queued on a link", node.links.queued_bytes, QUEUE_BYTES_MAX + FRAME_BYTES_MAX),
        Holding(
            "own blocks in flight",
            node.ordering.chain.in_flight if node.ordering.is_leader else 0,
            blocks_max,
        ),
        Holding("signatures remembered", len(node.verifier), node.verifier.capacity),
    )
