"""What a scenario expects, one sentence each, judged over the history of a trial.

Rules:
- `within` counts from the block time of the claim, or of the certificate's anchoring; a day is 24 hours of
  the calendar. A state counts if it was ever reached by then, however the claim moved on.
- Three judgements: held, failed, undecided. Undecided means that the trial stopped before it could be known,
  or that there was nothing to measure; it is never a kinder word for failed.
- Fine states, findings and codes are judged on what the parties' own agents and the ledger say, never on
  what a step intended.

| sentence | held when |
|---|---|
| `claim e1 is ALLOWED [within 5 days]` | the claim was ever in this fine state (by then) |
| `claim e1 is never DENIED` | it never was, over the whole trial |
| `claim e1 ends LIQUIDATED` | it is the last state at the trial's end |
| `claim e1 has finding NO_POSSESSION` | the ledger recorded it |
| `claim e1 has no finding [NO_POSSESSION]` | the ledger recorded none (not this one) |
| `claim e1 is denied for NOT_IDENTICAL` | Customs denied it, or its protest, for this finding or defect among others |
| `carnet k1 ends DISCHARGED` | as of a claim; `is`, `is never`, `has finding`, `has no finding` likewise; EXPIRED too |
| `voucher k1/3 is REFUSED` | as of a claim, of voucher 3 of carnet k1: PRESENTED, ENDORSED or REFUSED |
| `carnet claim k1/3 is REGULARIZED` | as of a claim, of customs' claim on what came in under that voucher |
| `form t1 is RELEASED [within 5 days]` | as of a claim, counted from the form 370's draft; so too `is never`, ... |
| `status of form t1 is 5B3` | NOAA's agent found that its tuna may bear this status; so too `is never` |
| `defect of form t1 is EVIDENCE_MISSING` | NOAA's or Customs' agent found this defect; so too `is never` |
| `certificate c1 is ACTIVE [within 2 days]` | the certificate was ever in this state |
| `certificate c1 is HELD by importer [within 2 days]` | this importer's holding was ever in this state |
| `step 3 is refused by certificate.deliver/not-addressed` | this form rule refused a transaction of the step |
| `notice of c1 reaches importer [within 40 days]` | its program heard of the notice (so soon after its block) |
| `transaction of step 3 is VALID` | the first code of the step's transactions that is not VALID, else VALID |
| `metric certified_100_p95_ms <= 5000` | the measured value compares so |
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Protocol, TypeAlias

from ledger.codes import Code
from ledger.contracts.findings import Finding
from ledger.contracts.records import CertificateState, HoldingState
from ledger.contracts.rules import rule_remedy
from scenarios.errors import RefusedError, UnknownNameError
from scenarios.model.defects import Defect
from scenarios.model.subjects import NAME_PATTERN, SUBJECTS, SubjectKind
from scenarios.model.units import UNITS_MS, Duration, Text

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
}
"""Metrics an expectation may name, with their meaning."""


class Judgement(StrEnum):
    """What became of an expectation."""

    HELD = "held"
    FAILED = "failed"
    UNDECIDED = "undecided"


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
    """What every expectation is made of: the sentence, as written."""

    text: str

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
    state: CertificateState | HoldingState
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

SENTENCES = (
    *(
        f"{kind.word} NAME {sentence}"
        for kind in SUBJECTS.values()
        for sentence in (
            "is STATE [within N days]",
            "is never STATE",
            "ends STATE",
            *(("has finding FINDING", "has no finding [FINDING]") if kind.has_findings else ()),
        )
    ),
    "claim NAME is denied for CODE",
    "certificate NAME is STATE [within N days]",
    "certificate NAME is STATE by ORGANIZATION [within N days]",
    "notice of NAME reaches ORGANIZATION [within N days]",
    "transaction of step N is CODE",
    "step N is refused by RULE",
    "metric NAME <= NUMBER (or <, >=, >)",
)


def _finding(text: str) -> Finding:
    for finding in Finding:
        if finding.value == text:
            return finding
    raise UnknownNameError("finding", text, [finding.value for finding in Finding])


def _code(text: str) -> Code:
    for code in Code:
        if code.value == text:
            return code
    raise UnknownNameError("code", text, [code.value for code in Code])


def _rule(text: str) -> str:
    try:
        rule_remedy(text)
    except ValueError as error:
        raise RefusedError(f"{text} is no rule", str(error), "take it out of a receipt") from error
    return text


_HOLDING_STATES = [state.value for state in HoldingState if state is not HoldingState.NONE]
_CERTIFICATE_STATES = [state.value for state in CertificateState if state is not CertificateState.UNANCHORED]


def _certificate(match: re.Match[str]) -> Expectation:
    name, state, holder = match["name"], match["state"], match["holder"]
    within = _within(match)
    if state in _HOLDING_STATES:
        if holder is None:
            raise RefusedError(
                f"{state} is said of a holding", "whose it is must be said", "add by ORGANIZATION"
            )
        return CertificateReaches(match.string, name, HoldingState(state), holder, within)
    if state not in _CERTIFICATE_STATES:
        raise UnknownNameError("certificate state", state, [*_CERTIFICATE_STATES, *_HOLDING_STATES])
    if holder is not None:
        raise RefusedError(f"{state} is said of the certificate, not of a holding", "", f"remove by {holder}")
    return CertificateReaches(match.string, name, CertificateState(state), None, within)


def _metric(match: re.Match[str]) -> Expectation:
    if match["metric"] not in METRICS:
        raise UnknownNameError("metric", match["metric"], METRICS)
    return MetricBound(match.string, match["metric"], match["compare"], float(match["bound"]))


_WITHIN_MS = {"day": UNITS_MS["d"], "hour": UNITS_MS["h"], "minute": UNITS_MS["min"]}


def _within(match: re.Match[str]) -> Duration | None:
    if match["count"] is None:
        return None
    return Duration(int(match["count"]) * _WITHIN_MS[match["unit"].removesuffix("s")])


_NAME = rf"(?P<name>{NAME_PATTERN})"
_WORD = r"[A-Za-z_0-9]+"
_WITHIN = r"(?: within (?P<count>[0-9]{1,6}) (?P<unit>days?|hours?|minutes?))?"


def _subject_rules(kind: SubjectKind) -> tuple[tuple[str, Callable[[re.Match[str]], Expectation]], ...]:
    subject = rf"{kind.word} (?P<name>{kind.pattern})"
    states = (
        (
            rf"{subject} is never (?P<state>{_WORD})",
            lambda m: Never(m.string, kind, m["name"], kind.state(m["state"])),
        ),
        (
            rf"{subject} is (?P<state>{_WORD}){_WITHIN}",
            lambda m: Reaches(m.string, kind, m["name"], kind.state(m["state"]), _within(m)),
        ),
        (
            rf"{subject} ends (?P<state>{_WORD})",
            lambda m: Ends(m.string, kind, m["name"], kind.state(m["state"])),
        ),
    )
    findings = (
        (
            rf"{subject} has finding (?P<finding>{_WORD})",
            lambda m: HasFinding(m.string, kind, m["name"], _finding(m["finding"])),
        ),
        (
            rf"{subject} has no finding(?: (?P<finding>{_WORD}))?",
            lambda m: HasNoFinding(
                m.string, kind, m["name"], _finding(m["finding"]) if m["finding"] else None
            ),
        ),
    )
    return states + findings if kind.has_findings else states


_REASONS = [*(finding.value for finding in Finding), *(defect.value for defect in Defect)]


def _reason(text: str) -> str:
    if text not in _REASONS:
        raise UnknownNameError("reason", text, _REASONS)
    return text


_RULES: tuple[tuple[str, Callable[[re.Match[str]], Expectation]], ...] = (
    (
        rf"claim {_NAME} is denied for (?P<reason>{_WORD})",
        lambda m: DeniedFor(m.string, SUBJECTS["claim"], m["name"], _reason(m["reason"])),
    ),
    *(rule for kind in SUBJECTS.values() for rule in _subject_rules(kind)),
    (
        rf"certificate {_NAME} is (?P<state>{_WORD})(?: (?:by|to|for) (?P<holder>[a-z0-9-]+))?{_WITHIN}",
        _certificate,
    ),
    (
        rf"notice of {_NAME} reaches (?P<who>[a-z0-9-]+){_WITHIN}",
        lambda m: NoticeReaches(m.string, m["name"], m["who"], _within(m)),
    ),
    (
        rf"transaction of step (?P<step>[0-9]{{1,6}}) is (?P<code>{_WORD})",
        lambda m: TransactionIs(m.string, int(m["step"]), _code(m["code"])),
    ),
    (
        r"step (?P<step>[0-9]{1,6}) is refused by (?P<rule>[a-z_.]+/[a-z-]+)",
        lambda m: StepRefused(m.string, int(m["step"]), _rule(m["rule"])),
    ),
    (rf"metric (?P<metric>{_WORD}) (?P<compare><=|>=|<|>) (?P<bound>[0-9]+(?:\.[0-9]+)?)", _metric),
)
_COMPILED = tuple((re.compile(pattern), make) for pattern, make in _RULES)


def parse_expectation(text: str) -> Expectation:
    """Return the expectation of one sentence; the table is in this module's docstring.

    Raises:
        RefusedError: The sentence is none of the table's, or names an unknown state, finding, code or metric.
    """
    words = " ".join(text.split())
    for pattern, make in _COMPILED:
        match = pattern.fullmatch(words)
        if match is not None:
            return make(match)
    first = words.partition(" ")[0]
    forms = [sentence for sentence in SENTENCES if sentence.startswith(f"{first} ")] or SENTENCES
    raise RefusedError(f'"{text}" is no expectation', "one of: " + " | ".join(forms), "")


ExpectationText = Annotated[
    Expectation, Text(parse_expectation, {"examples": ["claim e1 is ALLOWED within 5 days"]})
]
