"""A thousand servers pushed to four workers, and a collector: every tick is recorded once, and memory stays flat."""

from __future__ import annotations

import gzip
import json
import os
import random
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from support.serving import Server, running

from tft_dash.store.engine import Store
from tft_dash.store.live import LiveState, LiveStore

STEP = 5
SERVERS = 1000
PUSHERS = 8
TICKS = 16
TOKEN = "a-token-of-the-test"  # noqa: S105
SOURCE = f"fleet=push://fleet?step={STEP}s&delay=5s"
PATIENCE_SECONDS = 90.0
MOST_GROWTH_MB = 40


@contextmanager
def collecting(folder: Path, **environ: str) -> Iterator[subprocess.Popen[bytes]]:
    """A collector of the sources that are set, as a Procfile starts it."""
    places = {"TFT_DASH_DATA": str(folder / "data"), "TFT_DASH_CACHE": str(folder / "cache")}
    command = [sys.executable, "-m", "tft_dash", "collect", "fleet"]
    process = subprocess.Popen(command, env={**os.environ, **places, **environ}, start_new_session=True)
    try:
        yield process
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(20)


def cpu(server: int, tick: int) -> float:
    return (server * 7 + tick * 3) % 90 + 0.5


def body_of(servers: range, tick: int, at: int) -> bytes:
    rows = [
        {"timestamp": at, "server_name": f"web-{server:04d}", "profile": "web", "cpu_pct": cpu(server, tick),
         "mem_pct": 40.0, "latency_ms": 12.5, "error_rate": 0.001}
        for server in servers
    ]  # fmt: skip
    return gzip.compress(json.dumps({"samples": rows}).encode(), 1)


def push(server: Server, body: bytes) -> dict[str, int]:
    """Push until it is taken, as whoever pushes should."""
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip", "Authorization": f"Bearer {TOKEN}"}
    while True:
        wanted = urllib.request.Request(f"{server.url}/api/v1/ingest/fleet", body, headers)
        try:
            with urllib.request.urlopen(wanted, timeout=30) as answer:
                found: dict[str, int] = json.load(answer)
                return found
        except urllib.error.HTTPError as error:
            with error:
                if error.code not in (429, 503):
                    raise AssertionError(f"{error.code}: {error.read().decode()}") from error
                time.sleep(float(error.headers.get("Retry-After", "1")))


def push_ticks(server: Server, ticks: range, origin: int, seed: int) -> tuple[int, int]:
    """The whole fleet's samples of these ticks by several who push at a time, a tenth of it twice; how many of each."""
    each = SERVERS // PUSHERS

    def one(pusher: int) -> tuple[int, int]:
        dice, accepted, duplicate = random.Random(seed + pusher), 0, 0
        fleet = range(pusher * each, (pusher + 1) * each)
        for tick in ticks:
            body = body_of(fleet, tick, origin + tick * STEP * 1000)
            for _ in range(2 if dice.random() < 0.1 else 1):
                found = push(server, body)
                accepted, duplicate = accepted + found["accepted"], duplicate + found["duplicate"]
        return accepted, duplicate

    with ThreadPoolExecutor(PUSHERS) as pool:
        found = list(pool.map(one, range(PUSHERS)))
    return sum(one[0] for one in found), sum(one[1] for one in found)


def until(store: LiveStore, what: Callable[[LiveState], bool]) -> LiveState:
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end:
        state = store.state("fleet")
        if state is not None and what(state):
            return state
        time.sleep(0.2)
    raise AssertionError(f"it did not come to that: {store.state('fleet')}")


def memory_mb(process: int) -> float:
    status = Path(f"/proc/{process}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def test_a_thousand_servers_are_pushed_to_four_workers_and_every_tick_is_recorded_once(
    url: str, tmp_path: Path
) -> None:
    environ = {
        "TFT_DASH_SOURCES": SOURCE, "TFT_DASH_STORE": url, "TFT_DASH_PUSH_TOKEN": TOKEN, "TFT_DASH_COLLECT": "no",
    }  # fmt: skip
    opened = Store(url)
    store = LiveStore(opened)
    with running("serve", "--workers", "4", folder=tmp_path, **environ) as server:
        origin = int(time.time() - TICKS * STEP) // STEP * STEP * 1000
        push_ticks(server, range(TICKS // 4), origin, 1)
        before = {worker: memory_mb(worker) for worker in server.workers()}
        accepted, duplicate = push_ticks(server, range(TICKS // 4, TICKS), origin, 2)
        assert accepted == SERVERS * (TICKS - TICKS // 4)
        assert duplicate > 0
        assert len(before) == 4
        for worker, used in before.items():
            assert memory_mb(worker) - used < MOST_GROWTH_MB
        with collecting(tmp_path, **environ) as collector:
            until(store, lambda state: state.latest >= TICKS - 2)
            used = memory_mb(collector.pid)
            for _ in range(3):  # and now as time goes by
                tick = int(time.time() * 1000 - origin) // (STEP * 1000) + 1
                assert push_ticks(server, range(tick, tick + 1), origin, 3)[0] == SERVERS
                until(store, lambda state: state.latest >= tick)  # noqa: B023 - called at once
                state = until(store, lambda state: (state.lag_seconds or 0.0) < STEP)
            assert memory_mb(collector.pid) - used < MOST_GROWTH_MB
    demand_each_once(store, state.latest)
    opened.close()


def demand_each_once(store: LiveStore, latest: int) -> None:
    found = store.history("fleet", 0, 10**9)
    assert found.ticks.tolist() == list(range(latest + 1))
    assert set(np.diff(found.times)) == {np.timedelta64(STEP * 1000, "ms")}
    assert set(found.reporting[:TICKS].tolist()) == {SERVERS}
    record = store.tick("fleet", 7)
    assert record is not None
    assert record.servers == tuple(f"web-{server:04d}" for server in range(SERVERS))
    first = int((record.time - found.times[0]) / np.timedelta64(STEP, "s"))
    assert record.metrics["cpu_pct"].tolist() == [np.float32(cpu(server, first)) for server in range(SERVERS)]
