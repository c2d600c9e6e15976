"""What every fault record has: when it begins, how long it lasts, whom it hits."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field, model_validator

from scenarios.errors import RefusedError
from scenarios.model.predicates import PredicateText
from scenarios.model.targets import OFFICES, TARGET_FORMS, TargetKind, TargetText
from scenarios.model.units import Record, Span, Start


class BaseFault(Record):
    """What every fault has."""

    lasting: ClassVar[Literal["required", "optional", "never"]]
    hits: ClassVar[Literal["nodes", "offices"]] = "nodes"

    at: Start | None = Field(None, description="When it begins: {protocol: 3s} or {calendar: ...}.")
    when: PredicateText | None = Field(None, description='It begins when this holds: "leader elected".')
    after: Span | None = Field(None, description="How long after `when` it begins.")
    lasts: Span | None = Field(None, alias="for", description="How long it lasts, and on which clock.")
    target: TargetText = Field(description=f"Whom it hits: {TARGET_FORMS}.")

    @model_validator(mode="after")
    def _check_times(self) -> BaseFault:
        if (self.at is None) == (self.when is None):
            what = "has both at and when" if self.at is not None else "has neither at nor when"
            raise RefusedError(what, "a fault begins at a time or when something holds", "give one of them")
        if self.after is not None and self.when is None:
            raise RefusedError("after goes with when", "", "add it to at instead", inside=("after",))
        if self.lasts is None and self.lasting == "required":
            raise RefusedError("has no for", "this kind must end", "add for: {protocol: 5s}")
        if self.lasts is not None and self.lasting == "never":
            raise RefusedError("lasts no time", "this kind is over at once", "remove for", inside=("for",))
        if self.lasts is not None and self.lasts.duration.ms == 0:
            raise RefusedError("lasts no time", "longer than 0", "give a longer time", inside=("for",))
        return self

    @model_validator(mode="after")
    def _check_whom(self) -> BaseFault:
        named = ", ".join(self.target.names) or "NAME"
        if self.hits == "nodes" and self.target.kind is TargetKind.ORGANIZATIONS:
            limit = "this kind hits nodes; only faults of trade hit an office"
            raise RefusedError(
                f'"{self.target}" is no node', limit, f'write "node {named}"', inside=("target",)
            )
        if self.hits == "offices" and self.target.kind not in OFFICES:
            limit = "this kind hits an organization's office and application, while its node runs on"
            remedy = f'write "organization {named}"; to stop the node too, add a crash'
            raise RefusedError(f'"{self.target}" is a node', limit, remedy, inside=("target",))
        return self


class NoParams(Record):
    """A kind without parameters."""
