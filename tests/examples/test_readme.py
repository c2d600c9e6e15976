"""The README's commands are run as they stand, but for `up`, `node` and the live world.

Those are run in tests/worlds.
"""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
STAYS_UP = ("up", "node")
ELSEWHERE = ("--world", "live")


def commands() -> list[str]:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    return [re.sub(r"\s+#.*$", "", line) for line in text.splitlines() if re.match(r"seatrial \w+", line)]


def test_the_readme_shows_every_command():
    shown = {command.split()[1] for line in commands() for command in line.split(" && ")}
    told = subprocess.run(
        [sys.executable, "-m", "scenarios", "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    known = set(re.findall(r"^│ ([a-z][a-z-]*) ", told, re.MULTILINE))
    assert known
    assert known == shown


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_readme_s_commands_do_what_they_say(tmp_path):
    anchor = (ROOT / "docs" / "api.md").read_text(encoding="utf-8").split("```yaml\n")[1].split("```")[0]
    (tmp_path / "anchor.yaml").write_text(anchor)
    ran = 0
    for line in commands():
        for command in line.split(" && "):
            words = shlex.split(command)
            if "RUN" in words or words[1] in STAYS_UP or all(word in words for word in ELSEWHERE):
                continue
            done = subprocess.run(
                [sys.executable, "-m", "scenarios", *words[1:]],
                cwd=tmp_path,
                capture_output=True,
                text=True,
                check=False,
                timeout=400,
                env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"},
            )
            assert done.returncode == 0, f"{command}: {done.stdout[-1500:]}{done.stderr[-1500:]}"
            ran += 1
    assert ran >= 10
    assert (tmp_path / "tx.bin").stat().st_size > 300
