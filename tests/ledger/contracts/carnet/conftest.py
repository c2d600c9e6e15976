"""One carnet of ten drums and four lamps, between the United States, Canada, Germany and Switzerland."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from ledger.contracts.carnet import (
    CarnetRecord,
    GoodsRecord,
    VoucherRecord,
    carnet_balances,
    read_carnet,
    read_goods,
    read_voucher,
)
from ledger.encoding import Value
from ledger.genesis import Genesis, Organization, Role
from ledger.keys import BoxKey, SigningKey, seed_for
from ledger.receipt import Receipt
from ledger.state import carnet_goods_key, carnet_key, carnet_voucher_key

ROSTER: dict[str, tuple[str, tuple[Role, ...]]] = {
    "cbp": ("US", (Role.CUSTOMS,)),
    "acme": ("US", (Role.EXPORTER,)),
    "rival": ("US", (Role.EXPORTER,)),
    "council": ("US", (Role.GUARANTEEING,)),
    "chamber": ("US", (Role.CHAMBER,)),
    "cbsa": ("CA", (Role.CUSTOMS,)),
    "ca-chamber": ("CA", (Role.GUARANTEEING,)),
    "zoll": ("DE", (Role.CUSTOMS,)),
    "bazg": ("CH", (Role.CUSTOMS,)),
    "ch-chamber": ("CH", (Role.GUARANTEEING,)),
    "watcher": ("US", (Role.OBSERVER,)),
}
K1, K2 = bytes([1]) * 16, bytes([2]) * 16
DRUMS, LAMPS = 1, 2
FINE = bytes(32)


class Border:
    """One carnet's journey: each act is one block, at a date in Washington."""

    def __init__(self, pilot: Any) -> None:
        self.pilot = pilot
        self.act = pilot.act
        self.serial = 0

    def apply(
        self, on: str = "2018-09-04", carnet: bytes = K1, holder: str = "acme", **changes: Value
    ) -> Receipt:
        body: dict[str, Value] = {"carnet": carnet, "issuer": "council", "items": [[DRUMS, 10], [LAMPS, 4]]}
        return self.act(holder, "carnet.apply", body | changes, on=on, document=True)

    def secure(self, carnet: bytes = K1, holder: str = "acme") -> Receipt:
        return self.act(holder, "carnet.secure", {"carnet": carnet}, document=True)

    def issue(self, carnet: bytes = K1, issuer: str = "council", **changes: Value) -> Receipt:
        body: dict[str, Value] = {"carnet": carnet, "guarantor": "council", "valid_until": "2019-09-03"}
        return self.act(issuer, "carnet.issue", body | changes)

    def activate(self, carnet: bytes = K1, customs: str = "cbp", on: str | None = None) -> Receipt:
        return self.act(customs, "carnet.activate", {"carnet": carnet}, on=on)

    def make_active(self) -> None:
        """Apply for, secure, issue and activate the carnet on 2018-09-04, valid to 2019-09-03."""
        for receipt in (self.apply(), self.secure(), self.issue(), self.activate()):
            assert receipt.code.value == "VALID", receipt.rule

    def present(
        self,
        kind: str,
        office: str,
        items: list[list[int]],
        *,
        on: str | None = None,
        carnet: bytes = K1,
        holder: str = "acme",
        cites: int | None = None,
        serial: int | None = None,
        counterfoil: int | None = None,
    ) -> Receipt:
        """Present the next voucher, or the one named."""
        self.serial = self.serial + 1 if serial is None else serial
        body: dict[str, Value] = {
            "carnet": carnet,
            "serial": self.serial,
            "counterfoil": self.serial if counterfoil is None else counterfoil,
            "kind": kind,
            "office": office,
            "items": items,  # type: ignore[dict-item]
            "cites": cites,
        }
        return self.act(holder, "carnet.present", body, on=on, document=True)

    def endorse(
        self,
        office: str,
        endorsed_on: str,
        *,
        on: str | None = None,
        final_on: str | None = None,
        serial: int | None = None,
        carnet: bytes = K1,
        unconditional: bool = True,
    ) -> Receipt:
        body: dict[str, Value] = {
            "carnet": carnet,
            "serial": self.serial if serial is None else serial,
            "endorsed_on": endorsed_on,
            "final_on": final_on,
            "unconditional": unconditional,
        }
        return self.act(office, "carnet.endorse", body, on=on, document=True)

    def cross(
        self,
        kind: str,
        office: str,
        items: list[list[int]],
        on: str,
        *,
        final_on: str | None = None,
        **changes: Any,
    ) -> Receipt:
        """Present and endorse on one day; return the endorsement's receipt."""
        presented = self.present(kind, office, items, on=on, **changes)
        assert presented.code.value == "VALID", presented.rule
        return self.endorse(office, on, final_on=final_on, on=on, carnet=changes.get("carnet", K1))

    def go_to_canada(self, items: list[list[int]] | None = None) -> int:
        """Export and import on 2018-10-01, to leave by 2018-12-31; return the importation voucher's serial."""
        goods = items or [[DRUMS, 10], [LAMPS, 4]]
        assert self.cross("EXPORT", "cbp", goods, "2018-10-01").code.value == "VALID"
        imported = self.cross("IMPORT", "cbsa", goods, "2018-10-01", final_on="2018-12-31")
        assert imported.code.value == "VALID", imported.rule
        return self.serial

    def claim(self, serial: int, on: str, office: str = "cbsa", **changes: Value) -> Receipt:
        body: dict[str, Value] = {
            "carnet": K1, "voucher": serial, "association": "ca-chamber", "improper": False, "fine": FINE,
        }  # fmt: skip
        return self.act(office, "carnet.claim", body | changes, on=on, document=True)

    def answer(self, serial: int, on: str, association: str = "ca-chamber") -> Receipt:
        return self.act(association, "carnet.answer", {"carnet": K1, "voucher": serial}, on=on, document=True)

    def decide(self, kind: str, serial: int, on: str, office: str = "cbsa") -> Receipt:
        return self.act(office, kind, {"carnet": K1, "voucher": serial, "fine": FINE}, on=on)

    def carnet(self, carnet: bytes = K1) -> CarnetRecord:
        return read_carnet(self.pilot.ledger.state.get(carnet_key(carnet)))

    def goods(self) -> GoodsRecord:
        return read_goods(self.pilot.ledger.state.get(carnet_goods_key(K1)))

    def voucher(self, serial: int) -> VoucherRecord:
        return read_voucher(self.pilot.ledger.state.get(carnet_voucher_key(K1, serial)))

    @property
    def unbalanced(self) -> list[str]:
        return carnet_balances(self.pilot.ledger.state)


@pytest.fixture(scope="session")
def carnet_genesis(pilot_genesis: Genesis) -> Genesis:
    def key(name: str, use: str) -> SigningKey:
        return SigningKey.from_seed(seed_for("pilot", f"{name}/{use}"))

    return Genesis(
        name="border",
        time_ms=pilot_genesis.time_ms,
        organizations=tuple(
            Organization(
                id=name,
                name=name.upper(),
                country=country,
                roles=roles,
                key=key(name, "organization").public,
                node_key=key(name, "node").public,
                box_key=BoxKey.from_seed(seed_for("pilot", f"{name}/box")).public,
            )
            for name, (country, roles) in ROSTER.items()
        ),
        orderers=("cbp", "acme", "council"),
        zone=pilot_genesis.zone,
        zone_offsets=pilot_genesis.zone_offsets,
        holidays=pilot_genesis.holidays,
        insecure_keys=True,
    )


@pytest.fixture(scope="session")
def new_border(carnet_genesis: Genesis, pilot_on: Callable[[Genesis], Any]) -> Callable[[], Border]:
    def new() -> Border:
        pilot = pilot_on(carnet_genesis)
        pilot.roots = Random("roots")
        return Border(pilot)

    return new


@pytest.fixture
def border(new_border: Callable[[], Border]) -> Border:
    return new_border()


@pytest.fixture
def abroad(border: Border) -> Border:
    """An active carnet whose goods are all in Canada under voucher 2."""
    border.make_active()
    assert border.go_to_canada() == 2
    return border
