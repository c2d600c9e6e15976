"""Faults of trade told: what an office does meanwhile, and what becomes of its envelopes."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from p2p.observer import RecordField
from scenarios.telling.acts import refusal, told

MEANWHILE: Mapping[str, str] = {
    "outage": "its program is off, its node runs on",
    "silence": "it reads, and says nothing",
    "late_document": "what it sends is held back",
    "lost_document": "what it sends is lost",
    "wrong_data": "what it uploads is not what was agreed",
    "paper_fallback": "it works on paper",
}
"""What a fault of trade does to whom it hits."""


def fault_sentence(fields: Mapping[str, RecordField]) -> str:
    """Return how the beginning of a fault is told: its kind, whom it hits, and for an office what that means."""
    hit = fields["hit"]
    words = f"{fields['kind']} of {', '.join(hit) if isinstance(hit, list) else hit}"
    meanwhile = MEANWHILE.get(str(fields["kind"]))
    return words if meanwhile is None else f"{words}: {meanwhile}"


_SENTENCES: Mapping[str, Callable[[Mapping[str, RecordField]], str]] = {
    "envelope.held": lambda f: f"its envelope to {f['to']} is held back on its way",
    "envelope.released": lambda f: f"its envelope to {f['to']} is let go",
    "envelope.lost": lambda f: f"its envelope to {f['to']} is lost on its way",
    "paper.written": lambda f: f"writes slip {f['slip']} on paper: {_business(f)}",
    "paper.entered_again": lambda f: (
        f"enters slip {f['slip']} a second time: {told(str(f['act']))}"
        + ("" if f["code"] == "VALID" else f", refused ({refusal(str(f['code']), f['rule'])})")
    ),
    "paper.mismatched": lambda f: f"{f['subject']} is not on the ledger as on paper: {_joined(f['fields'])}",
}


def _joined(value: RecordField) -> str:
    return ", ".join(value) if isinstance(value, list) else str(value)


def _business(fields: Mapping[str, RecordField]) -> str:
    """Return what a slip is about: the scripted step, or what the act is in words."""
    job = str(fields["job"])
    return told(str(fields["act"])) if " " in job else job


def _reconciliation(fields: Mapping[str, RecordField]) -> str:
    """Return what a window on paper came to; nothing if nothing was written."""
    if not fields["slips"]:
        return ""
    return (
        f"reconciles its paper with the ledger: slips {fields['slips']}, acts {fields['acts']}; missing"
        f" {fields['missing']}, entered twice {fields['doubled']}, late {fields['late']} (in time on paper"
        f" {fields['in_time']}), forms that do not match {fields['mismatched']}"
    )


def _reconciled(fields: Mapping[str, RecordField]) -> str:
    """Return what is to be told of a reconciled act: nothing if it is as it should be."""
    words = f"slip {fields['slip']} ({told(str(fields['act']))})"
    if not fields["entries"]:
        return f"{words} is not on the ledger"
    if not fields["late"]:
        return ""
    in_time = _joined(fields["in_time"])
    if fields["in_time"] == fields["late"]:
        return f"{words} was in time on paper and is late on the ledger: {in_time}"
    on_paper = f"; in time on paper: {in_time}" if in_time else ""
    return f"{words} is late on the ledger: {_joined(fields['late'])}{on_paper}"


OFFICE_SENTENCES: Mapping[str, Callable[[Mapping[str, RecordField]], str]] = {
    **_SENTENCES,
    "paper.reconciled": _reconciled,
    "reconciliation.done": _reconciliation,
}
"""What is told of offices and their paper."""
