"""Two recordings, or one under two models, on one clock: the time since each one's start."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tft_dash.frame import SourceDescription
from tft_dash.schema import FloatArray, ModelCard

IntArray = NDArray[np.int32]
Pair = tuple[FloatArray, FloatArray]

OVER: Final = -1
"""The tick of a side whose recording has ended."""

INSTANTS_LIMIT: Final = 1_000_000
"""A clock of more instants steps over several at a time, so that a second beside a year stays in memory."""


@dataclass(frozen=True, slots=True)
class Side:
    """One recording as one model judges it.

    :param prob_30m: (ticks,) of the whole recording; NaN where nothing can be said.
    :param prob_8h: likewise.
    """

    source: SourceDescription
    card: ModelCard
    prob_30m: FloatArray
    prob_8h: FloatArray

    @property
    def ticks(self) -> int:
        """How many ticks the recording has."""
        return len(self.prob_30m)


@dataclass(frozen=True, slots=True)
class Comparison:
    """Both sides at the instants of one clock, which starts where each of them starts.

    :param step_seconds: between two instants: the finer of both steps.
    :param seconds: (n,) float64, since the start.
    :param ticks_a: (n,) the tick that A shows at each instant; :data:`OVER` when A has ended. A coarser side holds
        its tick until its next one is due.
    :param ticks_b: likewise.
    :param prob_30m: (n,) of A and of B; NaN where a side is over or has nothing to say.
    :param prob_8h: likewise.
    :param difference_30m: (n,) B minus A; NaN where either has nothing to say.
    :param difference_8h: likewise.
    """

    step_seconds: float
    seconds: NDArray[np.float64]
    ticks_a: IntArray
    ticks_b: IntArray
    prob_30m: Pair
    prob_8h: Pair
    difference_30m: FloatArray
    difference_8h: FloatArray

    @property
    def instants(self) -> int:
        """How many instants there are."""
        return len(self.seconds)


@dataclass(frozen=True, slots=True)
class Peak:
    """The instant at which the two differ most, and by how much (B minus A)."""

    instant: int
    difference: float


def compare(a: Side, b: Side) -> Comparison:
    """Both sides on one clock; equal inputs differ by exactly 0, and swapped ones by exactly the opposite."""
    steps = _microseconds(a), _microseconds(b)
    longest = max(a.ticks * steps[0], b.ticks * steps[1])
    finer = min(steps)
    step = finer * max(1, math.ceil(longest / finer / INSTANTS_LIMIT))
    clock: NDArray[np.int64] = np.arange(math.ceil(longest / step), dtype=np.int64) * step
    ticks_a, ticks_b = _ticks(clock, steps[0], a.ticks), _ticks(clock, steps[1], b.ticks)
    prob_30m = _shown(a.prob_30m, ticks_a), _shown(b.prob_30m, ticks_b)
    prob_8h = _shown(a.prob_8h, ticks_a), _shown(b.prob_8h, ticks_b)
    return Comparison(
        step_seconds=step / 1e6,
        seconds=clock / 1e6,
        ticks_a=ticks_a,
        ticks_b=ticks_b,
        prob_30m=prob_30m,
        prob_8h=prob_8h,
        difference_30m=prob_30m[1] - prob_30m[0],
        difference_8h=prob_8h[1] - prob_8h[0],
    )


def greatest(difference: FloatArray) -> Peak | None:
    """Where the two differ most, the first such instant; None when they never both have something to say."""
    size = np.abs(difference)
    if not np.any(~np.isnan(size)):
        return None
    instant = int(np.nanargmax(size))
    return Peak(instant, float(difference[instant]))


def _microseconds(side: Side) -> int:
    # Whole numbers, because multiples of a step like 0.1 s in floating point miss the instant that they share.
    return max(1, round(side.source.step_seconds * 1e6))


def _ticks(clock: NDArray[np.int64], step: int, ticks: int) -> IntArray:
    due = clock // step
    return np.where(due < ticks, due, OVER).astype(np.int32)


def _shown(values: FloatArray, ticks: IntArray) -> FloatArray:
    shown = np.full(len(ticks), np.nan, np.float32)
    going = ticks != OVER
    shown[going] = values[ticks[going]]
    return shown
