"""What an agent knows of ATA carnets from certified receipts alone.

Rules:
- Only VALID receipts change it, in the order of the log; goods are moved by the contract's own functions.
- It holds public facts: the same register could be kept by any member. Most of them lie in a real file without a name.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from ledger.codes import Code
from ledger.contracts.carnet import (
    MOVES,
    CarnetState,
    GoodsRecord,
    Pieces,
    VoucherKind,
    VoucherRecord,
    VoucherState,
)
from ledger.contracts.carnet.goods import discharged, moved, settled
from ledger.contracts.carnet.records import read_pieces
from ledger.contracts.carnet.voucher import close_import
from ledger.encoding import Value
from ledger.fields import Fields
from scenarios.agents.client import Receipt
from scenarios.agents.register import Place, place_of
from scenarios.filed import FiledEntries, FiledMap


@dataclass(slots=True, weakref_slot=True)
class CarnetEntry:
    """A carnet as any member sees it; `line` is the id of the first carnet of its line."""

    id: str
    line: str
    holder: str
    issuer: str
    root: bytes
    items: Pieces
    state: CarnetState
    guarantor: str | None = None
    valid_until: datetime.date | None = None
    successor: str | None = None


@dataclass(slots=True, weakref_slot=True)
class VoucherEntry:
    """A voucher as any member sees it."""

    carnet: str
    serial: int
    record: VoucherRecord
    root: bytes
    presented: Place
    findings: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """Its id for desks and records."""
        return f"{self.carnet}/{self.serial}"


@dataclass(slots=True, weakref_slot=True)
class CarnetClaimEntry:
    """Customs' claim on what came in under a voucher, as any member sees it."""

    carnet: str
    serial: int
    customs: str
    association: str
    root: bytes
    fine: bytes
    opened: Place
    findings: tuple[str, ...]
    is_closed: bool = False

    @property
    def id(self) -> str:
        """Its id for desks and records: its voucher's."""
        return f"{self.carnet}/{self.serial}"


@dataclass(slots=True)
class CarnetRegister:
    """Carnets, goods, vouchers and claims by their ids.

    Attributes:
        countries: of everybody who ever was a member, kept up to date by whoever gave it.
    """

    countries: Mapping[str, str]
    carnets: FiledEntries[str, CarnetEntry] = field(default_factory=FiledEntries)
    goods: FiledMap[str, GoodsRecord] = field(default_factory=FiledMap)
    claims: FiledEntries[str, CarnetClaimEntry] = field(default_factory=FiledEntries)
    _vouchers: FiledEntries[tuple[str, int], VoucherEntry] = field(default_factory=FiledEntries)
    _serials: FiledMap[str, tuple[int, ...]] = field(default_factory=FiledMap)

    def take(self, receipt: Receipt) -> None:
        """Take one certified receipt into account."""
        if receipt.code != Code.VALID or receipt.type is None or receipt.creator is None:
            return
        fold = _FOLDS.get(receipt.type)
        if fold is not None:
            fold(self, receipt, receipt.creator, Fields(dict(receipt.body), receipt.type))

    def carnet_of(self, body: Mapping[str, Value]) -> CarnetEntry:
        """Return the carnet that a body names."""
        return self.carnets[str(body["carnet"])]

    def voucher_of(self, body: Mapping[str, Value]) -> VoucherEntry:
        """Return the voucher that a body names."""
        return self.voucher(self.carnet_of(body), _serial(body, "serial"))

    def claim_of(self, body: Mapping[str, Value]) -> CarnetClaimEntry:
        """Return the claim that a body names."""
        return self.claims[f"{self.carnet_of(body).id}/{_serial(body, 'voucher')}"]

    def voucher(self, carnet: CarnetEntry, serial: int) -> VoucherEntry:
        """Return a voucher of a carnet's line.

        Raises:
            KeyError: if there is none.
        """
        return self._vouchers[carnet.line, serial]

    def has_voucher(self, carnet: CarnetEntry, serial: int) -> bool:
        """Whether a voucher was presented under a carnet's line."""
        return (carnet.line, serial) in self._vouchers

    def citing(self, carnet: CarnetEntry, serial: int) -> list[VoucherEntry]:
        """Return the endorsed vouchers of a line that cite one of it, in order of presentation."""
        vouchers = [self._vouchers[carnet.line, known] for known in self._serials.get(carnet.line, ())]
        return [
            entry
            for entry in vouchers
            if entry.record.cites == serial and entry.record.state is VoucherState.ENDORSED
        ]

    def goods_of(self, carnet: CarnetEntry) -> GoodsRecord:
        """Return where the goods of a carnet's line are."""
        return self.goods[carnet.line]

    def living(self, carnet: CarnetEntry) -> CarnetEntry:
        """Return the carnet that now stands for a carnet's line."""
        while carnet.successor is not None:
            carnet = self.carnets[carnet.successor]
        return carnet

    def _applied(self, receipt: Receipt, creator: str, body: Fields) -> None:
        carnet, items = body.text("carnet"), read_pieces(body, "items")
        root, state = receipt.documents[0], CarnetState.APPLIED
        entry = CarnetEntry(carnet, carnet, creator, body.text("issuer"), root, items, state)
        self.carnets.put(carnet, entry)
        self.goods.put(carnet, GoodsRecord(listed=items, home=items, out={}, inside={}, settled={}))

    def _issued(self, receipt: Receipt, _creator: str, body: Fields) -> None:
        carnet = self.carnet_of(receipt.body)
        carnet.state = CarnetState.ISSUED
        carnet.guarantor, carnet.valid_until = body.text("guarantor"), body.date("valid_until")
        self.carnets.put(carnet.id, carnet)

    def _replaced(self, receipt: Receipt, _creator: str, body: Fields) -> None:
        old = self.carnet_of(receipt.body)
        old.successor = body.text("successor")
        self.carnets.put(old.successor, replace(old, id=old.successor, successor=None))
        old.state = CarnetState.REPLACED
        self.carnets.put(old.id, old)

    def _presented(self, receipt: Receipt, _creator: str, body: Fields) -> None:
        carnet, serial, office = self.carnet_of(receipt.body), body.integer("serial"), body.text("office")
        record = VoucherRecord(
            state=VoucherState.PRESENTED,
            carnet=bytes.fromhex(carnet.id),
            kind=body.member("kind", VoucherKind),
            office=office,
            country=self.countries[office],
            items=read_pieces(body, "items"),
            cites=body.optional_integer("cites"),
        )
        entry = VoucherEntry(carnet.id, serial, record, receipt.documents[0], place_of(receipt))
        serials = self._serials.get(carnet.line, ())
        if serial not in serials:
            self._serials.put(carnet.line, (*serials, serial))
        self._vouchers.put((carnet.line, serial), entry)

    def _endorsed(self, receipt: Receipt, _creator: str, body: Fields) -> None:
        carnet, entry = self.carnet_of(receipt.body), self.voucher_of(receipt.body)
        record, goods = entry.record, self.goods_of(carnet)
        cited = None if record.cites is None else self.voucher(carnet, record.cites)
        move = MOVES[record.kind]
        goods = moved(
            goods, record.kind, record.country, record.items, None if cited is None else cited.record
        )
        held: Pieces = record.items if move.brings_in else {}
        entry.record = replace(
            record,
            state=VoucherState.ENDORSED,
            endorsed_on=body.date("endorsed_on"),
            final_on=body.optional_date("final_on"),
            inside=held,
            undischarged=held,
        )
        entry.findings = receipt.findings
        if move.brings_in:
            goods = replace(goods, open_imports=(*goods.open_imports, entry.serial))
        if cited is not None:
            cited.record = discharged(
                cited.record, record.items, endorsed=move.closes, unconditional=body.boolean("unconditional")
            )
            goods = close_import(goods, cited.serial, cited.record)
            self._vouchers.put((carnet.line, cited.serial), cited)
        self._vouchers.put((carnet.line, entry.serial), entry)
        self.goods.put(carnet.line, goods)

    def _refused(self, receipt: Receipt, _creator: str, _body: Fields) -> None:
        carnet, entry = self.carnet_of(receipt.body), self.voucher_of(receipt.body)
        entry.record = replace(entry.record, state=VoucherState.REFUSED)
        self._vouchers.put((carnet.line, entry.serial), entry)

    def _settled(self, receipt: Receipt, _creator: str, body: Fields) -> None:
        carnet, entry, items = (
            self.carnet_of(receipt.body),
            self.voucher_of(receipt.body),
            read_pieces(body, "items"),
        )
        entry.record = discharged(entry.record, items, endorsed=True, unconditional=True)
        self._vouchers.put((carnet.line, entry.serial), entry)
        goods = settled(self.goods_of(carnet), entry.record.country, items)
        self.goods.put(carnet.line, close_import(goods, entry.serial, entry.record))

    def _claimed(self, receipt: Receipt, creator: str, body: Fields) -> None:
        carnet, serial = self.carnet_of(receipt.body), body.integer("voucher")
        entry = CarnetClaimEntry(
            carnet=carnet.id,
            serial=serial,
            customs=creator,
            association=body.text("association"),
            root=receipt.documents[0],
            fine=bytes.fromhex(body.text("fine")),
            opened=place_of(receipt),
            findings=receipt.findings,
        )
        self.claims.put(entry.id, entry)
        goods = self.goods_of(carnet)
        self.goods.put(carnet.line, replace(goods, open_claims=(*goods.open_claims, serial)))

    def _decided(self, receipt: Receipt, _creator: str, body: Fields) -> None:
        carnet, serial = self.carnet_of(receipt.body), body.integer("voucher")
        entry = self.claim_of(receipt.body)
        entry.fine = bytes.fromhex(body.text("fine"))
        if receipt.type == "carnet.close":
            entry.is_closed = True
            goods = self.goods_of(carnet)
            goods = replace(
                goods,
                open_claims=tuple(known for known in goods.open_claims if known != serial),
                open_imports=tuple(known for known in goods.open_imports if known != serial),
            )
            self.goods.put(carnet.line, goods)
        self.claims.put(entry.id, entry)


def _serial(body: Mapping[str, Value], name: str) -> int:
    serial = body.get(name)
    if type(serial) is not int:
        raise TypeError(f"{name} is no serial")
    return serial


_Fold = Callable[[CarnetRegister, Receipt, str, Fields], None]


def _into(state: CarnetState) -> _Fold:
    def fold(register: CarnetRegister, receipt: Receipt, _creator: str, _body: Fields) -> None:
        carnet = register.carnet_of(receipt.body)
        carnet.state = state
        register.carnets.put(carnet.id, carnet)

    return fold


_FOLDS: dict[str, _Fold] = {
    "carnet.apply": CarnetRegister._applied,
    "carnet.secure": _into(CarnetState.SECURED),
    "carnet.issue": CarnetRegister._issued,
    "carnet.activate": _into(CarnetState.ACTIVE),
    "carnet.return": _into(CarnetState.RETURNED),
    "carnet.discharge": _into(CarnetState.DISCHARGED),
    "carnet.replace": CarnetRegister._replaced,
    "carnet.present": CarnetRegister._presented,
    "carnet.endorse": CarnetRegister._endorsed,
    "carnet.refuse": CarnetRegister._refused,
    "carnet.settle": CarnetRegister._settled,
    "carnet.claim": CarnetRegister._claimed,
    "carnet.decide": CarnetRegister._decided,
    "carnet.close": CarnetRegister._decided,
}
