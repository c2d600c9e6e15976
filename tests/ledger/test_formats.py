"""The hashes that everything else stands on, written down: a changed format must not slip in unnoticed.

A value here changes only together with the version in its domain (`seatrial/transaction/v2`, ...), since
every signature, receipt and certificate of an existing network depends on it.
"""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from ledger.statetree import StateTree

SCRIPT = """
from ledger import BoxKey, Genesis, Organization, Role, SigningKey, StateTree, Transaction
from ledger import build_block, sign_transaction
key, node = SigningKey.from_seed(bytes(32)), SigningKey.from_seed(b"n" * 32)
box = BoxKey(b"b" * 32).public
member = Organization("cbp", "CBP", "US", (Role.CUSTOMS, Role.OBSERVER), key.public, node.public, box)
genesis = Genesis("pilot", 0, (member,), ("cbp",))
signed = sign_transaction(
    Transaction(
        1, genesis.network, "claim.open", "cbp", (7, 1), 1000, (bytes(32),), (), {"line": 1, "entry": "E"}
    ),
    key,
)
block = build_block(
    network=genesis.network, height=1, term=1, previous=genesis.hash, time_ms=5, transactions=[signed.raw],
    proposer="cbp", key=node,
)
tree = StateTree({f"claim/{i}": b"%d" % i for i in range(100)})
for item in (genesis.hash, signed.id, block.hash, tree.root):
    print(item.hex())
"""

WRITTEN_DOWN = [
    "ce06a462bc572865ba6b9b2d8b93913d3c32e8547891fe22a63103fa98920c60",  # genesis
    "cc301e14c04019473ce320a51be51e12e6a81ba649ed2051b2d787b434c8b770",  # transaction
    "7b7638aa305b38eb27e741e6956a6facf83bfc8509e243ad8579986376facdcf",  # block
    "d75a1e12923504aa488e6af7ab961ff304767d7e2b7564cfaaa3d4d8ef712b90",  # state
]


@pytest.mark.slow
@pytest.mark.parametrize("hash_seed", ["0", "1"])
def test_formats_stay_and_do_not_depend_on_the_hash_seed(hash_seed: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == WRITTEN_DOWN


def test_the_state_root_of_a_hundred_claims() -> None:
    assert StateTree({f"claim/{i}": b"%d" % i for i in range(100)}).root.hex() == WRITTEN_DOWN[3]
