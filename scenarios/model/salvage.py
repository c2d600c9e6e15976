"""What is left of a scenario when the parts that are wrong in themselves are set aside.

Rules:
- Checks over the whole file run on what is left, so that one slip in a step does not hide an unknown name
  elsewhere.
- Setting aside never makes a fault: what refers to a part set aside is left alone, an organization that is
  wrong is replaced by one that may do everything, a calendar by one that holds every date.
- Places and numbers in faults stay those of the file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import ValidationError

from ledger.genesis import Role
from scenarios.errors import RefusedError, UnknownNameError
from scenarios.model.yamltree import Location, Value

_LISTS = ("steps", "faults", "expect", "checks")
_NAMED = ("documents", "invoices", "verifications", "claims", "carnets", "forms")
_WIDE_CALENDAR: Value = {"start": "1970-01-01T00:00:00Z", "end": "9999-12-31T00:00:00Z"}
_ANYBODY: Value = {"name": "anybody", "country": "US", "roles": [role.value for role in Role]}
_INSTEAD: Mapping[str, Value] = {
    "scenario": "nameless",
    "title": "without title",
    "calendar": _WIDE_CALENDAR,
    "organizations": {"anybody": _ANYBODY},
}


@dataclass(frozen=True, slots=True)
class Salvage:
    """The rest of a scenario.

    Args:
        value: What is left, in the file's shape.
        kept: For each list, the original positions of the items left.
        missing: Names set aside, by kind: document or claim.
        steps_missing: Whether steps were set aside, so that their numbers say nothing.
        everybody_missing: Whether the organizations as a whole are unknown.
    """

    value: Mapping[str, Value]
    kept: Mapping[str, tuple[int, ...]]
    missing: Mapping[str, tuple[str, ...]]
    steps_missing: bool
    everybody_missing: bool

    def original(self, location: Location) -> Location:
        """Return where something found in the rest stands in the file."""
        if len(location) > 1 and location[0] in self.kept and isinstance(location[1], int):
            position = self.kept[str(location[0])][location[1]]
            return (location[0], position, *location[2:])
        return location

    def judge(self, refusal: RefusedError) -> RefusedError | None:
        """Return what is left of a refusal when what was set aside is remembered, if anything is."""
        if isinstance(refusal, UnknownNameError):
            missing = self.missing.get(refusal.kind, ())
            if refusal.name in missing or (self.everybody_missing and refusal.kind == "organization"):
                return None
            known = (*refusal.known, *missing)
            return UnknownNameError(refusal.kind, refusal.name, known, inside=refusal.inside)
        return None if self.steps_missing and refusal.what.startswith("there is no step") else refusal


def salvage(value: Mapping[str, Value], error: ValidationError) -> Salvage:
    """Return what is left of a scenario's value without the parts that pydantic has something against."""
    rest = dict(value)
    bad: dict[str, dict[str | int, None]] = {}
    for details in error.errors(include_url=False, include_input=False, include_context=False):
        top, *below = details["loc"]
        bad.setdefault(str(top), {})[below[0] if below else ""] = None
    kept: dict[str, tuple[int, ...]] = {}
    missing: dict[str, tuple[str, ...]] = {}
    everybody = False
    for top, units in bad.items():
        part = rest.get(top)
        if top in _LISTS and isinstance(part, list) and "" not in units:
            kept[top] = tuple(at for at in range(len(part)) if at not in units)
            rest[top] = [part[at] for at in kept[top]]
        elif top in _NAMED and isinstance(part, dict) and "" not in units:
            missing[top.removesuffix("s")] = tuple(str(name) for name in units)
            rest[top] = {name: below for name, below in part.items() if name not in units}
        elif top == "organizations" and isinstance(part, dict) and "" not in units:
            rest[top] = {name: _ANYBODY if name in units else below for name, below in part.items()}
        elif top in _INSTEAD:
            everybody = everybody or top == "organizations"
            rest[top] = _INSTEAD[top]
        else:
            missing[top.removesuffix("s")] = tuple(part) if isinstance(part, dict) else ()
            rest.pop(top, None)
    return Salvage(rest, kept, missing, "steps" in bad, everybody)
