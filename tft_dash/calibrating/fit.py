"""Fits a line on the logit scale that draws back to the usual rate where the history does not speak for more.

The line is found by maximum likelihood (Platt 1999) with every incident counted once, not once for each row that saw it
coming, and with a prior that says "no difference" (slope 0). How much of the slope then stays is chosen on blocks of
time that the line has not seen: where what a model says does not help there, by more than chance, none of it stays,
and the stated probability is the usual rate. So a calibration is no worse than that rate, up to chance and up to a
rate that changes.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from tft_dash.calibrating.cases import Cases
from tft_dash.models.forecasting.calibration import Line, expit, logit

SHARES: Final = (0.0, 0.25, 0.5, 0.75, 1.0)
"""Of the fitted slope, how much may stay."""
PRIOR: Final = 2.0
"""Strength of the prior on the slope of standardised logits, in incidents."""
FOLDS: Final = 8
LEAST_FOLDS: Final = 3
FOLD_SECONDS: Final = 14_400.0
STEEPEST: Final = 1.5
"""A model is hardly made surer than it is: what looks like that in a few incidents is mostly chance."""
_STEPS: Final = 40
_FARTHEST: Final = 20.0

Reals = NDArray[np.float64]


def fitted(cases: Cases) -> Line:
    """The line for these rows; they hold at least one that happened and one that did not."""
    scaled, middle, spread = _standardised(cases.chance)
    share = _kept_share(cases, scaled)
    slope = min(share * _slope(scaled, cases), STEEPEST * spread)
    intercept = _intercept(scaled, cases.happened, slope) - slope * middle / spread
    return Line(slope=slope / spread, intercept=float(np.clip(intercept, -_FARTHEST, _FARTHEST)))


def usual(cases: Cases) -> Line:
    """The line that says how often it happened, whatever the model says."""
    scaled = np.zeros(len(cases))
    return Line(slope=0.0, intercept=float(np.clip(_intercept(scaled, cases.happened, 0.0), -_FARTHEST, _FARTHEST)))


def _standardised(chance: Reals) -> tuple[Reals, float, float]:
    raw = logit(chance)
    middle, spread = float(raw.mean()), max(float(raw.std()), 1e-3)
    return (raw - middle) / spread, middle, spread


def _kept_share(cases: Cases, scaled: Reals) -> float:
    """The share of the slope that helps most on blocks of time left out, by more than chance; 0 where none does."""
    fold = cases.blocks(FOLDS, FOLD_SECONDS)
    gains = [_gains(cases, scaled, fold == number) for number in np.unique(fold)]
    known = np.array([gain for gain in gains if gain is not None])
    if len(known) < LEAST_FOLDS:
        return 0.0
    sure = known.mean(axis=0) - known.std(axis=0, ddof=1) / np.sqrt(len(known))
    best = int(np.argmax(sure))
    return SHARES[best] if sure[best] > 0.0 else 0.0


def _gains(cases: Cases, scaled: Reals, out: NDArray[np.bool_]) -> Reals | None:
    """By how much each share of the slope betters the squared error of the usual rate in one block left out."""
    seen, truth = cases.part(~out), cases.happened[out]
    if not seen.happened.any() or seen.happened.all():
        return None
    slope = _slope(scaled[~out], seen)
    errors = []
    for share in SHARES:
        kept = share * slope
        said = expit(_intercept(scaled[~out], seen.happened, kept) + kept * scaled[out])
        errors.append(float(((said - truth) ** 2).sum()))
    return errors[0] - np.array(errors)


def _slope(scaled: Reals, cases: Cases) -> float:
    """Of standardised logits, by maximum likelihood with the prior; never below 0."""
    inputs = np.stack([scaled, np.ones(len(scaled))], axis=1)
    weight, pull = 1.0 / cases.overlap, np.array([PRIOR, 1e-6])
    found = np.array([0.0, _odds(cases.happened)])
    for _ in range(_STEPS):
        said = expit(inputs @ found)
        gradient = weight * (inputs.T @ (cases.happened - said)) - pull * np.array([found[0], 0.0])
        bend = weight * ((inputs * (said * (1.0 - said))[:, None]).T @ inputs) + np.diag(pull)
        step = np.linalg.solve(bend, gradient)
        found = found + step * min(1.0, 1.0 / max(float(np.abs(step).max()), 1e-12))
        if np.abs(step).max() < 1e-8:
            break
    return max(float(found[0]), 0.0)


def _intercept(scaled: Reals, happened: NDArray[np.bool_], slope: float) -> float:
    """With which the mean of what is said is the rate of what happened."""
    rate = float(happened.mean())
    low, high = -_FARTHEST - 10.0 * abs(slope), _FARTHEST + 10.0 * abs(slope)
    for _ in range(60):
        middle = 0.5 * (low + high)
        if float(expit(middle + slope * scaled).mean()) < rate:
            low = middle
        else:
            high = middle
    return 0.5 * (low + high)


def _odds(happened: NDArray[np.bool_]) -> float:
    rate = (float(happened.sum()) + 0.5) / (len(happened) + 1.0)
    return float(np.log(rate / (1.0 - rate)))
