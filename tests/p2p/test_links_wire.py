"""What goes over a link: frames as they are traced, and nothing compressed."""

from __future__ import annotations

import asyncio
from collections import Counter

from aiohttp import web

from p2p.frames import kind_of

EXTENSIONS = "Sec-WebSocket-Extensions"


def test_the_trace_tells_the_sizes_that_arrive(five):
    async def main(net):
        sent, arrived = Counter(), Counter()
        await net.leader()
        net.world.frame_sink = lambda _now, source, target, kind, frame: sent.update(
            [(source, target, kind, len(frame))]
        )
        await asyncio.sleep(1)  # what was under way before is there by now

        def counted(target, deliver):
            async def count(source, frame, size_bytes):
                arrived[source, target, kind_of(frame).name, size_bytes] += 1
                await deliver(source, frame, size_bytes)

            return count

        for node in net.nodes:
            node.links.deliver = counted(node.organization, node.links.deliver)
        await net.certify_many(3)
        await net.settled()
        return sent, arrived

    sent, arrived = five(main)
    assert {kind for _, _, kind, _ in arrived} >= {"RAFT", "CHECKPOINT", "TRANSACTIONS"}
    assert arrived.total() > 100
    assert not arrived - sent


def test_no_node_offers_compression_and_none_agrees_to_it(five, monkeypatch):
    offered = []
    prepare = web.WebSocketResponse.prepare

    async def noting(socket, request):
        offered.append(request.headers.get(EXTENSIONS))
        return await prepare(socket, request)

    monkeypatch.setattr(web.WebSocketResponse, "prepare", noting)

    async def main(net):
        await net.leader()
        dialed = list(offered)
        session = net.session("exporter")
        socket = await session.ws_connect(net.peer_url("cbp") + "/peer", compress=15)
        agreed = socket._response.headers.get(EXTENSIONS)
        await socket.close()
        return dialed, offered[-1], agreed

    dialed, ours, agreed = five(main)
    assert len(dialed) == 10
    assert set(dialed) == {None}
    assert "permessage-deflate" in ours
    assert agreed is None


def test_a_dial_that_nobody_answers_is_counted_and_shown(five):
    async def main(net):
        await net.leader()
        dialer = net.node("cbp")  # the lower number dials
        before = dialer.links.figures.dials_failed
        await net.world.crash("noaa")
        await asyncio.sleep(5)
        text = (await net.get("cbp", "/metrics")).data.decode()
        return before, dialer.links.figures.dials_failed, text

    before, after, text = five(main)
    assert before < after
    assert f"seatrial_link_dials_failed_total {float(after)}" in text
    assert "seatrial_link_links_broken_total" in text
