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
from ledger import Genesis, Organization, Role, SigningKey, StateTree, Transaction
from ledger import build_block, sign_transaction
key, node = SigningKey.from_seed(bytes(32)), SigningKey.from_seed(b"n" * 32)
member = Organization("cbp", "CBP", "US", (Role.CUSTOMS, Role.OBSERVER), key.public, node.public, b"b" * 32)
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
    "545eb6b28cdd10ceb22e2fd037efa805a4ae0c992d88afa1bf6aa836ed2a2ab0",  # genesis
    "b264be0dcf4c1d7a58b394e2189e2fc46b062b943dae34137acd859c5cf53c3e",  # transaction
    "f8f7015e06d95a4aeff3d7293c30040ba9109ef4a3e3b947c5234d1ecab58d3f",  # block
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
