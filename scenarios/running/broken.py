"""What a run comes to that a failure of the program itself ended: which failure it was, and in which function.

Rules:
- The function is the innermost of this project's own; lines and what the failure says are no part of its name, so that
  two runs can be said to fail in the same way.
- A file that is wrong, a call that is refused, a full disk of this machine are no failures of the program.
"""

from __future__ import annotations

import traceback
from pathlib import Path

import scenarios
from scenarios.errors import OUTSIDE, RefusedError, ScenarioError
from scenarios.judging.verdict import Judgment, Verdict

CHECK = "program"
"""What stands in the place of a check's name."""

_ROOT = Path(scenarios.__file__).parent.parent
_PACKAGES = ("consensus", "ledger", "p2p", "scenarios")


def is_programs_own(error: Exception) -> bool:
    """Return whether it is the program that failed, and not what it was given or the machine it runs on."""
    first = first_of(error)
    if isinstance(first, OSError) and first.errno in OUTSIDE:
        return False
    return not isinstance(first, RefusedError | ScenarioError | MemoryError)


def first_of(error: BaseException) -> BaseException:
    """Return the first failure of a group of them, or the failure itself."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def broken(error: Exception) -> Judgment:
    """Return what the run comes to: `program: KeyError in ledger/store/session.py, rows: 'state'`."""
    first = first_of(error)
    said = " ".join(str(first).split())
    text = f"{CHECK}: {type(first).__name__} in {_where(first)}"
    return Judgment(Verdict.BROKEN, (), (f"{text}: {said}" if said else text,), ())


def _where(error: BaseException) -> str:
    """Return file and function of the innermost frame that is this project's own."""
    for frame, _line in reversed(list(traceback.walk_tb(error.__traceback__))):
        path = Path(frame.f_code.co_filename)
        if path.is_relative_to(_ROOT) and path.relative_to(_ROOT).parts[0] in _PACKAGES:
            return f"{path.relative_to(_ROOT).as_posix()}, {frame.f_code.co_name}"
    return "no function of its own"
