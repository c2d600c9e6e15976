"""Figures of forms 370: on time, endorsed, for all and for each organization."""

from __future__ import annotations

import json

from p2p.observer import RecordField
from scenarios.judging.tuna import TUNA_METRICS, TunaMeasurement
from scenarios.record.eventbook import Event


def receipt(kind: str, creator: str, form: str, **fields: RecordField) -> Event:
    base: dict[str, RecordField] = {
        "type": f"fisheries.{kind}", "creator": creator, "form370": form, "code": "VALID", "findings": [], "body": "{}",
    }  # fmt: skip
    return Event(0, 0, 0, "receipt", base | fields, public=True)


def draft(form: str, *chain: str) -> Event:
    return receipt(
        "draft", chain[0], form, body=json.dumps({"custody": [{"organization": who} for who in chain]})
    )


def test_filings_on_time_and_hops_signed_are_counted_at_the_filing() -> None:
    measurement = TunaMeasurement()
    for event in (
        draft("t1", "exporter", "cannery", "importer"),
        receipt("endorse", "exporter", "t1"),
        receipt("endorse", "cannery", "t1"),
        receipt("endorse", "importer", "t1"),
        receipt("file", "importer", "t1"),
        draft("t2", "exporter", "other"),
        receipt("endorse", "exporter", "t2"),
        receipt("file", "other", "t2", code="RULE_VIOLATED"),
        receipt("file", "other", "t2", findings=["FILED_AFTER_IMPORTATION"]),
        receipt("endorse", "other", "t2"),  # too late to count
        draft("t3", "exporter", "other"),  # never filed
    ):
        measurement(event)
    figures = measurement.figures()
    assert {name: figures[name] for name in TUNA_METRICS} == {
        "form370_filed": 2,
        "form370_on_time_percent": 50.0,
        "form370_hops": 5,
        "form370_endorsed_percent": 80.0,
    }
    assert figures["form370_on_time_percent_importer"] == 100.0
    assert figures["form370_on_time_percent_other"] == 0.0
    assert figures["form370_endorsed_percent_exporter"] == 100.0
    assert figures["form370_endorsed_percent_other"] == 0.0
    assert "form370_filed_exporter" not in figures


def test_without_a_form_there_is_nothing_to_measure() -> None:
    assert TunaMeasurement().figures() == {}
