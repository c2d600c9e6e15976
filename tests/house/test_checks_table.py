"""The table of checks agrees with the names scenarios may list, with the README, and with the tests it names."""

import re
from pathlib import Path
from typing import get_args

import pytest

from scenarios.judging.checks.registry import CHECKS, Setting, make_checks
from scenarios.model.catalog import load_scenario
from scenarios.model.scenario import CheckName
from scenarios.privacy.leaks import LeakSearch
from scenarios.privacy.readings import Readings

ROOT = Path(__file__).parents[2]


def test_scenarios_may_list_every_check_and_no_other():
    assert list(get_args(CheckName)) == list(CHECKS)


def test_a_check_is_called_what_its_row_is_called():
    setting = Setting(load_scenario("nafta-certificate"), LeakSearch(), lambda _final: Readings())
    assert [check.name for check in make_checks(setting)] == list(CHECKS)


@pytest.mark.parametrize(
    ("name", "test"), [(name, test) for name, row in CHECKS.items() for _, test in row.ablations]
)
def test_the_ablation_that_a_check_names_is_a_test(name: str, test: str):
    file, _, function = test.partition("::")
    text = (ROOT / "tests" / file).read_text(encoding="utf-8")
    (body,) = re.findall(rf"^def {function}\(.*?(?=^def |\Z)", text, re.MULTILINE | re.DOTALL)
    assert f'"{name}' in body or "leaks(" in body, "it looks at this check"


def test_the_readme_names_every_check():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    section = text.split("## What is checked in every run")[1].split("\n## ")[0]
    assert re.findall(r"^- \*\*([a-z-]+)\*\*", section, re.MULTILINE) == list(CHECKS)
