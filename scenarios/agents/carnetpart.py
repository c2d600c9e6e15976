"""What every party of ATA carnets has in its application: the carnets' register, names, and its papers.

Rules:
- What the scenario scripts for a voucher (a stamp, a claim, a proof) no party does on its own account.
- Receipts are told to parties by what the register knows of them; who a receipt does not concern ignores it.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping

from ledger.contracts import LegalCalendar
from ledger.encoding import Value
from ledger.forms.carnet import ATA_CARNET
from ledger.genesis import Role
from scenarios.agents.agent import Agent, StepError, Surroundings
from scenarios.agents.carnetregister import CarnetEntry, CarnetRegister, VoucherEntry
from scenarios.agents.papers import Paper
from scenarios.model.carnets import AtaCarnet, original
from scenarios.model.carnetsteps import VoucherStep

DAY = datetime.timedelta(days=1)


class CarnetPart(Agent):
    """What every party of carnets has."""

    def __init__(self, surroundings: Surroundings) -> None:
        super().__init__(surroundings)
        genesis = self.desk.genesis
        self.carnets = CarnetRegister(self.members.countries)
        self.registers.append(self.carnets)
        self.legal_calendar = LegalCalendar(
            genesis.zone_offsets, map(datetime.date.fromisoformat, genesis.holidays)
        )

    @property
    def today(self) -> datetime.date:
        """The legal day of the calendar."""
        return self.legal_calendar.legal_date(self.desk.now_ms())

    def first_of(self, role: Role, country: str) -> str | None:
        """Return the first member with a role in a country, or None."""
        for member in self.members.with_role(role):
            if member.country == country:
                return member.id
        return None

    async def carnet_named(self, name: str) -> CarnetEntry:
        """Return a carnet of the scenario, once the feed has told of it.

        Raises:
            StepError: if it is not on the ledger.
        """
        ledger_id = self.desk.ledger_id("carnet", name)
        if ledger_id is None:
            raise StepError(f"carnet {name} is not on the ledger; apply for it first")
        await self.until(f"carnet {name}", lambda: ledger_id in self.carnets.carnets)
        return self.carnets.carnets[ledger_id]

    async def voucher_named(self, step: VoucherStep) -> tuple[CarnetEntry, VoucherEntry]:
        """Return the carnet and voucher of a step, once the feed has told of them."""
        carnet = await self.carnet_named(step.carnet)
        what = f"voucher {step.carnet}/{step.voucher}"
        await self.until(what, lambda: self.carnets.has_voucher(carnet, step.voucher))
        return carnet, self.carnets.voucher(carnet, step.voucher)

    def name_of(self, carnet: CarnetEntry) -> str:
        """Return a carnet's local name."""
        return self.desk.local_name("carnet", carnet.id) or carnet.id

    def name_of_voucher(self, ledger_id: str) -> str:
        """Return the local name of a voucher, or of a claim on one."""
        return self.desk.local_name("voucher", ledger_id) or ledger_id

    def scripted(self, carnet: CarnetEntry) -> AtaCarnet | None:
        """Return what the scenario says of a carnet."""
        return original(self.script.carnets, self.name_of(carnet))

    def has_step(self, do: str, carnet: CarnetEntry, serial: int | None = None) -> bool:
        """Whether the scenario itself does this to a carnet, or to a voucher of it."""
        name = self.name_of(carnet)
        return any(
            step.do == do
            and getattr(step, "carnet", None) == name
            and (serial is None or getattr(step, "voucher", None) == serial)
            for step in self.script.steps
        )

    def carnet_fields(self, carnet: CarnetEntry) -> Mapping[str, Value] | None:
        """Return cover and general list as this organization has them, or None."""
        document = self.wallet.issued(carnet.root) or self.wallet.opened(carnet.root)
        return None if document is None else ATA_CARNET.unflatten(Paper.of(document).plain())
