"""What faults of nodes ask of the whole file: that what was acknowledged is not lost with the stores."""

from __future__ import annotations

from collections.abc import Iterator

from scenarios.errors import RefusedError
from scenarios.model.faults import FaultRecord
from scenarios.model.nodefaults import FlipBits, Rebuild
from scenarios.model.scenario import Scenario
from scenarios.model.targets import TargetKind
from scenarios.model.yamltree import Location


def node_refusals(
    scenario: Scenario, where: Location, fault: FaultRecord
) -> Iterator[tuple[Location, RefusedError]]:
    """Refuse a fault that may lose more stores than a minority of orderers has.

    Args:
        scenario: the whole.
        where: the fault's place in it.
        fault: any fault.
    """
    if not isinstance(fault, FlipBits | Rebuild):
        return
    if fault.target.kind is TargetKind.REGION:
        names = scenario.network.regions.get(fault.target.region, ())
    else:
        names = fault.target.names
    lost = [name for name in names if name in scenario.orderers]
    bearable = (len(scenario.orderers) - 1) // 2
    if len(lost) > bearable:
        what = f"{len(lost)} orderers' stores are lost: {', '.join(lost)}"
        limit = f"{bearable} of {len(scenario.orderers)}; what a majority has acknowledged is nowhere else"
        yield (*where, "target"), RefusedError(what, limit, "hit a minority")
