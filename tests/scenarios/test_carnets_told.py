"""Carnets told: in a story, in a narration, in the tables at a run's end."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from ledger.contracts.carnet import CarnetFineState, VoucherKind
from p2p.observer import RecordField
from scenarios.model.catalog import load_scenario
from scenarios.record.eventbook import EventBook
from scenarios.record.runfolder import RunFolder
from scenarios.telling import carnets
from scenarios.telling.narration import Narrator
from scenarios.telling.story import tell
from scenarios.trial.history import History

SCENARIO = load_scenario("carnet-fraud")
DAY_MS = 86_400_000
START_MS = 1_538_402_400_000  # 2018-10-01 10:00 in New York


class Teller:
    """Tells the events of one voucher and of the claim on it, one a day."""

    def __init__(self) -> None:
        self.now_ms = START_MS
        self.book = EventBook(lambda: self.now_ms, lambda: 0)
        self.history = History()
        self.book.subscribe(self.history)

    def tell(self, name: str, **fields: RecordField) -> None:
        self.book.add(name, {"time_ms": self.now_ms, **fields}, public=True)
        self.now_ms += DAY_MS

    def receipt(self, act: str, **fields: RecordField) -> None:
        plain: dict[str, RecordField] = {
            "type": act, "id": f"{self.now_ms:064x}", "code": "VALID", "rule": None, "creator": "cbsa",
            "height": 1, "findings": [], "body": "{}", "carnet": "k2", "documents": [],
        }  # fmt: skip
        self.tell("receipt", **plain | fields)


@pytest.fixture
def teller() -> Teller:
    told = Teller()
    told.receipt("carnet.present", voucher="k2/4", creator="showman")
    told.tell(
        "goods.presented", organization="showman", carnet="k2", voucher="k2/4", kind="REEXPORT", office="cbsa",
        items=["10 of item 1"],
    )  # fmt: skip
    told.receipt("carnet.endorse", voucher="k2/4", findings=["REEXPORT_LATE"])
    told.tell("goods.endorsed", organization="cbsa", carnet="k2", voucher="k2/4", findings=["REEXPORT_LATE"])
    told.receipt("carnet.claim", carnet="k1", carnet_claim="k1/2")
    for state in ("CLAIM_OPEN", "PROVISIONAL_DEPOSIT"):
        told.tell(
            "carnet_claim.state",
            organization="cbsa",
            carnet_claim="k1/2",
            state=state,
            is_first=state == "CLAIM_OPEN",
        )
    told.tell("phase")
    return told


def test_a_vouchers_story_says_what_the_ledger_found(teller: Teller, tmp_path: Path) -> None:
    run = RunFolder.create(tmp_path, "carnet-fraud", "1")
    run.write_events(teller.book.events)
    text = "\n".join(tell(run, SCENARIO, "k2/4"))
    assert text.startswith("voucher k2/4: voucher 4 of carnet k2, ATA carnet of showman, issued by council")
    assert "presents 10 of item 1 with voucher k2/4 to cbsa: they are to leave again" in text
    assert "stamps voucher k2/4 (REEXPORT_LATE)" in text
    claim = "\n".join(tell(run, SCENARIO, "k1/2"))
    assert "claim on voucher k1/2 is open" in claim
    assert "claim on voucher k1/2 rests on a provisional deposit" in claim


def test_narration_tells_what_a_claim_came_to_and_not_its_opening_twice(teller: Teller) -> None:
    out = io.StringIO()
    narrator = Narrator(Console(file=out, width=200), SCENARIO.zone)
    for event in teller.book.events:
        narrator(event)
    assert "rests on a provisional deposit" in out.getvalue()
    assert "is open" not in out.getvalue()


def test_the_tables_count_vouchers_and_show_findings(teller: Teller) -> None:
    out = io.StringIO()
    console = Console(file=out, width=200)
    console.print(carnets.carnet_table(SCENARIO, teller.history))
    console.print(carnets.carnet_claim_table(teller.history, SCENARIO.zone))
    line = next(line for line in out.getvalue().splitlines() if line.startswith("k2"))
    assert "showman" in line
    assert "1 of 1 stamped" in line
    assert "REEXPORT_LATE" in line
    assert "PROVISIONAL_DEPOSIT" in out.getvalue()


def test_every_kind_of_voucher_and_every_state_of_a_claim_has_its_words() -> None:
    for kind in VoucherKind:
        fields: dict[str, RecordField] = {
            "voucher": "k1/1",
            "kind": kind.value,
            "office": "cbp",
            "items": ["1 of item 1"],
        }
        assert carnets.CARNET_SENTENCES["goods.presented"](fields)
    for state in CarnetFineState:
        assert carnets.CARNET_SENTENCES["carnet_claim.state"]({"carnet_claim": "k1/2", "state": state.value})
