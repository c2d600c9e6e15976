"""What Customs brings together on a claim out of all the others."""

from __future__ import annotations

import datetime
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
from scenarios.agents.register import ClaimEntry, Place, Register
from scenarios.agents.wallet import Wallet
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
        self.register.claims[entry.id] = entry
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

    def evidence(self, claim: ClaimEntry) -> Evidence:
        return self.archive.evidence(CaseFile(claim.id, claim=claim))


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
