"""The curve of the chance over time, so that it runs through the probabilities that are stated beside it.

The network says a chance at every node; a calibration restates those of 30 minutes and of 8 hours. In between the curve
is moved as these two were: on the logit scale by what the 30 minutes were moved, from there on to 8 hours passing over
in equal shares of the logarithm of time. The order of times is kept, so a curve never falls.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tft_dash.frame import ServerForecast
from tft_dash.models.forecasting.calibration import expit, logit
from tft_dash.models.forecasting.layout import LATE, NODES, SOON
from tft_dash.schema import FloatArray

_STEPS: Final = np.array(NODES, np.float64)
_SHARE: Final = np.clip(np.log(_STEPS / _STEPS[SOON]) / np.log(_STEPS[LATE] / _STEPS[SOON]), 0.0, 1.0)
"""0 up to 30 minutes, 1 at 8 hours."""


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


def restated(forecast: ServerForecast, soon: float, late: float) -> ServerForecast:
    """The forecast with other probabilities, and its curve through them; NaN = as before."""
    if math.isnan(soon) or math.isnan(late) or math.isnan(forecast.prob_30m):
        return forecast
    return replace(forecast, prob_30m=soon, prob_8h=late, chance=stated_curve(forecast.chance, soon, late))
