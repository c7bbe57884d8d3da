"""A live source in a real browser, served by four workers: followed, replayed, stale, silent in part, uncollected."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browser.conftest import OpenPage
from browser.test_live_monitor import SECOND, data_of, drag, wait_for_status
from playwright.sync_api import Page, expect
from support.live import World
from support.serving import Server, get, running

from tft_dash.live.feeds.memory import ManualClock
from tft_dash.store.engine import Store

STEP = 2.0
SOURCE = f"fleet=prometheus+http://127.0.0.1:9/?step={STEP:g}s"
RANGE = "document.querySelector('#monitor-trend .js-plotly-plot')._fullLayout.xaxis.range"


@dataclass
class Beat:
    """A fleet that reports in real time, and its collector; what it does can be changed at any time."""

    world: World
    servers: tuple[str, ...] = ("api-001", "db-001", "web-001")
    collected: bool = True
    stop: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        world, reported = self.world, 0.0
        collector = world.collector(delay=STEP)
        while not self.stop.wait(0.1):
            world.clock.set(np.datetime64(round(time.time() * 1000), "ms"))
            world.elapsed = time.monotonic()
            if time.time() - reported >= STEP / 2:
                reported = time.time()
                world.report(servers=self.servers)
            if self.collected:
                collector.round()
            else:
                collector.close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("live")


@pytest.fixture(scope="module")
def live_server(folder: Path) -> Iterator[Server]:
    with running("serve", SOURCE, "--workers", "4", folder=folder, TFT_DASH_COLLECT="0") as server:
        yield server


@pytest.fixture
def beat(folder: Path, live_server: Server) -> Iterator[Beat]:
    """A fleet that begins anew, with 20 ticks behind it."""
    store = Store(f"sqlite:///{folder}/data/store.sqlite")
    world = World(store, step=STEP, clock=ManualClock(np.datetime64(round(time.time() * 1000), "ms")))
    world.ticks.forget("fleet")
    made = Beat(world)
    for ago in range(20, 0, -1):
        world.report(servers=made.servers, ago=ago * STEP)
    thread = threading.Thread(target=made.run, daemon=True)
    thread.start()
    try:
        until(lambda: (world.ticks.state("fleet") is not None) and world.ticks.state("fleet").latest >= 15)
        yield made
    finally:
        made.stop.set()
        thread.join()
        store.close()


def until(so: Any, seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not so():
        assert time.monotonic() < end
        time.sleep(0.1)


def tick_shown(page: Page) -> int:
    return int(page.locator("#monitor-scrubber").input_value())


def wait_for_banner(page: Page, words: str, seconds: float = 20) -> None:
    expect(page.locator("#monitor-banner")).to_contain_text(words, timeout=seconds * SECOND)


def test_the_newest_tick_is_followed_with_the_zoom_kept_while_servers_come_and_go(
    open_page: OpenPage, live_server: Server, beat: Beat
) -> None:
    page = open_page(f"{live_server.url}/?source=fleet")
    wait_for_status(page, "live")
    assert "tick=" not in page.url
    drag(page, "trend", (0.2, 0.5), (0.6, 0.5))
    zoomed, first = page.evaluate(RANGE), tick_shown(page)
    beat.servers = (*beat.servers, "web-002")
    page.wait_for_function(f"Number(document.getElementById('monitor-scrubber').value) >= {first + 3}")
    expect(page.locator("#kpi-servers")).to_have_text("4 / 4", timeout=20 * SECOND)
    assert page.evaluate(RANGE) == zoomed
    assert len(data_of(page, "trend")[0]["y"]) > first


def test_an_earlier_moment_is_replayed_and_now_is_gone_back_to(
    open_page: OpenPage, live_server: Server, beat: Beat
) -> None:
    page = open_page(f"{live_server.url}/?source=fleet")
    wait_for_status(page, "live")
    expect(page.locator("#monitor-now")).to_be_hidden()
    page.locator("#monitor-at").fill("-20s")
    page.locator("#monitor-at").press("Enter")
    wait_for_status(page, "replaying")
    page.wait_for_function("location.search.includes('tick=')")
    frozen = tick_shown(page)
    status, body = get(f"{live_server.url}/api/v1/sources/fleet/ticks/{frozen}")
    assert status == 200
    told = json.loads(body)
    expect(page.locator("#kpi-progress")).to_have_text(told["timestamp"][11:19])
    page.wait_for_timeout(3 * STEP * SECOND)
    assert tick_shown(page) == frozen
    again = open_page(page.url)
    wait_for_status(again, "replaying")
    expect(again.locator("#kpi-progress")).to_have_text(told["timestamp"][11:19])
    page.locator("#monitor-now").click()
    wait_for_status(page, "live")
    assert "tick=" not in page.url
    page.locator("#monitor-at").fill("25:00")
    page.locator("#monitor-at").press("Enter")
    expect(page.locator("#monitor-at-note")).to_contain_text("no such time")
    wait_for_status(page, "live")


def test_a_replay_that_catches_up_follows_again(open_page: OpenPage, live_server: Server, beat: Beat) -> None:
    page = open_page(f"{live_server.url}/?source=fleet&tick=2&playing=0&speed=20")
    wait_for_status(page, "replaying")
    page.locator("#monitor-play").click()
    wait_for_status(page, "live")


def test_after_a_pause_it_goes_on_from_there(open_page: OpenPage, live_server: Server, beat: Beat) -> None:
    page = open_page(f"{live_server.url}/?source=fleet")
    wait_for_status(page, "live")
    page.keyboard.press("Space")
    wait_for_status(page, "replaying")
    shown = tick_shown(page)
    page.keyboard.press("Space")
    page.wait_for_function(f"Number(document.getElementById('monitor-scrubber').value) > {shown}", timeout=15 * SECOND)


def test_a_source_that_falls_silent_is_stale_within_two_ticks_and_nothing_of_it_looks_current(
    open_page: OpenPage, live_server: Server, beat: Beat
) -> None:
    page = open_page(f"{live_server.url}/?source=fleet")
    wait_for_status(page, "live")
    beat.world.feed.away = "Connection refused by metrics:9090. Is it running?"
    wait_for_status(page, "stale")
    wait_for_banner(page, "Connection refused by metrics:9090")
    expect(page.locator("#monitor-banner")).to_contain_text("It last answered at")
    age = page.locator("#monitor-status .status-age")
    expect(age).not_to_be_empty()
    before = age.inner_text()
    expect(age).not_to_have_text(before, timeout=5 * SECOND)
    assert "grayscale" in page.locator(".tiles").evaluate("e => getComputedStyle(e).filter")
    beat.world.feed.away = None
    wait_for_status(page, "live", 40)
    expect(page.locator("#monitor-banner")).to_be_empty()


def test_a_silent_server_is_grey_with_its_age(open_page: OpenPage, live_server: Server, beat: Beat) -> None:
    page = open_page(f"{live_server.url}/?source=fleet")
    wait_for_status(page, "live")
    beat.servers = ("api-001", "web-001")
    expect(page.locator("#kpi-servers")).to_have_text("2 / 3", timeout=20 * SECOND)
    expect(page.locator("#kpi-prob-30m-note")).to_contain_text("2/3 servers")
    assert any("silent" in text for text in data_of(page, "heatmap")[2]["text"])
    beat.servers = ()
    wait_for_status(page, "no-data")
    expect(page.locator("#kpi-health-word")).to_have_text("UNKNOWN")


def test_a_source_that_nobody_collects_is_told(open_page: OpenPage, live_server: Server, beat: Beat) -> None:
    page = open_page(f"{live_server.url}/?source=fleet", viewport={"width": 390, "height": 844}, color_scheme="dark")
    wait_for_status(page, "live")
    beat.collected = False
    wait_for_status(page, "stale")
    wait_for_banner(page, "Nobody collects this source", 40)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    beat.world.ticks.forget("fleet")
    wait_for_banner(page, "has not been collected yet")
    wait_for_status(page, "no-data")
    expect(page.locator("#kpi-prob-30m")).to_have_text("—")
