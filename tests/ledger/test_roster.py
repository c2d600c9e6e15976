"""Who belongs to the network: founders, changes over heights, electorates, and what no roster may be."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ledger.encoding import encode
from ledger.errors import RosterError, UnknownOrganizationError
from ledger.execution import Ledger
from ledger.genesis import Role
from ledger.keys import PublicKey, SigningKey, Verifier, seed_for
from ledger.members import KeyTerm, Learning, Member, NodeTerm, Seat, read_member
from ledger.roster import Roster
from ledger.state import MEMBERSHIP_KEY, State, organization_key


def new_key(name: str) -> PublicKey:
    return SigningKey.from_seed(seed_for("roster", name)).public


@pytest.fixture
def roster(founders) -> Roster:
    return founders.roster


@pytest.fixture
def sixth() -> Member:
    return Member(
        id="dhl",
        name="DHL",
        country="DE",
        roles=(Role.BROKER,),
        keys=(KeyTerm(new_key("dhl"), 4),),
        box_keys=(KeyTerm(new_key("dhl box"), 4),),
        nodes=(NodeTerm(6, 1, new_key("dhl node"), "http://dhl:7000", 4, learning=(Learning(4),)),),
        since=4,
    )


def demoted(member: Member, height: int) -> Member:
    seat = replace(member.node.seats[-1], until=height)
    return replace(member, nodes=(replace(member.node, seats=(seat,)),))


def test_founders_are_as_genesis_lists_them(founders, roster) -> None:
    genesis = founders.genesis
    assert [member.id for member in roster.members] == [founder.id for founder in genesis.organizations]
    assert roster.orderers == genesis.orderers
    assert (roster.quorum, roster.majority, roster.height) == (genesis.quorum, 3, 0)
    assert roster.voters == (1, 2, 3, 4, 5)
    for founder in genesis.organizations:
        member = roster.organization(founder.id)
        assert (member.key, member.box_key, member.node_key) == (
            founder.key,
            founder.box_key,
            founder.node_key,
        )
        assert roster.raft_id(founder.id) == genesis.raft_id(founder.id)
        assert roster.with_raft_id(genesis.raft_id(founder.id)) is member
    assert [member.id for member in roster.with_role(Role.CUSTOMS)] == ["cbp"]


def test_the_orderers_keep_the_order_of_genesis_whatever_the_members_order(founders) -> None:
    genesis = replace(founders.genesis, orderers=("noaa", "cbp", "acme"))
    roster = Roster.of_genesis(genesis)
    assert roster.orderers == ("noaa", "cbp", "acme")
    assert roster.electorate(1).orderers == ("noaa", "cbp", "acme")


def test_a_roster_comes_back_from_the_state(founders, roster, sixth) -> None:
    assert Ledger(founders.genesis, Verifier()).roster == roster
    later = roster.changed(4, sixth, demoted(roster.organization("acme"), 4), next_raft_id=7)
    again = Roster.of_state(founders.genesis, State(later.items()))
    assert again == later
    assert again.learners == (6,)
    assert again.orderers == ("cbp", "globex", "chamber", "noaa")


@pytest.mark.parametrize(
    "damage",
    [
        {MEMBERSHIP_KEY: None},
        {organization_key("acme"): None},
        {organization_key("acme"): encode({"name": "ACME"})},
        {MEMBERSHIP_KEY: encode({"members": []})},
    ],
)
def test_a_damaged_state_gives_no_roster(founders, roster, damage) -> None:
    state = State(roster.items())
    state.apply(damage)
    with pytest.raises(RosterError, match="the state is damaged"):
        Roster.of_state(founders.genesis, state)


def test_a_member_changed_behind_the_digest_gives_no_roster(founders, roster) -> None:
    state = State(roster.items())
    other = replace(roster.organization("acme"), name="ACME & Sons")
    state.apply({organization_key("acme"): other.encode()})
    with pytest.raises(RosterError, match="does not match its members"):
        Roster.of_state(founders.genesis, state)


def test_the_block_that_changes_the_orderers_needs_k_of_both_sets_and_the_next_one_the_new(
    roster, sixth
) -> None:
    learning = roster.changed(4, sixth, next_raft_id=7)
    seated = replace(sixth, nodes=(replace(sixth.node, learning=(Learning(4, 9),), seats=(Seat(5, 9),)),))
    gone = demoted(roster.organization("cbp"), 9)
    later = learning.changed(9, seated, gone, next_seat=6)
    founders = ("cbp", "acme", "globex", "chamber", "noaa")
    after = ("acme", "globex", "chamber", "noaa", "dhl")
    for height in (1, 4, 8):
        assert [c.orderers for c in later.electorate(height).constituencies] == [founders]
    both = later.electorate(9)
    assert [c.orderers for c in both.constituencies] == [founders, after]
    assert both.lacks(("cbp", "acme", "globex")) == (
        "2 orderers of acme, globex, chamber, noaa, dhl signed, k = 3 are needed"
    )
    assert both.lacks(("globex", "chamber", "dhl")) is not None
    assert both.lacks(("acme", "globex", "chamber")) is None
    assert both.lacks(("cbp", "acme", "globex", "dhl")) is None
    for height in (10, 11):
        assert [c.orderers for c in later.electorate(height).constituencies] == [after]
    assert later.orderers_at(8) == founders
    assert (later.next_change(0), later.next_change(4), later.next_change(9)) == (4, 9, None)


def test_old_keys_stay_known_with_their_heights(roster) -> None:
    acme = roster.organization("acme")
    old = replace(acme.keys[0], until=7, compromised_since=5)
    rotated = replace(acme, keys=(old, KeyTerm(new_key("acme 2"), 7)))
    later = roster.changed(7, rotated)
    assert later.organization("acme").key == new_key("acme 2")
    assert [term.covers(6) for term in rotated.keys] == [True, False]
    assert [term.covers(7) for term in rotated.keys] == [False, True]
    assert read_member("acme", rotated.encode()) == rotated
    revoked = replace(acme, keys=(replace(acme.keys[0], until=7),))
    assert roster.changed(7, revoked).organization("acme").key is None


def test_who_left_is_known_by_name_and_height(roster) -> None:
    acme = demoted(roster.organization("acme"), 8)
    gone = replace(acme, until=8, nodes=(replace(acme.node, until=8),))
    later = roster.changed(8, gone)
    assert later.find("acme") is None
    assert later.find_ever("acme") == gone
    assert later.with_raft_id(2) is None
    with pytest.raises(UnknownOrganizationError, match=r"'acme' was removed from pilot-.* at height 8"):
        later.organization("acme")
    with pytest.raises(UnknownOrganizationError, match="'dhl' is no member"):
        later.raft_id("dhl")


def test_a_roster_with_which_the_network_could_not_go_on_is_refused(founders, roster, sixth) -> None:
    cbp, acme = roster.organization("cbp"), roster.organization("acme")
    with pytest.raises(RosterError, match="no member is left with the role customs"):
        roster.changed(1, replace(demoted(cbp, 1), until=1))
    with pytest.raises(RosterError, match=r"0 orderers are outside 1 \.\. 15"):
        roster.changed(1, *(demoted(member, 1) for member in roster.members))
    strict = Roster.of_genesis(replace(founders.genesis, orderer_liars_tolerated=4))
    with pytest.raises(RosterError, match="4 liars among 4 orderers would need k = 5 signatures of 4"):
        strict.changed(1, demoted(acme, 1))
    for key in (acme.keys[0].key, acme.node_key):
        with pytest.raises(RosterError, match="is registered already, by acme; make a new key"):
            roster.changed(4, replace(sixth, keys=(KeyTerm(key, 4),)), next_raft_id=7)
    with pytest.raises(RosterError, match=r"box key .* is registered already"):
        roster.changed(4, replace(sixth, box_keys=acme.box_keys), next_raft_id=7)
    with pytest.raises(RosterError, match="Raft id 6 is not below the next, 6"):
        roster.changed(4, sixth)
    taken = replace(sixth, nodes=(replace(sixth.node, raft_id=2),))
    with pytest.raises(RosterError, match="Raft id 2 is acme's and dhl's"):
        roster.changed(4, taken, next_raft_id=7)
