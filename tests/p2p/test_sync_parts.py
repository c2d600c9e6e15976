"""The parts of state sync by themselves: whom to ask, what to keep, what to fetch."""

from __future__ import annotations

import random

import pytest

from ledger.state import State
from ledger.statechunks import FrozenState
from ledger.statetree import StateTree
from p2p.sync.asking import PENALTY_S, Asking
from p2p.sync.keeper import Candidate, Keeper
from p2p.sync.pulling import StatePull

# Asking.


def asking(open_max=4):
    return Asking(2.0, open_max, random.Random(1))


def test_questions_are_spread_over_those_who_are_there():
    ask = asking(6)
    peers = [ask.put(number, ["a", "b", "c"], 0.0) for number in range(6)]
    assert sorted(peers) == ["a", "a", "b", "b", "c", "c"]
    assert ask.room == 0
    assert ask.put("x", [], 0.0) is None


def test_only_who_was_asked_answers_and_only_once():
    ask = asking()
    peer = ask.put("q", ["a"], 0.0)
    assert peer == "a"
    assert not ask.answered("q", "b")
    assert not ask.answered("other", "a")
    assert ask.answered("q", "a")
    assert not ask.answered("q", "a")


def test_a_question_is_lost_with_time_or_with_the_link_and_then_goes_elsewhere():
    ask = asking()
    first = ask.put("q", ["a", "b"], 0.0)
    other = "b" if first == "a" else "a"
    assert ask.lost(1.9, ["a", "b"]) == []
    assert ask.lost(2.0, ["a", "b"]) == ["q"]
    assert ask.put("q", ["a", "b"], 2.0) == other
    assert ask.lost(2.1, [first]) == ["q"]


def test_a_liar_is_asked_again_only_after_a_while_or_if_nobody_else_is_there():
    ask = asking(99)
    ask.lied("a", 0.0)
    assert {ask.put(n, ["a", "b"], 1.0) for n in range(20)} == {"b"}
    assert ask.put("alone", ["a"], 1.0) == "a"
    ask.clear()
    for n in range(3):
        ask.put(n, ["b"], PENALTY_S)
    ask.lost(PENALTY_S + 5, ["b"])
    assert "a" in {ask.put(n, ["a", "b"], PENALTY_S + 5) for n in range(20)}


# Keeping.


def candidate(height):
    tree = StateTree({"height": b"%d" % height})
    return Candidate(FrozenState(height, tree.freeze()), None, (), height, b"")


def kept(keeper, height, *, certified=True):
    if keeper.is_due(height):
        keeper.freeze(height, lambda: candidate(height))
    return keeper.certified(height, "note") if certified else None


def test_a_state_is_kept_at_the_same_heights_everywhere_and_at_once_when_there_is_none():
    keeper = Keeper(4)
    offered = [height for height in range(3, 13) if kept(keeper, height) is not None]
    assert offered == [3, 4, 8, 12]
    assert keeper.state(candidate(8).state.root) is not None
    assert keeper.state(candidate(12).state.root) is not None
    assert keeper.state(candidate(4).state.root) is None


def test_a_state_whose_height_is_passed_over_is_not_offered():
    keeper = Keeper(4)
    kept(keeper, 1)
    kept(keeper, 4, certified=False)
    assert keeper.certified(5, "note") is None
    assert keeper.passed_over == 1
    assert keeper.certified(4, "note") is None
    assert kept(keeper, 8) is not None


def test_states_that_wait_for_certificates_are_bounded():
    keeper = Keeper(1)
    for height in range(1, 50):
        kept(keeper, height, certified=False)
    assert len(keeper._candidates) == 4
    keeper.forget()
    assert keeper.latest is None


# Pulling.


def items(count, mark=b""):
    return {f"claim/{i}": b"value %d " % i + mark for i in range(count)}


def pull(own, wanted, *, chunk_bytes=300, stored=None):
    """Fetch a state from an honest server; return the changes, what was asked, and what is stored."""
    server = FrozenState(1, StateTree(wanted).freeze())
    stored = {} if stored is None else stored
    work = StatePull(server.root, StateTree(own).freeze(), stored.get)
    asked = 0
    chance = random.Random(4)
    while not work.is_whole:
        places = work.next_places(5)
        chance.shuffle(places)
        for place in places:
            if chance.random() < 0.2:
                work.lost(place)
                continue
            asked += 1
            data = server.chunk(place, chunk_bytes).encode()
            name = work.take(place, data)
            assert name is not None
            stored[name] = data
    return work.changes(State(own)), asked, stored


def applied(own, changes):
    state = State(own)
    state.apply(changes)
    return dict(state.items())


@pytest.mark.parametrize(
    ("own", "wanted"),
    [
        ({}, items(300)),
        (items(1), items(300)),
        (items(300), items(1)),
        (items(300), items(300, b"!")),
        ({f"claim/{i}": b"" for i in range(200, 500)}, items(300)),
        (items(300), {k: v for k, v in items(310).items() if int(k[6:]) % 7}),
    ],
)
@pytest.mark.parametrize("chunk_bytes", [1, 400, 1 << 20])
def test_the_changes_turn_what_is_here_into_what_is_wanted(own, wanted, chunk_bytes):
    changes, _, _ = pull(own, wanted, chunk_bytes=chunk_bytes)
    assert applied(own, changes) == wanted
    assert all(own.get(key) != value for key, value in changes.items())


def test_what_is_here_already_is_not_asked_for():
    own = items(900)
    wanted = own | {"claim/7": b"new"}
    _, everything, _ = pull({}, wanted)
    changes, asked, _ = pull(own, wanted)
    assert changes == {"claim/7": b"new"}
    assert asked < everything / 10
    assert pull(own, own)[1] == 0


def test_a_newer_target_costs_only_what_differs():
    first, second = items(900), items(900) | {"claim/7": b"new", "claim/x": b"more"}
    _, everything, stored = pull({}, first)
    changes, asked, _ = pull({}, second, stored=stored)
    assert applied({}, changes) == second
    assert asked < everything / 10


def test_a_stored_chunk_that_is_gone_is_fetched_again():
    wanted = items(60)
    server = FrozenState(1, StateTree(wanted).freeze())
    stored = {}
    work = StatePull(server.root, StateTree({}).freeze(), stored.get)
    for _ in range(2):
        while not work.is_whole:
            for place in work.next_places(9):
                data = server.chunk(place, 300).encode()
                stored[work.take(place, data)] = data
        if len(work._leaves) > 1:
            stored.pop(work._leaves[0][1], None)
            assert work.changes(State()) is None
            assert not work.is_whole
    while not work.is_whole:
        for place in work.next_places(9):
            data = server.chunk(place, 300).encode()
            stored[work.take(place, data)] = data
    assert applied({}, work.changes(State())) == wanted


def test_what_was_not_asked_for_or_does_not_hold_is_not_taken():
    wanted = items(60)
    server = FrozenState(1, StateTree(wanted).freeze())
    work = StatePull(server.root, StateTree({}).freeze(), {}.get)
    right = server.chunk(b"", 300).encode()
    assert work.take(b"", right) is None
    assert work.next_places(5) == [b""]
    assert work.take(b"", server.chunk(b"\x03", 300).encode()) is None
    assert work.take(b"", b"rubbish") is None
    assert not work.is_whole
    assert work.take(b"", right) == server.root
