"""Each of Raft's properties, seen to fail by whoever looks at the nodes' Readies."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from consensus import ConfState, Entry, EntryType, Ready, Snapshot
from scenarios.judging.checks.raft import RaftProperties
from scenarios.record.eventbook import Event


def entry(index: int, term: int, data: bytes = b"block") -> Entry:
    return Entry(term, index, EntryType.NORMAL, data)


class Cluster:
    """Readies of three nodes, told to the check."""

    def __init__(self) -> None:
        self.check = RaftProperties()
        for node in "abc":
            self.check.opened(node, 0, ())

    def tell(
        self,
        node: str,
        term: int,
        entries: Sequence[Entry] = (),
        committed: Sequence[Entry] = (),
        *,
        leads: bool = False,
        snapshot: Snapshot | None = None,
    ) -> None:
        ready = Ready(0, None, None, entries, committed, (), (), must_sync=True, snapshot=snapshot)
        self.check.ready(node, term, leads, ready)

    @property
    def seen(self) -> list[str]:
        return [violation.text.partition(":")[0] for violation in self.check.violations]


@pytest.fixture
def cluster() -> Cluster:
    """Node a leads term 1; its first two entries are on all nodes, and committed on a."""
    cluster = Cluster()
    first = [entry(1, 1), entry(2, 1)]
    cluster.tell("a", 1, first, leads=True)
    cluster.tell("b", 1, first)
    cluster.tell("c", 1, first)
    cluster.tell("a", 1, committed=first, leads=True)
    return cluster


def test_a_reign_an_election_and_a_conflict_resolved_hold(cluster: Cluster) -> None:
    cluster.tell("a", 1, [entry(3, 1, b"lost")], leads=True)
    cluster.tell("b", 2, [entry(3, 2)], leads=True)
    cluster.tell("c", 2, [entry(3, 2)])
    cluster.tell("b", 2, committed=[entry(1, 1), entry(2, 1), entry(3, 2)], leads=True)
    cluster.tell("a", 2, [entry(3, 2)], [entry(3, 2)])
    assert cluster.seen == []
    assert cluster.check.exercised > 8


def test_a_second_leader_of_a_term(cluster: Cluster) -> None:
    cluster.tell("b", 1, leads=True)
    assert cluster.seen == ["election safety"]


def test_a_second_leader_by_the_nodes_own_records(cluster: Cluster) -> None:
    fields = {"node": "c", "role": "follower", "term": 1, "leader": "b"}
    cluster.check(Event(7, 0, 0, "raft.role", fields, public=False))
    assert cluster.seen == ["election safety"]
    assert cluster.check.violations[0].event == 7


def test_a_leader_that_writes_over_its_own_log(cluster: Cluster) -> None:
    cluster.tell("a", 1, [entry(3, 1)], leads=True)
    cluster.tell("a", 1, [entry(3, 1)], leads=True)
    assert cluster.seen == ["leader append-only"]


def test_logs_that_agree_at_an_entry_and_differ_before_it(cluster: Cluster) -> None:
    cluster.tell("b", 1, [entry(3, 1, b"one")])
    cluster.tell("b", 2, [entry(4, 2)])
    cluster.tell("c", 1, [entry(3, 1, b"other")])
    cluster.tell("c", 2, [entry(4, 2)])
    assert cluster.seen == ["log matching", "log matching"]


@pytest.mark.parametrize("own", [[], [entry(3, 2)]])
def test_a_leader_without_what_is_committed(cluster: Cluster, own: list[Entry]) -> None:
    cluster.tell("a", 1, [entry(3, 1)], leads=True)
    cluster.tell("c", 1, [entry(3, 1)])
    cluster.tell("a", 1, committed=[entry(3, 1)], leads=True)
    cluster.tell("b", 2, own, leads=True)
    assert cluster.seen == ["leader completeness"]


def test_another_entry_applied(cluster: Cluster) -> None:
    cluster.tell("a", 1, [entry(3, 1)], [entry(3, 1)], leads=True)
    cluster.tell("c", 2, [entry(3, 2)], [entry(3, 2)])
    assert cluster.seen == ["state machine safety"]


def test_a_committed_entry_written_over(cluster: Cluster) -> None:
    cluster.tell("a", 2, [entry(2, 2)])
    assert cluster.seen == ["state machine safety"]


def test_a_node_that_starts_again_without_what_was_not_synced(cluster: Cluster) -> None:
    cluster.tell("c", 1, [entry(3, 1)])
    cluster.check.opened("c", 0, [entry(1, 1), entry(2, 1)])
    cluster.tell("c", 2, [entry(3, 2)])
    assert cluster.seen == []
    cluster.check.opened("b", 0, [entry(1, 1)])
    cluster.tell("b", 3, leads=True)
    assert cluster.seen == ["leader completeness"]


def test_a_snapshot_stands_for_the_log(cluster: Cluster) -> None:
    conf = ConfState(voters=(1, 2, 3))
    cluster.check.opened("b", 0, ())
    cluster.tell("b", 1, snapshot=Snapshot(2, 1, conf, b""))
    cluster.tell("a", 1, [entry(3, 1)], leads=True)
    cluster.tell("b", 1, [entry(3, 1)])
    assert cluster.seen == []
    cluster.tell("c", 1, snapshot=Snapshot(2, 2, conf, b""))
    assert cluster.seen == ["log matching"]
