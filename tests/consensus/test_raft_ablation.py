"""Every safeguard has a check that trips without it, and none can be switched off by accident."""

import importlib.util
import re
import sys
from dataclasses import fields, replace
from pathlib import Path
from random import Random
from typing import Any

import pytest

from consensus import Config, ConfigError
from consensus.ablation import ALL_ON, Safeguards, ablation_permitted
from ledger import Verifier
from ledger import ablation as ledger_ablation
from ledger.errors import AblationError
from ledger.execution import Ledger

ROOT = Path(__file__).parents[2]


def load() -> Any:
    name = "raft_ablations"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name("ablations.py"))
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


ablations = load()


@pytest.mark.slow
@pytest.mark.parametrize("case", ablations.CASES, ids=lambda case: case.name)
def test_without_it_a_check_trips_and_with_it_none(case: Any) -> None:
    found = ablations.search(case)
    for seed in range(found.seed + 3):
        assert case.trial(seed, on=True) is None


@pytest.mark.slow
def test_the_table_in_docs_is_of_this_code() -> None:
    assert ablations.DOCUMENT.read_text(encoding="utf-8") == ablations.document(), (
        "run python -m tests.consensus.ablations"
    )


def test_the_commands_in_the_table_show_what_the_table_says(capsys: pytest.CaptureFixture[str]) -> None:
    commands = re.findall(
        r"`python -m tests.consensus.ablations (\w+) (\d+)`", ablations.DOCUMENT.read_text()
    )
    assert len(commands) == len(ablations.CASES)
    for command in commands:
        assert ablations.main(list(command)) == 0
    told = capsys.readouterr().out
    assert told.count("on, the same: nothing trips") == len(commands)
    assert ablations.main(["own_term_commit"]) == ablations.main(["haste", "0"]) == 2


def test_every_safeguard_has_its_case() -> None:
    names = {field.name for kind in (Safeguards, ledger_ablation.Safeguards) for field in fields(kind)}
    assert sorted(case.name for case in ablations.CASES) == sorted(names | {"pre_vote", "check_quorum"})


def test_a_ledger_without_duplicate_suppression_is_refused_outside_tests() -> None:
    weakened = ledger_ablation.Safeguards(duplicate_suppression=False)
    genesis = ablations.retries.GENESIS
    with (
        ablation_permitted(),
        pytest.raises(AblationError, match="duplicate_suppression is off, which only a test"),
    ):
        Ledger(genesis, Verifier(), weakened)
    with ledger_ablation.ablation_permitted():
        assert Ledger(genesis, Verifier(), weakened).height == 0
    with pytest.raises(AblationError):
        Ledger(genesis, Verifier(), weakened)


@pytest.mark.parametrize("name", [field.name for field in fields(Safeguards)])
def test_a_config_with_a_safeguard_off_is_refused_outside_tests(name: str) -> None:
    weakened = replace(ALL_ON, **{name: False})
    with pytest.raises(ConfigError, match=f"safeguards {name} are off, which only a test may do"):
        Config(1, (1,), Random(0), safeguards=weakened)
    with ablation_permitted():
        assert Config(1, (1,), Random(0), safeguards=weakened).safeguards.off == (name,)
    with pytest.raises(ConfigError):
        Config(1, (1,), Random(0), safeguards=weakened)


def test_nothing_but_tests_speaks_of_ablation() -> None:
    """Only the cores know their switches: who composes them has no name for any."""
    told = {
        "scenarios/judging/checks/registry.py",
        "scenarios/pages/checks.py",
    }  # in words, of the tests
    knows = {"ledger/ablation.py", "ledger/execution.py", "ledger/validation.py", "ledger/errors.py", *told}
    for name in told:
        text = (ROOT / name).read_text(encoding="utf-8")
        assert "Safeguard" not in text
        assert ".ablation" not in text.replace("row.ablation", "").replace("self.ablation", "")
    for package in ("ledger", "p2p", "scenarios"):
        for path in (ROOT / package).rglob("*.py"):
            if str(path.relative_to(ROOT)) in knows:
                continue
            text = path.read_text(encoding="utf-8")
            assert "ablation" not in text.lower(), path
            assert "safeguards=" not in text, path
            assert "Safeguards" not in text, path
