"""What a paper form's fields are, as data, and the small engine that checks them.

Rules:
- Every fault is reported, each with the form's box, never only the first.
- A fault of severity `form` means that the form is not filled in; `finding` means that it is, but that the
  law is not met. Only the first kind should keep anyone from signing.
- Codes are text. A number where a code belongs has lost its leading zeros already, and the fault says to
  quote it.
- A field that the form does not have is a fault.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from ledger.encoding import Value, check_text
from ledger.errors import EncodingError

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_EMAIL = re.compile(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
_PHONE = re.compile(r"\+?[0-9][0-9 ().-]{5,24}")
TEXT_LENGTH_MAX = 500


class Severity(StrEnum):
    """What a fault means."""

    FORM = "form"
    FINDING = "finding"


@dataclass(frozen=True, slots=True)
class FormFault:
    """One thing wrong with a form.

    Attributes:
        box: number or letter of the form's box.
        field: name of the field, such as `goods.2.hs6`.
        message: what is wrong and what to do.
        severity: whether the form or the law is not met.
    """

    box: int | str
    field: str
    message: str
    severity: Severity = Severity.FORM

    @property
    def place(self) -> tuple[int, str, str]:
        """Where it stands on the form, to sort by: numbered boxes first, then lettered ones."""
        return (self.box, "", self.field) if isinstance(self.box, int) else (0, self.box, self.field)

    def __str__(self) -> str:
        return f"box {self.box}, {self.field}: {self.message}"


def may_be_signed(faults: Iterable[FormFault]) -> bool:
    """Say whether none of the faults is one of form."""
    return all(fault.severity is not Severity.FORM for fault in faults)


Check = Callable[[Value], str | None]
"""Says what is wrong with a present value, or None."""


@dataclass(frozen=True, slots=True)
class FieldRule:
    """One field of a form: its box, its check, and whether it must be there."""

    name: str
    box: int | str
    check: Check
    required: bool = True


def check_fields(
    rules: Iterable[FieldRule], fields: Mapping[str, Value], prefix: str, box: int | str
) -> list[FormFault]:
    """Check fields against their rules.

    Args:
        rules: of every field there is.
        fields: as filled in; None counts as left empty.
        prefix: what to put before names in faults.
        box: the box that a field unknown to the form is reported under.
    """
    faults = []
    known = set()
    for rule in rules:
        known.add(rule.name)
        value = fields.get(rule.name)
        if value is None:
            if rule.required:
                faults.append(FormFault(rule.box, prefix + rule.name, "is empty; fill it in"))
            continue
        message = rule.check(value)
        if message is not None:
            faults.append(FormFault(rule.box, prefix + rule.name, message))
    faults += [
        FormFault(box, prefix + name, "is no field of this form; leave it out")
        for name in sorted(fields)
        if name not in known
    ]
    return faults


def text(value: Value) -> str | None:
    """Check text that is not blank and not too long."""
    if type(value) is not str:
        return f"{value!r} is no text; quote it"
    if not value.strip():
        return "is blank; fill it in"
    if len(value) > TEXT_LENGTH_MAX:
        return f"has {len(value)} characters; at most {TEXT_LENGTH_MAX} fit"
    try:
        check_text(value)
    except EncodingError:
        return (
            "has a character that has no canonical form; write accented letters as one character each (NFC)"
        )
    return None


def one_of(*choices: str) -> Check:
    """Return a check for one of some codes."""

    def check(value: Value) -> str | None:
        if type(value) is str and value in choices:
            return None
        return f"{value!r} is not one of {', '.join(choices)}"

    return check


def pattern(form: re.Pattern[str], says: str) -> Check:
    """Return a check for text of a form, described by `says`."""

    def check(value: Value) -> str | None:
        if type(value) is not str:
            return f"{value!r} is no text; quote it: {says}"
        return None if form.fullmatch(value) else f"{value!r} is not {says}"

    return check


email: Check = pattern(_EMAIL, "an e-mail address such as sales@example.mx")
phone: Check = pattern(_PHONE, "a telephone number such as +52 55 5555 0100")


def date(value: Value) -> str | None:
    """Check a date written like 2018-09-04."""
    return None if read_date(value) else f"{value!r} is no date; write it like 2018-09-04, quoted"


def read_date(value: Value) -> datetime.date | None:
    """Return the date that a value is, or None."""
    if type(value) is not str or _DATE.fullmatch(value) is None:
        return None
    try:
        return datetime.date.fromisoformat(value)
    except ValueError:
        return None


def whole_number(minimum: int, maximum: int) -> Check:
    """Return a check for an integer within bounds."""

    def check(value: Value) -> str | None:
        if type(value) is int and minimum <= value <= maximum:
            return None
        return f"{value!r} is no whole number from {minimum} to {maximum}"

    return check
