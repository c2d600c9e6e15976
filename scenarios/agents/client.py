"""The HTTP client with which an organization's application uses its own node.

Rules:
- A submission without an answer is *unknown*, never failed: the same bytes are sent again until the node says
  what became of them. The same bytes have one effect.
- A definite refusal is never swallowed or retried: it is an `ApiProblem` with the node's code and remedy.
- Pauses between attempts are protocol time, doubling up to a cap.
- A call that waits says why (`Pause`), so that whoever runs a trial can tell waiting from work.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from enum import StrEnum
from typing import TypeVar

import aiohttp

from ledger.encoding import encode
from p2p.finality import Finality, TransactionStatus
from scenarios.agents.answers import (
    Answer,
    ApiProblem,
    BadAnswerError,
    ClientError,
    DocumentNotice,
    DocumentPage,
    Health,
    NodeUnreachableError,
    Receipt,
    ReceiptPage,
    ReceiptProof,
    StateAnswer,
    Submission,
    read_health,
    read_notice,
    read_proof,
    read_state,
    read_status,
    read_submission,
)

__all__ = [
    "ApiProblem",
    "BadAnswerError",
    "ClientError",
    "DocumentNotice",
    "DocumentPage",
    "Health",
    "NodeClient",
    "NodeUnreachableError",
    "Pause",
    "PauseHook",
    "Receipt",
    "ReceiptPage",
    "ReceiptProof",
    "StateAnswer",
    "Submission",
    "unnoticed",
]

REQUEST_TIMEOUT_MS = 10_000
WAIT_MS_MAX = 60_000
BACKOFF_MS_MIN = 100
BACKOFF_MS_MAX = 5_000
DOCUMENTS_MAX = 1000
INBOX_CHARACTERS = 64

T = TypeVar("T")


class Pause(StrEnum):
    """Why a call of this client does not go on."""

    BLOCKED = "blocked"  # the node does not answer or is too busy, and the call tries again and again
    POLLING = "polling"  # the node holds the request until there is news


PauseHook = Callable[[Pause], AbstractContextManager[None]]
"""Gives the context in which a call waits, so that whoever runs a trial can tell waiting from work."""


def unnoticed(_pause: Pause) -> AbstractContextManager[None]:
    """Wait without telling anyone."""
    return nullcontext()


class NodeClient:
    """One node's interface, typed.

    Args:
        session: an open aiohttp session; the caller closes it.
        base_url: such as `http://127.0.0.1:8700`.
        token: the organization's bearer token.
        request_timeout_ms: how long a request without a wait may take, protocol time.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        base_url: str,
        token: str,
        *,
        request_timeout_ms: int = REQUEST_TIMEOUT_MS,
    ) -> None:
        self._session = session
        self._base_url = base_url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {token}"}
        self._request_timeout_ms = request_timeout_ms

    def __repr__(self) -> str:
        return f"NodeClient({self._base_url})"

    # Transactions.

    async def submit(self, raw: bytes) -> TransactionStatus:
        """Hand in one signed transaction; return once it is durable in the node's pool, or known from before.

        Raises:
            ApiProblem: if the node refuses it.
            NodeUnreachableError: if there is no answer; the transaction may have been taken in.
        """
        answer = await self._call("POST", "/v1/transactions", body=raw)
        return answer.read(read_status)

    async def submit_batch(self, raws: Sequence[bytes]) -> tuple[Submission, ...]:
        """Hand in several signed transactions; each has its own outcome, in the order given.

        Raises:
            ApiProblem: if the node refuses the batch as a whole.
            NodeUnreachableError: if there is no answer.
        """
        answer = await self._call("POST", "/v1/transactions/batch", body=encode(list(raws)))
        return answer.read(
            lambda fields: tuple(read_submission(item) for item in fields.items("results", len(raws)))
        )

    async def status(
        self, transaction_id: bytes, wait: Finality | None = None, timeout_ms: int = 30_000
    ) -> TransactionStatus | None:
        """Tell how final a transaction is, once it is as final as `wait` or `timeout_ms` have passed.

        Returns:
            Its status, which may be less than `wait` after a time-out; None if the node does not know it.
        """
        query = {} if wait is None else {"wait": wait.value, "timeout_ms": str(min(timeout_ms, WAIT_MS_MAX))}
        try:
            answer = await self._call(
                "GET",
                f"/v1/transactions/{transaction_id.hex()}",
                query=query,
                wait_ms=timeout_ms if wait is not None else 0,
                good=(200, 504),
            )
        except ApiProblem as problem:
            if problem.status == 404:
                return None
            raise
        return answer.read(read_status)

    async def submit_until_accepted(self, raw: bytes, *, pause: PauseHook = unnoticed) -> TransactionStatus:
        """Hand in one signed transaction, sending the same bytes again until the node has said what it is.

        Args:
            raw: the signed bytes.
            pause: told as `BLOCKED` from the first attempt that failed until an answer comes.

        Raises:
            ApiProblem: if the node definitely refuses it.
        """
        return await self._until_answered(lambda: self.submit(raw), pause)

    async def settle(
        self, transaction_id: bytes, raw: bytes, *, pause: PauseHook = unnoticed, poll_ms: int = 30_000
    ) -> TransactionStatus:
        """Wait until a transaction is certified or expired, handing it in again if the node forgot it.

        Args:
            transaction_id: its id.
            raw: its signed bytes.
            pause: told as `POLLING` while the node holds the request, as `BLOCKED` while it does not answer.
            poll_ms: how long one request may wait.

        Raises:
            ApiProblem: if the node forgot it and now definitely refuses it.
        """

        async def ask() -> TransactionStatus | None:
            with pause(Pause.POLLING):
                return await self.status(transaction_id, Finality.CERTIFIED, poll_ms)

        while True:
            status = await self._until_answered(ask, pause)
            if status is None:
                status = await self.submit_until_accepted(raw, pause=pause)
            if status.status.reaches(Finality.CERTIFIED):
                return status

    # Feeds.

    async def receipts(self, after: int = -1, *, limit: int = 100, wait_ms: int = 0) -> ReceiptPage:
        """Tell certified receipts beyond leaf `after` (-1 for all), waiting up to `wait_ms` for the first."""
        query = {"after": str(after), "limit": str(limit), "wait_ms": str(min(wait_ms, WAIT_MS_MAX))}
        answer = await self._call("GET", "/v1/receipts", query=query, wait_ms=wait_ms)
        return answer.receipts()

    async def open_receipts(self, after: int, wait_ms: int) -> aiohttp.ClientResponse:
        """Begin a stream of certified receipts beyond leaf `after`; see `scenarios.agents.receiptstream`.

        Args:
            after: the last leaf that was seen, -1 for none.
            wait_ms: after which the node says so if there is nothing new.

        Raises:
            ApiProblem: if the node refuses.
            aiohttp.ClientError: if it does not answer.
        """
        path = f"{self._base_url}/v1/receipts"
        query = {"after": str(after), "wait_ms": str(min(wait_ms, WAIT_MS_MAX)), "stream": "true"}
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=None)
        response = await self._session.get(
            path, params=query, headers=self._headers, timeout=timeout, allow_redirects=False
        )
        if response.status != 200:
            answer = Answer(f"GET {path}", response.status, await response.read())
            self.note_problem(answer.data)
            raise answer.problem()
        return response

    def limit_ms(self, wait_ms: int) -> int:
        """Return how long an answer may take that the node may hold for `wait_ms`, protocol time."""
        return self._request_timeout_ms + wait_ms

    async def documents(self, after: int = 0, *, inbox: str | None = None, wait_ms: int = 0) -> DocumentPage:
        """List envelopes beyond number `after`, waiting up to `wait_ms` for the first.

        Args:
            after: the last number that was seen.
            inbox: in which inbox; of another one everything is listed, for the node may have been replaced since.
            wait_ms: how long to wait.
        """
        query = {"after": str(after), "wait_ms": str(min(wait_ms, WAIT_MS_MAX))}
        if inbox is not None:
            query["inbox"] = inbox
        answer = await self._call("GET", "/v1/documents", query=query, wait_ms=wait_ms)
        return answer.read(
            lambda fields: DocumentPage(
                fields.text("inbox", INBOX_CHARACTERS),
                fields.integer("next"),
                tuple(read_notice(item) for item in fields.items("documents", DOCUMENTS_MAX)),
            )
        )

    # Documents.

    async def post_document(self, root: bytes, to: str, envelope: bytes) -> None:
        """Hand in a sealed envelope for an addressee; return once it is in the node's durable outbox."""
        await self._call("POST", "/v1/documents", body=encode({"root": root, "to": to, "envelope": envelope}))

    async def post_document_until_accepted(
        self, root: bytes, to: str, envelope: bytes, *, pause: PauseHook = unnoticed
    ) -> None:
        """Hand in a sealed envelope, sending the same bytes again until the node has it in its outbox."""
        await self._until_answered(lambda: self.post_document(root, to, envelope), pause)

    async def get_document(self, root: bytes, index: int, *, pause: PauseHook = unnoticed) -> bytes:
        """Fetch a received envelope's bytes, trying again while the node does not answer.

        Args:
            root: under which it came.
            index: its number, as the feed tells it; several may have come under one root.
            pause: told why the call waits.

        Raises:
            ApiProblem: if no such envelope has arrived.
        """
        path, query = f"/v1/documents/{root.hex()}", {"index": str(index)}
        answer = await self._until_answered(lambda: self._call("GET", path, query=query), pause)
        return answer.data

    # Where the node and the ledger stand.

    async def health(self) -> Health:
        """Tell where the node stands."""
        answer = await self._call("GET", "/v1/health")
        return answer.read(read_health)

    async def checkpoint(self, height: int | None = None) -> str:
        """Return the certificate of a height, or the latest: a C2SP signed note."""
        query = {} if height is None else {"height": str(height)}
        answer = await self._call("GET", "/v1/checkpoint", query=query)
        return answer.text()

    async def genesis(self) -> bytes:
        """Return the genesis' canonical bytes; check them by their hash, not by who gave them."""
        return (await self._call("GET", "/v1/genesis")).data

    async def proof(self, transaction_id: bytes) -> ReceiptProof:
        """Return the inclusion proof of a certified transaction's receipt.

        Raises:
            ApiProblem: if it has no certified receipt.
        """
        answer = await self._call("GET", f"/v1/proofs/{transaction_id.hex()}")
        return answer.read(read_proof)

    async def state(self, key: str, *, with_proof: bool = False, linearizable: bool = False) -> StateAnswer:
        """Return a state value or its absence, on demand with its proof, or the latest there is anywhere."""
        query = {"proof": "true"} if with_proof else {}
        if linearizable:
            query["consistency"] = "linearizable"
        answer = await self._call("GET", f"/v1/state/{key}", query=query)
        return answer.read(read_state)

    # Parts.

    def note_problem(self, body: bytes) -> None:
        """Take note of an error that the node answered with, as it was worded; here nothing is kept."""

    async def _call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: bytes | None = None,
        wait_ms: int = 0,
        good: tuple[int, ...] = (200, 202),
    ) -> Answer:
        what = f"{method} {self._base_url}{path}"
        limit_ms = self.limit_ms(wait_ms)
        try:
            async with (
                asyncio.timeout(limit_ms / 1000),
                self._session.request(
                    method,
                    f"{self._base_url}{path}",
                    params=query,
                    data=body,
                    headers=self._headers,
                    timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),
                    allow_redirects=False,
                ) as response,
            ):
                answer = Answer(what, response.status, await response.read())
        except TimeoutError as error:
            raise NodeUnreachableError(
                f"{what}: no answer within {limit_ms} ms; it may have arrived"
            ) from error
        except (aiohttp.ClientError, OSError) as error:
            raise NodeUnreachableError(f"{what}: {type(error).__name__}; it may have arrived") from error
        if answer.status not in good:
            self.note_problem(answer.data)
            raise answer.problem()
        return answer

    async def _until_answered(self, attempt: Callable[[], Awaitable[T]], pause: PauseHook) -> T:
        """Make attempts until one is answered; from the first that is not, the call counts as blocked."""
        backoff_ms = BACKOFF_MS_MIN
        with ExitStack() as blocked:
            while True:
                try:
                    return await attempt()
                except NodeUnreachableError:
                    pass
                except ApiProblem as problem:
                    if not problem.is_passing:
                        raise
                if backoff_ms == BACKOFF_MS_MIN:
                    blocked.enter_context(pause(Pause.BLOCKED))
                await asyncio.sleep(backoff_ms / 1000)
                backoff_ms = min(2 * backoff_ms, BACKOFF_MS_MAX)
