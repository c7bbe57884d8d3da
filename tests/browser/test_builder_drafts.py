"""What is not saved: over reloads, closed tabs and other pages; and two people who save the same scenario."""

from __future__ import annotations

import pytest
from browser.builder_hands import SECOND, act, document, drawn, field, key_of, open_builder, save
from browser.conftest import OpenPage
from playwright.sync_api import Page, Route, expect
from support.serving import Server

BAR = "#builder-draft"


def title(page: Page) -> str:
    return field(page, "metadata.title").input_value()


def another_tab(page: Page) -> Page:
    """The same address in another tab of the same browser."""
    tab = page.context.new_page()
    tab.on("console", lambda message: page.complaints.append(message.text))
    tab.goto(page.url)
    drawn(tab)
    return tab


def in_conflict(open_page: OpenPage, server: Server, name: str) -> tuple[Page, str]:
    """Ben's page, whose save was refused because Anna was faster; the scenario's key."""
    anna = open_builder(open_page, server, "new?from=critical")
    field(anna, "metadata.name").fill(name)
    key = save(anna)
    ben = open_builder(open_page, server, key)
    field(anna, "metadata.title").fill("Anna's title")
    anna.keyboard.press("Control+s")
    expect(anna.locator("#builder-status")).to_have_text("Saved, version 2")
    field(ben, "metadata.title").fill("Ben's title")
    ben.keyboard.press("Control+s")
    expect(ben.locator("#builder-conflict")).to_contain_text("Anna's title")
    expect(ben.locator("#builder-conflict")).to_contain_text("Ben's title")
    return ben, key


def test_unsaved_changes_survive_a_reload(open_page: OpenPage, demo: Server) -> None:
    page = open_builder(open_page, demo, "new?from=healthy")
    field(page, "metadata.title").fill("Half done")
    page.reload()
    expect(field(page, "metadata.title")).to_have_value("Half done")
    expect(page.locator(BAR)).to_contain_text("Unsaved changes")
    act(page, "discard-draft").click()
    expect(field(page, "metadata.title")).to_have_value("Healthy fleet")
    page.reload()
    expect(field(page, "metadata.title")).to_have_value("Healthy fleet")
    expect(page.locator(BAR)).to_be_empty()


def test_unsaved_changes_survive_another_page_and_a_closed_tab(open_page: OpenPage, demo: Server) -> None:
    page = open_builder(open_page, demo, "new?from=critical")
    field(page, "metadata.title").fill("Written just before leaving")
    page.locator("nav").get_by_role("link", name="Datasets").click()
    page.wait_for_url("**/datasets")
    page.go_back()
    expect(field(page, "metadata.title")).to_have_value("Written just before leaving")
    field(page, "metadata.title").fill("Written just before closing")
    context, address = page.context, page.url
    page.close(run_before_unload=False)
    again = context.new_page()
    again.goto(address)
    expect(field(again, "metadata.title")).to_have_value("Written just before closing")


def test_two_tabs_keep_a_draft_each(open_page: OpenPage, demo: Server) -> None:
    one = open_builder(open_page, demo, "new")
    field(one, "metadata.title").fill("In the first tab")
    one.wait_for_timeout(400)
    two = another_tab(one)
    assert title(two) == "New drill"
    expect(two.locator(BAR)).to_contain_text("Other unsaved changes")
    field(two, "metadata.title").fill("In the second tab")
    for page in (one, two):
        page.reload()
    expect(field(one, "metadata.title")).to_have_value("In the first tab")
    expect(field(two, "metadata.title")).to_have_value("In the second tab")


@pytest.mark.parametrize("way", ["reload", "away and back"])
def test_an_open_conflict_is_there_again(open_page: OpenPage, demo: Server, way: str) -> None:
    ben, key = in_conflict(open_page, demo, f"again-{way.replace(' ', '-')}")
    if way == "reload":
        ben.reload()
    else:
        ben.locator("nav").get_by_role("link", name="Scenarios").click()
        ben.wait_for_url("**/scenarios")
        ben.go_back()
    expect(field(ben, "metadata.title")).to_have_value("Ben's title")
    expect(ben.locator("#builder-conflict")).to_contain_text("Anna's title")
    expect(ben.locator("#builder-conflict")).to_contain_text("Ben's title")
    assert document(demo, key)["document"]["metadata"]["title"] == "Anna's title"
    ben.get_by_role("button", name="Save mine over theirs").click()
    expect(ben.locator("#builder-status")).to_have_text("Saved, version 3")
    expect(ben.locator("#builder-conflict")).to_be_empty()
    assert document(demo, key)["document"]["metadata"]["title"] == "Ben's title"


def test_mine_is_saved_as_a_copy_of_its_own(open_page: OpenPage, demo: Server) -> None:
    ben, key = in_conflict(open_page, demo, "shared")
    ben.get_by_role("button", name="Save mine as a copy").click()
    ben.wait_for_function(f"!location.pathname.endsWith('/{key}')", timeout=10 * SECOND)
    assert document(demo, key_of(ben))["document"]["metadata"]["title"] == "Ben's title"
    assert document(demo, key)["document"]["metadata"]["title"] == "Anna's title"


def test_theirs_is_taken_and_mine_is_fetched_back_after_a_reload(open_page: OpenPage, demo: Server) -> None:
    ben, key = in_conflict(open_page, demo, "taken")
    ben.get_by_role("button", name="Take theirs").click()
    expect(field(ben, "metadata.title")).to_have_value("Anna's title")
    expect(ben.locator("#builder-status")).to_have_text("Saved, version 2")
    ben.reload()
    expect(field(ben, "metadata.title")).to_have_value("Anna's title")
    expect(ben.locator(BAR)).to_contain_text("put aside")
    ben.get_by_role("button", name="Bring them back").click()
    expect(field(ben, "metadata.title")).to_have_value("Ben's title")
    expect(ben.locator("#builder-conflict")).to_contain_text("Anna's title")
    ben.keyboard.press("Control+s")
    expect(ben.locator("#builder-conflict .conflict")).to_be_focused()
    assert document(demo, key)["document"]["metadata"]["title"] == "Anna's title"


def test_a_discarded_draft_is_followed_by_a_save_of_the_version_in_force(open_page: OpenPage, demo: Server) -> None:
    ben, key = in_conflict(open_page, demo, "discarded")
    ben.reload()
    expect(ben.locator("#builder-conflict")).to_contain_text("Anna's title")
    act(ben, "discard-draft").click()
    expect(field(ben, "metadata.title")).to_have_value("Anna's title")
    expect(ben.locator("#builder-conflict")).to_be_empty()
    field(ben, "metadata.title").fill("After Anna")
    ben.keyboard.press("Control+s")
    expect(ben.locator("#builder-status")).to_have_text("Saved, version 3")
    assert document(demo, key)["document"]["metadata"]["title"] == "After Anna"


def test_a_browser_that_keeps_nothing_says_so_and_asks_before_it_is_left(open_page: OpenPage, demo: Server) -> None:
    page = open_builder(open_page, demo, "new?from=degrading")
    page.evaluate("() => { Storage.prototype.setItem = () => { throw new Error('full'); }; }")
    field(page, "metadata.title").click()
    page.keyboard.type("Not kept")
    expect(page.locator("#builder-status")).to_contain_text("save before you leave")
    asked: list[str] = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    page.reload()
    assert asked == ["beforeunload"]


def losing(page: Page, act_of: str, *, times: int) -> None:
    """Let the browser get no answer to the first ``times`` requests for ``act_of``; the server has them."""
    lost: list[Route] = []

    def lose(route: Route) -> None:
        is_it = f'"act":"{act_of}"' in (route.request.post_data or "") and len(lost) < times
        if is_it:
            lost.append(route)
            route.fetch()
        route.fulfill(status=204) if is_it else route.continue_()

    page.route("**/_dash-update-component*", lose)


def test_a_save_does_not_wait_for_ever_behind_an_answer_that_was_lost(open_page: OpenPage, demo: Server) -> None:
    page = open_builder(open_page, demo, "new?from=healthy")
    losing(page, "text", times=9)
    field(page, "metadata.title").fill("Saved all the same")
    with page.expect_response(lambda answer: answer.status == 204):
        page.get_by_role("tab", name="Document").click()
    act(page, "save").click()
    expect(page.locator("#builder-status")).to_have_text("Saved, version 1", timeout=20_000)


def test_a_save_whose_answer_was_lost_is_asked_for_again_and_is_no_conflict(open_page: OpenPage, demo: Server) -> None:
    page = open_builder(open_page, demo, "new?from=healthy")
    field(page, "metadata.name").fill("asked-again")
    key = save(page)
    losing(page, "save", times=1)
    field(page, "metadata.title").fill("Said once")
    page.keyboard.press("Control+s")
    field(page, "metadata.title").fill("Written since")
    expect(page.locator("#builder-status")).to_have_text("Saving…")
    expect(page.locator("#builder-status")).to_have_text("Unsaved changes", timeout=20_000)
    assert document(demo, key)["document"]["metadata"]["title"] == "Said once"
    page.keyboard.press("Control+s")
    expect(page.locator("#builder-status")).to_have_text("Saved, version 3")
    expect(page.locator("#builder-conflict")).to_be_empty()


def test_a_save_that_is_never_answered_says_so(open_page: OpenPage, demo: Server) -> None:
    page = open_builder(open_page, demo, "new?from=healthy")
    losing(page, "save", times=1)
    page.keyboard.press("Control+s")
    expect(page.locator("#builder-status")).to_contain_text("No answer to saving", timeout=20_000)


def test_a_save_just_before_the_page_is_drawn_again_is_told_all_the_same(open_page: OpenPage, demo: Server) -> None:
    ben, key = in_conflict(open_page, demo, "drawn-again")
    held: list[Route] = []

    def hold(route: Route) -> None:
        is_page = "_pages_content" in (route.request.post_data or "")
        held.append(route) if is_page else route.continue_()

    ben.route("**/_dash-update-component*", hold)
    ben.locator("nav").get_by_role("link", name="Scenarios").click()
    ben.wait_for_url("**/scenarios")
    ben.go_back()
    ben.wait_for_timeout(300)
    assert held
    with ben.expect_request("**/_dash-update-component*"):
        ben.get_by_role("button", name="Save mine over theirs").click()
    for route in held:
        route.continue_()
    expect(ben.locator("#builder-status")).to_have_text("Saved, version 3")
    expect(ben.locator("#builder-conflict")).to_be_empty()
    field(ben, "metadata.title").fill("Ben's second title")
    ben.keyboard.press("Control+s")
    expect(ben.locator("#builder-status")).to_have_text("Saved, version 4")
    assert document(demo, key)["document"]["metadata"]["title"] == "Ben's second title"
