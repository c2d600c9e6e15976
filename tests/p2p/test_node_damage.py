"""Damage on one node's disk: named, refused where it matters, rebuilt where it can be, and nobody else's concern."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from dataclasses import replace
from typing import ClassVar

import pytest

from ledger.encoding import encode
from ledger.errors import DamagedBlockError, DamagedStoreError
from ledger.keys import Verifier
from ledger.store import Store
from ledger.store.schema import row_digest
from p2p.errors import ConfigError
from p2p.raftlog import StoredLog
from scenarios.errors import RefusedError
from scenarios.hosting.commands import verify_path
from tests.p2p.conftest import TIMING

VICTIM = "noaa"
DATABASE, WAL, WATERMARK = "node.db", "node.db-wal", "watermark"


async def stopped(net, organization=VICTIM):
    """Stop a node in good order: its WAL is in the database then."""
    net.node(organization).stop()
    await net.until(lambda: not net.host(organization).is_up)
    net.world._gone(organization)


async def at_rest(net):
    """Wait until the victim follows another and everything is certified: stopping it writes nothing more then."""
    if await net.leader() == VICTIM:
        net.node(VICTIM).ordering.hand_over("cbp")
        await net.until(lambda: net.node(VICTIM).ordering.leader == "cbp")
        await net.leader()
    await net.settled()


async def prepared(net, count=3):
    """Return certified transactions, with the victim stopped over them."""
    await net.leader()
    signed = await net.certify_many(count)
    await at_rest(net)
    await stopped(net)
    return signed


def places(net, needle, organization=VICTIM, name=DATABASE):
    """Return every place of some bytes in a file."""
    data = net.host(organization).disk.read(name)
    found, at = [], data.find(needle)
    while at >= 0:
        found.append(at)
        at = data.find(needle, at + 1)
    return found


def flip(net, at, organization=VICTIM, name=DATABASE):
    net.host(organization).disk.flip_bit(name, at, 3)


async def back(net, organization=VICTIM):
    await net.restart(organization)
    assert organization not in net.failures, net.failures
    await net.settled()


# A block.


@pytest.fixture(scope="module")
def damaged_block(five):
    """What a node says that has one flipped bit in block 2, and nobody to fetch it from."""

    async def main(net):
        signed = await prepared(net)
        (at,) = places(net, signed[1].signature)
        flip(net, at)
        await back(net)
        answers = {f"block {height}": await net.get(VICTIM, f"/v1/blocks/{height}") for height in (1, 2, 3)}
        token = {
            "Authorization": f"Bearer {net.world.endpoint(VICTIM).token}",
            "Accept": "application/octet-stream",
        }
        answers["raw block 2"] = await net.ask(VICTIM, "GET", "/v1/blocks/2", headers=token)
        answers["receipts"] = await net.get(VICTIM, "/v1/receipts?after=-1")
        answers["status"] = await net.get(VICTIM, f"/v1/transactions/{signed[1].id.hex()}")
        answers["proof"] = await net.get(VICTIM, f"/v1/proofs/{signed[1].id.hex()}")
        answers["health"] = await net.get(VICTIM, "/v1/health")
        answers["elsewhere"] = await net.get("cbp", "/v1/blocks/2")
        await net.certify_many(1)
        await net.settled()
        answers["block 4"] = await net.get(VICTIM, "/v1/blocks/4")
        return answers, signed

    return five(main, timing=replace(TIMING, backfill_bytes_per_s=0))


def test_a_block_with_a_flipped_bit_is_not_served_and_named(damaged_block):
    for name in ("block 2", "raw block 2"):
        answer = damaged_block[0][name]
        assert (answer.status, answer.code) == (500, "DAMAGED_BLOCK")
        assert "block 2" in answer.message
        assert "seatrial verify" in answer.json["error"]["remedy"]


def test_everything_else_is_served_and_the_node_goes_on(damaged_block):
    answers, signed = damaged_block
    for name in ("block 1", "block 3", "block 4", "elsewhere", "status", "proof"):
        assert answers[name].status == 200
    assert answers["status"].json["code"] == "VALID"
    receipts = answers["receipts"].json["receipts"]
    assert [receipt["id"] for receipt in receipts] == [one.id.hex() for one in signed]
    assert "body" in receipts[0]
    assert "body" not in receipts[1]
    assert "block 2" in receipts[1]["damaged"]


def test_health_tells_of_the_damaged_block(damaged_block):
    (repair,) = damaged_block[0]["health"].json["repairs"]
    assert repair.startswith("block 2: its bytes are damaged")


def test_a_damaged_block_is_fetched_again(five):
    async def main(net):
        signed = await prepared(net)
        flip(net, places(net, signed[1].signature)[0])
        await back(net)
        await net.until(lambda: not net.node(VICTIM).sync.is_busy)
        answers = [await net.get(VICTIM, "/v1/blocks/2"), await net.get("cbp", "/v1/blocks/2")]
        report = net.node(VICTIM).store.verify_all(Verifier())
        await stopped(net)
        await back(net)
        return answers, report, (await net.get(VICTIM, "/v1/health")).json

    (mine, others), report, health = five(main)
    assert mine.status == 200
    assert mine.json == others.json
    assert report.whole, report
    assert health["repairs"] == []


def test_a_damaged_block_is_withheld_from_who_needs_it_and_stops_nobody(five):
    async def main(net):
        await net.leader()
        await net.world.crash("exporter")
        signed = [net.sign() for _ in range(3)]
        for one in signed:
            await net.certify(one, "cbp")
        await net.settled()
        others = net.up
        for organization in others:
            await stopped(net, organization)
            flip(net, places(net, signed[1].signature, organization)[0], organization)
        for organization in [*others, "exporter"]:
            await net.restart(organization)
        leader = await net.leader()
        answer = await net.certify(net.sign(), leader)
        await asyncio.sleep(5)
        withheld = net.node(leader).ordering.log.withheld
        return answer, net.node("exporter").ledger.height, withheld, net.failures

    answer, height, withheld, failures = five(main)
    assert answer.json["status"] == "certified"
    assert failures == {}
    assert height == 1
    assert withheld > 0


def test_damage_in_what_is_not_executed_is_not_passed_over():
    class Rows:
        applied_index = 3
        noted: ClassVar = []

        def note_damaged(self, height):
            self.noted.append(height)

        def entries(self, low, high, bytes_max):
            raise DamagedBlockError(low, "its bytes do not match")

    log = StoredLog(Rows())
    assert log.entries(2, 9, 100) == []
    assert Rows.noted == [2]  # to be fetched again
    with pytest.raises(DamagedBlockError):
        log.entries(4, 9, 100)


# Derived data.


@pytest.mark.slow
def test_damage_in_leaves_and_their_index_is_found_and_rebuilt_at_start(five):
    async def main(net):
        """Flip a bit in each place of a receipt's id, one after the other: leaf, its data, its index, free space."""
        signed = await prepared(net)
        repairs, served = [], []
        for number in range(4):
            found = places(net, signed[1].id)
            flip(net, found[number % len(found)] + 5)
            await back(net)
            health = await net.get(VICTIM, "/v1/health")
            assert health.json["status"] == "ok"
            repairs.append(health.json["repairs"])
            served.append((await net.get(VICTIM, "/v1/receipts")).json)
            await stopped(net)
        return repairs, served, (await net.get("cbp", "/v1/receipts")).json

    repairs, served, good = five(main)
    assert served == [good] * 4
    told = " | ".join(line for lines in repairs for line in lines)
    assert "rebuilt from 3 blocks" in told
    assert "leaf_by_id" in told


def test_damage_in_the_state_is_found_and_rebuilt_at_start(five):
    async def main(net):
        signed = await prepared(net)
        key = f"certificate/{signed[1].transaction.body['certificate'].hex()}"
        flip(net, places(net, key.encode())[-1] + len(key) + 3)  # the row; before it, where it was before
        await back(net)
        health = await net.get(VICTIM, "/v1/health")
        states = [(await net.get(o, f"/v1/state/{key}")).json for o in (VICTIM, "cbp")]
        started = net.told("node.started", node=VICTIM)[-1]
        return health.json, states, started

    health, states, started = five(main)
    assert states[0] == states[1]
    assert states[0]["value"]
    assert "rebuilt from 3 blocks" in health["repairs"][0]
    assert started["repairs"] == health["repairs"]


def saved(net, directory):
    """Write the victim's files to a directory, as `seatrial verify` finds them."""
    for name, file in net.host(VICTIM).disk.files.items():
        (directory / name).write_bytes(bytes(file.content))
    return directory / DATABASE


def test_damage_in_free_space_is_harmless_and_verify_says_so(five, tmp_path):
    async def main(net):
        await prepared(net)
        data = net.host(VICTIM).disk.read(DATABASE)
        at = data.find(bytes(400), 4096) + 200
        flip(net, at)
        database = saved(net, tmp_path)
        await back(net)
        await net.certify_many(1)
        await net.settled()
        return (await net.get(VICTIM, "/v1/health")).json, database

    health, database = five(main)
    assert (health["status"], health["repairs"], health["height"]) == ("ok", [], 4)
    said = []
    assert verify_path(database, said.append) == 0
    assert "whole, height 3" in said[0]
    assert said[1].startswith("note: damage in free pages")
    assert said[2:] == ["1 of 1 stores are whole; nothing was changed"]


def contents(directory):
    return {file.name: file.read_bytes() for file in directory.iterdir()}


def test_verify_changes_nothing_and_what_it_would_have_to_repair_is_damage(five, tmp_path):
    async def main(net):
        await prepared(net)
        flip(net, places(net, b"certificate/")[-1] + 2)
        return saved(net, tmp_path)

    database = five(main)
    before = contents(tmp_path)
    for _ in range(2):
        said = []
        assert verify_path(database, said.append) == 1
        assert "DAMAGED, height 3" in said[0]
        assert all("damaged: found on opening a copy of it: " in line for line in said[1:-2])
        assert "state, leaves and receipts: rebuilt from 3 blocks" in said[-3]
        assert said[-1] == "0 of 1 stores are whole; nothing was changed"
        assert contents(tmp_path) == before


def test_verify_tells_what_cannot_be_seen_once_and_counts_what_is_whole(five, tmp_path):
    async def main(net):
        await prepared(net)
        for name in ("a", "b"):
            (tmp_path / name / "data").mkdir(parents=True)
            saved(net, tmp_path / name / "data")

    five(main)
    (tmp_path / "b" / "data" / "watermark").unlink()
    said = []
    assert verify_path(tmp_path, said.append) == 1
    assert [line.partition(":")[0] for line in said] == [
        "a/data",
        "b/data",
        "note",
        "1 of 2 stores are whole; nothing was changed",
    ]


HOLDER = """
import sys, apsw
connection = apsw.Connection(sys.argv[1])
connection.execute("PRAGMA locking_mode=EXCLUSIVE")
connection.execute("PRAGMA journal_mode=WAL")
connection.execute("SELECT count(*) FROM meta")
print("held", flush=True)
sys.stdin.read()
"""


def test_verify_refuses_a_store_that_a_node_runs_on(five, tmp_path):
    async def main(net):
        await prepared(net)
        return saved(net, tmp_path)

    database = five(main)
    command = [sys.executable, "-c", HOLDER, str(database)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(RefusedError, match=r"node\.db: a node is running on it;.*stop the node first"):
            verify_path(database, print)
        holder.communicate()
    assert verify_path(database, lambda _line: None) == 0


def test_verify_names_a_damaged_block(five, tmp_path):
    async def main(net):
        signed = await prepared(net)
        flip(net, places(net, signed[1].signature)[0])
        return saved(net, tmp_path)

    said = []
    assert verify_path(five(main), said.append) == 1
    assert any("block 2" in line for line in said)


# Primary data.


DAMAGE = {
    "term and vote": (lambda store: row_digest("hard_state", 1, *store.hard_state()), "table hard_state"),
    "progress": (lambda store: row_digest("progress", 1, *store._progress.columns()), "table progress"),
    "own checkpoint": (lambda store: store.own_checkpoint(2)[1], "table executed, height 2"),
    "genesis": (lambda store: store.genesis.encode()[40:80], "table meta, genesis"),
    "certificate": (lambda store: store.certificate(2).encode()[-40:-5], "table certificate"),
    "schema": (lambda store: b"CREATE TABLE hard_state", "schema"),
}


LATE = ("term and vote", "progress")
"""What stopping still changes: a leader hands over first."""


@pytest.mark.parametrize("what", DAMAGE)
def test_damage_in_what_no_block_can_rebuild_stops_the_node_and_is_named(five, what):
    find, named = DAMAGE[what]

    async def main(net):
        await net.leader()
        await net.certify_many(3)
        await at_rest(net)
        store = net.node(VICTIM).store
        needle = b"" if what in LATE else find(store)
        await stopped(net)
        needle = needle or find(store)
        flip(net, places(net, needle)[0] + len(needle) // 2)
        await net.restart(VICTIM)
        up = net.host(VICTIM).is_up
        await net.certify_many(1)
        return str(net.failures[VICTIM]), up

    reason, up = five(main)
    assert not up
    assert named in reason


def test_a_damaged_pool_stops_the_node_and_is_named(five):
    async def main(net):
        await net.leader()
        net.world.partition([[VICTIM], [o for o in net.up if o != VICTIM]])
        signed = net.sign()
        assert (await net.post(signed, VICTIM)).status == 202
        await stopped(net)
        flip(net, places(net, signed.signature)[0])
        await net.restart(VICTIM)
        return str(net.failures[VICTIM])

    reason = five(main)
    assert "table pool" in reason


def test_a_damaged_watermark_stops_the_node_and_is_named(five):
    async def main(net):
        await prepared(net)
        flip(net, 25, name=WATERMARK)
        await net.restart(VICTIM)
        return str(net.failures[VICTIM])

    assert "watermark" in five(main)


def test_a_bit_in_the_wal_that_would_drop_commits_in_silence_stops_the_node(five):
    async def main(net):
        await net.leader()
        signed = await net.certify_many(3)
        await net.settled()
        await net.world.crash(VICTIM)
        at = places(net, signed[1].signature, name=WAL)[0]
        flip(net, at, name=WAL)
        await net.restart(VICTIM)
        await net.certify_many(1)
        return str(net.failures[VICTIM])

    reason = five(main)
    assert "was answered for" in reason
    assert "new incarnation" in reason


STRIKES = range(1, 9)
"""Disk operations of a follower's commit at which the power goes: writes to the WAL, its sync, the watermark's."""


@pytest.mark.slow
@pytest.mark.parametrize("strike", ["crash", "power_loss"])
def test_bug_27_a_torn_tail_is_not_corruption_and_bug_28_the_applied_index_moves_with_the_state(five, strike):
    """Wherever a commit is torn, the node comes back by itself, at a height whose state is everybody's."""

    async def main(net):
        await net.leader()
        host, seen = net.host(VICTIM), []
        await net.certify_many(1)
        await net.settled()
        for number in STRIKES:
            host.at_disk_operation(number, getattr(host, strike))
            await net.certify_many(1)
            await net.until(lambda: not host.is_up)
            net.world._gone(VICTIM)
            heal = net.world.partition([[VICTIM], [o for o in net.up if o != VICTIM]])
            await net.restart(VICTIM)
            assert VICTIM not in net.failures, net.failures
            node = net.node(VICTIM)
            height = node.ledger.height
            theirs = net.node("cbp").store
            seen.append(
                (
                    (height, node.store.applied_index),
                    node.store.own_checkpoint(height)[0] == theirs.own_checkpoint(height)[0],
                    node.store.height == height,
                    node.store.entry_term(node.store.applied_index) > 0,
                )
            )
            heal()
            await net.settled()
        return seen, [node.ledger.height for node in net.nodes]

    seen, heights = five(main)
    assert [flags for _, *flags in seen] == [[True] * 3] * len(STRIKES)
    assert heights == [1 + len(STRIKES)] * 5
    assert [place for place, *_ in seen] == sorted(place for place, *_ in seen)


def test_bug_27_bad_data_before_good_data_stops_the_node_before_it_says_a_word(five):
    """It neither votes nor answers: nothing leaves it, and the others elect without it."""

    async def main(net):
        leader = await net.leader()
        signed = await net.certify_many(3)
        await net.settled()
        await net.world.crash(VICTIM)
        flip(net, places(net, signed[0].signature, name=WAL)[0], name=WAL)
        sent = net.kit.network.tracer = Sent(VICTIM)
        await net.restart(VICTIM)
        if leader != VICTIM:
            await net.world.crash(leader)
        mine = net.up[0]
        answer = await net.certify(net.sign(), mine)
        return net.failures[VICTIM], sent.count, answer.json["status"]

    failure, sent, status = five(main)
    assert isinstance(failure, DamagedStoreError)
    assert failure.what == "node.db or its WAL"
    assert "node.replace" in str(failure)
    assert sent == 0
    assert status == "certified"


def test_a_database_that_is_not_there_is_not_made_anew_and_its_log_of_writes_stays(five):
    """SQLite takes a missing database for a new one and deletes the log of writes beside it, with what was answered."""

    async def main(net):
        signed = await net.certify_many(3)
        await net.settled()
        await net.world.crash(VICTIM)
        disk = net.host(VICTIM).disk
        put_back = disk.take([DATABASE])
        before = disk.read(WAL)
        await net.restart(VICTIM)
        failure, after = net.failures.pop(VICTIM), disk.read(WAL)
        put_back()
        await back(net)
        status = (await net.get(VICTIM, f"/v1/transactions/{signed[-1].id.hex()}")).json["status"]
        return failure, before == after, status

    failure, is_untouched, status = five(main)
    assert isinstance(failure, DamagedStoreError)
    assert "put it back" in str(failure)
    assert is_untouched
    assert status == "certified"


def test_a_new_store_takes_nothing_in_before_a_peer_has_spoken_with_it(five):
    async def main(net):
        await net.certify_many(1)
        await net.settled()
        await net.world.crash(VICTIM)
        net.host(VICTIM).disk.erase()
        await net.restart(VICTIM)
        await asyncio.sleep(5)
        envelope = encode({"root": bytes(32), "to": "cbp", "envelope": b"sealed"})
        return [
            await net.ask(VICTIM, "POST", "/v1/transactions", net.sign("noaa").raw),
            await net.ask(VICTIM, "POST", "/v1/transactions/batch", encode([net.sign("noaa").raw])),
            await net.ask(VICTIM, "POST", "/v1/documents", envelope),
        ]

    for answer in five(main):
        assert (answer.status, answer.code) == (503, "STORE_NOT_KNOWN")
        assert "node.replace" in answer.json["error"]["remedy"]
        assert answer.headers["Retry-After"] == "1"


class Sent:
    """Counts what one host writes to the wire."""

    def __init__(self, host):
        self.host, self.count = host, 0

    def __call__(self, now_ns, src, dst, size_bytes):
        self.count += src == self.host


def test_term_and_log_that_contradict_each_other_are_damage_with_the_same_remedy(five, monkeypatch):
    async def main(net):
        await prepared(net)

        def forget(self):
            term, vote, _ = hard_state(self)
            return term - 1, vote, 0

        hard_state = Store.hard_state
        monkeypatch.setattr(Store, "hard_state", forget)
        await net.restart(VICTIM)
        return net.failures[VICTIM]

    failure = five(main)
    assert isinstance(failure, DamagedStoreError)
    assert "term" in failure.what
    assert re.search(r"the log ends in term (\d) but the stored term is (\d)", str(failure))
    assert "node.replace" in str(failure)


def test_another_node_s_data_are_refused(five):
    async def main(net):
        await prepared(net)
        await stopped(net, "chamber")
        net.host(VICTIM).disk._files = {
            name: file.copy() for name, file in net.host("chamber").disk.files.items()
        }
        await net.restart(VICTIM)
        return net.failures[VICTIM]

    failure = five(main)
    assert isinstance(failure, ConfigError)
    assert "chamber's" in str(failure)
