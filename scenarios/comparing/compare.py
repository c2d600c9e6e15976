"""Two versions or two designs side by side: every figure both have, and whether stated thresholds are kept.

Rules:
- Of two single runs with the same seed the metrics that shipments have are paired shipment by shipment; all else is
  paired by seed.
- The exit code is 0 if every threshold is kept, 1 if one is not, else 2 if one is undecided.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from scenarios.comparing.paired import Change, change_of
from scenarios.comparing.sources import Source
from scenarios.comparing.threshold import Kept, Threshold
from scenarios.errors import RefusedError, nearest


@dataclass(frozen=True, slots=True)
class Compared:
    """One side against the first.

    Attributes:
        first, other: the sides.
        changes: by figure.
        kept: every threshold and whether it is kept.
    """

    first: Source
    other: Source
    changes: dict[str, Change]
    kept: list[tuple[Threshold, Kept]]


def compare_sides(first: Source, other: Source, thresholds: Sequence[Threshold]) -> Compared:
    """Compare one side against the first.

    Raises:
        RefusedError: if no seed is on both sides, or a threshold is on a figure that the sides do not share.
    """
    seeds = [seed for seed in first.by_seed if seed in other.by_seed]
    if not seeds:
        what = f"{first.path} and {other.path} have no seed in common"
        raise RefusedError(
            what, "what is compared is paired by seed", "run both with the same --seed or seeds"
        )
    changes: dict[str, Change] = {}
    names = dict.fromkeys(name for seed in seeds for name in first.by_seed[seed])
    for name in names:
        change = _shipments(name, first, other) or change_of(
            name, "seed", _of_seeds(first, name), _of_seeds(other, name)
        )
        if change is not None:
            changes[name] = change
    kept: list[tuple[Threshold, Kept]] = []
    for threshold in thresholds:
        if threshold.figure not in changes:
            remedy = nearest(threshold.figure, changes) or "see docs/metrics.md"
            raise RefusedError(
                f'--threshold "{threshold.text}": {first.path} and {other.path} share no figure '
                f'"{threshold.figure}"',
                "a figure that both sides have",
                remedy,
            )
        kept.append((threshold, threshold.judge(changes[threshold.figure])))
    return Compared(first, other, changes, kept)


def exit_code(compared: Sequence[Compared]) -> int:
    """Return 0 within, 1 outside, 2 undecided."""
    found = [kept for one in compared for _, kept in one.kept]
    if Kept.OUTSIDE in found:
        return 1
    return 2 if Kept.UNDECIDED in found else 0


def _shipments(name: str, first: Source, other: Source) -> Change | None:
    if name not in first.by_shipment or name not in other.by_shipment:
        return None
    return change_of(name, "shipment", first.by_shipment[name], other.by_shipment[name])


def _of_seeds(source: Source, name: str) -> dict[str, float]:
    return {seed: figures[name] for seed, figures in source.by_seed.items() if name in figures}
