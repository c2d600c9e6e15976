"""A lost node replaced by law, as its organization's operator does it.

Rules:
- The next incarnation is registered on the ledger, over another member's node, before anything starts under its key.
- It begins with an empty disk, learns what it lacks from its peers, and takes its seat again once it has caught up.
- One orderer's node is replaced at a time in a network: who comes second waits until the first has its seat.
- What the ledger refuses is not taken for done: it is tried again where that can help, and else said.
- A node that was replaced again meanwhile is left to whoever replaces it now.
- What is pending at the time waits: in a network without a majority nobody can be replaced.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import cast

import aiohttp

from ledger.codes import Code
from ledger.contracts.membership import Purpose, prove_possession
from ledger.contracts.membership.standing import NodeState
from ledger.contracts.table import Refusal
from ledger.encoding import Value
from ledger.keys import SigningKey
from ledger.transaction import Transaction, sign_transaction
from scenarios.trial.courses import CAUGHT_UP_POLL_S, has_caught_up
from scenarios.worlds.base import World

POLL_S = 0.1
REPLACED_WITHIN_S = 600.0
"""Protocol time in which a replacement is done, the waiting for a majority and for others included."""
VALID_FOR_MS = 86_400_000
_EPOCH_BITS = 63
_DONE_OR_LATE = ("", Code.EXPIRED)
_WAIT_FOR = (
    *_DONE_OR_LATE,
    f"node.replace/{Refusal.REPLACEMENT_UNDER_WAY}",
    f"node.replace/{Refusal.WRONG_INCARNATION}",
)
"""What is no reason to give up: another's new node takes its seat, or an earlier signature took effect."""
_PASSING = (Code.OVERLOADED, Code.QUOTA_EXCEEDED)
"""Refusals at the door that pass."""

PresentKey = Callable[[str], SigningKey]
"""Gives an organization's key of the time: it may have rotated the one it was founded with."""


class ReplacementError(Exception):
    """A node is not replaced: the ledger refuses it for what waiting does not mend, or it takes too long."""

    def __init__(self, organization: str, reason: str) -> None:
        super().__init__(f"the node of {organization} is not replaced: {reason}")


@dataclass(frozen=True, slots=True)
class _Own:
    """Where an organization's node stands on the ledger."""

    standing: NodeState
    incarnation: int
    raft_id: int
    node_key: bytes
    is_another_returning: bool


class Replacement:
    """One replacement under way.

    Args:
        world: where.
        organization: whose node was lost.
        chance: its new key and nonces are drawn from this.
        present_key: gives the key with which an organization signs at the time.
    """

    def __init__(self, world: World, organization: str, chance: Random, present_key: PresentKey) -> None:
        self._world = world
        self._organization = organization
        self._chance = chance
        self._present_key = present_key

    async def run(self) -> None:
        """Register the next incarnation, start it empty, and have it order again if it did before.

        Raises:
            ReplacementError: if the ledger refuses what waiting does not mend, or it takes too long.
        """
        try:
            async with asyncio.timeout(REPLACED_WITHIN_S):
                await self._replace()
        except TimeoutError as error:
            raise ReplacementError(self._organization, f"not done within {REPLACED_WITHIN_S:g} s") from error

    async def _replace(self) -> None:
        key = SigningKey.from_seed(self._chance.randbytes(32))
        own, is_to_order = await self._register(key)
        if own.node_key != key.public:
            return
        await self._world.renew(self._organization, key, own.incarnation, own.raft_id)
        await self._world.restart(self._organization)
        while not await has_caught_up(self._world, self._organization):  # noqa: ASYNC110 - a node tells nobody
            await asyncio.sleep(CAUGHT_UP_POLL_S)
        if is_to_order:
            await self._take_seat(own)

    async def _register(self, key: SigningKey) -> tuple[_Own, bool]:
        """Have the ledger name the next incarnation; return who is the node then, and whether it is to take a seat."""
        network = self._world.founding.genesis.network
        proof = prove_possession(key, network, self._organization, Purpose.NODE)
        before = own = await self._member()
        while own.incarnation == before.incarnation:
            if not (own.standing is NodeState.ORDERER and own.is_another_returning):
                incarnation = own.incarnation + 1
                refusal = await self._act(
                    "node.replace",
                    {"incarnation": incarnation, "node_key": key.public, "node_key_proof": proof},
                )
                if refusal not in _WAIT_FOR:
                    raise ReplacementError(self._organization, refusal)
            await asyncio.sleep(POLL_S)
            own = await self._member()  # as often as whoever answers is behind
        return own, before.standing is not NodeState.OUTSIDE

    async def _take_seat(self, registered: _Own) -> None:
        own = registered
        while own.incarnation == registered.incarnation and own.standing is NodeState.LEARNER:
            refusal = await self._act("node.ready", {"incarnation": own.incarnation})
            await asyncio.sleep(POLL_S)
            own = await self._member()
            if refusal not in _DONE_OR_LATE and own.standing is NodeState.LEARNER:
                raise ReplacementError(self._organization, refusal)

    async def _member(self) -> _Own:
        """Return where the organization's node stands on the ledger, as whoever answers knows it."""
        roster = await self._ask("GET", "/v1/members")
        members = cast("list[Mapping[str, object]]", roster["members"])
        own = next(member for member in members if member["id"] == self._organization)
        node = _last_node(own)
        returning = [member["id"] for member in members if _last_node(member)["is_returning"]]
        return _Own(
            NodeState(str(own["standing"])),
            cast("int", node["incarnation"]),
            cast("int", node["raft_id"]),
            bytes.fromhex(str(node["key"])),
            is_another_returning=any(other != self._organization for other in returning),
        )

    async def _act(self, kind: str, body: Mapping[str, Value]) -> str:
        """Sign an act of the organization, and hand it in until it is decided.

        Returns:
            Nothing if it is certified and VALID, else the rule or code that refused it. What is late at one node's
            door may have taken effect by another's: look at the ledger before signing again.
        """
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
            self._present_key(self._organization),
        )
        while True:
            taken = await self._ask("POST", "/v1/transactions", signed.raw)
            code = cast("Mapping[str, str]", taken.get("error", {})).get("code")
            if code is not None and code not in _PASSING:
                return code
            status = await self._ask("GET", f"/v1/transactions/{signed.id.hex()}")
            if status.get("status") in {"certified", "expired"}:
                code = str(status.get("code", Code.EXPIRED))
                return "" if code == Code.VALID else str(status.get("rule", code))
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


def _last_node(member: Mapping[str, object]) -> Mapping[str, object]:
    return cast("list[Mapping[str, object]]", member["nodes"])[-1]
