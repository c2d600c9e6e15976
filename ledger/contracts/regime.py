"""What each trade agreement asks of a claim of origin.

Rules:
- The import date says which agreement governs: NAFTA to 2020-06-30, the USMCA from 2020-07-01, CAFTA-DR beside
  both. A claim under another is recorded with a finding.
- NAFTA certificates are signed by the exporter alone (19 CFR 181.11); CAFTA-DR and USMCA certifications by the
  importer, the exporter or the producer (19 CFR 10.584(a); 182.12(a)).
- Customs verifies with the exporter or producer; under the USMCA also with the importer, and data may come straight
  from exporter or producer (19 CFR 182.72(a), (c)). Under NAFTA an importer is asked, not verified (19 CFR 181.72(a));
  for CAFTA-DR this is unconfirmed, and an importer is not verified here.
- The indicators are those of United States entries, so customs of the United States decides on every claim here.
- Under CAFTA-DR and the USMCA an importer may claim on its own knowledge, without a certificate; after
  importation every agreement wants one (19 USC 1520(d)).
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from ledger.contracts.parameters import (
    CAFTA_DR_FIRST_IMPORT_ON,
    LEGAL_DATE_FIRST,
    NAFTA_LAST_IMPORT_ON,
    USMCA_FIRST_IMPORT_ON,
    USMCA_KNOWLEDGE,
    Mark,
)
from ledger.genesis import Role

_CAFTA_DR_PARTIES = ("CR", "DO", "SV", "GT", "HN", "NI", "US")


@dataclass(frozen=True, slots=True)
class Regime:
    """A trade agreement as far as origin is concerned.

    Attributes:
        name: as claims name it.
        form: of its certificates, as they are anchored.
        first_import_on: the first import date it governs.
        last_import_on: the last one, or None while it is in force.
        origins_of_spi: its special program indicators, each with the origins it stands for.
        certifiers: roles of which a certificate's issuer has one.
        knowledge_suffices: whether an importer may claim at entry on its own knowledge.
        knowledge_mark: how sure that is.
        source: of who may certify.
        verifies_importer: whether customs may verify with the importer itself, and takes data that an exporter or
            producer sends it straight.
        importing: the country into which goods are entered under these indicators, whose customs decides.
    """

    name: str
    form: str
    first_import_on: datetime.date
    last_import_on: datetime.date | None
    origins_of_spi: Mapping[str, tuple[str, ...]]
    certifiers: frozenset[Role]
    knowledge_suffices: bool
    knowledge_mark: Mark
    source: str
    verifies_importer: bool = False
    importing: str = "US"

    def governs(self, import_on: datetime.date) -> bool:
        """Say whether imports of that day fall under this agreement."""
        return self.first_import_on <= import_on and (
            self.last_import_on is None or import_on <= self.last_import_on
        )


def _by_name(*regimes: Regime) -> Mapping[str, Regime]:
    return MappingProxyType({regime.name: regime for regime in regimes})


_ANY_OF_THREE = frozenset({Role.IMPORTER, Role.EXPORTER, Role.PRODUCER})

REGIMES: Mapping[str, Regime] = _by_name(
    Regime(
        name="NAFTA",
        form="NAFTA-434",
        first_import_on=LEGAL_DATE_FIRST,
        last_import_on=NAFTA_LAST_IMPORT_ON,
        origins_of_spi=MappingProxyType({"CA": ("CA", "JNT"), "MX": ("MX", "JNT")}),
        certifiers=frozenset({Role.EXPORTER}),
        knowledge_suffices=False,
        knowledge_mark=Mark.READ,
        source="19 CFR 181.11(b)",
    ),
    Regime(
        name="CAFTA-DR",
        form="CAFTA-DR",
        first_import_on=CAFTA_DR_FIRST_IMPORT_ON,
        last_import_on=None,
        origins_of_spi=MappingProxyType({"P": _CAFTA_DR_PARTIES, "P+": _CAFTA_DR_PARTIES}),
        certifiers=_ANY_OF_THREE,
        knowledge_suffices=True,
        knowledge_mark=Mark.READ,
        source="19 CFR 10.584(a)",
    ),
    Regime(
        name="USMCA",
        form="USMCA",
        first_import_on=USMCA_FIRST_IMPORT_ON,
        last_import_on=None,
        origins_of_spi=MappingProxyType({"S": ("US", "MX", "CA"), "S+": ("US", "MX", "CA")}),
        certifiers=_ANY_OF_THREE,
        # The regulation asks for a certification, which the importer may complete itself on its own knowledge;
        # whether it may claim with none at all is not confirmed.
        knowledge_suffices=True,
        knowledge_mark=USMCA_KNOWLEDGE.mark,
        source="19 CFR 182.12(a)",
        verifies_importer=True,
    ),
)
"""The agreements by name."""

REGIME_OF_FORM: Mapping[str, Regime] = MappingProxyType({regime.form: regime for regime in REGIMES.values()})
"""The agreement that a form of certificate belongs to."""


def regime_of(import_on: datetime.date, *, cafta_dr: bool = False) -> Regime:
    """Return the agreement that governs imports of a day.

    Args:
        import_on: date of importation.
        cafta_dr: whether the goods come from a CAFTA-DR country; else from North America.
    """
    if cafta_dr:
        return REGIMES["CAFTA-DR"]
    nafta = REGIMES["NAFTA"]
    return nafta if nafta.governs(import_on) else REGIMES["USMCA"]
