"""From a fleet's window to the forecast's own: 96 steps of five minutes that end now, for every server.

A source with a finer step that divides five minutes is averaged over the five minutes before each step. Then a new
answer is due once a minute, not at every tick; in between the last one stands. A coarser or odd step would need values
that nobody measured, and is refused. A step counts as reported when any metric is there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, tzinfo
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tft_dash.errors import DataError
from tft_dash.models.forecasting.layout import CONTEXT, INPUTS, PROFILES, STEP_SECONDS, WEEK_MINUTES
from tft_dash.schema import CRITICAL_ISSUE, METRIC, THRESHOLDS, FloatArray, Window, derive_states
from tft_dash.zones import minutes_ahead

LEAST_STEPS: Final = 12
"""One hour: a server with less history gets no forecast."""
HELD_STEPS: Final = 3
"""A server that falls silent keeps its last forecast for so many steps, and then has none."""
FRESH_SECONDS: Final = 60.0
TICKS_AT_ONCE: Final = 256
"""Bounds the memory, whatever the recording's length."""
LARGEST_VALUE: Final = 1e9
"""What metrics without a bound are held below; nothing real comes near."""

Flags = NDArray[np.bool_]
Ticks = NDArray[np.int64]

_HIGHEST: Final = np.array([min(METRIC[name].high, LARGEST_VALUE) for name in INPUTS], np.float32)
_MONDAY_MINUTES: Final = 3 * 1440
"""1970 began on a Thursday."""
_MS_PER_MINUTE: Final = 60_000
_EXACT: Final = 1e-6


def step_problem(step_seconds: float) -> str | None:
    """Why a source with this step gets no forecast; None = it does."""
    ratio = STEP_SECONDS / step_seconds
    if ratio >= 1.0 - _EXACT and abs(ratio - round(ratio)) <= _EXACT * ratio:
        return None
    how = "longer than" if step_seconds > STEP_SECONDS else "no even part of"
    return (
        f"its ticks are {step_seconds:g} s apart, which is {how} the forecast's step of {STEP_SECONDS:g} s, "
        "and values between them would be made up"
    )


def ticks_per_step(step_seconds: float) -> int:
    """How many ticks make a step of the forecast.

    :raises DataError: none do; see :func:`step_problem`.
    """
    problem = step_problem(step_seconds)
    if problem is not None:
        raise DataError(f"The forecast cannot answer for this source: {problem}. Choose the model 'thresholds'.")
    return round(STEP_SECONDS / step_seconds)


def profile_codes(profiles: tuple[str, ...]) -> NDArray[np.int64]:
    """(servers,) codes; a profile that the forecast has never met is ``unknown``."""
    codes = {name: code for code, name in enumerate(PROFILES)}
    return np.array([codes.get(name, 0) for name in profiles], np.int64)


@dataclass(frozen=True, slots=True)
class Inputs:
    """A window, ready to be cut into the forecast's own.

    :param each: ticks that make a step.
    :param zone: by whose clock the fleet's days run.
    """

    window: Window
    each: int
    zone: tzinfo = UTC

    def fresh_ticks(self) -> Ticks:
        """The ticks for which a new answer is due, in order."""
        ticks = np.arange(self.window.ticks, dtype=np.int64)
        if self.window.step_seconds >= FRESH_SECONDS or not len(ticks):
            return ticks
        whole = self._milliseconds(ticks) // round(FRESH_SECONDS * 1000)
        return ticks[np.diff(whole, prepend=whole[0] - 1) != 0]

    def minutes(self, ticks: Ticks) -> NDArray[np.float32]:
        """(ticks,) minute of the fleet's week."""
        times = self._milliseconds(ticks)
        minutes = times / _MS_PER_MINUTE + _MONDAY_MINUTES
        if self.zone is not UTC:
            minutes += minutes_ahead(times, self.zone)
        return (minutes % WEEK_MINUTES).astype(np.float32)

    def steps(self, ends: Ticks, servers: slice) -> Steps:
        """What the windows that end at these ticks are cut from, for some servers."""
        rows = np.unique(ends[:, None] - np.arange(CONTEXT) * self.each)
        width = len(range(*servers.indices(len(self.window.servers))))
        found = np.full((len(rows), width, len(INPUTS)), np.nan, np.float32)
        inside = rows >= self.each - 1
        for place, name in enumerate(INPUTS):
            values = self.window.metrics.get(name)
            if values is not None and inside.any():
                found[inside, :, place] = self._column(values, rows[inside], servers)
        found[~np.isfinite(found)] = np.nan
        return Steps(rows, np.clip(found, 0.0, _HIGHEST, out=found), self.each)

    def _column(self, values: FloatArray, ends: Ticks, servers: slice) -> FloatArray:
        if self.each == 1:
            return values[ends, servers]
        return np.stack([_mean(values[end + 1 - self.each : end + 1, servers]) for end in ends])

    def _milliseconds(self, ticks: Ticks) -> NDArray[np.int64]:
        start = int(self.window.start.astype("datetime64[ms]").astype(np.int64))
        return start + np.round(ticks * self.window.step_seconds * 1000.0).astype(np.int64)


@dataclass(frozen=True, slots=True)
class Steps:
    """The forecast's steps of some servers.

    :param rows: (rows,) the ticks at which they end, in order.
    :param values: (rows, servers, 8), NaN = missing, before the recording, or not all there.
    """

    rows: Ticks
    values: FloatArray
    each: int

    def cut(self, ends: Ticks) -> FloatArray:
        """(ends, servers, 96, 8) the windows that end at these ticks."""
        places = np.searchsorted(self.rows, ends[:, None] - np.arange(CONTEXT - 1, -1, -1) * self.each)
        return np.ascontiguousarray(self.values[places].transpose(0, 2, 1, 3))


def inputs_of(window: Window, zone: tzinfo = UTC) -> Inputs:
    """The window, ready to be cut.

    :param zone: by whose clock the fleet's days run.
    :raises DataError: its step is not one that the forecast can be asked about.
    """
    return Inputs(window, ticks_per_step(window.step_seconds), zone)


def _mean(values: FloatArray) -> FloatArray:
    """(servers,) the mean of what is there of (ticks, servers); NaN where nothing is."""
    there = np.isfinite(values)
    count = there.sum(axis=0)
    total = np.where(there, values, 0.0).sum(axis=0, dtype=np.float64)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan).astype(np.float32)


def blocks(count: int, size: int) -> Iterator[slice]:
    """Slices that cover ``range(count)``, each at most ``size`` long."""
    return (slice(first, min(first + size, count)) for first in range(0, count, size))


def critical_at(window: Window, ticks: Ticks) -> Flags:
    """(ticks, servers) whether a server is critical by its metrics at these ticks."""
    found = np.zeros((len(ticks), len(window.servers)), bool)
    graded = {name: values for name, values in window.metrics.items() if name in THRESHOLDS}
    for rows in blocks(len(ticks), TICKS_AT_ONCE) if graded else ():
        some = {name: values[ticks[rows]] for name, values in graded.items()}
        finite = {name: np.where(np.isfinite(values), values, np.nan) for name, values in some.items()}
        found[rows] = derive_states(finite) == CRITICAL_ISSUE
    return found
