"""Faults of links between nodes: cut, slow, narrow, held back, reset.

Rules:
- What passes a link is TCP: nothing is lost for good or reordered; it comes later, or the connection ends.
- A link fault hits the links between the target and all others, and those between two who are both hit.

What such tools offer: Toxiproxy (latency, bandwidth, reset_peer, timeout, slow_close), tc-netem(8) (delay by
distribution, loss, rate), FoundationDB's simulator (clogging), Jepsen's nemeses (partitions by halves, `bridge`,
`majorities-ring`).
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from p2p.latency import LATENCY_MS_MAX
from scenarios.errors import RefusedError
from scenarios.model.faultbase import BaseFault, NoParams
from scenarios.model.network import RegionTable
from scenarios.model.targets import TargetKind
from scenarios.model.units import RangeMs, Record

RING_MEMBERS_MIN = 4
BYTES_PER_S_MIN = 1_000
BYTES_PER_S_MAX = 1_000_000_000

Groups = tuple[tuple[str, ...], ...]
Way = Literal["both", "outgoing", "incoming"]
BytesPerS = Annotated[int, Field(ge=BYTES_PER_S_MIN, le=BYTES_PER_S_MAX)]
_Latency = Annotated[float, Field(gt=0, le=LATENCY_MS_MAX)]
_WAY = "Both ways, what the target sends, or what is sent to it."


def _check_groups(groups: Groups) -> None:
    names = [name for group in groups for name in group]
    if len(groups) < 2 or not all(groups) or len(set(names)) != len(names):
        limit = "at least two groups, none empty, nobody in two"
        raise RefusedError("the groups are no partition", limit, "", inside=("params", "groups"))


class PartitionParams(Record):
    """How the network falls apart."""

    groups: Groups | None = Field(
        None,
        description="The islands, by organization, with target all; the target against the rest if absent.",
    )


class Partition(BaseFault):
    """Links are cut between groups of nodes; with target leader, the leader is alone."""

    lasting = "required"
    kind: Literal["partition"]
    params: PartitionParams = Field(PartitionParams(groups=None), description="The islands, if named.")

    @model_validator(mode="after")
    def _check_sides(self) -> Partition:
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
        _check_groups(groups)
        return self


class BridgeParams(Record):
    """Which two halves only the bridge sees."""

    groups: tuple[tuple[str, ...], tuple[str, ...]] | None = Field(
        None,
        description="The two halves, by organization, without the target; every other of the rest if absent, "
        "orderers first, so that each half has as many of them as the other, or one more.",
    )


class Bridge(BaseFault):
    """The others fall apart in two halves, and only the target still sees both."""

    lasting = "required"
    kind: Literal["bridge"]
    params: BridgeParams = Field(BridgeParams(groups=None), description="The halves, if named.")

    @model_validator(mode="after")
    def _check_halves(self) -> Bridge:
        if self.target.kind is TargetKind.ALL:
            remedy = "name a target that leaves two others at least"
            raise RefusedError("leaves nobody to part", "two halves", remedy, inside=("target",))
        groups = self.params.groups
        if groups is None:
            return self
        _check_groups(groups)
        for group in groups:
            for name in group:
                if name in self.target.names:
                    what = f"{name} is the bridge and in a half"
                    raise RefusedError(what, "one or the other", "take it out", inside=("params", "groups"))
        return self


class Ring(BaseFault):
    """Of those who are hit, each sees only its two neighbors on a ring in genesis' order."""

    lasting = "required"
    kind: Literal["ring"]
    params: NoParams = Field(NoParams(), description="None.")

    @model_validator(mode="after")
    def _check_members(self) -> Ring:
        kind, names = self.target.kind, self.target.names
        if (
            kind in (TargetKind.LEADER, TargetKind.FOLLOWER, TargetKind.ROLE)
            or 0 < len(names) < RING_MEMBERS_MIN
        ):
            limit = f"{RING_MEMBERS_MIN} nodes at least; three on a ring see each other"
            raise RefusedError("is no ring", limit, "write target: all, or name more", inside=("target",))
        return self


class OneWayParams(Record):
    """Which way is cut."""

    cut: Literal["outgoing", "incoming"] = Field(description="What the target sends, or what is sent to it.")


class OneWay(BaseFault):
    """What the target sends reaches nobody else, and it still hears the others; or the other way about."""

    lasting = "required"
    kind: Literal["one_way"]
    params: OneWayParams = Field(description="Which way.")


class FlappingParams(Record):
    """In what rhythm links go down and up."""

    down_ms: RangeMs = Field(description="Shortest and longest time down, in milliseconds; it begins so.")
    up_ms: RangeMs = Field(description="Shortest and longest time up in between, in milliseconds.")

    @model_validator(mode="after")
    def _check_rhythm(self) -> FlappingParams:
        for name, (low, _) in (("down_ms", self.down_ms), ("up_ms", self.up_ms)):
            if not low:
                raise RefusedError(f"{name} may be 0", "1 ms at least", "", inside=(name,))
        return self


class Flapping(BaseFault):
    """The links between the target and the rest go down and up, again and again; with target all, every link."""

    lasting = "required"
    kind: Literal["flapping"]
    params: FlappingParams = Field(description="In what rhythm.")


class NormalLatency(Record):
    """Latency around a mean, cut off at nothing."""

    mean_ms: _Latency = Field(description="The bell's middle, in milliseconds.")
    deviation_ms: _Latency = Field(description="Standard deviation, in milliseconds.")


class LognormalLatency(Record):
    """Latency with a long tail."""

    median_ms: _Latency = Field(description="Half of all take no longer, in milliseconds.")
    p99_ms: _Latency = Field(description="One of a hundred takes longer, in milliseconds.")

    @model_validator(mode="after")
    def _check_order(self) -> LognormalLatency:
        if self.p99_ms <= self.median_ms:
            limit = f"longer than the median, {self.median_ms} ms"
            raise RefusedError(
                f"a 99th percentile of {self.p99_ms} ms is none", limit, "", inside=("p99_ms",)
            )
        return self


class ExponentialLatency(Record):
    """A least latency, and queues on top."""

    least_ms: Annotated[float, Field(ge=0, le=LATENCY_MS_MAX)] = Field(
        description="None takes less, in milliseconds."
    )
    mean_ms: _Latency = Field(description="The mean of all, in milliseconds.")

    @model_validator(mode="after")
    def _check_order(self) -> ExponentialLatency:
        if self.mean_ms <= self.least_ms:
            limit = f"longer than the least, {self.least_ms} ms"
            raise RefusedError(f"a mean of {self.mean_ms} ms is none", limit, "", inside=("mean_ms",))
        return self


LATENCIES = ("range_ms", "normal", "lognormal", "exponential", "regions")


class LatencyParams(Record):
    """How slow links become: one distribution, or a table of regions."""

    range_ms: RangeMs | None = Field(None, description="Lowest and highest one-way latency in milliseconds.")
    normal: NormalLatency | None = Field(None, description="Around a mean instead.")
    lognormal: LognormalLatency | None = Field(None, description="With a long tail instead.")
    exponential: ExponentialLatency | None = Field(None, description="A least latency and queues instead.")
    regions: RegionTable | None = Field(
        None, description="From region to region instead, [lowest, highest], as network.region_latency_ms."
    )
    way: Way = Field("both", description=_WAY)

    @model_validator(mode="after")
    def _check_one(self) -> LatencyParams:
        given = [name for name in LATENCIES if getattr(self, name) is not None]
        if len(given) != 1:
            what = f"says {' and '.join(given)}" if given else "says no latency"
            raise RefusedError(what, f"one of {', '.join(LATENCIES)}", "give one of them")
        return self


class Latency(BaseFault):
    """The target's links become slow."""

    lasting = "required"
    kind: Literal["latency"]
    params: LatencyParams = Field(description="How slow.")


class LossParams(Record):
    """How lossy links become."""

    percent: float = Field(
        gt=0, lt=100, description="Packets lost, of a hundred; to lose all, cut the links."
    )


class Loss(BaseFault):
    """The target's links lose packets; TCP makes delay of it, then a reset."""

    lasting = "required"
    kind: Literal["loss"]
    params: LossParams = Field(description="How much is lost.")


class BandwidthParams(Record):
    """How narrow links become."""

    bytes_per_s: BytesPerS = Field(description="What passes each link in each direction, bytes per second.")
    way: Way = Field("both", description=_WAY)


class Bandwidth(BaseFault):
    """The target's links become narrow: what does not pass waits in line, and its sender in the end."""

    lasting = "required"
    kind: Literal["bandwidth"]
    params: BandwidthParams = Field(description="How narrow.")


class ClogParams(Record):
    """Which way is held."""

    way: Way = Field("both", description=_WAY)


class Clog(BaseFault):
    """What is sent over the target's links is held, and let go in order when the fault ends."""

    lasting = "required"
    kind: Literal["clog"]
    params: ClogParams = Field(ClogParams(way="both"), description="Which way.")


class SlowReaderParams(Record):
    """How slowly a program reads."""

    bytes_per_s: BytesPerS = Field(description="What it reads from each connection, bytes per second.")


class SlowReader(BaseFault):
    """The target reads slowly from its peers: its receive window fills, and they have to wait."""

    lasting = "required"
    kind: Literal["slow_reader"]
    params: SlowReaderParams = Field(description="How slowly.")


class Reset(BaseFault):
    """Every open connection between the target and others is reset, as by an RST to both ends."""

    lasting = "never"
    kind: Literal["reset"]
    params: NoParams = Field(NoParams(), description="None.")


class HalfOpen(BaseFault):
    """The target's ends of its connections are gone; the others' believe they are open, and nobody answers them."""

    lasting = "never"
    kind: Literal["half_open"]
    params: NoParams = Field(NoParams(), description="None.")


LINK_KINDS = (
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
)
"""In the live world a proxy on every link does them."""
