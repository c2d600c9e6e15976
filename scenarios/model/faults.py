"""The one fault record: what goes wrong, when, for how long, and where.

Rules:
- One record `{at | when [after], for, kind, target, params}` serves scripts, schedules, logs and reports.
- `for` says which clock it runs on. A fault still in force when the trial heals ends there.
- A target that several nodes fit is drawn from the run's seed, once, when the fault begins.
- A kind a world cannot do is refused before the run, with the kinds it can do, and is never skipped.

| kind | `for` | params | what happens |
|---|---|---|---|
| `crash` | optional: then restarts | | the process dies, what it synced stays |
| `restart` | no | | a dead process starts over its disk |
| `pause` | required | | the process stands still, then goes on |
| `power_loss` | optional: then boots | | the machine dies, unsynced writes are lost or torn |
| `partition` | required | `groups` | links between the target and the rest, or between groups, are cut |
| `bridge` | required | `groups` | the others fall apart in two halves, and only the target sees both |
| `ring` | required | | of the nodes hit, each sees only the one before and the one after it |
| `one_way` | required | `cut` | what the target sends is cut, or what is sent to it |
| `flapping` | required | `down_ms`, `up_ms` | links between the target and the rest go down and up again and again |
| `latency` | required | a distribution or `regions`; `way` | the target's links take this long one way |
| `loss` | required | `percent` | the target's links lose packets: TCP resends, then resets |
| `bandwidth` | required | `bytes_per_s`, `way` | no more passes the target's links; the rest waits in line |
| `clog` | required | `way` | what is sent over the target's links is held, and let go in order at the end |
| `slow_reader` | required | `bytes_per_s` | the target reads slowly: its receive window fills, and its peers wait |
| `reset` | no | | every connection of the target is reset at both ends |
| `half_open` | no | | the target's ends are gone; the others' believe they are open, and nobody answers them |
| `drop` | required | `percent` | frames that the target sends never arrive |
| `burst_drop` | required | `percent`, `frames` | at so many frames begins a run of so many that never arrive |
| `duplicate` | required | `percent` | they arrive twice, the second time up to a second later |
| `reorder` | required | `percent` | they arrive up to a second later, overtaken by others |
| `corrupt` | required | `percent` | they arrive with a byte changed |
| `disk_full` | required | | the target's disk takes no write; its node stops, and starts again afterwards |
| `sync_failure` | required | | the target's disk syncs nothing; its node stops, and starts again afterwards |
| `slow_disk` | required | `range_ms` | a sync of the target's disk takes so long |
| `calendar_offset` | required | `seconds` | the target's calendar is fast, or slow if negative |
| `crash_at` | required: then restarts | `point`, `nth` or `chance` | the process dies at a named point of its program |
| `restart_loop` | no | `times`, `up_ms`, `down_ms` | the process dies and starts again, so many times |
| `rolling_restart` | no | `every_ms` | the nodes are stopped and started, one after the other |
| `other_version` | required | | the node speaks another version of the peers' protocol |
| `read_failure` | required | | the process dies, and cannot start: no read from its disk succeeds |
| `write_failure` | required | | no write to the target's disk succeeds; its node stops, and starts again afterwards |
| `flip_bits` | required | `file`, `bits` | the process dies, bits of a file flip; it starts over that or is replaced |
| `lost_file` | required | `file` | the process dies and starts without a file, which comes back at the end |
| `rebuild` | no | | the disk is lost: the node is replaced by law |
| `calendar_jump` | required | `seconds`, `every_ms` | the target's calendar jumps forth and back |
| `calendar_drift` | required | `ppm` | the target's calendar runs fast, or slow if negative |
| `timer_drift` | required | `ppm` | the clock that the target's timers go by runs fast, or slow if negative |
| `timer_jump` | no | `seconds` | that clock jumps ahead: all timers that it passes over are due at once |
| `outage` | required | | the organization's application is off, while its node runs on |
| `silence` | required | | the organization reads all that comes, and says nothing |
| `late_document` | required | `to` | envelopes that it sends are held back, although their roots are on the ledger |
| `lost_document` | required | `to` | they are never delivered |
| `wrong_data` | required | `fields` | it uploads forms whose fields are not what was agreed |
| `paper_fallback` | required | `entry_minutes`, `twice_percent`, `mistyped_percent` | it works on paper first |
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal, TypeAlias

from pydantic import Field, model_validator

from scenarios.errors import RefusedError
from scenarios.model.faultbase import BaseFault, NoParams
from scenarios.model.linkfaults import (
    LINK_KINDS,
    Bandwidth,
    Bridge,
    Clog,
    Flapping,
    HalfOpen,
    Latency,
    Loss,
    OneWay,
    Partition,
    Reset,
    Ring,
    SlowReader,
)
from scenarios.model.nodefaults import (
    CalendarDrift,
    CalendarJump,
    CrashAt,
    FlipBits,
    LostFile,
    OtherVersion,
    ReadFailure,
    Rebuild,
    RestartLoop,
    RollingRestart,
    TimerDrift,
    TimerJump,
    WriteFailure,
)
from scenarios.model.tradefaults import (
    TRADE_KINDS,
    LateDocument,
    LostDocument,
    Outage,
    PaperFallback,
    Silence,
    WrongData,
)
from scenarios.model.units import RangeMs, Record


class Crash(BaseFault):
    """The process dies at once, as by SIGKILL."""

    lasting = "optional"
    kind: Literal["crash"]
    params: NoParams = Field(NoParams(), description="None.")


class Restart(BaseFault):
    """A dead process starts again over what its disk kept."""

    lasting = "never"
    kind: Literal["restart"]
    params: NoParams = Field(NoParams(), description="None.")


class Pause(BaseFault):
    """The process stands still, as by SIGSTOP, and goes on."""

    lasting = "required"
    kind: Literal["pause"]
    params: NoParams = Field(NoParams(), description="None.")


class PowerLoss(BaseFault):
    """The machines lose power at one instant; what was not synced is lost or torn."""

    lasting = "optional"
    kind: Literal["power_loss"]
    params: NoParams = Field(NoParams(), description="None.")


class SlowDiskParams(Record):
    """How long a sync takes."""

    range_ms: RangeMs = Field(description="Shortest and longest sync in milliseconds.")


class OffsetParams(Record):
    """How wrong a calendar is."""

    seconds: int = Field(ge=-86_400, le=86_400, description="Seconds by which it is fast; negative for slow.")


class ShareParams(Record):
    """How many frames are struck."""

    percent: float = Field(gt=0, le=100, description="Frames struck, of a hundred.")


class DropFrames(BaseFault):
    """Some of the frames that the target sends never arrive."""

    lasting = "required"
    kind: Literal["drop"]
    params: ShareParams = Field(description="How many.")


class DuplicateFrames(BaseFault):
    """Some of the frames that the target sends arrive twice, the second time up to a second later."""

    lasting = "required"
    kind: Literal["duplicate"]
    params: ShareParams = Field(description="How many.")


class ReorderFrames(BaseFault):
    """Some of the frames that the target sends are overtaken: they arrive up to a second later."""

    lasting = "required"
    kind: Literal["reorder"]
    params: ShareParams = Field(description="How many.")


class CorruptFrames(BaseFault):
    """Some of the frames that the target sends arrive with a byte changed."""

    lasting = "required"
    kind: Literal["corrupt"]
    params: ShareParams = Field(description="How many.")


class BurstParams(Record):
    """How often frames are dropped in a row, and how many."""

    percent: float = Field(gt=0, le=100, description="Frames at which a burst begins, of a hundred.")
    frames: int = Field(ge=2, le=1_000, description="Frames dropped in a row, to whomever they go.")


class BurstDrop(BaseFault):
    """Now and then several frames in a row that the target sends never arrive."""

    lasting = "required"
    kind: Literal["burst_drop"]
    params: BurstParams = Field(description="How often, how many.")


class DiskFull(BaseFault):
    """Every write to the target's disk fails for want of room."""

    lasting = "required"
    kind: Literal["disk_full"]
    params: NoParams = Field(NoParams(), description="None.")


class SyncFailure(BaseFault):
    """Every sync of the target's disk fails."""

    lasting = "required"
    kind: Literal["sync_failure"]
    params: NoParams = Field(NoParams(), description="None.")


class SlowDisk(BaseFault):
    """The target's disk takes long to sync."""

    lasting = "required"
    kind: Literal["slow_disk"]
    params: SlowDiskParams = Field(description="How long.")


class CalendarOffset(BaseFault):
    """The target's calendar is wrong: fast, or slow if negative."""

    lasting = "required"
    kind: Literal["calendar_offset"]
    params: OffsetParams = Field(description="By how much.")

    @model_validator(mode="after")
    def _check_offset(self) -> CalendarOffset:
        if not self.params.seconds:
            raise RefusedError("is off by nothing", "1 s at least", "", inside=("params", "seconds"))
        return self


FrameFault: TypeAlias = DropFrames | BurstDrop | DuplicateFrames | ReorderFrames | CorruptFrames

FaultRecord: TypeAlias = Annotated[
    Crash
    | Restart
    | Pause
    | PowerLoss
    | Partition
    | OneWay
    | Latency
    | Loss
    | Bridge
    | Ring
    | Flapping
    | Bandwidth
    | Clog
    | SlowReader
    | Reset
    | HalfOpen
    | DropFrames
    | BurstDrop
    | DuplicateFrames
    | ReorderFrames
    | CorruptFrames
    | DiskFull
    | SyncFailure
    | SlowDisk
    | CalendarOffset
    | CrashAt
    | RestartLoop
    | RollingRestart
    | OtherVersion
    | ReadFailure
    | WriteFailure
    | CalendarJump
    | CalendarDrift
    | TimerDrift
    | TimerJump
    | FlipBits
    | LostFile
    | Rebuild
    | Outage
    | Silence
    | LateDocument
    | LostDocument
    | WrongData
    | PaperFallback,
    Field(discriminator="kind"),
]

OVER_AT_ONCE = ("restart", "restart_loop", "rolling_restart", "rebuild", "reset", "half_open", "timer_jump")
"""Kinds that take no `for`: they are over at once, or when they have run their course."""
PROCESS_KINDS = ("crash_at", "restart_loop", "rolling_restart", "other_version")
DISK_KINDS = ("disk_full", "sync_failure", "slow_disk", "read_failure", "write_failure")
FRAME_KINDS = ("drop", "burst_drop", "duplicate", "reorder", "corrupt")
VIRTUAL_KINDS = (
    "crash",
    "restart",
    "pause",
    "power_loss",
    *LINK_KINDS,
    *FRAME_KINDS,
    "disk_full",
    "sync_failure",
    "slow_disk",
    "calendar_offset",
    *PROCESS_KINDS,
    "read_failure",
    "write_failure",
    "flip_bits",
    "lost_file",
    "rebuild",
    "calendar_jump",
    "calendar_drift",
    "timer_drift",
    "timer_jump",
    *TRADE_KINDS,
)
NOT_LIVE: Mapping[str, str] = {
    "power_loss": "the operating system keeps what a process has written, synced or not",
    "timer_drift": "the monotonic clock is the kernel's, one for all processes",
    "timer_jump": "the monotonic clock is the kernel's, one for all processes",
}
"""Kinds that no operating system does to one process, and why not."""
LIVE_KINDS = tuple(kind for kind in VIRTUAL_KINDS if kind not in NOT_LIVE)
KINDS_BY_WORLD: Mapping[str, Sequence[str]] = {"virtual": VIRTUAL_KINDS, "live": LIVE_KINDS}
