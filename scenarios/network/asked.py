"""The network that a scenario asks for."""

from __future__ import annotations

from p2p.config import Timing
from p2p.topology import TopologyKind
from scenarios.model import Scenario
from scenarios.network.founding import Charter, Founding, Member, found_from_seed
from scenarios.network.plan import NetworkPlan

NETWORK_NAME = "pilot"


def founding_of(scenario: Scenario, seed: str) -> Founding:
    """Return the network a scenario founds from a seed."""
    members = [
        Member(id_, organization.name, organization.country, organization.roles)
        for id_, organization in scenario.organizations.items()
    ]
    charter = Charter(
        name=NETWORK_NAME,
        time_ms=scenario.calendar.start_ms,
        members=members,
        zone=scenario.calendar.zone,
        orderers=scenario.orderers,
        orderer_liars_tolerated=scenario.network.orderer_liars_tolerated,
    )
    return found_from_seed(charter, seed)


def network_plan(scenario: Scenario) -> NetworkPlan:
    """Return the network a scenario asks for."""
    network = scenario.network
    return NetworkPlan(
        topology=TopologyKind(network.topology),
        edges=network.edges,
        latency_ms=network.latency_ms,
        latency_table=network.latency_table,
        timing=Timing(heartbeat_ms=network.heartbeat_ms, election_ticks=network.election_ticks),
        regions=network.regions,
        orderers=scenario.orderers,
    )
