"""The report's drawings: benefit by organization, latency, throughput, leaders, messages, spread, topology."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import networkx as nx
from markupsafe import Markup

from scenarios.reporting.operation import BANDS_MAX, LEADS_MAX, Band, Bin, Lead, Spread
from scenarios.reporting.svg import Drawing, Scale, short

LEFT, RIGHT, TOP = 64, 708, 26
NAME_WIDTH = 130
NARROW_WIDTH, NARROW_NAMES = 400, 76
"""Of a drawing that a telephone shows without scrolling."""


def benefit_chart(shares: Sequence[tuple[str, float]]) -> Markup:
    """Return hours saved against paper per organization, of the hours on paper: to the right gains, to the left losses.

    Args:
        shares: organization and share saved, in the order drawn; negative where the ledger costs more.
    """
    told = "; ".join(f"{name} {share:+.0%}" for name, share in shares)
    height = 44 + 30 * len(shares)
    drawing = Drawing(
        "benefit", "Hours saved against paper, by organization", told, width=NARROW_WIDTH, height=height
    )
    reach = max([0.1, *(abs(share) for _, share in shares)])
    scale = Scale(-reach, reach, NARROW_NAMES + 40, NARROW_WIDTH - 44)
    drawing.label(scale(0) - 8, 16, "costs more than paper", anchor="end")
    drawing.label(scale(0) + 8, 16, "saves hours")
    for place, (name, share) in enumerate(shares):
        y = 28 + 30 * place
        drawing.label(0, y + 15, name, "ink halo")
        left, right = sorted((scale(0), scale(share)))
        word = "good" if share > 0 else "bad"
        drawing.box(left, y, right - left, 21, f"fill-{word}", f"{name}: {share:+.1%}")
        at, anchor = (right + 6, "start") if share >= 0 else (left - 6, "end")
        percent = f"{share:+.0%}".replace("-", "\u2212")
        drawing.label(at, y + 15, percent, word if share else "even", anchor)
    drawing.line(scale(0), 22, scale(0), height - 8, "axis")
    return drawing.markup()


def _time_axis(drawing: Drawing, scale: Scale, bottom: float) -> None:
    drawing.line(scale.start, bottom, scale.end, bottom, "axis")
    for tick in scale.ticks(8):
        drawing.line(scale(tick), bottom, scale(tick), bottom + 4, "axis")
        drawing.label(scale(tick), bottom + 18, f"{short(tick)} s", anchor="middle")


def _value_axis(drawing: Drawing, scale: Scale, unit: str) -> None:
    for tick in scale.ticks(4):
        drawing.line(LEFT, scale(tick), RIGHT, scale(tick), "grid")
        drawing.label(LEFT - 6, scale(tick) + 4, f"{short(tick)}{unit}", anchor="end")


def _bands(drawing: Drawing, bands: Sequence[Band], scale: Scale, bottom: float) -> None:
    for band in bands[:BANDS_MAX]:
        left, right = scale(band.began_s), scale(band.ended_s)
        tip = f"{band.kind} of {band.hit}, {band.began_s:.1f} to {band.ended_s:.1f} s"
        drawing.box(left, TOP, max(2.0, right - left), bottom - TOP, "band", tip)


def latency_chart(bins: Sequence[Bin], bands: Sequence[Band], ended_s: float) -> Markup:
    """Return latency to certified at every node over the run, with the faults behind it."""
    p95s = [b.p95_ms for b in bins if b.p95_ms is not None]
    medians = [b.median_ms for b in bins if b.median_ms is not None]
    worst = max(p95s, default=1.0)
    told = (
        f"Median between {short(min(medians))} and {short(max(medians))} ms, 95th percentile up to {short(worst)} ms, "
        f"over {ended_s:.0f} seconds of protocol time with {len(bands)} faults."
        if medians
        else "No transaction was certified at every node."
    )
    drawing = Drawing("latency", "Latency over the run", told, height=262)
    bottom = 226.0
    x, y = Scale(0, ended_s, LEFT, RIGHT), Scale(0, worst * 1.08, bottom, TOP)
    _bands(drawing, bands, x, bottom)
    _value_axis(drawing, y, " ms")
    width = (bins[1].began_s - bins[0].began_s) if len(bins) > 1 else 0.0
    for values, word in (([b.p95_ms for b in bins], "p95"), ([b.median_ms for b in bins], "median")):
        for stretch in unbroken(
            [(x(b.began_s + width / 2), value) for b, value in zip(bins, values, strict=True)]
        ):
            points = [(at, y(value)) for at, value in stretch]
            drawing.path(points, f"line-{word}")
            if len(bins) <= 48 or len(points) == 1:
                for at, level in points:
                    drawing.add("circle", cx=at, cy=level, r=2.5, class_=f"dot-{word}")
    drawing.label(LEFT, 14, "\u2014 median", "ledger")
    drawing.label(LEFT + 84, 14, "\u2013 \u2013 95th percentile", "mark")
    if bands:
        drawing.label(LEFT + 228, 14, "\u25ae a fault lasts", "paper")
    _time_axis(drawing, x, bottom)
    return drawing.markup()


def unbroken(points: Sequence[tuple[float, float | None]]) -> list[list[tuple[float, float]]]:
    """Return runs of points that have a value: a line does not lead across a stretch without one."""
    found: list[list[tuple[float, float]]] = [[]]
    for at, value in points:
        if value is not None:
            found[-1].append((at, value))
        elif found[-1]:
            found.append([])
    return [stretch for stretch in found if stretch]


def throughput_chart(bins: Sequence[Bin], bands: Sequence[Band], ended_s: float) -> Markup:
    """Return transactions handed in per stretch, and of them those certified at every node."""
    most = max([1, *(b.submitted for b in bins)])
    total, finished = sum(b.submitted for b in bins), sum(b.finished for b in bins)
    told = f"{total:,} transactions handed in, at most {most:,} in one stretch; {finished:,} certified at every node."
    drawing = Drawing("throughput", "Throughput over the run", told, height=210)
    bottom = 174.0
    x, y = Scale(0, ended_s, LEFT, RIGHT), Scale(0, most, bottom, TOP)
    _bands(drawing, bands, x, bottom)
    _value_axis(drawing, y, "")
    width = (bins[1].began_s - bins[0].began_s) if len(bins) > 1 else ended_s / 20
    for b in bins:
        left, span = x(b.began_s), max(1.5, x(b.began_s + width) - x(b.began_s) - 1)
        tip = f"from {b.began_s:.1f} s: {b.submitted} handed in, {b.finished} certified everywhere"
        if b.submitted:
            drawing.box(left, y(b.submitted), span, bottom - y(b.submitted), "open", tip)
        if b.finished:
            drawing.box(left, y(b.finished), span, bottom - y(b.finished), "fill-ledger", tip)
    drawing.label(LEFT, 14, "\u25a0 certified at every node", "ledger")
    drawing.label(LEFT + 190, 14, "\u25a1 handed in, not certified everywhere", "soft")
    _time_axis(drawing, x, bottom)
    return drawing.markup()


def leaders_chart(
    nodes: Sequence[str], leads: Sequence[Lead], bands: Sequence[Band], ended_s: float
) -> Markup:
    """Return who led which term when, a row for each node that could."""
    rows = [node for node in nodes if any(lead.node == node for lead in leads)] or list(nodes[:1])
    told = "; ".join(
        f"{lead.node} led term {lead.term} from {lead.began_s:.1f} to {lead.ended_s:.1f} s"
        for lead in leads[:20]
    )
    told += f"; and {len(leads) - 20} more" if len(leads) > 20 else ""
    bottom = TOP + 30.0 * len(rows) + 4
    drawing = Drawing("leaders", "Leaders and terms", told or "Nobody led.", height=int(bottom) + 34)
    x = Scale(0, ended_s, NAME_WIDTH, RIGHT)
    _bands(drawing, bands, x, bottom)
    for place, node in enumerate(rows):
        drawing.label(0, TOP + 30 * place + 20, node, "ink")
        drawing.line(NAME_WIDTH, TOP + 30 * place + 15, RIGHT, TOP + 30 * place + 15, "grid")
    for lead in leads[:LEADS_MAX]:
        y = TOP + 30 * rows.index(lead.node) + 4
        left, right = x(lead.began_s), x(lead.ended_s)
        tip = f"{lead.node} leads term {lead.term}, {lead.began_s:.1f} to {lead.ended_s:.1f} s"
        drawing.box(left, y, right - left, 22, "fill-ledger", tip)
        word = f"term {lead.term}"
        if right - left > 8 * len(word):
            drawing.label(left + 6, y + 16, word, "inverse")
    _time_axis(drawing, x, bottom)
    return drawing.markup()


def messages_chart(kinds: Sequence[tuple[str, int, int]]) -> Markup:
    """Return messages by kind, with their bytes; `kinds` are name, messages, bytes, the most first."""
    told = "; ".join(f"{name} {count:,} messages, {size:,} bytes" for name, count, size in kinds)
    drawing = Drawing("messages", "Messages between nodes, by kind", told, height=8 + 28 * len(kinds))
    scale = Scale(0, max([1, *(count for _, count, _ in kinds)]), NAME_WIDTH + 20, RIGHT - 190)
    for place, (name, count, size) in enumerate(kinds):
        y = 4 + 28 * place
        drawing.label(0, y + 15, name, "ink")
        drawing.box(scale.start, y, scale(count) - scale.start, 20, "fill-ledger", f"{name}: {count:,}")
        drawing.label(scale(count) + 6, y + 15, f"{count:,}  ({size / 1000:,.0f} kB)")
    return drawing.markup()


def spread_chart(spreads: Sequence[Spread]) -> Markup:
    """Return how long blocks took to reach a share of the nodes."""
    told = "; ".join(
        f"{s.share} percent of nodes after {s.median_ms:.0f} ms, 95th percentile {s.p95_ms:.0f} ms"
        for s in spreads
    )
    drawing = Drawing("spread", "How blocks reach the nodes", told, height=250)
    bottom = 212.0
    worst = max([1.0, *(s.p95_ms for s in spreads)])
    x, y = Scale(0, worst * 1.05, LEFT, RIGHT), Scale(0, 100, bottom, TOP)
    _value_axis(drawing, y, " %")
    for values, word in (([s.p95_ms for s in spreads], "p95"), ([s.median_ms for s in spreads], "median")):
        points = [(x(value), y(s.share)) for s, value in zip(spreads, values, strict=True)]
        drawing.path([(x(0), y(0)), *points] if word == "median" else points, f"line-{word}")
        for at, level in points:
            drawing.add("circle", cx=at, cy=level, r=3.0, class_=f"dot-{word}")
    drawing.label(LEFT, 14, "\u2014 median block", "ledger")
    drawing.label(LEFT + 118, 14, "\u2013 \u2013 95th percentile", "mark")
    drawing.line(LEFT, bottom, RIGHT, bottom, "axis")
    for tick in x.ticks(8):
        drawing.label(x(tick), bottom + 18, f"{short(tick)} ms", anchor="middle")
    drawing.label(RIGHT, bottom + 34, "after the first node had it", anchor="end")
    return drawing.markup()


def topology_chart(
    nodes: Sequence[str], orderers: Sequence[str], links: Sequence[tuple[str, str]], led: Mapping[str, int]
) -> Markup:
    """Return the nodes with the links that they had; who orders is drawn apart, who led is marked."""
    graph: nx.Graph[str] = nx.Graph()
    graph.add_nodes_from(nodes)
    graph.add_edges_from(links)
    inner = [node for node in nodes if node in orderers]
    outer = [node for node in nodes if node not in orderers]
    shells = [shell for shell in (inner, outer) if shell]
    places = nx.shell_layout(graph, nlist=shells)
    told = f"{len(nodes)} nodes, {len(links)} links; ordering: {', '.join(inner)}."
    drawing = Drawing("topology", "Nodes and their links", told, height=430)
    spread = max([1e-9, *(math.hypot(*map(float, place)) for place in places.values())])
    at = {
        node: (360 + 270 * float(place[0]) / spread, 215 + 168 * float(place[1]) / spread)
        for node, place in places.items()
    }
    for one, other in links:
        if one in at and other in at:
            word = "link-core" if one in orderers and other in orderers else "link-edge"
            drawing.line(*at[one], *at[other], word)
    for node in nodes:
        x, y = at[node]
        word = "node-orderer" if node in orderers else "node-member"
        drawing.add("circle", cx=x, cy=y, r=11.0 if node in orderers else 8.0, class_=word)
        drawing.label(x, y - 16, f"{node} \u2605" if node in led else node, "ink halo", "middle")
    drawing.label(8, 420, "\u25cf orders   \u25cb follows   \u2605 led at some time", "soft")
    return drawing.markup()
