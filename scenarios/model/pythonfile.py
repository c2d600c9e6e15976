"""Scenarios written in Python: a text in YAML for what stands still, and a coroutine for what happens.

    SCENARIO = '''
    scenario: mine
    extends: nafta-certificate
    title: The leader dies while the certificate is under way
    '''

    async def scenario(pilot):
        await pilot.do("issue-certificate", by="exporter", document="c1")

Rules:
- The text is found without running the file, so that its faults are told before anything happens, with file and line.
- `SCENARIO` is one literal string at the top level; `scenario` is a coroutine that takes one argument.
- The file is run only by whoever runs the scenario.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import ModuleType
from typing import TypeAlias

from scenarios.errors import Fault, Place, ScenarioError
from scenarios.model.source import Source, parse_source, read_text

SUFFIX = ".py"
TEXT_NAME, COROUTINE_NAME = "SCENARIO", "scenario"

Script: TypeAlias = "Callable[[object], Awaitable[None]]"
"""What happens in a scenario written in Python; takes the pilot."""


def read_python_source(path: Path, name: str | None = None) -> Source:
    """Return the text in YAML of a scenario written in Python, lines counted as in the file.

    Raises:
        ScenarioError: if the file cannot be read, is no Python, or lacks the text or the coroutine.
    """
    shown = name or str(path)
    text = read_text(path, shown)
    try:
        tree = ast.parse(text)
    except SyntaxError as error:
        place = Place(shown, error.lineno or 1, error.offset or 1)
        raise ScenarioError([Fault(place, f"the file is no Python: {error.msg}")]) from error
    if not any(isinstance(node, ast.AsyncFunctionDef) and node.name == COROUTINE_NAME for node in tree.body):
        remedy = f"write `async def {COROUTINE_NAME}(pilot): ...`"
        raise ScenarioError([Fault(Place(shown, 1, 1), "the file has no coroutine of that name", "", remedy)])
    for node in tree.body:
        if isinstance(node, ast.Assign) and [ast.unparse(t) for t in node.targets] == [TEXT_NAME]:
            value = node.value
            if not isinstance(value, ast.Constant) or not isinstance(value.value, str):
                remedy = "write the YAML as one plain string in triple quotes"
                raise ScenarioError(
                    [Fault(Place(shown, node.lineno, 1), f"{TEXT_NAME} is no literal text", "", remedy)]
                )
            return parse_source("\n" * (value.lineno - 1) + value.value, shown)
    remedy = f'write {TEXT_NAME} = """..." with `scenario:`, `extends:` and `title:`'
    raise ScenarioError([Fault(Place(shown, 1, 1), f"the file has no {TEXT_NAME}", "", remedy)])


def load_script(path: Path) -> Script:
    """Run a scenario's file and return its coroutine function.

    Raises:
        ScenarioError: if running the file fails, or `scenario` does not take the pilot alone.
    """
    shown = str(path)
    module = ModuleType(path.stem)
    module.__file__ = shown
    try:
        exec(compile(read_text(path, shown), shown, "exec"), module.__dict__)  # noqa: S102 - the user's own file
    except Exception as error:
        raise ScenarioError(
            [Fault(Place(shown, _line_of(error, shown), 1), f"{type(error).__name__}: {error}")]
        ) from error
    script = module.__dict__.get(COROUTINE_NAME)
    if not inspect.iscoroutinefunction(script) or len(inspect.signature(script).parameters) != 1:
        raise ScenarioError(
            [
                Fault(
                    Place(shown, 1, 1),
                    f"{COROUTINE_NAME} does not take the pilot alone",
                    "",
                    "write `async def scenario(pilot)`",
                )
            ]
        )
    found: Script = script
    return found


def _line_of(error: BaseException, file: str) -> int:
    """Return the line of the file in which an error arose, 1 if in none of it."""
    line = 1
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == file:
            line = trace.tb_lineno
        trace = trace.tb_next
    return line
