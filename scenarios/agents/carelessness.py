"""How a careless certifier spoils a form: each field by its own rate.

Rules:
- Whether a field is spoilt is drawn for each field with a rate, on lines for each line, in the order of the names.
- Dates and the shipment are never touched: what stands on the ledger must be able to stand there.
- A spoilt tariff number or criterion is another well-formed one; any other field is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

from ledger.encoding import Value
from ledger.forms import PUBLIC_FACTS

WRONG_HS6 = "999999"


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
            spoilt |= _slip(name)
        else:
            spoilt[name] = value
    return spoilt


def _slip(name: str) -> dict[str, Value]:
    return {"hs6": WRONG_HS6} if name == "hs6" else {}
