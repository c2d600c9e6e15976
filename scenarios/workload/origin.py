"""Preference claims of a generated trade: who certifies what to whom, and when it is claimed.

Rules:
- Under a blanket, all shipments of one good from one exporter to one importer rest on one certificate. It is signed
  before the trade begins and covers twelve months.
- A certificate for a single shipment is signed some days before the importation.
- The entry summary is filed within ten working days of entry (19 CFR 142.12(b)).
"""

from __future__ import annotations

import datetime

from ledger.contracts.deadlines import last_day_of_period
from ledger.contracts.parameters import BLANKET_MONTHS_MAX, SUMMARY_WORKING_DAYS
from ledger.contracts.regime import regime_of
from scenarios.workload.cast import CAFTA_DR, Member
from scenarios.workload.chance import Chance
from scenarios.workload.goods import GOODS, Good
from scenarios.workload.shipment import CertificatePlan, Noncompliance, OriginPlan
from scenarios.workload.trade import PORTS, Trade, days_after, entry_number

BLANKET_BEGINS_DAYS_BEFORE = (20, 60)
SINGLE_SIGNED_DAYS_BEFORE = (3, 12)
BACK_DATED_DAYS = 45
OVER_CLAIM_PERCENT = (8, 30)


def plan_origin(
    trade: Trade, number: int, arrives_ms: int, value_usd: int, broken: Noncompliance | None
) -> OriginPlan:
    """Return what happens in one origin shipment."""
    chance = trade.chance(str(number))
    exporter = chance.pick("exporter", trade.cast.exporters)
    importer = chance.pick("importer", trade.cast.importers)
    imported_on = trade.hours.day_of(arrives_ms)
    good = _good(chance, exporter, imported_on)
    regime = regime_of(imported_on, cafta_dr=exporter.country in CAFTA_DR)
    invoiced = max(1, round(value_usd / good.usd_per_unit))
    entered_on = trade.hours.next_working_day(imported_on)
    claimed_on = trade.hours.add_working_days(
        entered_on, chance.whole("summary", 1, SUMMARY_WORKING_DAYS.value - 1)
    )
    producers = [p for p in trade.cast.producers.get(exporter.country, ()) if p != exporter.name]
    brokers = trade.cast.brokers
    return OriginPlan(
        exporter=exporter.name,
        importer=importer,
        customs=trade.cast.customs[0],
        producer=chance.pick("producer", producers) if producers else None,
        broker=chance.pick("broker", brokers)
        if brokers and chance.happens("brokered", trade.workload.broker)
        else None,
        regime=regime.name,
        spi=exporter.country if regime.name == "NAFTA" else next(iter(regime.origins_of_spi)),
        good=good,
        quantity=_claimed(chance, invoiced, broken),
        invoiced_quantity=invoiced,
        certificate=_certificate(trade, chance, number, exporter, importer, good, imported_on, broken),
        entry=entry_number(number),
        invoice=f"INV-{number:07d}",
        port=chance.pick("port", PORTS),
        imported_on=imported_on,
        entered_on=entered_on,
        claimed_ms=trade.hours.moment(claimed_on, chance.share("claim hour")),
    )


def _good(chance: Chance, exporter: Member, imported_on: datetime.date) -> Good:
    regime = regime_of(imported_on, cafta_dr=exporter.country in CAFTA_DR)
    return chance.pick("good", [good for good in GOODS if regime.name in good.regimes])


def _claimed(chance: Chance, invoiced: int, broken: Noncompliance | None) -> int:
    if broken is not Noncompliance.OVER_CLAIMED:
        return invoiced
    percent = chance.whole("over-claim", *OVER_CLAIM_PERCENT)
    return invoiced + max(1, invoiced * percent // 100)


def _certificate(
    trade: Trade,
    chance: Chance,
    number: int,
    exporter: Member,
    importer: str,
    good: Good,
    imported_on: datetime.date,
    broken: Noncompliance | None,
) -> CertificatePlan | None:
    """Return the certificate that the claim rests on, as the fault has it."""
    if broken is Noncompliance.NO_CERTIFICATE:
        return None
    if broken is Noncompliance.BACK_DATED:
        signed = days_after(imported_on, chance.whole("late signature", 16, 40))
        return CertificatePlan(
            f"c{number}", exporter.name, False, signed, days_after(signed, -BACK_DATED_DAYS), None
        )
    if broken is Noncompliance.OUTSIDE_BLANKET:
        last = days_after(imported_on, -chance.whole("days outside", 1, 30))
        first = days_after(last, -300)
        return CertificatePlan(f"c{number}", exporter.name, True, first, first, (first, last))
    single = broken is Noncompliance.REUSED_CERTIFICATE or not chance.happens(
        "blanket", trade.workload.blanket
    )
    if single:
        signed = days_after(imported_on, -chance.whole("signature", *SINGLE_SIGNED_DAYS_BEFORE))
        return CertificatePlan(f"c{number}", exporter.name, False, signed, signed, None)
    return _blanket(trade, exporter, importer, good)


def _blanket(trade: Trade, exporter: Member, importer: str, good: Good) -> CertificatePlan:
    """Return the blanket of one exporter, importer and good; the same for every shipment that shares it."""
    name = f"b-{exporter.name}-{importer}-{good.hts.replace('.', '')}"
    chance = trade.chance(name)
    start = trade.hours.day_of(trade.hours.place(0.0))
    first = days_after(start, -chance.whole("begins", *BLANKET_BEGINS_DAYS_BEFORE))
    last = last_day_of_period(first, BLANKET_MONTHS_MAX.value)
    return CertificatePlan(name, exporter.name, True, first, first, (first, last))
