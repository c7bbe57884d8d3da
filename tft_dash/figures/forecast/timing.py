"""When trouble is likely, in words: from the chance over time, and which metric comes nearest to its line.

The bands tell of single times, the chance of every crossing up to a time. So the chance says when; the bands say which.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tft_dash.figures.lines import in_words
from tft_dash.figures.plot import chance
from tft_dash.frame import ServerForecast
from tft_dash.schema import METRIC, THRESHOLDS

EVEN: Final = 0.5
WORTH_A_WORD: Final = 0.1
"""From so high a chance on, it is told when it would come if it comes."""
MIDDLE, OUTERMOST = 0.5, 0.98
ODDS: Final = "one in fifty"
"""The chance of being above the outermost quantile at a single time."""


def about(minutes: float) -> str:
    """A time ahead: ``35 min``, ``2 h``, ``2 h 15 min``."""
    hours, rest = divmod(round(minutes), 60)
    if not hours:
        return f"{rest} min"
    return f"{hours} h {rest} min" if rest else f"{hours} h"


def likely_by(forecast: ServerForecast) -> float | None:
    """Minutes to the first time by which a crossing is likelier than none; None = not within the forecast."""
    return _first(forecast, forecast.chance > EVEN)


def halfway(forecast: ServerForecast) -> float | None:
    """Minutes to the median time of the crossing, given that one comes within the forecast; None = nothing is known."""
    return _first(forecast, forecast.chance >= EVEN * forecast.chance[-1])


def when(forecast: ServerForecast) -> str:
    """When the server is likely critical; "" where it is already, or nothing is known."""
    likely, middle, whole = likely_by(forecast), halfway(forecast), about(float(forecast.minutes[-1]))
    if forecast.prob_30m >= 1.0 or middle is None:
        return ""
    if likely is not None:
        return f"Likely critical in about {about(likely)}: by then the chance passes {EVEN:.0%}."
    if forecast.prob_8h < WORTH_A_WORD:
        return f"Not likely to turn critical within {whole}."
    return (
        f"If it turns critical within {whole} ({chance(forecast.prob_8h)}), then as likely before as after "
        f"{about(middle)} from now."
    )


def nearest(forecast: ServerForecast, metrics: Sequence[str]) -> str:
    """Which of ``metrics`` comes nearest to its critical line, and how near; "" where none has a forecast."""
    places = [int(np.argmin(np.abs(np.array(forecast.levels) - level))) for level in (MIDDLE, OUTERMOST)]
    found: list[tuple[float, str]] = []
    for name in metrics:
        middle, outer = (forecast.quantiles[name][:, place].astype(np.float64) for place in places)
        line = THRESHOLDS[name].critical
        if np.isnan(outer).all():
            continue
        apart = (line - middle) / np.maximum(outer - middle, 1e-9 * line)
        found.append((float(np.nanmin(apart)), _how_near(forecast, name, outer, line)))
    return min(found, key=lambda one: one[0])[1] if found else ""


def _how_near(forecast: ServerForecast, name: str, outer: NDArray[np.float64], line: float) -> str:
    label = METRIC[name].label
    if not (outer > line).any():
        at, height = float(forecast.minutes[int(np.nanargmax(outer))]), in_words(name, float(np.nanmax(outer)))
        beside = f"(its line is {in_words(name, line)})"
        return f"{label} comes nearest: a chance of {ODDS} to be over {height} in about {about(at)} {beside}."
    allowed = _first(forecast, (outer > line) & (forecast.chance >= 1.0 - OUTERMOST))
    if allowed is None:  # its band says more than the chance does, which was measured
        return f"{label} comes nearest."
    return f"{label} comes nearest: a chance of {ODDS} to be over {in_words(name, line)} in about {about(allowed)}."


def _first(forecast: ServerForecast, flags: NDArray[np.bool_]) -> float | None:
    if math.isnan(float(forecast.chance[-1])) or not flags.any():
        return None
    return float(forecast.minutes[int(np.argmax(flags))])
