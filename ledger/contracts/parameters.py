"""Every number of the trade rules, once, with its source and how sure we are of it; and every other unsure reading.

Rules:
- A rule takes its limit from here and from nowhere else, so that a number that turns out wrong is changed in
  one place.
- What a rule or form takes to be so without having read it in full, and that is no number, is a `Reading`: it is
  named here, with the modules that would change with it. A test holds the modules to it.
- `Mark.READ` was read in the cited public source; `PARTLY` where only part of the source could be read;
  `UNCONFIRMED` is a stated assumption and is never reported as law; `DESIGN` is this project's own reading or
  choice.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from enum import StrEnum


class Mark(StrEnum):
    """How sure a parameter is."""

    READ = "read"
    PARTLY = "partly read"
    UNCONFIRMED = "unconfirmed"
    DESIGN = "design"


@dataclass(frozen=True, slots=True)
class Parameter:
    """A number of the trade rules: its value, unit, mark, source, and what to know before changing it."""

    value: int
    unit: str
    mark: Mark
    source: str
    note: str = ""

    def __str__(self) -> str:
        unsure = "" if self.mark is Mark.READ else f", {self.mark}"
        return f"{self.value} {self.unit} ({self.source}{unsure})"


@dataclass(frozen=True, slots=True)
class Reading:
    """What rules or forms take to be so, that is no number: how sure it is, its source, the modules that rest on it."""

    says: str
    mark: Mark
    source: str
    used_in: tuple[str, ...]


BLANKET_MONTHS_MAX = Parameter(
    12,
    "months",
    Mark.READ,
    "19 CFR 181.22(b)(5)(ii)",
    "Both named days are covered: a blanket from 4 September may name 3 September of the next year.",
)
CERTIFICATE_VALID_YEARS = Parameter(4, "years from signature", Mark.READ, "19 CFR 181.22(b)(4)")
SUMMARY_WORKING_DAYS = Parameter(10, "working days after entry", Mark.READ, "19 CFR 142.12(b)")
POST_CLAIM_YEARS = Parameter(1, "year of importation", Mark.READ, "19 USC 1520(d)")
CORRECTION_CALENDAR_DAYS = Parameter(30, "calendar days of discovery", Mark.READ, "19 CFR 181.21(b)")
REQUEST_CALENDAR_DAYS = Parameter(30, "calendar days from the CF-28", Mark.PARTLY, "Warren News 1903110016")
BACKUP_CALENDAR_DAYS = Parameter(
    30,
    "further calendar days for back-up records",
    Mark.PARTLY,
    "Warren News 1903110016",
    "practice, not regulation",
)
CURE_WORKING_DAYS = Parameter(5, "working days at least", Mark.READ, "19 CFR 181.22(c)")
PROPOSED_DENIAL_CALENDAR_DAYS = Parameter(
    20, "calendar days from a proposed CF-29", Mark.UNCONFIRMED, "assumption"
)
LIQUIDATION_CALENDAR_DAYS = Parameter(314, "calendar days after entry, about", Mark.READ, "medey.com")
PROTEST_CALENDAR_DAYS = Parameter(180, "calendar days after liquidation", Mark.READ, "19 USC 1514(c)(3)")
SERIES_NOTICE_CALENDAR_DAYS = Parameter(30, "calendar days from the notice", Mark.READ, "19 CFR 10.586(b)")
SERIES_NOTICE_CLAIMS_MIN = Parameter(
    3,
    "small importations that look like a series",
    Mark.DESIGN,
    "design",
    "19 CFR 10.586(b) speaks of importations planned to evade and gives no number",
)
SERIES_WINDOW_CALENDAR_DAYS = Parameter(30, "calendar days within which they fall", Mark.DESIGN, "design")
SMALL_VALUE_USD_MAX = Parameter(
    2_500,
    "US dollars of originating goods that need no certificate",
    Mark.READ,
    "19 CFR 181.22(d)(1), 10.586(a)",
    "under NAFTA the invoice bears a statement; non-commercial importations need no certificate at all",
)
VERIFICATION_REPLY_CALENDAR_DAYS = Parameter(
    30, "calendar days from a verification letter or questionnaire", Mark.UNCONFIRMED, "assumption"
)
VERIFICATION_FOLLOW_UP_CALENDAR_DAYS = Parameter(
    30, "calendar days from the follow-up", Mark.READ, "19 CFR 181.72(d)"
)
VISIT_CONSENT_CALENDAR_DAYS = Parameter(
    30, "calendar days from the receipt of a visit notice", Mark.READ, "19 CFR 181.71-76"
)
INTENT_CALENDAR_DAYS = Parameter(
    30, "calendar days from a notice of intent to deny after a refused visit", Mark.UNCONFIRMED, "assumption"
)
DETERMINATION_CALENDAR_DAYS = Parameter(
    60, "calendar days to the written determination", Mark.READ, "19 CFR 181.71-76"
)
DENIAL_EFFECTIVE_CALENDAR_DAYS = Parameter(
    30, "calendar days before a denial takes effect", Mark.READ, "19 CFR 181.76(b)"
)
PATTERN_VERIFICATIONS_MIN = Parameter(
    2, "verifications of a pattern of conduct", Mark.READ, "19 CFR 181.71-76"
)
PATTERN_NEGATIVE_MIN = Parameter(
    2, "negative determinations of a pattern of conduct", Mark.READ, "19 CFR 181.71-76"
)
FORM_434_RECORD_YEARS = Parameter(5, "years of record keeping", Mark.READ, "NAFTA Form 434, instructions")

CARRYING_CAPACITY_SHORT_TONS = Parameter(
    400,
    "short tons of carrying capacity (362.8 t)",
    Mark.READ,
    "NOAA Form 370, 5B4 and 5B5; 16 USC 1385(d)(2)",
    "A vessel of exactly this capacity is a small one.",
)
ETP_LATITUDE_DEGREES = Parameter(
    40,
    "degrees north and south",
    Mark.READ,
    "16 USC 1385(c)(2)",
    "The parallels themselves count as inside (our reading).",
)
ETP_WEST_LONGITUDE_DEGREES = Parameter(
    160,
    "degrees west",
    Mark.READ,
    "16 USC 1385(c)(2)",
    "The meridian itself counts as inside (our reading).",
)
FORM_370_RECORD_YEARS = Parameter(
    2, "years of record keeping from filing", Mark.UNCONFIRMED, "50 CFR 216.93; assumption"
)
FORM_370_HOLD_CALENDAR_DAYS = Parameter(
    30,
    "calendar days from a hold for what is missing",
    Mark.UNCONFIRMED,
    "assumption",
    "How long NOAA waits for documentation before it rejects was found in no public source.",
)

CAPTAIN_TRAINING_FROM = datetime.date(2016, 5, 21)
"""Captain's statements for trips that begin on this day or later also certify the training course (81 FR
15444; that the day a trip begins decides is our reading)."""

CARNET_VALID_YEARS_MAX = Parameter(
    1,
    "year from issue",
    Mark.READ,
    "ATA Convention (1961), validity of carnets",
    "The last day is the anniversary of the day of issue (our reading, as for every anniversary here).",
)
CARNET_CLAIM_YEARS = Parameter(
    1,
    "year after the carnet's expiry",
    Mark.READ,
    "ATA Convention (1961), Art. 6",
    "anniversary of the last day",
)
CARNET_PROOF_MONTHS = Parameter(
    6, "months from the claim", Mark.READ, "ATA Convention (1961), Art. 7", "the corresponding day is in time"
)
CARNET_RECOVERY_MONTHS = Parameter(
    3, "months from the provisional deposit", Mark.PARTLY, "ATA Convention (1961), Art. 7"
)
CARNET_AMOUNT_PERCENT_MAX = Parameter(
    110, "percent of import duties and taxes", Mark.READ, "ATA Convention (1961), Art. 6"
)
CARNET_SECURITY_PERCENT = Parameter(
    40,
    "percent of the general list's value, carnets issued in the United States",
    Mark.PARTLY,
    "practice of the United States' issuing association",
    "India 55, Brazil 60, road vehicles 100 or 150 were read beside it; a scenario may ask for more.",
)
CARNET_FINAL_DATE_CALENDAR_DAYS = Parameter(
    90,
    "calendar days that customs gives to re-export, if it gives less than the carnet's validity",
    Mark.UNCONFIRMED,
    "assumption",
    "a default of the customs' program; a scenario says another",
)

NAFTA_LAST_IMPORT_ON = datetime.date(2020, 6, 30)
"""NAFTA governs imports to this day, the USMCA from the next (Pub. L. 116-113; in force 2020-07-01)."""

USMCA_FIRST_IMPORT_ON = datetime.date(2020, 7, 1)
"""The USMCA governs imports from this day (Pub. L. 116-113)."""

CAFTA_DR_FIRST_IMPORT_ON = datetime.date(2006, 3, 1)
"""CAFTA-DR governs imports from this day, its first party's; later ones joined later (unconfirmed)."""

LEGAL_DATE_FIRST = datetime.date(1994, 1, 1)
"""The earliest date a body may declare: NAFTA entered into force on it."""

LEGAL_DATE_LAST = datetime.date(2099, 12, 31)
"""The latest date a body may declare; keeps every date computed from it inside the calendar (design)."""
DOCUMENT_RECORD_YEARS = Parameter(
    FORM_434_RECORD_YEARS.value,
    "years from anchoring before a document may be purged",
    Mark.DESIGN,
    "NAFTA Form 434, instructions",
    "the longest record keeping that any form here asks for; the ledger does not tell forms apart",
)

FORM_434_PRODUCER_BASIS = Reading(
    "box 8 numbers its three NOs thus: 1 knowledge, 2 written representation, 3 the producer's certificate",
    Mark.UNCONFIRMED,
    "NAFTA Form 434",
    ("ledger/forms/form434",),
)
FORM_434_CRITERIA_E_F = Reading(
    "criterion E is for automatic data processing goods and their parts, F for agricultural goods",
    Mark.UNCONFIRMED,
    "NAFTA Form 434",
    ("ledger/forms/form434", "ledger/forms/criterion"),
)
FORM_446_BOXES = Reading(
    "the questionnaire asks what Form 446 stands for here, in boxes of our numbering",
    Mark.UNCONFIRMED,
    "CBP Form 446",
    ("ledger/forms/inquiry",),
)
ENTRY_CHECK_DIGIT = Reading(
    "an entry number's last digit is not computed: only its form is checked, and that a line is used once",
    Mark.UNCONFIRMED,
    "CBP Form 7501",
    ("ledger/contracts/claim", "ledger/forms/entry_line"),
)
CARNET_BOX_G = Reading(
    "number, issuer and continuation sheets of a carnet's cover stand in box G",
    Mark.UNCONFIRMED,
    "ATA Convention (1961), annex",
    ("ledger/forms/carnet",),
)
CARNET_USES = Reading(
    "most countries accept three uses: samples, professional equipment, exhibitions and fairs",
    Mark.PARTLY,
    "practice of issuing associations",
    ("ledger/forms/carnet",),
)
VOUCHER_BOXES = Reading(
    "vouchers and counterfoils have the boxes that are numbered here, in this order",
    Mark.UNCONFIRMED,
    "ATA Convention (1961), annex",
    ("ledger/forms/voucher",),
)
FORM_370_CERTIFICATIONS = Reading(
    "what the form numbers below box 5 are endorsements, one for each party in the chain of custody",
    Mark.UNCONFIRMED,
    "NOAA Form 370",
    ("ledger/forms/form370",),
)
FORM_370_WORDS = Reading(
    "gear and ocean areas are named by words of ours, the form's own codes being unknown",
    Mark.UNCONFIRMED,
    "NOAA Form 370",
    ("ledger/forms/form370", "ledger/contracts/fisheries/dolphin"),
)
DOLPHIN_SAFE_REGULATION = Reading(
    "50 CFR 216.91 to 216.93 say what an older edition said",
    Mark.PARTLY,
    "50 CFR 216.91-93",
    ("ledger/contracts/fisheries/dolphin", "ledger/contracts/fisheries/inspection"),
)
POWER_DURATION = Reading(
    "a power of attorney may be without an end; a partnership's limit of two years is not checked",
    Mark.PARTLY,
    "19 CFR 141.34",
    ("ledger/contracts/power",),
)
POWER_REVOCATION = Reading(
    "a power of attorney may be revoked at any time",
    Mark.UNCONFIRMED,
    "19 CFR 141.35",
    ("ledger/contracts/power",),
)
BROKER_LICENSE = Reading(
    "the role broker stands for the license",
    Mark.UNCONFIRMED,
    "19 CFR 111.2",
    ("ledger/contracts/power",),
)
USMCA_KNOWLEDGE = Reading(
    "an importer may claim at entry on its own knowledge, with no certification at all",
    Mark.UNCONFIRMED,
    "19 CFR 182.12(a)",
    ("ledger/contracts/regime",),
)
CAFTA_DR_VERIFIED = Reading(
    "customs verifies with exporter or producer, not with an importer",
    Mark.UNCONFIRMED,
    "19 CFR part 10, subpart J",
    ("ledger/contracts/regime",),
)
CAFTA_DR_FROM = Reading(
    "CAFTA-DR governs imports from 1 March 2006 for every party; later ones joined later",
    Mark.UNCONFIRMED,
    "CAFTA-DR, entry into force for its first party",
    ("ledger/contracts/regime",),
)
