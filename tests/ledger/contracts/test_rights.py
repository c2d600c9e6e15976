"""Rights follow roles: before every lawful step of a whole journey, whoever may not take it tries to, and is refused.

The journey takes every step of every table on the ledger but those of nodes and keys, which every member may begin.
Each act is tried first by a member of each role that its type is not for, then by a member abroad that has the very
roles of the one who may, and is a stranger to the record.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from random import Random

import pytest

from ledger.codes import Code
from ledger.contracts import (
    CERTIFICATE_TABLE,
    CLAIM_TABLE,
    DOCUMENT_TABLE,
    HOLDING_TABLE,
    POWER_TABLE,
    READING_TABLE,
    RULES,
    Actor,
    Table,
)
from ledger.contracts.carnet import CARNET_CLAIM_TABLE, CARNET_TABLE, VOUCHER_TABLE
from ledger.contracts.fisheries import FORM370_TABLE
from ledger.contracts.membership import KEY_TABLE, NODE_TABLE
from ledger.contracts.verification import VERIFICATION_TABLE
from ledger.encoding import Value
from ledger.genesis import Genesis, Organization, Role
from ledger.keys import BoxKey, seed_for
from ledger.state import nonce_key
from tests.ledger.contracts.conftest import at_ms, node_key, sealed_evidence, signing_key

TRAVELED = (
    CERTIFICATE_TABLE,
    HOLDING_TABLE,
    DOCUMENT_TABLE,
    READING_TABLE,
    POWER_TABLE,
    CLAIM_TABLE,
    FORM370_TABLE,
    CARNET_TABLE,
    VOUCHER_TABLE,
    CARNET_CLAIM_TABLE,
    VERIFICATION_TABLE,
)
OPEN_TO_ALL = (NODE_TABLE, KEY_TABLE)
OWN_RECORD = {
    *("certificate.anchor", "claim.file", "claim.file_post", "power.grant", "power.revoke"),
    *("fisheries.draft", "carnet.apply", "verification.open", "document.anchor"),
}
"""Acts that whoever has the role takes on a record of its own: a stranger to this one begins another."""
OWN_HOLDING = {"holding.acknowledge", "holding.complain"}
"""Acts on whatever the sender holds of a certificate; a stranger holds nothing."""
SEALED: Value = "the seal of the sender's envelope"
"""Stands for evidence, which needs the root that a step before it anchored."""
DAY_MS = 86_400_000

MEMBERS: dict[str, tuple[str, tuple[Role, ...]]] = {
    "cbp": ("US", (Role.CUSTOMS,)),
    "noaa": ("US", (Role.FISHERIES,)),
    "acme": ("US", (Role.EXPORTER, Role.PRODUCER)),
    "mill": ("US", (Role.PRODUCER,)),
    "cannery": ("US", (Role.PROCESSOR,)),
    "globex": ("US", (Role.IMPORTER,)),
    "swift": ("US", (Role.BROKER,)),
    "chamber": ("US", (Role.CHAMBER,)),
    "council": ("US", (Role.GUARANTEEING,)),
    "aduana": ("MX", (Role.CUSTOMS,)),
    "mx-council": ("MX", (Role.GUARANTEEING,)),
    **{f"only-{role}": ("US", (role,)) for role in Role},
    **{f"other-{role}": ("CA", (role,)) for role in Role},
    "other-exporter-producer": ("CA", (Role.EXPORTER, Role.PRODUCER)),
}
LINE: dict[str, Value] = {"entry": "ABC-1234567-8", "line": 1}
FINE: dict[str, Value] = {"fine": bytes(32)}
ROOT = bytes([77]) * 32


def named(number: int) -> bytes:
    return bytes([number]) * 16


@dataclass(frozen=True)
class Attempt:
    """One lawful act: who, what, when, and the root it anchors if that is spoken of again."""

    who: str
    kind: str
    body: dict[str, Value]
    on: str
    root: bytes | None = None


def certificate(number: int, form: str, addressees: list[Value]) -> dict[str, Value]:
    blanket: dict[str, Value] = {"from": "2018-09-01", "to": "2019-08-31"}
    return {
        "certificate": named(number),
        "form": form,
        "signed_on": "2018-09-04",
        "blanket": blanket,
        "shipment": None,
        "addressees": addressees,
    }


def origin() -> Iterator[Attempt]:
    on = "2018-09-04"
    held: dict[str, Value] = {"certificate": named(1), "holder": "globex"}
    own: dict[str, Value] = {"certificate": named(1)}
    yield Attempt("acme", "certificate.anchor", certificate(1, "NAFTA-434", ["globex"]), on)
    yield Attempt("acme", "certificate.anchor", certificate(2, "NAFTA-434", ["globex"]), on)
    yield Attempt("globex", "certificate.anchor", certificate(3, "CAFTA-DR", ["cbp"]), on)
    yield Attempt("acme", "certificate.deliver", held, on)
    yield Attempt("globex", "holding.complain", own | {"reason": "UNREADABLE", "evidence": SEALED}, on)
    yield Attempt("acme", "certificate.deliver", held, on)
    yield Attempt("globex", "holding.acknowledge", own, on)
    for kind in ("holding.open", "holding.close", "holding.open"):
        yield Attempt("cbp", kind, held | FINE, on)
    yield Attempt("acme", "certificate.notify", own, on)
    yield Attempt("acme", "certificate.supersede", own | {"successor": named(2)}, on)
    power: dict[str, Value] = {"broker": "swift", "from": "2018-09-04", "to": None}
    yield Attempt("globex", "power.grant", power, on)
    yield Attempt("globex", "power.grant", power, on)
    yield Attempt("globex", "power.revoke", {"broker": "swift"}, on)
    yield Attempt("globex", "power.grant", power, on)


def claims() -> Iterator[Attempt]:
    on = "2018-09-20"
    filed: dict[str, Value] = {
        **FINE,
        "entry": "ABC-1234567-8",
        "regime": "NAFTA",
        "spi": "MX",
        "certificate": named(2),
        "entry_on": "2018-09-18",
        "import_on": "2018-09-18",
        "shipment": None,
    }
    for line in range(1, 7):
        kind = "claim.file_post" if line == 2 else "claim.file"
        yield Attempt("globex", kind, filed | {"line": line}, on)
    discovered: dict[str, Value] = {"discovered_on": on}

    def act(who: str, what: str, line: int, **more: Value) -> Attempt:
        fine = {} if what == "respond" else FINE
        return Attempt(who, f"claim.{what}", {**LINE, "line": line, **fine, **more}, on)

    yield act("cbp", "open", 1)
    yield act("globex", "respond", 1)
    yield act("cbp", "act", 1)
    yield act("cbp", "close", 1)
    yield act("cbp", "liquidate", 1)
    yield act("globex", "protest", 1)
    yield act("cbp", "close", 2)
    yield act("globex", "correct", 2, **discovered)
    yield act("cbp", "close", 2)
    yield act("globex", "correct", 3, **discovered)
    yield act("cbp", "liquidate", 3)
    yield act("cbp", "liquidate", 4)


def verification() -> Iterator[Attempt]:
    on = "2018-09-20"
    about: dict[str, Value] = {"verification": named(7)}
    yield Attempt("cbp", "verification.open", about | FINE | {"party": "mill", "also": []}, on)
    yield Attempt("mill", "verification.respond", about, on)
    yield Attempt("cbp", "verification.act", about | FINE | {"also": []}, on)
    yield Attempt("cbp", "verification.close", about | FINE | {"also": []}, on)


def fisheries() -> Iterator[Attempt]:
    on = "2018-09-21"
    chain = (("acme", "exporter"), ("cannery", "processor"), ("globex", "importer"))
    custody: list[Value] = [{"organization": who, "role": role} for who, role in chain]
    readers: dict[str, Value] = {"addressees": ["noaa", "cbp"]}
    signed: dict[str, Value] = {"signed_on": on, "addressees": ["noaa"]}
    told: dict[str, Value] = FINE | {"addressees": ["globex"]}

    def act(who: str, what: str, form: int = 3, **more: Value) -> Attempt:
        return Attempt(who, f"fisheries.{what}", {"form370": named(form), **more}, on)

    permit: dict[str, Value] = {"holder": "globex", "from": "2018-01-01", "to": "2018-12-31"}
    yield Attempt("noaa", "fisheries.permit", permit, on)
    for form, entry in ((3, "SX7-1000418-2"), (4, "SX7-1000419-0")):
        filing: dict[str, Value] = {"entry": entry, "import_on": on, **readers, **FINE}
        yield act("acme", "draft", form, shipment=f"TUN-{form}", custody=custody, **readers)
        if form == 3:
            for who, _ in chain:
                yield act(who, "endorse", form, **signed)
        yield act("globex", "file", form, **filing)
    yield act("acme", "endorse", 4, **signed)
    yield act("noaa", "open", 4, **told)
    yield act("cannery", "endorse", 4, **signed)
    yield act("globex", "respond", 4)
    yield act("noaa", "act", 4, **told)
    yield act("cbp", "close", 4, **told)
    yield act("noaa", "open", 4, **told)


def carnets() -> Iterator[Attempt]:
    on, goods = "2018-10-01", [[1, 10]]
    items: dict[str, Value] = {"items": [[1, 10]]}

    def act(who: str, what: str, carnet: int = 5, on: str = on, **more: Value) -> Attempt:
        return Attempt(who, f"carnet.{what}", {"carnet": named(carnet), **more}, on)

    def voucher(serial: int, kind: str, office: str, pieces: Value, cites: int | None = None) -> Attempt:
        return act(
            "acme",
            "present",
            serial=serial,
            counterfoil=serial,
            kind=kind,
            office=office,
            items=pieces,
            cites=cites,
        )

    for carnet in (5, 6, 8):
        yield act("acme", "apply", carnet, issuer="council", **items)
        yield act("acme", "secure", carnet)
        yield act("council", "issue", carnet, guarantor="council", valid_until="2019-09-30")
    yield act("acme", "return", 6)
    yield act("council", "discharge", 6)
    yield act("council", "replace", 8, successor=named(9))
    yield act("cbp", "activate", 5)
    yield act("cbp", "activate", 9)
    yield act("council", "replace", 9, successor=named(10))
    yield voucher(1, "EXPORT", "cbp", [*goods])
    stamp: dict[str, Value] = {"endorsed_on": on, "unconditional": True}
    yield act("cbp", "endorse", serial=1, final_on=None, **stamp)
    yield voucher(2, "IMPORT", "aduana", [*goods])
    yield act("aduana", "refuse", serial=2)
    yield voucher(3, "IMPORT", "aduana", [*goods])
    yield act("aduana", "endorse", serial=3, final_on="2018-12-31", **stamp)
    late = "2019-02-01"
    claimed: dict[str, Value] = {"voucher": 3, **FINE}
    yield act("aduana", "claim", on=late, association="mx-council", improper=False, **claimed)
    yield act("mx-council", "answer", on=late, voucher=3)
    yield act("aduana", "decide", on=late, **claimed)
    yield act("aduana", "close", on=late, **claimed)
    yield act("aduana", "settle", on=late, serial=3, items=[[1, 10]])
    yield act("acme", "return", on=late)


def documents() -> Iterator[Attempt]:
    on, about = "2019-02-02", dict[str, Value]({"root": ROOT})
    complaint: dict[str, Value] = {"reason": "UNREADABLE", "evidence": SEALED}
    addressees: list[Value] = ["globex", "mill"]
    anchor: dict[str, Value] = {"class": "commercial", "addressees": addressees}
    yield Attempt("acme", "document.anchor", anchor, on, ROOT)
    yield Attempt("acme", "document.disclose", about | {"to": "swift"}, on)
    yield Attempt("globex", "document.acknowledge", about, on)
    yield Attempt("mill", "document.complain", about | complaint, on)
    yield Attempt("mill", "document.acknowledge", about, on)
    yield Attempt("acme", "document.purge", about, "2024-02-03")


JOURNEY = (*origin(), *claims(), *verification(), *fisheries(), *carnets(), *documents())


@pytest.fixture(scope="module")
def rights_genesis(pilot_genesis: Genesis) -> Genesis:
    return replace(
        pilot_genesis,
        organizations=tuple(
            Organization(
                id=name,
                name=name.upper(),
                country=country,
                roles=roles,
                key=signing_key(name).public,
                node_key=node_key(name).public,
                box_key=BoxKey.from_seed(seed_for("pilot", f"{name}/box")).public,
            )
            for name, (country, roles) in MEMBERS.items()
        ),
        orderers=("cbp", "acme", "globex"),
    )


def stranger_of(who: str) -> str:
    """Return the member abroad that has the same roles."""
    return "other-" + "-".join(sorted(MEMBERS[who][1]))


def refusal_of(kind: str) -> str | None:
    """Return how a stranger with the right roles is refused, or None if it would begin a record of its own."""
    if kind in OWN_RECORD:
        return None
    actors = {step.actor for table in TRAVELED for step in table.steps if step.event == kind}
    if kind in OWN_HOLDING:
        return "unknown-holding"
    return "not-in-charge" if actors <= {Actor.CUSTOMS, Actor.AUTHORITY} else "wrong-actor"


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> set[tuple[str, str, str]]:
    """Every step that a table lets somebody take: table, state, event."""
    steps: set[tuple[str, str, str]] = set()
    advance = Table.advance

    def noted(table, state, event, case):
        target = advance(table, state, event, case)
        steps.add((table.name, state.value, event))
        return target

    monkeypatch.setattr(Table, "advance", noted)
    return steps


class Traveler:
    """Takes the journey, and lets others try each step of it first."""

    def __init__(self, pilot) -> None:
        self.pilot = pilot
        self.roots = Random("journey")

    def signed(self, sender: str, act: Attempt, root: bytes | None = None):
        count = RULES[act.kind].documents
        roots = tuple(root or self.roots.randbytes(32) for _ in range(count))
        until_ms = at_ms(act.on) + DAY_MS
        return self.pilot.sign(
            sender, act.kind, self.with_evidence(act), documents=roots, valid_until_ms=until_ms
        )

    def with_evidence(self, act: Attempt) -> dict[str, Value]:
        """Return the act's body, with acme's seal of the envelope that a complaint is about."""
        if act.body.get("evidence") != SEALED:
            return act.body
        certificate, root = act.body.get("certificate"), act.body.get("root")
        if isinstance(certificate, bytes):
            root = self.pilot.certificate_record(certificate).root
        assert isinstance(root, bytes)
        return act.body | {"evidence": sealed_evidence(self.pilot.genesis.network, root, act.who)}

    def refuse(self, senders: dict[str, tuple[Code, str | None]], act: Attempt) -> None:
        """Let others try; each is refused as expected, and nothing but their nonces is written."""
        signed = [self.signed(sender, act) for sender in senders]
        execution = self.pilot.block(*(one.raw for one in signed), time_ms=at_ms(act.on))
        found = {
            sender: (receipt.code, receipt.rule)
            for sender, receipt in zip(senders, execution.receipts, strict=True)
        }
        assert found == senders, act
        nonces = {nonce_key(one.transaction.creator, one.transaction.nonce) for one in signed}
        assert set(execution.changes) - forgotten(execution) <= nonces, act

    def take(self, act: Attempt) -> None:
        lawful = self.signed(act.who, act, act.root)
        (receipt,) = self.pilot.block(lawful.raw, time_ms=at_ms(act.on)).receipts
        assert (receipt.code, receipt.rule) == (Code.VALID, None), act


def forgotten(execution) -> set[str]:
    """Return the nonces of long ago that a block lets go of."""
    return {key for key, value in execution.changes.items() if value is None}


@pytest.mark.slow
def test_before_every_step_of_a_journey_whoever_may_not_take_it_is_refused(
    rights_genesis, pilot_on, taken
) -> None:
    traveler = Traveler(pilot_on(rights_genesis))
    for act in JOURNEY:
        roles = RULES[act.kind].roles
        senders = {f"only-{role}": (Code.NOT_AUTHORIZED, None) for role in Role if role not in roles}
        refusal = refusal_of(act.kind)
        if refusal is not None:
            senders[stranger_of(act.who)] = (Code.RULE_VIOLATED, f"{act.kind}/{refusal}")
        if senders:
            traveler.refuse(senders, act)
        traveler.take(act)
    steps = {(table.name, step.state.value, step.event) for table in TRAVELED for step in table.steps}
    assert steps - taken == set(), "the journey leaves these steps out"


def test_the_journey_has_every_type_but_those_that_every_member_may_send() -> None:
    left = set(RULES) - {act.kind for act in JOURNEY}
    assert left == {event for table in OPEN_TO_ALL for event in table.events}
    assert all(RULES[kind].roles == frozenset(Role) for kind in left)


CERTIFIERS = {Role.EXPORTER, Role.PRODUCER, Role.IMPORTER}
TRADERS = {Role.EXPORTER, Role.PRODUCER, Role.PROCESSOR, Role.IMPORTER, Role.BROKER}
ROLES_OF: dict[Actor, set[Role]] = {
    Actor.CERTIFIER: CERTIFIERS,
    Actor.ISSUER: CERTIFIERS,
    Actor.HOLDER: {Role.IMPORTER},
    Actor.IMPORTER: {Role.IMPORTER},
    Actor.ENTRANT: {Role.IMPORTER, Role.BROKER},
    Actor.CLAIMANT: {Role.IMPORTER, Role.BROKER},
    Actor.CUSTOMS: {Role.CUSTOMS},
    Actor.VERIFIER: {Role.CUSTOMS},
    Actor.INFORMANT: CERTIFIERS,
    Actor.EXPORTER: {Role.EXPORTER},
    Actor.AUTHORITY: {Role.FISHERIES, Role.CUSTOMS},
    Actor.CUSTODIAN: {Role.EXPORTER, Role.PROCESSOR, Role.IMPORTER},
    Actor.FILER: {Role.IMPORTER},
    Actor.TRADER: TRADERS,
    Actor.CARNET_HOLDER: TRADERS,
    Actor.CARNET_ISSUER: {Role.CHAMBER, Role.GUARANTEEING},
    Actor.HOME_CUSTOMS: {Role.CUSTOMS},
    Actor.OFFICE: {Role.CUSTOMS},
    Actor.GUARANTOR: {Role.GUARANTEEING},
    Actor.ANYBODY: set(Role) - {Role.OBSERVER},
    Actor.DOCUMENT_ISSUER: set(Role) - {Role.OBSERVER},
    Actor.DOCUMENT_PARTY: set(Role) - {Role.OBSERVER},
    Actor.READER: set(Role),
}
"""The roles that whom a table names can have."""


@pytest.mark.parametrize("kind", dict.fromkeys(step.event for table in TRAVELED for step in table.steps))
def test_a_type_is_for_the_roles_that_its_steps_actors_can_have(kind: str) -> None:
    actors = [step.actor for table in TRAVELED for step in table.steps if step.event == kind]
    assert RULES[kind].roles == set().union(*(ROLES_OF[actor] for actor in actors))
