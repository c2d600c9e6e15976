"""The store of a live node that is down, as files: bits flip in it, parts of it are lost, and come back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random

from p2p.live import WATERMARK_FILE
from p2p.opening import DATABASE

STORE_FILES = {"database": DATABASE, "log": f"{DATABASE}-wal", "watermark": WATERMARK_FILE}
"""A node's files by what they are."""


def flip_bits(folder: Path, file: str, bits: int, chance: Random) -> int:
    """Flip bits anywhere in a file; return how many: none if it is empty or not there.

    Args:
        folder: the node's data folder.
        file: one of `STORE_FILES`.
        bits: how many.
        chance: where is drawn from it.
    """
    path = folder / STORE_FILES[file]
    data = bytearray(path.read_bytes() if path.exists() else b"")
    if not data:
        return 0
    for _ in range(bits):
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    path.write_bytes(data)
    return bits


def take(folder: Path, file: str) -> Callable[[], None]:
    """Take a file, or `all`, out of a folder; the returned call puts back what there was over what came since."""
    names = list(STORE_FILES.values()) if file == "all" else [STORE_FILES[file]]
    kept = {name: (folder / name).read_bytes() for name in names if (folder / name).exists()}
    erase(folder, names)

    def put_back() -> None:
        erase(folder, names)
        for name, data in kept.items():
            path = folder / name
            path.touch(mode=0o600)
            path.write_bytes(data)

    return put_back


def erase(folder: Path, names: list[str] | None = None) -> None:
    """Delete these files, or the whole store, from a folder."""
    for name in STORE_FILES.values() if names is None else names:
        (folder / name).unlink(missing_ok=True)
