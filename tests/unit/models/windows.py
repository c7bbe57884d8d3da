"""Small fleets for the models' tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from tft_dash.models.base import RiskModel
from tft_dash.schema import METRIC_NAMES, FloatArray, Window

USUAL = {
    "cpu_pct": 35.0,
    "mem_pct": 55.0,
    "latency_ms": 60.0,
    "error_rate": 0.003,
    "disk_io_mb_s": 20.0,
    "net_in_mb_s": 10.0,
    "net_out_mb_s": 15.0,
    "gc_pause_ms": 8.0,
}


def fleet(
    ticks: int = 40,
    servers: int = 4,
    *,
    step_seconds: float = 5.0,
    metrics: Sequence[str] = METRIC_NAMES,
    noise: float = 0.04,
    seed: int = 1,
    phases: tuple[str | None, ...] | None = None,
) -> Window:
    """A quiet fleet: every metric within some per cent of its usual value."""
    random = np.random.default_rng(seed)
    columns: dict[str, FloatArray] = {
        name: (USUAL[name] * (1.0 + noise * random.standard_normal((ticks, servers)))).astype(np.float32)
        for name in metrics
    }
    names = tuple(f"server-{place}" for place in range(servers))
    start = np.datetime64("2024-05-01T12:00:00.000", "ms")
    return Window(start, step_seconds, names, ("generic",) * servers, columns, phases)


def changed(window: Window, metric: str, value: float, *, server: int = 0, first: int = 30) -> Window:
    """``window`` with one metric of one server at ``value`` from tick ``first`` on."""
    columns = {name: values.copy() for name, values in window.metrics.items()}
    columns[metric][first:, server] = value
    return with_metrics(window, columns)


def with_metrics(window: Window, columns: dict[str, FloatArray]) -> Window:
    """``window`` with other values."""
    return Window(window.start, window.step_seconds, window.servers, window.profiles, columns, window.phases)


def troubled(ticks: int = 48, servers: int = 4, *, seed: int = 1) -> Window:
    """A fleet whose first server gets into trouble from tick 24 on, with phases."""
    names = ["stable"] * 24 + ["escalation"] * 8 + ["peak"] * max(ticks - 32, 0)
    window = fleet(ticks, servers, seed=seed, phases=tuple(names[:ticks]))
    for metric, value in (("cpu_pct", 95.0), ("error_rate", 0.42), ("latency_ms", 900.0)):
        window = changed(window, metric, value, first=24)
    return window


def lead_of(model: RiskModel) -> int:
    """How many ticks pass before the model can say anything."""
    return model.card.context_ticks - 1


def suited(model: RiskModel, window: Window) -> Window:
    """``window`` at the model's own step, after as many quiet ticks as it needs before it can say anything."""
    lead = fleet(lead_of(model), len(window.servers), seed=77)
    columns = {name: np.concatenate([lead.metrics[name], values]) for name, values in window.metrics.items()}
    phases = None if window.phases is None else ("stable",) * lead.ticks + window.phases
    step = model.card.step_seconds or window.step_seconds
    return replace(with_metrics(window, columns), step_seconds=step, phases=phases)
