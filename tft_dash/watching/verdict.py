"""Whether forecasts still hold: fine, drifting, or too little evidence; with reasons in words, and with hysteresis.

It takes more to call it drift than to go on calling it so. A state lasts until the figures say otherwise: when evidence
runs out, what was found last stands.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from tft_dash.models.forecasting.calibration import HorizonName
from tft_dash.schema import METRIC
from tft_dash.watching.sums import ChanceFigures, WindowFigures

DriftState = Literal["fine", "drifting", "unknown"]
HORIZON_WORDS: Final[Mapping[HorizonName, str]] = {"30m": "30 minutes", "8h": "8 hours"}
LEAST_INCIDENTS: Final = 5.0
"""Announced or happened; with fewer, the chances of a window say nothing."""
LEAST_SHARE: Final = 0.2
"""A metric with less than this share of the values of the best known one is not judged."""


@dataclass(frozen=True, slots=True)
class Limits:
    """From where on something does not hold.

    :param low: coverage of an 80 % band below this,
    :param high: or above this.
    :param factor: so many times more incidents than announced, or fewer,
    :param spreads: and as far as so many standard deviations: incidents come in clusters, so each counts for two.
    """

    low: float
    high: float
    factor: float
    spreads: float


BEGIN: Final = Limits(0.68, 0.93, 2.0, 3.0)
END: Final = Limits(0.72, 0.90, 1.6, 2.0)


@dataclass(frozen=True, slots=True)
class Verdict:
    """The judgement at the end of one window.

    :param since_seconds: when this state began, after the source's first tick.
    """

    state: DriftState
    reasons: tuple[str, ...]
    since_seconds: float


def verdicts(windows: Iterable[WindowFigures], least_forecasts: int) -> tuple[Verdict, ...]:
    """The judgement at the end of each window, the first one without any before it."""
    found: list[Verdict] = []
    for window in windows:
        found.append(judged(window, found[-1] if found else None, least_forecasts))
    return tuple(found)


def judged(window: WindowFigures, before: Verdict | None, least_forecasts: int) -> Verdict:
    """The judgement of a window after the one before it.

    :param least_forecasts: with fewer judged ones there is too little evidence.
    """
    was = "unknown" if before is None else before.state
    if window.forecasts < least_forecasts:
        words = f"{window.forecasts:,} forecasts were judged in this window, and {least_forecasts:,} are the least."
        return _next(window, before, "unknown" if was != "drifting" else "drifting", (f"Too little evidence: {words}",))
    reasons = tuple(problems(window, END if was == "drifting" else BEGIN))
    return _next(window, before, "drifting" if reasons else "fine", reasons or tuple(_held(window)))


def problems(window: WindowFigures, limits: Limits) -> Iterable[str]:
    """What does not hold, a sentence each."""
    most = max((count for _, count in window.coverage.values()), default=0)
    for metric, (share, count) in window.coverage.items():
        if count < max(1.0, LEAST_SHARE * most) or np.isnan(share):
            continue
        label = METRIC[metric].label
        if share < limits.low:
            yield f"{label}: {share:.0%} of {count:,} values lay within the 80% band; it is too narrow here."
        elif share > limits.high:
            yield f"{label}: {share:.0%} of {count:,} values lay within the 80% band; it is too wide here."
    for horizon, chance in window.chances.items():
        yield from _chance_problem(horizon, chance, limits)


def _chance_problem(horizon: HorizonName, chance: ChanceFigures, limits: Limits) -> Iterable[str]:
    announced, there = chance.announced, chance.incidents
    if chance.rows == 0 or max(announced, there) < LEAST_INCIDENTS:
        return
    ratio = (there + 1.0) / (announced + 1.0)
    spread = np.sqrt(2.0 * max(announced, there))
    if max(ratio, 1.0 / ratio) < limits.factor or abs(there - announced) < limits.spreads * spread:
        return
    side = "too low" if ratio > 1.0 else "too high"
    yield (
        f"Within {HORIZON_WORDS[horizon]}: {_percent(chance.said)} was said on average and {_percent(chance.happened)} "
        f"happened, so the probabilities are {side} here."
    )


def _held(window: WindowFigures) -> Iterable[str]:
    shares = [share for share, count in window.coverage.values() if count]
    if shares:
        low, high = min(shares), max(shares)
        between = f"{low:.0%}" if f"{low:.0%}" == f"{high:.0%}" else f"{low:.0%} to {high:.0%}"
        yield f"{between} of the values lay within the 80% bands, over {window.forecasts:,} forecasts."
    for horizon, chance in window.chances.items():
        if chance.rows and max(chance.announced, chance.incidents) >= LEAST_INCIDENTS:
            yield (
                f"Within {HORIZON_WORDS[horizon]}: {_percent(chance.said)} was said on average and "
                f"{_percent(chance.happened)} happened."
            )
        elif chance.rows:
            yield f"Within {HORIZON_WORDS[horizon]}: too few incidents to judge the probabilities by."


def _next(window: WindowFigures, before: Verdict | None, state: DriftState, reasons: tuple[str, ...]) -> Verdict:
    since = window.end_seconds if before is None or before.state != state else before.since_seconds
    return Verdict(state, reasons, since)


def _percent(share: float) -> str:
    percent = 100.0 * share
    return f"{percent:.2g}%" if percent < 10 else f"{percent:.0f}%"
