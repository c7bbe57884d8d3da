"""What a model must be measured beside: gradient boosting, the thresholds, what is now, and the hour of the day.

All are fitted on the same servers as the model, the thresholds on the first few fleets of these. Those that give no
probability of their own get the frequencies with which incidents followed, so that none is beaten by its scale alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier

from tft_dash.models.forecasting.layout import INPUTS, LATE, NODES, SOON
from tft_dash.progress import Progress, silent
from tft_dash.schema import THRESHOLDS
from tft_dash.training.building import Gathered
from tft_dash.training.histories import Histories, Rows, thinned
from tft_dash.training.measuring.features import features

Reals = NDArray[np.float64]
HORIZON_STEPS: Final = (NODES[SOON], NODES[LATE])
BOOSTING, RULES, PERSISTENCE, CLIMATOLOGY = "gradient-boosting", "thresholds", "persistence", "climatology"
BOOSTING_ROWS: Final = 150_000
LEAST_KNOWN: Final = 200
"""Values that a feature needs; with fewer, the part that fits may have none of them."""
MOST_ROWS: Final = 4_000_000
"""From which frequencies are counted; of larger histories every second, third … row."""
RULED_FLEETS: Final = 4
SEED: Final = 0
_RISK_BINS: Final = 20
_HOURS: Final = 48
_PRIOR_ROWS: Final = 50.0


@dataclass(frozen=True, slots=True)
class _Frequencies:
    """How often an incident followed, by group; (2 horizons, groups)."""

    shares: Reals

    @classmethod
    def counted(cls, groups: NDArray[np.int64], truth: NDArray[np.bool_], count: int) -> _Frequencies:
        """Frequencies per group, drawn to the mean where there is little; ``truth`` (2, rows)."""
        rows = np.bincount(groups, minlength=count)
        found = []
        for happened in truth:
            base = float(happened.mean()) if len(happened) else 0.0
            hits = np.bincount(groups, happened.astype(np.float64), count)
            found.append((hits + _PRIOR_ROWS * base) / (rows + _PRIOR_ROWS))
        return cls(np.array(found))

    def of(self, groups: NDArray[np.int64]) -> tuple[Reals, Reals]:
        return self.shares[0, groups], self.shares[1, groups]


class References:
    """The references, fitted.

    :param data: what they learn from, and ``rows`` of it; the thresholds are held against the first few fleets.
    """

    def __init__(self, data: Gathered, rows: Rows, progress: Progress = silent) -> None:
        history = data.history
        rows = thinned(rows, MOST_ROWS)
        rows = rows[history.counted[rows]]
        truth = outcomes(history, rows)
        self._by_hour = _Frequencies.counted(_hours(history, rows), truth, _HOURS)
        self._by_state = _Frequencies.counted(_states(history, rows), truth, 2)
        some = rows[rows < sum(fleet.rows for fleet in data.fleets[:RULED_FLEETS])]
        some = some if len(some) else rows
        bins = _bins(data.risk[some])
        self._by_risk = _Frequencies.counted(bins, outcomes(history, some), _RISK_BINS + 1)
        progress(0.2)
        chosen = np.sort(np.random.default_rng(SEED).permutation(rows)[:BOOSTING_ROWS])
        inputs = features(history, chosen)
        self._boosters = [_boosted(inputs, happened) for happened in outcomes(history, chosen)]
        progress(1.0)

    def chances(self, data: Gathered, rows: Rows) -> dict[str, tuple[Reals, Reals]]:
        """Reference → P(30 min) and P(8 h) for ``rows``."""
        history = data.history
        return {
            BOOSTING: self._boosting(history, rows),
            RULES: self._by_risk.of(_bins(data.risk[rows])),
            PERSISTENCE: self._by_state.of(_states(history, rows)),
            CLIMATOLOGY: self._by_hour.of(_hours(history, rows)),
        }

    def _boosting(self, history: Histories, rows: Rows) -> tuple[Reals, Reals]:
        soon, late = np.empty(len(rows)), np.empty(len(rows))
        for at in range(0, len(rows), BOOSTING_ROWS):
            inputs = features(history, rows[at : at + BOOSTING_ROWS])
            for found, booster in zip((soon, late), self._boosters, strict=True):
                found[at : at + BOOSTING_ROWS] = booster(inputs)
        return soon, np.maximum(soon, late)


class _Constant:
    """What boosting comes to where only one outcome was ever seen."""

    def __init__(self, share: float) -> None:
        self._share = share

    def __call__(self, inputs: NDArray[np.float32]) -> Reals:
        return np.full(len(inputs), self._share)


class _Booster:
    def __init__(self, model: Any, columns: NDArray[np.intp]) -> None:  # noqa: ANN401 - scikit-learn has no types
        self._model = model
        self._columns = columns

    def __call__(self, inputs: NDArray[np.float32]) -> Reals:
        found: Reals = self._model.predict_proba(inputs[:, self._columns])[:, 1]
        return found


def _boosted(inputs: NDArray[np.float32], happened: NDArray[np.bool_]) -> _Constant | _Booster:
    if happened.all() or not happened.any():
        return _Constant(float(happened.mean()) if len(happened) else 0.0)
    model = HistGradientBoostingClassifier(
        max_iter=200, learning_rate=0.06, max_leaf_nodes=31, l2_regularization=1.0, min_samples_leaf=60,
        early_stopping=True, validation_fraction=0.15, random_state=SEED,
    )  # fmt: skip
    # A metric that nobody measured makes columns without a value, which the library cannot put into bins.
    columns = np.flatnonzero((~np.isnan(inputs)).sum(0) >= min(LEAST_KNOWN, len(inputs)))
    return _Booster(model.fit(inputs[:, columns], happened), columns)


def outcomes(history: Histories, rows: Rows) -> NDArray[np.bool_]:
    """(2, rows) whether an incident begins within 30 minutes, and within 8 hours."""
    return np.stack([history.first[rows] <= steps for steps in HORIZON_STEPS])


def _bins(risk: NDArray[np.float32]) -> NDArray[np.int64]:
    known = ~np.isnan(risk)
    place = np.minimum((np.where(known, risk, 0.0) * _RISK_BINS).astype(np.int64), _RISK_BINS - 1)
    return np.where(known, place, _RISK_BINS)


def _hours(history: Histories, rows: Rows) -> NDArray[np.int64]:
    minute = history.minute[rows].astype(np.int64)
    return minute // 60 % 24 + np.where(minute // 1440 >= 5, 24, 0)


def _states(history: Histories, rows: Rows) -> NDArray[np.int64]:
    """1 where a metric is above its warning line now."""
    warned = np.zeros(len(rows), np.int64)
    for at in range(0, len(rows), BOOSTING_ROWS):
        values = history.metrics[rows[at : at + BOOSTING_ROWS]]
        for name, line in THRESHOLDS.items():
            if line.sets_state:
                warned[at : at + BOOSTING_ROWS] |= values[:, INPUTS.index(name)] > line.warning
    return warned
