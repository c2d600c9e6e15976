"""Where the processor's time goes: samples of what is running, counted by whose code it is.

Rules:
- A timer of CPU time (SIGPROF) interrupts the process at every tick of the kernel; the innermost frame whose owner
  the table below knows gets the sample. So Python's own library counts to whoever called it, but for asyncio.
- Sampling charges nothing per call: unlike a tracing profiler it does not make code of many small calls look
  dearer than it is. Nothing counts twice, and the shares add up to 100.
- While a C function runs, the frame that called it is innermost. libsodium is called by PyNaCl alone, and
  SQLite by the lines that name one of its methods, so both are told apart. aiohttp's compiled parts are called
  by aiohttp's own Python. Any other C function (a hash, msgpack) counts to its caller.
- The virtual disk is Python that SQLite calls back. The interpreter looks for a signal when it enters a
  function, so a callback interrupted at its very entry tells of SQLite's work before it: that is SQLite's.
"""

from __future__ import annotations

import linecache
import re
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, FrameType
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
INTERVAL_S: Final = 0.001  # a kernel gives no more than its tick, often 4 ms
OTHER: Final = "other"

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
    ("/aiohappyeyeballs/", "aiohttp"),
    ("/asyncio/", "asyncio and the virtual loop and network"),
    ("/nacl/", "signatures (libsodium)"),
)
_CALLBACKS: Final = "p2p/virtual/vfs.py"
_SQLITE_CALL: Final = re.compile(r"\.(execute|executemany|fetchall|changes|total_changes|wal_checkpoint)\(")


class Sampler:
    """Counts samples by owner while `running`.

    Args:
        ours: beginnings of paths in this repository and whose they are, the first that fits.
    """

    def __init__(self, ours: Sequence[tuple[str, str]] = _OURS) -> None:
        self._ours = ours
        self._counts: dict[str, int] = {}
        self._owners: dict[CodeType, str | None] = {}
        self._sqlite_lines: dict[tuple[CodeType, int], bool] = {}

    @contextmanager
    def running(self) -> Iterator[None]:
        """Take samples inside the block."""
        before = signal.signal(signal.SIGPROF, self._take)
        signal.setitimer(signal.ITIMER_PROF, INTERVAL_S, INTERVAL_S)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
            signal.signal(signal.SIGPROF, before)

    @property
    def samples(self) -> int:
        """How many were taken."""
        return sum(self._counts.values())

    def shares(self) -> list[tuple[str, float]]:
        """Return whose code took which share of the samples, in percent, the greatest first."""
        shares = [(owner, 100 * count / self.samples) for owner, count in self._counts.items()]
        return sorted(shares, key=lambda share: -share[1])

    def _take(self, _number: int, frame: FrameType | None) -> None:
        owner = OTHER
        while frame is not None:
            found = self._owner(frame)
            if found is not None:
                owner = found
                break
            frame = frame.f_back
        self._counts[owner] = self._counts.get(owner, 0) + 1

    def _owner(self, frame: FrameType) -> str | None:
        code = frame.f_code
        if code not in self._owners:
            self._owners[code] = owner_of(code.co_filename, self._ours)
        owner = self._owners[code]
        if owner is None:
            return None
        line_number = frame.f_lineno or 0  # some instructions belong to no line
        place = (code, line_number)
        if place not in self._sqlite_lines:
            line = linecache.getline(code.co_filename, line_number)
            is_callback_entry = code.co_filename.endswith(_CALLBACKS) and line_number == code.co_firstlineno
            self._sqlite_lines[place] = is_callback_entry or _SQLITE_CALL.search(line) is not None
        return "SQLite" if self._sqlite_lines[place] else owner


def owner_of(path: str, ours: Sequence[tuple[str, str]] = _OURS) -> str | None:
    """Return whose a file is, or None if what it does counts to its caller."""
    if path.startswith(f"{ROOT}/") and "/site-packages/" not in path:
        relative = path.removeprefix(f"{ROOT}/")
        return next((owner for prefix, owner in ours if relative.startswith(prefix)), None)
    return next((owner for part, owner in _OTHERS if part in path), None)
