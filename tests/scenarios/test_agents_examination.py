"""What Customs finds wrong: each defect alone, from papers as they are opened."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import replace

import pytest

from ledger.contracts import FineState, fine_commitment
from ledger.documents import Private
from ledger.encoding import Value
from scenarios.agents.examination import Defect, Evidence, examine, examine_answer
from scenarios.agents.papers import CODE_FIELDS, Paper, PaperError, PaperKind, open_fields
from scenarios.agents.register import CertificateEntry, ClaimEntry, Place

SALT = bytes(range(16))
ROOT = bytes(range(32))
ENTRY_ON, IMPORT_ON = datetime.date(2018, 9, 13), datetime.date(2018, 9, 12)
FORM: dict[str, Value] = {
    "signed_on": "2018-09-04",
    "blanket_from": "2018-09-01",
    "blanket_to": "2019-08-31",
    "goods.1.hs6": "160414",
    "goods.1.criterion": "B",
    "goods.1.origin": "MX",
    "goods.2.hs6": "0304.87",
    "goods.2.criterion": "B",
    "goods.2.origin": "US",
}
LINE: dict[str, Value] = {
    "spi": "MX",
    "entry_on": "2018-09-13",
    "import_on": "2018-09-12",
    "hts": "1604.14.2291",
    "quantity": 21600,
    "unit": "kg",
    "value_usd": 104760,
    "invoice": "ABM-1",
    "salt": SALT,
}
ANSWER: dict[str, Value] = {
    "certificate": "ab" * 16,
    "certificate_root": ROOT,
    "acknowledgement": bytes(32),
    "invoice": "ABM-1",
    "invoice_quantity": 21600,
    "invoice_unit": "kg",
    "invoice_value_usd": 104760,
}


def place(index: int) -> Place:
    return Place(bytes(32), index, 1, 1_536_000_000_000 + index)


def paper(kind: PaperKind, fields: Mapping[str, Value], **changes: Value) -> Paper:
    merged = {name: value for name, value in {**fields, **changes}.items() if value is not None}
    return Paper(kind, ROOT, {name: Private(value) for name, value in merged.items()})


def claim() -> ClaimEntry:
    return ClaimEntry(
        entry="SX7-1000418-2",
        line=1,
        importer="importer",
        spi="MX",
        certificate="ab" * 16,
        entry_on=ENTRY_ON,
        import_on=IMPORT_ON,
        post=False,
        fine=bytes(32),
        filed=place(9),
        findings=(),
    )


def certificate() -> CertificateEntry:
    return CertificateEntry(
        id="ab" * 16,
        issuer="exporter",
        root=ROOT,
        signed_on=datetime.date(2018, 9, 4),
        blanket=(datetime.date(2018, 9, 1), datetime.date(2019, 8, 31)),
        addressees=("importer", "cbp"),
        anchored=place(1),
        acknowledged={"importer": place(4)},
    )


def evidence() -> Evidence:
    return Evidence(
        claim=claim(),
        committed=fine_commitment(SALT, "SX7-1000418-2", 1, FineState.CLAIMED),
        certificate=certificate(),
        entry_line=paper(PaperKind.ENTRY_LINE, LINE),
        certificate_paper=paper(PaperKind.CERTIFICATE, FORM),
    )


def test_sound_claim_has_no_defect_before_or_after_its_answer() -> None:
    assert examine(evidence()) == ()
    assert examine_answer(evidence(), paper(PaperKind.ANSWER, ANSWER)) == ()


@pytest.mark.parametrize(
    ("changes", "defect"),
    [
        ({"spi": "CA"}, Defect.DIFFERS_FROM_CLAIM),
        ({"import_on": "2018-09-11"}, Defect.DIFFERS_FROM_CLAIM),
        ({"hts": "1604.20.0500"}, Defect.HS_MISMATCH),
        ({"hts": "0304.87.0000"}, Defect.ORIGIN_MISMATCH),
        ({"salt": bytes(16)}, Defect.COMMITMENT_NOT_OPENED),
        ({"salt": b"short"}, Defect.COMMITMENT_NOT_OPENED),
        ({"hts": None}, Defect.UNREADABLE),
        ({"entry_on": "soon"}, Defect.UNREADABLE),
    ],
)
def test_entry_line_is_held_against_claim_and_certificate(changes: dict[str, Value], defect: Defect) -> None:
    line = paper(PaperKind.ENTRY_LINE, LINE, **changes)
    assert examine(replace(evidence(), entry_line=line)) == (defect.value,)


@pytest.mark.parametrize(
    ("changes", "defect"),
    [
        ({"signed_on": "2018-09-05"}, Defect.DIFFERS_FROM_ANCHOR),
        ({"blanket_to": "2019-12-31"}, Defect.DIFFERS_FROM_ANCHOR),
        ({"goods.1.criterion": None}, Defect.NO_CRITERION),
        ({"goods.1.origin": "CA"}, Defect.ORIGIN_MISMATCH),
        ({"goods.1.hs6": None}, Defect.HS_MISMATCH),
    ],
)
def test_certificate_is_held_against_its_anchor_and_the_goods(
    changes: dict[str, Value], defect: Defect
) -> None:
    form = paper(PaperKind.CERTIFICATE, FORM, **changes)
    assert examine(replace(evidence(), certificate_paper=form)) == (defect.value,)


def test_joint_origin_goes_with_either_indicator() -> None:
    form = paper(PaperKind.CERTIFICATE, FORM, **{"goods.1.origin": "JNT"})
    assert examine(replace(evidence(), certificate_paper=form)) == ()


def test_missing_papers_are_defects() -> None:
    assert examine(replace(evidence(), entry_line=None)) == (Defect.NO_ENTRY_LINE.value,)
    assert examine(replace(evidence(), certificate_paper=None)) == (Defect.CERTIFICATE_NOT_SEEN.value,)
    assert examine(replace(evidence(), certificate=None)) == (Defect.NO_CERTIFICATE.value,)


def test_findings_of_the_ledger_come_first() -> None:
    late = claim()
    late.findings = ("SUMMARY_LATE",)
    found = examine(replace(evidence(), claim=late, entry_line=None))
    assert found == ("SUMMARY_LATE", Defect.NO_ENTRY_LINE.value)


@pytest.mark.parametrize(
    ("changes", "defect"),
    [
        ({"certificate": "cd" * 16}, Defect.WRONG_CERTIFICATE),
        ({"certificate": None}, Defect.WRONG_CERTIFICATE),
        ({"certificate_root": bytes(32)}, Defect.WRONG_CERTIFICATE),
        ({"acknowledgement": None}, Defect.POSSESSION_NOT_PROVEN),
        ({"acknowledgement": ROOT}, Defect.POSSESSION_NOT_PROVEN),
        ({"invoice_quantity": 21599}, Defect.INVOICE_MISMATCH),
        ({"invoice_value_usd": None}, Defect.INVOICE_MISMATCH),
        ({"certificate": 5}, Defect.UNREADABLE),
    ],
)
def test_answer_is_held_against_ledger_and_entry_line(changes: dict[str, Value], defect: Defect) -> None:
    answer = paper(PaperKind.ANSWER, ANSWER, **changes)
    assert examine_answer(evidence(), answer) == (defect.value,)


def test_possession_proven_only_after_the_claim_is_none() -> None:
    late = certificate()
    late.acknowledged = {"importer": place(10)}
    found = examine_answer(replace(evidence(), certificate=late), paper(PaperKind.ANSWER, ANSWER))
    assert found == (Defect.POSSESSION_NOT_PROVEN.value,)


def test_anothers_possession_proves_nothing() -> None:
    other = certificate()
    other.acknowledged = {"rival": place(4)}
    found = examine_answer(replace(evidence(), certificate=other), paper(PaperKind.ANSWER, ANSWER))
    assert found == (Defect.POSSESSION_NOT_PROVEN.value,)


@pytest.mark.parametrize("answer", [None, paper(PaperKind.ENTRY_LINE, LINE)])
def test_answer_that_is_none_is_unreadable(answer: Paper | None) -> None:
    assert examine_answer(evidence(), answer) == (Defect.UNREADABLE.value,)


def test_faults_of_papers_name_the_field_and_never_the_value() -> None:
    secret = paper(PaperKind.ENTRY_LINE, LINE, entry_on="a secret place", salt="a secret text")
    for read in (
        lambda: secret.date("entry_on"),
        lambda: secret.raw("salt"),
        lambda: secret.text("quantity"),
        lambda: secret.text("missing"),
    ):
        with pytest.raises(PaperError) as caught:
            read()
        assert "secret" not in f"{caught.value} {caught.value.__cause__}"
        assert "21600" not in str(caught.value)
    assert "secret" not in repr(secret)


def test_open_fields_are_public_facts_code_words_and_members_names() -> None:
    fields: dict[str, Value] = {
        "spi": "MX",
        "goods.2.origin": "MX",
        "exporter_name": "Atunera",
        "producer_name": "Conservas",
        "hts": "1604.14",
    }
    assert open_fields(fields, ["Atunera"]) == {"spi", "goods.2.origin", "exporter_name"}
    assert not {"producer_name", "value_usd", "reason", "question", "salt"} & CODE_FIELDS
