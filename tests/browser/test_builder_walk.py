"""A cascade drill from nothing: by the keys alone and by the mouse alone; then the same bytes on another portal."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser.builder_hands import (
    SECOND,
    act,
    boxed,
    choose,
    document,
    drag,
    drawn,
    field,
    key_of,
    save,
    slider,
    tab_to,
    type_into,
)
from browser.conftest import OpenPage
from playwright.sync_api import Page, expect
from support.serving import Server, running

RUN_MS = 60 * SECOND
STORY = "The database's disks stall; what waits for it slows down, and then the web servers fail."


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Another portal, with a store, data and cache of its own."""
    with running("demo", "--workers", "2", "--refresh", "0.25", folder=tmp_path_factory.mktemp("elsewhere")) as server:
        yield server


def to_group(page: Page, name: str) -> None:
    """Go to a part of the form by the keys."""
    tab_to(page, page.locator("[role=tab][aria-selected=true]"), back=True)
    page.keyboard.press("Home")
    for _ in range(6):
        if page.locator(":focus").text_content() == name:
            return
        page.keyboard.press("ArrowRight")
    raise AssertionError(f"the arrows do not reach {name}")


def press(page: Page, name: str, *, back: bool = False) -> None:
    """Reach a button by the tab key and press it."""
    tab_to(page, page.get_by_role("button", name=name, exact=True), back=back)
    page.keyboard.press("Enter")


def watched(page: Page, key: str) -> str:
    """The live monitor has opened on the run, and plays; the recording's name."""
    page.wait_for_url(f"**/?source={key}-*", timeout=RUN_MS)
    page.wait_for_function("['playing', 'paused', 'ended'].includes(document.documentElement.dataset.status)")
    expect(page.locator("#monitor-simulated")).to_be_visible()
    page.locator("#monitor-trend .nsewdrag").first.wait_for()
    at = page.locator("#monitor-scrubber").input_value()
    page.wait_for_function(f"document.getElementById('monitor-scrubber').value !== '{at}'", timeout=20 * SECOND)
    return page.url.split("source=")[1].split("&")[0]


def add_fault_by_keys(page: Page, place: int, name: str, letters: tuple[str, str], lag: str) -> None:
    press(page, "Add a fault")
    path = f"spec.faults[{place}]"
    expect(field(page, f"{path}.id")).to_be_focused()
    type_into(page, f"{path}.id", name)
    choose(page, f"{path}.what", letters[0])
    choose(page, f"{path}.whom#selector", "a")
    field(page, f"{path}.whom.profile").wait_for()
    choose(page, f"{path}.whom.profile", letters[1])
    type_into(page, f"{path}.lag", lag)


def test_a_cascade_is_made_from_nothing_and_watched_by_the_keys_alone(open_page: OpenPage, demo: Server) -> None:
    page = open_page(f"{demo.url}/scenarios")
    tab_to(page, page.get_by_role("link", name="New drill"))
    page.keyboard.press("Enter")
    drawn(page)
    type_into(page, "metadata.title", "Cascade by keys")
    type_into(page, "metadata.name", "cascade-by-keys")
    type_into(page, "metadata.description", STORY)
    press(page, "Add an expectation")
    expect(field(page, "spec.expect[0]#check")).to_be_focused()
    type_into(page, "spec.expect[0].above", "0.3")

    to_group(page, "Fleet")
    type_into(page, "spec.fleet.profiles[0].count", "3")
    press(page, "Add a profile")
    expect(field(page, "spec.fleet.profiles[4].name")).to_be_focused()
    type_into(page, "spec.fleet.profiles[4].name", "queue")
    type_into(page, "spec.fleet.profiles[4].count", "2")

    to_group(page, "Phases")
    press(page, "Make the phases my own")
    field(page, "spec.phases[0].to").wait_for()
    type_into(page, "spec.phases[0].to", "1m10s")
    type_into(page, "spec.phases[1].intensity.start", "0.2")
    tab_to(page, slider(page, "Border between peak and recovery"), back=True)
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    expect(field(page, "spec.phases[3].from")).to_have_value("3m20s")

    to_group(page, "Faults")
    add_fault_by_keys(page, 0, "stalled-disks", ("d", "d"), "0s")
    add_fault_by_keys(page, 1, "slow-services", ("l", "a"), "15s")
    add_fault_by_keys(page, 2, "blocked-workers", ("e", "w"), "30s")
    expect(page.locator(".mistakes")).to_be_hidden()
    expect(page.locator(".outcomes .judged-green")).to_have_count(1)
    expect(page.locator(".outcomes .outcome-value")).to_contain_text("measured 0.")

    key = save(page)
    made = document(demo, key)["document"]
    assert made["metadata"]["description"] == STORY
    assert [profile["count"] for profile in made["spec"]["fleet"]["profiles"]] == [3, 3, 2, 1, 2]
    assert [(fault["id"], fault["what"], fault["whom"]["profile"]) for fault in made["spec"]["faults"]] == [
        ("stalled-disks", "disk", "database"), ("slow-services", "latency", "api"), ("blocked-workers", "errors", "web")
    ]  # fmt: skip
    tab_to(page, act(page, "run"), back=True)
    page.keyboard.press("Enter")
    watched(page, "cascade-by-keys")
    page.keyboard.press("Space")
    page.wait_for_function("document.documentElement.dataset.status === 'paused'")


def drag_in_time(page: Page, words: str, seconds: float) -> None:
    """Drag a handle so many seconds along a drill of five minutes."""
    drag(page, slider(page, words), right=seconds / 300 * boxed(page.locator(".tl-story"))["width"])


def make_by_mouse(page: Page) -> None:
    """Everything that a mouse can do; numbers and names are typed where a field is the only way."""
    field(page, "metadata.title").fill("Cascade by mouse")
    field(page, "metadata.name").fill("cascade-by-mouse")
    field(page, "metadata.description").fill(STORY)
    page.get_by_role("button", name="Add an expectation").click()
    page.get_by_role("tab", name="Fleet").click()
    page.get_by_role("button", name="Add a profile").click()
    field(page, "spec.fleet.profiles[4].count").fill("2")
    page.get_by_role("tab", name="Phases").click()
    drag_in_time(page, "Border between stable and escalation", -20)
    expect(field(page, "spec.phases[0].to")).to_have_value("1m10s")
    expect(field(page, "spec.phases[1].from")).to_have_value("1m10s")
    drag(page, slider(page, "Intensity at the start of escalation"), down=-26)
    expect(field(page, "spec.phases[1].intensity.start")).to_have_value("0.5")
    for place, (name, what, whom) in enumerate(
        (("stalled-disks", "disk", "database"), ("slow-services", "latency", "api"), ("blocked", "errors", "web"))
    ):
        page.get_by_role("button", name="New fault").click()
        path = f"spec.faults[{place}]"
        field(page, f"{path}.id").fill(name)
        field(page, f"{path}.what").select_option(what)
        field(page, f"{path}.whom#selector").select_option("profile")
        field(page, f"{path}.whom.profile").select_option(whom)
    drag_in_time(page, "Lag of slow-services", 15)
    expect(field(page, "spec.faults[1].lag")).to_have_value("15s")


def move_lane_by_mouse(page: Page) -> None:
    """A fault with a time of its own: moved, made longer and weaker, delayed, and put first."""
    field(page, "spec.faults[2]#span").select_option("own")
    field(page, "spec.faults[2].from").wait_for()
    drag_in_time(page, "Time of blocked", 20)
    expect(field(page, "spec.faults[2].from")).to_have_value("1m50s")
    expect(field(page, "spec.faults[2].to")).to_have_value("3m50s")
    drag_in_time(page, "End of blocked", 20)
    expect(field(page, "spec.faults[2].to")).to_have_value("4m10s")
    drag_in_time(page, "Start of blocked", -10)
    expect(field(page, "spec.faults[2].from")).to_have_value("1m40s")
    drag(page, slider(page, "Strength of blocked"), down=10)
    expect(field(page, "spec.faults[2].intensity")).to_have_value("0.9")
    drag_in_time(page, "Lag of blocked", 10)
    expect(field(page, "spec.faults[2].lag")).to_have_value("10s")
    lane = page.locator(".tl-label").nth(2)
    expect(lane).to_have_text("blocked errors · all web · 1m40s to 4m10s · 10s later · at 90%")
    page.get_by_role("button", name="Move fault up").last.click()
    expect(page.locator(".tl-name").nth(1)).to_have_text("blocked")
    page.get_by_role("button", name="Duplicate fault").first.click()
    expect(page.locator(".tl-lane")).to_have_count(4)
    page.get_by_role("button", name="Remove fault").nth(1).click()
    expect(page.locator(".tl-lane")).to_have_count(3)


def export(page: Page, ending: str, folder: Path) -> Path:
    page.locator(".menu-of summary").first.click()
    with page.expect_download() as download:
        act(page, f"export-{ending}").click()
    page.locator(".menu-of summary").first.click()
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    return path


def import_and_run(open_page: OpenPage, server: Server, file: Path) -> bytes:
    """Import a file on a portal's library and run it there; the bytes of the recording."""
    page = open_page(f"{server.url}/scenarios")
    known = page.locator("[data-key^='cascade-by-mouse']")
    count = known.count()
    with page.expect_file_chooser() as chooser:
        page.get_by_text("Import", exact=True).first.click()
    chooser.value.set_files(str(file))
    expect(known).to_have_count(count + 1)
    known.first.get_by_role("link").first.click()
    drawn(page)
    act(page, "run").click()
    return table(server, watched(page, "cascade-by-mouse"))


def table(server: Server, name: str) -> bytes:
    return (Path(server.environ["TFT_DASH_DATA"]) / "runs" / name / f"{name}.parquet").read_bytes()


def generated(file: Path, folder: Path) -> Path:
    """What the command makes of a document."""
    command = [sys.executable, "-m", "tft_dash", "generate", str(file), "--output-dir", str(folder)]
    subprocess.run([*command, "--format", "csv,parquet", "--name", "same"], check=True, capture_output=True)
    return folder


def test_a_cascade_is_made_by_the_mouse_and_is_the_same_to_the_last_byte_elsewhere(
    open_page: OpenPage, demo: Server, elsewhere: Server, tmp_path: Path
) -> None:
    page = open_page(f"{demo.url}/scenarios")
    page.get_by_role("link", name="New drill").click()
    drawn(page)
    make_by_mouse(page)
    move_lane_by_mouse(page)
    expect(page.locator(".mistakes")).to_be_hidden()
    act(page, "save").click()
    page.wait_for_function("!location.pathname.endsWith('/new')", timeout=10 * SECOND)
    assert key_of(page) == "cascade-by-mouse"
    files = [export(page, ending, tmp_path) for ending in ("yaml", "json")]
    act(page, "run").click()
    here = table(demo, watched(page, "cascade-by-mouse"))
    assert import_and_run(open_page, elsewhere, files[0]) == here
    yaml, json = (generated(file, tmp_path / file.suffix) for file in files)
    assert (yaml / "same.csv").read_bytes() == (json / "same.csv").read_bytes()
    assert (yaml / "same.parquet").read_bytes() == (json / "same.parquet").read_bytes() == here
