"""What is attached to Form 370 for one trip: captain's and observer's statements, an IDCP nation's certification.

Rules:
- Each attachment is a document of its own for the fisheries authority alone, and says which trip it is about:
  vessel, first day, last day. An attachment about another trip supports nothing.
- Only what the dolphin-safe status rests on is modelled; letterheads, languages and seals are not.
- Where an attachment says where the sets were made, those positions and not a word on the form decide whether
  the tuna is from the eastern tropical Pacific.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ledger.contracts.fisheries.dolphin import (
    Evidence,
    captain_certifies,
    idcp_certifies,
    observer_certifies,
)
from ledger.contracts.fisheries.etp import in_etp, read_position
from ledger.encoding import Value
from ledger.forms.form370 import check_trip
from ledger.forms.schema import FieldRule, FormFault, check_fields, date, one_of, read_date, text

YES = "YES"
NO = "NO"
SETS_MAX = 200
_BOX = 0
"""Attachments have no boxes."""

_TRIP = (
    FieldRule("vessel_name", _BOX, text),
    FieldRule("trip_begin", _BOX, date),
    FieldRule("trip_end", _BOX, date),
)
_YES_NO = one_of(YES, NO)


def _positions(value: Value) -> str | None:
    if type(value) is not list or not 1 <= len(value) <= SETS_MAX:
        return f"expected a list of 1 to {SETS_MAX} positions"
    for item in value:
        try:
            read_position(str(item))
        except ValueError as error:
            return f"{item!r} {error}"
    return None


ATTACHMENT_RULES: Mapping[Evidence, tuple[FieldRule, ...]] = {
    Evidence.CAPTAIN: (
        *_TRIP,
        FieldRule("captain_name", _BOX, text),
        FieldRule("not_set_on_dolphins", _BOX, _YES_NO),
        FieldRule("none_killed_or_injured", _BOX, _YES_NO),
        FieldRule("training_completed", _BOX, _YES_NO),
        FieldRule("sets", _BOX, _positions, required=False),
    ),
    Evidence.OBSERVER: (
        *_TRIP,
        FieldRule("observer_name", _BOX, text),
        FieldRule("program", _BOX, text),
        FieldRule("whole_trip", _BOX, _YES_NO),
        FieldRule("not_set_on_dolphins", _BOX, _YES_NO),
        FieldRule("none_killed_or_injured", _BOX, _YES_NO),
        FieldRule("sets", _BOX, _positions, required=False),
    ),
    Evidence.IDCP: (
        *_TRIP,
        FieldRule("nation", _BOX, text),
        FieldRule("certification_number", _BOX, text),
        FieldRule("signer_name", _BOX, text),
        FieldRule("observer_whole_trip", _BOX, _YES_NO),
        FieldRule("none_killed_or_injured", _BOX, _YES_NO),
    ),
}
"""The fields of each attachment."""


def check_attachment(evidence: Evidence, fields: Mapping[str, Value]) -> list[FormFault]:
    """Return every fault of a filled-in attachment."""
    faults = check_fields(ATTACHMENT_RULES[evidence], fields, "", box=_BOX)
    return faults + check_trip(fields, "", _BOX)


def is_about(fields: Mapping[str, Value], row: Mapping[str, Value]) -> bool:
    """Say whether an attachment is about the trip of a row of the form."""
    return all(fields.get(name) == row.get(name) for name in ("vessel_name", "trip_begin", "trip_end"))


def supports(evidence: Evidence, fields: Mapping[str, Value]) -> bool:
    """Say whether an attachment certifies what a status that rests on it asks for."""
    begin = read_date(fields.get("trip_begin"))
    if begin is None:
        return False
    match evidence:
        case Evidence.CAPTAIN:
            return captain_certifies(
                trip_begin=begin,
                not_set_on_dolphins=_yes(fields, "not_set_on_dolphins"),
                none_killed_or_injured=_yes(fields, "none_killed_or_injured"),
                training_completed=_yes(fields, "training_completed"),
            )
        case Evidence.OBSERVER:
            return observer_certifies(
                whole_trip=_yes(fields, "whole_trip"),
                not_set_on_dolphins=_yes(fields, "not_set_on_dolphins"),
                none_killed_or_injured=_yes(fields, "none_killed_or_injured"),
            )
        case Evidence.IDCP:
            return idcp_certifies(
                observer_whole_trip=_yes(fields, "observer_whole_trip"),
                none_killed_or_injured=_yes(fields, "none_killed_or_injured"),
            )


def any_set_in_etp(attachments: Iterable[Mapping[str, Value]]) -> bool:
    """Say whether any set that the attachments list was made in the eastern tropical Pacific."""
    for fields in attachments:
        sets = fields.get("sets")
        for position in sets if isinstance(sets, list) else []:
            if in_etp(read_position(str(position))):
                return True
    return False


def _yes(fields: Mapping[str, Value], name: str) -> bool:
    return fields.get(name) == YES
