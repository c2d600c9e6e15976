"""Gossip: bounded push, the leader first, and reconciliation that repairs every gap."""

import random

import networkx as nx
import pytest

from p2p.errors import ConfigError
from p2p.gossip import Gossip
from p2p.topology import TopologyKind, gossip_graph, neighbors_of

A = b"a" * 32
B = b"b" * 32


def gossip(neighbors=("p", "q", "r", "s"), fanout=2):
    return Gossip(neighbors, fanout, random.Random(1))


def test_a_push_goes_to_at_most_fanout_neighbors_the_leader_first():
    one = gossip()
    one.learn(A, None, "s")
    pushes = one.take_pushes()
    assert len(pushes) == 2
    assert pushes[0] == ("s", [A])


def test_nothing_is_pushed_back_to_where_it_came_from():
    one = gossip(neighbors=("p", "q"), fanout=5)
    one.learn(A, "p", "p")
    assert one.take_pushes() == [("q", [A])]


def test_a_neighbor_that_shows_it_has_it_before_the_flush_gets_no_push():
    one = gossip(neighbors=("p", "q"), fanout=5)
    one.learn(A, None, None)
    one.seen_again(A, "p")
    assert one.take_pushes() == [("q", [A])]
    assert one.figures.duplicates == 1


def test_a_burst_is_one_batch_per_neighbor():
    one = gossip(neighbors=("p",), fanout=1)
    for number in range(10):
        one.learn(bytes([number]) * 32, None, None)
    ((peer, ids),) = one.take_pushes()
    assert peer == "p"
    assert len(ids) == 10


def test_reconciliation_sends_what_they_lack_and_asks_for_what_we_lack():
    one, other = gossip(), gossip()
    one.learn(A, None, None)
    other.learn(B, None, None)
    to_send, to_ask = other.compare(one.summary(), lambda short: False)
    assert to_send == [B]
    assert one.resolve(to_ask) == [A]


def test_what_was_executed_lately_is_not_asked_for_again():
    one, other = gossip(), gossip()
    one.learn(A, None, None)
    assert other.compare(one.summary(), lambda short: short == A[:8])[1] == []


def test_what_left_the_pool_is_forgotten():
    one = gossip()
    one.learn(A, None, None)
    one.forget(A)
    assert one.summary() == []
    assert one.take_pushes() == []


@pytest.mark.parametrize("kind", [k for k in TopologyKind if k is not TopologyKind.EDGES])
@pytest.mark.parametrize("count", [1, 2, 3, 5, 8, 20])
def test_every_topology_is_connected_and_repeats_from_its_seed(kind, count):
    members = [f"m{i}" for i in range(count)]
    graph = gossip_graph(kind, members, seed=3)
    assert nx.is_connected(graph)
    assert sorted(graph.edges) == sorted(gossip_graph(kind, members, seed=3).edges)
    for member in members:
        assert member not in neighbors_of(graph, member)


def test_a_graph_in_two_parts_is_refused():
    with pytest.raises(ConfigError, match="2 parts"):
        gossip_graph(TopologyKind.EDGES, ["a", "b", "c", "d"], edges=[("a", "b"), ("c", "d")])


def test_an_edge_to_a_stranger_is_refused():
    with pytest.raises(ConfigError, match="'x' is no member"):
        gossip_graph(TopologyKind.EDGES, ["a", "b"], edges=[("a", "x")])
