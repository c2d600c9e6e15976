"""The tutorial and the how-to pages, run as they stand.

In a `console` block a line with `$ ` is a command, what follows must be its output, `...` stands for anything, and
`[exit N]` is its exit code if that is not 0. A YAML block that begins with `# NAME.yaml` is that file.
"""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "docs" / "tutorial.md", *sorted((ROOT / "docs" / "how-to").glob("*.md"))]


def blocks(text):
    return re.findall(r"^```(yaml|console)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


def commands(block):
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        command, _, output = part.partition("\n")
        code = re.search(r"^\[exit (\d+)\]\n", output, re.MULTILINE)
        yield command, output.replace(code[0], "") if code else output, int(code[1]) if code else 0


def fits(output, pattern):
    """Whether output fits: a line of dots stands for any lines, dots at a line's end for any rest of it."""
    wanted = re.escape(pattern.rstrip("\n"))
    wanted = re.sub(r"(?m)^\\\.\\\.\\\.$", r"(?:.*\\n)*?.*", wanted.replace("\\\n", "\n"))
    wanted = wanted.replace(r"\.\.\.", "[^\\n]*")
    return re.fullmatch(wanted, output.rstrip("\n")) is not None


def test_output_that_differs_does_not_fit():
    assert fits("a b\nx\ny\nverdict    passed\n", "a ...\n...\nverdict    passed\n")
    assert not fits("a b\nx\nverdict    violated\n", "a ...\n...\nverdict    passed\n")
    assert not fits("a b\nc\n", "a ...\n")


@pytest.mark.slow
@pytest.mark.timeout(240)
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_s_commands_do_what_it_shows(page, tmp_path):
    ran = 0
    for language, block in blocks(page.read_text(encoding="utf-8")):
        name = re.match(r"# ([a-z-]+\.yaml)\n", block)
        if language == "yaml":
            if name:
                (tmp_path / name[1]).write_text(block, encoding="utf-8")
            continue
        for command, output, code in commands(block):
            words = shlex.split(command)
            assert words[0] == "seatrial", command
            done = subprocess.run(
                [sys.executable, "-m", "scenarios", *words[1:]],
                cwd=tmp_path,
                capture_output=True,
                text=True,
                timeout=120,
                check=False,
                env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"},
            )
            assert done.returncode == code, f"{command}: {done.stdout[-1500:]}{done.stderr[-1500:]}"
            assert fits(done.stdout, output), f"{command}:\n{done.stdout[-3000:]}\ndoes not fit\n{output}"
            ran += 1
    assert ran
