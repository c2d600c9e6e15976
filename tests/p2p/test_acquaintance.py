"""With whom a node needs a link, and which side dials."""

from __future__ import annotations

import pytest

from ledger.genesis import Limits
from ledger.roster import Roster
from p2p.acquaintance import Acquaintance
from tests.p2p.conftest import found

ORDERERS = ("cbp", "chamber", "noaa")


class Place:
    """As much of a node's configuration as is asked."""

    def __init__(self, organization: str, raft_id: int, neighbors: tuple[str, ...], genesis: object) -> None:
        self.organization, self.raft_id, self.neighbors, self.genesis = (
            organization,
            raft_id,
            neighbors,
            genesis,
        )
        self.peers = {
            name: f"http://{name}.example" for name in ("cbp", "exporter", "importer", "chamber", "noaa")
        }


@pytest.fixture(scope="module")
def roster() -> Roster:
    return Roster.of_genesis(found(Limits(), 0, ORDERERS).genesis)


def known(roster: Roster, organization: str, *neighbors: str, mail: tuple[str, ...] = ()) -> Acquaintance:
    genesis = found(Limits(), 0, ORDERERS).genesis
    member = roster.find(organization)
    assert member is not None
    place = Place(organization, member.node.raft_id, neighbors, genesis)
    return Acquaintance(place, roster, lambda: mail)  # type: ignore[arg-type]


def test_who_orders_is_linked_with_all_who_order_and_its_neighbors(roster: Roster) -> None:
    assert known(roster, "cbp", "exporter").needed() == ["chamber", "exporter", "noaa"]
    assert known(roster, "exporter", "chamber").needed() == ["chamber"]


def test_an_envelope_needs_a_link_as_long_as_it_is_there(roster: Roster) -> None:
    peers = known(roster, "exporter", "chamber", mail=("importer", "chamber", "stranger"))
    assert peers.needed() == ["chamber", "importer"]
    assert peers.occasional() == ["importer", "stranger"]
    peers.addressed = lambda: ()
    assert (peers.needed(), peers.occasional()) == (["chamber"], [])


def test_who_asked_is_dialed_until_that_link_has_opened(roster: Roster) -> None:
    peers = known(roster, "exporter", "chamber")
    assert not peers.dials("importer")
    peers.asked("importer")
    assert peers.dials("importer")
    peers.answered("importer")
    assert not peers.dials("importer")


def test_one_side_dials_and_the_other_waits(roster: Roster) -> None:
    low, high = known(roster, "exporter", mail=("importer",)), known(roster, "importer", mail=("exporter",))
    assert (low.dials("importer"), low.awaits("importer")) == (True, False)
    assert (high.dials("exporter"), high.awaits("exporter")) == (False, True)


def test_who_is_nowhere_to_be_found_is_not_dialed(roster: Roster) -> None:
    peers = known(roster, "exporter", mail=("importer",))
    peers.config.peers.clear()  # type: ignore[attr-defined]
    assert not peers.dials("importer")
