"""What sentences of a scenario may be about: kinds of things with names, states and findings.

Rules:
- A kind is one row of `SUBJECTS`. Expectations (`WORD NAME is STATE`, `is never`, `ends`, `has finding`, `has no
  finding`), predicates, the trial's history and the telling of a run all read this table and nothing else.
- An event is about a subject if it has the kind's `field` with the subject's name; the kind's states come from
  events `FIELD.state` of the agents that know them, or from certified receipts (`scenarios.trial.history`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from ledger.contracts.carnet import CarnetFineState, CarnetStatus, VoucherState
from ledger.contracts.fisheries.dolphin import DolphinStatus
from ledger.contracts.fisheries.inspection import InspectionState
from ledger.contracts.fisheries.records import Form370State
from ledger.contracts.verification import VerificationFineState
from scenarios.errors import UnknownNameError

NAME_PATTERN = r"[a-z][a-z0-9-]{0,39}"
"""Local names: of documents, claims and whatever else a scenario names."""


VOUCHER_PART = r"/[0-9]{1,3}"
"""What a voucher's name has after its carnet's: `k1/3` is voucher 3 of carnet k1."""


class ClaimState(StrEnum):
    """A claim's fine state, as the review table of Customs and importer has it."""

    CLAIMED = "CLAIMED"
    CORRECTED = "CORRECTED"
    CERT_REQUESTED = "CERT_REQUESTED"
    UNDER_REVIEW = "UNDER_REVIEW"
    CURE = "CURE"
    VERIFYING = "VERIFYING"
    DENIAL_NOTICED = "DENIAL_NOTICED"
    ALLOWED = "ALLOWED"
    DENIED = "DENIED"
    LIQUIDATED = "LIQUIDATED"
    PROTESTED = "PROTESTED"
    PROTEST_GRANTED = "PROTEST_GRANTED"
    PROTEST_DENIED = "PROTEST_DENIED"


class FormDefect(StrEnum):
    """What NOAA or Customs may find wrong with a filed Form 370 beyond the ledger's own findings."""

    UNREADABLE = "UNREADABLE"
    COMMITMENT_NOT_OPENED = "COMMITMENT_NOT_OPENED"
    DIFFERS_FROM_LEDGER = "DIFFERS_FROM_LEDGER"
    DIFFERS_FROM_FORM = "DIFFERS_FROM_FORM"
    DRIFTNET = "DRIFTNET"
    EMBARGOED = "EMBARGOED"
    EVIDENCE_MISSING = "EVIDENCE_MISSING"
    STATUS_NOT_SUPPORTED = "STATUS_NOT_SUPPORTED"
    AREA_MISMATCH = "AREA_MISMATCH"
    FLAG_MISMATCH = "FLAG_MISMATCH"
    OUT_EXCEEDS_IN = "OUT_EXCEEDS_IN"
    IN_EXCEEDS_OUT_BEFORE = "IN_EXCEEDS_OUT_BEFORE"
    FORM_EXCEEDS_CUSTODY = "FORM_EXCEEDS_CUSTODY"
    ENTERED_EXCEEDS_FORM = "ENTERED_EXCEEDS_FORM"
    NO_ANSWER = "NO_ANSWER"


FORM_STATES = tuple(
    dict.fromkeys(state.value for state in (Form370State.DRAFT, Form370State.ENDORSED, *InspectionState))
)
"""A form's states: public ones up to the filing, the authorities' and the importer's own ones after it."""


@dataclass(frozen=True, slots=True)
class SubjectKind:
    """One kind of thing that sentences are about.

    Attributes:
        word: how sentences call it, such as `claim`.
        field: of events that are about one; its `FIELD.state` events tell its states.
        section: of the scenario where its names stand.
        states: every state that a sentence may name.
        begun_by: steps that bring one on the ledger; each has the name under `field`.
        has_findings: whether the ledger records findings on it.
        part: what a name has after the section's name, as a regular expression; "" for nothing.
    """

    word: str
    field: str
    section: str
    states: tuple[str, ...]
    begun_by: tuple[str, ...] = ()
    part: str = ""
    has_findings: bool = True

    @property
    def pattern(self) -> str:
        """The regular expression of its names."""
        return NAME_PATTERN + self.part

    def state(self, text: str) -> str:
        """Return the state of this name.

        Raises:
            UnknownNameError: if there is none; the nearest is suggested.
        """
        if text not in self.states:
            raise UnknownNameError(f"{self.word} state", text, self.states)
        return text


def _registry(*kinds: SubjectKind) -> Mapping[str, SubjectKind]:
    return {kind.word: kind for kind in kinds}


SUBJECTS: Mapping[str, SubjectKind] = _registry(
    SubjectKind(
        word="claim",
        field="claim",
        section="claims",
        states=tuple(state.value for state in ClaimState),
        begun_by=("file-claim", "file-post-claim"),
    ),
    SubjectKind(
        word="verification",
        field="verification",
        section="verifications",
        states=tuple(
            state.value for state in VerificationFineState if state is not VerificationFineState.OPEN
        ),
        begun_by=("open-verification",),
    ),
    SubjectKind(
        word="carnet",
        field="carnet",
        section="carnets",
        states=tuple(status.value for status in CarnetStatus),
        begun_by=("apply-carnet",),
    ),
    SubjectKind(
        word="voucher",
        field="voucher",
        section="carnets",
        states=tuple(state.value for state in VoucherState if state is not VoucherState.NONE),
        part=VOUCHER_PART,
    ),
    SubjectKind(
        word="carnet claim",
        field="carnet_claim",
        section="carnets",
        states=tuple(state.value for state in CarnetFineState),
        part=VOUCHER_PART,
    ),
    SubjectKind(
        word="form",
        field="form370",
        section="forms",
        states=FORM_STATES,
        begun_by=("draft-form370",),
    ),
    SubjectKind(
        word="status of form",
        field="form370_status",
        section="forms",
        states=tuple(status.value for status in DolphinStatus),
        has_findings=False,
    ),
    SubjectKind(
        word="defect of form",
        field="form370_defect",
        section="forms",
        states=tuple(defect.value for defect in FormDefect),
        has_findings=False,
    ),
)
"""All kinds, by word."""
