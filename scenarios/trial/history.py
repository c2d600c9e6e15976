"""What a trial knows of its certificates and claims, out of events: what expectations and predicates are judged on.

Rules:
- States on the ledger come from certified receipts and the contracts' own tables, never from what a step intended.
- A claim's fine state comes from the private records of Customs' and the importer's agents.
- Names are the scenario's local names.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ledger.contracts.certificate import CERTIFICATE_TABLE
from ledger.contracts.holding import HOLDING_TABLE
from p2p.observer import RecordField
from scenarios.model.expectations import States
from scenarios.model.predicates import (
    BlockCommitted,
    CertificateEvent,
    CertificateReached,
    ClaimFiled,
    ClaimReached,
    LeaderElected,
    Predicate,
)
from scenarios.trial.eventbook import Event

_CERTIFICATE_TARGETS = {
    step.event: step.target.value for step in CERTIFICATE_TABLE.steps if step.target != step.state
}
_HOLDING_TARGETS = {
    step.event: step.target.value for step in HOLDING_TABLE.steps if step.target != step.state
}
_EVENT_STATE = {CertificateEvent.DELIVERED: "DELIVERED", CertificateEvent.HELD: "HELD"}


@dataclass(slots=True)
class History:
    """Follows events; see `scenarios.model.expectations.TrialHistory`."""

    reached_ms: int = 0
    complete: bool = False
    metrics: Mapping[str, RecordField | float] = field(default_factory=dict)
    _certificates: dict[str, list[tuple[int, str]]] = field(default_factory=dict)
    _holdings: dict[tuple[str, str], list[tuple[int, str]]] = field(default_factory=dict)
    _claims: dict[str, list[tuple[int, str]]] = field(default_factory=dict)
    _filed: dict[str, int] = field(default_factory=dict)
    _findings: dict[str, list[str]] = field(default_factory=dict)
    _step_transactions: dict[int, list[str]] = field(default_factory=dict)
    _codes: dict[str, str] = field(default_factory=dict)
    _leader_seen: bool = False
    _height: int = 0
    _waiting: list[tuple[Predicate, asyncio.Future[None]]] = field(default_factory=list)

    def __call__(self, event: Event) -> None:
        """Take an event into account and wake those whose predicate holds now."""
        self.reached_ms = max(self.reached_ms, event.calendar_ms)
        if event.name == "receipt":
            self._take_receipt(event)
        elif event.name == "claim.state":
            self._claims.setdefault(event.text("claim"), []).append(
                (event.integer("time_ms"), event.text("state"))
            )
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
                return claim in self._filed
            case ClaimReached(claim, state):
                return any(seen == state for _, seen in self._claims.get(claim, ()))
            case CertificateReached(certificate, CertificateEvent.ANCHORED):
                return certificate in self._certificates
            case CertificateReached(certificate, event, holder):
                return any(
                    name == certificate
                    and holder in (None, who)
                    and any(state == _EVENT_STATE[event] for _, state in states)
                    for (name, who), states in self._holdings.items()
                )

    def claim_states(self, claim: str) -> States:
        """Return the claim's fine states in order; empty if it was never on the ledger."""
        return sorted(self._claims.get(claim, []), key=lambda item: item[0])

    def certificate_states(self, certificate: str) -> States:
        """Return the certificate's states; empty if it was never anchored."""
        return self._certificates.get(certificate, [])

    def holding_states(self, certificate: str, holder: str) -> States:
        """Return one holding's states; empty if it was never delivered."""
        return self._holdings.get((certificate, holder), [])

    def holdings(self) -> Mapping[tuple[str, str], Sequence[tuple[int, str]]]:
        """Return all holdings' states by (certificate, holder)."""
        return self._holdings

    def claims(self) -> list[str]:
        """Return the local names of all claims on the ledger, in order of filing."""
        return list(self._filed)

    def filed_ms(self, claim: str) -> int | None:
        """Return the block time of a claim's filing, or None."""
        return self._filed.get(claim)

    def findings(self, claim: str) -> Sequence[str]:
        """Return all findings recorded for the claim's transactions."""
        return self._findings.get(claim, [])

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
        self._codes.setdefault(transaction_id, code)

    def metric(self, name: str) -> float | None:
        """Return a measured value; None if there was nothing to measure."""
        value = self.metrics.get(name)
        if isinstance(value, bool) or not isinstance(value, int | float):
            return None
        return float(value)

    def _take_receipt(self, event: Event) -> None:
        self._codes[event.text("id")] = event.text("code")
        if event.text("code") != "VALID":
            return
        kind = event.fields.get("type")
        certificate, claim = event.fields.get("certificate"), event.fields.get("claim")
        holder = event.fields.get("holder")
        time_ms = event.integer("time_ms")
        if isinstance(claim, str):
            self._filed.setdefault(claim, time_ms)
            findings = event.fields.get("findings")
            if isinstance(findings, list):
                self._findings.setdefault(claim, []).extend(findings)
        if isinstance(certificate, str) and isinstance(kind, str):
            if kind in _CERTIFICATE_TARGETS:
                self._certificates.setdefault(certificate, []).append((time_ms, _CERTIFICATE_TARGETS[kind]))
            if kind in _HOLDING_TARGETS and isinstance(holder, str):
                states = self._holdings.setdefault((certificate, holder), [])
                states.append((time_ms, _HOLDING_TARGETS[kind]))

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
