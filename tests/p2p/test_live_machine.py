"""The machine of a real process: commits that are on the disk, a calendar nobody's clock moves."""

from __future__ import annotations

import asyncio
import errno
import os
import threading
import time

import apsw
import pytest

from ledger.watermark import unpack_watermark
from p2p.live import INLINE_SYNC_NS_MAX, LiveMachine
from p2p.livecalendar import LiveCalendar
from p2p.machine import DiskFailureError


@pytest.fixture
def machine(tmp_path):
    return LiveMachine("node", tmp_path / "data", 1_536_000_000_000)


def opened(machine):
    connection = machine.open_database("node.db")
    connection.execute("CREATE TABLE t(n INTEGER PRIMARY KEY)")
    return connection


def begin(connection, number):
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("INSERT INTO t VALUES (?)", (number,))


def test_a_database_is_opened_as_trap_11_asks(machine):
    connection = opened(machine)
    assert connection.pragma("locking_mode") == "exclusive"
    assert connection.pragma("journal_mode") == "wal"
    assert connection.pragma("synchronous") == 2
    connection.close()


@pytest.mark.parametrize("sync_ns", [0, INLINE_SYNC_NS_MAX], ids=["inline", "in a thread"])
async def test_a_commit_is_in_the_database_and_its_number_in_the_watermark(machine, tmp_path, sync_ns):
    machine.sync_ns = sync_ns
    connection = opened(machine)
    assert machine.read_watermark() is None
    for number in (1, 2, 3):
        begin(connection, number)
        await machine.commit(connection, number)
        assert not connection.in_transaction
        assert unpack_watermark(machine.read_watermark()) == number
    connection.close()
    again = apsw.Connection(str(tmp_path / "data" / "node.db"))
    assert [row[0] for row in again.execute("SELECT n FROM t")] == [1, 2, 3]
    again.close()
    assert (tmp_path / "data" / "watermark").stat().st_mode & 0o777 == 0o600


async def test_a_disk_that_grows_slow_is_written_to_in_a_thread_and_inline_again_when_it_is_fast(
    machine, monkeypatch
):
    """Bug: measured once at the start, a disk that slows down later would block the loop at every commit."""
    now_ns = 0
    sync_ns = 20_000
    threads = []
    written = LiveMachine._commit_now

    def sync(_descriptor):
        nonlocal now_ns
        now_ns += sync_ns

    def commit(self, *args):
        threads.append(threading.current_thread() is not threading.main_thread())
        written(self, *args)

    monkeypatch.setattr(os, "fdatasync", sync)
    monkeypatch.setattr(time, "monotonic_ns", lambda: now_ns)
    monkeypatch.setattr(LiveMachine, "_commit_now", commit)
    machine.sync_ns = sync_ns
    connection = opened(machine)
    for number in range(30):
        sync_ns = 300_000_000 if 5 <= number < 10 else 20_000
        begin(connection, number)
        await machine.commit(connection, number)
    assert threads[:6] == [False] * 6, "the sixth was the first slow one"
    assert threads[6:12] == [True] * 6
    assert threads[-1] is False
    connection.close()


async def test_a_slow_disk_s_commit_leaves_the_loop_free(machine, monkeypatch):
    machine.sync_ns = INLINE_SYNC_NS_MAX
    connection = opened(machine)
    begin(connection, 1)
    written = LiveMachine._commit_now
    go_on = threading.Event()

    def commit(self, *args):
        assert go_on.wait(10)  # the loop sets it, so the loop must be free
        written(self, *args)

    monkeypatch.setattr(LiveMachine, "_commit_now", commit)
    committing = asyncio.create_task(machine.commit(connection, 1))
    await asyncio.sleep(0)
    go_on.set()
    await committing
    assert unpack_watermark(machine.read_watermark()) == 1
    connection.close()


@pytest.mark.parametrize("sync_ns", [0, INLINE_SYNC_NS_MAX], ids=["inline", "in a thread"])
async def test_a_watermark_that_cannot_be_synced_is_a_failure_of_the_disk(machine, monkeypatch, sync_ns):
    machine.sync_ns = sync_ns
    connection = opened(machine)
    begin(connection, 1)

    def refuse(_descriptor):
        raise OSError(errno.EIO, "input/output error")

    monkeypatch.setattr(os, "fdatasync", refuse)
    with pytest.raises(DiskFailureError, match="commit 1 is not durable"):
        await machine.commit(connection, 1)
    connection.close()


async def test_a_commit_that_sqlite_refuses_is_a_failure_of_the_disk_and_leaves_the_watermark(machine):
    connection = opened(machine)
    with pytest.raises(DiskFailureError, match="stop the node, do not retry"):
        await machine.commit(connection, 7)  # no transaction is open
    assert machine.read_watermark() is None
    connection.close()


def test_the_calendar_runs_on_from_where_it_was_set_whatever_the_wall_clock_does(machine, monkeypatch):
    now = [10_000_000_000]
    machine.calendar = LiveCalendar(machine.now_ms(), lambda: now[0])
    machine.set_calendar(2_000_000_000_000)
    now[0] += 1_500_000_000
    monkeypatch.setattr(time, "time", lambda: 0.0)
    assert machine.now_ms() == 2_000_000_001_500


def test_files_are_read_raw_and_absent_ones_are_none(machine, tmp_path):
    (tmp_path / "data" / "x").write_bytes(b"raw")
    assert machine.file_bytes("x") == b"raw"
    assert machine.file_bytes("y") is None
    assert machine.name == "node"
    assert machine.random.randbytes(8) != machine.random.randbytes(8)


def test_measuring_the_disk_leaves_nothing_behind(machine, tmp_path):
    assert machine.sync_ns > 0
    assert os.listdir(tmp_path / "data") == []
