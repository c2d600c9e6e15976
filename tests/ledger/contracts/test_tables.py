"""Every state and event is either a listed step or refused, and the listed steps are these."""

from __future__ import annotations

import datetime
import re
from enum import StrEnum
from pathlib import Path

import pytest

import ledger
from ledger.contracts import (
    CERTIFICATE_TABLE,
    CLAIM_TABLE,
    DOCUMENT_TABLE,
    HOLDING_REVIEW_TABLE,
    HOLDING_TABLE,
    POWER_TABLE,
    READING_TABLE,
    REVIEW_TABLE,
    RULES,
    Actor,
    Finding,
    FineState,
    Guard,
    Refusal,
    RuleViolatedError,
    Step,
    Table,
    rule_remedy,
)
from ledger.contracts import parameters as parameters_module
from ledger.contracts.carnet import CARNET_CLAIM_TABLE, CARNET_REVIEW_TABLE, CARNET_TABLE, VOUCHER_TABLE
from ledger.contracts.fisheries import FORM370_TABLE, INSPECTION_TABLE
from ledger.contracts.membership import KEY_TABLE, NODE_TABLE
from ledger.contracts.parameters import Mark, Parameter, Reading
from ledger.contracts.verification import VERIFICATION_REVIEW_TABLE, VERIFICATION_TABLE

LISTED = {
    "verification": {
        "NONE verification.open OFFICIAL_OPEN",
        "OFFICIAL_OPEN verification.respond OFFICIAL_OPEN",
        "OFFICIAL_OPEN verification.act OFFICIAL_OPEN",
        "OFFICIAL_OPEN verification.close OFFICIAL_CLOSED",
    },
    "verification review": {
        "OPEN questionnaire WAITING",
        "OPEN visit-notice CONSENT_WAIT",
        "WAITING reply ANSWERED",
        "WAITING remind FOLLOW_UP",
        "FOLLOW_UP reply ANSWERED",
        "FOLLOW_UP silence NEGATIVE",
        "CONSENT_WAIT consent VISIT",
        "CONSENT_WAIT refuse REFUSED",
        "CONSENT_WAIT no-consent REFUSED",
        "VISIT visited ANSWERED",
        "VISIT no-records REFUSED",
        "REFUSED intend INTENT",
        "INTENT determine-negative NEGATIVE",
        "INTENT consent VISIT",
        "ANSWERED visit-notice CONSENT_WAIT",
        "ANSWERED determine-positive POSITIVE",
        "ANSWERED determine-negative NEGATIVE",
    },
    "certificate": {
        "UNANCHORED certificate.anchor ACTIVE",
        "ACTIVE certificate.deliver ACTIVE",
        "ACTIVE certificate.notify NOTICE_GIVEN",
        "NOTICE_GIVEN certificate.supersede CORRECTED",
    },
    "holding": {
        "NONE certificate.deliver DELIVERED",
        "NONE certificate.anchor HELD",
        "DISPUTED certificate.deliver DELIVERED",
        "DELIVERED holding.acknowledge HELD",
        "DELIVERED holding.complain DISPUTED",
        "HELD holding.open OFFICIAL_OPEN",
        "OFFICIAL_CLOSED holding.open OFFICIAL_OPEN",
        "OFFICIAL_OPEN holding.close OFFICIAL_CLOSED",
    },
    "holding review": {
        "HELD suspend SUSPENDED",
        "REINSTATED suspend SUSPENDED",
        "SUSPENDED reinstate REINSTATED",
        "SUSPENDED reject NOT_ACCEPTED",
    },
    "power of attorney": {
        "NONE power.grant GRANTED",
        "GRANTED power.grant GRANTED",
        "REVOKED power.grant GRANTED",
        "GRANTED power.revoke REVOKED",
    },
    "document": {
        "UNANCHORED document.anchor ANCHORED",
        "ANCHORED document.disclose ANCHORED",
        "ANCHORED document.purge PURGED",
    },
    "reading": {
        "NONE document.acknowledge ACKNOWLEDGED",
        "NONE document.complain DISPUTED",
        "DISPUTED document.acknowledge ACKNOWLEDGED",
    },
    "node": {
        "NONE member.add OUTSIDE",
        "OUTSIDE orderer.promote LEARNER",
        "LEARNER node.ready ORDERER",
        "LEARNER orderer.demote OUTSIDE",
        "ORDERER orderer.demote OUTSIDE",
        "OUTSIDE node.replace OUTSIDE",
        "LEARNER node.replace LEARNER",
        "ORDERER node.replace LEARNER",
        "OUTSIDE member.remove GONE",
        "LEARNER member.remove GONE",
        "ORDERER member.remove GONE",
    },
    "key": {
        "CURRENT key.rotate FORMER",
        "CURRENT key.revoke REVOKED",
        "FORMER key.revoke REVOKED",
        "REVOKED key.revoke REVOKED",
    },
    "claim": {
        "NONE claim.file CLAIMED",
        "NONE claim.file_post CLAIMED",
        "CLAIMED claim.correct CORRECTED",
        "OFFICIAL_CLOSED claim.correct CORRECTED",
        "LIQUIDATED claim.protest OFFICIAL_OPEN",
        "CLAIMED claim.open OFFICIAL_OPEN",
        "OFFICIAL_OPEN claim.respond OFFICIAL_OPEN",
        "OFFICIAL_OPEN claim.act OFFICIAL_OPEN",
        "OFFICIAL_OPEN claim.close OFFICIAL_CLOSED",
        "CLAIMED claim.close OFFICIAL_CLOSED",
        "CORRECTED claim.close OFFICIAL_CLOSED",
        "CLAIMED claim.liquidate LIQUIDATED",
        "CORRECTED claim.liquidate LIQUIDATED",
        "OFFICIAL_CLOSED claim.liquidate LIQUIDATED",
    },
    "review": {
        "CLAIMED request CERT_REQUESTED",
        "CLAIMED series-notice CERT_REQUESTED",
        "CLAIMED review UNDER_REVIEW",
        "CLAIMED allow ALLOWED",
        "CLAIMED deny DENIED",
        "CLAIMED liquidate LIQUIDATED",
        "CERT_REQUESTED submit UNDER_REVIEW",
        "CERT_REQUESTED extend CERT_REQUESTED",
        "CERT_REQUESTED deny-silence DENIED",
        "UNDER_REVIEW request CERT_REQUESTED",
        "UNDER_REVIEW submit UNDER_REVIEW",
        "UNDER_REVIEW find-defect CURE",
        "UNDER_REVIEW verify VERIFYING",
        "UNDER_REVIEW propose-denial UNDER_REVIEW",
        "UNDER_REVIEW allow ALLOWED",
        "UNDER_REVIEW deny DENIED",
        "CURE submit UNDER_REVIEW",
        "CURE deny-silence DENIED",
        "VERIFYING allow ALLOWED",
        "CLAIMED verify VERIFYING",
        "VERIFYING notice-denial DENIAL_NOTICED",
        "DENIAL_NOTICED deny DENIED",
        "LIQUIDATED protest PROTESTED",
        "PROTESTED grant-protest PROTEST_GRANTED",
        "PROTESTED deny-protest PROTEST_DENIED",
        "PROTEST_GRANTED liquidate LIQUIDATED",
        "ALLOWED liquidate LIQUIDATED",
        "DENIED liquidate LIQUIDATED",
    },
    "form 370": {
        "NONE fisheries.draft DRAFT",
        "DRAFT fisheries.endorse ENDORSED",
        "DRAFT fisheries.file FILED",
        "ENDORSED fisheries.file FILED",
        "FILED fisheries.endorse FILED",
        "FILED fisheries.open OFFICIAL_OPEN",
        "OFFICIAL_OPEN fisheries.endorse OFFICIAL_OPEN",
        "OFFICIAL_OPEN fisheries.respond OFFICIAL_OPEN",
        "OFFICIAL_OPEN fisheries.act OFFICIAL_OPEN",
        "OFFICIAL_OPEN fisheries.close OFFICIAL_CLOSED",
        "OFFICIAL_CLOSED fisheries.open OFFICIAL_OPEN",
    },
    "inspection": {
        "FILED hold HOLD",
        "FILED clear MAY_PROCEED",
        "FILED reject REJECTED",
        "HOLD submit HOLD",
        "HOLD clear MAY_PROCEED",
        "HOLD reject REJECTED",
        "HOLD reject-silence REJECTED",
        "MAY_PROCEED release RELEASED",
        "MAY_PROCEED refuse REFUSED",
        "REJECTED refuse REFUSED",
        "RELEASED audit AUDIT",
        "AUDIT submit AUDIT",
        "AUDIT close-audit AUDITED",
    },
    "carnet": {
        "NONE carnet.apply APPLIED",
        "APPLIED carnet.secure SECURED",
        "SECURED carnet.issue ISSUED",
        "ISSUED carnet.activate ACTIVE",
        "ISSUED carnet.return RETURNED",
        "ACTIVE carnet.present ACTIVE",
        "ACTIVE carnet.return RETURNED",
        "RETURNED carnet.discharge DISCHARGED",
        "ISSUED carnet.replace REPLACED",
        "ACTIVE carnet.replace REPLACED",
    },
    "voucher": {
        "NONE carnet.present PRESENTED",
        "PRESENTED carnet.endorse ENDORSED",
        "PRESENTED carnet.refuse REFUSED",
        "ENDORSED carnet.settle ENDORSED",
    },
    "carnet claim": {
        "NONE carnet.claim OFFICIAL_OPEN",
        "OFFICIAL_OPEN carnet.answer OFFICIAL_OPEN",
        "OFFICIAL_OPEN carnet.decide OFFICIAL_OPEN",
        "OFFICIAL_OPEN carnet.close OFFICIAL_CLOSED",
    },
    "carnet review": {
        "CLAIM_OPEN object CONTESTED",
        "CLAIM_OPEN prove PROOF_GIVEN",
        "CLAIM_OPEN deposit PROVISIONAL_DEPOSIT",
        "CLAIM_OPEN withdraw WITHDRAWN",
        "CONTESTED amend CLAIM_OPEN",
        "CONTESTED withdraw WITHDRAWN",
        "PROOF_GIVEN accept REGULARIZED",
        "PROOF_GIVEN reject CLAIM_OPEN",
        "PROVISIONAL_DEPOSIT prove RECOVERY_SOUGHT",
        "PROVISIONAL_DEPOSIT finalize FINAL",
        "RECOVERY_SOUGHT accept REGULARIZED",
        "RECOVERY_SOUGHT reject PROVISIONAL_DEPOSIT",
    },
}


class Everyone:
    """A case whose sender may be anybody and whose guards see nothing."""

    def plays(self, actor: Actor) -> bool:
        return True


PUBLIC_TABLES = [
    CERTIFICATE_TABLE,
    HOLDING_TABLE,
    DOCUMENT_TABLE,
    READING_TABLE,
    POWER_TABLE,
    CLAIM_TABLE,
    FORM370_TABLE,
    CARNET_TABLE,
    VOUCHER_TABLE,
    CARNET_CLAIM_TABLE,
    VERIFICATION_TABLE,
    NODE_TABLE,
    KEY_TABLE,
]
PRIVATE_TABLES = [
    REVIEW_TABLE,
    HOLDING_REVIEW_TABLE,
    INSPECTION_TABLE,
    CARNET_REVIEW_TABLE,
    VERIFICATION_REVIEW_TABLE,
]
TABLES: list[Table] = [*PUBLIC_TABLES, *PRIVATE_TABLES]


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_every_state_and_event_is_listed_or_refused(table: Table) -> None:
    seen = set()
    for state in table.states:
        for event in table.events:
            step = table.find(state, event)
            if step is None:
                with pytest.raises(RuleViolatedError) as refusal:
                    table.advance(state, event, Everyone())
                assert refusal.value.rule == f"{event}/impossible-transition"
            else:
                seen.add(f"{state.value} {event} {step.target.value}")
    assert seen == LISTED[table.name]


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_every_step_cites_its_source(table: Table) -> None:
    assert all(step.source for step in table.steps)


@pytest.mark.parametrize("table", PUBLIC_TABLES, ids=lambda t: t.name)
def test_every_event_on_the_ledger_is_a_transaction_type(table: Table) -> None:
    assert set(table.events) <= set(RULES)


def test_every_transaction_type_has_steps_or_is_a_plain_permit() -> None:
    events = {event for table in TABLES for event in table.events}
    assert set(RULES) - events == {"fisheries.permit"}


class Light(StrEnum):
    RED = "RED"
    GREEN = "GREEN"


class Nobody:
    def plays(self, actor: Actor) -> bool:
        return False


GO: Step[Light, Everyone] = Step(Light.RED, "go", Actor.CUSTOMS, Light.GREEN, "test")


def test_a_table_with_an_ambiguous_step_or_an_unreachable_state_is_refused() -> None:
    with pytest.raises(ValueError, match="two steps share a state and an event"):
        Table("light", Light, (GO, GO))
    with pytest.raises(ValueError, match="no step leads to GREEN"):
        Table("light", Light, ())


def test_the_actor_is_asked_before_the_guards() -> None:
    shut: Guard[Nobody] = Guard("an open door", Refusal.TOO_EARLY, lambda case: False)
    step: Step[Light, Nobody] = Step(Light.RED, "go", Actor.CUSTOMS, Light.GREEN, "test", guards=(shut,))
    table = Table("light", Light, (step,))
    with pytest.raises(RuleViolatedError) as refusal:
        table.advance(Light.RED, "go", Nobody())
    assert refusal.value.rule == "go/wrong-actor"


def test_a_guard_refuses_with_its_own_rule() -> None:
    shut: Guard[Everyone] = Guard("an open door", Refusal.TOO_EARLY, lambda case: False)
    step: Step[Light, Everyone] = Step(Light.RED, "go", Actor.CUSTOMS, Light.GREEN, "test", guards=(shut,))
    table = Table("light", Light, (step,))
    with pytest.raises(RuleViolatedError, match="an open door") as refusal:
        table.advance(Light.RED, "go", Everyone())
    assert refusal.value.rule == "go/too-early"
    assert refusal.value.remedy == Refusal.TOO_EARLY.remedy


def test_every_refusal_has_a_remedy_and_a_rule_id_leads_to_it() -> None:
    for refusal in Refusal:
        assert refusal.remedy
        assert rule_remedy(f"claim.file/{refusal.value}") == refusal.remedy
    with pytest.raises(ValueError, match="no transaction type"):
        rule_remedy("claim.dance/scope")
    with pytest.raises(ValueError, match="no refusal"):
        rule_remedy("claim.file/bad-mood")


def test_every_finding_says_what_was_seen_and_where_it_is_written() -> None:
    for finding in Finding:
        assert finding.meaning
        assert finding.source.startswith(
            ("19 CFR", "19 USC", "50 CFR", "81 FR", "Pub. L.", "ATA Convention", "design:")
        )


def test_every_parameter_has_a_source_and_the_unsure_ones_say_so() -> None:
    parameters = {
        name: value for name, value in vars(parameters_module).items() if isinstance(value, Parameter)
    }
    assert all(parameter.source for parameter in parameters.values())
    unsure = {name for name, parameter in parameters.items() if parameter.mark is not Mark.READ}
    assert unsure == {
        "REQUEST_CALENDAR_DAYS",
        "BACKUP_CALENDAR_DAYS",
        "PROPOSED_DENIAL_CALENDAR_DAYS",
        "FORM_370_HOLD_CALENDAR_DAYS",
        "FORM_370_RECORD_YEARS",
        "SERIES_NOTICE_CLAIMS_MIN",
        "SERIES_WINDOW_CALENDAR_DAYS",
        "VERIFICATION_REPLY_CALENDAR_DAYS",
        "INTENT_CALENDAR_DAYS",
        "CARNET_RECOVERY_MONTHS",
        "CARNET_SECURITY_PERCENT",
        "CARNET_FINAL_DATE_CALENDAR_DAYS",
        "DOCUMENT_RECORD_YEARS",
    }
    assert "unconfirmed" in str(parameters["PROPOSED_DENIAL_CALENDAR_DAYS"])


UNSURE = re.compile(r"unconfirmed|not confirmed|partly (?:read|confirmed)|found in no public source")
LEDGER = Path(ledger.__file__).parent


def test_whatever_a_module_is_unsure_of_is_named_with_its_mark_in_the_one_file_for_it() -> None:
    marked = {
        name: value
        for name, value in vars(parameters_module).items()
        if isinstance(value, Parameter | Reading) and value.mark is not Mark.READ
    }
    readings = [value for value in marked.values() if isinstance(value, Reading)]
    rests_on_one = {module for reading in readings for module in reading.used_in}
    here = Path(parameters_module.__file__ or "")
    assert all((LEDGER.parent / f"{module}.py").is_file() for module in rests_on_one)
    for path in sorted(LEDGER.rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        module = str(path.relative_to(LEDGER.parent).with_suffix(""))
        takes = re.findall(r"\b[A-Z][A-Z0-9_]+\b", text)
        if path != here and UNSURE.search(text) and module not in rests_on_one:
            assert set(takes) & set(marked), f"{module} is unsure of what parameters.py does not name"


def test_the_private_states_are_the_domains() -> None:
    assert [state.value for state in FineState] == [
        "CLAIMED",
        "CERT_REQUESTED",
        "UNDER_REVIEW",
        "CURE",
        "VERIFYING",
        "DENIAL_NOTICED",
        "ALLOWED",
        "DENIED",
        "LIQUIDATED",
        "PROTESTED",
        "PROTEST_GRANTED",
        "PROTEST_DENIED",
    ]
    assert datetime.date(2020, 6, 30) == parameters_module.NAFTA_LAST_IMPORT_ON
