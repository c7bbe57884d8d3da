"""The builder in its unusual states: what axe-core finds, and whether it fits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from browser.builder_hands import act, field, open_builder, save
from browser.conftest import OpenPage
from browser.test_accessibility import GRAVE, LOOKS, STANDARDS, WIDER, told, violations
from playwright.sync_api import Page, expect
from support.serving import Server

HOSTILE = '<script>alert(1)</script><img src=x onerror="alert(2)"> '


def with_mistakes(page: Page) -> None:
    """Mistakes in every part of the form, and one that has no field."""
    field(page, "metadata.name").fill("Not A Name")
    for name, path, wrong in (
        ("Fleet", "spec.fleet.profiles[0].count", "many"),
        ("Phases", "spec.phases[1].to", "never"),
        ("Clock and seed", "spec.seed", "-1"),
        ("Faults", "spec.faults[0].lag", "later"),
    ):
        page.get_by_role("tab", name=name).click()
        field(page, path).fill(wrong)
    expect(field(page, "spec.faults[0].lag")).to_have_attribute("aria-invalid", "true")


def with_a_refused_text(page: Page) -> None:
    page.get_by_role("tab", name="Document").click()
    page.locator("#builder-text").fill("kind: [")
    page.get_by_role("button", name="Apply").click()
    expect(page.locator("#builder-text-problems")).to_contain_text("not applied")


def with_a_broken_expectation(page: Page) -> None:
    field(page, "spec.expect[3].above").fill("0.99")
    expect(page.locator(".outcomes .judged-red")).to_have_count(1)
    expect(page.locator("[data-outcome='3']")).to_contain_text("broken, measured 0.")


def with_its_menu_open(page: Page) -> None:
    page.locator(".menu-of summary").click()
    expect(act(page, "export-yaml")).to_be_visible()


def with_a_draft(page: Page) -> None:
    field(page, "metadata.title").fill(HOSTILE + "a title that is far too long for any window " * 2)
    page.reload()
    expect(page.locator("#builder-draft")).to_contain_text("Unsaved changes")
    page.locator("#builder-outlook .nsewdrag").first.wait_for()


def with_a_large_fleet(page: Page) -> None:
    page.get_by_role("tab", name="Fleet").click()
    field(page, "spec.fleet.profiles[0].count").fill("1000")
    expect(page.locator("#builder-notice")).to_contain_text("Reduced preview")


def with_a_cancelled_run(page: Page) -> None:
    page.get_by_role("tab", name="Clock and seed").click()
    field(page, "spec.clock.duration").fill("10d")
    page.get_by_role("tab", name="Phases").click()
    page.get_by_role("button", name="Back to the usual story").click()
    page.get_by_role("tab", name="Story").click()
    expect(page.locator(".mistakes")).to_be_hidden()
    act(page, "run").click()
    expect(page.get_by_role("progressbar")).to_be_visible()
    act(page, "cancel-run").click()
    expect(page.locator("#builder-run-words")).to_contain_text("cancelled", timeout=20_000)


STATES: dict[str, Callable[[Page], None]] = {
    "mistakes": with_mistakes,
    "a refused text": with_a_refused_text,
    "a broken expectation": with_a_broken_expectation,
    "its menu open": with_its_menu_open,
    "a draft with a hostile title": with_a_draft,
    "a large fleet": with_a_large_fleet,
    "a cancelled run": with_a_cancelled_run,
}


def found_wrong(page: Page) -> list[str]:
    """What axe-core finds in every look, and what does not fit."""
    found: list[str] = []
    for theme, width in LOOKS:
        page.emulate_media(color_scheme=theme)
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_function(f"document.documentElement.dataset.bsTheme === '{theme}'")
        page.wait_for_timeout(300)
        grave: list[dict[str, Any]] = [one for one in violations(page, *STANDARDS) if one["impact"] in GRAVE]
        found += [f"{theme}, {width} px: {one}" for one in told(grave)]
        if page.evaluate(WIDER):
            found.append(f"{theme}, {width} px: wider than its window")
    return found


@pytest.mark.parametrize("state", STATES)
def test_axe_finds_no_serious_fault_in_the_builder(open_page: OpenPage, demo: Server, state: str) -> None:
    page = open_builder(open_page, demo, "new?from=cascade")
    STATES[state](page)
    assert found_wrong(page) == []


def test_axe_finds_no_serious_fault_in_a_conflict(open_page: OpenPage, demo: Server) -> None:
    page = open_builder(open_page, demo, "new?from=cascade")
    field(page, "metadata.name").fill("looked-at")
    key = save(page)
    other = open_builder(open_page, demo, key)
    field(other, "metadata.title").fill(HOSTILE + "theirs")
    other.keyboard.press("Control+s")
    expect(other.locator("#builder-status")).to_have_text("Saved, version 2")
    field(page, "metadata.title").fill("mine-" * 20)
    page.keyboard.press("Control+s")
    expect(page.locator("#builder-conflict")).to_contain_text("theirs")
    assert found_wrong(page) == []


@pytest.mark.parametrize("width", [720, 320])
def test_the_builder_is_whole_when_it_is_enlarged(open_page: OpenPage, demo: Server, width: int) -> None:
    page = open_builder(open_page, demo, "cascade", viewport={"width": width, "height": 450})  # 1440 px at 200 %
    assert page.evaluate(WIDER) is False
    for name in ("run", "save", "copy"):
        box = act(page, name).bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
