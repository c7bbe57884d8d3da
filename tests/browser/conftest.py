"""A real Chromium against a real server with four workers; the console must stay empty."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from support.serving import Server, running

CHROMIUM = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--hide-scrollbars")  # fmt: skip

PATIENCE_MS = 30_000
expect.set_options(timeout=PATIENCE_MS)  # two browsers and their servers share the cores of a small machine

OpenPage = Callable[..., Page]


def is_own(url: str) -> bool:
    """Whether an address is the server's own, or none at all."""
    return url.startswith(("http://127.0.0.1:", "data:", "blob:"))


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium, headless; the tests are skipped where there is none, save in CI."""
    found = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if found is None:
        reason = f"no browser: none of {', '.join(CHROMIUM)} is on the PATH"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=found, args=list(FLAGS))
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The default drill and its companion, a tick every quarter second."""
    folder = tmp_path_factory.mktemp("demo")
    with running("demo", "--workers", "4", "--refresh", "0.25", folder=folder) as server:
        yield server


@pytest.fixture
def open_page(browser: Browser) -> Iterator[OpenPage]:
    """Opens addresses in fresh contexts; no page may write to its console or ask anything of another host."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def open_(url: str, **options: object) -> Page:
        context = browser.new_context(**{"viewport": {"width": 1440, "height": 900}, **options})
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: complaints.append(f"error: {error}"))
        page.on("request", lambda request: None if is_own(request.url) else complaints.append(f"asked {request.url}"))
        page.goto(url)
        page.complaints = complaints  # a test that breaks the server on purpose clears the list
        return page

    yield open_
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture(scope="session")
def drill() -> Path:
    """The shipped default drill."""
    return Path(__file__).parents[2] / "demo_data" / "demo_dataset.csv"
