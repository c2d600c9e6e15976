"""How a dishonest exporter of tuna falsifies Form 370 and the evidence that goes with it.

Rules:
- A status, gear, area, vessel or trip is changed on the form alone; honest attachments stay about the real trip.
- A statement of its own making is about the trip that the form names, and says all that a status can ask for.
- A fraud that would change nothing is none, and is not asked about.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping

from ledger.contracts.fisheries.dolphin import DolphinStatus, Evidence, Gear
from ledger.encoding import Value
from ledger.forms import form370
from ledger.forms.form370 import ETP, ROWS
from ledger.forms.schema import read_date
from scenarios.model.behaviors import Dishonesty
from scenarios.model.fisheries import EVIDENCE, Form370

Forged = list[tuple[Evidence, Mapping[str, Value]]]
"""Attachments of its own making."""

SAFE = DolphinStatus.OTHER_GEAR.value
_OTHER_AREA = "WCP"
_OTHER_TRIP = datetime.timedelta(days=40)
_TRIP = ("vessel_name", "trip_begin", "trip_end")
_CLEAN: Mapping[str, Value] = {"not_set_on_dolphins": "YES", "none_killed_or_injured": "YES"}


def falsified(
    fields: Mapping[str, Value],
    scripted: Form370,
    commits: Callable[[Dishonesty], tuple[str, ...] | None],
) -> tuple[dict[str, Value], Forged]:
    """Return a form as a dishonest exporter sends it, and the attachments that it makes up.

    Args:
        fields: the form as it should be.
        scripted: what evidence there is.
        commits: asked once about every fraud there is occasion for; the fields that it falsifies, or None.
    """
    form, forged = dict(fields), Forged()
    rows = [dict(row) for row in _rows(form)]
    if form.get("status") != SAFE and commits(Dishonesty.DECLARES_5B1) is not None:
        form["status"] = SAFE
    if any(row.get("gear") != Gear.LONGLINE for row in rows):
        chosen = commits(Dishonesty.LAUNDERS_GEAR)
        if chosen is not None:
            form["status"] = SAFE
            rows = [_laundered(row, chosen) for row in rows]
            forged += [
                (Evidence.CAPTAIN, _captain(row)) for row in _lacking(rows, scripted, Evidence.CAPTAIN)
            ]
    moved = commits(Dishonesty.WRONG_TRIP)
    if moved is not None:
        rows = [row | _other_trip(row, moved) for row in rows]
    unobserved = _lacking(rows, scripted, Evidence.OBSERVER)
    if unobserved and commits(Dishonesty.FORGES_OBSERVER_STATEMENT) is not None:
        forged += [(Evidence.OBSERVER, _observer(row)) for row in unobserved]
    form[ROWS] = [*rows]
    return form, forged


def _rows(form: Mapping[str, Value]) -> list[dict[str, Value]]:
    rows = form.get(form370.ROWS)
    return [row for row in rows if type(row) is dict] if type(rows) is list else []


def _laundered(row: Mapping[str, Value], chosen: tuple[str, ...]) -> dict[str, Value]:
    changed = dict(row)
    if "gear" in chosen:
        changed["gear"] = Gear.LONGLINE.value
    if "ocean_area" in chosen and row.get("ocean_area") == ETP:
        changed["ocean_area"] = _OTHER_AREA
    return changed


def _other_trip(row: Mapping[str, Value], chosen: tuple[str, ...]) -> dict[str, Value]:
    changed: dict[str, Value] = {}
    if "vessel_name" in chosen:
        changed["vessel_name"] = f"{row.get('vessel_name')!s} the Second"
    for name in ("trip_begin", "trip_end"):
        day = read_date(row.get(name))
        if name in chosen and day is not None:
            changed[name] = (day - _OTHER_TRIP).isoformat()
    return changed


def _lacking(rows: list[dict[str, Value]], scripted: Form370, evidence: Evidence) -> list[dict[str, Value]]:
    """Return the rows that no attachment of a kind is about."""
    there = {one.row for one in scripted.attachments if EVIDENCE[one.evidence] is evidence}
    return [row for place, row in enumerate(rows, 1) if place not in there]


def _captain(row: Mapping[str, Value]) -> Mapping[str, Value]:
    return {
        **{name: row[name] for name in _TRIP if name in row},
        **_CLEAN,
        "captain_name": "a captain whom nobody knows",
        "training_completed": "YES",
    }


def _observer(row: Mapping[str, Value]) -> Mapping[str, Value]:
    return {
        **{name: row[name] for name in _TRIP if name in row},
        **_CLEAN,
        "observer_name": "an observer whom nobody knows",
        "program": "a program that nobody asks",
        "whole_trip": "YES",
    }
