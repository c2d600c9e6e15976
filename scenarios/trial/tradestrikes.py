"""What each kind of fault of trade does to the offices that it hits, and what ends it: one table.

Rules:
- Only offices are touched, never a node: what an office makes of it is the business of its organization's program.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from random import Random

from scenarios.agents.office import End, Fate, Office
from scenarios.model.tradefaults import (
    LateDocument,
    LostDocument,
    Outage,
    PaperFallback,
    Silence,
    TradeFault,
    WrongData,
)
from scenarios.worlds.base import EndFault


def strike_trade(
    offices: Mapping[str, Office],
    fault: TradeFault,
    hit: Sequence[str],
    chance: Random,
    now_ms: Callable[[], int],
) -> EndFault:
    """Let a fault of trade hit these organizations; return what ends it.

    Args:
        offices: of every organization.
        fault: which.
        hit: whom.
        chance: the fault's own stream, for what is drawn on its course.
        now_ms: the calendar.
    """
    if isinstance(fault, PaperFallback):
        ends = [offices[one].go_on_paper(fault.params, chance, now_ms) for one in hit]
    else:
        ends = [_STRIKES[type(fault)](offices[one], fault) for one in hit]

    async def end() -> None:
        for end_one in ends:
            end_one()

    return end


def _outage(office: Office, _fault: Outage) -> End:
    return office.leave()


def _silence(office: Office, _fault: Silence) -> End:
    return office.fall_silent()


def _late(office: Office, fault: LateDocument) -> End:
    return office.strike_post(Fate.HELD, fault.params.to)


def _lost(office: Office, fault: LostDocument) -> End:
    return office.strike_post(Fate.LOST, fault.params.to)


def _wrong_data(office: Office, fault: WrongData) -> End:
    return office.falsify(fault.params.fields)


_STRIKES: Mapping[type, Callable[..., End]] = {
    Outage: _outage,
    Silence: _silence,
    LateDocument: _late,
    LostDocument: _lost,
    WrongData: _wrong_data,
}
