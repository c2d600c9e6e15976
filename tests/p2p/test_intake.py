"""Both doors into a pool: durable before accepted, accepted before pushed, everything once."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, field

import pytest

from ledger.codes import Code
from ledger.execution import Ledger
from ledger.genesis import Limits
from ledger.keys import Verifier
from ledger.store import PoolRow
from p2p.codepoints import CodePoints
from p2p.gossip import Gossip
from p2p.intake import Intake
from p2p.observer import SilentObserver
from p2p.pool import Pool

LIMITS = Limits()


@dataclass
class Rows:
    """The pool's rows of a store."""

    kept: dict[bytes, tuple[bytes, int]] = field(default_factory=dict)

    def pool_put(self, key, raw, accepted_ms):
        self.kept.setdefault(key, (raw, accepted_ms))

    def pool_rows(self):
        return [PoolRow(key, raw, accepted_ms) for key, (raw, accepted_ms) in self.kept.items()]


@dataclass
class Clock:
    name: str = "exporter"
    ms: int = 0
    points: CodePoints = field(default_factory=lambda: CodePoints(lambda: None, random.Random(1)))

    def now_ms(self):
        return self.ms


class Bench:
    """An intake whose disk takes as long as the test lets it."""

    def __init__(self, net, pool_max=100):
        self.net = net
        self.gate = asyncio.Event()
        self.gate.set()
        self.rows = Rows()
        self.clock = Clock(ms=net.genesis.time_ms)
        self.changes = 0
        self.ledger = Ledger(net.genesis, Verifier())
        self.intake = self.another(pool_max)

    def another(self, pool_max=100):
        return Intake(
            machine=self.clock,
            ledger=self.ledger,
            store=self.rows,
            pool=Pool(pool_max),
            gossip=Gossip(("p", "q"), 2, random.Random(1)),
            observer=SilentObserver(),
            durably=self.durably,
            now=lambda: 0.0,
            leader=lambda: None,
            on_change=self.note,
        )

    def note(self):
        self.changes += 1

    async def durably(self, action):
        await self.gate.wait()
        action()


@pytest.fixture(scope="module")
def net(five):
    """The founding of a network, and hands to sign for it; nothing of it runs any more."""

    async def main(net):
        return net

    return five(main)


@pytest.fixture
def bench(net):
    return Bench(net)


async def test_what_is_accepted_is_durable_and_only_then_offered_to_others(bench):
    signed = bench.net.sign()
    bench.gate.clear()
    submission = asyncio.create_task(bench.intake.submit([signed.raw]))
    await asyncio.sleep(0)
    waiting = bench.intake.pool.get(signed.id)
    assert not waiting.is_accepted
    assert bench.intake.gossip.summary() == []
    assert not bench.intake.gossip.has_pushes
    bench.gate.set()
    (outcome,) = await submission
    assert outcome.code is Code.VALID
    assert waiting.is_durable
    assert waiting.is_accepted
    assert list(bench.rows.kept) == [signed.id]
    assert bench.intake.gossip.summary() == [signed.id[:8]]
    assert bench.intake.gossip.has_pushes
    assert bench.changes == 1


async def test_the_same_bytes_while_the_disk_is_busy_wait_for_it_too(bench):
    signed = bench.net.sign()
    bench.gate.clear()
    both = [asyncio.create_task(bench.intake.submit([signed.raw])) for _ in range(2)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert not any(task.done() for task in both)
    bench.gate.set()
    (first,), (second,) = await asyncio.gather(*both)
    assert (first.code, second.code) == (Code.VALID, Code.DUPLICATE)
    assert len(bench.rows.kept) == 1


async def test_what_came_by_gossip_is_volatile_until_its_own_organization_hands_it_in(bench):
    signed = bench.net.sign()
    bench.intake.receive("p", [signed.raw, signed.raw])
    assert bench.intake.pool.get(signed.id).is_accepted
    assert bench.rows.kept == {}
    (outcome,) = await bench.intake.submit([signed.raw])
    assert outcome.code is Code.DUPLICATE
    assert list(bench.rows.kept) == [signed.id]
    (outcome,) = await bench.intake.submit([signed.raw])
    assert outcome.code is Code.DUPLICATE
    assert bench.intake.gossip.figures.duplicates == 1
    assert bench.intake.gossip.figures.delivered == 1


async def test_what_was_executed_before_the_disk_had_it_is_not_kept(bench):
    signed = bench.net.sign()
    bench.gate.clear()
    submission = asyncio.create_task(bench.intake.submit([signed.raw]))
    await asyncio.sleep(0)
    bench.intake.leave(signed.id)
    bench.gate.set()
    await submission
    assert bench.rows.kept == {}
    assert bench.intake.gossip.summary() == []


async def test_gossip_brings_in_nothing_that_the_front_door_would_refuse(bench):
    good = bench.net.sign()
    bad = [b"\xc1", bench.net.sign(signer="importer").raw, bench.net.sign(valid_until_ms=1).raw]
    twin = bench.net.sign(nonce=good.transaction.nonce)
    bench.intake.receive("p", [good.raw, *bad, twin.raw])
    assert [waiting.id for waiting in bench.intake.pool] == [good.id]
    assert bench.intake.refused == {
        Code.MALFORMED: 1,
        Code.BAD_SIGNATURE: 1,
        Code.EXPIRED: 1,
        Code.NONCE_REUSED: 1,
    }


async def test_a_neighbors_transaction_that_only_the_calendar_has_ended_is_taken_so_that_a_block_ends_it(
    bench,
):
    late = bench.net.sign(valid_until_ms=bench.clock.ms + 1000)
    bench.clock.ms += 86_400_000
    (own,) = await bench.intake.submit([late.raw])
    assert own.code is Code.EXPIRED
    bench.intake.receive("p", [late.raw])
    assert [waiting.id for waiting in bench.intake.pool] == [late.id]


async def test_a_nonce_is_free_again_when_who_waited_under_it_has_left(bench):
    first = bench.net.sign()
    twin = bench.net.sign(nonce=first.transaction.nonce)
    await bench.intake.submit([first.raw])
    (refused,) = await bench.intake.submit([twin.raw])
    bench.intake.expire(first.id)
    (taken,) = await bench.intake.submit([twin.raw])
    assert (refused.code, taken.code) == (Code.NONCE_REUSED, Code.VALID)
    assert first.id in bench.intake.expired_ids


async def test_a_full_pool_refuses_gossip_too(net):
    bench = Bench(net, pool_max=2)
    many = [net.sign() for _ in range(3)]
    bench.intake.receive("p", [signed.raw for signed in many])
    assert [waiting.id for waiting in bench.intake.pool] == [signed.id for signed in many[:2]]
    assert bench.intake.refused == {Code.OVERLOADED: 1}


async def test_after_a_restart_the_durable_pool_waits_again_whatever_the_calendar_says(bench):
    soon = bench.net.sign(valid_until_ms=bench.clock.ms + 1000)
    later = bench.net.sign()
    await bench.intake.submit([soon.raw, later.raw])
    bench.clock.ms += 86_400_000  # past `soon`, by the calendar; no block's time is
    next_life = bench.another()
    next_life.reload()
    assert sorted(w.id for w in next_life.pool) == sorted([soon.id, later.id])
    assert all(waiting.is_durable and waiting.is_accepted for waiting in next_life.pool)
    assert next_life.gossip.has_pushes
    (again,) = await next_life.submit([later.raw])
    assert again.code is Code.DUPLICATE
