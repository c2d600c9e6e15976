"""Every behavior of the cores within small bounds, and proof that the search would see a broken one."""

from collections.abc import Callable
from typing import Any

import pytest

from consensus import Change, ChangeType, ConfChange, Role, election, membership, quorum, reads, replication
from consensus.core import Core
from consensus.log import RaftLog
from consensus.storage import MemoryStorage
from consensus.types import Entry, EntryType, ReadState, Snapshot
from tests.consensus.exploration import Bounds, Explorer, Report, bounds_of, explore
from tests.consensus.explorations import DOCUMENT, SEARCHES, quick, row

FIGURE_8 = ((1,), (), (2,))
"""Node 1 led term 1, node 3 term 2, and neither's entry reached anybody."""
VOTER_2, VOTER_3, WITHOUT_1 = (
    Change(ChangeType.ADD_VOTER, 2),
    Change(ChangeType.ADD_VOTER, 3),
    Change(ChangeType.REMOVE, 1),
)


def sound(report: Report) -> Report:
    """The report, shown by `pytest -rP`; fails with the shortest path to a broken rule."""
    print(report)
    assert report.violation is None, "\n".join(report.path)
    return report


def test_one_node_in_full() -> None:
    report = sound(explore(Bounds(nodes=1, campaigns_max=3, crashes_max=2, writes_max=2)))
    assert report.complete
    assert report.leaders == 3


@pytest.mark.slow
def test_two_nodes_with_a_crash_and_writes_under_way_in_full() -> None:
    report = sound(explore(Bounds(nodes=2, flying_max=2, crashes_max=1)))
    assert report.complete
    assert (report.leaders, report.committed_max) == (2, 3)


@pytest.mark.slow
def test_two_nodes_with_every_kind_of_fault() -> None:
    report = sound(
        explore(Bounds(nodes=2, flying_max=2, crashes_max=1, duplicates_max=1, beats_max=1, depth_max=17))
    )
    assert report.states > 100_000


@pytest.mark.slow
def test_three_nodes_in_full() -> None:
    report = sound(explore(Bounds(nodes=3, flying_max=2, writes_max=0)))
    assert report.complete
    assert (report.leaders, report.committed_max) == (2, 3)


@pytest.mark.slow
def test_three_nodes_with_pre_vote_and_check_quorum() -> None:
    report = sound(
        explore(Bounds(nodes=3, flying_max=2, pre_vote=True, check_quorum=True, writes_max=0, depth_max=20))
    )
    assert report.states > 50_000
    assert report.committed_max == 2


@pytest.mark.slow
def test_three_nodes_that_hand_leadership_over() -> None:
    """Dissertation, section 3.10: a transfer elects nobody whom an election would not."""
    report = sound(explore(Bounds(nodes=3, campaigns_max=1, transfers_max=1, flying_max=2, writes_max=0)))
    assert report.complete
    assert report.leaders == 2


@pytest.mark.slow
def test_three_nodes_and_a_read() -> None:
    """Dissertation, section 6.4: no read shows less than was committed when it was asked for."""
    report = sound(explore(Bounds(nodes=3, reads_max=1, proposals_max=0, flying_max=2, writes_max=0)))
    assert report.complete
    assert report.reads_answered > 1000


@pytest.mark.slow
def test_three_nodes_that_start_with_the_logs_of_figure_8() -> None:
    """Raft paper, figure 8 (b), with three nodes: old entries meet a leader of a later term."""
    report = sound(explore(Bounds(nodes=3, logs=FIGURE_8, flying_max=2, proposals_max=0, writes_max=0)))
    assert report.complete
    assert report.leaders == 2


ADD_2, REMOVE_1 = ConfChange((VOTER_2,)), ConfChange((WITHOUT_1,))
REPLACE_1 = ConfChange((VOTER_3, WITHOUT_1))
PROMOTED = {"nodes": 2, "learners": 1, "changes": (ADD_2, REMOVE_1), "flying_max": 2, "writes_max": 0}
REPLACED = {
    "nodes": 3, "learners": 1, "changes": (REPLACE_1,), "changes_max": 1, "proposals_max": 0,
    "flying_max": 2, "writes_max": 0,
}  # fmt: skip


@pytest.mark.slow
def test_two_nodes_of_which_one_is_promoted_and_the_other_removed() -> None:
    """Dissertation, 4.1 and 4.2: a learner gets its vote, and the leader that gave it leaves."""
    report = sound(explore(Bounds(changes_max=2, **PROMOTED)))
    assert report.complete
    assert (report.leaders, report.confs, report.committed_max) == (2, 3, 5)


@pytest.mark.slow
def test_two_nodes_of_which_one_is_promoted_by_a_snapshot() -> None:
    """What it learns of its promotion may come with the snapshot that stands for the change."""
    report = sound(explore(Bounds(changes_max=1, releases_max=1, beats_max=1, **PROMOTED)))
    assert report.complete
    assert (report.leaders, report.confs) == (2, 2)
    assert report.snapshots > 5


@pytest.mark.slow
def test_two_nodes_with_a_snapshot_a_crash_and_writes_under_way() -> None:
    """Bug 29: a crash anywhere between the snapshot's arrival and its write, and everything that was under way."""
    report = sound(
        explore(
            Bounds(
                nodes=2, learners=1, campaigns_max=1, releases_max=1, beats_max=1, crashes_max=1, flying_max=2
            )
        )
    )
    assert report.complete
    assert report.snapshots > 5


@pytest.mark.slow
def test_three_nodes_through_a_joint_configuration() -> None:
    """Dissertation, 4.3: voter 1 is replaced by 3 in one step, whoever leads meanwhile, and it is left by itself."""
    report = sound(explore(Bounds(**REPLACED)))
    assert report.complete
    assert (report.leaders, report.confs) == (2, 3)


@pytest.mark.slow
def test_three_nodes_and_a_snapshot() -> None:
    report = sound(
        explore(Bounds(nodes=3, campaigns_max=1, releases_max=1, beats_max=1, flying_max=2, writes_max=0))
    )
    assert report.complete
    assert report.snapshots > 5


@pytest.mark.slow
@pytest.mark.parametrize(("what", "options", "line"), quick(), ids=[what for what, *_ in quick()])
def test_the_table_in_docs_is_of_this_core(what: str, options: str, line: str) -> None:
    assert row(what, options) == line, "run python -m tests.consensus.explorations"


def test_every_search_of_the_table_can_be_asked_for() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    for what, options in SEARCHES:
        assert bounds_of(options.split()).nodes in (1, 2, 3)
        assert f"| {what} | " in text
        assert f" | `{options}` |" in text
    assert len(quick()) >= 4


def always(value: object) -> Callable[..., object]:
    return lambda *_args, **_named: value


def commit_by_counting_alone(core: Core) -> bool:
    index = quorum.committed_index([progress.match for progress in core.progress.values()])
    return index > core.log.commit and core.commit_to(index)


def cut_at_every_append(log: RaftLog, index: int, term: int, entries: Any, sender: int) -> int | None:
    if log.term(index) != term:
        return None
    if log.last_index > max(index, log.commit):
        log._truncate(max(index, log.commit) + 1)
    for entry in entries:
        if entry.index > log.last_index:
            log.append(entry)
    return index + len(entries)


def forget_the_vote(disk: MemoryStorage, name: str, value: Any) -> None:
    if name == "hard_state":
        value = type(value)(value.term, 0, value.commit)
    object.__setattr__(disk, name, value)


def count_the_own_disk_at_once(core: Core) -> None:
    core.progress[core.id].accepted(core.log.last_index)


def count_all_as_written(core: Core) -> None:
    if core.role is Role.LEADER:
        count_the_own_disk_at_once(core)
        replication.advance_commit(core)


def start_term_rashly(core: Core) -> None:
    ORIGINAL_START_TERM(core)
    count_the_own_disk_at_once(core)


ORIGINAL_START_TERM = replication.start_term


def answer_reads_at_once(core: Core) -> None:
    while core.reads:
        _, index, context = core.reads.popleft()
        core.read_states.append(ReadState(index, context))


def count_the_own_vote_at_once(core: Core) -> None:
    if core.role is Role.CANDIDATE and core.id not in core.votes:
        core.votes[core.id] = True
        election._decide(core)


def append_without_noting_it(core: Core, data: bytes) -> Entry:
    return replication.append_own(core, data, EntryType.CONF_CHANGE)


def keep_the_old_configuration(core: Core, snapshot: Snapshot) -> None:
    conf, index = core.conf, core.conf_index
    ORIGINAL_RESTORE(core, snapshot)
    core.conf = conf
    core.conf_index = max(index, snapshot.index)


ORIGINAL_RESTORE = Core.restore


def take_a_snapshot_for_written(log: RaftLog, snapshot: Snapshot) -> None:
    ORIGINAL_LOG_RESTORE(log, snapshot)
    log.stable = snapshot.index


ORIGINAL_LOG_RESTORE = RaftLog.restore


def count_the_coming_voters_only(halves: Any, held: Any) -> int:
    return quorum.committed_index([held(voter) for voter in halves[0]])


SMALL = {"flying_max": 2, "writes_max": 0}
NO_LOAD = {"proposals_max": 0, **SMALL}

BROKEN: dict[str, tuple[object, str, object, Bounds, str]] = {
    "votes leave before they are written": (
        Core, "is_vote_durable", property(always(True)), Bounds(), "leaves 1 with only"
    ),
    "the vote is not written": (
        MemoryStorage, "__setattr__", forget_the_vote, Bounds(), "leaves 1 with only"
    ),
    "logs are not compared before a vote": (
        RaftLog, "is_up_to_date", always(True), Bounds(**SMALL), "lacks what was committed"
    ),
    "entries of earlier terms are committed by counting": (
        replication, "advance_commit", commit_by_counting_alone, Bounds(logs=FIGURE_8, **NO_LOAD),
        "lacks what was committed"
    ),
    "every append cuts what comes after it": (
        RaftLog, "merge", cut_at_every_append,
        Bounds(nodes=2, campaigns_max=1, flying_max=2, duplicates_max=1, beats_max=1), "other entries are stored"
    ),
    "a leader counts its disk before it is written": (
        replication, "start_term", start_term_rashly, Bounds(nodes=2), "on 1 disks"
    ),
    "a leader counts its disk for more than was written": (
        replication, "own_append_stable", count_all_as_written, Bounds(nodes=1, campaigns_max=1), "on 0 disks"
    ),
    "a candidate counts its vote when an earlier write is done": (
        election, "own_vote_durable", count_the_own_vote_at_once,
        Bounds(nodes=1, campaigns_max=3, crashes_max=1, writes_max=2), "election safety"
    ),
    "changes are taken in one after the other": (
        membership, "append_change", append_without_noting_it, Bounds(changes_max=3, **PROMOTED), "in flight at once"
    ),
    "a snapshot brings no configuration": (
        Core, "restore", keep_the_old_configuration,
        Bounds(changes_max=1, releases_max=1, beats_max=1, **PROMOTED), "goes by"
    ),
    "a snapshot is acknowledged before it is written": (
        RaftLog, "restore", take_a_snapshot_for_written,
        Bounds(nodes=2, learners=1, campaigns_max=1, releases_max=1, beats_max=1, flying_max=2),
        "leaves 2 with only"
    ),
    "a joint configuration commits by its coming voters": (
        quorum, "joint_committed_index", count_the_coming_voters_only,
        Bounds(**{**REPLACED, "writes_max": 1, "campaigns_max": 1}), "disks"
    ),
    "reads are answered without asking who leads": (
        reads, "confirm", answer_reads_at_once, Bounds(reads_max=1, **NO_LOAD), "stale read"
    ),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("fault", BROKEN)
def test_a_broken_core_is_found_out(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each safeguard, switched off, leads to a broken rule within the bounds."""
    where, name, replacement, bounds, rule = BROKEN[fault]
    monkeypatch.setattr(where, name, replacement)
    report = explore(bounds)
    print(report, *report.path, sep="\n  ")
    assert report.violation is not None
    assert rule in report.violation
    assert report.path[-1].startswith("BrokenRuleError")


def test_two_searches_are_one_search() -> None:
    bounds = Bounds(nodes=3, depth_max=9)
    assert explore(bounds) == explore(bounds)


def test_a_copy_shares_nothing_that_changes() -> None:
    """A step of a copied node leaves the node it was copied from, and its disk, as they were."""
    explorer = Explorer(Bounds(nodes=1, writes_max=0))
    start = explorer._initial()[0][0]
    before = explorer._key(explorer.locals[start], explorer.locals[start].core._number)
    stepped, *_ = explorer._step(start, ("campaign",))
    assert explorer.views[stepped].leads
    assert explorer._key(explorer.locals[start], explorer.locals[start].core._number) == before
    assert not explorer.locals[start].stored()
    assert explorer.locals[stepped].core._core.log._storage is explorer.locals[stepped].disk
