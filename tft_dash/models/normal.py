"""What is known of the normal of every metric of every server, as plain arrays of (metrics, servers)."""

from __future__ import annotations

from typing import Final

import numpy as np

from tft_dash.models.scales import Flags, Scales, Values

UP: Final = 0
DOWN: Final = 1

CRITICAL_SEVERITY: Final = 0.95
CRITICAL_SHARE: Final = 0.2
"""Share of an excursion to the critical line that is learnt as normal: it must happen often to become so."""
LEAST_REACH: Final = 3.0
"""Spreads that a value may always stray: the customary three-sigma rule."""
STEP_LIMIT: Final = 1.5
"""Spreads by which one value can pull at usual at most; Huber's constant for 95 % efficiency, rounded."""
PRIOR_TICKS: Final = 10.0
PRIOR_SECONDS: Final = 300.0
"""How many values, and for how long, the expected spread counts for; whichever is more."""


class Normal:
    """Usual value, spread and reach, all on the metrics' scales.

    :ivar usual: a running mean whose steps are limited (Huber 1964), so that spikes do not drag it.
    :ivar seen: how many values have made it.
    """

    def __init__(self, scales: Scales, servers: int, step_seconds: float) -> None:
        shape = (len(scales.numbers), servers)
        self._floor = scales.floor
        self._prior = max(PRIOR_TICKS, PRIOR_SECONDS / step_seconds)
        self._state: Values = np.zeros((6, *shape))
        self._state[2:4] = scales.spread**2

    @property
    def usual(self) -> Values:
        """Around what the values lie."""
        return self._state[0]

    @property
    def seen(self) -> Values:
        """How many values have made it."""
        return self._state[1]

    @property
    def variance(self) -> Values:
        """(2, metrics, servers) semi-variances, up and down, each doubled so that a symmetric one is the variance."""
        return self._state[2:4]

    @property
    def record(self) -> Values:
        """(2, metrics, servers) how far it has strayed up and down and come back by itself."""
        return self._state[4:6]

    def spread(self, above: Flags) -> Values:
        """Standard deviation on the side of each value."""
        return np.maximum(np.sqrt(np.where(above, self.variance[UP], self.variance[DOWN])), self._floor)

    def strangeness(self, stretched: Values) -> Values:
        """How far values lie from usual, in units of what has been seen; above 1 = further than ever."""
        difference = stretched - self.usual
        above = difference >= 0.0
        record = np.where(above, self.record[UP], self.record[DOWN])
        return np.abs(difference) / np.maximum(LEAST_REACH * self.spread(above), record)

    def follow(self, stretched: Values, normal: Flags, memory: float) -> None:
        """Learn from the values that are normal.

        :param memory: ticks after which a value's weight has fallen to 1/e.
        """
        difference = stretched - self.usual
        spread = np.maximum(np.sqrt(np.minimum(self.variance[UP], self.variance[DOWN])), self._floor)
        limit = STEP_LIMIT * spread
        square = 2.0 * difference * difference
        gain = normal / np.minimum(self._prior + self.seen, memory)
        self.variance[UP] += gain * (square * (difference >= 0.0) - self.variance[UP])
        self.variance[DOWN] += gain * (square * (difference < 0.0) - self.variance[DOWN])
        self.usual[...] += normal * np.clip(difference, -limit, limit) / np.minimum(self.seen + 1.0, memory)
        self.seen[...] += normal

    def restart(self, where: Flags, usual: Values, variance: Values, seen: float) -> None:
        """Another level is normal now."""
        self.usual[where] = usual[where]
        self.seen[where] = seen
        self.variance[:, where] = variance[where]
        self.record[:, where] = 0.0

    def take(self, other: Normal, where: Flags) -> None:
        """Become as ``other`` is, there."""
        self._state[:, where] = other._state[:, where]
