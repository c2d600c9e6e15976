"""A private value tries to get out: by every frame, record, log, metric, error and file that this program writes."""

from __future__ import annotations

import io
import json
import logging
import pickle
import traceback
from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from random import Random

import pytest
import rfc8785
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

from ledger.block import build_block
from ledger.documents import Private, commit_fields, envelope, read_envelope
from ledger.encoding import encode
from ledger.envelopes import open_envelope, seal
from ledger.errors import EnvelopeError
from ledger.forms import FORMS
from ledger.keys import BoxKey, SigningKey, seed_for
from ledger.transaction import Transaction, sign_transaction
from p2p.answers import ApiError, answer, failure
from p2p.framecodec import encode_frame
from p2p.frames import Frame, kind_of
from scenarios.agents.papers import Paper, PaperError
from scenarios.record.eventbook import EventBook
from scenarios.record.runfolder import RunFolder
from tests.p2p.test_frames import SAMPLES

PRODUCER = "Conservas Punta Mita del Pacífico"
DECOMPOSED = "Conservas Punta Mita del Paci\u0301fico"
PRIVATE = Private(PRODUCER)
KEY = SigningKey.from_seed(seed_for("t", "node"))
BOX = BoxKey.from_seed(seed_for("t", "box"))


def told(error: BaseException) -> str:
    """All that anybody is shown of an error: its text, its causes, and the variables on its way."""
    shown = traceback.TracebackException.from_exception(error, capture_locals=False)
    return "".join(shown.format()) + repr(error) + str(error)


def refused(way: Callable[[], object]) -> str:
    """Return what a way out says when it refuses."""
    with pytest.raises(Exception) as caught:  # noqa: PT011 - whichever; what counts is that nothing came out
        way()
    return told(caught.value)


# Frames.


def stuffed(frame: Frame) -> list[Frame]:
    """Return a frame once per field, with the private value in the field's place or in its list."""
    made = []
    for field in fields(frame):
        value = getattr(frame, field.name)
        made.append(replace(frame, **{field.name: PRIVATE}))
        if isinstance(value, list) and value:
            made.append(replace(frame, **{field.name: [PRIVATE, *value[1:]]}))
    return made


@pytest.mark.parametrize("frame", SAMPLES, ids=lambda frame: kind_of(frame).name)
def test_no_frame_takes_it(frame: Frame) -> None:
    assert is_dataclass(frame)
    for changed in stuffed(frame):
        assert PRODUCER not in refused(lambda changed=changed: encode_frame(changed))


# What is signed, stored, or answered.


def transaction() -> Transaction:
    return Transaction(
        version=1,
        network="t-0000000000000000",
        type="claim.file",
        creator="acme",
        nonce=(1, 1),
        valid_until_ms=1,
        documents=(),
        approvals=(),
        body={"spi": PRIVATE},  # type: ignore[dict-item]
    )


WAYS: dict[str, Callable[[], object]] = {
    "canonical encoding": lambda: encode({"a": [PRIVATE]}),
    "a transaction": lambda: sign_transaction(transaction(), KEY),
    "a block": lambda: build_block(
        network="t", height=1, term=1, previous=bytes(32), time_ms=0, transactions=(PRIVATE,),  # type: ignore[arg-type]
        proposer="acme", key=KEY,
    ),
    "a credential": lambda: rfc8785.dumps({"a": PRIVATE}),  # type: ignore[dict-item]
    "an answer of a node": lambda: answer({"a": PRIVATE}),  # type: ignore[dict-item]
    "JSON": lambda: json.dumps({"a": PRIVATE}),
    "a pickle": lambda: pickle.dumps(PRIVATE),
    "bytes": lambda: bytes(PRIVATE),  # type: ignore[call-overload]
    "a join": lambda: ", ".join([PRIVATE]),  # type: ignore[list-item]
    "a sum": lambda: "of " + PRIVATE,  # type: ignore[operator]
}  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
def test_nothing_that_makes_bytes_takes_it(way: str) -> None:
    assert PRODUCER not in refused(WAYS[way])


def test_no_record_of_a_run_takes_it(tmp_path: Path) -> None:
    book = EventBook(now_ms=lambda: 0, now_ns=lambda: 0)
    for public in (True, False):
        event = book.add("claim.filed", {"importer": PRIVATE}, public=public)  # type: ignore[dict-item]
        assert PRODUCER not in refused(event.line)
    folder = RunFolder(tmp_path)
    assert PRODUCER not in refused(lambda: folder.write_json("metrics.json", {"a": PRIVATE}))  # type: ignore[dict-item]
    assert not any(PRODUCER.encode() in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())


# Logs, metrics, errors.


def test_a_log_shows_that_there_is_one_and_no_more() -> None:
    stream = io.StringIO()
    logger, handler = logging.Logger("t"), logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter("%(message)s %(extra)s"))
    logger.addHandler(handler)
    extra = {"extra": PRIVATE}
    logger.warning("%s", PRIVATE, extra=extra)
    logger.warning("%r %10s", PRIVATE, PRIVATE, extra=extra)
    logger.warning(f"{PRIVATE} {PRIVATE!r} {PRIVATE!s:>50}", extra=extra)
    try:
        raise ValueError(PRIVATE)
    except ValueError:
        logger.exception("failed", extra=extra)
    assert "Private(...)" in stream.getvalue()
    assert PRODUCER not in stream.getvalue()


def test_a_metric_takes_it_neither_as_value_nor_as_label() -> None:
    def exposed(family: object) -> bytes:
        class Collector:
            def collect(self) -> list[object]:
                return [family]

        registry = CollectorRegistry(auto_describe=False)
        registry.register(Collector())  # type: ignore[arg-type]
        return bytes(generate_latest(registry))

    assert PRODUCER not in refused(lambda: exposed(GaugeMetricFamily("t", "t", value=PRIVATE)))  # type: ignore[arg-type]
    counter = CounterMetricFamily("t", "t", labels=["who"])

    def labelled() -> bytes:
        counter.add_metric([PRIVATE], 1)  # type: ignore[list-item]
        return exposed(counter)

    assert PRODUCER not in refused(labelled)


def test_no_error_and_no_answer_about_one_shows_it() -> None:
    request = type("Request", (), {"path": "/v1/documents", "method": "POST"})()
    for error in (
        ValueError(PRIVATE),
        KeyError(PRIVATE),
        ApiError(400, "BAD", f"bad {PRIVATE}", f"{PRIVATE}"),
    ):
        assert PRODUCER not in told(error)
        body = failure(request, error).body
        assert isinstance(body, bytes)
        assert PRODUCER not in body.decode()
    shown = traceback.TracebackException(ValueError, ValueError(PRIVATE), None, capture_locals=True)
    assert PRODUCER not in "".join(shown.format())


# Documents: where values are made private, and come out.


@pytest.mark.parametrize(
    "value", [DECOMPOSED, PRODUCER + "\ud800", {PRODUCER: 1.5}, [PRODUCER, 2**70], {3: PRODUCER}]
)
def test_a_field_that_cannot_be_committed_to_is_named_and_not_quoted(value: object) -> None:
    with pytest.raises(EnvelopeError, match="field 'producer_name'") as refusal:
        commit_fields({"producer_name": value}, Random(1))  # type: ignore[dict-item]
    assert "Punta Mita" not in told(refusal.value)


def test_an_envelope_that_is_not_canonical_is_refused_and_not_quoted() -> None:
    document = commit_fields({"producer_name": PRODUCER}, Random(1))
    sound = envelope(document, ["producer_name"])
    assert read_envelope(sound).fields["producer_name"].reveal() == PRODUCER
    composed, decomposed = "í".encode(), "i\u0301".encode()
    at = sound.index(PRODUCER.encode()) - 1
    length = len(PRODUCER.encode())
    head = sound[: at - 1] if sound[at - 1] == 0xD9 else sound[:at]
    spoilt = head + bytes([0xD9, length + 1]) + PRODUCER.encode().replace(composed, decomposed)
    spoilt += sound[at + 1 + length :]
    for read in (
        lambda: read_envelope(spoilt),
        lambda: open_envelope(seal(spoilt, BOX.public, Random(2)), BOX),
    ):
        with pytest.raises(EnvelopeError, match="complain with UNREADABLE") as refusal:
            read()
        assert "Punta Mita" not in told(refusal.value)


def test_a_paper_s_faults_name_fields_and_show_no_value() -> None:
    paper = Paper("INVOICE", bytes(32), {"number": PRIVATE, "quantity": PRIVATE, "issued_on": PRIVATE})
    for read in (paper.raw, paper.integer, paper.date):
        for name in ("number", "missing"):
            with pytest.raises(PaperError, match=name) as refusal:
                read(name)
            assert PRODUCER not in told(refusal.value)
    assert PRODUCER not in repr(paper)


def test_text_that_no_document_could_hold_is_a_fault_of_the_form_for_its_author() -> None:
    (name,) = (rule for rule in FORMS["NAFTA-434"].fields if rule.name == "producer_name")
    assert name.check(PRODUCER) is None
    assert "NFC" in str(name.check(DECOMPOSED))
