"""Makes `harness.py` importable as `raft_harness` for the tests beside it.

`pytest tests/consensus --rewrite-stories` writes the golden traces anew, to be reviewed as a diff.
"""

import importlib.util
import sys
from pathlib import Path

import pytest

NAME = "raft_harness"

if NAME not in sys.modules:
    spec = importlib.util.spec_from_file_location(NAME, Path(__file__).with_name("harness.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[NAME] = module
    spec.loader.exec_module(module)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--rewrite-stories", action="store_true", help="write tests/consensus/stories/*.txt anew"
    )
