"""The import step in a real browser: foreign columns become a dataset, mistakes stand beside their fields."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser.conftest import OpenPage
from browser.test_accessibility import GRAVE, LOOKS, STANDARDS, WIDER, told, violations
from playwright.sync_api import Page, Route, expect
from support.serving import Server, get, running

DRILL = Path(__file__).parents[2] / "demo_data" / "demo_dataset.parquet"
FOREIGN = "Zeit;Host;CPU;Notiz\n" + "".join(
    f"{1_767_225_600 + 60 * tick};srv-{server};0,{40 + tick % 20};<i>{tick}</i>\n"
    for tick in range(30)
    for server in range(3)
)
WIDE = "time,web-1.cpu,web-2.cpu\n" + "".join(f"2026-01-01T00:{tick:02d}:00Z,{tick},{tick + 9}\n" for tick in range(30))


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The default drill, two workers."""
    with running("serve", str(DRILL), "--workers", "2", folder=tmp_path_factory.mktemp("imports")) as server:
        yield server


def sent(open_page: OpenPage, portal: Server, name: str, text: str) -> Page:
    """The import step of a file that was sent just now, with its rows before and after."""
    page = open_page(f"{portal.url}/datasets")
    page.locator(".datasets-list").wait_for(timeout=20_000)
    with page.expect_file_chooser() as chosen:
        page.get_by_role("button", name="Choose a file").click()
    chosen.value.set_files({"name": name, "mimeType": "text/csv", "buffer": text.encode()})
    page.locator("#datasets-uploads").get_by_role("link", name="Map its columns").click(timeout=30_000)
    page.locator("#import-after table").wait_for(timeout=30_000)
    return page


def test_a_foreign_file_is_read_as_proposed_and_imported(open_page: OpenPage, portal: Server) -> None:
    page = sent(open_page, portal, "export.csv", FOREIGN)
    expect(page.get_by_label("Separator")).to_have_value(";")
    expect(page.get_by_label("Unit of CPU")).to_have_value("fraction")
    expect(page.locator("#import-before tbody tr").first).to_contain_text("0,40")
    expect(page.locator("#import-after tbody tr").first).to_contain_text("40")
    expect(page.locator("#import-after tbody tr").first).to_contain_text("2026-01-01 00:00:00")
    page.get_by_label("Name of the dataset").fill("exported")
    page.get_by_role("button", name="Import", exact=True).click()
    page.wait_for_url("**/datasets/exported", timeout=30_000)
    expect(page.locator(".verdict")).to_contain_text("keeps the data contract", timeout=30_000)
    again = sent(open_page, portal, "export.csv", FOREIGN)
    expect(again.locator("#import-remembered")).to_contain_text("The mapping of 20")


def test_a_change_shows_at_once_and_a_mistake_stands_beside_its_field(open_page: OpenPage, portal: Server) -> None:
    page = sent(open_page, portal, "change.csv", FOREIGN)
    start = page.get_by_role("button", name="Import", exact=True)
    page.get_by_label("Unit of CPU").select_option("percent")
    expect(page.locator("#import-after tbody tr").first).to_contain_text("0.4", timeout=20_000)
    page.get_by_label("Zone of times that name none").fill("Nowhere/Town")
    problem = page.locator(".form-item", has=page.get_by_label("Zone of times that name none")).locator(".form-problem")
    expect(problem).to_contain_text("Nowhere/Town", timeout=20_000)
    expect(start).to_be_disabled()
    page.get_by_label("Zone of times that name none").fill("+02:00")
    expect(problem).to_be_empty(timeout=20_000)
    expect(start).to_be_enabled()
    page.get_by_label("CPU (cpu_pct)").select_option("(no column)")
    expect(page.locator("#import-problems")).to_contain_text("no metric", timeout=20_000)
    expect(start).to_be_disabled()


def test_a_question_that_arrives_late_does_not_hide_what_was_changed_after_it(
    open_page: OpenPage, portal: Server
) -> None:
    page = sent(open_page, portal, "late.csv", FOREIGN.replace("Notiz", "Late"))
    held: list[Route] = []

    def hold(route: Route) -> None:
        if "import-answer" in (route.request.post_data or "") and not held:
            held.append(route)
        else:
            route.continue_()

    page.route("**/_dash-update-component*", hold)
    page.get_by_label("CPU (cpu_pct)").select_option("(no column)")
    page.wait_for_timeout(500)
    assert held
    page.get_by_label("Zone of times that name none").fill("Nowhere/Town")
    problem = page.locator(".form-item", has=page.get_by_label("Zone of times that name none")).locator(".form-problem")
    expect(problem).to_contain_text("Nowhere/Town", timeout=20_000)
    with page.expect_response(lambda answer: "import-answer" in (answer.request.post_data or "")):
        held[0].continue_()
    page.wait_for_timeout(500)
    expect(problem).to_contain_text("Nowhere/Town")
    page.reload()
    expect(page.get_by_label("CPU (cpu_pct)")).to_have_value("(no column)", timeout=20_000)


def test_another_layout_has_other_fields_and_keeps_what_both_have(open_page: OpenPage, portal: Server) -> None:
    page = sent(open_page, portal, "wide.csv", WIDE)
    expect(page.get_by_label("Layout")).to_have_value("wide")
    expect(page.get_by_label("CPU (cpu_pct)")).to_have_value("{server}.cpu")
    expect(page.locator("#import-after tbody tr").first).to_contain_text("web-1")
    page.get_by_label("Layout").select_option("long")
    expect(page.get_by_label("Server: column")).to_be_visible(timeout=20_000)
    expect(page.get_by_label("Time: column")).to_have_value("time")
    page.get_by_label("Layout").select_option("wide")
    expect(page.get_by_label("Server: column")).to_have_count(0, timeout=20_000)
    expect(page.get_by_role("button", name="Import", exact=True)).to_be_enabled(timeout=20_000)


def test_a_document_is_downloaded_and_used_again(open_page: OpenPage, portal: Server) -> None:
    page = sent(open_page, portal, "document.csv", FOREIGN)
    with page.expect_download() as saved:
        page.get_by_role("button", name="Download").click()
    text = Path(saved.value.path()).read_text()
    assert "kind: Mapping" in text
    page.get_by_text("Use a document that you have").click()
    area = page.get_by_label("Mapping document (YAML or JSON)")
    area.fill("kind: Nothing")
    page.get_by_role("button", name="Use this document").click()
    expect(page.locator("#import-paste-banner")).to_contain_text("cannot be used")
    area.fill(text.replace("unit: fraction", "unit: percent"))
    page.get_by_role("button", name="Use this document").click()
    expect(page.get_by_label("Unit of CPU")).to_have_value("percent", timeout=20_000)
    expect(page.locator("#import-after tbody tr").first).to_contain_text("0.4", timeout=20_000)


def test_an_upload_that_is_not_wanted_is_discarded(open_page: OpenPage, portal: Server) -> None:
    page = sent(open_page, portal, "unwanted.csv", FOREIGN)
    page.get_by_role("button", name="Discard the upload").click()
    page.wait_for_url("**/datasets", timeout=20_000)
    page.locator(".datasets-list").wait_for(timeout=20_000)
    expect(page.locator("#datasets-pending")).not_to_contain_text("unwanted.csv")


HOSTILE = (
    "Zeit;Host;CPU;<script>alert(2)</script>;__proto__;constructor\n"
    + "".join(
        f"{1_767_225_600 + 60 * tick};{server};0,{40 + tick % 20};<b>{tick}</b>;=1+1;x\n"
        for tick in range(30)
        for server in ("<img src=x onerror=alert(1)>", "__proto__", "constructor")
    )
)  # fmt: skip
DROP = """([name, text]) => {
    const carried = new DataTransfer();
    carried.items.add(new File([text], name, { type: "text/csv" }));
    for (const kind of ["dragover", "drop"]) {
        const event = new DragEvent(kind, { dataTransfer: carried, bubbles: true, cancelable: true });
        document.querySelector("#datasets-drop").dispatchEvent(event);
    }
}"""


def dropped(open_page: OpenPage, portal: Server, name: str, text: str) -> Page:
    """The import step of a file that was dropped on the list of datasets."""
    page = open_page(f"{portal.url}/datasets")
    page.locator(".datasets-list").wait_for(timeout=20_000)
    page.evaluate(DROP, [name, text])
    page.locator("#datasets-uploads").get_by_role("link", name="Map its columns").click(timeout=30_000)
    page.locator("#import-after table").wait_for(timeout=30_000)
    return page


def test_names_that_are_script_or_parts_of_every_object_are_only_names(open_page: OpenPage, portal: Server) -> None:
    page = dropped(open_page, portal, "<img src=x onerror=alert(3)>.csv", HOSTILE)
    expect(page.locator("#import-before th").nth(4)).to_have_text("__proto__")
    page.get_by_label("Name of the dataset").fill("hostile")
    page.get_by_role("button", name="Import", exact=True).click()
    page.wait_for_url("**/datasets/hostile", timeout=30_000)
    expect(page.locator("#dataset-map g.ytick")).to_have_count(3, timeout=30_000)
    expect(page.locator(".ag-row").first).to_contain_text("<img src=x")
    for place, name in enumerate(("__proto__", "constructor"), 1):
        page.goto(f"{portal.url}/?source=hostile&tick=5")
        page.locator("#monitor-heatmap .nsewdrag").first.wait_for(timeout=20_000)
        page.locator("#monitor-server").click()
        page.locator(".dash-dropdown-content [role=option]").nth(place).click()
        expect(page.locator("#monitor-server-title")).to_have_text(name, timeout=20_000)
        assert page.url.endswith(f"server={name}")
    assert page.locator("img[src=x]").count() == 0
    assert page.evaluate("Object.keys(Object.prototype)") == []


def test_what_was_changed_is_there_after_a_reload(open_page: OpenPage, portal: Server) -> None:
    page = sent(open_page, portal, "reload.csv", FOREIGN.replace("Notiz", "Reload"))
    expect(page.locator("#import-remembered")).to_contain_text("CPU is taken as fraction (0–1)")
    page.get_by_label("Unit of CPU").select_option("percent")
    expect(page.locator("#import-after tbody tr").first).to_contain_text("0.4", timeout=20_000)
    page.reload()
    expect(page.get_by_label("Unit of CPU")).to_have_value("percent", timeout=30_000)


def test_the_step_needs_no_mouse(open_page: OpenPage, portal: Server) -> None:
    page = sent(open_page, portal, "keys.csv", FOREIGN.replace("Notiz", "Keys"))
    upload_id = page.url.rsplit("/", 1)[-1]
    page.get_by_label("Unit of CPU").focus()
    page.keyboard.type("per cent")
    reached: list[str] = []
    while "import-start" not in reached and len(reached) < 60:
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.id"))
    page.keyboard.press("Enter")
    page.wait_for_url("**/datasets/keys", timeout=30_000)
    # Imported as the fields stood, though no answer had come since the change.
    upload = json.loads(get(f"{portal.url}/api/v1/uploads/{upload_id}")[1])
    assert upload["mapping"]["spec"]["columns"]["cpu_pct"]["unit"] == "percent"


def test_axe_finds_no_serious_fault_in_any_state_of_the_step(open_page: OpenPage, portal: Server) -> None:
    sixty = "time,host,cpu," + ",".join(f"a rather long name of column {place}" for place in range(57)) + "\n"
    page = sent(open_page, portal, "sixty.csv", sixty + f"2026-01-01 00:00:00,h1,1{',5' * 57}\n" * 9)
    page.get_by_text("Show the document").click()
    page.get_by_text("Use a document that you have").click()
    faultless(page)
    page.get_by_label("CPU (cpu_pct)").select_option("(no column)")
    expect(page.locator("#import-problems")).to_contain_text("no metric", timeout=20_000)
    faultless(page)
    page.goto(f"{portal.url}/datasets/import/{'0' * 16}")
    expect(page.locator(".banner")).to_contain_text("not here any more", timeout=20_000)
    expect(page.get_by_role("button", name="Import", exact=True)).to_be_hidden()
    faultless(page)


def faultless(page: Page) -> None:
    """Axe-core is content with the page, light and dark, wide and narrow, and nothing is wider than the window."""
    for theme, width in LOOKS:
        page.emulate_media(color_scheme=theme)
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_function(f"document.documentElement.dataset.bsTheme === '{theme}'")
        page.wait_for_timeout(300)
        found = [one for one in violations(page, *STANDARDS) if one["impact"] in GRAVE]
        assert told(found) == [], f"{theme}, {width} px"
        assert page.evaluate(WIDER) is False, f"{theme}, {width} px"


def test_an_upload_is_cancelled_while_it_is_sent_and_nothing_is_kept(open_page: OpenPage, portal: Server) -> None:
    page = open_page(f"{portal.url}/datasets")
    page.locator(".datasets-list").wait_for(timeout=20_000)
    slow = page.context.new_cdp_session(page)
    slow.send("Network.enable")
    speed = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 200_000}
    slow.send("Network.emulateNetworkConditions", speed)
    page.evaluate(f"([name]) => ({DROP})([name, 'x'.repeat(8_000_000)])", ["slow.csv"])
    expect(page.locator("#datasets-uploads .upload-state")).to_contain_text("of 8 MB", timeout=20_000)
    page.locator("#datasets-uploads").get_by_role("button", name="Cancel").click()
    expect(page.locator("#datasets-uploads .upload-state")).to_have_text("was cancelled; nothing is kept.")
    page.wait_for_timeout(500)
    assert "slow.csv" not in get(f"{portal.url}/api/v1/uploads")[1].decode()
