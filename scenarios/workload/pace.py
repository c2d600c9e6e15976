"""How long people take over a shipment's papers, in either arm.

Rules:
- What a person does takes as long whether the paper lies on a desk or stands on a screen: the same draw in both arms.
  What an arm adds (mail, searching, nodes) it adds by itself.
- Times are the parameters of the group `people`; drawn per shipment, so whoever asks gets the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from scenarios.workload.chance import Chance
from scenarios.workload.shipment import Shipment


class Durations(Protocol):
    """Where durations come from: the numbers of a run."""

    def days_ms(self, name: str, chance: Chance, draw: str = "") -> int:
        """Return one duration of a distribution in days, milliseconds."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How long people take over one shipment, milliseconds of the calendar.

    Attributes:
        durations: the numbers.
        shipment: whose papers.
    """

    durations: Durations
    shipment: Shipment

    @property
    def accept_ms(self) -> int:
        """From a claim that nobody asks about to Customs' decision."""
        return self._draw("accept")

    @property
    def answer_ms(self) -> int:
        """From a request at the importer's, or its broker's, to the answer, with the papers at hand."""
        return self._draw("answer")

    @property
    def decide_ms(self) -> int:
        """From an answer at Customs' to the beginning of its review."""
        return self._draw("decide")

    @property
    def reply_ms(self) -> int:
        """From a letter of verification at the certifier's to the reply."""
        return self._draw("reply")

    @property
    def determine_ms(self) -> int:
        """From a reply at Customs' to the determination."""
        return self._draw("determine")

    def endorse_ms(self, party: str) -> int:
        """From a Form 370 at a party of its chain to that party's endorsement."""
        return self._draw("endorse", party)

    def _draw(self, name: str, draw: str = "") -> int:
        return self.durations.days_ms(f"people.{name}", self.shipment.chance, draw)
