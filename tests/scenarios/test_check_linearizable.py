"""A client that saw what could not have been is believed."""

from __future__ import annotations

import json

from ledger.genesis import Role
from p2p.observer import RecordField
from scenarios.judging.checks.check import FinalState
from scenarios.judging.checks.linearizable import Linearizability
from scenarios.judging.checks.reachable import _KINDS_OF, Reachable
from scenarios.record.eventbook import Event
from scenarios.trial.auditor import audited_keys

CLAIM = {"entry": "ABC-1", "line": 1}
KEY = "claim/ABC-1/1"


class Story:
    """Operations told to the check."""

    def __init__(self) -> None:
        self.check = Linearizability(Reachable({"buyer": [Role.IMPORTER], "cbp": [Role.CUSTOMS]}, {}))
        self.number = 0

    def tell(self, name: str, **fields: RecordField) -> None:
        self.check(Event(self.number, 0, 0, name, fields, public=False))
        self.number += 1

    def act(self, number: str, act: str, creator: str) -> None:
        self.tell("operation.called", id=number, organization=creator)
        body = json.dumps(CLAIM)
        self.tell("receipt", id=number, code="VALID", type=act, creator=creator, documents=[], body=body)
        self.tell("operation.returned", id=number)

    def read(self, number: int, state: str | None) -> None:
        self.tell("read.called", read=number, key=KEY, node="noaa")
        self.tell("read.returned", read=number, state=state)

    def finish(self) -> list[str]:
        self.check.finish(FinalState([], {}))
        return [violation.text for violation in self.check.violations]


def test_reads_of_what_was_last_written_hold() -> None:
    story = Story()
    story.read(1, None)
    story.act("a", "claim.file", "buyer")
    story.read(2, "CLAIMED")
    story.act("b", "claim.open", "cbp")
    story.read(3, "OFFICIAL_OPEN")
    assert story.finish() == []
    assert story.check.exercised == 3


def test_a_read_during_an_act_may_see_it_or_not() -> None:
    for state in (None, "CLAIMED"):
        story = Story()
        story.tell("read.called", read=1, key=KEY, node="noaa")
        story.act("a", "claim.file", "buyer")
        story.tell("read.returned", read=1, state=state)
        assert story.finish() == []


def test_a_read_that_misses_an_act_whose_client_had_its_answer() -> None:
    story = Story()
    story.act("a", "claim.file", "buyer")
    story.read(1, None)
    (seen,) = story.finish()
    assert seen.startswith(f"{KEY}: violated")


def test_reads_that_go_back() -> None:
    story = Story()
    story.act("a", "claim.file", "buyer")
    story.tell("operation.called", id="b", organization="cbp")
    story.tell(
        "receipt",
        id="b",
        code="VALID",
        type="claim.open",
        creator="cbp",
        documents=[],
        body=json.dumps(CLAIM),
    )
    story.read(1, "OFFICIAL_OPEN")
    story.read(2, "CLAIMED")
    assert len(story.finish()) == 1


def test_nothing_read_is_nothing_shown() -> None:
    story = Story()
    story.act("a", "claim.file", "buyer")
    assert story.finish() == []
    assert story.check.exercised == 0


def test_every_state_that_the_walk_follows_is_read_but_of_documents_and_readings() -> None:
    """Whatever an act touches in the walk, the auditor reads, under the same key."""
    body: dict[str, RecordField] = dict.fromkeys(("carnet", "certificate", "verification", "form370"), "0a")
    body |= {"entry": "ABC-1", "line": 1, "serial": 3, "voucher": 3, "successor": "0b", "holder": "buyer"}
    body |= {"broker": "hand", "root": "0c", "form": "nafta-434"}
    for act, kinds in _KINDS_OF.items():
        walk = Reachable({}, {})
        wanted = {
            kind.key(walk, body, "buyer") for kind in kinds if kind.prefix not in ("document", "reading")
        }
        if act == "certificate.anchor":
            wanted = {
                key for key in wanted if not key.startswith("holding/")
            }  # an importer's own certificate
        read = {str(name): value for name, value in body.items() if name in _fields_of(act)}
        assert wanted <= set(audited_keys(act, "buyer", read)), act


def _fields_of(act: str) -> set[str]:
    """Return the fields that name records in an act's body; a holder is named by who delivers, not by who holds."""
    own = {
        "carnet",
        "certificate",
        "verification",
        "form370",
        "entry",
        "line",
        "serial",
        "voucher",
        "successor",
    }
    return {*own, "broker", *(["holder"] if act.startswith("certificate.") else [])}


def test_what_is_read_of_an_act() -> None:
    certificate = {"certificate": b"\x01\x02", "holder": "buyer"}
    assert audited_keys("certificate.deliver", "maker", certificate) == [
        "certificate/0102",
        "holding/0102/buyer",
    ]
    assert audited_keys("holding.acknowledge", "buyer", {"certificate": b"\x01"}) == ["holding/01/buyer"]
    assert audited_keys("fisheries.file", "buyer", {"form370": b"\x03"}) == ["form370/03"]
    carnet = {"carnet": b"\x04", "serial": 3, "voucher": 2, "successor": b"\x05"}
    assert audited_keys("carnet.issue", "council", carnet) == ["carnet/04"]
    assert audited_keys("carnet.replace", "council", carnet) == ["carnet/04", "carnet/05"]
    assert audited_keys("carnet.present", "buyer", carnet) == ["carnet-voucher/04/3", "carnet/04"]
    assert audited_keys("carnet.endorse", "cbp", carnet, {"04": "02"}) == ["carnet-voucher/02/3"]
    assert audited_keys("carnet.decide", "cbp", carnet, {"04": "02"}) == ["carnet-claim/02/2"]
    assert audited_keys("power.grant", "buyer", {"broker": "hand"}) == ["power/buyer/hand"]
    assert audited_keys("document.anchor", "maker", {"class": "commercial"}) == []
