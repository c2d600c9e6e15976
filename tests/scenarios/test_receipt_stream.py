"""An application's stream of receipts, against a scripted node on another host of the virtual world."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable

import pytest
from aiohttp import web

from scenarios.agents.client import ApiProblem, NodeUnreachableError
from scenarios.agents.receiptstream import ReceiptStream
from tests.scenarios.test_client_answers import Desk, ask, dies, hangs, refuses

WAIT_MS = 500


def lines(
    *values: object, pause_s: float = 0.0, ends: bool = False
) -> Callable[..., Awaitable[web.StreamResponse]]:
    """Tell lines, each in two pieces, and then nothing more."""

    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for value in values:
            data = json.dumps(value, separators=(",", ":")).encode() + b"\n"
            await response.write(data[:5])
            await asyncio.sleep(pause_s)
            await response.write(data[5:])
        if not ends:
            await asyncio.sleep(3600)
        return response

    return handler


def page(following: int) -> dict[str, object]:
    return {"next": following, "receipts": []}


def test_pages_come_over_one_request_however_they_are_cut() -> None:
    desk = Desk(lines(page(3), page(7), pause_s=0.1))

    async def question(client):
        stream = ReceiptStream(client, WAIT_MS)
        return (await stream.next(-1)).next, (await stream.next(3)).next

    assert ask(desk, question)[0] == (3, 7)
    assert desk.paths == [f"GET /v1/receipts?after=-1&wait_ms={WAIT_MS}&stream=true"]


def test_two_pages_that_come_at_once_are_two_pages() -> None:
    desk = Desk(lines(page(3), page(7)))

    async def question(client):
        stream = ReceiptStream(client, WAIT_MS)
        first = await stream.next(-1)
        await asyncio.sleep(0.2)
        return first.next, (await stream.next(3)).next

    assert ask(desk, question)[0] == (3, 7)


def test_who_asks_from_elsewhere_gets_another_stream() -> None:
    desk = Desk(lines(page(3), page(9)), lines(page(3)))

    async def question(client):
        stream = ReceiptStream(client, WAIT_MS)
        await stream.next(-1)
        return (await stream.next(-1)).next, stream

    (again, _), _ = ask(desk, question)
    assert again == 3, "page 9 of the first stream is not told"
    assert len(desk.paths) == 2


@pytest.mark.parametrize("broken", [[dies, dies], [lines(ends=True)], [refuses(503, "OVERLOADED")]])
def test_a_stream_that_breaks_ends_or_is_refused_begins_anew(broken) -> None:
    # aiohttp itself sends a request once more whose connection is gone before there was an answer.
    desk = Desk(*broken, lines(page(3)))

    async def question(client):
        stream = ReceiptStream(client, WAIT_MS)
        with pytest.raises((NodeUnreachableError, ApiProblem)):
            await stream.next(-1)
        return (await stream.next(-1)).next

    assert ask(desk, question)[0] == 3


@pytest.mark.parametrize("silent", [hangs, lines()])
def test_a_node_from_which_nothing_comes_does_not_answer(silent) -> None:
    async def question(client):
        with pytest.raises(NodeUnreachableError, match="TimeoutError"):
            await ReceiptStream(client, WAIT_MS).next(-1)

    assert 1.5 <= ask(Desk(silent), question, timeout_ms=1000)[1] < 1.6


def test_an_error_in_a_line_is_the_nodes_own() -> None:
    error = {"error": {"code": "DAMAGED_STORE", "message": "no", "remedy": "do otherwise"}, "status": 500}
    noted: list[bytes] = []

    async def question(client):
        client.note_problem = noted.append
        stream = ReceiptStream(client, WAIT_MS)
        await stream.next(-1)
        with pytest.raises(ApiProblem) as caught:
            await stream.next(3)
        return caught.value

    problem, _ = ask(Desk(lines(page(3), error)), question)
    assert (problem.status, problem.code, problem.remedy) == (500, "DAMAGED_STORE", "do otherwise")
    assert len(noted) == 1
