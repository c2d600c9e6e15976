"""What `admit` has parsed is remembered for execution; what it found is not."""

from __future__ import annotations

import pytest

from ledger import validation
from ledger.codes import Code
from ledger.transaction import parse_transaction


def _deliver(pilot, **changes: object):
    return pilot.sign(
        "acme", "certificate.deliver", {"certificate": bytes(16), "holder": "globex"}, **changes
    )


def test_an_admitted_transaction_is_not_parsed_again_when_it_is_executed(pilot, monkeypatch) -> None:
    signed = _deliver(pilot)
    assert pilot.ledger.admit(signed.raw, pilot.ledger.time_ms).code is Code.VALID
    parsed: list[bytes] = []
    monkeypatch.setattr(
        validation,
        "parse_transaction",
        lambda raw, limit: parsed.append(raw) or parse_transaction(raw, limit),
    )
    other = _deliver(pilot)
    pilot.block(signed.raw, other.raw)
    assert parsed == [other.raw]


def test_a_node_that_admitted_and_one_that_did_not_execute_alike(new_pilot) -> None:
    admitting, other = new_pilot(), new_pilot()
    raws = [_deliver(admitting).raw for _ in range(3)]
    for raw in raws:
        admitting.ledger.admit(raw, admitting.ledger.time_ms)
    assert admitting.block(*raws) == other.block(*raws)


@pytest.mark.parametrize("what", ["expired", "nonce", "twice"])
def test_whatever_has_changed_since_admission_counts_at_execution(what: str, pilot) -> None:
    now_ms = pilot.ledger.time_ms
    signed = _deliver(pilot, nonce=(9, 1), valid_until_ms=now_ms + 1000)
    assert pilot.ledger.admit(signed.raw, now_ms).code is Code.VALID
    if what == "expired":
        assert pilot.block(signed.raw, time_ms=now_ms + 1001).receipts[0].code is Code.EXPIRED
    elif what == "nonce":
        rival = _deliver(pilot, nonce=(9, 1), valid_until_ms=now_ms + 2000)
        codes = [receipt.code for receipt in pilot.block(rival.raw, signed.raw).receipts]
        assert codes == [Code.RULE_VIOLATED, Code.NONCE_REUSED]
    else:
        codes = [receipt.code for receipt in pilot.block(signed.raw, signed.raw).receipts]
        assert codes == [Code.RULE_VIOLATED, Code.DUPLICATE]


def test_a_rubbish_signature_gains_nothing_from_the_genuine_transaction_before_it(pilot) -> None:
    signed = _deliver(pilot)
    pilot.ledger.admit(signed.raw, pilot.ledger.time_ms)
    rubbish = signed.raw.replace(signed.signature, bytes(64))
    codes = [receipt.code for receipt in pilot.block(rubbish, signed.raw).receipts]
    assert codes == [Code.BAD_SIGNATURE, Code.RULE_VIOLATED]


def test_the_memory_is_bounded_and_lets_go_of_what_was_executed(pilot, monkeypatch) -> None:
    monkeypatch.setattr(validation, "PARSED_MAX", 3)
    raws = [_deliver(pilot).raw for _ in range(5)]
    for raw in raws:
        pilot.ledger.admit(raw, pilot.ledger.time_ms)
    assert list(pilot.ledger._validation._parsed) == raws[2:]
    pilot.block(*raws)
    assert not pilot.ledger._validation._parsed
