"""The virtual world: loop, network, disk and hosts that repeat exactly from one seed.

A node program is ordinary asyncio and aiohttp code that gets a `p2p.machine.Machine`. This package runs it:

    import asyncio
    from aiohttp import ClientSession, web
    from p2p.virtual import VirtualMachine, VirtualWorld, run_virtual

    async def node(machine: VirtualMachine) -> None:            # a node program, unmodified in both worlds
        async def who(request: web.Request) -> web.Response:
            return web.Response(text=machine.name)

        app = web.Application()
        app.router.add_get("/", who)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, None, 8080).start()
        await asyncio.Event().wait()

    async def main(world: VirtualWorld) -> str:                 # the outside world: it never dies
        acme, bank = world.add_host("acme"), world.add_host("bank")
        acme.boot(node)
        with world.network.as_host("bank"):                     # this code, and tasks it starts, sit on bank
            async with ClientSession() as session, session.get(f"http://{acme.address}:8080/") as response:
                return await response.text()

    assert run_virtual(main, seed=1) == "acme"

What there is:
- `run_virtual(main, seed=...)` runs `main(world)` and puts the process back as it was. For other settings:
  `run_virtual(main, seed=1, world=VirtualWorld(1, latency_ns=(low, high), tcp=TcpModel(...), calendar_ms=...,
  disk_model=DiskModel(...)))`. `time_limit_s` bounds virtual time.
- `VirtualWorld`: `loop`, `network`, `add_host(name)`, `host(name)`, `hosts`, `random(stream)`, `now_ns()`,
  `errors`.
- `VirtualHost`: `boot(program) -> Life`, `crash()`, `power_loss()`, `pause()`, `resume()`, `is_up`,
  `is_paused`, `failure`, `on_failure`, `address`, `disk`, `calendar`, `machine`, `at_disk_operation(n,
  action)` (with `crash` or `power_loss` as the action: a strike inside COMMIT), `fail_disk(operation,
  error) -> mend`, `mend_disk()`, `drift_timers(ppm) -> end`, `jump_timers(ahead_ns)`.
- `VirtualDisk`: `flip_bit(name, byte, bit)`, `read(name)`, `files`, `erase()`, `hook`.
- `VirtualNetwork`: `as_host(name)`, `address(name)`, `set_latency(low_ns, high_ns, src, dst)`,
  `set_loss(probability, src, dst)`, `partition(group, group, ..., one_way=False) -> Cut`, `cut(pairs) ->
  Cut`, `heal()`, `link(src, dst)` and `links` (counters), `tracer` (for instance a `TraceDigest`).
- `current_life()` and `fenced(function)`: put what the observer is told by behind `fenced`, or ghosts are
  heard.

Prefer addresses over names in URLs: aiohttp keeps those who wait for one name in a set, and wakes them in no
fixed order.
"""

from p2p.virtual.aiohttp_clock import aiohttp_clock
from p2p.virtual.disk import DiskOperation, VirtualDisk
from p2p.virtual.host import OnFailure, Program, VirtualHost
from p2p.virtual.life import Ending, Life, current_life, fenced
from p2p.virtual.loop import (
    NotVirtualError,
    VirtualDeadlockError,
    VirtualLivelockError,
    VirtualLoop,
    VirtualTimeLimitError,
)
from p2p.virtual.machine import WATERMARK_FILE, Calendar, DiskModel, VirtualMachine
from p2p.virtual.network import OUTSIDE, VirtualNetwork
from p2p.virtual.wire import NS_PER_MS, Cut, Link, TcpModel
from p2p.virtual.world import CALENDAR_MS, TraceDigest, VirtualWorld, run_virtual

__all__ = [
    "CALENDAR_MS",
    "NS_PER_MS",
    "OUTSIDE",
    "WATERMARK_FILE",
    "Calendar",
    "Cut",
    "DiskModel",
    "DiskOperation",
    "Ending",
    "Life",
    "Link",
    "NotVirtualError",
    "OnFailure",
    "Program",
    "TcpModel",
    "TraceDigest",
    "VirtualDeadlockError",
    "VirtualDisk",
    "VirtualHost",
    "VirtualLivelockError",
    "VirtualLoop",
    "VirtualMachine",
    "VirtualNetwork",
    "VirtualTimeLimitError",
    "VirtualWorld",
    "aiohttp_clock",
    "current_life",
    "fenced",
    "run_virtual",
]
