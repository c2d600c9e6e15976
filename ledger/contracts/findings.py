"""Legal findings: defects the ledger records and leaves to Customs.

Rules:
- A finding never refuses. A ledger that refused a fraudulent claim would erase the fraud it is there to show.
- Each finding names the regulation it rests on; where the reading is ours, it says so.
- A finding is a fact about dates, order and state on the ledger; it never rests on a private value.
"""

from __future__ import annotations

from enum import StrEnum


class Finding(StrEnum):
    """A recorded legal defect; `meaning` says what was seen, `source` which rule it touches."""

    meaning: str
    source: str

    def __new__(cls, name: str, meaning: str, source: str) -> Finding:
        """Make a member."""
        member = str.__new__(cls, name)
        member._value_ = name
        member.meaning = meaning
        member.source = source
        return member

    NO_POSSESSION = (
        "NO_POSSESSION",
        "the ledger has no acknowledgement of the certificate by this importer from before the claim; "
        "possession on paper is for Customs to judge",
        "19 CFR 181.21(a)",
    )
    SIGNED_AFTER_CLAIM = (
        "SIGNED_AFTER_CLAIM",
        "the certificate bears a signature date later than the claim that rests on it",
        "19 CFR 181.21(a)",
    )
    OUTSIDE_BLANKET = (
        "OUTSIDE_BLANKET",
        "the import date lies before the first or after the last day of the blanket period",
        "19 CFR 181.22(b)(5)(ii)",
    )
    BLANKET_TOO_LONG = (
        "BLANKET_TOO_LONG",
        "the blanket period covers more than twelve months",
        "19 CFR 181.22(b)(5)(ii)",
    )
    SECOND_SHIPMENT = (
        "SECOND_SHIPMENT",
        "the certificate covers one shipment and the claim names another, on another entry",
        "19 CFR 181.22(b)(5)(i)",
    )
    SHIPMENT_UNNAMED = (
        "SHIPMENT_UNNAMED",
        "the certificate covers one shipment and the claim does not say which shipment it is for",
        "19 CFR 181.22(b)(5)(i)",
    )
    CERTIFICATE_EXPIRED = (
        "CERTIFICATE_EXPIRED",
        "the claim was made more than four years after the certificate was signed",
        "19 CFR 181.22(b)(4)",
    )
    NOTICE_GIVEN = (
        "NOTICE_GIVEN",
        "the issuer had given notice that the certificate is incorrect",
        "19 USC 1592(f)",
    )
    CERTIFICATE_SUPERSEDED = (
        "CERTIFICATE_SUPERSEDED",
        "the issuer had replaced the certificate by another",
        "19 USC 1592(f)",
    )
    HOLDING_OPEN = (
        "HOLDING_OPEN",
        "Customs was looking into this importer's use of the certificate; what came of it is private",
        "19 CFR 181.22(c)",
    )
    SUMMARY_LATE = (
        "SUMMARY_LATE",
        "the claim came later than ten working days after entry",
        "19 CFR 142.12(b)",
    )
    LATE_POST_CLAIM = (
        "LATE_POST_CLAIM",
        "the post-importation claim came after the first anniversary of importation",
        "19 USC 1520(d)",
    )
    CORRECTION_LATE = (
        "CORRECTION_LATE",
        "the correction came later than thirty calendar days after discovery",
        "19 CFR 181.21(b)",
    )
    WRONG_REGIME = (
        "WRONG_REGIME",
        "the agreement claimed under does not govern imports of that date: NAFTA to 2020-06-30, the USMCA from "
        "2020-07-01",
        "Pub. L. 116-113",
    )
    CERTIFICATE_OF_OTHER_REGIME = (
        "CERTIFICATE_OF_OTHER_REGIME",
        "the certificate is one of another agreement than the claim",
        "19 CFR 181.11, 10.584, 182.12",
    )
    PROTEST_LATE = (
        "PROTEST_LATE",
        "the protest came later than 180 calendar days after liquidation",
        "19 USC 1514(c)(3)",
    )
    DATE_IN_FUTURE = (
        "DATE_IN_FUTURE",
        "a date that must have passed (signature, discovery) lies after the day of the block",
        "design: block time governs acts on the ledger",
    )
    MISSING_ENDORSEMENT = (
        "MISSING_ENDORSEMENT",
        "the form was filed before every exporter, processor and importer in its chain had endorsed it",
        "50 CFR 216.24(f)(4)",
    )
    ENDORSED_AFTER_FILING = (
        "ENDORSED_AFTER_FILING",
        "a party in the chain of custody endorsed the form only after it was filed",
        "50 CFR 216.24(f)(4)",
    )
    FILED_AFTER_IMPORTATION = (
        "FILED_AFTER_IMPORTATION",
        "the form was filed on a day after the day of importation",
        "50 CFR 216.24(f)",
    )
    NO_IFTP_PERMIT = (
        "NO_IFTP_PERMIT",
        "the importer had no international fisheries trade permit in force on the day of filing",
        "81 FR 51126",
    )
    SECOND_FORM = (
        "SECOND_FORM",
        "another form was filed for the same shipment of the same exporter",
        "design: one form covers one shipment",
    )
    REEXPORT_LATE = (
        "REEXPORT_LATE",
        "the goods left after the final date for re-export that customs had set",
        "ATA Convention (1961), Art. 5 and 6",
    )
    CARNET_EXPIRED_ABROAD = (
        "CARNET_EXPIRED_ABROAD",
        "the goods crossed the border after the carnet's validity had ended",
        "ATA Convention (1961), Art. 6",
    )
    EXIT_UNRECORDED = (
        "EXIT_UNRECORDED",
        "the goods came from a country whose customs had not endorsed that they left it",
        "ATA Convention (1961), Art. 7 and 8",
    )
    CARNET_CLAIM_LATE = (
        "CARNET_CLAIM_LATE",
        "customs claimed from the guaranteeing association more than a year after the carnet's expiry",
        "ATA Convention (1961), Art. 6",
    )
    CARNET_CLAIM_EARLY = (
        "CARNET_CLAIM_EARLY",
        "customs claimed while the goods still had time to leave",
        "ATA Convention (1961), Art. 6",
    )
    CARNET_ANSWER_LATE = (
        "CARNET_ANSWER_LATE",
        "the association's first answer, proof or deposit, came later than six months after the claim",
        "ATA Convention (1961), Art. 7",
    )
    DISCHARGE_DISPUTED = (
        "DISCHARGE_DISPUTED",
        "customs claims although it had discharged the goods unconditionally, and says it was obtained improperly",
        "ATA Convention (1961), Art. 6",
    )
    ENVELOPE_CONTRADICTS_ROOT = (
        "ENVELOPE_CONTRADICTS_ROOT",
        "the sender of the envelope, named as accused, signed for digests that do not give the document's root",
        "design: all envelopes share one root",
    )
    ENVELOPE_DISPUTED = (
        "ENVELOPE_DISPUTED",
        "a reader says that an envelope does not open or has another root; its sender, named as accused, signed its "
        "seal, and the reader's evidence file shows whomever it is given which of the two is right",
        "design: a complaint is checkable by anyone",
    )
