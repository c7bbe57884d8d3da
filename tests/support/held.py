"""Simulated fleets, as live sources whose forecasts were recorded, and what their collector makes of that."""

from __future__ import annotations

import numpy as np

from tft_dash.collecting.drift import DriftKeeper
from tft_dash.collecting.keeping import Limits
from tft_dash.models.tft import TftModel
from tft_dash.scenarios.generate import simulate
from tft_dash.scenarios.library import load_scenario
from tft_dash.schema import Assessments, Window, derive_states
from tft_dash.store.engine import Store
from tft_dash.store.live import Lease, Leases, LiveFacts, LiveStore, Poll
from tft_dash.ticks import Roster, TickRecord

LIMITS = Limits(raw_seconds=1e9, keep_seconds=90 * 86_400, most_bytes=10**12)
MODEL = TftModel()
LEASE = Lease("fleet", "one", 1)
"""What :func:`recorded` takes in a new store."""


def simulated(seed: int, days: float = 5.0, servers: int = 4) -> Window:
    scenario = load_scenario("fleet-history").with_overrides(
        seed=seed, fleet_size=servers, duration_seconds=days * 86_400, tick_seconds=300.0
    )
    return simulate(scenario).window


def changed(window: Window, tick: int, *, noise: float = 0.0, level: float = 0.0) -> Window:
    """The fleet with other noise or levels from a tick on, in standard deviations of what was before."""
    draw, metrics = np.random.default_rng(1), {}
    for name, values in window.metrics.items():
        late = values[tick:].astype(np.float64)
        spread = np.nanstd(values[:tick], axis=0)
        late += spread * (level + noise * draw.normal(0.0, 1.0, late.shape))
        high = {"cpu_pct": 100.0, "mem_pct": 100.0, "error_rate": 1.0}.get(name, 1e9)
        metrics[name] = np.vstack([values[:tick], np.clip(late, 0.0, high).astype(np.float32)])
    return Window(window.start, window.step_seconds, window.servers, window.profiles, metrics)


def recorded(
    store: Store, window: Window, said: Assessments, *, model: str = MODEL.card.identity, each: int = 1, after: int = 0
) -> Lease:
    """Have the window in the store as a live source; the lease of its collector.

    :param each: ticks that stand for one of the window, all with its values.
    :param after: so many ticks are recorded already.
    """
    step = window.step_seconds / each
    lease = Leases(store).acquire(LiveFacts("fleet", "identity", "memory", "memory:", step, 0.0), "one")
    assert lease is not None
    roster = Roster.of(window.servers, window.profiles)
    states = derive_states(window.metrics)
    begin = window.start - np.timedelta64(round((window.step_seconds - step) * 1000), "ms")
    nothing = np.full((len(window.servers), 2), -1, np.int8), np.full((len(window.servers), 2), np.nan, np.float32)
    records = []
    for tick in range(after, window.ticks * each):
        row = tick // each
        time = begin + np.timedelta64(round(tick * step * 1000), "ms")
        records.append(TickRecord(
            "fleet", tick, time, time, model, roster, {name: values[row] for name, values in window.metrics.items()},
            states[row], said.risk[row], *nothing, said.server_prob_30m[row], said.server_prob_8h[row],
            float(said.prob_30m[row]), float(said.prob_8h[row]), 1.0, 1.0, 0.0, len(window.servers),
            np.zeros(len(window.servers), np.int32),
        ))  # fmt: skip
    for first in range(0, len(records), 500):
        LiveStore(store).record(lease, records[first : first + 500], Poll())
    return lease


def judged(store: Store, lease: Lease = LEASE, limits: Limits = LIMITS) -> DriftKeeper:
    """Let the collector judge all that is due."""
    clock = iter(range(0, 10**9, 1000))
    keeper = DriftKeeper(store, "fleet", limits, lambda _: MODEL, monotonic=lambda: float(next(clock)))
    for _ in range(40):
        keeper.go_on(lease)
        keeper.wait()
    return keeper
