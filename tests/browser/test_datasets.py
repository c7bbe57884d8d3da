"""The list and the inspection in a real browser: uploads, filters, the map, the way to the live monitor."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest
from browser.conftest import OpenPage
from browser.test_accessibility import LOOKS, demand_no_serious_fault
from playwright.sync_api import Page, expect
from support.serving import Server, get, running

NASTY = '<img src=x onerror="document.title=1">'
DRILL = Path(__file__).parents[2] / "demo_data" / "demo_dataset.parquet"


def write_odd(path: Path) -> None:
    """A recording with a gap, doubled rows, a value of text, and names that are code."""
    lines = [f'timestamp,server_name,cpu_pct,__proto__,"{NASTY.replace(chr(34), chr(34) * 2)}",long_name']
    quoted = NASTY.replace('"', '""')
    for tick in range(60):
        for name in ("web-001", quoted, "x" * 120):
            if name == "web-001" and 20 <= tick < 30:
                continue
            cpu = "much" if tick == 7 else str(20 + tick % 9)
            row = f'2026-01-01T00:{tick:02d}:00Z,"{name}",{cpu},p{tick % 3},"=1+1",1'
            lines += [row, row] if tick == 40 else [row]
    path.write_text("\n".join(lines) + "\n")


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The default drill and an odd recording; two workers; uploads up to 2 MB."""
    folder = tmp_path_factory.mktemp("datasets")
    write_odd(folder / "odd.csv")
    sources = (str(DRILL), str(folder / "odd.csv"))
    with running("serve", *sources, "--workers", "2", folder=folder, TFT_DASH_UPLOAD_MB="2") as server:
        yield server


def inspected(open_page: OpenPage, portal: Server, address: str, **options: object) -> Page:
    """An inspection with all its parts."""
    page = open_page(f"{portal.url}/datasets/{address}", **options)
    page.locator("#dataset-grid .ag-center-cols-container .ag-row").first.wait_for(timeout=30_000)
    page.locator("#dataset-map .nsewdrag").wait_for()
    return page


def test_the_list_fills_by_itself_and_sorts_by_its_heads(open_page: OpenPage, portal: Server) -> None:
    page = open_page(f"{portal.url}/datasets")
    rows = page.locator(".datasets-list tbody tr")
    expect(rows.filter(has_text="demo_dataset")).to_contain_text("keeps the contract", timeout=30_000)
    expect(rows.filter(has_text="odd")).to_contain_text("error", timeout=30_000)
    head = page.get_by_role("button", name="Rows", exact=True)
    head.press("Enter")
    expect(page.locator("th[aria-sort=ascending]")).to_have_text("Rows")
    expect(rows.first).to_contain_text("odd")
    head.press("Enter")
    expect(page.locator("th[aria-sort=descending]")).to_have_text("Rows")
    expect(rows.first).to_contain_text("demo_dataset")
    page.get_by_label("Search the datasets").fill("odd")
    expect(rows).to_have_count(1)


def test_a_file_that_keeps_the_contract_is_a_dataset_and_can_be_removed(open_page: OpenPage, portal: Server) -> None:
    page = open_page(f"{portal.url}/datasets")
    page.locator(".datasets-list").wait_for(timeout=20_000)
    with page.expect_file_chooser() as chosen:
        page.get_by_role("button", name="Choose a file").press("Enter")
    chosen.value.set_files({"name": "mine.parquet", "mimeType": "x/y", "buffer": DRILL.read_bytes()})
    expect(page.get_by_role("link", name="Inspect it")).to_have_attribute("href", "/datasets/mine", timeout=30_000)
    row = page.locator(".datasets-list tbody tr").filter(has_text="mine")
    expect(row).to_contain_text("upload")
    page.get_by_role("button", name="Remove mine").press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("“mine” is deleted")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(row).to_be_visible()
    page.get_by_role("button", name="Remove mine").click()
    dialog.get_by_role("button", name="Remove", exact=True).click()
    expect(row).to_have_count(0, timeout=20_000)


def test_files_are_dropped_anywhere_and_refused_with_words(open_page: OpenPage, portal: Server) -> None:
    page = open_page(f"{portal.url}/datasets")
    page.locator(".datasets-list").wait_for(timeout=20_000)
    data = page.evaluate_handle(
        """() => {
            const carried = new DataTransfer();
            carried.items.add(new File(["<!doctype html><p>Sign in</p>"], "<b>page</b>.csv"));
            carried.items.add(new File([new Uint8Array(2_500_000)], "big.csv"));
            carried.items.add(new File([], "empty.csv"));
            return carried;
        }"""
    )
    page.dispatch_event("h1", "drop", {"dataTransfer": data})
    lines = page.locator("#datasets-uploads li")
    expect(lines.filter(has_text="big.csv")).to_contain_text("files up to 2 MB can be uploaded")
    expect(lines.filter(has_text="empty.csv")).to_contain_text("is empty")
    expect(lines.filter(has_text="<b>page</b>.csv")).to_contain_text("web page", timeout=30_000)
    assert lines.locator("b").count() == 0


def test_the_inspection_names_what_is_wrong_and_leads_to_the_rows(open_page: OpenPage, portal: Server) -> None:
    page = inspected(open_page, portal, "odd")
    report = json.loads(get(f"{portal.url}/api/v1/datasets/odd/report")[1])
    sentences = page.locator(".finding-sentence").all_inner_texts()
    assert sentences == [finding["sentence"] for finding in report["findings"]]
    example = report["findings"][0]["examples"][0]
    page.get_by_role("button", name=f"row {example['row']:,}", exact=True).first.press("Enter")
    chosen = page.locator("#dataset-grid .ag-center-cols-container .ag-row-selected")
    expect(chosen.locator("[col-id=row]")).to_have_text(str(example["row"]))
    expect(page.locator("#dataset-row")).to_contain_text(f"Row {example['row']}")
    assert page.title() != "1"


def test_the_rows_are_filtered_and_sorted_and_the_address_keeps_the_view(open_page: OpenPage, portal: Server) -> None:
    page = inspected(open_page, portal, "demo_dataset")
    expect(page.locator("#dataset-matching")).to_have_text("600 rows")
    page.get_by_label("server_name Filter Input").fill("web")
    expect(page.locator("#dataset-matching")).to_have_text("240 of 600 rows match")
    page.locator(".ag-header-cell", has_text="cpu_pct").click()
    page.wait_for_function("decodeURIComponent(location.search).includes('\"sorts\":[{')")
    first = page.locator("#dataset-grid [row-index='0'] [col-id=c4]")
    lowest = first.inner_text()
    page.reload()
    expect(page.locator("#dataset-matching")).to_have_text("240 of 600 rows match", timeout=20_000)
    expect(first).to_have_text(lowest)
    status, exported = get(portal.url + str(page.get_by_role("link", name="CSV").get_attribute("href")))
    assert status == 200
    lines = exported.decode().strip().splitlines()
    assert len(lines) == 241
    assert lowest in lines[1]


def test_a_click_on_the_map_shows_the_server_at_that_time(open_page: OpenPage, portal: Server) -> None:
    page = inspected(open_page, portal, "demo_dataset")
    page.locator("#dataset-map").scroll_into_view_if_needed()
    box = page.locator("#dataset-map .nsewdrag").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] * 0.5, box["y"] + box["height"] * 0.25)
    note = page.locator("#dataset-series-note")
    expect(note).to_contain_text(re.compile(r"web-003 at 2026-01-05 09:02:(25|30) UTC"))
    page.locator("#dataset-series .scatterlayer .trace").first.wait_for(timeout=20_000)
    page.get_by_role("link", name="Play from here").click()
    page.wait_for_url(re.compile(r"source=demo_dataset&tick=(29|30)\b"))
    expect(page.locator("#monitor-time")).to_contain_text("2:", timeout=20_000)


def test_a_server_is_shown_by_keyboard_alone(open_page: OpenPage, portal: Server) -> None:
    page = inspected(open_page, portal, "demo_dataset")
    page.locator("#dataset-server").press("Enter")
    page.wait_for_function("document.querySelector('.dash-dropdown-content')?.contains(document.activeElement)")
    page.keyboard.type("db-001")
    expect(page.locator(".dash-dropdown-content [role=option]")).to_have_count(1)
    page.keyboard.press("Enter")
    expect(page.locator("#dataset-series-note")).to_contain_text("db-001")
    expect(page.locator("#dataset-series-box")).to_be_visible()


def test_the_theme_reaches_the_map_the_course_and_the_rows(open_page: OpenPage, portal: Server) -> None:
    page = inspected(open_page, portal, "demo_dataset", color_scheme="light")
    ground = "getComputedStyle(document.querySelector('#dataset-grid .ag-root-wrapper')).backgroundColor"
    light = page.evaluate(ground)
    colours = "JSON.stringify(document.querySelector('#dataset-map .js-plotly-plot').data[0].colorscale)"
    before = page.evaluate(colours)
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(f"{colours} !== {json.dumps(before)}")
    assert page.evaluate(ground) != light


def test_a_column_is_found_by_its_name(open_page: OpenPage, portal: Server) -> None:
    page = inspected(open_page, portal, "demo_dataset")
    rows = page.locator(".columns-list tbody tr")
    expect(rows).to_have_count(14)
    page.get_by_label("Find a column").fill("net")
    expect(rows).to_have_count(2)


def test_a_scan_is_cancelled_and_started_again(open_page: OpenPage, tmp_path: Path) -> None:
    path = tmp_path / "long.csv"
    stamps = [f"2026-01-{1 + tick // 1440:02d}T{tick // 60 % 24:02d}:{tick % 60:02d}:00Z" for tick in range(40_000)]
    with path.open("w") as file:
        file.write("timestamp,server_name,cpu_pct,mem_pct\n")
        for stamp in stamps:
            file.writelines(f"{stamp},server-{server:03d},{server}.5,{server}\n" for server in range(60))
    with running("serve", str(DRILL), str(path), "--workers", "2", folder=tmp_path) as server:
        page = open_page(f"{server.url}/datasets/long")
        cancel = page.get_by_role("button", name="Cancel")
        cancel.click(timeout=30_000)
        again = page.get_by_role("button", name="Scan again")
        done = page.locator("#dataset-grid .ag-center-cols-container .ag-row").first
        expect(again).to_be_visible(timeout=60_000)
        expect(page.locator(".scan-words")).to_contain_text(re.compile(r"stopped after \d+%: about \d+% of [\d.]+ MB"))
        time.sleep(1.0)  # it stays stopped
        expect(again).to_be_visible()
        expect(page.locator("#dataset-verdict")).to_contain_text(re.compile("no verdict|data contract"))
        demand_no_serious_fault(page, LOOKS)
        again.click()
        expect(done).to_be_visible(timeout=60_000)
        expect(page.locator("#dataset-scan")).to_be_hidden()


def test_axe_finds_no_serious_fault_in_what_opens_on_an_inspection(open_page: OpenPage, portal: Server) -> None:
    page = inspected(open_page, portal, "odd")
    page.locator("#dataset-grid .ag-row[row-index='0'] [col-id=c1]").press("Space")
    page.get_by_role("button", name="Show this server").press("Enter")
    page.locator("#dataset-series .scatterlayer .trace").first.wait_for(timeout=20_000, state="attached")
    page.locator("#dataset-grid .ag-floating-filter-button-button").nth(1).press("Enter")
    page.locator(".ag-filter").wait_for()
    demand_no_serious_fault(page, LOOKS)


def test_rows_are_sorted_by_several_columns_without_a_mouse(open_page: OpenPage, portal: Server) -> None:
    page = inspected(open_page, portal, "demo_dataset")
    page.locator("[role=columnheader][col-id=c3]").press("Enter")
    page.wait_for_function("decodeURIComponent(location.search).includes('c3')")
    page.locator("[role=columnheader][col-id=c4]").press("Shift+Enter")
    page.wait_for_function("decodeURIComponent(location.search).includes('c4')")
    sorts = [{"column": "c3", "descending": False}, {"column": "c4", "descending": False}]
    view = json.dumps({"filters": [], "sorts": sorts})
    first = json.loads(get(f"{portal.url}/api/v1/datasets/demo_dataset/rows?{urlencode({'view': view})}")[1])["rows"][0]
    expect(page.locator("#dataset-grid [row-index='0'] [col-id=row]")).to_have_text(str(first["row"]))


def test_an_unknown_dataset_says_which_there_are(open_page: OpenPage, portal: Server) -> None:
    page = open_page(f"{portal.url}/datasets/demo_datase")
    expect(page.locator(".banner")).to_contain_text("Did you mean 'demo_dataset'", timeout=20_000)
