"""A thousand servers push every five seconds for minutes: the collector keeps up, memory flat. Run by ``make soak``."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from integration.test_push import SERVERS, STEP, TOKEN, collecting, memory_mb, push_ticks
from support.serving import running

from tft_dash.store.engine import Store
from tft_dash.store.live import LiveState, LiveStore

SECONDS = float(os.environ.get("SOAK_SECONDS", "600"))
DELAY = 2
SETTLED_TICKS = 12
MOST_GROWTH_MB = 40


def test_the_collector_keeps_up_with_a_thousand_servers_for_minutes(tmp_path: Path) -> None:
    url = os.environ.get("SOAK_STORE", f"sqlite:///{tmp_path}/store.sqlite")
    source = f"fleet=push://fleet?step={STEP}s&delay={DELAY}s"
    environ = {
        "TFT_DASH_SOURCES": source, "TFT_DASH_STORE": url, "TFT_DASH_PUSH_TOKEN": TOKEN, "TFT_DASH_COLLECT": "no",
    }  # fmt: skip
    opened = Store(url)
    store = LiveStore(opened)
    ticks, lags, used = int(SECONDS / STEP), [], []
    with (
        running("serve", "--workers", "4", folder=tmp_path, **environ) as server,
        collecting(tmp_path, **environ) as one,
    ):
        origin = (int(time.time()) // STEP + 2) * STEP * 1000
        for tick in range(ticks):
            time.sleep(max(origin / 1000 + tick * STEP - time.time(), 0))
            assert push_ticks(server, range(tick, tick + 1), origin, tick)[0] == SERVERS
            if tick >= SETTLED_TICKS:
                lags.append(state_of(store).lag_seconds or 0.0)
                used.append([memory_mb(process) for process in (one.pid, *server.workers())])
        time.sleep(2 * STEP + DELAY)
        state = state_of(store)
    found = store.history("fleet", 0, 10**9)
    opened.close()
    sys.stdout.write(f"lag: median {sorted(lags)[len(lags) // 2]:.2f} s, most {max(lags):.2f} s\n")
    sys.stdout.write(f"memory, MB: at first {used[0]}, at last {used[-1]}\n")
    assert max(lags) < STEP
    assert found.ticks.tolist() == list(range(state.latest + 1))
    assert (found.reporting == SERVERS).sum() == ticks
    assert all(last - first < MOST_GROWTH_MB for first, last in zip(used[0], used[-1], strict=True))


def state_of(store: LiveStore) -> LiveState:
    """What is known of the source, which is collected."""
    state = store.state("fleet")
    assert state is not None
    return state
