"""The compare page in a real browser, served by four workers."""

from __future__ import annotations

import json
from typing import Any

import pytest
from browser.conftest import OpenPage
from playwright.sync_api import Page, expect
from support.serving import Server, get

SECOND = 1000
TWO_MODELS = "/compare?a=demo_dataset&am=thresholds&b=demo_dataset&bm=scripted"
ITSELF = "/compare?a=demo_dataset&am=thresholds&b=demo_dataset&bm=thresholds"


def traces(page: Page, name: str) -> list[dict[str, Any]]:
    """A figure's traces, as the page has drawn them."""
    plot = f"document.querySelector('#compare-{name} .js-plotly-plot')"
    found: list[dict[str, Any]] = page.evaluate(f"{plot}.data.map(({{name, x, y, text}}) => ({{name, x, y, text}}))")
    return found


def wait_for_instant(page: Page, instant: int, seconds: float = 20) -> None:
    """Wait until the page shows the instant, lines included."""
    page.wait_for_function(
        f"document.querySelector('#compare-lines .js-plotly-plot')?.data?.[0]?.y?.length === {instant + 1}"
        f" && document.getElementById('compare-scrubber').value === '{instant}'",
        timeout=seconds * SECOND,
    )


def wait_for_status(page: Page, kind: str, seconds: float = 40) -> None:
    page.wait_for_function(f"document.documentElement.dataset.status === '{kind}'", timeout=seconds * SECOND)


def frame(server: Server, tick: int, model: str = "thresholds") -> dict[str, Any]:
    status, body = get(f"{server.url}/api/v1/sources/demo_dataset/ticks/{tick}?model={model}")
    assert status == 200
    return dict(json.loads(body))


def test_two_models_play_to_the_end_on_one_clock(open_page: OpenPage, demo: Server) -> None:
    page = open_page(f"{demo.url}{TWO_MODELS}&speed=4")
    wait_for_status(page, "ended")
    wait_for_instant(page, 59)
    known = [[frame(demo, tick, model)["prob_30m"] for tick in range(60)] for model in ("thresholds", "scripted")]
    a, b = traces(page, "lines")[:2]
    assert a["y"] == pytest.approx(known[0], abs=1e-4)
    assert b["y"] == pytest.approx(known[1], abs=1e-4)
    gaps = [100 * (two - one) for one, two in zip(*known, strict=True)]
    assert traces(page, "difference")[0]["y"] == pytest.approx(gaps, abs=0.02)
    expect(page.locator("#compare-b-head")).to_contain_text("reads the script")
    expect(page.locator("#compare-summary")).to_contain_text(f"{abs(max(gaps, key=abs)):.1f} points")


def test_the_future_is_not_drawn(open_page: OpenPage, demo: Server) -> None:
    page = open_page(f"{demo.url}{TWO_MODELS}&at=100")
    wait_for_instant(page, 20)
    assert [len(trace["y"]) for trace in traces(page, "lines")[:2]] == [21, 21]
    assert len(traces(page, "difference")[0]["y"]) == 21
    page.keyboard.press("Home")
    wait_for_instant(page, 0)
    assert [len(trace["y"]) for trace in traces(page, "lines")[:2]] == [1, 1]


def test_a_drill_against_itself_differs_by_zero_and_says_so(open_page: OpenPage, demo: Server) -> None:
    page = open_page(f"{demo.url}{ITSELF}&at=0")
    wait_for_instant(page, 0)
    page.keyboard.press("End")
    wait_for_instant(page, 59)
    assert set(traces(page, "difference")[0]["y"]) == {0}
    expect(page.locator("#compare-summary")).to_contain_text("A and B are the same at every instant")


def test_the_keyboard_drives_the_clock(open_page: OpenPage, demo: Server) -> None:
    page = open_page(f"{demo.url}{TWO_MODELS}&at=50")
    wait_for_instant(page, 10)
    page.keyboard.press("ArrowRight")
    wait_for_instant(page, 11)
    page.keyboard.press("ArrowLeft")
    wait_for_instant(page, 10)
    page.keyboard.press("3")
    wait_for_instant(page, 30)
    assert page.locator("#compare-phases [aria-current=step]").inner_text() == "peak"
    page.keyboard.press(" ")
    wait_for_status(page, "playing")
    page.keyboard.press(" ")
    wait_for_status(page, "paused")


def test_the_address_says_what_is_shown_and_opens_it_again(open_page: OpenPage, demo: Server) -> None:
    page = open_page(f"{demo.url}{TWO_MODELS}&at=0")
    wait_for_instant(page, 0)
    page.get_by_role("button", name="Jump to recovery").click()
    wait_for_instant(page, 42)
    page.get_by_role("radio", name="8 h").check()
    expect(page.locator("#compare-lines .ytitle")).to_have_text("within 8 h")
    page.wait_for_function("location.search.includes('horizon=8h')")
    again = open_page(page.url)
    wait_for_instant(again, 42)
    expect(again.locator("#compare-lines .ytitle")).to_have_text("within 8 h")
    assert again.get_by_role("radio", name="8 h").is_checked()
    assert again.locator("#compare-b-model").input_value() == "scripted"
    assert traces(again, "lines")[:2] == traces(page, "lines")[:2]


def test_swapping_the_sides_turns_the_difference_round(open_page: OpenPage, demo: Server) -> None:
    page = open_page(f"{demo.url}{TWO_MODELS}&at=180")
    wait_for_instant(page, 36)
    before = traces(page, "difference")[0]["y"]
    page.locator("#compare-swap").click()
    expect(page.locator("#compare-a-head")).to_contain_text("Scripted")
    wait_for_instant(page, 36)
    assert traces(page, "difference")[0]["y"] == [-value for value in before]
    assert page.locator("#compare-a-model").input_value() == "scripted"


def test_a_link_leads_to_the_live_monitor_at_the_same_tick(open_page: OpenPage, demo: Server) -> None:
    page = open_page(f"{demo.url}{TWO_MODELS}&at=180")
    wait_for_instant(page, 36)
    page.get_by_role("link", name="Open in the live monitor").nth(1).click()
    page.wait_for_function("document.getElementById('monitor-scrubber')?.value === '36'")
    expect(page.locator("#monitor-model-note")).to_contain_text("Scripted")
    page.go_back()
    wait_for_instant(page, 36)


def test_one_side_alone_in_the_address_is_shown_under_two_models(open_page: OpenPage, demo: Server) -> None:
    page = open_page(f"{demo.url}/compare?a=early-warning&at=0")
    wait_for_instant(page, 0)
    assert page.locator("#compare-b").input_value() == "early-warning"
    assert page.locator("#compare-a-model").input_value() != page.locator("#compare-b-model").input_value()


def test_an_unknown_source_is_told_and_mended_by_choosing_another(open_page: OpenPage, demo: Server) -> None:
    page = open_page(f"{demo.url}/compare?a=nowhere&b=demo_dataset&bm=thresholds&at=180")
    expect(page.locator("#compare-banner")).to_contain_text("There is no source 'nowhere'", timeout=20 * SECOND)
    expect(page.locator("#compare-b-body")).to_have_text("—")
    page.locator("#compare-a").select_option("demo_dataset")
    expect(page.locator("#compare-banner")).to_be_empty()
    expect(page.locator("#compare-summary")).to_contain_text("the same at every instant")


def test_the_theme_changes_the_lines_in_place(open_page: OpenPage, demo: Server) -> None:
    page = open_page(f"{demo.url}{TWO_MODELS}&at=180", color_scheme="light")
    wait_for_instant(page, 36)
    colour = "document.querySelector('#compare-lines .js-plotly-plot').data[0].line.color"
    before = page.evaluate(colour)
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(f"{colour} !== '{before}'", timeout=10 * SECOND)
    wait_for_instant(page, 36)
