"""The client against an aiohttp server on another host of the virtual world."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable, Iterator
from typing import TypeVar

import pytest
from aiohttp import ClientSession, web

from ledger.encoding import decode
from p2p.finality import Finality
from p2p.virtual import VirtualMachine, VirtualWorld, run_virtual
from scenarios.agents.answers import Answer
from scenarios.agents.client import ApiProblem, BadAnswerError, NodeClient, NodeUnreachableError, Pause

PORT = 8700
TOKEN = "a-token-of-the-node"  # noqa: S105  of a server inside this test
ID = bytes(range(32))
RAW = b"the very same bytes"

T = TypeVar("T")
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Desk:
    """A node's interface that answers from a script and notes what it was sent."""

    def __init__(self, *answers: Handler) -> None:
        self.answers = list(answers)
        self.bodies: list[bytes] = []
        self.paths: list[str] = []
        self.tokens: list[str] = []

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.bodies.append(await request.read())
        self.paths.append(f"{request.method} {request.path_qs}")
        self.tokens.append(request.headers.get("Authorization", ""))
        return await self.answers.pop(0)(request)

    async def __call__(self, machine: VirtualMachine) -> None:
        app = web.Application()
        app.router.add_route("*", "/{rest:.*}", self.handle)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "0.0.0.0", PORT).start()  # noqa: S104  of a virtual host
        await asyncio.Event().wait()


def says(body: object, status: int = 200) -> Handler:
    async def handler(request: web.Request) -> web.StreamResponse:
        return web.json_response(body, status=status)

    return handler


def refuses(status: int, code: str) -> Handler:
    return says({"error": {"code": code, "message": "no", "remedy": "do otherwise"}}, status)


def accepted() -> Handler:
    return says({"id": ID.hex(), "status": "accepted"}, 202)


def certified() -> Handler:
    status = {"id": ID.hex(), "status": "certified", "code": "VALID", "findings": ["SUMMARY_LATE"]}
    return says({**status, "height": 3, "position": 0, "index": 4, "time_ms": 1_536_000_000_000})


async def hangs(request: web.Request) -> web.StreamResponse:
    await asyncio.sleep(3600)
    raise AssertionError("nobody waits an hour")


async def dies(request: web.Request) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.abort()
    await asyncio.sleep(3600)
    raise AssertionError("the connection is gone")


def ask(
    desk: Desk, question: Callable[[NodeClient], Awaitable[T]], *, down_s: float = 0, timeout_ms: int = 1000
) -> tuple[T, float]:
    """Put a question to a node that comes up after `down_s`; return the answer and how long it took."""

    async def main(world: VirtualWorld) -> tuple[T, float]:
        host = world.add_host("node")
        world.add_host("agent")
        if down_s:
            host.boot(asyncio_nothing)
            asyncio.get_running_loop().call_later(down_s, host.boot, desk)
        else:
            host.boot(desk)
        await asyncio.sleep(0.001)
        with world.network.as_host("agent"):
            async with ClientSession() as session:
                client = NodeClient(
                    session, f"http://{host.address}:{PORT}", TOKEN, request_timeout_ms=timeout_ms
                )
                began = asyncio.get_running_loop().time()
                answer = await question(client)
                return answer, asyncio.get_running_loop().time() - began

    return run_virtual(main, seed=1, time_limit_s=600)


async def asyncio_nothing(machine: VirtualMachine) -> None:
    await asyncio.sleep(0)


def test_submission_is_answered_with_id_and_status_under_the_token() -> None:
    desk = Desk(accepted())
    status, _ = ask(desk, lambda client: client.submit(RAW))
    assert (status.id, status.status) == (ID, Finality.ACCEPTED)
    assert desk.bodies == [RAW]
    assert desk.tokens == [f"Bearer {TOKEN}"]


def test_refusal_carries_status_code_message_and_remedy() -> None:
    with pytest.raises(ApiProblem) as caught:
        ask(Desk(refuses(409, "NONCE_REUSED")), lambda client: client.submit(RAW))
    problem = caught.value
    assert (problem.status, problem.code, problem.message) == (409, "NONCE_REUSED", "no")
    assert problem.remedy == "do otherwise"


def test_error_without_reason_is_still_a_problem() -> None:
    async def broken(request: web.Request) -> web.StreamResponse:
        return web.Response(status=500, text="<html>")

    with pytest.raises(ApiProblem, match="500 HTTP"):
        ask(Desk(broken), lambda client: client.submit(RAW))


@pytest.mark.parametrize("failure", [hangs, dies, refuses(503, "OVERLOADED"), refuses(429, "QUOTA_EXCEEDED")])
def test_a_submission_without_answer_is_sent_again_as_the_same_bytes(failure: Handler) -> None:
    desk = Desk(failure, failure, accepted())
    status, took_s = ask(desk, lambda client: client.submit_until_accepted(RAW))
    assert status.status is Finality.ACCEPTED
    assert desk.bodies == [RAW, RAW, RAW]
    assert took_s > 0.3  # 100 ms, then 200 ms


def test_pauses_double_up_to_a_cap() -> None:
    desk = Desk(*[refuses(503, "OVERLOADED")] * 9, accepted())
    _, took_s = ask(desk, lambda client: client.submit_until_accepted(RAW))
    pauses_s = [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5, 5, 5]
    assert sum(pauses_s) <= took_s < sum(pauses_s) + 1


def test_submission_outlives_a_node_that_is_down() -> None:
    desk = Desk(accepted())
    status, took_s = ask(desk, lambda client: client.submit_until_accepted(RAW), down_s=20)
    assert status.id == ID
    assert 20 <= took_s < 26


@pytest.mark.parametrize("status", [400, 403, 409, 413, 500])
def test_definite_refusal_is_not_retried(status: int) -> None:
    desk = Desk(refuses(status, "RULE_VIOLATED"), accepted())
    with pytest.raises(ApiProblem):
        ask(desk, lambda client: client.submit_until_accepted(RAW))
    assert len(desk.bodies) == 1


def test_a_single_submission_that_is_not_answered_is_unknown() -> None:
    with pytest.raises(NodeUnreachableError, match="may have arrived"):
        ask(Desk(hangs), lambda client: client.submit(RAW))


def test_blocked_is_told_from_the_first_failure_to_the_answer() -> None:
    told: list[str] = []

    @contextlib.contextmanager
    def hook(pause: Pause) -> Iterator[None]:
        told.append(f"+{pause}")
        yield
        told.append(f"-{pause}")

    overloaded = refuses(503, "OVERLOADED")
    ask(
        Desk(overloaded, overloaded, accepted(), certified()),
        lambda client: settled(client, hook),
    )
    assert told == ["+blocked", "-blocked", "+polling", "-polling"]


async def settled(
    client: NodeClient, hook: Callable[[Pause], contextlib.AbstractContextManager[None]]
) -> None:
    await client.submit_until_accepted(RAW, pause=hook)
    await client.settle(ID, RAW, pause=hook)


def test_settle_asks_on_until_certified() -> None:
    waiting = says({"id": ID.hex(), "status": "ordered"}, 504)
    desk = Desk(waiting, hangs, waiting, certified())
    status, _ = ask(desk, lambda client: client.settle(ID, RAW, poll_ms=500))
    assert (status.status, status.code, status.findings) == (Finality.CERTIFIED, "VALID", ("SUMMARY_LATE",))
    assert set(desk.paths) == {f"GET /v1/transactions/{ID.hex()}?wait=certified&timeout_ms=500"}


def test_settle_hands_in_again_what_the_node_forgot() -> None:
    desk = Desk(refuses(404, "UNKNOWN_TRANSACTION"), accepted(), certified())
    status, _ = ask(desk, lambda client: client.settle(ID, RAW))
    assert status.index == 4
    assert desk.bodies == [b"", RAW, b""]


def test_settle_ends_with_expiry() -> None:
    desk = Desk(says({"id": ID.hex(), "status": "expired"}))
    status, _ = ask(desk, lambda client: client.settle(ID, RAW))
    assert status.status is Finality.EXPIRED


def test_status_of_an_unknown_transaction_is_none() -> None:
    status, _ = ask(Desk(refuses(404, "UNKNOWN_TRANSACTION")), lambda client: client.status(ID))
    assert status is None


def test_batch_outcomes_come_in_order() -> None:
    refused = {"http": 403, "error": {"code": "BAD_SIGNATURE", "message": "m", "remedy": "r"}}
    desk = Desk(says({"results": [{"http": 202, "id": ID.hex(), "status": "accepted"}, refused]}))
    (first, second), _ = ask(desk, lambda client: client.submit_batch([b"a", b"b"]))
    assert first.status is not None
    assert first.problem is None
    assert second.problem is not None
    assert second.problem.code == "BAD_SIGNATURE"
    assert decode(desk.bodies[0], limit_bytes=100) == [b"a", b"b"]


def test_receipts_are_read_with_their_transactions() -> None:
    receipt = {
        "index": 7,
        "height": 3,
        "position": 1,
        "id": ID.hex(),
        "code": "VALID",
        "rule": None,
        "findings": ["NO_POSSESSION"],
        "time_ms": 5,
        "type": "claim.file",
        "creator": "acme",
        "body": {"line": 1},
        "documents": [ID.hex()],
    }
    malformed = {key: receipt[key] for key in list(receipt)[:8]}
    desk = Desk(says({"next": 8, "receipts": [receipt, malformed]}))
    page, _ = ask(desk, lambda client: client.receipts(6, wait_ms=500))
    assert page.next == 8
    assert (page.receipts[0].type, page.receipts[0].body) == ("claim.file", {"line": 1})
    assert page.receipts[0].documents == (ID,)
    assert (page.receipts[1].type, page.receipts[1].documents) == (None, ())
    assert desk.paths == ["GET /v1/receipts?after=6&limit=100&wait_ms=500"]


def test_documents_are_listed_fetched_and_sent() -> None:
    async def bytes_of_it(request: web.Request) -> web.StreamResponse:
        return web.Response(body=b"sealed", content_type="application/octet-stream")

    notice = {"index": 2, "root": ID.hex(), "from": "acme", "size": 6, "received_ms": 9}
    desk = Desk(
        says({"inbox": "ab" * 16, "next": 2, "documents": [notice]}),
        bytes_of_it,
        refuses(503, "OVERLOADED"),
        says({}, 202),
    )

    async def question(client: NodeClient) -> tuple[int, str, bytes]:
        page = await client.documents(1, wait_ms=10)
        sealed = await client.get_document(page.documents[0].root, page.documents[0].index)
        await client.post_document_until_accepted(ID, "bank", b"mine")
        return page.next, page.documents[0].sender, sealed

    answer, _ = ask(desk, question)
    assert answer == (2, "acme", b"sealed")
    assert decode(desk.bodies[3], limit_bytes=200) == {"root": ID, "to": "bank", "envelope": b"mine"}


@pytest.mark.parametrize(
    "body", [{"id": "xyz", "status": "accepted"}, {"id": ID.hex(), "status": "fine"}, [], {"status": 1.5}]
)
def test_an_answer_that_breaks_the_promise_is_said_to(body: object) -> None:
    with pytest.raises(BadAnswerError, match="/v1/transactions"):
        ask(Desk(says(body)), lambda client: client.submit(RAW))


def test_no_token_shows_in_errors_or_repr() -> None:
    with pytest.raises(ApiProblem) as caught:
        ask(Desk(refuses(401, "UNAUTHORIZED")), lambda client: client.submit(RAW))
    assert TOKEN not in str(caught.value)


def test_the_same_page_is_read_once_and_another_anew() -> None:
    page = {"next": 3, "receipts": []}
    one, other = (Answer(what, 200, json.dumps(page).encode()).receipts() for what in ("one", "other"))
    assert one is other
    assert Answer("later", 200, json.dumps({**page, "next": 4}).encode()).receipts().next == 4
    for broken in (b"{}", b"[]", b"no JSON", json.dumps({**page, "next": True}).encode()):
        with pytest.raises(BadAnswerError, match="later: 200"):
            Answer("later", 200, broken).receipts()
