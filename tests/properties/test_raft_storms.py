"""Long random schedules, one per seed: a storm of faults with load, then healing and convergence.

Where the hypothesis machine looks for short surprising sequences, these run long ones: leaders come and go,
logs diverge by whole terms, writes are torn, messages arrive an age late.
"""

import importlib.util
import sys
from pathlib import Path
from random import Random

import pytest

if "raft_harness" not in sys.modules:
    spec = importlib.util.spec_from_file_location(
        "raft_harness", Path(__file__).parents[1] / "consensus" / "harness.py"
    )
    assert spec is not None
    assert spec.loader is not None
    sys.modules["raft_harness"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(sys.modules["raft_harness"])

from raft_harness import Cluster

from consensus import ChangeType


def storm(cluster: Cluster, random: Random, rounds: int) -> None:
    """Faults and load. In a round every node may tick, take work and end a write; most messages arrive."""
    for _ in range(rounds):
        if random.random() < 0.12:
            fault(cluster, random)
        for node in cluster.ids:
            if cluster.peers[node].core is None:
                if random.random() < 0.1:
                    cluster.restart(node)
                continue
            for act, chance in ((cluster.tick, 0.7), (cluster.take, 0.8), (cluster.persist, 0.75)):
                if random.random() < chance:
                    act(node)
        for leader in cluster.leaders():
            load(cluster, random, leader)
        for _ in range(len(cluster.flying)):
            if random.random() < 0.8:
                # Mostly the oldest messages, sometimes any: reordering without losing all progress.
                among = len(cluster.flying) if random.random() < 0.1 else min(len(cluster.flying), 4)
                cluster.deliver(random.randrange(among))


def load(cluster: Cluster, random: Random, leader: int) -> None:
    """What a leader's callers ask of it."""
    if random.random() < 0.4:
        cluster.propose(leader)
    if cluster.random.random() < 0.1:
        cluster.ask_again(leader, cluster.random.randrange(1 << 16))
    if cluster.random.random() < 0.2:
        cluster.read(leader)
    if cluster.random.random() < 0.1:
        kinds = [
            (cluster.random.choice(list(ChangeType)), cluster.random.choice(cluster.ids))
            for _ in range(cluster.random.choice([1, 1, 2]))
        ]
        cluster.change_at_random(cluster.random, leader, *kinds)
    if cluster.random.random() < 0.05:
        cluster.release(cluster.random.choice(cluster.ids), cluster.random.randrange(4))
    if cluster.random.random() < 0.02:
        cluster.transfer(leader, cluster.random.choice(cluster.ids))


def fault(cluster: Cluster, random: Random) -> None:
    """One thing goes wrong, or all links come back."""
    node = random.choice([*cluster.ids, *cluster.leaders()])
    chance = random.random()
    if chance < 0.25:
        if cluster.peers[node].core is not None:
            cluster.crash(node, random.randrange(3))
    elif chance < 0.4:
        cluster.isolate(node)
    elif chance < 0.5:
        cluster.cut[node, random.choice(cluster.ids)] = True
    elif chance < 0.75:
        cluster.heal()
    elif cluster.flying:
        place = random.randrange(len(cluster.flying))
        if chance < 0.9:
            cluster.flying.append(cluster.flying[place])
        else:
            del cluster.flying[place:]


def upheaval(cluster: Cluster, random: Random, reigns: int) -> None:
    """Short reigns: a random majority elects a random leader, whose entries get only so far before the next.

    This is the country of the Raft paper's figure 8: logs that differ by whole terms, and old entries that
    reach a majority under a later leader.
    """
    for _ in range(reigns):
        cluster.flying.clear()
        cluster.heal()
        for node in cluster.ids:
            if cluster.peers[node].core is None:
                cluster.restart(node)
        outside = random.sample(cluster.ids, random.randrange(len(cluster.ids) // 2 + 1))
        cluster.isolate(*outside)
        leader = random.choice([node for node in cluster.ids if node not in outside])
        for _ in range(random.choice([1, 1, 2, 3])):
            cluster.campaign(leader)
            gossip(cluster, random, random.randrange(4, 16))
        if random.random() < 0.5:
            cluster.propose(leader)
        cluster.tick(leader)
        gossip(cluster, random, random.randrange(24))
        if random.random() < 0.7:
            cluster.crash(leader, random.randrange(2))


def gossip(cluster: Cluster, random: Random, messages: int) -> None:
    """So many messages arrive, and whoever gets one does its work."""
    for node in cluster.ids:
        cluster.work(node)
    for _ in range(messages):
        if cluster.flying:
            place = random.randrange(min(len(cluster.flying), 6))
            to = cluster.flying[place].to
            cluster.deliver(place)
            cluster.work(to)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(12))
def test_a_storm_breaks_nothing_and_passes(seed: int) -> None:
    random = Random(f"storm:{seed}")
    cluster = Cluster(
        size=random.choice([2, 3, 3, 4, 5, 5, 7]),
        spare=seed % 3,
        seed=seed,
        election_tick=random.choice([3, 6]),
        pre_vote=random.random() < 0.8,
        check_quorum=random.random() < 0.8,
        message_bytes_max=random.choice([1, 100, 1 << 20]),
        inflight_messages_max=random.choice([1, 3, 256]),
        tail_bytes_max=random.choice([1, 300, 1 << 20]),
    )
    cluster.busy_storage = seed % 2 == 1
    storm(cluster, random, 250)
    cluster.converge(20)
    assert len(cluster.observer.committed) > 5, "a storm in which nothing is committed shows nothing"
    assert len(cluster.observer.acknowledged) > 3, "and one in which nothing is acknowledged, little"


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_short_reigns_lose_nothing_committed(seed: int) -> None:
    cluster = Cluster(5, seed, election_tick=3, pre_vote=False, check_quorum=False, message_bytes_max=1)
    upheaval(cluster, Random(f"reigns:{seed}"), 40)
    cluster.converge(20)
    assert len(cluster.observer.leader_of) > 10


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5])
def test_after_healing_one_leader_and_equal_logs_within_ten_election_timeouts(size: int) -> None:
    cluster = Cluster(size, seed=size, election_tick=5)
    storm(cluster, Random(size), 100)
    cluster.converge(10)


def test_two_runs_of_one_seed_are_one_run() -> None:
    runs = []
    for _ in range(2):
        cluster = Cluster(3, seed=9, election_tick=5)
        storm(cluster, Random(9), 100)
        runs.append(
            (cluster.delivered, cluster.observer.committed, [p.disk.log() for p in cluster.peers.values()])
        )
    assert runs[0] == runs[1]
