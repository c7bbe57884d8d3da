"""The library of scenarios in a real browser."""

from __future__ import annotations

import json
import urllib.request

import pytest
from browser.conftest import OpenPage
from playwright.sync_api import Locator, Page, expect
from support.serving import Server, get

from tft_dash.scenarios.library import preset_names

SECOND = 1000


def open_library(open_page: OpenPage, server: Server, **options: object) -> Page:
    page = open_page(f"{server.url}/scenarios", **options)
    expect(page.locator("#scenarios-filter [data-shelf=preset] .tab-count")).to_have_text(str(len(preset_names())))
    return page


def card(page: Page, key: str) -> Locator:
    return page.locator(f"#scenarios-list [data-key='{key}']")


def duplicate(page: Page, key: str) -> str:
    """The key of a copy made by the card's button."""
    before = page.locator("#scenarios-list li").count()
    card(page, key).get_by_role("button", name="Duplicate").click()
    expect(page.locator("#scenarios-list li")).to_have_count(before + 1)
    return page.locator("#scenarios-list li").first.get_attribute("data-key") or ""


def post(url: str) -> bytes:
    with urllib.request.urlopen(urllib.request.Request(url, method="POST"), timeout=20) as answer:
        return bytes(answer.read())


def test_search_and_shelves_choose_the_cards(open_page: OpenPage, demo: Server) -> None:
    page = open_library(open_page, demo)
    page.get_by_label("Search").fill("memory LEAK")
    expect(card(page, "memory-leak")).to_be_visible()
    expect(card(page, "cascade")).to_be_hidden()
    page.get_by_label("Search").fill("no such drill")
    expect(page.locator("#scenarios-found")).to_contain_text("Nothing here matches “no such drill”.")
    page.get_by_role("button", name="Clear the search").click()
    expect(page.get_by_label("Search")).to_be_focused()
    page.get_by_role("button", name="Presets").click()
    expect(card(page, "cascade")).to_be_visible()
    page.get_by_role("button", name="Archived").click()
    expect(card(page, "cascade")).to_be_hidden()


def test_a_drill_is_duplicated_renamed_archived_and_brought_back(open_page: OpenPage, demo: Server) -> None:
    page = open_library(open_page, demo)
    key = duplicate(page, "healthy")
    own = card(page, key)
    own.get_by_role("button", name="Rename").click()
    title = own.get_by_label("Title")
    expect(title).to_be_focused()
    title.fill("A <b>calm</b> day")
    page.keyboard.press("Enter")
    expect(own.locator(".library-name")).to_have_text("A <b>calm</b> day")
    own.get_by_role("button", name="Archive").click()
    expect(own).to_be_hidden()
    page.get_by_role("button", name="Archived").click()
    own.get_by_role("button", name="Take out of the archive").click()
    page.get_by_role("button", name="All", exact=False).first.click()
    expect(own).to_be_visible()


def test_a_deletion_is_undone_at_once_or_later_and_by_anybody(open_page: OpenPage, demo: Server) -> None:
    page = open_library(open_page, demo)
    key = duplicate(page, "degrading")
    card(page, key).get_by_role("button", name="Delete").click()
    expect(card(page, key)).to_be_hidden()
    page.locator("#scenarios-toast").get_by_role("button", name="Undo").click()
    expect(card(page, key)).to_be_visible()
    card(page, key).get_by_role("button", name="Delete").click()
    expect(card(page, key)).to_be_hidden()
    page.keyboard.press("Control+z")
    expect(card(page, key)).to_be_visible()
    card(page, key).get_by_role("button", name="Delete").click()
    expect(card(page, key)).to_be_hidden()
    other = open_library(open_page, demo)
    other.get_by_role("button", name="Deleted").click()
    card(other, key).get_by_role("button", name="Bring back").click()
    expect(card(page, key)).to_be_visible(timeout=20 * SECOND)
    assert get(f"{demo.url}/api/v1/scenarios/{key}")[0] == 200


def test_what_is_done_in_quick_succession_is_done_in_turn(open_page: OpenPage, demo: Server) -> None:
    page = open_library(open_page, demo)
    keys = [duplicate(page, "memory-leak") for _ in range(3)]
    for key in keys:
        card(page, key).get_by_role("button", name="Delete").click()
    for key in keys:
        expect(card(page, key)).to_be_hidden()
    page.get_by_role("button", name="Deleted").click()
    for key in keys:
        expect(card(page, key)).to_be_visible()


def test_what_others_do_is_seen_without_a_reload_and_disturbs_nobody(open_page: OpenPage, demo: Server) -> None:
    page = open_library(open_page, demo)
    mine = duplicate(page, "critical")
    card(page, mine).get_by_role("button", name="Rename").click()
    card(page, mine).get_by_role("textbox", name="Title").fill("Half a ti")
    theirs = json.loads(post(f"{demo.url}/api/v1/scenarios/critical/duplicate"))["key"]
    expect(card(page, theirs)).to_be_visible(timeout=20 * SECOND)
    expect(card(page, mine).get_by_role("textbox", name="Title")).to_have_value("Half a ti")
    expect(card(page, mine).get_by_role("textbox", name="Title")).to_be_focused()


def test_a_name_that_is_not_possible_is_told_beside_it(open_page: OpenPage, demo: Server) -> None:
    page = open_library(open_page, demo)
    own = card(page, duplicate(page, "healthy"))
    own.get_by_role("button", name="Rename").press("Enter")
    own.get_by_role("textbox", name="Name").fill("Not a name!")
    page.keyboard.press("Enter")
    expect(own.get_by_role("alert")).to_contain_text("The name must be")
    expect(own.get_by_role("textbox", name="Name")).to_have_value("Not a name!")
    page.keyboard.press("Escape")
    expect(own.get_by_role("button", name="Rename")).to_be_focused()


def test_a_card_tells_of_changes_that_are_not_saved(open_page: OpenPage, demo: Server) -> None:
    page = open_library(open_page, demo)
    expect(card(page, "critical").locator("[data-draft-of]")).to_be_hidden()
    card(page, "critical").get_by_role("link", name="Open").click()
    title = page.get_by_label("Title", exact=True)
    title.fill("Changed")
    page.locator(".back-link").click()
    expect(card(page, "critical").locator("[data-draft-of]")).to_be_visible()


def test_who_comes_back_from_a_scenario_finds_the_search_as_it_was(open_page: OpenPage, demo: Server) -> None:
    page = open_library(open_page, demo)
    page.get_by_label("Search").fill("CASCADÉ")
    page.get_by_role("button", name="Presets").click()
    card(page, "cascade").get_by_role("link", name="Open").click()
    page.locator(".tl-point").first.wait_for(timeout=20 * SECOND)
    page.go_back()
    expect(page.get_by_label("Search")).to_have_value("CASCADÉ")
    expect(card(page, "cascade")).to_be_visible()
    expect(card(page, "healthy")).to_be_hidden()


def test_a_dropped_file_with_mistakes_is_refused_with_each_of_them(open_page: OpenPage, demo: Server) -> None:
    page = open_library(open_page, demo)
    page.evaluate(
        """() => {
          const files = new DataTransfer();
          files.items.add(new File(["kind: Scenario\\nspec: {clock: {duration: soon}}"], "mine.yaml"));
          document.querySelector("#scenarios-page").dispatchEvent(
            new DragEvent("drop", { bubbles: true, cancelable: true, dataTransfer: files }));
        }"""
    )
    note = page.locator("#scenarios-note")
    for words in ("mine.yaml was not imported", "spec.clock.duration", "metadata"):
        expect(note).to_contain_text(words)
    note.get_by_role("button", name="Dismiss").click()
    expect(note).to_be_empty()


def test_who_saves_is_kept_and_told(open_page: OpenPage, demo: Server) -> None:
    page = open_library(open_page, demo)
    page.get_by_label("Your name").fill("Zoë")
    key = duplicate(page, "early-warning")
    expect(card(page, key)).to_contain_text("by Zoë")
    page.reload()
    expect(page.get_by_label("Your name")).to_have_value("Zoë")


def test_a_server_that_does_not_answer_is_told_until_it_does(open_page: OpenPage, demo: Server) -> None:
    page = open_library(open_page, demo)
    page.context.set_offline(True)
    expect(page.locator("#scenarios-toast")).to_contain_text("The server does not answer", timeout=40 * SECOND)
    page.complaints.clear()  # the browser and Dash themselves tell of each request that fails
    page.context.set_offline(False)
    expect(page.locator("#scenarios-toast")).to_be_empty(timeout=40 * SECOND)
    page.complaints.clear()


@pytest.mark.parametrize("width", [390, 1440])
def test_the_library_fits_its_window(open_page: OpenPage, demo: Server, width: int) -> None:
    page = open_library(open_page, demo, viewport={"width": width, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") <= width
