"""Blocks of the log are held against the parent the log gives them."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from consensus import Entry, EntryType
from ledger.block import build_block
from ledger.errors import BadBlockError
from ledger.keys import Verifier
from ledger.roster import Roster
from ledger.transaction import Transaction, sign_transaction
from p2p.chain import BlockRef, Chain
from scenarios.model.catalog import load_scenario
from scenarios.network.asked import founding_of
from scenarios.network.founding import Founding


@pytest.fixture(scope="module")
def founding() -> Founding:
    return founding_of(load_scenario("nafta-certificate"), "chain")


class Leader:
    """Cuts blocks one after the other, on top of genesis or of another's."""

    def __init__(self, founding: Founding, *, after: Leader | None = None, mark: bytes = b"one") -> None:
        self.founding = founding
        self.mark = mark
        self.previous, self.height, self.index = founding.genesis.hash, 0, 0
        if after is not None:
            self.previous, self.height, self.index = after.previous, after.height, after.index

    def entry(
        self,
        transactions: Sequence[bytes] | None = None,
        type: EntryType = EntryType.NORMAL,  # noqa: A002
    ) -> Entry:
        self.height += 1
        self.index += 1
        block = build_block(
            network=self.founding.genesis.network,
            height=self.height,
            term=1,
            previous=self.previous,
            time_ms=self.founding.genesis.time_ms,
            transactions=[self.mark] if transactions is None else transactions,
            proposer="cbp",
            key=self.founding.secrets["cbp"].node_key,
        )
        self.previous = block.hash
        return Entry(1, self.index, type, block.encode())

    def empty(self) -> Entry:
        self.index += 1
        return Entry(1, self.index, EntryType.NORMAL, b"")


class Follower:
    """A chain that holds a leader's blocks against its log."""

    def __init__(self, founding: Founding) -> None:
        genesis = founding.genesis
        self.chain = Chain(
            genesis, Roster.of_genesis(genesis), Verifier(), BlockRef(0, 0, genesis.hash, genesis.time_ms)
        )

    def check(self, entries: Sequence[Entry], unwritten: Sequence[Entry] = ()) -> None:
        self.chain.check(entries, 0, unwritten, leader="cbp", term=1)


def test_blocks_follow_what_the_log_holds(founding: Founding) -> None:
    leader, follower = Leader(founding), Follower(founding)
    first, second, third = leader.entry(), leader.entry(), leader.entry()
    follower.check([first, second])
    follower.chain.appended([first])
    follower.check([second, third])
    with pytest.raises(BadBlockError, match="height is 3, expected 2"):
        follower.check([third])


def test_a_block_follows_one_that_came_in_the_same_turn_and_is_not_written_yet(founding: Founding) -> None:
    leader, follower = Leader(founding), Follower(founding)
    first, empty, second = leader.entry(), leader.empty(), leader.entry()
    follower.check([second], [first, empty])
    with pytest.raises(BadBlockError, match="height is 2, expected 1"):
        follower.check([second])


def test_what_the_log_has_replaced_but_not_written_counts_no_more(founding: Founding) -> None:
    leader, follower = Leader(founding), Follower(founding)
    first = leader.entry()
    usurper = Leader(founding, after=leader, mark=b"other")
    follower.chain.appended([first, leader.entry()])
    replacing, following = usurper.entry(), usurper.entry()
    follower.check([following], [replacing])
    with pytest.raises(BadBlockError):
        follower.check([following])


def test_a_block_that_an_empty_entry_replaces_counts_no_more(founding: Founding) -> None:
    """A deposed leader restarts with a block nobody took; the next leader's first entry stands in its place."""
    leader, follower = Leader(founding), Follower(founding)
    first = leader.entry()
    successor = Leader(founding, after=leader, mark=b"other")
    follower.chain.appended([first, leader.entry()])
    follower.check([successor.empty(), successor.entry()])


# Configuration blocks.


def changing(leader: Leader, kind: EntryType = EntryType.CONF_CHANGE) -> Entry:
    """The leader's next block with a configuration transaction."""
    founding = leader.founding
    transaction = Transaction(
        version=1,
        network=founding.genesis.network,
        type="member.remove",
        creator="cbp",
        nonce=(1, 1),
        valid_until_ms=founding.genesis.time_ms + 1000,
        documents=(),
        approvals=(),
        body={"organization": "noaa"},
    )
    raw = sign_transaction(transaction, founding.secrets["cbp"].organization_key).raw
    return leader.entry((raw,), kind)


def test_no_block_is_taken_in_behind_a_configuration_block_that_is_not_executed(founding):
    leader = Leader(founding)
    follower = Follower(founding)
    first, change, opens, second = leader.entry(), changing(leader), leader.empty(), leader.entry()
    assert follower.chain.admissible([first, change], 0) == [first, change]
    assert follower.chain.admissible([first, change, opens, second], 0) == [first, change, opens]
    assert follower.chain.admissible([second], 0, [first, change]) == []
    follower.chain.appended([first, change])
    assert follower.chain.awaits_configuration
    assert follower.chain.admissible([second], 0) == []
    follower.chain.executed(1)
    follower.chain.executed(2)
    assert not follower.chain.awaits_configuration
    assert follower.chain.admissible([second], 2) == [second]


def test_a_configuration_block_stands_in_an_entry_of_its_type_and_no_other_does(founding):
    follower = Follower(founding)
    with pytest.raises(BadBlockError, match="of type NORMAL, but it is a configuration block"):
        follower.check([changing(Leader(founding), EntryType.NORMAL)])
    with pytest.raises(BadBlockError, match="of type CONF_CHANGE, but it is no configuration block"):
        follower.check([Leader(founding).entry(type=EntryType.CONF_CHANGE)])
    follower.check([changing(Leader(founding))])
