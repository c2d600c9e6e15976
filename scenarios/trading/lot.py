"""What a shipment brings into a trial: its papers by local name, and who does what when."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import TypeAdapter

from p2p.observer import RecordField
from scenarios.model import Step
from scenarios.model.carnets import AtaCarnet, AtaReplacement
from scenarios.model.claims import Claim
from scenarios.model.documents import Document
from scenarios.model.fisheries import Form370
from scenarios.model.invoices import Invoice
from scenarios.model.verifications import Verification

_STEP: TypeAdapter[Step] = TypeAdapter(Step)
_WHEN_IT_IS_TAKEN = "2000-01-01T00:00:00Z"
"""Stands for `at`, which steps of a file must have."""


@dataclass(frozen=True, slots=True)
class Act:
    """One scripted act.

    Attributes:
        time_ms: when, UTC milliseconds of the calendar.
        step: what.
        submissions: the fields of `form.submitted`, written down as it begins.
    """

    time_ms: int
    step: Step
    submissions: tuple[Mapping[str, RecordField], ...] = ()


@dataclass(frozen=True, slots=True)
class Lot:
    """One shipment's papers and acts.

    Attributes:
        documents, invoices, claims, verifications, carnets, forms: by local name, as a scenario file has them.
        acts: in the order of time.
        scripted: steps that agents must know of beforehand, so that they do not act on their own account.
    """

    documents: Mapping[str, Document] = field(default_factory=dict)
    invoices: Mapping[str, Invoice] = field(default_factory=dict)
    claims: Mapping[str, Claim] = field(default_factory=dict)
    verifications: Mapping[str, Verification] = field(default_factory=dict)
    carnets: Mapping[str, AtaCarnet | AtaReplacement] = field(default_factory=dict)
    forms: Mapping[str, Form370] = field(default_factory=dict)
    acts: tuple[Act, ...] = ()
    scripted: tuple[Step, ...] = ()


def step_of(do: str, by: str, **fields: object) -> Step:
    """Return a step, checked as one of a file is."""
    values = {"do": do, "by": by, "at": _WHEN_IT_IS_TAKEN, **fields}
    return _STEP.validate_json(json.dumps(values))
