"""Rules of the law, broken one at a time: each takes a rule away for as long as a monkeypatch lasts."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from ledger.codes import Code
from ledger.contracts import Finding, Refusal, claim, claim_findings, claim_review
from ledger.contracts.carnet import (
    CARNET_TABLE,
    VOUCHER_TABLE,
    CarnetReviewEvent,
    CarnetStatus,
    booklet,
    dates,
)
from ledger.contracts.carnet import voucher as voucher_module
from ledger.contracts.carnet.records import CarnetRecord, CarnetState, GoodsRecord, VoucherState
from ledger.contracts.fisheries import dolphin
from ledger.contracts.fisheries import form as form_module
from ledger.contracts.fisheries.dolphin import STATUS_RULES
from ledger.contracts.parameters import CARRYING_CAPACITY_SHORT_TONS
from ledger.contracts.records import Blanket
from ledger.contracts.regime import REGIMES
from ledger.contracts.table import Guard
from ledger.contracts.verification import inquiry
from ledger.forms import tuna_attachments
from ledger.state import carnet_key
from ledger.validation import Refused, Validation
from scenarios.agents import carnetassociation, carnetoffice, examination, release, tunacheck, verifier
from scenarios.agents.carnetclaimant import CarnetClaimant
from scenarios.agents.carnetregister import CarnetEntry, CarnetRegister
from scenarios.agents.entrylines import EntryLines
from scenarios.agents.evidence import Archive
from scenarios.agents.register import CertificateEntry
from scenarios.model.defects import Defect
from scenarios.model.subjects import FormDefect

Break = Callable[[pytest.MonkeyPatch], None]

DAY = datetime.timedelta(days=1)


def _returning(owner: Any, name: str, value: object) -> Break:
    """Let a function give one answer, whatever it is asked."""
    return lambda monkeypatch: monkeypatch.setattr(owner, name, lambda *_args, **_named: value)


def _a_day_later(owner: Any, name: str) -> Break:
    """Let a function that gives a last day give the next one."""

    def later(monkeypatch: pytest.MonkeyPatch) -> None:
        due_on = getattr(owner, name)
        monkeypatch.setattr(owner, name, lambda *given: due_on(*given) + DAY)

    return later


def _overlooks(finding: Finding) -> Break:
    """Let no claim have a finding."""

    def overlook(monkeypatch: pytest.MonkeyPatch) -> None:
        kept = tuple(row for row in claim_findings._FINDINGS if row[0] is not finding)
        assert len(kept) == len(claim_findings._FINDINGS) - 1
        monkeypatch.setattr(claim_findings, "_FINDINGS", kept)

    return overlook


def _leaves_out(table: Any, event: str, refusal: Refusal) -> Break:
    """Take a guard out of a step of a table."""

    def leave_out(monkeypatch: pytest.MonkeyPatch) -> None:
        step = table.find(next(step.state for step in table.steps if step.event == event), event)
        kept = tuple(guard for guard in step.guards if guard.refusal is not refusal)
        assert len(kept) == len(step.guards) - 1
        monkeypatch.setitem(table._by_place, (step.state, event), replace(step, guards=kept))

    return leave_out


def _parameter(module: Any, name: str, value: int) -> Break:
    return lambda monkeypatch: monkeypatch.setattr(module, name, replace(getattr(module, name), value=value))


# Claims and certificates.

acknowledgements_prove_nothing = _returning(claim_findings, "has_proven_possession", False)
the_ledger_proves_nothing = _returning(CertificateEntry, "possessed_by", None)
possession_is_not_asked_for = _overlooks(Finding.NO_POSSESSION)
any_slip_will_do = _returning(examination, "_has_slip", True)
no_slip_will_do = _returning(examination, "_has_slip", False)
a_day_more_for_a_post_claim = _a_day_later(claim_findings, "post_claim_due_on")
a_day_more_to_correct = _a_day_later(claim_findings, "correction_due_on")
a_day_more_to_protest = _a_day_later(claim_findings, "protest_due_on")
a_day_more_than_four_years = _a_day_later(claim_findings, "certificate_valid_until")
blankets_may_be_long = _overlooks(Finding.BLANKET_TOO_LONG)
notices_are_overlooked = _overlooks(Finding.NOTICE_GIVEN)
successors_are_overlooked = _overlooks(Finding.CERTIFICATE_SUPERSEDED)
shipments_are_not_compared = _overlooks(Finding.SECOND_SHIPMENT)
agreements_last_for_ever = _overlooks(Finding.WRONG_REGIME)
no_series = _returning(Archive, "_is_series", False)
ports_are_not_compared = _returning(Archive, "_at_two_ports", False)
refusals_are_forgotten = _returning(Archive, "_was_refused", False)
invoices_are_not_opened = _returning(examination, "_billed_defects", [])
claims_after_importation_rest_on_knowledge_too = _returning(examination, "_needs_none", True)
a_day_more_to_answer_a_series = _parameter(claim_review, "SERIES_NOTICE_CALENDAR_DAYS", 31)
a_day_more_to_cure = _parameter(claim_review, "CURE_WORKING_DAYS", 6)
any_broker_may = _returning(claim, "acts_for", True)


def a_day_more_than_the_blanket(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cover imports of the day after the blanket."""
    monkeypatch.setattr(Blanket, "covers", lambda self, day: self.first <= day <= self.last + DAY)


def a_blanket_begins_with_the_signature(monkeypatch: pytest.MonkeyPatch) -> None:
    """Find fault with a first day before the signature, which is lawful."""
    row = (
        Finding.OUTSIDE_BLANKET,
        claim_findings._on_certificate(
            lambda _facts, form: form.blanket is not None and form.blanket.first < form.signed_on
        ),
    )
    monkeypatch.setattr(claim_findings, "_FINDINGS", (row, *claim_findings._FINDINGS))


def knowledge_is_never_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask every importer for a certificate."""
    strict = {name: replace(regime, knowledge_suffices=False) for name, regime in REGIMES.items()}
    monkeypatch.setattr(examination, "REGIMES", strict)
    monkeypatch.setattr(claim_findings, "_rests_on_knowledge", lambda _facts: False)


def each_claim_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hold no claim against another on the same invoice or shipment."""
    monkeypatch.setattr(EntryLines, "_earlier", lambda *_given: iter(()))


def the_article_is_not_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take goods of one tariff number for identical."""
    compare = examination._goods_defects

    def alike(*given: Any) -> list[Defect]:
        return [defect for defect in compare(*given) if defect is not Defect.NOT_IDENTICAL]

    monkeypatch.setattr(examination, "_goods_defects", alike)


def _signatures(code: Code) -> Break:
    """Take a signature that has one fault for a sound one."""

    def believe(monkeypatch: pytest.MonkeyPatch) -> None:
        check = Validation._check_signature

        def lax(self: Validation, signed: Any, member: Any) -> None:
            try:
                check(self, signed, member)
            except Refused as refused:
                if refused.code is not code:
                    raise

        monkeypatch.setattr(Validation, "_check_signature", lax)

    return believe


anyone_signs = _signatures(Code.BAD_SIGNATURE)
old_keys_sign_too = _signatures(Code.REVOKED_KEY)


# Verifications.

any_books_will_do = _returning(verifier, "supports", True)
no_pattern = _returning(verifier, "is_pattern", False)
importers_are_verified_everywhere = _returning(inquiry, "_verifies_importer", True)


async def _nothing(*_given: object) -> None:
    """Do nothing."""


def silence_is_never_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let Customs wait for ever."""
    monkeypatch.setattr(verifier.Verifier, "_after", _nothing)


def refused_visits_have_no_consequence(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let Customs give no notice of intent to whoever refuses a visit."""
    monkeypatch.setattr(verifier.Verifier, "_intend", _nothing)


# Carnets.

counterfoils_may_differ = _leaves_out(VOUCHER_TABLE, "carnet.present", Refusal.COUNTERFOIL)
unlisted_items_may_cross = _leaves_out(VOUCHER_TABLE, "carnet.present", Refusal.UNLISTED_ITEM)
marks_are_not_compared = _returning(carnetoffice, "swapped_items", ())
nothing_about_a_border_is_found = _returning(voucher_module, "endorsement_findings", ())
a_month_less_for_the_proof = _parameter(dates, "CARNET_PROOF_MONTHS", 4)
a_month_more_to_recover = _parameter(dates, "CARNET_RECOVERY_MONTHS", 4)
the_cap_is_higher = _returning(carnetassociation, "claim_cap", 10**9)


def validity_is_not_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let an association issue for as long as it likes."""
    _leaves_out(CARNET_TABLE, "carnet.issue", Refusal.VALIDITY)(monkeypatch)


def security_is_not_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let an association issue what is only applied for."""
    issue = CARNET_TABLE.find(CarnetStatus.SECURED, "carnet.issue")
    early = replace(issue, state=CarnetStatus.APPLIED)
    monkeypatch.setitem(CARNET_TABLE._by_place, (CarnetStatus.APPLIED, "carnet.issue"), early)


def vouchers_are_good_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a serial be presented again."""
    look_up, present = voucher_module._look_up, voucher_module.PresentVoucher.apply

    def apply(self: voucher_module.PresentVoucher, context: Any, state: Any) -> Any:
        asked = []

        def not_at_first(*given: Any) -> Any:
            asked.append(given)
            return None if len(asked) == 1 else look_up(*given)

        with pytest.MonkeyPatch.context() as within:
            within.setattr(voucher_module, "_look_up", not_at_first)
            return present(self, context, state)

    monkeypatch.setattr(voucher_module.PresentVoucher, "apply", apply)


def lost_carnets_live_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let goods be presented under a carnet that was replaced."""

    def living(*given: Any) -> CarnetRecord:
        record = booklet.find_carnet(*given)
        return replace(record, state=CarnetState.ACTIVE) if record.state is CarnetState.REPLACED else record

    monkeypatch.setattr(voucher_module, "find_carnet", living)


def the_final_date_is_late(monkeypatch: pytest.MonkeyPatch) -> None:
    """Find fault with goods that leave on the final date itself."""
    find = voucher_module.endorsement_findings

    def strict(case: voucher_module.VoucherCase) -> tuple[Finding, ...]:
        on_last = case.cited is not None and case.endorsed_on == case.cited.final_on
        return (*find(case), Finding.REEXPORT_LATE) if on_last else find(case)

    monkeypatch.setattr(voucher_module, "endorsement_findings", strict)


def an_import_is_closed_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let goods that came in together go out together or not at all."""
    step = VOUCHER_TABLE.find(VoucherState.NONE, "carnet.present")
    whole = Guard(
        "all that came in",
        Refusal.WRONG_IMPORT_VOUCHER,
        lambda case: case.cited is None or case.cited.inside == case.voucher.items,
    )
    broken = replace(step, guards=(*step.guards, whole))
    monkeypatch.setitem(VOUCHER_TABLE._by_place, (VoucherState.NONE, "carnet.present"), broken)


def destroyed_goods_are_still_abroad(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let settled goods stand in the way of the carnet's return."""

    def not_home(case: booklet.CarnetCase) -> bool:
        return not any(any(there.values()) for there in case.goods.settled.values())

    step = CARNET_TABLE.find(CarnetState.ACTIVE, "carnet.return")
    home = Guard("nothing settled", Refusal.GOODS_ABROAD, not_home)
    broken = replace(step, guards=(*step.guards, home))
    monkeypatch.setitem(CARNET_TABLE._by_place, (CarnetState.ACTIVE, "carnet.return"), broken)


def unknown_carnets_are_issued(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let an association begin a carnet that nobody has applied for."""
    find, carnet_of = booklet.find_carnet, CarnetRegister.carnet_of

    def find_or_invent(event: str, state: Any, carnet: bytes) -> CarnetRecord:
        if state.get(carnet_key(carnet)) is None:
            return CarnetRecord(CarnetState.SECURED, carnet, "rival-council", "rival-council", bytes(32))
        return find(event, state, carnet)

    def of_or_believed(register: CarnetRegister, body: Any) -> CarnetEntry:
        name = str(body["carnet"])
        if name not in register.carnets:
            state = CarnetState.SECURED
            entry = CarnetEntry(name, name, "rival-council", "rival-council", bytes(32), {}, state)
            register.carnets.put(name, entry)
            register.goods.put(name, GoodsRecord(listed={}, home={}, out={}, inside={}, settled={}))
        return carnet_of(register, body)

    monkeypatch.setattr(booklet, "find_carnet", find_or_invent)
    monkeypatch.setattr(CarnetRegister, "carnet_of", of_or_believed)


def objections_are_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let customs withdraw a claim that an association calls late, whatever the ledger says."""

    async def withdraw(customs: Any, claim: Any, _paper: object) -> None:
        await customs._move_claim(claim, CarnetReviewEvent.WITHDRAW)

    monkeypatch.setattr(CarnetClaimant, "_meet_objection", withdraw)


# Form 370.

any_captain_will_do = _returning(tuna_attachments, "captain_certifies", True)
any_observer_will_do = _returning(tuna_attachments, "observer_certifies", True)
any_trip_will_do = _returning(tunacheck, "is_about", True)
sets_are_not_looked_at = _returning(tunacheck, "any_set_in_etp", False)
no_flag_is_embargoed = _returning(tunacheck, "is_embargoed", False)
entered_weight_is_not_compared = _returning(release, "entered_defects", [])


def every_flag_is_embargoed_for_any_tuna(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let skipjack be refused with yellowfin."""
    monkeypatch.setattr(tunacheck, "is_embargoed", lambda trip, _species, flag, flags: flag in flags)


def asks_for_nothing(number: int) -> Break:
    """Return a break by which a rule for the status asks for no evidence."""

    def lax(monkeypatch: pytest.MonkeyPatch) -> None:
        rules = tuple(
            replace(rule, evidence=lambda _trip: ()) if rule.number == number else rule
            for rule in STATUS_RULES
        )
        assert rules != STATUS_RULES
        monkeypatch.setattr(dolphin, "STATUS_RULES", rules)

    return lax


def driftnets_are_other_gear(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the first rule for the status go."""
    monkeypatch.setattr(dolphin, "STATUS_RULES", STATUS_RULES[1:])


def vessels_of_the_limit_are_large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Count a carrying capacity of exactly the limit as over it."""
    limit = CARRYING_CAPACITY_SHORT_TONS
    monkeypatch.setattr(dolphin, "CARRYING_CAPACITY_SHORT_TONS", replace(limit, value=limit.value - 1))


def vessels_over_the_limit_are_small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Count a carrying capacity of a short ton over the limit as within it."""
    limit = CARRYING_CAPACITY_SHORT_TONS
    monkeypatch.setattr(dolphin, "CARRYING_CAPACITY_SHORT_TONS", replace(limit, value=limit.value + 1))


def noaa_overlooks(defect: FormDefect) -> Break:
    """Return a break by which NOAA does not see a defect of a row or of a weight."""

    def overlook(monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("_row_defects", "weight_defects"):
            monkeypatch.setattr(tunacheck, name, without(getattr(tunacheck, name)))

    def without(find: Callable[..., list[FormDefect]]) -> Callable[..., list[FormDefect]]:
        return lambda *given: [found for found in find(*given) if found is not defect]

    return overlook


def the_filing_overlooks(finding: Finding) -> Break:
    """Return a break by which a form is filed without a finding."""

    def overlook(monkeypatch: pytest.MonkeyPatch) -> None:
        find = form_module.FileForm._findings
        monkeypatch.setattr(
            form_module.FileForm,
            "_findings",
            lambda *given: tuple(found for found in find(*given) if found is not finding),
        )

    return overlook
