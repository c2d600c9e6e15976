"""A live node's records are told once and in order, whoever fetches them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from scenarios.worlds.nodeears import NodeEars


class Node:
    """A control channel over a list of records; answers wait until they are let go."""

    def __init__(self) -> None:
        self.records: list[dict[str, object]] = []
        self.first = 0
        self.is_up = True
        self.gate = asyncio.Event()
        self.gate.set()
        self.told: list[str] = []

    def record(self, *names: str) -> None:
        self.records += [{"event": name, "protocol_ns": 1, "node": "cbp"} for name in names]

    async def ask(self, path: str) -> dict[str, object] | None:
        after = int(path.split("after=")[1].split("&", maxsplit=1)[0])
        page = {"next": self.first + len(self.records), "events": self.records[max(0, after - self.first) :]}
        await self.gate.wait()
        return page if self.is_up else None

    def take(self, event: str, fields: Mapping[str, object]) -> None:
        assert fields == {"node": "cbp"}
        self.told.append(event)


async def test_two_who_fetch_at_once_tell_each_record_once() -> None:
    node = Node()
    ears = NodeEars(node.ask, node.take)
    node.gate.clear()
    node.record("a", "b")
    listening = asyncio.create_task(ears.hear(1000))
    await asyncio.sleep(0)
    node.record("c")
    hearing_out = asyncio.create_task(ears.hear())
    await asyncio.sleep(0)
    node.gate.set()
    assert await listening
    assert await hearing_out
    assert node.told == ["a", "b", "c"]


async def test_what_came_while_a_page_was_under_way_is_told_next_and_an_end_is_seen() -> None:
    node = Node()
    ears = NodeEars(node.ask, node.take)
    node.record("a")
    assert await ears.hear()
    node.record("b")
    assert await ears.hear()
    node.is_up = False
    assert not await ears.hear()
    assert node.told == ["a", "b"]


async def test_records_that_the_node_has_let_go_are_passed_over() -> None:
    node = Node()
    ears = NodeEars(node.ask, node.take)
    node.first = 20
    node.record("u", "v")
    assert await ears.hear()
    node.record("w")
    assert await ears.hear()
    assert node.told == ["u", "v", "w"]
