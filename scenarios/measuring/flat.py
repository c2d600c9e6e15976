"""A run's metrics by one name each, such as `M1 ledger`, out of its `measures.json`."""

from __future__ import annotations

from collections.abc import Mapping

from scenarios.measuring.compute import ALL

ARMS = ("ledger", "paper")


def flat_measures(measures: Mapping[str, object]) -> dict[str, float]:
    """Return every number that a run has, by name.

    `M1 ledger` and `M1 paper` are an arm's value (median, share, ratio or sum), `M1 ledger mean` and `M1 ledger p95`
    of values per shipment, `M1 difference` the mean of the differences per shipment, ledger minus paper. One
    organization's are `M1 ledger @cbp`. What nobody counted has no name.
    """
    flat: dict[str, float] = {}
    for metric, named in measures.items():
        for whom, row in _items(named):
            suffix = "" if whom == ALL else f" @{whom}"
            for arm in ARMS:
                numbers = dict(_items(dict(_items(row)).get(arm)))
                for part, told in (("value", ""), ("mean", " mean"), ("p95", " p95")):
                    _put(flat, f"{metric} {arm}{told}{suffix}", numbers.get(part))
            difference = dict(_items(dict(_items(row)).get("difference")))
            _put(flat, f"{metric} difference{suffix}", difference.get("mean"))
    return flat


def _items(value: object) -> list[tuple[str, object]]:
    return list(value.items()) if isinstance(value, dict) else []


def _put(flat: dict[str, float], name: str, value: object) -> None:
    if isinstance(value, int | float) and not isinstance(value, bool):
        flat[name] = float(value)
