"""Which stretch of a long run is drawn."""

from __future__ import annotations

import pytest

from scenarios.diagram.anchor import Anchor
from scenarios.diagram.recording import Fate
from scenarios.diagram.scene import ARROWS_MAX, LEAD_NS, Arrow, _stretch
from scenarios.record.eventbook import Event

SECOND_NS = 1_000_000_000


def event(number: int, at_s: int, name: str) -> Event:
    return Event(number, 0, at_s * SECOND_NS, name, {}, public=True)


EVENTS = [event(0, 10, "fault.began"), event(1, 30, "fault.began"), event(2, 200, "phase.failed")]
ARROWS = [
    Arrow(tenth * SECOND_NS // 10, None, "cbp", "noaa", "append", "append 3", Fate.LOST, 100)
    for tenth in range(2_100)
]


@pytest.mark.parametrize(
    ("text", "first_s"),
    [("convergence: not converged", 28), ("progress: nothing moved", 28), ("agreement: height 5", 160)],
)
def test_what_was_waited_for_in_vain_is_drawn_from_the_last_fault_on(text: str, first_s: int) -> None:
    low, high = _stretch(ARROWS, EVENTS, Anchor(EVENTS[2], text), None, None)
    assert low == pytest.approx(first_s * SECOND_NS, abs=SECOND_NS)
    assert sum(low <= arrow.from_ns <= high for arrow in ARROWS) == pytest.approx(ARROWS_MAX, abs=1)
    assert LEAD_NS == 2 * SECOND_NS
