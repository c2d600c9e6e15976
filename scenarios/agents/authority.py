"""Which Customs decides claims, which fisheries authority checks forms 370, and when a legal day is over.

Rules:
- Claims of preference on imports into the United States are decided by the first present member, in the ledger's
  order, that has the role customs and is of that country; if there is none, by the first with the role.
- Forms 370 are checked by the first fisheries authority of the United States, or by the first of all.
- A day's business is done at 16:00 UTC, which lies on that day or a later one in every zone from UTC-12 on.
"""

from __future__ import annotations

import datetime

from ledger.genesis import Role
from scenarios.agents.members import Members
from scenarios.model.units import DAY_MS, HOUR_MS

_EPOCH_ORDINAL = datetime.date(1970, 1, 1).toordinal()


def authority_of(members: Members) -> str:
    """Return the id of the Customs that decides claims."""
    customs = members.with_role(Role.CUSTOMS)
    american = [member.id for member in customs if member.country == "US"]
    return american[0] if american else customs[0].id


def fisheries_of(members: Members) -> str | None:
    """Return the id of the fisheries authority that checks forms 370, or None if there is none."""
    fisheries = members.with_role(Role.FISHERIES)
    american = [member.id for member in fisheries if member.country == "US"]
    return next(iter([*american, *(member.id for member in fisheries)]), None)


def business_ms(day: datetime.date) -> int:
    """Return a moment that does not come before a legal day has begun, UTC milliseconds."""
    return (day.toordinal() - _EPOCH_ORDINAL) * DAY_MS + 16 * HOUR_MS
