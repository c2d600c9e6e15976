"""The sentences of expectations as records, each judged over the history of a trial.

Rules:
- Three judgements: held, failed, undecided. Undecided means that the trial stopped before it could be known,
  or that there was nothing to measure; it is never a kinder word for failed. What failed may be excused afterwards
  (`scenarios.model.excuses`).
- What was not seen has failed only if the trial came to its own end.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol, TypeAlias

from ledger.codes import Code
from ledger.contracts.findings import Finding
from ledger.contracts.holding_review import HoldingFineState
from ledger.contracts.records import CertificateState, HoldingState
from scenarios.model.subjects import SubjectKind
from scenarios.model.units import UNITS_MS, Duration

METRICS: Mapping[str, str] = {
    **{
        f"certified_{share}_{figure}": f"{words} from submission to certified at {share} percent of nodes"
        for share in (50, 90, 100)
        for figure, words in (
            ("count", "transactions that came"),
            ("median_ms", "median latency in milliseconds of protocol time"),
            ("p95_ms", "95th percentile of latency in milliseconds of protocol time"),
            ("max_ms", "highest latency in milliseconds of protocol time"),
        )
    },
    "transactions_submitted": "transactions handed to a node",
    "transactions_accepted": "transactions made durable by their intake node",
    "transactions_valid": "transactions that changed the state",
    "transactions_unfinished": "transactions not certified at every node by the end",
    "blocks": "height of the highest block",
    "elections_won": "times a node became leader",
    "term_max": "highest term of Raft",
    **{f"code_{code.value}": f"receipts with code {code.value}" for code in Code},
    "messages": "frames between nodes",
    "bytes": "bytes between nodes",
    "form370_filed": "forms 370 filed",
    "form370_on_time_percent": "percent of them filed at or before importation",
    "form370_hops": "parties that took custody of what the filed forms cover",
    "form370_endorsed_percent": "percent of them that had endorsed by the filing",
    "paper_slips": "slips written while organizations worked on paper",
    "paper_open": "of these, slips that are not reconciled by the end",
    "paper_acts": "acts on reconciled slips",
    "paper_missing": "of these acts, those of which the ledger has no receipt",
    "paper_doubled": "of these acts, those that were entered more than once",
    "paper_mismatched": "forms entered otherwise than they stand on paper",
    "paper_late": "acts on reconciled slips that are late on the ledger",
    "paper_in_time": "of these, acts that were in time on paper",
}
"""Metrics an expectation may name, with their meaning."""


class Judgement(StrEnum):
    """What became of an expectation."""

    HELD = "held"
    FAILED = "failed"
    UNDECIDED = "undecided"
    EXCUSED = "excused"


@dataclass(frozen=True, slots=True)
class Outcome:
    """A judgement and the reason for it, in one line."""

    judgement: Judgement
    text: str


States: TypeAlias = Sequence[tuple[int, str]]
"""(calendar time in UTC milliseconds, state), ascending; the first is the filing or the anchoring."""


class TrialHistory(Protocol):
    """What a trial knows at its end; names are the scenario's local names."""

    @property
    def reached_ms(self) -> int:
        """How far the calendar came, UTC milliseconds."""

    @property
    def complete(self) -> bool:
        """Whether the trial came to its own end, not to a stop."""

    def states(self, kind: str, name: str) -> States:
        """Return a subject's states in order; empty if it was never on the ledger.

        `kind` is a `SubjectKind.field`.
        """

    def certificate_states(self, certificate: str) -> States:
        """Return the certificate's states; empty if it was never anchored."""

    def holding_states(self, certificate: str, holder: str) -> States:
        """Return one holding's states; empty if it was never delivered."""

    def findings(self, kind: str, name: str) -> Sequence[str]:
        """Return all findings recorded for the transactions about a subject."""

    def noticed_ms(self, certificate: str, importer: str) -> int | None:
        """Return when an importer's program heard that a certificate is incorrect, UTC milliseconds, or None."""

    def reasons(self, kind: str, name: str) -> Sequence[str]:
        """Return the codes for which a subject was denied; empty if it was not."""

    def code_of(self, step: int) -> str | None:
        """Return the code of a step, counted from 1; None while a transaction of it has no receipt."""

    def rules_of(self, step: int) -> Sequence[str]:
        """Return the form rules that refused transactions of a step, in their order."""

    def metric(self, name: str) -> float | None:
        """Return a measured value; None if there was nothing to measure."""

    def has_struck(self, kind: str) -> bool:
        """Whether a fault of trade of this kind struck."""


def _held(text: str) -> Outcome:
    return Outcome(Judgement.HELD, text)


def _not_held(history: TrialHistory, text: str) -> Outcome:
    """What was not seen has failed if the trial came to its end, and is undecided if it was stopped."""
    if history.complete:
        return Outcome(Judgement.FAILED, text)
    return Outcome(Judgement.UNDECIDED, f"{text}, but the trial stopped early")


def _shown(ms: int) -> str:
    days = ms / UNITS_MS["d"]
    return f"{days:.1f} days" if days >= 1 else f"{ms / UNITS_MS['h']:.1f} hours"


def _judge_reached(
    subject: str,
    states: States,
    *,
    since_ms: int | None,
    state: str,
    within: Duration | None,
    history: TrialHistory,
) -> Outcome:
    """Judge whether a state was ever reached, and in time."""
    if since_ms is None:
        return _not_held(history, f"{subject} never came on the ledger")
    for time_ms, seen in states:
        if seen != state:
            continue
        took = f"{subject} was {state} {_shown(time_ms - since_ms)} after it came on the ledger"
        if within is None or time_ms <= since_ms + within.ms:
            return _held(took)
        return Outcome(Judgement.FAILED, f"{took}, later than {_shown(within.ms)}")
    last = states[-1][1] if states else "not there"
    if within is not None and history.reached_ms > since_ms + within.ms:
        return Outcome(
            Judgement.FAILED, f"{subject} was not {state} within {_shown(within.ms)}; it is {last}"
        )
    return _not_held(history, f"{subject} was never {state}; it is {last}")


def _since(states: States) -> int | None:
    return states[0][0] if states else None


def _limit(within: Duration | None) -> str:
    return f" within {_shown(within.ms)}" if within is not None else " at any time"


@dataclass(frozen=True, slots=True)
class Sentence:
    """What every expectation is made of.

    Attributes:
        text: the sentence, as written.
        unless: kinds of faults of trade that excuse it, if they struck.
    """

    text: str
    unless: tuple[str, ...] = field(default=(), kw_only=True)

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class SubjectSentence(Sentence):
    """What sentences about a claim, or whatever else has states and findings, are made of."""

    kind: SubjectKind
    name: str

    @property
    def subject(self) -> str:
        """What it is about, in words."""
        return f"{self.kind.word} {self.name}"

    def states(self, history: TrialHistory) -> States:
        """Return the subject's states."""
        return history.states(self.kind.field, self.name)

    def found(self, history: TrialHistory) -> Sequence[str]:
        """Return the subject's findings."""
        return history.findings(self.kind.field, self.name)


@dataclass(frozen=True, slots=True)
class Reaches(SubjectSentence):
    """A subject is in a state, by a deadline if there is one."""

    state: str
    within: Duration | None = None

    def describe(self) -> str:
        """Return what has to be seen."""
        return f"{self.subject} reaches {self.state}{_limit(self.within)} after it came on the ledger"

    def evaluate(self, history: TrialHistory) -> Outcome:
        """Judge it."""
        states = self.states(history)
        return _judge_reached(
            self.subject,
            states,
            since_ms=_since(states),
            state=self.state,
            within=self.within,
            history=history,
        )


@dataclass(frozen=True, slots=True)
class Never(SubjectSentence):
    """A subject is never in a state."""

    state: str

    def describe(self) -> str:
        """Return what must not be seen."""
        return f"{self.subject} is not {self.state} at any time"

    def evaluate(self, history: TrialHistory) -> Outcome:
        """Judge it; an unfinished trial cannot hold it."""
        if any(state == self.state for _, state in self.states(history)):
            return Outcome(Judgement.FAILED, f"{self.subject} was {self.state}")
        if history.complete:
            return _held(f"{self.subject} was never {self.state}")
        return Outcome(Judgement.UNDECIDED, f"{self.subject} was not {self.state} when the trial stopped")


@dataclass(frozen=True, slots=True)
class Ends(SubjectSentence):
    """A subject's state at the trial's end."""

    state: str

    def describe(self) -> str:
        """Return what has to be seen."""
        return f"{self.subject} is {self.state} when the trial ends"

    def evaluate(self, history: TrialHistory) -> Outcome:
        """Judge it; an unfinished trial decides nothing about its end."""
        states = self.states(history)
        last = states[-1][1] if states else "not on the ledger"
        if not history.complete:
            return Outcome(Judgement.UNDECIDED, f"{self.subject} was {last} when the trial stopped")
        judgement = Judgement.HELD if last == self.state else Judgement.FAILED
        return Outcome(judgement, f"{self.subject} ended {last}")


@dataclass(frozen=True, slots=True)
class HasFinding(SubjectSentence):
    """The ledger recorded a finding for a subject."""

    finding: Finding

    def describe(self) -> str:
        """Return what has to be seen."""
        return f"the ledger records {self.finding.value} for {self.subject}: {self.finding.meaning}"

    def evaluate(self, history: TrialHistory) -> Outcome:
        """Judge it."""
        found = self.found(history)
        if self.finding.value in found:
            return _held(f"{self.subject} has {self.finding.value}")
        return _not_held(history, f"{self.subject} has {', '.join(found) or 'no finding'}")


@dataclass(frozen=True, slots=True)
class HasNoFinding(SubjectSentence):
    """The ledger recorded no finding, or not this one, for a subject that is on it."""

    finding: Finding | None = None

    def describe(self) -> str:
        """Return what must not be seen."""
        return f"{self.subject} is on the ledger without {self.finding or 'any finding'}"

    def evaluate(self, history: TrialHistory) -> Outcome:
        """Judge it; what never came on the ledger is no proof of cleanness."""
        found = self.found(history)
        bad = [name for name in found if self.finding is None or name == self.finding.value]
        if bad:
            return Outcome(Judgement.FAILED, f"{self.subject} has {', '.join(bad)}")
        if not self.states(history):
            return _not_held(history, f"{self.subject} never came on the ledger")
        if not history.complete:
            return Outcome(Judgement.UNDECIDED, f"{self.subject} was clean when the trial stopped")
        return _held(f"{self.subject} has no finding{f' {self.finding}' if self.finding else ''}")


@dataclass(frozen=True, slots=True)
class DeniedFor(Sentence):
    """Customs denied a claim, or its protest, and this code was among its reasons."""

    kind: SubjectKind
    name: str
    code: str

    def describe(self) -> str:
        """Return what has to be seen."""
        return f"{self.kind.word} {self.name} is denied, and {self.code} is among the reasons"

    def evaluate(self, history: TrialHistory) -> Outcome:
        """Judge it."""
        reasons = history.reasons(self.kind.field, self.name)
        if self.code in reasons:
            return _held(f"{self.kind.word} {self.name} was denied for {', '.join(reasons)}")
        return _not_held(
            history, f"{self.kind.word} {self.name} was denied for {', '.join(reasons) or 'nothing'}"
        )


@dataclass(frozen=True, slots=True)
class CertificateReaches(Sentence):
    """A certificate, or one importer's holding of it, is in a state, by a deadline if there is one."""

    certificate: str
    state: CertificateState | HoldingState | HoldingFineState
    holder: str | None = None
    within: Duration | None = None

    def describe(self) -> str:
        """Return what has to be seen."""
        whose = f" by {self.holder}" if self.holder else ""
        return (
            f"certificate {self.certificate} is {self.state}{whose}{_limit(self.within)} after its anchoring"
        )

    def evaluate(self, history: TrialHistory) -> Outcome:
        """Judge it."""
        own = history.certificate_states(self.certificate)
        subject = f"certificate {self.certificate}"
        states = own
        if self.holder is not None:
            states = history.holding_states(self.certificate, self.holder)
            subject = f"{subject} of {self.holder}"
        return _judge_reached(
            subject, states, since_ms=_since(own), state=self.state, within=self.within, history=history
        )


@dataclass(frozen=True, slots=True)
class NoticeReaches(Sentence):
    """An importer hears that a certificate is incorrect, by a deadline if there is one."""

    certificate: str
    importer: str
    within: Duration | None = None

    def describe(self) -> str:
        """Return what has to be seen."""
        return f"{self.importer} hears that {self.certificate} is incorrect{_limit(self.within)} after the notice"

    def evaluate(self, history: TrialHistory) -> Outcome:
        """Judge it."""
        heard_ms = history.noticed_ms(self.certificate, self.importer)
        states = () if heard_ms is None else ((heard_ms, "told"),)
        given = [ms for ms, state in history.certificate_states(self.certificate) if state == "NOTICE_GIVEN"]
        return _judge_reached(
            self.importer,
            states,
            since_ms=given[0] if given else None,
            state="told",
            within=self.within,
            history=history,
        )


@dataclass(frozen=True, slots=True)
class TransactionIs(Sentence):
    """What became of a step's transactions."""

    step: int
    code: Code

    def describe(self) -> str:
        """Return what has to be seen."""
        return f"the transactions of step {self.step} come to {self.code.value}"

    def evaluate(self, history: TrialHistory) -> Outcome:
        """Judge it."""
        code = history.code_of(self.step)
        if code is None:
            return _not_held(history, f"step {self.step} has no receipt for all its transactions")
        judgement = Judgement.HELD if code == self.code.value else Judgement.FAILED
        return Outcome(judgement, f"step {self.step} came to {code}")


_COMPARE: Mapping[str, Callable[[float, float], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
}


@dataclass(frozen=True, slots=True)
class StepRefused(Sentence):
    """A form rule refused a step's transaction."""

    step: int
    rule: str

    def describe(self) -> str:
        """Return what has to be seen."""
        return f"the rule {self.rule} refuses a transaction of step {self.step}"

    def evaluate(self, history: TrialHistory) -> Outcome:
        """Judge it."""
        rules = history.rules_of(self.step)
        if self.rule in rules:
            return _held(f"step {self.step} was refused by {self.rule}")
        return _not_held(history, f"step {self.step} was refused by {', '.join(rules) or 'no rule'}")


@dataclass(frozen=True, slots=True)
class MetricBound(Sentence):
    """A threshold on a measured value."""

    metric: str
    comparison: str
    bound: float

    def describe(self) -> str:
        """Return what has to be seen."""
        return f"{self.metric} ({METRICS[self.metric]}) {self.comparison} {self.bound:g}"

    def evaluate(self, history: TrialHistory) -> Outcome:
        """Judge it; nothing measured decides nothing."""
        value = history.metric(self.metric)
        if value is None:
            return Outcome(Judgement.UNDECIDED, f"{self.metric} was not measured: nothing to measure")
        judgement = Judgement.HELD if _COMPARE[self.comparison](value, self.bound) else Judgement.FAILED
        return Outcome(judgement, f"{self.metric} is {value:g}, expected {self.comparison} {self.bound:g}")


Expectation: TypeAlias = (
    Reaches
    | Never
    | Ends
    | HasFinding
    | HasNoFinding
    | DeniedFor
    | CertificateReaches
    | NoticeReaches
    | TransactionIs
    | StepRefused
    | MetricBound
)
