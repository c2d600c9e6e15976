"""One open connection to a peer and the frames that wait for it."""

from __future__ import annotations

import asyncio
from collections import deque

import aiohttp
from aiohttp import web

from consensus import MalformedMessageError, Message, MessageType
from p2p.errors import FrameError
from p2p.framecodec import decode_frame
from p2p.frames import RaftFrame
from p2p.wake import Wake

QUEUE_BYTES_MAX = 16 << 20
CLOSE_LIMIT_S = 2.0
_HEARTBEATS = (MessageType.HEARTBEAT, MessageType.HEARTBEAT_RESPONSE)
Socket = web.WebSocketResponse | aiohttp.ClientWebSocketResponse


class Link:
    """One open connection to a peer and the frames that wait for it."""

    def __init__(self, peer: str, socket: Socket, now: float, raft_id: int = 0) -> None:
        self.peer = peer
        self.raft_id = raft_id
        self.socket = socket
        self.heard_at = now
        self.sent_at = now
        self.wake = Wake()
        self.urgent: deque[bytes] = deque()
        self.relaxed: deque[bytes] = deque()
        self.queued_bytes = 0
        self.closing = False

    def put(self, data: bytes, *, urgent: bool) -> int:
        """Queue a frame; return how many older frames had to go for it."""
        dropped = 0
        while self.queued_bytes + len(data) > QUEUE_BYTES_MAX and (self.relaxed or self.urgent):
            oldest = (self.relaxed or self.urgent).popleft()
            self.queued_bytes -= len(oldest)
            dropped += 1
        (self.urgent if urgent else self.relaxed).append(data)
        self.queued_bytes += len(data)
        self.wake.set()
        return dropped

    def take(self) -> bytes | None:
        """Return the next frame to send, or None."""
        queue = self.urgent or self.relaxed
        if not queue:
            return None
        data = queue.popleft()
        self.queued_bytes -= len(data)
        return data


def is_weighty(data: bytes) -> bool:
    """Whether a frame carries a Raft message other than a heartbeat or its answer."""
    try:
        frame = decode_frame(data)
        return isinstance(frame, RaftFrame) and any(
            Message.from_fields(fields).type not in _HEARTBEATS for fields in frame.messages
        )
    except (FrameError, MalformedMessageError):  # harmed on purpose before it left
        return False


async def close_socket(socket: Socket, code: int, reason: str) -> None:
    """Close with a reason a peer can read; WebSocket close reasons hold at most 123 bytes."""
    try:
        async with asyncio.timeout(
            2 * CLOSE_LIMIT_S
        ):  # a full buffer to a peer that reads nothing never drains
            await socket.close(code=code, message=reason.encode()[:120])
    except (ConnectionError, TimeoutError, aiohttp.ClientError):
        return
