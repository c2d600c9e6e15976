"""Carnet frauds with the safeguards against them switched off: the scenario's expectations must say so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ledger.contracts import Refusal
from ledger.contracts.carnet import CARNET_CLAIM_TABLE, VOUCHER_TABLE
from ledger.contracts.carnet import claim as claim_module
from ledger.contracts.carnet import voucher as voucher_module
from scenarios.agents import carnetassociation, carnetoffice
from scenarios.agents.carnetassociation import CarnetAssociation
from scenarios.judging.verdict import Verdict
from scenarios.model.sentences import Judgement
from scenarios.running.options import RunResult

RunVirtual = Callable[..., RunResult]

pytestmark = pytest.mark.slow

FRAUD = "carnet-fraud"


def failed(result: RunResult) -> set[str]:
    assert result.judgment.verdict is Verdict.VIOLATED
    return {str(e.sentence) for e in result.judgment.expectations if e.outcome.judgement is Judgement.FAILED}


def test_every_form_rule_that_is_left_out_fails_its_expectation(
    run_virtual_scenario: RunVirtual, monkeypatch: pytest.MonkeyPatch
) -> None:
    def leave_out(table: Any, event: str, refusal: Refusal) -> None:
        step = table.find(next(step.state for step in table.steps if step.event == event), event)
        kept = tuple(guard for guard in step.guards if guard.refusal is not refusal)
        assert len(kept) == len(step.guards) - 1
        monkeypatch.setitem(table._by_place, (step.state, event), replace(step, guards=kept))

    leave_out(VOUCHER_TABLE, "carnet.present", Refusal.UNLISTED_ITEM)
    leave_out(VOUCHER_TABLE, "carnet.present", Refusal.COUNTERFOIL)
    leave_out(VOUCHER_TABLE, "carnet.present", Refusal.WRONG_IMPORT_VOUCHER)
    leave_out(VOUCHER_TABLE, "carnet.endorse", Refusal.CARNET_EXPIRED)
    leave_out(CARNET_CLAIM_TABLE, "carnet.claim", Refusal.CARNET_DISCHARGED)
    missed = failed(run_virtual_scenario(FRAUD))
    assert {
        "step 15 is refused by carnet.present/unlisted-item",
        "step 17 is refused by carnet.present/counterfoil",
        "step 18 is refused by carnet.present/wrong-import-voucher",
        "step 35 is refused by carnet.endorse/carnet-expired",
        "step 11 is refused by carnet.claim/carnet-discharged",
    } <= missed


def test_findings_marks_cap_and_deposit_that_nobody_minds_are_missed(
    run_virtual_scenario: RunVirtual, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(_self: CarnetAssociation, _case: object) -> None:
        """An association that deposits nothing."""

    monkeypatch.setattr(voucher_module, "endorsement_findings", lambda _case: ())
    monkeypatch.setattr(claim_module, "_claim_findings", lambda _case, _carnet: ())
    monkeypatch.setattr(carnetoffice, "swapped_items", lambda _listed, _borne: ())
    monkeypatch.setattr(carnetassociation, "claim_cap", lambda duties: duties * 100)
    monkeypatch.setattr(CarnetAssociation, "_deposit_at", never)
    missed = failed(run_virtual_scenario(FRAUD))
    assert {
        "voucher k1/3 is REFUSED within 2 hours",
        "voucher k3/3 has finding EXIT_UNRECORDED",
        "voucher k5/4 has finding CARNET_EXPIRED_ABROAD",
        "carnet claim k6/2 has finding CARNET_CLAIM_LATE",
        "carnet claim k6/2 ends WITHDRAWN",
        "carnet claim k4/2 is CONTESTED within 1 days",
        "carnet claim k3/2 is PROVISIONAL_DEPOSIT within 182 days",
        "carnet claim k4/2 ends FINAL",
    } <= missed


def test_the_journey_passes_from_another_seed_and_every_node_knows_where_the_goods_are(
    run_virtual_scenario: RunVirtual,
) -> None:
    result = run_virtual_scenario("carnet-journey", "3")
    assert result.judgment.verdict is Verdict.PASSED
    assert result.trial.history.states("carnet", "k1")[-1][1] == "DISCHARGED"


def test_proofs_that_do_not_hold_are_rejected_and_the_deposits_become_final(
    run_virtual_scenario: RunVirtual,
) -> None:
    result = run_virtual_scenario(Path(__file__).with_name("carnet-proofs.yaml"))
    assert result.judgment.verdict is Verdict.PASSED
    assert result.book.named("act.refused") == []
    states = [state for _, state in result.trial.history.states("carnet_claim", "k1/2")]
    assert states == ["CLAIM_OPEN", "PROVISIONAL_DEPOSIT", "RECOVERY_SOUGHT", "PROVISIONAL_DEPOSIT", "FINAL"]
    decisions = result.book.named("carnet_claim.decision_received")
    assert len(decisions) == 6  # each of three claims: a proof rejected, then the end
    assert all(decision.fields["believed"] is True for decision in decisions)


def test_a_second_proof_is_looked_at_after_one_that_was_rejected(run_virtual_scenario: RunVirtual) -> None:
    result = run_virtual_scenario(Path(__file__).with_name("carnet-second-proof.yaml"))
    assert result.judgment.verdict is Verdict.PASSED
    states = [state for _, state in result.trial.history.states("carnet_claim", "k2/2")]
    assert states == ["CLAIM_OPEN", "PROOF_GIVEN", "CLAIM_OPEN", "PROOF_GIVEN", "REGULARIZED"]
