"""An act is told where the ledger has it, and nothing waits for long."""

from __future__ import annotations

from p2p.observer import RecordField
from scenarios.record.eventbook import Event
from scenarios.telling.order import NEWS_MS, WAIT_MS, LedgerOrder


def event(name: str, calendar_ms: int = 0, *, public: bool = True, **fields: RecordField) -> Event:
    return Event(0, calendar_ms, 0, name, fields, public=public)


def receipt(creator: str, calendar_ms: int = 0, code: str = "VALID", **fields: RecordField) -> Event:
    return event("receipt", calendar_ms, creator=creator, code=code, **fields)


def told(*events: Event) -> list[str]:
    """Return the names of what is told of these, `receipt` where a receipt stands alone."""
    order = LedgerOrder()
    ready = [item for one in events for item in order.take(one)]
    return [item.event.name if item.event else "receipt" for item in ready]


ISSUED = event("certificate.issued", organization="exporter", certificate="c1")
ANCHORED = receipt("exporter", certificate="c1")
LOST = event("fault.began", public=False, kind="power_loss")
OVER = event("fault.ended", public=False, kind="power_loss")


def test_what_followed_from_an_act_is_told_after_it() -> None:
    assert told(ANCHORED, LOST, OVER) == []
    assert told(ANCHORED, LOST, OVER, ISSUED) == ["certificate.issued", "fault.began", "fault.ended"]


def test_an_act_before_its_receipt_is_told_with_it() -> None:
    order = LedgerOrder()
    assert order.take(ISSUED) == []
    (item,) = order.take(ANCHORED)
    assert (item.event, item.receipt) == (ISSUED, ANCHORED)


def test_an_act_is_of_the_same_organization_and_about_the_same_thing() -> None:
    other = event("certificate.issued", organization="exporter", certificate="c2")
    another = event("certificate.issued", organization="chamber", certificate="c1")
    assert told(ANCHORED, other, another) == []
    assert told(ANCHORED, other, another, ISSUED)[0] == "certificate.issued"


def test_nothing_waits_beyond_its_time_or_the_phase() -> None:
    late = event("fault.ended", WAIT_MS, public=False, kind="power_loss")
    assert told(ANCHORED, LOST, late) == ["receipt", "fault.began", "fault.ended"]
    assert told(ANCHORED, LOST, event("phase", public=False)) == ["receipt", "fault.began", "phase"]
    alone = event("claim.filed", organization="importer", claim="e1")
    assert told(alone, event("fault.began", NEWS_MS, public=False)) == ["claim.filed", "fault.began"]


def test_a_receipt_that_is_not_valid_waits_for_nobody() -> None:
    assert told(receipt("exporter", code="RULE_VIOLATED", certificate="c1")) == ["receipt"]


def test_news_of_an_act_come_after_it() -> None:
    news = event("request.received", public=False, organization="importer", claim="e1")
    opened = event("claim.opened", organization="cbp", claim="e1")
    end = event("phase", NEWS_MS, public=False)
    assert told(news, receipt("cbp", claim="e1"), opened, end) == [
        "claim.opened",
        "request.received",
        "phase",
    ]
