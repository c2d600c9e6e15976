"""The pieces of every carnet, counted from public receipts alone: none is lost, none is made, none is in two places.

Rules:
- The count is this module's own: it takes nothing from the contract but the words of its acts.
- After each receipt that moves goods, every item of that carnet is counted again: home, under way, inside each country,
  settled in each country. The sum is what the application listed, and nothing is negative.
- A carnet that replaces another goes on with its goods.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from scenarios.judging.checks.check import FinalState, Violation
from scenarios.record.eventbook import Event

_GOING: Mapping[str, tuple[str, str]] = {
    "EXPORT": ("home", "under way"),
    "IMPORT": ("under way", "inside"),
    "REEXPORT": ("inside", "under way"),
    "TRANSIT_ENTRY": ("under way", "inside"),
    "TRANSIT_EXIT": ("inside", "under way"),
    "REIMPORT": ("under way", "home"),
}
"""From where to where each kind of voucher takes goods."""


@dataclass(frozen=True, slots=True)
class _Voucher:
    """What was presented."""

    kind: str
    country: str
    items: Mapping[int, int]
    cites: int | None


@dataclass(slots=True)
class _Line:
    """The goods of a carnet and of those that replaced it: pieces by item and place."""

    listed: Mapping[int, int]
    places: dict[tuple[int, str], int] = field(default_factory=dict)
    vouchers: dict[int, _Voucher] = field(default_factory=dict)

    def move(self, items: Mapping[int, int], source: str, target: str) -> None:
        """Take pieces from one place to another."""
        for item, count in items.items():
            self.places[item, source] = self.places.get((item, source), 0) - count
            self.places[item, target] = self.places.get((item, target), 0) + count

    def wrong(self) -> list[str]:
        """Return what is wrong with the count."""
        found = [
            f"{count} pieces of item {item} are {place}"
            for (item, place), count in self.places.items()
            if count < 0 or item not in self.listed
        ]
        for item, listed in self.listed.items():
            there = sum(count for (one, _), count in self.places.items() if one == item)
            if there != listed:
                found.append(f"{there} pieces of item {item} are somewhere, {listed} are listed")
        return found


@dataclass(slots=True)
class CarnetBalances:
    """Every piece on a general list is in exactly one place.

    Attributes:
        countries: of every organization.
    """

    countries: Mapping[str, str]
    name: str = "carnet-balances"
    exercised: int = 0
    violations: list[Violation] = field(default_factory=list)
    _lines: dict[str, _Line] = field(default_factory=dict)

    def __call__(self, event: Event) -> None:
        """Follow a receipt of an act about a carnet."""
        act = event.fields.get("type")
        if event.name != "receipt" or event.fields["code"] != "VALID" or not isinstance(act, str):
            return
        if act in ("carnet.apply", "carnet.replace", "carnet.present", "carnet.endorse", "carnet.settle"):
            body = json.loads(event.text("body"))
            line = self._take(act, body)
            if act in ("carnet.endorse", "carnet.settle"):
                self.exercised += 1
                for what in line.wrong():
                    self.violations.append(
                        Violation(self.name, event.number, f"carnet {body['carnet']}: {what}")
                    )

    def finish(self, final: FinalState) -> None:
        """Nothing is left to judge: the nodes' own balances are one state, on which they must agree."""

    def _take(self, act: str, body: Mapping[str, object]) -> _Line:
        carnet = str(body["carnet"])
        if act == "carnet.apply":
            listed = _pieces(body["items"])
            line = self._lines[carnet] = _Line(listed)
            line.places = {(item, "home"): count for item, count in listed.items()}
        line = self._lines[carnet]
        if act == "carnet.replace":
            self._lines[str(body["successor"])] = line
        elif act == "carnet.present":
            cites = body["cites"]
            line.vouchers[_serial(body)] = _Voucher(
                kind=str(body["kind"]),
                country=self.countries[str(body["office"])],
                items=_pieces(body["items"]),
                cites=cites if isinstance(cites, int) else None,
            )
        elif act == "carnet.endorse":
            voucher = line.vouchers[_serial(body)]
            source, target = _GOING[voucher.kind]
            if voucher.cites is not None:
                source = f"inside {line.vouchers[voucher.cites].country}"
            line.move(voucher.items, source, f"inside {voucher.country}" if target == "inside" else target)
        elif act == "carnet.settle":
            country = line.vouchers[_serial(body)].country
            line.move(_pieces(body["items"]), f"inside {country}", f"settled in {country}")
        return line


def _serial(body: Mapping[str, object]) -> int:
    return int(str(body["serial"]))


def _pieces(value: object) -> dict[int, int]:
    return dict(value) if isinstance(value, list) else {}
