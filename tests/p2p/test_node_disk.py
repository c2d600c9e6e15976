"""A disk that fails stops its node with the reason, once and for all, and the network goes on."""

from __future__ import annotations

import asyncio
import errno

import aiohttp
import pytest

from p2p.api import serve_api
from p2p.machine import DiskFailureError
from p2p.virtual import DiskOperation

FAILURES = {
    "fsync": (DiskOperation.SYNC, OSError(errno.EIO, "input/output error")),
    "write": (DiskOperation.WRITE, OSError(errno.EIO, "input/output error")),
    "full": (DiskOperation.WRITE, OSError(errno.ENOSPC, "no space left on device")),
}


def fail(net, organization, operation, error):
    """Let every `operation` fail from now on; return what was attempted."""
    attempts = []

    def hook(attempted, name):
        attempts.append((attempted, name))
        if attempted is operation:
            raise OSError(error.errno, error.strerror, name)

    net.host(organization).disk.hook = hook
    return attempts


@pytest.mark.parametrize("what", FAILURES)
def test_a_failing_disk_stops_the_node_with_the_reason_and_the_network_goes_on(five, what):
    operation, error = FAILURES[what]

    async def main(net):
        leader = await net.leader()
        victim = next(o for o in net.up if o not in {leader, "exporter"})
        await net.certify_many(1)
        await net.settled()
        fail(net, victim, operation, error)
        await net.post(net.sign())
        await net.until(lambda: not net.host(victim).is_up)
        reason = net.failures.pop(victim)
        await net.certify_many(2)
        await net.settled()
        net.host(victim).mend_disk()
        await net.restart(victim)
        await net.settled()
        return reason, [node.ledger.height for node in net.nodes], net.failures

    reason, heights, failures = five(main)
    assert isinstance(reason, DiskFailureError)
    assert "do not retry" in str(reason)
    assert heights == [4] * 5
    assert failures == {}


def test_a_leader_with_a_failing_disk_is_replaced(five):
    async def main(net):
        leader = await net.leader()
        mine = next(o for o in net.up if o != leader)
        fail(net, leader, *FAILURES["fsync"])
        answer = await net.certify(net.sign(), mine)
        return leader, answer, net.failures, await net.leader()

    leader, answer, failures, after = five(main)
    assert answer.json["status"] == "certified"
    assert list(failures) == [leader]
    assert after != leader


def test_a_failed_sync_is_never_tried_again_and_nothing_is_written_after_it(five):
    async def main(net):
        leader = await net.leader()
        victim = next(o for o in net.up if o not in {leader, "exporter"})
        await net.certify_many(1)
        await net.settled()
        attempts = fail(net, victim, *FAILURES["fsync"])
        await net.post(net.sign())
        await net.until(lambda: not net.host(victim).is_up)
        await asyncio.sleep(5)
        return attempts

    attempts = five(main)
    syncs = [number for number, (operation, _) in enumerate(attempts) if operation is DiskOperation.SYNC]
    assert len(syncs) == 1
    assert [name for operation, name in attempts[syncs[0] + 1 :] if name == "node.db"] == []


def test_what_a_failed_commit_had_staged_is_never_shown(five):
    """The poll that waits for the next receipt sees the node end, not the receipt it had staged."""

    async def main(net):
        leader = await net.leader()
        victim = next(o for o in net.up if o not in {leader, "exporter"})
        polls = [
            asyncio.create_task(net.get(victim, path))
            for path in (
                "/v1/receipts?wait_ms=20000",
                f"/v1/transactions/{'00' * 32}?wait=accepted&timeout_ms=20000",
            )
        ]
        await asyncio.sleep(1)
        fail(net, victim, *FAILURES["fsync"])
        await net.post(net.sign())
        ends = await asyncio.gather(*polls, return_exceptions=True)
        told = [r for r in net.told("block.executed", node=victim) if r["height"] == 1]
        return ends, told, net.told("transaction.accepted", node=victim)

    ends, told, accepted = five(main)
    for end in ends:
        assert (end.status, end.code) == (503, "NODE_STOPPED")
    assert told == accepted == []


def test_what_is_handed_in_while_the_disk_fails_is_not_called_accepted(five):
    async def main(net):
        mine = await net.follower()
        fail(net, mine, *FAILURES["full"])
        try:
            answer = await net.post(net.sign(), mine)
        except aiohttp.ClientError:
            return 503, "NODE_STOPPED"
        return answer.status, answer.code

    assert five(main) == (503, "NODE_STOPPED")


def test_a_service_that_fails_ends_the_node(five, monkeypatch):
    from scenarios.worlds import virtual

    async def refuse(node, api, *, on_open):
        if node.organization == "noaa":
            raise OSError(errno.EADDRINUSE, "address in use")
        await serve_api(node, api, on_open=on_open)

    monkeypatch.setattr(virtual, "serve_api", refuse)

    async def main(net):
        await net.until(lambda: not net.host("noaa").is_up)
        await net.certify_many(1)
        return net.failures["noaa"]

    failure = five(main)
    assert isinstance(failure, OSError)
    assert failure.errno == errno.EADDRINUSE
