"""How a fault of each kind is drawn: whom it hits, how long it lasts, with which params; one table.

Rules:
- Intensity scales how long, how much and how many; the least of each kind is drawn at any intensity.
- A drawn fault names its nodes, or the leader: what is in force at once must be known before the run.
- Only what restarts by itself is drawn: every fault is over without the trial's healing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import TypeAlias

from ledger.genesis import Role
from p2p.codepoints import CodePoint

Params: TypeAlias = "dict[str, object]"

COURSE_MS = 15_000
"""How long a kind that runs its own course is counted for: a node's replacement, catching up included, takes less."""
AT_ONCE_MS = 1_000
"""How long one is counted for that is over at once: its connections come back within that."""

BY_CHANCE = 0.5
"""How many crashes at a point strike any of its passages by chance; the others strike a certain one."""


@dataclass(frozen=True, slots=True)
class Die:
    """What a fault is drawn with.

    Attributes:
        chance: the schedule's stream.
        intensity: from 0 to 1.
        nodes: every organization.
        orderers: those whose nodes vote.
        roles: every organization's.
    """

    chance: Random
    intensity: float
    nodes: Sequence[str]
    orderers: Sequence[str]
    roles: Mapping[str, Sequence[Role]]

    def up_to(self, least: int, most: int) -> int:
        """Draw a whole number from `least` to so much of the way to `most` as the intensity goes."""
        return self.chance.randint(least, least + round((most - least) * self.intensity))

    def either(self, *choices: str) -> str:
        """Draw one."""
        return self.chance.choice(choices)


@dataclass(frozen=True, slots=True)
class Drawn:
    """Whom and with what: a target in words, the nodes that are sure to be hit, and the params.

    Attributes:
        target: in the scenario's words.
        hit: the nodes named; empty for the leader, whoever that will be.
        params: the kind's own.
        away: the nodes that count as down or cut off; one more for an unknown leader.
    """

    target: str
    hit: tuple[str, ...]
    params: Params
    away: int = 0


@dataclass(frozen=True, slots=True)
class KindRule:
    """How one kind is drawn.

    Attributes:
        draw: draws target and params.
        takes_away: whether those who are hit count as down or cut off.
        ms: the longest time it lasts at full intensity, or None if it takes no `for`.
        counted_ms: for how long it is counted in force if it takes no `for`.
        stops: whether it stops its node's process, or takes its disk away: one of these at a time for a node.
        loses: whether a store may be lost for good: one of these at a time in the whole network.
        days: the longest time it lasts on the calendar at full intensity instead, or None.
    """

    draw: Callable[[Die], Drawn]
    takes_away: bool = False
    ms: int | None = 10_000
    counted_ms: int = 0
    stops: bool = False
    loses: bool = False
    days: int | None = None


def _node(params: Callable[[Die], Params], *, leader: bool = True) -> Callable[[Die], Drawn]:
    def draw(die: Die) -> Drawn:
        if leader and die.chance.random() < 0.3:
            return Drawn("leader", (), params(die), 1)
        name = die.chance.choice(die.nodes)
        return Drawn(f"node {name}", (name,), params(die), 1)

    return draw


def _some(params: Callable[[Die], Params]) -> Callable[[Die], Drawn]:
    def draw(die: Die) -> Drawn:
        count = die.up_to(1, len(die.nodes))
        chosen = die.chance.sample(die.nodes, count)
        names = tuple(name for name in die.nodes if name in chosen)
        return Drawn(_named(names), names, params(die), count)

    return draw


def _named(names: Sequence[str]) -> str:
    return f"node {names[0]}" if len(names) == 1 else f"nodes {', '.join(names)}"


def _fewer_than_all(params: Callable[[Die], Params]) -> Callable[[Die], Drawn]:
    def draw(die: Die) -> Drawn:
        count = min(die.up_to(1, len(die.nodes) - 1), len(die.nodes) - 1)
        chosen = die.chance.sample(die.nodes, count)
        names = tuple(name for name in die.nodes if name in chosen)
        return Drawn(_named(names), names, params(die), count)

    return draw


def _partition(die: Die) -> Drawn:
    names = list(die.nodes)
    die.chance.shuffle(names)
    cut = die.up_to(1, len(names) // 2)
    sides = [[name for name in die.nodes if name in part] for part in (names[:cut], names[cut:])]
    smaller = tuple(min(sides, key=lambda side: sum(name in die.orderers for name in side)))
    return Drawn("all", smaller, {"groups": sides}, len(smaller))


def _bridge(die: Die) -> Drawn:
    names = list(die.nodes)
    die.chance.shuffle(names)
    bridge, rest = names[0], names[1:]
    half = len(rest) // 2
    sides = [[name for name in die.nodes if name in part] for part in (rest[:half], rest[half:])]
    smaller = tuple(min(sides, key=lambda side: sum(name in die.orderers for name in side)))
    return Drawn(f"node {bridge}", smaller, {"groups": sides}, len(smaller))


def _everybody(params: Callable[[Die], Params]) -> Callable[[Die], Drawn]:
    return lambda die: Drawn("all", tuple(die.nodes), params(die), len(die.nodes))


def _none(_die: Die) -> Params:
    return {}


def _percent(most: int) -> Callable[[Die], Params]:
    return lambda die: {"percent": die.up_to(1, most)}


def _latency(die: Die) -> Params:
    slowest = die.up_to(50, 1_000)
    return die.chance.choice(
        [
            {"range_ms": [slowest // 5, slowest]},
            {"normal": {"mean_ms": slowest / 2, "deviation_ms": slowest / 5}},
            {"lognormal": {"median_ms": slowest / 5, "p99_ms": slowest}},
            {"exponential": {"least_ms": 10, "mean_ms": slowest / 3}},
        ]
    )


def _way(die: Die) -> str:
    return die.either("both", "outgoing", "incoming")


def _narrow(die: Die) -> Params:
    return {"bytes_per_s": 200_000 // (1 + die.up_to(0, 40)), "way": _way(die)}


def _signed(die: Die, least: int, most: int) -> int:
    return die.up_to(least, most) * die.chance.choice((-1, 1))


def _crash_point(die: Die) -> Params:
    point = die.either(*CodePoint)
    if die.chance.random() < BY_CHANCE:
        return {"point": point, "chance": die.up_to(1, 20) / 100}
    return {"point": point, "nth": die.up_to(1, 20)}


def _loop(die: Die) -> Params:
    up = die.up_to(100, 3_000)
    return {"times": die.up_to(2, 6), "up_ms": [up // 2, up], "down_ms": [50, die.up_to(100, 1_000)]}


def _file(*files: str) -> Callable[[Die], Params]:
    return lambda die: {"file": die.either(*files)}


def _flips(die: Die) -> Params:
    return {"file": die.either("database", "log", "watermark"), "bits": die.up_to(1, 40)}


KIND_RULES: Mapping[str, KindRule] = {
    "crash": KindRule(_node(_none), takes_away=True, stops=True),
    "pause": KindRule(_node(_none), takes_away=True, stops=True),
    "power_loss": KindRule(_some(_none), takes_away=True, stops=True),
    "partition": KindRule(_partition, takes_away=True),
    "bridge": KindRule(_bridge, takes_away=True),
    "ring": KindRule(_everybody(_none), takes_away=True),
    "one_way": KindRule(
        _node(lambda die: {"cut": die.either("outgoing", "incoming")}),
        takes_away=True,
    ),
    "flapping": KindRule(
        _node(lambda die: {"down_ms": [50, die.up_to(100, 2_000)], "up_ms": [50, 50 + die.up_to(50, 1_000)]}),
        takes_away=True,
    ),
    "latency": KindRule(_some(_latency), ms=20_000),
    "loss": KindRule(_some(_percent(60)), ms=20_000),
    "bandwidth": KindRule(_some(_narrow), ms=20_000),
    "clog": KindRule(_node(lambda die: {"way": _way(die)}), takes_away=True),
    "slow_reader": KindRule(_node(lambda die: {"bytes_per_s": 50_000 // (1 + die.up_to(0, 40))}), ms=20_000),
    "reset": KindRule(_fewer_than_all(_none), ms=None, counted_ms=AT_ONCE_MS),
    "half_open": KindRule(_node(_none), ms=None, counted_ms=AT_ONCE_MS),
    "drop": KindRule(_some(_percent(40)), ms=20_000),
    "burst_drop": KindRule(
        _some(lambda die: {"percent": die.up_to(1, 5), "frames": die.up_to(2, 40)}), ms=20_000
    ),
    "duplicate": KindRule(_some(_percent(60)), ms=20_000),
    "reorder": KindRule(_some(_percent(60)), ms=20_000),
    "corrupt": KindRule(_some(_percent(20)), ms=20_000),
    "disk_full": KindRule(_node(_none), takes_away=True, stops=True),
    "sync_failure": KindRule(_node(_none), takes_away=True, stops=True),
    "slow_disk": KindRule(_some(lambda die: {"range_ms": [5, die.up_to(20, 800)]}), ms=20_000),
    "calendar_offset": KindRule(
        _node(lambda die: {"seconds": _signed(die, 1, 7_200)}, leader=False), ms=20_000
    ),
    "crash_at": KindRule(_node(_crash_point), takes_away=True, stops=True),
    "restart_loop": KindRule(_node(_loop), takes_away=True, ms=None, counted_ms=COURSE_MS, stops=True),
    "rolling_restart": KindRule(
        _everybody(_none), takes_away=True, ms=None, counted_ms=COURSE_MS, stops=True
    ),
    "other_version": KindRule(_node(_none), takes_away=True, stops=True),
    "read_failure": KindRule(_node(_none), takes_away=True, stops=True),
    "write_failure": KindRule(_node(_none), takes_away=True, stops=True),
    "flip_bits": KindRule(_node(_flips, leader=False), takes_away=True, ms=5_000, stops=True, loses=True),
    "lost_file": KindRule(
        _node(_file("database", "log", "watermark", "all"), leader=False),
        takes_away=True,
        ms=5_000,
        stops=True,
        loses=True,
    ),
    "rebuild": KindRule(
        _node(_none, leader=False), takes_away=True, ms=None, counted_ms=COURSE_MS, stops=True, loses=True
    ),
    "calendar_jump": KindRule(
        _node(
            lambda die: {"seconds": _signed(die, 1, 7_200), "every_ms": die.up_to(100, 3_000)}, leader=False
        ),
        ms=20_000,
    ),
    "calendar_drift": KindRule(
        _node(lambda die: {"ppm": _signed(die, 20, 100_000)}, leader=False), ms=20_000
    ),
    "timer_drift": KindRule(_some(lambda die: {"ppm": _signed(die, 20, 100_000)}), ms=20_000),
    "timer_jump": KindRule(_some(lambda die: {"seconds": die.up_to(1, 30)}), ms=None, counted_ms=AT_ONCE_MS),
}
"""Every kind that is drawn, and how."""
