"""Who can play which part in a generated trade, by roles and countries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ledger.contracts.carnet import ISSUERS, TRADERS
from ledger.genesis import Role
from scenarios.errors import RefusedError

IMPORTING_COUNTRY = "US"
NORTH_AMERICA = ("MX", "CA")
CAFTA_DR = ("CR", "DO", "SV", "GT", "HN", "NI")


@dataclass(frozen=True, slots=True)
class Member:
    """An organization of the trade."""

    name: str
    country: str
    roles: frozenset[Role]


@dataclass(frozen=True, slots=True)
class CarnetParties:
    """Who belongs together for a holder's carnet: its association, its customs, and the countries it can visit."""

    holder: str
    association: str
    home_customs: str
    abroad: tuple[Member, ...]


class Cast:
    """The members of a network, by the parts they can play.

    Args:
        members: in genesis' order.
    """

    def __init__(self, members: Sequence[Member]) -> None:
        self.members = tuple(members)
        by_country = [m for m in members if m.country == IMPORTING_COUNTRY]
        self.importers = _names(by_country, Role.IMPORTER)
        self.customs = _names(by_country, Role.CUSTOMS)
        self.fisheries = _names(by_country, Role.FISHERIES)
        self.brokers = _names(by_country, Role.BROKER)
        partners = [m for m in members if m.country in NORTH_AMERICA + CAFTA_DR]
        self.exporters = tuple(m for m in partners if Role.EXPORTER in m.roles)
        self.producers = {
            m.country: tuple(p.name for p in partners if p.country == m.country and Role.PRODUCER in p.roles)
            for m in partners
        }
        self.tuna_exporters = _names([m for m in members if m.country != IMPORTING_COUNTRY], Role.EXPORTER)
        self.processors = _names(members, Role.PROCESSOR)
        self.carnets = _carnet_parties(members)

    def lacks(self) -> Mapping[str, str]:
        """Return, for every use case that these members cannot play, what is missing."""
        lacks: dict[str, str] = {}
        if not (self.exporters and self.importers and self.customs):
            lacks["origin"] = (
                f"an exporter in one of {', '.join(NORTH_AMERICA + CAFTA_DR)}, and an importer and customs in "
                f"{IMPORTING_COUNTRY}"
            )
        if not self.carnets:
            lacks["carnet"] = (
                "a trader, an association and customs in one country, and customs in another with an association"
            )
        if not (self.tuna_exporters and self.importers and self.fisheries and self.customs):
            lacks["tuna"] = (
                "an exporter abroad, and an importer, a fisheries authority and customs in "
                + IMPORTING_COUNTRY
            )
        return lacks

    def require(self, weights: Mapping[str, float]) -> None:
        """Refuse a mix that these members cannot play.

        Raises:
            RefusedError: naming the use case and what it lacks.
        """
        for use_case, lacking in self.lacks().items():
            if weights[use_case] > 0:
                raise RefusedError(
                    f"nobody can play the use case {use_case}",
                    f"it needs {lacking}",
                    f"add them to organizations, or set workload.mix.{use_case} to 0",
                )


def _names(members: Sequence[Member], role: Role) -> tuple[str, ...]:
    return tuple(m.name for m in members if role in m.roles)


def _carnet_parties(members: Sequence[Member]) -> tuple[CarnetParties, ...]:
    customs = [m for m in members if Role.CUSTOMS in m.roles]
    associations = [m for m in members if m.roles & frozenset(ISSUERS)]
    covered = {m.country for m in associations}
    parties: list[CarnetParties] = []
    for holder in members:
        if not holder.roles & (frozenset(TRADERS) - {Role.BROKER}):  # a broker enters the goods of others
            continue
        issuing = [m.name for m in associations if m.country == holder.country]
        home = [m.name for m in customs if m.country == holder.country]
        abroad = tuple(m for m in customs if m.country != holder.country and m.country in covered)
        if issuing and home and abroad:
            parties.append(CarnetParties(holder.name, issuing[0], home[0], abroad))
    return tuple(parties)
