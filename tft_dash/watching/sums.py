"""Judged forecasts added up by spans of time, and the sliding windows over these. Pure: arrays in, values out.

A forecast is judged once its whole horizon has passed, and counts from that moment on: a window then holds only what
could be known at its end.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tft_dash.models.forecasting.calibration import HorizonName

SPAN_SECONDS: Final = 21_600.0
"""Six hours: what a sliding window moves by."""
ERROR_BINS: Final = 20
TOLD_WIDTH: Final = 1 + 3 * ERROR_BINS
ROWS_PER_INCIDENT: Final[Mapping[HorizonName, float]] = {"30m": 6.0, "8h": 96.0}
"""Five-minute rows that one incident makes true."""

Reals = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class JudgedChances:
    """Probabilities of one horizon, and what happened; a row for each server every five minutes.

    :param judged_seconds: (rows,) when its horizon had passed, in seconds after the source's first tick.
    """

    judged_seconds: Reals
    said: Reals
    happened: Flags


@dataclass(frozen=True, slots=True)
class JudgedBands:
    """Forecast bands, and the values that followed; a row for each forecast of one server.

    :param judged_seconds: (rows,) as above.
    :param inside: metric → (rows,) how many of its values lay within the 80 % band,
    :param known: and how many there were.
    """

    judged_seconds: Reals
    inside: Mapping[str, Reals]
    known: Mapping[str, Reals]


@dataclass(frozen=True, slots=True)
class ChanceFigures:
    """One horizon's probabilities over a window; NaN where nothing was judged.

    :param said: on average.
    :param happened: how often.
    :param brier_skill: against always saying how often it happened in this window.
    :param announced: incidents that the probabilities add up to.
    :param incidents: incidents that there were.
    """

    rows: int
    said: float
    happened: float
    calibration_error: float
    brier: float
    brier_skill: float
    announced: float
    incidents: float


_NAN: Final = float("nan")
NOTHING_JUDGED: Final = ChanceFigures(0, _NAN, _NAN, _NAN, _NAN, _NAN, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class WindowFigures:
    """Everything that was judged in one window.

    :param end_seconds: after the source's first tick; a tick at that very moment is behind the window.
    :param forecasts: whose bands were judged.
    :param coverage: metric → the share of values within its 80 % band, and how many values there were.
    """

    end_seconds: float
    forecasts: int
    coverage: Mapping[str, tuple[float, int]]
    chances: Mapping[HorizonName, ChanceFigures]


def sliding(
    bands: JudgedBands, chances: Mapping[HorizonName, JudgedChances], *, seconds: float, window_seconds: float
) -> tuple[WindowFigures, ...]:
    """The figures of every window that ends at a whole span of time up to ``seconds``, in order."""
    return windows(span_sums(bands, chances, int(seconds // SPAN_SECONDS)), window_seconds)


@dataclass(frozen=True, slots=True)
class SpanSums:
    """What was judged in each of consecutive spans of time; windows are added up from these.

    :param forecasts: (spans,) whose bands were judged.
    :param covered: metric → (spans, 2) values within its 80 % band, and all values.
    :param told: horizon → (spans, 1 + 3 × bins) squared errors, and rows, said and happened by bins of what was said.
    """

    forecasts: Reals
    covered: Mapping[str, Reals]
    told: Mapping[HorizonName, Reals]


def span_sums(bands: JudgedBands, chances: Mapping[HorizonName, JudgedChances], spans: int) -> SpanSums:
    """What was judged in each of the first ``spans`` spans."""
    place = _span_of(bands.judged_seconds, spans)
    return SpanSums(
        _added(np.ones(len(place)), place, spans),
        {
            name: np.stack([_added(part, place, spans) for part in (bands.inside[name], known)], axis=1)
            for name, known in bands.known.items()
        },
        {name: _chance_sums(one, spans) for name, one in chances.items()},
    )


def windows(sums: SpanSums, window_seconds: float, *, first_seconds: float = 0.0) -> tuple[WindowFigures, ...]:
    """The figures of the window that ends with each span, in order.

    :param first_seconds: where the first span begins, after the source's first tick.
    """
    width = max(1, round(window_seconds / SPAN_SECONDS))
    spans = len(sums.forecasts)
    forecasts = _rolled(sums.forecasts, width)
    covered = {name: _rolled(one, width).T for name, one in sums.covered.items()}
    told = {name: _rolled(one, width) for name, one in sums.told.items()}
    return tuple(
        WindowFigures(
            end_seconds=first_seconds + (number + 1) * SPAN_SECONDS,
            forecasts=round(forecasts[number]),
            coverage={name: _share(inside[number], known[number]) for name, (inside, known) in covered.items()},
            chances={name: _figures(one[number], ROWS_PER_INCIDENT[name]) for name, one in told.items()},
        )
        for number in range(spans)
    )


def _span_of(judged_seconds: Reals, spans: int) -> NDArray[np.int64]:
    """The span in which each was judged; ``spans`` for what lies behind the last whole one."""
    return np.minimum((judged_seconds // SPAN_SECONDS).astype(np.int64), spans)


def _added(values: Reals, place: NDArray[np.int64], spans: int) -> Reals:
    return np.bincount(place, values, spans + 1)[:spans].astype(np.float64)


def _rolled(values: Reals, width: int) -> Reals:
    """The sum of each value and the ``width`` − 1 before it."""
    total = np.cumsum(values, axis=0)
    total[width:] = total[width:] - total[:-width].copy()
    return total


def _share(inside: float, known: float) -> tuple[float, int]:
    return (inside / known if known else float("nan"), round(known))


def _chance_sums(judged: JudgedChances, spans: int) -> Reals:
    place = _span_of(judged.judged_seconds, spans)
    said, happened = judged.said, judged.happened.astype(np.float64)
    bins = np.minimum((said * ERROR_BINS).astype(np.int64), ERROR_BINS - 1)
    spot = place * ERROR_BINS + bins
    error = _added((said - happened) ** 2, place, spans)[:, None]
    binned: list[Reals] = [
        np.bincount(spot, values, (spans + 1) * ERROR_BINS).reshape(-1, ERROR_BINS)[:spans].astype(np.float64)
        for values in (np.ones(len(said)), said, happened)
    ]
    return np.concatenate([error, *binned], axis=1)


def _figures(sums: Reals, rows_per_incident: float) -> ChanceFigures:
    error = float(sums[0])
    rows, said, happened = np.split(sums[1:], 3)
    count, total, true = float(rows.sum()), float(said.sum()), float(happened.sum())
    if count < 0.5:
        return NOTHING_JUDGED
    rate = true / count
    usual = count * rate * (1.0 - rate)
    return ChanceFigures(
        rows=round(count),
        said=total / count,
        happened=rate,
        calibration_error=float(np.abs(said - happened).sum()) / count,
        brier=error / count,
        brier_skill=1.0 - error / usual if usual > 0 else float("nan"),
        announced=total / rows_per_incident,
        incidents=true / rows_per_incident,
    )
