"""Regions: who is in one, how far it is from one to another."""

from __future__ import annotations

from pathlib import Path

from p2p.virtual import NS_PER_MS
from scenarios.model.network import latency_between

REGIONS = {"north": ("a", "b"), "south": ("c",)}


def test_a_table_of_regions_goes_both_ways_unless_the_way_back_is_given() -> None:
    table = {"north": {"north": (1, 2), "south": (30, 40)}}
    assert latency_between(REGIONS, table) == {
        ("a", "b"): (1, 2),
        ("b", "a"): (1, 2),
        ("a", "c"): (30, 40),
        ("b", "c"): (30, 40),
        ("c", "a"): (30, 40),
        ("c", "b"): (30, 40),
    }
    uneven = latency_between(REGIONS, {"north": {"south": (30, 40)}, "south": {"north": (5, 6)}})
    assert (uneven["a", "c"], uneven["c", "a"]) == ((30, 40), (5, 6))
    assert ("a", "b") not in uneven, "what the table leaves out keeps the network's own latency"


APART = """\
scenario: apart
extends: nafta-certificate
title: Two regions, far from each other
network:
  regions: { north: [cbp, noaa, importer], south: [exporter] }
  region_latency_ms:
    north: { south: [60, 80] }
    south: { north: [40, 50] }
"""


def test_the_virtual_wire_keeps_to_the_table(pilot, tmp_path: Path) -> None:
    path = tmp_path / "apart.yaml"
    path.write_text(APART)
    seen: dict[tuple[str, str], tuple[int, int]] = {}

    async def script(p) -> None:
        end = await p.fault("crash", target="region:south")
        assert [o for o in p.organizations if not p._trial.world.is_up(o)] == ["exporter"]
        await end()
        for one, other in (("cbp", "exporter"), ("exporter", "cbp"), ("cbp", "noaa")):
            link = p._trial.world.kit.network.link(one, other)
            drawn = sorted(link.latency_ns() // NS_PER_MS for _ in range(200))
            seen[one, other] = (drawn[0], drawn[-1])

    assert pilot(path, script, keep_steps=False).passed
    assert 60 <= seen["cbp", "exporter"][0] < seen["cbp", "exporter"][1] <= 80
    assert 40 <= seen["exporter", "cbp"][0] < seen["exporter", "cbp"][1] <= 50
    assert seen["cbp", "noaa"][1] <= 30
