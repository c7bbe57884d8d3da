"""Frames made by hand, for tests of the view."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from tft_dash.frame import Frame, History, ServerTrace, SourceDescription
from tft_dash.schema import METRIC_NAMES, NO_STATE, ModelCard, Phase, derive_states

CARD = ModelCard(
    name="thresholds",
    title="Thresholds",
    version="1",
    summary="Metrics only.",
    calibrated=False,
    uses_labels=False,
    step_seconds=None,
    context_ticks=1,
    horizons_minutes=(30, 480),
    metrics=METRIC_NAMES,
)
PHASES = (("stable", 0.0), ("escalation", 0.3), ("peak", 0.5), ("recovery", 0.7))


def describe(servers: int = 10, ticks: int | None = 60, **parts: Any) -> SourceDescription:
    """A fleet of ``servers`` in the four phases of the default drill."""
    whole = ticks or 0
    firsts = [round(share * whole) for _, share in PHASES]
    spans = zip((name for name, _ in PHASES), firsts, [*firsts[1:], whole], strict=True)
    made: dict[str, Any] = {
        "name": "fleet",
        "kind": "memory",
        "servers": tuple(f"web-{place + 1:03d}" for place in range(servers)),
        "profiles": ("web",) * servers,
        "metrics": METRIC_NAMES,
        "step_seconds": 5.0,
        "start": np.datetime64("2024-01-01T00:00:00.000", "ms"),
        "ticks": ticks,
        "phases": tuple(Phase(name, first, after - 1) for name, first, after in spans if after > first),
        "tick_wall_seconds": 5.0,
        "simulated": True,
        "title": "A fleet",
        "notices": (),
        "digest": "0",
    }
    return SourceDescription(**{**made, **parts})


def frame_at(tick: int, source: SourceDescription | None = None, *, seed: int = 1, card: ModelCard = CARD) -> Frame:
    """The frame of one tick; the same arguments always give the same one, and a later tick continues an earlier."""
    source = source or describe()
    past = tick + 1
    rng = np.random.default_rng((seed, tick))
    count = len(source.servers)
    risk = np.where(np.arange(count) % 4 == 0, 0.9, 0.1) * rng.random(count)
    metrics = {name: rng.random(count).astype(np.float32) * 80 for name in source.metrics}
    fleet = np.random.default_rng(seed).random((5, 10_000)).astype(np.float32)[:, :past]
    has_driver = bool(source.metrics)
    return Frame(
        source=source,
        card=card,
        tick=tick,
        metrics=metrics,
        states=derive_states(metrics) if metrics else np.full(count, NO_STATE, np.int8),
        risk=risk.astype(np.float32),
        driver_metric=np.tile(
            np.array([METRIC_NAMES.index(source.metrics[0]) if has_driver else -1, -1], np.int8), (count, 1)
        ),
        driver_usual=np.full((count, 2), 3, np.float32),
        history=History(fleet[0] * 0.6, fleet[0] * 0.6 + 0.2, fleet[1] * 90, fleet[2] * 500, fleet[3] * 0.2),
    )


def live(
    frame: Frame, *, issued_after: float = 5.0, window: int = 2000, silent: Mapping[int, float] | None = None
) -> Frame:
    """The frame as one of a live source: with the last ``window`` ticks, issued so many seconds after its time.

    :param silent: servers without a value, and for how many seconds.
    """
    gone = np.zeros(len(frame.source.servers), np.float32)
    for server, seconds in (silent or {}).items():
        gone[server] = seconds
    nothing = {name: np.where(gone > 0, np.nan, values).astype(np.float32) for name, values in frame.metrics.items()}
    first = max(0, frame.tick + 1 - window)
    past = frame.history
    values = (past.prob_30m, past.prob_8h, past.cpu_median, past.latency_p95, past.error_mean)
    return replace(
        frame,
        source=replace(frame.source, growing=True, phases=()),
        metrics=nothing,
        states=np.where(gone > 0, NO_STATE, frame.states).astype(np.int8),
        risk=np.where(gone > 0, np.nan, frame.risk).astype(np.float32),
        history=History(*(each[first:] for each in values), first=first),
        issued=frame.timestamp + np.timedelta64(round(issued_after * 1000), "ms"),
        silent_seconds=gone,
    )


def silent(frame: Frame) -> Frame:
    """The frame with every value missing, as when nothing was reported."""
    gone = np.full(len(frame.source.servers), np.nan, np.float32)
    nothing = np.full(frame.tick + 1, np.nan, np.float32)
    return replace(
        frame,
        metrics=dict.fromkeys(frame.metrics, gone),
        states=np.full(len(gone), NO_STATE, np.int8),
        risk=gone,
        driver_metric=np.full((len(gone), 2), -1, np.int8),
        history=History(nothing, nothing, nothing, nothing, nothing),
    )


def with_risks(frame: Frame, risks: Sequence[float]) -> Frame:
    """The frame with these risks of its servers."""
    return replace(frame, risk=np.array(risks, np.float32))


def trace_of(frame: Frame, server: int, limit: int = 120) -> ServerTrace:
    """A server's last ticks up to the frame's."""
    ticks = min(frame.tick + 1, limit)
    first = frame.tick + 1 - ticks
    rng = np.random.default_rng(server)
    values = rng.random((len(frame.source.metrics) + 1, 10_000)).astype(np.float32)[:, first : frame.tick + 1]
    metrics = {name: values[place] * 80 for place, name in enumerate(frame.source.metrics)}
    return ServerTrace(server, first, metrics, values[-1])
