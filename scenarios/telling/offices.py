"""Faults of trade told: what an office does meanwhile, and what becomes of its envelopes."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from p2p.observer import RecordField

MEANWHILE: Mapping[str, str] = {
    "outage": "its program is off, its node runs on",
    "silence": "it reads, and says nothing",
    "late_document": "what it sends is held back",
    "lost_document": "what it sends is lost",
    "wrong_data": "what it uploads is not what was agreed",
}
"""What a fault of trade does to whom it hits."""


def fault_sentence(fields: Mapping[str, RecordField]) -> str:
    """Return how the beginning of a fault is told: its kind, whom it hits, and for an office what that means."""
    hit = fields["hit"]
    words = f"{fields['kind']} of {', '.join(hit) if isinstance(hit, list) else hit}"
    meanwhile = MEANWHILE.get(str(fields["kind"]))
    return words if meanwhile is None else f"{words}: {meanwhile}"


OFFICE_SENTENCES: Mapping[str, Callable[[Mapping[str, RecordField]], str]] = {
    "envelope.held": lambda f: f"its envelope to {f['to']} is held back on its way",
    "envelope.released": lambda f: f"its envelope to {f['to']} is let go",
    "envelope.lost": lambda f: f"its envelope to {f['to']} is lost on its way",
}
