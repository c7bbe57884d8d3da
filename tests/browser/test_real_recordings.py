"""Recordings of real systems play to their ends; skipped where the recordings are not at hand."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser.conftest import OpenPage
from playwright.sync_api import expect
from support.recordings import DATA
from support.serving import Server, get, running

RECORDINGS = sorted(DATA.glob("n*/*.parquet"))


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """All of them, ten ticks a second at speed 1."""
    if not RECORDINGS:
        pytest.skip(f"no real recordings in {DATA}")
    with running(
        "serve", *map(str, RECORDINGS), "--workers", "4", "--refresh", "0.1", folder=tmp_path_factory.mktemp("real")
    ) as server:
        yield server


@pytest.mark.parametrize("path", RECORDINGS or [Path("none.parquet")], ids=lambda path: path.stem)
def test_a_real_recording_plays_to_its_end(open_page: OpenPage, recordings: Server, path: Path) -> None:
    ticks = json.loads(get(f"{recordings.url}/api/v1/sources")[1])
    last = next(source["ticks"] for source in ticks if source["name"] == path.stem) - 1
    page = open_page(f"{recordings.url}/?source={path.stem}&speed=60&playing=1&tick={last * 9 // 10}")
    page.wait_for_function("document.documentElement.dataset.status === 'ended'", timeout=90_000)
    frame = json.loads(get(f"{recordings.url}/api/v1/sources/{path.stem}/ticks/{last}")[1])
    expect(page.locator("#kpi-prob-30m")).to_have_text(f"{frame['prob_30m']:.0%}")
    expect(page.locator("#monitor-simulated")).to_be_hidden()
    expect(page.locator("#kpi-progress")).to_have_text("100%")
