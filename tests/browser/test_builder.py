"""The scenario builder in a real browser, served by four workers: from nothing to a drill that plays."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from browser.conftest import OpenPage
from playwright.sync_api import Locator, Page, expect
from support.serving import Server, get

SECOND = 1000


def field(page: Page, path: str) -> Locator:
    """The control of one field of the document."""
    wanted = json.dumps({"path": path, "type": "builder-field"}, separators=(",", ":"))
    return page.locator(f"[id='{wanted}']")


def act(page: Page, name: str) -> Locator:
    return page.locator(f"[data-act='{name}']").first


def open_builder(open_page: OpenPage, server: Server, key: str, **options: object) -> Page:
    page = open_page(f"{server.url}/scenarios/{key}", **options)
    field(page, "metadata.title").wait_for()
    page.locator("#builder-outlook .nsewdrag").first.wait_for()
    return page


def save(page: Page) -> str:
    """Save under a key of its own; the key."""
    page.keyboard.press("Control+s")
    page.wait_for_function("!location.pathname.endsWith('/new')", timeout=10 * SECOND)
    return page.url.split("?")[0].rsplit("/", 1)[1]


def document(server: Server, key: str) -> dict[str, Any]:
    status, body = get(f"{server.url}/api/v1/scenarios/{key}")
    assert status == 200
    found: dict[str, Any] = json.loads(body)
    return found


def test_a_drill_is_written_saved_run_and_watched_by_keyboard(open_page: OpenPage, demo: Server) -> None:
    page = open_builder(open_page, demo, "new?from=cascade")
    field(page, "metadata.name").fill("by-keyboard")
    field(page, "metadata.title").fill("Made by keyboard")
    expect(page.locator("h1")).to_have_text("Made by keyboard")
    key = save(page)
    assert key == "by-keyboard"
    assert document(demo, key)["document"]["metadata"]["title"] == "Made by keyboard"
    act(page, "run").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/?source=by-keyboard-*", timeout=30 * SECOND)
    page.wait_for_function("['playing','paused','ended'].includes(document.documentElement.dataset.status)")
    expect(page.locator("#monitor-simulated")).to_be_visible()
    expect(page.locator("#monitor-source")).to_have_value(page.url.split("source=")[1].split("&")[0])


def test_every_mistake_stands_beside_its_field_while_typing(open_page: OpenPage, demo: Server) -> None:
    page = open_builder(open_page, demo, "new?from=degrading")
    name = field(page, "metadata.name")
    name.fill("Not A Name")
    expect(name).to_have_attribute("aria-invalid", "true")
    told = page.locator(f"[id='{name.get_attribute('aria-describedby')}']")
    expect(told).to_contain_text("must be 1 to 64 of a–z")
    act(page, "run").click()
    expect(page.locator("#builder-page")).to_contain_text("Not run")
    assert "/scenarios/" in page.url
    name.focus()
    name.fill("Still Not A Name")
    assert name.evaluate("box => box === document.activeElement"), "typing lost the focus"
    name.fill("a-name")
    expect(name).not_to_have_attribute("aria-invalid", "true")


def test_the_timeline_and_the_fields_say_the_same(open_page: OpenPage, demo: Server) -> None:
    page = open_builder(open_page, demo, "new?from=cascade")
    page.get_by_role("tab", name="Phases").click()
    names = page.locator("#builder-timeline [role=slider]").evaluate_all("all => all.map(one => one.ariaLabel)")
    place = next(place for place, text in enumerate(names) if "stable" in text and "escalation" in text)
    border = page.locator("#builder-timeline [role=slider]").nth(place)
    border.focus()
    page.keyboard.press("ArrowRight")
    expect(field(page, "spec.phases[0].to")).to_have_value("2m5s")
    expect(field(page, "spec.phases[1].from")).to_have_value("2m5s")
    field(page, "spec.phases[0].to").fill("1m30s")
    box = page.locator("#builder-timeline [role=slider]").nth(place).bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + 120, box["y"] + box["height"] / 2, steps=6)
    page.mouse.up()
    dragged = field(page, "spec.phases[1].from").input_value()
    assert dragged not in ("1m30s", "2m5s")
    assert field(page, "spec.phases[0].to").input_value() == dragged


def test_unsaved_changes_survive_a_reload(open_page: OpenPage, demo: Server) -> None:
    page = open_builder(open_page, demo, "new?from=healthy")
    field(page, "metadata.title").fill("Half done")
    page.wait_for_timeout(300)
    page.reload()
    expect(field(page, "metadata.title")).to_have_value("Half done")
    expect(page.locator("#builder-draft")).to_contain_text("Unsaved changes")
    act(page, "discard-draft").click()
    expect(field(page, "metadata.title")).to_have_value("Healthy fleet")


def test_two_people_save_one_drill_and_nothing_is_lost(open_page: OpenPage, demo: Server) -> None:
    first = open_builder(open_page, demo, "new?from=critical")
    field(first, "metadata.name").fill("shared")
    key = save(first)
    second = open_builder(open_page, demo, key)
    field(first, "metadata.title").fill("Anna's title")
    first.keyboard.press("Control+s")
    expect(first.locator("#builder-status")).to_contain_text("version 2", ignore_case=True)
    field(second, "metadata.title").fill("Ben's title")
    second.keyboard.press("Control+s")
    conflict = second.locator("#builder-conflict")
    expect(conflict).to_contain_text("Anna's title")
    expect(conflict).to_contain_text("Ben's title")
    assert document(demo, key)["document"]["metadata"]["title"] == "Anna's title"
    conflict.get_by_role("button", name="Save mine as a copy").click()
    second.wait_for_function(f"!location.pathname.endsWith('/{key}')", timeout=10 * SECOND)
    other = second.url.split("?")[0].rsplit("/", 1)[1]
    assert document(demo, other)["document"]["metadata"]["title"] == "Ben's title"
    assert document(demo, key)["document"]["metadata"]["title"] == "Anna's title"


def test_an_exported_drill_is_imported_with_the_same_bytes(open_page: OpenPage, demo: Server, tmp_path: Path) -> None:
    page = open_page(f"{demo.url}/scenarios")
    status, exported = get(f"{demo.url}/api/v1/scenarios/cascade?format=yaml")
    assert status == 200
    assert yaml.safe_load(exported)["metadata"]["name"] == "cascade"
    file = tmp_path / "cascade.yaml"
    file.write_bytes(exported)
    with page.expect_file_chooser() as chooser:
        page.get_by_text("Import", exact=True).first.click()
    chooser.value.set_files(str(file))
    card = page.locator("[data-key^='cascade-']").first
    card.wait_for()
    again = get(f"{demo.url}/api/v1/scenarios/{card.get_attribute('data-key')}?format=yaml")
    assert again == (200, exported)


@pytest.mark.parametrize("width", [390, 1440])
def test_the_builder_fits_its_window(open_page: OpenPage, demo: Server, width: int) -> None:
    page = open_builder(open_page, demo, "early-warning", viewport={"width": width, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") <= width
