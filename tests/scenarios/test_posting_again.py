"""Envelopes posted again for a node that was replaced: those that it may have lost, whatever a node answers to that."""

from __future__ import annotations

from pathlib import Path

import pytest

from scenarios.agents.answers import ApiProblem
from scenarios.agents.client import NodeClient, PauseHook, unnoticed
from scenarios.model.catalog import load_scenario
from scenarios.running.options import RunOptions, RunResult
from scenarios.running.runner import run_scenario

REBUILT = Path(__file__).parents[1] / "regressions" / "unread-and-lost.yaml"


def ran(directory: Path) -> RunResult:
    return run_scenario(load_scenario(REBUILT), RunOptions("virtual", "1", directory))


def test_a_sender_posts_again_what_was_for_the_replaced_node_and_nothing_else(tmp_path: Path) -> None:
    result = ran(tmp_path)
    again = [(event.text("organization"), event.text("to")) for event in result.book.named("envelope.again")]
    assert again == [("exporter", "importer")]
    assert result.judgment.verdict == "passed"


def test_a_refusal_of_what_is_posted_again_is_told_and_ends_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    post, posted = NodeClient.post_document, set[tuple[bytes, str]]()

    async def refuses(self: NodeClient, root: bytes, to: str, envelope: bytes) -> None:
        if (root, to) in posted:
            raise ApiProblem(403, "BAD_SIGNATURE", "no key signed it", "sign it again")
        posted.add((root, to))
        await post(self, root, to, envelope)

    monkeypatch.setattr(NodeClient, "post_document", refuses)
    result = ran(tmp_path)
    (told,) = result.book.named("envelope.not_again")
    assert (told.text("organization"), told.text("to"), told.text("code")) == (
        "exporter", "importer", "BAD_SIGNATURE",
    )  # fmt: skip
    assert result.failure is None


@pytest.mark.parametrize("code", ["UNKNOWN_DOCUMENT", "PURGED"])
def test_an_envelope_that_is_gone_when_it_is_fetched_ends_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    get, asked = NodeClient.get_document, list[bytes]()

    async def gone(self: NodeClient, root: bytes, index: int, *, pause: PauseHook = unnoticed) -> bytes:
        asked.append(root)
        if len(asked) == 1:
            raise ApiProblem(404, code, "gone", "none")
        return await get(self, root, index, pause=pause)

    monkeypatch.setattr(NodeClient, "get_document", gone)
    assert ran(tmp_path).failure is None
    assert asked
