"""One seed, one run: in one process twice, and in processes with different hash seeds."""

from __future__ import annotations

import asyncio
import hashlib
import os
import random
import subprocess
import sys
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from p2p.virtual import NS_PER_MS, Program, TraceDigest, VirtualMachine, VirtualWorld, run_virtual

NAMES = ("acme", "bank", "customs", "dealer", "exporter")
PORT = 8080


def node(addresses: dict[str, str], events: list[str]) -> Program:
    """A node that gossips over one WebSocket per peer, redials, and commits what it hears."""

    async def program(machine: VirtualMachine) -> None:
        inbox: asyncio.Queue[bytes] = asyncio.Queue(1000)

        async def receive(request: web.Request) -> web.WebSocketResponse:
            ws = web.WebSocketResponse(compress=False)
            await ws.prepare(request)
            async for message in ws:
                if inbox.full():
                    inbox.get_nowait()
                inbox.put_nowait(message.data)
            return ws

        app = web.Application()
        app.router.add_get("/ws", receive)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, None, PORT).start()

        async def talk(peer: str) -> None:
            async with aiohttp.ClientSession() as session:
                while True:
                    try:
                        async with session.ws_connect(
                            f"http://{addresses[peer]}:{PORT}/ws", compress=0
                        ) as ws:
                            while True:
                                await ws.send_bytes(
                                    machine.random.randbytes(machine.random.randrange(20, 400))
                                )
                                await asyncio.sleep(0.05)
                    except (aiohttp.ClientError, OSError):
                        await asyncio.sleep(machine.random.uniform(0.1, 0.3))

        async def keep() -> None:
            database = machine.open_database("node.db")
            database.execute("CREATE TABLE IF NOT EXISTS t(x INTEGER PRIMARY KEY, body, chance)")
            number = database.execute("SELECT coalesce(max(x), 0) FROM t").get
            while True:
                batch = [await inbox.get()]
                while not inbox.empty():
                    batch.append(inbox.get_nowait())
                database.execute("BEGIN")
                for body in batch:
                    number += 1
                    database.execute("INSERT INTO t VALUES(?, ?, random())", (number, body))
                await machine.commit(database, number)
                last = database.execute("SELECT chance FROM t WHERE x = ?", (number,)).get
                events.append(
                    f"{machine.life.loop.now_ns()} {machine.name} {number} {last} {machine.now_ms()}"
                )

        async with asyncio.TaskGroup() as group:
            group.create_task(keep())
            for peer in NAMES:
                if peer != machine.name:
                    group.create_task(talk(peer))

    return program


def scenario(seed: int, seconds: float = 20) -> str:
    """Run five nodes through crashes, power losses, pauses, cuts and loss; return a digest of it all."""
    trace = TraceDigest()
    events: list[str] = []

    async def main(world: VirtualWorld) -> None:
        world.network.tracer = trace
        world.network.set_latency(10 * NS_PER_MS, 30 * NS_PER_MS)
        hosts = [world.add_host(name) for name in NAMES]
        addresses = {host.name: host.address for host in hosts}
        program = node(addresses, events)
        for host in hosts:
            host.boot(program)
        chance = world.random("faults")
        while world.loop.time() < seconds:
            await asyncio.sleep(chance.uniform(0.2, 1))
            host = chance.choice(hosts)
            fault = chance.randrange(6)
            if fault == 0:
                host.crash()
            elif fault == 1:
                host.power_loss()
            elif fault == 2:
                host.at_disk_operation(chance.randrange(1, 9), host.power_loss)
                await asyncio.sleep(0.3)
                host.mend_disk()
            elif fault == 3:
                host.pause()
                await asyncio.sleep(chance.uniform(0.1, 1))
                host.resume()
            elif fault == 4:
                cut = world.network.partition([host.name], [name for name in NAMES if name != host.name])
                await asyncio.sleep(chance.uniform(0.1, 2))
                cut.heal()
            else:
                world.network.set_loss(chance.choice((0, 0.05, 0.3)), host.name, chance.choice(NAMES))
            if not host.is_up:
                await asyncio.sleep(chance.uniform(0, 0.5))
                host.boot(program)

    run_virtual(main, seed=seed)
    digest = hashlib.sha256("\n".join(events).encode()).hexdigest()
    return f"{trace.message_count} {trace.hexdigest()} {len(events)} {digest}"


def test_two_runs_in_one_process_are_the_same():
    first = scenario(3, seconds=2)
    random.random()
    assert scenario(3, seconds=2) == first
    assert scenario(4, seconds=2) != first


def test_the_global_generator_is_seeded_for_a_run_and_put_back():
    """aiohttp shuffles with it when its pool of connections is full."""

    async def main(world: VirtualWorld) -> float:
        return random.random()

    state = random.getstate()
    assert run_virtual(main, seed=1) == run_virtual(main, seed=1) != run_virtual(main, seed=2)
    assert random.getstate() == state


@pytest.mark.slow
def test_processes_with_different_hash_seeds_give_one_trace():
    code = (
        "import importlib.util, sys; spec = importlib.util.spec_from_file_location('repeat', sys.argv[1]); "
        "module = importlib.util.module_from_spec(spec); sys.modules['repeat'] = module; "
        "spec.loader.exec_module(module); print(module.scenario(7, seconds=60))"
    )
    root = Path(__file__).parents[2]
    outputs = []
    for hash_seed in ("0", "1", "4242"):
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(root)}
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", code, __file__],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=100,
        )
        assert (done.returncode, done.stderr) == (0, "")
        outputs.append(done.stdout)
    messages = int(outputs[0].split()[0])
    assert messages > 10_000
    assert outputs[1:] == outputs[:-1]
