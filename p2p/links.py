"""One WebSocket per pair of peers, with a bounded queue each way.

Rules:
- Links follow the roster: members that came are dialed where the ledger says, or the configuration; links of nodes that
  were removed or replaced are closed with a reason, after a moment in which they are told of it.
- A peer whose store is not the one it had is refused; a store seen for the first time is kept before the link opens.
- The node with the lower Raft id dials and redials with growing, jittered pauses; a newer link from the same
  peer replaces the older one, which a half-dead connection would otherwise block.
- One sender task per link empties its own queue, Raft's frames first; when the queue is full the oldest gossip
  goes, since reconciliation repairs it, and Raft's frames go last, since Raft repeats them.
- One reader task per link only moves frames to the node's inbox and waits while that is full, so a fast peer is
  slowed by TCP and not by our memory.
- What is no frame ends the link with a reason, is counted and disturbs nobody else; so does what is no peer at all:
  plain HTTP, bytes that are not even that, an opening that does not hold.
- Whoever stops answering while a link is opened or closed is waited for only so long.
- aiohttp's own heartbeat is off: its PONG waits behind the queue and would kill a slow but live peer. A silent
  link gets a sign of life; a link that heard nothing for long is closed and dialed again.
- Nodes that neither gossip nor order with each other are linked when one has an envelope for the other, and not again
  when that link ends, unless there is another one.
- Who may not dial and has lost its end asks for a dial (`recall`): the link that the other side still believes in is
  closed, unless something came over it a moment ago.
- WebSocket compression is off.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import aiohttp
from aiohttp import web

from ledger.keys import Verifier
from ledger.roster import Roster
from p2p.acquaintance import Acquaintance
from p2p.codepoints import CodePoint
from p2p.config import NodeConfig
from p2p.errors import FrameError, HelloError, NodeHaltedError
from p2p.framecodec import decode_frame, encode_frame
from p2p.frames import (
    FRAME_BYTES_MAX,
    URGENT,
    AliveFrame,
    Frame,
    FrameKind,
    kind_of,
)
from p2p.frameweather import FrameWeather
from p2p.hello import CHALLENGE_BYTES, Identity, shake_hands
from p2p.link import CLOSE_LIMIT_S, Link, Socket, close_socket, is_weighty
from p2p.machine import Machine
from p2p.met import Met
from p2p.observer import Observer
from p2p.ports import listen
from p2p.recall import Recall
from p2p.refusals import RefusalHandler

PEER_PATH = "/peer"
_SILENT_BACKOFFS = 0.25
"""A link is given up for who asks after this much silence, in longest pauses; nobody asks before twice as much."""
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(slots=True)
class LinkFigures:
    """Counters of one node's links."""

    frames_sent: int = 0
    frames_received: int = 0
    bytes_sent: int = 0
    bytes_received: int = 0
    frames_dropped: int = 0
    rubbish: int = 0
    hellos_refused: int = 0
    dials_failed: int = 0
    links_broken: int = 0
    links_opened: int = 0


Deliver = Callable[[str, Frame, int], Awaitable[None]]


@dataclass(slots=True)
class Links:
    """All links of one node.

    Attributes:
        config, machine, verifier, observer: the node's own.
        store_id: of the node's store.
        peers: with whom this node needs links; told of changes by `follow`.
        met: the stores of the peers that this node has met.
        keep: makes what there is to keep of the peers durable.
        deliver: takes a frame from a peer, and its size in bytes, into the node's inbox; waits while that is full.
        on_change: called with (peer, is_open) when a link opens or closes; a link that replaces another does both.
        weather: what is done on purpose to the frames that leave.
    """

    config: NodeConfig
    machine: Machine
    verifier: Verifier
    observer: Observer
    store_id: bytes
    peers: Acquaintance
    met: Met
    keep: Callable[[bytes], Awaitable[None]]
    deliver: Deliver
    on_change: Callable[[str, bool], None]
    weather: FrameWeather
    figures: LinkFigures = field(default_factory=LinkFigures)
    _links: dict[str, Link] = field(default_factory=dict)
    _dialers: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    _closing: list[asyncio.Task[None]] = field(default_factory=list)
    _session: aiohttp.ClientSession | None = None
    _runner: web.AppRunner | None = None
    _stopping: bool = False
    _recall: Recall = field(init=False)

    def __post_init__(self) -> None:
        first_ms = self.config.timing.dial_backoff_ms_max
        self._recall = Recall(self._lacks, self._ask_for_dial, self.machine.random, first_ms)

    @property
    def connected(self) -> list[str]:
        """The peers with an open link."""
        return list(self._links)

    def is_connected(self, peer: str) -> bool:
        """Whether a link to `peer` is open."""
        return peer in self._links

    def heard_since(self, at: float) -> list[str]:
        """The peers whose open link brought something after protocol time `at`, seconds."""
        return [peer for peer, link in self._links.items() if link.heard_at > at]

    async def start(self) -> None:
        """Listen for peers and begin to dial those this node must dial."""
        app = web.Application(middlewares=[self._only_peers])
        app.router.add_get(PEER_PATH, self._accept)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5, logger=self._server_log())
        await self._runner.setup()
        await listen(self._runner, self.config.peer_host, self.config.peer_port, "other nodes")
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=None))
        self._dial_needed()

    def follow(self, roster: Roster) -> None:
        """Follow a changed roster: dial who came; whose node is not a member's any more is left at the next `tend`."""
        self.peers.roster = roster
        if self._session is not None and not self._stopping:
            self._dial_needed()

    def _dial_needed(self) -> None:
        for peer in self.peers.needed():
            self._begin_to_dial(peer)

    def _begin_to_dial(self, peer: str) -> None:
        dialer = self._dialers.get(peer)
        if self.peers.dials(peer) and (dialer is None or dialer.done()):
            dialer = asyncio.get_running_loop().create_task(self._keep_dialing(peer), name=f"dial {peer}")
            self._dialers[peer] = dialer

    def _call_addressed(self) -> None:
        """Have a link to everybody for whom there is an envelope, though neither gossip nor ordering needs one."""
        for peer in self.peers.occasional():
            if peer not in self._links:
                self._begin_to_dial(peer)
                if self._lacks(peer):
                    self._recall.wanted(peer)

    async def stop(self) -> None:
        """Close every link and stop listening.

        Raises:
            Exception: whatever ended a dialer before; that is a fault of this program.
        """
        self._stopping = True
        dialers = list(self._dialers.values())
        for dialer in dialers:
            dialer.cancel()
        ends = await asyncio.gather(*dialers, return_exceptions=True)
        await self._recall.stop()
        for link in self._links.values():
            link.closing = True
        sockets = [link.socket for link in self._links.values()]
        await asyncio.gather(
            *(close_socket(socket, 1001, "the node stops") for socket in sockets), *self._closing
        )
        if self._session is not None:
            await self._session.close()
        if self._runner is not None:
            await self._runner.cleanup()
        for end in ends:
            if isinstance(end, Exception):
                raise end

    @property
    def queued_bytes(self) -> int:
        """How many bytes wait on the link on which most do."""
        return max((link.queued_bytes for link in self._links.values()), default=0)

    def send(self, peer: str, frame: Frame) -> None:
        """Queue `frame` for `peer`; without an open link it is dropped, as the network might have done."""
        link = self._links.get(peer)
        if link is not None:
            self._put(link, kind_of(frame), encode_frame(frame))

    def broadcast(self, frame: Frame) -> None:
        """Queue `frame` for every peer with an open link."""
        data = encode_frame(frame)
        kind = kind_of(frame)
        for link in self._links.values():
            self._put(link, kind, data)

    def tend(self, now: float) -> None:
        """Send a sign of life over silent links and close those that heard nothing for too long."""
        timing = self.config.timing
        self._call_addressed()
        for link in list(self._links.values()):
            member = self.peers.roster.find(link.peer)
            if member is None or member.node.raft_id != link.raft_id:
                gone = (
                    "was removed"
                    if member is None
                    else f"was replaced by incarnation {member.node.incarnation}"
                )
                self._close_soon(link, f"the node of {link.peer} {gone}")
            elif (now - link.heard_at) * 1000 > timing.alive_expiry_ms:
                self._close_soon(link, "nothing heard for too long")
            elif (now - link.sent_at) * 1000 > timing.alive_interval_ms:
                self._put(link, FrameKind.ALIVE, encode_frame(AliveFrame()))

    def _put(self, link: Link, kind: FrameKind, data: bytes) -> None:
        self.observer.frame(self.config.organization, link.peer, kind.name, data)
        self.figures.frames_sent += 1
        self.figures.bytes_sent += len(data)
        urgent = kind in URGENT
        if self.weather.is_calm:
            self.figures.frames_dropped += link.put(data, urgent=urgent)
            return
        outcome = self.weather.shape(data)
        if not outcome:
            self.observer.dropped(self.config.organization, link.peer, data)
        for late_s, shaped in outcome:
            if not late_s:
                self.figures.frames_dropped += link.put(shaped, urgent=urgent)
            else:
                asyncio.get_running_loop().call_later(late_s, self._put_late, link, shaped, urgent)

    def _put_late(self, link: Link, data: bytes, urgent: bool) -> None:
        if not link.closing:
            self.figures.frames_dropped += link.put(data, urgent=urgent)

    def _close_soon(self, link: Link, reason: str) -> None:
        if link.closing:
            return
        link.closing = True
        link.wake.set()
        self.observer.record("link.expired", node=self.config.organization, peer=link.peer, reason=reason)
        closing = asyncio.get_running_loop().create_task(
            close_socket(link.socket, 4003, reason), name="close"
        )
        self._closing.append(closing)
        closing.add_done_callback(self._closing.remove)

    def _identity(self) -> Identity:
        config = self.config
        return Identity(
            self.peers.roster,
            config.organization,
            config.node_key,
            config.incarnation,
            self.store_id,
            config.protocol_version,
        )

    async def _shake(self, socket: Socket, expected: str | None) -> tuple[str, int]:
        async def receive() -> bytes:
            return await socket.receive_bytes()

        try:
            async with asyncio.timeout(self.config.timing.hello_timeout_ms / 1000):
                theirs = await shake_hands(
                    self._identity(),
                    self.verifier,
                    challenge=self.machine.random.randbytes(CHALLENGE_BYTES),
                    expected=expected,
                    send=socket.send_bytes,
                    receive=receive,
                )
        except (TypeError, aiohttp.WSMessageTypeError) as error:
            raise HelloError("the other side closed, or sent something that is no hello") from error
        except TimeoutError as error:
            raise HelloError(f"no hello within {self.config.timing.hello_timeout_ms} ms") from error
        reason = self.met.refusal(theirs)
        if reason is not None:
            raise HelloError(reason)
        if self.met.is_new(theirs):
            try:
                await self.keep(self.met.meet(theirs))
            except NodeHaltedError as error:
                raise HelloError("this node has stopped") from error
        return theirs.organization, self._identity().node_of(theirs).raft_id

    def _refuse(self, where: str, error: HelloError) -> None:
        self.figures.hellos_refused += 1
        self.observer.record("hello.refused", node=self.config.organization, peer=where, reason=str(error))

    @web.middleware
    async def _only_peers(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Count and answer what is no opening of a link."""
        try:
            return await handler(request)
        except web.HTTPException as error:
            reason = (
                f"{request.method} {request.path[:80]}: {error.reason}; peers open a WebSocket at {PEER_PATH}"
            )
            self._refuse(request.remote or "?", HelloError(reason))
            return web.Response(status=error.status, text=reason)

    def _server_log(self) -> logging.Logger:
        """Return a log that counts what the HTTP parser refused and passes everything else on."""
        log = logging.Logger(
            "seatrial.peer", logging.DEBUG
        )  # aiohttp tells of bytes that are no HTTP at DEBUG
        log.addHandler(RefusalHandler(self._refuse))
        return log

    async def _accept(self, request: web.Request) -> web.WebSocketResponse:
        if self._stopping:
            raise web.HTTPServiceUnavailable
        socket = web.WebSocketResponse(compress=False, max_msg_size=FRAME_BYTES_MAX, timeout=CLOSE_LIMIT_S)
        await socket.prepare(request)
        try:
            peer, raft_id = await self._shake(socket, None)
        except HelloError as error:
            self._refuse(request.remote or "?", error)
            await close_socket(socket, 4001, str(error))
            return socket
        except (ConnectionError, aiohttp.ClientError):
            self.figures.links_broken += 1
            return socket
        if raft_id > self.config.raft_id:
            self._asked_for_dial(peer)
            await close_socket(socket, 1000, "this side dials")
        else:
            await self._run(peer, raft_id, socket)
        return socket

    def _asked_for_dial(self, peer: str) -> None:
        """Give up the link of a peer that says to have none, and from which nothing came: the dialer dials again.

        One with which no link was needed is dialed from now on until a link has opened.
        """
        link = self._links.get(peer)
        silence_s = self.config.timing.dial_backoff_ms_max / 1000 * _SILENT_BACKOFFS
        if link is not None and asyncio.get_running_loop().time() - link.heard_at > silence_s:
            self._close_soon(link, "its other end is gone")
            self._ended(link)
        elif link is None and peer not in self.peers.needed():
            self.peers.asked(peer)
            self._begin_to_dial(peer)

    def _lacks(self, peer: str) -> bool:
        return not self._stopping and peer not in self._links and self.peers.awaits(peer)

    async def _ask_for_dial(self, peer: str) -> None:
        socket = await self._open(peer)
        if socket is not None:
            await close_socket(socket[0], 1000, "dial again")

    async def _keep_dialing(self, peer: str) -> None:
        timing = self.config.timing
        pause_ms = float(timing.dial_backoff_ms_min)
        while self.peers.dials(peer):
            if await self._dial_once(peer):
                pause_ms = timing.dial_backoff_ms_min
            await asyncio.sleep(pause_ms * self.machine.random.uniform(0.5, 1.0) / 1000)
            pause_ms = min(pause_ms * 2, timing.dial_backoff_ms_max)

    async def _dial_once(self, peer: str) -> bool:
        """Dial, serve the link until it ends, and say whether it had opened."""
        opened = await self._open(peer)
        if opened is None:
            return False
        socket, raft_id = opened
        self.peers.answered(peer)
        await self._run(peer, raft_id, socket)
        return True

    async def _open(self, peer: str) -> tuple[Socket, int] | None:
        """Connect to a peer and shake hands; return the socket and its Raft id, or None if either fails."""
        assert self._session is not None  # noqa: S101 - started before any dialer
        url = self.peers.url(peer)
        if url is None:
            return None
        try:
            async with asyncio.timeout(self.config.timing.hello_timeout_ms / 1000):
                socket = await self._session.ws_connect(
                    url + PEER_PATH,
                    compress=0,
                    max_msg_size=FRAME_BYTES_MAX,
                    timeout=aiohttp.ClientWSTimeout(ws_close=CLOSE_LIMIT_S),
                )
        except (aiohttp.ClientError, OSError, TimeoutError):
            self.figures.dials_failed += 1
            return None
        try:
            _, raft_id = await self._shake(socket, peer)
        except HelloError as error:
            self._refuse(peer, error)
            await close_socket(socket, 4001, str(error))
            return None
        except (ConnectionError, aiohttp.ClientError):
            self.figures.links_broken += 1
            return None
        return socket, raft_id

    async def _run(self, peer: str, raft_id: int, socket: Socket) -> None:
        loop = asyncio.get_running_loop()
        link = Link(peer, socket, loop.time(), raft_id)
        older = self._links.get(peer)
        if older is not None:
            self._close_soon(older, "replaced by a newer link")
            self._ended(older)
        self._links[peer] = link
        self.figures.links_opened += 1
        self.observer.record("link.opened", node=self.config.organization, peer=peer)
        self.on_change(peer, True)
        sender = loop.create_task(self._send_loop(link), name=f"send to {peer}")
        rubbish: str | None = None
        try:
            await self._read_loop(link)
        except FrameError as error:
            rubbish = str(error)
            self.figures.rubbish += 1
            self.observer.record(
                "link.rubbish", node=self.config.organization, peer=peer, reason=rubbish[:200]
            )
        finally:
            link.closing = True
            sender.cancel()
            self._ended(link)
        if rubbish is not None:
            await close_socket(socket, 4002, rubbish)

    def _ended(self, link: Link) -> None:
        if self._links.get(link.peer) is link:
            del self._links[link.peer]
            self.observer.record("link.closed", node=self.config.organization, peer=link.peer)
            self.on_change(link.peer, False)
            if self._lacks(link.peer):
                self._recall.lost(link.peer)

    async def _read_loop(self, link: Link) -> None:
        loop = asyncio.get_running_loop()
        figures = self.figures
        receive = link.socket.receive
        while not link.closing:
            message = await receive()
            if message.type is aiohttp.WSMsgType.BINARY:
                data: bytes = message.data
                link.heard_at = loop.time()
                figures.frames_received += 1
                figures.bytes_received += len(data)
                self.observer.arrived(link.peer, self.config.organization, data)
                await self.deliver(link.peer, decode_frame(data), len(data))
            elif message.type is aiohttp.WSMsgType.TEXT:
                raise FrameError("a text message; frames are binary")
            elif isinstance(message.data, aiohttp.WebSocketError):
                raise FrameError(f"not what a WebSocket carries here: {message.data}")
            else:
                return

    async def _send_loop(self, link: Link) -> None:
        loop = asyncio.get_running_loop()
        while not link.closing:
            data = link.take()
            if data is None:
                await link.wake.wait()
                continue
            link.sent_at = loop.time()
            points = self.machine.points
            is_point = points.armed and is_weighty(data)
            if is_point:
                points.reached(CodePoint.BEFORE_SEND)
            try:
                await link.socket.send_bytes(data)
            except (ConnectionError, aiohttp.ClientError, RuntimeError):
                self.figures.links_broken += 1
                link.closing = True  # the reader sees the end too and closes the link
                return
            if is_point:
                points.reached(CodePoint.AFTER_SEND)
