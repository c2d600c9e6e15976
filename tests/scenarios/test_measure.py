"""Figures out of events."""

from __future__ import annotations

from p2p.observer import RecordField
from scenarios.judging.measure import Measurement, receipts_of, traffic
from scenarios.record.eventbook import Event

NS_PER_MS = 1_000_000
NODES = ["a", "b", "c", "d", "e"]


class Clock:
    """Tells events at moments of protocol time."""

    def __init__(self) -> None:
        self.measurement = Measurement(NODES)

    def at(self, ms: int, name: str, **fields: RecordField) -> None:
        self.measurement(Event(0, 0, ms * NS_PER_MS, name, fields, public=False))

    def journey(self, transaction: str, height: int, start_ms: int, certified_ms: list[int]) -> None:
        self.at(start_ms, "transaction.submitted", id=transaction)
        self.at(start_ms + 1, "transaction.accepted", id=transaction)
        self.at(start_ms + 5, "block.executed", height=height, receipts=[f"{transaction}:VALID::"])
        for node, ms in zip(NODES, certified_ms, strict=False):
            self.at(ms, "block.certified", node=node, height=height)


def test_latency_is_from_submission_to_certified_at_a_share_of_all_nodes() -> None:
    clock = Clock()
    clock.journey("one", 1, 100, [110, 120, 130, 140, 150])
    measurement = clock.measurement
    assert [measurement.latencies_ms(share) for share in (50, 90, 100)] == [[30.0], [50.0], [50.0]]
    assert measurement.figures()["certified_50_median_ms"] == 30.0


def test_what_did_not_get_there_is_counted_and_not_timed() -> None:
    clock = Clock()
    clock.journey("one", 1, 0, [10, 20, 30])
    figures = clock.measurement.figures()
    assert figures["transactions_unfinished"] == 1
    assert (figures["certified_50_count"], figures["certified_100_count"]) == (1, 0)
    assert "certified_100_max_ms" not in figures


def test_a_certificate_covers_all_lower_heights() -> None:
    clock = Clock()
    clock.journey("one", 1, 0, [])
    clock.journey("two", 2, 0, [10, 10, 10, 10, 10])
    assert clock.measurement.latencies_ms(100) == [10.0, 10.0]


def test_only_valid_transactions_count_as_valid_and_codes_are_counted_once_per_height() -> None:
    clock = Clock()
    for transaction in ("one", "two"):
        clock.at(0, "transaction.submitted", id=transaction)
    for _ in NODES:
        clock.at(5, "block.executed", height=1, receipts=["one:VALID::", "two:RULE_VIOLATED:WINDOW:"])
    figures = clock.measurement.figures()
    assert figures["transactions_submitted"] == 2
    assert figures["transactions_valid"] == 1
    assert (figures["code_VALID"], figures["code_RULE_VIOLATED"], figures["blocks"]) == (1, 1, 1)


def test_elections_and_terms() -> None:
    clock = Clock()
    clock.at(1, "raft.role", role="candidate", term=3)
    clock.at(2, "raft.role", role="leader", term=3)
    clock.at(3, "raft.role", role="follower", term=4)
    figures = clock.measurement.figures()
    assert (figures["elections_won"], figures["term_max"]) == (1, 4)


def test_p95_is_the_nearest_rank() -> None:
    clock = Clock()
    for number in range(20):
        clock.journey(str(number), number + 1, 0, [number + 1] * 5)
    figures = clock.measurement.figures()
    assert (figures["certified_100_p95_ms"], figures["certified_100_max_ms"]) == (19.0, 20.0)


def test_receipts_read_back_from_a_record() -> None:
    fields: dict[str, RecordField] = {
        "receipts": ["aa:VALID::", "bb:RULE_VIOLATED:WINDOW:", "cc:VALID::ONE,TWO"]
    }
    found = receipts_of(Event(0, 0, 0, "block.executed", fields, public=False))
    assert [(r.id, r.code, r.rule, r.findings) for r in found] == [
        ("aa", "VALID", "", ()),
        ("bb", "RULE_VIOLATED", "WINDOW", ()),
        ("cc", "VALID", "", ("ONE", "TWO")),
    ]


def test_traffic_is_summed_and_by_kind() -> None:
    figures = traffic({"RAFT": 3, "HAVE": 1}, {"RAFT": 60, "HAVE": 5})
    assert (figures["messages"], figures["bytes"]) == (4, 65)
    assert (figures["messages_raft"], figures["bytes_have"]) == (3, 5)
