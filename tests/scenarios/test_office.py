"""An office reads and speaks unless something in force forbids it; its envelopes and forms fare as rules say."""

from scenarios.agents.carelessness import falsify, spoilt_fields
from scenarios.agents.client import Receipt
from scenarios.agents.office import Fate, Office
from scenarios.agents.paperwork import OwnReceipts


def test_an_office_is_back_when_the_last_absence_has_ended():
    office = Office()
    first, second = office.leave(), office.leave()
    assert not office.reads
    assert not office.speaks
    first()
    assert not office.reads
    second()
    assert office.reads
    assert office.speaks


def test_a_silent_office_reads():
    office = Office()
    end = office.fall_silent()
    assert office.reads
    assert not office.speaks
    end()
    assert office.speaks


def test_what_is_lost_is_not_only_late_and_other_addressees_get_theirs():
    office = Office()
    late, lost = office.strike_post(Fate.HELD, None), office.strike_post(Fate.LOST, "importer")
    assert office.fate_of("importer") is Fate.LOST
    assert office.fate_of("cbp") is Fate.HELD
    lost()
    assert office.fate_of("importer") is Fate.HELD
    late()
    assert office.fate_of("importer") is Fate.SENT


def test_a_form_says_something_else_only_in_the_fields_named():
    office = Office()
    end = office.falsify(("invoice/quantity", "description"))
    assert office.falsified("invoice", ("quantity", "description", "unit")) == {"quantity", "description"}
    assert office.falsified("certificate", ("quantity", "hs6")) == frozenset()
    end()
    assert office.falsified("invoice", ("quantity",)) == frozenset()


def test_a_falsified_field_is_there_and_says_something_else():
    agreed = {
        "hts": "1604.14.2291",
        "quantity": 20,
        "received_on": "2018-12-31",
        "whole_trip": True,
        "signed_on": "2018-09-04",
        "goods": [{"description": "tuna", "hs6": "160414"}],
    }
    written = falsify(agreed, {*agreed, "description", "hs6"})
    assert spoilt_fields(agreed, written) == [
        "description", "hs6", "hts", "quantity", "received_on", "whole_trip",
    ]  # fmt: skip
    assert written["received_on"] == "2019-01-01"
    assert written["signed_on"] == "2018-09-04", "what stands on the ledger is left as it is"
    assert written.keys() == agreed.keys()


def test_receipts_that_the_node_speaks_of_are_expected_until_the_feed_has_told_of_them():
    own = OwnReceipts("importer")
    own.expect(b"before")
    assert own.are_told, "nothing is kept before the first window on paper"
    own.is_kept = True
    own.expect(b"a")
    assert not own.are_told
    for creator in ("cbp", "importer"):
        own.take(Receipt(1, 1, 0, b"a", "VALID", None, (), 0, "claim.file", creator, {}, ()))
        assert own.are_told is (creator == "importer")
    own.expect(b"a")
    assert own.are_told
    assert [receipt.creator for receipt in own.receipts] == ["importer"]
