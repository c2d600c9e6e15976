"""A node's HTTP interface for its own organization.

Rules:
- It listens apart from the peer port, on loopback unless told otherwise; every path but `/v1/health` needs the
  organization's bearer token.
- Answers are JSON; errors are `{"error": {"code", "message", "remedy"}}` with a fitting status, a fault of this
  program included.
- What is read was durable before: never what a turn has staged, and nothing at all once a write has failed.
- 202 means: durable in this node's pool or outbox. 200 for bytes sent again, with the existing status.
- Long polls wait at most `WAIT_MS_MAX` and then answer with what is so. A stream is long polls one after the other,
  answered line by line.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
from collections.abc import Awaitable, Callable
from typing import TypeVar

from aiohttp import web

from ledger.codes import Code
from ledger.encoding import decode
from ledger.errors import DamagedStoreError, EncodingError, MalformedError, NotHereYetError
from ledger.fields import Fields
from p2p.answers import (
    ApiError,
    Json,
    answer,
    bad_query,
    error_line,
    failure,
    line,
    place_of,
    read_finality,
    read_flag,
    read_hex,
    read_integer,
    read_number,
    status_json,
)
from p2p.codepoints import CodePoint
from p2p.control import add_control
from p2p.errors import NodeHaltedError, OverloadedError, PurgedError, UnsignedError
from p2p.finality import TransactionStatus
from p2p.intake import Submission
from p2p.metrics import render_metrics
from p2p.node import Node
from p2p.ports import listen
from p2p.views import Views

WAIT_MS_MAX = 60_000
STREAM_WAIT_MS = 5000
BATCH_TRANSACTIONS_MAX = 1000
CONSISTENCIES = ("local", "linearizable")
READ_TIMEOUT_MS = 5000
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
_EXPECTED = (
    ApiError,
    DamagedStoreError,
    NodeHaltedError,
    NotHereYetError,
    web.HTTPException,
    web.RequestPayloadError,
)

T = TypeVar("T")
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


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
        app.router.add_get("/v1/members", self.get_members)
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
        except Exception as error:
            if not isinstance(error, _EXPECTED):
                self.node.observer.record(
                    "api.failed",
                    node=self.node.organization,
                    request=f"{request.method} {request.path[:200]}",
                    error=f"{type(error).__name__} at {place_of(error)}",
                )
            return failure(request, error)
        finally:
            self.active -= 1

    def _check_token(self, request: web.Request) -> None:
        given = request.headers.get("Authorization", "").encode(errors="surrogateescape")
        wanted = self.node.config.token
        if request.path.startswith("/control/"):
            wanted = (
                self.node.config.control_token or wanted
            )  # without a control channel, the path is unknown
        if not hmac.compare_digest(given, f"Bearer {wanted}".encode()):
            remedy = "Send `Authorization: Bearer TOKEN` with the token from this node's token file."
            raise ApiError(401, "UNAUTHORIZED", "the bearer token is missing or is not this node's", remedy)

    def _check_known(self) -> None:
        """Take nothing in into a store that may be one too many: an empty one where a lost one was."""
        if not self.node.is_known:
            message = "this node's store is new, and no peer has spoken with it yet"
            remedy = (
                "Wait until it has a link. If it had another store before, stop it and give it that one back (is a "
                "volume not mounted?), or replace it by node.replace."
            )
            raise ApiError(503, "STORE_NOT_KNOWN", message, remedy)

    # Transactions.

    async def post_transaction(self, request: web.Request) -> web.Response:
        """Take in one signed transaction."""
        raw = await request.read()
        self._check_known()
        (submission,) = await self.node.intake.submit([raw])
        status, body = await self.node.look(lambda: self._outcome(submission))
        told = answer(body, status, {"Retry-After": "1"} if status in {429, 503} else None)
        points = self.node.machine.points
        if points.armed:
            await told.prepare(request)
            await told.write_eof()
            points.reached(CodePoint.AFTER_ANSWER)
        return told

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
        self._check_known()
        submissions = await self.node.intake.submit(raws)
        outcomes = await self.node.look(lambda: [self._outcome(submission) for submission in submissions])
        return answer({"results": [{"http": status, **body} for status, body in outcomes]})

    async def get_transaction(self, request: web.Request) -> web.Response:
        """Tell a transaction's status, on demand once it is as final as asked."""
        transaction_id = read_hex(request.match_info["id"], "id", 32)
        wanted = request.query.get("wait")
        timeout_ms = read_integer(request, "timeout_ms", 30_000 if wanted else 0, WAIT_MS_MAX)
        if wanted is None:
            status = await self.node.look(lambda: self.views.status(transaction_id))
        else:
            goal = read_finality(wanted)

            def look() -> TransactionStatus | None:
                now = self.views.status(transaction_id)
                return now if now is not None and now.status.reaches(goal) else None

            status = await self._long_poll(look, timeout_ms)
            if status is None:
                current = await self.node.look(lambda: self.views.status(transaction_id))
                if current is not None:
                    return answer(status_json(current), 504)
        if status is None:
            remedy = "Check the id, or send the transaction again; the same bytes have one effect."
            raise ApiError(404, "UNKNOWN_TRANSACTION", f"{transaction_id.hex()} is not known here", remedy)
        return answer(status_json(status))

    async def get_receipts(self, request: web.Request) -> web.StreamResponse:
        """Tell certified receipts in the order of the log; wait for the next one if there is none yet, or go on."""
        after = read_integer(request, "after", -1, 1 << 62, minimum=-1)
        limit = read_integer(request, "limit", 100, 500, minimum=1)
        if read_flag(request, "stream"):
            wait_ms = read_integer(request, "wait_ms", STREAM_WAIT_MS, WAIT_MS_MAX, minimum=1)
            return await self._stream_receipts(request, after, limit, wait_ms)
        wait_ms = read_integer(request, "wait_ms", 0, WAIT_MS_MAX)
        _, page = await self._receipts(after, limit, wait_ms)
        return answer(page)

    async def _receipts(self, after: int, limit: int, wait_ms: int) -> tuple[int, Json]:
        await self._long_poll(lambda: True if self.views.has_receipts(after) else None, wait_ms)
        following, receipts = await self.node.look(lambda: self.views.receipts(after, limit))
        return following, {"next": following, "receipts": receipts}

    async def _stream_receipts(
        self, request: web.Request, after: int, limit: int, wait_ms: int
    ) -> web.StreamResponse:
        """Tell receipts page by page, a line of JSON each, until who asked has gone; an error is the last line."""
        response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
        await response.prepare(request)
        with contextlib.suppress(ConnectionError):
            try:
                while True:
                    after, page = await self._receipts(after, limit, wait_ms)
                    await response.write(line(page))
            except _EXPECTED as error:
                await response.write(error_line(request, error))
        return response

    # Blocks, state, proofs.

    async def get_block(self, request: web.Request) -> web.Response:
        """Tell one executed block."""
        height = read_number(request.match_info["height"], "height")
        if not 1 <= height <= self.node.ledger.height:
            remedy = "Ask for an executed height; /v1/health tells the highest. Genesis is at /v1/genesis."
            raise ApiError(
                404, "UNKNOWN_BLOCK", f"height {height} is not in 1 .. {self.node.ledger.height}", remedy
            )
        if request.headers.get("Accept") == "application/octet-stream":
            data = await self.node.look(lambda: self.node.store.block(height))
            return web.Response(body=data, content_type="application/octet-stream")
        return answer(await self.node.look(lambda: self.views.block_json(height)))

    async def get_state(self, request: web.Request) -> web.Response:
        """Tell a state value or its absence, on demand with proof, local or linearizable."""
        with_proof = read_flag(request, "proof")
        key = request.match_info["key"]
        consistency = request.query.get("consistency", "local")
        if consistency not in CONSISTENCIES:
            raise bad_query("consistency", consistency, " or ".join(CONSISTENCIES))

        def read() -> Json:
            return self.views.state(key, with_proof=with_proof)

        if consistency == "local":
            return answer(await self.node.look(read))
        if not self.node.ordering.orders:
            remedy = "Ask an orderer's node, or with consistency=local for what is certified and known here."
            message = f"{self.node.organization}'s node does not order, so it cannot tell what is the latest"
            raise ApiError(400, "NOT_ORDERING", message, remedy)
        timeout_ms = read_integer(request, "timeout_ms", READ_TIMEOUT_MS, WAIT_MS_MAX, minimum=1)
        return answer(await self.node.look_linearizably(read, timeout_ms))

    async def get_proof(self, request: web.Request) -> web.Response:
        """Tell the inclusion proof of a certified transaction's receipt."""
        transaction_id = read_hex(request.match_info["id"], "id", 32)
        proof = await self.node.look(lambda: self.views.proof(transaction_id))
        if proof is None:
            remedy = "Wait for it: GET /v1/transactions/{id}?wait=certified."
            raise ApiError(404, "NOT_CERTIFIED", "no certified receipt of this transaction", remedy)
        return answer(proof)

    async def get_checkpoint(self, request: web.Request) -> web.Response:
        """Tell the certificate of a height, or the latest: a C2SP signed note."""
        if "height" in request.query:
            height = read_integer(request, "height", 0, 1 << 62)
            note = await self.node.look(lambda: self.node.store.certificate(height))
        else:
            latest = await self.node.look(self.node.store.latest_certificate)
            note = latest[1] if latest is not None else None
        if note is None:
            remedy = "Ask without height for the latest; a later certificate covers every lower height."
            raise ApiError(404, "NO_CERTIFICATE", "there is no certificate of that height here", remedy)
        return web.Response(text=note, content_type="text/plain", charset="utf-8")

    async def get_genesis(self, request: web.Request) -> web.Response:
        """Tell the genesis' canonical bytes."""
        return web.Response(body=self.node.config.genesis.encode(), content_type="application/octet-stream")

    async def get_members(self, request: web.Request) -> web.Response:
        """Tell who belongs to the network, or once did: keys, nodes, seats, each with the heights of its term."""
        return answer(await self.node.look(self.views.members))

    # Documents.

    async def post_document(self, request: web.Request) -> web.Response:
        """Take a sealed and signed envelope for an addressee: canonical map of root, to, envelope."""
        limit = self.node.config.genesis.limits.envelope_bytes_max
        data = await request.read()
        try:
            fields = Fields(decode(data, limit_bytes=len(data) or 1), "document")
            root = fields.raw("root", size=32)
            to = fields.text("to", 40)
            envelope = fields.raw("envelope")
            fields.finish()
        except (EncodingError, MalformedError) as error:
            remedy = (
                "Send canonical msgpack: a map of root (32 bytes), to and envelope (bytes), and nothing else."
            )
            raise ApiError(400, Code.MALFORMED, str(error), remedy) from error
        if len(envelope) > limit:
            message = f"envelope: {len(envelope)} bytes are over envelope_bytes_max, {limit}"
            remedy = "Make the document smaller: genesis' envelope_bytes_max holds for every envelope."
            raise ApiError(413, Code.TOO_LARGE, message, remedy)
        roster = self.node.ledger.roster
        if roster.find(to) is None:
            known = ", ".join(member.id for member in roster.members)
            remedy = f"Address it to a member: {known}."
            raise ApiError(403, Code.UNKNOWN_ORGANIZATION, f"to: {to!r} is no member", remedy)
        self._check_known()
        try:
            is_new = await self.node.send_envelope(root, to, envelope)
        except UnsignedError as error:
            remedy = (
                "Sign it with your organization's current key, under the domain seatrial/seal/v1, over the canonical "
                "map of root, to and envelope (the sha256 of the sealed bytes), and append the signature."
            )
            raise ApiError(403, Code.BAD_SIGNATURE, str(error), remedy) from error
        except PurgedError as error:
            raise ApiError(410, "PURGED", str(error), "Nothing to do: keep no copy either.") from error
        except OverloadedError as error:
            remedy = "Nothing was kept: send the same bytes again once earlier envelopes have been delivered."
            if to == self.node.organization:
                remedy = "Nothing was kept: this inbox keeps what it has; keep your own papers elsewhere."
            raise ApiError(429, Code.OVERLOADED, str(error), remedy) from error
        return answer({"root": root.hex(), "to": to, "status": "accepted"}, 202 if is_new else 200)

    async def get_documents(self, request: web.Request) -> web.Response:
        """List the envelopes received for this organization; wait for the next one if there is none yet."""
        after = read_integer(request, "after", 0, 1 << 62)
        wait_ms = read_integer(request, "wait_ms", 0, WAIT_MS_MAX)
        store = self.node.store
        inbox = store.store_id.hex()
        if request.query.get("inbox", inbox) != inbox:
            after = 0  # numbers of the inbox that an earlier incarnation had
        await self._long_poll(
            lambda: (store.last_document_index > after and store.inbox_rows(after, 1)) or None, wait_ms
        )
        rows = await self.node.look(lambda: store.inbox_rows(after, 100))
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
        return answer({"inbox": inbox, "next": rows[-1].index if rows else after, "documents": documents})

    async def get_document(self, request: web.Request) -> web.Response:
        """Tell one received envelope's bytes: the first under its root, or the one with a number."""
        root = read_hex(request.match_info["root"], "root", 32)
        index = read_integer(request, "index", 0, 1 << 62) or None
        envelope = await self.node.look(lambda: self.node.store.inbox_envelope(root, index))
        if envelope is None:
            remedy = "GET /v1/documents lists what has arrived for this organization."
            raise ApiError(404, "UNKNOWN_DOCUMENT", "no envelope of that root has arrived here", remedy)
        if not envelope:
            raise ApiError(
                410, "PURGED", f"document {root.hex()} was purged", "Nothing to do: keep no copy either."
            )
        return web.Response(body=envelope, content_type="application/octet-stream")

    # Health and metrics.

    async def get_health(self, request: web.Request) -> web.Response:
        """Tell whether the node works, and where it stands."""
        return answer(await self.node.look(self._health))

    def _health(self) -> Json:
        node = self.node
        raw = node.ordering.raw
        body: dict[str, Json] = {
            "status": "ok" if node.ordering.forked is None else "forked",
            "network": node.config.genesis.network,
            "organization": node.organization,
            "height": node.ledger.height,
            "certified": node.certifier.certified_height,
            "term": node.ordering.term,
            "role": raw.role.value,
            "leader": node.ordering.leader,
            "orders": node.ordering.orders,
            "fetching": self._fetching(),
            "peers": list(node.links.connected),
            "calendar_ms": node.machine.now_ms(),
            "insecure_keys": node.config.genesis.insecure_keys,
            "repairs": list(node.store.repairs),
        }
        if node.ordering.forked is not None:
            body["reason"] = node.ordering.forked
        return body

    def _fetching(self) -> Json:
        """Tell what this node has still to fetch of its history, or the state it waits for; None if nothing."""
        node = self.node
        target = node.sync.fetching.target
        blocks = node.store.absent_blocks
        gaps = sum(gap.height_end - gap.height_first for gap in node.store.gaps)
        if target is None and not blocks and not gaps:
            return None
        return {"state": None if target is None else target.offer.height, "blocks": len(blocks) + gaps}

    async def get_metrics(self, request: web.Request) -> web.Response:
        """Tell the figures in Prometheus' text format."""
        text = await self.node.look(lambda: render_metrics(self.node))
        return web.Response(body=text, headers={"Content-Type": "text/plain; version=0.0.4"})

    # Parts.

    async def _long_poll(self, look: Callable[[], T | None], timeout_ms: int) -> T | None:
        """Wait for `look` to find something; a waiting request does not count as work under way."""
        self.active -= 1
        try:
            return await self.node.watch(look, timeout_ms)
        finally:
            self.active += 1

    def _outcome(self, submission: Submission) -> tuple[int, dict[str, Json]]:
        fresh = submission.code is Code.VALID
        known = None if fresh or submission.id is None else self.views.status(submission.id)
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
        await listen(runner, node.config.api_host, node.config.api_port, "the HTTP interface")
        on_open()
        await asyncio.get_running_loop().create_future()
    finally:
        await runner.cleanup()
