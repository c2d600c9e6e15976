"""How a fault of trade is drawn, where a schedule names its kind: whose office it hits, for how many days.

Rules:
- They take no node away, so no budget counts them; two that decide one thing of an office are never drawn together.
- A day of theirs counts as much protocol time as the calendar's pace gives it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from scenarios.schedules.kinds import Die, Drawn, KindRule, Params


def _office(params: Callable[[Die, str], Params]) -> Callable[[Die], Drawn]:
    def draw(die: Die) -> Drawn:
        name = die.chance.choice(die.nodes)
        return Drawn(f"organization {name}", (name,), params(die, name))

    return draw


def _none(_die: Die, _name: str) -> Params:
    return {}


def _addressee(die: Die, name: str) -> Params:
    if die.chance.random() < 0.5:
        return {}
    return {"to": die.chance.choice([other for other in die.nodes if other != name])}


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
    "paper_fallback": KindRule(_office(_entering), ms=None, days=7),
}
"""Every kind of fault of trade that is drawn, and how."""
