"""What follows the roster, each by itself: Raft's change, stores that were met, the pool's lane for changes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from consensus import Change, ChangeType, ConfState, next_conf
from ledger.genesis import Role
from ledger.keys import BoxKey, SigningKey, seed_for
from ledger.members import KeyTerm, Learning, Member, NodeTerm, Seat
from ledger.roster import Roster
from p2p.hello import Opening
from p2p.met import Met
from p2p.pool import Pool, Waiting
from p2p.raftconf import accords, raft_change
from scenarios.network.founding import Charter, found_from_seed
from scenarios.network.founding import Member as Founder

NAMES = ("cbp", "exporter", "importer")


@pytest.fixture(scope="module")
def roster():
    founders = [Founder(name, name.upper(), "US", (Role.CUSTOMS,)) for name in NAMES]
    return Roster.of_genesis(found_from_seed(Charter("parts", 1_536_000_000_000, founders), "1").genesis)


def newcomer(height):
    key, node_key = (SigningKey.from_seed(seed_for("parts", part)).public for part in ("key", "node"))
    return Member(
        id="dhl",
        name="DHL",
        country="DE",
        roles=(Role.BROKER,),
        keys=(KeyTerm(key, height),),
        box_keys=(KeyTerm(BoxKey.from_seed(seed_for("parts", "box")).public, height),),
        nodes=(NodeTerm(4, 1, node_key, None, height),),
        since=height,
    )


def with_node(member, **changes):
    return replace(member, nodes=(replace(member.node, **changes),))


def test_raft_s_change_is_what_the_block_did_whenever_it_is_asked(roster):
    joined = roster.changed(2, newcomer(2), next_raft_id=5)
    learning = joined.changed(3, with_node(newcomer(2), learning=(Learning(3),)))
    giver = roster.organization("importer")
    given = with_node(giver, seats=(replace(giver.node.seats[0], until=5),))
    seated = learning.changed(
        5, with_node(newcomer(2), learning=(Learning(3, 5),), seats=(Seat(3, 5),)), given, next_seat=4
    )
    gone = seated.changed(8, with_node(seated.organization("cbp"), seats=(Seat(0, 0, 8),)))
    add, learn, remove = ChangeType.ADD_VOTER, ChangeType.ADD_LEARNER, ChangeType.REMOVE
    for later in (seated, gone):
        assert raft_change(later, 2).changes == ()
        assert raft_change(later, 3).changes == (Change(learn, 4),)
        assert raft_change(later, 4).changes == ()
        assert raft_change(later, 5).changes == (Change(remove, 3), Change(add, 4))
    assert raft_change(gone, 8).changes == (Change(remove, 1),)
    conf = next_conf(ConfState(voters=(1, 2, 3)), raft_change(gone, 3))
    joint = next_conf(conf, raft_change(gone, 5))
    assert (joint.voters, joint.voters_outgoing, joint.auto_leave) == ((1, 2, 4), (1, 2, 3), True)


def opening(store_id, incarnation=1, organization="noaa"):
    return Opening("test-00", organization, incarnation, store_id * 16, b"c" * 32)


def test_the_first_store_met_is_the_only_one_of_its_incarnation():
    met = Met(b"")
    first, other = opening(b"a"), opening(b"b")
    assert (met.refusal(first), met.is_new(first)) == (None, True)
    again = Met(met.meet(first))
    assert (again.refusal(first), again.is_new(first)) == (None, False)
    assert "register incarnation 2 with a new key by node.replace" in again.refusal(other)
    assert again.refusal(opening(b"b", organization="cbp")) is None
    following = opening(b"b", incarnation=2)
    assert (again.refusal(following), again.is_new(following)) == (None, True)
    third = Met(again.meet(following))
    assert third.refusal(opening(b"c", incarnation=2)) is not None


def test_a_configuration_transaction_is_never_selected_with_others():
    pool = Pool(10)
    for number in range(4):
        pool.add(
            Waiting(
                bytes([number]),
                b"raw%d" % number,
                100,
                0.0,
                ("cbp", 1, number),
                is_configuration=number % 2 == 1,
            )
        )
    assert pool.select(10, 1000, 100) == [b"raw0", b"raw2"]
    assert pool.configurations(100) == [b"raw1", b"raw3"]
    assert pool.configurations(99) == []
    pool.mark_ordered([b"raw1"], 7)
    assert pool.configurations(100) == [b"raw3"]


def test_a_snapshot_s_members_are_those_of_its_block_and_of_a_set_that_ordered_before(roster):
    joined = roster.changed(2, newcomer(2), next_raft_id=5)
    learning = joined.changed(3, with_node(newcomer(2), learning=(Learning(3),)))
    giver = roster.organization("importer")
    given = with_node(giver, seats=(replace(giver.node.seats[0], until=5),))
    seated = learning.changed(
        5, with_node(newcomer(2), learning=(Learning(3, 5),), seats=(Seat(3, 5),)), given, next_seat=4
    )
    assert accords(ConfState(voters=(1, 2, 3), learners=(4,)), seated, 4)
    assert accords(ConfState(voters=(1, 2, 4)), seated, 5)
    assert accords(ConfState(voters=(1, 2, 4), voters_outgoing=(1, 2, 3), auto_leave=True), seated, 6)
    assert not accords(ConfState(voters=(1, 2, 3), learners=(4,)), seated, 5)
    assert not accords(ConfState(voters=(1, 2, 4), learners=(3,)), seated, 5)
    assert not accords(ConfState(voters=(1, 2, 4), voters_outgoing=(7,), auto_leave=True), seated, 5)
    assert not accords(ConfState(voters=(1, 2, 3), voters_outgoing=(1, 2, 4), auto_leave=True), seated, 2)
