"""For each invariant of the observer a mutation that trips it: an invariant that nothing can break checks nothing."""

import dataclasses
import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest
from raft_harness import Cluster, Disk

from consensus import (
    ChangeType,
    ConfState,
    Entry,
    Message,
    MessageType,
    election,
    membership,
    quorum,
    raft,
    reads,
    replication,
)
from consensus.core import Core
from consensus.log import RaftLog
from consensus.progress import Progress
from consensus.types import NOBODY, ReadState
from tests.consensus.observer import BrokenInvariantError, Invariant, Observer

Patch = pytest.MonkeyPatch


def _storms() -> Any:
    name = "raft_storms"
    if name not in sys.modules:
        path = Path(__file__).parents[1] / "properties" / "test_raft_storms.py"
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


storms = _storms()


def storm(seed: int) -> None:
    cluster = Cluster(3, seed, spare=1, election_tick=3, message_bytes_max=100)
    storms.storm(cluster, Random(f"invariants:{seed}"), 120)
    cluster.converge(10)


def short_reigns(seed: int) -> None:
    cluster = Cluster(5, seed, pre_vote=False, check_quorum=False, message_bytes_max=1, election_tick=3)
    storms.upheaval(cluster, Random(f"invariants:{seed}"), 30)


def quiet(seed: int) -> None:
    cluster = Cluster(3, seed)
    cluster.elect(1)
    for _ in range(3):
        cluster.propose(1)
        cluster.run(2)
    cluster.release(1)
    cluster.converge(4)


def members_come_and_go(seed: int) -> None:
    cluster = Cluster(3, seed, spare=2)
    cluster.elect(1)
    cluster.run(1)
    for member in (4, 5):
        cluster.change(1, (ChangeType.ADD_LEARNER, member))
        cluster.work(1)
    cluster.settle()
    cluster.run(2)
    cluster.change(1, (ChangeType.ADD_VOTER, 4), (ChangeType.REMOVE, 3))
    cluster.run(4)


def a_leader_asleep(seed: int) -> None:
    """Node 1 believes that it leads while 2 leads a later term."""
    cluster = Cluster(3, seed)
    cluster.elect(1)
    cluster.isolate(1)
    cluster.settle()
    cluster.elect(2)
    cluster.propose(2)
    cluster.settle()
    cluster.heal()
    cluster.read(1)
    cluster.settle()


# --- mutations, each of one line of the cores or of their caller


def every_vote_is_free(patch: Patch) -> None:
    def grants(core: Core, message: Message) -> None:
        core.vote = NOBODY
        core.lead = NOBODY
        ORIGINAL_HANDLE_VOTE(core, message)

    patch.setitem(raft._HANDLERS, MessageType.VOTE, grants)  # type: ignore[arg-type]


ORIGINAL_HANDLE_VOTE = election.handle_vote
ORIGINAL_MERGE = RaftLog.merge
ORIGINAL_RESTART = Cluster.restart
ORIGINAL_WRITE = Disk.write


def half_is_a_majority(patch: Patch) -> None:
    patch.setattr(quorum, "majority", lambda voters: (voters + 1) // 2 - (voters > 2))


def a_leader_takes_its_last_entry_back(patch: Patch) -> None:
    def beat(core: Core) -> None:
        if core.log.last_index > max(core.log.commit, core.term_start):
            core.log._truncate(core.log.last_index)
        ORIGINAL_BEAT(core)

    patch.setattr(replication, "broadcast_heartbeat", beat)


ORIGINAL_BEAT = replication.broadcast_heartbeat


def what_comes_before_is_not_compared(patch: Patch) -> None:
    def merge(log: RaftLog, index: int, _term: int, new: Any, sender: int) -> int | None:
        ours = log.term(index)
        return None if ours is None else ORIGINAL_MERGE(log, index, ours, new, sender)

    patch.setattr(RaftLog, "merge", merge)


def logs_are_not_compared(patch: Patch) -> None:
    patch.setattr(RaftLog, "is_up_to_date", lambda *_: True)


def one_node_hands_out_other_data(patch: Patch) -> None:
    original = RaftLog.next_committed
    calls = iter(range(1 << 20))

    def next_committed(log: RaftLog, bytes_max: int) -> list[Entry]:
        found = original(log, bytes_max)
        if found and next(calls) == 9:
            found = [*found[:-1], dataclasses.replace(found[-1], data=b"another")]
        return found

    patch.setattr(RaftLog, "next_committed", next_committed)


def commit_passes_what_the_message_covers(patch: Patch) -> None:
    """Bug 4."""

    def handle_append(core: Core, message: Message) -> None:
        ORIGINAL_HANDLE_APPEND(core, message)
        core.commit_to(message.commit)

    patch.setitem(raft._HANDLERS, MessageType.APPEND, raft._from_leader(handle_append))  # type: ignore[arg-type]


ORIGINAL_HANDLE_APPEND = replication.handle_append


def one_disk_is_enough(patch: Patch) -> None:
    patch.setattr(
        quorum, "joint_committed_index", lambda halves, held: max(held(voter) for voter in halves[0])
    )


def nothing_waits_for_the_disk(patch: Patch) -> None:
    patch.setattr(Core, "_shows_too_much", lambda *_: False)


def older_terms_are_followed(patch: Patch) -> None:
    patch.setattr(
        raft, "_answer_older_term", lambda core, message: election.become_follower(core, message.term, NOBODY)
    )


def a_restart_forgets_what_was_applied(patch: Patch) -> None:
    def restart(cluster: Cluster, node: int) -> None:
        cluster.peers[node].disk.applied = cluster.peers[node].disk.applied[:1]
        ORIGINAL_RESTART(cluster, node)

    patch.setattr(Cluster, "restart", restart)


def what_is_not_committed_is_applied(patch: Patch) -> None:
    def next_committed(log: RaftLog, bytes_max: int) -> list[Entry]:
        found = (
            log.slice(log.applying + 1, log.last_index + 1, bytes_max)
            if log.applying < log.last_index
            else []
        )
        log.applying = found[-1].index if found else log.applying
        return found

    patch.setattr(RaftLog, "next_committed", next_committed)


def a_snapshot_of_what_is_not_applied(patch: Patch) -> None:
    def release(disk: Disk, kept: int) -> None:
        disk.create_snapshot(disk.last_index(), disk.conf_state)

    def check(cluster: Cluster, node: int, kept: int = 0) -> None:
        cluster.propose(node)
        cluster.take(node)
        peer = cluster.peers[node]
        peer.disk.append(peer.writing[-1].entries)
        release(peer.disk, kept)
        cluster.observer.check(peer)

    patch.setattr(Cluster, "release", check)


def a_write_is_done_before_it_is(patch: Patch) -> None:
    original = RaftLog.hand_out

    def hand_out(log: RaftLog, number: int) -> list[Entry]:
        found = original(log, number)
        log.stable = log.last_index
        return found

    patch.setattr(RaftLog, "hand_out", hand_out)


def an_acknowledgement_moves_match_alone(patch: Patch) -> None:
    def accepted(progress: Progress, index: int, **_: bool) -> bool:
        moved = index > progress.match
        progress.match = max(index, progress.match)
        return moved

    patch.setattr(Progress, "accepted", accepted)


def what_was_sent_counts_as_held(patch: Patch) -> None:
    def sent(progress: Progress, entry_count: int, size_bytes: int, commit: int) -> None:
        ORIGINAL_SENT(progress, entry_count, size_bytes, commit)
        progress.match = progress.next - 1

    patch.setattr(Progress, "sent_append", sent)


ORIGINAL_SENT = Progress.sent_append


def changes_are_not_counted(patch: Patch) -> None:
    patch.setattr(membership, "refusal", lambda *_: None)


def each_node_derives_its_own_configuration(patch: Patch) -> None:
    calls = iter(range(1 << 20))

    def changed(observer: Observer, index: int, conf: ConfState) -> None:
        twisted = dataclasses.replace(conf, learners=(9,)) if next(calls) == 3 else conf
        ORIGINAL_CHANGED(observer, index, twisted)

    patch.setattr(Observer, "changed", changed)


ORIGINAL_CHANGED = Observer.changed


def reads_are_answered_at_once(patch: Patch) -> None:
    def confirm(core: Core) -> None:
        while core.reads:
            _, index, context = core.reads.popleft()
            core.read_states.append(ReadState(index, context))

    patch.setattr(reads, "confirm", confirm)


def clients_are_told_before_it_is_committed(patch: Patch) -> None:
    original = Cluster.propose

    def propose(cluster: Cluster, node: int, size_bytes: int = 0) -> Entry | None:
        entry = original(cluster, node, size_bytes)
        if entry is not None:
            cluster.observer.acknowledge(entry)
        return entry

    patch.setattr(Cluster, "propose", propose)


def a_command_is_lost_after_its_acknowledgement(patch: Patch) -> None:
    def check(observer: Observer, members: Any) -> None:
        observer.cluster.peers[members[-1]].disk.effects.popitem()
        ORIGINAL_SCAN(observer, members)

    patch.setattr(Observer, "check_acknowledged", check)


ORIGINAL_SCAN = Observer.check_acknowledged


def retries_are_done_again(patch: Patch) -> None:
    patch.setattr(Cluster, "suppresses_duplicates", False, raising=False)
    patch.setattr(Disk, "do", _do_always)


def _do_always(disk: Disk, entry: Entry, _observer: Observer) -> None:
    if entry.data:
        disk.effects.setdefault(entry.data, []).append(entry.index)


def lost_appends_are_not_made_good(patch: Patch) -> None:
    patch.setitem(raft._HANDLERS, MessageType.HEARTBEAT_RESPONSE, lambda *_: None)  # type: ignore[arg-type]
    patch.setattr(election, "_quorum_active", lambda _: True)


def nobody_campaigns(patch: Patch) -> None:
    patch.setattr(election, "tick_follower", lambda _: None)


Play = Callable[[int], None]
MUTATIONS: list[tuple[Invariant, Callable[[Patch], None], Play]] = [
    (Invariant.ELECTION_SAFETY, half_is_a_majority, storm),
    (Invariant.LEADER_APPEND_ONLY, a_leader_takes_its_last_entry_back, storm),
    (Invariant.LOG_MATCHING, what_comes_before_is_not_compared, short_reigns),
    (Invariant.LEADER_COMPLETENESS, logs_are_not_compared, short_reigns),
    (Invariant.STATE_MACHINE_SAFETY, one_node_hands_out_other_data, quiet),
    (Invariant.COMMITTED_IMMUTABLE, commit_passes_what_the_message_covers, short_reigns),
    (Invariant.COMMITTED_DURABLE, one_disk_is_enough, storm),
    (Invariant.PERSIST_BEFORE_SEND, nothing_waits_for_the_disk, storm),
    (Invariant.MONOTONIC, every_vote_is_free, short_reigns),
    (Invariant.MONOTONIC, older_terms_are_followed, storm),
    (Invariant.MONOTONIC, a_restart_forgets_what_was_applied, storm),
    (Invariant.INDEX_ORDER, what_is_not_committed_is_applied, quiet),
    (Invariant.INDEX_ORDER, a_snapshot_of_what_is_not_applied, quiet),
    (Invariant.STABLE_IS_STORED, a_write_is_done_before_it_is, quiet),
    (Invariant.MATCH_BELOW_NEXT, an_acknowledgement_moves_match_alone, quiet),
    (Invariant.MATCH_IS_STORED, what_was_sent_counts_as_held, quiet),
    (Invariant.ONE_CHANGE_IN_FLIGHT, changes_are_not_counted, members_come_and_go),
    (Invariant.ONE_CONFIGURATION, each_node_derives_its_own_configuration, members_come_and_go),
    (Invariant.FRESH_READS, reads_are_answered_at_once, a_leader_asleep),
    (Invariant.ACKNOWLEDGED_IS_KEPT, clients_are_told_before_it_is_committed, quiet),
    (Invariant.ACKNOWLEDGED_IS_KEPT, a_command_is_lost_after_its_acknowledgement, quiet),
    (Invariant.SINGLE_EFFECT, retries_are_done_again, storm),
    (Invariant.LIVENESS, lost_appends_are_not_made_good, storm),
    (Invariant.LIVENESS, nobody_campaigns, storm),
]
SEEDS_MAX = 40


def tripped(play: Play) -> Invariant | None:
    """The first invariant that a bounded search over seeds breaks."""
    for seed in range(SEEDS_MAX):
        try:
            play(seed)
        except BrokenInvariantError as error:
            return error.invariant
    return None


@pytest.mark.parametrize(
    ("invariant", "mutate", "play"), MUTATIONS, ids=[mutate.__name__ for _, mutate, _ in MUTATIONS]
)
def test_a_mutation_trips_its_invariant(
    invariant: Invariant, mutate: Callable[[Patch], None], play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    mutate(monkeypatch)
    assert tripped(play) is invariant


def test_every_invariant_has_a_mutation() -> None:
    assert {invariant for invariant, *_ in MUTATIONS} == set(Invariant)


@pytest.mark.parametrize("play", [storm, short_reigns, quiet, members_come_and_go, a_leader_asleep])
def test_without_a_mutation_nothing_trips(play: Play) -> None:
    play(0)
    play(1)
