"""What is normal for each metric of each server, learnt from what has been seen so far and from nothing else.

Three things make a normal (:mod:`tft_dash.models.normal`): what is **usual**, its **spread** upwards and downwards, and
the **record**, how far it has strayed before and come back by itself. A job that spikes every night belongs to the
server's normal once it has been seen. An excursion to the critical line is an incident rather than a habit, and it
takes many to make one. The **strangeness** of a value is its distance from usual, divided by the record or by
three spreads, whichever is more: 1 = as far as it has ever been.

While a metric is strange (above 1) nothing is learnt, or an incident would soon be its own normal. When it stays away
for three times as long as the old normal was watched, or 8 hours if that is shorter, the new level is accepted. The
old one is remembered, so that a return to it is no surprise.

All updates are element-wise: neither the order of servers nor their number matters.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from tft_dash.models.normal import CRITICAL_SEVERITY, CRITICAL_SHARE, DOWN, UP, Normal
from tft_dash.models.scales import Flags, Scales, Values

MEMORY_SECONDS: Final = 12 * 3600.0
"""Time constant of usual and spread: half a day follows a day's rhythm without following an incident."""
MEMORY_TICKS: Final = (30.0, 2000.0)
RECORD_SECONDS: Final = 7 * 86400.0
"""Records fade with a week, the longest rhythm that most fleets have."""
ACCEPT_SECONDS: Final = 8 * 3600.0
"""A level that lasts a working day is normal, wanted or not."""
ACCEPT_TICKS: Final = 30.0
ACCEPT_RATIO: Final = 3.0
RECENT_TICKS: Final = 12.0
CALM_TICKS: Final = 3
"""Normal values in a row that end an excursion."""


class Baseline:
    """The normal of every metric of every server; all arrays are (metrics, servers) on the metrics' scales.

    :param step_seconds: time between ticks.
    :ivar normal: what is normal now.
    :ivar away: for how many ticks each metric has been strange; falls twice as fast as it rises.
    """

    def __init__(self, scales: Scales, servers: int, step_seconds: float) -> None:
        shape = (len(scales.numbers), servers)
        self._warning = scales.warning
        self._memory = float(np.clip(MEMORY_SECONDS / step_seconds, *MEMORY_TICKS))
        self._accept = max(ACCEPT_TICKS, ACCEPT_SECONDS / step_seconds)
        self._fade = float(np.exp(-step_seconds / RECORD_SECONDS))
        self._known: Flags = np.zeros(shape, bool)
        self._former = Normal(scales, servers, step_seconds)
        self._recent: Values = np.zeros(shape)
        self._recent_variance: Values = np.zeros(shape)
        self._farthest: Values = np.zeros((2, *shape))
        self._worst: Values = np.zeros(shape)
        self._calm: Values = np.zeros(shape)
        self.normal = Normal(scales, servers, step_seconds)
        self.away: Values = np.zeros(shape)

    def strangeness(self, stretched: Values, present: Flags) -> Values:
        """The tick's values held against what was normal before it; meaningless where not ``present``.

        A metric's very first value is taken for usual, though not above its warning line.
        """
        first = present & ~self._known
        if first.any():
            self.normal.usual[first] = np.minimum(stretched, self._warning)[first]
            self._recent[first] = stretched[first]
            self._known |= first
        found = self.normal.strangeness(stretched)
        back = present & (found > 1.0) & (self._former.seen > self.normal.seen)
        if back.any():
            back &= self._former.strangeness(stretched) <= 1.0
            self._return(back)
            found = self.normal.strangeness(stretched)
        return found

    def learn(self, stretched: Values, present: Flags, strangeness: Values, severity: Values) -> None:
        """Let the tick become part of the past. ``severity``: see :meth:`Scales.severity`."""
        strange = present & (strangeness > 1.0)
        normal = present & ~strange
        self._note_excursions(stretched, strange, normal, severity)
        self.normal.follow(stretched, normal, self._memory)
        self._watch(stretched, present)
        self.away += np.where(strange, 1.0, np.where(normal, -2.0, 0.0))
        np.maximum(self.away, 0.0, out=self.away)
        accepted = self.away > np.clip(ACCEPT_RATIO * self.normal.seen, ACCEPT_TICKS, self._accept)
        if accepted.any():
            self._accept_level(accepted)

    def _note_excursions(self, stretched: Values, strange: Flags, normal: Flags, severity: Values) -> None:
        """Keep the farthest point of every excursion, and make it a record when the excursion is over."""
        self.normal.record[...] *= self._fade
        self._calm = np.where(normal, self._calm + 1.0, np.where(strange, 0.0, self._calm))
        if strange.any():
            difference = (stretched - self.normal.usual) * strange
            np.maximum(self._farthest[UP], difference, out=self._farthest[UP])
            np.maximum(self._farthest[DOWN], -difference, out=self._farthest[DOWN])
            np.maximum(self._worst, severity * strange, out=self._worst)
        over = normal & (self._calm == CALM_TICKS)
        if over.any():
            share = np.where(self._worst >= CRITICAL_SEVERITY, CRITICAL_SHARE, 1.0)
            self.normal.record[...] += over * share * np.maximum(self._farthest - self.normal.record, 0.0)
            self._forget_excursion(over)

    def _watch(self, stretched: Values, present: Flags) -> None:
        """Keep the level and variance of the last values, strange or not, in case they become the new normal."""
        gain = present / RECENT_TICKS
        difference = stretched - self._recent
        self._recent += gain * difference
        self._recent_variance += gain * (difference * difference - self._recent_variance)

    def _accept_level(self, where: Flags) -> None:
        self._former.take(self.normal, where & (self.normal.seen > self._former.seen))
        self.normal.restart(where, self._recent, self._recent_variance, RECENT_TICKS)
        self.away[where] = 0.0
        self._forget_excursion(where)

    def _return(self, where: Flags) -> None:
        self.normal.take(self._former, where)
        self._former.seen[where] = 0.0
        self.away[where] = 0.0
        self._forget_excursion(where)

    def _forget_excursion(self, where: Flags) -> None:
        self._farthest[:, where] = 0.0
        self._worst[where] = 0.0
