"""The ledger's own figures (M12), folded from a run's events: latency, goodput, availability, divergence, revocations.

Rules:
- Latency is from submission at the intake node, in milliseconds of protocol time; what did not get there is open.
- A node shows a transaction when it has it under a certificate; shares are of all nodes that ever started.
- Of what every node shows only the numbers are kept.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from scenarios.measuring.compute import ALL, ArmFigures, Figure
from scenarios.measuring.facts import Happening

SHARES = (50, 90, 100)
IN_TIME_MS = 5000.0
NS_PER_MS = 1_000_000
NS_PER_S = 1_000_000_000
STOPS_A_LEADER = ("crash", "power_loss", "pause")
REVOKES = ".revoke"


@dataclass(slots=True)
class _Way:
    """One transaction that not every node shows yet: moments in nanoseconds of protocol time."""

    submitted_ns: int
    ordered_ns: int | None = None
    shown_ns: list[int] = field(default_factory=list)


def _numbers() -> array[float]:
    return array("d")


@dataclass(slots=True)
class ProtocolFacts:
    """What the nodes' events come to; call it with each, in order."""

    _nodes: dict[str, int] = field(default_factory=dict)
    _ways: dict[str, _Way] = field(default_factory=dict)
    _ids_at: dict[int, list[str]] = field(default_factory=dict)
    _hash_at: dict[int, str] = field(default_factory=dict)
    _split_at: dict[int, None] = field(default_factory=dict)
    _latencies: dict[str, array[float]] = field(default_factory=dict)
    _everywhere_ms: dict[str, float] = field(default_factory=dict)
    _revocations: dict[str, None] = field(default_factory=dict)
    _valid: int = 0
    _submitted: int = 0
    _in_time: int = 0
    _first_ns: int | None = None
    _last_ns: int = 0
    _leader: str | None = None
    _leader_since_ns: int = 0
    _led_ns: list[tuple[int, int]] = field(default_factory=list)
    _leading_from_ns: int | None = None
    _frames: int = 0
    _bytes: int = 0
    _leaks: int | None = None

    def followed(self, happenings: Iterable[Happening]) -> Iterator[Happening]:
        """Yield events as they come, taking each into account."""
        for happening in happenings:
            handler = _HANDLERS.get(happening.name)
            if handler is not None:
                handler(self, happening, _integer(happening, "protocol_ns"))
            yield happening

    def put_into(self, figures: ArmFigures) -> None:
        """Add all figures of M12 to an arm's."""
        for way in self._ways.values():
            self._count(way, len(self._nodes))
        self._ways.clear()
        for name in _LATENCIES:
            numbers = self._latencies.get(name, _numbers())
            open_ = self._submitted - len(numbers)
            figures.figures[name] = {ALL: Figure(values=numbers, open=open_)}
        seconds = 0.0 if self._first_ns is None else (self._last_ns - self._first_ns) / NS_PER_S
        goodput = Figure(total=self._valid / seconds) if seconds > 0 else Figure()
        figures.figures["M12-goodput"] = {ALL: goodput}
        figures.figures["M12-leader"] = {ALL: self._availability()}
        figures.figures["M12-in-time"] = {ALL: Figure(hits=self._in_time, of=self._submitted)}
        figures.figures["M12-divergence"] = {ALL: Figure(hits=len(self._split_at), of=len(self._hash_at))}
        messages = Figure(total=self._frames / self._valid) if self._valid and self._frames else Figure()
        figures.figures["M12-messages"] = {ALL: messages}
        size = Figure(total=self._bytes / self._valid) if self._valid and self._bytes else Figure()
        figures.figures["M12-bytes"] = {ALL: size}
        leaks = Figure() if self._leaks is None else Figure(total=self._leaks)
        figures.figures["M12-leaks"] = {ALL: leaks}
        revoked = array("d", [self._everywhere_ms[i] for i in self._revocations if i in self._everywhere_ms])
        open_ = len(self._revocations) - len(revoked)
        figures.figures["M12-revocation"] = {ALL: Figure(values=revoked, open=open_)}

    def _availability(self) -> Figure:
        """Return the share of protocol time with a leader; no count of cases, so that it has no interval."""
        if self._leading_from_ns is None:
            return Figure()
        led = [*self._led_ns, *([(self._leader_since_ns, self._last_ns)] if self._leader is not None else [])]
        led_ns = sum(max(0, min(until_ns, self._last_ns) - since_ns) for since_ns, until_ns in led)
        spent_ns = self._last_ns - self._leading_from_ns
        return Figure(total=led_ns / spent_ns) if spent_ns > 0 else Figure()

    def _count(self, way: _Way, nodes: int) -> float | None:
        """Take a transaction's latencies down; return that to the last node, if every one shows it."""

        def note(name: str, moment_ns: int) -> float:
            latency_ms = (moment_ns - way.submitted_ns) / NS_PER_MS
            self._latencies.setdefault(name, _numbers()).append(latency_ms)
            return latency_ms

        if way.ordered_ns is not None:
            note("M12-ordered", way.ordered_ns)
        if way.shown_ns:
            self._in_time += note("M12-certified", way.shown_ns[0]) <= IN_TIME_MS
        last: float | None = None
        for share in SHARES:
            needed = -(-nodes * share // 100)
            if len(way.shown_ns) >= needed > 0:
                last = note(f"M12-visible-{share}", way.shown_ns[needed - 1])
        return last if nodes and len(way.shown_ns) >= nodes else None

    def _started(self, happening: Happening, now_ns: int) -> None:
        node = happening.text("node")
        self._nodes.setdefault(node, 0)
        self._gone(node, now_ns)

    def _stopped(self, happening: Happening, now_ns: int) -> None:
        self._gone(happening.text("node"), now_ns)

    def _hit(self, happening: Happening, now_ns: int) -> None:
        hit = happening.fields.get("hit")
        if happening.text("kind") in STOPS_A_LEADER and isinstance(hit, list):
            for node in hit:
                self._gone(str(node), now_ns)

    def _gone(self, node: str, now_ns: int) -> None:
        if node == self._leader:
            self._led_ns.append((self._leader_since_ns, now_ns))
            self._leader = None

    def _role(self, happening: Happening, now_ns: int) -> None:
        node = happening.text("node")
        if happening.text("role") != "leader":
            self._gone(node, now_ns)
            return
        if self._leading_from_ns is None:
            self._leading_from_ns = now_ns
        if self._leader is not None:
            self._gone(self._leader, now_ns)
        self._leader, self._leader_since_ns = node, now_ns

    def _submit(self, happening: Happening, now_ns: int) -> None:
        self._first_ns = now_ns if self._first_ns is None else self._first_ns
        self._last_ns = max(self._last_ns, now_ns)
        if happening.text("id") not in self._ways:
            self._ways[happening.text("id")] = _Way(now_ns)
            self._submitted += 1

    def _executed(self, happening: Happening, now_ns: int) -> None:
        self._last_ns = max(self._last_ns, now_ns)
        height, block = _integer(happening, "height"), happening.text("hash")
        if self._hash_at.setdefault(height, block) != block:
            self._split_at[height] = None
        receipts = happening.fields.get("receipts")
        if height in self._ids_at or not isinstance(receipts, list):
            return
        ids: list[str] = []
        for receipt in receipts:
            id_, code, *_ = str(receipt).split(":", 2)
            self._valid += code == "VALID"
            ids.append(id_)
            way = self._ways.get(id_)
            if way is not None and way.ordered_ns is None:
                way.ordered_ns = now_ns
        self._ids_at[height] = ids

    def _certified(self, happening: Happening, now_ns: int) -> None:
        node, height = happening.text("node"), _integer(happening, "height")
        self._last_ns = max(self._last_ns, now_ns)
        before = self._nodes.setdefault(node, 0)
        for covered in range(before + 1, height + 1):
            for id_ in self._ids_at.get(covered, ()):
                way = self._ways.get(id_)
                if way is None:
                    continue
                way.shown_ns.append(now_ns)
                if len(way.shown_ns) == len(self._nodes):
                    everywhere_ms = self._count(self._ways.pop(id_), len(self._nodes))
                    if everywhere_ms is not None:
                        self._everywhere_ms[id_] = everywhere_ms
        self._nodes[node] = max(before, height)

    def _receipt(self, happening: Happening, _now_ns: int) -> None:
        if happening.text("type").endswith(REVOKES) and happening.text("code") == "VALID":
            self._revocations[happening.text("id")] = None

    def _second(self, happening: Happening, _now_ns: int) -> None:
        self._frames += _integer(happening, "frames")
        self._bytes += _integer(happening, "bytes")

    def _compared(self, happening: Happening, _now_ns: int) -> None:
        self._leaks = _integer(happening, "leaks")


def _integer(happening: Happening, name: str) -> int:
    value = happening.fields.get(name)
    return value if isinstance(value, int) else 0


_LATENCIES = ("M12-ordered", "M12-certified", *(f"M12-visible-{share}" for share in SHARES))

_HANDLERS: Mapping[str, Callable[[ProtocolFacts, Happening, int], None]] = {
    "node.started": ProtocolFacts._started,
    "node.stopped": ProtocolFacts._stopped,
    "fault.began": ProtocolFacts._hit,
    "raft.role": ProtocolFacts._role,
    "transaction.submitted": ProtocolFacts._submit,
    "block.executed": ProtocolFacts._executed,
    "block.certified": ProtocolFacts._certified,
    "receipt": ProtocolFacts._receipt,
    "trace": ProtocolFacts._second,
    "privacy.compared": ProtocolFacts._compared,
}
