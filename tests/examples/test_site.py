"""The site is built without a warning, and what is built loads nothing from anywhere."""

import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOADING = {"script": "src", "img": "src", "link": "href", "iframe": "src", "source": "src", "object": "data"}
REMOTE = re.compile(r"(?:https?:)?//")


class Loads(HTMLParser):
    """Collects what a page would load."""

    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attrs):
        address = dict(attrs).get(LOADING.get(tag, ""))
        if address and REMOTE.match(address):
            self.found.append(address)


def remote_of_page(text):
    page = Loads()
    page.feed(text)
    return page.found


def remote_of_style(text):
    return re.findall(r"(?:url\(\s*|@import\s+)[\"']?((?:https?:)?//[^\"')\s]+)", text)


def test_what_loads_something_is_seen():
    assert remote_of_page('<script src="https://a.example/x.js"></script><img src="//b.example/y.png">') == [
        "https://a.example/x.js",
        "//b.example/y.png",
    ]
    assert remote_of_style("@import 'https://a.example/x.css'; b { src: url(//c.example/f) }") == [
        "https://a.example/x.css",
        "//c.example/f",
    ]
    assert remote_of_page('<a href="https://a.example/">a link to follow</a>') == []


@pytest.mark.slow
def test_the_site_is_built_without_a_warning_and_loads_nothing(tmp_path):
    built = tmp_path / "html"
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", "-W", "-q", "-d", tmp_path / "doctrees", ROOT / "docs", built],
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    pages = list(built.rglob("*.html"))
    assert len(pages) > 80
    found = {page.name: remote_of_page(page.read_text(encoding="utf-8")) for page in pages}
    assert {name: addresses for name, addresses in found.items() if addresses} == {}
    styles = [path for path in built.rglob("*.css") if remote_of_style(path.read_text(encoding="utf-8"))]
    assert styles == []
