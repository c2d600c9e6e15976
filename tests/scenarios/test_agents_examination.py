"""What Customs finds wrong: each defect alone, from papers as they are opened."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import replace

import pytest

from ledger.contracts import FineState, fine_commitment
from ledger.documents import Private
from ledger.encoding import Value
from scenarios.agents.examination import CURABLE, Billed, Evidence, examine, examine_answer
from scenarios.agents.papers import CODE_FIELDS, Paper, PaperError, PaperKind, open_fields
from scenarios.agents.register import CertificateEntry, ClaimEntry, Place
from scenarios.model.defects import Defect

SALT = bytes(range(16))
ROOT = bytes(range(32))
ENTRY_ON, IMPORT_ON = datetime.date(2018, 9, 13), datetime.date(2018, 9, 12)
GOOD: dict[str, Value] = {
    "description": "Tuna, brand Ola",
    "criterion": "B",
    "producer_basis": "NO(2)",
    "net_cost": "NO",
}
FORM: dict[str, Value] = {
    "exporter_name": "Atunera",
    "exporter_address": "Mazatlán",
    "exporter_email": "sales@atunera.example",
    "exporter_tax_id": "ATU010203AB1",
    "producer": "UNKNOWN",
    "importer": "VARIOUS",
    "signed_on": "2018-09-04",
    "signer_name": "Ana Ruiz",
    "signer_title": "Manager",
    "company": "Atunera",
    "phone": "+52 669 555 0100",
    "email": "ana@atunera.example",
    "pages": 1,
    "blanket_from": "2018-09-01",
    "blanket_to": "2019-08-31",
    **{f"goods.1.{name}": value for name, value in {**GOOD, "hs6": "160414", "origin": "MX"}.items()},
    **{f"goods.2.{name}": value for name, value in {**GOOD, "hs6": "0304.87", "origin": "US"}.items()},
}
LINE: dict[str, Value] = {
    "basis": "CERTIFICATE",
    "port": "2709",
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


def paper(kind: str, fields: Mapping[str, Value], **changes: Value) -> Paper:
    merged = {name: value for name, value in {**fields, **changes}.items() if value is not None}
    return Paper(kind, ROOT, {name: Private(value) for name, value in merged.items()})


def claim() -> ClaimEntry:
    return ClaimEntry(
        entry="SX7-1000418-2",
        line=1,
        importer="importer",
        filer="importer",
        regime="NAFTA",
        spi="MX",
        certificate="ab" * 16,
        entry_on=ENTRY_ON,
        import_on=IMPORT_ON,
        shipment=None,
        post=False,
        fine=bytes(32),
        filed=place(9),
        findings=(),
    )


def certificate() -> CertificateEntry:
    return CertificateEntry(
        id="ab" * 16,
        form="NAFTA-434",
        issuer="exporter",
        root=ROOT,
        signed_on=datetime.date(2018, 9, 4),
        blanket=(datetime.date(2018, 9, 1), datetime.date(2019, 8, 31)),
        shipment=None,
        addressees=("importer", "cbp"),
        anchored=place(1),
        acknowledged={"importer": place(4)},
    )


def evidence() -> Evidence:
    return Evidence(
        claim=claim(),
        claimed_on=datetime.date(2018, 9, 20),
        committed=fine_commitment(SALT, "SX7-1000418-2", 1, FineState.CLAIMED),
        certificate=certificate(),
        entry_line=paper(PaperKind.ENTRY_LINE, LINE),
        certificate_paper=paper("NAFTA-434", FORM),
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
        ({"article": "brand Mar"}, Defect.NOT_IDENTICAL),
        ({"origin": "CA"}, Defect.ORIGIN_MISMATCH),
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
        ({"signer_title": None}, Defect.NOT_FILLED_IN),
        ({"goods.1.origin": "CA"}, Defect.ORIGIN_MISMATCH),
        ({"goods.1.hs6": "160420"}, Defect.HS_MISMATCH),
    ],
)
def test_certificate_is_held_against_its_anchor_and_the_goods(
    changes: dict[str, Value], defect: Defect
) -> None:
    form = paper("NAFTA-434", FORM, **changes)
    assert examine(replace(evidence(), certificate_paper=form)) == (defect.value,)


def test_a_criterion_that_cannot_be_true_of_the_goods_is_a_defect() -> None:
    form = paper("NAFTA-434", FORM, **{"goods.1.criterion": "E"})
    assert examine(replace(evidence(), certificate_paper=form)) == (Defect.CRITERION_MISMATCH.value,)


def two_brands(ola: str, mar: str) -> Paper:
    """A certificate for two brands of one subheading, each with its criterion."""
    mar_line = {**GOOD, "hs6": "160414", "origin": "MX", "description": "Tuna, brand Mar", "criterion": mar}
    lines = {f"goods.3.{name}": value for name, value in mar_line.items()}
    return paper("NAFTA-434", FORM, **{"goods.1.criterion": ola, **lines})


@pytest.mark.parametrize(
    ("ola", "mar", "article", "found"),
    [
        ("E", "B", "brand Ola", (Defect.CRITERION_MISMATCH.value,)),
        ("E", "B", "brand Mar", ()),
        ("B", "E", "brand Ola", ()),
        ("B", "E", "brand Mar", (Defect.CRITERION_MISMATCH.value,)),
        ("E", "B", None, ()),
        ("E", "E", None, (Defect.CRITERION_MISMATCH.value,)),
    ],
)
def test_a_criterion_is_held_against_the_goods_that_were_entered_and_no_others(
    ola: str, mar: str, article: str | None, found: tuple[str, ...]
) -> None:
    line = paper(PaperKind.ENTRY_LINE, LINE, article=article)
    assert examine(replace(evidence(), entry_line=line, certificate_paper=two_brands(ola, mar))) == found


def test_an_article_under_another_subheading_is_not_identical() -> None:
    form = paper("NAFTA-434", FORM, **{"goods.2.description": "Tuna, brand Mar"})
    line = paper(PaperKind.ENTRY_LINE, LINE, article="brand Mar")
    found = examine(replace(evidence(), entry_line=line, certificate_paper=form))
    assert found == (Defect.NOT_IDENTICAL.value,)


def test_a_form_without_criterion_is_not_filled_in_and_has_none() -> None:
    form = paper("NAFTA-434", FORM, **{"goods.1.criterion": None})
    found = examine(replace(evidence(), certificate_paper=form))
    assert found == (Defect.NOT_FILLED_IN.value, Defect.NO_CRITERION.value)
    assert set(found) <= CURABLE


def test_what_was_withheld_from_the_importer_is_no_fault() -> None:
    withheld = {"producer": "AVAILABLE TO CUSTOMS UPON REQUEST"}
    form = paper("NAFTA-434", FORM, **withheld)
    assert examine(replace(evidence(), certificate_paper=form)) == ()


def test_an_article_of_the_certificate_is_identical() -> None:
    line = paper(PaperKind.ENTRY_LINE, LINE, article="brand Ola", origin="MX")
    assert examine(replace(evidence(), entry_line=line)) == ()


def test_joint_origin_goes_with_either_indicator() -> None:
    form = paper("NAFTA-434", FORM, **{"goods.1.origin": "JNT"})
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
        ({"invoice": "ABM-2"}, Defect.INVOICE_MISMATCH),
        ({"invoice_quantity": 21599}, Defect.INVOICE_MISMATCH),
        ({"invoice_unit": "lb"}, Defect.INVOICE_MISMATCH),
        ({"invoice_value_usd": 104759}, Defect.INVOICE_MISMATCH),
        ({"invoice_value_usd": None}, Defect.INVOICE_MISMATCH),
        ({"certificate": 5}, Defect.UNREADABLE),
    ],
)
def test_answer_is_held_against_ledger_and_entry_line(changes: dict[str, Value], defect: Defect) -> None:
    answer = paper(PaperKind.ANSWER, ANSWER, **changes)
    assert examine_answer(evidence(), answer) == (defect.value,)


@pytest.mark.parametrize("name", ["quantity", "value_usd"])
def test_what_neither_entry_line_nor_answer_says_is_no_match(name: str) -> None:
    silent = replace(evidence(), entry_line=paper(PaperKind.ENTRY_LINE, LINE, **{name: None}))
    answer = paper(PaperKind.ANSWER, ANSWER, **{f"invoice_{name}": None})
    assert examine_answer(silent, answer) == (Defect.INVOICE_MISMATCH.value,)


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


# Without a certificate.


def without(regime: str, spi: str, **line: Value) -> Evidence:
    bare = claim()
    bare.certificate, bare.regime, bare.spi = None, regime, spi
    bare.findings = ("NO_POSSESSION",) if regime == "NAFTA" else ()
    return replace(
        evidence(),
        claim=bare,
        certificate=None,
        certificate_paper=None,
        entry_line=paper(PaperKind.ENTRY_LINE, {**LINE, "spi": spi}, **line),
    )


def invoice(**changes: Value) -> Paper:
    fields: dict[str, Value] = {
        "number": "ABM-1",
        "lines.1.quantity": 20000,
        "lines.1.unit": "kg",
        "lines.1.value_usd": 100000,
        "lines.2.quantity": 1600,
        "lines.2.unit": "kg",
        "lines.2.value_usd": 4760,
    }
    return paper(PaperKind.INVOICE, fields, **changes)


def test_knowledge_is_enough_where_the_agreement_says_so() -> None:
    assert examine(without("CAFTA-DR", "P", basis="KNOWLEDGE")) == ()
    assert examine(without("NAFTA", "MX", basis="KNOWLEDGE")) == ("NO_POSSESSION", "NO_CERTIFICATE")
    after = without("CAFTA-DR", "P", basis="KNOWLEDGE")
    after.claim.post = True
    assert examine(after) == ("NO_CERTIFICATE",)


def test_knowledge_that_is_asked_about_is_told() -> None:
    asked = without("CAFTA-DR", "P", basis="KNOWLEDGE")
    told = {name: value for name, value in ANSWER.items() if name.startswith("invoice")}
    assert examine_answer(asked, paper(PaperKind.ANSWER, told)) == ("NO_BASIS",)
    assert examine_answer(asked, paper(PaperKind.ANSWER, told, knowledge="we were there")) == ()


@pytest.mark.parametrize(("value_usd", "found"), [(2500, ()), (2501, ("NO_CERTIFICATE",))])
def test_up_to_2500_dollars_need_no_certificate(value_usd: int, found: tuple[str, ...]) -> None:
    assert examine(without("CAFTA-DR", "P+", basis="SMALL-VALUE", value_usd=value_usd)) == found


def test_under_nafta_the_invoice_of_a_small_shipment_bears_a_statement() -> None:
    small = without("NAFTA", "MX", basis="SMALL-VALUE", value_usd=2500)
    assert examine(small) == ("NO_POSSESSION", "NO_CERTIFICATE")
    bare = Billed(invoice(), 21600, 2500)
    assert examine(replace(small, billed=bare)) == ("NO_POSSESSION", "NO_CERTIFICATE")
    stated = Billed(invoice(statement="the goods are originating"), 21600, 2500)
    assert examine(replace(small, billed=stated)) == ()


def test_non_commercial_goods_need_no_certificate() -> None:
    assert examine(without("NAFTA", "MX", basis="NON-COMMERCIAL")) == ()


def test_a_series_needs_the_certificate_it_was_made_to_avoid() -> None:
    series = replace(without("CAFTA-DR", "P", basis="SMALL-VALUE", value_usd=2400), is_series=True)
    assert examine(series) == ("SERIES",)
    shown = certificate()
    shown.acknowledged = {"importer": place(12)}
    form = {**FORM, "goods.1.criterion": "TS"}
    cafta = {name: form[name] for name in form if name.startswith(("goods.", "signed", "blanket"))}
    answered = replace(series, shown=shown, shown_paper=paper("CAFTA-DR", cafta))
    found = examine_answer(answered, paper(PaperKind.ANSWER, ANSWER, invoice_value_usd=2400))
    assert found == (Defect.NOT_FILLED_IN.value,)


# Quantities, shipments, refusals.


@pytest.mark.parametrize(
    ("quantity", "value_usd", "found"),
    [(21600, 104760, ()), (21601, 104760, ("OVER_INVOICE",)), (21600, 104761, ("OVER_INVOICE",))],
)
def test_all_claims_on_an_invoice_together_stay_within_it(
    quantity: int, value_usd: int, found: tuple[str, ...]
) -> None:
    billed = Billed(invoice(), quantity, value_usd)
    assert examine(replace(evidence(), billed=billed)) == found


@pytest.mark.parametrize("changes", [{"number": "ABM-2"}, {"lines.1.unit": "lb", "lines.2.unit": "lb"}])
def test_an_invoice_of_other_things_is_none(changes: dict[str, Value]) -> None:
    billed = Billed(invoice(**changes), 1, 1)
    assert examine(replace(evidence(), billed=billed)) == ("INVOICE_MISMATCH",)


def test_a_shipment_at_two_ports_a_pattern_and_goods_refused_before_are_defects() -> None:
    assert examine(replace(evidence(), at_two_ports=True)) == ("TWO_PORTS",)
    assert examine(replace(evidence(), is_of_pattern=True)) == ("PATTERN",)
    assert examine(replace(evidence(), was_refused=True)) == ("REFUSED_BEFORE",)


# Paper, and corrected certificates.


@pytest.mark.parametrize(
    ("received_on", "found"),
    [
        ("2018-09-03", ("NO_POSSESSION", "POSSESSION_NOT_PROVEN")),
        ("2018-09-04", ()),
        ("2018-09-20", ()),
        ("2018-09-21", ("NO_POSSESSION", "POSSESSION_NOT_PROVEN")),
    ],
)
def test_a_slip_dated_between_signature_and_claim_proves_possession(
    received_on: str, found: tuple[str, ...]
) -> None:
    bare = claim()
    bare.certificate, bare.findings = None, ("NO_POSSESSION",)
    late = certificate()
    late.acknowledged = {"importer": place(12)}
    held = replace(
        evidence(), claim=bare, certificate=None, shown=late, shown_paper=evidence().certificate_paper
    )
    answer = paper(PaperKind.ANSWER, ANSWER, paper_received_on=received_on, paper_slip="DHL 1")
    assert examine_answer(held, answer) == found
    assert "POSSESSION_NOT_PROVEN" in examine_answer(held, paper(PaperKind.ANSWER, ANSWER))


def test_a_corrected_certificate_stands_in_for_the_one_it_replaced_and_for_no_other() -> None:
    before, after = certificate(), certificate()
    before.successor, after.id = "cd" * 16, "cd" * 16
    after.acknowledged = {"importer": place(20)}
    bad = paper("NAFTA-434", FORM, signer_title=None)
    held = replace(
        evidence(),
        certificate=before,
        certificate_paper=bad,
        shown=after,
        shown_paper=evidence().certificate_paper,
    )
    answer = paper(PaperKind.ANSWER, ANSWER, certificate="cd" * 16)
    assert examine_answer(held, answer) == ()
    before.successor = None
    assert examine_answer(held, answer) == ("WRONG_CERTIFICATE",)
