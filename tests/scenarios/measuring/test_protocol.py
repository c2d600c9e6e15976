"""The ledger's own figures on events whose answers are known."""

import pytest

from scenarios.measuring.compute import ALL, ArmFigures
from scenarios.measuring.definitions import METRICS
from scenarios.measuring.effort import Arm
from scenarios.measuring.facts import Happening
from scenarios.measuring.protocol import ProtocolFacts
from scenarios.measuring.statistics import number

MS = 1_000_000


def at(ms, name, **fields):
    return Happening(name, 0, {"protocol_ns": ms * MS, **fields})


def executed(ms, node, height, *receipts, block="b"):
    return at(
        ms, "block.executed", node=node, height=height, hash=f"{block}{height}", receipts=list(receipts)
    )


def certified(ms, node, height):
    return at(ms, "block.certified", node=node, height=height)


STARTED = [at(0, "node.started", node=node) for node in "abcd"]


def figures(*happenings):
    protocol = ProtocolFacts()
    assert list(protocol.followed([*STARTED, *happenings])) == [*STARTED, *happenings]
    arm = ArmFigures(Arm.LEDGER)
    protocol.put_into(arm)
    assert set(arm.figures) == {name for name in METRICS if name.startswith("M12") and name != "M12-open"}
    return {name: number(by[ALL]) for name, by in arm.figures.items()}


def test_a_transaction_is_ordered_certified_and_visible_at_a_share_of_nodes():
    seen = figures(
        at(100, "transaction.submitted", id="t"),
        executed(130, "a", 1, "t:VALID::"),
        executed(150, "b", 1, "t:VALID::"),
        certified(160, "a", 1),
        certified(170, "b", 1),
        certified(190, "c", 1),
        certified(600, "d", 1),
    )
    names = ("ordered", "certified", "visible-50", "visible-90", "visible-100")
    assert [seen[f"M12-{name}"].value for name in names] == [30, 60, 70, 500, 500]
    assert seen["M12-goodput"].value == pytest.approx(2)
    assert seen["M12-in-time"].value == 1
    assert seen["M12-divergence"].value == 0


def test_what_did_not_get_there_is_open_and_late():
    seen = figures(
        at(0, "transaction.submitted", id="t"),
        at(0, "transaction.submitted", id="u"),
        executed(9, "a", 1, "t:RULE_VIOLATED:x:"),
        certified(6000, "a", 1),
        certified(6001, "b", 1),
    )
    assert (seen["M12-visible-50"].value, seen["M12-visible-50"].open) == (6001, 1)
    assert (seen["M12-visible-100"].value, seen["M12-visible-100"].open) == (None, 2)
    assert (seen["M12-in-time"].value, seen["M12-in-time"].count) == (0, 2)
    assert seen["M12-goodput"].value == 0
    assert seen["M12-messages"].value is None
    assert seen["M12-bytes"].value is None
    assert seen["M12-leaks"].value is None, "who did not look says nothing"


def test_a_node_behind_shows_all_blocks_it_caught_up_on():
    seen = figures(
        at(0, "transaction.submitted", id="t"),
        executed(1, "a", 1, "t:VALID::"),
        executed(2, "a", 2),
        *[certified(10, node, 1) for node in "abc"],
        certified(50, "d", 2),
    )
    assert seen["M12-visible-100"].value == 50


def test_two_blocks_at_a_height_are_divergence():
    seen = figures(executed(1, "a", 1), executed(2, "b", 1, block="other"), executed(3, "a", 2))
    assert seen["M12-divergence"].value == 0.5


@pytest.mark.parametrize(
    "end",
    [
        at(300, "fault.began", kind="crash", hit=["a"]),
        at(300, "node.stopped", node="a"),
        at(300, "raft.role", node="a", role="follower"),
    ],
)
def test_time_without_a_leader_begins_when_it_stops_and_ends_with_the_next(end):
    seen = figures(
        at(100, "raft.role", node="a", role="leader"),
        at(200, "fault.began", kind="crash", hit=["b"]),
        at(200, "fault.began", kind="latency", hit=["a"]),
        end,
        at(500, "raft.role", node="b", role="leader"),
        certified(1100, "b", 1),
    )
    assert seen["M12-leader"].value == pytest.approx(0.8)
    assert seen["M12-leader"].interval is None, "time is no count of independent cases"


def test_a_leader_that_outlives_the_trade_leads_all_of_it_and_no_more():
    seen = figures(
        at(100, "raft.role", node="a", role="leader"),
        certified(1100, "b", 1),
        at(1900, "node.stopped", node="a"),
        at(1950, "raft.role", node="b", role="leader"),
        at(1990, "node.stopped", node="b"),
    )
    assert seen["M12-leader"].value == pytest.approx(1.0)


def test_a_revocation_is_followed_to_every_node():
    def revoked(kind):
        return figures(
            at(0, "transaction.submitted", id="t"),
            executed(1, "a", 1, "t:VALID::"),
            at(2, "receipt", id="t", type=kind, code="VALID"),
            *[certified(40, node, 1) for node in "abcd"],
            at(1000, "trace", frames=30, bytes=9000),
            at(1001, "privacy.compared", pairs=8, as_entitled=6, leaks=2),
        )

    seen = revoked("key.revoke")
    assert (seen["M12-revocation"].p95, seen["M12-revocation"].open) == (40, 0)
    assert seen["M12-messages"].value == 30
    assert seen["M12-bytes"].value == 9000
    assert seen["M12-leaks"].value == 2
    assert revoked("claim.file")["M12-revocation"].value is None
