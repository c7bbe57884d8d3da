"""The axis "time since the start", and a comparison's values as points along it.

The axis is fixed, so that only values change from instant to instant. A comparison of more than :data:`POINTS` instants
is drawn in buckets of equally many.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from tft_dash.comparing import Comparison
from tft_dash.figures.plot import small, time_unit
from tft_dash.schema import FloatArray
from tft_dash.theme import Theme

POINTS: Final = 2000
HORIZONS: Final[Mapping[str, str]] = {"30m": "30 min", "8h": "8 h"}
"""The two probabilities that can be compared: name in the address → words."""

_NICE: Final = (1, 2, 5, 10, 15, 20, 30, 60, 100, 120, 200, 300, 500, 1000)
_MARKS: Final = 7


@dataclass(frozen=True, slots=True)
class ElapsedAxis:
    """``instants`` instants of ``step_seconds`` each; values are in the unit that reads best, the start is 0."""

    instants: int
    step_seconds: float

    @property
    def bucket(self) -> int:
        """How many instants share a point."""
        return max(1, math.ceil(self.instants / POINTS))

    @property
    def span_seconds(self) -> float:
        """From the first instant to the last."""
        return max(self.instants - 1, 1) * self.step_seconds

    @property
    def unit(self) -> tuple[str, float]:
        """Name and seconds of the unit: the largest of which the axis holds at least two."""
        return time_unit(self.span_seconds)

    @property
    def trace(self) -> dict[str, float]:
        """Where a trace's first point stands and how far apart its points are."""
        return {"x0": 0, "dx": self.step_seconds * self.bucket / self.unit[1]}

    def place(self, instant: int) -> float:
        """Where the point of an instant stands."""
        return (instant // self.bucket) * self.trace["dx"]

    def axis(self, theme: Theme) -> dict[str, Any]:
        """The Plotly axis."""
        name, seconds = self.unit
        span = self.span_seconds / seconds
        step = next((nice for nice in _NICE if span / nice <= _MARKS), _NICE[-1])
        places = [step * count for count in range(int(span / step) + 1)]
        return {
            "range": [0, span],
            "fixedrange": True,
            "tickvals": places,
            "ticktext": [f"{place} {name}" if place else "start" for place in places],
            "tickfont": small(theme),
            "ticklabelstandoff": 4,
            "showgrid": False,
            "zeroline": False,
            "showspikes": True,
            "spikemode": "across",
            "spikethickness": 1,
            "spikedash": "solid",
            "spikecolor": theme.control,
            "unifiedhovertitle": {"text": f"%{{x:.2~f}} {name} after the start"},
        }


def axis_of(comparison: Comparison) -> ElapsedAxis:
    """The comparison's axis."""
    return ElapsedAxis(comparison.instants, comparison.step_seconds)


def highest(values: FloatArray, bucket: int) -> FloatArray:
    """Each bucket's highest value; NaN where it has none."""
    if bucket == 1 or not len(values):
        return values
    most: FloatArray = np.fmax.reduceat(values, np.arange(0, len(values), bucket))
    return most


def furthest(values: FloatArray, bucket: int) -> FloatArray:
    """Each bucket's value that is furthest from zero; NaN where it has none."""
    if bucket == 1 or not len(values):
        return values
    up, down = highest(values, bucket), -highest(-values, bucket)
    further: FloatArray = np.where(np.abs(down) > np.abs(up), down, up)
    return further


def pair_of(comparison: Comparison, horizon: str) -> tuple[FloatArray, FloatArray]:
    """The probabilities of A and of B within ``horizon``, a key of :data:`HORIZONS`."""
    return comparison.prob_8h if horizon == "8h" else comparison.prob_30m


def difference_of(comparison: Comparison, horizon: str) -> FloatArray:
    """B minus A within ``horizon``."""
    return comparison.difference_8h if horizon == "8h" else comparison.difference_30m
