"""How a network is laid out: its graph, latencies and addresses, down to one node's configuration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from p2p.config import NodeConfig, Timing
from p2p.topology import TopologyKind, gossip_graph, neighbors_of
from scenarios.network.founding import Founding


@dataclass(frozen=True, slots=True)
class NetworkPlan:
    """How the network between nodes is laid out.

    Attributes:
        topology: shape of the gossip graph.
        edges: its pairs, for explicit edges.
        latency_ms: range of one-way latency between organizations (virtual world).
        latency_table: the same of every direction, from organization to organization, that has its own.
        timing: how nodes pace themselves.
        regions: organizations by region.
        orderers: the organizations whose nodes vote.
    """

    topology: TopologyKind = TopologyKind.COMPLETE
    edges: tuple[tuple[str, str], ...] = ()
    latency_ms: tuple[float, float] = (10, 30)
    latency_table: Mapping[tuple[str, str], tuple[float, float]] = field(default_factory=dict)
    timing: Timing = field(default_factory=Timing)
    regions: Mapping[str, Sequence[str]] = field(default_factory=dict)
    orderers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Address:
    """Where one node listens."""

    host: str
    peer_port: int
    api_port: int


def node_config(
    founding: Founding,
    plan: NetworkPlan,
    organization: str,
    addresses: Mapping[str, Address],
    *,
    calendar_ms: int,
    with_control: bool = True,
) -> NodeConfig:
    """Return the configuration of one node.

    Args:
        founding: the network's genesis and secrets.
        plan: the network's layout.
        organization: whose node.
        addresses: where every node listens.
        calendar_ms: the calendar at start, UTC milliseconds.
        with_control: whether it has a control channel.
    """
    members = [o.id for o in founding.genesis.organizations]
    graph = gossip_graph(plan.topology, members, edges=plan.edges)
    own = founding.secrets[organization]
    here = addresses[organization]
    return NodeConfig(
        genesis=founding.genesis,
        organization=organization,
        node_key=own.node_key,
        peer_host=here.host,
        peer_port=here.peer_port,
        api_host=here.host,
        api_port=here.api_port,
        peers={
            other: f"http://{address.host}:{address.peer_port}"
            for other, address in addresses.items()
            if other != organization
        },
        neighbors=neighbors_of(graph, organization),
        token=own.token,
        control_token=own.control_token if with_control else None,
        calendar_ms=calendar_ms,
        timing=plan.timing,
    )
