"""The end of a trial: a majority healed alone must make progress, then all healed must converge.

Rules:
- Only where faults took the majority away does getting one back prove anything; else the first phase is left out.
- Which orderers are healed is drawn from the seed. The others are killed, whatever they were: what counts is that the
  majority needs nobody else.
- Progress is a probe that gets its certificate at every healed node within so many of the longest election timeouts.
  It acknowledges a document that nobody anchored, so the ledger refuses it, by receipt, and nothing else changes.
- Both bounds are protocol time; what was demanded and what came of it are events, and the checks judge those.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random

from p2p.finality import Finality
from scenarios.agents.client import NodeClient
from scenarios.agents.wallet import Wallet
from scenarios.record.eventbook import EventBook
from scenarios.trial.faultengine import FaultEngine
from scenarios.trial.settling import Rest, Settling
from scenarios.worlds.base import World

PROGRESS_ELECTION_TIMEOUTS = 10
"""Within so many of the longest election timeouts a healed majority certifies a new transaction."""
CONVERGENCE_LIMIT_S = 60.0
PROBE_VALID_MS = 24 * 3600 * 1000


@dataclass(slots=True)
class Healing:
    """Heals a trial's world in two phases.

    Attributes:
        world: whose nodes.
        faults: what is to be healed.
        book: where demands and outcomes are written.
        settling: judges rest.
        clients: of every node, by organization.
        wallets: of every organization.
        chance: draws who is healed first.
        now_ms: the calendar.
    """

    world: World
    faults: FaultEngine
    book: EventBook
    settling: Settling
    clients: Mapping[str, NodeClient]
    wallets: Mapping[str, Wallet]
    chance: Random
    now_ms: Callable[[], int]

    async def heal_majority(self) -> None:
        """Heal a majority alone and demand progress of it, if the faults had taken it away."""
        if not self.faults.took_majority:
            return
        orderers = self.faults.orderers
        able = [name for name in orderers if not self.faults.is_to_be_replaced(name)]
        if len(able) < self.faults.quorum:
            return  # nobody can be replaced before all are healed
        drawn = self.chance.sample(able, self.faults.quorum)
        healed = [name for name in orderers if name in drawn]
        away = [name for name in orderers if name not in drawn]
        limit_ms = PROGRESS_ELECTION_TIMEOUTS * self.settling.election_timeout_ms_max
        self.book.add(
            "phase", {"name": "heal majority", "healed": healed, "away": away, "limit_ms": limit_ms}
        )
        await self.faults.heal(away)
        begun_s = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(limit_ms / 1000):
                await self._probe(healed)
        except TimeoutError:
            text = f"{', '.join(healed)} were healed and certified nothing new within {limit_ms} ms"
            self.book.add("progress.missed", {"text": text})
            return
        after_ms = round((asyncio.get_running_loop().time() - begun_s) * 1000)
        self.book.add("progress.made", {"after_ms": after_ms, "limit_ms": limit_ms})

    async def heal_all(self) -> bool:
        """Heal everything and demand convergence; return whether it came."""
        self.book.add("phase", {"name": "heal"})
        await self.faults.heal()
        limit_ms = round(CONVERGENCE_LIMIT_S * 1000)
        self.book.add("phase", {"name": "converge", "limit_ms": limit_ms})
        begun_s = asyncio.get_running_loop().time()
        if await self.settling.rest(CONVERGENCE_LIMIT_S) is not Rest.IDLE:
            return False
        after_ms = round((asyncio.get_running_loop().time() - begun_s) * 1000)
        self.book.add("convergence.made", {"after_ms": after_ms, "faults": self.faults.begun})
        return True

    async def _probe(self, healed: list[str]) -> None:
        first = healed[0]
        signed = self.wallets[first].sign(
            "document.acknowledge", {"root": self.chance.randbytes(32)}, (), self.now_ms() + PROBE_VALID_MS
        )
        self.book.add("progress.demanded", {"id": signed.id.hex(), "node": first})
        with self.world.place(first):
            await self.clients[first].submit_until_accepted(signed.raw)
        for name in healed:
            with self.world.place(name):
                await self._certified(self.clients[name], signed.id, signed.raw)

    async def _certified(self, client: NodeClient, transaction_id: bytes, raw: bytes) -> None:
        status = await client.settle(transaction_id, raw)
        if not status.status.reaches(Finality.CERTIFIED):
            raise AssertionError(f"{client}: settled, and not certified: {status.status}")
