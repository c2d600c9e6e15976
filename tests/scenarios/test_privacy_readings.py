"""What an organization may read is held against what its keys open in what it holds."""

from __future__ import annotations

import logging
from dataclasses import replace
from random import Random

import pytest

from ledger.contracts.carnet import CarnetRecord, CarnetState
from ledger.contracts.records import DocumentRecord, DocumentState
from ledger.genesis import Genesis
from ledger.keys import BoxKey, SigningKey
from p2p.framecodec import encode_frame
from p2p.frames import EnvelopeFrame
from scenarios.agents.wallet import Wallet
from scenarios.agents.witness import Witness
from scenarios.judging.checks.check import FinalState
from scenarios.judging.checks.confidentiality import Confidentiality
from scenarios.model.catalog import load_scenario
from scenarios.network.asked import founding_of
from scenarios.privacy.entitlement import entitlement_of
from scenarios.privacy.leaks import Canary, LeakSearch
from scenarios.privacy.programlog import ProgramLog
from scenarios.privacy.reach import Reach
from scenarios.privacy.readings import Readings, compare

FIELDS = {"kind": "NAFTA-434", "producer_name": "Secret Cannery of the North", "hs6": "160414"}
DISK = "node.db of importer's node"


@pytest.fixture(scope="module")
def genesis() -> Genesis:
    return founding_of(load_scenario("nafta-certificate"), "1").genesis


class Desk:
    """Wallets of one witness, one document by the exporter, and its envelope for the importer without producer."""

    def __init__(self, genesis: Genesis) -> None:
        self.genesis = genesis
        self.witness = Witness()
        self.boxes = {o.id: BoxKey(Random(o.id).randbytes(32)) for o in genesis.organizations}
        self.wallets = {
            name: Wallet(
                name,
                genesis.network,
                SigningKey.from_seed(Random(name).randbytes(32)),
                box,
                Random(1),
                witness=self.witness,
            )
            for name, box in self.boxes.items()
        }
        self.root = self.wallets["exporter"].commit(dict(FIELDS))
        self.records: dict[bytes, DocumentRecord] = {}
        self.carnets: dict[bytes, CarnetRecord] = {}
        self.search = LeakSearch()
        self.reach = Reach(self.search)

    def meant(self, to: str, *names: str) -> bytes:
        self.wallets["exporter"].mean(self.root, to, names)
        return self.sealed(to, *names)

    def sealed(self, to: str, *names: str) -> bytes:
        return self.wallets["exporter"].seal(self.root, to, self.boxes[to].public, names)

    def frame(self, sealed: bytes, to: str = "importer") -> None:
        self.reach.put_frame("ENVELOPE", "exporter", to, encode_frame(EnvelopeFrame(self.root, sealed)))

    def put(self, data: bytes, place: str = DISK, holder: str = "importer", *, at_rest: bool = True) -> None:
        self.reach.put(place, [holder], data, at_rest=at_rest)

    def record(self, *readers: str, state: DocumentState = DocumentState.ANCHORED) -> None:
        self.records[self.root] = DocumentRecord("commercial", "exporter", readers, None, 0, state)

    def compared(self) -> Readings:
        entitlement = entitlement_of(self.witness, self.records, self.genesis, self.carnets)
        return compare(entitlement, self.reach, self.wallets)


@pytest.fixture
def desk(genesis: Genesis) -> Desk:
    return Desk(genesis)


def test_what_arrived_is_read_and_what_did_not_is_told_and_no_leak(desk: Desk) -> None:
    sealed = desk.meant("importer", "kind", "hs6")
    desk.meant("cbp", *FIELDS)
    desk.frame(sealed)
    readings = desk.compared()
    assert readings.leaks == {}
    assert readings.pairs == readings.as_entitled == 5 * 3
    seen = {name: (a.documents, a.may, a.could, a.undelivered) for name, a in readings.accounts.items()}
    assert seen == {
        "exporter": (1, 3, 3, 0),
        "importer": (1, 2, 2, 0),
        "cbp": (0, 3, 0, 3),
        "noaa": (0, 0, 0, 0),
        "chamber": (0, 0, 0, 0),
    }


def test_more_than_was_meant_is_a_leak_of_that_field_alone(desk: Desk) -> None:
    desk.meant("importer", "kind", "hs6")
    desk.frame(desk.sealed("importer", *FIELDS))
    readings = desk.compared()
    (leak,) = readings.leaks
    assert leak.startswith("importer could read exporter's document ")
    assert leak.endswith(".producer_name, which it may not: in a ENVELOPE frame from exporter to importer")
    assert readings.as_entitled == readings.pairs - 1


def test_one_the_ledger_does_not_name_may_not_read_whatever_was_meant(desk: Desk) -> None:
    desk.record("importer")
    desk.frame(desk.meant("noaa", "kind"), "noaa")
    assert desk.compared().leaks == {}, "an authority may be shown what anybody has"
    desk.frame(desk.meant("chamber", "kind"), "chamber")
    (leak,) = desk.compared().leaks
    assert leak.startswith("chamber could read ")


def test_where_the_ledger_names_nobody_what_was_meant_counts(desk: Desk) -> None:
    desk.record()
    desk.frame(desk.meant("chamber", "kind"), "chamber")
    assert desk.compared().leaks == {}


def test_the_parties_of_a_carnet_may_pass_on_what_is_about_it(desk: Desk) -> None:
    desk.frame(desk.meant("chamber", "kind"), "chamber")
    claim = DocumentRecord("official", "exporter", ("importer",), "carnet-claim/ab/1", 0)
    desk.records[desk.root] = claim
    assert len(desk.compared().leaks) == 1
    desk.records[b"booklet"] = DocumentRecord("commercial", "importer", ("chamber",), "carnet/ab", 0)
    assert desk.compared().leaks == {}


@pytest.mark.parametrize("id_of", ["origin", "successor"])
def test_the_association_that_guarantees_what_another_issued_is_a_party_too(desk: Desk, id_of: str) -> None:
    first, lost = b"\xab" * 16, id_of == "successor"
    desk.frame(desk.meant("chamber", "kind"), "chamber")
    desk.records[desk.root] = DocumentRecord(
        "official", "exporter", ("importer",), f"carnet-claim/{first.hex()}/1", 0
    )
    carnet = CarnetRecord(CarnetState.ACTIVE, first, "importer", "noaa", bytes(32), guarantor="chamber")
    desk.carnets[b"\xcd" * 16 if lost else first] = replace(carnet, guarantor=None)
    assert len(desk.compared().leaks) == 1
    desk.carnets = {b"\xcd" * 16 if lost else first: carnet}
    assert desk.compared().leaks == {}


@pytest.mark.parametrize("disguise", [bytes, lambda data: data.hex().encode()])
def test_an_envelope_in_bytes_that_are_no_row_is_within_reach(disguise, desk: Desk) -> None:  # type: ignore[no-untyped-def]
    desk.meant("importer", "kind")
    sealed = desk.sealed("importer", "kind", "hs6")
    desk.reach.expect(desk.witness.sealed)
    desk.put(b"a free page " + disguise(sealed) + b" and its end")
    (leak,) = desk.compared().leaks
    assert leak.endswith(f".hs6, which it may not: in {DISK}")


def test_an_envelope_no_wallet_told_of_is_opened_where_a_row_or_a_frame_has_it(desk: Desk) -> None:
    sealed = desk.sealed("importer", "hs6")
    desk.witness.sealed.clear()
    desk.reach.put_row("importer", "inbox", sealed)
    (leak,) = desk.compared().leaks
    assert leak.endswith(".hs6, which it may not: in table inbox of importer's node")


def test_a_purged_document_may_be_in_old_frames_and_on_no_disk(desk: Desk) -> None:
    sealed = desk.meant("importer", "kind", "hs6")
    desk.reach.expect(desk.witness.sealed)
    desk.record("importer", state=DocumentState.PURGED)
    desk.frame(sealed)
    readings = desk.compared()
    assert readings.leaks == {}
    assert readings.accounts["importer"].purged == 2
    desk.put(sealed[:40], "node.db-wal of importer's node")
    readings = desk.compared()
    assert len(readings.leaks) == 2
    assert all("which is purged: in node.db-wal of importer's node" in leak for leak in readings.leaks)


def test_what_was_sealed_to_an_old_key_counts_after_a_rotation(desk: Desk) -> None:
    desk.frame(desk.sealed("importer", "hs6"))
    importer = desk.wallets["importer"]
    importer.take_keys(*importer.draw_keys())
    assert len(desk.compared().leaks) == 1


def test_what_lies_open_is_read_by_whoever_holds_the_place(desk: Desk) -> None:
    name = desk.witness.documents[desk.root].place("producer_name")
    desk.search.add([Canary(name, b"Secret Cannery of the North")])
    desk.put(b"error: Secret Cannery of the North", "an error", "noaa", at_rest=False)
    readings = desk.compared()
    assert readings.pairs - readings.as_entitled == 1
    assert readings.accounts["noaa"].could == 1


def test_the_check_reports_both_and_is_exercised_by_pairs_but_not_where_nothing_was_searched(
    desk: Desk,
) -> None:
    name = desk.witness.documents[desk.root].place("producer_name")
    desk.search.add([Canary(name, b"Secret Cannery of the North")])
    sealed = desk.sealed("importer", "hs6")
    check = Confidentiality(desk.search, lambda _final: desk.compared())
    final = FinalState([], {})
    check.finish(final)
    assert (check.exercised, check.violations) == (0, []), "nothing was searched, so nothing was shown"
    desk.frame(sealed)
    desk.put(b"Secret Cannery of the North")
    check.finish(final)
    assert check.exercised == 15
    assert [v.text for v in check.violations] == [
        f"{name} stands in {DISK} (raw)",
        f"importer could read {name.replace('producer_name', 'hs6')}, which it may not: "
        "in a ENVELOPE frame from exporter to importer",
    ]


def test_a_harmed_envelope_frame_is_searched_and_no_error(desk: Desk) -> None:
    desk.meant("importer", "kind")
    frame = encode_frame(EnvelopeFrame(desk.root, desk.sealed("importer", "kind")))
    desk.reach.put_frame("ENVELOPE", "exporter", "importer", frame[:-9])
    assert desk.search.bytes_searched == len(frame) - 9
    assert desk.compared().leaks == {}


def test_the_program_s_log_is_kept_while_a_run_lasts() -> None:
    log = ProgramLog()
    logger = logging.getLogger("somewhere")
    with log:
        logger.warning("one %s", "line")
        logger.warning("one %s", "line")
    logger.warning("afterwards")
    assert list(log.lines) == ["one line"]
