"""The pages of alerts in a real browser, four workers behind them: an incident is seen, said and taken away."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser.conftest import OpenPage
from playwright.sync_api import Browser, expect
from support import fleet
from support.serving import Server, running

PAGES = ("", "/silences", "/rules", "/tuner", "/delivery")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A source with a standing incident."""
    folder = tmp_path_factory.mktemp("alerts")
    fleet.fill(folder / "data")
    with running("serve", fleet.SOURCE, "--workers", "4", folder=folder, TFT_DASH_COLLECT="0") as server:
        yield server


def test_somebody_who_is_woken_sees_the_problem_says_so_and_takes_the_record_away(
    served: Server, open_page: OpenPage, browser: Browser, tmp_path: Path
) -> None:
    page = open_page(f"{served.url}/alerts")
    page.get_by_role("link", name="db-001").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("db-001")
    page.get_by_label("Your name").fill("Ann <b>")
    page.get_by_role("button", name="I am at it", exact=True).click()
    expect(page.locator("#alerts-live .problem-head")).to_contain_text("Ann <b> is at it")
    page.get_by_label("Comment").fill("<script>alert('comment')</script>")
    page.get_by_role("button", name="Add the comment").click()
    expect(page.locator(".comment-text")).to_have_text("<script>alert('comment')</script>")
    expect(page.locator("#alerts-chart .main-svg").first).to_be_visible()
    with page.expect_download() as found:
        page.get_by_role("link", name="Post-mortem as HTML").click()
    path = tmp_path / "report.html"
    found.value.save_as(path)
    _opens_offline(browser, path)
    page.get_by_role("link", name="Silence its servers").click()
    page.wait_for_url("**/alerts/silences?**")
    expect(page.get_by_label("What (matchers)")).to_have_value(re.compile('source="fleet"\nserver_name=.*db-001'))
    page.get_by_label("Why").fill("we are at it")
    page.get_by_role("button", name="Silence", exact=True).click()
    expect(page.locator("#alerts-silences")).to_contain_text("we are at it")


def _opens_offline(browser: Browser, path: Path) -> None:
    """The file, in a browser without a network: nothing is asked, nothing is run, nothing is complained of."""
    complaints: list[str] = []
    context = browser.new_context(offline=True)
    page = context.new_page()
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("dialog", lambda dialog: complaints.append(f"dialog: {dialog.message}"))
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(path.as_uri())
    expect(page.get_by_role("heading", level=1)).to_contain_text("db-001")
    assert page.locator("svg").count() >= 3
    assert page.locator("script").count() == 0
    expect(page.locator("main")).to_contain_text("<script>alert('comment')</script>")
    expect(page.locator("main")).to_contain_text(fleet.EVIL)
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
    assert complaints == []
    context.close()


@pytest.mark.parametrize(("width", "theme"), [(1440, "light"), (390, "dark")])
def test_no_page_of_alerts_is_wider_than_its_screen(
    served: Server, open_page: OpenPage, width: int, theme: str
) -> None:
    page = open_page(f"{served.url}/alerts", viewport={"width": width, "height": 844}, color_scheme=theme)
    for where in PAGES:
        page.goto(f"{served.url}/alerts{where}")
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        page.wait_for_load_state("networkidle")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, where


def test_the_tuner_is_moved_by_the_keyboard(served: Server, open_page: OpenPage) -> None:
    page = open_page(f"{served.url}/alerts/tuner")
    expect(page.locator(".tune-value").first).to_be_visible()
    page.locator("#alerts-tune-rule").select_option("ServerAtRisk")
    expect(page.locator(".tune-about")).to_contain_text("ServerAtRisk")
    page.locator("#alerts-tune-bar").press("ArrowRight")
    expect(page.locator("#alerts-tune-exact")).to_have_value("0.61")
    expect(page.locator(".tune-about")).to_contain_text("0.61")
