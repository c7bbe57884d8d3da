"""What axe-core finds on every page, light and dark, wide and narrow; and that no page needs a mouse."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from browser.conftest import OpenPage
from playwright.sync_api import Page, expect
from support.serving import Server

PAGES = {
    "live monitor": ("/?tick=36", "#monitor-trend .nsewdrag"),
    "live monitor, a server's panel": ("/?tick=36&server=web-001", "#monitor-server-figure .nsewdrag"),
    "live monitor, the end": ("/?tick=59", "#monitor-summary .summary"),
    "live monitor, an error": ("/?source=nowhere", ".banner"),
    "scenarios": ("/scenarios", "main h1"),
    "builder": ("/scenarios/cascade", ".tl-point"),
    "builder, a new drill": ("/scenarios/new", ".tl-point"),
    "builder, nothing there": ("/scenarios/nothing", "main h1"),
    "datasets": ("/datasets", "main h1"),
    "inspector": ("/datasets/demo_dataset", ".ag-row"),
    "inspector, nothing there": ("/datasets/nothing", "#dataset-verdict > *"),
    "compare": ("/compare?a=demo_dataset&am=thresholds&b=demo_dataset&bm=scripted&at=180", ".compare-table"),
    "compare, two drills": ("/compare?a=demo_dataset&b=early-warning&bm=thresholds&at=600", ".compare-over"),
    "compare, an error": ("/compare?a=nowhere&b=demo_dataset", ".banner"),
    "no page": ("/nothing-here", ".nowhere"),
    "models": ("/models", "main .model-card"),
    "live monitor, a server's forecast": (
        "/?source=early-warning&model=tft&tick=100&server=web-001",
        "#monitor-forecast-words .forecast-chances",
    ),
}
"""Name → address, and what is there once the page is drawn."""

LOOKS = (("light", 1440), ("dark", 390))
"""Each theme and each width once: the colours do not depend on the width."""
STANDARDS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa")
GRAVE = ("serious", "critical")
WIDER = "document.documentElement.scrollWidth > window.innerWidth"


def violations(page: Page, *tags: str) -> list[dict[str, Any]]:
    """What axe-core finds wrong by the rules of these standards."""
    options = {"runOnly": {"type": "tag", "values": list(tags)}, "resultTypes": ["violations"]}
    return list(Axe().run(page, options=options).response["violations"])


def told(found: list[dict[str, Any]]) -> list[str]:
    """Violations as one line per element."""
    return [f"{one['id']} ({one['impact']}): {node['target']} {node['failureSummary']}"
            for one in found for node in one["nodes"]]  # fmt: skip


@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_no_serious_fault(open_page: OpenPage, demo: Server, name: str) -> None:
    address, sign = PAGES[name]
    page = open_page(demo.url + address)
    page.locator(sign).first.wait_for(timeout=20_000, state="attached")
    demand_no_serious_fault(page, LOOKS)


def demand_no_serious_fault(page: Page, looks: Sequence[tuple[str, int]]) -> None:
    for theme, width in looks:
        page.emulate_media(color_scheme=theme)
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_function(f"document.documentElement.dataset.bsTheme === '{theme}'")
        page.wait_for_timeout(300)
        found = [one for one in violations(page, *STANDARDS) if one["impact"] in GRAVE]
        assert told(found) == [], f"{theme}, {width} px"
        assert page.evaluate(WIDER) is False, f"{theme}, {width} px"


def drop(page: Page, place: str, **files: str) -> None:
    """Drop files of these texts; an underscore in a name stands for its dot."""
    page.evaluate(
        """([place, files]) => {
          const dropped = new DataTransfer();
          for (const [name, text] of files) dropped.items.add(new File([text], name));
          document.querySelector(place).dispatchEvent(
            new DragEvent("drop", { bubbles: true, cancelable: true, dataTransfer: dropped }));
        }""",
        [place, [[name.replace("_", "."), text] for name, text in files.items()]],
    )


def test_axe_finds_no_serious_fault_in_what_opens_on_the_library(open_page: OpenPage, demo: Server) -> None:
    page = open_page(f"{demo.url}/scenarios")
    page.locator("li[data-key=healthy]").get_by_role("button", name="Duplicate").click()
    page.locator("#scenarios-toast a").wait_for()
    page.locator("li[data-shelf=own]").get_by_role("button", name="Delete").first.click()
    page.locator("#scenarios-toast").get_by_role("button", name="Undo").wait_for()
    drop(page, "#scenarios-page", mine_yaml="kind: Scenario", other_json="{")
    page.locator("#scenarios-note .banner").nth(1).wait_for()
    page.locator("li[data-key=cascade]").get_by_role("button", name="Duplicate").click()
    own = page.locator("li[data-shelf=own]").first
    own.get_by_role("button", name="Rename").click()
    own.get_by_role("textbox", name="Name").fill("Not a name!")
    page.keyboard.press("Enter")
    expect(own.get_by_role("alert")).not_to_be_empty()
    page.locator("li[data-key=cascade] summary").click()
    demand_no_serious_fault(page, LOOKS)
    page.keyboard.press("Escape")
    page.locator("#scenarios-filter [data-shelf=deleted]").click()
    demand_no_serious_fault(page, LOOKS[:1])
    page.get_by_label("Search").fill("no such drill")
    demand_no_serious_fault(page, LOOKS)


def test_axe_finds_no_serious_fault_in_what_happens_to_files(open_page: OpenPage, demo: Server, drill: Path) -> None:
    page = open_page(f"{demo.url}/datasets")
    page.locator(".datasets-list").wait_for(timeout=20_000)
    drop(page, "main", page_csv="<!doctype html><html></html>", mine_csv=drill.read_text())
    page.locator(".upload-refused").wait_for(timeout=20_000)
    page.get_by_role("button", name="Remove mine").click(timeout=30_000)
    expect(page.get_by_role("button", name="Keep it")).to_be_visible()
    demand_no_serious_fault(page, LOOKS)
    page.locator("#datasets-remove-yes").click()
    expect(page.get_by_role("link", name="mine", exact=True)).to_have_count(0, timeout=20_000)
    page.get_by_label("Search the datasets").fill("no such dataset")
    expect(page.locator("#datasets-table")).to_contain_text("No dataset matches", timeout=20_000)
    demand_no_serious_fault(page, LOOKS)


def test_axe_sees_a_fault_that_is_there(open_page: OpenPage, demo: Server) -> None:
    page = open_page(f"{demo.url}/?tick=36")
    page.locator("#monitor-trend .nsewdrag").first.wait_for()
    page.evaluate("document.getElementById('monitor-play').removeAttribute('aria-label')")
    page.evaluate("document.getElementById('monitor-play').removeAttribute('title')")
    assert "button-name" in [one["id"] for one in violations(page, *STANDARDS)]


def drawn(page: Page) -> None:
    page.locator("#monitor-trend .nsewdrag").first.wait_for(timeout=20_000)


def test_the_navigation_says_which_page_is_open_and_the_title_names_it(open_page: OpenPage, demo: Server) -> None:
    page = open_page(f"{demo.url}/?tick=36")
    current = page.locator("nav [aria-current=page]")
    expect(current).to_have_text("Live monitor")
    page.get_by_role("link", name="Compare").click()
    expect(current).to_have_text("Compare")
    expect(page).to_have_title("Compare · tft_dash")
    page.go_back()
    expect(current).to_have_text("Live monitor")
    expect(page).to_have_title("tft_dash")


def test_a_page_that_is_come_to_takes_the_focus_and_starts_at_its_top(open_page: OpenPage, demo: Server) -> None:
    page = open_page(f"{demo.url}/?tick=36", viewport={"width": 390, "height": 700})
    drawn(page)
    assert page.evaluate("document.activeElement === document.body"), "the first page takes no focus"
    page.evaluate("window.scrollTo(0, 600)")
    page.get_by_role("link", name="Compare").press("Enter")
    page.wait_for_function("document.activeElement.tagName === 'H1'")
    assert page.evaluate("document.activeElement.textContent") == "Compare"
    assert page.evaluate("window.scrollY") == 0
    page.wait_for_function("document.documentElement.dataset.status === 'playing'")
    page.keyboard.press(" ")
    page.wait_for_function("document.documentElement.dataset.status === 'paused'")


def test_the_skip_link_leads_past_the_navigation(open_page: OpenPage, demo: Server) -> None:
    page = open_page(f"{demo.url}/?tick=36")
    drawn(page)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_every_control_is_reached_by_the_tab_key_and_shows_that_it_is(open_page: OpenPage, demo: Server) -> None:
    page = open_page(f"{demo.url}/?tick=36")
    drawn(page)
    reached, unmarked = set(), set()
    for _ in range(40):
        page.keyboard.press("Tab")
        found = page.evaluate(
            """() => {
                const one = document.activeElement, outlined = (e) => e && getComputedStyle(e).outlineStyle !== "none";
                const marked = outlined(one) || outlined(one.closest(".dash-input"));  // or the frame around a field
                return [one.id || one.title || one.className, marked && one !== document.body];
            }"""
        )
        reached.add(found[0])
        if found[0] and not found[1]:
            unmarked.add(found[0])
    for name in ("shell-theme", "monitor-source", "monitor-model", "monitor-server", "monitor-copy-link",
                 "monitor-scrubber", "monitor-play", "monitor-end", "monitor-speed", "monitor-jump"):  # fmt: skip
        assert name in reached
    assert unmarked == set()


def test_the_list_of_servers_opens_by_keyboard(open_page: OpenPage, demo: Server) -> None:
    page = open_page(f"{demo.url}/?tick=36")
    drawn(page)
    page.locator("#monitor-model").focus()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "monitor-server"
    page.keyboard.press("Enter")
    page.wait_for_function("document.querySelector('.dash-dropdown-content')?.contains(document.activeElement)")
    page.keyboard.type("cache-001")
    expect(page.locator(".dash-dropdown-content [role=option]")).to_have_count(1)
    page.keyboard.press("Enter")
    expect(page.locator("#monitor-server-panel")).to_be_visible()
    expect(page.locator("#monitor-server-title")).to_have_text("cache-001")


@pytest.mark.parametrize("name", PAGES)
def test_nothing_is_cut_off_in_the_narrowest_window(open_page: OpenPage, demo: Server, name: str) -> None:
    address, sign = PAGES[name]
    page = open_page(demo.url + address, viewport={"width": 320, "height": 256})  # 1280 × 1024 at 400 %
    page.locator(sign).first.wait_for(timeout=20_000, state="attached")
    assert page.evaluate(WIDER) is False
    for link in page.locator(".nav-pages a").all():
        box = link.bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 320


def test_motion_ends_where_it_is_not_wanted(open_page: OpenPage, demo: Server) -> None:
    page = open_page(f"{demo.url}/?tick=36", reduced_motion="reduce")
    drawn(page)
    moving = """[...document.querySelectorAll("*")].filter((one) => {
        const style = getComputedStyle(one);
        return style.animationName !== "none" || parseFloat(style.transitionDuration) > 0;
    }).map((one) => one.className)"""
    assert page.evaluate(moving) == []


def test_no_change_of_the_systems_theme_is_missed(open_page: OpenPage, demo: Server) -> None:
    page = open_page(f"{demo.url}/?tick=36", color_scheme="light")
    drawn(page)
    for theme in ("dark", "light") * 4:
        page.emulate_media(color_scheme=theme)
        page.wait_for_function(f"document.documentElement.dataset.bsTheme === '{theme}'", timeout=10_000)
