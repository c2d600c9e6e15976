"""Every kind of fault bites: each leaves the mark it should, and the trade comes out whole."""

import aiohttp
import pytest

from p2p.frameweather import Mishap
from scenarios.model.faults import FRAME_KINDS

ISSUED = "certificate c1 held by importer"


def events(flown, name):
    return [event.fields for event in flown.result.book.events if event.name == name]


def flown_through(pilot, kind, target, params=None, seconds="8s"):
    marks = {}

    async def script(p):
        world = p._trial.world
        issuing = p.begin("issue-certificate", by="exporter", document="c1")
        end = await p.fault(kind, target=target, params=params)
        await p.protocol(seconds)
        marks["struck"] = {m: sum(w.struck[m] for w in world._frame_weather.values()) for m in Mishap}
        marks["up"] = [o for o in p.organizations if world.is_up(o)]
        marks["calendars"] = {o: world.kit.host(o).calendar.now_ms(world.kit.loop) for o in p.organizations}
        await end()
        await issuing.done()
        await p.until(ISSUED)

    flown = pilot("nafta-certificate", script, keep_steps=False)
    assert flown.passed, flown
    return flown, marks


@pytest.mark.parametrize("kind", FRAME_KINDS)
def test_frames_are_struck_and_the_trade_goes_on(pilot, kind):
    flown, marks = flown_through(
        pilot, kind, "all", {"percent": 15} | ({"frames": 3} if kind == "burst_drop" else {})
    )
    assert marks["struck"][Mishap(kind)] > 10
    if kind == "corrupt":
        assert events(flown, "link.rubbish") or events(flown, "raft.message_refused")


@pytest.mark.parametrize(
    ("kind", "said"), [("disk_full", "No space left"), ("sync_failure", "Input/output error")]
)
def test_a_node_whose_disk_fails_stops_says_why_and_comes_back(pilot, kind, said):
    flown, marks = flown_through(pilot, kind, "leader")
    (failed,) = events(flown, "node.failed")
    assert said in failed["reason"]
    assert failed["node"] not in marks["up"]
    assert [e["node"] for e in events(flown, "node.started")].count(failed["node"]) == 2


def test_a_slow_disk_deposes_nobody(pilot):
    flown, _ = flown_through(pilot, "slow_disk", "all", {"range_ms": [200, 400]})
    assert len([e for e in events(flown, "raft.role") if e["role"] == "leader"]) == 1
    assert flown.result.metrics["certified_100_max_ms"] > 400


def test_a_calendar_is_wrong_and_right_again(pilot):
    _, marks = flown_through(pilot, "calendar_offset", "node noaa", {"seconds": 240})
    wrong = marks["calendars"].pop("noaa")
    assert {round((wrong - right) / 1000) for right in marks["calendars"].values()} == {240}


@pytest.mark.parametrize("cut", ["outgoing", "incoming"])
def test_a_leader_that_is_cut_off_one_way_loses_office(pilot, cut):
    """Check-quorum: a leader that hears nobody steps down; one that nobody hears is replaced (bug 34)."""
    flown, _ = flown_through(pilot, "one_way", "leader", {"cut": cut})
    assert len({e["node"] for e in events(flown, "raft.role") if e["role"] == "leader"}) >= 2


@pytest.mark.parametrize(
    "body",
    [
        "",
        "{}",
        '{"rules": [{"mishap": "burn", "share": 0.5}]}',
        '{"rules": [{"mishap": "drop", "share": 2}]}',
    ],
)
def test_the_control_channel_takes_rules_and_refuses_what_is_none(pilot, body):
    answers = []

    async def script(p):
        world = p._trial.world
        endpoint = world.endpoint("cbp")
        headers = {"Authorization": f"Bearer {endpoint.control_token}"}
        async with aiohttp.ClientSession(headers=headers) as session:
            for data in ('{"rules": [{"mishap": "drop", "share": 0.5}]}', body, '{"rules": []}'):
                async with session.post(f"{endpoint.url}/control/frames", data=data) as response:
                    answers.append((response.status, world.node("cbp").links.weather.is_calm))

    assert pilot("nafta-certificate", script, keep_steps=False).passed
    assert answers == [(200, False), (400, False), (200, True)]
