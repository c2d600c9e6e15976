"""The peer: machine, frames, links, gossip, the node that joins ledger and consensus, and its HTTP API.

A node is made of its place in a network (`NodeConfig`), its surroundings (`Machine`) and whoever watches it
(`Observer`), and runs with the services it is to offer:

    node = Node(config, machine, observer)
    await node.run(serve_api)

`p2p.live` has the machine of a real process, `p2p.virtual` the deterministic world.
"""

from __future__ import annotations

from p2p.api import serve_api
from p2p.config import NodeConfig, Timing
from p2p.errors import ConfigError, FrameError, HelloError, NodeHaltedError, PeerError
from p2p.finality import Finality, TransactionStatus
from p2p.machine import DiskFailureError, Machine
from p2p.node import Node
from p2p.observer import Observer, SilentObserver
from p2p.topology import TopologyKind, gossip_graph

__all__ = [
    "ConfigError",
    "DiskFailureError",
    "Finality",
    "FrameError",
    "HelloError",
    "Machine",
    "Node",
    "NodeConfig",
    "NodeHaltedError",
    "Observer",
    "PeerError",
    "SilentObserver",
    "Timing",
    "TopologyKind",
    "TransactionStatus",
    "gossip_graph",
    "serve_api",
]
