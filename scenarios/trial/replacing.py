"""A lost node replaced by law, as its organization's operator does it.

Rules:
- The next incarnation is registered on the ledger, over another member's node, before anything starts under its key.
- It begins with an empty disk, learns what it lacks from its peers, and takes its seat again once it has caught up.
- What is pending at the time waits: in a network without a majority nobody can be replaced.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from random import Random
from typing import cast

import aiohttp

from ledger.contracts.membership import Purpose, prove_possession
from ledger.encoding import Value
from ledger.keys import SigningKey
from ledger.transaction import Transaction, sign_transaction
from scenarios.trial.courses import CAUGHT_UP_POLL_S, has_caught_up
from scenarios.worlds.base import World

POLL_S = 0.1
VALID_FOR_MS = 86_400_000
_EPOCH_BITS = 63


class Replacement:
    """One replacement under way.

    Args:
        world: where.
        organization: whose node was lost.
        chance: its new key and nonces are drawn from this.
    """

    def __init__(self, world: World, organization: str, chance: Random) -> None:
        self._world = world
        self._organization = organization
        self._chance = chance

    async def run(self) -> None:
        """Register the next incarnation, start it empty, and have it order again if it did before."""
        key = SigningKey.from_seed(self._chance.randbytes(32))
        node, orders = await self._node()
        incarnation = node["incarnation"] + 1
        network = self._world.founding.genesis.network
        proof = prove_possession(key, network, self._organization, Purpose.NODE)
        await self._have_certified(
            "node.replace", {"incarnation": incarnation, "node_key": key.public, "node_key_proof": proof}
        )
        registered, _ = await self._node()
        await self._world.renew(self._organization, key, incarnation, registered["raft_id"])
        await self._world.restart(self._organization)
        while not await has_caught_up(self._world, self._organization):  # noqa: ASYNC110 - a node tells nobody
            await asyncio.sleep(CAUGHT_UP_POLL_S)
        if orders:
            await self._have_certified("node.ready", {"incarnation": incarnation})

    async def _node(self) -> tuple[Mapping[str, int], bool]:
        """Return the present node as the ledger has it, and whether it orders."""
        roster = await self._ask("GET", "/v1/members")
        members = cast("list[Mapping[str, object]]", roster["members"])
        member = next(member for member in members if member["id"] == self._organization)
        nodes = cast("list[Mapping[str, int]]", member["nodes"])
        return nodes[-1], self._organization in cast("list[str]", roster["orderers"])

    async def _have_certified(self, kind: str, body: Mapping[str, Value]) -> None:
        """Sign an act of the organization, and hand it in until it is certified."""
        own = self._world.founding.secrets[self._organization]
        signed = sign_transaction(
            Transaction(
                version=1,
                network=self._world.founding.genesis.network,
                type=kind,
                creator=self._organization,
                nonce=(self._chance.getrandbits(_EPOCH_BITS), 0),
                valid_until_ms=self._world.calendar_ms() + VALID_FOR_MS,
                documents=(),
                approvals=(),
                body=dict(body),
            ),
            own.organization_key,
        )
        while True:
            await self._ask("POST", "/v1/transactions", signed.raw)
            status = await self._ask("GET", f"/v1/transactions/{signed.id.hex()}")
            if status.get("status") == "certified":
                return
            await asyncio.sleep(POLL_S)

    async def _ask(self, method: str, path: str, body: bytes | None = None) -> Mapping[str, object]:
        """Ask the nodes of others in turn until one answers."""
        while True:
            for other in self._world.organizations:
                if other == self._organization or not self._world.is_up(other):
                    continue
                answer = await self._ask_at(other, method, path, body)
                if answer is not None:
                    return answer
            await asyncio.sleep(POLL_S)

    async def _ask_at(
        self, other: str, method: str, path: str, body: bytes | None
    ) -> Mapping[str, object] | None:
        endpoint = self._world.endpoint(other)
        headers = {"Authorization": f"Bearer {endpoint.token}"}
        timeout = aiohttp.ClientTimeout(total=5)
        with self._world.place(other):
            try:
                async with (
                    aiohttp.ClientSession(headers=headers, timeout=timeout) as session,
                    session.request(method, endpoint.url + path, data=body) as response,
                ):
                    answer: Mapping[str, object] = await response.json()
                    return answer if response.status < 500 else None
            except (aiohttp.ClientError, TimeoutError, OSError):
                return None
