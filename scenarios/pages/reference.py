"""The reference pages of fault kinds, codes and commands, made of what runs.

Rules:
- Every page is made of the table, model or command line that it tells of; a test holds it to them.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from typing import get_args

from ledger.codes import Code
from scenarios.cli import app
from scenarios.model import faults
from scenarios.model.faultbase import BaseFault
from scenarios.model.faults import KINDS_BY_WORLD
from scenarios.model.tradefaults import TradeFault

_MADE = "This page is made of the program itself (`python -m scenarios.pages`); a test holds it to it."
_LASTING = {"required": "required", "optional": "optional", "never": "no"}


def faults_page() -> str:
    """Return the page of all fault kinds in Markdown."""
    rows = []
    for kind, fault in _faults().items():
        params = getattr(fault.model_fields.get("params"), "annotation", None)
        keys = getattr(params, "model_fields", {})
        named = ", ".join(f"`{field.alias or name}`" for name, field in keys.items())
        worlds = ", ".join(world for world, kinds in KINDS_BY_WORLD.items() if kind in kinds)
        told = " ".join((inspect.getdoc(fault) or "").split())
        if issubclass(fault, TradeFault):
            told += f" Source: {fault.source}."
        record = f"[{fault.__name__}](schema.md#{fault.__name__.lower()})"
        rows.append(f"| `{kind}` | {told} | {_LASTING[fault.lasting]} | {named} | {worlds} | {record} |\n")
    return (
        f"# Fault kinds\n\n{_MADE} How a fault is written\n"
        "is told in [how to inject a fault](../how-to/inject-a-fault.md). A world that cannot do a kind\n"
        "refuses it before the run.\n\n"
        "| kind | what happens | `for` | `params` | worlds | record |\n|---|---|---|---|---|---|\n"
        + "".join(rows)
    )


def _faults() -> Mapping[str, type[BaseFault]]:
    """Return every fault's model by its kind."""
    models = [
        value for value in vars(faults).values() if isinstance(value, type) and issubclass(value, BaseFault)
    ]
    by_kind = {
        get_args(model.model_fields["kind"].annotation)[0]: model
        for model in models
        if model is not BaseFault
    }
    return {kind: by_kind[kind] for kind in KINDS_BY_WORLD["virtual"]}


def codes_page() -> str:
    """Return the page of the validation codes in Markdown."""
    rows = "".join(
        f"| `{code.value}` | {'yes' if code.consumes else 'no'} | {code.remedy} |\n" for code in Code
    )
    return (
        f"# Validation codes\n\n{_MADE} Every ordered transaction gets\n"
        "exactly one code; `VALID` alone changes the state. *Uses up* says whether its id and nonce are spent.\n"
        f"The interface's own codes are in [the HTTP interface](../api.md).\n\n"
        f"| code | uses up | remedy |\n|---|---|---|\n{rows}"
    )


def commands_page() -> str:
    """Return the page of the command line in Markdown."""
    text = app.generate_docs(output_format="markdown")
    text = re.sub(
        r"(?m)^(seatrial .*?) -m [\w.]+", r"\1", text
    )  # how this interpreter was started is no usage
    text = re.sub(r"\n## Table of Contents\n.*?(?=\n\*\*Commands\*\*)", "", text, flags=re.DOTALL)
    text = text.replace(
        "# seatrial\n", f"# Commands\n\n{_MADE} `seatrial COMMAND --help` tells the same.\n", 1
    )
    codes = (
        "\n## Exit codes\n\n0 passed, 1 violated, 2 undecided, 64 a wrong call or file (or a place that cannot be"
        " used),\n70 a failure of the program itself, 130 stopped by Ctrl-C.\n"
    )
    return text.rstrip("\n") + "\n" + codes
