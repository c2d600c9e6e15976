"""Files that are handed over: written once, never over another."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ledger.proofs import PROOF_BYTES_MAX
from scenarios.errors import RefusedError


def write_new_files(directory: Path, files: Mapping[str, bytes]) -> list[Path]:
    """Write files into a directory, made if absent, and return their paths.

    Args:
        directory: where they go.
        files: contents by name, in the order in which they are returned.

    Raises:
        RefusedError: if one of them is there already, in which case none is written, or if one cannot be written.
    """
    paths = {directory / name: data for name, data in files.items()}
    for path in paths:
        if path.exists():
            raise RefusedError(f"{path} is there already", "nothing is overwritten", "name another --out")
    for path, data in paths.items():
        try:
            directory.mkdir(parents=True, exist_ok=True)
            with path.open("xb") as file:
                file.write(data)
        except OSError as error:
            raise RefusedError(
                f"{path} cannot be written: {error.strerror}",
                "a place that can be written",
                "name another --out",
            ) from error
    return list(paths)


def write_proof(what: str, data: bytes, links: int, path: Path) -> None:
    """Write a proof's file.

    Args:
        what: the proof is called in an error.
        data: all of it.
        links: how many changes of the roster it has, of which it grows.
        path: of the file.

    Raises:
        RefusedError: if it is larger than any verifier takes, is there already, or cannot be written.
    """
    if len(data) > PROOF_BYTES_MAX:
        raise RefusedError(
            f"the {what} would have {len(data)} bytes",
            f"no verifier looks at more than {PROOF_BYTES_MAX}",
            f"the roster changed {links} times; there is no shorter proof yet",
        )
    write_new_files(path.parent, {path.name: data})
