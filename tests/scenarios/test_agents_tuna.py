"""Form 370 among the parties' applications: what each reads, what the public sees, what is believed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ledger.envelopes import SignedEnvelope
from scenarios.agents import fisheries
from scenarios.agents.drafter import Drafter
from scenarios.agents.papers import PaperKind
from scenarios.judging.verdict import Verdict
from scenarios.model.catalog import load_scenario
from scenarios.running.options import RunOptions, RunResult
from scenarios.running.runner import run_scenario

pytestmark = pytest.mark.slow
SAFE, DRIFTNET = "line-safe", "driftnet"


def play(folder: Path, *names: str, expects: bool = True) -> RunResult:
    """Run the library's scenario with some of its forms alone."""
    whole = load_scenario("tuna-matrix")
    words = [f" {name} " for name in names]
    scenario = whole.model_copy(
        update={
            "forms": {name: whole.forms[name] for name in names},
            "steps": tuple(
                step
                for step in whole.steps
                if getattr(step, "form370", None) in (None, *names)
                and (step.when is None or any(word in f" {step.when} " for word in words))
            ),
            "expect": tuple(e for e in whole.expect if expects and any(word in str(e) for word in words)),
        }
    )
    return run_scenario(scenario, RunOptions("virtual", "1", folder))


def kinds(result: RunResult, reader: str) -> set[str]:
    """Return what kinds of document an organization has opened."""
    return {paper.kind for _, paper in result.trial.agents[reader].mailroom.opened()}


@pytest.fixture(scope="module")
def both(tmp_path_factory) -> RunResult:
    """A shipment that is released and one that is refused."""
    return play(tmp_path_factory.mktemp("tuna"), SAFE, DRIFTNET)


def test_both_forms_come_to_what_the_scenario_expects(both: RunResult) -> None:
    assert both.judgment.verdict is Verdict.PASSED
    states = [[state for _, state in both.trial.history.states("form370", name)] for name in (SAFE, DRIFTNET)]
    assert states == [
        ["DRAFT", "ENDORSED", "FILED", "MAY_PROCEED", "RELEASED"],
        ["DRAFT", "ENDORSED", "FILED", "REJECTED", "REFUSED"],
    ]


def test_the_public_cannot_tell_the_refusal_from_the_release(both: RunResult) -> None:
    acts = {
        name: [
            (event.text("type"), event.text("creator"), sorted(json.loads(event.text("body"))))
            for event in both.book.events
            if event.name == "receipt" and event.fields.get("form370") == name
        ]
        for name in (SAFE, DRIFTNET)
    }
    assert acts[SAFE] == acts[DRIFTNET]
    assert [kind for kind, _, _ in acts[SAFE]][-2:] == ["fisheries.open", "fisheries.close"]
    shown = "\n".join(event.line() for event in both.book.events if event.public)
    for word in ("REJECTED", "MAY_PROCEED", "RELEASED", "REFUSED", "5B1", "DRIFTNET", "LONGLINE", "kg_in"):
        assert word not in shown, word


def test_each_party_has_read_what_is_meant_for_it_and_nothing_else(both: RunResult) -> None:
    decision, form = PaperKind.FORM_370_DECISION, PaperKind.FORM_370
    assert kinds(both, "cannery") == {form}
    assert kinds(both, "exporter") == set()
    assert kinds(both, "newcomer") == set()
    assert kinds(both, "importer") == {form, decision}
    assert kinds(both, "cbp") == {form, decision, PaperKind.FORM_370_FILING}
    assert kinds(both, "noaa") == {
        form,
        decision,
        PaperKind.FORM_370_FILING,
        PaperKind.CUSTODY_STATEMENT,
        PaperKind.CAPTAIN_STATEMENT,
    }
    forms = {
        reader: next(p for _, p in both.trial.agents[reader].mailroom.opened() if p.kind == form)
        for reader in ("cannery", "importer")
    }
    assert not forms["cannery"].has("importer_name")
    assert forms["importer"].has("importer_name")
    assert forms["cannery"].root == forms["importer"].root


def test_a_decision_that_does_not_open_its_commitment_is_neither_believed_nor_acted_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fisheries, "form_commitment", lambda *_: bytes(32))
    result = play(tmp_path, SAFE, expects=False)
    assert [state for _, state in result.trial.history.states("form370", SAFE)][-1] == "MAY_PROCEED"
    (told,) = [event for event in result.book.events if event.name == "form370.received"]
    assert (told.fields["believed"], told.fields["state"]) == (False, None)
    assert not [event for event in result.book.events if event.name == "form370.closed"]


def test_who_cannot_read_the_form_does_not_endorse_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    send = Drafter.send

    async def cheat(self: Drafter, root: bytes, to: str, names: tuple[str, ...] | None = None) -> None:
        if to != "cannery":
            await send(self, root, to, names)
            return
        other = self.wallet.commit({"kind": PaperKind.FORM_370.value, "status": "5A"})
        signed = self.wallet.seal(other, to, self.desk.genesis.organization(to).box_key)
        sealed = SignedEnvelope.decode(signed).sealed
        await self.client.post_document(root, to, self.wallet.sign_envelope(root, to, sealed))

    monkeypatch.setattr(Drafter, "send", cheat)
    result = play(tmp_path, SAFE, expects=False)
    assert [e.fields["organization"] for e in result.book.events if e.name == "form370.unreadable"] == [
        "cannery"
    ]
    assert result.trial.history.findings("form370", SAFE)[0] == "MISSING_ENDORSEMENT"
