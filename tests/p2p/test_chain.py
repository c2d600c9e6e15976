"""Blocks of the log are held against the parent the log gives them."""

from __future__ import annotations

import pytest

from consensus import Entry, EntryType
from ledger.block import Block, build_block
from ledger.errors import BadBlockError
from ledger.keys import Verifier
from p2p.chain import BlockRef, Chain
from scenarios.catalog import load_scenario
from scenarios.founding import Founding
from scenarios.runner import founding_of


@pytest.fixture(scope="module")
def founding() -> Founding:
    return founding_of(load_scenario("nafta-certificate"), "chain")


class Leader:
    """Cuts blocks one after the other."""

    def __init__(self, founding: Founding) -> None:
        self.founding = founding
        genesis = founding.genesis
        self.chain = Chain(genesis, Verifier(), BlockRef(0, 0, genesis.hash, genesis.time_ms))
        self.previous, self.height, self.index = genesis.hash, 0, 0

    def entry(self) -> Entry:
        self.height += 1
        self.index += 1
        block: Block = build_block(
            network=self.founding.genesis.network,
            height=self.height,
            term=1,
            previous=self.previous,
            time_ms=self.founding.genesis.time_ms,
            transactions=[b"transaction"],
            proposer="cbp",
            key=self.founding.secrets["cbp"].node_key,
        )
        self.previous = block.hash
        return Entry(1, self.index, EntryType.NORMAL, block.encode())

    def empty(self) -> Entry:
        self.index += 1
        return Entry(1, self.index, EntryType.NORMAL, b"")


def test_blocks_follow_what_the_log_holds(founding: Founding) -> None:
    leader = Leader(founding)
    first, second, third = leader.entry(), leader.entry(), leader.entry()
    leader.chain.check([first, second], 0)
    leader.chain.appended([first])
    leader.chain.check([second, third], 0)
    with pytest.raises(BadBlockError, match="height is 3, expected 2"):
        leader.chain.check([third], 0)


def test_a_block_follows_one_that_came_in_the_same_turn_and_is_not_written_yet(founding: Founding) -> None:
    leader = Leader(founding)
    first, empty, second = leader.entry(), leader.empty(), leader.entry()
    leader.chain.check([second], 0, [first, empty])


def test_what_the_log_has_replaced_and_not_written_yet_counts_no_more(founding: Founding) -> None:
    old, new = Leader(founding), Leader(founding)
    new.previous = founding.genesis.hash
    old_first, old_second = old.entry(), old.entry()
    old.chain.appended([old_first, old_second])
    new.index = 1
    replacing, following = new.entry(), new.entry()
    with pytest.raises(BadBlockError):
        old.chain.check([following], 0)
    with pytest.raises(BadBlockError, match="height is 2, expected 1"):
        Leader(founding).chain.check([following], 0, [])
    old.chain.appended([old_first])
    old.chain.check([old_second], 0)
    assert replacing.index == old_second.index
