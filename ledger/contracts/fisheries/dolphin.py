"""Which dolphin-safe status tuna of one fishing trip may bear: seven rules, the first that matches decides.

Rules:
- The rules are a table over facts of the trip; the documentation page is drawn from the same table.
- A rule asks for evidence. If any of it is missing, the last rule holds: only 5A, not certified dolphin-safe.
- A vessel whose carrying capacity nobody knows is treated as a large one: the stricter rule holds (design).
- Nothing here is on the ledger: these are private facts, and NOAA's own program asks this table about them.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Collection
from dataclasses import dataclass
from enum import StrEnum

from ledger.contracts.parameters import CAPTAIN_TRAINING_FROM, CARRYING_CAPACITY_SHORT_TONS


class Gear(StrEnum):
    """Fishing gear. The words are ours: the form's own codes were found in no public source (unconfirmed)."""

    PURSE_SEINE = "PURSE_SEINE"
    LONGLINE = "LONGLINE"
    POLE_AND_LINE = "POLE_AND_LINE"
    TROLL = "TROLL"
    HANDLINE = "HANDLINE"
    GILLNET = "GILLNET"
    HIGH_SEAS_DRIFTNET = "HIGH_SEAS_DRIFTNET"


class DolphinStatus(StrEnum):
    """Box 5 of NOAA Form 370."""

    NOT_CERTIFIED = "5A"
    OTHER_GEAR = "5B1"
    PURSE_SEINE = "5B2"
    ASSOCIATED_FISHERY = "5B3"
    ETP_SMALL_VESSEL = "5B4"
    ETP_LARGE_VESSEL = "5B5"


class Evidence(StrEnum):
    """What a status rests on."""

    CAPTAIN = "captain's statement"
    OBSERVER = "observer's statement"
    IDCP = "IDCP nation's certification"


@dataclass(frozen=True, slots=True)
class Trip:
    """Facts of one fishing trip.

    Attributes:
        gear: with which the tuna was caught.
        in_etp: whether any of it was caught in the eastern tropical Pacific.
        capacity_short_tons: the vessel's carrying capacity, or None if nobody knows it.
        associated: whether the fishery has a regular and significant association of dolphins and tuna.
        identified: whether the fishery has a regular and significant mortality or serious injury of dolphins.
        evidence: what there is, each valid in itself.
    """

    gear: Gear
    in_etp: bool
    capacity_short_tons: int | None
    associated: bool
    identified: bool
    evidence: frozenset[Evidence]

    @property
    def is_etp_purse_seine(self) -> bool:
        """Whether a purse seine was used in the eastern tropical Pacific."""
        return self.gear is Gear.PURSE_SEINE and self.in_etp

    @property
    def is_large(self) -> bool:
        """Whether the vessel's carrying capacity is over the limit, or unknown."""
        limit = CARRYING_CAPACITY_SHORT_TONS.value
        return self.capacity_short_tons is None or self.capacity_short_tons > limit


@dataclass(frozen=True, slots=True)
class StatusRule:
    """One row of the table.

    Attributes:
        number: its place; the first rule that matches decides.
        says: what it matches, in words.
        matches: the same as a predicate.
        status: that the tuna may bear if the evidence is there.
        asks: the evidence, in words.
        evidence: the same, for one trip.
        excludes: whether the shipment may not enter at all.
        source: the law it stands for.
    """

    number: int
    says: str
    matches: Callable[[Trip], bool]
    status: DolphinStatus
    asks: str
    evidence: Callable[[Trip], tuple[Evidence, ...]]
    source: str
    excludes: bool = False


_CAPACITY = CARRYING_CAPACITY_SHORT_TONS.value
_LAW = "16 USC 1385(d)"
_E = Evidence


def _always(*evidence: Evidence) -> Callable[[Trip], tuple[Evidence, ...]]:
    return lambda _trip: evidence


STATUS_RULES: tuple[StatusRule, ...] = (
    StatusRule(
        1,
        "high-seas driftnet",
        lambda trip: trip.gear is Gear.HIGH_SEAS_DRIFTNET,
        DolphinStatus.NOT_CERTIFIED,
        "nothing helps: the shipment is excluded",
        _always(),
        "16 USC 1385(d)(1)(A); 50 CFR 216.24",
        excludes=True,
    ),
    StatusRule(
        2,
        f"purse seine in the ETP, carrying capacity over {_CAPACITY} short tons",
        lambda trip: trip.is_etp_purse_seine and trip.is_large,
        DolphinStatus.ETP_LARGE_VESSEL,
        "IDCP nation's certification for the trip, observer aboard the whole trip",
        _always(_E.IDCP, _E.OBSERVER),
        f"{_LAW}; NOAA Form 370, 5B5",
    ),
    StatusRule(
        3,
        f"purse seine in the ETP, carrying capacity of {_CAPACITY} short tons or less",
        lambda trip: trip.is_etp_purse_seine,
        DolphinStatus.ETP_SMALL_VESSEL,
        "captain's statement",
        _always(_E.CAPTAIN),
        f"{_LAW}; NOAA Form 370, 5B4",
    ),
    StatusRule(
        4,
        "other purse seine, in a fishery with an association of dolphins and tuna",
        lambda trip: trip.gear is Gear.PURSE_SEINE and trip.associated,
        DolphinStatus.ASSOCIATED_FISHERY,
        "captain's and observer's statements",
        _always(_E.CAPTAIN, _E.OBSERVER),
        f"{_LAW}; NOAA Form 370, 5B3",
    ),
    StatusRule(
        5,
        "other purse seine",
        lambda trip: trip.gear is Gear.PURSE_SEINE,
        DolphinStatus.PURSE_SEINE,
        "captain's statement",
        _always(_E.CAPTAIN),
        f"{_LAW}; NOAA Form 370, 5B2",
    ),
    StatusRule(
        6,
        "other gear",
        lambda _trip: True,
        DolphinStatus.OTHER_GEAR,
        "captain's statement; observer's too if the fishery is identified",
        lambda trip: (_E.CAPTAIN, _E.OBSERVER) if trip.identified else (_E.CAPTAIN,),
        f"{_LAW}; NOAA Form 370, 5B1",
    ),
)
"""Rules 1 to 6; rule 7 is that without the evidence of the rule that matches only 5A is left."""

MISSING_EVIDENCE_RULE = 7


@dataclass(frozen=True, slots=True)
class Determination:
    """What the table says of a trip.

    Attributes:
        status: the best that its tuna may bear. 5A may be declared of any tuna that is not excluded.
        rule: number of the rule that decided.
        missing: the evidence that a better status would need.
        excluded: whether the tuna may not enter at all.
    """

    status: DolphinStatus
    rule: int
    missing: tuple[Evidence, ...] = ()
    excluded: bool = False


def determine(trip: Trip) -> Determination:
    """Return the status that tuna of a trip may bear."""
    rule = next(rule for rule in STATUS_RULES if rule.matches(trip))
    missing = tuple(evidence for evidence in rule.evidence(trip) if evidence not in trip.evidence)
    if missing:
        return Determination(DolphinStatus.NOT_CERTIFIED, MISSING_EVIDENCE_RULE, missing)
    return Determination(rule.status, rule.number, excluded=rule.excludes)


def captain_certifies(
    *,
    trip_begin: datetime.date,
    not_set_on_dolphins: bool,
    none_killed_or_injured: bool,
    training_completed: bool,
) -> bool:
    """Say whether a captain's statement is one (50 CFR 216.91; the training: 81 FR 15444)."""
    trained = training_completed or trip_begin < CAPTAIN_TRAINING_FROM
    return not_set_on_dolphins and none_killed_or_injured and trained


def observer_certifies(*, whole_trip: bool, not_set_on_dolphins: bool, none_killed_or_injured: bool) -> bool:
    """Say whether an observer's statement is one: aboard the whole trip, and no dolphin harmed."""
    return whole_trip and not_set_on_dolphins and none_killed_or_injured


def idcp_certifies(*, observer_whole_trip: bool, none_killed_or_injured: bool) -> bool:
    """Say whether an IDCP nation's certification is one (NOAA Form 370, 5B5)."""
    return observer_whole_trip and none_killed_or_injured


def is_embargoed(trip: Trip, species: str, flag: str, embargoed_flags: Collection[str]) -> bool:
    """Say whether tuna is yellowfin of an ETP purse seine under an embargoed flag (50 CFR 216.24(f))."""
    return species == "YFT" and trip.is_etp_purse_seine and flag in embargoed_flags


def pga_code(species: str) -> str:
    """Return the processing code of the agency's message set: YFT for yellowfin, NOT for any other tuna."""
    return "YFT" if species == "YFT" else "NOT"
