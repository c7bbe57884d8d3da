"""The import step in a real browser: foreign columns become a dataset, mistakes stand beside their fields."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from browser.conftest import OpenPage
from playwright.sync_api import Page, expect
from support.serving import Server, running

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
