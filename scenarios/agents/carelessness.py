"""How a form comes to say what it should not: spoilt by a careless hand, or falsified on purpose.

Rules:
- Whether a field is spoilt is drawn for each field with a rate, on lines for each line, in the order of the names.
- Dates and the shipment of a certificate are never touched: what stands on the ledger must be able to stand there.
- A spoilt tariff number is another well-formed one, a number has a digit too many, and any other field, or a nought, is
  left out.
- A falsified field is there and says something else: another number, another day, other words. Nothing is drawn for it.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Collection, Mapping
from random import Random

from ledger.encoding import Value
from ledger.forms import PUBLIC_FACTS

WRONG_HS6 = "999999"
WRONG_HTS = "9999.99.9999"
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_WELL_FORMED: Mapping[str, Value] = {"hs6": WRONG_HS6, "hts": WRONG_HTS}


def spoil(fields: Mapping[str, Value], rates: Mapping[str, float], random: Random) -> dict[str, Value]:
    """Return a form as a careless hand fills it in.

    Args:
        fields: as they should be; lines are lists of maps.
        rates: how often a field is spoilt, by its name.
        random: of whoever fills it in; nothing is drawn for fields without a rate.
    """
    spoilt: dict[str, Value] = {}
    for name in sorted(fields):
        value = fields[name]
        if type(value) is list:
            spoilt[name] = [spoil(line, rates, random) if type(line) is dict else line for line in value]
        elif name in rates and name not in PUBLIC_FACTS and random.random() < rates[name]:
            spoilt |= _slip(name, value)
        else:
            spoilt[name] = value
    return spoilt


def falsify(fields: Mapping[str, Value], names: Collection[str]) -> dict[str, Value]:
    """Return a form that says something else in the named fields than was agreed.

    Args:
        fields: as agreed; lines are lists of maps.
        names: what is falsified, wherever it stands.
    """
    falsified: dict[str, Value] = {}
    for name, value in fields.items():
        if type(value) is list:
            falsified[name] = [falsify(line, names) if type(line) is dict else line for line in value]
        else:
            falsified[name] = _other(name, value) if name in names and name not in PUBLIC_FACTS else value
    return falsified


def _other(name: str, value: Value) -> Value:
    if name in _WELL_FORMED:
        return _WELL_FORMED[name]
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value * 10
    if not isinstance(value, str):
        return value
    if _DATE.fullmatch(value):
        return (datetime.date.fromisoformat(value) + datetime.timedelta(days=1)).isoformat()
    return f"{value} *"


def spoilt_fields(meant: Mapping[str, Value], written: Mapping[str, Value]) -> list[str]:
    """Return the names of fields that are not as they were meant, each once, sorted; lines by their fields' names."""
    names: set[str] = set()
    for name, value in meant.items():
        other = written.get(name)
        if type(value) is list and type(other) is list:
            for one, two in zip(value, other, strict=True):
                if type(one) is dict and type(two) is dict:
                    names.update(spoilt_fields(one, two))
        elif other != value:
            names.add(name)
    return sorted(names)


def _slip(name: str, value: Value) -> dict[str, Value]:
    if name in _WELL_FORMED:
        return {name: _WELL_FORMED[name]}
    return {name: value * 10} if type(value) is int and value else {}
