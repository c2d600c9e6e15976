"""The bugs that cost others data or availability, and the tests that would have shown each.

`python -m tests.known_bugs` writes `docs/known-bugs.md`; a house test holds it to the tests.

Rules:

- A test named `test_bug_NN_..` or `test_.._bug_NN` is found by its name, wherever it stands.
- Tests that show a bug under another name, mostly of the node and its store, are named in `ALSO`; each must exist.
- A bug without a test of its own stands in the table as open. There is none that may be forgotten.
"""

import ast
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
DOCUMENT: Final = ROOT / "docs" / "known-bugs.md"


@dataclass(frozen=True, slots=True)
class Bug:
    """One bug: its number, what goes wrong, and where it was met."""

    number: int
    group: str
    what: str
    met: str


_LIST = """\
core | entries of an earlier term committed by counting | Raft paper, figure 8; logcabin#44; PySyncObj#110
core | a message shows a term, a vote or an entry before it is durable | PySyncObj#84
core | a late, double or empty append deletes entries | willemt/raft#37; PySyncObj 0.3.17
core | a follower commits past what the message covers | copycat#265
core | commit or match goes back | PySyncObj#166, #167; raftos#25
core | an answer from before a removal counts after the return in one term | nine of sixteen libraries
core | a doubled or stale vote counts; a repeated request is refused | Xraft#33; nebula#2419
core | an old write's completion marks replaced entries durable | etcd's append ABA race
core | a single node commits before its own disk has written | etcd#14370
core | half of an even cluster is taken for a majority | openraft#1802
core | a refused heartbeat is taken for a log that went back | openraft#1501
membership | a change before anything of the own term is committed | correction of 2015 to dissertation 4.1
membership | a campaign with a committed change not yet applied | etcd-io/raft#456
membership | the configuration after a restart or a truncation is another |
membership | a joint configuration is never left after a change of leader | etcd#12136
membership | a removed leader counts itself; a removed node disturbs | dissertation 4.2.2, 4.2.3
membership | a voter that lacks entries holds up commits; who must vote does not | dissertation 4.2.1
membership | an empty disk under an old id votes again | etcd#20269
reads | a read before a commit in the own term | etcd#7331
reads | an answer to an earlier attempt confirms a later read | etcd#20418
reads | a lease outlives a pause | dissertation 6.4.1
liveness | a partial link deposes leader after leader | Cloudflare, November 2020
liveness | a peer is never sent anything again | etcd-io/raft#31, #52; openraft#1828
liveness | commit beyond the end of the log after a crash |
liveness | a leader without a quorum takes in without bound |
disk | a failed fsync is tried again | Rebello and others, ATC 2020
disk | a torn tail is taken for corruption, or corruption for a torn tail | FAST 2018; NATS 2.12.1
disk | the applied index is not atomic with the state | etcd 3.5, postmortem
disk | the log is released before its snapshot is durable |
disk | a full disk |
clients | a timed-out proposal is taken for failed or for done |
clients | a whole cluster restarts with empty, equal or unequal logs |
clients | a pause longer than the election timeout; a clock that jumps |
clients | a link that fails in one direction only |
clients | doubled, reordered and delayed messages of every kind |
clients | two versions on the wire |
"""
BUGS: Final = tuple(
    Bug(number, *(part.strip() for part in line.split("|")))
    for number, line in enumerate(_LIST.splitlines(), 1)
)

ALSO: Final[Mapping[int, tuple[str, ...]]] = {
    2: ("p2p/test_node_slow_disk.py::test_nothing_leaves_a_node_that_a_crash_could_take_back",),
    17: ("ledger/contracts/test_membership.py::test_a_learner_becomes_an_orderer_when_it_says_so_itself",),
    18: (
        "ledger/contracts/test_membership.py::test_no_raft_id_is_given_twice",
        "ledger/contracts/test_membership_keys.py::"
        "test_an_orderers_node_comes_back_as_a_learner_with_a_new_id_and_then_orders",
        "ledger/store/test_store_flips.py::test_an_empty_file_beside_a_watermark_is_damage",
        "ledger/store/test_store_flips.py::test_a_missing_watermark_or_one_from_the_future_stops_the_node",
        "p2p/test_node_damage.py::test_another_node_s_data_are_refused",
    ),
    19: ("p2p/test_node_linearizability.py::test_linearizable_reads_are",),
    22: ("p2p/test_node_lives.py::test_what_was_isolated_is_pushed_again_when_the_link_is_back",),
    23: (
        "p2p/test_node_sync.py::test_a_receiver_that_dies_while_receiving_goes_on_where_it_was",
        "p2p/test_node_sync.py::test_the_leader_dies_while_a_state_is_fetched_from_it",
    ),
    25: ("p2p/test_ordering.py::test_a_leader_that_lost_its_followers_stops_cutting_at_the_limit",),
    26: (
        "p2p/test_node_disk.py::test_a_failed_sync_is_never_tried_again_and_nothing_is_written_after_it",
        "p2p/test_node_disk.py::test_what_a_failed_commit_had_staged_is_never_shown",
        "p2p/test_driver.py::test_when_a_commit_fails_who_waits_is_told_and_nothing_is_shown_or_tried_again",
    ),
    27: (
        "ledger/store/test_store_rows.py::test_a_crash_between_commit_and_watermark_is_no_damage",
        "ledger/store/test_store_flips.py::test_a_bit_of_the_wal_never_drops_answered_commits_in_silence",
        "p2p/test_node_damage.py::test_a_bit_in_the_wal_that_would_drop_commits_in_silence_stops_the_node",
    ),
    28: (
        "ledger/store/test_store_rows.py::test_state_and_applied_index_are_written_in_one_transaction",
        "ledger/store/test_store_rows.py::test_a_crash_inside_an_execution_leaves_neither_state_nor_applied_index",
    ),
    29: (
        "ledger/store/test_store_sync.py::test_the_log_is_released_only_after_the_snapshot_is_recorded_and_synced",
        "ledger/store/test_store_sync.py::test_a_second_snapshot_that_comes_close_takes_the_place_of_the_first",
        "ledger/store/test_store_sync.py::test_a_crash_leaves_the_old_ledger_or_the_new_one",
        "p2p/test_node_sync.py::test_an_orderer_behind_the_log_gets_a_snapshot_and_then_the_history",
        "p2p/test_node_sync.py::test_power_lost_again_and_again_leaves_the_old_ledger_or_the_new_one",
        "p2p/test_node_sync.py::test_the_servers_change_snapshots_in_the_middle",
    ),
    30: (
        "p2p/test_node_disk.py::test_a_failing_disk_stops_the_node_with_the_reason_and_the_network_goes_on",
    ),
    31: ("p2p/test_node_lives.py::test_what_was_accepted_survives_a_crash_and_is_executed_once",),
    32: ("p2p/test_node_lives.py::test_all_five_come_back_with_everything_they_had",),
    33: (
        "p2p/test_driver.py::test_a_stall_is_one_tick_not_one_for_every_interval_missed",
        "p2p/test_driver.py::test_a_follower_that_was_paused_deposes_nobody_when_it_goes_on",
        "p2p/test_live_machine.py::test_the_calendar_runs_on_from_where_it_was_set_whatever_the_wall_clock_does",
    ),
}
"""Tests under other names, by bug; paths within `tests/`."""


def defined(path: Path) -> list[str]:
    """The names of the tests in a file."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    functions = (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return [node.name for node in functions if node.name.startswith("test_")]


def found() -> dict[int, list[str]]:
    """The tests of every bug, by number: those named for it and those named in `ALSO`."""
    tests: dict[int, list[str]] = {bug.number: [] for bug in BUGS}
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        place = path.relative_to(ROOT / "tests")
        for name in defined(path):
            named = re.match(r"test_bug_(\d\d)_|.*_bug_(\d\d)$", name)
            if named:
                tests[int(named[1] or named[2])].append(f"{place}::{name}")
    for number, others in ALSO.items():
        tests[number] += [other for other in others if other not in tests[number]]
    return tests


def document() -> str:
    """The table as Markdown."""
    tests = found()
    lines = [
        "# Known bugs of others, and the tests that would show them here",
        "",
        "Every bug of this list cost somebody data or availability. Written by `python -m tests.known_bugs`; a test",
        "holds it to the tests that stand. Paths are within `tests/`; one is run by `pytest tests/PATH::NAME`.",
        "",
        "| | part | what goes wrong | met in | shown by |",
        "|---|---|---|---|---|",
    ]
    for bug in BUGS:
        shown = "<br>".join(f"`{test}`" for test in tests[bug.number]) or "**open**"
        lines.append(f"| {bug.number} | {bug.group} | {bug.what} | {bug.met} | {shown} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    DOCUMENT.write_text(document(), encoding="utf-8")
    sys.exit(0)
