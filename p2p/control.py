"""The control channel: how whoever runs the trial sets a node's calendar and learns when it has settled.

Rules:
- It exists only when the configuration has a control token, apart from the organization's token.
- It tells where the node stands, moves its calendar, harms the frames that leave, the disk and the calendar of a real
  process, and ends the process at a named point of its program; it never changes what the node decides.
- *Settled* is for the trial to judge: this only reports heights, pool, outbox, and whether anything is under way.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable
from typing import Protocol

from aiohttp import web

from p2p.answers import ApiError, read_integer
from p2p.codepoints import CodePoint, Trap
from p2p.frameweather import Mishap, Rule
from p2p.live import LiveMachine
from p2p.livecalendar import CalendarError
from p2p.livedisk import DiskFailure
from p2p.node import Node
from p2p.observer import RecordField
from p2p.signal import Signal

EVENTS_KEPT = 20000


class Activity(Protocol):
    """Something that counts requests under way."""

    active: int


class EventLog:
    """An observer that keeps records for the control channel to fetch: the live world's ears.

    Args:
        now_ns: the protocol clock, nanoseconds.
    """

    def __init__(self, now_ns: Callable[[], int]) -> None:
        self._now_ns = now_ns
        self.first = 0
        self.signal = Signal()
        self.events: deque[dict[str, RecordField]] = deque()
        self.frames = 0
        self.frame_bytes = 0

    def record(self, event: str, **fields: RecordField) -> None:
        """Keep a record; the oldest goes when there are too many."""
        self.events.append({"event": event, "protocol_ns": self._now_ns(), **fields})
        if len(self.events) > EVENTS_KEPT:
            self.events.popleft()
            self.first += 1
        self.signal.fire()

    def frame(self, source: str, target: str, kind: str, frame: bytes) -> None:
        """Count a frame."""
        self.frames += 1
        self.frame_bytes += len(frame)

    def arrived(self, source: str, target: str, frame: bytes) -> None:
        """Keep nothing: it was counted where it left."""

    def dropped(self, source: str, target: str, frame: bytes) -> None:
        """Keep nothing."""

    def since(self, after: int) -> tuple[int, list[dict[str, RecordField]]]:
        """Return the records from number `after` on, and the number to go on from."""
        skip = max(0, after - self.first)
        events = [event for i, event in enumerate(self.events) if i >= skip]
        return self.first + len(self.events), events


def standing(node: Node, activity: Activity) -> dict[str, int | str | bool | None]:
    """Return where a node stands, for the trial to judge whether the network has settled."""
    return {
        "height": node.ledger.height,
        "certified": node.certifier.certified_height,
        "pool": len(node.pool),
        "outbox": node.courier.outstanding,
        "term": node.ordering.term,
        "role": node.ordering.raw.role.value,
        "leader": node.ordering.leader,
        "in_flight": node.ordering.chain.in_flight,
        "last_receipt": node.store.last_receipt_index(node.certifier.certified_height),
        "last_document": node.store.last_document_index,
        "busy": node.driver.is_busy or node.sync.is_busy or activity.active > 0,
        "orders": node.ordering.orders,
        "calendar_ms": node.machine.now_ms(),
        "frames_sent": node.links.figures.frames_sent,
        "bytes_sent": node.links.figures.bytes_sent,
    }


def add_control(app: web.Application, node: Node, activity: Activity) -> None:
    """Add the control channel's paths to a node's API."""

    async def get_status(_request: web.Request) -> web.Response:
        activity.active -= 1  # asking is not work
        try:
            body = await node.look(lambda: standing(node, activity))
        finally:
            activity.active += 1
        return _answer(body)

    async def post_calendar(request: web.Request) -> web.Response:
        try:
            time_ms = json.loads(await request.read())["time_ms"]
        except (ValueError, KeyError, TypeError):
            time_ms = None
        if not isinstance(time_ms, int) or isinstance(time_ms, bool) or time_ms < 0:
            remedy = 'Send {"time_ms": N}, UTC milliseconds.'
            raise ApiError(400, "BAD_BODY", "time_ms: no whole number of 0 or more", remedy)
        node.machine.set_calendar(time_ms)
        return _answer({"calendar_ms": node.machine.now_ms()})

    async def get_events(request: web.Request) -> web.Response:
        log = node.observer
        if not isinstance(log, EventLog):
            remedy = "Ask the world that runs this node."
            raise ApiError(404, "NO_EVENTS", "this node's records go to the world it runs in", remedy)
        after = read_integer(request, "after", 0, 1 << 62)
        wait_ms = read_integer(request, "wait_ms", 0, 60_000)
        activity.active -= 1
        try:
            await log.signal.until(lambda: True if log.since(after)[1] else None, wait_ms)
        finally:
            activity.active += 1
        following, events = log.since(after)
        return web.Response(
            body=json.dumps({"next": following, "events": events}).encode(), content_type="application/json"
        )

    async def post_stop(_request: web.Request) -> web.Response:
        node.stop()
        return _answer({"stopping": True})

    app.router.add_get("/control/status", get_status)
    app.router.add_post("/control/calendar", post_calendar)
    app.router.add_get("/control/events", get_events)
    _add_harm(app, node)
    app.router.add_post("/control/stop", post_stop)


def _add_harm(app: web.Application, node: Node) -> None:
    """Add the paths by which a trial harms what the node sends, and ends its process."""

    async def post_frames(request: web.Request) -> web.Response:
        try:
            listed = json.loads(await request.read())["rules"]
            rules = [
                Rule(Mishap(rule["mishap"]), float(rule["share"]), int(rule.get("run", 1))) for rule in listed
            ]
        except (ValueError, KeyError, TypeError):
            rules = None
        if rules is None or not all(0 <= rule.share <= 1 <= rule.run for rule in rules):
            form = '{"rules": [{"mishap": M, "share": 0 to 1, "run": frames in a row}]}'
            remedy = f"Send {form}, M one of {', '.join(Mishap)}."
            raise ApiError(400, "BAD_BODY", "rules: no list of mishaps with their shares", remedy)
        node.links.weather.replace(rules)
        return _answer({"rules": len(rules)})

    async def post_crash_at(request: web.Request) -> web.Response:
        try:
            listed = json.loads(await request.read())["points"]
            traps = [
                Trap(CodePoint(one["point"]), int(one.get("nth", 1)), one.get("chance")) for one in listed
            ]
        except (ValueError, KeyError, TypeError, AttributeError):
            traps = None
        if traps is None or not all(trap.nth >= 1 and _is_chance(trap.chance) for trap in traps):
            form = '{"points": [{"point": P, "nth": 1 or more, or "chance": above 0, at most 1}]}'
            remedy = f"Send {form}, P one of {', '.join(CodePoint)}."
            raise ApiError(400, "BAD_BODY", "points: no list of points with their occurrence", remedy)
        node.machine.points.disarm()
        for trap in traps:
            node.machine.points.set_trap(trap)
        return _answer({"points": len(traps)})

    app.router.add_post("/control/frames", post_frames)
    app.router.add_post("/control/crash-at", post_crash_at)
    if isinstance(node.machine, LiveMachine):
        _add_live_harm(app, node.machine)


def _is_chance(value: object) -> bool:
    return value is None or (isinstance(value, float | int) and 0 < value <= 1)


def _add_live_harm(app: web.Application, machine: LiveMachine) -> None:
    """Add the paths by which a trial harms a real process's disk and calendar."""

    async def post_disk(request: web.Request) -> web.Response:
        try:
            told = json.loads(await request.read())
            failures = tuple(DiskFailure(failure) for failure in told["failures"])
            slow = None if told["slow_ms"] is None else (float(told["slow_ms"][0]), float(told["slow_ms"][1]))
        except (ValueError, KeyError, TypeError, IndexError):
            form = '{"failures": [F], "slow_ms": [shortest, longest] or null}'
            remedy = f"Send {form}, F one of {', '.join(DiskFailure)}."
            raise ApiError(400, "BAD_BODY", "no harm to a disk", remedy) from None
        if machine.disk is None:
            remedy = "Give the node file a disk: {failures: [], slow_ms: null}, and start the node again."
            raise ApiError(409, "NO_DOOR", "this process was not started for a disk that fails", remedy)
        machine.disk.failures, machine.disk.slow_ms = failures, slow
        return _answer({"failures": len(failures)})

    async def post_calendar_error(request: web.Request) -> web.Response:
        try:
            told = json.loads(await request.read())
            error = CalendarError(**{name: int(told[name]) for name in CalendarError.__slots__})
        except (ValueError, KeyError, TypeError):
            remedy = 'Send {"offset_ms": N, "drift_ppm": N, "drift_from_ms": N}.'
            raise ApiError(400, "BAD_BODY", "no error of a calendar", remedy) from None
        machine.calendar.error = error
        return _answer({"calendar_ms": machine.now_ms()})

    app.router.add_post("/control/disk", post_disk)
    app.router.add_post("/control/calendar-error", post_calendar_error)


def _answer(body: dict[str, int | str | bool | None], status: int = 200) -> web.Response:
    return web.Response(
        body=json.dumps(body, sort_keys=True).encode(), status=status, content_type="application/json"
    )
