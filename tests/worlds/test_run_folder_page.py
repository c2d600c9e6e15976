"""docs/run-folder.md names what a run leaves: its files, its events and their fields, and nothing else."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from scenarios.running.options import RunResult

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
FRAME = {"number", "calendar", "protocol_ns", "event"}
RECORDERS = {"record", "add", "sink"}
ONLY_THERE = {
    "script.py",
    "traceback.txt",
    "network/",
    "nodes/<organization>/node.db-wal",
    "measures.json",
    "report.html",
    "report-<name>.html",
    "paper/observer/events.ndjson",
}
"""Files of Python scenarios, of runs that the program failed in, of the live world, of nodes stopped in disorder, of
drawn trade; and reports."""


def page() -> str:
    return (ROOT / "docs" / "run-folder.md").read_text(encoding="utf-8")


def cells(section: str, columns: int) -> list[list[str]]:
    """Return the rows of a section's table."""
    text = page().split(f"# {section}\n")[1].split("\n#")[0]
    rows = [re.split(r"(?<!\\)\|", line)[1:-1] for line in text.splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in row[:columns]] for row in rows]


def listed() -> dict[str, set[str]]:
    """Return every event that is listed by name, with its fields."""
    found: dict[str, set[str]] = {}
    for section in ("Of the trial", "Of the nodes"):
        for names, fields in cells(section, 2):
            for name in re.findall(r"`([^`]+)`", names):
                found[name] = set(fields.split(", "))
    return found


def families() -> tuple[str, ...]:
    """Return the beginnings by which events are listed."""
    names = [name for row in cells("Of the trade", 1) for name in re.findall(r"`([^`]+)\*`", row[0])]
    assert len(names) > 10
    others = page().split("Others begin with ")[1].split(" and name")[0]
    return (*names, *re.findall(r"`([^`]+)`", others))


def recorded_in(*packages: str) -> Iterator[tuple[str, str]]:
    """Give every event name that the code records, with its file."""
    for package in packages:
        for path in sorted((ROOT / package).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if not isinstance(node, ast.Call) or not node.args:
                    continue
                name = (
                    node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                )
                first = node.args[0]
                if name in RECORDERS and isinstance(first, ast.Constant) and "." in str(first.value):
                    yield str(first.value), str(path.relative_to(ROOT))


def test_every_file_is_named_and_every_named_file_is_there(fair_run: RunResult) -> None:
    folder = fair_run.folder.path
    organizations = list(fair_run.trial.world.organizations)
    named = {name for row in cells("Files", 1) for name in re.findall(r"`([^`]+)`", row[0])}
    there = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    there = {re.sub(rf"^nodes/({'|'.join(organizations)})/", "nodes/<organization>/", name) for name in there}
    assert there == named - ONLY_THERE


def test_every_event_of_a_run_is_named_with_its_fields(
    fair_run: RunResult, run_virtual_scenario: Callable[..., RunResult]
) -> None:
    names, begin = listed(), families()
    seen: set[str] = set()
    for run in (fair_run, run_virtual_scenario("nafta-certificate-power-loss")):
        for line in run.folder.event_lines("observer"):
            event = json.loads(line)
            name = event["event"]
            seen.add(name)
            if name in names:
                assert event.keys() - FRAME <= names[name], name
            else:
                assert name.startswith(begin), name
    assert len(seen & names.keys()) > 12


def test_every_event_that_code_records_is_named_and_every_named_one_is_recorded() -> None:
    names, begin = listed(), families()
    recorded = dict(recorded_in("p2p", "scenarios/trial", "scenarios/worlds"))
    unknown = {
        name: place for name, place in recorded.items() if name not in names and not name.startswith(begin)
    }
    assert not unknown
    code = "".join(
        path.read_text(encoding="utf-8") for p in ("p2p", "scenarios") for path in (ROOT / p).rglob("*.py")
    )
    assert [name for name in names if f'"{name}"' not in code] == []
