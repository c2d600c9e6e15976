"""Carnets in scenario files: what is refused, where, and what the library's files rest on."""

from __future__ import annotations

import datetime

import pytest

from ledger.contracts.carnet import proof_due_on, recovery_due_on, valid_until_max
from scenarios.errors import ScenarioError
from scenarios.model.carnets import AtaCarnet, AtaReplacement, original
from scenarios.model.carnetsteps import PresentGoods, ProveReexport
from scenarios.model.catalog import load_scenario

FRAUD = load_scenario("carnet-fraud")


def faults_with(*overrides: str) -> str:
    with pytest.raises(ScenarioError) as caught:
        load_scenario("carnet-journey", overrides)
    return "\n".join(str(fault) for fault in caught.value.faults)


@pytest.mark.parametrize(
    ("override", "told"),
    [
        ("carnets.k1.holder=cbsa", "cbsa may not do this"),
        ("carnets.k1.holder=nobody", 'unknown organization "nobody"'),
        ("carnets.k1.issuer=ca-chamber", "issuer and holder are of two countries"),
        ("carnets.k1.issuer=cbp", "cbp may not do this"),
        ("carnets.k1.cover.use=HOLIDAY", "box C"),
        ("carnets.k1.items.2.item=1", "box 1"),
        ("carnets.k1.valid_until=2019-02-30", "impossible date"),
        ("steps.2.carnet=k7", 'unknown carnet "k7"'),
        ("steps.2.by=cbp", "cbp may not do this"),
        ("steps.2.office=council", "council may not do this"),
        ("steps.2.voucher=0", "voucher"),
        ("steps.2.kind=GIFT", "kind"),
        ("steps.2.items.2.item=1", "items are not in order"),
        ("steps.9.by=drummaker", "drummaker may not do this"),
        ("expect.2=carnet k9 ends DISCHARGED", 'unknown carnet "k9"'),
        ("expect.2=carnet k1 ends LOST", 'unknown carnet state "LOST"'),
        ("expect.2=voucher k1 is ENDORSED", "is no expectation"),
        ("expect.2=carnet claim k1/2 is ENDORSED", 'unknown carnet claim state "ENDORSED"'),
    ],
)
def test_what_is_wrong_is_told(override: str, told: str) -> None:
    assert told in faults_with(override)


def test_a_country_without_association_or_customs_can_issue_no_carnet() -> None:
    assert "US has nobody with the role guaranteeing" in faults_with("organizations.council.roles=[chamber]")


def test_a_faulty_cover_may_be_meant() -> None:
    assert load_scenario("carnet-journey", ["carnets.k1.cover.use=HOLIDAY", "carnets.k1.faulty=true"]).carnets


def test_a_replacement_says_which_carnet_is_lost_and_its_line_has_a_beginning() -> None:
    assert isinstance(FRAUD.carnets["k2"], AtaReplacement)
    assert original(FRAUD.carnets, "k2") is FRAUD.carnets["k1"]
    circle = {
        name: AtaReplacement(form="ata-replacement", replaces=other)
        for name, other in (("a", "b"), ("b", "a"))
    }
    assert original(circle, "a") is None
    assert original({}, "k1") is None


def test_validity_and_months_of_the_library_s_carnets_are_what_their_stories_say() -> None:
    issued_on = datetime.date(2018, 9, 5)
    for carnet in FRAUD.carnets.values():
        if isinstance(carnet, AtaCarnet):
            assert issued_on < carnet.valid_until <= valid_until_max(issued_on)
    proofs = {step.carnet: step.at for step in FRAUD.steps if isinstance(step, ProveReexport)}
    day = {name: FRAUD.moment_ms(moment) for name, moment in proofs.items() if moment is not None}
    claimed = {"k1": datetime.date(2019, 2, 9), "k3": datetime.date(2019, 1, 9)}
    proved = {name: datetime.datetime.fromtimestamp(ms / 1000, FRAUD.zone).date() for name, ms in day.items()}
    assert datetime.date(2019, 6, 9) < proved["k1"] < datetime.date(2019, 7, 9) < proof_due_on(claimed["k1"])
    assert proof_due_on(claimed["k3"]) < proved["k3"] < recovery_due_on(proof_due_on(claimed["k3"]))
    assert datetime.date(2019, 7, 9) < proved["k3"] < datetime.date(2019, 8, 9)


def test_the_fraud_has_every_kind_of_deed_that_its_story_tells() -> None:
    marks = [
        line.marks
        for step in FRAUD.steps
        if isinstance(step, PresentGoods)
        for line in step.items
        if line.marks
    ]
    assert len(marks) == 2
    refusals = [str(sentence) for sentence in FRAUD.expect if "is refused by" in str(sentence)]
    assert len(refusals) == len(set(refusals)) == 8
