"""Whether the probabilities of whole fleets kept their word: 1 − Π(1 − p) against any of the servers turning critical.

Ticks at which a server is critical already are left out: the answer is 1 then, and true. The bounds come from drawing
days of fleets anew, for the servers of one fleet share its ticks.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tft_dash.models.forecasting.calibration import HorizonName
from tft_dash.models.forecasting.evidence import ReliabilityBin
from tft_dash.models.forecasting.layout import STEP_SECONDS
from tft_dash.training.histories import Histories, Rows
from tft_dash.training.measuring.references import HORIZON_STEPS
from tft_dash.training.measuring.scores import Forecasts, reliability, resamples

DAY_STEPS: Final = round(86_400 / STEP_SECONDS)
_NAMES: Final[tuple[HorizonName, ...]] = ("30m", "8h")
Reals = NDArray[np.float64]


def fleet_reliability(
    sizes: Sequence[int], history: Histories, rows: Rows, said: tuple[Reals, Reals]
) -> dict[HorizonName, tuple[ReliabilityBin, ...]]:
    """What was said of fleets, and how often it happened, at both horizons; nothing where nothing was said.

    :param sizes: how many series each fleet has, in the order of the history; those of one fleet are equally long.
    :param said: P(30 min) and P(8 h) for ``rows``, calibrated.
    """
    found: dict[HorizonName, tuple[ReliabilityBin, ...]] = {}
    for name, chance, steps in zip(_NAMES, said, HORIZON_STEPS, strict=True):
        forecasts = _forecasts(sizes, history, _everywhere(history, rows, chance), steps)
        if len(forecasts.truth):
            found[name] = reliability(forecasts, resamples(forecasts.servers))
    return found


def _everywhere(history: Histories, rows: Rows, chance: Reals) -> Reals:
    found = np.full(history.rows, np.nan)
    found[rows] = chance
    return found


def _forecasts(sizes: Sequence[int], history: Histories, chance: Reals, steps: int) -> Forecasts:
    """A row for each tick of each fleet of which something was said while none of its servers was critical."""
    truths, chances, days = [np.zeros(0, bool)], [np.zeros(0)], [np.zeros(0, np.int64)]
    first_series, first_day = 0, 0
    for size in sizes:
        begin, ticks = int(history.begin[first_series]), int(history.ticks[first_series])
        span = slice(begin, begin + size * ticks)
        servers = chance[span].reshape(size, ticks)
        calm = ~history.critical[span].reshape(size, ticks).any(0)
        counted = np.flatnonzero(calm & ~np.isnan(servers).all(0))
        happened: NDArray[np.bool_] = np.any(history.first[span].reshape(size, ticks) <= steps, axis=0)
        truths.append(happened[counted])
        chances.append(_any_of(servers[:, counted]))
        days.append(first_day + counted // DAY_STEPS)
        first_series, first_day = first_series + size, first_day + ticks // DAY_STEPS + 1
    return Forecasts(np.concatenate(truths), np.concatenate(chances), np.concatenate(days), first_day)


def _any_of(chance: Reals) -> Reals:
    """(ticks,) P(at least one of the servers), servers independent; (servers, ticks), NaN = no answer."""
    certain = np.where(np.isnan(chance), 1.0, 1.0 - chance)
    return np.asarray(1.0 - certain.prod(axis=0), np.float64)
