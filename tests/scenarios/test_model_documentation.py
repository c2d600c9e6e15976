"""docs/scenario-files.md: its examples load, its tables are complete."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from scenarios.model import ROLES, expectations, faults, predicates
from scenarios.model.catalog import load_scenario
from scenarios.model.network import Agent

DOCUMENT = (Path(__file__).parents[2] / "docs" / "scenario-files.md").read_text(encoding="utf-8")
EXAMPLES = [block for block in re.findall(r"```yaml\n(.*?)```", DOCUMENT, re.DOTALL) if "scenario:" in block]


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_examples_load(example: str, tmp_path: Path) -> None:
    path = tmp_path / "example.yaml"
    path.write_text(example, encoding="utf-8")
    assert load_scenario(path).expect


def test_there_are_examples() -> None:
    assert len(EXAMPLES) == 2


def test_every_act_kind_and_sentence_is_in_the_document() -> None:
    for word in (*ROLES, *faults.VIRTUAL_KINDS):
        assert f"`{word}`" in DOCUMENT, word
    for module in (expectations, predicates):
        assert module.__doc__ is not None
        for sentence in re.findall(r"^\| (`.*?`) \|", module.__doc__, re.MULTILINE):
            subject = sentence.replace("certified_p95_ms", "blocks").replace("certified_100_p95_ms", "blocks")
            assert f"| {subject} |" in DOCUMENT, sentence


def test_every_behavior_is_in_the_table_with_what_holds_if_it_is_not_said() -> None:
    section = DOCUMENT.split("## What agents do by themselves")[1].split("\n## ")[0]
    rows = dict(re.findall(r"^\| `(\w+)` \| .* \| (\S+) \|$", section, re.MULTILINE))
    told = {
        name: "none" if info.default == {} else f"`{info.default}`"
        for name, info in Agent.model_fields.items()
    }
    assert rows == told
