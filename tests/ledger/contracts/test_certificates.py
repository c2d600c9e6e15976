"""Certificates and holdings on the ledger: what is refused, what is recorded with a finding."""

from __future__ import annotations

import pytest

from ledger.codes import Code
from ledger.contracts import CertificateState, HoldingState, read_document
from ledger.contracts.records import ComplaintRecord
from ledger.encoding import Value
from ledger.state import document_key

C1 = bytes([1]) * 16
C2 = bytes([2]) * 16
NOTICE: dict[str, Value] = {"certificate": C1}


def test_an_exporter_anchors_a_certificate(pilot) -> None:
    receipt = pilot.anchor()
    assert (receipt.code, receipt.findings) == (Code.VALID, ())
    record = pilot.certificate_record()
    assert record.state is CertificateState.ACTIVE
    assert record.issuer == "acme"
    document = read_document(pilot.ledger.state.get(document_key(record.root)))
    assert (document.issuer, document.addressees) == ("acme", ("globex", "cbp"))


def test_a_chamber_cannot_anchor_a_preference_certificate(pilot) -> None:
    body: dict[str, Value] = {
        "certificate": C1,
        "form": "NAFTA-434",
        "signed_on": "2018-09-04",
        "shipment": "S1",
        "addressees": ["globex"],
    }
    assert pilot.act("chamber", "certificate.anchor", body, document=True).code is Code.NOT_AUTHORIZED


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"blanket": None}, "certificate.anchor/scope"),
        ({"shipment": "S1"}, "certificate.anchor/scope"),
        ({"blanket": {"from": "2018-09-02", "to": "2018-09-01"}}, "certificate.anchor/blanket-order"),
        ({"addressees": ["globex", "nobody"]}, "certificate.anchor/unknown-addressee"),
        ({"addressees": ["acme"]}, "certificate.anchor/unknown-addressee"),
    ],
)
def test_form_rules_of_anchoring_refuse(pilot, changes: dict[str, Value], rule: str) -> None:
    receipt = pilot.anchor(**changes)
    assert (receipt.code, receipt.rule) == (Code.RULE_VIOLATED, rule)
    assert pilot.ledger.state.get("certificate/" + C1.hex()) is None


def test_a_certificate_id_and_a_root_are_anchored_once(pilot) -> None:
    pilot.anchor()
    assert pilot.anchor().rule == "certificate.anchor/certificate-exists"
    root = pilot.certificate_record().root
    body: dict[str, Value] = {"class": "commercial", "addressees": ["cbp"]}
    signed = pilot.sign("rival", "document.anchor", body, documents=(root,))
    assert pilot.block(signed.raw).receipts[0].rule == "document.anchor/document-exists"


def test_a_blanket_may_begin_before_the_signature(pilot) -> None:
    receipt = pilot.anchor(signed_on="2018-09-04", blanket={"from": "2018-03-01", "to": "2019-02-28"})
    assert (receipt.code, receipt.findings) == (Code.VALID, ())


@pytest.mark.parametrize(
    ("last", "findings"),
    [("2019-09-03", ()), ("2019-09-04", ("BLANKET_TOO_LONG",))],
)
def test_a_blanket_over_twelve_months_is_recorded_with_a_finding(pilot, last: str, findings) -> None:
    receipt = pilot.anchor(blanket={"from": "2018-09-04", "to": last})
    assert (receipt.code, receipt.findings) == (Code.VALID, findings)


@pytest.mark.parametrize(("signed_on", "findings"), [("2018-09-04", ()), ("2018-09-05", ("DATE_IN_FUTURE",))])
def test_a_signature_dated_after_the_block_is_recorded_with_a_finding(
    pilot, signed_on: str, findings
) -> None:
    receipt = pilot.anchor("2018-09-04 23:59", signed_on=signed_on)
    assert (receipt.code, receipt.findings) == (Code.VALID, findings)


def test_only_the_issuer_delivers_notifies_and_supersedes(pilot) -> None:
    pilot.anchor()
    delivery: dict[str, Value] = {"certificate": C1, "holder": "globex"}
    assert pilot.act("rival", "certificate.deliver", delivery).rule == "certificate.deliver/wrong-actor"
    assert pilot.act("rival", "certificate.notify", NOTICE).rule == "certificate.notify/wrong-actor"
    pilot.act("acme", "certificate.notify", NOTICE)
    successor: dict[str, Value] = {"certificate": C1, "successor": C2}
    assert pilot.act("rival", "certificate.supersede", successor).rule == "certificate.supersede/wrong-actor"


@pytest.mark.parametrize("kind", ["certificate.deliver", "certificate.notify", "certificate.supersede"])
def test_an_unknown_certificate_is_refused(pilot, kind: str) -> None:
    bodies: dict[str, dict[str, Value]] = {
        "certificate.deliver": {"certificate": C1, "holder": "globex"},
        "certificate.notify": NOTICE,
        "certificate.supersede": {"certificate": C1, "successor": C2},
    }
    assert pilot.act("acme", kind, bodies[kind]).rule == f"{kind}/unknown-certificate"


def test_a_certificate_is_delivered_to_addressed_importers_alone(pilot) -> None:
    pilot.anchor()
    for holder, rule in [
        ("initech", "certificate.deliver/not-addressed"),
        ("cbp", "certificate.deliver/unknown-holder"),
        ("nobody", "certificate.deliver/unknown-holder"),
    ]:
        body: dict[str, Value] = {"certificate": C1, "holder": holder}
        assert pilot.act("acme", "certificate.deliver", body).rule == rule


def test_a_notice_then_a_successor(pilot) -> None:
    pilot.anchor()
    early: dict[str, Value] = {"certificate": C1, "successor": C2}
    assert (
        pilot.act("acme", "certificate.supersede", early).rule
        == "certificate.supersede/impossible-transition"
    )
    assert pilot.act("acme", "certificate.notify", NOTICE).code is Code.VALID
    assert pilot.certificate_record().state is CertificateState.NOTICE_GIVEN
    assert pilot.act("acme", "certificate.notify", NOTICE).rule == "certificate.notify/impossible-transition"
    delivery: dict[str, Value] = {"certificate": C1, "holder": "globex"}
    assert (
        pilot.act("acme", "certificate.deliver", delivery).rule == "certificate.deliver/impossible-transition"
    )
    assert pilot.act("acme", "certificate.supersede", early).rule == "certificate.supersede/unknown-successor"
    itself: dict[str, Value] = {"certificate": C1, "successor": C1}
    assert (
        pilot.act("acme", "certificate.supersede", itself).rule == "certificate.supersede/unknown-successor"
    )
    pilot.anchor(certificate=C2)
    assert pilot.act("acme", "certificate.supersede", early).code is Code.VALID
    record = pilot.certificate_record()
    assert (record.state, record.successor) == (CertificateState.CORRECTED, C2)


def test_a_successor_is_active(pilot) -> None:
    pilot.anchor()
    pilot.anchor(certificate=C2)
    for certificate in (C1, C2):
        pilot.act("acme", "certificate.notify", NOTICE | {"certificate": certificate})
    successor: dict[str, Value] = {"certificate": C1, "successor": C2}
    assert (
        pilot.act("acme", "certificate.supersede", successor).rule
        == "certificate.supersede/unknown-successor"
    )


def test_addressees_are_listed_each_once(pilot) -> None:
    assert pilot.anchor(addressees=["globex", "cbp", "globex"]).code is Code.MALFORMED
    assert pilot.anchor(addressees=[]).code is Code.MALFORMED
    assert pilot.anchor(addressees=["Globex!"]).code is Code.MALFORMED


def test_a_successor_is_the_same_issuers(pilot) -> None:
    pilot.anchor()
    pilot.act("acme", "certificate.notify", NOTICE)
    body: dict[str, Value] = {
        "certificate": C2,
        "form": "NAFTA-434",
        "signed_on": "2018-09-04",
        "shipment": "S1",
        "addressees": ["globex"],
    }
    assert pilot.act("rival", "certificate.anchor", body, document=True).code is Code.VALID
    successor: dict[str, Value] = {"certificate": C1, "successor": C2}
    assert (
        pilot.act("acme", "certificate.supersede", successor).rule
        == "certificate.supersede/unknown-successor"
    )


def test_a_reason_is_a_code_word_since_it_is_public(pilot) -> None:
    pilot.anchor()
    body: dict[str, Value] = {"certificate": C1, "reason": "Tuna came from Atún del Norte"}
    assert pilot.act("acme", "certificate.notify", body).code is Code.MALFORMED


def test_possession_is_the_importers_own_acknowledgement(pilot) -> None:
    pilot.anchor()
    acknowledge: dict[str, Value] = {"certificate": C1}
    assert (
        pilot.act("globex", "holding.acknowledge", acknowledge).rule == "holding.acknowledge/unknown-holding"
    )
    pilot.act("acme", "certificate.deliver", {"certificate": C1, "holder": "globex"})
    assert (
        pilot.act("initech", "holding.acknowledge", acknowledge).rule == "holding.acknowledge/unknown-holding"
    )
    assert pilot.holding_record().acknowledged_ms is None
    receipt = pilot.act("globex", "holding.acknowledge", acknowledge, on="2018-09-06")
    assert receipt.code is Code.VALID
    record = pilot.holding_record()
    assert (record.state, record.acknowledged_ms) == (HoldingState.HELD, pilot.ledger.time_ms)
    assert pilot.act("globex", "holding.acknowledge", acknowledge).rule == (
        "holding.acknowledge/impossible-transition"
    )


def test_a_complaint_disputes_and_a_second_delivery_repairs(pilot) -> None:
    pilot.anchor()
    delivery: dict[str, Value] = {"certificate": C1, "holder": "globex"}
    pilot.act("acme", "certificate.deliver", delivery)
    assert pilot.complain(reason="ROOT_MISMATCH").code is Code.VALID
    assert pilot.holding_record().state is HoldingState.DISPUTED
    assert pilot.holding_record().complaint == ComplaintRecord("ROOT_MISMATCH", "acme", b"e" * 32)
    assert pilot.act("acme", "certificate.deliver", delivery).code is Code.VALID
    assert pilot.holding_record().complaint is None
    assert (
        pilot.act("acme", "certificate.deliver", delivery).rule == "certificate.deliver/impossible-transition"
    )
    assert pilot.act("globex", "holding.acknowledge", {"certificate": C1}).code is Code.VALID


def test_an_unknown_complaint_is_malformed(pilot) -> None:
    body: dict[str, Value] = {"certificate": C1, "reason": "BORED"}
    assert pilot.act("globex", "holding.complain", body).code is Code.MALFORMED


def test_customs_alone_opens_and_closes_and_says_nothing_else_in_public(pilot) -> None:
    pilot.possess()
    body: dict[str, Value] = {"certificate": C1, "holder": "globex", "fine": bytes(32)}
    assert pilot.act("acme", "holding.open", body).code is Code.NOT_AUTHORIZED
    assert pilot.act("cbp", "holding.close", body).rule == "holding.close/impossible-transition"
    assert pilot.act("cbp", "holding.open", body).code is Code.VALID
    assert pilot.holding_record().state is HoldingState.OFFICIAL_OPEN
    assert pilot.act("cbp", "holding.close", body | {"fine": bytes([1]) * 32}).code is Code.VALID
    record = pilot.holding_record()
    assert (record.state, record.fine) == (HoldingState.OFFICIAL_CLOSED, bytes([1]) * 32)
    assert record.acknowledged_ms is not None
    assert pilot.act("cbp", "holding.open", body).code is Code.VALID
    assert pilot.act("cbp", "holding.close", body | {"reason": "FRAUD"}).code is Code.MALFORMED


def test_a_notice_says_that_a_certificate_is_incorrect_and_not_how(pilot) -> None:
    pilot.possess()
    assert (
        pilot.act("acme", "certificate.notify", {"certificate": C1, "reason": "WRONG"}).code is Code.MALFORMED
    )
    assert pilot.act("acme", "certificate.notify", {"certificate": C1}).code is Code.VALID


def test_official_documents_are_authorities_own(pilot) -> None:
    official: dict[str, Value] = {"class": "official", "addressees": ["globex"]}
    assert (
        pilot.act("acme", "document.anchor", official, document=True).rule == "document.anchor/not-official"
    )
    assert pilot.act("cbp", "document.anchor", official, document=True).code is Code.VALID
    commercial: dict[str, Value] = {"class": "commercial", "addressees": ["cbp"]}
    assert pilot.act("acme", "document.anchor", commercial, document=True).code is Code.VALID
    assert pilot.act("watcher", "document.anchor", commercial, document=True).code is Code.NOT_AUTHORIZED
