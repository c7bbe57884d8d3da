"""What is normal for each metric of each server, learnt from what has been seen so far and from nothing else.

Three things per metric and server, each with a plain meaning:

- **usual**: a running mean whose steps are limited (Huber 1964), so that spikes do not drag it;
- **spread**: root mean square distance from usual, upwards and downwards apart (semi-deviations);
- **reach**: how many spreads it has strayed before and come back by itself, upwards and downwards apart
  (see :mod:`tft_dash.models.reach`).

**Strangeness** of a value is its distance from usual in spreads, divided by reach: 1 = as far as it has ever been.

While a metric is strange (above 1) nothing is learnt, or an incident would soon be its own normal. When it stays away
for three times as long as the old normal was watched, or 8 hours if that is shorter, the new level is accepted.

All updates are element-wise: neither the order of servers nor their number matters.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from tft_dash.models.reach import DOWN, UP, Reach
from tft_dash.models.scales import Flags, Scales, Values

MEMORY_SECONDS: Final = 12 * 3600.0
"""Time constant of usual and spread: half a day follows a day's rhythm without following an incident."""
MEMORY_TICKS: Final = (30.0, 2000.0)
ACCEPT_SECONDS: Final = 8 * 3600.0
"""A level that lasts a working day is normal, wanted or not."""
ACCEPT_TICKS: Final = 30.0
ACCEPT_RATIO: Final = 3.0
PRIOR_TICKS: Final = 5.0
"""How many values the expected spread counts for."""
RECENT_TICKS: Final = 12.0
SPREAD_LIMIT: Final = 4.0
LEAST_REACH: Final = 3.5
STEP_LIMIT: Final = 1.5
"""Spreads by which one value can pull at usual at most; Huber's constant for 95 % efficiency, rounded."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A tick's values beside their normal; all (metrics, servers), meaningless where not ``present``.

    :param difference: value minus usual, on the metric's scale.
    :param above: whether the value is not below usual.
    :param strangeness: its size in units of reach; above 1 = further than ever before.
    """

    stretched: Values
    present: Flags
    difference: Values
    above: Flags
    strangeness: Values


class Baseline:
    """The normal of every metric of every server.

    :param step_seconds: time between ticks.
    """

    def __init__(self, scales: Scales, servers: int, step_seconds: float) -> None:
        shape = (len(scales.numbers), servers)
        self._scales = scales
        self._memory = float(np.clip(MEMORY_SECONDS / step_seconds, *MEMORY_TICKS))
        self._accept = max(ACCEPT_TICKS, ACCEPT_SECONDS / step_seconds)
        self._known: Flags = np.zeros(shape, bool)
        self._variance: Values = np.broadcast_to(scales.spread**2, (2, *shape)).copy()
        self._reach = Reach(shape, step_seconds)
        self._recent: Values = np.zeros(shape)
        self._recent_variance: Values = np.zeros(shape)
        self.usual: Values = np.zeros(shape)
        self.seen: Values = np.zeros(shape)
        self.away: Values = np.zeros(shape)

    def read(self, stretched: Values, present: Flags) -> Reading:
        """The tick's values held against what was normal before it.

        A metric's very first value is taken for usual, though not above its warning line.
        """
        first = present & ~self._known
        if first.any():
            self.usual = np.where(first, np.minimum(stretched, self._scales.warning), self.usual)
            self._recent = np.where(first, stretched, self._recent)
            self._known |= first
        difference = stretched - self.usual
        above = difference >= 0.0
        spread = np.sqrt(np.where(above, self._variance[UP], self._variance[DOWN]))
        reach = np.maximum(LEAST_REACH * np.maximum(spread, self._scales.floor), self._reach.of(above))
        return Reading(stretched, present, difference, above, np.abs(difference) / reach)

    def learn(self, reading: Reading, severity: Values) -> None:
        """Let the tick become part of the past. ``severity``: see :meth:`Scales.severity`."""
        strange = reading.present & (reading.strangeness > 1.0)
        normal = reading.present & ~strange
        self._follow(reading, normal)
        self._watch(reading)
        self._reach.learn(reading.difference, strange, normal, severity)
        self.away += np.where(strange, 1.0, np.where(normal, -2.0, 0.0))
        np.maximum(self.away, 0.0, out=self.away)
        patience = np.clip(ACCEPT_RATIO * self.seen, ACCEPT_TICKS, self._accept)
        accepted = self.away > patience
        if accepted.any():
            self._accept_level(accepted)

    def _follow(self, reading: Reading, normal: Flags) -> None:
        spread = np.maximum(np.sqrt(np.minimum(self._variance[UP], self._variance[DOWN])), self._scales.floor)
        limit = STEP_LIMIT * spread
        self.usual += normal * np.clip(reading.difference, -limit, limit) / np.minimum(self.seen + 1.0, self._memory)
        gain = normal / np.minimum(PRIOR_TICKS + self.seen, self._memory)
        square = 2.0 * reading.difference * reading.difference
        for side, here in ((UP, reading.above), (DOWN, ~reading.above)):
            self._variance[side] += gain * (np.minimum(square * here,SPREAD_LIMIT**2*self._variance[side]) - self._variance[side])
        self.seen += normal

    def _watch(self, reading: Reading) -> None:
        """Keep the level and variance of the last values, strange or not, in case they become the new normal."""
        gain = reading.present / RECENT_TICKS
        difference = reading.stretched - self._recent
        self._recent += gain * difference
        self._recent_variance += gain * (difference * difference - self._recent_variance)

    def _accept_level(self, accepted: Flags) -> None:
        self.usual = np.where(accepted, self._recent, self.usual)
        self._variance = np.where(accepted, self._recent_variance, self._variance)
        self._reach.forget(accepted)
        self.away[accepted] = 0.0
        self.seen[accepted] = RECENT_TICKS
