"""Reads of records through other nodes, while an act on them is under way and right after it has returned.

Rules:
- Only where the scenario lists the check that judges them: each read costs a round of Raft's messages.
- When an act is handed in an orderer drawn from the seed is asked for the latest, when it has returned all of them are;
  a read that fails says nothing.
- What is written down is what clients saw: when an act was handed in, when its client learned that it is certified,
  what a read returned and when.
- Vouchers and claims under a carnet that replaced a lost one stand under the first carnet of its line.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping, Sequence
from random import Random

from ledger.encoding import Value
from ledger.transaction import SignedTransaction
from scenarios.agents.answers import ApiProblem, NodeUnreachableError
from scenarios.agents.client import NodeClient
from scenarios.record.eventbook import EventBook
from scenarios.worlds.base import World

READS_MAX = 400
"""In one run; histories stay small enough to be judged."""

_KEYS: Mapping[str, tuple[str, ...]] = {
    "certificate": ("certificate",),
    "claim": ("entry", "line"),
    "verification": ("verification",),
    "fisheries": ("form370",),
    "carnet": ("carnet",),
}
"""Per family of acts, the fields of the body that name its record."""
_PREFIXES = {"fisheries": "form370"}
_UNDER_A_CARNET: Mapping[str, tuple[str, str]] = {
    **dict.fromkeys(
        ("carnet.present", "carnet.endorse", "carnet.refuse", "carnet.settle"), ("carnet-voucher", "serial")
    ),
    **dict.fromkeys(
        ("carnet.claim", "carnet.answer", "carnet.decide", "carnet.close"), ("carnet-claim", "voucher")
    ),
}
"""Per act on what belongs to a carnet, its record's prefix and the field that tells its number."""


def audited_keys(
    act: str, creator: str, body: Mapping[str, Value], origins: Mapping[str, str] | None = None
) -> list[str]:
    """Return the state keys of the records that an act is about, those that are audited.

    Args:
        act: the transaction's type.
        creator: who acts.
        body: the transaction's.
        origins: of a carnet that replaced another, the first one of its line.
    """
    parts = {name: _hex(value) for name, value in body.items()}
    family = act.partition(".")[0]
    keys: list[str] = []
    names = _KEYS.get(family, ())
    is_beside = act in _UNDER_A_CARNET and act != "carnet.present"  # the carnet itself stays as it is
    if act in _UNDER_A_CARNET:
        prefix, number = _UNDER_A_CARNET[act]
        origin = (origins or {}).get(parts["carnet"], parts["carnet"])
        keys.append(f"{prefix}/{origin}/{parts[number]}")
    if family == "power":
        keys.append(f"power/{creator}/{parts['broker']}")
    elif names and all(name in parts for name in names) and not is_beside:
        keys.append("/".join([_PREFIXES.get(family, family), *(parts[name] for name in names)]))
    if act == "carnet.replace":
        keys.append(f"carnet/{parts['successor']}")
    if act == "certificate.deliver" or family == "holding":
        keys.append(f"holding/{parts['certificate']}/{parts.get('holder', creator)}")
    return keys


class Auditor:
    """Reads what acts change.

    Args:
        world: whose nodes.
        orderers: whose nodes can tell the latest.
        clients: of every node.
        book: where operations are written down.
        chance: draws whom to ask.
        spawn: starts a task beside an organization's node.
    """

    def __init__(
        self,
        world: World,
        orderers: Sequence[str],
        clients: Mapping[str, NodeClient],
        book: EventBook,
        chance: Random,
        spawn: Callable[[Coroutine[object, object, None], str, str], None],
    ) -> None:
        self._world = world
        self._orderers = orderers
        self._clients = clients
        self._book = book
        self._chance = chance
        self._spawn = spawn
        self._keys: dict[bytes, list[str]] = {}
        self._origins: dict[str, str] = {}
        self._reads = 0

    def called(self, signed: SignedTransaction) -> None:
        """Take note that an act is handed in, the first time."""
        if signed.id in self._keys:
            return
        transaction = signed.transaction
        if transaction.type == "carnet.replace":
            lost, successor = (_hex(transaction.body[name]) for name in ("carnet", "successor"))
            self._origins[successor] = self._origins.get(lost, lost)
        keys = audited_keys(transaction.type, transaction.creator, transaction.body, self._origins)
        self._keys[signed.id] = keys
        if keys:
            self._book.add("operation.called", {"id": signed.id.hex(), "organization": transaction.creator})
        for key in keys:
            self._read(key, [self._chance.choice(self._orderers)])

    def returned(self, transaction_id: bytes) -> None:
        """Take note that an act's client has learned what became of it."""
        keys = self._keys.pop(transaction_id, [])
        if keys:
            self._book.add("operation.returned", {"id": transaction_id.hex()})
        for key in keys:
            self._read(key, self._orderers)

    def _read(self, key: str, names: Sequence[str]) -> None:
        for name in names:
            if self._reads < READS_MAX and self._world.is_up(name):
                self._reads += 1
                self._spawn(self._audit(self._reads, key, name), f"audit {self._reads}", name)

    async def _audit(self, number: int, key: str, name: str) -> None:
        self._book.add("read.called", {"read": number, "key": key, "node": name})
        try:
            answer = await self._clients[name].state(key, linearizable=True)
        except (ApiProblem, NodeUnreachableError):
            return
        state = answer.fields.get("state") if answer.value is not None else None
        self._book.add("read.returned", {"read": number, "state": None if state is None else str(state)})


def _hex(value: Value) -> str:
    return value.hex() if isinstance(value, bytes) else str(value)
