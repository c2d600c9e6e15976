"""Linearizable reads over HTTP, judged by a history of clients at every node, in bad weather.

A claim's commitment is the register: Customs' `claim.act` writes it, `GET /v1/state/claim/...` reads it. Clients sit
at all five nodes; the leader crashes, is cut off, and comes back. A write without an answer has an unknown outcome.
"""

from __future__ import annotations

import asyncio
import random

import aiohttp
import pytest

from scenarios.judging.linearizability import Action, Operation, Verdict, check_history

ENTRIES = ("SX7-1000418-2", "SX7-1000533-9")
SECONDS = 12.0
GRACE_MS = 3000


class Clients:
    """Clients at every node that write and read, and the history they make."""

    def __init__(self, net, consistency: str, seed: int) -> None:
        self.net = net
        self.consistency = consistency
        self.chance = random.Random(f"{seed}: clients")
        self.history: list[Operation] = []
        self.count = 0
        self.stopping = False

    async def prepare(self) -> None:
        for entry in ENTRIES:
            body = {
                "entry": entry,
                "line": 1,
                "regime": "NAFTA",
                "spi": "MX",
                "certificate": None,
                "entry_on": "2018-09-04",
                "import_on": "2018-09-04",
                "fine": bytes(32),
            }
            filed = self.net.sign("importer", type="claim.file", documents=(), body=body)
            assert (await self.net.certify(filed, "importer")).json["code"] == "VALID"
            self.count += 1
            body = {"entry": entry, "line": 1, "fine": bytes(32)}
            root = self.count.to_bytes(32, "big")
            opened = self.net.sign("cbp", type="claim.open", documents=(root,), body=body)
            assert (await self.net.certify(opened, "cbp")).json["code"] == "VALID"

    async def work_at(self, organization: str) -> None:
        with self.net.world.place(organization):
            while not self.stopping:
                entry = self.chance.choice(ENTRIES)
                act = self.write if self.chance.random() < 0.4 else self.read
                try:
                    async with asyncio.timeout(GRACE_MS / 1000):
                        await act(organization, entry)
                except (TimeoutError, aiohttp.ClientError, OSError):
                    await asyncio.sleep(0.1)

    async def write(self, organization: str, entry: str) -> None:
        self.count += 1
        value = self.count.to_bytes(32, "big")
        signed = self.net.sign(
            "cbp", type="claim.act", documents=(), body={"entry": entry, "line": 1, "fine": value}
        )
        called = self.net.kit.now_ns()
        returned = None
        try:
            posted = await self.net.post(signed, organization)
            if posted.status == 202:
                path = f"/v1/transactions/{signed.id.hex()}?wait=committed&timeout_ms={GRACE_MS}"
                status = await self.net.get(organization, path)
                if status.status == 200:
                    assert status.json["code"] == "VALID"
                    returned = self.net.kit.now_ns()
        finally:
            operation = Operation(organization, entry, Action.WRITE, value.hex(), called, returned)
            self.history.append(operation)

    async def read(self, organization: str, entry: str) -> None:
        called = self.net.kit.now_ns()
        path = f"/v1/state/claim/{entry}/1?consistency={self.consistency}&timeout_ms={GRACE_MS}"
        answer = await self.net.get(organization, path)
        if answer.status != 200:
            assert answer.code in {"NO_LEADER", "NODE_STOPPED"}
            return
        value = answer.json["fields"]["fine"]
        operation = Operation(organization, entry, Action.READ, value, called, self.net.kit.now_ns())
        self.history.append(operation)


async def weather(net) -> None:
    """Crash the leader, cut it off, cut a minority off; each for a while."""
    leader = await net.leader()
    await net.world.crash(leader)
    await asyncio.sleep(2.5)
    await net.restart(leader)
    leader = await net.leader()
    others = [o for o in net.up if o != leader]
    mend = net.world.partition([[leader, others[0]], others[1:]])
    await asyncio.sleep(3.5)
    mend()
    await asyncio.sleep(1.0)


def history_of(five, consistency: str, seed: int) -> list[Operation]:
    async def main(net):
        await net.leader()
        clients = Clients(net, consistency, seed)
        await clients.prepare()
        loop = asyncio.get_running_loop()
        tasks = [loop.create_task(clients.work_at(organization)) for organization in net.up]
        await weather(net)
        await asyncio.sleep(SECONDS - 7)
        clients.stopping = True
        await asyncio.gather(*tasks)
        return clients.history

    return five(main, seed=seed)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 5))
def test_linearizable_reads_are(five, seed):
    history = history_of(five, "linearizable", seed)
    report = check_history(history, initial=bytes(32).hex())
    assert report.verdict is Verdict.LINEARIZABLE, "\n".join(str(key) for key in report.keys.values())
    done = [operation for operation in history if operation.returned_ns is not None]
    assert len([o for o in done if o.action is Action.WRITE]) > 40
    assert len([o for o in done if o.action is Action.READ]) > 40
    assert any(o.returned_ns is None for o in history)


@pytest.mark.slow
def test_local_reads_are_not(five):
    """The ablation: without the leader's confirmation some read is stale, and the check sees it."""
    verdicts = []
    for seed in range(1, 6):
        verdicts.append(check_history(history_of(five, "local", seed), initial=bytes(32).hex()).verdict)
        if verdicts[-1] is Verdict.VIOLATED:
            return
    pytest.fail(f"no stale read in {len(verdicts)} seeds: {verdicts}")


def test_a_read_without_a_majority_fails_by_name(five):
    async def main(net):
        leader = await net.leader()
        others = [o for o in net.up if o != leader]
        net.world.partition([[leader], others])
        path = f"/v1/state/organization/{leader}?consistency=linearizable&timeout_ms=1500"
        return await net.get(leader, path)

    answer = five(main)
    assert (answer.status, answer.code) == (503, "NO_LEADER")
    assert answer.headers["Retry-After"] == "1"


def test_consistency_is_one_of_two_words(five):
    async def main(net):
        await net.leader()
        return await net.get("cbp", "/v1/state/organization/cbp?consistency=strong")

    answer = five(main)
    assert (answer.status, answer.code) == (400, "BAD_QUERY")
    assert "local or linearizable" in answer.message


def test_every_node_reads_what_was_just_acknowledged_at_another(five):
    async def main(net):
        await net.leader()
        seen = []
        for reader in net.up:
            signed = net.sign()
            posted = await net.post(signed, "exporter")
            assert posted.status == 202
            await net.get("exporter", f"/v1/transactions/{signed.id.hex()}?wait=committed")
            key = f"certificate/{signed.transaction.body['certificate'].hex()}"
            answer = await net.get(reader, f"/v1/state/{key}?consistency=linearizable")
            seen.append(answer.json["value"] is not None)
        return seen, [node.reads.figures.failed for node in net.nodes]

    assert five(main) == ([True] * 5, [0] * 5)
