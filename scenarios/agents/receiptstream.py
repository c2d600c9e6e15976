"""A node's certified receipts as they come, over one request that stays open.

Rules:
- A page comes with what is new, and an empty one at the latest when `wait_ms` have passed: a node from which nothing
  comes for longer does not answer.
- Whoever asks says after which leaf: if that is not where the stream stands, another is begun there.
- A stream that ends or breaks is a node that does not answer; what was read from it was true and is not read again.
"""

from __future__ import annotations

import asyncio
import json

import aiohttp

from scenarios.agents.answers import Answer, NodeUnreachableError, ReceiptPage
from scenarios.agents.client import NodeClient

_ERROR = b'{"error":'


class ReceiptStream:
    """One organization's feed of its node's receipts.

    Args:
        client: of the node.
        wait_ms: how long the node may have nothing to tell before it says so, protocol time.
    """

    def __init__(self, client: NodeClient, wait_ms: int) -> None:
        self._client = client
        self._wait_ms = wait_ms
        self._response: aiohttp.ClientResponse | None = None
        self._after = -1
        self._read = bytearray()

    async def next(self, after: int) -> ReceiptPage:
        """Return the next page of receipts beyond leaf `after`, empty if nothing came for `wait_ms`.

        Raises:
            NodeUnreachableError: if nothing comes, or the stream ends.
            ApiProblem: if the node states an error.
        """
        try:
            async with asyncio.timeout(self._client.limit_ms(self._wait_ms) / 1000):
                if self._response is None or self._after != after:
                    self.close()
                    self._response = await self._client.open_receipts(after, self._wait_ms)
                page = self._page(await self._line(self._response))
        except BaseException as error:
            self.close()
            if isinstance(error, TimeoutError | aiohttp.ClientError | OSError):
                raise NodeUnreachableError(f"receipts beyond {after}: {type(error).__name__}") from error
            raise
        self._after = page.next
        return page

    def close(self) -> None:
        """Let the request go; the next page begins another."""
        if self._response is not None:
            self._response.close()
        self._response = None
        self._read.clear()

    async def _line(self, response: aiohttp.ClientResponse) -> bytes:
        while (end := self._read.find(b"\n")) < 0:
            data = await response.content.readany()
            if not data:
                raise NodeUnreachableError("the node ended the stream of receipts")
            self._read += data
        line = bytes(self._read[:end])
        del self._read[: end + 1]
        return line

    def _page(self, line: bytes) -> ReceiptPage:
        what = f"receipts beyond {self._after}"
        if line.startswith(_ERROR):
            self._client.note_problem(line)
            raise Answer(what, int(json.loads(line).get("status", 500)), line).problem()
        return Answer(what, 200, line).receipts()
