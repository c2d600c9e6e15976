"""The table of dishonest behaviors: who may have which, what it does, and what should catch it.

Rules:
- A kind is for the roles that can do it; what it takes more than that (a claim, a voucher) the scenario gives.
- `caught_by` names rules of the ledger (`act/refusal`), findings, and defects that an authority finds in private
  papers. Nobody can catch a kind that names none: then it is recorded as done, and as found by nobody.
- Whoever catches it does so without knowing this table.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from ledger.contracts.carnet import ISSUERS, TRADERS
from ledger.genesis import Role


class Dishonesty(StrEnum):
    """A named fraud that an agent may commit by itself."""

    BACK_DATES = "back-dates"
    WRONG_CRITERION = "wrong-criterion"
    FORGES_PRODUCER_STATEMENT = "forges-producer-statement"
    SPOILS_ENVELOPE = "spoils-envelope"
    COMPLAINS_FALSELY = "complains-falsely"
    INFLATES_QUANTITY = "inflates-quantity"
    REUSES_SHIPMENT = "reuses-shipment"
    CLAIMS_WITHOUT_CERTIFICATE = "claims-without-certificate"
    CLAIMS_ON_ANOTHERS = "claims-on-anothers-certificate"
    KEEPS_NO_RECORDS = "keeps-no-records"
    PRESENTS_TWICE = "presents-voucher-twice"
    ADDS_UNLISTED_ITEM = "adds-unlisted-item"
    SWAPS_SERIAL = "swaps-serial-number"
    BACK_DATES_VOUCHER = "back-dates-voucher"
    SELLS_ABROAD = "sells-and-reports-lost"
    ISSUES_UNSECURED = "issues-without-security"
    WAIVES_SECURITY = "waives-security"
    ISSUES_TOO_LONG = "issues-over-a-year"
    INVENTS_HOLDER = "certifies-false-holder"
    REFUSES_HONEST_CLAIM = "refuses-honest-claim"
    STAMPS_UNSEEN = "stamps-unseen"
    STAMPS_ABSENT_GOODS = "stamps-absent-goods"
    BACK_DATES_STAMPS = "back-dates-stamps"
    DECLARES_5B1 = "declares-5b1"
    LAUNDERS_GEAR = "launders-gear"
    WRONG_TRIP = "wrong-trip"
    FORGES_OBSERVER_STATEMENT = "forges-observer-statement"
    OMITS_ENDORSEMENT = "omits-endorsement"
    INFLATES_WEIGHT = "inflates-weight"
    FILES_LATE = "files-late"
    MISDATES_IMPORTATION = "misdates-importation"
    FILES_WITHOUT_PERMIT = "files-without-permit"


@dataclass(frozen=True, slots=True)
class Misconduct:
    """A row of the table.

    Attributes:
        roles: who can do it: one of them is enough.
        does: what the agent does.
        caught_by: rules, findings and defects of which one should come of it; empty if nobody can know.
        how: who catches it and how, or why nobody can.
        source: of the rule that is broken.
        fields: what it falsifies of a paper, if the scenario may choose among several.
    """

    roles: tuple[Role, ...]
    does: str
    caught_by: tuple[str, ...]
    how: str
    source: str
    fields: tuple[str, ...] = ()


_D = Dishonesty
_SELLERS = (Role.EXPORTER, Role.PRODUCER)
_CERTIFIERS = (Role.EXPORTER, Role.PRODUCER, Role.IMPORTER)
_HOLDERS = tuple(role for role in Role if role in TRADERS)
_ISSUERS = tuple(role for role in Role if role in ISSUERS)
_CUSTODIANS = (Role.EXPORTER, Role.PROCESSOR, Role.IMPORTER)

MISCONDUCT: Mapping[Dishonesty, Misconduct] = {
    _D.BACK_DATES: Misconduct(
        _CERTIFIERS,
        "signs a certificate with a date sixty days before the day on which it signs",
        ("NO_POSSESSION",),
        "the ledger: possession is in the order of the log, whatever date the paper bears; where the certificate is "
        "there before the claim, nobody is harmed and nothing found",
        "19 CFR 181.21(a)",
    ),
    _D.WRONG_CRITERION: Misconduct(
        _CERTIFIERS,
        "writes criterion A, wholly obtained, for every good",
        ("CRITERION_MISMATCH", "NOT_ORIGINATING"),
        "Customs, where goods of that chapter cannot be wholly obtained; otherwise only a verification of the books",
        "19 CFR 181.22(b); General Note 12",
    ),
    _D.FORGES_PRODUCER_STATEMENT: Misconduct(
        _SELLERS,
        "rests its certificate (Form 434, box 8) on a producer's written representation that nobody made",
        ("NOT_ORIGINATING",),
        "only a verification whose books say that the good does not originate: the representation itself is shown to "
        "nobody",
        "19 CFR 181.11(b)",
    ),
    _D.SPOILS_ENVELOPE: Misconduct(
        _SELLERS,
        "seals rubbish for every importer of its certificate, and a sound envelope once it is complained of",
        ("ENVELOPE_DISPUTED",),
        "the ledger has whose envelope is disputed, by its own signature; the reader's evidence file shows that it is "
        "spoilt",
        "design: a complaint is checkable by anyone",
    ),
    _D.COMPLAINS_FALSELY: Misconduct(
        (Role.IMPORTER,),
        "says once of every certificate that its envelope, which is sound, cannot be read",
        ("ENVELOPE_DISPUTED",),
        "the ledger has that the two dispute, and not who is right; the evidence file, if the importer shows it, "
        "exposes the complaint, and if it does not, nothing is shown against anybody",
        "design: a complaint is checkable by anyone",
    ),
    _D.INFLATES_QUANTITY: Misconduct(
        (Role.IMPORTER,),
        "enters a tenth more than it was billed",
        ("OVER_INVOICE", "INVOICE_MISMATCH"),
        "Customs, from the invoice that the seller anchored, or from the answer to its question",
        "19 CFR 142.6",
        ("quantity", "value_usd"),
    ),
    _D.REUSES_SHIPMENT: Misconduct(
        (Role.IMPORTER,),
        "claims on a certificate for one shipment for any other, under that shipment's name",
        ("OVER_INVOICE", "TWO_PORTS"),
        "Customs, by the ports and by what was billed",
        "19 CFR 181.22(b)(5)",
    ),
    _D.CLAIMS_WITHOUT_CERTIFICATE: Misconduct(
        (Role.IMPORTER,),
        "claims on no certificate where the agreement needs one, and shows none when asked",
        ("NO_POSSESSION", "NO_CERTIFICATE"),
        "the ledger, and Customs from the basis that the entry line states",
        "19 CFR 181.21(a), 10.584(a)(2)",
    ),
    _D.CLAIMS_ON_ANOTHERS: Misconduct(
        (Role.IMPORTER,),
        "claims on a certificate that was delivered to somebody else, if the ledger has one",
        ("NO_POSSESSION",),
        "the ledger: it never acknowledged that certificate",
        "19 CFR 181.21(a)",
    ),
    _D.KEEPS_NO_RECORDS: Misconduct(
        (Role.IMPORTER,),
        "answers Customs without the certificate and without what was invoiced",
        ("WRONG_CERTIFICATE", "INVOICE_MISMATCH"),
        "Customs, if it asks; most claims are allowed without a question",
        "19 CFR 181.22(a), 163.4",
        ("certificate", "invoice"),
    ),
    _D.PRESENTS_TWICE: Misconduct(
        _HOLDERS,
        "presents a voucher again, at once",
        ("carnet.present/voucher-used",),
        "the ledger: a serial is used once",
        "ATA Convention (1961), annex",
    ),
    _D.ADDS_UNLISTED_ITEM: Misconduct(
        _HOLDERS,
        "presents one piece more than the general list has items; without it, once that is refused",
        ("carnet.present/unlisted-item",),
        "the ledger: the general list is frozen at the application",
        "ATA Convention (1961), Art. 3",
    ),
    _D.SWAPS_SERIAL: Misconduct(
        _HOLDERS,
        "presents goods with other serial numbers than those of the general list",
        ("OTHER_MARKS",),
        "customs: marks are private, so only the office that looks at the goods",
        "ATA Convention (1961), Art. 3",
    ),
    _D.BACK_DATES_VOUCHER: Misconduct(
        _HOLDERS,
        "presents goods for re-export ten days after the final date, under a voucher dated on it",
        ("REEXPORT_LATE",),
        "the ledger: the day of customs' stamp counts, not the voucher's date",
        "ATA Convention (1961), Art. 5",
    ),
    _D.SELLS_ABROAD: Misconduct(
        _HOLDERS,
        "sells the goods instead of re-exporting them, and tells the office that they were lost",
        ("carnet claim",),
        "customs: what is not gone by the final date is claimed for, lost or sold; which of the two nobody can know",
        "ATA Convention (1961), Art. 6",
    ),
    _D.ISSUES_UNSECURED: Misconduct(
        _ISSUERS,
        "issues a carnet as soon as it is applied for, before any security is given",
        ("carnet.issue/impossible-transition",),
        "the ledger: only what is SECURED may be issued",
        "practice of issuing associations (partly read)",
    ),
    _D.WAIVES_SECURITY: Misconduct(
        _ISSUERS,
        "issues a carnet although the security given is less than what is due",
        (),
        "nobody: the amount is between holder and association; the guaranteeing association pays claims anyway",
        "practice of issuing associations (partly read)",
    ),
    _D.ISSUES_TOO_LONG: Misconduct(
        _ISSUERS,
        "issues a carnet for two years; for the time applied for, once that is refused",
        ("carnet.issue/validity",),
        "the ledger",
        "ATA Convention (1961), Art. 4(1)",
    ),
    _D.INVENTS_HOLDER: Misconduct(
        _ISSUERS,
        "issues one more carnet, for a holder who never applied",
        ("carnet.issue/unknown-carnet",),
        "the ledger: a carnet begins with its holder's own signature",
        "ATA Convention (1961), Art. 3",
    ),
    _D.REFUSES_HONEST_CLAIM: Misconduct(
        (Role.GUARANTEEING,),
        "objects that customs' claim was late although it was not",
        ("FALSE_OBJECTION",),
        "customs: the ledger has no such finding, so the claim stands as it is",
        "ATA Convention (1961), Art. 6 and 7",
    ),
    _D.STAMPS_UNSEEN: Misconduct(
        (Role.CUSTOMS,),
        "stamps goods whose papers or marks are not in order",
        (),
        "nobody at once: papers and goods are seen by that office alone; the next office that sees the goods may",
        "ATA Convention (1961), Art. 5",
    ),
    _D.STAMPS_ABSENT_GOODS: Misconduct(
        (Role.CUSTOMS,),
        "stamps one more voucher, for goods that nobody presented",
        ("carnet.endorse/unknown-voucher",),
        "the ledger: a stamp needs the holder's own presentation before it",
        "ATA Convention (1961), Art. 5",
    ),
    _D.BACK_DATES_STAMPS: Misconduct(
        (Role.CUSTOMS,),
        "stamps late goods with the final date, without reserve",
        (),
        "nobody: the date of a stamp is customs' word, and no rule holds it against the block's date",
        "ATA Convention (1961), Art. 7",
    ),
    _D.DECLARES_5B1: Misconduct(
        (Role.EXPORTER,),
        "declares 5B1 whatever the gear, with the evidence that there is",
        ("STATUS_NOT_SUPPORTED", "EVIDENCE_MISSING"),
        "NOAA: the status is a function of gear, area, vessel and evidence",
        "16 USC 1385(d); 50 CFR 216.91",
    ),
    _D.LAUNDERS_GEAR: Misconduct(
        (Role.EXPORTER,),
        "declares 5B1, and another gear or area in box 4, with a captain's statement of its own making",
        ("AREA_MISMATCH", "STATUS_NOT_SUPPORTED", "EVIDENCE_MISSING"),
        "NOAA, where positions of sets in an honest attachment contradict it, or a gear that was left standing bears "
        "another status; otherwise nobody",
        "16 USC 1385(d); 50 CFR 216.91",
        ("gear", "ocean_area"),
    ),
    _D.WRONG_TRIP: Misconduct(
        (Role.EXPORTER,),
        "names another vessel and another trip in box 4 than those the tuna is from",
        ("EVIDENCE_MISSING", "FLAG_MISMATCH"),
        "NOAA: attachments are about the real trip, so that they support nothing; of a 5A shipment, nobody",
        "50 CFR 216.24(f)(4)",
        ("vessel_name", "trip_begin", "trip_end"),
    ),
    _D.FORGES_OBSERVER_STATEMENT: Misconduct(
        (Role.EXPORTER,),
        "attaches an observer's statement of its own making for every trip that has none",
        (),
        "nobody here: an observer program is no member and signs nothing; only asking it would tell",
        "50 CFR 216.91(a)",
    ),
    _D.OMITS_ENDORSEMENT: Misconduct(
        _CUSTODIANS,
        "takes custody and never endorses",
        ("MISSING_ENDORSEMENT",),
        "the ledger, when the form is filed",
        "50 CFR 216.24(f)(4); 16 USC 1385(d)(2)(B)(iii)",
    ),
    _D.INFLATES_WEIGHT: Misconduct(
        _CUSTODIANS,
        "states a tenth more going out than came in",
        ("OUT_EXCEEDS_IN",),
        "NOAA, from the custody statements",
        "50 CFR 216.93 (read in an older edition)",
    ),
    _D.FILES_LATE: Misconduct(
        (Role.IMPORTER,),
        "files ten days after importation, in a paper that bears the date of importation",
        ("FILED_AFTER_IMPORTATION",),
        "the ledger: the day of the block counts, not the paper's date",
        "50 CFR 216.24(f)(4)",
    ),
    _D.MISDATES_IMPORTATION: Misconduct(
        (Role.IMPORTER,),
        "files ten days after importation and says that the goods were imported on that day",
        (),
        "nobody here: the day of importation is the importer's word, and no carrier is a member",
        "50 CFR 216.24(f)(4)",
    ),
    _D.FILES_WITHOUT_PERMIT: Misconduct(
        (Role.IMPORTER,),
        "files although it has no permit, and knows it: what else is a mistake is then a fraud",
        ("NO_IFTP_PERMIT",),
        "the ledger: permits are on it",
        "50 CFR 300.322",
    ),
}
"""What each kind is."""


def fitting(roles: tuple[Role, ...]) -> tuple[Dishonesty, ...]:
    """Return the kinds that somebody with these roles may have."""
    return tuple(kind for kind, row in MISCONDUCT.items() if any(role in roles for role in row.roles))
