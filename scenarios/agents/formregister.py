"""What an agent knows of forms 370 and permits from certified receipts alone.

Rules:
- Only VALID receipts change the register, in the order of the log; any member could keep the same one.
- Most of it lies in a real file without a name.
- Anchored documents are remembered with who anchored them and when, by whoever holds evidence against its anchor.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import dataclass

from ledger.codes import Code
from ledger.fields import Fields
from ledger.genesis import Role
from scenarios.agents.client import Receipt
from scenarios.agents.register import Place, place_of
from scenarios.filed import FiledEntries, FiledMap


@dataclass(slots=True)
class HopEntry:
    """One party that takes custody; `endorsed` and `root` once it has endorsed."""

    organization: str
    role: Role
    endorsed: Place | None = None
    root: bytes | None = None


@dataclass(slots=True, weakref_slot=True)
class FormEntry:
    """A form 370 as any member sees it."""

    id: str
    issuer: str
    shipment: str
    hops: list[HopEntry]
    root: bytes
    drafted: Place
    entry: str = ""
    import_on: datetime.date | None = None
    filed: Place | None = None
    filing_root: bytes = b""
    fine: bytes = b""
    findings: tuple[str, ...] = ()

    @property
    def importer(self) -> str:
        """The party at the end of the chain, who files."""
        return self.hops[-1].organization

    @property
    def is_endorsed(self) -> bool:
        """Whether every party of the chain has endorsed."""
        return all(hop.endorsed is not None for hop in self.hops)

    @property
    def last_endorser(self) -> str | None:
        """Who endorsed last, if every party has endorsed."""
        if not self.is_endorsed:
            return None
        return max(self.hops, key=lambda hop: -1 if hop.endorsed is None else hop.endorsed.index).organization

    def is_endorsed_by(self, organization: str) -> bool:
        """Whether an organization of the chain has endorsed."""
        hop = self.hop_of(organization)
        return hop is not None and hop.endorsed is not None

    def hop_of(self, organization: str) -> HopEntry | None:
        """Return an organization's place in the chain, or None."""
        return next((hop for hop in self.hops if hop.organization == organization), None)


class FormRegister:
    """Forms and permits, by form id and importer.

    Args:
        remembers_anchors: whether to keep in `anchored` who anchored which document.
    """

    def __init__(self, *, remembers_anchors: bool = False) -> None:
        self._remembers_anchors = remembers_anchors
        self.forms: FiledEntries[str, FormEntry] = FiledEntries()
        self.permits: dict[str, tuple[datetime.date, datetime.date]] = {}
        self.anchored: FiledMap[bytes, tuple[str, Place]] = FiledMap()

    def take(self, receipt: Receipt) -> None:
        """Take one certified receipt into account."""
        if receipt.code != Code.VALID or receipt.type is None or receipt.creator is None:
            return
        for root in receipt.documents if self._remembers_anchors else ():
            if root not in self.anchored:
                self.anchored.put(root, (receipt.creator, place_of(receipt)))
        fold = _FOLDS.get(receipt.type)
        if fold is not None:
            fold(self, receipt, receipt.creator, Fields(dict(receipt.body), receipt.type))

    def form_of(self, receipt: Receipt) -> FormEntry:
        """Return the form that a receipt's body names."""
        return self.forms[str(receipt.body["form370"])]

    def concerns(self, receipt: Receipt, organization: str) -> bool:
        """Say whether a receipt is about a form in whose chain of custody an organization is."""
        form = self.forms.get(str(receipt.body.get("form370")))
        return form is not None and form.hop_of(organization) is not None

    def has_permit(self, importer: str, day: datetime.date) -> bool:
        """Say whether an importer's permit is in force on a day."""
        permit = self.permits.get(importer)
        return permit is not None and permit[0] <= day <= permit[1]

    def _granted(self, _receipt: Receipt, _creator: str, body: Fields) -> None:
        self.permits[body.text("holder")] = (body.date("from"), body.date("to"))

    def _drafted(self, receipt: Receipt, creator: str, body: Fields) -> None:
        hops = [Fields(item, "custody") for item in body.items("custody", 1000)]
        form = body.text("form370")
        entry = FormEntry(
            id=form,
            issuer=creator,
            shipment=body.text("shipment"),
            hops=[HopEntry(hop.text("organization"), Role(hop.text("role"))) for hop in hops],
            root=receipt.documents[0],
            drafted=place_of(receipt),
        )
        self.forms.put(form, entry)

    def _endorsed(self, receipt: Receipt, creator: str, _body: Fields) -> None:
        form = self.form_of(receipt)
        hop = form.hop_of(creator)
        if hop is not None:
            hop.endorsed, hop.root = place_of(receipt), receipt.documents[0]
        form.findings = (*form.findings, *receipt.findings)
        self.forms.put(form.id, form)

    def _filed(self, receipt: Receipt, _creator: str, body: Fields) -> None:
        form = self.form_of(receipt)
        form.entry, form.import_on = body.text("entry"), body.date("import_on")
        form.filed, form.filing_root = place_of(receipt), receipt.documents[0]
        form.fine = bytes.fromhex(body.text("fine"))
        form.findings = (*form.findings, *receipt.findings)
        self.forms.put(form.id, form)

    def _decided(self, receipt: Receipt, _creator: str, body: Fields) -> None:
        form = self.form_of(receipt)
        form.fine = bytes.fromhex(body.text("fine"))
        self.forms.put(form.id, form)


_Fold = Callable[[FormRegister, Receipt, str, Fields], None]

_FOLDS: dict[str, _Fold] = {
    "fisheries.permit": FormRegister._granted,
    "fisheries.draft": FormRegister._drafted,
    "fisheries.endorse": FormRegister._endorsed,
    "fisheries.file": FormRegister._filed,
    "fisheries.open": FormRegister._decided,
    "fisheries.act": FormRegister._decided,
    "fisheries.close": FormRegister._decided,
}
