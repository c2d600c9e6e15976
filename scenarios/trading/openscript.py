"""A scenario's papers with those of a generated trade beside them, which come as it goes.

Rules:
- To the organizations' programs it is what a scenario is: papers by local name, and steps.
- What has come stays: an organization may have to act on it until the calendar ends. It does not stay in memory.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Mapping, MutableMapping, Sequence
from typing import TypeVar, cast

from pydantic import BaseModel

from scenarios.filed import FiledMap
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
        self._come: dict[str, FiledMap[str, BaseModel]] = {name: FiledMap() for name in PAPERS}
        self.documents: Mapping[str, Document] = self._over(scenario.documents, "documents")
        self.invoices: Mapping[str, Invoice] = self._over(scenario.invoices, "invoices")
        self.claims: Mapping[str, Claim] = self._over(scenario.claims, "claims")
        self.verifications: Mapping[str, Verification] = self._over(scenario.verifications, "verifications")
        self.carnets: Mapping[str, AtaCarnet | AtaReplacement] = self._over(scenario.carnets, "carnets")
        self.forms: Mapping[str, Form370] = self._over(scenario.forms, "forms")
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
            for paper_name, paper in getattr(lot, name).items():
                self._come[name].put(paper_name, paper)
        for step in lot.scripted:
            self._steps[id(step)] = step

    def _over(self, papers: Mapping[str, V], name: str) -> Mapping[str, V]:
        """Return the scenario's papers with those that come beside them, which shadow one of the same name."""
        # a mapping to ChainMap alone: nothing is ever written through it
        return ChainMap(cast("MutableMapping[str, V]", self._come[name]), dict(papers))
