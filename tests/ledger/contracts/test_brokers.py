"""Customs brokers: a power of attorney in force, and nothing without it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ledger.codes import Code
from ledger.contracts.records import ClaimState, PowerState, read_power
from ledger.encoding import Value
from ledger.receipt import Receipt
from ledger.state import power_key

LINE: dict[str, Value] = {"entry": "ABC-1234567-8", "line": 1}


def grant(pilot, on: str = "2018-09-10", importer: str = "globex", **changes: Value) -> Receipt:
    body: dict[str, Value] = {"broker": "swift", "from": "2018-09-10", "to": None}
    return pilot.act(importer, "power.grant", body | changes, on=on)


def revoke(pilot, on: str, importer: str = "globex", broker: str = "swift") -> Receipt:
    return pilot.act(importer, "power.revoke", {"broker": broker}, on=on)


def file_for(
    pilot, on: str, importer: str | None = "globex", broker: str = "swift", **more: Value
) -> Receipt:
    return pilot.claim(on, importer=broker, importer_of_record=importer, **more)


def test_a_broker_files_in_its_importers_name_on_the_importers_possession(pilot):
    pilot.possess()
    assert grant(pilot).code is Code.VALID
    filed = file_for(pilot, "2018-09-20")
    assert (filed.code, filed.findings) == (Code.VALID, ())
    record = pilot.claim_record()
    assert (record.importer, record.filer) == ("globex", "swift")


def test_an_importer_that_files_itself_is_both(pilot):
    pilot.possess()
    assert pilot.claim().code is Code.VALID
    assert (pilot.claim_record().importer, pilot.claim_record().filer) == ("globex", "globex")


def test_a_broker_without_a_power_is_refused(pilot):
    pilot.possess()
    assert file_for(pilot, "2018-09-20").rule == "claim.file/no-power"


def test_a_power_is_for_its_own_importer_and_its_own_broker(pilot):
    pilot.possess()
    grant(pilot, importer="initech")
    assert file_for(pilot, "2018-09-20").rule == "claim.file/no-power"
    grant(pilot, "2018-09-20")
    assert file_for(pilot, "2018-09-20", broker="slow").rule == "claim.file/no-power"
    assert file_for(pilot, "2018-09-20").code is Code.VALID


@pytest.mark.parametrize(
    ("day", "rule"),
    [
        ("2018-09-13", "claim.file/no-power"),
        ("2018-09-14", None),
        ("2018-09-20 23:59", None),
        ("2018-09-21 00:00", "claim.file/no-power"),
    ],
)
def test_a_power_covers_both_named_days_and_no_other(pilot, day, rule):
    pilot.possess()
    grant(pilot, **{"from": "2018-09-14", "to": "2018-09-20"})
    assert file_for(pilot, day).rule == rule


def test_a_revocation_ends_the_power_from_its_place_on(pilot):
    pilot.possess()
    grant(pilot)
    assert file_for(pilot, "2018-09-20 10:00").code is Code.VALID
    assert revoke(pilot, "2018-09-20 10:01").code is Code.VALID
    assert file_for(pilot, "2018-09-20 10:01", entry="ABC-1234567-9").rule == "claim.file/no-power"
    data = pilot.ledger.state.get(power_key("globex", "swift"))
    assert data is not None
    record = read_power(data)
    assert record.state is PowerState.REVOKED
    assert record.revoked_ms == pilot.ledger.time_ms


def test_a_new_grant_takes_the_place_of_the_one_before(pilot):
    pilot.possess()
    grant(pilot)
    revoke(pilot, "2018-09-11")
    assert grant(pilot, "2018-09-12", to="2018-09-30").code is Code.VALID
    assert grant(pilot, "2018-09-12", to="2018-09-19").code is Code.VALID
    assert file_for(pilot, "2018-09-19").code is Code.VALID
    assert file_for(pilot, "2018-09-20", line=2).rule == "claim.file/no-power"


@pytest.mark.parametrize(
    ("act", "rule"),
    [
        (lambda p: grant(p, broker="globex"), "power.grant/not-broker"),
        (lambda p: grant(p, broker="nobody"), "power.grant/not-broker"),
        (lambda p: grant(p, to="2018-09-09"), "power.grant/power-order"),
        (lambda p: revoke(p, "2018-09-10"), "power.revoke/impossible-transition"),
        (lambda p: file_for(p, "2018-09-20", importer="acme"), "claim.file/not-importer"),
        (lambda p: file_for(p, "2018-09-20", importer=None), "claim.file/wrong-actor"),
        (lambda p: file_for(p, "2018-09-20", broker="initech"), "claim.file/wrong-actor"),
    ],
)
def test_what_a_power_and_a_filing_need(pilot, act: Callable[..., Receipt], rule: str):
    pilot.possess()
    assert act(pilot).rule == rule


def test_nobody_but_the_grantor_revokes(pilot):
    pilot.possess()
    grant(pilot)
    assert revoke(pilot, "2018-09-11", importer="initech").rule == "power.revoke/impossible-transition"
    assert pilot.act("swift", "power.revoke", {"broker": "swift"}).code is Code.NOT_AUTHORIZED
    assert file_for(pilot, "2018-09-20").code is Code.VALID


def test_a_broker_answers_corrects_and_protests_while_its_power_is_in_force(pilot):
    pilot.possess()
    grant(pilot)
    pilot.claim()
    pilot.decide("claim.open", "2018-09-25", document=True)
    assert pilot.act("swift", "claim.respond", LINE, on="2018-10-01", document=True).code is Code.VALID
    revoke(pilot, "2018-10-02")
    late = pilot.act("swift", "claim.respond", LINE, on="2018-10-02", document=True)
    assert late.rule == "claim.respond/no-power"
    pilot.decide("claim.close", "2018-10-03")
    correct: dict[str, Value] = {**LINE, "discovered_on": "2018-10-03", "fine": bytes(32)}
    assert pilot.act("swift", "claim.correct", correct, on="2018-10-04").rule == "claim.correct/no-power"
    grant(pilot, "2018-10-05")
    assert pilot.act("swift", "claim.correct", correct, on="2018-10-05").code is Code.VALID
    pilot.decide("claim.liquidate", "2019-07-29")
    protest: dict[str, Value] = {**LINE, "fine": bytes(32)}
    assert pilot.act("swift", "claim.protest", protest, on="2019-08-01", document=True).code is Code.VALID
    assert pilot.claim_record().state is ClaimState.OFFICIAL_OPEN


def test_another_importer_is_no_broker(pilot):
    pilot.possess()
    pilot.claim()
    pilot.decide("claim.open", "2018-09-25", document=True)
    refused = pilot.act("initech", "claim.respond", LINE, on="2018-10-01", document=True)
    assert refused.rule == "claim.respond/wrong-actor"
