"""The numbers of the paper arm, read from one data file.

Rules:
- Each has a value or a distribution, a unit, a sensible range, a mark, and a source.
- A run may replace any of them by name, within its range; what lies outside is refused with the range.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files

from pydantic import Field, TypeAdapter, model_validator
from ruamel.yaml import YAML

from scenarios.errors import RefusedError, UnknownNameError
from scenarios.model.mark import Mark
from scenarios.model.units import DAY_MS, Record
from scenarios.workload.chance import Chance

FILE = "parameters.yaml"


class Distribution(Record):
    """A number, or how it is spread; exactly one of the three."""

    fixed: float | None = Field(None, description="Always this.")
    uniform: tuple[float, float] | None = Field(None, description="Lowest and highest, evenly spread.")
    lognormal: tuple[float, float] | None = Field(
        None, description="Median, and standard deviation of the logarithm."
    )

    @model_validator(mode="after")
    def _check_one(self) -> Distribution:
        given = [v for v in (self.fixed, self.uniform, self.lognormal) if v is not None]
        if len(given) != 1:
            raise ValueError("exactly one of fixed, uniform and lognormal")
        return self

    @property
    def middle(self) -> float:
        """The value, the middle of an even spread, or the median."""
        if self.fixed is not None:
            return self.fixed
        if self.uniform is not None:
            return (self.uniform[0] + self.uniform[1]) / 2
        return self.lognormal[0] if self.lognormal is not None else 0.0

    def around(self, middle: float) -> Distribution:
        """Return the same spread around another middle."""
        if self.uniform is not None:
            half = (self.uniform[1] - self.uniform[0]) / 2
            return Distribution.model_validate({"uniform": (middle - half, middle + half)})
        if self.lognormal is not None:
            return Distribution.model_validate({"lognormal": (middle, self.lognormal[1])})
        return Distribution.model_validate({"fixed": middle})

    def draw(self, chance: Chance, name: str) -> float:
        """Return one number of it."""
        if self.uniform is not None:
            low, high = self.uniform
            return low + chance.share(name) * (high - low)
        if self.lognormal is not None:
            return chance.lognormal(name, *self.lognormal)
        return self.middle

    def __str__(self) -> str:
        if self.uniform is not None:
            return f"{self.uniform[0]:g} to {self.uniform[1]:g}, even"
        if self.lognormal is not None:
            return f"median {self.lognormal[0]:g}, lognormal {self.lognormal[1]:g}"
        return f"{self.middle:g}"


class PaperParameter(Record):
    """One number of the paper arm."""

    value: Distribution = Field(description="The number.")
    unit: str = Field(min_length=1, description="What it counts.")
    range: tuple[float, float] = Field(description="What a study may vary it over.")
    mark: Mark = Field(description="How sure it is.")
    source: str = Field(min_length=1, description="Where it was read, or whose assumption it is.")

    @model_validator(mode="after")
    def _check_range(self) -> PaperParameter:
        low, high = self.range
        if not low <= self.value.middle <= high:
            raise ValueError(f"{self.value.middle:g} is not within its range {low:g} to {high:g}")
        return self


_GROUPS: TypeAdapter[dict[str, dict[str, PaperParameter]]] = TypeAdapter(dict[str, dict[str, PaperParameter]])


@dataclass(frozen=True, slots=True)
class PaperParameters:
    """All numbers of the paper arm by `group.name`."""

    by_name: Mapping[str, PaperParameter]

    def with_values(self, middles: Mapping[str, float]) -> PaperParameters:
        """Return them with some values, or middles of distributions, replaced.

        Raises:
            UnknownNameError: if there is no such parameter.
            RefusedError: if a value lies outside the parameter's range.
        """
        changed = dict(self.by_name)
        for name, middle in middles.items():
            known = self._known(name)
            low, high = known.range
            if not low <= middle <= high:
                raise RefusedError(
                    f"paper.{name} is {middle:g}",
                    f"{low:g} to {high:g} {known.unit}",
                    "choose one within its range",
                )
            changed[name] = known.model_copy(update={"value": known.value.around(middle)})
        return dataclasses.replace(self, by_name=changed)

    def share(self, name: str) -> float:
        """Return a share or a plain number."""
        return self._known(name).value.middle

    def happens(self, name: str, chance: Chance, draw: str = "") -> bool:
        """Say whether something whose share this is happens."""
        return chance.happens(f"paper {name} {draw}", self.share(name))

    def draw(self, name: str, chance: Chance, draw: str = "") -> float:
        """Return one number of a distribution, in its unit."""
        return self._known(name).value.draw(chance, f"paper {name} {draw}")

    def days_ms(self, name: str, chance: Chance, draw: str = "") -> int:
        """Return one duration of a distribution in days, milliseconds; 0 at least."""
        return max(0, round(self.draw(name, chance, draw) * DAY_MS))

    def _known(self, name: str) -> PaperParameter:
        if name not in self.by_name:
            raise UnknownNameError("paper parameter", name, self.by_name)
        return self.by_name[name]


def read_parameters(text: str) -> PaperParameters:
    """Return the parameters of a data file.

    Raises:
        ValueError: if the file does not hold.
    """
    groups = _GROUPS.validate_python(_plain(YAML(typ="safe").load(text)))
    return PaperParameters(
        {f"{group}.{name}": p for group, named in groups.items() for name, p in named.items()}
    )


def standard_parameters() -> PaperParameters:
    """Return the parameters that the package brings."""
    return read_parameters(files("scenarios.paper").joinpath(FILE).read_text(encoding="utf-8"))


def _plain(value: object) -> object:
    """Return YAML's lists as the tuples and its whole numbers as the floats that strict records take."""
    if isinstance(value, dict):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return tuple(_plain(inner) for inner in value)
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value
