"""The pilot with members whose nodes do not order: they see the same trade, and their absence stops nobody."""

from __future__ import annotations

import pytest

from scenarios.judging.final import read_final
from scenarios.judging.verdict import Verdict

pytestmark = pytest.mark.slow

FOLLOWERS = ("exporter2", "importer2")


def test_five_orderers_and_two_followers_one_of_them_offline(run_virtual_scenario):
    result = run_virtual_scenario("nafta-certificate-followers", "3")
    assert result.judgment.verdict is Verdict.PASSED
    genesis = result.trial.world.founding.genesis
    assert len(genesis.organizations) == 7
    assert genesis.orderers == ("cbp", "exporter", "importer", "chamber", "noaa")
    directories = {o: result.folder.node_directory(o) for o in ("cbp", *FOLLOWERS)}
    final, faults = read_final(directories, [*directories])
    assert faults == []
    assert len({(n.height, n.certified, n.state_root) for n in final.nodes.values()}) == 1
    held = [list(map(id, node.leaves.values())) for node in final.nodes.values()]
    assert held[0] == held[1] == held[2] != [], "what all hold is in memory once"
    roles = {event.text("node") for event in result.book.named("raft.role")}
    assert not roles & set(FOLLOWERS)
