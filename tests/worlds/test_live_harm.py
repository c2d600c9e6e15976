"""What a trial does to a live node's disk and calendar: the process feels it, says it, and is right again."""

from __future__ import annotations

import asyncio
import contextlib
import errno
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import aiohttp
import apsw
import pytest

from ledger.genesis import Role
from ledger.transaction import Transaction, sign_transaction
from p2p.errors import ConfigError
from p2p.live import LiveMachine
from p2p.livecalendar import CalendarError, LiveCalendar
from p2p.livedisk import DiskFailure, LiveDisk
from p2p.machine import DiskFailureError
from scenarios.network.founding import Charter, Founding, Member, found_from_seed
from scenarios.network.plan import NetworkPlan
from scenarios.worlds.live import LiveWorld

START_MS = 1_536_048_000_000
PATIENCE_S = 60.0


# The machine.


def committed(machine: LiveMachine, connection: apsw.Connection, sequence: int) -> None:
    connection.execute("BEGIN")
    connection.execute("INSERT INTO rows VALUES (?)", (sequence,))
    asyncio.run(machine.commit(connection, sequence))


@pytest.mark.parametrize(
    ("failure", "code"),
    [(DiskFailure.FULL, errno.ENOSPC), (DiskFailure.WRITE, errno.EIO), (DiskFailure.SYNC, errno.EIO)],
)
def test_a_commit_on_a_disk_that_fails_is_not_durable_and_the_one_before_is(
    tmp_path: Path, failure: DiskFailure, code: int
) -> None:
    disk = LiveDisk()
    machine = LiveMachine("cbp", tmp_path, START_MS, disk)
    connection = machine.open_database("node.db")
    connection.execute("CREATE TABLE rows(number INTEGER)")
    committed(machine, connection, 1)
    disk.failures = (failure,)
    with pytest.raises(DiskFailureError, match=rf"commit 2 is not durable \(\[Errno {code}\]"):
        committed(machine, connection, 2)
    disk.failures = ()
    connection.close(True)
    again = LiveMachine("cbp", tmp_path, START_MS).open_database("node.db")
    assert (1,) in list(again.execute("SELECT number FROM rows"))


def test_of_a_disk_that_cannot_be_read_nothing_is_opened(tmp_path: Path) -> None:
    LiveMachine("cbp", tmp_path, START_MS).open_database("node.db").execute("CREATE TABLE rows(number)")
    machine = LiveMachine("cbp", tmp_path, START_MS, LiveDisk((DiskFailure.READ,)))
    with pytest.raises(OSError, match=r"Input/output error: 'node\.db'"):
        machine.open_database("node.db")
    with pytest.raises(OSError, match="Input/output error: 'watermark'"):
        machine.read_watermark()


def test_a_slow_disk_is_found_slow(tmp_path: Path) -> None:
    machine = LiveMachine("cbp", tmp_path, START_MS, LiveDisk(slow_ms=(30, 40)))
    connection = machine.open_database("node.db")
    connection.execute("CREATE TABLE rows(number INTEGER)")
    committed(machine, connection, 1)
    assert machine.sync_ns > 30_000_000 / 4


def test_a_calendar_s_error_stays_on_top_and_its_drift_goes_through_gaps() -> None:
    clock = [0]
    calendar = LiveCalendar(START_MS, lambda: clock[0])
    calendar.error = CalendarError(offset_ms=-4000, drift_ppm=100, drift_from_ms=START_MS)
    assert calendar.now_ms() == START_MS - 4000
    calendar.set(START_MS + 30 * 86_400_000)
    assert calendar.now_ms() == START_MS + 30 * 86_400_000 - 4000 + 259_200
    clock[0] += 10_000 * 1_000_000
    assert calendar.now_ms() == START_MS + 30 * 86_400_000 + 10_000 - 4000 + 259_201
    calendar.error = CalendarError()
    assert calendar.now_ms() == START_MS + 30 * 86_400_000 + 10_000


# The world.


@pytest.fixture
def founding() -> Founding:
    members = [
        Member("cbp", "Customs", "US", (Role.CUSTOMS,)),
        Member("noaa", "Fisheries", "US", (Role.FISHERIES,)),
    ]
    return found_from_seed(Charter("pair", START_MS, members, "America/New_York"), "harm")


class Told(list[tuple[str, Mapping[str, object]]]):
    """What a world has told."""

    def __init__(self) -> None:
        self.failed = asyncio.Event()

    def take(self, event: str, fields: Mapping[str, object]) -> None:
        self.append((event, fields))
        if event == "node.failed":
            self.failed.set()


@pytest.fixture
async def pair(tmp_path: Path, founding: Founding) -> AsyncIterator[tuple[LiveWorld, Told]]:
    told = Told()
    world = LiveWorld(tmp_path, founding, NetworkPlan(), told.take, disks_fail=True)
    try:
        await world.open(START_MS)
        yield world, told
    finally:
        await world.close()


async def calendar_error_ms(world: LiveWorld) -> int:
    """Return by how much noaa's calendar is ahead of cbp's."""
    shown = []
    for organization in ("noaa", "cbp"):
        endpoint = world.endpoint(organization)
        headers = {"Authorization": f"Bearer {endpoint.control_token}"}
        where = f"{endpoint.url}/control/status"
        async with aiohttp.ClientSession(headers=headers) as session, session.get(where) as response:
            values: dict[str, int] = await response.json()
            shown.append(values["calendar_ms"])
    return shown[0] - shown[1]


async def hand_in(world: LiveWorld) -> None:
    """Hand a transaction in at noaa's node, which has to write it down."""
    acknowledged = Transaction(
        version=1,
        network=world.founding.genesis.network,
        type="document.acknowledge",
        creator="noaa",
        nonce=(1, 0),
        valid_until_ms=START_MS + 86_400_000,
        documents=(),
        approvals=(),
        body={"root": b"r" * 32},
    )
    raw = sign_transaction(acknowledged, world.founding.secrets["noaa"].organization_key).raw
    endpoint = world.endpoint("noaa")
    headers = {"Authorization": f"Bearer {endpoint.token}"}
    with contextlib.suppress(aiohttp.ClientError):
        async with (
            aiohttp.ClientSession(headers=headers) as session,
            session.post(f"{endpoint.url}/v1/transactions", data=raw),
        ):
            return


@pytest.mark.slow
@pytest.mark.timeout(240)
async def test_a_live_calendar_is_wrong_over_a_restart_and_right_in_the_end(
    pair: tuple[LiveWorld, Told],
) -> None:
    world, _ = pair
    end_offset = await world.calendar_offset(-86_400, ["noaa"])
    end_drift = await world.calendar_drift(-100_000, ["noaa"])
    assert await calendar_error_ms(world) < -80_000_000
    await world.crash("noaa")
    await world.set_calendar(START_MS + 86_400_000)
    await world.restart("noaa")
    assert await calendar_error_ms(world) < -86_400_000 - 8_000_000
    await end_drift()
    assert -90_000_000 < await calendar_error_ms(world) < -80_000_000
    await end_offset()
    assert abs(await calendar_error_ms(world)) < 80_000_000


@pytest.mark.slow
@pytest.mark.timeout(240)
async def test_a_live_node_whose_disk_fails_ends_says_why_and_is_started_when_the_disk_is_well(
    pair: tuple[LiveWorld, Told],
) -> None:
    world, told = pair
    end = await world.fail_disk(DiskFailure.FULL, ["noaa"])
    await hand_in(world)
    await asyncio.wait_for(told.failed.wait(), PATIENCE_S)
    (failed,) = [fields for event, fields in told if event == "node.failed"]
    assert failed["node"] == "noaa"
    assert "No space left on device" in str(failed["reason"])
    await end()
    await world.restart("noaa")
    assert world.is_up("noaa")
    end = await world.fail_disk(DiskFailure.READ, ["noaa"])
    await world.crash("noaa")
    await world.restart("noaa")
    assert not world.is_up("noaa")
    assert "Input/output error" in str([f for event, f in told if event == "node.failed"][1]["reason"])
    await end()
    await world.restart("noaa")
    assert world.is_up("noaa")


async def test_a_world_whose_disks_do_not_fail_says_so(tmp_path: Path, founding: Founding) -> None:
    world = LiveWorld(tmp_path, founding, NetworkPlan(), lambda _event, _fields: None)
    with pytest.raises(ConfigError, match="give the world disks that fail"):
        await world.fail_disk(DiskFailure.FULL, ["noaa"])
