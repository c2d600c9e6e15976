"""Each check's safeguard switched off in a whole run: that check is violated, and says where.

The table in docs/checks.md names these tests.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import apsw
import pytest

from consensus import quorum
from ledger import validation
from ledger.contracts import HOLDING_TABLE, HoldingState, Refusal
from ledger.contracts.carnet import VOUCHER_TABLE, goods
from p2p.cutting import Cutting
from p2p.frames import FrameKind
from p2p.intake import Intake
from p2p.link import Link
from p2p.links import Links
from p2p.node import Node
from p2p.pool import Waiting
from scenarios.agents import examination
from scenarios.agents.carnetoffice import CarnetOffice
from scenarios.agents.client import NodeUnreachableError
from scenarios.judging.checks.check import FinalState
from scenarios.judging.final import read_final
from scenarios.judging.verdict import Verdict
from scenarios.record.eventbook import Event
from scenarios.running import runner
from scenarios.running.options import RunResult
from scenarios.testing import PilotFixture
from scenarios.trial.pilot import Pilot
from scenarios.trial.trial import Trial
from scenarios.worlds.virtual import SimulatedWorld

RunVirtual = Callable[..., RunResult]

pytestmark = pytest.mark.slow


def violations(result: RunResult, check: str) -> list[str]:
    """Return a check's violations in words; the run is violated."""
    assert result.judgment.verdict is Verdict.VIOLATED
    return [text for text in result.judgment.violations if text.startswith(f"{check}: ")]


def test_a_transaction_that_takes_effect_twice_is_seen(
    run_virtual_scenario: RunVirtual, monkeypatch: pytest.MonkeyPatch
) -> None:
    ordered: list[bytes] = []
    sign = Cutting._sign

    def again(cutting: Cutting, transactions: Sequence[bytes], time_ms: int) -> bytes:
        ordered.extend(transactions)
        return sign(cutting, [*transactions, *([ordered[0]] if len(ordered) == 3 else [])], time_ms)

    monkeypatch.setattr(Cutting, "_sign", again)
    monkeypatch.setattr(validation, "check_nonce", lambda _signed, _state: None)
    found = violations(run_virtual_scenario("nafta-certificate"), "decided-once")
    assert "took effect at heights 1 and 3 (event " in found[0]


async def told_and_killed(p: Pilot) -> None:
    """Hand a transaction in once, to a node that dies as soon as it has answered; nobody hands it in again."""
    trial = p._trial
    await p.fault("slow_disk", target="node importer", params={"range_ms": [300, 400]})
    end = await p.fault("crash_at", target="node importer", params={"point": "after_answer"})
    probe = trial.agents["importer"].wallet.sign(
        "document.acknowledge", {"root": b"r" * 32}, (), p.now_ms() + 86_400_000
    )
    with suppress(NodeUnreachableError), trial.world.place("importer"):
        await p.node("importer").submit(probe.raw)
    await end()


def test_an_answer_before_its_commit_is_lost_and_that_is_seen(
    pilot: PilotFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = pilot("nafta-certificate", told_and_killed, keep_steps=False)
    assert kept.passed, kept
    (accepted,) = kept.result.book.named("transaction.accepted")
    assert kept.result.book.named("point.struck")
    accept = Intake._accept

    async def hasty(intake: Intake, to_keep: list[Waiting]) -> None:
        """Begin to write, and do not wait for it."""
        durably, loop = intake.durably, asyncio.get_running_loop()

        async def begun(action: Callable[[], None]) -> None:
            loop.create_task(durably(action), name="write behind")  # type: ignore[arg-type]

        intake.durably = begun
        try:
            await accept(intake, to_keep)
        finally:
            intake.durably = durably

    monkeypatch.setattr(Intake, "_accept", hasty)
    lost = pilot("nafta-certificate", told_and_killed, keep_steps=False)
    found = violations(lost.result, "durability")
    assert any(
        f"{accepted.text('id')} was accepted; cbp ends without a receipt of it" in text for text in found
    )


def test_pieces_that_come_from_nowhere_are_seen(
    run_virtual_scenario: RunVirtual, monkeypatch: pytest.MonkeyPatch
) -> None:
    def leave_out(table: Any, event: str, *refusals: Refusal) -> None:
        for step in table.steps:
            if step.event == event:
                kept = tuple(guard for guard in step.guards if guard.refusal not in refusals)
                monkeypatch.setitem(table._by_place, (step.state, event), replace(step, guards=kept))

    left_out = (Refusal.UNLISTED_ITEM, Refusal.PIECES_MISSING, Refusal.WRONG_IMPORT_VOUCHER)
    leave_out(VOUCHER_TABLE, "carnet.present", *left_out)
    leave_out(VOUCHER_TABLE, "carnet.endorse", *left_out)
    monkeypatch.setattr(goods, "minus", lambda there, _taken: there)
    monkeypatch.setattr(CarnetOffice, "_goods_defects", lambda *_arguments: [])
    found = violations(run_virtual_scenario("carnet-fraud"), "carnet-balances")
    assert "pieces of item" in found[0]
    assert "(event " in found[0]


def test_a_leader_that_lacks_what_is_committed_is_seen(
    run_virtual_scenario: RunVirtual, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quorum, "majority", lambda _voters: 1)
    found = violations(run_virtual_scenario("nafta-certificate-partition-2-3"), "raft")
    assert "leader completeness: exporter leads term 3 without the entries up to 11" in found[0]
    assert "(event " in found[0]


def test_a_healed_majority_that_does_nothing_is_seen(run_virtual_scenario: RunVirtual) -> None:
    def deaf_when_healed(trial: Trial) -> None:
        mends: list[Callable[[], None]] = []

        def follow(event: Event) -> None:
            if event.name == "phase" and event.fields["name"] == "heal majority":
                world = trial.world
                assert isinstance(world, SimulatedWorld)
                mends.append(world.partition([[name] for name in world.organizations]))
            elif event.name == "phase" and event.fields["name"] == "heal":
                mends.pop()()

        trial.book.subscribe(follow)

    result = run_virtual_scenario("nafta-certificate-power-loss", "1", deaf_when_healed)
    (found,) = violations(result, "progress")
    assert "were healed and certified nothing new within 20000 ms (event " in found
    assert len(result.judgment.violations) == 1


def test_a_store_that_was_changed_is_seen(
    run_virtual_scenario: RunVirtual, monkeypatch: pytest.MonkeyPatch
) -> None:
    def changed(
        directories: Mapping[str, Path], organizations: Sequence[str]
    ) -> tuple[FinalState, list[str]]:
        database = apsw.Connection(str(directories["noaa"] / "node.db"))
        database.execute("UPDATE state SET value = x'80' WHERE key LIKE 'certificate/%'")
        database.close()
        return read_final(directories, organizations)

    monkeypatch.setattr(runner, "read_final", changed)
    found = violations(run_virtual_scenario("nafta-certificate"), "stores")
    assert "noaa's store: the state gives another root than this node signed at height 17" in found[0]
    assert "state of height 17: cbp and noaa differ from certificate/" in found[1]


def test_a_step_that_no_table_lists_is_seen(
    run_virtual_scenario: RunVirtual, monkeypatch: pytest.MonkeyPatch
) -> None:
    act = "holding.acknowledge"
    lawful = HOLDING_TABLE.find(HoldingState.DELIVERED, act)
    monkeypatch.setitem(HOLDING_TABLE._by_place, (HoldingState.HELD, act), lawful)

    def twice(trial: Trial) -> None:
        again: list[str] = []

        async def acknowledge(certificate: str) -> None:
            wallet, client = trial.outcome.wallets["importer"], trial.agents["importer"].client
            body = {"certificate": bytes.fromhex(certificate)}
            await client.submit(wallet.sign(act, body, (), trial.now_ms() + 86_400_000).raw)

        def follow(event: Event) -> None:
            if event.name == "receipt" and event.fields["type"] == act and not again:
                again.append(json.loads(event.text("body"))["certificate"])
                trial._spawn(acknowledge(again[0]), "acknowledge again", "importer")

        trial.book.subscribe(follow)

    result = run_virtual_scenario("nafta-certificate", "1", twice)
    (found,) = violations(result, "reachable")
    assert f"{act} by importer from HELD is no row of the holding table (event " in found
    assert len(result.judgment.violations) == 1


async def look_at_once(node: Node, read: Callable[[], object], timeout_ms: int) -> object:
    """Answer who asks for the latest with what is here."""
    return await node.look(read)


def test_a_stale_read_of_a_carnet_or_a_voucher_is_seen(
    run_virtual_scenario: RunVirtual, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "carnet-audited.yaml"
    path.write_text(
        "scenario: carnet-audited\nextends: carnet-journey\ntitle: Slow nodes are asked for the latest\n"
        "checks: [linearizability]\n"
        "faults:\n- { at: { protocol: 0s }, for: { calendar: 400d }, kind: latency, target: 'nodes cbsa, bazg',\n"
        "    params: { range_ms: [300, 500], way: incoming } }\n"
    )
    kept = run_virtual_scenario(path)
    assert kept.judgment.verdict is Verdict.PASSED
    monkeypatch.setattr(Node, "look_linearizably", look_at_once)
    found = violations(run_virtual_scenario(path), "linearizability")
    assert any(text.startswith("linearizability: carnet/") for text in found)
    assert any(text.startswith("linearizability: carnet-voucher/") for text in found)


def test_a_stale_read_is_seen(run_virtual_scenario: RunVirtual, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Node, "look_linearizably", look_at_once)
    result = run_virtual_scenario("nafta-certificate-audited")
    found = violations(result, "linearizability")
    assert "none of these fits: " in found[0]
    assert len(result.judgment.violations) == len(found)


def test_a_flood_of_frames_is_seen(run_virtual_scenario: RunVirtual, monkeypatch: pytest.MonkeyPatch) -> None:
    put = Links._put

    def ten_times(links: Links, link: Link, kind: FrameKind, data: bytes) -> None:
        for _ in range(10):
            put(links, link, kind, data)

    monkeypatch.setattr(Links, "_put", ten_times)
    result = run_virtual_scenario("nafta-certificate")
    (found,) = violations(result, "bounds")
    assert "are the most for what there was to tell (event " in found


def test_more_allowed_than_invoiced_is_seen(
    run_virtual_scenario: RunVirtual, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(examination, "_billed_defects", lambda _line, _billed: [])
    (found,) = violations(run_virtual_scenario("over-claim"), "claimed-quantities")
    assert "501 allowed by claims o1, o2, o3 on invoice i1, 500 invoiced (event " in found
