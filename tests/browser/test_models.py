"""The models' page and a server's forecast in a real browser, over a forecast model made by hand."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser.conftest import OpenPage
from browser.test_accessibility import GRAVE, LOOKS, STANDARDS, WIDER, told, violations
from playwright.sync_api import Page, expect
from support.forecasts import ForecastServices, evidence
from werkzeug.serving import make_server

from tft_dash.app import create_app
from tft_dash.settings import load_settings

PANEL = "/?source=early-warning&model=tft&server=web-001"
DATA = "(id) => document.querySelector(`#${id} .js-plotly-plot`).data"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where the app over a model made by hand is served."""
    folder: Path = tmp_path_factory.mktemp("models")
    flags = {"cache": folder / "cache", "data": folder / "data", "refresh": 0.25}
    services = ForecastServices(load_settings(flags, environ={}, folder=folder), evidence(), wait_seconds=None)
    server = make_server("127.0.0.1", 0, create_app(services).server, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    services.close()


def drawn(page: Page, figure: str) -> None:
    page.locator(f"#{figure} .nsewdrag").first.wait_for(timeout=20_000, state="attached")


def says(page: Page, words: str) -> None:
    """Wait until the forecast says so; the first answer of a fresh server takes its time."""
    expect(page.locator("#monitor-forecast-words")).to_contain_text(words, timeout=30_000)


def test_the_page_draws_its_figures_again_when_the_theme_changes(open_page: OpenPage, address: str) -> None:
    page = open_page(f"{address}/models", color_scheme="light")
    drawn(page, "models-alarms")
    colour = "(id) => document.querySelector(`#${id} .js-plotly-plot`).data[2].line.color"
    light = page.evaluate(colour, "models-reliability-30m")
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(
        f"document.querySelector('#models-reliability-30m .js-plotly-plot').data[2].line.color !== '{light}'"
    )
    expect(page).to_have_title("Models · tft_dash")
    expect(page.locator("nav [aria-current=page]")).to_have_text("Models")


def test_a_reader_finds_what_a_probability_was_worth(open_page: OpenPage, address: str) -> None:
    page = open_page(f"{address}/models")
    drawn(page, "models-reliability-8h")
    expect(page.get_by_text("When it said 60–80%, it happened in 70% of 410 cases.").first).to_be_visible()
    expect(page.get_by_text("Within 8 h it is behind gradient boosting")).to_be_visible()
    expect(page.get_by_text("says nothing about a real fleet until recalibrated")).to_be_visible()
    assert page.evaluate(DATA, "models-reliability-8h")[2]["y"][5] == pytest.approx(0.55)


def test_the_page_comes_alive_again_after_another_one(open_page: OpenPage, address: str) -> None:
    page = open_page(f"{address}/models")
    drawn(page, "models-alarms")
    page.get_by_role("link", name="Datasets").click()
    expect(page.locator("main h1")).to_have_text("Datasets")
    page.emulate_media(color_scheme="dark")
    page.get_by_role("link", name="Models", exact=True).click()
    drawn(page, "models-alarms")


@pytest.mark.parametrize("place", ["/models", f"{PANEL}&tick=100"])
def test_axe_finds_no_serious_fault_in_any_look(open_page: OpenPage, address: str, place: str) -> None:
    page = open_page(address + place)
    drawn(page, "models-alarms" if place == "/models" else "monitor-forecast-figure")
    for theme, width in (*LOOKS, ("light", 320)):
        page.emulate_media(color_scheme=theme)
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_function(f"document.documentElement.dataset.bsTheme === '{theme}'")
        page.wait_for_timeout(400)
        found = [one for one in violations(page, *STANDARDS) if one["impact"] in GRAVE]
        assert told(found) == [], f"{theme}, {width} px"
        assert page.evaluate(WIDER) is False, f"{theme}, {width} px"


def test_an_open_panel_shows_the_forecast_and_follows_the_ticks(open_page: OpenPage, address: str) -> None:
    page = open_page(f"{address}{PANEL}&tick=30")
    drawn(page, "monitor-forecast-figure")
    says(page, "CPU likely over 90% in about 35 min (median)")
    says(page, "Only 75% of the values")
    before = page.evaluate(DATA, "monitor-forecast-figure")[5]["y"]
    page.keyboard.press("ArrowRight")
    says(page, "Only 78% of the values")
    page.wait_for_function(
        "(old) => document.querySelector('#monitor-forecast-figure .js-plotly-plot').data[5].y[3] !== old",
        arg=before[3],
    )
    expect(page.locator("#monitor-forecast-looked")).to_contain_text("they are no causes")


def test_another_model_hides_the_forecast(open_page: OpenPage, address: str) -> None:
    page = open_page(f"{address}{PANEL}&tick=100")
    drawn(page, "monitor-forecast-figure")
    page.locator("#monitor-model").select_option("thresholds")
    expect(page.locator("#monitor-forecast")).to_be_hidden()
    expect(page.locator("#monitor-server-panel")).to_be_visible()
    page.locator("#monitor-model").select_option("tft")
    expect(page.locator("#monitor-forecast")).to_be_visible()
    says(page, "CPU likely over 90%")


def test_too_little_history_is_said_before_the_first_hour(open_page: OpenPage, address: str) -> None:
    page = open_page(f"{address}{PANEL}&tick=3")
    says(page, "too little history")
    page.wait_for_function("Number(document.getElementById('monitor-scrubber').max) > 3")
    page.keyboard.press("End")
    says(page, "CPU likely over 90%")


def test_a_forecast_that_is_not_known_to_be_current_loses_its_colours(open_page: OpenPage, address: str) -> None:
    page = open_page(f"{address}{PANEL}&tick=100")
    says(page, "CPU likely over 90%")
    look = "getComputedStyle(document.getElementById('monitor-forecast')).filter"
    assert page.evaluate(look) == "none"
    page.evaluate("document.documentElement.dataset.status = 'stale'")
    assert page.evaluate(look) == "grayscale(1)"
