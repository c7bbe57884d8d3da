"""What rules are judged on: one recorded tick as plain arrays, or the news that a source does not answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tft_dash.schema import METRICS, NO_STATE, Assessments, CodeArray, Driver, FloatArray, Window
from tft_dash.ticks import TickRecord

PAST_STEPS: Final = 4
PAST_MS: Final = 60_000
"""A tick that is recorded later than both of these after its time is about the past: it was back-filled."""


@dataclass(frozen=True, slots=True)
class Observation:
    """One tick of a source, or, where ``answered`` is false, that the source did not answer. NaN = nothing to say.

    :param tick: number of the tick; of a silence, the last one that was recorded, −1 = none yet.
    :param time_ms: the tick's time in milliseconds since 1970, UTC; of a silence, when the source was asked.
    :param issued_ms: when it was recorded; a tick is about the past where that is much later.
    :param fleet: ``prob_30m`` and ``prob_8h``.
    :param metrics: metric name → (servers,).
    :param states: (servers,) codes.
    :param risk: (servers,).
    :param server_prob_30m: (servers,); all NaN where the model has none. ``server_prob_8h`` likewise.
    :param driver_metric: (servers, 2), index into ``METRICS``, −1 = none.
    :param model: name and version of the model that judged the tick; "" = not told.
    """

    source: str
    tick: int
    time_ms: int
    issued_ms: int
    step_ms: int
    servers: tuple[str, ...] = ()
    profiles: tuple[str, ...] = ()
    fleet: Mapping[str, float] = field(default_factory=dict)
    metrics: Mapping[str, FloatArray] = field(default_factory=dict)
    states: CodeArray = field(default_factory=lambda: np.zeros(0, np.int8))
    risk: FloatArray = field(default_factory=lambda: np.zeros(0, np.float32))
    server_prob_30m: FloatArray = field(default_factory=lambda: np.zeros(0, np.float32))
    server_prob_8h: FloatArray = field(default_factory=lambda: np.zeros(0, np.float32))
    driver_metric: CodeArray = field(default_factory=lambda: np.zeros((0, 2), np.int8))
    driver_usual: FloatArray = field(default_factory=lambda: np.zeros((0, 2), np.float32))
    answered: bool = True
    model: str = ""

    @property
    def past(self) -> bool:
        """Whether the tick was back-filled: it says what was, not what is."""
        return self.issued_ms - self.time_ms > max(PAST_STEPS * self.step_ms, PAST_MS)

    @property
    def reports(self) -> NDArray[np.bool_]:
        """(servers,) whether a metric of the server has a value."""
        found = np.zeros(len(self.servers), bool)
        for values in self.metrics.values():
            found |= ~np.isnan(values)
        return found

    @property
    def heard(self) -> bool:
        """Whether the source said anything of any server, and be it that it is down."""
        return bool((self.states != NO_STATE).any() or self.reports.any())

    def drivers(self, server: int) -> tuple[Driver, ...]:
        """The strongest reasons for a server's risk, strongest first."""
        found = []
        for metric, usual in zip(self.driver_metric[server], self.driver_usual[server], strict=True):
            if metric >= 0 and METRICS[metric].name in self.metrics:
                name = METRICS[metric].name
                found.append(Driver(name, float(self.metrics[name][server]), float(usual)))
        return tuple(found)


def observation_of(record: TickRecord, step_seconds: float) -> Observation:
    """The observation that a recorded tick is."""
    return Observation(
        source=record.source,
        tick=record.tick,
        time_ms=milliseconds(record.time),
        issued_ms=milliseconds(record.issued),
        step_ms=round(step_seconds * 1000),
        servers=record.servers,
        profiles=record.profiles,
        fleet={"prob_30m": float(record.prob_30m), "prob_8h": float(record.prob_8h)},
        metrics=record.metrics,
        states=record.states,
        risk=record.risk,
        server_prob_30m=record.server_prob_30m,
        server_prob_8h=record.server_prob_8h,
        driver_metric=record.driver_metric,
        driver_usual=record.driver_usual,
        model=record.model,
    )


def silence_of(source: str, last_tick: int, asked: np.datetime64, step_seconds: float) -> Observation:
    """The observation that a source did not answer when it was asked."""
    now = milliseconds(asked)
    return Observation(source, last_tick, now, now, round(step_seconds * 1000), answered=False)


def observations_of(source: str, window: Window, states: CodeArray, assessments: Assessments) -> Iterator[Observation]:
    """Every tick of an assessed recording, as if each had been recorded at its own time.

    :param states: (ticks, servers).
    """
    start, step = milliseconds(window.start), round(window.step_seconds * 1000)
    for tick in range(window.ticks):
        yield Observation(
            source=source,
            tick=tick,
            time_ms=start + tick * step,
            issued_ms=start + tick * step,
            step_ms=step,
            servers=window.servers,
            profiles=window.profiles,
            fleet={"prob_30m": float(assessments.prob_30m[tick]), "prob_8h": float(assessments.prob_8h[tick])},
            metrics={name: values[tick] for name, values in window.metrics.items()},
            states=states[tick],
            risk=assessments.risk[tick],
            server_prob_30m=assessments.server_prob_30m[tick],
            server_prob_8h=assessments.server_prob_8h[tick],
            driver_metric=assessments.driver_metric[tick],
            driver_usual=assessments.driver_usual[tick],
        )


def milliseconds(instant: np.datetime64) -> int:
    """Milliseconds since 1970."""
    return int(instant.astype("datetime64[ms]").astype(np.int64))
