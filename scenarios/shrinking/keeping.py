"""A shrunk failure kept where it is replayed: its file, and a line with its seed in the list beside it.

Rules:
- The list `replayed.txt` has a line per failure, `SCENARIO SEED  # what was wrong`; a scenario is a name of the library
  or a file beside the list. Nothing in it is overwritten or removed here.
- Whether it can be kept is asked before time is spent on shrinking.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from scenarios.errors import RefusedError, unwritable
from scenarios.shrinking.shrinking import Recorded, Shrunk
from scenarios.shrinking.told import write_shrunk

LIST_FILE = "replayed.txt"


def kept_path(recorded: Recorded, directory: Path) -> Path:
    """Return where a run's shrunk scenario is kept.

    Raises:
        RefusedError: if there is no such directory with a list, or the same run's was kept before.
    """
    if not (directory / LIST_FILE).is_file():
        limit = f"a directory with a {LIST_FILE}, such as tests/regressions"
        raise RefusedError(f"--keep {directory}: there is no {LIST_FILE}", limit, "make an empty one")
    path = directory / f"{recorded.candidate.value['scenario']}-{recorded.seed}.yaml"
    if path.exists():
        raise RefusedError(f"{path} is there", "a failure is kept once", "remove it to keep this one")
    return path


def keep(shrunk: Shrunk, path: Path) -> str:
    """Write the shrunk scenario and add its line to the list; return the line.

    Raises:
        RefusedError: if a file cannot be written.
    """
    write_shrunk(shrunk, path)
    why = " ".join(str(shrunk.best.failure).split())
    line = f"{path.name} {shrunk.recorded.seed}  # {why}"
    listed = path.parent / LIST_FILE
    try:
        before = listed.read_text(encoding="utf-8")
        gap = "" if not before or before.endswith("\n") else "\n"
        listed.write_text(f"{before}{gap}{line}\n", encoding="utf-8")
    except OSError as error:
        raise unwritable(listed, error) from error
    return line


def replayed(directory: Path) -> Iterator[tuple[str, str]]:
    """Yield every failure that is kept: its scenario, a library name or a file's path, and its seed.

    Raises:
        RefusedError: if a line is no scenario with a seed.
    """
    listed = directory / LIST_FILE
    for number, line in enumerate(listed.read_text(encoding="utf-8").splitlines(), 1):
        words = line.partition("#")[0].split()
        if not words:
            continue
        if len(words) != 2:
            raise RefusedError(
                f"{listed}:{number}: {line!r}", "SCENARIO SEED  # what was wrong", "correct it"
            )
        name, seed = words
        yield (str(directory / name) if name.endswith((".yaml", ".yml")) else name), seed
