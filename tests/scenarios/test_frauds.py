"""Every fraud that the program's table names, run: it is done, and found as the table says, or by nobody.

Rules:
- A row plays a small scenario twice: with the fraud, and as a lawful neighbor of the same shape.
- What came up in the one and not in the other must be exactly what the row expects, by whom, about what, and as what;
  a row that expects nothing says that nobody found it.
- Every kind has a row, and every code that its entry in the table names is found in one of its rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from scenarios.model.behaviors import MISCONDUCT, Dishonesty
from scenarios.model.catalog import load_scenario
from scenarios.record.event import Event
from scenarios.running.options import RunOptions
from scenarios.running.runner import run_scenario

pytestmark = pytest.mark.slow

LEDGER = "the ledger"
_D = Dishonesty
_SUBJECTS = {
    "claim": "claim",
    "form370": "form",
    "carnet_claim": "carnet claim",
    "voucher": "voucher",
    "carnet": "carnet",
}
"""Field of an event to how sentences call it, the first that an event has."""
_PLAYED = ("claim", "form370", "verification", "voucher")
"""What a step may be about, so that it can be left out."""

Found = frozenset[tuple[str, str, str]]
"""By whom something was found, about what, and as which rule, finding or defect."""
NOBODY: Found = frozenset()


@dataclass(frozen=True, slots=True)
class Fraud:
    """A fraud in a small scenario, beside its lawful neighbor.

    Attributes:
        kind: of fraud.
        by: who commits it.
        scenario: of the library.
        told: what the observer is told that it was about, each time.
        comes_to: a subject, a state that it comes to with the fraud, and one beside it.
        found: what comes up with the fraud and not beside it.
        hidden: what comes up beside it and not with the fraud.
        fields: what is falsified of a paper; all that can be if there are none.
        only: claims, forms, verifications and vouchers of the scenario that are played; all if there are none.
        shape: overrides in both runs.
        beside: overrides of the neighbor alone.
    """

    kind: Dishonesty
    by: str
    scenario: str
    told: tuple[str, ...]
    comes_to: tuple[str, str, str]
    found: Found = NOBODY
    hidden: Found = NOBODY
    fields: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    shape: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.kind.value}-{'-'.join(self.fields or self.only) or self.scenario}"


@dataclass(frozen=True, slots=True)
class Seen:
    """What a run came to.

    Attributes:
        done: kinds and subjects of all frauds that the observer was told of.
        found: by whom what was found.
        states: of claims, forms, vouchers and carnets, in order.
        shown: what any member may see.
        violations: of the run's checks.
    """

    done: tuple[tuple[str, str], ...]
    found: Found
    states: dict[str, tuple[str, ...]]
    shown: str
    violations: tuple[str, ...]


@cache
def play(scenario: str, overrides: tuple[str, ...], only: tuple[str, ...]) -> Seen:
    """Run a library scenario without its expectations and with some of its subjects, once."""
    whole = load_scenario(scenario, ["expect=[]", *overrides])
    kept = whole
    if only:
        steps = tuple(
            step for step in whole.steps if all(str(getattr(step, name, only[0])) in only for name in _PLAYED)
        )
        forms = {name: form for name, form in whole.forms.items() if name in only}
        kept = whole.model_copy(update={"forms": forms, "steps": steps})
    with TemporaryDirectory() as folder:
        result = run_scenario(kept, RunOptions("virtual", "1", Path(folder)))
    events = result.book.events
    history = result.trial.history
    return Seen(
        done=tuple(
            (event.text("kind"), event.text("subject"))
            for event in events
            if event.name == "noncompliance.done"
        ),
        found=_found(events),
        states={
            f"{called} {name}": tuple(state for _, state in history.states(kind, name))
            for kind, called in _SUBJECTS.items()
            for name in history.subjects(kind)
        },
        shown="\n".join(event.line() for event in events if event.public),
        violations=tuple(result.judgment.violations),
    )


def _found(events: list[Event]) -> Found:
    """Return what the ledger found or refused, then what authorities found besides."""
    by_ledger: set[tuple[str, str]] = set()
    besides: set[tuple[str, str, str]] = set()
    for event in events:
        if event.name == "receipt":
            by_ledger |= {(_about(event), code) for code in _codes(event, "findings")}
        elif event.name == "act.refused":
            by_ledger.add((event.text("organization"), event.text("rule")))
        elif event.name in ("claim.decided", "goods.judged"):
            besides |= {
                (event.text("organization"), _about(event), code) for code in _codes(event, "defects")
            }
        elif event.name == "form370_defect.state":
            besides.add((event.text("organization"), _about(event), event.text("state")))
        elif event.name == "carnet_claim.false_objection":
            besides.add((event.text("organization"), _about(event), event.text("defect")))
        elif event.name == "carnet_claim.opened":
            besides.add((event.text("organization"), _about(event), "carnet claim"))
    return frozenset(
        {(LEDGER, about, code) for about, code in by_ledger}
        | {found for found in besides if found[1:] not in by_ledger}
    )


def _codes(event: Event, name: str) -> list[str]:
    listed = event.fields.get(name)
    return [str(code) for code in listed] if isinstance(listed, list) else []


def _about(event: Event) -> str:
    return next(
        (f"{called} {event.fields[name]}" for name, called in _SUBJECTS.items() if event.fields.get(name)), ""
    )


_CLAIMS = ("claim e1", "claim e2", "claim e3")
_JOURNEY = tuple(f"voucher k1/{serial}" for serial in range(1, 10))
_MACHINES = (
    "documents.c1.fields.goods.1.hs6='847130'",
    *(f"claims.{name}.goods.hts='8471.30.0100'" for name in ("e1", "e2", "e3")),
)
"""Portable computers, which nobody harvests, in place of tuna."""
_BOOKS_BEAR_IT_OUT = "verifications.v4.books.materials.1.hs6='030353'"
_HONEST_NUECES = "organizations.nueces.agent.dishonest=[]"
_LATE = ("steps.10.at='2018-12-15T12:00:00'", "steps.11.at='2018-12-17T16:00:00'")
"""Goods leave Switzerland six days after the final date there."""
_SOLD = "organizations.drummaker.agent.dishonest=[sells-and-reports-lost]"
_SWAPPED = "organizations.drummaker.agent.dishonest=[swaps-serial-number]"
_NAMESAKE = (
    "fisheries.vessels=[{name: Lady Marlin of Honokohau the Second, flag: EC, capacity_short_tons: 300}]"
)
"""NOAA knows a vessel of the false name, under another flag."""
_SHORT = "carnets.k1.security_percent=10"


def _by(who: str, about: str, *codes: str) -> Found:
    return frozenset((who, about, code) for code in codes)


def _in_each(who: str, abouts: tuple[str, ...], code: str) -> Found:
    return frozenset((who, about, code) for about in abouts)


_NOT_THERE = _by(LEDGER, "drummaker", "carnet.present/pieces-missing", "carnet.present/wrong-import-voucher")
"""What comes of it that the script presents goods further on which were stopped before."""


def _origin() -> Iterator[Fraud]:
    """Certificates and claims."""
    pilot, denied = "nafta-certificate", ("claim e1", "DENIED", "ALLOWED")
    yield Fraud(
        _D.BACK_DATES, "exporter", pilot, ("certificate c1",), denied,
        found=_by(LEDGER, "claim e1", "NO_POSSESSION") | _by("cbp", "claim e1", "POSSESSION_NOT_PROVEN"),
        shape=("steps.1.at='2018-09-20T10:00:00'",),
        beside=("steps.1.at='2018-09-04T10:00:00'",),
    )  # fmt: skip
    yield Fraud(_D.BACK_DATES, "exporter", pilot, ("certificate c1",), ("claim e1", "ALLOWED", "ALLOWED"))
    yield Fraud(
        _D.WRONG_CRITERION, "exporter", pilot, ("certificate c1",), denied,
        found=_in_each("cbp", _CLAIMS, "CRITERION_MISMATCH"), shape=_MACHINES,
    )  # fmt: skip
    yield Fraud(
        _D.WRONG_CRITERION, "alba", "verification", ("certificate a1", "certificate a2"),
        ("claim a1", "DENIED", "ALLOWED"),
        found=_by("cbp", "claim a1", "NOT_ORIGINATING"), only=("a1", "v5"),
    )  # fmt: skip
    yield Fraud(
        _D.WRONG_CRITERION, "exporter", pilot, ("certificate c1",), ("claim e2", "ALLOWED", "ALLOWED")
    )
    forged = ("certificate r1", "certificate r2")
    yield Fraud(
        _D.FORGES_PRODUCER_STATEMENT, "roca", "verification", forged, ("claim r2", "DENIED", "ALLOWED"),
        found=_by("cbp", "claim r2", "NOT_ORIGINATING"), only=("r2", "v4"), beside=(_BOOKS_BEAR_IT_OUT,),
    )  # fmt: skip
    yield Fraud(
        _D.FORGES_PRODUCER_STATEMENT, "roca", "verification", forged, ("claim r2", "ALLOWED", "ALLOWED"),
        only=("r2", "v4"), shape=(_BOOKS_BEAR_IT_OUT,),
    )  # fmt: skip
    yield Fraud(
        _D.INFLATES_QUANTITY, "nueces", "over-claim", ("claim n1",), ("claim n1", "DENIED", "ALLOWED"),
        found=_by("cbp", "claim n1", "OVER_INVOICE", "INVOICE_MISMATCH"),
        only=("n1",), shape=(_HONEST_NUECES,),
    )  # fmt: skip
    for kind, by in ((_D.SPOILS_ENVELOPE, "exporter"), (_D.COMPLAINS_FALSELY, "importer")):
        yield Fraud(
            kind, by, pilot, ("certificate c1",), ("claim e1", "ALLOWED", "ALLOWED"),
            found=_by(LEDGER, "", "ENVELOPE_DISPUTED"),
        )  # fmt: skip
    yield Fraud(
        _D.INFLATES_QUANTITY, "importer", pilot, _CLAIMS, ("claim e2", "DENIED", "ALLOWED"),
        found=_by("cbp", "claim e2", "INVOICE_MISMATCH"), fields=("value_usd",),
    )  # fmt: skip
    yield Fraud(
        _D.REUSES_SHIPMENT, "nueces", "over-claim", ("claim t2",), ("claim t2", "DENIED", "ALLOWED"),
        found=_by("cbp", "claim t2", "TWO_PORTS"),
        only=("s1", "t2"), shape=(_HONEST_NUECES,), beside=("claims.t2.certificate=c1",),
    )  # fmt: skip
    yield Fraud(
        _D.REUSES_SHIPMENT, "nueces", "over-claim", ("claim t2",), ("claim t2", "DENIED", "ALLOWED"),
        found=_by("cbp", "claim t2", "OVER_INVOICE"),
        only=("n1", "t2"),
        shape=(
            _HONEST_NUECES, "claims.n1.certificate=c2", "claims.n1.shipment=AM-5512",
            "claims.t2.invoice=i2", "claims.t2.goods.invoice=ALM-40772",
        ),
        beside=("claims.t2.certificate=c1", "claims.t2.invoice=null"),
    )  # fmt: skip
    yield Fraud(
        _D.CLAIMS_WITHOUT_CERTIFICATE, "importer", pilot, _CLAIMS, denied,
        found=_in_each(LEDGER, _CLAIMS, "NO_POSSESSION") | _in_each("cbp", _CLAIMS, "NO_CERTIFICATE"),
    )  # fmt: skip
    yield Fraud(
        _D.CLAIMS_ON_ANOTHERS, "nueces", "over-claim", ("claim t2",), ("claim t2", "DENIED", "ALLOWED"),
        found=_by(LEDGER, "claim t2", "NO_POSSESSION") | _by("cbp", "claim t2", "POSSESSION_NOT_PROVEN"),
        only=("t2",),
        shape=(
            _HONEST_NUECES, "documents.c1.addressees=[bravos, sabine, cbp]", "claims.t2.shipment=AM-5512",
            "claims.n1.faulty=true", "claims.b2.faulty=true",
        ),
    )  # fmt: skip
    yield Fraud(
        _D.KEEPS_NO_RECORDS, "importer", pilot, ("claim e2",), ("claim e2", "DENIED", "ALLOWED"),
        found=_by("cbp", "claim e2", "WRONG_CERTIFICATE", "INVOICE_MISMATCH"),
    )  # fmt: skip
    yield Fraud(
        _D.KEEPS_NO_RECORDS, "importer", pilot, ("claim e2",), ("claim e2", "DENIED", "ALLOWED"),
        found=_by("cbp", "claim e2", "INVOICE_MISMATCH"), fields=("invoice",),
    )  # fmt: skip
    yield Fraud(
        _D.KEEPS_NO_RECORDS, "importer", pilot, ("claim e2",), ("claim e2", "CURE", "ALLOWED"),
        found=_by("cbp", "claim e2", "NO_ANSWER"), fields=("certificate",),
    )  # fmt: skip


def _carnets() -> Iterator[Fraud]:
    """Goods under a carnet: holders, associations, offices."""
    tour, home = "carnet-journey", ("carnet k1", "DISCHARGED", "DISCHARGED")
    for kind, rule in (
        (_D.PRESENTS_TWICE, "carnet.present/voucher-used"),
        (_D.ADDS_UNLISTED_ITEM, "carnet.present/unlisted-item"),
    ):
        yield Fraud(kind, "drummaker", tour, _JOURNEY, home, found=_by(LEDGER, "drummaker", rule))
    yield Fraud(
        _D.SWAPS_SERIAL, "drummaker", tour, _JOURNEY, ("voucher k1/1", "REFUSED", "ENDORSED"),
        found=_by("cbp", "voucher k1/1", "OTHER_MARKS") | _NOT_THERE,
    )  # fmt: skip
    parts = ("voucher k1/3", "voucher k1/4")
    claimed = _by("cbsa", "carnet claim k1/2", "carnet claim")
    yield Fraud(
        _D.BACK_DATES_VOUCHER, "drummaker", tour, parts, ("voucher k1/3", "ENDORSED", "ENDORSED"),
        found=_in_each(LEDGER, parts, "REEXPORT_LATE") | claimed,
        only=("1", "2", "3", "4"),
    )  # fmt: skip
    yield Fraud(
        _D.SELLS_ABROAD,
        "drummaker",
        tour,
        parts,
        ("carnet k1", "EXPIRED", "DISCHARGED"),
        found=claimed | _NOT_THERE,
    )
    for kind, rule in (
        (_D.ISSUES_UNSECURED, "carnet.issue/impossible-transition"),
        (_D.ISSUES_TOO_LONG, "carnet.issue/validity"),
        (_D.INVENTS_HOLDER, "carnet.issue/unknown-carnet"),
    ):
        yield Fraud(kind, "council", tour, ("carnet k1",), home, found=_by(LEDGER, "council", rule))
    waived = ("carnet k1",)
    yield Fraud(
        _D.WAIVES_SECURITY,
        "council",
        tour,
        waived,
        ("carnet k1", "ISSUED", "SECURED"),
        only=("0",),
        shape=(_SHORT,),
    )
    yield Fraud(
        _D.WAIVES_SECURITY, "council", tour, waived, home, shape=(_SHORT,),
        beside=("carnets.k1.security_percent=40",),
    )  # fmt: skip
    yield Fraud(
        _D.REFUSES_HONEST_CLAIM, "ca-chamber", tour, ("carnet claim k1/2",),
        ("carnet claim k1/2", "CONTESTED", "FINAL"),
        found=_by("cbsa", "carnet claim k1/2", "FALSE_OBJECTION"), shape=(_SOLD,),
    )  # fmt: skip
    unseen = ("voucher k1/1", "ENDORSED", "ENDORSED")
    honest = "organizations.drummaker.agent.dishonest=[]"
    yield Fraud(
        _D.STAMPS_UNSEEN,
        "cbp",
        tour,
        ("voucher k1/1",),
        unseen,
        only=("1",),
        shape=(_SWAPPED,),
        beside=(honest,),
    )
    yield Fraud(
        _D.STAMPS_UNSEEN, "cbp", tour, ("voucher k1/1",), ("voucher k1/2", "REFUSED", "ENDORSED"),
        found=_by("cbsa", "voucher k1/2", "OTHER_MARKS")
        | _by(LEDGER, "drummaker", "carnet.present/wrong-import-voucher"),
        only=("1", "2", "3", "4"), shape=(_SWAPPED,), beside=(honest,),
    )  # fmt: skip
    yield Fraud(
        _D.STAMPS_ABSENT_GOODS, "cbsa", tour, ("voucher k1/2", *parts), home,
        found=_by(LEDGER, "cbsa", "carnet.endorse/unknown-voucher"),
    )  # fmt: skip
    late = ("voucher k1/8",)
    yield Fraud(
        _D.BACK_DATES_STAMPS, "bazg", tour, late, home,
        hidden=_by(LEDGER, "voucher k1/8", "REEXPORT_LATE") | _by("bazg", "carnet claim k1/7", "carnet claim"),
        shape=_LATE,
    )  # fmt: skip
    in_time = ("steps.10.at='2018-12-09T12:00:00'", "steps.11.at='2018-12-11T16:00:00'")
    yield Fraud(_D.BACK_DATES_STAMPS, "bazg", tour, late, home, shape=_LATE, beside=in_time)


def _tuna() -> Iterator[Fraud]:
    """Form 370."""

    def of(
        form: str, kind: Dishonesty, comes_to: tuple[str, str], found: Found = NOBODY, by: str = "exporter",
        hidden: Found = NOBODY, fields: tuple[str, ...] = (), shape: tuple[str, ...] = (),
        beside: tuple[str, ...] = (),
    ) -> Fraud:  # fmt: skip
        about = f"form {form}"
        return Fraud(
            kind,
            by,
            "tuna-matrix",
            (about,),
            (about, *comes_to),
            found,
            hidden,
            fields,
            (form,),
            shape,
            beside,
        )

    def noaa(form: str, *codes: str) -> Found:
        return _by("noaa", f"form {form}", *codes)

    held, released = ("HOLD", "RELEASED"), ("RELEASED", "RELEASED")
    yield of("seine-safe", _D.DECLARES_5B1, held, noaa("seine-safe", "STATUS_NOT_SUPPORTED"))
    yield of("not-certified", _D.DECLARES_5B1, held, noaa("not-certified", "EVIDENCE_MISSING"))
    yield of("small-safe", _D.LAUNDERS_GEAR, held, noaa("small-safe", "AREA_MISMATCH"))
    yield of(
        "associated-safe", _D.LAUNDERS_GEAR, held, noaa("associated-safe", "STATUS_NOT_SUPPORTED"),
        fields=("ocean_area",),
    )  # fmt: skip
    yield of(
        "large-uncertified", _D.LAUNDERS_GEAR, held, noaa("large-uncertified", "AREA_MISMATCH", "EVIDENCE_MISSING"),
        fields=("ocean_area",), shape=("forms.large-uncertified.status=5A",),
    )  # fmt: skip
    yield of("not-certified", _D.LAUNDERS_GEAR, released)
    yield of("line-safe", _D.WRONG_TRIP, held, noaa("line-safe", "EVIDENCE_MISSING"))
    yield of(
        "line-safe", _D.WRONG_TRIP, held, noaa("line-safe", "EVIDENCE_MISSING", "FLAG_MISMATCH"),
        fields=("vessel_name",), shape=(_NAMESAKE,),
    )  # fmt: skip
    yield of("not-certified", _D.WRONG_TRIP, released)
    yield of(
        "gillnet-unobserved", _D.FORGES_OBSERVER_STATEMENT, ("RELEASED", "REFUSED"),
        hidden=noaa("gillnet-unobserved", "EVIDENCE_MISSING"),
    )  # fmt: skip
    yield of("line-safe", _D.FORGES_OBSERVER_STATEMENT, released)
    for by in ("exporter", "cannery", "importer"):
        yield of(
            "line-safe", _D.OMITS_ENDORSEMENT, held, _by(LEDGER, "form line-safe", "MISSING_ENDORSEMENT"), by
        )
        yield of(
            "line-safe", _D.INFLATES_WEIGHT, ("REJECTED", "RELEASED"), noaa("line-safe", "OUT_EXCEEDS_IN"), by
        )
    late = _by(LEDGER, "form line-safe", "FILED_AFTER_IMPORTATION")
    yield of("line-safe", _D.FILES_LATE, held, late, "importer")
    yield of("line-safe", _D.MISDATES_IMPORTATION, released, by="importer")
    yield of(
        "line-safe", _D.MISDATES_IMPORTATION, released, by="importer", hidden=late,
        beside=("organizations.importer.agent.dishonest=[files-late]",),
    )  # fmt: skip
    yield of(
        "no-permit", _D.FILES_WITHOUT_PERMIT, held, _by(LEDGER, "form no-permit", "NO_IFTP_PERMIT"), "newcomer",
        beside=("steps.2.last='2018-12-31'",),
    )  # fmt: skip


FRAUDS = (*_origin(), *_carnets(), *_tuna())


@pytest.mark.parametrize("fraud", FRAUDS, ids=str)
def test_a_fraud_is_done_and_found_by_whom_the_row_says_and_not_beside_it(fraud: Fraud) -> None:
    how = (
        f"{{{fraud.kind.value}: {{rate: 1, fields: [{', '.join(fraud.fields)}]}}}}"
        if fraud.fields
        else f"[{fraud.kind.value}]"
    )
    committed = play(
        fraud.scenario, (*fraud.shape, f"organizations.{fraud.by}.agent.dishonest={how}"), fraud.only
    )
    beside = play(fraud.scenario, (*fraud.shape, *fraud.beside), fraud.only)
    assert tuple(subject for kind, subject in committed.done if kind == fraud.kind) == fraud.told
    assert fraud.kind not in {kind for kind, _ in beside.done}
    assert fraud.kind.value not in committed.shown, "the truth is the observer's alone"
    assert committed.found - beside.found == fraud.found
    assert beside.found - committed.found == fraud.hidden
    subject, with_fraud, without = fraud.comes_to
    assert with_fraud in committed.states[subject]
    assert without in beside.states[subject]
    assert with_fraud == without or with_fraud not in beside.states[subject]
    assert committed.violations == beside.violations == ()


def test_every_fraud_of_the_table_is_run_and_every_code_that_it_names_is_found() -> None:
    assert {fraud.kind for fraud in FRAUDS} == set(MISCONDUCT)
    for kind, row in MISCONDUCT.items():
        found = {code for fraud in FRAUDS if fraud.kind is kind for _, _, code in fraud.found}
        assert set(row.caught_by) <= found, kind
        fields = {name for fraud in FRAUDS if fraud.kind is kind for name in fraud.fields or row.fields}
        assert fields == set(row.fields), kind


def test_what_nobody_can_know_is_found_by_nobody_in_some_row() -> None:
    for kind, row in MISCONDUCT.items():
        if not row.caught_by:
            assert any(fraud.found == NOBODY for fraud in FRAUDS if fraud.kind is kind), kind
