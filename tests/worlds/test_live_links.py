"""Live nodes whose links go through proxies: what is done to a link is done to real processes."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

from ledger.genesis import Role
from scenarios.network.founding import Charter, Member, found_from_seed
from scenarios.network.plan import NetworkPlan
from scenarios.trial.directions import links_of
from scenarios.worlds.linkproxy import LinkProxies
from scenarios.worlds.live import LiveWorld

START_MS = 1_536_048_000_000
LIMIT_S = 60


async def test_live_links_pass_through_proxies_and_are_dialed_again_after_a_reset(tmp_path: Path) -> None:
    members = [
        Member("cbp", "Customs", "US", (Role.CUSTOMS,)),
        Member("noaa", "Fisheries", "US", (Role.FISHERIES,)),
    ]
    founding = found_from_seed(Charter("pair", START_MS, members, "America/New_York"), "links")
    opened, closed = asyncio.Queue[str](), asyncio.Queue[str]()

    def sink(event: str, fields: object) -> None:
        if event == "link.opened":
            opened.put_nowait(event)
        elif event == "link.closed":
            closed.put_nowait(event)

    proxies = LinkProxies(random.Random)
    world = LiveWorld(tmp_path, founding, NetworkPlan(), sink, proxies)
    try:
        async with asyncio.timeout(LIMIT_S):
            await world.open(START_MS)
            for _ in members:
                await opened.get()
            pairs = [("cbp", "noaa"), ("noaa", "cbp")]
            assert all(proxies.figures(*pair).bytes > 0 for pair in pairs), "both directions pass"
            assert sum(proxies.figures(*pair).connections for pair in pairs) >= 1
            assert world.reset(links_of(world.organizations, ["cbp"])) == 1
            for _ in members:
                await closed.get()
                await opened.get()
            mend = world.cut(pairs)
            passed = [proxies.figures(*pair).bytes for pair in pairs]
            assert world.forsake([("cbp", "noaa")]) == 1
            await closed.get()
            assert [proxies.figures(*pair).bytes for pair in pairs] == passed, "nothing passes a cut"
            mend()
            await opened.get()
            assert sum(proxies.figures(*pair).bytes for pair in pairs) > sum(passed)
    finally:
        await world.close()
