"""A schedule of random faults, as a scenario file asks for it.

Rules:
- It names what may be drawn and within which limits; what is drawn follows from the run's seed alone.
- Each run leaves some kinds out altogether, since the presence of one kind can hide what another would show (swarm
  testing: Groce et al., ISSTA 2012).
"""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from pydantic import Field, model_validator

from scenarios.errors import RefusedError
from scenarios.model.faults import VIRTUAL_KINDS
from scenarios.model.units import Duration, DurationText, Record, parse_duration

FAULTS_MAX = 100

ScheduledKind = Literal[
    "crash",
    "pause",
    "power_loss",
    "partition",
    "bridge",
    "ring",
    "one_way",
    "flapping",
    "latency",
    "loss",
    "bandwidth",
    "clog",
    "slow_reader",
    "reset",
    "half_open",
    "drop",
    "burst_drop",
    "duplicate",
    "reorder",
    "corrupt",
    "disk_full",
    "sync_failure",
    "slow_disk",
    "calendar_offset",
    "crash_at",
    "restart_loop",
    "rolling_restart",
    "other_version",
    "read_failure",
    "write_failure",
    "flip_bits",
    "lost_file",
    "rebuild",
    "calendar_jump",
    "calendar_drift",
    "timer_drift",
    "timer_jump",
]
ScheduledTradeKind = Literal[
    "outage", "silence", "late_document", "lost_document", "wrong_data", "paper_fallback"
]
SCHEDULED_KINDS: tuple[ScheduledKind, ...] = get_args(ScheduledKind)
"""Every kind but `restart`, which every drawn crash brings with it."""
SCHEDULED_TRADE_KINDS: tuple[ScheduledTradeKind, ...] = get_args(ScheduledTradeKind)
"""Faults of trade, which last days of the calendar and change what may be expected: drawn only where a file asks for
them."""
NEVER_SCHEDULED = tuple(
    kind for kind in VIRTUAL_KINDS if kind not in (*SCHEDULED_KINDS, *SCHEDULED_TRADE_KINDS)
)

Count = Annotated[int, Field(ge=0, le=FAULTS_MAX)]


class Budget(Record):
    """How much may be broken at once."""

    down: int | None = Field(
        None,
        ge=0,
        le=256,
        description="Nodes down or cut off at one moment at most; the largest minority of orderers if absent.",
    )


class TradeDraw(Record):
    """Faults of trade drawn besides: which, and how many."""

    kinds: tuple[ScheduledTradeKind, ...] = Field(
        SCHEDULED_TRADE_KINDS, min_length=1, description="What may be drawn; every kind of trade if absent."
    )
    faults: tuple[Count, Count] = Field(
        (0, 2), description="Fewest and most of a run; none if it leaves all out."
    )

    @model_validator(mode="after")
    def _check_limits(self) -> TradeDraw:
        _check_count(self.faults)
        return self


class Schedule(Record):
    """Faults drawn from the seed: which, how many, when, how hard, and how much at once."""

    kinds: tuple[ScheduledKind, ...] = Field(
        SCHEDULED_KINDS,
        min_length=1,
        description="What may be drawn; every kind but restart and those of trade if absent.",
    )
    without: tuple[ScheduledKind, ...] = Field((), description="What of these is never drawn.")
    faults: tuple[Count, Count] = Field((5, 9), description="Fewest and most faults of a run.")
    aimed: Count = Field(
        0,
        description="So many of these at least are in force when a step of the script falls due, so that they meet its "
        "transaction.",
    )
    trade: TradeDraw | None = Field(None, description="Faults of trade to be drawn besides; none if absent.")
    begins: DurationText = Field(
        Duration(1_000), alias="from", description="When the first may begin, protocol time after the start."
    )
    until: DurationText = Field(
        parse_duration("55s"), description="When all are over that end by themselves, protocol time."
    )
    intensity: float = Field(
        0.5, ge=0, le=1, description="How hard they may hit: how long, how much, how many; 1 is the hardest."
    )
    leave_out: float = Field(
        0.5, ge=0, lt=1, description="Chance with which a run leaves a kind out; one is left at least."
    )
    budget: Budget = Field(
        default_factory=lambda: Budget.model_validate({}),
        description="Limits that hold unless the scenario says beyond: true.",
    )

    @property
    def drawable(self) -> tuple[ScheduledKind, ...]:
        """The kinds that may be drawn beside those of trade, in the order of the table of faults."""
        return tuple(kind for kind in SCHEDULED_KINDS if kind in self.kinds and kind not in self.without)

    @model_validator(mode="after")
    def _check_limits(self) -> Schedule:
        if not self.drawable:
            raise RefusedError(
                "leaves no kind", "one at least", "take one out of without", inside=("without",)
            )
        _check_count(self.faults)
        if self.aimed > self.faults[0]:
            what = f"{self.aimed} are more than the fewest faults of a run"
            raise RefusedError(
                what, f"{self.faults[0]} here", "name fewer, or more faults", inside=("aimed",)
            )
        if self.until.ms <= self.begins.ms:
            what = f"until {self.until} is not after from {self.begins}"
            raise RefusedError(what, "time runs forward", "name a later end", inside=("until",))
        return self


def _check_count(faults: tuple[int, int]) -> None:
    if faults[1] < faults[0]:
        what = f"the most, {faults[1]}, is less than the fewest, {faults[0]}"
        raise RefusedError(what, "[fewest, most]", "swap them", inside=("faults",))
