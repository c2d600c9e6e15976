"""The pilot in bad weather: it passes, the weather was real, and nothing acknowledged is lost."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from scenarios.judging.final import read_final
from scenarios.judging.verdict import Verdict
from scenarios.record.eventbook import Event
from scenarios.running.options import RunResult
from scenarios.worlds.virtual import SimulatedWorld

RunVirtual = Callable[..., RunResult]

pytestmark = pytest.mark.slow

STORMS = (
    ("leader-crash", "1"),
    ("leader-crash", "4"),  # a node comes back to a leader whose first blocks do not connect to its log
    ("partition-2-3", "4"),
    ("partition-1-4", "1"),
    ("loss", "2"),  # so slow that nothing seems to move: that is no reason to let months pass
    ("loss", "15"),
    ("power-loss", "1"),
    ("power-loss", "4"),
)


def faults(result: RunResult) -> list[tuple[Event, Event]]:
    """Return (began, ended) of every fault."""
    ends = {event.integer("fault"): event for event in result.book.named("fault.ended")}
    return [(began, ends[began.integer("fault")]) for began in result.book.named("fault.began")]


def hit(began: Event) -> list[str]:
    names = began.fields["hit"]
    assert isinstance(names, list)
    return names


def leader_before(result: RunResult, moment: Event) -> str | None:
    elected = [
        e for e in result.book.named("raft.role") if e.fields["role"] == "leader" and e.number < moment.number
    ]
    return elected[-1].text("node") if elected else None


def assert_leader_was_hit(result: RunResult) -> None:
    for began, _ in faults(result):
        if began.text("target") == "leader":
            assert hit(began) == [leader_before(result, began)]


def assert_leader_crashed(result: RunResult) -> None:
    assert_leader_was_hit(result)
    for began, ended in faults(result):
        node = hit(began)[0]
        assert any(
            e.text("node") == node and e.integer("height") >= 1 and began.number < e.number < ended.number
            for e in result.book.named("node.started")
        )
    assert result.metrics["elections_won"] >= 2


def assert_cut(result: RunResult, size: int) -> None:
    """Segments between the sides had to be sent again, all others not; the cut-off execute nothing meanwhile."""
    assert_leader_was_hit(result)
    world = result.trial.world
    assert isinstance(world, SimulatedWorld)
    cut: set[tuple[str, str]] = set()
    for began, ended in faults(result):
        minority = hit(began)
        assert len(minority) == size
        rest = [o for o in world.organizations if o not in minority]
        cut |= {*itertools.product(minority, rest), *itertools.product(rest, minority)}
        second_ns = began.protocol_ns + 10**9
        during = [
            e for e in result.book.named("block.executed") if second_ns < e.protocol_ns < ended.protocol_ns
        ]
        assert not [e for e in during if e.text("node") in minority]
    sent_again = {
        (one, other)
        for one, other in itertools.permutations(world.organizations, 2)
        if world.kit.network.link(one, other).retransmission_count
    }
    assert sent_again == cut


def assert_segments_were_lost(result: RunResult) -> None:
    world = result.trial.world
    assert isinstance(world, SimulatedWorld)
    for one, other in itertools.permutations(world.organizations, 2):
        assert world.kit.network.link(one, other).retransmission_count > 0


def assert_power_was_lost_amid_writes(result: RunResult) -> None:
    lost = result.book.named("power.lost")
    everywhere = [e for e in lost if e.protocol_ns == lost[0].protocol_ns]
    assert [e.text("node") for e in everywhere] == list(result.trial.world.organizations)
    assert len(lost) == 6
    assert sum(e.integer("unsynced") for e in lost) > 0
    assert result.metrics["elections_won"] >= 2


def assert_nothing_acknowledged_is_lost(result: RunResult) -> None:
    """The same as the durability check, by other means: what was answered for against what is on the disks."""
    organizations = list(result.trial.world.organizations)
    final, unreadable = read_final({o: result.folder.node_directory(o) for o in organizations}, organizations)
    assert not unreadable
    accepted = {e.text("id") for e in result.book.named("transaction.accepted")}
    committed = {(e.integer("height"), e.text("hash")) for e in result.book.named("block.executed")}
    certified = max(e.integer("height") for e in result.book.named("block.certified"))
    assert len(accepted) >= 17
    assert {node.state_root for node in final.nodes.values()} == {final.nodes["cbp"].state_root}
    for node in final.nodes.values():
        assert accepted <= node.receipts.keys()
        assert committed == set(node.block_hashes.items())
        assert node.certified >= certified


def trade(result: RunResult) -> list[tuple[str, ...]]:
    """Return what became of every act but the probes of healed majorities, whatever the order."""
    probes = {e.text("id") for e in result.book.named("progress.demanded")}
    receipts = [e for e in result.book.named("receipt") if e.text("id") not in probes]
    return sorted(
        (e.text("type"), str(e.fields.get("claim")), e.text("code"), str(e.fields["findings"]))
        for e in receipts
    )


@pytest.mark.parametrize(("weather", "seed"), STORMS)
def test_the_pilot_passes_in_bad_weather(
    weather: str, seed: str, fair_run: RunResult, run_virtual_scenario: RunVirtual
) -> None:
    result = run_virtual_scenario(f"nafta-certificate-{weather}", seed)
    assert result.judgment.verdict is Verdict.PASSED, result.judgment
    assert len(result.book.named("fault.began")) == len(result.trial.scenario.faults)
    assert_nothing_acknowledged_is_lost(result)
    match weather:
        case "leader-crash":
            assert_leader_crashed(result)
        case "partition-2-3":
            assert_cut(result, 2)
        case "partition-1-4":
            assert_cut(result, 1)
            assert result.metrics["elections_won"] >= 3
        case "loss":
            assert_segments_were_lost(result)
            assert result.trial.scenario.faults[0].params.percent == 20
        case _:
            assert_power_was_lost_amid_writes(result)
    assert trade(result) == trade(fair_run)
    refused = [
        e
        for e in result.book.events
        if e.name.endswith("_refused") or e.name in ("raft.forked", "node.failed")
    ]
    assert not refused, "honest nodes refuse nothing of each other"
    for check in ("agreement", "durability", "decided-once", "confidentiality"):
        assert result.metrics[f"check_{check}_exercised"] > 0


def test_what_never_began_is_named_with_what_it_waited_for(
    run_virtual_scenario: RunVirtual, tmp_path: Path
) -> None:
    file = tmp_path / "never.yaml"
    file.write_text(
        "scenario: never\nextends: nafta-certificate\ntitle: Never\n"
        "steps:\n"
        '  - { at: "2018-09-04T10:00:00", by: exporter, do: issue-certificate, document: c1 }\n'
        "  - { when: claim e1 filed, by: importer, do: file-claim, claim: e2 }\n"
        "faults:\n  - { when: claim e1 is DENIED, kind: crash, target: leader }\n"
        "expect: [certificate c1 is ACTIVE]\n"
    )
    judgment = run_virtual_scenario(file).judgment
    assert judgment.verdict is Verdict.UNDECIDED
    assert judgment.open_points == (
        "step 2 (file-claim by importer) never began; it was to begin when claim e1 filed",
        "fault 1 (crash of leader) never began; it was to begin when claim e1 is DENIED",
    )


def test_metrics_that_cannot_be_read_are_no_empty_text(
    run_virtual_scenario: RunVirtual, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask = aiohttp.ClientSession.get

    def get(session: aiohttp.ClientSession, url: str, **options: Any) -> object:
        if not url.endswith("/metrics"):
            return ask(session, url, **options)
        raise aiohttp.ClientConnectionError(f"nothing at {url[-8:]}")

    monkeypatch.setattr(aiohttp.ClientSession, "get", get)
    judgment = run_virtual_scenario("nafta-certificate").judgment
    assert judgment.verdict is Verdict.UNDECIDED
    assert len(judgment.open_points) == 5
    assert judgment.open_points[0] == (
        "the metrics of cbp's node could not be read and were not searched: "
        "ClientConnectionError: nothing at /metrics"
    )
