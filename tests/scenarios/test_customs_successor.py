"""Customs changes hands while a claim is under review or protested: its successor goes on, or says why it may not."""

from dataclasses import replace
from pathlib import Path

import pytest

from ledger.transaction import Transaction, sign_approval, sign_transaction
from scenarios.errors import RefusedError

SUCCESSOR = """
scenario: successor
extends: nafta-certificate
title: Another Customs takes over
organizations:
  successor:
    name: {name}
    country: {country}
    roles: [customs]
    agent: {{ review_after: 2d, liquidate_after: 314d }}
"""


@pytest.fixture
def handed_over(pilot, tmp_path):
    """Return a function that runs a script in a network with a second Customs, and what lets the first one leave."""

    def run(script, country="US", name="Customs West"):
        path = Path(tmp_path / "successor.yaml")
        path.write_text(SUCCESSOR.format(country=country, name=name), encoding="utf-8")
        return pilot(path, script, keep_steps=False)

    return run


async def leave(p, organization="cbp"):
    """Have a majority remove a member."""
    founding = p._trial.world.founding
    change = Transaction(
        version=1,
        network=founding.genesis.network,
        type="member.remove",
        creator="exporter",
        nonce=(1, 1),
        valid_until_ms=p.now_ms() + 86_400_000,
        documents=(),
        approvals=(),
        body={"organization": organization},
    )
    keys = {name: own.organization_key for name, own in founding.secrets.items()}
    given = tuple((name, sign_approval(change, keys[name])) for name in ("importer", "chamber", "noaa"))
    signed = sign_transaction(replace(change, approvals=given), keys["exporter"])
    node = p.node("exporter")
    await node.submit_until_accepted(signed.raw)
    assert (await node.settle(signed.id, signed.raw)).code == "VALID"
    await go_home(p._trial, organization)
    await p.after("1h")  # everybody has heard of it


async def go_home(trial, organization):
    """Stop the programs of a member that left; the trial waits for them no more, and keeps the disk at the end."""
    (task,) = (task for task in trial._tasks if task.get_name() == f"agent of {organization}")
    task.cancel()
    del trial.agents[organization]
    world = trial.world
    world.organizations.remove(organization)
    await world.crash(organization)
    close = world.close

    async def closing():
        world.organizations.append(organization)
        await close()

    world.close = closing


async def liquidated_after_denial(p):
    await p.do("issue-certificate", by="exporter", document="c1")
    await p.until("certificate c1 held by importer")
    await p.at("2018-09-19T09:30:00")
    await p.do("file-claim", by="importer", claim="e1")
    await p.do("deny-claim", by="cbp", claim="e1", reason="the goods are said to be others")
    await p.do("liquidate", by="cbp", claim="e1")


def events(flown, name):
    return [event.fields for event in flown.result.book.events if event.name == name]


def moves(flown, who):
    return [e["state"] for e in events(flown, "claim.state") if e["organization"] == who]


async def protest(p):
    await p.do("protest-claim", by="importer", claim="e1", document="c1", reason="they are these goods")
    await p.after("5d")


def test_the_successor_decides_a_protest_against_its_predecessor_s_decision(handed_over):
    async def script(p):
        await liquidated_after_denial(p)
        await leave(p)
        await protest(p)

    flown = handed_over(script)
    assert moves(flown, "cbp") == ["CLAIMED", "DENIED", "LIQUIDATED"]
    assert moves(flown, "successor") == ["PROTESTED", "PROTEST_GRANTED", "LIQUIDATED"]
    assert [e["organization"] for e in events(flown, "claim.taken_over")] == ["successor"]
    assert [e["defects"] for e in events(flown, "claim.decided") if e["organization"] == "successor"] == [[]]
    assert [(e["state"], e["believed"]) for e in events(flown, "decision.received")] == [
        ("DENIED", True),
        ("PROTEST_GRANTED", True),
    ]


async def asked(p):
    """File a claim and have the first Customs ask about it; the importer answers in a day."""
    await p.do("issue-certificate", by="exporter", document="c1")
    await p.until("certificate c1 held by importer")
    await p.at("2018-09-19T09:30:00")
    await p.do("file-claim", by="importer", claim="e1")
    await p.do("request-information", by="cbp", claim="e1", question="Send the certificate.")


def test_the_successor_decides_on_an_answer_to_its_predecessor_s_request_and_liquidates(handed_over):
    async def script(p):
        await asked(p)
        await leave(p)
        await p.at("2019-12-01T00:00:00")

    flown = handed_over(script)
    assert moves(flown, "cbp") == ["CLAIMED", "CERT_REQUESTED"]
    assert moves(flown, "successor") == ["UNDER_REVIEW", "ALLOWED", "LIQUIDATED"]
    assert events(flown, "answer.late") == []


def test_the_successor_acts_on_an_open_case_when_told_to_and_takes_a_correction_in(handed_over):
    async def script(p):
        await asked(p)
        await leave(p)
        acts = await p.do("request-information", by="successor", claim="e1", question="Once more.")
        assert [(act.type, act.code) for act in acts] == [("claim.act", "VALID")]  # it is open already
        await p.until("claim e1 is UNDER_REVIEW")
        await p.do("allow-claim", by="successor", claim="e1")
        await p.do("correct-claim", by="importer", claim="e1", discovered_on="2018-09-19")
        await p.after("1h")

    flown = handed_over(script)
    assert flown.result.trial.pilot.failure is None
    assert moves(flown, "successor") == [
        "CERT_REQUESTED",
        "UNDER_REVIEW",
        "ALLOWED",
        "CORRECTED",
        "LIQUIDATED",
    ]


def test_a_customs_of_another_country_records_that_the_protest_is_not_its_case(handed_over):
    async def script(p):
        await liquidated_after_denial(p)
        await leave(p)
        await protest(p)

    flown = handed_over(script, country="CA")
    assert moves(flown, "successor") == []
    assert [(e["organization"], e["claim"]) for e in events(flown, "claim.not_in_charge")] == [
        ("successor", "e1")
    ]
    assert events(flown, "act.refused") == []


def test_a_customs_of_another_country_cannot_be_told_to_decide(handed_over):
    async def script(p):
        await liquidated_after_denial(p)
        await leave(p)
        await p.do("allow-claim", by="successor", claim="e1")

    with pytest.raises(RefusedError, match="successor is of CA; claim e1 is for customs of US"):
        handed_over(script, country="CA")
