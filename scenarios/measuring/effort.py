"""What acts cost people: minutes, data elements keyed, and those keyed again, read from one data file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from importlib.resources import files

from pydantic import Field, TypeAdapter, model_validator
from ruamel.yaml import YAML

from scenarios.model.mark import Mark
from scenarios.model.units import Record

FILE = "effort.yaml"
MINUTES_A_HOUR = 60


class Arm(StrEnum):
    """The two ways in which one trade is played."""

    LEDGER = "ledger"
    PAPER = "paper"


class Cost(Record):
    """What one act costs."""

    minutes: int = Field(ge=0, description="Of the organization that acts.")
    keyed: int = Field(ge=0, description="Data elements keyed.")
    again: int = Field(ge=0, description="Of them, those that somebody had keyed before.")

    @model_validator(mode="after")
    def _check_again(self) -> Cost:
        if self.again > self.keyed:
            raise ValueError(f"{self.again} keyed again of {self.keyed} keyed")
        return self


class ActEffort(Record):
    """What an act costs in either arm."""

    both: Cost | None = Field(None, description="In both arms.")
    ledger: Cost | None = Field(None, description="With a ledger.")
    paper: Cost | None = Field(None, description="On paper.")
    range: tuple[int, int] = Field(description="Minutes that a study may vary it over.")
    mark: Mark = Field(description="How sure it is.")
    source: str = Field(min_length=1, description="Where it was read, or whose assumption it is.")

    @model_validator(mode="after")
    def _check_arms(self) -> ActEffort:
        if (self.both is None) == (self.ledger is None) or (self.ledger is None) != (self.paper is None):
            raise ValueError("give both, or ledger and paper")
        return self

    def cost(self, arm: Arm) -> Cost:
        """Return what it costs in an arm."""
        cost = self.both or (self.ledger if arm is Arm.LEDGER else self.paper)
        if cost is None:
            raise AssertionError("an act without a cost passed its check")
        return cost


_ACTS: TypeAdapter[dict[str, ActEffort]] = TypeAdapter(dict[str, ActEffort])


@dataclass(frozen=True, slots=True)
class Effort:
    """People's effort, summed.

    Attributes:
        minutes: of work.
        keyed, again: data elements keyed, and keyed again.
    """

    minutes: int = 0
    keyed: int = 0
    again: int = 0

    def plus(self, cost: Cost, times: int) -> Effort:
        """Return the sum with so many acts of a cost."""
        return Effort(
            self.minutes + cost.minutes * times,
            self.keyed + cost.keyed * times,
            self.again + cost.again * times,
        )

    @property
    def hours(self) -> float:
        """The minutes as hours."""
        return self.minutes / MINUTES_A_HOUR


def efforts(
    acts: Mapping[tuple[str, str], int], arm: Arm, table: Mapping[str, ActEffort]
) -> dict[str, Effort]:
    """Return every organization's effort.

    Args:
        acts: how often each organization's events of each name occurred.
        arm: in which arm.
        table: what an event costs.
    """
    sums: dict[str, Effort] = {}
    for (organization, name), times in acts.items():
        act = table.get(name)
        if act is not None:
            sums[organization] = sums.get(organization, Effort()).plus(act.cost(arm), times)
    return sums


def read_effort(text: str) -> Mapping[str, ActEffort]:
    """Return the table of a data file.

    Raises:
        ValueError: if the file does not hold.
    """
    value = YAML(typ="safe").load(text)
    return _ACTS.validate_python({name: act | {"range": tuple(act["range"])} for name, act in value.items()})


def standard_effort() -> Mapping[str, ActEffort]:
    """Return the table that the package brings."""
    return read_effort(files("scenarios.measuring").joinpath(FILE).read_text(encoding="utf-8"))
