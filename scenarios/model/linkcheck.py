"""What link faults ask of the whole file: members, regions, and enough nodes to fall apart."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from scenarios.errors import RefusedError, UnknownNameError
from scenarios.model.faults import FaultRecord
from scenarios.model.linkfaults import RING_MEMBERS_MIN, Bridge, HalfOpen, Latency, OneWay, Partition, Ring
from scenarios.model.network import RegionTable
from scenarios.model.scenario import Scenario
from scenarios.model.targets import Target, TargetKind
from scenarios.model.yamltree import Location

Refusals = Iterator[tuple[Location, RefusedError]]


def hit_count(target: Target, scenario: Scenario) -> int:
    """Return how many nodes a target hits, whoever they are."""
    voters = len(scenario.orderers)
    match target.kind:
        case TargetKind.NODES:
            return len(target.names)
        case TargetKind.ALL:
            return len(scenario.organizations)
        case TargetKind.MINORITY:
            return (voters - 1) // 2
        case TargetKind.MAJORITY:
            return voters // 2 + 1
        case TargetKind.REGION:
            return len(scenario.network.regions.get(target.region, ()))
        case _:
            return 1


def link_refusals(scenario: Scenario, where: Location, fault: FaultRecord) -> Refusals:
    """Refuse a link fault that this consortium's network cannot have.

    Args:
        scenario: the whole.
        where: the fault's place in it.
        fault: any fault.
    """
    count, members = hit_count(fault.target, scenario), len(scenario.organizations)
    match fault:
        case Partition():
            yield from _groups(scenario, where, fault.params.groups or ())
            if count == members and fault.params.groups is None:
                yield (
                    (*where, "target"),
                    RefusedError("the target is everybody", "a partition has two sides", "leave one out"),
                )
        case OneWay() | HalfOpen() if count == members:
            yield (*where, "target"), RefusedError("the target is everybody", "two sides", "leave one out")
        case Bridge():
            yield from _groups(scenario, where, fault.params.groups or ())
            if members - count < 2:
                limit = f"two others at least; {count} of {members} are the bridge"
                yield (*where, "target"), RefusedError("leaves nobody to part", limit, "name fewer")
        case Ring() if count < RING_MEMBERS_MIN:
            limit = f"{RING_MEMBERS_MIN} nodes at least; this target hits {count}"
            yield (*where, "target"), RefusedError("is no ring", limit, "write target: all, or name more")
        case Latency() if fault.params.regions is not None:
            inside = (*where, "params", "regions")
            yield from region_names(scenario.network.regions, inside, fault.params.regions)
        case _:
            return


def region_names(regions: Mapping[str, Sequence[str]], where: Location, table: RegionTable) -> Refusals:
    """Refuse a table of latencies that names a region the scenario does not have."""
    for region, row in table.items():
        if region not in regions:
            yield (*where, region), UnknownNameError("region", region, regions)
        for other in row:
            if other not in regions:
                yield (*where, region, other), UnknownNameError("region", other, regions)


def _groups(scenario: Scenario, where: Location, groups: Iterable[Sequence[str]]) -> Refusals:
    for at, group in enumerate(groups):
        for position, name in enumerate(group):
            if name not in scenario.organizations:
                refusal = UnknownNameError("organization", name, scenario.organizations)
                yield (*where, "params", "groups", at, position), refusal
