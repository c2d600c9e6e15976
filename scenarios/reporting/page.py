"""The report as one HTML file: everything that its template shows, and the template filled in.

Rules:
- The file asks nothing of any network and runs no script; whatever comes from the run is escaped.
- It stays under `BYTES_MAX` however large the run: drawings have bins, stories have a budget; what is left out is
  counted, with how to see it.
- The same folder gives the same bytes.
"""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from scenarios.judging.measure import SHARES
from scenarios.judging.verdict import Verdict
from scenarios.reporting import charts
from scenarios.reporting.items import Item, Survey, chosen
from scenarios.reporting.operation import BANDS_MAX, Operation
from scenarios.reporting.owner import Compared, Gain, Standing, compared, gains, mattering
from scenarios.reporting.palette import DARK, LIGHT, css_variables
from scenarios.reporting.recorded import Recorded, mapping, real, rows
from scenarios.reporting.stories import Story, stories_of
from scenarios.reporting.trust import Trust

BYTES_MAX = 5_000_000
STORIES_BYTES_MAX = 3_500_000
FAULTS_SHOWN = 60
Cell = str | Markup
Row = Sequence[Cell]
_CSS = {"passed": "good", "violated": "bad", "undecided": "even"}


@dataclass(frozen=True, slots=True)
class Read:
    """A run read once.

    Attributes:
        recorded: its files.
        operation: how its network did.
        trust: what of what was told did not hold.
        items: all that has a story.
        compared: every metric in both arms; none where no trade was drawn.
        gains: per organization.
    """

    recorded: Recorded
    operation: Operation
    trust: Trust
    items: Sequence[Item]
    compared: Sequence[Compared]
    gains: Sequence[Gain]


def read(recorded: Recorded) -> Read:
    """Read all events of a run once."""
    scenario = recorded.scenario
    operation, survey = Operation(tuple(scenario.organizations)), Survey(scenario)
    trust = Trust(len(scenario.orderers), scenario.network.orderer_liars_tolerated)
    for event in recorded.events():
        operation(event)
        trust(event)
        survey.take(event)
    for event in recorded.paper_events():
        survey.take_paper(event)
    return Read(recorded, operation, trust, survey.items(), compared(recorded), gains(recorded))


def report_html(run: Read) -> str:
    """Return the report of a run."""
    stories = within_budget(stories_of(run.recorded, chosen(run.items)))
    page = {
        **_head(run.recorded),
        **_owner(run),
        **_operator(run),
        **_examiner(run, stories),
        **_checks(run.recorded),
        "trust_words": run.trust.words(),
        "trust_rows": run.trust.rows(),
    }
    return _filled(page, None)


def story_html(recorded: Recorded, story: Story) -> str:
    """Return one story as a page of its own."""
    return _filled(_head(recorded), story)


def within_budget(stories: Sequence[Story]) -> list[Story]:
    """Return the first stories that stay within the budget, those of exceptional items before the others."""
    left, told = STORIES_BYTES_MAX, set()
    for place, story in sorted(enumerate(stories), key=lambda pair: (not pair[1].item.marks, pair[0])):
        left -= story.size
        if left < 0:
            break
        told.add(place)
    return [story for place, story in enumerate(stories) if place in told]


def verdict_words(recorded: Recorded) -> str:
    """Return a sentence that says what the verdict rests on."""
    verdict = recorded.verdict
    expectations, checks = rows(verdict.get("expectations")), rows(verdict.get("checks"))
    held = sum(row.get("judgement") == "held" for row in expectations)
    exercised = [row for row in checks if row.get("exercised")]
    sound = sum(not row.get("violations") for row in exercised)
    words = (
        f"{held} of {len(expectations)} expectations held. "
        if expectations
        else "Nothing was expected of it. "
    )
    words += f"{sound} of {len(exercised)} checks that came up found nothing wrong"
    silent = len(checks) - len(exercised)
    return words + (f"; {silent} did not come up." if silent else ".")


def balance(rows_: Sequence[Compared]) -> str:
    """Return how many metrics are better, worse and neither on the ledger, with their names, the worse ones first."""
    uncompared = (Standing.NEITHER, Standing.LEDGER_ONLY)
    judged = [row for row in rows_ if row.standing not in uncompared and row.metric.id != "M13"]
    by = {standing: [row.metric.name for row in judged if row.standing is standing] for standing in Standing}
    words = (
        f"Of {len(judged)} metrics that both can have the ledger is worse in {len(by[Standing.WORSE])} and better in "
        f"{len(by[Standing.BETTER])}; {len(by[Standing.EVEN])} show no difference, "
        f"{len(by[Standing.UNCOUNTED])} did not come up in both."
    )
    if by[Standing.WORSE]:
        words += f" Worse: {', '.join(by[Standing.WORSE])}."
    if by[Standing.BETTER]:
        words += f" Better: {', '.join(by[Standing.BETTER])}."
    return words


def gain_words(found: Sequence[Gain]) -> str:
    """Return for whom the ledger saves hours of work and for whom it makes more, by name."""
    told = {word: _with_hours(gain for gain in found if gain.word == word) for word in ("gains", "loses")}
    even = ", ".join(gain.organization for gain in found if gain.word not in told)
    words = (
        f"It saves work for {told['gains'] or 'nobody'}. It makes more work for {told['loses'] or 'nobody'}."
    )
    return words + (f" It makes no difference in hours for {even}." if even else "")


def _with_hours(found: Iterable[Gain]) -> str:
    return ", ".join(f"{g.organization} ({abs(g.paper_hours - g.ledger_hours):,.1f} hours)" for g in found)


def command_of(recorded: Recorded) -> str:
    """Return the command that repeats the run from its own folder."""
    run = recorded.run
    words = ["seatrial", "run", "script.py" if run.get("script") else "scenario.yaml"]
    words += ["--world", str(run.get("world")), "--seed", str(run.get("seed"))]
    if run.get("trace_messages"):
        words += ["--trace", "messages"]
    return shlex.join(words)


def _filled(page: Mapping[str, object], only: Story | None) -> str:
    environment = Environment(
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    here = files("scenarios.reporting")
    template = environment.from_string(here.joinpath("report.html.jinja").read_text(encoding="utf-8"))
    css = here.joinpath("report.css").read_text(encoding="utf-8")
    return template.render(
        page=page,
        only=only,
        title="Report" if only is None else only.item.name,
        light=Markup(css_variables(LIGHT)),  # noqa: S704 - constants
        dark=Markup(css_variables(DARK)),  # noqa: S704 - constants
        css=Markup(css),  # noqa: S704 - a file of this package
    ).lstrip()


def _head(recorded: Recorded) -> dict[str, object]:
    return {
        "scenario": recorded.scenario.scenario,
        "title": recorded.scenario.title,
        "seed": recorded.run.get("seed", ""),
        "world": recorded.run.get("world", ""),
        "version": recorded.run.get("version", ""),
    }


def _owner(run: Read) -> dict[str, object]:
    recorded = run.recorded
    verdict = str(recorded.verdict.get("verdict", Verdict.UNDECIDED.value))
    shares = [(gain.organization, gain.saved) for gain in run.gains if gain.saved is not None]
    names = {name: member.name for name, member in recorded.scenario.organizations.items()}
    return {
        "verdict": verdict,
        "verdict_css": _CSS.get(verdict, "even"),
        "verdict_words": verdict_words(recorded),
        "violations": recorded.verdict.get("violations", []),
        "open_points": recorded.verdict.get("open", []),
        "expectations": [
            (str(row.get("sentence")), str(row.get("judgement")), str(row.get("seen") or ""))
            for row in rows(recorded.verdict.get("expectations"))
        ],
        "mattering": mattering(run.compared) if recorded.has_paper else [],
        "numbers": plain_numbers(recorded),
        "balance": balance(run.compared),
        "gain_words": gain_words(run.gains),
        "benefit": charts.benefit_chart(shares) if shares else "",
        "gain_rows": [_gain_row(gain, names) for gain in run.gains],
        "metric_rows": [_metric_row(row) for row in run.compared],
    }


def plain_numbers(recorded: Recorded) -> list[tuple[str, str, str]]:
    """Return the numbers that matter where no trade was drawn: name, value, a note."""
    figures, privacy = recorded.metrics, mapping(recorded.verdict.get("privacy"))
    valid, submitted = (_count(figures.get(f"transactions_{name}")) for name in ("valid", "submitted"))
    numbers = [("Valid transactions", valid, f"of {submitted} handed in")]
    for share, name in ((50, "median"), (100, "max")):
        value = real(figures.get(f"certified_{share}_{name}_ms"))
        if value is not None:
            title = "Certified at half of the nodes" if share == 50 else "Certified at every node"
            numbers.append((title, f"{value:,.0f} ms", "median" if share == 50 else "the slowest"))
    numbers.append(("Leaders elected", _count(figures.get("elections_won")), "over the run"))
    if privacy:
        entitled, pairs = _count(privacy.get("as_entitled")), _count(privacy.get("pairs"))
        numbers.append(
            ("Private fields read as entitled", entitled, f"of {pairs}; {privacy.get('leaks')} leaks")
        )
    return numbers


def _gain_row(gain: Gain, names: Mapping[str, str]) -> Row:
    saved = gain.paper_hours - gain.ledger_hours
    word = Markup('<b class="{}">{}</b>').format(gain.css, gain.word)
    share = "" if gain.saved is None else f" {gain.saved:+.0%}"
    name = Markup('{}<span class="note">{}</span>').format(
        gain.organization, names.get(gain.organization, "")
    )
    return (
        name,
        f"{gain.paper_hours:,.1f}",
        f"{gain.ledger_hours:,.1f}",
        _minus(f"{saved:+,.1f} h{share}"),
        word,
        ", ".join(gain.better) or "nothing shown",
        ", ".join(gain.worse) or "nothing shown",
    )


def _minus(text: str) -> str:
    return text.replace("-", "\u2212")


def _metric_row(row: Compared) -> Row:
    name = Markup('{} <span class="id">{}</span><span class="note">{}</span>').format(
        row.metric.name, row.metric.id, row.metric.formula
    )
    word = Markup('<b class="{}">{} {}</b>').format(row.css, row.sign, row.standing.value)
    return (name, _noted(row.ledger), _noted(row.paper), _noted(row.difference), word)


def _noted(text: str) -> Cell:
    """Return a figure with what stands in brackets beneath it."""
    head, bracket, rest = text.partition(" (")
    return (
        Markup('{}<span class="note">{}</span>').format(head, rest.replace(")", "", 1)) if bracket else text
    )


def _operator(run: Read) -> dict[str, object]:
    operation, figures = run.operation, run.recorded.metrics
    bins, bands, leads, spreads = (
        operation.bins(),
        operation.all_bands(),
        operation.leads(),
        operation.spreads(),
    )
    nodes, orderers = tuple(run.recorded.scenario.organizations), run.recorded.scenario.orderers
    kinds = message_kinds(run.recorded)
    led = Counter(lead.node for lead in leads)
    shown = bands[:FAULTS_SHOWN]
    return {
        "latency_rows": latency_rows(run.recorded),
        "code_words": code_words(run.recorded),
        "latency": charts.latency_chart(bins, bands, operation.ended_s) if bins else "",
        "throughput": charts.throughput_chart(bins, bands, operation.ended_s) if bins else "",
        "leaders": charts.leaders_chart(nodes, leads, bands, operation.ended_s),
        "leaders_words": f"{_plural(len(leads), 'leadership')}, highest term {figures.get('term_max', 0)}; "
        f"a colored band is a fault{_more(len(bands), BANDS_MAX)}.",
        "fault_caption": f"Faults, {len(shown)} of {len(bands)} shown; protocol time",
        "fault_rows": [(b.kind, b.hit, f"{b.began_s:,.1f} s", f"{b.ended_s:,.1f} s") for b in shown],
        "spread": charts.spread_chart(spreads) if spreads else "",
        "spread_words": f"Of {operation.blocks:,} blocks: how long after the first node a share of all nodes had each.",
        "spread_rows": [
            (f"{s.share} %", f"{s.blocks:,}", f"{s.median_ms:,.0f}", f"{s.p95_ms:,.0f}") for s in spreads
        ],
        "messages": charts.messages_chart(kinds) if kinds else "",
        "messages_words": f"{_count(figures.get('messages'))} messages, {_count(figures.get('bytes'))} bytes in all.",
        "topology": charts.topology_chart(nodes, orderers, sorted(operation.links), led),
    }


def latency_rows(recorded: Recorded) -> list[Row]:
    """Return latencies by share of nodes: share, transactions, median, p95, worst in milliseconds."""
    found: list[Row] = []
    for share in SHARES:
        if recorded.metrics.get(f"certified_{share}_count"):
            names = (f"certified_{share}_{name}_ms" for name in ("median", "p95", "max"))
            values = (f"{real(recorded.metrics.get(name)) or 0:,.0f}" for name in names)
            found.append((f"{share} %", _count(recorded.metrics[f"certified_{share}_count"]), *values))
    return found


def code_words(recorded: Recorded) -> str:
    """Return how transactions ended, by code, the unfinished among them."""
    figures = recorded.metrics
    codes = [
        f"{_count(count)} {name.removeprefix('code_')}"
        for name, count in figures.items()
        if name.startswith("code_")
    ]
    unfinished = _count(figures.get("transactions_unfinished"))
    return (
        f"{_count(figures.get('transactions_submitted'))} transactions handed in: {', '.join(codes) or 'none ended'}; "
        f"{unfinished} not certified at every node."
    )


def message_kinds(recorded: Recorded) -> list[tuple[str, int, int]]:
    """Return messages by kind: name, number, bytes; the most first."""
    figures = recorded.metrics
    kinds = [
        (
            name.removeprefix("messages_"),
            int(real(count) or 0),
            int(real(figures.get(f"bytes_{name[9:]}")) or 0),
        )
        for name, count in figures.items()
        if name.startswith("messages_")
    ]
    return sorted(kinds, key=lambda kind: (-kind[1], kind[0]))


def _examiner(run: Read, stories: Sequence[Story]) -> dict[str, object]:
    has_trade = bool(run.recorded.measures)
    told, of = len(stories), len(run.items)
    what = "shipments" if has_trade else "claims and documents"
    words = f"All {of:,} {what} are told." if told == of else _left_out(run.items, stories, what)
    outcomes = (
        Counter((i.kind, i.ledger or "no end", i.paper or "no end") for i in run.items) if has_trade else {}
    )
    privacy = mapping(run.recorded.verdict.get("privacy"))
    accounts = mapping(privacy.get("organizations"))
    columns = ("documents", "may", "could", "undelivered", "purged")
    return {
        "stories_word": "Shipments" if has_trade else "Stories",
        "stories_words": words,
        "stories": stories,
        "outcome_rows": [(*key, f"{count:,}") for key, count in sorted(outcomes.items())],
        "privacy_words": privacy_words(run.recorded),
        "privacy_rows": [
            (name, *(_count(mapping(account).get(column)) for column in columns))
            for name, account in accounts.items()
        ],
    }


def _left_out(items: Sequence[Item], stories: Sequence[Story], what: str) -> str:
    exceptional = sum(bool(item.marks) for item in items)
    shown = sum(bool(story.item.marks) for story in stories)
    return (
        f"{len(stories):,} of {len(items):,} {what} are told: {shown:,} of {exceptional:,} exceptional ones and "
        f"a sample of the others. Any other: seatrial report RUN --shipment NAME."
    )


def privacy_words(recorded: Recorded) -> str:
    """Return how private fields were read, in a sentence."""
    privacy = mapping(recorded.verdict.get("privacy"))
    if not privacy:
        return "This run does not tell who could read what."
    return (
        f"{_count(privacy.get('as_entitled'))} of {_count(privacy.get('pairs'))} field readings were as entitled; "
        f"{_count(privacy.get('leaks'))} leaks. Whoever was given a document is named in its story."
    )


def _checks(recorded: Recorded) -> dict[str, object]:
    run = recorded.run
    facts = [
        ("scenario", recorded.scenario.scenario),
        ("seed", str(run.get("seed", ""))),
        ("world", str(run.get("world", ""))),
        ("version", str(run.get("version", ""))),
        ("network", str(run.get("network", ""))),
        ("events", _count(recorded.metrics.get("events"))),
    ]
    phases = [
        f"{p.get('name')} from {real(p.get('protocol_ms')) or 0:,.0f} ms"
        for p in rows(recorded.verdict.get("phases"))
    ]
    return {
        "check_rows": [
            (
                str(row.get("name")),
                str(row.get("property")),
                str(row.get("source")),
                _count(row.get("exercised")) if row.get("exercised") else "not exercised",
                _count(row.get("violations")),
            )
            for row in rows(recorded.verdict.get("checks"))
        ],
        "run_rows": [*facts, ("phases", "; ".join(phases))],
        "command": command_of(recorded),
    }


def _plural(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _more(count: int, most: int) -> str:
    return f" (the first {most} of {count:,})" if count > most else ""


def _count(value: object) -> str:
    return f"{real(value) or 0:,.0f}"
