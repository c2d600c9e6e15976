"""Rules of claims, certificates, carnets and verifications, each with the sentences of the library that rest on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tests.worlds import brokenrules as rules


@dataclass(frozen=True, slots=True)
class Case:
    """A scenario in which rules are broken.

    Attributes:
        scenario: of the library.
        broken: what breaks a rule, to the sentences that fail then: a subject, and what no longer holds of it.
        only: claims, verifications, forms and carnets that are played; all if there are none.
        steps: how many steps are played; all if it is none.
    """

    scenario: str
    broken: Mapping[rules.Break, tuple[str, ...]]
    only: tuple[str, ...] = ()
    steps: int | None = None

    def __str__(self) -> str:
        return f"{self.scenario}: {self.sentences()[0]}"

    def sentences(self) -> list[str]:
        """Return every sentence that fails, as often as a rule is to blame for it."""
        return [
            f"{subject} {rest}"
            for fails in self.broken.values()
            for subject, _, said in (line.partition(": ") for line in fails)
            for rest in said.split("; ")
        ]


CASES = (
    Case(
        "nafta-certificate",
        {
            rules.acknowledgements_prove_nothing: (
                "claim e1: has no finding; is ALLOWED within 5 days",
                "claim e2: has no finding; is ALLOWED within 5 days",
                "claim e3: has no finding; is ALLOWED within 5 days",
            ),
        },
    ),
    Case(
        "nafta-certificate",
        {
            rules.the_ledger_proves_nothing: ("claim e2: is ALLOWED within 5 days",),
        },
    ),
    Case(
        "nafta-certificate",
        {
            rules.a_blanket_begins_with_the_signature: (
                "claim e1: has no finding; is ALLOWED within 5 days",
                "claim e2: has no finding; is ALLOWED within 5 days",
                "claim e3: has no finding; is ALLOWED within 5 days",
            ),
        },
    ),
    Case(
        "cafta-importer-knowledge",
        {
            rules.no_series: (
                "claim b3: is CERT_REQUESTED within 2 days; is DENIED within 33 days; is denied for NO_ANSWER",
                "claim g3: is denied for NO_ANSWER",
                "claim p3: is CERT_REQUESTED within 2 days; is UNDER_REVIEW within 32 days",
            ),
        },
    ),
    Case(
        "cafta-importer-knowledge",
        {
            rules.knowledge_is_never_enough: (
                "claim k1: has no finding; is ALLOWED within 2 days; is never CERT_REQUESTED",
                "claim k3: is ALLOWED within 9 days",
            ),
        },
        only=("k1", "k2", "k3"),
    ),
    Case(
        "cafta-importer-knowledge",
        {
            rules.a_day_more_to_answer_a_series: (
                "claim g3: is denied for NO_ANSWER; is never UNDER_REVIEW",
            ),
        },
        only=("g1", "g2", "g3"),
    ),
    Case(
        "post-importation",
        {
            rules.a_day_more_for_a_post_claim: (
                "claim a2: has finding LATE_POST_CLAIM; is denied for LATE_POST_CLAIM",
                "claim f2: has finding LATE_POST_CLAIM; is denied for LATE_POST_CLAIM",
                "claim g2: is denied for LATE_POST_CLAIM",
            ),
            rules.claims_after_importation_rest_on_knowledge_too: ("claim n1: is denied for NO_CERTIFICATE",),
            rules.agreements_last_for_ever: (
                "claim u2: has finding WRONG_REGIME; is denied for WRONG_REGIME",
            ),
        },
    ),
    Case(
        "back-dated",
        {
            rules.possession_is_not_asked_for: (
                "claim e3: has finding NO_POSSESSION",
                "claim x1: has finding NO_POSSESSION",
            ),
        },
    ),
    Case(
        "back-dated",
        {
            rules.any_slip_will_do: (
                "claim x1: is denied for POSSESSION_NOT_PROVEN; is never ALLOWED",
                "claim x2: is denied for POSSESSION_NOT_PROVEN; is never ALLOWED",
            ),
        },
    ),
    Case(
        "back-dated",
        {
            rules.no_slip_will_do: ("claim e3: is ALLOWED within 13 days",),
        },
        only=("e3",),
    ),
    Case(
        "blanket-misuse",
        {
            rules.a_day_more_than_the_blanket: (
                "claim d2: has finding OUTSIDE_BLANKET; is denied for OUTSIDE_BLANKET",
            ),
        },
        only=("d1", "d2"),
    ),
    Case(
        "blanket-misuse",
        {
            rules.blankets_may_be_long: (
                "claim m2: has finding BLANKET_TOO_LONG; is denied for BLANKET_TOO_LONG",
            ),
            rules.the_article_is_not_compared: ("claim i1: is denied for NOT_IDENTICAL",),
            rules.refusals_are_forgotten: (
                "claim r2: is denied for REFUSED_BEFORE",
                "claim r4: is denied for REFUSED_BEFORE",
            ),
            rules.a_day_more_to_cure: (
                "claim k2: is denied for NO_ANSWER; is never ALLOWED",
                "claim k3: is denied for NO_ANSWER",
            ),
            rules.a_day_more_to_protest: (
                "claim k3: ends PROTEST_DENIED; has finding PROTEST_LATE; is denied for PROTEST_LATE",
            ),
            rules.a_day_more_than_four_years: (
                "claim y2: has finding CERTIFICATE_EXPIRED; is denied for CERTIFICATE_EXPIRED",
            ),
        },
    ),
    Case(
        "revoked-certificate",
        {
            rules.a_day_more_to_correct: ("claim r1: has finding CORRECTION_LATE",),
            rules.successors_are_overlooked: (
                "claim s2: has finding CERTIFICATE_SUPERSEDED; is denied for CERTIFICATE_SUPERSEDED; is never ALLOWED",
            ),
        },
    ),
    Case(
        "forged-signature",
        {
            rules.notices_are_overlooked: (
                "claim f1: has finding NOTICE_GIVEN; is denied for NOTICE_GIVEN; is never ALLOWED",
            ),
            rules.anyone_signs: (
                "transaction of step 3: is BAD_SIGNATURE",
                "transaction of step 4: is BAD_SIGNATURE",
            ),
        },
    ),
    Case(
        "forged-signature",
        {
            rules.old_keys_sign_too: (
                "claim f2: has finding NO_POSSESSION; is never ALLOWED",
                "transaction of step 10: is REVOKED_KEY",
            ),
        },
    ),
    Case(
        "over-claim",
        {
            rules.each_claim_alone: (
                "claim o3: is DENIED within 32 days; is denied for OVER_INVOICE; is never ALLOWED",
                "claim t2: is denied for TWO_PORTS; is never ALLOWED",
            ),
        },
    ),
    Case(
        "over-claim",
        {
            rules.invoices_are_not_opened: (
                "claim n1: is denied for OVER_INVOICE; is never ALLOWED",
                "claim o3: is DENIED within 32 days; is denied for OVER_INVOICE; is never ALLOWED",
            ),
            rules.ports_are_not_compared: ("claim t2: is denied for TWO_PORTS; is never ALLOWED",),
            rules.shipments_are_not_compared: (
                "claim t1: has finding SECOND_SHIPMENT; is denied for SECOND_SHIPMENT",
            ),
        },
    ),
    Case(
        "carnet-journey",
        {
            rules.the_final_date_is_late: (
                "carnet k1: has no finding",
                "voucher k1/8: has no finding",
            ),
        },
    ),
    Case(
        "carnet-journey",
        {
            rules.an_import_is_closed_at_once: (
                "carnet k1: is DISCHARGED within 100 days; is RETURNED within 100 days; is never EXPIRED",
                "transaction of step 9: is VALID",
                "voucher k1/3: is ENDORSED",
                "voucher k1/4: is ENDORSED",
                "voucher k1/5: is ENDORSED",
                "voucher k1/6: is ENDORSED",
                "voucher k1/7: is ENDORSED",
                "voucher k1/8: has no finding; is ENDORSED",
                "voucher k1/9: is ENDORSED",
            ),
        },
    ),
    Case(
        "carnet-journey",
        {
            rules.destroyed_goods_are_still_abroad: (
                "carnet k1: ends DISCHARGED; is DISCHARGED within 100 days; is RETURNED within 100 days",
            ),
        },
    ),
    Case(
        "carnet-fraud",
        {
            rules.vouchers_are_good_twice: (
                "step 14: is refused by carnet.present/voucher-used",
                "step 16: is refused by carnet.present/pieces-missing",
            ),
        },
        steps=18,
    ),
    Case(
        "carnet-fraud",
        {
            rules.lost_carnets_live_on: ("step 21: is refused by carnet.present/carnet-replaced",),
        },
        steps=21,
    ),
    Case(
        "carnet-fraud",
        {
            rules.a_month_more_to_recover: ("carnet claim k4/2: is FINAL within 275 days",),
        },
        only=("k4", "k4/2"),
    ),
    Case(
        "carnet-fraud",
        {
            rules.a_month_less_for_the_proof: (
                "carnet claim k1/2: is PROOF_GIVEN within 150 days; is never PROVISIONAL_DEPOSIT",
            ),
        },
        only=("k1", "k2", "k1/2"),
    ),
    Case(
        "dishonest-chamber",
        {
            rules.validity_is_not_limited: (
                "carnet k2: is EXPIRED within 366 days",
                "metric code_RULE_VIOLATED: >= 3",
            ),
        },
        only=("k2",),
    ),
    Case(
        "dishonest-chamber",
        {
            rules.security_is_not_needed: (
                "carnet k2: is SECURED within 1 days",
                "metric code_RULE_VIOLATED: >= 3",
            ),
        },
        only=("k2",),
    ),
    Case(
        "dishonest-chamber",
        {
            rules.unknown_carnets_are_issued: ("metric code_RULE_VIOLATED: >= 3",),
        },
        only=("k2",),
    ),
    Case(
        "dishonest-chamber",
        {
            rules.objections_are_believed: (
                "carnet claim k2/2: ends FINAL; is PROVISIONAL_DEPOSIT",
                "carnet k2: ends DISCHARGED; is EXPIRED within 366 days",
            ),
        },
        only=("k2", "k2/2"),
    ),
    Case(
        "verification",
        {
            rules.any_books_will_do: (
                "claim r2: is denied for NOT_ORIGINATING",
                "verification v4: is NEGATIVE within 27 days",
            ),
            rules.no_pattern: ("claim s3: is denied for PATTERN; is never ALLOWED",),
            rules.refused_visits_have_no_consequence: (
                "verification v3: is INTENT within 21 days; is NEGATIVE within 53 days",
                "claim r1: is denied for VISIT_REFUSED",
            ),
        },
    ),
    Case(
        "verification",
        {
            rules.silence_is_never_closed: (
                "claim s1: ends LIQUIDATED; is DENIAL_NOTICED; is denied for NO_REPLY",
                "verification v1: is FOLLOW_UP within 32 days; is NEGATIVE within 64 days",
            ),
        },
        only=("s1", "v1"),
    ),
    Case(
        "usmca-verification",
        {
            rules.any_books_will_do: (
                "claim q1: is denied for NOT_ORIGINATING; is never ALLOWED",
                "verification v2: is NEGATIVE within 12 days",
            ),
        },
    ),
    Case(
        "usmca-verification",
        {
            rules.importers_are_verified_everywhere: (
                "step 3: is refused by verification.open/unknown-party",
            ),
        },
    ),
    Case(
        "broker-entry",
        {
            rules.any_broker_may: (
                "claim b2: is never CLAIMED",
                "claim r2: is never CLAIMED",
                "step 7: is refused by claim.file/no-power",
                "step 14: is refused by claim.file/no-power",
                "step 16: is refused by claim.file/no-power",
                "transaction of step 17: is VALID",
            ),
        },
    ),
)
