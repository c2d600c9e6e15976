"""Makes the cluster of `tests/consensus/harness.py` importable as `raft_harness`, and holds what the files share.

One file per group of sections of the Raft paper ("In Search of an Understandable Consensus Algorithm",
extended version) and of Ongaro's dissertation ("Consensus: Bridging Theory and Practice"); one test per
claim, which says where the claim is made, and what it is in our words.
"""

import importlib.util
import sys
from pathlib import Path

if "raft_harness" not in sys.modules:
    spec = importlib.util.spec_from_file_location(
        "raft_harness", Path(__file__).parents[1] / "consensus" / "harness.py"
    )
    assert spec is not None
    assert spec.loader is not None
    sys.modules["raft_harness"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(sys.modules["raft_harness"])
