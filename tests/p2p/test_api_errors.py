"""Every failure is told as JSON: who may ask, what cannot be asked, and a fault of the program itself."""

from __future__ import annotations

import asyncio

import pytest

from ledger.encoding import encode
from p2p.node import Node
from p2p.ordering import Ordering
from p2p.signal import Signal
from p2p.views import Views
from scenarios.network.plan import node_config
from scenarios.worlds import virtual
from scenarios.worlds.virtual import API_PORT

BEARER = "Authorization"


@pytest.fixture(scope="module")
def asked(five):
    """Answers to requests that cannot be served."""

    async def main(net):
        endpoint = net.world.endpoint("exporter")
        other = net.world.endpoint("importer")
        headers = {
            "no token": {},
            "another's token": {BEARER: f"Bearer {other.token}"},
            "no bearer": {BEARER: endpoint.token},
            "the control token": {BEARER: f"Bearer {endpoint.control_token}"},
            "all but its last character": {BEARER: f"Bearer {endpoint.token[:-1]}"},
            "all but its first character": {BEARER: f"Bearer {endpoint.token[1:]}"},
            "one character more": {BEARER: f"Bearer {endpoint.token}0"},
            "the token twice": {BEARER: f"Bearer {endpoint.token}{endpoint.token}"},
            "nothing after the word": {BEARER: "Bearer "},
        }
        answers = {}
        for name, given in headers.items():
            answers[name] = await net.ask("exporter", "GET", "/v1/receipts", headers=given)
            answers[f"{name}, metrics"] = await net.ask("exporter", "GET", "/metrics", headers=given)
        for path in PATHS:
            answers[path] = await net.get("exporter", path)
        answers["unknown path"] = await net.get("exporter", "/v2/anything")
        answers["unknown method"] = await net.ask("exporter", "DELETE", "/v1/transactions")
        answers["unknown path without token"] = await net.ask("exporter", "GET", "/v2", headers={})
        answers["broken body"] = await net.ask(
            "exporter",
            "POST",
            "/v1/transactions",
            b"no gzip at all",
            headers={BEARER: f"Bearer {endpoint.token}", "Content-Encoding": "gzip"},
        )
        return answers

    return five(main)


PATHS = {
    "/v1/transactions/zz": "id",
    "/v1/transactions/" + "a" * 63: "id",
    "/v1/transactions/" + "0 " * 32: "id",
    f"/v1/transactions/{'00' * 32}?wait=soon": "wait",
    f"/v1/transactions/{'00' * 32}?wait=expired": "wait",
    f"/v1/transactions/{'00' * 32}?wait=accepted&timeout_ms=x": "timeout_ms",
    f"/v1/transactions/{'00' * 32}?wait=accepted&timeout_ms=60001": "timeout_ms",
    "/v1/receipts?after=-2": "after",
    "/v1/receipts?limit=0": "limit",
    "/v1/receipts?limit=501": "limit",
    "/v1/receipts?wait_ms=1e3": "wait_ms",
    "/v1/blocks/one": "height",
    "/v1/blocks/-1": "height",
    "/v1/blocks/" + "9" * 40: "height",
    "/v1/checkpoint?height=x": "height",
    "/v1/state/organization/cbp?proof=yes": "proof",
    "/v1/proofs/12": "id",
    "/v1/documents?after=-1": "after",
    "/v1/documents/12": "root",
}


@pytest.mark.parametrize(
    "who",
    [
        "no token",
        "another's token",
        "no bearer",
        "the control token",
        "all but its last character",
        "all but its first character",
        "one character more",
        "the token twice",
        "nothing after the word",
    ],
)
def test_without_the_organization_s_token_there_is_no_answer_but_401_and_a_remedy(asked, who):
    for name in (who, f"{who}, metrics"):
        assert (asked[name].status, asked[name].code) == (401, "UNAUTHORIZED")
        assert "token file" in asked[name].json["error"]["remedy"]


@pytest.mark.parametrize("path", PATHS)
def test_a_bad_value_is_refused_by_name(asked, path):
    assert (asked[path].status, asked[path].code) == (400, "BAD_QUERY")
    assert asked[path].message.startswith(f"{PATHS[path]}: ")
    assert asked[path].json["error"]["remedy"].startswith(f"Give {PATHS[path]} as ")


def test_a_document_that_is_none_is_told_what_one_is(five):
    async def main(net):
        limit = net.genesis.limits.envelope_bytes_max
        whole = {"root": b"r" * 32, "to": "importer", "envelope": b"sealed"}
        bodies = [
            b"no msgpack",
            encode({"root": b"r" * 31, "to": "importer", "envelope": b"x"}),
            encode({**whole, "envelope": bytes(limit + 1)}),
            encode({**whole, "to": "nobody"}),
            encode({**whole, "extra": 1}),
        ]
        return [await net.ask("exporter", "POST", "/v1/documents", body) for body in bodies]

    answers = five(main)
    codes = [(400, "MALFORMED"), (400, "MALFORMED"), (413, "TOO_LARGE"), (403, "UNKNOWN_ORGANIZATION")]
    assert [(a.status, a.code) for a in answers] == [*codes, (400, "MALFORMED")]
    remedies = [a.json["error"]["remedy"] for a in answers]
    for number in (0, 1, 4):
        assert "a map of root (32 bytes), to and envelope" in remedies[number]
    assert "envelope_bytes_max" in remedies[2]
    assert not any("sign" in remedy.lower() or "transaction" in remedy for remedy in remedies)


def test_unknown_paths_and_methods_are_told_as_json(asked):
    assert (asked["unknown path"].status, asked["unknown path"].code) == (404, "NOT_FOUND")
    method = asked["unknown method"]
    assert (method.status, method.code) == (405, "METHOD_NOT_ALLOWED")
    assert method.headers["Allow"] == "POST"
    assert asked["unknown path without token"].status == 401


def test_a_body_that_is_not_what_its_headers_say_is_the_sender_s_fault(asked):
    assert (asked["broken body"].status, asked["broken body"].code) == (400, "BAD_BODY")


def test_a_token_of_bytes_that_are_no_text_is_just_a_wrong_one(five):
    async def main(net):
        reader, writer = await asyncio.open_connection(net.host("exporter").address, API_PORT)
        writer.write(
            b"GET /v1/receipts HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \xff\xfe\r\nConnection: close\r\n\r\n"
        )
        answer = await reader.read()
        writer.close()
        return answer

    answer = five(main)
    assert answer.startswith(b"HTTP/1.1 401 ")
    assert b"UNAUTHORIZED" in answer


def test_a_fault_of_the_program_is_told_as_json_and_recorded_without_what_was_handled(five, monkeypatch):
    def fail(*_args, **_options):
        raise LookupError("a private value")

    monkeypatch.setattr(Views, "state", fail)

    async def main(net):
        answer = await net.get("exporter", "/v1/state/organization/cbp")
        alive = await net.get("exporter", "/v1/health")
        return answer, alive, net.told("api.failed", node="exporter")

    answer, alive, failed = five(main)
    assert (answer.status, answer.code) == (500, "INTERNAL")
    assert answer.headers["Content-Type"].startswith("application/json")
    assert b"private" not in answer.data
    assert alive.status == 200
    ((record),) = failed
    assert record["request"] == "GET /v1/state/organization/cbp"
    assert str(record["error"]).startswith("LookupError at test_api_errors.py:")
    assert "private" not in str(record)


def test_the_control_channel_has_a_token_of_its_own(five):
    async def main(net):
        endpoint = net.world.endpoint("cbp")
        control = {BEARER: f"Bearer {endpoint.control_token}"}
        own = {BEARER: f"Bearer {endpoint.token}"}

        async def ask(method, path, body=None, headers=control):
            return await net.ask("cbp", method, path, body, headers=headers)

        await net.leader()
        return {
            "status": await ask("GET", "/control/status"),
            "with the organization's": await ask("GET", "/control/status", headers=own),
            "with none": await ask("GET", "/control/status", headers={}),
            "calendar": await ask("POST", "/control/calendar", b'{"time_ms": 1600000000000}'),
            "health": await ask("GET", "/v1/health"),
            "bad calendar": await ask("POST", "/control/calendar", b'{"time_ms": "soon"}'),
            "no calendar": await ask("POST", "/control/calendar", b"{"),
            "events": await ask("GET", "/control/events"),
            "stop": await ask("POST", "/control/stop"),
        }, await _stopped(net)

    async def _stopped(net):
        await net.until(lambda: not net.host("cbp").is_up)
        return net.told("node.stopped", node="cbp")

    answers, stopped = five(main)
    assert answers["status"].status == 200
    assert answers["status"].json["height"] == 0
    assert answers["status"].json["busy"] is False
    assert answers["with the organization's"].status == answers["with none"].status == 401
    assert answers["calendar"].json["calendar_ms"] == 1_600_000_000_000
    assert 0 <= answers["health"].json["calendar_ms"] - 1_600_000_000_000 < 1000
    for name in ("bad calendar", "no calendar"):
        assert (answers[name].status, answers[name].code) == (400, "BAD_BODY")
    assert (answers["events"].status, answers["events"].code) == (404, "NO_EVENTS")
    assert answers["stop"].json == {"stopping": True}
    assert len(stopped) == 1


def test_without_a_control_token_there_is_no_control_channel(five, monkeypatch):
    def without(*args, **kwargs):
        return node_config(*args, **kwargs, with_control=False)

    monkeypatch.setattr(virtual, "node_config", without)

    async def main(net):
        control = {BEARER: f"Bearer {net.world.endpoint('cbp').control_token}"}
        return (
            await net.get("cbp", "/control/status"),
            await net.ask("cbp", "GET", "/control/status", headers=control),
            await net.ask("cbp", "POST", "/control/stop", headers={BEARER: "Bearer None"}),
            net.host("cbp").is_up,
        )

    own, control, none, is_up = five(main)
    assert (own.status, own.code) == (404, "NOT_FOUND")
    assert control.status == none.status == 401
    assert is_up


def test_a_poll_is_no_work_under_way_but_a_request_is(five):
    async def main(net):
        await net.leader()
        poll = asyncio.create_task(net.get("cbp", "/v1/receipts?wait_ms=5000"))
        await asyncio.sleep(1)
        standing = await net.world.standing("cbp")
        await poll
        return standing, net.world._apis["cbp"].active

    standing, active = five(main)
    assert standing.busy is False
    assert active == 0


async def test_who_gives_up_waiting_leaves_nothing_behind():
    signal = Signal()
    for _ in range(5):
        assert await signal.until(lambda: None, 1) is None
    assert signal._waiters == []


def test_a_forked_node_says_so(five):
    async def main(net):
        await net.leader()
        node: Node = net.node("cbp")
        ordering: Ordering = node.ordering
        ordering.forked = "told to replace entry 3"
        return await net.get("cbp", "/v1/health")

    health = five(main).json
    assert (health["status"], health["reason"]) == ("forked", "told to replace entry 3")
