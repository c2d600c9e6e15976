"""A run told on the terminal: who did what on which date as it goes, and at the end what came of it.

Rules:
- One line per business act or fault, in the scenario's zone and in the ledger's order; protocol details stay in the
  event files.
- A table is at most 80 characters wide where its words are: days, not minutes; nothing is cut off.
- A success says little; what failed says what, where, and the command that shows more.
- Values of private fields never appear: narration is made of events alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.table import Table
from rich.text import Text

from p2p.observer import RecordField
from scenarios.judging.measure import SHARES
from scenarios.judging.verdict import Judgment, Verdict
from scenarios.model import Scenario
from scenarios.model.sentences import Judgement
from scenarios.privacy.told import privacy_line
from scenarios.record.eventbook import Event
from scenarios.telling.acts import refusal, told
from scenarios.telling.carnets import CARNET_SENTENCES, CARNET_SILENT, carnet_claim_table, carnet_table
from scenarios.telling.fisheries import FORM_SENTENCES, FORM_STORY_SENTENCES, forms_table
from scenarios.telling.moments import local, local_day
from scenarios.telling.offices import OFFICE_SENTENCES, fault_sentence
from scenarios.telling.order import LedgerOrder
from scenarios.trial.history import History

VERDICT_STYLES = {
    Verdict.PASSED: "bold green",
    Verdict.VIOLATED: "bold red",
    Verdict.UNDECIDED: "bold yellow",
    Verdict.BROKEN: "bold red",
}
"""How each verdict is printed."""

_JUDGEMENT_STYLE = {
    Judgement.HELD: "green",
    Judgement.FAILED: "red",
    Judgement.UNDECIDED: "yellow",
    Judgement.EXCUSED: "cyan",
}


def _joined(value: RecordField) -> str:
    return ", ".join(value) if isinstance(value, list) else str(value)


_SENTENCES: Mapping[str, Callable[[Mapping[str, RecordField]], str]] = {
    "certificate.issued": lambda f: (
        f"signs and anchors certificate {f['certificate']} for {_joined(f['addressees'])}"
    ),
    "certificate.delivered": lambda f: f"delivers certificate {f['certificate']} to {f['holder']}",
    "certificate.acknowledged": lambda f: f"acknowledges certificate {f['certificate']}: held from now on",
    "certificate.complained": lambda f: (
        f"complains about {f['accused']}'s envelope of certificate {f['certificate']}: {f['reason']}"
    ),
    "certificate.unusable": lambda f: f"cannot use what came as certificate {f['certificate']}",
    "certificate.notified": lambda f: f"gives notice that certificate {f['certificate']} is incorrect",
    "certificate.superseded": lambda f: f"replaces certificate {f['certificate']}",
    "certificate.disclosed": lambda f: f"discloses certificate {f['certificate']} to {f['to']}",
    "invoice.disclosed": lambda f: f"discloses invoice {f['invoice']} to {f['to']}",
    "document.disclosed": lambda f: f"discloses document {f['document']} to {f['to']}",
    "document.acknowledged": lambda _: "acknowledges the document that was disclosed to it",
    "document.complained": lambda f: (
        f"complains about {f['accused']}'s envelope of the document that was disclosed to it: {f['reason']}"
    ),
    "document.unusable": lambda _: "cannot use the document that was disclosed to it",
    "document.purged": lambda f: f"has every envelope of document {f['document']} deleted",
    "keys.rotated": lambda _: "signs with new keys from now on",
    "holding.opened": lambda f: f"looks into {f['holder']}'s use of certificate {f['certificate']}",
    "holding.closed": lambda f: f"is done with {f['holder']}'s use of certificate {f['certificate']}",
    "holding.state": lambda f: f"{f['holder']}'s use of certificate {f['certificate']} is {f['state']}",
    "claim.filed": lambda f: (
        f"claims preference {f['claim']} ({f['ledger_id']})"
        + (
            f" for {f['importer']}"
            if f.get("importer", f.get("organization")) != f.get("organization")
            else ""
        )
        + (" after importation" if f.get("post") else "")
        + (f" on certificate {f['certificate']}" if f.get("certificate") else " without a certificate")
    ),
    "power.granted": lambda f: (
        f"gives {f['broker']} its power of attorney from {f['first']}"
        + (f" to {f['last']}" if f["last"] else "")
    ),
    "power.revoked": lambda f: f"revokes {f['broker']}'s power of attorney",
    "broker.instructed": lambda f: f"instructs {f['broker']} to file claim {f['claim']}",
    "claim.corrected": lambda f: f"corrects claim {f['claim']} and pays the duty",
    "claim.opened": lambda f: f"opens an official inquiry into claim {f['claim']}",
    "request.sent": lambda f: f"asks the importer about claim {f['claim']} (CBP Form 28)",
    "verification.opened": lambda f: f"writes to {f['party']} to verify origin ({f['verification']})",
    "verification.answered": lambda f: f"answers Customs in {f['verification']}",
    "verification.state": lambda f: f"verification {f['verification']} is {f['state']}",
    "pattern.noticed": lambda f: f"tells {f['party']} of a pattern of conduct",
    "claim.protested": lambda f: f"protests the liquidation of claim {f['claim']}",
    "invoice.sent": lambda f: f"sends invoice {f['invoice']} to {f['to']}",
    "notice.received": lambda f: (
        f"hears that certificate {f['certificate']} is incorrect"
        if f.get("certificate")
        else f"is told of an act on claim {f['claim']}"
    ),
    "claim.answered": lambda f: f"answers the request on claim {f['claim']} from the ledger",
    "claim.closed": lambda f: f"closes its review of claim {f['claim']}",
    "claim.state": lambda f: f"claim {f['claim']} is {f['state']}",
    "claim.liquidated": lambda f: f"liquidates claim {f['claim']}",
    "step.not_taken": lambda f: f"cannot {f['do']} (step {f['step']}): {f['reason']}",
    **CARNET_SENTENCES,
    **FORM_SENTENCES,
    "act.refused": lambda f: f"is refused as it {told(str(f['act']))} ({refusal(str(f['code']), f['rule'])})",
    "act.forged": lambda f: f"signs with {f['victim']}'s stolen key: {told(str(f['act']))}",
    "verification.closed": lambda f: f"closes verification {f['verification']}",
    **OFFICE_SENTENCES,
    "fault.began": fault_sentence,
    "fault.ended": lambda f: f"{f['kind']} of {_joined(f['hit'])} is over",
    "fault.missed": lambda f: f"{f['kind']} of {f['target']} hits nobody",
    "point.struck": lambda f: f"dies at a point of its program: {f['point']}",
    "node.started": lambda f: f"is up again, at height {f['height']}",
    "node.failed": lambda f: f"stopped by itself: {f['reason']}",
    "node.killed": lambda f: f"was killed: {f['reason']}",
    "checkpoint.divergent": lambda f: f"sees another checkpoint of {f['orderer']} at height {f['height']}",
}
STORY_SENTENCES: Mapping[str, Callable[[Mapping[str, RecordField]], str]] = {
    **_SENTENCES,
    "claim.decided": lambda f: (
        f"decides claim {f['claim']}: {f['state']}"
        + (f" for {_joined(f['defects'])}" if f.get("defects") else "")
    ),
    "request.passed_on": lambda f: f"passes the request on claim {f['claim']} on to {f['to']}",
    "instruction.declined": lambda f: f"files no claim {f['claim']}: it has no power of attorney in force",
    "request.received": lambda f: f"has Customs' request on claim {f['claim']}",
    "request.answered": lambda f: f"has the answer on claim {f['claim']}",
    "answer.late": lambda f: f"has the answer on claim {f['claim']} after its term",
    "decision.received": lambda f: (
        f"has Customs' decision: claim {f['claim']} is {f['state']}"
        + ("" if f["believed"] else ", which does not open the commitment on the ledger")
    ),
    **FORM_STORY_SENTENCES,
    "holding.told": lambda f: (
        f"hears from Customs: its use of certificate {f['certificate']} is {f['state']}"
        + ("" if f["believed"] else ", which does not open the commitment on the ledger")
    ),
    "letter.received": lambda f: f"has a letter of Customs in verification {f['verification']}",
    "answer.unreadable": lambda f: f"cannot read the answer in verification {f['verification']}",
    "instruction.unreadable": lambda f: f"cannot read {f['principal']}'s instruction",
    "envelope.withheld": lambda f: f"sends {f['to']} no envelope",
    "complaint.received": lambda f: f"has {f['holder']}'s complaint about certificate {f['certificate']}",
}
"""What a story tells besides what a run tells as it goes."""
_SHOWN_STATES = (
    "ALLOWED",
    "DENIED",
    "CURE",
    "VERIFYING",
    "DENIAL_NOTICED",
    "PROTEST_GRANTED",
    "PROTEST_DENIED",
)
_DECISIONS = ("ALLOWED", "DENIED")
INDENT = 30
"""Where a told act begins: after the moment and the organization."""
WORD_INDENT = 11
_SILENT = ("claim.closed", *CARNET_SILENT)


def print_wrapped(console: Console, line: Text, indent: int) -> None:
    """Print a line; on a terminal, wrap it between words, with what follows indented."""
    if not console.is_terminal or len(line.plain) <= console.width:
        console.print(line)
        return
    first, *_ = line.wrap(console, console.width)
    console.print(first)
    rest = line[len(first.plain) :]
    rest.plain = rest.plain.lstrip()
    for part in rest.wrap(console, max(20, console.width - indent)):
        console.print(Text(" " * indent).append(part))


@dataclass(slots=True)
class Narrator:
    """Prints events as sentences.

    Attributes:
        console: where.
        zone: of the dates.
        order: puts acts where the ledger has them.
        shows: whether an event is to be told at all.
    """

    console: Console
    zone: ZoneInfo
    shows: Callable[[Event], bool] = lambda _event: True
    order: LedgerOrder = field(default_factory=LedgerOrder)
    _started: dict[str, None] = field(default_factory=dict)

    def __call__(self, event: Event) -> None:
        """Print what is to be told once this event has happened."""
        if event.name == "node.started" and self._is_first_start(str(event.fields["node"])):
            return
        if event.name in _SENTENCES or event.name in {"receipt", "phase"}:
            for act in self.order.take(event):
                if act.event is not None:
                    self._tell(act.event, act.calendar_ms)

    def _is_first_start(self, node: str) -> bool:
        is_first = node not in self._started
        self._started[node] = None
        return is_first

    def _tell(self, event: Event, calendar_ms: int) -> None:
        sentence = _SENTENCES.get(event.name)
        if sentence is None or event.name in _SILENT:
            return
        if event.name == "claim.state" and event.fields["state"] not in _SHOWN_STATES:
            return
        if event.name == "carnet_claim.state" and event.fields.get("is_first"):
            return
        who = event.fields.get("organization") or event.fields.get("node") or "the weather"
        style = (
            "yellow" if event.name.startswith(("fault.", "node.", "point.", "act.", "checkpoint.")) else ""
        )
        words = sentence(event.fields)
        if not words or not self.shows(event):
            return
        line = Text(f"{local(calendar_ms, self.zone)}  ", style="dim")
        line.append(f"{who!s:<12}", style="bold")
        line.append(words, style=style)
        print_wrapped(self.console, line, INDENT)


def print_summary(
    console: Console,
    scenario: Scenario,
    history: History,
    metrics: Mapping[str, RecordField | float],
    judgment: Judgment,
    *,
    with_figures: bool = True,
) -> None:
    """Print documents and claims, figures if asked for, and the verdict."""
    console.print()
    if scenario.documents:
        console.print(_certificates(scenario, history))
    if scenario.claims:
        console.print(_claims(scenario, history))
    if scenario.verifications:
        console.print(_verifications(scenario, history))
    if scenario.carnets:
        console.print(carnet_table(scenario, history))
    if history.subjects("carnet_claim"):
        console.print(carnet_claim_table(history, scenario.zone))
    if scenario.forms:
        console.print(forms_table(scenario, history))
    if with_figures:
        table, words = _figures(metrics)
        console.print(table)
        console.print(Text(words, style="dim"), soft_wrap=False)
        console.print(Text(_exercised(judgment), style="dim"), soft_wrap=False)
    _print_expectations(console, judgment)
    if with_figures and "privacy_pairs" in metrics:
        console.print(Text(f"privacy    {privacy_line(metrics)}", style="default"))
    for violation in judgment.violations:
        print_wrapped(console, Text(f"violated   {violation}", style="red"), WORD_INDENT)
    for point in judgment.open_points:
        print_wrapped(console, Text(f"open       {point}", style="yellow"), WORD_INDENT)
    console.print(Text(f"verdict    {judgment.verdict.value}", style=VERDICT_STYLES[judgment.verdict]))


def _exercised(judgment: Judgment) -> str:
    """Say how often each check was exercised, and which never was."""
    counts = [f"{name} {count:,}" for name, count in judgment.exercised if count]
    never = [name for name, count in judgment.exercised if not count]
    told = f"checks exercised: {', '.join(counts) or 'none'}"
    return told + (f"; not exercised: {', '.join(never)}" if never else "")


def _certificates(scenario: Scenario, history: History) -> Table:
    table = Table(title="Certificates", title_justify="left", box=None, pad_edge=False)
    for column in ("document", "form", "issuer", "state", "holder", "holding", "since"):
        table.add_column(column, overflow="fold")
    for name, document in scenario.documents.items():
        states = history.certificate_states(name)
        state = states[-1][1] if states else "not anchored"
        holdings = [(who, seen) for (what, who), seen in history.holdings().items() if what == name]
        for who, seen in holdings or [("-", [])]:
            since = local_day(seen[-1][0], scenario.zone) if seen else "-"
            held = seen[-1][1] if seen else "-"
            table.add_row(name, document.form, document.issuer, state, who, held, since)
    return table


def _claims(scenario: Scenario, history: History) -> Table:
    table = Table(title="Claims", title_justify="left", box=None, pad_edge=False)
    for column in ("claim", "importer"):
        table.add_column(column, overflow="fold")
    for column in ("filed", "decided", "now", "findings and grounds"):
        table.add_column(column, no_wrap=True)
    for name, claim in scenario.claims.items():
        filed = history.begun_ms("claim", name)
        states = [state for _, state in history.states("claim", name)]
        decisions = [state for state in states if state in _DECISIONS]
        table.add_row(
            name,
            claim.importer,
            "-" if filed is None else local_day(filed, scenario.zone),
            decisions[-1] if decisions else "-",
            states[-1] if states else "not on the ledger",
            _codes([*history.findings("claim", name), *history.reasons("claim", name)]),
        )
    return table


def _codes(codes: Sequence[str]) -> str:
    """Return codes, each once, a line each."""
    return "\n".join(dict.fromkeys(codes)) or "none"


def _verifications(scenario: Scenario, history: History) -> Table:
    table = Table(title="Verifications", title_justify="left", box=None, pad_edge=False)
    for column in ("verification", "party", "certificate", "state", "since"):
        table.add_column(column, overflow="fold")
    for name, plan in scenario.verifications.items():
        states = history.states("verification", name)
        table.add_row(
            name,
            plan.party,
            plan.certificate,
            states[-1][1] if states else "not opened",
            local_day(states[-1][0], scenario.zone) if states else "-",
        )
    return table


def _figures(metrics: Mapping[str, RecordField | float]) -> tuple[Table, str]:
    table = Table(title="From submission to certified", title_justify="left", box=None, pad_edge=False)
    for column in ("share of nodes", "transactions", "median", "p95", "worst"):
        table.add_column(column, justify="right")
    for share in SHARES:
        values = [metrics.get(f"certified_{share}_{name}_ms") for name in ("median", "p95", "max")]
        shown = ["-" if value is None else f"{value:,.0f} ms" for value in values]
        table.add_row(f"{share} %", str(metrics[f"certified_{share}_count"]), *shown)
    words = [f"{metrics['transactions_submitted']} transactions in {metrics['blocks']} blocks"]
    if "messages" in metrics:
        words.append(f"{metrics['messages']:,} messages, {metrics['bytes']:,} bytes between nodes")
    words.append("protocol time, which in the virtual world does not count the processor")
    return table, "; ".join(words)


def _print_expectations(console: Console, judgment: Judgment) -> None:
    console.print()
    for expectation in judgment.expectations:
        outcome = expectation.outcome
        line = Text(f"{outcome.judgement.value:<11}", style=_JUDGEMENT_STYLE[outcome.judgement])
        line.append(expectation.sentence, style="default")
        if outcome.judgement is not Judgement.HELD:
            line.append(f"  ({outcome.text})", style="dim")
        print_wrapped(console, line, WORD_INDENT)
