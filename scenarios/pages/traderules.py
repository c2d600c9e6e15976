"""The trade rules as a page: every state machine as a diagram and a list, every finding, every number.

Rules:
- The page is made of the tables that run, so that it cannot say what the program does not do; a test holds it to them.
- Diagrams are Mermaid text, which code forges and documentation tools draw; the list below each says the same in words.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from enum import StrEnum
from types import ModuleType

import ledger.contracts
from ledger.contracts import Finding, Table
from ledger.contracts import parameters as numbers
from ledger.contracts.parameters import Parameter, Reading
from ledger.contracts.publicity import public_facts_of_acts
from ledger.contracts.rules import RULES
from ledger.contracts.table import Case
from ledger.forms import FORMS

_HEAD = """# The trade rules

This page is made of the program's own tables (`python -m scenarios.pages`); a test holds it to them. A step that is
not listed is refused with `<event>/impossible-transition`, a wrong actor with `<event>/wrong-actor`, and a guard
that does not hold with the refusal beside it. A *limit* whose breach is a finding refuses nothing: it is recorded, and
the authority decides. Private tables run in the organizations' own programs; on the ledger is a salted commitment.
"""


def rules_page() -> str:
    """Return the page in Markdown."""
    parts = [_HEAD, _transaction_types()]
    parts += [_machine(table, doc) for table, doc in _tables()]
    parts += [_findings(), _public_facts(), _numbers(), _readings()]
    return "\n".join(parts).rstrip("\n") + "\n"


def _tables() -> Iterator[tuple[Table[StrEnum, Case], str]]:
    """Yield every state machine with the first sentence of the module that it is written in, by module names."""
    for module in _modules():
        for name in _own_names(module):
            value = vars(module).get(name)
            if isinstance(value, Table):
                yield value, (module.__doc__ or "").split("\n", 1)[0]


def _own_names(module: ModuleType) -> list[str]:
    """Return the names that a module's own text gives values to, sorted; what it imports is another's."""
    body = ast.parse(inspect.getsource(module)).body
    targets = [target for node in body if isinstance(node, ast.Assign) for target in node.targets]
    targets += [node.target for node in body if isinstance(node, ast.AnnAssign)]
    return sorted(target.id for target in targets if isinstance(target, ast.Name))


def _modules() -> Iterator[ModuleType]:
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


def _public_facts() -> str:
    lines = [
        "## What every member sees, and why",
        "",
        "Every field of every act, each with the reason why it cannot be private, and of every form the fields whose"
        " values are among them. An act also shows its type, its sender, its block's time, and the roots it anchors.",
        "",
        "| field | in | why |",
        "|---|---|---|",
    ]
    for fact, acts in public_facts_of_acts():
        told = ", ".join(f"`{act}`" for act in acts)
        lines.append("| " + " | ".join(map(_cell, (f"`{fact.names}`", told, fact.because))) + " |")
    lines += ["", "| form | public field | why |", "|---|---|---|"]
    for form in FORMS.values():
        lines += [f"| {form.code} | `{name}` | {_cell(why)} |" for name, why in form.public.items()]
        lines += [] if form.public else [f"| {form.code} | none |  |"]
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


def _readings() -> str:
    lines = [
        "## Readings that are not sure",
        "",
        "What is no number, and was not read in its source, or not in full; beside it the modules that rest on it.",
        "",
        "| name | what is taken to be so | mark | source | rests on it |",
        "|---|---|---|---|---|",
    ]
    for name, value in sorted(vars(numbers).items()):
        if isinstance(value, Reading):
            modules = ", ".join(f"`{module}.py`" for module in value.used_in)
            cells = (f"`{name}`", value.says, str(value.mark), value.source, modules)
            lines.append("| " + " | ".join(_cell(cell) for cell in cells) + " |")
    return "\n".join([*lines, ""])


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
