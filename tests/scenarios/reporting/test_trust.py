"""The trust table: whom members had to trust, and what nodes noticed that did not hold."""

from __future__ import annotations

from pathlib import Path

import pytest

from scenarios.record.event import Event
from scenarios.reporting.page import read, report_html
from scenarios.reporting.recorded import Recorded
from scenarios.reporting.trust import NAMED_MAX, SIGNS, Trust
from tests.scenarios.reporting.madeup import madeup_run

P2P = Path(__file__).parents[3] / "p2p"


def event(event_name: str, **fields: str | int) -> Event:
    return Event(1, 0, 0, event_name, fields, False)


@pytest.mark.parametrize(
    ("orderers", "liars", "signatures", "both"),
    [(5, 0, 3, 1), (5, 1, 4, 3), (4, 1, 3, 2), (3, 0, 2, 1), (4, 0, 3, 2)],
)
def test_the_numbers_follow_from_orderers_and_liars(
    orderers: int, liars: int, signatures: int, both: int
) -> None:
    words = Trust(orderers, liars).words()
    assert words.startswith(
        f"{orderers} orderers, of whom {liars} may lie: a certificate takes {signatures} signatures, and two that "
        f"contradict each other take {both} who sign both. "
    )
    assert words.endswith("No block was certified.")


def test_what_did_not_hold_is_counted_with_who_told_and_who_noticed() -> None:
    trust = Trust(5, 0)
    for node, orderer in (("cbp", "mill"), ("noaa", "mill"), ("cbp", "mill")):
        trust(event("checkpoint.divergent", node=node, orderer=orderer, height=4))
    trust(event("link.rubbish", node="cbp", peer="noaa", reason="checksum"))
    trust(event("block.certified", node="cbp", height=3))
    trust(event("block.certified", node="noaa", height=3))
    trust(event("block.executed", node="noaa", height=4))
    assert trust.rows() == [
        ("a checkpoint unlike what the node executed itself", "3", "mill", "cbp, noaa"),
        ("bytes that are no frame, or were changed on their way", "1", "noaa", "cbp"),
    ]
    assert trust.words().endswith("1 blocks were certified, the highest 3.")


def test_a_crowd_is_counted_not_named() -> None:
    trust = Trust(5, 0)
    for number in range(NAMED_MAX + 2):
        trust(event("hello.refused", node=f"n{number}", peer="stranger"))
    ((_, times, _, noticed),) = trust.rows()
    assert times == str(NAMED_MAX + 2)
    assert noticed == "n0, n1, n2, n3, n4, n5 and 2 more"


def test_every_sign_is_one_that_nodes_record() -> None:
    source = "".join(path.read_text(encoding="utf-8") for path in P2P.rglob("*.py"))
    assert [name for name in SIGNS if f'"{name}"' not in source] == []


def test_the_report_shows_what_was_noticed_and_says_that_silence_proves_nobody_honest(tmp_path: Path) -> None:
    folder = madeup_run(tmp_path / "run", 3)
    run = read(Recorded.at(folder))
    assert "that proves nobody honest" in report_html(run)
    run.trust(event("certificate.refused", node="cbp", peer="mill", reason="two signatures"))
    html = report_html(run)
    assert "a certificate that does not hold" in html
    assert "that proves nobody honest" not in html
