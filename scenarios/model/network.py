"""Who takes part in a scenario, on what calendar, over what network.

Rules:
- An organization runs one node and one agent. An agent acts by itself as its behavior says; steps script
  the rest.
- Every duration of an agent is on the calendar.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations
from random import Random
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, model_validator

from ledger.contracts.carnet import TRADERS
from ledger.contracts.parameters import CARNET_FINAL_DATE_CALENDAR_DAYS, LIQUIDATION_CALENDAR_DAYS
from ledger.genesis import Role
from scenarios.errors import RefusedError, UnknownNameError
from scenarios.model.misdeeds import Dishonest, Rate
from scenarios.model.targets import ORGANIZATION_PATTERN
from scenarios.model.units import (
    UNITS_MS,
    Duration,
    DurationText,
    MomentText,
    RangeMs,
    Record,
    Text,
    no_unit,
    parse_duration,
)


@dataclass(frozen=True, slots=True)
class Delay:
    """How long an agent takes: always the same, spread evenly between two durations, or never.

    Attributes:
        duration: the only or the shortest one; None for an agent that never acts.
        longest: the longest one, if it is spread.
    """

    duration: Duration | None
    longest: Duration | None = None

    def __str__(self) -> str:
        if self.duration is None:
            return "never"
        return str(self.duration) if self.longest is None else f"{self.duration}..{self.longest}"

    def draw_ms(self, random: Random) -> int | None:
        """Return one delay in milliseconds, or None for never; only a spread one draws."""
        if self.duration is None or self.longest is None:
            return None if self.duration is None else self.duration.ms
        return random.randint(self.duration.ms, self.longest.ms)


_DELAY_LIMIT = "a duration such as 2h, a range such as 1d..12d, or never"


def _delay(text: str) -> Delay:
    if text == "never":
        return Delay(None)
    shortest, dots, longest = text.partition("..")
    try:
        low = parse_duration(shortest)
        high = parse_duration(longest) if dots else None
    except RefusedError as error:
        raise RefusedError(error.what, _DELAY_LIMIT, error.remedy) from None
    if high is not None and high.ms < low.ms:
        raise RefusedError(f'"{text}" ends before it begins', "", f"write {high}..{low}")
    return Delay(low, high)


def _role(text: str) -> Role:
    if text not in list(Role):
        raise UnknownNameError("role", text, Role)
    return Role(text)


def _zone(text: str) -> str:
    try:
        return ZoneInfo(text).key
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        remedy = "use an IANA name such as America/New_York"
        raise RefusedError(f'unknown time zone "{text}"', "", remedy) from error


RoleName = Annotated[Role, Text(_role, {"enum": [role.value for role in Role]})]
"""A role, by its name in genesis."""


class Calendar(Record):
    """The trade's time: when the scenario plays."""

    start: MomentText = Field(description='When the network is founded: "2018-09-04T08:00:00Z".')
    end: MomentText = Field(description="When the scenario is over, whatever is still open.")
    zone: Annotated[str, Text(_zone, {})] = Field(
        "America/New_York", description="Zone of legal days and of moments written without an offset."
    )
    grain: DurationText = Field(
        Duration(1),
        description="The calendar stops at full multiples of this (in UTC) alone: at 1h everybody acts on the hour.",
    )
    pace: DurationText | None = Field(
        None,
        description="At most so much of the calendar passes in a second of protocol time, so that trade and faults are "
        "spread over both; as soon as the network is at rest if absent.",
    )

    @model_validator(mode="after")
    def _check_order(self) -> Calendar:
        if self.pace is not None and self.pace.ms < UNITS_MS["s"]:
            limit = "a calendar never runs slower than the clock"
            raise RefusedError(f"a pace of {self.pace} is none", limit, "1s at least", inside=("pace",))
        if self.end_ms <= self.start_ms:
            raise RefusedError("the end is not after the start", "", "name a later end", inside=("end",))
        return self

    @property
    def start_ms(self) -> int:
        """The start, UTC milliseconds."""
        return self.start.ms(ZoneInfo(self.zone))

    @property
    def end_ms(self) -> int:
        """The end, UTC milliseconds."""
        return self.end.ms(ZoneInfo(self.zone))

    @property
    def grain_ms(self) -> int:
        """The grain, milliseconds, 1 or more."""
        return max(1, self.grain.ms)


DelayText = Annotated[
    Delay,
    Text(
        _delay,
        {
            "pattern": r"^([0-9]+(ms|s|min|h|d)(\.\.[0-9]+(ms|s|min|h|d))?|never)$",
            "examples": ["2h", "1d..12d", "never"],
        },
        no_unit,
    ),
]


class Agent(Record):
    """What an organization's agent does by itself, and after how long; `never` is silence."""

    acknowledge_after: DelayText = Field(
        _delay("2h"),
        description="Importer: from a certificate's delivery to its acknowledgement, which makes it HELD.",
    )
    answer_after: DelayText = Field(
        _delay("1d"),
        description="Importer or broker: from a request of Customs, or its passing on, to the answer.",
    )
    file_after: DelayText = Field(
        _delay("4h"), description="Broker: from its principal's instruction to the claim."
    )
    careless: dict[str, Rate] = Field(
        {},
        description="Whoever writes forms: how often it leaves a field out or spoils it, by the field's name, or by "
        "form/field; forms are certificate, invoice, entry-line, answer, carnet, voucher and form-370.",
    )
    dishonest: Dishonest = Field(
        {},
        description="Named frauds that it commits: a list of kinds, or a map from kind to how often (0 to 1), or to "
        "rate and fields; docs/behaviors.md lists them.",
    )
    denial: Literal["TAKEN", "PROPOSED"] = Field(
        "TAKEN",
        description="Customs: whether it denies at once (CF-29 taken) or proposes first (CF-29 proposed).",
    )
    gives_backup_time: Literal["YES", "NO"] = Field(
        "NO",
        description="Customs: whether it gives thirty days more for back-up records, once, when a request's time "
        "runs out.",
    )
    correct_after: DelayText = Field(
        _delay("never"),
        description="Importer: from hearing that a certificate is incorrect to the correction of its claims on it.",
    )
    reply_after: DelayText = Field(
        _delay("14d"),
        description="Exporter, producer or importer: from a letter or visit notice of Customs to the answer.",
    )
    consents: Literal["YES", "NO", "NEVER"] = Field(
        "YES", description="Exporter or producer: whether it consents to a visit, refuses, or says nothing."
    )
    review_after: DelayText = Field(
        _delay("1d"),
        description="Customs: from a claim, or from the importer's answer, to the decision.",
    )
    liquidate_after: DelayText = Field(
        _delay(f"{LIQUIDATION_CALENDAR_DAYS.value}d"),
        description="Customs: from the date of entry to liquidation (about 314 days, medey.com).",
    )
    issue_after: DelayText = Field(
        _delay("1d"),
        description="Association: from a carnet's security to its issue, or a loss to the replacement.",
    )
    endorse_after: DelayText = Field(
        _delay("1h"), description="Customs: from goods presented under a carnet to the stamp, or the refusal."
    )
    final_after: DelayText = Field(
        _delay(f"{CARNET_FINAL_DATE_CALENDAR_DAYS.value}d"),
        description="Customs: from a carnet's importation to the final date for re-export, within the validity.",
    )
    carnet_claim_after: DelayText = Field(
        _delay("30d"),
        description="Customs: from a final date that passed, or a late re-export, to the claim.",
    )
    prove_after: DelayText = Field(
        _delay("30d"), description="Carnet holder: from customs' claim to the proof, if it has one."
    )
    return_after: DelayText = Field(
        _delay("1d"), description="Carnet holder: from the last goods' homecoming to the carnet's return."
    )
    pass_on_after: DelayText = Field(
        _delay("0ms"),
        description="Guaranteeing association: from customs' claim to objecting or passing it on, and from a proof to "
        "passing that on; who never does deposits nothing either.",
    )
    check_after: DelayText = Field(
        _delay("1d"),
        description="Fisheries: from a form's filing, or from the importer's answer, to the decision.",
    )
    release_after: DelayText = Field(
        _delay("4h"), description="Customs: from the fisheries authority's decision to release or refusal."
    )


_TRADERS = tuple(role for role in Role if role in TRADERS)

AGENT_ROLES: Mapping[str, Role | tuple[Role, ...]] = {
    "denial": Role.CUSTOMS,
    "gives_backup_time": Role.CUSTOMS,
    "acknowledge_after": Role.IMPORTER,
    "answer_after": (Role.IMPORTER, Role.BROKER),
    "file_after": Role.BROKER,
    "correct_after": Role.IMPORTER,
    "reply_after": (Role.EXPORTER, Role.PRODUCER, Role.IMPORTER),
    "consents": (Role.EXPORTER, Role.PRODUCER),
    "review_after": Role.CUSTOMS,
    "liquidate_after": Role.CUSTOMS,
    "issue_after": (Role.CHAMBER, Role.GUARANTEEING),
    "pass_on_after": Role.GUARANTEEING,
    "endorse_after": Role.CUSTOMS,
    "final_after": Role.CUSTOMS,
    "carnet_claim_after": Role.CUSTOMS,
    "prove_after": _TRADERS,
    "return_after": _TRADERS,
    "check_after": Role.FISHERIES,
    "release_after": Role.CUSTOMS,
}
"""The role that each behavior of an agent is for."""


def plays(held: Collection[Role], needed: Role | tuple[Role, ...]) -> bool:
    """Say whether one of the roles held is the one needed, or one of them."""
    return needed in held if isinstance(needed, Role) else any(role in held for role in needed)


class Organization(Record):
    """A founding member of the consortium."""

    name: str = Field(min_length=1, max_length=200, description="Name for people.")
    country: str = Field(pattern=r"^[A-Z]{2}$", description="ISO 3166-1 alpha-2 code, such as MX.")
    roles: tuple[RoleName, ...] = Field(min_length=1, description="What it may do in the pilot.")
    agent: Agent = Field(
        default_factory=lambda: Agent.model_validate({}), description="What its agent does by itself."
    )


RegionName = Annotated[str, Field(pattern=rf"^{ORGANIZATION_PATTERN}$")]
RegionTable = dict[RegionName, dict[RegionName, RangeMs]]
"""Milliseconds, lowest and highest, from a region to a region."""


class Network(Record):
    """The network between the nodes."""

    topology: Literal["complete", "ring", "small-world", "random-regular", "edges"] = Field(
        "complete", description="Shape of the gossip graph; orderers are fully meshed in any case."
    )
    edges: tuple[tuple[str, str], ...] = Field(
        (), description="Pairs of organizations that gossip, for topology edges."
    )
    latency_ms: RangeMs = Field(
        (10, 30), description="Lowest and highest one-way latency of a link, milliseconds."
    )
    regions: dict[RegionName, tuple[str, ...]] = Field(
        {}, description="Organizations by region, each in one at most: what region:NAME as a target hits."
    )
    region_latency_ms: RegionTable = Field(
        {},
        description="One-way latency from a region to a region, [lowest, highest]; both ways unless the way back "
        "is given too; latency_ms where nothing is given.",
    )
    heartbeat_ms: int = Field(
        200,
        ge=10,
        le=10_000,
        multiple_of=2,
        description="A leader's heartbeat, milliseconds; a tick is half of it.",
    )
    election_ticks: int = Field(
        10,
        ge=3,
        le=100,
        description="Ticks without a word from the leader before an election; the draw goes up to twice that.",
    )
    orderers: tuple[str, ...] | None = Field(
        None, description="Organizations whose nodes vote; the first five if absent."
    )
    orderer_liars_tolerated: int = Field(
        0, ge=0, le=4, description="f: how many orderers may lie; n orderers need n >= 3 f + 1."
    )

    @model_validator(mode="after")
    def _check_shape(self) -> Network:
        if self.topology == "edges" and not self.edges:
            raise RefusedError("topology edges without edges", "", "add edges: [[a, b], ...]")
        if self.topology != "edges" and self.edges:
            raise RefusedError("edges go with topology edges", "", "write topology: edges", inside=("edges",))
        return self

    @property
    def latency_table(self) -> dict[tuple[str, str], tuple[int, int]]:
        """The latency of every direction between organizations that the table of regions names, milliseconds."""
        return latency_between(self.regions, self.region_latency_ms)


def latency_between(
    regions: Mapping[str, Sequence[str]], table: Mapping[str, Mapping[str, tuple[int, int]]]
) -> dict[tuple[str, str], tuple[int, int]]:
    """Return the latency from organization to organization that a table of regions gives, milliseconds.

    Args:
        regions: every region's organizations.
        table: from region to region; both ways unless the way back is given too.
    """
    home = {organization: region for region, members in regions.items() for organization in members}
    found: dict[tuple[str, str], tuple[int, int]] = {}
    for one, other in permutations(home, 2):
        there, back = table.get(home[one], {}), table.get(home[other], {})
        range_ms = there.get(home[other]) or back.get(home[one])
        if range_ms is not None:
            found[one, other] = range_ms
    return found
