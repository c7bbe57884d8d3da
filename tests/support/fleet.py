"""A live source with an incident in its recorded history, judged as it was recorded; no collector is at work on it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from support.live import World
from tft_dash.alerting.judge import AlertJudge
from tft_dash.live.feeds.memory import ManualClock
from tft_dash.settings import load_settings
from tft_dash.store.engine import Store, store_url

EVIL = "<script>alert('server')</script>"
SERVERS = ("db-001", "api-001", "web-001", "web-002", EVIL)
PROFILES = ("database", "api", "web", "web", "odd")
IN_TROUBLE = ("db-001", "api-001", EVIL)
SOURCE = "fleet=push://fleet?step=5s"
TICKS = 170
_BEGIN, _APART = 110, 6


def fill(data: Path, ticks: int = TICKS, *, ago_seconds: int = 0) -> None:
    """Record ``fleet`` in the store below ``data``: the last minutes, with an incident that still stands.

    :param ago_seconds: how long ago the last tick was; 0 = now.
    """
    data.mkdir(parents=True, exist_ok=True)
    settings = load_settings({"data": data, "cache": data / "cache"}, environ={})
    store = Store(store_url(settings))
    start = np.datetime64("now", "ms") - np.timedelta64((ticks * 5 + ago_seconds) * 1000, "ms")
    world = World(store, clock=ManualClock(now=start))
    collector = world.collector(hooks=AlertJudge(settings).hooks)
    dice = np.random.default_rng(3)
    for tick in range(ticks):
        world.forward(5)
        cpu, latency = (base + noise * dice.standard_normal(len(SERVERS)) for base, noise in ((30, 5), (80, 10)))
        for order, name in enumerate(IN_TROUBLE):
            grown = min(max((tick - _BEGIN - _APART * order) / 20, 0.0), 1.0)
            cpu[SERVERS.index(name)] += 65 * grown
            latency[SERVERS.index(name)] += 900 * grown
        values = {"cpu_pct": np.clip(cpu, 0, 100).tolist(), "latency_ms": latency.tolist()}
        world.feed.report(world.now, values, SERVERS, PROFILES)
        collector.round()
    collector.close()
    store.close()
