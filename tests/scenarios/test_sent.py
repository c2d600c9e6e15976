"""What an application has posted of late: the last of it, without what was purged, for one addressee or for all."""

from __future__ import annotations

from scenarios.agents.sent import Sent


def posted(sent: Sent, to: str | None = None) -> list[tuple[bytes, str, bytes]]:
    return list(sent.envelopes(to))


def test_what_was_posted_comes_back_in_order_for_one_addressee_or_for_all() -> None:
    sent = Sent()
    envelopes = [(b"1", "cbp", b"a"), (b"1", "noaa", b"b"), (b"2", "cbp", b"c")]
    for envelope in envelopes:
        sent.note(*envelope)
    assert posted(sent) == envelopes
    assert posted(sent, "cbp") == [envelopes[0], envelopes[2]]
    assert posted(sent, "chamber") == []


def test_only_the_last_are_kept() -> None:
    sent = Sent(kept_max=100)
    for number in range(250):
        sent.note(bytes([number]), "cbp", b"envelope %d" % number)
    assert len(sent) == 100
    assert [envelope for _, _, envelope in posted(sent)] == [b"envelope %d" % n for n in range(150, 250)]


def test_a_purged_document_s_envelopes_are_not_kept() -> None:
    sent = Sent()
    for root, to in ((b"1", "cbp"), (b"2", "cbp"), (b"1", "noaa")):
        sent.note(root, to, root + to.encode())
    sent.forget(b"1")
    assert posted(sent) == [(b"2", "cbp", b"2cbp")]
    sent.note(b"3", "cbp", b"3cbp")
    assert [root for root, _, _ in posted(sent)] == [b"2", b"3"]


def test_what_is_let_go_of_while_somebody_goes_through_it_is_passed_over() -> None:
    sent = Sent(kept_max=3)
    for root in (b"1", b"2", b"3"):
        sent.note(root, "cbp", root)
    going = sent.envelopes("cbp")
    assert next(going) == (b"1", "cbp", b"1")
    sent.forget(b"3")
    sent.note(b"4", "noaa", b"4")
    sent.note(b"5", "noaa", b"5")  # the first has to go
    sent.note(b"6", "noaa", b"6")  # and the second
    assert list(going) == []
    assert posted(sent) == [(b"4", "noaa", b"4"), (b"5", "noaa", b"5"), (b"6", "noaa", b"6")]
