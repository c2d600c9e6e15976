"""The report in a browser without a screen: it opens, a shipment is followed, nothing is asked of any network."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from scenarios.reporting.commands import report
from tests.scenarios.reporting.madeup import madeup_run

pytestmark = [pytest.mark.slow]

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
DEMAND = "SEATRIAL_BROWSER"
"""Set it to have the tests fail where there is no browser; CI does."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        if os.environ.get(DEMAND):
            pytest.fail(f"{DEMAND} is set and there is no chromium: apt-get install chromium")
        pytest.skip(
            f"no chromium on the path; apt-get install chromium (with {DEMAND} set this is a failure)"
        )
    with sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = madeup_run(tmp_path_factory.mktemp("browser") / "run", 40)
    report(folder.path)
    return folder.path / "report.html"


class Watched:
    """A page, what it asks for, and what it complains of."""

    def __init__(self, browser: Browser, file: Path, **options: object) -> None:
        self.page: Page = browser.new_page(**options)  # type: ignore[arg-type]
        self.asked: list[str] = []
        self.complaints: list[str] = []
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.goto(file.as_uri())


def test_a_shipment_is_followed_without_a_complaint_or_a_request(browser: Browser, file: Path):
    watched = Watched(browser, file)
    page = watched.page
    page.get_by_role("link", name="Shipments").click()
    story = page.locator("details.story", has=page.locator("#story-claim-s20"))
    assert not story.locator("ol.acts").first.is_visible()
    story.locator("summary").click()
    assert story.get_by_text("decides claim s20: DENIED for NO_CERTIFICATE").is_visible()
    assert story.get_by_text("searches its files").is_visible()
    assert watched.complaints == []
    assert [url for url in watched.asked if not url.startswith((file.as_uri(), "data:"))] == []


def test_an_address_with_a_story_opens_it(browser: Browser, file: Path):
    page = browser.new_page()
    page.goto(f"{file.as_uri()}#story-claim-s30")
    assert page.locator("#story-claim-s30").is_visible()


def test_stories_open_by_keyboard(browser: Browser, file: Path):
    page = Watched(browser, file).page
    summary = page.locator("details.story summary").first
    summary.focus()
    page.keyboard.press("Enter")
    assert page.locator("details.story").first.get_attribute("open") is not None


def test_a_telephone_scrolls_in_one_direction(browser: Browser, file: Path):
    page = Watched(browser, file, viewport={"width": 390, "height": 844}).page
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_colors_follow_the_reader_and_print_is_light(browser: Browser, file: Path, scheme: str):
    page = Watched(browser, file, color_scheme=scheme).page
    ink = "getComputedStyle(document.body).color"
    assert page.evaluate(ink) == {"light": "rgb(27, 36, 48)", "dark": "rgb(232, 234, 238)"}[scheme]
    page.emulate_media(media="print", color_scheme=scheme)  # type: ignore[arg-type]
    assert page.evaluate(ink) == "rgb(27, 36, 48)"


def test_a_closed_story_is_printed(browser: Browser, file: Path):
    page = Watched(browser, file).page
    page.emulate_media(media="print")
    assert page.get_by_text("decides claim s20: DENIED for NO_CERTIFICATE").is_visible()
    assert not page.get_by_role("navigation").is_visible()
