"""How a fault of trade is drawn, where a schedule asks for them: whose office it hits, for how many days.

Rules:
- They take no node away, so no budget counts them; two that decide one thing of an office are never drawn together.
- They begin and end on the calendar; a day of theirs counts as much protocol time as its pace gives it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from ledger.genesis import Role
from scenarios.model.misdeeds import WRITTEN
from scenarios.schedules.kinds import Die, Drawn, KindRule, Params

TO_ALL = 0.75
"""How many late or lost documents are so whoever was to receive them."""
FIELDS_MAX = 8
"""Of so many fields wrong data are written at most."""


def _office(params: Callable[[Die, str], Params]) -> Callable[[Die], Drawn]:
    def draw(die: Die) -> Drawn:
        name = die.chance.choice(die.nodes)
        return Drawn(f"organization {name}", (name,), params(die, name))

    return draw


def _none(_die: Die, _name: str) -> Params:
    return {}


def _addressee(die: Die, name: str) -> Params:
    if die.chance.random() < TO_ALL:
        return {}
    return {"to": die.chance.choice([other for other in die.nodes if other != name])}


def _writer(die: Die) -> Drawn:
    """Draw who writes something, and some of the fields that it writes."""
    written = {name: _fields(die.roles[name]) for name in die.nodes}
    name = die.chance.choice([name for name in die.nodes if written[name]])
    count = min(die.up_to(1, FIELDS_MAX), len(written[name]))
    return Drawn(f"organization {name}", (name,), {"fields": die.chance.sample(written[name], count)})


def _fields(roles: Sequence[Role]) -> list[str]:
    return [
        f"{form}/{field}"
        for form, (writers, fields) in WRITTEN.items()
        if any(role in roles for role in writers)
        for field in fields
    ]


def _entering(die: Die, _name: str) -> Params:
    return {
        "entry_minutes": die.up_to(5, 240),
        "twice_percent": die.up_to(0, 50),
        "mistyped_percent": die.up_to(0, 10),
    }


TRADE_KIND_RULES: Mapping[str, KindRule] = {
    "outage": KindRule(_office(_none), ms=None, days=7),
    "silence": KindRule(_office(_none), ms=None, days=7),
    "late_document": KindRule(_office(_addressee), ms=None, days=9),
    "lost_document": KindRule(_office(_addressee), ms=None, days=3),
    "wrong_data": KindRule(_writer, ms=None, days=9),
    "paper_fallback": KindRule(_office(_entering), ms=None, days=7),
}
"""Every kind of fault of trade that is drawn, and how."""
