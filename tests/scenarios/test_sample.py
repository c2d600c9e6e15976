"""Of a generated trade a page tells a few shipments: sound ones, and ones in which a rule is broken."""

from __future__ import annotations

from scenarios.record.event import Event
from scenarios.telling.sample import Sample


def began(shipment: str, use_case: str, noncompliance: str | None) -> Event:
    fields = {"shipment": shipment, "use_case": use_case, "noncompliance": noncompliance}
    return Event(0, 0, 0, "shipment.began", fields, public=False)


def about(**fields: str) -> Event:
    return Event(0, 0, 0, "something", dict(fields), public=False)


def test_the_first_sound_one_and_the_first_two_unsound_ones_of_each_use_case_are_told() -> None:
    sample = Sample()
    for event in (
        began("s1", "origin", None),
        began("s2", "origin", None),
        began("s3", "origin", "NO_CERTIFICATE"),
        began("s4", "origin", "NO_CERTIFICATE"),
        began("s5", "origin", "OVER_CLAIM"),
        began("s6", "carnet", None),
        about(shipment="s7"),
    ):
        sample(event)
    assert (list(sample.told), sample.count) == (["s1", "s3", "s4", "s6"], 6)
    assert sample.shows(about(claim="s1"))
    assert sample.shows(about(voucher="s6/2"))
    assert sample.shows(about(certificate="c3")), "a certificate of one shipment"
    assert sample.shows(about(organization="noaa")), "about no shipment at all"
    assert sample.left_out == 0
    assert not sample.shows(about(claim="s2"))
    assert not sample.shows(about(certificate="b-mill-grocer-61051000")), "of many shipments"
    assert sample.left_out == 2
