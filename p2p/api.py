"""A node's HTTP interface for its own organization.

Rules:
- It listens apart from the peer port, on loopback unless told otherwise; every path but `/v1/health` needs the
  organization's bearer token.
- Answers are JSON; errors are `{"error": {"code", "message", "remedy"}}` with a fitting status.
- 202 means: durable in this node's pool or outbox. 200 for bytes sent again, with the existing status.
- Long polls wait at most `WAIT_MS_MAX` and then answer with what is so.
"""

from __future__ import annotations

import asyncio
import hmac
import json
from collections.abc import Awaitable, Callable
from typing import TypeVar

from aiohttp import web

from ledger.codes import Code
from ledger.encoding import decode
from ledger.errors import DamagedBlockError, EncodingError, MalformedError
from ledger.fields import Fields
from p2p.control import add_control
from p2p.finality import Finality, TransactionStatus
from p2p.intake import Submission
from p2p.metrics import render_metrics
from p2p.node import Node
from p2p.views import Json, Views

WAIT_MS_MAX = 60_000
BATCH_TRANSACTIONS_MAX = 1000
_HTTP_OF_CODE = {
    Code.MALFORMED: 400,
    Code.WRONG_NETWORK: 400,
    Code.VALIDITY_TOO_LONG: 400,
    Code.EXPIRED: 400,
    Code.RULE_VIOLATED: 400,
    Code.BAD_SIGNATURE: 403,
    Code.UNKNOWN_ORGANIZATION: 403,
    Code.REVOKED_KEY: 403,
    Code.NOT_AUTHORIZED: 403,
    Code.NONCE_REUSED: 409,
    Code.TOO_LARGE: 413,
    Code.QUOTA_EXCEEDED: 429,
    Code.OVERLOADED: 503,
}

T = TypeVar("T")
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class ApiError(Exception):
    """An answer that is an error: status, code, message and remedy."""

    def __init__(self, status: int, code: str, message: str, remedy: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.remedy = remedy

    def response(self) -> web.Response:
        """Return it as an HTTP answer."""
        headers = {"Retry-After": "1"} if self.status in {429, 503} else None
        return answer(
            {"error": {"code": self.code, "message": str(self), "remedy": self.remedy}}, self.status, headers
        )


def answer(value: Json, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    """Return a JSON answer with keys in a fixed order."""
    body = json.dumps(value, separators=(",", ":"), sort_keys=True).encode()
    return web.Response(body=body, status=status, content_type="application/json", headers=headers)


class Api:
    """Serves one node's organization."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.views = Views(node)
        self.active = 0

    def application(self) -> web.Application:
        """Return the aiohttp application."""
        limits = self.node.config.genesis.limits
        biggest = max(
            BATCH_TRANSACTIONS_MAX * limits.transaction_bytes_max // 8, 2 * limits.envelope_bytes_max
        )
        app = web.Application(middlewares=[self._guard], client_max_size=biggest)
        app.router.add_post("/v1/transactions", self.post_transaction)
        app.router.add_post("/v1/transactions/batch", self.post_batch)
        app.router.add_get("/v1/transactions/{id}", self.get_transaction)
        app.router.add_get("/v1/receipts", self.get_receipts)
        app.router.add_get("/v1/blocks/{height}", self.get_block)
        app.router.add_get("/v1/state/{key:.+}", self.get_state)
        app.router.add_get("/v1/proofs/{id}", self.get_proof)
        app.router.add_get("/v1/checkpoint", self.get_checkpoint)
        app.router.add_get("/v1/genesis", self.get_genesis)
        app.router.add_post("/v1/documents", self.post_document)
        app.router.add_get("/v1/documents", self.get_documents)
        app.router.add_get("/v1/documents/{root}", self.get_document)
        app.router.add_get("/v1/health", self.get_health)
        app.router.add_get("/metrics", self.get_metrics)
        return app

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Check the token, count what is under way, and answer every failure as JSON."""
        self.active += 1
        try:
            if request.path != "/v1/health":
                self._check_token(request)
            return await handler(request)
        except ApiError as error:
            return error.response()
        except DamagedBlockError as error:
            remedy = (
                "Ask another member's node for this block; run `seatrial verify` on this node's database."
            )
            return ApiError(500, "DAMAGED_BLOCK", str(error), remedy).response()
        except web.HTTPRequestEntityTooLarge as error:
            return ApiError(413, Code.TOO_LARGE, error.text or "too large", Code.TOO_LARGE.remedy).response()
        except web.HTTPException as error:
            remedy = "See the API's documentation for paths and methods."
            return ApiError(
                error.status, "HTTP", f"{request.method} {request.path}: {error.reason}", remedy
            ).response()
        finally:
            self.active -= 1

    def _check_token(self, request: web.Request) -> None:
        given = request.headers.get("Authorization", "")
        control = self.node.config.control_token
        wanted = control if request.path.startswith("/control/") else self.node.config.token
        if wanted is None or not hmac.compare_digest(given.encode(), f"Bearer {wanted}".encode()):
            remedy = "Send `Authorization: Bearer TOKEN` with the token from this node's token file."
            raise ApiError(401, "UNAUTHORIZED", "the bearer token is missing or is not this node's", remedy)

    # Transactions.

    async def post_transaction(self, request: web.Request) -> web.Response:
        """Take in one signed transaction."""
        raw = await request.read()
        (submission,) = await self.node.intake.submit([raw])
        status, body = self._outcome(submission)
        return answer(body, status, {"Retry-After": "1"} if status in {429, 503} else None)

    async def post_batch(self, request: web.Request) -> web.Response:
        """Take in a canonical list of signed transactions; each gets its own outcome."""
        data = await request.read()
        try:
            value = decode(data, limit_bytes=len(data) or 1)
        except EncodingError as error:
            raise ApiError(400, Code.MALFORMED, f"batch: {error}", Code.MALFORMED.remedy) from error
        if not isinstance(value, list) or len(value) > BATCH_TRANSACTIONS_MAX:
            raise ApiError(
                400,
                Code.MALFORMED,
                f"batch: expected a list of at most {BATCH_TRANSACTIONS_MAX} byte strings",
                "Send canonical msgpack: a list of signed transactions' bytes.",
            )
        raws = [item for item in value if isinstance(item, bytes)]
        if len(raws) != len(value):
            raise ApiError(400, Code.MALFORMED, "batch: every item must be bytes", Code.MALFORMED.remedy)
        results: list[Json] = []
        for submission in await self.node.intake.submit(raws):
            status, body = self._outcome(submission)
            results.append({"http": status, **body})
        return answer({"results": results})

    async def get_transaction(self, request: web.Request) -> web.Response:
        """Tell a transaction's status, on demand once it is as final as asked."""
        transaction_id = _hex(request.match_info["id"], "id", 32)
        wanted = request.query.get("wait")
        timeout_ms = _integer(request, "timeout_ms", 30_000 if wanted else 0, WAIT_MS_MAX)
        if wanted is None:
            status = self.views.status(transaction_id)
        else:
            goal = _finality(wanted)

            def look() -> TransactionStatus | None:
                now = self.views.status(transaction_id)
                return now if now is not None and now.status.reaches(goal) else None

            status = await self._long_poll(look, timeout_ms)
            if status is None:
                current = self.views.status(transaction_id)
                if current is not None:
                    return answer(status_json(current), 504)
        if status is None:
            remedy = "Check the id, or send the transaction again; the same bytes have one effect."
            raise ApiError(404, "UNKNOWN_TRANSACTION", f"{transaction_id.hex()} is not known here", remedy)
        return answer(status_json(status))

    async def get_receipts(self, request: web.Request) -> web.Response:
        """Tell certified receipts in the order of the log; wait for the next one if there is none yet."""
        after = _integer(request, "after", -1, 1 << 62, minimum=-1)
        limit = _integer(request, "limit", 100, 500, minimum=1)
        wait_ms = _integer(request, "wait_ms", 0, WAIT_MS_MAX)
        await self._long_poll(lambda: True if self.views.has_receipts(after) else None, wait_ms)
        following, receipts = self.views.receipts(after, limit)
        return answer({"next": following, "receipts": receipts})

    # Blocks, state, proofs.

    async def get_block(self, request: web.Request) -> web.Response:
        """Tell one executed block."""
        height = _number(request.match_info["height"], "height")
        if not 1 <= height <= self.node.ledger.height:
            remedy = "Ask for an executed height; /v1/health tells the highest. Genesis is at /v1/genesis."
            raise ApiError(
                404, "UNKNOWN_BLOCK", f"height {height} is not in 1 .. {self.node.ledger.height}", remedy
            )
        if request.headers.get("Accept") == "application/octet-stream":
            return web.Response(body=self.node.store.block(height), content_type="application/octet-stream")
        return answer(self.views.block_json(height))

    async def get_state(self, request: web.Request) -> web.Response:
        """Tell a state value or its absence, on demand with proof."""
        with_proof = request.query.get("proof", "false") == "true"
        return answer(self.views.state(request.match_info["key"], with_proof=with_proof))

    async def get_proof(self, request: web.Request) -> web.Response:
        """Tell the inclusion proof of a certified transaction's receipt."""
        proof = self.views.proof(_hex(request.match_info["id"], "id", 32))
        if proof is None:
            remedy = "Wait for it: GET /v1/transactions/{id}?wait=certified."
            raise ApiError(404, "NOT_CERTIFIED", "no certified receipt of this transaction", remedy)
        return answer(proof)

    async def get_checkpoint(self, request: web.Request) -> web.Response:
        """Tell the certificate of a height, or the latest: a C2SP signed note."""
        if "height" in request.query:
            height = _integer(request, "height", 0, 1 << 62)
            note = self.node.store.certificate(height)
        else:
            latest = self.node.store.latest_certificate()
            note = latest[1] if latest is not None else None
        if note is None:
            remedy = "Ask without height for the latest; a later certificate covers every lower height."
            raise ApiError(404, "NO_CERTIFICATE", "there is no certificate of that height here", remedy)
        return web.Response(text=note, content_type="text/plain", charset="utf-8")

    async def get_genesis(self, request: web.Request) -> web.Response:
        """Tell the genesis' canonical bytes."""
        return web.Response(body=self.node.config.genesis.encode(), content_type="application/octet-stream")

    # Documents.

    async def post_document(self, request: web.Request) -> web.Response:
        """Take a sealed envelope for an addressee: canonical map of root, to, envelope."""
        limit = self.node.config.genesis.limits.envelope_bytes_max
        data = await request.read()
        try:
            fields = Fields(decode(data, limit_bytes=limit + 1024), "document")
            root = fields.raw("root", size=32)
            to = fields.text("to", 40)
            envelope = fields.raw("envelope", max_size=limit)
            fields.finish()
        except (EncodingError, MalformedError) as error:
            raise ApiError(400, Code.MALFORMED, str(error), Code.MALFORMED.remedy) from error
        if self.node.config.genesis.find(to) is None:
            raise ApiError(
                403, Code.UNKNOWN_ORGANIZATION, f"to: {to!r} is no member", Code.UNKNOWN_ORGANIZATION.remedy
            )
        await self.node.send_envelope(root, to, envelope)
        return answer({"root": root.hex(), "to": to, "status": "accepted"}, 202)

    async def get_documents(self, request: web.Request) -> web.Response:
        """List the envelopes received for this organization; wait for the next one if there is none yet."""
        after = _integer(request, "after", 0, 1 << 62)
        wait_ms = _integer(request, "wait_ms", 0, WAIT_MS_MAX)
        store = self.node.store
        await self._long_poll(lambda: store.inbox_rows(after, 1) or None, wait_ms)
        rows = store.inbox_rows(after, 100)
        documents: list[Json] = [
            {
                "index": row.index,
                "root": row.root.hex(),
                "from": row.sender,
                "size": row.size_bytes,
                "received_ms": row.received_ms,
            }
            for row in rows
        ]
        return answer({"next": rows[-1].index if rows else after, "documents": documents})

    async def get_document(self, request: web.Request) -> web.Response:
        """Tell one received envelope's bytes."""
        envelope = self.node.store.inbox_envelope(_hex(request.match_info["root"], "root", 32))
        if envelope is None:
            remedy = "GET /v1/documents lists what has arrived for this organization."
            raise ApiError(404, "UNKNOWN_DOCUMENT", "no envelope of that root has arrived here", remedy)
        return web.Response(body=envelope, content_type="application/octet-stream")

    # Health and metrics.

    async def get_health(self, request: web.Request) -> web.Response:
        """Tell whether the node works, and where it stands."""
        node = self.node
        raw = node.ordering.raw
        body: dict[str, Json] = {
            "status": "ok" if node.ordering.forked is None else "forked",
            "network": node.config.genesis.network,
            "organization": node.organization,
            "height": node.ledger.height,
            "certified": node.certifier.certified_height,
            "term": raw.term,
            "role": raw.role.value,
            "leader": node.ordering.leader,
            "peers": list(node.links.connected),
            "calendar_ms": node.machine.now_ms(),
            "insecure_keys": node.config.genesis.insecure_keys,
            "repairs": list(node.store.repairs),
        }
        if node.ordering.forked is not None:
            body["reason"] = node.ordering.forked
        return answer(body)

    async def get_metrics(self, request: web.Request) -> web.Response:
        """Tell the figures in Prometheus' text format."""
        return web.Response(
            body=render_metrics(self.node), headers={"Content-Type": "text/plain; version=0.0.4"}
        )

    # Parts.

    async def _long_poll(self, look: Callable[[], T | None], timeout_ms: int) -> T | None:
        """Wait for `look` to find something; a waiting request does not count as work under way."""
        self.active -= 1
        try:
            return await self.node.changed.until(look, timeout_ms)
        finally:
            self.active += 1

    def _outcome(self, submission: Submission) -> tuple[int, dict[str, Json]]:
        known = None if submission.id is None else self.views.status(submission.id)
        if submission.code is Code.VALID and submission.id is not None:
            return 202, {"id": submission.id.hex(), "status": "accepted"}
        if submission.code is Code.DUPLICATE and known is not None:
            return 200, status_json(known)
        status = _HTTP_OF_CODE.get(submission.code, 400)
        error: dict[str, Json] = {
            "code": submission.code.value,
            "message": submission.message,
            "remedy": submission.code.remedy,
        }
        return status, {"error": error}


def status_json(status: TransactionStatus) -> dict[str, Json]:
    """Return a transaction's status as JSON, without what is not known."""
    fields: dict[str, Json] = {
        "id": status.id.hex(),
        "status": status.status.value,
        "code": status.code,
        "rule": status.rule,
        "height": status.height,
        "position": status.position,
        "index": status.index,
        "time_ms": status.time_ms,
        "accepted_ms": status.accepted_ms,
    }
    known: dict[str, Json] = {name: value for name, value in fields.items() if value is not None}
    if status.code is not None:
        known["findings"] = list(status.findings)
    return known


async def serve_api(
    node: Node, api: Api | None = None, *, on_open: Callable[[], None] = lambda: None
) -> None:
    """Serve a node's API, and its control channel if it has one, until cancelled.

    Args:
        node: whose.
        api: its interface, if the caller made it.
        on_open: called when it listens.
    """
    api = api or Api(node)
    app = api.application()
    if node.config.control_token is not None:
        add_control(app, node, api)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    try:
        await web.TCPSite(runner, node.config.api_host, node.config.api_port).start()
        on_open()
        await asyncio.get_running_loop().create_future()
    finally:
        await runner.cleanup()


def _bad_query(name: str, value: str, wanted: str) -> ApiError:
    return ApiError(400, "BAD_QUERY", f"{name}: {value[:80]!r} is not {wanted}", "Correct the request.")


def _hex(text: str, name: str, size: int) -> bytes:
    try:
        data = bytes.fromhex(text)
    except ValueError:
        raise _bad_query(name, text, f"{2 * size} hex digits") from None
    if len(data) != size:
        raise _bad_query(name, text, f"{2 * size} hex digits")
    return data


def _number(text: str, name: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise _bad_query(name, text, "a whole number")
    return int(text)


def _integer(request: web.Request, name: str, default: int, maximum: int, minimum: int = 0) -> int:
    text = request.query.get(name)
    if text is None:
        return default
    value = -1 if text == "-1" else _number(text, name)
    if not minimum <= value <= maximum:
        raise _bad_query(name, text, f"within {minimum} .. {maximum}")
    return value


def _finality(text: str) -> Finality:
    waitable = [step for step in Finality if step is not Finality.EXPIRED]
    for step in waitable:
        if step.value == text:
            return step
    raise _bad_query("wait", text, " or ".join(step.value for step in waitable))
