"""The genesis hash that a verifier goes by, given as itself or as where it can be read."""

from __future__ import annotations

import re
from pathlib import Path

from ledger.errors import GenesisError
from ledger.genesis import GENESIS_BYTES_MAX, Genesis
from scenarios.errors import RefusedError
from scenarios.model.catalog import load_scenario
from scenarios.network.asked import founding_of
from scenarios.network.deployment import GENESIS_FILE, read_genesis
from scenarios.record.runfolder import RunFolder

_HASH = re.compile(r"[0-9a-f]{64}")
_REMEDY = "give 64 hex digits, a file with them, a genesis file, or a run's or network's folder"


def genesis_hash_of(given: str) -> bytes:
    """Return the 32 bytes of a genesis hash.

    Args:
        given: the hash in hex; or a file that holds it, or holds genesis; or the folder of a run or a network.

    Raises:
        RefusedError: if it is none of these.
        ConfigError: if the folder's genesis cannot be read.
    """
    if _HASH.fullmatch(given.lower()):
        return bytes.fromhex(given)
    path = Path(given)
    if (path / "scenario.yaml").exists():
        folder = RunFolder.at(path)
        scenario = load_scenario(folder.path / "scenario.yaml")
        return founding_of(scenario, str(folder.read_json("run.json")["seed"])).genesis.hash
    if (path / GENESIS_FILE).exists():
        return read_genesis(path / GENESIS_FILE).hash
    if not path.is_file():
        raise RefusedError(
            f"--genesis {given} is neither a genesis hash nor a place that has one", "", _REMEDY
        )
    return _hash_in(path)


def _hash_in(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(GENESIS_BYTES_MAX + 1)
    except OSError as error:
        raise RefusedError(f"--genesis {path} cannot be read: {error.strerror}", "", _REMEDY) from error
    text = data[:200].decode("ascii", errors="replace").strip().lower()
    if _HASH.fullmatch(text):
        return bytes.fromhex(text)
    try:
        return Genesis.decode(data).hash
    except GenesisError as error:
        raise RefusedError(f"--genesis {path}: neither a hash nor a genesis: {error}", "", _REMEDY) from error
