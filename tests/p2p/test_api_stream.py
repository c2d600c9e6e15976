"""The stream of receipts: a line when there is something new or nothing for long, an error as the last one."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager


@asynccontextmanager
async def streaming(net, organization, query):
    endpoint = net.world.endpoint(organization)
    headers = {"Authorization": f"Bearer {endpoint.token}"}
    url = f"{endpoint.url}/v1/receipts?stream=true&{query}"
    async with net.session(organization).get(url, headers=headers) as response:
        yield response


async def next_line(response):
    return json.loads(await response.content.readline())


def test_one_request_tells_receipts_as_they_come_and_silence_in_between(five):
    async def main(net):
        await net.leader()
        first = await net.certify_many(2)
        async with streaming(net, "importer", "after=-1&wait_ms=3000") as response:
            before = await next_line(response)
            begun = net.kit.loop.time()
            silence = await next_line(response)
            silent_s = net.kit.loop.time() - begun
            later = await net.certify_many(1)
            after = await next_line(response)
            standing = await net.world.standing("importer")
            return first, later, before, silence, silent_s, after, standing, response.headers

    first, later, before, silence, silent_s, after, standing, headers = five(main)
    assert headers["Content-Type"] == "application/x-ndjson"
    assert [receipt["id"] for receipt in before["receipts"]] == [one.id.hex() for one in first]
    assert silence == {"next": before["next"], "receipts": []}
    assert 2.9 < silent_s < 3.1
    assert [receipt["id"] for receipt in after["receipts"]] == [one.id.hex() for one in later]
    assert not standing.busy, "a stream that waits is no work under way"


def test_a_node_that_stops_says_so_in_the_last_line(five):
    async def main(net):
        await net.leader()
        async with streaming(net, "cbp", "after=-1") as response:
            await asyncio.sleep(1)
            net.world.node("cbp").stop()
            return await next_line(response), await response.content.readline()

    last, end = five(main)
    assert (last["status"], last["error"]["code"]) == (503, "NODE_STOPPED")
    assert end == b""


def test_a_stream_that_nobody_reads_ends(five):
    async def main(net):
        await net.leader()
        async with streaming(net, "cbp", "after=-1&wait_ms=200") as response:
            await next_line(response)
            waiting = len(net.world.node("cbp").changed._waiters)
            response.close()
        await asyncio.sleep(1)
        return waiting, len(net.world.node("cbp").changed._waiters), net.world._apis["cbp"].active

    waiting, left, active = five(main)
    assert (waiting, left, active) == (1, 0, 0)


def test_a_stream_without_a_pause_is_refused(five):
    async def main(net):
        await net.leader()
        return await net.get("cbp", "/v1/receipts?stream=true&wait_ms=0")

    refused = five(main)
    assert (refused.status, refused.code) == (400, "BAD_QUERY")


def test_a_receipt_whose_block_is_fetched_late_is_told_without_another_certificate(five):
    async def main(net):
        await net.leader()
        await net.certify_many(1)
        await net.settled()
        node = net.world.node("importer")
        absent = node.store._absent
        node.store._absent = {1: False}
        async with streaming(net, "importer", "after=-1&wait_ms=60000") as response:
            await asyncio.sleep(0.002)
            waiting = len(node.changed._waiters)
            node.store._absent = absent
            node.changed.fire()
            async with asyncio.timeout(1):
                return waiting, await next_line(response)

    waiting, page = five(main)
    assert waiting == 1
    assert len(page["receipts"]) == 1
