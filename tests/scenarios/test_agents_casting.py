"""Which parts an organization's application has."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from typing import ClassVar

import pytest

from ledger.genesis import Role
from scenarios.agents.agent import Agent, Relation
from scenarios.agents.archive import Archive
from scenarios.agents.carnetholder import CarnetHolder
from scenarios.agents.casting import application_for, joined
from scenarios.agents.certifier import Certifier
from scenarios.agents.client import Receipt
from scenarios.agents.custody import Custodian
from scenarios.agents.drafter import Drafter
from scenarios.agents.filer import Filer
from scenarios.agents.fisheries import Fisheries
from scenarios.agents.forger import Forger
from scenarios.agents.importer import Importer
from scenarios.agents.observer import Observer
from scenarios.agents.principal import Principal
from scenarios.agents.seller import Seller
from scenarios.agents.verified import Verified


def test_an_organization_of_two_roles_has_both_parts_in_one_application() -> None:
    both = application_for((Role.EXPORTER, Role.IMPORTER))
    parts = (Certifier, Seller, Verified, Importer, Principal, Drafter, Filer, CarnetHolder, Archive, Forger)
    assert all(issubclass(both, part) for part in parts)
    assert both.steps == {name: method for part in parts for name, method in part.steps.items()}
    for part in parts:
        assert all(name in both.reacting(*key) for key, name in part.reactions.items())


def test_one_part_stands_for_itself_and_nobody_without_a_part_acts() -> None:
    assert application_for((Role.FISHERIES,)) is joined((Fisheries, Archive, Forger))
    assert joined((Custodian,)) is Custodian
    assert application_for((Role.OBSERVER,)) is Observer


def test_two_parts_may_not_take_the_same_step() -> None:
    class Rival(Agent):
        steps: ClassVar[Mapping[str, str]] = {"issue-certificate": "issue"}

    with pytest.raises(TypeError, match="belong to another part"):
        joined((Certifier, Rival))


def test_several_parts_may_react_to_one_receipt() -> None:
    class Echo(Agent):
        reactions: ClassVar[Mapping[tuple[str, Relation], str]] = {("carnet.issue", Relation.ANY): "echo"}

        async def echo(self, receipt: Receipt) -> None:
            """React too."""

    both = joined((CarnetHolder, Echo))
    assert both.reacting("carnet.issue", Relation.ANY) == ("show_carnet", "echo")
    assert CarnetHolder.reacting("carnet.issue", Relation.ANY) == ("show_carnet",)


@pytest.mark.parametrize("count", [1, 2, 3, len(Role)])
def test_every_organization_of_whatever_roles_has_an_application(count: int) -> None:
    for roles in combinations(Role, count):
        application = application_for(roles)
        assert all(callable(getattr(application, method)) for method in application.steps.values())
        for part in application.parts:
            assert all(callable(getattr(application, method)) for method in part.reactions.values())


def test_two_parts_made_of_the_same_one_share_what_they_inherit() -> None:
    both = application_for((Role.EXPORTER, Role.PROCESSOR, Role.IMPORTER))
    assert both.reacting("fisheries.draft", Relation.ANY) == ("form_drafted",)
    assert getattr(both, "custody_begun") is Filer.custody_begun  # noqa: B009 - only this application has it


def test_two_parts_may_not_have_methods_of_one_name() -> None:
    class Careless(Agent):
        async def draft_form(self, step: object) -> None:
            """Take another part's method away."""

    with pytest.raises(TypeError, match="both have draft_form"):
        joined((Drafter, Careless))


@pytest.mark.parametrize("role", Role)
def test_every_role_acts_by_itself_on_something_that_concerns_it(role: Role) -> None:
    application = application_for((role,))
    own = [part for part in application.parts or (application,) if part not in (Archive, Forger, Observer)]
    assert (own == []) == (role is Role.OBSERVER)
    assert all(part.reactions or part.steps for part in own)
    assert application.reacting("document.disclose", Relation.ANY)[-1] == "disclosed"
