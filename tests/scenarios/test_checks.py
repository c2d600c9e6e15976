"""Each check is tripped by what it is there for, and by nothing else."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import pytest

from p2p.observer import RecordField
from scenarios.judging.checks.agreement import Agreement
from scenarios.judging.checks.balances import CarnetBalances
from scenarios.judging.checks.check import Check, FinalNode, FinalState
from scenarios.judging.checks.decided import DecidedOnce
from scenarios.judging.checks.durability import Durability
from scenarios.judging.checks.stores import Stores
from scenarios.record.eventbook import Event

ONE, OTHER = "11" * 32, "22" * 32


class Story:
    """Events told to a check."""

    def __init__(self, check: Check) -> None:
        self.check = check
        self.number = 0

    def tell(self, name: str, **fields: RecordField) -> None:
        self.check(Event(self.number, 0, self.number, name, fields, public=False))
        self.number += 1

    def executed(self, node: str, height: int, receipts: Sequence[str] = (), **changed: RecordField) -> None:
        fields: Mapping[str, RecordField] = {
            "node": node, "height": height, "hash": f"block {height}", "state_root": f"state {height}",
            "log_root": f"log {height}", "receipts": list(receipts), **changed,
        }  # fmt: skip
        self.tell("block.executed", **fields)


def final(**changed: object) -> FinalNode:
    values = {"height": 1, "certified": 1, "block_hashes": {1: "block 1"}, "state_root": "state 1"}
    return FinalNode(**{**values, "receipts": {ONE: (1, "VALID")}, **changed})  # type: ignore[arg-type]


def ends(**nodes: FinalNode) -> FinalState:
    return FinalState(["cbp", "noaa"], nodes)


def test_agreement_holds_when_all_execute_alike() -> None:
    story = Story(check := Agreement())
    for node in ("cbp", "noaa"):
        story.executed(node, 1, [f"{ONE}:VALID::"])
    check.finish(ends(cbp=final(), noaa=final()))
    assert check.violations == []
    assert check.exercised == 2


@pytest.mark.parametrize(
    "changed",
    [
        {"hash": "another block"},
        {"state_root": "another state"},
        {"log_root": "another log"},
        {"receipts": [f"{ONE}:RULE_VIOLATED:WINDOW:"]},
        {"receipts": [f"{ONE}:VALID::SUMMARY_LATE"]},
    ],
)
def test_agreement_sees_another_block_state_log_code_or_finding(changed: dict[str, RecordField]) -> None:
    story = Story(check := Agreement())
    story.executed("cbp", 1, [f"{ONE}:VALID::"])
    story.executed("noaa", 1, **{"receipts": [f"{ONE}:VALID::"], **changed})  # type: ignore[arg-type]
    assert [violation.event for violation in check.violations] == [1]
    assert "noaa" in check.violations[0].text


def test_agreement_believes_a_node_that_sees_another_checkpoint() -> None:
    story = Story(check := Agreement())
    story.tell("checkpoint.divergent", node="cbp", orderer="noaa", height=4)
    assert "height 4" in check.violations[0].text


@pytest.mark.parametrize("changed", [{"height": 2}, {"certified": 0}, {"state_root": "another state"}])
def test_agreement_sees_nodes_that_end_apart(changed: dict[str, object]) -> None:
    check = Agreement()
    check.finish(ends(cbp=final(), noaa=final(**changed)))
    assert "nodes end apart" in check.violations[0].text


def test_agreement_misses_a_node_that_cannot_be_read() -> None:
    check = Agreement()
    check.finish(ends(cbp=final()))
    assert "noaa's node does not answer" in check.violations[0].text


def acknowledged() -> tuple[Story, Durability]:
    story = Story(check := Durability())
    story.tell("transaction.accepted", id=ONE, node="cbp")
    story.executed("cbp", 1, [f"{ONE}:VALID::"])
    story.tell("block.certified", node="cbp", height=1)
    return story, check


def test_durability_holds_when_all_is_kept() -> None:
    _, check = acknowledged()
    check.finish(ends(cbp=final(), noaa=final()))
    assert check.violations == []
    assert check.exercised == 8


@pytest.mark.parametrize(
    ("lost", "text"),
    [
        ({"block_hashes": {}}, "was committed; noaa ends without it"),
        ({"block_hashes": {1: "another block"}}, "was committed; noaa ends without it"),
        ({"certified": 0}, "height 1 was certified; noaa ends at 0"),
        ({"receipts": {}}, "was accepted; noaa ends without a receipt"),
        ({"receipts": {ONE: (1, "RULE_VIOLATED")}}, "got VALID at height 1"),
        ({"receipts": {ONE: (2, "VALID")}}, "got VALID at height 1"),
    ],
)
def test_durability_sees_what_was_accepted_committed_or_certified_and_is_gone(
    lost: dict[str, object], text: str
) -> None:
    _, check = acknowledged()
    check.finish(ends(cbp=final(), noaa=final(**lost)))
    assert any(text in violation.text for violation in check.violations)


def test_durability_lets_an_accepted_transaction_expire() -> None:
    story, check = acknowledged()
    story.tell("transaction.accepted", id=OTHER, node="cbp")
    check.finish(ends(cbp=final()))
    assert len(check.violations) == 1
    story, check = acknowledged()
    story.tell("transaction.accepted", id=OTHER, node="cbp")
    story.tell("transaction.expired", id=OTHER, node="cbp")
    check.finish(ends(cbp=final()))
    assert check.violations == []


def test_durability_takes_a_block_that_says_expired_for_the_end_of_a_transaction() -> None:
    story, check = acknowledged()
    story.tell("transaction.accepted", id=OTHER, node="cbp")
    story.executed("noaa", 9, [f"{OTHER}:EXPIRED::"])
    check.finish(ends(cbp=final()))
    assert [v.text for v in check.violations if OTHER in v.text] == []


def test_decided_once_lets_every_node_execute_and_a_copy_be_a_duplicate() -> None:
    story = Story(check := DecidedOnce())
    story.executed("cbp", 1, [f"{ONE}:VALID::"])
    story.executed("noaa", 1, [f"{ONE}:VALID::"])
    story.executed("cbp", 2, [f"{ONE}:DUPLICATE::", f"{OTHER}:BAD_SIGNATURE::"])
    story.executed("cbp", 3, [f"{OTHER}:VALID::"])
    assert check.violations == []
    assert check.exercised == 3


@pytest.mark.parametrize(("first", "second"), [("VALID", "VALID"), ("RULE_VIOLATED", "VALID")])
def test_decided_once_sees_a_second_effect_in_a_later_block(first: str, second: str) -> None:
    story = Story(check := DecidedOnce())
    story.executed("cbp", 1, [f"{ONE}:{first}::"])
    story.executed("cbp", 4, [f"{ONE}:{second}::"])
    assert [violation.event for violation in check.violations] == [1]
    assert "heights 1 and 4" in check.violations[0].text


def test_decided_once_sees_a_second_effect_in_the_same_block() -> None:
    story = Story(check := DecidedOnce())
    story.executed("cbp", 1, [f"{ONE}:VALID::", f"{ONE}:VALID::"])
    assert len(check.violations) == 1


def carnet_receipt(story: Story, act: str, code: str = "VALID", **body: object) -> None:
    story.tell("receipt", type=act, code=code, body=json.dumps({"carnet": "k1", **body}))


def cross(story: Story, serial: int, kind: str, office: str, pieces: int, cites: int | None = None) -> None:
    carnet_receipt(
        story, "carnet.present", serial=serial, kind=kind, office=office, items=[[1, pieces]], cites=cites
    )
    carnet_receipt(story, "carnet.endorse", serial=serial)


def at_the_border() -> tuple[Story, CarnetBalances]:
    story = Story(check := CarnetBalances({"cbp": "US", "cbsa": "CA", "bazg": "CH"}))
    carnet_receipt(story, "carnet.apply", items=[[1, 10]])
    return story, check


def test_balances_hold_along_a_journey_with_a_replacement_a_settlement_and_an_unrecorded_exit() -> None:
    story, check = at_the_border()
    cross(story, 1, "EXPORT", "cbp", 10)
    cross(story, 2, "IMPORT", "cbsa", 10)
    carnet_receipt(story, "carnet.replace", successor="k2")
    cross(story, 3, "REEXPORT", "cbsa", 4, cites=2)
    cross(story, 4, "IMPORT", "bazg", 3, cites=2)
    carnet_receipt(story, "carnet.settle", serial=2, items=[[1, 3]])
    cross(story, 5, "REIMPORT", "cbp", 4)
    carnet_receipt(story, "carnet.endorse", "RULE_VIOLATED", serial=5)
    assert check.violations == []
    assert check.exercised == 6


def test_a_voucher_endorsed_twice_is_seen_at_the_event() -> None:
    story, check = at_the_border()
    cross(story, 1, "EXPORT", "cbp", 10)
    carnet_receipt(story, "carnet.endorse", serial=1)
    (violation,) = check.violations
    assert violation.event == 3
    assert "-10 pieces of item 1 are home" in violation.text


def test_an_item_that_is_not_on_the_list_is_seen() -> None:
    story, check = at_the_border()
    carnet_receipt(story, "carnet.present", serial=1, kind="EXPORT", office="cbp", items=[[2, 1]], cites=None)
    carnet_receipt(story, "carnet.endorse", serial=1)
    assert {violation.text for violation in check.violations} == {
        "carnet k1: -1 pieces of item 2 are home",
        "carnet k1: 1 pieces of item 2 are under way",
    }


def test_goods_that_come_from_where_they_are_not_are_seen() -> None:
    story, check = at_the_border()
    cross(story, 1, "REIMPORT", "cbp", 1)
    assert [violation.text for violation in check.violations] == [
        "carnet k1: -1 pieces of item 1 are under way"
    ]


def test_stores_that_differ_in_a_block_a_leaf_or_a_value() -> None:
    one = final(leaves={0: b"a", 1: b"b"}, state={"x": b"1"})
    check = Stores()
    check.finish(ends(cbp=one, noaa=final(leaves={1: b"b"}, state={"x": b"1"})))
    assert check.violations == [], "a leaf that a snapshot passed over is nothing to compare"
    other = final(block_hashes={1: "other"}, leaves={0: b"a", 1: b"c"}, state={"x": b"2"}, stale="no root")
    check.finish(ends(cbp=one, noaa=other))
    assert [violation.text for violation in check.violations] == [
        "noaa's store: no root",
        "block 1: cbp and noaa have different ones",
        "leaf 1: cbp and noaa have different ones",
        "state of height 1: cbp and noaa differ from x on",
    ]
    assert check.exercised == 2
