"""A node's configuration out of a founding and a network plan: the same in both worlds but for addresses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from p2p.config import NodeConfig
from p2p.topology import gossip_graph, neighbors_of
from scenarios.network.founding import Founding
from scenarios.worlds.base import NetworkPlan


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
