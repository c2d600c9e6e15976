"""The walk over the tables sees every receipt that no row allows."""

from __future__ import annotations

import json

import pytest

from ledger.contracts import Actor
from ledger.encoding import encode
from ledger.genesis import Role
from scenarios.judging.checks.check import FinalNode, FinalState
from scenarios.judging.checks.reachable import _KINDS, _PARTIES, _ROLES, Reachable
from scenarios.record.eventbook import Event

ROLES = {
    "maker": [Role.EXPORTER],
    "buyer": [Role.IMPORTER],
    "cbp": [Role.CUSTOMS],
    "sat": [Role.CUSTOMS],
    "agent": [Role.BROKER],
    "chamber": [Role.CHAMBER],
}
CERTIFICATE = {"certificate": "c1", "form": "NAFTA-434"}
CLAIM = {"entry": "ABC-1", "line": 1}


class Ledger:
    """Receipts, told to the check."""

    def __init__(self) -> None:
        countries = {"maker": "MX", "buyer": "US", "cbp": "US", "sat": "MX"}
        self.check = Reachable(ROLES, countries)
        self.number = 0

    def act(self, act: str, creator: str, *documents: str, code: str = "VALID", **body: object) -> None:
        fields = {
            "code": code,
            "type": act,
            "creator": creator,
            "documents": list(documents),
            "body": json.dumps(body),
        }
        self.check(Event(self.number, 0, 0, "receipt", fields, public=True))  # type: ignore[arg-type]
        self.number += 1

    @property
    def seen(self) -> list[str]:
        return [violation.text for violation in self.check.violations]


@pytest.fixture
def ledger() -> Ledger:
    """A certificate is held and a claim filed."""
    ledger = Ledger()
    ledger.act("certificate.anchor", "maker", "r1", **CERTIFICATE)
    ledger.act("certificate.deliver", "maker", certificate="c1", holder="buyer")
    ledger.act("holding.acknowledge", "buyer", certificate="c1")
    ledger.act("claim.file", "buyer", **CLAIM)
    assert ledger.seen == []
    return ledger


def test_every_actor_of_the_tables_is_known() -> None:
    known = {
        *_ROLES,
        *_PARTIES,
        Actor.HOLDER,
        Actor.CERTIFIER,
        Actor.HOME_CUSTOMS,
        Actor.ANYBODY,
        Actor.READER,
    }
    actors = {step.actor for kind in _KINDS for step in kind.table.steps}
    assert actors <= known | {Actor.DOCUMENT_PARTY}


@pytest.mark.parametrize(
    ("act", "creator", "body", "text"),
    [
        ("claim.protest", "buyer", CLAIM, "from CLAIMED is no row of the claim table"),
        ("claim.file", "buyer", CLAIM, "from CLAIMED is no row"),
        ("claim.close", "maker", CLAIM, "claim.close is for customs, and maker is not"),
        ("claim.correct", "cbp", CLAIM, "and cbp is not"),
        ("claim.correct", "agent", CLAIM, "and agent is not"),
        ("claim.file", "maker", {"entry": "ABC-1", "line": 2}, "and maker is not"),
        ("certificate.notify", "buyer", {"certificate": "c1"}, "is for the certificate's issuer"),
        ("certificate.supersede", "maker", {"certificate": "c1"}, "from ACTIVE is no row"),
        ("certificate.anchor", "chamber", {"certificate": "c2", "form": "NAFTA-434"}, "chamber is not"),
        ("holding.acknowledge", "buyer", {"certificate": "c1"}, "from HELD is no row"),
        ("holding.close", "cbp", {"certificate": "c1", "holder": "buyer"}, "from HELD is no row"),
    ],
)
def test_a_receipt_that_no_row_allows(
    ledger: Ledger, act: str, creator: str, body: dict[str, object], text: str
) -> None:
    ledger.act(act, creator, **body)
    (seen,) = ledger.seen
    assert text in seen
    assert ledger.check.violations[0].event == ledger.number - 1


def test_what_was_refused_changes_nothing(ledger: Ledger) -> None:
    ledger.act("claim.protest", "buyer", code="RULE_VIOLATED", **CLAIM)
    assert ledger.seen == []


def test_a_broker_acts_while_its_power_is_not_revoked(ledger: Ledger) -> None:
    ledger.act("power.grant", "buyer", broker="agent")
    ledger.act("claim.correct", "agent", **CLAIM)
    assert ledger.seen == []
    ledger.act("power.revoke", "buyer", broker="agent")
    ledger.act("claim.file", "agent", entry="ABC-1", line=3, importer_of_record="buyer")
    (seen,) = ledger.seen
    assert "and agent is not" in seen


def test_a_document_is_anchored_once_and_may_be_presented_again(ledger: Ledger) -> None:
    ledger.act("claim.open", "cbp", "r2", **CLAIM)
    ledger.act("claim.respond", "buyer", "r1", **CLAIM)
    assert ledger.seen == []
    ledger.act("document.anchor", "maker", "r1")
    assert ledger.seen == ["document/r1: document.anchor by maker anchors it a second time"]


def test_a_carnet_s_vouchers_go_on_under_the_one_that_replaces_it() -> None:
    ledger = Ledger()
    ledger.act("carnet.apply", "maker", "r1", carnet="k1", issuer="chamber")
    ledger.act("carnet.secure", "maker", "r2", carnet="k1")
    ledger.act("carnet.issue", "chamber", carnet="k1", guarantor="chamber")
    ledger.act("carnet.activate", "sat", carnet="k1")
    ledger.act("carnet.present", "maker", "r3", carnet="k1", serial=1, office="sat")
    ledger.act("carnet.replace", "chamber", carnet="k1", successor="k2")
    ledger.act("carnet.endorse", "sat", "r4", carnet="k2", serial=1)
    assert ledger.seen == []
    ledger.act("carnet.endorse", "cbp", "r5", carnet="k2", serial=1)
    ledger.act("carnet.activate", "sat", carnet="k2")
    assert [text.partition(":")[0] for text in ledger.seen] == ["carnet-voucher/k1/1", "carnet/k2"]


def test_a_form_is_endorsed_with_its_last_endorsement() -> None:
    ledger = Ledger()
    custody = [{"organization": "maker", "role": "exporter"}, {"organization": "buyer", "role": "importer"}]
    ledger.act("fisheries.draft", "maker", "r1", form370="t1", custody=custody)
    ledger.act("fisheries.endorse", "maker", "r2", form370="t1")
    assert ledger.check.records["form370/t1"].state == "DRAFT"
    ledger.act("fisheries.endorse", "buyer", "r3", form370="t1")
    assert ledger.check.records["form370/t1"].state == "ENDORSED"
    ledger.act("fisheries.file", "maker", "r4", form370="t1")
    assert len(ledger.seen) == 1


def test_stores_that_say_otherwise(ledger: Ledger) -> None:
    states = {
        "certificate/c1": "ACTIVE",
        "holding/c1/buyer": "HELD",
        "claim/ABC-1/1": "CLAIMED",
        "document/r1": "ANCHORED",
    }

    def finish() -> list[str]:
        rows = {key: encode({"state": state}) for key, state in states.items()}
        ledger.check.finish(FinalState(["cbp"], {"cbp": FinalNode(1, 1, {}, "", {}, state=rows)}))
        return ledger.seen

    assert finish() == []
    states |= {"holding/c1/buyer": "DELIVERED", "claim/x/1": "CLAIMED"}
    assert finish() == [
        "claim/x/1 is CLAIMED in the store of cbp, its receipts lead to nothing",
        "holding/c1/buyer is DELIVERED in the store of cbp, its receipts lead to HELD",
    ]
