"""Members who lie to each other: what honest agents make of it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import pytest

from ledger.encoding import Value
from scenarios.agents.agent import Agent
from scenarios.agents.certifier import Certifier
from scenarios.judging.verdict import Verdict
from scenarios.trial.trial import Trial

pytestmark = pytest.mark.slow


def test_rubbish_under_a_certificate_s_root_hides_nothing_and_makes_nobody_complain(
    run_virtual_scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The chamber learns the root from the ledger and is first at the importer with an envelope of its own."""
    honest = Certifier.transact

    async def after_rubbish(agent: Certifier, act: str, body: Mapping[str, Value], documents=()):
        if act == "certificate.anchor":
            rubbish = b"no envelope at all" * 60
            chamber, root = chambers[0].agent, documents[0]
            signed = chamber.wallet.sign_envelope(root, "importer", rubbish)
            await chamber.client.post_document(root, "importer", signed)
        return await honest(agent, act, body, documents)

    chambers: list[_Chamber] = []
    monkeypatch.setattr(Certifier, "transact", after_rubbish)
    monkeypatch.setattr(Certifier, "send", _later(Certifier.send))
    result = run_virtual_scenario("nafta-certificate", tamper=lambda trial: chambers.append(_Chamber(trial)))
    assert result.judgment.verdict is Verdict.PASSED, result.judgment
    assert result.book.named("certificate.complained") == []
    senders = [
        event.fields["sender"]
        for event in result.book.named("envelope.received")
        if event.fields["node"] == "importer"
    ]
    assert "chamber" in senders


class _Chamber:
    """The chamber's agent, looked up when it is there."""

    def __init__(self, trial: Trial) -> None:
        self._trial = trial

    @property
    def agent(self) -> Agent:
        return self._trial.agents["chamber"]


def _later(send):
    """Hold the exporter's own envelope back for a second of protocol time, so that the rubbish is first."""

    async def late(agent, root, to, names=None):
        async def soon():
            await asyncio.sleep(1)
            await send(agent, root, to, names)

        if to == "importer":
            agent.start("a late envelope", soon())
        else:
            await send(agent, root, to, names)

    return late
