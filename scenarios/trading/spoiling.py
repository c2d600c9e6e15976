"""Mistakes in filling in: what a form's own rules stop at the desk, and what leaves it.

Rules:
- A field left out is stopped by the form's rules, in the organization's own program: the form is filled in again, and
  only then leaves. It counts as a first attempt with a fault all the same.
- A digit keyed wrong passes the rules; whoever compares papers may find it.
- On paper there is no program that stops anything: there every mistake leaves the desk.
"""

from __future__ import annotations

from collections.abc import Iterator

from p2p.observer import RecordField
from scenarios.workload.shipment import Shipment

STOPPED_SHARE = 0.6
"""Share of mistakes that a form's rules see: a field left out. An assumption."""


def is_stopped(shipment: Shipment, organization: str) -> bool:
    """Say whether an organization's mistake in a shipment's form is one that the form's rules see."""
    return shipment.chance.happens(f"stopped {organization}", STOPPED_SHARE)


def keyed_wrong(digits: str) -> str:
    """Return a number in which the last digit is another one."""
    return f"{digits[:-1]}{(int(digits[-1]) + 1) % 10}"


def leaves_spoilt(shipment: Shipment, organization: str) -> bool:
    """Say whether an organization's form leaves its desk with a mistake in it."""
    return organization in shipment.spoilt and not is_stopped(shipment, organization)


def submissions(shipment: Shipment, organization: str, form: str) -> Iterator[dict[str, RecordField]]:
    """Yield the fields of `form.submitted` for every attempt to hand a form in."""
    fields: dict[str, RecordField] = {"organization": organization, "form": form, "shipment": shipment.name}
    spoilt = organization in shipment.spoilt
    yield {**fields, "valid": not spoilt, "attempt": 1}
    if spoilt and is_stopped(shipment, organization):
        yield {**fields, "valid": True, "attempt": 2}
