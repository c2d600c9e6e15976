"""Every kind of link fault: whom it hits, what it does to the trade's links, and what is refused before the run."""

from __future__ import annotations

from pathlib import Path

import pytest

from p2p.virtual import NS_PER_MS
from scenarios.errors import ScenarioError
from scenarios.model.catalog import load_scenario
from scenarios.trial.directions import between, border, halves, links_of, ring

ABCDE = ("a", "b", "c", "d", "e")
ISSUED = "certificate c1 held by importer"


def seen_by(cut, members=ABCDE):
    return {m: "".join(o for o in members if o != m and (m, o) not in cut) for m in members}


def test_a_bridge_sees_both_halves_and_they_not_each_other():
    assert halves(ABCDE, ("a", "b", "c"), ["b"]) == [["a", "d"], ["c", "e"]]
    cut = between(halves(ABCDE, ABCDE, ["b"]))
    assert seen_by(cut) == {"a": "bd", "b": "acde", "c": "be", "d": "ab", "e": "bc"}


def test_on_a_ring_of_five_everybody_sees_a_majority_and_no_two_the_same():
    """Jepsen's majorities-ring."""
    sees = seen_by(ring(ABCDE))
    assert sees == {"a": "be", "b": "ac", "c": "bd", "d": "ce", "e": "ad"}
    assert len({frozenset(m + others) for m, others in sees.items()}) == 5
    assert seen_by(ring(["a", "c", "d", "e"]))["b"] == "acde", "who is not hit sees everybody"
    assert ring(["a", "b", "c"]) == [], "which is why three are refused"


def test_directions_are_those_of_the_links_that_are_hit():
    assert sorted(links_of(ABCDE, ["a"], "outgoing")) == [("a", o) for o in "bcde"]
    assert sorted(links_of(ABCDE, ["a"], "incoming")) == [(o, "a") for o in "bcde"]
    assert len(links_of(ABCDE, ["a", "b"])) == 14
    assert len(border(ABCDE, ["a", "b"])) == 12
    assert len(border(ABCDE, ABCDE)) == 20


def flown_through(pilot, kind, target, params=None, seconds="8s", look=lambda _world: None):
    """Let a certificate be issued under a fault; return the run, and what `look` saw in the world meanwhile."""
    seen = []

    async def script(p):
        world = p._trial.world
        issuing = p.begin("issue-certificate", by="exporter", document="c1")
        end = await p.fault(kind, target=target, params=params)
        await p.protocol(seconds)
        seen.append(look(world))
        await end()
        await issuing.done()
        await p.until(ISSUED)

    flown = pilot("nafta-certificate", script, keep_steps=False)
    assert flown.passed, flown
    return flown, seen[0]


def events(flown, name):
    return [event.fields for event in flown.result.book.events if event.name == name]


def leaders(flown):
    return {e["node"] for e in events(flown, "raft.role") if e["role"] == "leader"}


def node_links(world):
    return [
        link for link in world.kit.network.links if "outside" not in (link.src, link.dst) and not link.local
    ]


def test_a_leader_alone_is_replaced(pilot):
    """A partition of the target `leader` isolates the leader."""
    flown, blocked = flown_through(
        pilot, "partition", "leader", look=lambda w: [link.src for link in node_links(w) if link.blocked]
    )
    assert len(blocked) == 8
    assert len(leaders(flown)) >= 2


def test_a_bridge_keeps_the_two_halves_together(pilot):
    def look(world):
        return [f"{link.src}>{link.dst}" for link in node_links(world) if link.blocked]

    flown, blocked = flown_through(pilot, "bridge", "node noaa", look=look, seconds="40s")
    assert len(blocked) == 8
    assert not any("noaa" in pair for pair in blocked)
    assert events(flown, "link.expired")


def test_a_ring_still_comes_to_a_leader(pilot):
    flown, blocked = flown_through(
        pilot, "ring", "all", seconds="40s", look=lambda w: [link for link in node_links(w) if link.blocked]
    )
    assert len(blocked) == 10
    assert events(flown, "link.expired")


def test_links_that_flap_depose_a_leader_and_lose_nothing(pilot):
    flown, passed = flown_through(
        pilot,
        "flapping",
        "leader",
        {"down_ms": [2500, 3500], "up_ms": [800, 1200]},
        seconds="20s",
        look=lambda w: min(link.retransmission_count for link in node_links(w) if link.retransmission_count),
    )
    assert len(leaders(flown)) >= 2
    assert passed > 2, "what was sent while a link was down was sent again"


@pytest.mark.parametrize(
    "distribution",
    [
        {"range_ms": [150, 250]},
        {"normal": {"mean_ms": 200, "deviation_ms": 20}},
        {"lognormal": {"median_ms": 180, "p99_ms": 600}},
        {"exponential": {"least_ms": 150, "mean_ms": 200}},
    ],
    ids=lambda params: next(iter(params)),
)
def test_latency_of_every_distribution_delays_the_trade(pilot, distribution):
    flown, latency_ms = flown_through(
        pilot,
        "latency",
        "all",
        distribution,
        look=lambda w: (
            sum(w.kit.network.link("cbp", "noaa").latency_ns() for _ in range(100)) / 100 / NS_PER_MS
        ),
    )
    assert 170 < latency_ms < 260
    assert flown.result.metrics["certified_100_max_ms"] > 700


def test_latency_one_way_leaves_the_other_way(pilot):
    def look(world):
        network = world.kit.network
        return tuple(
            network.link(*pair).latency_ns() // NS_PER_MS for pair in (("cbp", "noaa"), ("noaa", "cbp"))
        )

    params = {"range_ms": [300, 400], "way": "outgoing"}
    _, (there, back) = flown_through(pilot, "latency", "node cbp", params, look=look)
    assert there >= 300
    assert back <= 30


def test_a_narrow_link_holds_what_does_not_pass(pilot):
    flown, passed = flown_through(
        pilot,
        "bandwidth",
        "all",
        {"bytes_per_s": 4_000},
        look=lambda w: [link.gate.passed_count for link in node_links(w) if link.gate is not None],
    )
    assert min(passed) >= 1
    assert sum(passed) > 100
    assert flown.result.metrics["certified_100_max_ms"] > 500


def test_a_clog_holds_and_lets_go(pilot):
    def look(world):
        return {link.src: link.gate.waiting_bytes for link in node_links(world) if link.gate is not None}

    flown, waiting = flown_through(pilot, "clog", "leader", {"way": "outgoing"}, look=look)
    assert len(waiting) == 1
    assert min(waiting.values()) > 0
    assert len(leaders(flown)) >= 2, "a leader that nobody hears is replaced"


def test_a_slow_reader_lets_its_peers_wait_and_the_trade_goes_on(pilot):
    def look(world):
        ends = [end for ends in world.kit.network._transports.values() for end in ends]
        return max(len(b"".join(end._rx)) for end in ends if end.link.src == "noaa" and not end.link.local)

    _, unread = flown_through(
        pilot, "slow_reader", "node noaa", {"bytes_per_s": 1_000}, look=look, seconds="1s"
    )
    assert unread > 500


def test_a_reset_is_healed_by_dialing_again(pilot):
    flown, resets = flown_through(
        pilot, "reset", "leader", look=lambda w: sum(link.reset_count for link in node_links(w))
    )
    assert resets == 8
    assert len([e for e in events(flown, "link.opened") if e["peer"] in leaders(flown)]) >= 8


@pytest.mark.parametrize(
    "target", ["node cbp", "node noaa"]
)  # the one always dials, the other is always dialed
def test_a_half_open_link_is_found_out_and_dialed_again(pilot, target):
    def look(world):
        return sum(link.reset_count for link in node_links(world))

    flown, gone = flown_through(pilot, "half_open", target, look=look, seconds="20s")
    assert gone >= 4
    name = target.removeprefix("node ")
    again = [e for e in events(flown, "link.opened") if name in (e["node"], e["peer"])]
    assert len(again) >= 16


def test_frames_are_dropped_in_bursts(pilot):
    def look(world):
        return sum(w.struck["burst_drop"] for w in world._frame_weather.values())

    flown, struck = flown_through(pilot, "burst_drop", "all", {"percent": 2, "frames": 8}, look=look)
    assert struck > 40
    assert flown.passed


def refusals_of(text: str, tmp_path: Path) -> list[str]:
    path = tmp_path / "links.yaml"
    path.write_text(f"scenario: links\nextends: nafta-certificate\ntitle: Links\n{text}")
    try:
        load_scenario(path)
    except ScenarioError as error:
        return [str(fault).partition("links.yaml:")[2] for fault in error.faults]
    return []


SOON = "at: { protocol: 1s }, for: { protocol: 4s }"


@pytest.mark.parametrize(
    ("faults", "refused"),
    [
        (
            f"{{ {SOON}, kind: ring, target: minority }}",
            "5: faults.1.target: is no ring; 4 nodes at least; this target hits 2",
        ),
        (
            f"{{ {SOON}, kind: bridge, target: 'nodes cbp, exporter, importer, chamber' }}",
            "5: faults.1.target: leaves nobody to part; two others at least; 4 of 5 are the bridge",
        ),
        (
            f"{{ {SOON}, kind: bridge, target: node cbp, params: {{ groups: [[noaa], [nobody]] }} }}",
            '5: faults.1.params.groups.2.1: unknown organization "nobody"',
        ),
        (
            f"{{ {SOON}, kind: one_way, target: all, params: {{ cut: outgoing }} }}",
            "5: faults.1.target: the target is everybody",
        ),
        (
            "{ at: { protocol: 1s }, kind: half_open, target: all }",
            "5: faults.1.target: the target is everybody",
        ),
        (
            f"{{ {SOON}, kind: latency, target: all, params: {{ regions: {{ north: {{ north: [1, 2] }} }} }} }}",
            '5: faults.1.params.regions.north: unknown region "north"',
        ),
    ],
)
def test_what_this_network_cannot_have_is_refused_by_line(faults, refused, tmp_path):
    assert any(line.startswith(refused) for line in refusals_of(f"faults:\n  - {faults}\n", tmp_path))


@pytest.mark.parametrize(
    ("one", "other", "refused"),
    [
        (
            f"{SOON}, kind: partition, target: node cbp",
            "at: { protocol: 4s }, for: { protocol: 4s }, kind: flapping, target: 'nodes noaa, cbp', "
            "params: { down_ms: [1, 1], up_ms: [1, 1] }",
            "6: faults.2: flapping of cbp while fault 1, partition, is in force; one at a time decides how links",
        ),
        (
            f"{SOON}, kind: partition, target: node cbp",
            "at: { protocol: 5s }, for: { protocol: 4s }, kind: ring, target: all",
            "",
        ),
        (
            f"{SOON}, kind: latency, target: node cbp, params: {{ range_ms: [1, 2] }}",
            f"{SOON}, kind: latency, target: all, params: {{ range_ms: [3, 4] }}",
            "6: faults.2: latency of cbp while fault 1, latency, is in force",
        ),
        (
            "when: claim e1 filed, for: { calendar: 3d }, kind: pause, target: leader",
            "when: claim e1 filed, kind: crash, target: leader",
            "6: faults.2: crash of the leader while fault 1, pause, is in force; one at a time decides how its process",
        ),
        (
            "when: claim e1 filed, for: { calendar: 3d }, kind: pause, target: leader",
            "when: claim e1 filed, after: { calendar: 1d }, kind: crash, target: leader",
            "",
        ),
        (
            "when: claim e1 filed, for: { calendar: 3d }, kind: pause, target: node cbp",
            "when: claim e1 filed, after: { calendar: 1d }, kind: crash, target: node cbp",
            "6: faults.2: crash of cbp while fault 1, pause, is in force",
        ),
        (
            'at: { calendar: "2018-10-01T10:00:00" }, for: { calendar: 2d }, kind: crash, target: node cbp',
            'at: { calendar: "2018-10-02T10:00:00" }, kind: pause, for: { protocol: 1s }, target: node cbp',
            "6: faults.2: pause of cbp while fault 1, crash, is in force",
        ),
        (f"{SOON}, kind: partition, target: follower", f"{SOON}, kind: partition, target: follower", ""),
        (
            f"{SOON}, kind: clog, target: all",
            f"{SOON}, kind: loss, target: all, params: {{ percent: 5 }}",
            "",
        ),
    ],
)
def test_faults_that_contradict_each_other_for_certain_are_refused_by_line(one, other, refused, tmp_path):
    found = refusals_of(f"faults:\n  - {{ {one} }}\n  - {{ {other} }}\n", tmp_path)
    assert len(found) == (1 if refused else 0), found
    assert not refused or found[0].startswith(refused)
