"""``tft-dash serve`` collects its live sources itself, as long as it lives and nobody else does.

The source is a table in SQLite into which a thread writes a sample of each server every second.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.error
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from support.serving import Server, get, running

from tft_dash.store.engine import Store
from tft_dash.store.live import LiveStore

PATIENCE_SECONDS = 60.0


@pytest.fixture
def table(tmp_path: Path) -> Iterator[str]:
    """The address of a source with two servers; samples are written while the test runs."""
    path, stop = tmp_path / "metrics.db", threading.Event()
    with contextlib.closing(sqlite3.connect(path)) as made:
        made.execute("CREATE TABLE metrics (timestamp TEXT, server_name TEXT, profile TEXT, cpu_pct REAL)")
        made.commit()

    def write() -> None:
        with contextlib.closing(sqlite3.connect(path, timeout=10)) as connection:
            while not stop.wait(1.0):
                now = datetime.now(UTC).isoformat(timespec="milliseconds")
                rows = [(now, "web-1", "web", 20.0), (now, "db-1", "database", 40.0)]
                connection.executemany("INSERT INTO metrics VALUES (?, ?, ?, ?)", rows)
                connection.commit()

    writer = threading.Thread(target=write)
    writer.start()
    yield f"sqlite:///{path}?table=metrics&step=2s&delay=4s"
    stop.set()
    writer.join()


def until(what: Callable[[], Any]) -> Any:
    """The first answer that is true."""
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end:
        with contextlib.suppress(OSError, urllib.error.URLError):
            found = what()
            if found:
                return found
        time.sleep(0.2)
    raise AssertionError("it did not come to that")


def ticks(server: Server, name: str = "fleet") -> int:
    """How many ticks there are by what the web says; 0 = it cannot be shown."""
    status, body = get(f"{server.url}/api/v1/sources")
    assert status == 200
    return int(next(source for source in json.loads(body) if source["name"] == name)["ticks"] or 0)


def collectors(parent: int) -> list[int]:
    """Process numbers of the collectors of a process."""
    listed = " ".join(path.read_text() for path in Path(f"/proc/{parent}/task").glob("*/children")).split()
    return [int(one) for one in listed if "collect" in command_of(int(one))]


def command_of(process: int) -> list[str]:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{process}/cmdline").read_text().split("\0")
    return []


def test_it_collects_and_a_collector_that_is_killed_comes_back(table: str, tmp_path: Path) -> None:
    with running("serve", f"fleet={table}", "--workers", "2", folder=tmp_path) as server:
        assert server.process is not None
        before = until(lambda: ticks(server))
        (collector,) = collectors(server.process.pid)
        os.kill(collector, signal.SIGKILL)
        until(lambda: ticks(server) > before + 3)
        (after,) = collectors(server.process.pid)
        assert after != collector
        status, body = get(f"{server.url}/api/v1/sources/fleet/ticks/{before}")
        frame = json.loads(body)
        assert status == 200
        assert {one["server_name"]: one["cpu_pct"] for one in frame["servers"]} == {"web-1": 20.0, "db-1": 40.0}
        assert get(server.url)[0] == 200
        server.stop(signal.SIGKILL)  # nobody can tell the collector: it sees for itself
        until(lambda: not command_of(after))
    demand_no_tick_missing(tmp_path)


def test_where_somebody_else_collects_it_stands_by_and_takes_over(table: str, tmp_path: Path) -> None:
    places = {"TFT_DASH_DATA": str(tmp_path / "data"), "TFT_DASH_CACHE": str(tmp_path / "cache")}
    command = [sys.executable, "-m", "tft_dash", "collect", f"fleet={table}"]
    with subprocess.Popen(command, env={**os.environ, **places}, stderr=subprocess.DEVNULL) as apart:
        try:
            until(lambda: (state := state_of(tmp_path)) is not None and state.latest >= 0)
            with running("serve", f"fleet={table}", "--workers", "1", folder=tmp_path) as server:
                until(lambda: ticks(server) > 3)
                led = state_of(tmp_path)
                assert led is not None
                assert f":{apart.pid}:" in led.holder
                apart.terminate()
                assert apart.wait(20) == 0
                seen = ticks(server)
                until(lambda: ticks(server) > seen + 3)
                after = state_of(tmp_path)
                assert after is not None
                assert after.holder not in ("", led.holder)
        finally:
            apart.kill()
    demand_no_tick_missing(tmp_path)


def test_a_collector_of_two_sources_keeps_a_process_for_each(table: str, tmp_path: Path) -> None:
    places = {"TFT_DASH_DATA": str(tmp_path / "data"), "TFT_DASH_CACHE": str(tmp_path / "cache")}
    sources = {"TFT_DASH_SOURCES": f"one={table} two={table}"}
    command = [sys.executable, "-m", "tft_dash", "collect"]
    with subprocess.Popen(command, env={**os.environ, **places, **sources}, stderr=subprocess.DEVNULL) as apart:
        try:
            for name in ("one", "two"):
                until(lambda name=name: (state := state_of(tmp_path, name)) is not None and state.latest > 1)
            children = collectors(apart.pid)
            assert len(children) == 2
            apart.terminate()
            assert apart.wait(20) == 0
            until(lambda: not any(command_of(child) for child in children))
        finally:
            apart.kill()


def test_a_web_server_that_must_not_collect_shows_what_others_have_recorded(table: str, tmp_path: Path) -> None:
    with running("serve", f"fleet={table}", folder=tmp_path, TFT_DASH_COLLECT="false") as server:
        assert server.process is not None
        assert collectors(server.process.pid) == []
        status, body = get(f"{server.url}/api/v1/sources")
        assert status == 200
        assert "has not been collected yet" in json.loads(body)[0]["error"]


def state_of(folder: Path, name: str = "fleet") -> Any:
    path = folder / "data" / "store.sqlite"
    if not path.exists():
        return None
    store = Store(f"sqlite:///{path}")
    try:
        return LiveStore(store).state(name)
    finally:
        store.close()


def demand_no_tick_missing(folder: Path) -> None:
    store = Store(f"sqlite:///{folder}/data/store.sqlite")
    try:
        found = LiveStore(store).history("fleet", 0, 10**9)
    finally:
        store.close()
    assert found.ticks.tolist() == list(range(len(found.ticks)))
    assert set(found.reporting.tolist()) == {2}
