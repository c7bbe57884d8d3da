"""The live monitor in a real browser, served by four workers."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path
from typing import Any

import pytest
from browser.conftest import OpenPage
from playwright.sync_api import Page, Route, expect
from support.serving import Server, get, running

PLOT = "document.querySelector('#monitor-{name} .js-plotly-plot')"
SECOND = 1000
PATIENCE_SECONDS = 60


def data_of(page: Page, name: str) -> Any:
    return page.evaluate(f"{PLOT.format(name=name)}.data")


def wait_for_status(page: Page, kind: str, seconds: float = 40) -> None:
    page.wait_for_function(f"document.documentElement.dataset.status === '{kind}'", timeout=seconds * SECOND)


def wait_for_tick(page: Page, tick: int, seconds: float = 30) -> None:
    """Wait until the page shows ``tick``, figures included."""
    page.wait_for_function(
        f"document.getElementById('monitor-scrubber')?.value === '{tick}' && location.search.includes('tick={tick}')",
        timeout=seconds * SECOND,
    )
    page.locator("#monitor-trend .nsewdrag").first.wait_for(timeout=seconds * SECOND)


def frame(server: Server, tick: int, source: str = "demo_dataset", model: str = "thresholds") -> dict[str, Any]:
    status, body = get(f"{server.url}/api/v1/sources/{source}/ticks/{tick}?model={model}")
    assert status == 200
    return json.loads(body)


def drawn_lines(page: Page) -> dict[str, list[float | None]]:
    """The trend's two lines by name, as the page has them."""
    return {trace["name"]: list(trace["y"]) for trace in data_of(page, "trend") if trace.get("mode") == "lines"}


def drag(page: Page, name: str, begin: tuple[float, float], end: tuple[float, float]) -> None:
    """Drag over a figure's plot, from and to shares of its width and height."""
    plot = page.locator(f"#monitor-{name} .nsewdrag").first
    plot.wait_for()
    box = plot.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + begin[0] * box["width"], box["y"] + begin[1] * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + end[0] * box["width"], box["y"] + end[1] * box["height"], steps=5)
    page.mouse.up()
    page.wait_for_timeout(300)


def test_the_drill_plays_to_its_end_and_shows_what_the_server_knows(open_page: OpenPage, demo: Server) -> None:
    page = open_page(demo.url)
    wait_for_status(page, "playing")
    wait_for_status(page, "ended", 40)
    frames = [frame(demo, tick) for tick in range(60)]
    lines = drawn_lines(page)
    assert lines["within 30 min"] == pytest.approx([one["prob_30m"] for one in frames], abs=1e-4)
    assert lines["within 8 h"] == pytest.approx([one["prob_8h"] for one in frames], abs=1e-4)
    expect(page.locator("#kpi-health-word")).to_have_text("GREEN")
    expect(page.locator("#kpi-progress")).to_have_text("100%")
    expect(page.locator("#monitor-summary")).to_contain_text("End of the recording")
    expect(page.locator("#monitor-simulated")).to_be_visible()


def test_every_tick_that_is_stepped_to_shows_its_own_frame(open_page: OpenPage, demo: Server) -> None:
    page = open_page(f"{demo.url}/?source=demo_dataset&tick=17")
    end = time.monotonic() + PATIENCE_SECONDS
    for tick in range(17, 48, 3):
        wait_for_tick(page, tick)
        lines = drawn_lines(page)["within 30 min"]
        while len(lines) < tick + 1 and time.monotonic() < end:
            page.wait_for_timeout(50)
            lines = drawn_lines(page)["within 30 min"]
        known = frame(demo, tick)
        expect(page.locator("#kpi-health-word")).to_have_text(known["health"])
        expect(page.locator("#kpi-phase")).to_have_text(known["phase"])
        expect(page.locator("#kpi-prob-30m")).to_have_text(f"{known['prob_30m']:.0%}")
        assert len(lines) == tick + 1
        assert lines[-1] == pytest.approx(known["prob_30m"], abs=1e-4)
        for _ in range(3):
            page.keyboard.press("ArrowRight")


def test_two_viewers_do_not_move_each_other(open_page: OpenPage, demo: Server) -> None:
    one, two = open_page(f"{demo.url}/?tick=5"), open_page(f"{demo.url}/?tick=40")
    wait_for_tick(one, 5)
    wait_for_tick(two, 40)
    one.keyboard.press("End")
    wait_for_tick(one, 59)
    assert two.locator("#monitor-scrubber").input_value() == "40"
    expect(two.locator("#kpi-phase")).to_have_text("peak")


def test_the_keyboard_drives_the_playback(open_page: OpenPage, demo: Server) -> None:
    page = open_page(f"{demo.url}/?tick=10")
    wait_for_tick(page, 10)
    page.keyboard.press("ArrowLeft")
    wait_for_tick(page, 9)
    page.keyboard.press("3")
    wait_for_tick(page, 30)
    page.keyboard.press("Home")
    wait_for_tick(page, 0)
    page.keyboard.press(" ")
    wait_for_status(page, "playing")
    page.keyboard.press(" ")
    wait_for_status(page, "paused")


def test_an_answer_that_comes_after_play_again_does_not_end_it(open_page: OpenPage, demo: Server) -> None:
    page = open_page(f"{demo.url}/?tick=40&playing=0")
    wait_for_tick(page, 40)
    held: list[Route] = []

    def hold(route: Route) -> None:
        is_end = '"monitor-answer' in (route.request.post_data or "") and '"tick":59' in (route.request.post_data or "")
        held.append(route) if is_end and not held else route.continue_()

    page.route("**/_dash-update-component*", hold)
    page.locator("#monitor-end").click()
    page.wait_for_timeout(600)
    assert held
    page.locator("#monitor-restart").click()
    held[0].continue_()
    wait_for_tick(page, 3)
    wait_for_status(page, "playing")


def test_the_controls_drive_the_playback(open_page: OpenPage, demo: Server) -> None:
    page = open_page(f"{demo.url}/?tick=0")
    wait_for_tick(page, 0)
    page.locator("#monitor-forward").click()
    wait_for_tick(page, 1)
    page.get_by_role("button", name="Jump to recovery").click()
    wait_for_tick(page, 42)
    page.locator("#monitor-scrubber").fill("33")
    wait_for_tick(page, 33)
    page.locator("#monitor-speed").select_option("60")
    page.locator("#monitor-play").click()
    wait_for_status(page, "ended")
    # Slow again: at that speed the whole drill lasts a quarter of a second, which a busy browser may never tell.
    page.locator("#monitor-speed").select_option("1")
    page.locator("#monitor-play").click()
    wait_for_status(page, "playing")
    page.locator("#monitor-play").click()
    wait_for_status(page, "paused")
    page.locator("#monitor-end").click()
    wait_for_tick(page, 59)
    page.locator("#monitor-restart").click()
    wait_for_status(page, "playing")
    page.wait_for_function("document.getElementById('monitor-scrubber').value !== '59'")


def test_a_zoom_survives_the_ticks(open_page: OpenPage, demo: Server) -> None:
    page = open_page(f"{demo.url}/?tick=20")
    wait_for_tick(page, 20)
    page.locator("#monitor-trend .nsewdrag").first.wait_for()
    whole = page.evaluate(f"{PLOT.format(name='trend')}._fullLayout.xaxis.range")
    drag(page, "trend", (0.2, 0.5), (0.6, 0.5))
    zoomed = page.evaluate(f"{PLOT.format(name='trend')}._fullLayout.xaxis.range")
    for tick in range(21, 26):
        page.keyboard.press("ArrowRight")
        wait_for_tick(page, tick)
    for _ in range(100):  # the figures are drawn one after the other, some after the tick is told
        if len(drawn_lines(page)["within 30 min"]) == 26:
            break
        page.wait_for_timeout(100)
    assert len(drawn_lines(page)["within 30 min"]) == 26
    assert page.evaluate(f"{PLOT.format(name='trend')}._fullLayout.xaxis.range") == zoomed != whole


def test_a_server_shows_its_own_metrics_with_its_drivers(open_page: OpenPage, demo: Server) -> None:
    page = open_page(f"{demo.url}/?tick=36&server=db-001")
    wait_for_tick(page, 36)
    panel = page.locator("#monitor-server-panel")
    expect(panel).to_be_visible()
    expect(page.locator("#monitor-server-title")).to_have_text("db-001")
    drivers = next(one["drivers"] for one in frame(demo, 36)["servers"] if one["server_name"] == "db-001")
    for words in drivers:
        expect(panel).to_contain_text(words)
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    assert "server=" not in page.url


def test_a_click_on_a_cell_opens_that_server(open_page: OpenPage, demo: Server) -> None:
    page = open_page(f"{demo.url}/?tick=36")
    wait_for_tick(page, 36)
    box = page.locator("#monitor-heatmap .nsewdrag").first.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + 12, box["y"] + 12)
    expect(page.locator("#monitor-server-title")).to_have_text("web-001")


def test_a_link_with_a_tick_shows_that_instant_and_a_reload_keeps_it(open_page: OpenPage, demo: Server) -> None:
    page = open_page(f"{demo.url}/?source=demo_dataset&model=scripted&tick=36&speed=2")
    wait_for_tick(page, 36)
    wait_for_status(page, "paused")
    expect(page.locator("#monitor-model-note")).to_contain_text("reads the script")
    expect(page.locator("#monitor-speed")).to_have_value("2")
    before = page.locator("#kpi-prob-30m").inner_text()
    page.reload()
    wait_for_tick(page, 36)
    expect(page.locator("#kpi-prob-30m")).to_have_text(before)
    assert before == f"{frame(demo, 36, model='scripted')['prob_30m']:.0%}"


def test_another_source_starts_at_its_beginning(open_page: OpenPage, demo: Server) -> None:
    page = open_page(f"{demo.url}/?tick=36")
    wait_for_tick(page, 36)
    page.locator("#monitor-source").select_option("early-warning")
    page.wait_for_function("location.search.includes('source=early-warning')")
    wait_for_status(page, "playing")
    page.keyboard.press(" ")
    wait_for_status(page, "paused")
    assert "source=early-warning" in page.url


def test_an_unknown_source_is_told_and_the_page_stays_alive(open_page: OpenPage, demo: Server) -> None:
    page = open_page(f"{demo.url}/?source=demo_datase")
    wait_for_status(page, "error")
    expect(page.locator("#monitor-banner")).to_contain_text("Did you mean 'demo_dataset'?")
    page.locator("#monitor-source").select_option("early-warning")
    page.wait_for_function("document.documentElement.dataset.status === 'playing'")
    expect(page.locator("#monitor-banner")).to_be_empty()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_theme_is_the_systems_until_it_is_switched(open_page: OpenPage, demo: Server, scheme: str) -> None:
    page = open_page(f"{demo.url}/?tick=3", color_scheme=scheme)
    wait_for_tick(page, 3)
    theme = "document.documentElement.dataset.bsTheme"
    assert page.evaluate(theme) == scheme
    other = "dark" if scheme == "light" else "light"
    while page.evaluate(theme) != other:
        page.locator("#shell-theme").click()
    page.reload()
    wait_for_tick(page, 3)
    assert page.evaluate(theme) == other


@pytest.mark.parametrize("width", [390, 768, 1440, 3840])
def test_the_page_fits_its_window(open_page: OpenPage, demo: Server, width: int) -> None:
    page = open_page(f"{demo.url}/?tick=36", viewport={"width": width, "height": 900})
    wait_for_tick(page, 36)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_nothing_moves_while_the_drill_plays(open_page: OpenPage, demo: Server) -> None:
    page = open_page(f"{demo.url}/?tick=16")
    wait_for_tick(page, 16)
    places = (
        "[...document.querySelectorAll('.card-box, .tile, .transport')].map(e => e.getBoundingClientRect().toJSON())"
    )
    before = page.evaluate(places)
    for tick in range(17, 32):
        page.keyboard.press("ArrowRight")
        wait_for_tick(page, tick)
    page.wait_for_timeout(200)
    assert page.evaluate(places) == before


def test_a_restart_of_the_server_leaves_the_page_correct(open_page: OpenPage, tmp_path: Path) -> None:
    with running("demo", "--workers", "2", "--refresh", "0.5", folder=tmp_path) as server:
        page = open_page(f"{server.url}/?speed=3")
        page.locator("#monitor-trend .nsewdrag").first.wait_for()
        server.stop(signal.SIGKILL)
        wait_for_status(page, "lost", 20)
        server.start()
        page.wait_for_function(
            "['playing', 'ended'].includes(document.documentElement.dataset.status)", timeout=25 * SECOND
        )
        wait_for_status(page, "ended", 60)
        lines = drawn_lines(page)["within 30 min"]
        assert lines == pytest.approx([frame(server, tick)["prob_30m"] for tick in range(60)], abs=1e-4)
    page.complaints.clear()  # the browser rightly tells of the requests that failed meanwhile


def test_a_hover_survives_the_ticks(open_page: OpenPage, demo: Server) -> None:
    page = open_page(f"{demo.url}/?tick=30")
    wait_for_tick(page, 30)
    box = page.locator("#monitor-trend .nsewdrag").first.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 0.25 * box["width"], box["y"] + 0.5 * box["height"], steps=4)
    label = page.locator("#monitor-trend .hoverlayer .hovertext, #monitor-trend .hoverlayer .legend").first
    label.wait_for()
    for tick in range(31, 35):
        page.keyboard.press("ArrowRight")
        wait_for_tick(page, tick)
    page.wait_for_timeout(400)
    expect(label).to_be_visible()


def test_an_impossible_address_is_told_and_any_control_heals_it(open_page: OpenPage, demo: Server) -> None:
    page = open_page(f"{demo.url}/?speed=1000&tick=5")
    wait_for_status(page, "error")
    expect(page.locator("#monitor-banner")).to_contain_text("speed is 1000")
    page.keyboard.press("Home")
    wait_for_tick(page, 0)
    expect(page.locator("#monitor-banner")).to_be_empty()


def test_a_list_offers_what_is_there_when_the_address_asks_for_what_is_not(open_page: OpenPage, demo: Server) -> None:
    page = open_page(f"{demo.url}/?source=nope&playing=0&tick=3")
    wait_for_status(page, "error")
    assert page.locator("#monitor-source").evaluate("list => list.selectedIndex") == -1
    page.locator("#monitor-source").focus()
    page.keyboard.press("ArrowDown")
    wait_for_status(page, "playing")
    assert "source=demo_dataset" in page.url


def test_a_phase_can_be_jumped_to_again(open_page: OpenPage, demo: Server) -> None:
    page = open_page(f"{demo.url}/?tick=3")
    wait_for_tick(page, 3)
    for _ in range(2):
        page.locator("#monitor-jump").select_option("18")
        wait_for_tick(page, 18)
        page.keyboard.press("ArrowLeft")
        wait_for_tick(page, 17)


def test_an_unusual_speed_of_the_address_stands_in_its_list(open_page: OpenPage, demo: Server) -> None:
    page = open_page(f"{demo.url}/?tick=3&speed=7")
    wait_for_tick(page, 3)
    expect(page.locator("#monitor-speed")).to_have_value("7")


def test_an_unknown_server_of_the_address_is_told_until_another_is_chosen(open_page: OpenPage, demo: Server) -> None:
    page = open_page(f"{demo.url}/?tick=30&server=nobody")
    wait_for_tick(page, 30)
    page.wait_for_timeout(1500)
    expect(page.locator("#monitor-banner")).to_contain_text("no server 'nobody'")


def test_after_a_click_the_space_bar_still_plays(open_page: OpenPage, demo: Server) -> None:
    page = open_page(f"{demo.url}/?tick=3&model=scripted")
    wait_for_tick(page, 3)
    page.locator("#monitor-forward").click()
    wait_for_tick(page, 4)
    page.keyboard.press(" ")
    wait_for_status(page, "playing")


@pytest.mark.parametrize("width", [390, 1440])
def test_a_servers_panel_hides_neither_the_status_nor_what_answered(
    open_page: OpenPage, demo: Server, width: int
) -> None:
    size = {"width": width, "height": 900}
    page = open_page(f"{demo.url}/?tick=32&model=scripted&server=web-001", viewport=size)
    wait_for_tick(page, 32)
    for words in ("Paused", "reads the script", "imulated data"):
        found = page.get_by_text(words, exact=False).all()
        assert any(
            one.evaluate("e => { const b = e.getBoundingClientRect();"
                         " const top = document.elementFromPoint(b.x + b.width / 2, b.y + b.height / 2);"
                         " return top !== null && (e.contains(top) || top.contains(e)) && b.width > 0; }")
            for one in found
        ), words  # fmt: skip
