"""The trade rules as a page: every state machine as a diagram and a list, every finding, every number.

Rules:
- The page is made of the tables that run, so that it cannot say what the program does not do; a test holds it to them.
- Diagrams are Mermaid text, which code forges and documentation tools draw; the list below each says the same in words.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from enum import StrEnum

import ledger.contracts
from ledger.contracts import Finding, Table
from ledger.contracts import parameters as numbers
from ledger.contracts.parameters import Parameter
from ledger.contracts.rules import RULES
from ledger.contracts.table import Case

_HEAD = """# The trade rules

This page is made of the program's own tables (`python -m scenarios.telling`); a test holds it to them. A step that is
not listed is refused with `<event>/impossible-transition`, a wrong actor with `<event>/wrong-actor`, and a guard
that does not hold with the refusal beside it. A *limit* whose breach is a finding refuses nothing: it is recorded, and
the authority decides. Private tables run in the organizations' own programs; on the ledger is a salted commitment.
"""


def rules_page() -> str:
    """Return the page in Markdown."""
    parts = [_HEAD, _transaction_types()]
    parts += [_machine(table, doc) for table, doc in _tables()]
    parts += [_findings(), _numbers()]
    return "\n".join(parts).rstrip("\n") + "\n"


def _tables() -> Iterator[tuple[Table[StrEnum, Case], str]]:
    """Yield every state machine with the first sentence of its module, in the order of module names."""
    seen: set[int] = set()
    for module in _modules():
        for name in sorted(vars(module)):
            value = vars(module)[name]
            if isinstance(value, Table) and id(value) not in seen:
                seen.add(id(value))
                yield value, (module.__doc__ or "").split("\n", 1)[0]


def _modules() -> Iterator[object]:
    found = pkgutil.walk_packages(ledger.contracts.__path__, f"{ledger.contracts.__name__}.")
    for info in sorted(found, key=lambda info: info.name):
        if not info.ispkg:
            yield importlib.import_module(info.name)


def _machine(table: Table[StrEnum, Case], doc: str) -> str:
    lines = [f"## {table.name.capitalize()}", "", doc, "", "```mermaid", "stateDiagram-v2"]
    lines.append(f"    [*] --> {table.states[0].value}")
    lines += [f"    {step.state.value} --> {step.target.value}: {_event(step.event)}" for step in table.steps]
    lines += [
        "```",
        "",
        "| from | event | who | to | limit | needs | source |",
        "|---|---|---|---|---|---|---|",
    ]
    for step in table.steps:
        needs = "<br>".join(f"{guard.says} (`{guard.refusal.value}`)" for guard in step.guards)
        cells = (
            step.state.value,
            f"`{step.event}`",
            step.actor.value,
            step.target.value,
            step.limit,
            needs,
            step.source,
        )
        lines.append("| " + " | ".join(_cell(cell) for cell in cells) + " |")
    return "\n".join([*lines, ""])


def _event(event: str) -> str:
    """Return an event as a diagram may carry it: a colon or semicolon would end the label."""
    return event.replace(":", " ").replace(";", " ")


def _transaction_types() -> str:
    lines = ["## Transaction types", "", "| type | roles | documents anchored |", "|---|---|---|"]
    for rule in RULES.values():
        lines.append(f"| `{rule.type}` | {', '.join(sorted(rule.roles))} | {rule.documents} |")
    return "\n".join([*lines, ""])


def _findings() -> str:
    lines = [
        "## Findings",
        "",
        "Recorded, never refused.",
        "",
        "| finding | what was seen | source |",
        "|---|---|---|",
    ]
    lines += [f"| {f.value} | {_cell(f.meaning)} | {_cell(f.source)} |" for f in Finding]
    return "\n".join([*lines, ""])


def _numbers() -> str:
    lines = [
        "## Numbers",
        "",
        "*read*: in the cited public source; *partly read*: only part of it could be read; *unconfirmed*: an"
        " assumption, never reported as law; *design*: this project's own choice.",
        "",
        "| name | value | mark | source | note |",
        "|---|---|---|---|---|",
    ]
    for name, value in sorted(vars(numbers).items()):
        if isinstance(value, Parameter):
            cells = (f"`{name}`", f"{value.value} {value.unit}", str(value.mark), value.source, value.note)
            lines.append("| " + " | ".join(_cell(cell) for cell in cells) + " |")
    return "\n".join([*lines, ""])


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
