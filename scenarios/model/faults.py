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
| `partition` | required | `groups` | links between the target and the rest are cut |
| `latency` | required | `range_ms` | the target's links take this long one way |
| `one_way` | required | `cut` | what the target sends is cut, or what is sent to it |
| `loss` | required | `percent` | the target's links lose packets: TCP resends, then resets |
| `drop` | required | `percent` | frames that the target sends never arrive |
| `duplicate` | required | `percent` | they arrive twice, the second time up to a second later |
| `reorder` | required | `percent` | they arrive up to a second later, overtaken by others |
| `corrupt` | required | `percent` | they arrive with a byte changed |
| `disk_full` | required | | the target's disk takes no write; its node stops, and starts again afterwards |
| `sync_failure` | required | | the target's disk syncs nothing; its node stops, and starts again afterwards |
| `slow_disk` | required | `range_ms` | a sync of the target's disk takes so long |
| `calendar_offset` | required | `seconds` | the target's calendar is fast, or slow if negative |
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, ClassVar, Literal, TypeAlias

from pydantic import Field, model_validator

from ledger.genesis import Role
from scenarios.errors import RefusedError, UnknownNameError
from scenarios.model.predicates import PredicateText
from scenarios.model.units import RangeMs, Record, Span, Start, Text

ORGANIZATION_PATTERN = r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?"


class TargetKind(StrEnum):
    """Ways to say whom a fault hits."""

    NODES = "nodes"
    LEADER = "leader"
    FOLLOWER = "follower"
    MINORITY = "minority"
    MAJORITY = "majority"
    ROLE = "role"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Target:
    """Whom a fault hits.

    Args:
        kind: The way it is said.
        names: The organizations named, for `nodes`.
        role: The role named, for `role`.
    """

    kind: TargetKind
    names: tuple[str, ...] = ()
    role: Role | None = None

    def __str__(self) -> str:
        if self.kind is TargetKind.NODES:
            return f"node {self.names[0]}" if len(self.names) == 1 else f"nodes {', '.join(self.names)}"
        return f"role:{self.role}" if self.role is not None else self.kind.value

    def choose(
        self,
        roles: Mapping[str, Sequence[Role]],
        orderers: Sequence[str],
        leader: str | None,
        chance: random.Random,
    ) -> tuple[str, ...]:
        """Return the organizations hit, in genesis' order; empty if nobody fits at this moment.

        Args:
            roles: Every organization's roles, in genesis' order.
            orderers: The organizations whose nodes vote.
            leader: Who leads now, if anybody does.
            chance: The fault's own stream of chance.
        """
        match self.kind:
            case TargetKind.NODES:
                chosen = list(self.names)
            case TargetKind.ALL:
                chosen = list(roles)
            case TargetKind.LEADER:
                chosen = [leader] if leader is not None else []
            case TargetKind.FOLLOWER:
                chosen = _draw([orderer for orderer in orderers if orderer != leader], 1, chance)
            case TargetKind.MINORITY:
                chosen = _draw(orderers, (len(orderers) - 1) // 2, chance)
            case TargetKind.MAJORITY:
                chosen = _draw(orderers, len(orderers) // 2 + 1, chance)
            case TargetKind.ROLE:
                chosen = _draw([name for name, held in roles.items() if self.role in held], 1, chance)
        return tuple(name for name in roles if name in chosen)


def _draw(names: Sequence[str], count: int, chance: random.Random) -> list[str]:
    return chance.sample(list(names), min(count, len(names)))


_NODES = re.compile(rf"nodes? ({ORGANIZATION_PATTERN}(?:, ?{ORGANIZATION_PATTERN})*)")
_TARGET_FORMS = "leader | follower | minority | majority | all | node NAME | nodes NAME, NAME | role:ROLE"


def parse_target(text: str) -> Target:
    """Return whom `leader`, `node cbp`, `nodes cbp, noaa`, `role:customs` and so on name.

    Raises:
        RefusedError: The text names no target, or an unknown role.
    """
    match = _NODES.fullmatch(text)
    if match is not None:
        names = tuple(name.strip() for name in match[1].split(","))
        if len(set(names)) != len(names):
            raise RefusedError(f'"{text}" names a node twice', "", "name each node once")
        return Target(TargetKind.NODES, names)
    if text.startswith("role:"):
        name = text.removeprefix("role:")
        if name not in list(Role):
            raise UnknownNameError("role", name, Role)
        return Target(TargetKind.ROLE, role=Role(name))
    plain = [kind.value for kind in TargetKind if kind not in (TargetKind.NODES, TargetKind.ROLE)]
    if text not in plain:
        refusal = UnknownNameError("target", text, plain)
        remedy = refusal.remedy or f'if this is an organization, write "node {text}"'
        if text in {"node", "nodes"}:
            remedy = f'name whose: "{text} cbp"'
        raise RefusedError(refusal.what, f"one of: {_TARGET_FORMS}", remedy)
    return Target(TargetKind(text))


TargetText = Annotated[Target, Text(parse_target, {"examples": ["leader"]})]


class _Fault(Record):
    """What every fault has."""

    lasting: ClassVar[Literal["required", "optional", "never"]]

    at: Start | None = Field(None, description="When it begins: {protocol: 3s} or {calendar: ...}.")
    when: PredicateText | None = Field(None, description='It begins when this holds: "leader elected".')
    after: Span | None = Field(None, description="How long after `when` it begins.")
    lasts: Span | None = Field(None, alias="for", description="How long it lasts, and on which clock.")
    target: TargetText = Field(description=f"Whom it hits: {_TARGET_FORMS}.")

    @model_validator(mode="after")
    def _check_times(self) -> _Fault:
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


class NoParams(Record):
    """A kind without parameters."""


class Crash(_Fault):
    """The process dies at once, as by SIGKILL."""

    lasting = "optional"
    kind: Literal["crash"]
    params: NoParams = Field(NoParams(), description="None.")


class Restart(_Fault):
    """A dead process starts again over what its disk kept."""

    lasting = "never"
    kind: Literal["restart"]
    params: NoParams = Field(NoParams(), description="None.")


class Pause(_Fault):
    """The process stands still, as by SIGSTOP, and goes on."""

    lasting = "required"
    kind: Literal["pause"]
    params: NoParams = Field(NoParams(), description="None.")


class PowerLoss(_Fault):
    """The machines lose power at one instant; what was not synced is lost or torn."""

    lasting = "optional"
    kind: Literal["power_loss"]
    params: NoParams = Field(NoParams(), description="None.")


class PartitionParams(Record):
    """How the network falls apart."""

    groups: tuple[tuple[str, ...], ...] | None = Field(
        None,
        description="The islands, by organization, with target all; the target against the rest if absent.",
    )


class Partition(_Fault):
    """Links are cut between groups of nodes."""

    lasting = "required"
    kind: Literal["partition"]
    params: PartitionParams = Field(PartitionParams(groups=None), description="The islands, if named.")

    @model_validator(mode="after")
    def _check_groups(self) -> Partition:
        groups, everybody = self.params.groups, self.target.kind is TargetKind.ALL
        if groups is None and everybody:
            remedy = "name params.groups, or a target that leaves a rest"
            raise RefusedError("cuts everybody from nobody", "two sides", remedy, inside=("target",))
        if groups is None:
            return self
        if not everybody:
            raise RefusedError(
                "groups go with target all", "", "write target: all", inside=("params", "groups")
            )
        names = [name for group in groups for name in group]
        if len(groups) < 2 or not all(groups) or len(set(names)) != len(names):
            limit = "at least two groups, none empty, nobody in two"
            raise RefusedError("the groups are no partition", limit, "", inside=("params", "groups"))
        return self


class LatencyParams(Record):
    """How slow links become."""

    range_ms: RangeMs = Field(description="Lowest and highest one-way latency in milliseconds.")


class Latency(_Fault):
    """The target's links become slow."""

    lasting = "required"
    kind: Literal["latency"]
    params: LatencyParams = Field(description="How slow.")


class LossParams(Record):
    """How lossy links become."""

    percent: float = Field(gt=0, le=100, description="Packets lost, of a hundred.")


class Loss(_Fault):
    """The target's links lose packets; TCP makes delay of it, then a reset."""

    lasting = "required"
    kind: Literal["loss"]
    params: LossParams = Field(description="How much is lost.")


class OneWayParams(Record):
    """Which way is cut."""

    cut: Literal["outgoing", "incoming"] = Field(description="What the target sends, or what is sent to it.")


class SlowDiskParams(Record):
    """How long a sync takes."""

    range_ms: RangeMs = Field(description="Shortest and longest sync in milliseconds.")


class OffsetParams(Record):
    """How wrong a calendar is."""

    seconds: int = Field(ge=-86_400, le=86_400, description="Seconds by which it is fast; negative for slow.")


class OneWay(_Fault):
    """What the target sends reaches nobody else, and it still hears the others; or the other way about."""

    lasting = "required"
    kind: Literal["one_way"]
    params: OneWayParams = Field(description="Which way.")


class ShareParams(Record):
    """How many frames are struck."""

    percent: float = Field(gt=0, le=100, description="Frames struck, of a hundred.")


class DropFrames(_Fault):
    """Some of the frames that the target sends never arrive."""

    lasting = "required"
    kind: Literal["drop"]
    params: ShareParams = Field(description="How many.")


class DuplicateFrames(_Fault):
    """Some of the frames that the target sends arrive twice, the second time up to a second later."""

    lasting = "required"
    kind: Literal["duplicate"]
    params: ShareParams = Field(description="How many.")


class ReorderFrames(_Fault):
    """Some of the frames that the target sends are overtaken: they arrive up to a second later."""

    lasting = "required"
    kind: Literal["reorder"]
    params: ShareParams = Field(description="How many.")


class CorruptFrames(_Fault):
    """Some of the frames that the target sends arrive with a byte changed."""

    lasting = "required"
    kind: Literal["corrupt"]
    params: ShareParams = Field(description="How many.")


class DiskFull(_Fault):
    """Every write to the target's disk fails for want of room."""

    lasting = "required"
    kind: Literal["disk_full"]
    params: NoParams = Field(NoParams(), description="None.")


class SyncFailure(_Fault):
    """Every sync of the target's disk fails."""

    lasting = "required"
    kind: Literal["sync_failure"]
    params: NoParams = Field(NoParams(), description="None.")


class SlowDisk(_Fault):
    """The target's disk takes long to sync."""

    lasting = "required"
    kind: Literal["slow_disk"]
    params: SlowDiskParams = Field(description="How long.")


class CalendarOffset(_Fault):
    """The target's calendar is wrong: fast, or slow if negative."""

    lasting = "required"
    kind: Literal["calendar_offset"]
    params: OffsetParams = Field(description="By how much.")


FrameFault: TypeAlias = DropFrames | DuplicateFrames | ReorderFrames | CorruptFrames

FaultRecord: TypeAlias = Annotated[
    Crash
    | Restart
    | Pause
    | PowerLoss
    | Partition
    | OneWay
    | Latency
    | Loss
    | DropFrames
    | DuplicateFrames
    | ReorderFrames
    | CorruptFrames
    | DiskFull
    | SyncFailure
    | SlowDisk
    | CalendarOffset,
    Field(discriminator="kind"),
]

FRAME_KINDS = ("drop", "duplicate", "reorder", "corrupt")
VIRTUAL_KINDS = (
    "crash",
    "restart",
    "pause",
    "power_loss",
    "partition",
    "one_way",
    "latency",
    "loss",
    *FRAME_KINDS,
    "disk_full",
    "sync_failure",
    "slow_disk",
    "calendar_offset",
)
LIVE_KINDS = ("crash", "restart", "pause", *FRAME_KINDS)
KINDS_BY_WORLD: Mapping[str, Sequence[str]] = {"virtual": VIRTUAL_KINDS, "live": LIVE_KINDS}


def check_target(
    target: Target, roles: Mapping[str, Sequence[Role]], orderers: Sequence[str]
) -> RefusedError | None:
    """Return why nobody in this consortium can ever be the target, or None.

    Args:
        target: Whom a fault hits.
        roles: Every organization's roles.
        orderers: The organizations whose nodes vote.
    """
    match target.kind:
        case TargetKind.NODES:
            for name in target.names:
                if name not in roles:
                    return UnknownNameError("organization", name, roles)
        case TargetKind.ROLE:
            if not any(target.role in held for held in roles.values()):
                present = sorted({role.value for held in roles.values() for role in held})
                return RefusedError(f"nobody is {target.role}", f"roles here: {', '.join(present)}", "")
        case TargetKind.FOLLOWER if len(orderers) < 2:
            return RefusedError("there is never a follower", "two orderers at least", "hit the leader")
        case TargetKind.MINORITY if len(orderers) < 3:
            limit = f"three orderers at least, there are {len(orderers)}"
            return RefusedError("there is no minority", limit, "name a node")
        case _:
            pass
    return None
