"""Customs' claims: their dates, who may, what bars them; and the private table behind them."""

from __future__ import annotations

import datetime
from typing import Any

import pytest

from ledger.codes import Code
from ledger.contracts import Actor, RuleViolatedError
from ledger.contracts.carnet import (
    CarnetFineState,
    CarnetReview,
    CarnetReviewEvent,
    ProofKind,
    advance_carnet_review,
    carnet_claim_due_on,
    carnet_fine_commitment,
    claim_cap,
    open_review,
    proof_due_on,
    proof_kind,
    recovery_due_on,
)

K1 = bytes([1]) * 16
F, E = CarnetFineState, CarnetReviewEvent


def day(text: str) -> datetime.date:
    return datetime.date.fromisoformat(text)


def rule_of(receipt: Any) -> str:
    assert receipt.code is Code.RULE_VIOLATED, receipt
    return str(receipt.rule).partition("/")[2]


@pytest.mark.parametrize(
    ("on", "findings"),
    [
        ("2018-12-31", ("CARNET_CLAIM_EARLY",)),  # the final date for re-export
        ("2019-01-01", ()),
        ("2020-09-03", ()),  # a year after the last day of validity
        ("2020-09-04", ("CARNET_CLAIM_LATE",)),
    ],
)
def test_a_claim_is_recorded_whenever_it_comes(abroad: Any, on: str, findings: tuple[str, ...]) -> None:
    receipt = abroad.claim(2, on)
    assert (receipt.code, receipt.findings) == (Code.VALID, findings)
    assert abroad.goods().open_claims == (2,)


def test_who_claims_of_whom_and_on_what(abroad: Any) -> None:
    on = "2019-02-01"
    assert rule_of(abroad.claim(2, on, office="bazg")) == "wrong-actor"
    assert rule_of(abroad.claim(1, on, office="cbp")) == "wrong-import-voucher"
    assert rule_of(abroad.claim(2, on, association="ch-chamber")) == "unknown-guarantor"
    assert rule_of(abroad.claim(2, on, association="cbp")) == "unknown-guarantor"
    assert rule_of(abroad.claim(33, on)) == "unknown-voucher"
    assert abroad.claim(2, on).code is Code.VALID
    assert rule_of(abroad.claim(2, on)) == "duplicate-carnet-claim"


def test_an_unconditional_discharge_bars_the_claim_unless_it_was_improper(abroad: Any) -> None:
    abroad.cross("REEXPORT", "cbsa", [[1, 10], [2, 4]], "2018-11-20", cites=2)
    assert rule_of(abroad.claim(2, "2019-02-01")) == "carnet-discharged"
    assert abroad.claim(2, "2019-02-01", improper=True).findings == ("DISCHARGE_DISPUTED",)


def test_a_discharge_with_reserve_bars_nothing(abroad: Any) -> None:
    abroad.present("REEXPORT", "cbsa", [[1, 10], [2, 4]], cites=2, on="2019-01-05")
    assert abroad.endorse("cbsa", "2019-01-05", unconditional=False).findings == ("REEXPORT_LATE",)
    assert abroad.voucher(2).undischarged == {}
    assert abroad.claim(2, "2019-02-01").findings == ()


@pytest.mark.parametrize(("on", "findings"), [("2019-08-01", ()), ("2019-08-02", ("CARNET_ANSWER_LATE",))])
def test_the_first_answer_is_due_six_months_after_the_claim(
    abroad: Any, on: str, findings: tuple[str, ...]
) -> None:
    abroad.claim(2, "2019-02-01")
    assert rule_of(abroad.answer(2, on, association="ch-chamber")) == "wrong-actor"
    assert abroad.answer(2, on).findings == findings
    assert abroad.answer(2, "2019-10-01").findings == ()


def test_a_closed_claim_ends_the_matter(abroad: Any) -> None:
    abroad.claim(2, "2019-02-01")
    assert rule_of(abroad.decide("carnet.close", 2, "2019-03-01", office="bazg")) == "wrong-actor"
    assert abroad.decide("carnet.decide", 2, "2019-03-01").code is Code.VALID
    assert abroad.decide("carnet.close", 2, "2019-03-02").code is Code.VALID
    assert (abroad.goods().open_claims, abroad.goods().open_imports) == ((), ())
    assert rule_of(abroad.decide("carnet.decide", 2, "2019-03-03")) == "impossible-transition"
    assert rule_of(abroad.answer(2, "2019-03-03")) == "impossible-transition"
    assert rule_of(abroad.decide("carnet.close", 5, "2019-03-03")) in {
        "unknown-voucher",
        "unknown-carnet-claim",
    }


def test_no_security_is_released_over_an_open_claim(abroad: Any) -> None:
    abroad.present("REEXPORT", "cbsa", [[1, 10], [2, 4]], cites=2, on="2019-01-05")
    abroad.endorse("cbsa", "2019-01-05", unconditional=False)
    abroad.cross("REIMPORT", "cbp", [[1, 10], [2, 4]], "2019-01-06")
    abroad.act("acme", "carnet.return", {"carnet": K1})
    # a discharge with reserve may still be claimed on
    assert rule_of(abroad.act("council", "carnet.discharge", {"carnet": K1})) == "claim-possible"
    abroad.claim(2, "2019-02-01")
    assert rule_of(abroad.act("council", "carnet.discharge", {"carnet": K1})) == "claim-possible"
    abroad.decide("carnet.close", 2, "2019-03-02")
    assert abroad.act("council", "carnet.discharge", {"carnet": K1}).code is Code.VALID


def test_the_chains_dates() -> None:
    assert carnet_claim_due_on(day("2019-09-03")) == day("2020-09-03")
    assert carnet_claim_due_on(day("2020-02-29")) == day("2021-02-28")
    assert proof_due_on(day("2019-02-01")) == day("2019-08-01")
    assert proof_due_on(day("2019-08-31")) == day("2020-02-29")
    assert recovery_due_on(day("2019-08-01")) == day("2019-11-01")
    assert recovery_due_on(day("2018-11-30")) == day("2019-02-28")


def moved(review: CarnetReview, event: CarnetReviewEvent, on: str) -> CarnetReview:
    actor = Actor.GUARANTOR if event.act == "carnet.answer" else Actor.OFFICE
    return advance_carnet_review(review, event, actor, day(on))


def test_a_proof_in_time_regularizes_and_one_after_six_months_does_not() -> None:
    review = open_review(day("2019-02-01"))
    assert moved(moved(review, E.PROVE, "2019-08-01"), E.ACCEPT, "2019-08-05").state is F.REGULARIZED
    with pytest.raises(RuleViolatedError, match="prove: it needs: a day within"):
        moved(review, E.PROVE, "2019-08-02")


def test_a_deposit_is_recovered_within_three_months_and_final_after_them() -> None:
    deposit = moved(open_review(day("2019-02-01")), E.DEPOSIT, "2019-08-01")
    assert deposit == CarnetReview(F.PROVISIONAL_DEPOSIT, day("2019-11-01"))
    assert moved(moved(deposit, E.PROVE, "2019-11-01"), E.ACCEPT, "2019-11-02").state is F.REGULARIZED
    with pytest.raises(RuleViolatedError, match="a day within"):
        moved(deposit, E.PROVE, "2019-11-02")
    with pytest.raises(RuleViolatedError, match="to have passed"):
        moved(deposit, E.FINALIZE, "2019-11-01")
    assert moved(deposit, E.FINALIZE, "2019-11-02").state is F.FINAL
    back = moved(moved(deposit, E.PROVE, "2019-11-01"), E.REJECT, "2019-11-20")
    assert back == deposit


def test_only_the_association_answers_and_only_customs_decides() -> None:
    review = open_review(day("2019-02-01"))
    with pytest.raises(RuleViolatedError, match="guaranteeing association"):
        advance_carnet_review(review, E.DEPOSIT, Actor.OFFICE, day("2019-02-02"))
    with pytest.raises(RuleViolatedError, match="customs"):
        advance_carnet_review(review, E.WITHDRAW, Actor.GUARANTOR, day("2019-02-02"))


def test_at_most_ten_percent_above_duties_are_claimed() -> None:
    assert [claim_cap(duties) for duties in (0, 9, 10, 1000)] == [0, 9, 11, 1100]


def test_which_proof_is_direct_and_which_indirect() -> None:
    imported, last = day("2018-10-01"), day("2019-09-03")
    assert proof_kind(imported, last, day("2018-10-01"), None) is ProofKind.DIRECT
    assert proof_kind(imported, last, last, None) is ProofKind.DIRECT
    assert proof_kind(imported, last, day("2019-09-04"), None) is None  # after expiry
    assert proof_kind(imported, last, day("2018-09-30"), None) is None  # before the import
    assert proof_kind(imported, last, None, day("2019-12-01")) is ProofKind.INDIRECT
    assert proof_kind(imported, last, None, imported) is ProofKind.INDIRECT  # on the very day
    assert proof_kind(imported, last, None, day("2018-09-30")) is None
    assert proof_kind(imported, last, None, None) is None


def test_a_commitment_hides_the_state_and_binds_it() -> None:
    seen = {carnet_fine_commitment(bytes(16), K1, 2, state) for state in F}
    assert len(seen) == len(F)
    assert carnet_fine_commitment(bytes(16), K1, 3, F.FINAL) not in seen
    with pytest.raises(ValueError, match="16 bytes"):
        carnet_fine_commitment(b"", K1, 2, F.FINAL)
