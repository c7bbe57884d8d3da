"""The scenario builder in a real browser, served by four workers: from nothing to a drill that plays."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml
from browser.builder_hands import SECOND, act, document, field, open_builder, save, slider
from browser.conftest import OpenPage
from playwright.sync_api import expect
from pydantic_core import PydanticCustomError
from support.serving import Server, get

from tft_dash.scenarios.document import parse_document
from tft_dash.scenarios.format.fields import format_duration, parse_duration


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
    run = act(page, "run")
    expect(run).to_be_disabled()
    expect(run).to_have_attribute("title", re.compile("1 mistake to mend first"))
    expect(page.locator(".mistakes")).to_have_text("1 mistake to mend before it can run")
    page.locator("h1").click()
    run.click(force=True)
    expect(page.locator("#builder-page")).to_contain_text("Not run")
    expect(name).to_be_focused()
    assert "/scenarios/" in page.url
    name.focus()
    name.fill("Still Not A Name")
    assert name.evaluate("box => box === document.activeElement"), "typing lost the focus"
    name.fill("a-name")
    expect(name).not_to_have_attribute("aria-invalid", "true")
    expect(run).to_be_enabled()


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


KEYS = "[...document.querySelectorAll('[data-key]')].map((card) => card.dataset.key)"


def test_an_exported_drill_is_imported_with_the_same_bytes(open_page: OpenPage, demo: Server, tmp_path: Path) -> None:
    page = open_page(f"{demo.url}/scenarios")
    status, exported = get(f"{demo.url}/api/v1/scenarios/cascade?format=yaml")
    assert status == 200
    assert yaml.safe_load(exported)["metadata"]["name"] == "cascade"
    file = tmp_path / "cascade.yaml"
    file.write_bytes(exported)
    page.locator("[data-key='cascade']").first.wait_for()
    before = page.evaluate(KEYS)
    with page.expect_file_chooser() as chooser:
        page.get_by_text("Import", exact=True).first.click()
    chooser.value.set_files(str(file))
    page.wait_for_function(f"known => {KEYS}.some((key) => !known.includes(key))", arg=before)
    key = next(key for key in page.evaluate(KEYS) if key not in before)
    again = get(f"{demo.url}/api/v1/scenarios/{key}?format=yaml")
    assert again == (200, exported)


@pytest.mark.parametrize("width", [390, 1440])
def test_the_builder_fits_its_window(open_page: OpenPage, demo: Server, width: int) -> None:
    page = open_builder(open_page, demo, "early-warning", viewport={"width": width, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_browser_reads_and_writes_times_as_the_server_does(open_page: OpenPage, demo: Server) -> None:
    page = open_builder(open_page, demo, "new")
    texts = [
        "90",
        "1m30s",
        "1:30",
        "1:05:00",
        "500ms",
        "2h",
        "1d 2h",
        " 5S ",
        "1.5m",
        "",
        "soon",
        "-3",
        "5x",
        "1:75",
        "1m 30",
    ]
    for text in texts:
        try:
            wanted = parse_duration(text)
        except PydanticCustomError:
            wanted = None
        assert page.evaluate("text => tftDash.documents.seconds(text)", text) == wanted, text
    for seconds in (0, 0.25, 90, 3600, 90061.5, 86400 * 400):
        assert page.evaluate("time => tftDash.documents.duration(time)", seconds) == format_duration(seconds)


def test_the_usual_story_of_the_browser_is_the_formats(open_page: OpenPage, demo: Server) -> None:
    page = open_builder(open_page, demo, "new")
    document = page.evaluate("tftDash.documents.usualPhases(295)")
    plain = {
        "apiVersion": "tft-dash/v1", "kind": "Scenario", "metadata": {"name": "x"},
        "spec": {"clock": {"duration": 295}, "fleet": {"profiles": [{"name": "web", "count": 1}]}},
    }  # fmt: skip
    own = {**plain, "spec": {**plain["spec"], "phases": document}}
    assert parse_document(own, "own").spec.story == parse_document(plain, "usual").spec.story


def test_phases_are_made_split_moved_and_removed_without_a_gap(open_page: OpenPage, demo: Server) -> None:
    page = open_builder(open_page, demo, "new")
    page.get_by_role("tab", name="Phases").click()
    page.get_by_role("button", name="Make the phases my own").click()
    page.get_by_role("button", name="Add a phase").click()
    expect(field(page, "spec.phases[4].name")).to_be_focused()
    page.get_by_role("button", name="Move phase up").nth(2).click()
    expect(field(page, "spec.phases[2].name")).to_have_value("recovery")
    page.get_by_role("button", name="Remove phase").first.click()
    expect(field(page, "spec.phases[4].name")).to_have_count(0)
    expect(field(page, "spec.phases[0].name")).to_be_focused()
    expect(field(page, "spec.phases[0].from")).to_have_value("0s")
    expect(page.locator(".mistakes")).to_be_hidden()
    page.locator("h1").click()
    for _ in range(4):
        page.keyboard.press("Control+z")
    expect(page.locator("#builder-status")).to_have_text("Not saved yet")
    expect(page.locator(".tl-usual")).to_be_visible()
    page.keyboard.press("Control+y")
    expect(page.locator(".tl-usual")).to_have_count(0)


def test_intensity_and_lag_are_moved_by_keys_and_stand_in_the_fields(open_page: OpenPage, demo: Server) -> None:
    page = open_builder(open_page, demo, "new?from=cascade")
    page.get_by_role("tab", name="Phases").click()
    slider(page, "Intensity at the start of escalation").focus()
    page.keyboard.press("ArrowUp")
    expect(field(page, "spec.phases[1].intensity.start")).to_have_value("0.25")
    expect(slider(page, "Intensity at the start of escalation")).to_have_attribute("aria-valuetext", "25%")
    slider(page, "Intensity at the end of stable").focus()
    page.keyboard.press("PageUp")
    expect(field(page, "spec.phases[0].intensity.end")).to_have_value("0.25")
    expect(slider(page, "Intensity at the end of stable")).to_be_focused()
    page.get_by_role("tab", name="Faults").click()
    slider(page, "Lag of waiting-services").focus()
    page.keyboard.press("PageDown")
    expect(field(page, "spec.faults[1].lag")).to_have_value("0s")


@pytest.mark.parametrize(("rule", "border"), [("extend", "2m"), ("scale", "2m5s")])
def test_the_end_extends_the_last_phase_or_scales_the_whole(
    open_page: OpenPage, demo: Server, rule: str, border: str
) -> None:
    page = open_builder(open_page, demo, "new?from=cascade")
    page.get_by_role("tab", name="Phases").click()
    page.locator("#builder-end-rule").select_option(rule)
    slider(page, "End of the drill").focus()
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    expect(field(page, "spec.phases[3].to")).to_have_value("8m20s")
    assert field(page, "spec.phases[1].from").input_value() == border
    expect(page.locator(".mistakes")).to_be_hidden()


def test_a_name_that_others_use_takes_them_along(open_page: OpenPage, demo: Server) -> None:
    page = open_builder(open_page, demo, "new?from=cascade")
    page.get_by_role("tab", name="Phases").click()
    field(page, "spec.phases[2].name").fill("summit")
    page.keyboard.press("Tab")
    page.get_by_role("tab", name="Story").click()
    expect(field(page, "spec.expect[3].phase")).to_have_value("summit")
    expect(page.locator(".mistakes")).to_be_hidden()


def test_the_document_is_changed_as_text_and_its_mistakes_lead_to_their_fields(
    open_page: OpenPage, demo: Server
) -> None:
    page = open_builder(open_page, demo, "new?from=healthy")
    page.get_by_role("tab", name="Document").click()
    text = page.locator("#builder-text")
    expect(text).to_have_value(re.compile("duration: 5m"))
    text.fill(text.input_value().replace("duration: 5m", "duration: soon"))
    page.get_by_role("button", name="Apply").click()
    expect(page.locator("#builder-text-problems")).to_contain_text("spec.clock.duration")
    page.locator(".mistakes").click()
    expect(field(page, "spec.clock.duration")).to_be_focused()
    page.keyboard.press("Control+a")
    page.keyboard.type("5m")
    expect(page.locator(".mistakes")).to_be_hidden()


def test_a_finger_moves_a_border(open_page: OpenPage, demo: Server) -> None:
    phone = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
    page = open_builder(open_page, demo, "new?from=cascade", **phone)
    border = slider(page, "Border between stable and escalation")
    border.scroll_into_view_if_needed()
    box = border.bounding_box()
    assert box is not None
    assert box["width"] >= 24, "too narrow for a finger"
    session = page.context.new_cdp_session(page)
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] * 0.4
    for kind, points in (
        ("touchStart", [{"x": x, "y": y}]),
        ("touchMove", [{"x": x + 20, "y": y}]),
        ("touchMove", [{"x": x + 40, "y": y}]),
        ("touchEnd", []),
    ):
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    page.get_by_role("tab", name="Phases").click()
    expect(field(page, "spec.phases[0].to")).not_to_have_value("2m")
    assert field(page, "spec.phases[0].to").input_value() == field(page, "spec.phases[1].from").input_value()


def test_a_mistake_far_down_a_long_list_is_found(open_page: OpenPage, demo: Server) -> None:
    page = open_builder(open_page, demo, "new?from=cascade")
    page.get_by_role("tab", name="Document").click()
    text = page.locator("#builder-text")
    expect(text).to_have_value(re.compile("duration: 8m"))
    held = yaml.safe_load(text.input_value())
    fault = held["spec"]["faults"][0]
    held["spec"]["faults"] = [{**fault, "id": f"fault-{place}"} for place in range(30)]
    held["spec"]["faults"][25]["lag"] = "later"
    held["spec"]["expect"] = []
    text.fill(json.dumps(held))
    page.get_by_role("button", name="Apply").click()
    page.locator(".mistakes").click()
    expect(field(page, "spec.faults[25].lag")).to_be_focused()
    expect(field(page, "spec.faults[25].lag")).to_have_attribute("aria-invalid", "true")
    page.locator(".tl-label").nth(3).click()
    expect(field(page, "spec.faults[3].id")).to_be_focused()
