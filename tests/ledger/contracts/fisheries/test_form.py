"""Form 370 on the ledger: who endorses, who files and when; both sides of every edge."""

from __future__ import annotations

import pytest

from ledger.codes import Code
from ledger.contracts import read_document
from ledger.contracts.fisheries import Form370State, read_form370
from ledger.encoding import Value
from ledger.state import document_key

FORM = bytes([3]) * 16
OTHER = bytes([4]) * 16


def hop(organization: str, role: str) -> Value:
    return {"organization": organization, "role": role}


def test_a_form_that_everyone_endorsed_is_filed_without_a_finding(fisheries) -> None:
    fisheries.permit()
    fisheries.draft()
    seen = [fisheries.record().state]
    for who in ("acme", "globex", "cannery"):
        fisheries.endorse(who)
        seen.append(fisheries.record().state)
    assert (fisheries.file().code, fisheries.record().findings) == (Code.VALID, ())
    s = Form370State
    assert [*seen, fisheries.record().state] == [s.DRAFT, s.DRAFT, s.DRAFT, s.ENDORSED, s.FILED]
    assert fisheries.record().missing == ()
    assert read_form370(fisheries.record().encode()) == fisheries.record()


# Form rules.


@pytest.mark.parametrize(
    "custody",
    [
        [hop("cannery", "processor"), hop("globex", "importer")],  # not from the sender
        [hop("rival", "exporter"), hop("globex", "importer")],
        [hop("acme", "exporter"), hop("cannery", "processor")],  # not to an importer
        [hop("acme", "exporter"), hop("globex", "processor"), hop("initech", "importer")],  # not its role
        [hop("acme", "exporter"), hop("nobody", "processor"), hop("globex", "importer")],
        [hop("acme", "exporter"), hop("globex", "importer"), hop("globex", "importer")],
    ],
)
def test_a_chain_that_is_none_is_refused(fisheries, custody: list[Value]) -> None:
    assert fisheries.draft(custody=custody).rule == "fisheries.draft/custody"


@pytest.mark.parametrize(
    "changes",
    [
        {"form370": b"short"},
        {"shipment": ""},
        {"custody": [hop("acme", "exporter")]},
        {"custody": [hop("acme", "exporter"), hop("globex", "customs")]},
        {"custody": [hop("acme", "exporter")] * 9},
        {"addressees": []},
        {"surprise": 1},
    ],
)
def test_a_draft_of_the_wrong_shape_is_malformed(fisheries, changes: dict[str, Value]) -> None:
    assert fisheries.draft(**changes).code is Code.MALFORMED


def test_only_an_exporter_drafts_and_an_id_is_used_once(fisheries) -> None:
    assert fisheries.draft("globex").code is Code.NOT_AUTHORIZED
    assert fisheries.draft().code is Code.VALID
    assert fisheries.draft().rule == "fisheries.draft/form-370-exists"


def test_only_the_chain_endorses_each_once(fisheries) -> None:
    fisheries.draft()
    assert fisheries.endorse("rival").rule == "fisheries.endorse/wrong-actor"
    assert fisheries.endorse("cbp").code is Code.NOT_AUTHORIZED
    assert fisheries.endorse("cannery").code is Code.VALID
    assert fisheries.endorse("cannery").rule == "fisheries.endorse/already-endorsed"
    assert fisheries.endorse("cannery", form=OTHER).rule == "fisheries.endorse/unknown-form-370"


def test_only_the_importer_at_the_end_of_the_chain_files_once(fisheries) -> None:
    fisheries.draft()
    assert fisheries.file("initech").rule == "fisheries.file/wrong-actor"
    assert fisheries.file("acme").code is Code.NOT_AUTHORIZED
    assert fisheries.file().code is Code.VALID
    assert fisheries.file().rule == "fisheries.file/impossible-transition"
    assert fisheries.file(entry="SX7-1000418").code is Code.MALFORMED


def test_official_acts_are_the_authorities(fisheries) -> None:
    fisheries.filed()
    assert fisheries.decide("globex", "open").code is Code.NOT_AUTHORIZED
    assert fisheries.decide("noaa", "act").rule == "fisheries.act/impossible-transition"
    assert fisheries.decide("noaa", "open").code is Code.VALID
    assert fisheries.decide("globex", "respond").code is Code.VALID
    assert fisheries.decide("noaa", "act").code is Code.VALID
    assert fisheries.decide("cbp", "close").code is Code.VALID
    assert fisheries.record().state is Form370State.OFFICIAL_CLOSED
    assert fisheries.record().fine == bytes([9]) * 32
    assert fisheries.decide("noaa", "open").code is Code.VALID  # an audit


def test_a_notice_is_an_official_document_for_the_importer(fisheries, pilot) -> None:
    fisheries.filed()
    receipt = fisheries.decide("noaa", "open")
    assert receipt.code is Code.VALID
    documents = [
        read_document(value)
        for key, value in pilot.ledger.state.items()
        if key.startswith("document/") and read_document(value).document_class == "official"
    ]
    (notice,) = documents
    assert (notice.issuer, notice.addressees) == ("noaa", ("globex",))
    assert document_key(fisheries.record().root) in pilot.ledger.state


# Findings.


def test_a_form_filed_on_the_day_of_importation_is_in_time_and_a_day_later_is_not(fisheries) -> None:
    fisheries.filed()
    fisheries.draft(form=OTHER, shipment="TUN-2", on="2018-09-12")
    for who in ("acme", "cannery", "globex"):
        fisheries.endorse(who, form=OTHER, on="2018-09-12")
    late = fisheries.file(form=OTHER, on="2018-09-13")
    assert (late.code, late.findings) == (Code.VALID, ("FILED_AFTER_IMPORTATION",))


def test_the_day_is_washingtons(fisheries) -> None:
    fisheries.permit()
    fisheries.draft()
    for who in ("acme", "cannery", "globex"):
        fisheries.endorse(who)
    assert fisheries.file(on="2018-09-12 23:59").findings == ()


def test_a_filing_with_an_endorsement_missing_is_recorded(fisheries) -> None:
    fisheries.permit()
    fisheries.draft()
    fisheries.endorse("acme")
    fisheries.endorse("globex")
    assert fisheries.file().findings == ("MISSING_ENDORSEMENT",)
    assert fisheries.record().missing == ("cannery",)
    late = fisheries.endorse("cannery", on="2018-09-14")
    assert (late.code, late.findings) == (Code.VALID, ("ENDORSED_AFTER_FILING",))
    assert fisheries.record().state is Form370State.FILED
    assert fisheries.record().missing == ()
    assert fisheries.record().findings == ("MISSING_ENDORSEMENT", "ENDORSED_AFTER_FILING")


def test_an_endorsement_may_come_during_a_hold_and_not_after_it(fisheries) -> None:
    fisheries.draft()
    fisheries.file()
    fisheries.decide("noaa", "open")
    assert fisheries.endorse("acme", on="2018-09-14").code is Code.VALID
    fisheries.decide("cbp", "close")
    assert fisheries.endorse("cannery", on="2018-09-15").rule == "fisheries.endorse/impossible-transition"


def test_an_endorsement_dated_after_its_block_is_a_finding(fisheries) -> None:
    fisheries.draft()
    assert fisheries.endorse("acme", signed_on="2018-09-06").findings == ("DATE_IN_FUTURE",)
    assert fisheries.endorse("cannery", signed_on="2018-09-05").findings == ()


@pytest.mark.parametrize(
    ("first", "last", "findings"),
    [
        ("2018-09-12", "2018-09-12", ()),
        ("2018-09-13", "2019-09-12", ("NO_IFTP_PERMIT",)),
        ("2017-09-12", "2018-09-11", ("NO_IFTP_PERMIT",)),
    ],
)
def test_a_permit_is_in_force_on_both_its_days(fisheries, first: str, last: str, findings) -> None:
    fisheries.permit(first, last)
    fisheries.draft()
    for who in ("acme", "cannery", "globex"):
        fisheries.endorse(who)
    assert fisheries.file().findings == findings


def test_a_permit_is_granted_by_the_fisheries_authority_to_an_importer(fisheries, pilot) -> None:
    assert fisheries.permit(holder="acme").rule == "fisheries.permit/not-importer"
    assert fisheries.permit("2018-02-01", "2018-01-31").rule == "fisheries.permit/permit-order"
    body: dict[str, Value] = {"holder": "globex", "from": "2018-01-01", "to": "2018-12-31"}
    assert pilot.act("cbp", "fisheries.permit", body).code is Code.NOT_AUTHORIZED


def test_a_second_form_for_one_shipment_is_recorded_for_that_exporter_alone(fisheries) -> None:
    fisheries.filed()
    for creator, form, findings in (("acme", OTHER, ("SECOND_FORM",)), ("rival", bytes([5]) * 16, ())):
        chain = [hop(creator, "exporter"), hop("globex", "importer")]
        fisheries.draft(creator, form=form, custody=chain, on="2018-09-12")
        fisheries.endorse(creator, form=form, on="2018-09-12")
        fisheries.endorse("globex", form=form, on="2018-09-12")
        assert fisheries.file(form=form).findings == findings


@pytest.mark.parametrize("stranger", ["conapesca", "aduana"])
def test_another_countrys_authority_decides_on_no_form_and_grants_no_permit(fisheries, stranger) -> None:
    fisheries.filed()
    assert fisheries.decide(stranger, "open").rule == "fisheries.open/not-in-charge"
    assert fisheries.decide("noaa", "open").code is Code.VALID
    assert fisheries.decide(stranger, "act").rule == "fisheries.act/not-in-charge"
    assert fisheries.decide(stranger, "close").rule == "fisheries.close/not-in-charge"
    body = {"holder": "globex", "from": "2018-01-01", "to": "2018-12-31"}
    granted = fisheries.pilot.act("conapesca", "fisheries.permit", body)
    assert granted.rule == "fisheries.permit/not-in-charge"
