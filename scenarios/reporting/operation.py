"""How the network did over a run, folded from its events in one pass.

Rules:
- Latency is from submission to certified at every node, as `scenarios.judging.measure` has it; time is protocol time.
- A long run is told in at most `BINS_MAX` bins: a drawing does not grow with the run.
- A leader leads from the event in which its node says so until it says otherwise, stops, or another one leads a
  later term.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from scenarios.judging.measure import NS_PER_MS, Measurement
from scenarios.measuring.statistics import quantile
from scenarios.record.eventbook import Event

BINS_MAX = 96
BANDS_MAX = 200
LEADS_MAX = 400
NS_PER_S = 1_000_000_000
SPREAD_SHARES = (25, 50, 75, 90, 100)


@dataclass(frozen=True, slots=True)
class Band:
    """A fault while it lasted, protocol seconds."""

    kind: str
    hit: str
    began_s: float
    ended_s: float


@dataclass(frozen=True, slots=True)
class Lead:
    """A node that led, protocol seconds."""

    node: str
    term: int
    began_s: float
    ended_s: float


@dataclass(frozen=True, slots=True)
class Bin:
    """What was submitted in a stretch of the run.

    Attributes:
        began_s: protocol seconds.
        submitted: transactions handed in.
        finished: of them, certified at every node.
        median_ms, p95_ms: to certified at every node; None if none was.
    """

    began_s: float
    submitted: int
    finished: int
    median_ms: float | None
    p95_ms: float | None


@dataclass(frozen=True, slots=True)
class Spread:
    """How long it took until a share of all nodes had executed a block, from the first one that had, milliseconds."""

    share: int
    median_ms: float
    p95_ms: float
    blocks: int


@dataclass(slots=True)
class Operation:
    """Follows the events of a run.

    Attributes:
        nodes: every node's organization.
        measurement: of transactions.
        bands: faults that ended; see `all_bands`.
        links: pairs that ever had a link, sorted within.
        ended_s: protocol seconds of the last event.
    """

    nodes: Sequence[str]
    measurement: Measurement = field(init=False)
    bands: list[Band] = field(default_factory=list)
    links: dict[tuple[str, str], None] = field(default_factory=dict)
    ended_s: float = 0.0
    faults_begun: int = 0
    _open: dict[str, tuple[str, str, float]] = field(default_factory=dict)
    _leads: list[Lead] = field(default_factory=list)
    _leading: tuple[str, int, float] | None = None
    _executed: dict[int, list[int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.measurement = Measurement(tuple(self.nodes))

    def __call__(self, event: Event) -> None:
        """Take an event into account."""
        self.ended_s = max(self.ended_s, event.protocol_ns / NS_PER_S)
        self.measurement(event)
        handler = _HANDLERS.get(event.name)
        if handler is not None:
            handler(self, event)

    def all_bands(self) -> list[Band]:
        """Return all faults, those without an end until the run's end."""
        lasting = [Band(kind, hit, began, self.ended_s) for kind, hit, began in self._open.values()]
        return sorted([*self.bands, *lasting], key=lambda band: (band.began_s, band.kind, band.hit))

    def leads(self) -> list[Lead]:
        """Return who led when, in order."""
        if self._leading is None:
            return list(self._leads)
        node, term, began = self._leading
        return [*self._leads, Lead(node, term, began, self.ended_s)]

    def bins(self) -> list[Bin]:
        """Return the run in equal stretches, from the first transaction to the last."""
        journeys = self.measurement.journeys
        if not journeys:
            return []
        first = min(journey.submitted_ns for journey in journeys)
        last = max(journey.submitted_ns for journey in journeys)
        count = min(BINS_MAX, max(1, len(journeys) // 4))
        width = max(1, -(-(last - first + 1) // count))
        submitted: list[int] = [0] * count
        latencies: list[list[float]] = [[] for _ in range(count)]
        for journey in journeys:
            place = (journey.submitted_ns - first) // width
            submitted[place] += 1
            if len(journey.certified_ns) >= len(self.nodes):
                took_ns = max(journey.certified_ns.values()) - journey.submitted_ns
                latencies[place].append(took_ns / NS_PER_MS)
        found: list[Bin] = []
        for place, values in enumerate(latencies):
            values.sort()
            median, p95 = (quantile(values, 0.5), quantile(values, 0.95)) if values else (None, None)
            began_s = (first + place * width) / NS_PER_S
            found.append(Bin(began_s, submitted[place], len(values), median, p95))
        return found

    def spreads(self) -> list[Spread]:
        """Return how blocks spread over the nodes, by share of them."""
        found: list[Spread] = []
        for share in SPREAD_SHARES:
            needed = -(-len(self.nodes) * share // 100)
            took = sorted(
                (sorted(moments)[needed - 1] - min(moments)) / NS_PER_MS
                for moments in self._executed.values()
                if len(moments) >= needed
            )
            if took:
                found.append(Spread(share, quantile(took, 0.5), quantile(took, 0.95), len(took)))
        return found

    @property
    def blocks(self) -> int:
        """How many blocks any node executed."""
        return len(self._executed)

    def _block(self, event: Event) -> None:
        self._executed.setdefault(event.integer("height"), []).append(event.protocol_ns)

    def _link(self, event: Event) -> None:
        one, other = sorted((event.text("node"), event.text("peer")))
        self.links[one, other] = None

    def _fault_began(self, event: Event) -> None:
        hit = event.fields.get("hit")
        names = ", ".join(map(str, hit)) if isinstance(hit, list) else str(hit)
        self.faults_begun += 1
        key = str(event.fields["fault"])
        self._open[key] = str(event.fields["kind"]), names, event.protocol_ns / NS_PER_S

    def _fault_ended(self, event: Event) -> None:
        begun = self._open.pop(str(event.fields["fault"]), None)
        if begun is not None:
            self.bands.append(Band(*begun, event.protocol_ns / NS_PER_S))

    def _role(self, event: Event) -> None:
        node, now_s = event.text("node"), event.protocol_ns / NS_PER_S
        if event.text("role") == "leader":
            self._end_lead(now_s)
            self._leading = node, event.integer("term"), now_s
        elif self._leading is not None and self._leading[0] == node:
            self._end_lead(now_s)

    def _stopped(self, event: Event) -> None:
        if self._leading is not None and self._leading[0] == event.text("node"):
            self._end_lead(event.protocol_ns / NS_PER_S)

    def _struck(self, event: Event) -> None:
        self._fault_began(event)
        hit = event.fields.get("hit")
        is_leader_hit = self._leading is not None and isinstance(hit, list) and self._leading[0] in hit
        if is_leader_hit and event.fields.get("kind") in _DEADLY:
            self._end_lead(event.protocol_ns / NS_PER_S)

    def _end_lead(self, now_s: float) -> None:
        if self._leading is not None:
            node, term, began = self._leading
            self._leads.append(Lead(node, term, began, now_s))
            self._leading = None


_DEADLY = ("crash", "power_loss", "read_failure", "flip_bits", "lost_file", "rebuild", "restart_loop")
_HANDLERS: Mapping[str, Callable[[Operation, Event], None]] = {
    "block.executed": Operation._block,
    "link.opened": Operation._link,
    "fault.began": Operation._struck,
    "fault.ended": Operation._fault_ended,
    "raft.role": Operation._role,
    "node.stopped": Operation._stopped,
    "node.failed": Operation._stopped,
    "node.killed": Operation._stopped,
    "point.struck": Operation._stopped,
}
