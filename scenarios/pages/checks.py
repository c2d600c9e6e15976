"""The page of all checks, made of their table.

Rules:
- The page says what the table says, and a test holds it to it.
"""

from __future__ import annotations

from scenarios.judging.checks.registry import CHECKS, CheckRow

_HEAD = """# What is checked in every run

This page is made of the program's own table (`python -m scenarios.pages`; `seatrial list checks` prints it); a test
holds it to it. Every run is judged by all of them, whatever its scenario says. A check follows the run event by event
where it can, and names the event at which it is violated. It counts how often it was exercised: `verdict.json`
and the end of `seatrial run` tell, and a check that the scenario lists under `checks` and that never was makes the
verdict `undecided`.
"""
_ABLATIONS = """## What trips them

A check that nobody has seen fail proves nothing. For each there is a test that switches the safeguard off in a whole
run, and sees the run violate it.

| check | switched off | test |
|---|---|---|"""


def checks_page() -> str:
    """Return the page in Markdown."""
    parts = [_HEAD, *(_section(row) for row in CHECKS.values()), _ABLATIONS]
    return "\n".join([*parts, *(line for row in CHECKS.values() for line in _ablations(row))]) + "\n"


def _section(row: CheckRow) -> str:
    return "\n".join(
        [
            f"## `{row.name}`",
            "",
            row.sentence,
            "",
            f"- Judged {', and '.join(phase.value for phase in row.phases)}, {row.worlds.value}.",
            f"- Exercised each time {row.exercised_by}.",
            f"- Source: {row.source}.",
            "",
        ]
    )


def _ablations(row: CheckRow) -> list[str]:
    lines = []
    for ablation, test in row.ablations:
        file, _, function = test.partition("::")
        lines.append(f"| `{row.name}` | {ablation} | [`{function}`](../tests/{file}) |")
    return lines
