"""How far each metric strays from usual and comes back by itself.

A job that spikes every night belongs to the server's normal once it has been seen: after an excursion, when the metric
has been calm for :data:`CALM_TICKS`, the farthest point becomes its reach. An excursion to the critical line is an
incident rather than a habit, so only :data:`CRITICAL_SHARE` of it is learnt: it must happen often to become normal.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from tft_dash.models.scales import Flags, Values

UP: Final = 0
DOWN: Final = 1

REACH_SECONDS: Final = 7 * 86400.0
"""Reach fades towards the least with a week, the longest rhythm that most fleets have."""
CRITICAL_SEVERITY: Final = 0.95
CRITICAL_SHARE: Final = 0.1
CALM_TICKS: Final = 3


class Reach:
    """Reach up and down, in spreads.

    :param shape: (metrics, servers).
    """

    def __init__(self, shape: tuple[int, int], step_seconds: float) -> None:
        self._fade = float(np.exp(-step_seconds / REACH_SECONDS))
        self._reach: Values = np.zeros((2, *shape))
        self._farthest: Values = np.zeros((2, *shape))
        self._worst: Values = np.zeros(shape)
        self._calm: Values = np.zeros(shape)

    def of(self, above: Flags) -> Values:
        """The reach in the direction of each value."""
        return np.where(above, self._reach[UP], self._reach[DOWN])

    def learn(self, difference: Values, strange: Flags, normal: Flags, severity: Values) -> None:
        """Note excursions, and add those that are over to the reach; all (metrics, servers)."""
        self._reach *= self._fade
        self._calm = np.where(normal, self._calm + 1.0, np.where(strange, 0.0, self._calm))
        if strange.any():
            np.maximum(self._farthest[UP], difference * strange, out=self._farthest[UP])
            np.maximum(self._farthest[DOWN], -difference * strange, out=self._farthest[DOWN])
            np.maximum(self._worst, severity * strange, out=self._worst)
        over = (self._calm == CALM_TICKS) & normal
        if over.any():
            self._add(over)

    def _add(self, over: Flags) -> None:
        share = np.where(self._worst >= CRITICAL_SEVERITY, CRITICAL_SHARE, 1.0)
        self._reach += over * share * np.maximum(self._farthest - self._reach, 0.0)
        self._farthest[:, over] = 0.0
        self._worst[over] = 0.0

    def forget(self, where: Flags) -> None:
        """Start anew: what is usual has changed."""
        self._reach[:, where] = 0.0
        self._farthest[:, where] = 0.0
        self._worst[where] = 0.0
