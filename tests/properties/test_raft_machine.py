"""Hypothesis plays the world against three to seven cores; an observer checks every step.

Rules of the game: any message may be delivered next, dropped or doubled; any node may take work, finish its
oldest write, tick, campaign, be asked to change members or to hand over, drop what it has applied, crash (losing
all but a chosen number of writes under way) and restart; clients ask, and ask again; any direction of any link may
be cut. After every step all of `tests.consensus.observer.Invariant` holds. At the end the world heals and the
cluster must converge, with all that was acknowledged.
"""

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

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

NODES = st.integers(1, 7)
PLACES = st.integers(0, 1 << 16)


class RaftMachine(RuleBasedStateMachine):
    """The world's moves; numbers are taken modulo what there is to choose from."""

    cluster: Cluster

    @initialize(
        size=st.integers(3, 7),
        spare=st.integers(0, 2),
        seed=st.integers(0, 1 << 16),
        led=st.booleans(),
        pre_vote=st.booleans(),
        check_quorum=st.booleans(),
        message_bytes_max=st.sampled_from([1, 80, 1 << 20]),
        inflight_messages_max=st.sampled_from([1, 2, 64]),
        tail_bytes_max=st.sampled_from([1, 1 << 20]),
        busy=st.booleans(),
    )
    def start(self, size: int, spare: int, seed: int, *, led: bool, busy: bool, **chosen: int) -> None:
        self.cluster = Cluster(
            size, seed, spare=min(spare, 7 - size), election_tick=4, uncommitted_bytes_max=400, **chosen
        )
        self.cluster.busy_storage = busy
        if led:
            self.cluster.elect(1)
            self.cluster.run(1)

    def alive(self, number: int, act: Callable[[int], object]) -> None:
        node = 1 + number % len(self.cluster.ids)
        if self.cluster.peers[node].core is not None:
            act(node)

    @rule(node=NODES, ticks=st.integers(1, 9))
    def tick(self, node: int, ticks: int) -> None:
        for _ in range(ticks):
            self.alive(node, self.cluster.tick)

    @rule(node=NODES)
    def campaign(self, node: int) -> None:
        self.alive(node, self.cluster.campaign)

    @rule(node=NODES)
    def propose(self, node: int) -> None:
        self.alive(node, self.cluster.propose)

    @rule()
    def propose_at_leaders(self) -> None:
        for node in self.cluster.leaders():
            self.cluster.propose(node)

    @rule(number=PLACES)
    def ask_again(self, number: int) -> None:
        """A client whose answer is late or lost asks whoever leads; also one that forgot its answer."""
        for leader in self.cluster.leaders():
            self.cluster.ask_again(leader, number)

    @rule(node=NODES)
    def read_at_leaders(self, node: int) -> None:
        """Of leaders of several terms all are asked: only one of them may answer."""
        self.alive(node, self.cluster.read)
        for leader in self.cluster.leaders():
            self.cluster.read(leader)

    @rule(
        node=NODES,
        kinds=st.lists(st.tuples(st.sampled_from(ChangeType), NODES), min_size=1, max_size=3),
    )
    def change(self, node: int, kinds: list[tuple[ChangeType, int]]) -> None:
        """Who comes, goes or changes its part; much of it is refused by the leader, and rightly."""
        ids = self.cluster.ids
        kinds = [(kind, 1 + member % len(ids)) for kind, member in kinds]
        for leader in self.cluster.leaders():
            self.cluster.change_at_random(self.cluster.random, leader, *kinds)
            self.cluster.settle()

    @rule(node=NODES, kept=st.integers(0, 3))
    def release(self, node: int, kept: int) -> None:
        self.cluster.release(1 + node % len(self.cluster.ids), kept)

    @rule(node=NODES, kept=st.integers(0, 3), back=st.booleans())
    def leave_behind(self, node: int, kept: int, *, back: bool) -> None:
        """What a node that is away will need is dropped; perhaps it comes back at once."""
        self.cluster.isolate(1 + node % len(self.cluster.ids))
        for leader in self.cluster.leaders():
            for _ in range(kept + 1):
                self.cluster.propose(leader)
            self.cluster.settle()
            self.cluster.release(leader, kept)
        if back:
            self.cluster.heal()
            self.cluster.run(2)

    @rule(node=NODES, peer=NODES, ok=st.booleans())
    def report_snapshot(self, node: int, peer: int, ok: bool) -> None:
        """True or not: what a caller says of a snapshot may cost time, nothing else."""
        self.alive(
            node, lambda node: self.cluster.touch(node, lambda core: core.report_snapshot(peer, ok=ok))
        )

    @rule(node=NODES, to=NODES)
    def transfer(self, node: int, to: int) -> None:
        self.alive(node, lambda node: self.cluster.transfer(node, to))
        for leader in self.cluster.leaders():
            self.cluster.transfer(leader, to)

    @rule(node=NODES)
    def forget_leader(self, node: int) -> None:
        self.alive(node, lambda node: self.cluster.touch(node, lambda core: core.forget_leader()))

    @rule(node=NODES)
    def take(self, node: int) -> None:
        self.alive(node, self.cluster.take)

    @rule(node=NODES)
    def persist(self, node: int) -> None:
        self.alive(node, self.cluster.persist)

    @rule(node=NODES)
    def work(self, node: int) -> None:
        self.alive(node, self.cluster.work)

    @rule()
    def work_everywhere(self) -> None:
        for node in self.cluster.ids:
            self.alive(node - 1, self.cluster.work)

    @rule(ticks=st.integers(1, 10))
    def quiet_days(self, ticks: int) -> None:
        """Time passes and every message arrives that no cut link stops."""
        self.cluster.run(ticks)

    @rule(rounds=st.integers(1, 3))
    def calm(self, rounds: int) -> None:
        """All that flies arrives and is dealt with, so that deep states are reached."""
        for _ in range(rounds):
            self.work_everywhere()
            for _ in range(min(len(self.cluster.flying), 40)):
                self.cluster.deliver()

    @precondition(lambda self: self.cluster.flying)
    @rule(places=st.lists(PLACES, min_size=1, max_size=8))
    def deliver_any(self, places: list[int]) -> None:
        for place in places:
            if self.cluster.flying:
                self.cluster.deliver(place % len(self.cluster.flying))

    @precondition(lambda self: self.cluster.flying)
    @rule(place=PLACES)
    def drop(self, place: int) -> None:
        del self.cluster.flying[place % len(self.cluster.flying)]

    @precondition(lambda self: self.cluster.flying)
    @rule(place=PLACES)
    def double(self, place: int) -> None:
        self.cluster.flying.append(self.cluster.flying[place % len(self.cluster.flying)])

    @rule(node=NODES, written=st.integers(0, 3))
    def crash(self, node: int, written: int) -> None:
        self.alive(node, lambda node: self.cluster.crash(node, written))

    @rule()
    def restart_all(self) -> None:
        for node in self.cluster.ids:
            if self.cluster.peers[node].core is None:
                self.cluster.restart(node)

    @rule(sender=NODES, to=NODES)
    def cut(self, sender: int, to: int) -> None:
        self.cluster.cut[sender, to] = True

    @rule(node=NODES)
    def isolate(self, node: int) -> None:
        self.cluster.isolate(1 + node % len(self.cluster.ids))

    @rule(node=NODES, peer=NODES)
    def report_unreachable(self, node: int, peer: int) -> None:
        self.alive(node, lambda node: self.cluster.touch(node, lambda core: core.report_unreachable(peer)))

    @rule()
    def heal(self) -> None:
        self.cluster.heal()

    def teardown(self) -> None:
        if hasattr(self, "cluster"):
            self.cluster.converge(20)


RaftMachine.TestCase.settings = settings(
    max_examples=80,
    stateful_step_count=60,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@pytest.mark.slow
@pytest.mark.timeout(600)  # a failure is worth the minutes in which hypothesis shrinks it
class TestRaftMachine(RaftMachine.TestCase):
    """Safety after every step, liveness at the end."""
