"""What Customs brings together on a claim out of all the others."""

from __future__ import annotations

import datetime
import gc
from random import Random

import pytest

from ledger.contracts import LegalCalendar
from ledger.documents import Private
from ledger.encoding import Value
from ledger.keys import BoxKey, SigningKey, seed_for
from scenarios.agents.carelessness import WRONG_HS6, spoil
from scenarios.agents.casefile import CaseFile
from scenarios.agents.evidence import Archive
from scenarios.agents.examination import Evidence
from scenarios.agents.mail import Mailroom
from scenarios.agents.papers import KIND, Paper
from scenarios.agents.register import CertificateEntry, ClaimEntry, Place, Register
from scenarios.agents.wallet import Wallet
from scenarios.filed import RESIDENT_MAX
from scenarios.model.network import Agent

DAY_MS = 86_400_000
FIRST = datetime.date(2018, 9, 4)


class Desk:
    """A register and a mailroom, filled claim by claim."""

    def __init__(self) -> None:
        self.register = Register()
        self.mailroom = Mailroom()
        keys = SigningKey.from_seed(seed_for("t", "a")), BoxKey.from_seed(seed_for("t", "b"))
        self.wallet = Wallet("cbp", "t-0", *keys, Random("w"))
        self._box_public = keys[1].public
        self.archive = Archive(self.register, self.mailroom, self.wallet, LegalCalendar((), ()))

    def claim(
        self, day: int, importer: str = "shop", shipment: str | None = None, **line: Value
    ) -> ClaimEntry:
        number = len(self.register.claims) + 1
        entry = ClaimEntry(
            entry=f"ABC-{number:07}-1",
            line=1,
            importer=importer,
            filer=importer,
            regime="CAFTA-DR",
            spi="P",
            certificate=None,
            entry_on=FIRST + datetime.timedelta(days=day),
            import_on=FIRST + datetime.timedelta(days=day),
            shipment=shipment,
            post=False,
            fine=bytes(32),
            filed=Place(bytes(32), number, number, 1_536_000_000_000 + day * DAY_MS),
            findings=(),
        )
        self.register.claims.put(entry.id, entry)
        fields: dict[str, Value] = {
            KIND: "ENTRY-LINE",
            "claim": entry.id,
            "basis": "SMALL-VALUE",
            "hts": "6109.10.0012",
            "value_usd": 1000,
            "quantity": 10,
            "port": "5201",
            **line,
        }
        self.mailroom.put(
            importer, Paper("ENTRY-LINE", bytes(32), {name: Private(value) for name, value in fields.items()})
        )
        return entry

    def opened(self, kind: str, **fields: Value) -> bytes:
        """Return the root of a document that came and was opened here."""
        root = self.wallet.commit({KIND: kind, **fields})
        self.wallet.open(root, self.wallet.seal(root, self.wallet.organization, self._box_public))
        return root

    def certificate(self, **good: Value) -> CertificateEntry:
        """Return a certificate for one good, in force in the first thirty days."""
        fields = {"hs6": "610910", "description": "T-shirts, brand Ola", **good}
        entry = CertificateEntry(
            id="ab" * 16,
            form="NAFTA-434",
            issuer="mill",
            root=self.opened("NAFTA-434", **{f"goods.1.{name}": value for name, value in fields.items()}),
            signed_on=FIRST,
            blanket=(FIRST, FIRST + datetime.timedelta(days=30)),
            shipment=None,
            addressees=("shop", "cbp"),
            anchored=Place(bytes(32), 0, 1, 1_536_000_000_000),
        )
        self.register.certificates.put(entry.id, entry)
        return entry

    def evidence(self, claim: ClaimEntry) -> Evidence:
        return self.archive.evidence(CaseFile(claim.id, {claim.id: claim}, is_filed=True))


@pytest.mark.parametrize(("last", "is_series"), [(30, True), (31, False)])
def test_a_series_is_three_small_importations_within_thirty_days(last: int, is_series: bool) -> None:
    desk = Desk()
    claims = [desk.claim(day) for day in (0, 10, last)]
    assert [desk.evidence(claim).is_series for claim in claims] == [False, False, is_series]


@pytest.mark.parametrize(
    ("value_usd", "is_series"), [(833, False), (834, True)], ids=["up to the limit", "over it"]
)
def test_a_series_is_over_the_limit_together(value_usd: int, is_series: bool) -> None:
    desk = Desk()
    last = [desk.claim(day, value_usd=value_usd) for day in (0, 1, 2)][-1]
    assert desk.evidence(last).is_series is is_series


@pytest.mark.parametrize(
    "other", [{"hts": "6110.20.2079"}, {"basis": "KNOWLEDGE"}, {"value_usd": 2501}, {"importer": "another"}]
)
def test_other_goods_bases_and_importers_are_no_part_of_a_series(other: dict[str, str]) -> None:
    desk = Desk()
    desk.claim(0)
    desk.claim(1, **other)
    assert not desk.evidence(desk.claim(2)).is_series


def test_what_came_after_a_claim_is_not_held_against_it() -> None:
    desk = Desk()
    first = desk.claim(2)
    desk.claim(1)
    desk.claim(0)
    assert not desk.evidence(first).is_series


def test_a_shipment_is_at_two_ports_for_the_claim_that_came_later() -> None:
    desk = Desk()
    first = desk.claim(0, shipment="S1")
    same = desk.claim(0, shipment="S1")
    elsewhere = desk.claim(0, importer="another", shipment="S1", port="2704")
    other = desk.claim(0, shipment="S2", port="2704")
    assert [desk.evidence(c).at_two_ports for c in (first, same, elsewhere, other)] == [
        False,
        False,
        True,
        False,
    ]


def test_quantity_and_value_are_summed_over_the_claims_that_cite_one_invoice_up_to_each() -> None:
    desk = Desk()
    invoice, other = desk.opened("INVOICE", number="A-1"), desk.opened("INVOICE", number="A-2")
    claims = [
        desk.claim(0, invoice_root=invoice, quantity=3, value_usd=30),
        desk.claim(1, invoice_root=other, quantity=500, value_usd=5000),
        desk.claim(2, importer="another", invoice_root=invoice, quantity=4, value_usd=50),
        desk.claim(3, quantity=700, value_usd=7000),
    ]
    billed = [desk.evidence(claim).billed for claim in claims]
    sums = [None if each is None else (each.quantity, each.value_usd) for each in billed]
    assert sums == [(3, 30), (500, 5000), (7, 80), None]


def test_what_is_no_invoice_or_has_not_come_bills_nothing() -> None:
    desk = Desk()
    claims = [desk.claim(0, invoice_root=root) for root in (desk.opened("ANSWER", number="A-1"), bytes(32))]
    assert [desk.evidence(claim).billed for claim in claims] == [None, None]


@pytest.mark.parametrize(
    ("importer", "day", "line", "was_refused"),
    [
        ("shop", 30, {}, True),
        ("shop", 30, {"article": "brand Ola"}, True),
        ("shop", 31, {}, False),
        ("another", 30, {}, False),
        ("shop", 30, {"article": "brand Mar"}, False),
        ("shop", 30, {"hts": "6109.90.1007"}, False),
    ],
    ids=[
        "identical",
        "of the article",
        "after the blanket",
        "another importer",
        "another article",
        "another heading",
    ],
)
def test_goods_refused_to_an_importer_are_refused_again_if_identical_and_in_the_blanket(
    importer: str, day: int, line: dict[str, Value], was_refused: bool
) -> None:
    desk = Desk()
    before = desk.claim(0, importer)
    refused = desk.certificate()
    desk.archive.refused[refused.id, "shop"] = before.filed.index + 1
    assert not desk.evidence(before).was_refused
    desk.claim(1)
    assert desk.evidence(desk.claim(day, importer, **line)).was_refused is was_refused


def test_a_claim_on_the_very_certificate_that_was_refused_is_refused_whatever_the_goods() -> None:
    desk = Desk()
    refused = desk.certificate()
    desk.archive.refused[refused.id, "shop"] = 0
    claim = desk.claim(40, hts="8471.30.0100")
    assert not desk.evidence(claim).was_refused
    claim.certificate = refused.id
    assert desk.evidence(claim).was_refused


@pytest.mark.parametrize(("noticed", "is_of_pattern"), [(0, True), (1, False), (2, False)])
def test_a_pattern_is_held_against_claims_after_its_notice(noticed: int, is_of_pattern: bool) -> None:
    desk = Desk()
    certificate = desk.certificate()
    desk.archive.patterns["mill", "610910"] = noticed
    claim = desk.claim(0)
    claim.certificate = certificate.id
    assert desk.evidence(claim).is_of_pattern is is_of_pattern


def test_a_careless_hand_spoils_what_it_is_told_to_and_never_what_is_public() -> None:
    form: dict[str, Value] = {
        "signed_on": "2018-09-04",
        "signer_title": "Manager",
        "goods": [{"hs6": "160414", "criterion": "B"}, {"hs6": "030617", "criterion": "A"}],
    }
    rates = {"signed_on": 1.0, "signer_title": 1.0, "hs6": 1.0}
    spoilt = spoil(form, rates, Random("c"))
    assert spoilt == {
        "signed_on": "2018-09-04",
        "goods": [{"hs6": WRONG_HS6, "criterion": "B"}, {"hs6": WRONG_HS6, "criterion": "A"}],
    }
    assert spoil(form, {}, Random("c")) == form
    assert spoil(form, {"hs6": 0.0}, Random("c")) == form


def test_a_rate_is_how_often_it_happens() -> None:
    random = Random("rate")
    slips = sum(
        "signer_title" not in spoil({"signer_title": "M"}, {"signer_title": 0.25}, random)
        for _ in range(4000)
    )
    assert 900 < slips < 1100


def test_a_spread_delay_is_drawn_and_a_fixed_one_is_not() -> None:
    behavior = Agent.model_validate(
        {"answer_after": "1d..3d", "review_after": "2d", "acknowledge_after": "never"}
    )
    random = Random("delay")
    drawn = [behavior.answer_after.draw_ms(random) for _ in range(200)]
    assert all(ms is not None and DAY_MS <= ms <= 3 * DAY_MS for ms in drawn)
    assert len(set(drawn)) > 150
    before = random.getstate()
    assert behavior.review_after.draw_ms(random) == 2 * DAY_MS
    assert behavior.acknowledge_after.draw_ms(random) is None
    assert random.getstate() == before
    assert str(behavior.answer_after) == "1d..3d"


def test_customs_files_keep_no_claim_in_memory_that_is_in_the_registers_file() -> None:
    desk = Desk()
    claims = desk.register.claims
    cases = [CaseFile(desk.claim(0).id, claims, is_filed=True) for _ in range(5 * RESIDENT_MAX)]
    gc.collect()
    assert len(claims._held) <= RESIDENT_MAX
    assert [case.filed.id for case in cases] == [case.id for case in cases]


def test_a_claim_is_not_worked_on_before_it_is_filed() -> None:
    with pytest.raises(AssertionError, match="ABC-1 is worked on before it was filed"):
        _ = CaseFile("ABC-1", {}).filed
