"""Which bounds were searched whole, and how many states that was.

`python -m tests.consensus.explorations` searches them anew (a few minutes) and writes `docs/exploration.md`.
"""

import re
import sys
from pathlib import Path
from typing import Final

from tests.consensus.exploration import bounds_of, explore

DOCUMENT: Final = Path(__file__).parents[2] / "docs" / "exploration.md"
QUICK_STATES_MAX: Final = 30_000
"""Searches up to this size are repeated by the tests, which compare the number of states."""

SEARCHES: Final = (
    ("one node, crashes with writes under way", "--nodes 1 --campaigns 3 --crashes 2 --writes 2"),
    ("two nodes, a crash, writes under way", "--nodes 2 --flying 2 --crashes 1"),
    ("three nodes, two elections, a proposal", "--nodes 3 --flying 2 --writes 0"),
    ("three nodes, a transfer", "--nodes 3 --campaigns 1 --transfers 1 --flying 2 --writes 0"),
    ("three nodes, a read", "--nodes 3 --reads 1 --proposals 0 --flying 2 --writes 0"),
    ("three nodes, the logs of figure 8", "--nodes 3 --logs 1//2 --proposals 0 --flying 2 --writes 0"),
    (
        "two nodes: a learner is promoted, the leader removed",
        "--nodes 2 --learners 1 --ask +2/-1 --changes 2 --flying 2 --writes 0",
    ),
    (
        "the same, without proposals, with a crash and writes under way",
        "--nodes 2 --learners 1 --ask +2/-1 --changes 2 --proposals 0 --flying 2 --crashes 1",
    ),
    (
        "two nodes: a learner is promoted, and may learn it from a snapshot",
        "--nodes 2 --learners 1 --ask +2/-1 --changes 1 --releases 1 --beats 1 --flying 2 --writes 0",
    ),
    (
        "two nodes: a snapshot to a learner, a crash, writes under way",
        "--nodes 2 --learners 1 --campaigns 1 --releases 1 --beats 1 --crashes 1 --flying 2",
    ),
    (
        "three nodes: a voter is replaced through a joint configuration",
        "--nodes 3 --learners 1 --ask +3,-1 --changes 1 --proposals 0 --flying 2 --writes 0",
    ),
    (
        "the same, left when asked for",
        "--nodes 3 --learners 1 --ask +3,-1!/leave --changes 2 --proposals 0 --flying 2 --writes 0",
    ),
    (
        "three nodes: voter 1 is replaced or removed, two changes, a proposal",
        "--nodes 3 --learners 1 --ask +3,-1/-1 --changes 2 --flying 2 --writes 0",
    ),
    ("three nodes: one is removed", "--nodes 3 --ask=-1 --changes 1 --proposals 0 --flying 2 --writes 0"),
    ("three nodes, a snapshot", "--nodes 3 --campaigns 1 --releases 1 --beats 1 --flying 2 --writes 0"),
    (
        "three nodes: a learner is promoted, and a snapshot",
        "--nodes 3 --learners 1 --ask +3 --changes 1 --campaigns 1 --proposals 0 --releases 1 --beats 1 --flying 2 "
        "--writes 0",
    ),
)


def row(what: str, arguments: str) -> str:
    """Searches; gives the line of the table.

    Raises:
        AssertionError: a rule is broken, or the bounds are too wide to be searched whole.
    """
    report = explore(bounds_of(arguments.split()))
    assert report.violation is None, "\n".join(report.path)
    assert report.complete, f"{what}: {report}"
    return (
        f"| {what} | {report.states:,} | {report.transitions:,} | {report.depth} | {report.leaders} "
        f"| {report.committed_max} | {report.confs} | `{arguments}` |"
    )


def document() -> str:
    """The table as Markdown."""
    lines = [
        "# What was explored whole",
        "",
        "The Raft core itself, no model of it, in every order of events within the bounds: messages in any order or",
        "lost, crashes at any write. Every state holds all rules of `tests/consensus/exploration.py`. A row is",
        "repeated by `python -m tests.consensus.exploration` with its options; all of them, and this table, by",
        "`python -m tests.consensus.explorations`. For larger bounds raise a number; `--states` then cuts the search.",
        "",
        "| search | states | transitions | depth | terms led | longest committed log | configurations | options |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for what, arguments in SEARCHES:
        lines.append(row(what, arguments))
        print(lines[-1], flush=True)
    return "\n".join(lines) + "\n"


def quick() -> list[tuple[str, str, str]]:
    """The searches small enough to be repeated, each with its line in the document."""
    found = []
    for line in DOCUMENT.read_text(encoding="utf-8").splitlines():
        match = re.fullmatch(r"\| (.+?) \| ([\d,]+) \| .* \| `(.*)` \|", line)
        if match and int(match[2].replace(",", "")) <= QUICK_STATES_MAX:
            found.append((match[1], match[3], line))
    return found


if __name__ == "__main__":
    DOCUMENT.write_text(document(), encoding="utf-8")
    sys.exit(0)
