"""Nobody can read more of a run's documents than it may: each way to break that is seen, and named."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable

import pytest

from ledger.documents import DocumentPlain, OpenedEnvelope, envelope
from ledger.encoding import Value
from ledger.envelopes import SignedEnvelope
from p2p.answers import ApiError
from p2p.api import Api
from scenarios.agents import wallet as wallet_module
from scenarios.agents.certifier import Certifier
from scenarios.agents.client import NodeClient, PauseHook
from scenarios.agents.keybook import Keybook
from scenarios.privacy.told import tell_privacy
from scenarios.running.options import RunResult
from scenarios.trial.trial import Trial

RunVirtual = Callable[..., RunResult]

pytestmark = pytest.mark.slow

PRODUCER = "Conservas Punta Mita del Pacífico, S. de R.L."


def leaks(result: RunResult) -> list[str]:
    return [text for text in result.judgment.violations if text.startswith("confidentiality: ")]


def test_in_fair_weather_every_field_is_read_by_whom_it_is_meant_for_and_nobody_else(
    fair_run: RunResult,
) -> None:
    assert leaks(fair_run) == []
    readings = fair_run.readings
    fields = sum(len(c.document.names) for c in fair_run.trial.outcome.witness.documents.values())
    assert readings.pairs == readings.as_entitled == 5 * fields > 500
    assert fair_run.metrics["check_confidentiality_exercised"] == readings.pairs
    accounts = readings.accounts
    assert accounts["chamber"].could == accounts["noaa"].could == accounts["noaa"].may == 0
    for organization in ("exporter", "importer", "cbp"):
        account = accounts[organization]
        assert account.could == account.may > 0
        assert account.undelivered == account.purged == 0
    (form,) = (
        c.document for c in fair_run.trial.outcome.witness.documents.values() if c.issuer == "exporter"
    )
    assert accounts["exporter"].may == len(form.names)


def test_the_folder_tells_who_could_read_what_and_what_outsiders_can_tell(fair_run: RunResult) -> None:
    told = fair_run.folder.read_json("verdict.json")["privacy"]
    assert isinstance(told, dict)
    assert told["pairs"] == told["as_entitled"] == fair_run.readings.pairs
    assert told["organizations"]["noaa"] == {
        "documents": 0,
        "may": 0,
        "could": 0,
        "undelivered": 0,
        "purged": 0,
    }
    inferred = fair_run.folder.read_json("metrics.json")["privacy"]
    assert isinstance(inferred, dict)
    assert (inferred["pairs_recall"], inferred["pairs_precision"]) == (1.0, 1.0)
    assert (inferred["shipments"], inferred["shipments_per_month_error"]) == (3, 0.0)
    assert (inferred["inquiries"], inferred["inquiries_attributed"]) == (1, 1.0)
    for name in ("hts", "quantity", "value_usd"):
        assert inferred[f"{name}_guessed"] == inferred[f"{name}_guessed_blind"], "public facts add nothing"
    lines = list(tell_privacy(fair_run.folder))
    assert max(map(len, lines)) <= 80


def test_an_envelope_sealed_to_a_wrong_key_is_found_wherever_it_lies(
    run_virtual_scenario: RunVirtual, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = Keybook.box_key
    monkeypatch.setattr(
        Keybook, "box_key", lambda book, to: honest(book, "chamber" if to == "importer" else to)
    )
    found = leaks(run_virtual_scenario("nafta-certificate"))
    assert any(
        "chamber has the key to exporter's document " in text
        and "signer_name, which it may not: in " in text
        and "ENVELOPE frame from exporter to importer" in text
        for text in found
    )
    assert all(PRODUCER not in text for text in found)


def test_a_field_beyond_the_list_of_an_addressee_is_found(
    run_virtual_scenario: RunVirtual, monkeypatch: pytest.MonkeyPatch
) -> None:
    def generous(
        document: DocumentPlain | OpenedEnvelope, _names: Iterable[str], vouched: bytes | None = None
    ) -> bytes:
        return envelope(document, [disclosure.name for disclosure in document.disclosures], vouched)

    monkeypatch.setattr(wallet_module, "envelope", generous)
    result = run_virtual_scenario("nafta-certificate")
    found = leaks(result)
    assert found
    assert all("importer could read exporter's document " in text for text in found)
    assert any(".producer_name, which it may not: in " in text for text in found)
    assert result.readings.pairs - result.readings.as_entitled == len(found)
    assert result.readings.accounts["importer"].could > result.readings.accounts["importer"].may


def test_an_envelope_that_also_goes_to_a_stranger_is_none_of_its_business_while_it_cannot_open_it(
    run_virtual_scenario: RunVirtual, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = NodeClient.post_document_until_accepted
    strangers: list[str] = []

    async def wide(
        client: NodeClient, root: bytes, to: str, sealed: bytes, *, pause: PauseHook = lambda _: None
    ) -> None:
        await honest(client, root, to, sealed, pause=pause)
        if to == "importer":
            strangers.append(to)
            sender = next(agent for agent in trials[0].agents.values() if agent.client is client)
            again = sender.wallet.sign_envelope(root, "chamber", SignedEnvelope.decode(sealed).sealed)
            await honest(client, root, "chamber", again, pause=pause)

    monkeypatch.setattr(NodeClient, "post_document_until_accepted", wide)
    trials: list[Trial] = []
    result = run_virtual_scenario("nafta-certificate", tamper=trials.append)
    assert strangers
    assert leaks(result) == []
    assert result.readings.accounts["chamber"].could == 0


def test_a_salt_in_a_public_body_is_found(
    run_virtual_scenario: RunVirtual, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = Certifier._anchor

    def salted(agent: Certifier, *arguments: object) -> dict[str, Value]:
        witness = agent.wallet._witness
        assert witness is not None
        (committed,) = (c for c in witness.documents.values() if c.issuer == agent.id)
        salt = next(d.salt for d in committed.document.disclosures if d.name == "producer_name")
        body = honest(agent, *arguments)  # type: ignore[arg-type]
        return {**body, "blanket": None, "shipment": salt.hex()}

    monkeypatch.setattr(Certifier, "_anchor", salted)
    result = run_virtual_scenario("nafta-certificate")
    found = leaks(result)
    assert any("salt of exporter's document " in text and "the public events (hex)" in text for text in found)
    assert any(".producer_name stands in node.db of noaa's node (hex)" in text for text in found)
    assert result.readings.pairs - result.readings.as_entitled == 5


def test_a_value_in_an_error_message_is_found(
    run_virtual_scenario: RunVirtual, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = Api.post_document
    refused: list[str] = []

    async def talkative(api: Api, request):  # type: ignore[no-untyped-def]
        if not refused:
            refused.append(api.node.organization)
            raise ApiError(503, "FULL", f"no room for the form of {PRODUCER}", "Send it again.")
        return await honest(api, request)

    monkeypatch.setattr(Api, "post_document", talkative)
    found = leaks(run_virtual_scenario("nafta-certificate"))
    assert refused == ["exporter"]
    assert len(found) == 1
    assert ".producer_name stands in an error that exporter's node answered" in found[0]


def test_a_value_in_a_line_of_the_program_s_log_is_found(
    run_virtual_scenario: RunVirtual, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = Certifier._anchor

    def chatty(agent: Certifier, *arguments: object) -> dict[str, Value]:
        logging.getLogger("scenarios.agents").warning("anchoring for %s", PRODUCER)
        return honest(agent, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(Certifier, "_anchor", chatty)
    found = leaks(run_virtual_scenario("nafta-certificate"))
    assert len(found) == 1
    assert ".producer_name stands in the program's log (raw)" in found[0]


def test_a_value_in_a_label_of_a_metric_is_found(
    run_virtual_scenario: RunVirtual, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = Api.get_metrics

    async def labelled(api: Api, request):  # type: ignore[no-untyped-def]
        answered = await honest(api, request)
        answered.body += f'seatrial_forms{{producer="{PRODUCER}"}} 1\n'.encode()
        return answered

    monkeypatch.setattr(Api, "get_metrics", labelled)
    found = leaks(run_virtual_scenario("nafta-certificate"))
    assert {text.partition(" stands in ")[2] for text in found} == {
        f"the metrics of {name}'s node (raw)" for name in ("cbp", "importer", "exporter", "chamber", "noaa")
    }
