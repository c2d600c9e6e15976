"""Envelopes between organizations whose nodes neither gossip nor order with each other."""

from __future__ import annotations

from pathlib import Path

import pytest

from scenarios.judging.verdict import Verdict
from scenarios.model.catalog import load_scenario
from scenarios.running.options import RunOptions, RunResult
from scenarios.running.runner import run_scenario

SPARSE = [
    "network.orderers=[cbp, chamber, noaa]",
    "network.topology=edges",
    "network.edges=[[exporter, chamber], [importer, noaa], [chamber, cbp], [noaa, cbp]]",
]
STRANGERS = (("exporter", "importer"), ("exporter", "cbp"), ("importer", "cbp"))
"""Pairs without an edge of which one does not order, and which have envelopes for each other."""


@pytest.fixture(scope="module")
def sparse(tmp_path_factory: pytest.TempPathFactory) -> RunResult:
    folder: Path = tmp_path_factory.mktemp("sparse")
    return run_scenario(load_scenario("nafta-certificate", SPARSE), RunOptions("virtual", "3", folder))


def test_documents_reach_whoever_they_are_for(sparse: RunResult) -> None:
    assert sparse.judgment.verdict is Verdict.PASSED


@pytest.mark.parametrize("pair", STRANGERS)
def test_a_link_is_opened_for_them_from_either_side(sparse: RunResult, pair: tuple[str, str]) -> None:
    opened = {frozenset((e.text("node"), e.text("peer"))) for e in sparse.book.named("link.opened")}
    assert frozenset(pair) in opened


def test_who_has_nothing_for_each_other_has_no_link(sparse: RunResult) -> None:
    opened = {frozenset((e.text("node"), e.text("peer"))) for e in sparse.book.named("link.opened")}
    assert frozenset(("exporter", "noaa")) not in opened
    assert frozenset(("importer", "chamber")) not in opened
