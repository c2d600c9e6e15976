"""A scenario's papers with those of a generated trade beside them, which come as it goes.

Rules:
- To the organizations' programs it is what a scenario is: papers by local name, and steps.
- What has come stays: an organization may have to act on it until the calendar ends.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Mapping, Sequence
from typing import TypeVar

from scenarios.model import Scenario, Step
from scenarios.model.carnets import AtaCarnet, AtaReplacement
from scenarios.model.claims import Claim
from scenarios.model.documents import Document
from scenarios.model.fisheries import FisheriesLists, Form370
from scenarios.model.invoices import Invoice
from scenarios.model.verifications import Verification
from scenarios.trading.lot import Lot

V = TypeVar("V")
PAPERS = ("documents", "invoices", "claims", "verifications", "carnets", "forms")


class OpenScript:
    """A scenario's papers and steps, with room for more.

    Args:
        scenario: that is there from the beginning.
    """

    def __init__(self, scenario: Scenario) -> None:
        self._scenario = scenario
        self.documents: Mapping[str, Document] = _over(scenario.documents)
        self.invoices: Mapping[str, Invoice] = _over(scenario.invoices)
        self.claims: Mapping[str, Claim] = _over(scenario.claims)
        self.verifications: Mapping[str, Verification] = _over(scenario.verifications)
        self.carnets: Mapping[str, AtaCarnet | AtaReplacement] = _over(scenario.carnets)
        self.forms: Mapping[str, Form370] = _over(scenario.forms)
        self._steps: dict[int, Step] = {id(step): step for step in scenario.steps}

    @property
    def fisheries(self) -> FisheriesLists:
        """What the fisheries authority knows beside the forms."""
        return self._scenario.fisheries

    @property
    def steps(self) -> Sequence[Step]:
        """The steps that agents must know of beforehand."""
        return tuple(self._steps.values())

    def take(self, lot: Lot) -> None:
        """Take in a lot's papers, and the steps that agents must know of."""
        for name in PAPERS:
            papers = getattr(self, name)
            papers.update(getattr(lot, name))
        for step in lot.scripted:
            self._steps[id(step)] = step


def _over(papers: Mapping[str, V]) -> ChainMap[str, V]:
    """Return papers that can be added to, without touching the scenario's own."""
    return ChainMap({}, dict(papers))
