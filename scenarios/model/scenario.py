"""A scenario file as a typed whole.

Rules:
- `scenarios.model.catalog.load_scenario` is the way to a scenario: what it returns is sound. Every name resolves,
  every date lies in the calendar, every act is by somebody who may.
- A scenario knows where each of its values stands, so that whoever refuses one later can say file and line.
- `resolved()` is the scenario after `extends` and overrides, as text that loads to the same scenario.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Annotated, Literal, TypeAlias
from zoneinfo import ZoneInfo

from pydantic import Field, PrivateAttr

from ledger.genesis import Role
from scenarios.errors import Fault, Place
from scenarios.model.carnets import Carnet
from scenarios.model.claims import Claim, LocalName
from scenarios.model.documents import Document
from scenarios.model.expectations import ExpectationText
from scenarios.model.faults import KINDS_BY_WORLD, NOT_LIVE, FaultRecord
from scenarios.model.fisheries import FisheriesLists, Form370
from scenarios.model.invoices import Invoice
from scenarios.model.network import AGENT_ROLES, Calendar, Network, Organization, plays
from scenarios.model.schedule import Schedule, ScheduledTradeKind
from scenarios.model.source import Source
from scenarios.model.steps import Step
from scenarios.model.targets import ORGANIZATION_PATTERN
from scenarios.model.units import Moment, Record
from scenarios.model.verifications import Verification
from scenarios.model.workload import Workload

ORDERERS_DEFAULT_MAX = 5

_NOT_IN_YAML = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")

OrganizationId = Annotated[str, Field(pattern=rf"^{ORGANIZATION_PATTERN}$")]
CheckName: TypeAlias = Literal[
    "raft",
    "agreement",
    "stores",
    "durability",
    "decided-once",
    "confidentiality",
    "reachable",
    "linearizability",
    "carnet-balances",
    "claimed-quantities",
    "reconciliation",
    "bounds",
    "progress",
    "convergence",
]


class Scenario(Record):
    """A scenario: who trades what, what goes wrong, and what must come of it."""

    scenario: str = Field(
        pattern=r"^[a-z0-9][a-z0-9-]{0,63}$", description="Name; the file's name without suffix."
    )
    extends: str | None = Field(
        None,
        description="Scenario or file below this one: mappings merge, the rest is replaced, key+ appends.",
    )
    title: str = Field(min_length=1, max_length=200, description="What it shows, in one line.")
    about: str = Field("", max_length=20_000, description="The story, with its sources.")
    calendar: Calendar = Field(description="When it plays.")
    organizations: dict[OrganizationId, Organization] = Field(
        min_length=1,
        max_length=256,
        description="The consortium's members by id, in the order of their Raft ids.",
    )
    network: Network = Field(
        default_factory=lambda: Network.model_validate({}), description="The network between their nodes."
    )
    documents: dict[LocalName, Document] = Field({}, description="Documents by local name.")
    invoices: dict[LocalName, Invoice] = Field({}, description="Commercial invoices by local name.")
    verifications: dict[LocalName, Verification] = Field({}, description="Verifications by local name.")
    claims: dict[LocalName, Claim] = Field({}, description="Preference claims by local name.")
    carnets: dict[LocalName, Carnet] = Field({}, description="ATA carnets by local name.")
    forms: dict[LocalName, Form370] = Field(
        {}, description="Fisheries certificates of origin (NOAA Form 370) by local name."
    )
    fisheries: FisheriesLists = Field(
        default_factory=lambda: FisheriesLists.model_validate({}),
        description="What the fisheries authority knows beside the forms.",
    )
    steps: tuple[Step, ...] = Field(
        (), description="What is scripted; everything else the agents do by themselves."
    )
    faults: tuple[FaultRecord, ...] = Field((), description="What goes wrong.")
    schedule: Schedule | None = Field(
        None,
        description="What goes wrong besides, drawn from the seed; a run's own scenario names it as faults.",
    )
    beyond: bool = Field(
        False,
        description="Faults may go beyond what the network can bear, on purpose: while no majority of orderers is "
        "left, no progress is expected; what was acknowledged must be kept all the same.",
    )
    workload: Workload | None = Field(
        None, description="Shipments drawn from the seed, played on the ledger and on paper."
    )
    paper: dict[str, float] = Field(
        {},
        description="Numbers of the paper arm that are to be others than those of docs/baseline.md, by name.",
    )
    checks: tuple[CheckName, ...] = Field(
        (), description="Checks that must have been exercised; one that was not makes the verdict undecided."
    )
    checks_unless: dict[CheckName, tuple[ScheduledTradeKind, ...]] = Field(
        {},
        description="Listed checks that need not have been exercised if a fault of trade of such a kind struck.",
    )
    expect: tuple[ExpectationText, ...] = Field((), description="What must come of it, one sentence each.")

    _source: Source | None = PrivateAttr(None)

    @property
    def zone(self) -> ZoneInfo:
        """The zone of legal days."""
        return ZoneInfo(self.calendar.zone)

    @property
    def orderers(self) -> tuple[str, ...]:
        """The organizations whose nodes vote, in genesis' order."""
        if self.network.orderers is not None:
            return tuple(name for name in self.organizations if name in self.network.orderers)
        return tuple(self.organizations)[:ORDERERS_DEFAULT_MAX]

    @property
    def roles(self) -> Mapping[str, tuple[Role, ...]]:
        """Every organization's roles, in genesis' order."""
        return {name: organization.roles for name, organization in self.organizations.items()}

    def moment_ms(self, moment: Moment) -> int:
        """Return a moment of this scenario in UTC milliseconds."""
        return moment.ms(self.zone)

    def place(self, *location: str | int) -> Place:
        """Return where a value of the file stands; list positions count from 0."""
        return self._source.place(location) if self._source is not None else Place(self.scenario)

    def resolved(self) -> str:
        """Return the whole scenario, without `extends`, as text that loads to the same scenario."""
        value = self.model_dump(mode="json", by_alias=True, exclude_none=True, exclude={"extends"})
        for name, organization in self.organizations.items():
            agent = value["organizations"][name]["agent"]
            own = {
                key: value
                for key, value in agent.items()
                if (plays(organization.roles, AGENT_ROLES[key]) if key in AGENT_ROLES else value)
            }
            value["organizations"][name]["agent"] = own
        text = json.dumps(value, indent=2, ensure_ascii=False)
        return _NOT_IN_YAML.sub(lambda match: f"\\u{ord(match[0]):04x}", text) + "\n"

    def unsupported_in(self, world: str) -> tuple[Fault, ...]:
        """Return a fault for every fault record whose kind this world (`virtual` or `live`) cannot do yet."""
        able = KINDS_BY_WORLD[world]
        return tuple(
            Fault(
                self.place("faults", at, "kind"),
                f"faults.{at + 1}.kind: the {world} world cannot do {fault.kind}",
                NOT_LIVE.get(fault.kind, "") if world == "live" else f"it can do {', '.join(able)}",
                "run it in the virtual world" if world == "live" else "remove it",
            )
            for at, fault in enumerate(self.faults)
            if fault.kind not in able
        ) + self._schedule_unsupported_in(world)

    def _schedule_unsupported_in(self, world: str) -> tuple[Fault, ...]:
        """Return a fault if this world can do nothing of what the schedule may draw."""
        able = KINDS_BY_WORLD[world]
        if self.schedule is None or any(kind in able for kind in self.schedule.drawable):
            return ()
        what = f"schedule.kinds: the {world} world can do none of {', '.join(self.schedule.drawable)}"
        return (Fault(self.place("schedule"), what, f"it can do {', '.join(able)}", "name one of those"),)


def attach(scenario: Scenario, source: Source) -> Scenario:
    """Give a scenario the source it was read from."""
    scenario._source = source
    return scenario
