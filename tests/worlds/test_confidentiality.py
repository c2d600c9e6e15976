"""Nothing private leaves wallets and envelopes; and if it does, the search finds it."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ledger.encoding import Value
from scenarios.agents import wallet as wallet_module
from scenarios.agents.certifier import Certifier
from scenarios.model.catalog import load_scenario
from scenarios.model.documents import form_values
from scenarios.privacy.canaries import canaries, public_words
from scenarios.privacy.leaks import CANARY_CHARACTERS_MIN
from scenarios.running.options import RunResult
from scenarios.trial.trial import Trial
from scenarios.worlds.virtual import SimulatedWorld

RunVirtual = Callable[..., RunResult]

pytestmark = pytest.mark.slow

PRODUCER = "Conservas Punta Mita del Pacífico, S. de R.L."
"""The producer: Customs may know it, the importer may not, the ledger never."""
SALT_BYTES = 16
FREE_TEXTS = (
    "exporter_name", "exporter_address", "exporter_email", "exporter_tax_id", "producer_name", "producer_address",
    "producer_email", "producer_tax_id", "importer_name", "importer_address", "importer_email", "importer_tax_id",
    "signer_name", "signer_title", "company", "phone", "email", "description",
)  # fmt: skip
"""The fields of Form 434 that take free text."""


def leaks(result: RunResult) -> list[str]:
    return [text for text in result.judgment.violations if text.startswith("confidentiality: ")]


def private_texts(value: object, name: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from private_texts(item, str(key))
    elif isinstance(value, list):
        for item in value:
            yield from private_texts(item, name)
    elif isinstance(value, str):
        yield name, value


def test_private_free_texts_of_the_file_are_long_and_each_stands_once() -> None:
    scenario = load_scenario("nafta-certificate")
    public = public_words(scenario)
    free = FREE_TEXTS
    texts = [pair for pair in private_texts(form_values(scenario.documents["c1"])) if pair[0] in free]
    assert {name for name, _ in texts} == set(free)
    for claim in scenario.claims.values():
        texts += [("description", claim.goods.description), ("invoice", claim.goods.invoice)]
    texts += [("question", step.question) for step in scenario.steps if step.do == "request-information"]
    for name, text in texts:
        assert len(text) >= CANARY_CHARACTERS_MIN, name
        assert text not in public, name
    secret = [text for _, text in texts]
    assert len(secret) == len(set(secret)) >= 23


def test_every_disclosure_has_a_salt_of_its_own(fair_run: RunResult) -> None:
    salts = [
        secret.value.reveal()
        for secret in fair_run.trial.outcome.witness.secrets()
        if secret.where.startswith("salt of ") or "'s salt of " in secret.where
    ]
    assert len(salts) > 100
    assert {len(salt) for salt in salts} == {SALT_BYTES}
    assert len(set(salts)) == len(salts)


def test_no_canary_is_on_any_disk_or_in_public(fair_run: RunResult) -> None:
    """The plainest search there is, beside the one that the check makes."""
    assert not leaks(fair_run)
    searched = list(canaries(fair_run.trial.outcome.witness, public_words(fair_run.trial.scenario)))
    assert len(searched) > 150
    places = [*fair_run.folder.path.glob("nodes/*/*"), *fair_run.folder.path.glob("*/events.ndjson")]
    assert {path.name for path in places} >= {"node.db", "watermark", "events.ndjson"}
    for path in places:
        data = path.read_bytes()
        for canary in searched:
            for form in (canary.value, canary.value.hex().encode(), base64.b64encode(canary.value)):
                assert form not in data, f"{canary.where} stands in {path.name}"


def test_a_private_value_in_a_public_body_is_found(
    run_virtual_scenario: RunVirtual, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = Certifier._anchor

    def leaking(agent: Certifier, *arguments: object) -> dict[str, Value]:
        return {**honest(agent, *arguments), "blanket": None, "shipment": PRODUCER}  # type: ignore[arg-type]

    monkeypatch.setattr(Certifier, "_anchor", leaking)
    found = leaks(run_virtual_scenario("nafta-certificate"))
    assert any("producer_name stands in a " in text and "frame from" in text for text in found)
    assert any("producer_name stands in the public events" in text for text in found)
    for organization in ("cbp", "importer", "exporter", "chamber", "noaa"):
        on_disk = [text for text in found if f" of {organization}'s node" in text and "in node.db" in text]
        assert any("producer_name" in text for text in on_disk)


def test_an_envelope_that_is_not_sealed_is_found(
    run_virtual_scenario: RunVirtual, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wallet_module, "seal", lambda envelope, _recipient, _random: envelope)
    found = leaks(run_virtual_scenario("nafta-certificate"))
    assert any("stands in a ENVELOPE frame from exporter to importer" in text for text in found)
    assert any(".exporter_email stands in" in text and "(raw)" in text for text in found)
    assert any("salt of " in text and "importer's node" in text for text in found)


@pytest.mark.parametrize(
    ("form", "disguise"),
    [
        ("raw", str),
        ("hex", lambda text: text.encode().hex()),
        ("base64", lambda text: base64.b64encode(b"x" + text.encode()).decode()),
        ("JSON", json.dumps),
    ],
)
def test_a_record_a_metric_and_a_log_that_tell_too_much_are_found(
    form: str, disguise, run_virtual_scenario: RunVirtual, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def talkative(trial: Trial) -> None:
        world = trial.world
        assert isinstance(world, SimulatedWorld)
        sink = world.sink

        def tell(event: str, fields) -> None:
            sink(event, {**fields, "note": disguise(PRODUCER)} if event == "node.stopped" else fields)

        world.sink = tell
        (folder,) = (tmp_path / "runs" / "nafta-certificate").iterdir()
        log = folder / "network" / "cbp" / "node.log"
        log.parent.mkdir(parents=True)
        log.write_text(disguise(PRODUCER))

    async def telling_metrics(_trial: Trial, _organization: str, _agent: object) -> str:
        return f'seatrial_gauge{{producer="{disguise(PRODUCER)}"}} 1'

    monkeypatch.setattr(Trial, "_metrics", telling_metrics)
    found = leaks(run_virtual_scenario("nafta-certificate", "1", talkative))
    for place in ("the nodes' own records", "the metrics of noaa's node", "the log of cbp's node"):
        assert any(f"producer_name stands in {place} ({form})" in text for text in found), place
    assert all(PRODUCER not in text for text in found), "a report of a leak is no second leak"
