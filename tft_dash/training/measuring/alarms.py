"""Alarms judged by episodes: which incidents they announce and how long before, and how often they are false.

An alarm is on while a server's P(30 min) is at or above a threshold and it is not critical. Spans with pauses of at
most 15 minutes are one alarm. It announces an incident that begins while it is on or within the 30 minutes after; it is
false when it announces none, unless the server was critical in the 30 minutes before it, which is an incident's tail.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tft_dash.models.forecasting.evidence import AlarmPoint, Alarms
from tft_dash.models.forecasting.layout import QUIET_STEPS, STEP_SECONDS
from tft_dash.training.histories import Histories

PAUSE: Final = 3
FALSE_PER_WEEK: Final = 1.0
MOST_IN_ALARM: Final = 0.03
THRESHOLDS: Final = (
    *(round(0.01 * step, 2) for step in range(1, 20)), *(round(0.2 + 0.025 * step, 3) for step in range(31)), 0.99,
)  # fmt: skip
_WEEK_STEPS: Final = 7 * 86_400 / STEP_SECONDS
_STEP_MINUTES: Final = STEP_SECONDS / 60
Flags = NDArray[np.bool_]
Places = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Judged:
    """What one threshold gives on some servers.

    :param right: alarms that announce an incident; ``false``: those that announce none.
    :param hot: counted steps in alarm, of ``counted`` in all.
    :param lead: (incidents,) minutes between the alarm and each incident, NaN where none announced it.
    """

    threshold: float
    right: int
    false: int
    hot: int
    counted: int
    lead: NDArray[np.float64]

    @property
    def point(self) -> AlarmPoint:
        """As it is shown."""
        caught = ~np.isnan(self.lead)
        return AlarmPoint(
            threshold=self.threshold,
            false_per_server_week=self.false / max(self.counted / _WEEK_STEPS, 1e-9),
            share_in_alarm=self.hot / max(self.counted, 1),
            recall=float(caught.mean()) if len(caught) else 0.0,
            precision=self.right / max(self.right + self.false, 1),
            median_lead_minutes=float(np.median(self.lead[caught])) if caught.any() else None,
        )


def pooled(parts: Sequence[Judged]) -> Judged:
    """One threshold on several sets of servers together."""
    return Judged(
        parts[0].threshold, sum(part.right for part in parts), sum(part.false for part in parts),
        sum(part.hot for part in parts), sum(part.counted for part in parts),
        np.concatenate([part.lead for part in parts]),
    )  # fmt: skip


class AlarmJudge:
    """Judges thresholds on one set of histories; what does not depend on the threshold is made once.

    :ivar onsets: rows at which incidents begin that could have been announced: their row before was looked at.
    """

    def __init__(self, histories: Histories, seen: Flags) -> None:
        self._counted = histories.counted & seen
        self._critical = histories.critical
        # Series lie end to end; set apart, so that no alarm runs on from one server into the next.
        self._shift = histories.server_of(np.arange(histories.rows)) * (PAUSE + QUIET_STEPS + 2)
        self._past_critical = np.concatenate([[0], np.cumsum(histories.critical)])
        known = np.concatenate([[False], seen[:-1]])
        self.onsets = np.flatnonzero(histories.onset & known)
        self._begin = histories.begin[histories.server_of(np.arange(histories.rows))]

    def judge(self, chance: NDArray[np.float64], threshold: float) -> Judged:
        """``chance`` (rows,) of the histories, NaN where nothing was said."""
        hot = (chance >= threshold) & ~self._critical
        rows = np.flatnonzero(hot)
        lead = np.full(len(self.onsets), np.nan)
        false, right = 0, 0
        if len(rows):
            first, last = _episodes(rows, self._shift)
            announced = self._announced(first, last)
            self._fill_leads(lead, first, announced)
            tail = self._after_critical(first)
            right, false = int((announced >= 0).sum()), int(((announced < 0) & ~tail).sum())
        count = int(np.count_nonzero(self._counted))
        return Judged(threshold, right, false, int(np.count_nonzero(hot & self._counted)), count, lead)

    def curve(self, chance: NDArray[np.float64]) -> list[Judged]:
        """Every threshold of :data:`THRESHOLDS`."""
        return [self.judge(chance, threshold) for threshold in THRESHOLDS]

    def _announced(self, first: Places, last: Places) -> Places:
        """(episodes,) the place of the first incident that each announces, −1 = none."""
        if not len(self.onsets):
            return np.full(len(first), -1)
        place = np.searchsorted(self.onsets, first, side="right")
        there = self.onsets[np.minimum(place, len(self.onsets) - 1)]
        same = self._begin[there] == self._begin[first]
        return np.where((place < len(self.onsets)) & (there <= last + QUIET_STEPS) & same, place, -1)

    def _fill_leads(self, lead: NDArray[np.float64], first: Places, announced: Places) -> None:
        """The lead of an incident is that of the first alarm that announces it."""
        for at in np.flatnonzero(announced >= 0)[::-1]:
            lead[announced[at]] = (self.onsets[announced[at]] - first[at]) * _STEP_MINUTES

    def _after_critical(self, first: Places) -> Flags:
        before = np.maximum(first - QUIET_STEPS, self._begin[first])
        found: Flags = self._past_critical[first + 1] > self._past_critical[before]
        return found


def _episodes(rows: Places, shift: Places) -> tuple[Places, Places]:
    """The first and last row of each span of ``rows`` whose pauses are short."""
    apart = rows + shift[rows]
    cuts = np.flatnonzero(np.diff(apart) > PAUSE)
    return rows[np.concatenate([[0], cuts + 1])], rows[np.concatenate([cuts, [len(rows) - 1]])]


def alarms_of(curve: Sequence[Judged]) -> tuple[Alarms, NDArray[np.float64]]:
    """The whole curve, the lowest threshold that keeps to the bounds, and each incident's lead there (NaN = missed)."""
    points = [judged.point for judged in curve]
    chosen = next((place for place, point in enumerate(points) if _is_bearable(point)), None)
    lead = np.full(len(curve[0].lead), np.nan) if chosen is None else curve[chosen].lead
    caught = tuple(float(minutes) for minutes in np.sort(lead[~np.isnan(lead)]))
    point = None if chosen is None else points[chosen]
    return Alarms(chosen=point, curve=tuple(points), lead_minutes=caught), lead


def _is_bearable(point: AlarmPoint) -> bool:
    return point.false_per_server_week <= FALSE_PER_WEEK and point.share_in_alarm <= MOST_IN_ALARM
