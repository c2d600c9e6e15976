"""Every node at the end of a run, read back from the files its disk kept.

Rules:
- What counts is what a reopened store says, watermark and all: durability is judged on disks, not on memory.
- A store that does not open is a node that is missing at the end, with the reason.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar, cast

import apsw

from ledger.checkpoint import parse_checkpoint
from ledger.contracts.carnet import read_carnet
from ledger.contracts.records import read_document
from ledger.errors import LedgerError
from ledger.keys import Verifier
from ledger.receipt import CONSUMING
from ledger.state import carnet_key, document_key
from ledger.store import Store
from ledger.store.rebuild import StaleError, read_leaves, restore
from scenarios.errors import RefusedError
from scenarios.judging.checks.check import FinalNode, FinalState
from scenarios.record.nodestore import opened_copy

_PAGE = 500
T = TypeVar("T", bound=Hashable)
K = TypeVar("K")
V = TypeVar("V")
_DOCUMENTS, _CARNETS = document_key(b""), carnet_key(b"")


def read_final(directories: Mapping[str, Path], organizations: Sequence[str]) -> tuple[FinalState, list[str]]:
    """Return where every node stands, and the reasons for those that cannot be read."""
    nodes: dict[str, FinalNode] = {}
    faults: list[str] = []
    documents: list[tuple[bytes, bytes]] = []
    carnets: list[tuple[bytes, bytes]] = []
    height = -1
    same = _Same()
    for organization, directory in directories.items():
        try:
            with opened_copy(directory) as store:
                nodes[organization] = _final_node(store, same)
                if store.height > height:
                    height, documents = store.height, _rows(store, _DOCUMENTS)
                    carnets = _rows(store, _CARNETS)
        except (LedgerError, RefusedError, apsw.Error) as error:
            faults.append(f"{organization}: {error}")
    final = FinalState(
        organizations,
        nodes,
        {root: read_document(value) for root, value in documents},
        {carnet: read_carnet(value) for carnet, value in carnets},
    )
    return final, faults


def _rows(store: Store, kind: str) -> list[tuple[bytes, bytes]]:
    """Return (id, record) of everything in the state whose key is this and an id in hex."""
    sql = "SELECT key, value FROM state WHERE key > ? AND key < ? ORDER BY key"
    rows = cast("list[tuple[str, bytes]]", store.rows("state", sql, (kind, f"{kind}g")))
    return [(bytes.fromhex(key.removeprefix(kind)), value) for key, value in rows]


class _Same:
    """Lets nodes that hold the same hold it once: all of them do, if all is well."""

    def __init__(self) -> None:
        self._known: dict[object, object] = {}
        self._maps: list[Mapping[object, object]] = []

    def __call__(self, value: T) -> T:
        """Return an equal value that is held already, or this one."""
        return cast(T, self._known.setdefault(value, value))

    def map(self, given: Mapping[K, V]) -> Mapping[K, V]:
        """Return an equal map that is held already, or this one."""
        for known in self._maps:
            if len(known) == len(given) and known == given:
                return cast("Mapping[K, V]", known)
        self._maps.append(cast("Mapping[object, object]", given))
        return given


def _final_node(store: Store, same: _Same) -> FinalNode:
    receipts: dict[str, tuple[int, str]] = {}
    after = -1
    while page := store.receipts(after, _PAGE):
        after = page[-1].index
        for receipt in page:
            if receipt.code in CONSUMING:
                receipts.setdefault(same(receipt.id.hex()), same((receipt.height, receipt.code)))
    latest = store.latest_certificate()
    state_root = (
        "" if store.height == 0 else parse_checkpoint(store.own_checkpoint(store.height)[0]).state_root.hex()
    )
    state, stale = _derived(store)
    return FinalNode(
        height=store.height,
        certified=0 if latest is None else latest[0],
        block_hashes=same.map(
            {
                height: same(store.block_hash(height).hex())
                for height in range(1, store.height + 1)
                if not any(gap.height_first <= height < gap.height_end for gap in store.gaps)
            }
        ),
        state_root=state_root,
        receipts=same.map(receipts),
        leaves=same.map({cast(int, row[0]): same(cast(bytes, row[3])) for row in read_leaves(store)}),
        state=same.map({same(key): same(value) for key, value in state.items()}),
        stale=stale,
    )


def _derived(store: Store) -> tuple[Mapping[str, bytes], str | None]:
    """Return the state, and why it or the leaves do not give the roots that this node signed, if they do not."""
    try:
        return dict(restore(store, Verifier()).state.items()), None
    except StaleError as error:
        rows = store.rows("state", "SELECT key, value FROM state ORDER BY key")
        return dict(cast("list[tuple[str, bytes]]", rows)), str(error)
