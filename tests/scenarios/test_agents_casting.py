"""Which parts an organization's application has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import pytest

from ledger.genesis import Role
from scenarios.agents.agent import Agent, Relation
from scenarios.agents.casting import application_for, joined
from scenarios.agents.certifier import Certifier
from scenarios.agents.customs import Customs
from scenarios.agents.importer import Importer
from scenarios.agents.observer import Observer
from scenarios.agents.seller import Seller


def test_an_organization_of_two_roles_has_both_parts_in_one_application() -> None:
    both = application_for((Role.EXPORTER, Role.IMPORTER))
    parts = (Certifier, Seller, Importer)
    assert all(issubclass(both, part) for part in parts)
    assert both.steps == {name: method for part in parts for name, method in part.steps.items()}
    assert both.reactions == {**Certifier.reactions, **Importer.reactions}


def test_one_part_stands_for_itself_and_nobody_without_a_part_acts() -> None:
    assert application_for((Role.CUSTOMS,)) is Customs
    assert application_for((Role.OBSERVER,)) is Observer


def test_two_parts_may_not_take_the_same_step_or_react_to_the_same_receipt() -> None:
    class Rival(Agent):
        steps: ClassVar[Mapping[str, str]] = {"issue-certificate": "issue"}

    class Echo(Agent):
        reactions: ClassVar[Mapping[tuple[str, Relation], str]] = Certifier.reactions

    for other in (Rival, Echo):
        with pytest.raises(TypeError, match="belong to another part"):
            joined((Certifier, other))
