"""Every state of every document is reachable from its history by the tables.

Rules:
- The walk is this module's own: it takes the tables from the contracts and nothing that runs them. Where each act
  leads, whose it is and which of a table's rows it needs is worked out from public receipts alone.
- Guards are the contracts' business: they look at dates, quantities and rosters, and refuse by receipt.
- Who may read a document is not followed; that a reader takes its step is. A broker acts for whoever has granted it a
  power that is not revoked; its days are a guard.
- Most records lie in a real file without a name until they are asked for.
- At the end every record of every kind on the ledger stands where the walk has brought it, and no other is there.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from ledger.contracts import (
    CERTIFICATE_TABLE,
    CLAIM_TABLE,
    DOCUMENT_TABLE,
    HOLDING_TABLE,
    POWER_TABLE,
    READING_TABLE,
    REGIME_OF_FORM,
    Actor,
    Step,
    Table,
)
from ledger.contracts.carnet import CARNET_CLAIM_TABLE, CARNET_TABLE, VOUCHER_TABLE
from ledger.contracts.fisheries import FORM370_TABLE
from ledger.contracts.table import Case
from ledger.contracts.verification import VERIFICATION_TABLE
from ledger.encoding import decode
from ledger.genesis import Role
from ledger.state import VALUE_BYTES_MAX
from scenarios.filed import FiledEntries
from scenarios.judging.checks.check import FinalNode, FinalState, Violation
from scenarios.record.eventbook import Event

Body = Mapping[str, object]
AnyTable = Table[StrEnum, Case]

_TRADERS = {Role.EXPORTER, Role.PRODUCER, Role.PROCESSOR, Role.IMPORTER, Role.BROKER}
_ROLES: Mapping[Actor, set[Role]] = {
    Actor.IMPORTER: {Role.IMPORTER},
    Actor.EXPORTER: {Role.EXPORTER},
    Actor.CUSTOMS: {Role.CUSTOMS},
    Actor.FISHERIES: {Role.FISHERIES},
    Actor.AUTHORITY: {Role.FISHERIES, Role.CUSTOMS},
    Actor.TRADER: _TRADERS,
    Actor.ENTRANT: {Role.IMPORTER, Role.BROKER},
}
"""Actors that are whoever has one of these roles."""

_PARTIES: Mapping[Actor, str] = {
    Actor.ISSUER: "issuer",
    Actor.CLAIMANT: "importer",
    Actor.VERIFIER: "beginner",
    Actor.VERIFIED: "party",
    Actor.INFORMANT: "party",
    Actor.CUSTODIAN: "custody",
    Actor.FILER: "filer",
    Actor.CARNET_HOLDER: "beginner",
    Actor.CARNET_ISSUER: "issuer",
    Actor.OFFICE: "office",
    Actor.GUARANTOR: "association",
    Actor.DOCUMENT_ISSUER: "beginner",
}
"""Actors that are parties of the record, by what the record's history calls them."""

_PRESENTING = ("claim.respond", "claim.protest", "verification.respond", "carnet.answer", "fisheries.respond")
"""Acts that may name a document that is on the ledger already."""


@dataclass(frozen=True, slots=True)
class _Kind:
    """One kind of record: its table, and the key of the one that an act is about."""

    prefix: str
    table: AnyTable
    key: Callable[[Reachable, Body, str], str]


@dataclass(slots=True, weakref_slot=True)
class _Record:
    """One record as its history leaves it: its state, and its parties by what they are."""

    state: str
    parties: dict[str, tuple[str, ...]] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Reachable:
    """Walks every record from receipt to receipt.

    Attributes:
        roles, countries: of every organization that the scenario names.
        records: every record, by state key.
        origins: of a carnet that replaces another, the first one of its line.
        touched: the keys of the records that the last receipt's act is about.
    """

    roles: Mapping[str, Sequence[Role]]
    countries: Mapping[str, str]
    name: str = "reachable"
    exercised: int = 0
    violations: list[Violation] = field(default_factory=list)
    records: FiledEntries[str, _Record] = field(default_factory=FiledEntries)
    origins: dict[str, str] = field(default_factory=dict)
    touched: list[str] = field(default_factory=list)
    _event: int = 0

    def __call__(self, event: Event) -> None:
        """Take a certified receipt's step."""
        if event.name != "receipt":
            return
        self.touched.clear()
        if event.fields["code"] != "VALID":
            return
        self._event = event.number
        act, creator = event.text("type"), event.text("creator")
        body: Body = json.loads(event.text("body"))
        for root in _texts(event.fields["documents"]):
            self._anchor(act, creator, root)
        for kind in _KINDS_OF.get(act, ()):
            if (
                act == "certificate.anchor"
                and kind.table is HOLDING_TABLE
                and not self._holds_own(body, creator)
            ):
                continue
            self._step(kind, act, body, creator)

    def finish(self, final: FinalState) -> None:
        """Hold where every record has come to against what the first node's store says."""
        name = next(iter(final.nodes), None)
        if name is None:
            return
        states = dict(_states(final.nodes[name]))
        for key in sorted(states.keys() | self.records.keys()):
            self.exercised += 1
            walked = self.records[key].state if key in self.records else "nothing"
            stored = states.get(key, "nothing")
            if walked != stored:
                text = f"{key} is {stored} in the store of {name}, its receipts lead to {walked}"
                self.violations.append(Violation(self.name, None, text))

    def _step(self, kind: _Kind, act: str, body: Body, creator: str) -> None:
        key = kind.key(self, body, creator)
        record = self.records.get(key)
        before = kind.table.states[0].value if record is None else record.state
        rows = [step for step in kind.table.steps if step.event == act and step.state.value == before]
        self.exercised += 1
        if not rows:
            self._violate(f"{key}: {act} by {creator} from {before} is no row of the {kind.table.name} table")
            return
        if record is None:
            record = _Record(before, self._parties(act, body, creator))
            record.missing = list(record.parties.get("custody", ()))
        self.touched.append(key)
        self._check_actor(rows[0], key, record, body, creator)
        if creator in record.missing and act == "fisheries.endorse":
            record.missing.remove(creator)
        if act == "carnet.replace":
            successor = _text(body, "successor")
            self.origins[successor] = self._origin(body)
            self.records.put(f"carnet/{successor}", _Record(before, dict(record.parties)))
            self.touched.append(f"carnet/{successor}")
        if act != "fisheries.endorse" or not record.missing:
            record.state = rows[0].target.value
        self.records.put(key, record)

    def _check_actor(
        self, step: Step[StrEnum, Case], key: str, record: _Record, body: Body, creator: str
    ) -> None:
        if not self._plays(step.actor, key, record, body, creator):
            self._violate(f"{key}: {step.event} is for {step.actor.value}, and {creator} is not")

    def _plays(self, actor: Actor, key: str, record: _Record, body: Body, creator: str) -> bool:
        roles = self.roles.get(creator)
        if actor is Actor.HOLDER:
            return key.endswith(f"/{creator}")
        if actor in (Actor.ENTRANT, Actor.CLAIMANT) and creator not in record.parties["importer"]:
            (importer,) = record.parties["importer"]
            power = self.records.get(f"power/{importer}/{creator}")
            return power is not None and power.state == "GRANTED"
        if actor is Actor.INFORMANT and record.parties.get("regime") == ("USMCA",) and roles is not None:
            is_seller = not {Role.EXPORTER, Role.PRODUCER}.isdisjoint(roles)
            return is_seller or creator in record.parties["party"]
        if actor in _PARTIES:
            return creator in record.parties.get(_PARTIES[actor], ())
        if roles is None or actor in (Actor.ANYBODY, Actor.READER, Actor.DOCUMENT_PARTY):
            return True
        if actor is Actor.CERTIFIER:
            return not REGIME_OF_FORM[_text(body, "form")].certifiers.isdisjoint(roles)
        if actor is Actor.HOME_CUSTOMS:
            (holder,) = record.parties["beginner"]
            return Role.CUSTOMS in roles and self.countries.get(creator) == self.countries.get(holder)
        return not _ROLES[actor].isdisjoint(roles)

    def _parties(self, act: str, body: Body, creator: str) -> dict[str, tuple[str, ...]]:
        """Return who is who in a record that this act begins."""
        named = {
            name: (str(body[name]),) for name in ("party", "issuer", "association", "regime") if name in body
        }
        parties: dict[str, tuple[str, ...]] = {"beginner": (creator,), **named}
        parties["importer"] = (str(body.get("importer_of_record") or creator),)
        if act == "carnet.claim":
            parties["office"] = self.records[_voucher_key(self, body, "voucher")].parties["office"]
        elif "office" in body:
            parties["office"] = (_text(body, "office"),)
        if act == "carnet.present":
            parties["beginner"] = self.records[f"carnet/{body['carnet']}"].parties["beginner"]
        if act.startswith("certificate."):
            certificate = self.records.get(f"certificate/{body['certificate']}")
            parties["issuer"] = (creator,) if certificate is None else certificate.parties["issuer"]
        custody = body.get("custody")
        if isinstance(custody, list):
            parties["custody"] = tuple(str(hop["organization"]) for hop in custody)
            parties["filer"] = parties["custody"][-1:]
        return parties

    def _anchor(self, act: str, creator: str, root: str) -> None:
        self.exercised += 1
        if f"document/{root}" not in self.records:
            self.records.put(f"document/{root}", _Record("ANCHORED", {"beginner": (creator,)}))
        elif act not in _PRESENTING:
            self._violate(f"document/{root}: {act} by {creator} anchors it a second time")

    def _holds_own(self, body: Body, creator: str) -> bool:
        certifiers = REGIME_OF_FORM[_text(body, "form")].certifiers
        return Role.IMPORTER in certifiers and Role.IMPORTER in self.roles.get(creator, ())

    def _origin(self, body: Body) -> str:
        carnet = _text(body, "carnet")
        return self.origins.get(carnet, carnet)

    def _violate(self, text: str) -> None:
        self.violations.append(Violation(self.name, self._event, text))


def _text(body: Body, name: str) -> str:
    return str(body[name])


def _texts(value: object) -> list[str]:
    return value if isinstance(value, list) else []


def _by(prefix: str, *names: str) -> Callable[[Reachable, Body, str], str]:
    """Make a key of a body's fields."""
    return lambda _walk, body, _creator: "/".join([prefix, *(_text(body, name) for name in names)])


def _holding(_walk: Reachable, body: Body, creator: str) -> str:
    return f"holding/{body['certificate']}/{body.get('holder', creator)}"


def _power(_walk: Reachable, body: Body, creator: str) -> str:
    return f"power/{creator}/{body['broker']}"


def _reading(_walk: Reachable, body: Body, creator: str) -> str:
    return f"reading/{body['root']}/{creator}"


def _voucher_key(walk: Reachable, body: Body, serial: str) -> str:
    return f"carnet-voucher/{walk._origin(body)}/{body[serial]}"


def _voucher(walk: Reachable, body: Body, _creator: str) -> str:
    return _voucher_key(walk, body, "serial")


def _carnet_claim(walk: Reachable, body: Body, _creator: str) -> str:
    return f"carnet-claim/{walk._origin(body)}/{body['voucher']}"


_KINDS = (
    _Kind("certificate", CERTIFICATE_TABLE, _by("certificate", "certificate")),  # type: ignore[arg-type]
    _Kind("holding", HOLDING_TABLE, _holding),  # type: ignore[arg-type]
    _Kind("claim", CLAIM_TABLE, _by("claim", "entry", "line")),  # type: ignore[arg-type]
    _Kind("verification", VERIFICATION_TABLE, _by("verification", "verification")),  # type: ignore[arg-type]
    _Kind("form370", FORM370_TABLE, _by("form370", "form370")),  # type: ignore[arg-type]
    _Kind("carnet", CARNET_TABLE, _by("carnet", "carnet")),  # type: ignore[arg-type]
    _Kind("carnet-voucher", VOUCHER_TABLE, _voucher),  # type: ignore[arg-type]
    _Kind("carnet-claim", CARNET_CLAIM_TABLE, _carnet_claim),  # type: ignore[arg-type]
    _Kind("power", POWER_TABLE, _power),  # type: ignore[arg-type]
    _Kind("document", DOCUMENT_TABLE, _by("document", "root")),  # type: ignore[arg-type]
    _Kind("reading", READING_TABLE, _reading),  # type: ignore[arg-type]
)
_KINDS_OF: dict[str, list[_Kind]] = {}
for _kind in _KINDS:
    for _act in _kind.table.events:
        if _act != "document.anchor":  # its document is among those that every act may anchor
            _KINDS_OF.setdefault(_act, []).append(_kind)
_PREFIXES = tuple(kind.prefix for kind in _KINDS)


def _states(node: FinalNode) -> Iterator[tuple[str, str]]:
    """Yield key and state of every record of these kinds."""
    for key, value in node.state.items():
        if key.partition("/")[0] in _PREFIXES:
            record = decode(value, limit_bytes=VALUE_BYTES_MAX)
            if isinstance(record, dict):
                yield key, str(record["state"])
