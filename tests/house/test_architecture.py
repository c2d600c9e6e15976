"""The drawing in docs/architecture.md names every module that stands, and none that does not."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("ledger", "consensus", "p2p", "scenarios")


def drawn() -> set[str]:
    rooms: set[str] = set()
    folder = None
    for line in (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8").splitlines():
        heading = re.match(r"### ([a-z0-9/]+):", line)
        if heading:
            folder = heading[1]
        room = re.match(r"- `(\w+)` \S", line)
        if room and folder:
            rooms.add(f"{folder}/{room[1]}")
    return rooms


def standing() -> set[str]:
    return {
        str(path.relative_to(ROOT).with_suffix(""))
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
        if path.name not in {"__init__.py", "__main__.py"}
    }


def test_every_module_is_drawn():
    assert sorted(standing() - drawn()) == []


def test_nothing_is_drawn_that_does_not_stand():
    assert sorted(drawn() - standing()) == []


def test_the_walk_names_functions_that_exist():
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    walk = text.split("## One transaction")[1].split("## Rooms")[0]
    source = "\n".join(
        path.read_text(encoding="utf-8") for p in PACKAGES for path in (ROOT / p).rglob("*.py")
    )
    named = set(re.findall(r"`(?:\w+\.)?(\w+)`", walk)) - set(PACKAGES)
    missing = sorted(
        name
        for name in named
        if not re.search(rf"\b(?:def|class) {name}\b|^\s+{name}\b ?[:=]", source, re.MULTILINE)
    )
    assert missing == []


def classes() -> Iterator[ast.ClassDef]:
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            yield from (node for node in ast.walk(tree) if isinstance(node, ast.ClassDef))


def test_the_walk_names_methods_that_their_classes_have():
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    walk = text.split("## One transaction")[1].split("## Rooms")[0]
    methods: dict[str, set[str]] = {}
    bases: dict[str, set[str]] = {}
    for owner in classes():
        functions = [i for i in owner.body if isinstance(i, ast.FunctionDef | ast.AsyncFunctionDef)]
        methods.setdefault(owner.name, set()).update(function.name for function in functions)
        bases.setdefault(owner.name, set()).update(b.id for b in owner.bases if isinstance(b, ast.Name))

    def has(owner: str, method: str) -> bool:
        return method in methods.get(owner, ()) or any(has(base, method) for base in bases.get(owner, ()))

    named = set(re.findall(r"`([A-Z]\w+)\.(\w+)`", walk))
    assert len(named) > 40
    assert sorted(f"{owner}.{method}" for owner, method in named if not has(owner, method)) == []


def test_each_part_of_the_drawing_stands_once():
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    headings = re.findall(r"^##+ .*$", text, re.MULTILINE)
    assert len(headings) == len(set(headings))
