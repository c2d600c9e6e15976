"""Every role has acts of its own; one member may have several roles, and several members the same one."""

from __future__ import annotations

import pytest

from ledger.codes import Code
from ledger.contracts import RULES
from ledger.encoding import Value
from ledger.genesis import Role

C1, C2 = bytes([1]) * 16, bytes([2]) * 16
EVERYBODYS = {kind for kind, rule in RULES.items() if rule.roles == frozenset(Role)}
ANY_TRADERS = {kind for kind, rule in RULES.items() if rule.roles == frozenset(Role) - {Role.OBSERVER}}

OWN_ACTS = {
    Role.CUSTOMS: "claim.open",
    Role.FISHERIES: "fisheries.permit",
    Role.EXPORTER: "certificate.anchor",
    Role.PRODUCER: "verification.respond",
    Role.PROCESSOR: "fisheries.endorse",
    Role.IMPORTER: "holding.acknowledge",
    Role.BROKER: "claim.file",
    Role.CHAMBER: "carnet.issue",
    Role.GUARANTEEING: "carnet.answer",
}


def test_every_role_but_the_observer_has_an_act_that_is_not_everybodys() -> None:
    assert set(OWN_ACTS) == set(Role) - {Role.OBSERVER}
    for role, act in OWN_ACTS.items():
        assert role in RULES[act].roles
        assert act not in EVERYBODYS | ANY_TRADERS


def test_an_observer_reads_votes_and_keeps_its_keys_and_does_nothing_else() -> None:
    acts = {kind for kind, rule in RULES.items() if Role.OBSERVER in rule.roles}
    assert acts == EVERYBODYS
    assert {kind.partition(".")[0] for kind in acts} == {"member", "orderer", "node", "key", "document"}
    assert {kind for kind in acts if kind.startswith("document.")} == {
        "document.acknowledge",
        "document.complain",
    }


def test_one_member_acts_in_each_of_its_roles(pilot) -> None:
    """Acme is exporter and producer: it certifies as the one and is verified, and answers, as the other."""
    assert pilot.anchor().code is Code.VALID
    producers: dict[str, Value] = {"form": "CAFTA-DR", "certificate": C2, "addressees": ["globex", "cbp"]}
    assert pilot.anchor(**producers).code is Code.VALID
    asked: dict[str, Value] = {"verification": C1, "party": "acme", "also": [], "fine": bytes(32)}
    assert pilot.act("cbp", "verification.open", asked, document=True).code is Code.VALID
    answer = pilot.act("acme", "verification.respond", {"verification": C1}, document=True)
    assert answer.code is Code.VALID
    refused = pilot.act("acme", "claim.liquidate", {"entry": "ABC-1234567-8", "line": 1, "fine": bytes(32)})
    assert refused.code is Code.NOT_AUTHORIZED


def test_two_exporters_certify_side_by_side_and_neither_acts_on_the_others_certificate(pilot) -> None:
    assert pilot.anchor().code is Code.VALID
    body: dict[str, Value] = {
        "certificate": C2,
        "form": "NAFTA-434",
        "signed_on": "2018-09-04",
        "blanket": {"from": "2018-09-01", "to": "2019-08-31"},
        "shipment": None,
        "addressees": ["globex"],
    }
    assert pilot.act("rival", "certificate.anchor", body, document=True).code is Code.VALID
    for who, other in (("acme", C2), ("rival", C1)):
        notice: dict[str, Value] = {"certificate": other}
        assert pilot.act(who, "certificate.notify", notice).rule == "certificate.notify/wrong-actor"
        delivery: dict[str, Value] = {"certificate": other, "holder": "globex"}
        assert pilot.act(who, "certificate.deliver", delivery).rule == "certificate.deliver/wrong-actor"


@pytest.mark.parametrize("broker", ["swift", "slow"])
def test_an_importer_may_have_several_brokers(pilot, broker: str) -> None:
    pilot.possess()
    for name in ("swift", "slow"):
        power: dict[str, Value] = {"broker": name, "from": "2018-09-04", "to": None}
        assert pilot.act("globex", "power.grant", power).code is Code.VALID
    filed = pilot.claim(importer=broker, importer_of_record="globex")
    assert filed.code is Code.VALID
