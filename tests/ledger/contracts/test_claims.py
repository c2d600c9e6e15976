"""Preference claims on the ledger: both sides of every edge, every trap."""

from __future__ import annotations

import pytest

from ledger.codes import Code
from ledger.contracts import (
    ClaimState,
    HoldingRecord,
    HoldingState,
    has_proven_possession,
    read_document,
)
from ledger.encoding import Value
from ledger.state import document_key

C1 = bytes([1]) * 16
C2 = bytes([2]) * 16
LINE: dict[str, Value] = {"entry": "ABC-1234567-8", "line": 1}


def test_a_claim_with_proven_possession_has_no_finding(pilot) -> None:
    pilot.possess()
    receipt = pilot.claim()
    assert (receipt.code, receipt.findings) == (Code.VALID, ())
    record = pilot.claim_record()
    assert (record.state, record.importer, record.findings) == (ClaimState.CLAIMED, "globex", ())


# Form rules.


def test_an_entry_line_is_claimed_once(pilot) -> None:
    pilot.possess()
    pilot.claim()
    assert pilot.claim().rule == "claim.file/duplicate-entry-line"
    assert pilot.claim(importer="initech").rule == "claim.file/duplicate-entry-line"
    assert pilot.claim(kind="claim.file_post").rule == "claim.file_post/duplicate-entry-line"
    assert pilot.claim(line=2).code is Code.VALID


def test_a_claim_on_an_unknown_certificate_is_refused(pilot) -> None:
    assert pilot.claim().rule == "claim.file/unknown-certificate"


@pytest.mark.parametrize(
    "changes",
    [
        {"entry": "ABC-123456-8"},
        {"entry": "abc-1234567-8"},
        {"entry": "ABC12345678"},
        {"line": 0},
        {"spi": "P"},
        {"regime": "USMCA"},
        {"certificate": b"short"},
        {"fine": b"short"},
        {"entry_on": "2018-02-30"},
        {"import_on": "9999-12-31"},
        {"import_on": "1993-12-31"},
        {"surprise": True},
    ],
)
def test_a_claim_of_the_wrong_shape_is_malformed(pilot, changes: dict[str, Value]) -> None:
    assert pilot.claim(**changes).code is Code.MALFORMED


def test_only_an_importer_claims(pilot) -> None:
    assert pilot.claim(importer="acme").code is Code.NOT_AUTHORIZED


# Findings: possession.


def test_a_claim_without_a_certificate_is_recorded_with_a_finding(pilot) -> None:
    receipt = pilot.claim(certificate=None)
    assert (receipt.code, receipt.findings) == (Code.VALID, ("NO_POSSESSION",))
    assert pilot.claim_record().findings == ("NO_POSSESSION",)


def test_delivered_is_not_yet_possessed(pilot) -> None:
    pilot.anchor()
    pilot.act("acme", "certificate.deliver", {"certificate": C1, "holder": "globex"})
    assert pilot.claim().findings == ("NO_POSSESSION",)


def test_another_importers_possession_proves_nothing(pilot) -> None:
    pilot.possess()
    assert pilot.claim(importer="initech").findings == ("NO_POSSESSION",)


def test_possession_acknowledged_after_the_claim_does_not_heal_it(pilot) -> None:
    pilot.anchor()
    assert pilot.claim("2018-09-20").findings == ("NO_POSSESSION",)
    pilot.hold("2018-09-21")
    assert pilot.claim("2018-09-21", line=2).findings == ()
    assert pilot.claim_record().findings == ("NO_POSSESSION",)


def test_the_acknowledgements_block_time_is_compared_with_the_claims() -> None:
    held = HoldingRecord(HoldingState.HELD, delivered_ms=10, acknowledged_ms=20)
    assert [has_proven_possession(held, claimed_ms) for claimed_ms in (19, 20, 21)] == [False, True, True]
    assert not has_proven_possession(None, 21)


def test_a_disputed_delivery_is_no_possession(pilot) -> None:
    pilot.anchor()
    pilot.act("acme", "certificate.deliver", {"certificate": C1, "holder": "globex"})
    pilot.complain()
    assert pilot.holding_record().state is HoldingState.DISPUTED
    assert pilot.claim().findings == ("NO_POSSESSION",)


@pytest.mark.parametrize("acknowledged_first", [True, False])
def test_within_one_block_the_ledgers_order_decides(pilot, acknowledged_first: bool) -> None:
    pilot.anchor("2018-09-20")
    pilot.act("acme", "certificate.deliver", {"certificate": C1, "holder": "globex"})
    acknowledgement = pilot.sign("globex", "holding.acknowledge", {"certificate": C1})
    body: dict[str, Value] = LINE | {
        "regime": "NAFTA",
        "spi": "MX",
        "certificate": C1,
        "entry_on": "2018-09-18",
        "import_on": "2018-09-18",
        "fine": bytes(32),
    }
    claim = pilot.sign("globex", "claim.file", body)
    order = (acknowledgement.raw, claim.raw) if acknowledged_first else (claim.raw, acknowledgement.raw)
    receipts = pilot.block(*order).receipts
    findings = receipts[1 if acknowledged_first else 0].findings
    assert findings == (() if acknowledged_first else ("NO_POSSESSION",))


def test_a_certificate_that_comes_after_release_but_before_the_summary_is_lawful(pilot) -> None:
    pilot.possess("2018-09-25", signed_on="2018-09-24")
    assert pilot.claim("2018-09-26", entry_on="2018-09-18", import_on="2018-09-18").findings == ()


# Findings: dates.


@pytest.mark.parametrize(
    ("signed_on", "findings"), [("2018-09-20", ()), ("2018-09-21", ("SIGNED_AFTER_CLAIM",))]
)
def test_a_certificate_signed_after_the_claim(pilot, signed_on: str, findings) -> None:
    pilot.possess("2018-09-20", signed_on=signed_on)
    assert pilot.claim("2018-09-20").findings == findings


@pytest.mark.parametrize(
    ("import_on", "findings"),
    [
        ("2018-08-31", ("OUTSIDE_BLANKET",)),
        ("2018-09-01", ()),
        ("2018-11-30", ()),
        ("2018-12-01", ("OUTSIDE_BLANKET",)),
    ],
)
def test_an_import_lies_in_the_blanket_both_ends_included(pilot, import_on: str, findings) -> None:
    pilot.possess(blanket={"from": "2018-09-01", "to": "2018-11-30"})
    receipt = pilot.claim("2018-09-10", entry_on="2018-09-05", import_on=import_on)
    assert (receipt.code, receipt.findings) == (Code.VALID, findings)


def test_an_import_before_the_signature_but_in_the_blanket_is_lawful(pilot) -> None:
    pilot.possess(signed_on="2018-09-04", blanket={"from": "2018-06-01", "to": "2019-05-31"})
    assert pilot.claim("2018-09-05", entry_on="2018-09-04", import_on="2018-08-30").findings == ()


def test_a_claim_on_a_blanket_over_twelve_months_bears_its_finding_too(pilot) -> None:
    pilot.possess(blanket={"from": "2018-09-04", "to": "2019-09-04"})
    assert pilot.claim().findings == ("BLANKET_TOO_LONG",)


@pytest.mark.parametrize(("on", "findings"), [("2022-09-04", ()), ("2022-09-05", ("CERTIFICATE_EXPIRED",))])
def test_a_certificate_is_accepted_for_four_years_whatever_its_blanket(pilot, on: str, findings) -> None:
    pilot.possess()
    receipt = pilot.claim(on, entry_on=on, import_on="2019-08-31")
    assert (receipt.code, receipt.findings) == (Code.VALID, findings)


@pytest.mark.parametrize(
    ("entry_on", "on", "findings"),
    [
        ("2018-08-28", "2018-09-12 23:59", ()),  # over Labor Day
        ("2018-08-28", "2018-09-13 00:00", ("SUMMARY_LATE",)),
        ("2018-09-25", "2018-10-10 23:59", ()),  # over Columbus Day
        ("2018-09-25", "2018-10-11 00:00", ("SUMMARY_LATE",)),
    ],
)
def test_the_summary_is_due_ten_working_days_after_entry(pilot, entry_on: str, on: str, findings) -> None:
    pilot.possess("2018-08-20", signed_on="2018-08-20")
    receipt = pilot.claim(on, entry_on=entry_on, import_on="2018-09-01")
    assert (receipt.code, receipt.findings) == (Code.VALID, findings)


@pytest.mark.parametrize(("import_on", "findings"), [("2020-06-30", ()), ("2020-07-01", ("WRONG_REGIME",))])
def test_nafta_governs_imports_to_the_end_of_june_2020(pilot, import_on: str, findings) -> None:
    pilot.possess(blanket={"from": "2020-01-01", "to": "2020-12-31"})
    receipt = pilot.claim("2020-07-02", entry_on="2020-06-30", import_on=import_on)
    assert (receipt.code, receipt.findings) == (Code.VALID, findings)


@pytest.mark.parametrize(
    ("import_on", "on", "findings"),
    [
        ("2018-09-18", "2019-09-18 23:59", ()),
        ("2018-09-18", "2019-09-19 00:00", ("LATE_POST_CLAIM",)),
        ("2019-03-01", "2020-03-01 23:59", ()),  # over 29 February
        ("2019-03-01", "2020-03-02 00:00", ("LATE_POST_CLAIM",)),
        ("2020-02-29", "2021-02-28 23:59", ()),
        ("2020-02-29", "2021-03-01 00:00", ("LATE_POST_CLAIM",)),
    ],
)
def test_a_post_importation_claim_comes_within_a_year(pilot, import_on: str, on: str, findings) -> None:
    pilot.possess(blanket={"from": import_on, "to": import_on})
    receipt = pilot.claim(on, kind="claim.file_post", entry_on=import_on, import_on=import_on)
    assert (receipt.code, receipt.findings) == (Code.VALID, findings)
    assert pilot.claim_record().post


def test_a_post_importation_claim_without_a_certificate_is_recorded_with_a_finding(pilot) -> None:
    assert pilot.claim("2018-12-01", kind="claim.file_post", certificate=None).findings == ("NO_POSSESSION",)


# Findings: states of certificate and holding.


def test_a_claim_after_notice_and_after_a_successor(pilot) -> None:
    pilot.possess()
    pilot.act("acme", "certificate.notify", {"certificate": C1})
    assert pilot.claim(line=1).findings == ("NOTICE_GIVEN",)
    pilot.anchor("2018-09-20", certificate=C2)
    pilot.act("acme", "certificate.supersede", {"certificate": C1, "successor": C2})
    assert pilot.claim(line=2).findings == ("CERTIFICATE_SUPERSEDED",)


def test_a_claim_while_customs_looks_into_the_holding_and_after_it(pilot) -> None:
    pilot.possess()
    body: dict[str, Value] = {"certificate": C1, "holder": "globex", "fine": bytes(32)}
    pilot.act("cbp", "holding.open", body)
    assert pilot.claim(line=1).findings == ("HOLDING_OPEN",)
    pilot.act("cbp", "holding.close", body)
    assert pilot.claim(line=2).findings == ()  # restored or refused: the ledger tells nobody which


# A certificate for one shipment.


@pytest.fixture
def shipped(pilot):
    pilot.possess(blanket=None, shipment="S1")
    return pilot


def test_one_shipment_may_have_several_lines_and_entries(shipped) -> None:
    assert shipped.claim(shipment="S1").findings == ()
    assert shipped.claim(shipment="S1", line=2).findings == ()
    assert shipped.claim(shipment="S1", entry="ABC-7654321-0").findings == ()


def test_several_shipments_may_share_one_entry(shipped) -> None:
    shipped.claim(shipment="S1")
    assert shipped.claim(shipment="S2", line=2).findings == ()


def test_a_second_shipment_on_another_entry_is_a_finding(shipped) -> None:
    shipped.claim(shipment="S1")
    receipt = shipped.claim(shipment="S2", entry="ABC-7654321-0")
    assert (receipt.code, receipt.findings) == (Code.VALID, ("SECOND_SHIPMENT",))
    # Having used it once for a wrong shipment does not make that entry a home for more.
    assert shipped.claim(shipment="S2", entry="ABC-7654321-0", line=2).findings == ("SECOND_SHIPMENT",)


def test_a_wrong_shipment_does_not_bind_the_certificate(shipped) -> None:
    assert shipped.claim(shipment="S2").findings == ("SECOND_SHIPMENT",)
    assert shipped.claim(shipment="S2", line=2).findings == ("SECOND_SHIPMENT",)
    assert shipped.claim(shipment="S1", entry="ABC-7654321-0").findings == ()


def test_the_entry_for_several_shipments_is_the_first_one(shipped) -> None:
    shipped.claim(shipment="S1")
    shipped.claim(shipment="S1", entry="ABC-7654321-0")
    assert shipped.claim(shipment="S2", line=2).findings == ()
    assert shipped.claim(shipment="S2", entry="ABC-7654321-0", line=2).findings == ("SECOND_SHIPMENT",)


def test_a_claim_that_names_no_shipment_is_a_finding(shipped) -> None:
    assert shipped.claim().findings == ("SHIPMENT_UNNAMED",)


# After the claim.


@pytest.mark.parametrize(
    ("on", "findings"), [("2018-10-31 23:59", ()), ("2018-11-01 00:00", ("CORRECTION_LATE",))]
)
def test_a_correction_comes_within_thirty_days_of_discovery(pilot, on: str, findings) -> None:
    pilot.possess()
    pilot.claim()
    body: dict[str, Value] = LINE | {"discovered_on": "2018-10-01", "fine": bytes([1]) * 32}
    receipt = pilot.act("globex", "claim.correct", body, on=on)
    assert (receipt.code, receipt.findings) == (Code.VALID, findings)
    record = pilot.claim_record()
    assert (record.state, record.fine, record.findings) == (ClaimState.CORRECTED, bytes([1]) * 32, findings)


def test_a_correction_keeps_the_findings_of_the_claim(pilot) -> None:
    pilot.claim(certificate=None)
    body: dict[str, Value] = LINE | {"discovered_on": "2018-10-01", "fine": bytes(32)}
    receipt = pilot.act("globex", "claim.correct", body, on="2018-12-01")
    assert receipt.findings == ("CORRECTION_LATE",)
    assert pilot.claim_record().findings == ("NO_POSSESSION", "CORRECTION_LATE")


def test_a_discovery_in_the_future_is_a_finding(pilot) -> None:
    pilot.possess()
    pilot.claim()
    body: dict[str, Value] = LINE | {"discovered_on": "2018-10-02", "fine": bytes(32)}
    receipt = pilot.act("globex", "claim.correct", body, on="2018-10-01")
    assert receipt.findings == ("DATE_IN_FUTURE",)


def test_only_its_importer_corrects_and_answers_a_claim(pilot) -> None:
    pilot.possess()
    pilot.claim()
    body: dict[str, Value] = LINE | {"discovered_on": "2018-09-20", "fine": bytes(32)}
    assert pilot.act("initech", "claim.correct", body).rule == "claim.correct/wrong-actor"
    pilot.decide("claim.open", document=True)
    assert pilot.act("initech", "claim.respond", LINE, document=True).rule == "claim.respond/wrong-actor"


def test_a_review_from_opening_to_liquidation(pilot) -> None:
    pilot.possess()
    pilot.claim()
    assert pilot.act("globex", "claim.respond", LINE, document=True).rule == (
        "claim.respond/impossible-transition"
    )
    assert pilot.decide("claim.open", document=True).code is Code.VALID
    body: dict[str, Value] = LINE | {"discovered_on": "2018-09-20", "fine": bytes(32)}
    assert pilot.act("globex", "claim.correct", body).rule == "claim.correct/impossible-transition"
    assert pilot.act("globex", "claim.respond", LINE, document=True).code is Code.VALID
    assert pilot.decide("claim.act").code is Code.VALID
    assert pilot.claim_record().state is ClaimState.OFFICIAL_OPEN
    assert pilot.decide("claim.close").code is Code.VALID
    assert pilot.decide("claim.liquidate").code is Code.VALID
    assert pilot.claim_record().state is ClaimState.LIQUIDATED
    assert pilot.decide("claim.close").rule == "claim.close/impossible-transition"


def test_most_claims_are_never_asked_about(pilot) -> None:
    pilot.possess()
    pilot.claim()
    assert pilot.decide("claim.liquidate").code is Code.VALID


def test_a_request_is_addressed_to_the_importer_and_says_only_that(pilot) -> None:
    pilot.possess()
    pilot.claim()
    root = b"\x05" * 32
    signed = pilot.sign("cbp", "claim.open", LINE | {"fine": bytes(32)}, documents=(root,))
    assert pilot.block(signed.raw).receipts[0].code is Code.VALID
    document = read_document(pilot.ledger.state.get(document_key(root)))
    assert (document.document_class, document.addressees) == ("official", ("globex",))
    assert document.subject == "claim/ABC-1234567-8/1"


def test_an_answer_may_be_a_document_the_importer_has_but_no_strangers(pilot) -> None:
    pilot.possess()
    pilot.claim()
    pilot.decide("claim.open", document=True)
    root = pilot.certificate_record().root
    signed = pilot.sign("globex", "claim.respond", LINE, documents=(root,))
    assert pilot.block(signed.raw).receipts[0].code is Code.VALID
    foreign = b"\x06" * 32
    anchor = pilot.sign(
        "rival", "document.anchor", {"class": "commercial", "addressees": ["cbp"]}, documents=(foreign,)
    )
    pilot.block(anchor.raw)
    signed = pilot.sign("globex", "claim.respond", LINE, documents=(foreign,))
    assert pilot.block(signed.raw).receipts[0].rule == "claim.respond/foreign-document"


def test_an_unknown_claim_is_refused(pilot) -> None:
    for kind in ("claim.open", "claim.act", "claim.close", "claim.liquidate"):
        assert pilot.decide(kind, document=kind == "claim.open").rule == f"{kind}/unknown-claim"


def test_a_broken_claim_keeps_every_finding_in_the_tables_order(pilot) -> None:
    pilot.anchor(signed_on="2020-09-10", blanket={"from": "2020-10-01", "to": "2022-10-01"})
    receipt = pilot.claim("2020-09-09", entry_on="2020-07-01", import_on="2020-07-01")
    assert receipt.findings == (
        "NO_POSSESSION",
        "SIGNED_AFTER_CLAIM",
        "OUTSIDE_BLANKET",
        "BLANKET_TOO_LONG",
        "SUMMARY_LATE",
        "WRONG_REGIME",
    )
