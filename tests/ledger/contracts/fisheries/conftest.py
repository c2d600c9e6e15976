"""The fisheries side of the small pilot: a form drafted, endorsed and filed."""

from __future__ import annotations

import pytest

from ledger.codes import Code
from ledger.contracts.fisheries import Form370Record, read_form370
from ledger.encoding import Value
from ledger.receipt import Receipt
from ledger.state import form370_key

FORM = bytes([3]) * 16
CHAIN = (("acme", "exporter"), ("cannery", "processor"), ("globex", "importer"))


class Fisheries:
    """Acts about one form, each in a block of its own."""

    def __init__(self, pilot) -> None:
        self.pilot = pilot

    def draft(
        self, creator: str = "acme", form: bytes = FORM, on: str = "2018-09-04", **changes: Value
    ) -> Receipt:
        body: dict[str, Value] = {
            "form370": form,
            "shipment": "TUN-1",
            "custody": [{"organization": who, "role": role} for who, role in CHAIN],
            "addressees": ["noaa", "cbp"],
        }
        return self.pilot.act(creator, "fisheries.draft", body | changes, on=on, document=True)

    def endorse(self, creator: str, on: str = "2018-09-05", form: bytes = FORM, **changes: Value) -> Receipt:
        body: dict[str, Value] = {"form370": form, "signed_on": on, "addressees": ["noaa"]}
        return self.pilot.act(creator, "fisheries.endorse", body | changes, on=on, document=True)

    def file(
        self, creator: str = "globex", on: str = "2018-09-12", form: bytes = FORM, **changes: Value
    ) -> Receipt:
        body: dict[str, Value] = {
            "form370": form,
            "entry": "SX7-1000418-2",
            "import_on": "2018-09-12",
            "addressees": ["noaa", "cbp"],
            "fine": bytes(32),
        }
        return self.pilot.act(creator, "fisheries.file", body | changes, on=on, document=True)

    def decide(self, creator: str, event: str, *, on: str | None = None) -> Receipt:
        kind = f"fisheries.{event}"
        body: dict[str, Value] = {"form370": FORM}
        if event != "respond":
            body |= {"fine": bytes([9]) * 32, "addressees": ["globex"]}
        return self.pilot.act(creator, kind, body, on=on, document=True)

    def permit(self, first: str = "2018-01-01", last: str = "2018-12-31", holder: str = "globex") -> Receipt:
        return self.pilot.act("noaa", "fisheries.permit", {"holder": holder, "from": first, "to": last})

    def filed(self) -> None:
        """A form that everyone endorsed, filed in time under a permit."""
        assert self.permit().code is Code.VALID
        assert self.draft().code is Code.VALID
        for who, _ in CHAIN:
            assert self.endorse(who).code is Code.VALID
        assert (self.file().code, self.record().findings) == (Code.VALID, ())

    def record(self, form: bytes = FORM) -> Form370Record:
        data = self.pilot.ledger.state.get(form370_key(form))
        assert data is not None
        return read_form370(data)


@pytest.fixture
def fisheries(pilot) -> Fisheries:
    return Fisheries(pilot)
