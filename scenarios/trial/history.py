"""What a trial knows of its certificates and claims, out of events: what expectations and predicates are judged on.

Rules:
- States on the ledger come from certified receipts and the contracts' own tables, never from what a step intended.
- A claim's or holding's fine state comes from the private records of Customs' and the importer's agents.
- Names are the scenario's local names.
- Most of it lies in real files without a name until it is asked for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from ledger.contracts.certificate import CERTIFICATE_TABLE
from ledger.contracts.holding import HOLDING_TABLE
from p2p.observer import RecordField
from scenarios.filed import FiledMap
from scenarios.model.predicates import (
    BlockCommitted,
    CertificateEvent,
    CertificateReached,
    ClaimFiled,
    LeaderElected,
    Predicate,
    SubjectReached,
)
from scenarios.model.sentences import States
from scenarios.model.subjects import SUBJECTS
from scenarios.record.eventbook import Event
from scenarios.trial.carnetstates import CarnetStates
from scenarios.trial.struck import Struck

_CERTIFICATE_TARGETS = {
    step.event: step.target.value for step in CERTIFICATE_TABLE.steps if step.target != step.state
}
_HOLDING_TARGETS = {
    step.event: step.target.value for step in HOLDING_TABLE.steps if step.target != step.state
}
_STATE_EVENTS = {f"{kind.field}.state": kind.field for kind in SUBJECTS.values()}
_DENIALS = ("DENIED", "PROTEST_DENIED")
_EVENT_STATE = {CertificateEvent.DELIVERED: "DELIVERED", CertificateEvent.HELD: "HELD"}


K = TypeVar("K")
T = TypeVar("T")


def _note(noted: FiledMap[K, tuple[T, ...]], key: K, *values: T) -> None:
    """Add to what was noted under a key."""
    noted.put(key, (*noted.get(key, ()), *values))


@dataclass(slots=True)
class History:
    """Follows events; see `scenarios.model.sentences.TrialHistory`."""

    reached_ms: int = 0
    complete: bool = False
    metrics: Mapping[str, RecordField | float] = field(default_factory=dict)
    _certificates: FiledMap[str, tuple[tuple[int, str], ...]] = field(default_factory=FiledMap)
    _holdings: FiledMap[tuple[str, str], tuple[tuple[int, str], ...]] = field(default_factory=FiledMap)
    _fine_holdings: FiledMap[tuple[str, str], tuple[tuple[int, str], ...]] = field(default_factory=FiledMap)
    _states: FiledMap[tuple[str, str], tuple[tuple[int, str], ...]] = field(default_factory=FiledMap)
    _begun: FiledMap[tuple[str, str], int] = field(default_factory=FiledMap)
    _findings: FiledMap[tuple[str, str], tuple[str, ...]] = field(default_factory=FiledMap)
    _noticed: dict[tuple[str, str], int] = field(default_factory=dict)
    _reasons: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    _step_transactions: dict[int, list[str]] = field(default_factory=dict)
    _struck: Struck = field(default_factory=Struck)
    _carnets: CarnetStates = field(default_factory=CarnetStates)
    _codes: FiledMap[str, str] = field(default_factory=lambda: FiledMap(str.encode, bytes.decode))
    _rules: dict[str, str] = field(default_factory=dict)
    _leader_seen: bool = False
    _height: int = 0
    _waiting: list[tuple[Predicate, asyncio.Future[None]]] = field(default_factory=list)

    def __call__(self, event: Event) -> None:
        """Take an event into account and wake those whose predicate holds now."""
        self.reached_ms = max(self.reached_ms, event.calendar_ms)
        self._struck(event)
        if event.name == "receipt":
            self._take_receipt(event)
        elif event.name in _STATE_EVENTS:
            kind = _STATE_EVENTS[event.name]
            self.note_state(kind, event.text(kind), event.integer("time_ms"), event.text("state"))
        elif event.name == "notice.received" and isinstance(event.fields.get("certificate"), str):
            who = (event.text("certificate"), event.text("organization"))
            self._noticed.setdefault(who, event.calendar_ms)
        elif event.name == "holding.state":
            held = (event.text("certificate"), event.text("holder"))
            _note(self._fine_holdings, held, (event.integer("time_ms"), event.text("state")))
        elif event.name == "claim.decided":
            self._take_decision(event)
        elif event.name == "raft.role" and event.fields["role"] == "leader":
            self._leader_seen = True
        elif event.name == "block.executed":
            self._height = max(self._height, event.integer("height"))
        elif event.name == "step.transaction":
            self._step_transactions.setdefault(event.integer("step"), []).append(event.text("id"))
        else:
            return
        self._wake()

    async def until(self, predicate: Predicate) -> None:
        """Wait until a predicate holds."""
        if self.holds(predicate):
            return
        future = asyncio.get_running_loop().create_future()
        self._waiting.append((predicate, future))
        await future

    def holds(self, predicate: Predicate) -> bool:
        """Whether a predicate holds now."""
        match predicate:
            case LeaderElected():
                return self._leader_seen
            case BlockCommitted(height):
                return self._height >= height
            case ClaimFiled(claim):
                return ("claim", claim) in self._begun
            case SubjectReached(kind, name, state):
                return any(seen == state for _, seen in self._states.get((kind.field, name), ()))
            case CertificateReached(certificate, CertificateEvent.ANCHORED):
                return certificate in self._certificates
            case CertificateReached(certificate, event, holder):
                return any(
                    name == certificate
                    and holder in (None, who)
                    and any(state == _EVENT_STATE[event] for _, state in states)
                    for (name, who), states in self._holdings.items()
                )

    def note_state(self, kind: str, name: str, time_ms: int, state: str) -> None:
        """Note that a subject came into a state."""
        _note(self._states, (kind, name), (time_ms, state))

    def states(self, kind: str, name: str) -> States:
        """Return a subject's states in order; empty if it was never on the ledger."""
        states = sorted(self._states.get((kind, name), ()), key=lambda item: item[0])
        return self._carnets.with_expiry(name, states, self.reached_ms) if kind == "carnet" else states

    def certificate_states(self, certificate: str) -> States:
        """Return the certificate's states; empty if it was never anchored."""
        return list(self._certificates.get(certificate, ()))

    def holding_states(self, certificate: str, holder: str) -> States:
        """Return one holding's states, the public one before the fine one; empty if it was never delivered."""
        public = self._holdings.get((certificate, holder), ())
        fine = self._fine_holdings.get((certificate, holder), ())
        return sorted([*public, *fine], key=lambda item: item[0])

    def holdings(self) -> Mapping[tuple[str, str], Sequence[tuple[int, str]]]:
        """Return all holdings' states by (certificate, holder)."""
        return {held: self.holding_states(*held) for held in self._holdings}

    def subjects(self, kind: str) -> list[str]:
        """Return the local names of all subjects of a kind on the ledger, in the order in which they came."""
        return [name for seen, name in self._begun if seen == kind]

    def begun_ms(self, kind: str, name: str) -> int | None:
        """Return the block time of a subject's first act on the ledger, or None."""
        return self._begun.get((kind, name))

    def findings(self, kind: str, name: str) -> Sequence[str]:
        """Return all findings recorded for the transactions about a subject."""
        return list(self._findings.get((kind, name), ()))

    def noticed_ms(self, certificate: str, importer: str) -> int | None:
        """Return when an importer's program heard that a certificate is incorrect, or None."""
        return self._noticed.get((certificate, importer))

    def reasons(self, kind: str, name: str) -> Sequence[str]:
        """Return the codes for which a subject was denied; empty if it was not."""
        return self._reasons.get((kind, name), [])

    def rules_of(self, step: int) -> Sequence[str]:
        """Return the form rules that refused transactions of a step, in their order."""
        return [self._rules[known] for known in self._step_transactions.get(step, ()) if known in self._rules]

    def code_of(self, step: int) -> str | None:
        """Return the first code of a step's transactions that is not VALID, else VALID; None while one is open."""
        ids = self._step_transactions.get(step, [])
        codes = [self._codes.get(transaction_id) for transaction_id in ids]
        for code in codes:
            if code is not None and code != "VALID":
                return code
        return None if not codes or None in codes else "VALID"

    def note_code(self, transaction_id: str, code: str) -> None:
        """Note what became of a transaction that never came to a receipt: refused at the door."""
        if transaction_id not in self._codes:
            self._codes.put(transaction_id, code)

    def metric(self, name: str) -> float | None:
        """Return a measured value; None if there was nothing to measure."""
        value = self.metrics.get(name)
        if isinstance(value, bool) or not isinstance(value, int | float):
            return None
        return float(value)

    def has_struck(self, kind: str) -> bool:
        """Whether a fault of trade of this kind struck."""
        return kind in self._struck.numbers.values()

    def _take_decision(self, event: Event) -> None:
        defects = event.fields.get("defects")
        if event.text("state") in _DENIALS and isinstance(defects, list):
            self._reasons.setdefault(("claim", event.text("claim")), []).extend(defects)

    def _take_receipt(self, event: Event) -> None:
        self._codes.put(event.text("id"), event.text("code"))
        rule = event.fields.get("rule")
        if isinstance(rule, str):
            self._rules[event.text("id")] = rule
        if event.text("code") != "VALID":
            return
        kind = event.fields.get("type")
        certificate = event.fields.get("certificate")
        holder = event.fields.get("holder")
        time_ms = event.integer("time_ms")
        for subject_kind, subject_name, state in self._carnets.take(event, self.states):
            self.note_state(subject_kind, subject_name, time_ms, state)
        findings = event.fields.get("findings")
        for subject in SUBJECTS.values():
            name = event.fields.get(subject.field)
            if isinstance(name, str):
                if (subject.field, name) not in self._begun:
                    self._begun.put((subject.field, name), time_ms)
                if isinstance(findings, list) and findings:
                    _note(self._findings, (subject.field, name), *findings)
        if isinstance(certificate, str) and isinstance(kind, str):
            if kind in _CERTIFICATE_TARGETS:
                _note(self._certificates, certificate, (time_ms, _CERTIFICATE_TARGETS[kind]))
            if kind in _HOLDING_TARGETS and isinstance(holder, str):
                _note(self._holdings, (certificate, holder), (time_ms, _HOLDING_TARGETS[kind]))

    def _wake(self) -> None:
        still: list[tuple[Predicate, asyncio.Future[None]]] = []
        for predicate, future in self._waiting:
            if future.done():
                continue
            if self.holds(predicate):
                future.set_result(None)
            else:
                still.append((predicate, future))
        self._waiting = still
