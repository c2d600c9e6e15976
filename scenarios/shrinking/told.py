"""What shrinking came to: the scenario file it leaves, and lines for a terminal."""

from __future__ import annotations

import shlex
from pathlib import Path

from scenarios.diagram.files import write_diagram
from scenarios.diagram.repeating import follow_run
from scenarios.errors import unwritable
from scenarios.shrinking.difference import tell_difference
from scenarios.shrinking.neighbors import nearest
from scenarios.shrinking.shrinking import Shrunk, sound
from scenarios.shrinking.written import written

FILE = "shrunk.yaml"


def write_shrunk(shrunk: Shrunk, path: Path) -> None:
    """Write the smallest scenario, with a comment that says where it comes from.

    Raises:
        RefusedError: if the file cannot be written.
    """
    scenario = sound(shrunk.best)
    assert scenario is not None  # noqa: S101 - it has run
    lines = [f"# {line}".rstrip() for line in _story(shrunk, path)]
    try:
        path.write_text("\n".join([*lines, written(scenario)]), encoding="utf-8")
    except OSError as error:
        raise unwritable(path, error) from error


def write_beside(shrunk: Shrunk, path: Path) -> list[str]:
    """Write beside the smallest scenario its diagram and its difference from the nearest that passes; tell of them.

    Args:
        shrunk: what shrinking came to.
        path: of the scenario; the others' names begin as it does.

    Raises:
        RefusedError: if a file cannot be written.
    """
    best, seed = sound(shrunk.best), shrunk.recorded.seed
    assert best is not None  # noqa: S101 - it has run
    failing = follow_run(best, seed)
    picture = path.with_suffix(".svg")
    write_diagram(failing, picture)
    neighbor = nearest(shrunk.best, seed, shrunk.passed)
    lines = [f"picture    {picture}", f"in words   {picture.with_suffix('.txt')}"]
    if neighbor is None:
        return [*lines, f"diff       none: none of the {shrunk.runs} runs passed"]
    passing = sound(neighbor.candidate)
    assert passing is not None  # noqa: S101 - it has run
    difference = path.with_suffix(".diff.txt")
    beside = follow_run(passing, neighbor.seed)
    words = "; ".join([neighbor.words, *beside.judgment.open_points])
    text = "\n".join(tell_difference(failing, beside, words))
    try:
        difference.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise unwritable(difference, error) from error
    return [*lines, f"passes     {words}", f"diff       {difference}"]


def tell_shrunk(shrunk: Shrunk, path: Path) -> list[str]:
    """Return the lines: what is left of how much, in how many runs, and the command that repeats it."""
    lines = [f"fails by   {shrunk.best.failure}", f"left       {_left(shrunk)}"]
    lines.append(f"runs       {shrunk.runs}; {shrunk.end}")
    if shrunk.ended:
        lines.append(f"no verdict {len(shrunk.ended)} of them; first: {shrunk.ended[0].splitlines()[-1]}")
    lines += [f"seeds      {_seeds(shrunk)}", f"written    {path}", f"again      {_again(shrunk, path)}"]
    return lines


def _story(shrunk: Shrunk, path: Path) -> list[str]:
    recorded = shrunk.recorded
    run = f"{recorded.path.parent.name}/{recorded.path.name}"
    return [
        f"Shrunk from the run {run}, seed {recorded.seed}, by version {recorded.version}.",
        f"It failed, and this still fails, by {recorded.candidate.failure}",
        f"Left: {_left(shrunk)}.",
        f"It took {shrunk.runs} runs; {shrunk.end}.",
        f"Other seeds: {_seeds(shrunk)}.",
        f"Again: {_again(shrunk, Path(path.name))}",
    ]


def _left(shrunk: Shrunk) -> str:
    return ", ".join(f"{left} of {of} {name}" for name, (left, of) in shrunk.counts.items() if of)


def _seeds(shrunk: Shrunk) -> str:
    if not shrunk.seeds:
        return "none tried"
    same = [seed for seed, fails in shrunk.seeds.items() if fails]
    if len(same) == len(shrunk.seeds):
        return f"it fails in the same way with {', '.join(same)} too"
    if not same:
        return f"it does not fail in the same way with {', '.join(shrunk.seeds)}: it depends on the seed"
    others = [seed for seed in shrunk.seeds if seed not in same]
    return f"it fails in the same way with {', '.join(same)} and not with {', '.join(others)}: it depends on the seed"


def _again(shrunk: Shrunk, path: Path) -> str:
    name = str(path) if "/" in str(path) else f"./{path}"
    return shlex.join(["seatrial", "run", name, "--seed", shrunk.recorded.seed])
