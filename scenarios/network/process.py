"""One node as a process of its own: what `seatrial node` runs.

Rules:
- SIGTERM and SIGINT stop it in good order; SIGKILL is what a crash is.
- Started by a trial it also stops when its standard input ends, so that no node outlives whoever started it.
- It prints one line when it serves and one when it ends. One that was told something wrong (a file, a key, a port or
  store that another process holds) says so and exits with 64; one whose store is damaged names the damage and the
  remedy and exits with 65, and will do so every time; one that cannot go on (a failed disk) says why and exits with 70.
"""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from pathlib import Path

import uvloop

from ledger.errors import DamagedStoreError, KeyFileError, LedgerError
from p2p.api import Api, serve_api
from p2p.control import EventLog
from p2p.errors import ConfigError, InUseError, PeerError
from p2p.live import DISK_ERRORS, LiveMachine
from p2p.machine import DiskFailureError
from p2p.node import Node
from scenarios.network.deployment import load_disk, load_node_config, read_node_file
from scenarios.network.frametap import TappedEventLog

EXIT_STOPPED = 0
EXIT_CANNOT_START = 64
EXIT_DAMAGED = 65
EXIT_CANNOT_GO_ON = 70


def run_node(path: Path, *, until_stdin_ends: bool = False) -> int:
    """Run the node of a node file until it is told to stop; return the exit code."""
    try:
        return uvloop.run(_run(path, until_stdin_ends=until_stdin_ends))
    except (ConfigError, InUseError, KeyFileError) as error:
        print(f"seatrial node: {error}", file=sys.stderr, flush=True)
        return EXIT_CANNOT_START
    except DamagedStoreError as error:
        print(f"seatrial node: {path}: {error}", file=sys.stderr, flush=True)
        return EXIT_DAMAGED
    except (LedgerError, PeerError, DiskFailureError, *DISK_ERRORS) as error:
        print(f"seatrial node: {error}", file=sys.stderr, flush=True)
        return EXIT_CANNOT_GO_ON


async def _run(path: Path, *, until_stdin_ends: bool) -> int:
    config, directory = load_node_config(path)
    machine = LiveMachine(config.organization, directory, config.calendar_ms, load_disk(path))
    node = Node(config, machine, _event_log(path))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, node.stop)
    watcher = loop.create_task(_stop_at_end_of_stdin(node)) if until_stdin_ends else None
    api = Api(node)

    def announce() -> None:
        print(f"{config.organization}: serving http://{config.api_host}:{config.api_port}", flush=True)

    async def serve(serving: Node) -> None:
        await serve_api(serving, api, on_open=announce)

    try:
        await node.run(serve)
    finally:
        if watcher is not None:
            watcher.cancel()
    print(f"{config.organization}: stopped at height {node.ledger.height}", flush=True)
    return EXIT_STOPPED


def _event_log(path: Path) -> EventLog:
    """Return the observer of the node of a node file, with every frame written down if the file asks for it."""
    frames = read_node_file(path).frames
    if frames is None:
        return EventLog(time.monotonic_ns)
    return TappedEventLog(time.monotonic_ns, path.parent / frames)


async def _stop_at_end_of_stdin(node: Node) -> None:
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while await reader.read(1024):
        continue
    node.stop()
