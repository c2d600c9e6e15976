"""Faults of trade: of an organization's office and application, and of what it sends, while its node runs on.

Rules:
- They hit an organization, not its node: the node goes on ordering, certifying and taking in. What stops the node is
  another fault, and both may be in force together.
- They last on the calendar: an office is closed for days, not for so many heartbeats.
- Nothing of them needs the world's help, so both worlds do all of them alike.

Sources: CBP's downtime procedures when ACE is unavailable (CSMS 17-000718, 19-000204); the business continuity
procedure of Union transit (Regulation (EU) 2015/2447, annex 72-04), in which a declaration on paper replaces the
electronic one, and what was lodged before is withdrawn lest it stand twice.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field, model_validator

from scenarios.errors import RefusedError
from scenarios.model.faultbase import BaseFault, NoParams
from scenarios.model.units import Clock, Record

ENTRY_MINUTES_MAX = 7 * 24 * 60


class TradeFault(BaseFault):
    """What every fault of trade has.

    Attributes:
        source: where its like was read of.
    """

    lasting = "required"
    hits = "offices"
    source: ClassVar[str]

    @model_validator(mode="after")
    def _check_clock(self) -> TradeFault:
        if self.lasts is not None and self.lasts.clock is Clock.PROTOCOL:
            what = f"lasts {self.lasts.duration} of protocol time"
            limit = "an office keeps the calendar, on which months pass in seconds of it"
            raise RefusedError(what, limit, "write for: {calendar: 5d}", inside=("for",))
        return self


class Outage(TradeFault):
    """The organization's application is off: it reads nothing and does nothing, and does later what was due."""

    source = "CSMS 17-000718: ACE portal and interchange unavailable, 2017-11-14"
    kind: Literal["outage"]
    params: NoParams = Field(NoParams(), description="None.")


class Silence(TradeFault):
    """The organization reads all that comes and hands in and sends nothing; it says later what it had to say."""

    source = "19 CFR 181.72(d): a producer that does not answer"
    kind: Literal["silence"]
    params: NoParams = Field(NoParams(), description="None.")


class PostParams(Record):
    """Which envelopes."""

    to: str | None = Field(
        None, description="The addressee whose envelopes are struck; every one's if absent."
    )


class LateDocument(TradeFault):
    """Envelopes that the organization sends are held back till the end, although their roots are on the ledger."""

    source = "19 CFR 181.21(a): the certificate must be in the importer's possession at the claim"
    kind: Literal["late_document"]
    params: PostParams = Field(PostParams(to=None), description="Whose.")


class LostDocument(TradeFault):
    """Envelopes that the organization sends are never delivered, although their roots are on the ledger."""

    source = "19 CFR 181.21(a): the certificate must be in the importer's possession at the claim"
    kind: Literal["lost_document"]
    params: PostParams = Field(PostParams(to=None), description="Whose.")


class WrongDataParams(Record):
    """What is written otherwise than agreed."""

    fields: tuple[str, ...] = Field(
        min_length=1, description="Fields, as `form/field` or `field`, by the names that `careless` takes."
    )


class WrongData(TradeFault):
    """The organization uploads forms whose named fields are not what was agreed, on purpose and without fail."""

    source = "design: purposely wrong data; 19 USC 1592(a)"
    kind: Literal["wrong_data"]
    params: WrongDataParams = Field(description="Which fields.")


class FallbackParams(Record):
    """How what was written on paper is entered afterwards."""

    entry_minutes: int = Field(
        30,
        ge=1,
        le=ENTRY_MINUTES_MAX,
        description="Minutes of the calendar to enter each slip, one after another.",
    )
    twice_percent: float = Field(0, ge=0, le=100, description="Slips entered a second time, of a hundred.")
    mistyped_percent: float = Field(
        0,
        ge=0,
        le=100,
        description="Fields of forms entered otherwise than they stand on paper, of a hundred.",
    )


class PaperFallback(TradeFault):
    """The organization works on paper: its acts bear their true dates, are entered on the ledger afterwards, and
    are reconciled with it."""

    source = "Regulation (EU) 2015/2447, annex 72-04; CSMS 19-000204"
    kind: Literal["paper_fallback"]
    params: FallbackParams = Field(
        FallbackParams(entry_minutes=30, twice_percent=0, mistyped_percent=0),
        description="How it is entered.",
    )


TRADE_KINDS = ("outage", "silence", "late_document", "lost_document", "wrong_data", "paper_fallback")
"""The organizations' own programs do them, in either world."""
