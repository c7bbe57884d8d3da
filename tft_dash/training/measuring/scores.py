"""How good probabilities are: Brier skill, AUC, PR-AUC, calibration error, reliability, each with its interval.

Every score is a function of sums per server, so that a bootstrap over servers is a product of matrices: a resample is
how often each server counts. Intervals hold 95 % of the resamples.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

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


@dataclass(frozen=True, slots=True)
class Forecasts:
    """A model's probabilities and what happened.

    :param server: (rows,) to which server each belongs, 0…
    """

    truth: NDArray[np.bool_]
    chance: Reals
    server: NDArray[np.int64]
    servers: int

    def sums(self, values: NDArray[Any], bins: NDArray[np.int64] | None = None, count: int = 1) -> Reals:
        """(servers, count) sums of ``values`` per server, and per bin where there are some."""
        place = self.server * count + (0 if bins is None else bins)
        total = np.bincount(place, np.asarray(values, np.float64), self.servers * count)
        return total.reshape(self.servers, count).astype(np.float64)


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


def brier_skills(forecasts: Forecasts, counts: Counts) -> Reals:
    """1 − Brier score / that of always saying the frequency of what happened."""
    error = counts @ forecasts.sums((forecasts.chance - forecasts.truth) ** 2)[:, 0]
    happened = counts @ forecasts.sums(forecasts.truth)[:, 0]
    rows = counts @ forecasts.sums(np.ones(len(forecasts.truth)))[:, 0]
    with np.errstate(divide="ignore", invalid="ignore"):
        base = happened / rows
        return 1.0 - error / (rows * base * (1.0 - base))


def areas(forecasts: Forecasts, counts: Counts) -> tuple[Reals, Reals]:
    """Areas under the ROC and under the precision–recall curve, over bins of equal rank."""
    edges = np.unique(np.quantile(forecasts.chance, np.linspace(0.0, 1.0, _RANK_BINS + 1)[1:-1]))
    place = np.searchsorted(edges, forecasts.chance, side="right")
    size = len(edges) + 1
    good = (counts @ forecasts.sums(forecasts.truth, place, size))[:, ::-1]
    bad = (counts @ forecasts.sums(~forecasts.truth, place, size))[:, ::-1]
    with np.errstate(divide="ignore", invalid="ignore"):
        hits, misses = np.cumsum(good, 1), np.cumsum(bad, 1)
        roc = ((hits - 0.5 * good) * bad).sum(1) / (hits[:, -1] * misses[:, -1])
        precision = np.where(hits + misses > 0, hits / (hits + misses), 0.0)
        return roc, (precision * good).sum(1) / hits[:, -1]


def calibration_errors(forecasts: Forecasts, counts: Counts) -> Reals:
    """Expected calibration error over twenty bins of equal width."""
    place = np.minimum((forecasts.chance * _ERROR_BINS).astype(np.int64), _ERROR_BINS - 1)
    said = counts @ forecasts.sums(forecasts.chance, place, _ERROR_BINS)
    happened = counts @ forecasts.sums(forecasts.truth, place, _ERROR_BINS)
    rows = counts @ forecasts.sums(np.ones(len(place)), place, _ERROR_BINS)
    with np.errstate(invalid="ignore"):  # a resample may hold only servers without a row
        found: Reals = np.abs(said - happened).sum(1) / rows.sum(1)
    return found


def reliability(forecasts: Forecasts, counts: Counts) -> tuple[ReliabilityBin, ...]:
    """What was said, and how often it happened, bin by bin; empty bins are left out."""
    size = len(EDGES) - 1
    place = np.clip(np.searchsorted(EDGES, forecasts.chance, side="right") - 1, 0, size - 1)
    rows = counts @ forecasts.sums(np.ones(len(place)), place, size)
    said = forecasts.sums(forecasts.chance, place, size).sum(0)
    happened = counts @ forecasts.sums(forecasts.truth, place, size)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = happened / rows
    return tuple(
        ReliabilityBin(
            low=EDGES[at], high=EDGES[at + 1], count=int(rows[0, at]), said=float(said[at] / rows[0, at]),
            happened=interval(share[:, at]),
        )
        for at in range(size) if rows[0, at]
    )  # fmt: skip


def scores_of(forecasts: Forecasts, reference: Forecasts | None = None) -> ModelScores:
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


def of_groups(forecasts: Forecasts, chosen: NDArray[np.bool_], score: Callable[[Forecasts, Counts], Reals]) -> float:
    """A score over some rows alone, without an interval."""
    part = Forecasts(forecasts.truth[chosen], forecasts.chance[chosen], forecasts.server[chosen], forecasts.servers)
    return float(score(part, np.ones((1, forecasts.servers)))[0])
