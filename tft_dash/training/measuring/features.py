"""What gradient boosting is given: 142 lags, means, slopes in disguise, spreads and the clock, from the same window."""

from __future__ import annotations

import warnings
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tft_dash.models.forecasting.layout import INPUTS
from tft_dash.training.histories import Histories, Rows

_LAGS: Final = (1, 2, 3, 4, 6, 9, 12, 18, 24)
_MEANS: Final = (3, 6, 12, 24, 48)
_SPREADS: Final = (6, 24, 96)
_DAY: Final = 1440.0
BLOCK: Final = 20_000


def features(histories: Histories, rows: Rows) -> NDArray[np.float32]:
    """(rows, features), NaN where nothing is known."""
    return np.concatenate([_block(histories, rows[at : at + BLOCK]) for at in range(0, len(rows), BLOCK)])


def _block(histories: Histories, rows: Rows) -> NDArray[np.float32]:
    windows = histories.windows(rows).copy()
    for place, name in enumerate(INPUTS):
        if name not in ("cpu_pct", "mem_pct"):
            offset = 0.002 if name == "error_rate" else 1.0
            windows[:, :, place] = np.log(np.maximum(windows[:, :, place], 0.0) + offset)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a metric that is missing throughout stays NaN
        mean = np.nanmean(windows, axis=1)
        found = [windows[:, -lag] for lag in _LAGS]
        found += [np.nanmean(windows[:, -span:], axis=1) - mean for span in _MEANS]
        found += [np.nanstd(windows[:, -span:], axis=1) for span in _SPREADS]
        found += [np.nanmax(windows, axis=1) - mean, mean]
    minute = histories.minute[rows]
    angle = minute * (2.0 * np.pi / _DAY)
    profile = histories.profile[histories.server_of(rows)]
    clock = np.stack([np.sin(angle), np.cos(angle), minute // _DAY, profile], axis=1)
    return np.concatenate([*found, clock.astype(np.float32)], axis=1, dtype=np.float32)
