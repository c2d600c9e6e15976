"""What every party of Form 370 has in its application: one register of the forms, whatever roles it has.

Rules:
- A member of several roles has one register; it remembers anchors if one of its parts holds evidence against them.
"""

from __future__ import annotations

from typing import ClassVar

from ledger.contracts import LegalCalendar
from scenarios.agents.agent import Agent, Surroundings
from scenarios.agents.formregister import FormRegister


class FormPart(Agent):
    """What every party of forms 370 has."""

    remembers_anchors: ClassVar[bool] = False
    """Whether it needs to know who anchored which document."""

    def __init__(self, surroundings: Surroundings) -> None:
        super().__init__(surroundings)
        self.forms = FormRegister(remembers_anchors=self.remembers_anchors)
        self.registers.append(self.forms)
        self.legal = LegalCalendar.of(self.desk.genesis)
