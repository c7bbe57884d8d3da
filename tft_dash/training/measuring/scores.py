"""How good probabilities are: Brier skill, AUC, PR-AUC, calibration error, reliability, each with its interval.

Every score is a function of sums per server, so that a bootstrap over servers is a product of matrices: a resample is
how often each server counts. Intervals hold 95 % of the resamples.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from tft_dash.models.forecasting.evidence import Interval, ModelScores, ReliabilityBin

Reals = NDArray[np.float64]
Counts = NDArray[np.float64]
RESAMPLES: Final = 400
SEED: Final = 20_260_105
EDGES: Final = (0.0, 0.01, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0)
"""Bounds of the reliability diagram's bins."""
_ERROR_BINS: Final = 20
_RANK_BINS: Final = 4096
_RANKED_ROWS: Final = 4_000_000


class Scored(Protocol):
    """Probabilities of some servers and what happened, part by part."""

    @property
    def servers(self) -> int:
        """How many servers there are."""
        ...

    def parts(self) -> Iterator[Forecasts]:
        """All rows, in parts that fit into memory; the same ones every time."""
        ...


@dataclass(frozen=True, slots=True)
class Forecasts:
    """A model's probabilities and what happened.

    :param server: (rows,) to which server each belongs, 0…
    """

    truth: NDArray[np.bool_]
    chance: Reals
    server: NDArray[np.int64]
    servers: int

    def parts(self) -> Iterator[Forecasts]:
        """Itself: it is in memory already."""
        yield self


Values = Callable[[Forecasts], NDArray[Any]]


def sums(found: Scored, values: Values, bins: Values | None = None, count: int = 1) -> Reals:
    """(servers, count) sums of ``values`` per server, and per bin where there are some."""
    total = np.zeros(found.servers * count)
    for part in found.parts():
        place = part.server * count + (0 if bins is None else bins(part))
        total += np.bincount(place, np.asarray(values(part), np.float64), found.servers * count)
    return total.reshape(found.servers, count)


def row_counts(found: Scored) -> tuple[int, int]:
    """How many rows there are, and in how many it happened."""
    parts = [(len(part.truth), int(np.count_nonzero(part.truth))) for part in found.parts()]
    return sum(rows for rows, _ in parts), sum(happened for _, happened in parts)


def _ones(part: Forecasts) -> Reals:
    return np.ones(len(part.truth))


def _truth(part: Forecasts) -> NDArray[np.bool_]:
    return part.truth


def _chance(part: Forecasts) -> Reals:
    return part.chance


def resamples(servers: int, count: int = RESAMPLES) -> Counts:
    """(1 + count, servers) how often each server counts: once in the first row, as drawn in the others."""
    draws = np.random.default_rng(SEED).multinomial(servers, np.full(servers, 1.0 / servers), size=count)
    return np.concatenate([np.ones((1, servers)), draws.astype(np.float64)])


def interval(values: Reals) -> Interval:
    """``(estimate, low, high)``: the first value, and the bounds of 95 % of the others."""
    estimate, drawn = values[0], values[1:][np.isfinite(values[1:])]
    if not np.isfinite(estimate):
        return (None, None, None)
    if not len(drawn):
        return (float(estimate), None, None)
    low, high = np.quantile(drawn, (0.025, 0.975))
    return (float(estimate), float(low), float(high))


def brier_skills(forecasts: Scored, counts: Counts) -> Reals:
    """1 − Brier score / that of always saying the frequency of what happened."""
    error = counts @ sums(forecasts, lambda part: (part.chance - part.truth) ** 2)[:, 0]
    happened = counts @ sums(forecasts, _truth)[:, 0]
    rows = counts @ sums(forecasts, _ones)[:, 0]
    with np.errstate(divide="ignore", invalid="ignore"):
        base = happened / rows
        spread = rows * base * (1.0 - base)
        found: Reals = np.where(spread > 0, 1.0 - error / spread, np.nan)
    return found


def areas(forecasts: Scored, counts: Counts) -> tuple[Reals, Reals]:
    """Areas under the ROC and under the precision–recall curve, over bins of equal rank."""
    edges = _rank_edges(forecasts)
    size = len(edges) + 1

    def place(part: Forecasts) -> NDArray[np.int64]:
        return np.searchsorted(edges, part.chance, side="right")

    good = (counts @ sums(forecasts, _truth, place, size))[:, ::-1]
    bad = (counts @ sums(forecasts, lambda part: ~part.truth, place, size))[:, ::-1]
    with np.errstate(divide="ignore", invalid="ignore"):
        hits, misses = np.cumsum(good, 1), np.cumsum(bad, 1)
        roc = ((hits - 0.5 * good) * bad).sum(1) / (hits[:, -1] * misses[:, -1])
        precision = np.where(hits + misses > 0, hits / (hits + misses), 0.0)
        return roc, (precision * good).sum(1) / hits[:, -1]


def _rank_edges(forecasts: Scored) -> Reals:
    """Bounds between bins of about equally many rows; of very many rows, as every second, third … one has them."""
    every = max(1, row_counts(forecasts)[0] // _RANKED_ROWS)
    some = np.concatenate([part.chance[::every] for part in forecasts.parts()])
    return np.unique(np.quantile(some, np.linspace(0.0, 1.0, _RANK_BINS + 1)[1:-1]))


def calibration_errors(forecasts: Scored, counts: Counts) -> Reals:
    """Expected calibration error over twenty bins of equal width."""

    def place(part: Forecasts) -> NDArray[np.int64]:
        return np.minimum((part.chance * _ERROR_BINS).astype(np.int64), _ERROR_BINS - 1)

    said = counts @ sums(forecasts, _chance, place, _ERROR_BINS)
    happened = counts @ sums(forecasts, _truth, place, _ERROR_BINS)
    rows = counts @ sums(forecasts, _ones, place, _ERROR_BINS)
    with np.errstate(invalid="ignore"):  # a resample may hold only servers without a row
        found: Reals = np.abs(said - happened).sum(1) / rows.sum(1)
    return found


def reliability(forecasts: Scored, counts: Counts) -> tuple[ReliabilityBin, ...]:
    """What was said, and how often it happened, bin by bin; empty bins are left out."""
    size = len(EDGES) - 1

    def place(part: Forecasts) -> NDArray[np.int64]:
        return np.clip(np.searchsorted(EDGES, part.chance, side="right") - 1, 0, size - 1)

    rows = counts @ sums(forecasts, _ones, place, size)
    said = sums(forecasts, _chance, place, size).sum(0)
    happened = counts @ sums(forecasts, _truth, place, size)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = happened / rows
    return tuple(
        ReliabilityBin(
            low=EDGES[at], high=EDGES[at + 1], count=int(rows[0, at]), said=float(said[at] / rows[0, at]),
            happened=interval(share[:, at]),
        )
        for at in range(size) if rows[0, at]
    )  # fmt: skip


def scores_of(forecasts: Scored, reference: Scored | None = None) -> ModelScores:
    """All scores of one model.

    :param reference: gradient boosting's forecasts of the same rows.
    """
    counts = resamples(forecasts.servers)
    skill = brier_skills(forecasts, counts)
    roc, precision_recall = areas(forecasts, counts)
    difference = None if reference is None else interval(skill - brier_skills(reference, counts))
    return ModelScores(
        brier_skill=interval(skill),
        auc=interval(roc),
        pr_auc=interval(precision_recall),
        calibration_error=interval(calibration_errors(forecasts, counts)),
        skill_minus_gradient_boosting=difference,
        reliability=reliability(forecasts, counts),
    )
