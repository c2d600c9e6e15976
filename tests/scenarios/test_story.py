"""One claim, document or transaction of a run, told from its folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from ledger.contracts.rules import RULES
from scenarios.errors import RefusedError
from scenarios.model.catalog import load_scenario
from scenarios.record.eventbook import EventBook
from scenarios.record.runfolder import RunFolder
from scenarios.telling.acts import ACTS
from scenarios.telling.narration import STORY_SENTENCES
from scenarios.telling.story import tell

FILED, OTHER = "ab12cd" + "0" * 58, "ab12cd" + "1" * 58
SCENARIO = load_scenario("nafta-certificate")


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    clock = [1_537_363_800_000]
    book = EventBook(lambda: clock[0], lambda: 0)
    book.add(
        "certificate.issued", {"certificate": "c1", "organization": "exporter", "addressees": ["importer"]}
    )
    book.add("transaction.accepted", {"id": FILED, "node": "importer"})
    book.add("block.executed", {"node": "noaa", "height": 5, "receipts": [f"{FILED}:VALID::"]})
    book.add("block.certified", {"node": "noaa", "height": 4})
    book.add("block.certified", {"node": "noaa", "height": 5})
    book.add("block.certified", {"node": "noaa", "height": 6})
    receipt = {
        "id": FILED, "type": "claim.file", "creator": "importer", "code": "VALID", "rule": None, "height": 5,
        "findings": ["SUMMARY_LATE"], "claim": "e1", "certificate": "c1",
    }  # fmt: skip
    book.add("receipt", receipt, public=True)
    book.add(
        "receipt",
        {**receipt, "id": OTHER, "claim": "e2", "code": "RULE_VIOLATED", "rule": "WINDOW"},
        public=True,
    )
    clock[0] += 86_400_000
    book.add("claim.state", {"claim": "e1", "state": "ALLOWED", "organization": "cbp"})
    run = RunFolder.create(tmp_path, "nafta-certificate", "7")
    run.write_events(book.events)
    return run


def test_a_claims_story_says_what_it_rests_on(folder: RunFolder) -> None:
    head, filing, decision = tell(folder, SCENARIO, "e1")
    assert head == "claim e1: entry SX7-1000418-2 line 1, NAFTA MX, by importer on certificate c1"
    assert filing.startswith(
        "2018-09-19 09:30  importer  files a claim [block 5, SUMMARY_LATE, transaction ab"
    )
    assert decision == "2018-09-20 09:30  cbp       claim e1 is ALLOWED"


def test_a_refused_act_names_its_rule(folder: RunFolder) -> None:
    assert "files a claim: refused, RULE_VIOLATED WINDOW [block 5, " in tell(folder, SCENARIO, "e2")[1]


def test_a_documents_story_has_its_own_acts_and_those_on_it(folder: RunFolder) -> None:
    told = tell(folder, SCENARIO, "c1")
    assert told[0] == "document c1: nafta-434, issued by exporter for importer, cbp"
    assert len(told) == 4
    assert "signs and anchors certificate c1" in told[1]


def test_a_transactions_story_goes_from_node_to_node_and_names_the_first_certificate(
    folder: RunFolder,
) -> None:
    told = tell(folder, SCENARIO, FILED[:12])
    assert told[0] == f"transaction {FILED}"
    assert [line.split("  ", 1)[1].split(None, 1)[1] for line in told[1:4]] == [
        "has accepted it: durable here", "has executed it in block 5", "has it certified, with height 5",
    ]  # fmt: skip
    assert len(told) == 5


def test_the_beginning_of_two_transactions_is_not_enough(folder: RunFolder) -> None:
    with pytest.raises(RefusedError, match="begins 2 transaction ids"):
        tell(folder, SCENARIO, "ab12cd")
    with pytest.raises(RefusedError, match="at least 6 hex digits"):
        tell(folder, SCENARIO, FILED[:5])


def test_what_the_run_does_not_know_is_refused_with_what_it_knows(folder: RunFolder) -> None:
    with pytest.raises(RefusedError, match='"e9" is no claim, document or transaction') as refused:
        tell(folder, SCENARIO, "e9")
    assert "e1, e2, e3, c1" in str(refused.value)


def test_a_claim_is_found_by_its_entry_too_and_a_document_by_its_root(folder: RunFolder) -> None:
    for name in ("SX7-1000418-2/1", "SX7-1000418-2"):
        assert tell(folder, SCENARIO, name) == tell(folder, SCENARIO, "e1")
    book = EventBook(lambda: 0, lambda: 0)
    anchored = {"type": "certificate.anchor", "certificate": "c1", "documents": ["c0ffee" * 10]}
    book.add(
        "receipt",
        {**anchored, "creator": "exporter", "code": "VALID", "id": OTHER, "height": 1, "findings": []},
    )
    folder.write_events(book.events)
    assert tell(folder, SCENARIO, "c0ffeec0") == tell(folder, SCENARIO, "c1")
    with pytest.raises(RefusedError, match="an entry line such as SX7"):
        tell(folder, SCENARIO, "c0ffe")


def test_a_forms_story_is_told_in_the_trades_words_by_name_entry_shipment_or_id(tmp_path: Path) -> None:
    scenario = load_scenario("tuna-matrix")
    book = EventBook(lambda: 1_537_363_800_000, lambda: 0)
    mine = {
        "form370": "driftnet",
        "organization": "exporter",
        "ledger_id": "ab" * 16,
        "custody": ["exporter"],
    }
    book.add("form370.drafted", mine, public=True)
    noaa = {"form370": "driftnet", "organization": "noaa"}
    receipt = {
        "type": "fisheries.open",
        "creator": "noaa",
        "code": "VALID",
        "id": FILED,
        "height": 5,
        "findings": [],
    }
    book.add("receipt", {**receipt, "form370": "driftnet", "documents": []}, public=True)
    book.add("form370.decided", noaa, public=True)
    book.add("form370_defect.state", {**noaa, "form370_defect": "driftnet", "state": "DRIFTNET"})
    book.add("form370.state", {**noaa, "state": "REJECTED"})
    told = {"form370": "driftnet", "organization": "importer", "state": None, "believed": False}
    book.add("form370.received", told)
    run = RunFolder.create(tmp_path, "tuna-matrix", "7")
    run.write_events(book.events)
    head, *lines = tell(run, scenario, "driftnet")
    assert head.startswith("form driftnet: NOAA Form 370, shipment PMA-1818, declared 5A")
    assert [line.split("  ", 1)[1].split(None, 1)[1] for line in lines] == [
        "drafts form driftnet for custody of exporter",
        f"acts on form driftnet; how is not public [block 5, no finding, transaction {FILED[:12]}]",
        "finds DRIFTNET in form driftnet",
        "rejects form driftnet",
        "has a decision on form driftnet that does not open the commitment on the ledger",
    ]
    for name in (scenario.forms["driftnet"].entry, "PMA-1818", "ab" * 16, "abababab"):
        assert tell(run, scenario, name) == [head, *lines]


def test_every_type_of_transaction_has_words():
    assert set(ACTS) == set(RULES)


@pytest.mark.parametrize("subject", [{"certificate": "c1"}, {"claim": "e1"}])
def test_a_notice_is_told_whatever_it_is_about(subject: dict[str, str]) -> None:
    assert next(iter(subject.values())) in STORY_SENTENCES["notice.received"](subject)
