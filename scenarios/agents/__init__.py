"""The organizations' own applications.

`make_agent` gives the agent that fits an organization's roles. It is run with `run()` beside its node and
takes scripted steps with `perform(step)`; everything else it does by itself, on what its node's feeds tell.
It holds its organization's keys and plaintext (`scenarios.agents.wallet`) and uses its node over HTTP alone
(`scenarios.agents.client`); what it may ask of the trial is `Desk`.
"""

from __future__ import annotations

from random import Random

from scenarios.agents.agent import Agent, OnFailure, Relation, StepError, Surroundings
from scenarios.agents.authority import authority_of
from scenarios.agents.casting import application_for
from scenarios.agents.certifier import Certifier
from scenarios.agents.client import NodeClient
from scenarios.agents.customs import Customs
from scenarios.agents.desk import Desk, Kind
from scenarios.agents.importer import Importer
from scenarios.agents.members import MemberEntry
from scenarios.agents.observer import Observer
from scenarios.agents.outgoing import RefusedActError
from scenarios.agents.papers import Paper, PaperError, PaperKind
from scenarios.agents.script import Script
from scenarios.agents.seller import Seller
from scenarios.agents.verified import Verified
from scenarios.agents.verifier import Verifier
from scenarios.agents.wallet import Wallet
from scenarios.agents.work import Act, WaitKind
from scenarios.model.network import Organization

__all__ = [
    "Act",
    "Agent",
    "Certifier",
    "Customs",
    "Desk",
    "Importer",
    "Kind",
    "Observer",
    "OnFailure",
    "Paper",
    "PaperError",
    "PaperKind",
    "RefusedActError",
    "Relation",
    "Script",
    "Seller",
    "StepError",
    "Surroundings",
    "Verified",
    "Verifier",
    "WaitKind",
    "application_for",
    "authority_of",
    "make_agent",
]


def make_agent(
    organization: Organization,
    *,
    wallet: Wallet,
    client: NodeClient,
    desk: Desk,
    random: Random,
    scenario: Script,
    on_failure: OnFailure | None = None,
) -> Agent:
    """Return the agent that acts for an organization.

    Args:
        organization: the scenario's record of it; its id is the wallet's.
        wallet: its keys, nonces and plaintext.
        client: of its node.
        desk: the trial.
        random: the agent's own stream of chance.
        scenario: its documents, claims and steps.
        on_failure: told when a reaction or a feed of the agent ends by an exception.
    """
    surroundings = Surroundings(
        organization=MemberEntry(
            wallet.organization, organization.name, organization.country, organization.roles
        ),
        wallet=wallet,
        client=client,
        desk=desk,
        random=random,
        script=scenario,
        behavior=organization.agent,
        on_failure=on_failure,
    )
    return application_for(surroundings.organization.roles)(surroundings)
