"""Unmodified aiohttp, server and client, over the virtual network."""

from __future__ import annotations

import asyncio
import textwrap
from collections.abc import Awaitable, Callable

import aiohttp
import aiohttp.connector
import pytest
from aiohttp import web

import p2p.virtual
from p2p.virtual import NS_PER_MS, VirtualMachine, VirtualWorld, current_life, run_virtual

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


async def serve(handlers: dict[str, Handler], host: str | None = None, port: int = 8080) -> web.AppRunner:
    app = web.Application()
    for path, handler in handlers.items():
        app.router.add_route("*", path, handler)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, host, port).start()
    return runner


async def echo(request: web.Request) -> web.Response:
    return web.Response(body=await request.read(), headers={"X-Peer": str(request.remote)})


async def echo_socket(request: web.Request) -> web.WebSocketResponse:
    ws = web.WebSocketResponse(compress=False)
    await ws.prepare(request)
    async for message in ws:
        await ws.send_bytes(message.data)
    return ws


async def echo_node(machine: VirtualMachine) -> None:
    await serve({"/": echo, "/ws": echo_socket})
    await asyncio.Event().wait()


async def socket_node(machine: VirtualMachine) -> None:
    await serve({"/ws": echo_socket})
    await asyncio.Event().wait()


def test_get_post_and_websocket_between_hosts_take_virtual_time():
    async def main(world: VirtualWorld) -> None:
        server, client = world.add_host("server"), world.add_host("client")
        world.network.set_latency(10 * NS_PER_MS, 10 * NS_PER_MS)
        server.boot(echo_node)
        await asyncio.sleep(0.001)
        with world.network.as_host("client"):
            async with aiohttp.ClientSession() as session:
                start_ns = world.now_ns()
                async with session.get(f"http://{server.address}:8080/") as response:
                    assert response.headers["X-Peer"] == client.address
                # SYN, SYN-ACK, request, response
                assert world.now_ns() - start_ns == pytest.approx(40 * NS_PER_MS, abs=10)
                start_ns = world.now_ns()
                async with session.post("http://server:8080/", data=b"x" * 100_000) as response:
                    assert await response.read() == b"x" * 100_000
                async with session.ws_connect(f"http://{server.address}:8080/ws", compress=0) as ws:
                    start_ns = world.now_ns()
                    for number in range(100):
                        await ws.send_bytes(b"%d" % number)
                    replies = [await ws.receive_bytes() for _ in range(100)]
                    assert replies == [b"%d" % number for number in range(100)]
                    assert world.now_ns() - start_ns == pytest.approx(20 * NS_PER_MS, abs=200)

    run_virtual(main, seed=1)


def test_an_agent_reaches_the_api_of_its_own_host_only():
    async def node(machine: VirtualMachine) -> None:
        await serve({"/": echo}, host="127.0.0.1")
        await asyncio.Event().wait()

    async def main(world: VirtualWorld) -> int:
        acme = world.add_host("acme")
        world.add_host("other")
        acme.boot(node)
        await asyncio.sleep(0.001)
        async with aiohttp.ClientSession() as session:
            with world.network.as_host("acme"):
                start_ns = world.now_ns()
                async with session.get("http://127.0.0.1:8080/") as response:
                    assert response.status == 200
                took_ns = world.now_ns() - start_ns
        with world.network.as_host("other"):
            async with aiohttp.ClientSession() as session:
                for url in ("http://127.0.0.1:8080/", f"http://{acme.address}:8080/"):
                    with pytest.raises(aiohttp.ClientConnectorError):
                        await session.get(url)
        return took_ns

    assert run_virtual(main, seed=1) < NS_PER_MS


def test_the_example_on_the_front_page_runs():
    example = p2p.virtual.__doc__ or ""
    code = example.split("This package runs it:")[1].split("What there is:")[0]
    exec(textwrap.dedent(code), {})  # noqa: S102 - our own documentation


def test_no_process_refuses_and_no_host_is_not_found():
    async def main(world: VirtualWorld) -> None:
        host = world.add_host("host")
        async with aiohttp.ClientSession() as session:
            with pytest.raises(aiohttp.ClientConnectorError) as refused:
                await session.get(f"http://{host.address}:1/")
            assert isinstance(refused.value.os_error, ConnectionRefusedError)
            with pytest.raises(aiohttp.ClientConnectorDNSError):
                await session.get("http://nowhere:1/")

    run_virtual(main, seed=1)


def test_aiohttp_connection_pool_ages_by_virtual_time():
    """Without the clock, a connection idle for long would be taken for fresh and used again."""
    peers: list[tuple[str, int]] = []

    async def note(request: web.Request) -> web.Response:
        assert request.transport is not None
        peers.append(request.transport.get_extra_info("peername"))
        return web.Response()

    async def node(machine: VirtualMachine) -> None:
        await serve({"/": note})
        await asyncio.Event().wait()

    async def main(world: VirtualWorld) -> None:
        host = world.add_host("host")
        host.boot(node)
        await asyncio.sleep(0.001)
        # the timer of the clean-up rounds up to whole seconds, so at 15.4 s only the connection's age decides
        connector = aiohttp.TCPConnector(keepalive_timeout=15)
        async with aiohttp.ClientSession(connector=connector) as session:
            for wait_s in (1.0, 15.4, 0):
                async with session.get(f"http://{host.address}:8080/"):
                    pass
                connector._cleanup_handle.cancel() if connector._cleanup_handle else None
                await asyncio.sleep(wait_s)

    before = aiohttp.connector.monotonic  # type: ignore[attr-defined]
    run_virtual(main, seed=1)
    assert aiohttp.connector.monotonic is before  # type: ignore[attr-defined]
    assert peers[0] == peers[1]
    assert peers[1] != peers[2]


def test_pushed_back_readers_lose_nothing():
    """A reader that is slow stops the sender: a window's worth is under way, the rest waits at the sender."""

    async def flood(request: web.Request) -> web.WebSocketResponse:
        ws = web.WebSocketResponse(compress=False)
        await ws.prepare(request)
        for number in range(40):
            await ws.send_bytes(bytes([number]) * 65536)
            sent.append(number)
        await ws.close()
        return ws

    sent: list[int] = []

    async def node(machine: VirtualMachine) -> None:
        await serve({"/": flood})
        await asyncio.Event().wait()

    async def main(world: VirtualWorld) -> None:
        host = world.add_host("host")
        host.boot(node)
        await asyncio.sleep(0.001)
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(f"http://{host.address}:8080/", compress=0) as ws,
        ):
            await asyncio.sleep(60)
            assert 0 < len(sent) < 30
            received = [message.data[0] async for message in ws]
        assert received == list(range(40))

    run_virtual(main, seed=1)


def test_a_response_followed_at_once_by_the_end_of_the_stream_is_whole():
    async def last(request: web.Request) -> web.Response:
        response = web.Response(body=b"y" * 50_000)
        response.force_close()
        return response

    async def node(machine: VirtualMachine) -> None:
        await serve({"/": last})
        await asyncio.Event().wait()

    async def main(world: VirtualWorld) -> None:
        host = world.add_host("host")
        host.boot(node)
        await asyncio.sleep(0.001)
        async with aiohttp.ClientSession() as session:
            for _ in range(5):
                async with session.get(f"http://{host.address}:8080/") as response:
                    await asyncio.sleep(1)  # data and end both lie in the buffer before the body is read
                    assert await response.read() == b"y" * 50_000

    run_virtual(main, seed=1)


def test_a_killed_server_is_a_disconnected_server():
    """A killed process with nothing unread sends FIN: ServerDisconnectedError, not a reset."""
    asked: list[int] = []

    async def hang(request: web.Request) -> web.Response:
        asked.append(1)
        await asyncio.Event().wait()
        raise AssertionError

    async def node(machine: VirtualMachine) -> None:
        await serve({"/": hang})
        await asyncio.Event().wait()

    async def main(world: VirtualWorld) -> None:
        host = world.add_host("host")
        host.boot(node)
        await asyncio.sleep(0.001)
        async with aiohttp.ClientSession() as session:
            waiting = asyncio.create_task(session.post(f"http://{host.address}:8080/", data=b"x"))
            await asyncio.sleep(1)
            host.crash()
            with pytest.raises(aiohttp.ServerDisconnectedError):
                await waiting

    run_virtual(main, seed=1)
    assert asked == [1]


def test_the_handlers_of_a_killed_server_are_closed_in_their_own_dead_context():
    """From Python 3.12 on aiohttp starts its handlers without asking the loop for a task."""
    seen: list[tuple[str, bool] | None] = []

    async def hang(request: web.Request) -> web.Response:
        try:
            await asyncio.Event().wait()
        finally:
            life = current_life()
            seen.append(None if life is None else (life.host, life.alive))
        raise AssertionError

    async def node(machine: VirtualMachine) -> None:
        await serve({"/": hang})
        await asyncio.Event().wait()

    async def main(world: VirtualWorld) -> None:
        host = world.add_host("host")
        host.boot(node)
        await asyncio.sleep(0.001)
        async with aiohttp.ClientSession() as session:
            waiting = [
                asyncio.create_task(session.post(f"http://{host.address}:8080/", data=b"x")) for _ in range(3)
            ]
            await asyncio.sleep(1)
            host.crash()
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            assert seen == [("host", False)] * 3
            await asyncio.gather(*waiting, return_exceptions=True)

    run_virtual(main, seed=1)


def test_an_orderly_stop_ends_the_program_and_closes_its_sockets():
    async def node(machine: VirtualMachine) -> None:
        runner = await serve({"/": echo})
        await asyncio.sleep(1)
        await runner.cleanup()

    async def main(world: VirtualWorld) -> None:
        host = world.add_host("host")
        life = host.boot(node)
        await asyncio.sleep(0.5)
        async with aiohttp.ClientSession() as session:
            async with session.get(f"http://{host.address}:8080/") as response:
                assert response.status == 200
            await asyncio.sleep(1)
            assert not host.is_up
            assert host.failure is None
            assert world.network.open_transports(life) == 0
            with pytest.raises(aiohttp.ClientConnectorError):
                await session.get(f"http://{host.address}:8080/")

    run_virtual(main, seed=1)


def test_sessions_close_their_connections_in_the_order_they_were_opened():
    """aiohttp keeps them in a set; their order of closing must not depend on where objects lie in memory."""

    async def main(world: VirtualWorld) -> list[int]:
        order: list[int] = []
        host = world.add_host("host")
        host.boot(socket_node)
        await asyncio.sleep(0.001)
        transports = []
        session = aiohttp.ClientSession()
        for _ in range(20):
            ws = await session.ws_connect(f"http://{host.address}:8080/ws", compress=0)
            transport = ws._conn.transport  # type: ignore[union-attr]
            assert transport is not None
            transports.append(transport)
            protocol = transport.get_protocol()
            lost = protocol.connection_lost

            def note(error: Exception | None, number: int = len(transports), lost: object = lost) -> None:
                order.append(number)
                lost(error)  # type: ignore[operator]

            protocol.connection_lost = note
        await session.close()
        await asyncio.sleep(1)
        return order

    assert run_virtual(main, seed=1) == list(range(1, 21))


def test_a_get_whose_connection_breaks_is_sent_twice_and_a_post_once():
    """aiohttp repeats what is idempotent once, silently: so nothing here may hang on a GET being asked once."""

    async def main(world: VirtualWorld) -> dict[str, int]:
        host = world.add_host("server")
        asked = {"GET": 0, "POST": 0}

        async def cut(request: web.Request) -> web.Response:
            asked[request.method] += 1
            assert request.transport is not None
            request.transport.abort()
            return web.Response()

        async def program(_machine: VirtualMachine) -> None:
            await serve({"/": echo, "/cut": cut})
            await asyncio.Event().wait()

        host.boot(program)
        await asyncio.sleep(0.001)
        async with aiohttp.ClientSession() as session:
            for method in ("GET", "POST"):
                async with session.get(f"http://{host.address}:8080/") as response:
                    await response.read()  # leaves a connection to be used again
                with pytest.raises(aiohttp.ClientError):
                    await session.request(method, f"http://{host.address}:8080/cut")
        return asked

    assert run_virtual(main, seed=1) == {"GET": 2, "POST": 1}
