"""The project's own files: dependencies that are used and pinned, no address of a registry, no leftovers."""

import re
import subprocess
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("ledger", "consensus", "p2p", "scenarios")
IMPORTED_AS = {
    "msgpack": "msgpack",
    "pynacl": "nacl",
    "ruamel.yaml": "ruamel.yaml",
    "prometheus-client": "prometheus_client",
}
NEEDED_BY_OTHERS = {"tzdata"}
"""zoneinfo reads tzdata where the system has no zones."""


def names(requirements):
    return [re.match(r"[A-Za-z0-9.-]+", requirement)[0].lower() for requirement in requirements]


def project():
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_every_dependency_is_imported():
    source = "\n".join(
        path.read_text(encoding="utf-8") for p in PACKAGES for path in (ROOT / p).rglob("*.py")
    )
    unused = [
        name
        for name in names(project()["dependencies"])
        if name not in NEEDED_BY_OTHERS
        and not re.search(
            rf"^\s*(?:import|from) {re.escape(IMPORTED_AS.get(name, name))}\b", source, re.MULTILINE
        )
    ]
    assert unused == []


def test_every_dependency_is_pinned_and_no_registry_is_named():
    text = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    pinned = {line.split("==")[0].lower().replace("_", "-") for line in text.splitlines() if line}
    extras = project()["optional-dependencies"].values()
    wanted = [name for listed in (project()["dependencies"], *extras) for name in names(listed)]
    assert [
        name
        for name in wanted
        if name.replace("_", "-").replace(".", "-") not in {p.replace(".", "-") for p in pinned}
    ] == []
    assert all(re.fullmatch(r"[A-Za-z0-9_.-]+==[A-Za-z0-9_.!+-]+", line) for line in text.splitlines())


def test_every_link_in_the_readme_and_docs_leads_somewhere():
    broken = []
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]:
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
            if "://" not in target and not (page.parent / target).exists():
                broken.append(f"{page.name}: {target}")
    assert broken == []


def test_nothing_tracked_is_ignored_or_a_leftover():
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.split("\n")
    assert [
        name for name in tracked if re.search(r"(^runs/|__pycache__|\.pyc$|\.orig$|\.rej$|~$)", name)
    ] == []


def test_no_file_has_marks_of_a_conflict_left():
    marked = subprocess.run(
        ["git", "grep", "-lE", "^(<{7}|>{7}) "], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.split()
    assert marked == []
