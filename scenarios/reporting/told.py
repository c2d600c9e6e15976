"""The report in short, for a terminal of 80 columns: verdict, the numbers that matter, who gains, latency, checks."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from scenarios.reporting.owner import mattering
from scenarios.reporting.page import (
    Read,
    balance,
    code_words,
    latency_rows,
    plain_numbers,
    privacy_words,
    verdict_words,
)
from scenarios.reporting.stories import Line, Story

WIDTH = 80
GAINS_SHOWN = 12
_INDENT = 11


def tell_report(run: Read) -> Iterator[str]:
    """Give the lines that tell of a run in short."""
    recorded = run.recorded
    yield from _wrapped(
        "", f"{recorded.scenario.scenario}: {recorded.scenario.title}; seed {recorded.run.get('seed')}"
    )
    yield from _wrapped("verdict", f"{recorded.verdict.get('verdict')}. {verdict_words(recorded)}")
    for word, key in (("violated", "violations"), ("open", "open")):
        points = recorded.verdict.get(key)
        for point in points if isinstance(points, list) else []:
            yield from _wrapped(word, str(point))
    yield ""
    yield from _compared(run) if run.compared and recorded.has_paper else _plain(run)
    yield ""
    for share, count, median, p95, worst in latency_rows(recorded):
        yield f"certified  at {share:>5} of nodes: median {median} ms, p95 {p95} ms, worst {worst} ms ({count})"
    yield from _wrapped("ledger", code_words(recorded))
    yield from _wrapped("privacy", privacy_words(recorded))


def tell_story(story: Story) -> Iterator[str]:
    """Give the lines of one story."""
    item = story.item
    yield from _wrapped("", f"{item.kind} {item.name}: {item.about}")
    if item.marks:
        yield from _wrapped("", f"exceptional: {', '.join(item.marks)}")
    for document, states in story.states.items():
        yield from _wrapped("states", f"{document}: {', '.join(f'{state} {day}' for day, state in states)}")
    for document, readers in story.readers.items():
        yield from _wrapped("given", f"{document}: {', '.join(readers)}")
    yield from _acts("On the ledger", story.ledger, story.more)
    if story.paper:
        yield from _acts("On paper", story.paper, story.more_on_paper)


def _acts(title: str, lines: list[Line], more: int) -> Iterator[str]:
    yield ""
    yield title
    for line in lines:
        basis = f" [{line.basis}]" if line.basis else ""
        text = f"{line.when}  {line.who:<11} {line.text}{basis}"
        yield from textwrap.wrap(text, WIDTH, subsequent_indent=" " * 30, break_on_hyphens=False)
    if more:
        yield f"and {more} more acts"


def _compared(run: Read) -> Iterator[str]:
    yield f"{'':<26}{'ledger':>15}{'paper':>15}  the ledger is"
    for row in mattering(run.compared):
        line = f"{row.metric.name[:25]:<26}{row.ledger_short[:14]:>15}{row.paper_short[:14]:>15}"
        yield f"{line}  {row.standing.value}".rstrip()
    yield ""
    yield from textwrap.wrap(balance(run.compared), WIDTH, break_on_hyphens=False)
    yield ""
    yield f"{'organization':<20}{'hours on paper':>16}{'on the ledger':>16}{'saved':>10}  it"
    for gain in run.gains[:GAINS_SHOWN]:
        share = "" if gain.saved is None else f"{gain.saved:+.0%}"
        line = f"{gain.organization[:19]:<20}{gain.paper_hours:>16,.1f}{gain.ledger_hours:>16,.1f}"
        yield f"{line}{share:>10}  {gain.word[:15]}"
    if len(run.gains) > GAINS_SHOWN:
        yield f"and {len(run.gains) - GAINS_SHOWN} more organizations"


def _plain(run: Read) -> Iterator[str]:
    for name, value, note in plain_numbers(run.recorded):
        yield f"{name:<34}{value:>14}  {note}"


def _wrapped(word: str, text: str) -> Iterator[str]:
    indent = " " * (_INDENT if word else 0)
    first = f"{word:<{_INDENT}}" if word else ""
    yield from textwrap.wrap(
        text, WIDTH, initial_indent=first, subsequent_indent=indent, break_on_hyphens=False
    )
