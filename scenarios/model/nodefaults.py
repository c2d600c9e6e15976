"""Faults of one node itself: of its process, of its disk, of its clocks."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from pydantic import Field, model_validator

from p2p.codepoints import CodePoint
from scenarios.errors import RefusedError
from scenarios.model.faultbase import BaseFault, NoParams
from scenarios.model.targets import TargetKind
from scenarios.model.units import RangeMs, Record

_POINTS = ", ".join(CodePoint)


class CrashAtParams(Record):
    """Where in its program a node dies."""

    point: CodePoint = Field(description=f"The named point: one of {_POINTS}.")
    nth: int = Field(1, ge=1, le=10_000, description="At which occurrence from now, in one process life.")
    chance: float | None = Field(
        None, gt=0, le=1, description="The probability that any passage is fatal; instead of nth."
    )

    @model_validator(mode="after")
    def _check_which(self) -> CrashAtParams:
        if self.chance is not None and self.nth != 1:
            raise RefusedError(
                "has both nth and chance", "one of them says when", "leave one out", inside=("nth",)
            )
        return self


class CrashAt(BaseFault):
    """The process dies when its program comes to a named point, and starts again when the fault ends."""

    lasting = "required"
    kind: Literal["crash_at"]
    params: CrashAtParams = Field(description="Where, and at which occurrence.")


class RestartLoopParams(Record):
    """How often a process dies again."""

    times: int = Field(ge=2, le=50, description="How often it dies.")
    up_ms: RangeMs = Field(description="Shortest and longest life between two deaths, in milliseconds.")
    down_ms: RangeMs = Field((50, 200), description="Shortest and longest pause before it starts again.")


class RestartLoop(BaseFault):
    """The process dies, starts again, dies again, and so on; in the end it is up."""

    lasting = "never"
    kind: Literal["restart_loop"]
    params: RestartLoopParams = Field(description="How often, and in what rhythm.")


class RollingRestartParams(Record):
    """What is waited for before the next node is stopped."""

    every_ms: int | None = Field(
        None, ge=0, le=600_000, description="A stated span; until the node has caught up if absent."
    )


class RollingRestart(BaseFault):
    """The nodes are stopped in good order and started again, one after the other, as an operator updates them."""

    lasting = "never"
    kind: Literal["rolling_restart"]
    params: RollingRestartParams = Field(
        RollingRestartParams(every_ms=None), description="What is waited for between two nodes."
    )


class OtherVersion(BaseFault):
    """The node is stopped and comes back with another version of the peers' protocol; the end sets it right."""

    lasting = "required"
    kind: Literal["other_version"]
    params: NoParams = Field(NoParams(), description="None.")


class ReadFailure(BaseFault):
    """The process dies, and every read from its disk fails: it cannot start until that is over."""

    lasting = "required"
    kind: Literal["read_failure"]
    params: NoParams = Field(NoParams(), description="None.")


class WriteFailure(BaseFault):
    """Every write to the target's disk fails with an I/O error."""

    lasting = "required"
    kind: Literal["write_failure"]
    params: NoParams = Field(NoParams(), description="None.")


class JumpParams(Record):
    """How far a calendar jumps, and how often."""

    seconds: int = Field(ge=-86_400, le=86_400, description="Seconds by which it jumps; negative for back.")
    every_ms: int = Field(ge=10, le=600_000, description="Milliseconds from one jump to the next one, back.")


class CalendarJump(BaseFault):
    """The target's calendar jumps, and back, and so on; it is right again at the end."""

    lasting = "required"
    kind: Literal["calendar_jump"]
    params: JumpParams = Field(description="How far, and in what rhythm.")

    @model_validator(mode="after")
    def _check_distance(self) -> CalendarJump:
        if not self.params.seconds:
            raise RefusedError("jumps by nothing", "1 s at least", "", inside=("params", "seconds"))
        return self


class DriftParams(Record):
    """How wrong a calendar's pace is."""

    ppm: int = Field(
        ge=-100_000,
        le=100_000,
        description="Millionths by which it is fast; negative for slow. A quartz without correction: 20 to 100.",
    )


class CalendarDrift(BaseFault):
    """The target's calendar runs fast or slow, so that it is ever more wrong; it is set right at the end."""

    lasting = "required"
    kind: Literal["calendar_drift"]
    params: DriftParams = Field(description="By how much.")

    @model_validator(mode="after")
    def _check_pace(self) -> CalendarDrift:
        if not self.params.ppm:
            raise RefusedError("drifts by nothing", "1 ppm at least", "", inside=("params", "ppm"))
        return self


class TimerDriftParams(Record):
    """How wrong the pace of a process's own clock is."""

    ppm: int = Field(
        ge=-200_000, le=1_000_000, description="Millionths by which its timers are fast; negative for slow."
    )


class TimerDrift(BaseFault):
    """The clock that the target's timers go by runs fast or slow; its pace is right again at the end."""

    lasting = "required"
    kind: Literal["timer_drift"]
    params: TimerDriftParams = Field(description="By how much.")

    @model_validator(mode="after")
    def _check_pace(self) -> TimerDrift:
        if not self.params.ppm:
            raise RefusedError("drifts by nothing", "1 ppm at least", "", inside=("params", "ppm"))
        return self


class TimerJumpParams(Record):
    """How long a process seems to itself to have stood still."""

    seconds: float = Field(
        gt=0, le=3_600, description="Seconds by which the clock of its timers jumps ahead."
    )


class TimerJump(BaseFault):
    """The clock that the target's timers go by jumps ahead: all that it passes over are due at once."""

    lasting = "never"
    kind: Literal["timer_jump"]
    params: TimerJumpParams = Field(description="How far.")


class _Losing(BaseFault):
    """A fault after which a node may be no more: never of so many that what they acknowledged is nowhere else."""

    @model_validator(mode="after")
    def _check_who_is_left(self) -> _Losing:
        if self.target.kind in (TargetKind.ALL, TargetKind.MAJORITY):
            limit = "what a majority has acknowledged is nowhere else"
            raise RefusedError(
                "more stores are lost than the network can bear", limit, "hit a minority", inside=("target",)
            )
        return self


class StoreFile(StrEnum):
    """The files that a node keeps."""

    DATABASE = "database"
    LOG = "log"
    WATERMARK = "watermark"
    ALL = "all"


class FlipBitsParams(Record):
    """Where bits flip, and how many."""

    file: Literal[StoreFile.DATABASE, StoreFile.LOG, StoreFile.WATERMARK] = Field(
        StoreFile.DATABASE, description="The file: database, log (of writes not yet in it) or watermark."
    )
    bits: int = Field(1, ge=1, le=10_000, description="How many bits flip.")


class FlipBits(_Losing):
    """The process dies and bits of a file flip; it is started over that at the end, and replaced if it refuses to."""

    lasting = "required"
    kind: Literal["flip_bits"]
    params: FlipBitsParams = Field(
        FlipBitsParams(file=StoreFile.DATABASE, bits=1), description="Where, and how many."
    )


class LostFileParams(Record):
    """What is lost."""

    file: StoreFile = Field(description="The file: database, log, watermark, or all of them.")


class LostFile(BaseFault):
    """The process dies and starts without a file; at the end that is there again, as when a volume is mounted late."""

    lasting = "required"
    kind: Literal["lost_file"]
    params: LostFileParams = Field(description="What.")


class Rebuild(_Losing):
    """The disk is lost for good; the node is replaced by law: new key, next incarnation, empty disk, learner first."""

    lasting = "never"
    kind: Literal["rebuild"]
    params: NoParams = Field(NoParams(), description="None.")
