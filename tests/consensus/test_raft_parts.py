"""The parts that have no protocol in them: quorums, windows, progress, the log, messages as fields."""

import copy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from raft_harness import append, disk_with, entries, heartbeat

from consensus import (
    ConfigError,
    ConfState,
    Entry,
    EntryType,
    HardState,
    MalformedMessageError,
    MemoryStorage,
    Message,
    MessageType,
    Snapshot,
)
from consensus.log import RaftLog
from consensus.progress import Inflights, Progress, ProgressState
from consensus.quorum import (
    VoteResult,
    committed_index,
    joint_committed_index,
    joint_vote_result,
    majority,
    vote_result,
)
from consensus.storage import fitting
from tests.consensus.observer import chain_of

few = settings(deadline=None, max_examples=60)


@pytest.mark.parametrize(("voters", "needed"), [(1, 1), (2, 2), (3, 2), (4, 3), (5, 3), (6, 4), (7, 4)])
def test_bug_10_majorities_of_every_size(voters: int, needed: int) -> None:
    """openraft#1802: two majorities always share a voter, and no majority is larger than it must be."""
    assert majority(voters) == needed
    assert 2 * needed > voters
    assert 2 * (needed - 1) <= voters


@few
@given(st.lists(st.integers(0, 9), min_size=1, max_size=7))
def test_bug_10_the_committed_index_is_the_highest_on_a_majority(matches: list[int]) -> None:
    index = committed_index(matches)
    assert sum(match >= index for match in matches) >= majority(len(matches))
    assert sum(match >= index + 1 for match in matches) < majority(len(matches))


@few
@given(st.integers(1, 7), st.dictionaries(st.integers(1, 9), st.booleans()))
def test_an_election_is_decided_as_soon_as_nothing_can_change_it(size: int, votes: dict[int, bool]) -> None:
    voters = range(1, size + 1)
    granted = sum(votes.get(voter) is True for voter in voters)
    refused = sum(votes.get(voter) is False for voter in voters)
    result = vote_result(voters, votes)
    assert (result is VoteResult.WON) == (granted >= majority(size))
    assert (result is VoteResult.LOST) == (size - refused < majority(size))


def test_a_window_counts_messages_and_bytes() -> None:
    window = Inflights(2, 100)
    window.add(1, 99)
    assert not window.is_full
    window.add(2, 500)
    assert window.is_full
    window.free_through(1)
    assert window.is_full, "still 500 bytes"
    window.free_through(2)
    assert not window.is_full
    assert len(window) == 0


def replicating(match: int, next_index: int) -> Progress:
    progress = Progress(1, 1, Inflights(8, 1 << 20))
    progress.match = match
    progress.become_replicate()
    if next_index > match + 1:
        progress.sent_append(next_index - match - 1, 10, 0)
    return progress


def test_stale_refusals_change_nothing() -> None:
    progress = replicating(5, 9)
    assert not progress.rejected(5, 2)
    assert (progress.state, progress.next) == (ProgressState.REPLICATE, 9)
    assert progress.rejected(8, 7)
    assert (progress.state, progress.next) == (ProgressState.PROBE, 6)
    assert not progress.rejected(8, 7), "not what is being probed"


def test_a_probe_goes_back_to_the_hint_but_never_below_match() -> None:
    progress = Progress(1, 20, Inflights(8, 1 << 20))
    assert progress.rejected(19, 7)
    assert progress.next == 8
    progress.match = 5
    assert progress.rejected(7, 0)
    assert progress.next == 6


@few
@given(
    st.lists(
        st.tuples(st.sampled_from(["accept", "reject", "send", "probe"]), st.integers(0, 12)), max_size=30
    )
)
def test_match_stays_below_next_and_only_grows(moves: list[tuple[str, int]]) -> None:
    progress = Progress(1, 13, Inflights(3, 100))
    for move, number in moves:
        before = progress.match
        if move == "accept":
            progress.accepted(number)
        elif move == "reject":
            progress.rejected(number, number // 2)
        elif move == "send" and not progress.paused:
            progress.sent_append(number, 10 * number, number)
        elif move == "probe":
            progress.become_probe()
        assert before <= progress.match < progress.next


def open_log(*terms: int, tail_bytes_max: int = 1 << 20, commit: int = 0) -> tuple[RaftLog, MemoryStorage]:
    disk = disk_with(*terms)
    return RaftLog(disk, HardState(max(terms, default=0), 0, commit), 0, tail_bytes_max), disk


@few
@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(1, 3), st.integers(0, 4)), max_size=12),
    st.sampled_from([1, 100, 1 << 20]),
    st.randoms(use_true_random=False),
)
def test_the_log_reads_as_one_list_wherever_its_parts_are(
    moves: list[tuple[int, int, int]], tail: int, random
) -> None:  # type: ignore[no-untyped-def]
    """Appends, truncations, writes in flight and trimming, against a plain list."""
    log, disk = open_log(tail_bytes_max=tail)
    model: list[Entry] = []
    writes: list[tuple[int, list[Entry]]] = []
    term, number = 0, 0
    for back, step, count in moves:
        term += step
        at = max(len(model) - back, log.commit)
        new = entries(*[term] * count, start=at + 1)
        assert log.merge(at, model[at - 1].term if at else 0, new, 2) == at + count
        model[at:] = new or model[at:]
        if random.random() < 0.7:
            number += 1
            writes.append((number, log.hand_out(number)))
            log.commit_to(random.randint(0, len(model)))
            log.next_committed(1 << 30)
        while writes and random.random() < 0.6:
            done, written = writes.pop(0)
            disk.append(written)
            log.written(done)
            log.applied_to(min(log.applying, log.stable))
        assert log.last_index == len(model)
        assert log.slice(1, len(model) + 1, 1 << 30) == model
        assert [log.term(index) for index in range(len(model) + 2)] == [0, *[e.term for e in model], None]
        assert list(disk.entries(1, log.stable + 1, 1 << 30)) == model[: log.stable]
        low = random.randint(1, len(model) + 1)
        assert log.slice(low, len(model) + 1, 60) == fitting(model[low - 1 :], 60)
        assert log.size_bytes(log.commit + 1, len(model) + 1) == sum(
            e.size_bytes for e in model[log.commit :]
        )


def test_the_nearest_place_by_term() -> None:
    log, _ = open_log(1, 1, 3, 3, 5)
    assert log.nearest_by_term(5, 5) == (5, 5)
    assert log.nearest_by_term(5, 4) == (4, 3)
    assert log.nearest_by_term(4, 2) == (2, 1)
    assert log.nearest_by_term(2, 0) == (0, 0)


def test_a_committed_log_is_not_cut() -> None:
    log, _ = open_log(1, 1, 2, commit=2)
    log.commit_to(1)
    assert log.commit == 2
    log.commit_to(99)
    assert log.commit == 3


def test_log_up_to_date() -> None:
    log, _ = open_log(1, 2)
    assert [log.is_up_to_date(*end) for end in ((2, 2), (1, 3), (3, 1), (1, 2), (3, 2))] == [
        True,
        True,
        False,
        False,
        True,
    ]


def test_different_logs_have_different_chains() -> None:
    """The harness's own eye: a chain tells any two prefixes apart."""
    first, second = entries(1, 2, 2), entries(1, 1, 2)
    assert chain_of(first)[2] != chain_of(second)[2]
    assert chain_of(first)[0] == chain_of(second)[0]


entry_lists = st.lists(st.binary(max_size=9), max_size=3)


@few
@given(st.sampled_from(MessageType), st.integers(0, 1 << 40), st.booleans(), entry_lists)
def test_a_message_survives_its_fields(
    kind: MessageType, number: int, reject: bool, data: list[bytes]
) -> None:
    new = [Entry(7, index, EntryType.NORMAL, item) for index, item in enumerate(data, number + 2)]
    may_reject = kind.name.endswith("RESPONSE") and kind is not MessageType.HEARTBEAT_RESPONSE
    message = Message(
        kind,
        to=3,
        sender=11,
        term=8,
        session=number,
        log_term=6,
        index=number + 1,
        commit=number,
        reject=reject and may_reject,
        reject_hint=number // 2,
        entries=tuple(new) if kind is MessageType.APPEND else (),
        context=number % 3,
        snapshot=Snapshot(number + 1, 7, ConfState((1, 2), (2, 3), (9,), (3,), True), b"cert")
        if kind is MessageType.SNAPSHOT
        else None,
    )
    assert Message.from_fields(message.to_fields()) == message


GOOD = append(3, (1, 1), entries(2, 3, start=2)).to_fields()


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        (0, 99, "type 99 is unknown"),
        (0, True, "type must be an integer"),
        (1, 0, "to must be an integer from 1"),
        (2, -2, "sender"),
        (2, 1, "to itself"),
        (3, 0, "term"),
        (3, 1 << 63, "term must be an integer"),
        (3, "3", "term must be an integer"),
        (3, 2.0, "term must be an integer"),
        (3, None, "term must be an integer"),
        (5, 9, "log_term 9 is after"),
        (5, 0, "0 goes with 0"),
        (6, 2, "cannot follow index 2"),
        (8, 1, "cannot be a refusal"),
        (8, 2, "reject"),
        (10, 7, "entries must be a list"),
        (10, [7], "entry must be a list"),
        (10, [[2, 2, 0]], "entry must be a list of 4"),
        (10, [[2, 2, 9, b""]], "entry type 9"),
        (10, [[2, 2, 0, "text"]], "data must be bytes"),
        (10, [[0, 2, 0, b""]], "entry.term"),
        (10, [[4, 2, 0, b""]], "of term 4 cannot follow"),
        (10, [[3, 2, 0, b""], [2, 3, 0, b""]], "entry 3 of term 2 cannot follow index 2 of term 3"),
        (10, [[2, 3, 0, b""]], "entry 3 of term 2 cannot follow index 1"),
    ],
)
def test_rubbish_is_refused_by_name(place: int, value: object, message: str) -> None:
    fields: list[object] = copy.deepcopy(list(GOOD))
    fields[place] = value
    with pytest.raises(MalformedMessageError, match=message):
        Message.from_fields(fields)


@pytest.mark.parametrize("fields", [None, 7, b"bytes", "text", {}, [], [1] * 10, [1] * 14])
def test_what_is_no_message_at_all_is_refused(fields: object) -> None:
    with pytest.raises(MalformedMessageError, match="must be a list of 11 to"):
        Message.from_fields(fields)


def test_bug_36_a_message_without_new_features_reads_the_same_in_an_older_version() -> None:
    """Two versions on the wire: fields that say nothing are left out, and never sent as such."""
    assert len(GOOD) == 11
    assert len(Message(MessageType.HEARTBEAT, 1, 2, 3, context=4).to_fields()) == 12
    with pytest.raises(MalformedMessageError, match="context must be an integer from 1"):
        Message.from_fields([*GOOD, 0])


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ([11, *GOOD[1:]], r"message type 11 is unknown; known are \[1, 2, 3, 4, 5, 6, 7, 8, 9, 10\]"),
        ([*GOOD[:10], [[2, 6, 1, b"x"]]], r"entry type 1 is unknown; known are \[0, 2\]"),
        ([*GOOD[:10], [[2, 6, 0, b"x", 7]]], "entry must be a list of 4 fields"),
        ([*GOOD, 4, [5, 3, [1, 2], [], [], [], 0, b"certificate"], 9], "must be a list of 11 to 13 fields"),
    ],
    ids=["kind", "entry type", "entry field", "field"],
)
def test_bug_36_what_only_another_version_sends_is_refused_by_name(
    fields: list[object], message: str
) -> None:
    """Refused whole, before the core sees any of it: a message half understood would be another message."""
    with pytest.raises(MalformedMessageError, match=message):
        Message.from_fields(fields)


def test_only_appends_carry_entries() -> None:
    fields = heartbeat(3).to_fields()
    fields[10] = GOOD[10]
    with pytest.raises(MalformedMessageError, match="only APPEND may"):
        Message.from_fields(fields)


GOOD_SNAPSHOT = Message(
    MessageType.SNAPSHOT, 1, 2, 9, snapshot=Snapshot(5, 3, ConfState((1, 2)), b"certificate")
).to_fields()


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        (0, 0, "snapshot.index"),
        (1, 0, "snapshot.term"),
        (1, 10, "snapshot of term 10 is after"),
        (2, [2, 1], "ascending order"),
        (2, [1, 1], "ascending order"),
        (2, ["1"], "voters must be an integer"),
        (2, 7, "voters must be a list"),
        (4, [2], "cannot vote and be learners"),
        (5, [1], "learners_next"),
        (6, 2, "auto_leave"),
        (6, 1, "auto_leave needs voters_outgoing"),
        (7, "text", "snapshot data must be bytes"),
    ],
)
def test_a_rubbish_snapshot_is_refused_by_name(place: int, value: object, message: str) -> None:
    fields: list[object] = copy.deepcopy(list(GOOD_SNAPSHOT))
    snapshot = list(fields[12])  # type: ignore[call-overload]
    snapshot[place] = value
    fields[12] = snapshot
    with pytest.raises(MalformedMessageError, match=message):
        Message.from_fields(fields)


def test_only_a_snapshot_message_carries_a_snapshot() -> None:
    with pytest.raises(MalformedMessageError, match="SNAPSHOT carries one"):
        Message.from_fields([*GOOD, 0, GOOD_SNAPSHOT[12]])
    with pytest.raises(MalformedMessageError, match="SNAPSHOT carries one"):
        Message.from_fields(GOOD_SNAPSHOT[:11])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"voters": (2, 1)}, "ascending"),
        ({"voters": (0, 1)}, "from 1 up"),
        ({"voters": (1,), "learners": (1,)}, "cannot vote and be learners"),
        ({"voters": (1,), "learners_next": (2,)}, "among voters_outgoing"),
        ({"voters": (1, 2), "voters_outgoing": (2,), "learners_next": (2,)}, "must not be among voters"),
        ({"voters": (1,), "auto_leave": True}, "nothing to leave"),
        ({"learners": (1,)}, "voters must not be empty"),
    ],
)
def test_contradictory_configurations_are_refused(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        ConfState(**settings)  # type: ignore[arg-type]


def test_the_tail_in_memory_is_counted_to_the_byte_whatever_happens_to_it() -> None:
    """What it counts too high it forgets too early, and then asks the disk for what it just had."""
    disk = disk_with(1, 1)
    log = RaftLog(disk, disk.hard_state, 2, 1 << 20)

    def counted() -> bool:
        return log._tail_bytes == sum(entry.size_bytes for entry in log._entries)

    for entry in entries(2, 2, 2, start=3):
        log.append(entry)
    assert counted()
    log.merge(3, 2, entries(3, 3, start=4), sender=2)
    assert (log.last_index, counted()) == (5, True)
    log.restore(Snapshot(9, 3, ConfState((1, 2)), b""))
    assert counted()
    log.append(entries(3, start=10)[0])
    assert (log.last_index, counted()) == (10, True)


def test_bug_10_a_joint_majority_needs_both_sets() -> None:
    """Dissertation, 4.3: a majority of all together is not enough."""
    halves = ((1, 2, 3), (3, 4, 5))
    held = {1: 9, 2: 9, 3: 9, 4: 1, 5: 1}
    assert joint_committed_index(halves, held.__getitem__) == 1, "three of five, but one of the second set"
    assert joint_committed_index(halves[:1], held.__getitem__) == 9
    assert joint_vote_result(halves, {1: True, 2: True, 3: True}) is VoteResult.PENDING
    assert joint_vote_result(halves, {1: True, 2: True, 4: False, 5: False}) is VoteResult.LOST
    assert joint_vote_result(halves, {1: True, 3: True, 5: True}) is VoteResult.WON


scalar = st.one_of(st.integers(-1, 3), st.none(), st.binary(max_size=2), st.booleans())
listed = st.lists(st.lists(scalar, max_size=4), max_size=2)
nearly_a_message = st.lists(scalar | listed, min_size=10, max_size=13)


@few
@given(nearly_a_message)
def test_from_fields_raises_nothing_else(fields: object) -> None:
    try:
        message = Message.from_fields(fields)
    except MalformedMessageError:
        return
    assert message.to_fields() == fields
