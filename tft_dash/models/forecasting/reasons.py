"""Why a forecast looks as it does: the metrics that stand farthest from what the window shows as usual.

These are observations beside the forecast, not what the network computes with; it does not tell causes.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from tft_dash.models.forecasting.layout import INPUTS
from tft_dash.models.scales import Scales
from tft_dash.schema import DRIVERS_PER_SERVER, THRESHOLDS, CodeArray, FloatArray

NOW_STEPS: Final = 3
"""A metric's present value is the mean of its last steps, fifteen minutes."""
FAR: Final = 3.0
"""Standard deviations from usual at which a metric is worth a word."""
BEYOND: Final = 1e6
"""Put before all others: a metric that is over its critical line now."""

_SCALES: Final = Scales(INPUTS)
_FLOOR: Final = _SCALES.floor[:, 0].astype(np.float32)
_LOGARITHMIC: Final = _SCALES.logarithmic[:, 0]
_OFFSET: Final = _SCALES.offset[:, 0].astype(np.float32)
_CRITICAL: Final = np.array(
    [THRESHOLDS[name].critical if name in THRESHOLDS else np.inf for name in INPUTS], np.float32
)


def reasons(windows: FloatArray) -> tuple[CodeArray, FloatArray]:
    """Drivers of each window: (windows, 2) metric numbers, -1 = none, and what they usually are, NaN = none.

    :param windows: (windows, 96, 8), NaN = missing.
    """
    stretched = windows.copy()
    np.log(windows + _OFFSET, out=stretched, where=np.broadcast_to(_LOGARITHMIC, windows.shape))
    usual, spread, _ = _moments(stretched[:, :-NOW_STEPS])
    now, _, count = _moments(stretched[:, -NOW_STEPS:])
    distance = np.abs(now - usual) / np.maximum(spread, _FLOOR)
    with np.errstate(invalid="ignore"):
        distance = distance + BEYOND * (windows[:, -1] > _CRITICAL)
    distance = np.where((count > 0) & ~np.isnan(distance), distance, 0.0)
    order = np.argsort(-distance, axis=1, kind="stable")[:, :DRIVERS_PER_SERVER]
    is_far = np.take_along_axis(distance, order, axis=1) >= FAR
    plain = np.where(_LOGARITHMIC, np.exp(np.where(_LOGARITHMIC, usual, 0.0)) - _OFFSET, usual)
    level = np.take_along_axis(plain, order, axis=1)
    return (
        np.where(is_far, order, -1).astype(np.int8),
        np.where(is_far, np.maximum(level, 0.0), np.nan).astype(np.float32),
    )


def _moments(values: FloatArray) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int64]]:
    """Mean, standard deviation and count over the steps of what is there; (windows, 8) each."""
    there = ~np.isnan(values)
    count = there.sum(axis=1)
    known = np.maximum(count, 1).astype(np.float32)
    filled = np.where(there, values, np.float32(0.0))
    mean = filled.sum(axis=1) / known
    apart = np.where(there, values - mean[:, None], np.float32(0.0))
    spread = np.sqrt((apart * apart).sum(axis=1) / known)
    return np.where(count > 0, mean, np.float32(np.nan)), spread, count
