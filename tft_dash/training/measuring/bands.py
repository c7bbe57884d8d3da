"""How good the forecast bands are: pinball loss beside the best naive forecast, and how often the truth lies inside.

The naive forecasts take a value (the last 15 minutes, the window's mean, the same time yesterday) and add the
quantiles of their own errors, as measured on the servers that learnt. At every horizon the best of them counts.
"""

from __future__ import annotations

import warnings
from collections import Counter
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tft_dash.models.forecasting.evidence import Bands, Interval
from tft_dash.models.forecasting.layout import INPUTS, NODES, QUANTILES, TARGETS
from tft_dash.training.histories import Histories, Rows, thinned
from tft_dash.training.measuring.predicting import Predictor, quantiles_of
from tft_dash.training.measuring.scores import interval

SAMPLE: Final = 8_000
MOST_ROWS: Final = 4_000_000
SEED: Final = 7
NAIVE: Final = ("last value", "window mean", "same time yesterday")
_DAY_STEPS: Final = 288
_LATE_STEPS: Final = 3
_PLACES: Final = [INPUTS.index(name) for name in TARGETS]
_LEVELS: Final = np.array(QUANTILES)
Reals = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class BandScores:
    """Per metric, and over all of them."""

    bands: tuple[Bands, ...]
    pinball_ratio: Interval
    coverage_80: Interval


@dataclass(frozen=True, slots=True)
class BandSums:
    """What the scores are made of, per server; the first axis of all are the servers.

    :param losses: of the model and every naive forecast, (servers, nodes, targets).
    :param covered: how often the truth lay within the 80 % band, of ``known`` times.
    """

    losses: dict[str, Reals]
    covered: Reals
    known: Reals

    def scored(self, counts: Reals) -> BandScores:
        """The scores; ``counts`` (draws, servers) how often each server counts, the estimate in the first row."""
        return _scored(self.losses, self.covered, self.known, counts)


def sample(rows: Rows, history: Histories) -> Rows:
    """Rows that have a yesterday, at most :data:`SAMPLE` of them, evenly drawn; all where none has one."""
    rows = thinned(rows, MOST_ROWS)
    late = rows[history.tick_of(rows) >= _DAY_STEPS]
    chosen = late if len(late) else rows
    return np.sort(np.random.default_rng(SEED).permutation(chosen)[:SAMPLE])


def band_sums(predictor: Predictor, history: Histories, rows: Rows, fitted: Histories, fitted_rows: Rows) -> BandSums:
    """The model on ``rows`` of ``history``, beside naive forecasts whose errors were measured on ``fitted_rows``."""
    rows, fitted_rows = sample(rows, history), sample(fitted_rows, fitted)
    truth = history.futures(rows).astype(np.float64)
    quantiles = quantiles_of(predictor, history, rows).astype(np.float64)
    server = history.server_of(rows)
    there = ~np.isnan(truth)
    losses = {"model": _pinball(truth, quantiles)}
    errors = fitted.futures(fitted_rows).astype(np.float64)
    for name in NAIVE:
        error = _quantiles(errors - _naive(name, fitted, fitted_rows))
        losses[name] = _pinball(truth, _naive(name, history, rows)[..., None] + error)
    usable = there & np.all([~np.isnan(loss) for loss in losses.values()], axis=0)
    inside = (truth >= quantiles[..., 1]) & (truth <= quantiles[..., -2])
    sums = {name: _per_server(np.where(usable, loss, 0.0), server, history.servers) for name, loss in losses.items()}
    covered = _per_server((inside & there).astype(np.float64), server, history.servers)
    known = _per_server(there.astype(np.float64), server, history.servers)
    return BandSums(sums, covered, known)


def _scored(sums: dict[str, Reals], covered: Reals, known: Reals, counts: Reals) -> BandScores:
    drawn = {name: np.einsum("bs,snm->bnm", counts, values) for name, values in sums.items()}
    naive = np.stack([drawn[name] for name in NAIVE])
    best = naive[:, 0].argmin(0)  # (nodes, targets), chosen on everything, not anew in every resample
    least = np.take_along_axis(naive, np.broadcast_to(best, (1, *naive.shape[1:])), axis=0)[0]
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = drawn["model"] / least
        share = np.einsum("bs,sm->bm", counts, covered.sum(1)) / np.einsum("bs,sm->bm", counts, known.sum(1))
    bands = tuple(
        Bands(
            metric=name,
            pinball_ratio=interval(_mean(ratio[:, :, place])),
            best_naive=NAIVE[Counter(best[:, place].tolist()).most_common(1)[0][0]],
            coverage_80=interval(share[:, place]),
        )
        for place, name in enumerate(TARGETS)
    )
    return BandScores(bands, interval(_mean(ratio.reshape(len(ratio), -1))), interval(_mean(share)))


def _quantiles(errors: Reals) -> Reals:
    """(nodes, targets, quantiles), NaN for a metric that nobody measured."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        found: Reals = np.nanquantile(errors, _LEVELS, axis=0)
    return found.transpose(1, 2, 0)


def _mean(values: Reals) -> Reals:
    """Over the last axis, of what is known."""
    known = np.isfinite(values)
    with np.errstate(invalid="ignore"):
        found: Reals = np.where(known, values, 0.0).sum(-1) / known.sum(-1)
    return found


def _pinball(truth: Reals, quantiles: Reals) -> Reals:
    gap = truth[..., None] - quantiles
    found: Reals = np.maximum(_LEVELS * gap, (_LEVELS - 1.0) * gap).mean(-1)
    return found


def _per_server(values: Reals, server: NDArray[np.int64], servers: int) -> Reals:
    found = np.zeros((servers, *values.shape[1:]))
    np.add.at(found, server, values)
    return found


def _naive(name: str, history: Histories, rows: Rows) -> Reals:
    """(rows, nodes, targets)"""
    if name == "same time yesterday":
        earlier = np.maximum(
            rows[:, None] + np.array(NODES) - _DAY_STEPS, history.begin[history.server_of(rows)][:, None]
        )
        return history.metrics[earlier][:, :, _PLACES].astype(np.float64)
    windows = history.windows(rows)[:, :, _PLACES].astype(np.float64)
    found = _mean(windows.transpose(0, 2, 1))
    if name == "last value":
        late = _mean(windows[:, -_LATE_STEPS:].transpose(0, 2, 1))
        found = np.where(np.isnan(late), found, late)
    return np.broadcast_to(found[:, None], (len(rows), len(NODES), len(TARGETS)))
