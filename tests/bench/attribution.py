"""Where the processor's time goes: a profile's own times summed by whose code it is.

Rules:
- Counted is *own* time (cProfile's tottime), so that nothing counts twice and the shares add up to 100.
- A Python function belongs to the file it is in; the table below says whose that file is.
- What C functions take goes to whoever called them (a `len` in ledger is ledger's), but for SQLite's and
  libsodium's, which are named themselves. Compiled parts of aiohttp are invisible to the profiler: their time
  is their caller's, nearly always aiohttp's own Python.
- SQLite's own time is without its calls back into the virtual disk, which are Python and stand apart.
- The profiler charges every call, so that code of many small calls looks dearer than it is: shares tell where
  to look, the unprofiled run tells what it costs.
"""

from __future__ import annotations

import cProfile
import pstats
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]

_OURS: Final = (
    ("p2p/virtual/vfs.py", "virtual disk"),
    ("p2p/virtual/disk.py", "virtual disk"),
    ("p2p/virtual/", "asyncio and the virtual loop and network"),
    ("ledger/store/", "ledger: store"),
    ("ledger/", "ledger: transactions, contracts, trees, proofs"),
    ("consensus/", "consensus"),
    ("p2p/", "p2p: node, links, gossip, API"),
    ("scenarios/", "scenarios: client and world"),
    ("tests/", "the bench itself"),
)
_OTHERS: Final = (
    ("/aiohttp/", "aiohttp"),
    ("/multidict/", "aiohttp"),
    ("/yarl/", "aiohttp"),
    ("/aiosignal/", "aiohttp"),
    ("/frozenlist/", "aiohttp"),
    ("/propcache/", "aiohttp"),
    ("/aiohappyeyeballs/", "aiohttp"),
    ("/asyncio/", "asyncio and the virtual loop and network"),
    ("/nacl/", "signatures (libsodium)"),
    ("/apsw/", "SQLite"),
)
_BUILT_IN: Final = (
    ("_sodium", "signatures (libsodium)"),
    ("apsw", "SQLite"),
)
REST: Final = "the rest of Python's library"

_Function = tuple[str, int, str]


def shares(profile: cProfile.Profile) -> list[tuple[str, float]]:
    """Return whose code took which share of the profiled time, in percent, the greatest first."""
    spent: dict[str, float] = {}
    for function, (_, _, own_s, _, callers) in pstats.Stats(profile).stats.items():  # type: ignore[attr-defined]
        owner = owner_of(function)
        if owner is not None or not callers:
            spent[owner or REST] = spent.get(owner or REST, 0.0) + own_s
            continue
        for caller, (_, _, through_s, _) in callers.items():
            whose = owner_of(caller) or REST
            spent[whose] = spent.get(whose, 0.0) + through_s
    total = sum(spent.values())
    found = [(owner, 100 * own_s / total) for owner, own_s in spent.items()]
    return sorted(found, key=lambda share: -share[1])


def owner_of(function: _Function) -> str | None:
    """Return whose a profiled function is, or None for a C function that is its caller's."""
    path, _, name = function
    if path == "~":
        return next((owner for part, owner in _BUILT_IN if part in name), None)
    if path.startswith(f"{ROOT}/") and "site-packages" not in path:
        relative = path.removeprefix(f"{ROOT}/")
        return next((owner for prefix, owner in _OURS if relative.startswith(prefix)), REST)
    return next((owner for part, owner in _OTHERS if part in path), REST)
