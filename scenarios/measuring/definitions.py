"""The metrics of the pilot, each defined once.

Rules:
- Whoever shows a metric takes its name, formula, unit and source from here.
- `better` says which way is good for the pilot; a metric that is neither says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Axis(StrEnum):
    """What CBP assesses a pilot by (dissertation on CBP's pilots; DHS)."""

    LEGAL = "legal"
    POLICY = "policy"
    TECHNICAL = "technical"
    OPERATIONAL = "operational"


class Better(StrEnum):
    """Which way is good."""

    LOWER = "lower"
    HIGHER = "higher"
    NEITHER = "neither"


@dataclass(frozen=True, slots=True)
class Metric:
    """One figure.

    Attributes:
        id: such as `M1`; figures that belong together share the number: `M2`, `M2-liquidation`.
        name: for people.
        formula: in words, of the events.
        unit: of the value.
        axis: what it speaks to.
        better: which way is good.
        source: of the definition or of its baseline.
        paired: whether each shipment has a value of its own, so that the arms are compared shipment by shipment.
    """

    id: str
    name: str
    formula: str
    unit: str
    axis: Axis
    better: Better
    source: str
    paired: bool = False


_DAYS = "calendar days"
_SHARE = "share"
_MS = "milliseconds"

METRICS: Mapping[str, Metric] = {
    metric.id: metric
    for metric in (
        Metric(
            "M1",
            "document retrieval time",
            "from Customs' request for information to the documents at Customs, of claims asked about without a cause: "
            "the same in both arms",
            _DAYS,
            Axis.OPERATIONAL,
            Better.LOWER,
            "30 days and 30 more for back-up records (Warren News 1903110016, partly read)",
            paired=True,
        ),
        Metric(
            "M1-found",
            "retrieval time, asked for a cause",
            "from Customs' request to the documents at Customs, of claims in whose papers something did not fit",
            _DAYS,
            Axis.OPERATIONAL,
            Better.NEITHER,
            "on paper Customs sees no papers before it asks, so it has no cause",
        ),
        Metric(
            "M2",
            "claim cycle time",
            "from the claim to Customs' first decision on it",
            _DAYS,
            Axis.OPERATIONAL,
            Better.LOWER,
            "the same two events in both arms",
            paired=True,
        ),
        Metric(
            "M2-liquidation",
            "time to liquidation",
            "from the claim to liquidation",
            _DAYS,
            Axis.OPERATIONAL,
            Better.LOWER,
            "314 days after entry (medey.com)",
            paired=True,
        ),
        Metric(
            "M3",
            "requests for information",
            "claims about which Customs sent a CBP Form 28, of all claims",
            _SHARE,
            Axis.LEGAL,
            Better.LOWER,
            "by default as many as on paper: to replace the form is a legal question",
        ),
        Metric(
            "M3-found",
            "requests for a cause",
            "claims about which Customs asked because something in their papers did not fit, of all claims",
            _SHARE,
            Axis.LEGAL,
            Better.NEITHER,
            "part of M3; on paper Customs sees no papers before it asks",
        ),
        Metric(
            "M4",
            "possession-proof rate",
            "claims whose importer can prove that it had the certificate before the claim, of all claims on one",
            _SHARE,
            Axis.LEGAL,
            Better.HIGHER,
            "19 CFR 181.21(a)",
        ),
        Metric(
            "M5",
            "first-pass quality",
            "forms without a fault when first handed in, of all forms handed in",
            _SHARE,
            Axis.OPERATIONAL,
            Better.HIGHER,
            "design",
        ),
        Metric(
            "M5-keyed",
            "duplicate entry",
            "data elements keyed, for every element keyed that nobody had keyed before",
            "times",
            Axis.OPERATIONAL,
            Better.LOWER,
            "design; elements per act in scenarios/measuring/effort.yaml",
        ),
        Metric(
            "M6-recall",
            "detection",
            "shipments that break a rule and with which an authority found fault, of all that break one",
            _SHARE,
            Axis.POLICY,
            Better.HIGHER,
            "truth from the generated trade",
        ),
        Metric(
            "M6-precision",
            "soundness of findings",
            "shipments that break a rule, of all with which an authority found fault",
            _SHARE,
            Axis.POLICY,
            Better.HIGHER,
            "truth from the generated trade",
        ),
        Metric(
            "M6-delay",
            "time to detect",
            "from the importation's first act (claim, filing, issue) to the first finding, of what was rightly found",
            _DAYS,
            Axis.POLICY,
            Better.LOWER,
            "truth from the generated trade",
            paired=True,
        ),
        Metric(
            "M6-false-hold",
            "false holds",
            "sound shipments with which an authority found fault, of all sound ones",
            _SHARE,
            Axis.POLICY,
            Better.LOWER,
            "truth from the generated trade",
        ),
        Metric(
            "M7",
            "seeded non-compliance",
            "shipments that break a rule on purpose, of all; the same in both arms",
            _SHARE,
            Axis.POLICY,
            Better.NEITHER,
            "5 percent, an assumption; up to 34 percent in targeted visits (taggart-intl.com)",
        ),
        Metric(
            "M8",
            "revenue at risk",
            "duty and merchandise processing fee forgone on claims that break a rule and were allowed",
            "US dollars",
            Axis.POLICY,
            Better.LOWER,
            "rates of scenarios/workload/goods.py; fee once per entry with floor and cap, 19 CFR 24.23",
            paired=True,
        ),
        Metric(
            "M9",
            "burden",
            "people's time for all acts, at so many minutes for each",
            "hours",
            Axis.OPERATIONAL,
            Better.LOWER,
            "Forms 434, 446 and CAFTA-DR by their burden notices, the rest assumed (scenarios/measuring/effort.yaml)",
        ),
        Metric(
            "M10",
            "Form 370 on time",
            "forms filed on or before the day of importation, of all filed",
            _SHARE,
            Axis.OPERATIONAL,
            Better.HIGHER,
            "50 CFR 216.24(f)",
        ),
        Metric(
            "M10-endorsed",
            "endorsements complete",
            "parties of the chain of custody that had endorsed when the form was filed, of all",
            _SHARE,
            Axis.LEGAL,
            Better.HIGHER,
            "50 CFR 216.24(f)(4)",
        ),
        Metric(
            "M11",
            "carnets discharged",
            "carnets discharged by their expiry, of all issued that were discharged or have expired",
            _SHARE,
            Axis.OPERATIONAL,
            Better.HIGHER,
            "ATA Convention",
        ),
        Metric(
            "M11-claims",
            "claims on carnets",
            "customs' claims on associations, for every carnet issued",
            "claims per carnet",
            Axis.LEGAL,
            Better.LOWER,
            "3 percent, an assumption",
        ),
        Metric(
            "M11-days",
            "days to close a carnet claim",
            "from customs' claim to its end, of claims that have ended",
            _DAYS,
            Axis.LEGAL,
            Better.LOWER,
            "ATA Convention, articles 6 and 7",
        ),
        Metric(
            "M12-ordered",
            "latency to ordered",
            "from submission to the first node's execution of the block with it",
            _MS,
            Axis.TECHNICAL,
            Better.LOWER,
            "Hyperledger PSWG, 2018: latency; protocol time",
        ),
        Metric(
            "M12-certified",
            "latency to certified",
            "from submission to the first node that has it under a certificate",
            _MS,
            Axis.TECHNICAL,
            Better.LOWER,
            "Hyperledger PSWG, 2018: latency; protocol time",
        ),
        Metric(
            "M12-visible-50",
            "latency to visible at 50 % of nodes",
            "from submission to half of all nodes having it under a certificate",
            _MS,
            Axis.TECHNICAL,
            Better.LOWER,
            "Hyperledger PSWG, 2018: confirmation at a share of nodes",
        ),
        Metric(
            "M12-visible-90",
            "latency to visible at 90 % of nodes",
            "from submission to 90 percent of all nodes having it under a certificate",
            _MS,
            Axis.TECHNICAL,
            Better.LOWER,
            "Hyperledger PSWG, 2018: confirmation at a share of nodes",
        ),
        Metric(
            "M12-visible-100",
            "latency to visible at every node",
            "from submission to every node having it under a certificate",
            _MS,
            Axis.TECHNICAL,
            Better.LOWER,
            "Hyperledger PSWG, 2018: confirmation at a share of nodes",
        ),
        Metric(
            "M12-goodput",
            "goodput",
            "VALID transactions, for every second of protocol time from the first submission to the last certificate",
            "transactions per second",
            Axis.TECHNICAL,
            Better.HIGHER,
            "Hyperledger PSWG, 2018: valid transactions only; in the virtual world idle time hardly passes",
        ),
        Metric(
            "M12-leader",
            "time with a leader",
            "protocol time, from the first election on, in which its last winner had not stepped down or stopped",
            _SHARE,
            Axis.TECHNICAL,
            Better.HIGHER,
            "design; what a node cut off still believes counts as a leader until another is elected",
        ),
        Metric(
            "M12-open",
            "offices open",
            "calendar time of the trade in which an organization's office could use the ledger: no outage, no silence,"
            " no work on paper",
            _SHARE,
            Axis.OPERATIONAL,
            Better.HIGHER,
            "design: availability under faults of trade",
        ),
        Metric(
            "M12-in-time",
            "certified in time",
            "transactions that some node had under a certificate within 5,000 ms, of all submitted",
            _SHARE,
            Axis.TECHNICAL,
            Better.HIGHER,
            "design; the bound is an assumption",
        ),
        Metric(
            "M12-divergence",
            "divergence",
            "heights at which two nodes executed different blocks, of all",
            _SHARE,
            Axis.TECHNICAL,
            Better.LOWER,
            "must be 0: agreement",
        ),
        Metric(
            "M12-messages",
            "messages per transaction",
            "messages between nodes, of every kind, for every VALID transaction; virtual world only",
            "messages",
            Axis.TECHNICAL,
            Better.LOWER,
            "design",
        ),
        Metric(
            "M12-bytes",
            "bytes per transaction",
            "bytes of all messages between nodes, for every VALID transaction; virtual world only",
            "bytes",
            Axis.TECHNICAL,
            Better.LOWER,
            "design",
        ),
        Metric(
            "M12-leaks",
            "leaked fields",
            "private fields that somebody could read and may not, and private values that lie open, wherever they lie",
            "fields",
            Axis.TECHNICAL,
            Better.LOWER,
            "must be 0: confidentiality",
        ),
        Metric(
            "M12-revocation",
            "time for a revocation to reach every node",
            "from submission of a VALID revocation to every node having it under a certificate; its p95 is what counts",
            _MS,
            Axis.TECHNICAL,
            Better.LOWER,
            "design",
        ),
        Metric(
            "M13",
            "benefit index",
            "hours saved against paper, of the hours on paper, per organization",
            _SHARE,
            Axis.OPERATIONAL,
            Better.HIGHER,
            "answers whoever says that the trade gains nothing",
        ),
    )
}
"""All of them. M12 is the ledger's own: paper has none of it."""
