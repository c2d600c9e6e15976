"""What can be wrong with a scenario file, said so that its author can mend it.

    ScenarioError    every fault of one scenario file and its overrides, all at once

Rules:
- A fault names its place (file and line, or the override), the thing, its value, the limit and the remedy.
- Faults are collected; stopping at the first would make the author run the program once per mistake.
- `RefusedError` never leaves this package: a parser of one text raises it, and the reader adds the place.
"""

from __future__ import annotations

import difflib
import errno
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

EXIT_CODE = 64
"""Usage error, as sysexits.h has it."""

OUTSIDE = {
    errno.ENOSPC: "make room on that disk",
    errno.EDQUOT: "make room: the quota on that disk is used up",
    errno.EROFS: "choose a place that can be written",
    errno.EACCES: "change its permissions, or choose another place",
    errno.EPERM: "change its permissions, or choose another place",
    errno.EMFILE: "raise the limit of open files (`ulimit -n`)",
    errno.ENAMETOOLONG: "choose a shorter name",
}
"""Failures that lie outside the program wherever they meet it, with what to do."""


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where a text stands: a file with line and column (both from 1), or an override with line 0."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong.

    Args:
        place: Where it stands.
        what: The thing, by its dotted path, and what is the matter with it.
        limit: What would be allowed; empty where `what` says it.
        remedy: What to do about it.
    """

    place: Place
    what: str
    limit: str = ""
    remedy: str = ""

    def __str__(self) -> str:
        return f"{self.place}: " + "; ".join(part for part in (self.what, self.limit, self.remedy) if part)


class ScenarioError(Exception):
    """A scenario that cannot be run; `faults` holds everything that is wrong with it, in the file's order."""

    exit_code = EXIT_CODE

    def __init__(self, faults: Iterable[Fault]) -> None:
        unique = dict.fromkeys(faults)
        self.faults = tuple(sorted(unique, key=lambda fault: (fault.place.line == 0, fault.place)))
        super().__init__("\n".join(str(fault) for fault in self.faults))


class RefusedError(ValueError):
    """One text or record a parser does not accept; the reader adds the place.

    Args:
        what: What is the matter.
        limit: What would be allowed.
        remedy: What to do about it.
        inside: Where under the refused record it stands; empty for the record itself.
    """

    def __init__(
        self,
        what: str,
        limit: str = "",
        remedy: str = "",
        *,
        inside: tuple[str | int, ...] = (),
    ) -> None:
        super().__init__("; ".join(part for part in (what, limit, remedy) if part))
        self.what = what
        self.limit = limit
        self.remedy = remedy
        self.inside = inside

    def __reduce__(self) -> tuple[Callable[..., RefusedError], tuple[object, ...]]:
        """Let it be told by a process of its own: it is made again of what it was made of."""
        return partial(RefusedError, inside=self.inside), (self.what, self.limit, self.remedy)


def unwritable(path: Path, error: OSError) -> RefusedError:
    """Return the refusal of a file of a run that cannot be written."""
    return RefusedError(
        f"{path} cannot be written: {error.strerror or error}",
        "the run's folder is left unfinished",
        "make room or give another --out, then run it again",
    )


def nearest(name: str, known: Iterable[str]) -> str:
    """Return `did you mean "x"?` for the known name nearest to `name`, or an empty text if none is near."""
    by_folded = {candidate.casefold(): candidate for candidate in known}
    found = difflib.get_close_matches(
        name.casefold(), list(by_folded), n=1, cutoff=0.5 if len(name) < 4 else 0.6
    )
    return f'did you mean "{by_folded[found[0]]}"?' if found else ""


class UnknownNameError(RefusedError):
    """A name that is not among the known ones; the nearest of them is the remedy.

    Args:
        kind: What the name should be a name of.
        name: The name.
        known: The names there are.
        inside: See `RefusedError`.
    """

    def __init__(
        self, kind: str, name: str, known: Iterable[str], *, inside: tuple[str | int, ...] = ()
    ) -> None:
        names = tuple(known)
        limit = f"known: {', '.join(names)}" if names else f"there is no {kind} to name"
        super().__init__(f'unknown {kind} "{name}"', limit, nearest(name, names), inside=inside)
        self.kind = kind
        self.name = name
        self.known = names

    def __reduce__(self) -> tuple[Callable[..., RefusedError], tuple[object, ...]]:
        """See `RefusedError`."""
        return partial(UnknownNameError, inside=self.inside), (self.kind, self.name, self.known)
