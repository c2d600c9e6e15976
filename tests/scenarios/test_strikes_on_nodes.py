"""Faults of a node's process, disk and clocks: each leaves its mark on the pilot's first trade, which is whole."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest

from p2p.codepoints import CodePoint
from scenarios.errors import ScenarioError
from scenarios.trial import replacing

ALL = ["cbp", "exporter", "importer", "chamber", "noaa"]


@pytest.fixture
def storm(pilot):
    """Run the whole of nafta-certificate under one fault that begins as the certificate is anchored."""

    def run(kind, target, *, lasts=None, params=None, seed="1", when="when: certificate c1 anchored"):
        span = f", for: {{{lasts}}}" if lasts else ""
        more = f", params: {params}" if params else ""
        fault = f"{{{when}{span}, kind: {kind}, target: {target}{more}}}"
        flown = pilot("nafta-certificate", overrides=[f"faults=[{fault}]"], seed=seed)
        assert flown.passed, (flown, flown.violations)
        return flown

    return run


def events(flown, name):
    return [event.fields for event in flown.result.book.events if event.name == name]


def starts(flown, organization):
    return [e["node"] for e in events(flown, "node.started")].count(organization) - 1


def hit_by(flown):
    (began,) = events(flown, "fault.began")
    assert events(flown, "fault.ended")
    return began["hit"]


@pytest.mark.parametrize("point", ["before_propose", "within_persist", "after_send", "before_apply"])
def test_a_leader_dies_at_a_named_point_and_comes_back(storm, point):
    flown = storm("crash_at", "leader", lasts="protocol: 4s", params=f"{{point: {point}, nth: 1}}")
    (leader,) = hit_by(flown)
    assert events(flown, "point.struck") == [{"node": leader, "point": point}]
    assert starts(flown, leader) == 1


def test_a_node_dies_at_some_passage_of_a_point_by_chance_and_comes_back(storm):
    flown = storm("crash_at", "follower", lasts="calendar: 90d", params="{point: after_persist, chance: 0.1}")
    (victim,) = hit_by(flown)
    (struck,) = events(flown, "point.struck")
    assert struck == {"node": victim, "point": "after_persist"}
    assert starts(flown, victim) == 1


def test_a_point_is_struck_at_an_occurrence_or_by_chance_not_both(pilot):
    fault = "{at: {protocol: 1s}, for: {protocol: 1s}, kind: crash_at, target: leader, params: %s}"
    params = "{point: after_apply, nth: 3, chance: 0.5}"
    with pytest.raises(ScenarioError, match="has both nth and chance; one of them says when; leave one out"):
        pilot("nafta-certificate", overrides=[f"faults=[{fault % params}]"])


def test_a_point_that_is_never_reached_ends_nobody(storm):
    flown = storm("crash_at", "follower", lasts="protocol: 4s", params="{point: before_install}")
    assert not events(flown, "point.struck")
    assert sum(starts(flown, o) for o in ALL) == 0


def test_a_node_dies_again_and_again(storm):
    flown = storm("restart_loop", "leader", params="{times: 5, up_ms: [100, 900]}")
    (victim,) = hit_by(flown)
    assert starts(flown, victim) == 5


@pytest.mark.parametrize("params", ["{}", "{every_ms: 300}"])
def test_all_nodes_are_restarted_one_after_the_other(storm, params):
    flown = storm("rolling_restart", "all", params=params)
    assert hit_by(flown) == ALL
    order = [e["node"] for e in events(flown, "node.stopped")]
    assert order[: len(ALL)] == ALL
    assert [starts(flown, o) for o in ALL] == [1] * 5


def test_a_node_of_another_version_is_refused_with_both_versions_and_catches_up(storm):
    flown = storm("other_version", "node noaa", lasts="calendar: 30d")
    reasons = [str(e["reason"]) for e in events(flown, "hello.refused") if e["peer"] == "noaa"]
    assert reasons
    assert all(
        "version 2 is not spoken here, version 1 is; run one version on both sides" in r for r in reasons
    )
    executed = [e["node"] for e in events(flown, "block.executed")]
    assert executed.count("noaa") == executed.count("cbp") > 5


def certified_between(flown, from_s, to_s):
    """Return who certified a block between these seconds after the first fault began."""
    began_ns = next(e.protocol_ns for e in flown.result.book.events if e.name == "fault.began")
    return {
        e.fields["node"]
        for e in flown.result.book.events
        if e.name == "block.certified" and from_s < (e.protocol_ns - began_ns) / 1e9 < to_s
    }


def test_of_two_versions_only_the_one_that_a_majority_speaks_goes_on(storm):
    """The exporter, who acts next, is among the three."""
    flown = storm("other_version", "'nodes cbp, exporter, importer'", lasts="protocol: 5s")
    assert certified_between(flown, 1, 5) == set(hit_by(flown)) == {"cbp", "exporter", "importer"}


def test_while_neither_version_has_a_majority_nothing_is_committed(pilot):
    span = "when: certificate c1 anchored, for: {protocol: 5s}"
    two = f"{{{span}, kind: other_version, target: 'nodes cbp, importer'}}"
    down = f"{{{span}, kind: crash, target: node noaa}}"
    flown = pilot("nafta-certificate", overrides=[f"faults=[{down}, {two}]"])
    assert flown.passed, flown.violations
    assert certified_between(flown, 1, 5) == set()
    assert certified_between(flown, 5, 9) == set(ALL)


@pytest.mark.parametrize(("kind", "restarts"), [("read_failure", 1), ("write_failure", 1)])
def test_an_io_error_stops_the_node_and_it_comes_back(storm, kind, restarts):
    flown = storm(kind, "follower", lasts="protocol: 5s")
    (victim,) = hit_by(flown)
    (failed,) = events(flown, "node.failed")
    assert failed["node"] == victim
    assert "Input/output error" in failed["reason"]
    assert starts(flown, victim) == restarts


def test_a_calendar_jumps_forth_and_back_and_is_right_in_the_end(pilot):
    seen = []

    async def script(p):
        world = p._trial.world

        def error_s():
            times = [world.kit.host(o).calendar.now_ms(world.kit.loop) for o in ("noaa", "cbp")]
            return (times[0] - times[1]) / 1000

        end = await p.fault("calendar_jump", target="node noaa", params={"seconds": -240, "every_ms": 1000})
        for _ in range(4):
            seen.append(error_s())
            await p.protocol("1s")
        await p.protocol("500ms")
        await end()
        seen.append(error_s())

    assert pilot("nafta-certificate", script).passed
    assert seen in ([0, -240, 0, -240, 0], [-240, 0, -240, 0, 0])


def test_a_calendar_drifts_over_the_gaps_that_it_is_moved_over_too(pilot):
    seen = []

    async def script(p):
        world = p._trial.world

        def error_s():
            times = [world.kit.host(o).calendar.now_ms(world.kit.loop) for o in ("noaa", "cbp")]
            return (times[0] - times[1]) / 1000

        end = await p.fault("calendar_drift", target="node noaa", params={"ppm": 100})
        await p.after("10d")
        seen.append(error_s())
        await end()
        seen.append(error_s())

    assert pilot("nafta-certificate", script).passed
    assert seen[0] == pytest.approx(86.4, abs=0.1)
    assert seen[1] == 0


@pytest.mark.parametrize(
    "body",
    [
        "",
        "{}",
        '{"points": [{"point": "nowhere", "nth": 1}]}',
        '{"points": [{"point": "after_send", "nth": 0}]}',
    ],
)
def test_the_control_channel_takes_points_and_refuses_what_is_none(pilot, body):
    answers = []

    async def script(p):
        world = p._trial.world
        endpoint = world.endpoint("cbp")
        headers = {"Authorization": f"Bearer {endpoint.control_token}"}
        good = f'{{"points": [{{"point": "{CodePoint.AFTER_INSTALL}", "nth": 3}}]}}'
        async with aiohttp.ClientSession(headers=headers) as session:
            for data in (good, body, '{"points": []}'):
                async with session.post(f"{endpoint.url}/control/crash-at", data=data) as response:
                    answers.append((response.status, world.node("cbp").machine.points.armed))

    assert pilot("nafta-certificate", script, keep_steps=False).passed
    assert answers == [(200, True), (400, True), (200, False)]


def test_flipped_bits_are_bourne_or_named_and_then_the_node_is_replaced(storm):
    flown = storm("flip_bits", "follower", lasts="protocol: 3s", params="{file: watermark, bits: 1}")
    (victim,) = hit_by(flown)
    (failed,) = events(flown, "node.failed")
    assert "watermark: its digest does not match" in failed["reason"]
    assert "node.replace" in failed["reason"]
    acts = [e["type"] for e in events(flown, "receipt") if e["creator"] == victim]
    assert acts.index("node.ready") > acts.index("node.replace")


@pytest.mark.parametrize("bits", [1, 40])
def test_flipped_bits_of_the_database_change_nothing_that_is_told(storm, bits):
    flown = storm("flip_bits", "follower", lasts="protocol: 3s", params=f"{{file: database, bits: {bits}}}")
    (victim,) = hit_by(flown)
    assert starts(flown, victim) >= 1
    assert not events(flown, "checkpoint.divergent")


@pytest.mark.parametrize("file", ["database", "watermark"])
def test_a_node_without_a_file_refuses_to_start_and_has_lost_nothing_when_it_is_back(storm, file):
    flown = storm("lost_file", "leader", lasts="protocol: 5s", params=f"{{file: {file}}}")
    (victim,) = hit_by(flown)
    (failed,) = events(flown, "node.failed")
    assert "missing" in failed["reason"]
    assert starts(flown, victim) == 1


def test_an_empty_disk_under_a_known_name_is_refused_and_takes_nothing_in(pilot):
    """Found by this fault: the node over the empty disk accepted a claim, which was lost when its disk was back."""
    fault = (
        "{when: certificate c1 held, for: {calendar: 60d}, kind: lost_file, target: node importer,"
        " params: {file: all}}"
    )
    flown = pilot("nafta-certificate", overrides=[f"faults=[{fault}]", "expect=[]"])
    assert flown.passed, flown.violations
    began, ended = (
        next(e.protocol_ns for e in flown.result.book.events if e.name == f"fault.{name}")
        for name in ("began", "ended")
    )
    for event in flown.result.book.events:
        if event.name == "transaction.accepted" and began < event.protocol_ns < ended:
            assert event.fields["node"] != "importer"
    assert any("comes with another store" in e["reason"] for e in events(flown, "hello.refused"))


@pytest.mark.parametrize("target", ["node exporter", "node cbp", "leader"])
def test_a_lost_disk_is_replaced_by_law_and_its_organization_misses_nothing(storm, target):
    """Found by this fault: Customs' program went on counting in the inbox that was lost, and missed a certificate."""
    flown = storm("rebuild", target)
    (victim,) = hit_by(flown)
    acts = [(e["type"], e["code"]) for e in events(flown, "receipt") if e["creator"] == victim]
    assert acts.index(("node.ready", "VALID")) > acts.index(("node.replace", "VALID"))
    assert starts(flown, victim) == 1


@pytest.mark.parametrize("seed", ["1", "2", "3"])
@pytest.mark.parametrize(
    "other", ["kind: rebuild", "for: {protocol: 1s}, kind: flip_bits, params: {file: watermark}"]
)
def test_two_lost_disks_at_once_are_replaced_one_after_the_other(pilot, other, seed):
    """Found in the live world: a replacement that the ledger had refused was taken for done, and never came back."""
    when = "when: certificate c1 anchored"
    faults = f"{{{when}, kind: rebuild, target: node cbp}}, {{{when}, {other}, target: node chamber}}"
    flown = pilot("nafta-certificate", overrides=[f"faults=[{faults}]"], seed=seed)
    assert flown.passed, (flown, flown.violations)
    receipts = [e for e in events(flown, "receipt") if e["type"].startswith("node.")]
    acts = [(e["type"], e["creator"]) for e in receipts if e["code"] == "VALID"]
    kinds, creators = zip(*acts, strict=True)
    assert kinds == ("node.replace", "node.ready") * 2
    assert sorted(creators[::2]) == ["cbp", "chamber"]
    assert not events(flown, "node.failed") or other != "kind: rebuild"


@pytest.mark.parametrize("seed", ["1", "2"])
def test_a_disk_that_is_lost_while_no_majority_is_up_is_replaced_when_it_is_back(pilot, seed):
    """The first signature is late at one door by then, and takes effect all the same by another (seed 1)."""
    away = "{when: certificate c1 anchored, for: {calendar: 30d}, kind: crash, target: 'nodes exporter, importer'}"
    lost = "{when: certificate c1 anchored, kind: rebuild, target: node chamber}"
    flown = pilot("nafta-certificate", overrides=[f"faults=[{away}, {lost}]", "expect=[]"], seed=seed)
    assert flown.passed, (flown, flown.violations)
    assert events(flown, "node.started")
    assert not events(flown, "node.failed")


def test_a_node_that_is_not_replaced_in_time_is_said_and_violates(pilot, monkeypatch):
    monkeypatch.setattr(replacing, "REPLACED_WITHIN_S", 0.2)
    fault = "{when: certificate c1 anchored, kind: rebuild, target: node chamber}"
    flown = pilot("nafta-certificate", overrides=[f"faults=[{fault}]"])
    assert not flown.passed
    assert any(
        "the node of chamber is not replaced: not done within 0.2 s" in str(v) for v in flown.violations
    )


def test_a_replacement_that_the_ledger_refuses_for_good_is_said_and_violates(pilot, monkeypatch):
    monkeypatch.setattr(replacing, "_WAIT_FOR", ("",))
    when = "when: certificate c1 anchored, kind: rebuild"
    faults = f"{{{when}, target: node cbp}}, {{{when}, target: node chamber}}"
    flown = pilot("nafta-certificate", overrides=[f"faults=[{faults}]"])
    assert not flown.passed
    assert any("is not replaced: node.replace/replacement-under-way" in str(v) for v in flown.violations)


def test_what_would_lose_more_than_a_minority_is_refused(pilot):
    with pytest.raises(ScenarioError, match="more stores are lost than the network can bear"):
        pilot("nafta-certificate", overrides=["faults=[{at: {protocol: 1s}, kind: rebuild, target: all}]"])


def test_a_leader_whose_timers_are_twice_as_fast_sends_twice_the_heartbeats(pilot):
    sent = []

    async def script(p):
        world = p._trial.world
        leader = next(o for o in ALL if world.node(o).ordering.is_leader)

        async def frames():
            before = (await world.standing(leader)).frames_sent
            await asyncio.sleep(20)
            sent.append((await world.standing(leader)).frames_sent - before)

        await frames()
        end = await p.fault("timer_drift", target="leader", params={"ppm": 1_000_000})
        await frames()
        await end()
        await frames()

    assert pilot("nafta-certificate", script, keep_steps=False).passed
    right, fast, again = sent
    assert fast > 1.7 * right
    assert again == pytest.approx(right, rel=0.15)


def test_a_followers_timers_that_jump_are_all_due_at_once_and_it_knows_that_it_stood_still(pilot):
    seen = []

    async def script(p):
        driver = p._trial.world.node("chamber").driver
        before = driver.figures.stalls
        await p.fault("timer_jump", target="node chamber", params={"seconds": 60})
        await asyncio.sleep(1)
        seen.append(driver.figures.stalls - before)

    assert pilot("nafta-certificate", script, keep_steps=False).passed
    assert seen == [1]


@pytest.mark.parametrize("seed", ["1", "2", "3"])
def test_a_trade_is_whole_whose_timers_drift_and_jump(pilot, seed):
    faults = (
        "{when: certificate c1 anchored, for: {protocol: 20s}, kind: timer_drift, target: follower,"
        " params: {ppm: 1000000}},"
        "{when: certificate c1 anchored, for: {protocol: 20s}, kind: timer_drift, target: leader,"
        " params: {ppm: -200000}},"
        "{when: certificate c1 held, kind: timer_jump, target: leader, params: {seconds: 5}},"
        "{when: claim e2 filed, kind: timer_jump, target: all, params: {seconds: 60}}"
    )
    flown = pilot("nafta-certificate", overrides=[f"faults=[{faults}]"], seed=seed)
    assert flown.passed, (flown, flown.violations)
