"""Fits the last step of the probabilities to outcomes: two numbers per horizon, by maximum likelihood."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from tft_dash.models.forecasting.calibration import Calibration, Line, expit, logit
from tft_dash.training.histories import Histories, Rows, thinned

Reals = NDArray[np.float64]
STEPS: Final = 50
_PULL: Final = 2.0
"""How strongly the line is drawn to slope 1 and intercept 0, in units of observed incidents' information."""
_LOWEST_SLOPE, _HIGHEST_SLOPE, _FARTHEST = 0.05, 5.0, 10.0


def fitted_line(chance: Reals, truth: NDArray[np.bool_]) -> Line:
    """The line on the logit scale that makes what happened likeliest; a weak prior keeps it near "change nothing"."""
    inputs = np.stack([logit(chance), np.ones(len(chance))], axis=1)
    start = np.array([1.0, 0.0])
    found = start.copy()
    for _ in range(STEPS):
        said = expit(inputs @ found)
        slope = inputs.T @ (truth - said) - _PULL * (found - start)
        bend = (inputs * (said * (1.0 - said))[:, None]).T @ inputs + _PULL * np.eye(2)
        step = np.linalg.solve(bend, slope)
        found = found + step * min(1.0, 2.0 / max(float(np.abs(step).max()), 1e-12))
        if np.abs(step).max() < 1e-9:
            break
    slope_, intercept = float(found[0]), float(found[1])
    return Line(
        slope=min(max(slope_, _LOWEST_SLOPE), _HIGHEST_SLOPE), intercept=min(max(intercept, -_FARTHEST), _FARTHEST)
    )


def fitted_calibration(
    soon: Reals, late: Reals, truth: NDArray[np.bool_], *, fitted_on: str, incidents: int
) -> Calibration:
    """A calibration from raw probabilities and what happened, (2, rows)."""
    lines = {"30m": fitted_line(soon, truth[0]), "8h": fitted_line(late, truth[1])}
    return Calibration.model_validate(
        {"fitted_on": fitted_on, "horizons": lines, "rows": len(soon), "incidents": incidents}
    )


def counted_rows(history: Histories, rows: Rows, most: int) -> Rows:
    """Those of ``rows`` that count in an evaluation, at most ``most`` of them, evenly."""
    return thinned(rows[history.counted[rows]], most)
