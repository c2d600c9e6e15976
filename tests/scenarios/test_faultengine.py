"""Faults begin when they should, hit whom they should, and end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from random import Random

import pytest

from p2p.latency import Lognormal, Uniform
from p2p.linkweather import Direction, LinkWeather
from p2p.virtual import VirtualWorld, run_virtual
from scenarios.model.catalog import load_scenario
from scenarios.network.plan import NetworkPlan
from scenarios.record.eventbook import Event, EventBook
from scenarios.trial import strikes
from scenarios.trial.agenda import Agenda
from scenarios.trial.faultengine import FaultEngine
from scenarios.trial.history import History

ORGANIZATIONS = ("cbp", "exporter", "importer", "chamber", "noaa")
START_MS = 1_536_048_000_000
Call = tuple[float, str, object]


class FakeWorld:
    """Notes what it was asked to do, and when."""

    organizations = ORGANIZATIONS
    plan = NetworkPlan(orderers=ORGANIZATIONS)

    def __init__(self) -> None:
        self.calls: list[Call] = []

    def note(self, what: str, whom: object) -> None:
        self.calls.append((round(asyncio.get_running_loop().time(), 3), what, whom))

    async def crash(self, organization: str) -> None:
        self.note("crash", organization)

    async def restart(self, organization: str) -> None:
        self.note("restart", organization)

    async def pause(self, organization: str) -> None:
        self.note("pause", organization)

    async def resume(self, organization: str) -> None:
        self.note("resume", organization)

    async def power_loss(self, organizations: Sequence[str]) -> None:
        self.note("power_loss", tuple(organizations))

    def cut(self, directions: Sequence[Direction]) -> Callable[[], None]:
        self.note("cut", len(directions))
        return lambda: self.note("mend", "cut")

    def shape(self, directions: Sequence[Direction], weather: LinkWeather) -> Callable[[], None]:
        self.note("shape", (len(directions), weather))
        return lambda: self.note("mend", "shape")

    def reset(self, directions: Sequence[Direction]) -> int:
        self.note("reset", len(directions))
        return 0

    def flip_bits(self, organization: str, file: str, bits: int) -> None:
        self.note("flip_bits", (organization, file, bits))

    def is_up(self, organization: str) -> bool:
        return organization != "cbp"

    def forsake(self, directions: Sequence[Direction]) -> int:
        self.note("forsake", tuple(directions))
        return 0


class Rig:
    """An engine over a fake world, within a virtual loop."""

    def __init__(self, faults: str, directory: Path, leader: str | None = "importer") -> None:
        path = directory / "storm.yaml"
        path.write_text(f"scenario: storm\nextends: nafta-certificate\ntitle: Storm\nfaults:\n{faults}")
        self.world = FakeWorld()
        self.history = History()
        self.agenda = Agenda()
        self.book = EventBook(lambda: START_MS, lambda: 0)
        self.now_ms = START_MS

        async def leads() -> str | None:
            return leader

        self.engine = FaultEngine(
            load_scenario(path),
            self.world,  # type: ignore[arg-type]
            self.book,
            self.history,
            self.agenda,
            lambda: self.now_ms,
            leads,
            lambda stream: Random(f"seed:{stream}"),
            {},
            lambda organization: pytest.fail(f"nobody is to be replaced, and {organization} is"),
        )

    def run(self, play: Callable[[], Awaitable[None]]) -> list[Call]:
        async def main(_world: VirtualWorld) -> None:
            self.engine.start()
            await play()
            self.engine.raise_failure()

        run_virtual(main, seed=1)
        return self.world.calls

    def events(self, name: str) -> list[Event]:
        return self.book.named(name)


async def ten_seconds() -> None:
    await asyncio.sleep(10)


@pytest.mark.parametrize(
    ("fault", "calls"),
    [
        (
            "for: { protocol: 2s }, kind: crash, target: leader",
            [(1, "crash", "importer"), (3, "restart", "importer")],
        ),
        (
            "for: { protocol: 2s }, kind: pause, target: node noaa",
            [(1, "pause", "noaa"), (3, "resume", "noaa")],
        ),
        ("kind: restart, target: node noaa", [(1, "restart", "noaa")]),
        ("kind: power_loss, target: all", [(1, "power_loss", ORGANIZATIONS)]),
        (
            "for: { protocol: 2s }, kind: partition, target: leader",
            [(1, "cut", 8), (3, "mend", "cut")],
        ),
        (
            "for: { protocol: 2s }, kind: latency, target: leader, params: { range_ms: [40, 60] }",
            [(1, "shape", (8, LinkWeather(latency=Uniform(40, 60)))), (3, "mend", "shape")],
        ),
        (
            "for: { protocol: 2s }, kind: loss, target: leader, params: { percent: 20 }",
            [(1, "shape", (8, LinkWeather(loss=0.2))), (3, "mend", "shape")],
        ),
        (
            "for: { protocol: 2s }, kind: latency, target: leader, "
            "params: { lognormal: { median_ms: 40, p99_ms: 200 }, way: incoming }",
            [(1, "shape", (4, LinkWeather(latency=Lognormal(40, 200)))), (3, "mend", "shape")],
        ),
        (
            "for: { protocol: 2s }, kind: bandwidth, target: node noaa, params: { bytes_per_s: 9000, way: outgoing }",
            [(1, "shape", (4, LinkWeather(bytes_per_s=9_000))), (3, "mend", "shape")],
        ),
        (
            "for: { protocol: 2s }, kind: clog, target: all",
            [(1, "shape", (20, LinkWeather(clogged=True))), (3, "mend", "shape")],
        ),
        (
            "for: { protocol: 2s }, kind: slow_reader, target: leader, params: { bytes_per_s: 5000 }",
            [(1, "shape", (4, LinkWeather(read_bytes_per_s=5_000))), (3, "mend", "shape")],
        ),
        ("for: { protocol: 2s }, kind: bridge, target: leader", [(1, "cut", 8), (3, "mend", "cut")]),
        ("for: { protocol: 2s }, kind: ring, target: all", [(1, "cut", 10), (3, "mend", "cut")]),
        (
            "for: { protocol: 2s }, kind: one_way, target: leader, params: { cut: incoming }",
            [(1, "cut", 4), (3, "mend", "cut")],
        ),
        ("kind: reset, target: leader", [(1, "reset", 8)]),
        (
            "kind: half_open, target: leader",
            [(1, "forsake", tuple(("importer", o) for o in ORGANIZATIONS if o != "importer"))],
        ),
        (
            "for: { protocol: 5s }, kind: flapping, target: leader, "
            "params: { down_ms: [500, 500], up_ms: [2000, 2000] }",
            [(1, "cut", 8), (1.5, "mend", "cut"), (3.5, "cut", 8), (4, "mend", "cut")],
        ),
    ],
)
def test_every_kind_does_what_it_says_and_ends_in_its_time(
    fault: str, calls: list[Call], tmp_path: Path
) -> None:
    rig = Rig(f"  - {{ at: {{ protocol: 1s }}, {fault} }}\n", tmp_path)
    assert rig.run(ten_seconds) == calls
    assert rig.engine.never_begun == []
    assert len(rig.events("fault.began")) == 1


def test_beginning_and_end_are_events_that_name_whom_it_hit(tmp_path: Path) -> None:
    rig = Rig("  - { at: { protocol: 1s }, for: { protocol: 1s }, kind: pause, target: leader }\n", tmp_path)
    rig.run(ten_seconds)
    assert rig.events("fault.began")[0].fields == {
        "fault": 1, "kind": "pause", "target": "leader", "hit": ["importer"],
    }  # fmt: skip
    assert rig.events("fault.ended")[0].fields == {"fault": 1, "kind": "pause", "hit": ["importer"]}


def test_it_begins_when_its_predicate_holds_and_after_its_delay(tmp_path: Path) -> None:
    rig = Rig(
        "  - { when: claim e1 filed, after: { protocol: 2s }, kind: crash, target: node cbp }\n", tmp_path
    )

    async def play() -> None:
        await asyncio.sleep(5)
        fields = {
            "id": "x",
            "type": "claim.file",
            "code": "VALID",
            "claim": "e1",
            "time_ms": 1,
            "findings": [],
        }
        rig.history(Event(0, 0, 0, "receipt", fields, public=True))
        await asyncio.sleep(3)

    assert rig.run(play) == [(7, "crash", "cbp")]


def test_one_on_the_calendar_ends_when_the_calendar_has_come_there(tmp_path: Path) -> None:
    rig = Rig(
        "  - { at: { protocol: 1s }, for: { calendar: 30d }, kind: crash, target: node cbp }\n", tmp_path
    )

    async def play() -> None:
        await asyncio.sleep(100)
        assert rig.agenda.next_ms() == START_MS + 30 * 86_400_000
        rig.agenda.come_to(START_MS + 30 * 86_400_000)
        await asyncio.sleep(1)

    assert rig.run(play) == [(1, "crash", "cbp"), (100, "restart", "cbp")]


def test_a_fault_of_the_leader_amid_an_election_hits_who_led_last(tmp_path: Path) -> None:
    rig = Rig("  - { at: { protocol: 1s }, kind: crash, target: leader }\n", tmp_path, leader=None)
    for term, node in enumerate(("chamber", "noaa"), 1):
        rig.book.add("raft.role", {"node": node, "term": term, "role": "leader"})
    rig.book.add("raft.role", {"node": "cbp", "term": 3, "role": "candidate"})
    assert rig.run(ten_seconds) == [(1, "crash", "noaa")]


def test_where_nobody_ever_led_a_fault_of_the_leader_hits_nobody_and_that_is_told(tmp_path: Path) -> None:
    rig = Rig("  - { at: { protocol: 1s }, kind: crash, target: leader }\n", tmp_path, leader=None)
    assert rig.run(ten_seconds) == []
    assert rig.engine.never_begun == [1]
    assert rig.events("fault.missed")[0].text("target") == "leader"


def test_a_draw_depends_on_the_seed_alone(tmp_path: Path) -> None:
    fault = "  - { at: { protocol: 1s }, for: { protocol: 1s }, kind: partition, target: minority }\n"
    one, other = Rig(fault, tmp_path), Rig(fault, tmp_path)
    assert one.run(ten_seconds) == other.run(ten_seconds)
    assert len(one.events("fault.began")[0].fields["hit"]) == 2  # type: ignore[arg-type]


def test_healing_ends_what_is_in_force_begins_nothing_more_and_starts_everybody(tmp_path: Path) -> None:
    rig = Rig(
        "  - { at: { protocol: 1s }, for: { calendar: 30d }, kind: partition, target: leader }\n"
        "  - { at: { protocol: 1s }, kind: crash, target: node noaa }\n"
        "  - { at: { protocol: 60s }, kind: crash, target: node cbp }\n",
        tmp_path,
    )

    async def play() -> None:
        await asyncio.sleep(5)
        assert list(rig.engine.in_force) == [1, 2]
        await rig.engine.heal()
        await asyncio.sleep(100)

    calls = rig.run(play)
    assert (5, "mend", "cut") in calls
    assert [whom for _, what, whom in calls if what == "restart"] == ["noaa", *ORGANIZATIONS]
    assert not [call for call in calls if call[1:] == ("crash", "cbp")]
    assert rig.engine.never_begun == [3]
    assert not rig.engine.in_force


def test_healing_does_not_cut_short_a_replacement_with_which_a_fault_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = Rig(
        "  - { at: { protocol: 1s }, for: { protocol: 1s }, kind: flip_bits, target: node cbp,"
        " params: { file: watermark } }\n",
        tmp_path,
    )

    class Slow:
        def __init__(self, _world: object, organization: str, *_given: object) -> None:
            self.organization = organization

        async def run(self) -> None:
            await asyncio.sleep(5)
            rig.world.note("replaced", self.organization)

    monkeypatch.setattr(strikes, "Replacement", Slow)

    async def play() -> None:
        await asyncio.sleep(3)
        assert rig.engine.is_to_be_replaced("cbp")
        await rig.engine.heal()

    calls = rig.run(play)
    assert (7, "replaced", "cbp") in calls
    assert len(rig.events("fault.ended")) == 1
    assert not rig.engine.in_force


@pytest.mark.parametrize(
    ("fault", "blocks"),
    [
        ("for: { calendar: 30d }, kind: crash, target: leader", True),
        ("kind: power_loss, target: leader", True),
        ("for: { calendar: 30d }, kind: pause, target: leader", True),
        ("for: { calendar: 30d }, kind: partition, target: leader", True),
        ("for: { protocol: 30s }, kind: partition, target: leader", False),
        ("for: { calendar: 30d }, kind: loss, target: leader, params: { percent: 20 }", False),
        ("for: { calendar: 30d }, kind: latency, target: leader, params: { range_ms: [1, 2] }", False),
    ],
)
def test_only_what_cuts_off_and_does_not_end_by_itself_blocks(
    fault: str, blocks: bool, tmp_path: Path
) -> None:
    rig = Rig(f"  - {{ at: {{ protocol: 1s }}, {fault} }}\n", tmp_path)
    seen: list[bool] = []

    async def play() -> None:
        seen.append(rig.engine.blocks)
        await asyncio.sleep(5)
        seen.append(rig.engine.blocks)

    rig.run(play)
    assert seen == [False, blocks]


def test_what_a_fault_fails_with_is_raised(tmp_path: Path) -> None:
    rig = Rig("  - { at: { protocol: 1s }, kind: crash, target: node cbp }\n", tmp_path)

    async def fails(_organization: str) -> None:
        raise OSError("no such process")

    rig.world.crash = fails  # type: ignore[method-assign]
    with pytest.raises(OSError, match="no such process"):
        rig.run(ten_seconds)
