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
| `verification v1 is NEGATIVE [within 64 days]` | as of a claim, from the first letter; so too `is never`, ... |
| `carnet k1 ends DISCHARGED` | as of a claim; `is`, `is never`, `has finding`, `has no finding` likewise; EXPIRED too |
| `voucher k1/3 is REFUSED` | as of a claim, of voucher 3 of carnet k1: PRESENTED, ENDORSED or REFUSED |
| `carnet claim k1/3 is REGULARIZED` | as of a claim, of customs' claim on what came in under that voucher |
| `form t1 is RELEASED [within 5 days]` | as of a claim, counted from the form 370's draft; so too `is never`, ... |
| `status of form t1 is 5B3` | NOAA's agent found that its tuna may bear this status; so too `is never` |
| `defect of form t1 is EVIDENCE_MISSING` | NOAA's or Customs' agent found this defect; so too `is never` |
| `certificate c1 is ACTIVE [within 2 days]` | the certificate was ever in this state |
| `certificate c1 is HELD by importer [within 2 days]` | its holding was ever in this state, public or private |
| `step 3 is refused by certificate.deliver/not-addressed` | this form rule refused a transaction of the step |
| `notice of c1 reaches importer [within 40 days]` | its program heard of the notice (so soon after its block) |
| `transaction of step 3 is VALID` | the first code of the step's transactions that is not VALID, else VALID |
| `metric certified_100_p95_ms <= 5000` | the measured value compares so |
| `... unless lost_document, outage` | any of these; what fails is excused if such a fault of trade struck |
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Annotated

from ledger.codes import Code
from ledger.contracts.findings import Finding
from ledger.contracts.holding_review import HoldingFineState
from ledger.contracts.records import CertificateState, HoldingState
from ledger.contracts.rules import rule_remedy
from scenarios.errors import RefusedError, UnknownNameError
from scenarios.model.defects import Defect
from scenarios.model.excuses import UNLESS, parse_unless
from scenarios.model.sentences import (
    METRICS,
    CertificateReaches,
    DeniedFor,
    Ends,
    Expectation,
    HasFinding,
    HasNoFinding,
    MetricBound,
    Never,
    NoticeReaches,
    Reaches,
    StepRefused,
    TransactionIs,
)
from scenarios.model.subjects import NAME_PATTERN, SUBJECTS, SubjectKind
from scenarios.model.units import UNITS_MS, Duration, Text

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


_HOLDING_STATES: dict[str, HoldingState | HoldingFineState] = {
    **{state.value: state for state in HoldingFineState},
    **{state.value: state for state in HoldingState if state is not HoldingState.NONE},
}
"""A holding's states: those that every member sees, and those between Customs and its importer."""

_CERTIFICATE_STATES = [state.value for state in CertificateState if state is not CertificateState.UNANCHORED]


def _certificate(match: re.Match[str]) -> Expectation:
    name, state, holder = match["name"], match["state"], match["holder"]
    within = _within(match)
    if state in _HOLDING_STATES:
        if holder is None:
            raise RefusedError(
                f"{state} is said of a holding", "whose it is must be said", "add by ORGANIZATION"
            )
        return CertificateReaches(match.string, name, _HOLDING_STATES[state], holder, within)
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
    sentence, excused, kinds = words.partition(UNLESS)
    for pattern, make in _COMPILED:
        match = pattern.fullmatch(sentence)
        if match is not None:
            return replace(make(match), text=words, unless=parse_unless(kinds) if excused else ())
    first = words.partition(" ")[0]
    forms = [sentence for sentence in SENTENCES if sentence.startswith(f"{first} ")] or SENTENCES
    raise RefusedError(f'"{text}" is no expectation', "one of: " + " | ".join(forms), "")


ExpectationText = Annotated[
    Expectation, Text(parse_expectation, {"examples": ["claim e1 is ALLOWED within 5 days"]})
]
