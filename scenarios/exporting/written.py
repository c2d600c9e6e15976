"""Files that are handed over: written once, never over another."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

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
