"""How good stated probabilities are: Brier score and skill, log loss, calibration error, each with its interval.

Intervals hold 95 % of resamples of blocks of time, for the rows of one afternoon share what happens in it.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from tft_dash.calibrating.cases import Cases
from tft_dash.models.calibrated.document import Quality
from tft_dash.models.forecasting.evidence import Interval

RESAMPLES: Final = 400
SEED: Final = 20_260_105
BLOCKS: Final = 40
BLOCK_SECONDS: Final = 28_800.0
ERROR_BINS: Final = 20
_EDGE: Final = 1e-7
_NOTHING: Final[Interval] = (None, None, None)

Reals = NDArray[np.float64]


def quality(cases: Cases, chance: Reals, rate_before: float) -> Quality:
    """What ``chance`` is worth on these rows.

    :param rate_before: how often it happened on the earlier data.
    """
    if not len(cases):
        return Quality(
            rows=0, positives=0, brier=_NOTHING, brier_skill=_NOTHING, skill_over_before=_NOTHING,
            calibration_error=_NOTHING, log_loss=_NOTHING, auc=None, said=None, happened=None,
        )  # fmt: skip
    block = cases.blocks(BLOCKS, BLOCK_SECONDS)
    counts = _resamples(int(block.max()) + 1)
    truth = cases.happened.astype(np.float64)

    def total(values: Reals) -> Reals:
        return counts @ np.bincount(block, values, int(block.max()) + 1)

    rows, happened, error = total(np.ones(len(truth))), total(truth), total((chance - truth) ** 2)
    inside = np.clip(chance, _EDGE, 1.0 - _EDGE)
    loss = total(-np.where(cases.happened, np.log(inside), np.log1p(-inside)))
    with np.errstate(divide="ignore", invalid="ignore"):
        base = happened / rows
        skill = 1.0 - error / (rows * base * (1.0 - base))
        before = 1.0 - error / total((rate_before - truth) ** 2)
        return Quality(
            rows=len(truth),
            positives=int(truth.sum()),
            brier=_interval(error / rows),
            brier_skill=_interval(skill),
            skill_over_before=_interval(before),
            calibration_error=_interval(_errors(block, counts, chance, truth)),
            log_loss=_interval(loss / rows),
            auc=area(cases.happened, chance),
            said=float(chance.mean()),
            happened=float(truth.mean()),
        )


def area(happened: NDArray[np.bool_], chance: Reals) -> float | None:
    """The area under the ROC curve by ranks, ties counted half; None where only one thing happened."""
    positives, negatives = int(happened.sum()), int((~happened).sum())
    if not positives or not negatives:
        return None
    _, place, size = np.unique(chance, return_inverse=True, return_counts=True)
    middle = np.cumsum(size) - (size - 1) / 2.0
    ranks = float(middle[place][happened].sum())
    return (ranks - positives * (positives + 1) / 2.0) / (positives * negatives)


def _errors(block: NDArray[np.int64], counts: Reals, chance: Reals, truth: Reals) -> Reals:
    """Expected calibration error over twenty bins of equal width."""
    blocks = counts.shape[1]
    place = block * ERROR_BINS + np.minimum((chance * ERROR_BINS).astype(np.int64), ERROR_BINS - 1)
    gap = np.bincount(place, chance - truth, blocks * ERROR_BINS).reshape(blocks, ERROR_BINS)
    rows = np.bincount(block, minlength=blocks).astype(np.float64)
    with np.errstate(invalid="ignore"):
        found: Reals = np.abs(counts @ gap).sum(axis=1) / (counts @ rows)
    return found


def _resamples(blocks: int) -> Reals:
    """(1 + resamples, blocks) how often each block counts: once in the first row, as drawn in the others."""
    draws = np.random.default_rng(SEED).multinomial(blocks, np.full(blocks, 1.0 / blocks), size=RESAMPLES)
    return np.concatenate([np.ones((1, blocks)), draws.astype(np.float64)])


def _interval(values: Reals) -> Interval:
    estimate, drawn = values[0], values[1:][np.isfinite(values[1:])]
    if not np.isfinite(estimate):
        return _NOTHING
    if not len(drawn):
        return (float(estimate), None, None)
    low, high = np.quantile(drawn, (0.025, 0.975))
    return (float(estimate), float(low), float(high))
