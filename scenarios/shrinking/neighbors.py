"""The nearest scenario that passes: of all that were tried, the one that differs least from the shrunk one.

Rules:
- Nearest is one fault milder, then a fault less, then an agent or the network told otherwise, then another seed, then
  anything else, the fewer differences the nearer; of equals the first that was tried.
- What only judges (expectations, checks) makes no other run and counts for nothing.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from scenarios.campaign.job import Plain
from scenarios.shrinking.candidate import ENTRIES, Candidate
from scenarios.shrinking.milder import Values

FAULT_MILDER, FAULT_LESS, TOLD_OTHERWISE, OTHER_SEED, PART_LESS = 1, 3, 5, 8, 20


@dataclass(frozen=True, slots=True)
class Neighbor:
    """A scenario that passed, and how it differs from the one that fails, in words."""

    candidate: Candidate
    seed: str
    words: str
    distance: int


def nearest(best: Candidate, seed: str, passed: Sequence[tuple[Candidate, str]]) -> Neighbor | None:
    """Return the nearest passing neighbor, or None if nothing passed.

    Args:
        best: the scenario that fails, with this seed.
        seed: its seed.
        passed: what passed, each with its seed, in the order in which it was tried.
    """
    found = [_measured(best, seed, candidate, own) for candidate, own in passed]
    return min(found, key=lambda neighbor: neighbor.distance, default=None)


def _measured(best: Candidate, seed: str, candidate: Candidate, own: str) -> Neighbor:
    words: list[str] = []
    distance = 0
    if own != seed:
        words.append(f"seed {own} instead of {seed}")
        distance += OTHER_SEED
    told, far = _faults(_listed(best.value, "faults"), _listed(candidate.value, "faults"))
    words += told
    distance += far
    for group, name, weight in (("steps", "step", PART_LESS), ("checks", "check", 0)):
        gone, more = _only(_listed(best.value, group), _listed(candidate.value, group))
        for count, word in ((len(gone), "fewer"), (len(more), "more")):
            if count:
                words.append(f"{count} {name}{'s' * (count != 1)} {word}")
                distance += weight * count
    if best.value.get("calendar") != candidate.value.get("calendar"):
        words.append("another calendar")
        distance += PART_LESS
    told = _told_otherwise(best.value, candidate.value)
    words += told
    distance += TOLD_OTHERWISE * len(told)
    for group in ENTRIES:
        ours, theirs = (cast(Values, value.get(group, {})) for value in (best.value, candidate.value))
        for count, word in ((len(set(ours) - set(theirs)), "fewer"), (len(set(theirs) - set(ours)), "more")):
            if count:
                words.append(f"{count} {word} of its {group}")
                distance += PART_LESS * count
    return Neighbor(candidate, own, ", ".join(words) or "the same", distance)


def _faults(ours: Sequence[Plain], theirs: Sequence[Plain]) -> tuple[list[str], int]:
    """Return in words how the passing one's faults differ, and how far that is."""
    if len(ours) == len(theirs):
        changed = [at for at, (one, other) in enumerate(zip(ours, theirs, strict=True)) if one != other]
        told = [_milder(at + 1, cast(Values, ours[at]), cast(Values, theirs[at])) for at in changed]
        return told, FAULT_MILDER * len(changed)
    gone, more = _only(ours, theirs)
    told = [f"without {_named(fault, ours.index(fault) + 1)}" for fault in gone]
    told += [f"with {_named(fault, None)}" for fault in more]
    return told, FAULT_LESS * len(gone) + 2 * FAULT_LESS * len(more)


def _told_otherwise(ours: Values, theirs: Values) -> list[str]:
    """Return in words which agents, and whether the network, are told otherwise."""
    one, other = (cast("dict[str, Values]", value.get("organizations", {})) for value in (ours, theirs))
    names = [name for name in one if one[name].get("agent") != other.get(name, {}).get("agent")]
    words = [f"with another agent of {name}" for name in names]
    return words + ["with another network"] * (ours.get("network") != theirs.get("network"))


def _milder(number: int, ours: Values, theirs: Values) -> str:
    keys = [key for key in {**ours, **theirs} if ours.get(key) != theirs.get(key)]
    changes = "; ".join(f"{key} {_short(theirs.get(key))} instead of {_short(ours.get(key))}" for key in keys)
    return f"with a milder fault {number}, {ours['kind']} of {ours['target']}: {changes}"


def _named(fault: Plain, number: int | None) -> str:
    value = cast(Values, fault)
    name = "a fault" if number is None else f"fault {number}"
    return f"{name}, {value['kind']} of {value['target']}"


def _short(value: Plain) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {_short(below)}" for key, below in value.items())
    return str(value)


def _listed(value: Values, key: str) -> list[Plain]:
    return cast("list[Plain]", value.get(key, []))


def _only(ours: Sequence[Plain], theirs: Sequence[Plain]) -> tuple[list[Plain], list[Plain]]:
    """Return what only the first has, and what only the second has, equal ones counted."""
    left = [json.dumps(item, sort_keys=True) for item in theirs]
    gone: list[Plain] = []
    for item in ours:
        text = json.dumps(item, sort_keys=True)
        if text in left:
            left.remove(text)
        else:
            gone.append(item)
    return gone, [json.loads(text) for text in left]
