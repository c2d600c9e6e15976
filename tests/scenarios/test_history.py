"""What a trial knows out of its events."""

from __future__ import annotations

import asyncio

import pytest

from p2p.observer import RecordField
from scenarios.model.predicates import parse_predicate
from scenarios.record.eventbook import Event
from scenarios.trial.history import History

DAY_MS = 86_400_000


class Teller:
    """Tells events to a history."""

    def __init__(self) -> None:
        self.history = History()
        self.number = 0

    def tell(self, name: str, **fields: RecordField) -> None:
        self.history(Event(self.number, self.number * DAY_MS, 0, name, fields, public=False))
        self.number += 1

    def receipt(self, kind: str, code: str = "VALID", **fields: RecordField) -> None:
        base: dict[str, RecordField] = {
            "id": f"id {self.number}", "type": kind, "code": code, "time_ms": self.number * DAY_MS, "findings": [],
        }  # fmt: skip
        self.tell("receipt", **{**base, **fields})


@pytest.fixture
def teller() -> Teller:
    return Teller()


def test_a_certificates_states_come_from_valid_receipts(teller: Teller) -> None:
    teller.receipt("certificate.anchor", certificate="c1")
    teller.receipt("certificate.notify", "RULE_VIOLATED", certificate="c1")
    teller.receipt("certificate.notify", certificate="c1")
    assert teller.history.certificate_states("c1") == [(0, "ACTIVE"), (2 * DAY_MS, "NOTICE_GIVEN")]
    assert teller.history.certificate_states("c2") == []


def test_a_holding_belongs_to_its_holder(teller: Teller) -> None:
    teller.receipt("certificate.deliver", certificate="c1", holder="importer")
    teller.receipt("holding.acknowledge", certificate="c1", holder="importer")
    teller.receipt("certificate.deliver", certificate="c1", holder="broker")
    assert [state for _, state in teller.history.holding_states("c1", "importer")] == ["DELIVERED", "HELD"]
    assert [state for _, state in teller.history.holding_states("c1", "broker")] == ["DELIVERED"]


def test_a_claim_is_filed_by_its_first_valid_receipt_and_keeps_all_findings(teller: Teller) -> None:
    teller.receipt("claim.file", "NONCE_REUSED", claim="e1")
    teller.receipt("claim.file", claim="e1", findings=["SUMMARY_LATE"])
    teller.receipt("claim.correct", claim="e1", findings=["CORRECTION_LATE"])
    assert teller.history.subjects("claim") == ["e1"]
    assert teller.history.begun_ms("claim", "e1") == DAY_MS
    assert teller.history.findings("claim", "e1") == ["SUMMARY_LATE", "CORRECTION_LATE"]


def test_fine_states_are_in_order_of_their_time(teller: Teller) -> None:
    teller.tell("claim.state", claim="e1", state="UNDER_REVIEW", time_ms=5)
    teller.tell("claim.state", claim="e1", state="CLAIMED", time_ms=1)
    assert teller.history.states("claim", "e1") == [(1, "CLAIMED"), (5, "UNDER_REVIEW")]


def test_a_steps_code_is_its_first_that_is_not_valid_and_none_while_one_is_open(teller: Teller) -> None:
    history = teller.history
    assert history.code_of(1) is None
    teller.tell("step.transaction", step=1, id="one")
    teller.tell("step.transaction", step=1, id="two")
    teller.receipt("claim.file", id="one")
    assert history.code_of(1) is None
    history.note_code("two", "NOT_AUTHORIZED")
    assert history.code_of(1) == "NOT_AUTHORIZED"
    teller.tell("step.transaction", step=2, id="three")
    teller.receipt("claim.file", id="three")
    assert history.code_of(2) == "VALID"


DELIVERED: dict[str, RecordField] = {"type": "certificate.deliver", "certificate": "c1", "holder": "a"}


@pytest.mark.parametrize(
    ("sentence", "name", "fields"),
    [
        ("leader elected", "raft.role", {"role": "leader"}),
        ("block 2 committed", "block.executed", {"height": 2}),
        ("certificate c1 anchored", "receipt", {"type": "certificate.anchor", "certificate": "c1"}),
        ("certificate c1 delivered", "receipt", DELIVERED),
        ("certificate c1 delivered to a", "receipt", DELIVERED),
        ("certificate c1 held by a", "receipt", {"type": "holding.acknowledge", "certificate": "c1", "holder": "a"}),
        ("claim e1 filed", "receipt", {"type": "claim.file", "claim": "e1"}),
        ("claim e1 is ALLOWED", "claim.state", {"claim": "e1", "state": "ALLOWED", "time_ms": 1}),
    ],
)  # fmt: skip
async def test_whoever_waits_for_a_predicate_wakes_when_it_holds(
    teller: Teller, sentence: str, name: str, fields: dict[str, RecordField]
) -> None:
    predicate = parse_predicate(sentence)
    waiting = asyncio.ensure_future(teller.history.until(predicate))
    await asyncio.sleep(0)
    teller.tell("raft.role", role="follower")
    teller.tell("block.executed", height=1)
    teller.receipt("certificate.anchor", certificate="another")
    teller.receipt("certificate.deliver", certificate="c1", holder="b") if " to " in sentence else None
    teller.tell("claim.state", claim="e1", state="CLAIMED", time_ms=1)
    await asyncio.sleep(0)
    assert not waiting.done()
    assert not teller.history.holds(predicate)
    if name == "receipt":
        teller.receipt(**{"kind": fields["type"], **{k: v for k, v in fields.items() if k != "type"}})  # type: ignore[arg-type]
    else:
        teller.tell(name, **fields)
    await asyncio.wait_for(waiting, 1)
    await asyncio.wait_for(teller.history.until(predicate), 1)


def test_a_metric_is_a_number(teller: Teller) -> None:
    teller.history.metrics = {"blocks": 3, "share": 0.5, "name": "text", "flag": True}
    metric = teller.history.metric
    assert (metric("blocks"), metric("share")) == (3.0, 0.5)
    assert metric("name") is metric("flag") is metric("missing") is None


def carnet_act(teller: Teller, act: str, **fields: RecordField) -> None:
    teller.receipt(act, **{"carnet": "k1", "body": "{}", **fields})


def test_carnets_and_vouchers_have_the_states_that_their_tables_give(teller: Teller) -> None:
    carnet_act(teller, "carnet.apply")
    carnet_act(teller, "carnet.secure")
    carnet_act(teller, "carnet.present", voucher="k1/1")
    carnet_act(teller, "carnet.endorse", voucher="k1/1", findings=["REEXPORT_LATE"])
    assert [state for _, state in teller.history.states("carnet", "k1")] == ["APPLIED", "SECURED"]
    assert teller.history.states("voucher", "k1/1") == [(2 * DAY_MS, "PRESENTED"), (3 * DAY_MS, "ENDORSED")]
    assert teller.history.findings("voucher", "k1/1") == ["REEXPORT_LATE"]
    assert teller.history.findings("carnet", "k1") == ["REEXPORT_LATE"]


def test_a_carnet_expires_by_the_day_and_its_successor_with_it(teller: Teller) -> None:
    carnet_act(teller, "carnet.issue", body='{"valid_until": "1970-01-05"}')
    carnet_act(teller, "carnet.activate")
    carnet_act(teller, "carnet.replace", carnet_successor="k2")
    assert [state for _, state in teller.history.states("carnet", "k2")] == ["ACTIVE"]
    teller.number = 6
    teller.tell("phase")
    states = teller.history.states("carnet", "k2")
    assert states == [(2 * DAY_MS, "ACTIVE"), (5 * DAY_MS + DAY_MS * 2 // 3, "EXPIRED")]
    assert [state for _, state in teller.history.states("carnet", "k1")][-1] == "REPLACED"
    carnet_act(teller, "carnet.return", carnet="k2")
    assert [state for _, state in teller.history.states("carnet", "k2")] == ["ACTIVE", "EXPIRED", "RETURNED"]
