"""The peer graph for gossip, by networkx.

Rules:
- The same kind, members and seed give the same graph on every machine.
- The graph is connected, or it is refused: a member nobody gossips with would learn of nothing.
- Orderers form a full mesh for Raft whatever the graph says; the graph only decides who gossips with whom.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

import networkx as nx

from ledger.roster import Roster
from p2p.config import NodeConfig
from p2p.errors import ConfigError


class TopologyKind(StrEnum):
    """The shapes of graph a network can gossip over."""

    COMPLETE = "complete"
    RING = "ring"
    SMALL_WORLD = "small-world"
    RANDOM_REGULAR = "random-regular"
    EDGES = "edges"


def gossip_graph(
    kind: TopologyKind,
    members: Sequence[str],
    *,
    seed: int = 0,
    degree: int = 4,
    rewire_probability: float = 0.2,
    edges: Sequence[tuple[str, str]] = (),
) -> nx.Graph[str]:
    """Return the graph over `members`.

    Args:
        kind: the shape.
        members: organization ids, in genesis order.
        seed: decides the random shapes.
        degree: neighbors of each member in `small-world` and `random-regular`; capped at `len(members) - 1`.
        rewire_probability: of `small-world` (Watts and Strogatz 1998).
        edges: the pairs, for `edges`.

    Raises:
        ConfigError: if an edge names an unknown member or the graph is not connected.
    """
    count = len(members)
    degree = min(degree, count - 1)
    shape: nx.Graph[int]
    if kind is TopologyKind.EDGES:
        return _explicit(members, edges)
    if kind is TopologyKind.COMPLETE or count <= 3:
        shape = nx.complete_graph(count)
    elif kind is TopologyKind.RING:
        shape = nx.cycle_graph(count)
    elif kind is TopologyKind.SMALL_WORLD:
        shape = nx.connected_watts_strogatz_graph(count, max(2, degree), rewire_probability, seed=seed)
    else:
        even = degree if degree * count % 2 == 0 else degree - 1
        shape = nx.random_regular_graph(max(2, even), count, seed=seed)
    graph: nx.Graph[str] = nx.Graph()
    graph.add_nodes_from(members)
    graph.add_edges_from((members[left], members[right]) for left, right in shape.edges)
    return _connected(graph)


def _explicit(members: Sequence[str], edges: Sequence[tuple[str, str]]) -> nx.Graph[str]:
    graph: nx.Graph[str] = nx.Graph()
    graph.add_nodes_from(members)
    for left, right in edges:
        for end in (left, right):
            if end not in graph:
                raise ConfigError(
                    f"topology edge ({left}, {right}): {end!r} is no member; members: {list(members)}"
                )
        graph.add_edge(left, right)
    return _connected(graph)


def _connected(graph: nx.Graph[str]) -> nx.Graph[str]:
    if not nx.is_connected(graph):
        parts = sorted(sorted(part) for part in nx.connected_components(graph))
        raise ConfigError(
            f"the gossip graph falls into {len(parts)} parts: {parts}; add an edge between them"
        )
    return graph


def neighbors_now(config: NodeConfig, roster: Roster) -> tuple[str, ...]:
    """Return with whom a node gossips now: its configured neighbors but for those that left, and all who joined since.

    Who joined after genesis is in nobody's graph; there are few of them, and everybody gossips with them.
    """
    joined = [m.id for m in roster.members if config.genesis.find(m.id) is None]
    removed = [m.id for m in roster.everyone if not m.is_present]
    names = dict.fromkeys([*config.neighbors, *joined])
    return tuple(name for name in names if name != config.organization and name not in removed)


def neighbors_of(graph: nx.Graph[str], member: str) -> tuple[str, ...]:
    """Return the members `member` gossips with, sorted."""
    return tuple(sorted(graph.neighbors(member)))
