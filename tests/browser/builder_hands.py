"""How tests take hold of the scenario builder: its fields, its sliders, its keys and its mouse."""

from __future__ import annotations

import json
from typing import Any

from browser.conftest import OpenPage
from playwright.sync_api import FloatRect, Locator, Page
from support.serving import Server, get

SECOND = 1000
MOST_TABS = 160


def field(page: Page, path: str) -> Locator:
    """The control of one field of the document."""
    wanted = json.dumps({"path": path, "type": "builder-field"}, separators=(",", ":"))
    return page.locator(f"[id='{wanted}']")


def act(page: Page, name: str) -> Locator:
    """The button that does ``name``."""
    return page.locator(f"[data-act='{name}']").first


def slider(page: Page, words: str) -> Locator:
    """A handle of the timeline."""
    return page.locator(f"#builder-timeline [role=slider][aria-label='{words}']")


def drawn(page: Page) -> None:
    """Wait until form and preview are there."""
    field(page, "metadata.title").wait_for()
    page.locator("#builder-outlook .nsewdrag").first.wait_for()


def open_builder(open_page: OpenPage, server: Server, key: str, **options: object) -> Page:
    """The builder of ``key`` in a browser of its own."""
    page = open_page(f"{server.url}/scenarios/{key}", **options)
    drawn(page)
    return page


def key_of(page: Page) -> str:
    """The key in the page's address."""
    return page.url.split("?")[0].rsplit("/", 1)[1]


def save(page: Page) -> str:
    """Save under a key of its own; the key."""
    page.keyboard.press("Control+s")
    page.wait_for_function("!location.pathname.endsWith('/new')", timeout=10 * SECOND)
    return key_of(page)


def document(server: Server, key: str) -> dict[str, Any]:
    """The saved scenario as the interface gives it."""
    status, body = get(f"{server.url}/api/v1/scenarios/{key}")
    assert status == 200
    found: dict[str, Any] = json.loads(body)
    return found


def tab_to(page: Page, wanted: Locator, *, back: bool = False) -> None:
    """Go to a control by the tab key alone."""
    wanted.wait_for()
    for _ in range(MOST_TABS):
        if wanted.evaluate("one => one === document.activeElement"):
            return
        page.keyboard.press("Shift+Tab" if back else "Tab")
    raise AssertionError(f"the tab key does not reach {wanted}")


def type_into(page: Page, path: str, words: str, *, back: bool = False) -> None:
    """Reach a field by the tab key and write in it."""
    tab_to(page, field(page, path), back=back)
    page.keyboard.press("Control+a")
    page.keyboard.type(words)


def choose(page: Page, path: str, words: str) -> None:
    """Reach a list by the tab key and choose by the first letters of an option."""
    tab_to(page, field(page, path))
    page.keyboard.type(words)


def centre(handle: Locator) -> tuple[float, float]:
    """Where a pointer takes hold of a handle."""
    handle.scroll_into_view_if_needed()
    box = boxed(handle)
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def boxed(handle: Locator) -> FloatRect:
    """Where a handle is."""
    box = handle.bounding_box()
    assert box is not None
    return box


def drag(page: Page, handle: Locator, *, right: float = 0, down: float = 0) -> None:
    """Drag a handle by the mouse."""
    x, y = centre(handle)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + right, y + down, steps=6)
    page.mouse.up()
