"""The curve of the chance over time, through the probabilities that are stated beside it; and when lines are crossed.

The network says a chance at every node; a calibration restates those of 30 minutes and of 8 hours. In between the curve
is moved as these two were: on the logit scale by what the 30 minutes were moved, from there on to 8 hours passing over
in equal shares of the logarithm of time. The order of times is kept, so a curve never falls.

A metric cannot be over its critical line with a greater chance than that of any crossing up to then. So the bands say
which metric, and the earliest time that they name is one by which the curve allows as much.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tft_dash.frame import Crossing, ServerForecast
from tft_dash.models.forecasting.calibration import expit, logit
from tft_dash.models.forecasting.layout import LATE, NODES, QUANTILES, SOON, STEP_SECONDS
from tft_dash.schema import THRESHOLDS, FloatArray

_STEPS: Final = np.array(NODES, np.float64)
_SHARE: Final = np.clip(np.log(_STEPS / _STEPS[SOON]) / np.log(_STEPS[LATE] / _STEPS[SOON]), 0.0, 1.0)
"""0 up to 30 minutes, 1 at 8 hours."""
MINUTES: Final[FloatArray] = np.array(NODES, np.float32) * np.float32(STEP_SECONDS / 60.0)
LIKELY, POSSIBLE = 0.5, 0.9
_ROUNDING: Final = 1e-6


def stated_curve(chance: NDArray[Any], soon: float, late: float) -> FloatArray:
    """(nodes,) ``chance`` moved through ``soon`` at 30 minutes and ``late`` at 8 hours; NaN where these are.

    :param chance: (nodes,) rising.
    :param soon: at most ``late``.
    """
    if math.isnan(soon) or math.isnan(late):
        return np.full(len(NODES), np.nan, np.float32)
    if soon >= 1.0:  # critical now
        return np.ones(len(NODES), np.float32)
    raw = logit(chance)
    ends = logit(np.array([soon, late]))
    moved = raw + (1.0 - _SHARE) * (ends[0] - raw[SOON]) + _SHARE * (ends[1] - raw[LATE])
    curve = expit(np.maximum.accumulate(moved))
    curve[:SOON] = np.minimum(curve[:SOON], soon)
    curve[SOON:] = np.clip(curve[SOON:], soon, late)
    curve[[SOON, LATE]] = soon, late
    return curve.astype(np.float32)


def crossings_of(quantiles: Mapping[str, FloatArray], curve: FloatArray) -> dict[str, Crossing]:
    """Metric name → when its median and its 90 % quantile are first over the critical line, as ``curve`` allows.

    :param quantiles: metric name → (nodes, quantiles).
    """
    return {name: _crossing(values, THRESHOLDS[name].critical, curve) for name, values in quantiles.items()}


def _crossing(values: FloatArray, line: float, curve: FloatArray) -> Crossing:
    likely, possible = (
        (values[:, QUANTILES.index(level)] > line) & (curve >= 1.0 - level - _ROUNDING) for level in (LIKELY, POSSIBLE)
    )
    return Crossing(likely=_first(likely), possible=_first(possible))


def _first(over: NDArray[np.bool_]) -> float | None:
    return float(MINUTES[int(np.argmax(over))]) if over.any() else None


def restated(forecast: ServerForecast, soon: float, late: float) -> ServerForecast:
    """The forecast with other probabilities, its curve through them; NaN = as before."""
    if math.isnan(soon) or math.isnan(late) or math.isnan(forecast.prob_30m):
        return forecast
    curve = stated_curve(forecast.chance, soon, late)
    crossings = crossings_of(forecast.quantiles, curve)
    return replace(forecast, prob_30m=soon, prob_8h=late, chance=curve, crossings=crossings)
