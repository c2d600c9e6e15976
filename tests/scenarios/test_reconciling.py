"""What is on paper held against receipts: missing, twice, mistyped, late on the ledger and in time on paper."""

import datetime
import random
from dataclasses import replace

import pytest

from ledger.contracts import LegalCalendar
from scenarios.agents.client import Receipt
from scenarios.agents.paperbook import PaperAct, Paperbook
from scenarios.agents.reconciling import reconcile
from scenarios.model.tradefaults import FallbackParams

DAY_MS = 86_400_000
LEGAL = LegalCalendar(((0, 0),), [])
MONDAY = datetime.date(2018, 9, 17)
ROOT = bytes(range(32))
CLAIM = {"entry": "E-1", "certificate": bytes(16), "entry_on": "2018-09-07", "import_on": "2018-09-06"}
HELD = {"certificate": bytes(16)}


def ms(day):
    return (day - datetime.date(1970, 1, 1)).days * DAY_MS


def book_of(**params):
    plan = FallbackParams.model_validate(
        {"entry_minutes": 30, "twice_percent": 0, "mistyped_percent": 0, **params}
    )
    return Paperbook(1, plan, random.Random("slips"), lambda: None, 1)


def written(book, act, body, day, documents=()):
    slip = book.write("file-claim", ms(day))
    slip.acts.append(PaperAct(act, body, documents, id="aa"))
    slip.is_finished = True
    return slip


def receipt(index, act, body, day, findings=(), code="VALID", rule=None, documents=()):
    told = {name: value.hex() if isinstance(value, bytes) else value for name, value in body.items()}
    return Receipt(
        index, index, 0, bytes([index]), code, rule, findings, ms(day), act, "importer", told, documents
    )  # fmt: skip


def days(count):
    return MONDAY + datetime.timedelta(days=count)


def test_an_act_without_a_receipt_is_missing_and_one_with_two_was_entered_twice():
    book = book_of()
    written(book, "claim.file", CLAIM, MONDAY)
    written(book, "document.anchor", {"class": "commercial"}, MONDAY, (ROOT,))
    twice = [
        receipt(1, "document.anchor", {"class": "commercial"}, days(5), documents=(ROOT,)),
        receipt(2, "document.anchor", {"class": "commercial"}, days(5), documents=(bytes(32),)),
        receipt(3, "document.anchor", {"class": "commercial"}, days(6), (), "RULE_VIOLATED", "x", (ROOT,)),
    ]
    found = reconcile(book, twice, LEGAL)
    assert [(act.entries, act.valid) for act in found.acts] == [(0, 0), (2, 1)]
    assert (found.missing, found.doubled) == (1, 1), "another document of the same kind is another act"


@pytest.mark.parametrize(("on_paper", "in_time"), [(days(4), ("SUMMARY_LATE",)), (days(5), ())])
def test_what_is_late_on_the_ledger_was_in_time_on_paper_up_to_the_last_day(on_paper, in_time):
    """Entered on 7 September, due ten working days later, on the 21st (19 CFR 142.12(b))."""
    book = book_of()
    written(book, "claim.file", CLAIM, on_paper)
    (act,) = reconcile(book, [receipt(1, "claim.file", CLAIM, days(8), ("SUMMARY_LATE",))], LEGAL).acts
    assert act.late == ("SUMMARY_LATE",)
    assert act.in_time == in_time
    assert act.written_ms < act.on_ledger_ms


def test_what_an_act_does_not_say_its_last_day_of_is_unknown():
    book = book_of()
    written(book, "claim.protest", {"entry": "E-1"}, MONDAY)
    late = receipt(1, "claim.protest", {"entry": "E-1"}, days(8), ("PROTEST_LATE",))
    (act,) = reconcile(book, [late], LEGAL).acts
    assert (act.late, act.in_time, act.unknown) == (("PROTEST_LATE",), (), ("PROTEST_LATE",))
    rule = "verification.respond/too-late"
    (act,) = reconcile(book, [replace(late, findings=(), code="RULE_VIOLATED", rule=rule)], LEGAL).acts
    assert (act.late, act.unknown, act.valid) == ((rule,), (rule,), 0)


def test_a_claim_that_overtook_the_slip_rests_on_possession_on_paper():
    book = book_of()
    written(book, "holding.acknowledge", HELD, days(1))
    claimed = receipt(1, "claim.file", CLAIM, days(7), ("NO_POSSESSION",))
    held = receipt(2, "holding.acknowledge", HELD, days(8))
    (act,) = reconcile(book, [claimed, held], LEGAL).acts
    assert act.in_time == ("NO_POSSESSION",)
    other = replace(claimed, body={**claimed.body, "certificate": "ff" * 16})
    assert reconcile(book, [other, held], LEGAL).late == 0


def test_a_claim_that_was_on_paper_before_the_acknowledgement_had_no_possession_there_either():
    book = book_of()
    written(book, "claim.file", CLAIM, MONDAY)
    written(book, "holding.acknowledge", HELD, days(1))
    claimed = receipt(1, "claim.file", CLAIM, days(7), ("NO_POSSESSION",))
    found = reconcile(book, [claimed, receipt(2, "holding.acknowledge", HELD, days(8))], LEGAL)
    assert found.in_time == 0


def test_a_form_that_was_mistyped_does_not_match_and_only_its_fields_are_named():
    book = book_of(mistyped_percent=100)
    entered = book.enter_form("entry-line", "claim e1", {"quantity": 5, "unit": "kg", "entry": "E-1"})
    assert entered == {"quantity": 50, "entry": "E-1"}
    (mismatch,) = reconcile(book, [], LEGAL).mismatches
    assert mismatch.fields == ("entry-line/quantity", "entry-line/unit")
    assert "5" not in repr(book.forms[0])
    sound = book_of()
    assert sound.enter_form("entry-line", "claim e1", {"quantity": 5}) == {"quantity": 5}
    assert reconcile(sound, [], LEGAL).mismatches == ()


def test_slips_are_entered_one_after_another_once_the_window_has_ended():
    book = book_of(entry_minutes=90)
    slips = [book.write("file-claim", ms(MONDAY)) for _ in range(3)]
    with pytest.raises(ValueError, match="slip 1 is not due: the window lasts"):
        book.due_ms(slips[0])
    book.closed_ms = ms(days(7))
    assert [book.due_ms(slip) - book.closed_ms for slip in slips] == [90 * 60_000, 180 * 60_000, 270 * 60_000]
    assert [slip.number for slip in slips] == [1, 2, 3]
    assert not book.is_entered
    for slip in slips:
        slip.is_finished = True
    assert book.is_entered
    book.doubling = 1
    assert not book.is_entered


def test_how_often_slips_are_entered_twice_is_drawn():
    half = book_of(twice_percent=50)
    slips = [half.write("file-claim", ms(MONDAY)) for _ in range(40)]
    assert 10 < sum(slip.is_doubled for slip in slips) < 30
    assert not any(book_of().write("file-claim", 0).is_doubled for _ in range(20))
