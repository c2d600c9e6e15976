"""What every scripted act has: when it begins and who acts.

Rules:
- A step begins at a moment (`at`) or when a predicate holds (`when`), `after` so long if that is given.
"""

from __future__ import annotations

from pydantic import Field, model_validator

from scenarios.errors import RefusedError
from scenarios.model.predicates import PredicateText
from scenarios.model.units import Clock, MomentText, Record, Span


class StepRecord(Record):
    """What every step has."""

    at: MomentText | None = Field(
        None, description="Calendar moment; local in the scenario's zone without offset."
    )
    when: PredicateText | None = Field(None, description='It begins when this holds: "claim e1 filed".')
    after: Span | None = Field(None, description="Calendar time after `when`: {calendar: 2d}.")
    by: str = Field(description="Organization that acts.")

    @model_validator(mode="after")
    def _check_times(self) -> StepRecord:
        if (self.at is None) == (self.when is None):
            what = "has both at and when" if self.at is not None else "has neither at nor when"
            raise RefusedError(what, "a step begins at a moment or when something holds", "give one of them")
        if self.after is not None and self.when is None:
            raise RefusedError("after goes with when", "", "add it to at instead", inside=("after",))
        if self.after is not None and self.after.clock is not Clock.CALENDAR:
            limit = "business runs on the calendar"
            raise RefusedError(
                "after is on the protocol clock", limit, "write {calendar: 2d}", inside=("after",)
            )
        return self
