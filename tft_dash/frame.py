"""What the core hands to the view: a source's description and everything the figures need at one tick."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tft_dash.schema import (
    HEALTH_BANDS,
    METRICS,
    NO_STATE,
    OFFLINE,
    Band,
    CodeArray,
    Driver,
    FloatArray,
    ModelCard,
    Phase,
    band_of,
)


@dataclass(frozen=True, slots=True)
class SourceDescription:
    """What a source is.

    :param name: as it stands in URLs.
    :param kind: registry name: ``file``, ``memory``, …
    :param ticks: how many ticks there are; None for a live source.
    :param start: time of tick 0, UTC.
    :param phases: named spans in order of time; empty when the source has no script.
    :param tick_wall_seconds: seconds a tick takes on the page at speed 1, if the recording declares it.
    :param simulated: whether a generator made it; the page then carries a mark.
    :param title: for people.
    :param notices: what a viewer must know about the data (values treated as missing, rows sharing a tick, …).
    :param digest: identifies the content; equal digests mean equal answers.
    """

    name: str
    kind: str
    servers: tuple[str, ...]
    profiles: tuple[str, ...]
    metrics: tuple[str, ...]
    step_seconds: float
    start: np.datetime64
    ticks: int | None
    phases: tuple[Phase, ...]
    tick_wall_seconds: float | None
    simulated: bool
    title: str
    notices: tuple[str, ...]
    digest: str

    @property
    def live(self) -> bool:
        """Whether new ticks keep coming."""
        return self.ticks is None

    @property
    def end(self) -> np.datetime64 | None:
        """Time of the last tick of a recording."""
        return None if self.ticks is None else self.time_of(self.ticks - 1)

    def time_of(self, tick: int) -> np.datetime64:
        """Time of a tick, UTC, to the millisecond."""
        return self.start + np.timedelta64(round(tick * self.step_seconds * 1000), "ms")

    def phase_at(self, tick: int) -> str | None:
        """The name of the phase that ``tick`` lies in."""
        return next((phase.name for phase in self.phases if phase.first <= tick <= phase.last), None)


@dataclass(frozen=True, slots=True)
class History:
    """Fleet figures per tick, from tick 0 to the frame's own; (ticks,) float32 each, NaN = nothing to say."""

    prob_30m: FloatArray
    prob_8h: FloatArray
    cpu_median: FloatArray
    latency_p95: FloatArray
    error_mean: FloatArray


@dataclass(frozen=True, slots=True)
class TrackRecord:
    """What became of a model's probabilities for whole fleets.

    :param ranges: horizon (``30m``, ``8h``) → ``(from, to, what happened when it said so, in words)`` each, rising.
    """

    ranges: Mapping[str, tuple[tuple[float, float, str], ...]]

    def told(self, horizon: str, said: NDArray[Any]) -> list[str]:
        """The words for each of these probabilities; "" where there are none, or the probability is missing."""
        words = ["", *(text for _, _, text in self.ranges[horizon])]
        places = np.zeros(len(said), np.intp)
        for place, (low, high, _) in enumerate(self.ranges[horizon], 1):
            places[(said >= low) & ((said < high) | (said == 1.0))] = place
        return [words[place] for place in places.tolist()]


@dataclass(frozen=True)
class Frame:
    """Everything the five figures need at one tick: the batch's columns, the assessment, the history up to it.

    :param metrics: metric name → (servers,) float32; only the metrics that the source has; NaN = missing.
    :param states: (servers,) codes.
    :param risk: (servers,) float32 in [0, 1]; NaN = nothing to say.
    :param driver_metric: (servers, 2) int8, index into ``METRICS``, -1 = none.
    :param driver_usual: (servers, 2) float32.
    :param record: how often the model's probabilities came true; None = not measured.
    :param instead: why this model answers in the place of the one that was asked; None = it was asked.
    :param aged: since when its source could not be looked at, and why; empty = it was looked at lately.
    :param remarks: what else a viewer must know of who answers: a calibration that was chosen and does not fit.
    """

    source: SourceDescription
    card: ModelCard
    tick: int
    metrics: Mapping[str, FloatArray]
    states: CodeArray
    risk: FloatArray
    driver_metric: CodeArray
    driver_usual: FloatArray
    history: History
    record: TrackRecord | None = None
    instead: str | None = None
    remarks: tuple[str, ...] = ()
    aged: tuple[str, ...] = ()

    @property
    def prob_30m(self) -> float:
        """P(incident in the fleet within 30 minutes); NaN = nothing to say."""
        return float(self.history.prob_30m[-1])

    @property
    def prob_8h(self) -> float:
        """P(incident in the fleet within 8 hours); NaN = nothing to say."""
        return float(self.history.prob_8h[-1])

    @property
    def timestamp(self) -> np.datetime64:
        """Time of the tick, UTC."""
        return self.source.time_of(self.tick)

    @property
    def phase(self) -> str | None:
        """The script's phase, where the source has one."""
        return self.source.phase_at(self.tick)

    @property
    def progress(self) -> float | None:
        """Share of the recording that has been seen, 0–1; None for a live source."""
        ticks = self.source.ticks
        if ticks is None:
            return None
        return 1.0 if ticks <= 1 else self.tick / (ticks - 1)

    @property
    def health(self) -> Band:
        """GREEN, YELLOW or RED by P(30 min)."""
        return band_of(self.prob_30m, HEALTH_BANDS)

    @cached_property
    def active(self) -> int:
        """How many servers reported at this tick and are not offline."""
        return int(np.count_nonzero((self.states != NO_STATE) & (self.states != OFFLINE)))

    @cached_property
    def ranking(self) -> tuple[int, ...]:
        """Server numbers by falling risk, ties by place in the fleet; servers without a risk are left out."""
        order = np.argsort(-np.nan_to_num(self.risk, nan=-1.0), kind="stable")
        return tuple(order[~np.isnan(self.risk[order])].tolist())

    def drivers(self, server: int) -> tuple[Driver, ...]:
        """The strongest reasons for a server's risk, strongest first; none when it is as usual."""
        found = []
        for metric, usual in zip(self.driver_metric[server], self.driver_usual[server], strict=True):
            if metric >= 0:
                name = METRICS[metric].name
                found.append(Driver(name, float(self.metrics[name][server]), float(usual)))
        return tuple(found)


@dataclass(frozen=True, slots=True)
class ServerTrace:
    """One server over the last ticks, for its own panel.

    :param first_tick: tick of the first value.
    :param metrics: metric name → (ticks,) float32.
    :param risk: (ticks,) float32.
    """

    server: int
    first_tick: int
    metrics: Mapping[str, FloatArray]
    risk: FloatArray


@dataclass(frozen=True, slots=True)
class Crossing:
    """When a forecast is first over a metric's critical line, in minutes from now; None = not within the forecast.

    :param likely: the median's first time over it.
    :param possible: the first time of the 90 % quantile.
    """

    likely: float | None
    possible: float | None


@dataclass(frozen=True, slots=True)
class ServerForecast:
    """What a forecast model expects of one server, from one tick on.

    :param tick: "now".
    :param step_minutes: between two steps of the past that the model looked at.
    :param minutes: (nodes,) from now, rising.
    :param levels: (quantiles,) rising, e.g. 0.02 … 0.98.
    :param quantiles: metric name → (nodes, quantiles) in the metric's unit; NaN where nothing can be said.
    :param chance: (nodes,) P(first critical step by then), through ``prob_30m`` and ``prob_8h`` at their times.
    :param prob_30m: P(critical within 30 minutes), calibrated; NaN = nothing to say.
    :param prob_8h: the same within 8 hours.
    :param selection: what was read → its mean weight, together 1: metrics by name, ``hour`` and ``missing``.
    :param attention: (context,) weight of each past step, oldest first, the last one is now.
    :param confidence: share of the context that was there, 0–1; 0 = too little to answer.
    :param crossings: metric name → when it is over its critical line.
    """

    server: int
    tick: int
    step_minutes: float
    minutes: FloatArray
    levels: tuple[float, ...]
    quantiles: Mapping[str, FloatArray]
    chance: FloatArray
    prob_30m: float
    prob_8h: float
    selection: Mapping[str, float]
    attention: FloatArray
    confidence: float
    crossings: Mapping[str, Crossing]


@dataclass(frozen=True, slots=True)
class ModelVersion:
    """A trained version of a model in the registry, whether it can be used or not.

    :param created: when it was made, as its card says; "" = unknown.
    :param trained_on: in words: what it learnt from.
    :param simulated: whether that was simulated; None = unknown, as its card cannot be read.
    :param active: whether it answers at the moment.
    :param shipped: whether it travels with the package.
    :param problem: why it cannot be used, and what to do; None = it can.
    """

    version: str
    title: str
    created: str
    trained_on: str
    simulated: bool | None
    active: bool
    shipped: bool
    problem: str | None
