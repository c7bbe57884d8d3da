"""A collector as it is built from settings holds the forecasts that it records against what came of them."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from pathlib import Path

from support.held import MODEL, simulated

from tft_dash.collecting.process import opened_collector
from tft_dash.live.specs import live_spec
from tft_dash.schema import Window
from tft_dash.settings import load_settings
from tft_dash.sources.catalogue import discover
from tft_dash.store.engine import Store, store_url
from tft_dash.store.live import JudgedSpans

METRICS = ("cpu_pct", "mem_pct", "latency_ms", "error_rate")


def table_of(window: Window, path: Path) -> str:
    """The window as a table that ends now; its address."""
    end = int(time.time()) // 300 * 300
    rows = [
        (end - 300 * (window.ticks - 1 - tick), name, window.profiles[place],
         *(float(window.metrics[metric][tick, place]) for metric in METRICS))
        for tick in range(window.ticks) for place, name in enumerate(window.servers)
    ]  # fmt: skip
    with closing(sqlite3.connect(path)) as connection, connection:
        columns = ", ".join(f"{metric} REAL" for metric in METRICS)
        connection.execute(f"CREATE TABLE metrics (timestamp INTEGER, server_name TEXT, profile TEXT, {columns})")
        connection.executemany("INSERT INTO metrics VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
    return f"fleet=sqlite:///{path}?table=metrics&step=300s&model=tft"


def test_what_was_recorded_is_judged_beside_the_collecting(tmp_path: Path) -> None:
    address = table_of(simulated(3001, 30 / 24, 2), tmp_path / "metrics.sqlite")
    settings = load_settings({"data": tmp_path / "data", "live_backfill_hours": 48}, environ={}, folder=tmp_path)
    settings.data.mkdir()
    store = Store(store_url(settings))
    spans = JudgedSpans(store)
    with opened_collector(settings, live_spec(discover(address, demand=False))) as collector:
        end = time.monotonic() + 60
        while spans.newest("fleet", MODEL.card.identity) is None and time.monotonic() < end:
            collector.round()
            time.sleep(0.05)
    assert spans.newest("fleet", MODEL.card.identity) is not None
    store.close()
