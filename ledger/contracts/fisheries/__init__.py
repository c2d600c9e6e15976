"""Fisheries: NOAA Form 370 on the ledger, the importer's permit, and the private rules around them.

`form` is the public table; `dolphin` (with `etp`) and `inspection` are the private ones, which only agents run.
"""

from __future__ import annotations

from ledger.contracts.fisheries.dolphin import (
    STATUS_RULES,
    Determination,
    DolphinStatus,
    Evidence,
    Gear,
    StatusRule,
    Trip,
    captain_certifies,
    determine,
    idcp_certifies,
    is_embargoed,
    observer_certifies,
    pga_code,
)
from ledger.contracts.fisheries.etp import Position, in_etp, read_position
from ledger.contracts.fisheries.form import FORM370_TABLE, FORM_ID_BYTES
from ledger.contracts.fisheries.inspection import (
    INSPECTION_TABLE,
    PGA_STATUS,
    Inspection,
    InspectionEvent,
    InspectionState,
    advance_inspection,
    audit_until,
    form_act_of,
    form_commitment,
    public_form_state,
)
from ledger.contracts.fisheries.permit import has_permit
from ledger.contracts.fisheries.records import (
    Form370Record,
    Form370State,
    Hop,
    PermitRecord,
    read_form370,
    read_permit,
)

__all__ = [
    "FORM370_TABLE",
    "FORM_ID_BYTES",
    "INSPECTION_TABLE",
    "PGA_STATUS",
    "STATUS_RULES",
    "Determination",
    "DolphinStatus",
    "Evidence",
    "Form370Record",
    "Form370State",
    "Gear",
    "Hop",
    "Inspection",
    "InspectionEvent",
    "InspectionState",
    "PermitRecord",
    "Position",
    "StatusRule",
    "Trip",
    "advance_inspection",
    "audit_until",
    "captain_certifies",
    "determine",
    "form_act_of",
    "form_commitment",
    "has_permit",
    "idcp_certifies",
    "in_etp",
    "is_embargoed",
    "observer_certifies",
    "pga_code",
    "public_form_state",
    "read_form370",
    "read_permit",
    "read_position",
]
