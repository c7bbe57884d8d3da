"""The alerts of a rule over a whole history at once: the state machine of :mod:`tft_dash.alerts.state`, vectorised.

One server at a time, without the ticks at which nothing was said of it: they change nothing. What is left falls into
runs beyond the bar and runs that are clear. An alert fires at the first tick by which a run beyond the bar has held
for ``for``, and ends at the first tick after that by which a clear run has held for ``keep_firing_for``. A run that has
held for long enough began after the alert's last turn, since no value is both beyond the bar and clear.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tft_dash.alerts.rules import Rule
from tft_dash.alerts.tuning.recorded import History, Series, Times
from tft_dash.schema import FloatArray


@dataclass(frozen=True, slots=True)
class Episode:
    """One alert, from the tick at which its condition began to hold to its end.

    :param resolved_ms: None = it stands at the end of the history.
    """

    server: str
    metric: str
    profile: str
    since_ms: int
    fired_ms: int
    resolved_ms: int | None


@dataclass(frozen=True, slots=True)
class _Column:
    """What was seen of one server.

    :param clock: (seen,) observed time at each tick; what nobody saw counts for nothing.
    """

    values: FloatArray
    times: Times
    clock: Times
    worst: float


class Replay:
    """Runs rules that read the same, with other bars and durations, over one history.

    What does not depend on these is made once.
    """

    def __init__(self, history: History, series: tuple[Series, ...]) -> None:
        self._series = series
        self._columns = [
            {place: _column(one.values[:, place], history, one.bars.sign) for place in one.places} for one in series
        ]

    def episodes(self, rule: Rule) -> list[Episode]:
        """Every alert that ``rule`` makes, in order of its firing, then of metrics and servers."""
        found = []
        for one, columns in zip(self._series, self._columns, strict=True):
            bars = type(one.bars)(*rule.when.bars(one.metric))
            for place, column in columns.items():
                if column.worst > np.float32(bars.sign * bars.fire):
                    hot, clear = bars.hot(column.values), bars.clears(column.values)
                    for since, fired, over in _turns(hot, clear, column.clock, rule):
                        found.append(
                            Episode(
                                server=one.servers[place],
                                metric=one.metric,
                                profile=one.profiles[place],
                                since_ms=int(column.times[since]),
                                fired_ms=int(column.times[fired]),
                                resolved_ms=None if over is None else int(column.times[over]),
                            )
                        )
        return sorted(found, key=lambda episode: episode.fired_ms)


def _column(values: FloatArray, history: History, sign: int) -> _Column:
    seen = np.flatnonzero(~np.isnan(values))
    times = history.times[seen]
    passed = np.minimum(np.diff(times, prepend=times[:1]), history.steps[seen])
    worst = float((sign * values[seen]).max()) if len(seen) else -np.inf
    return _Column(values[seen], times, np.cumsum(passed), worst)


def _turns(
    hot: NDArray[np.bool_], clear: NDArray[np.bool_], clock: Times, rule: Rule
) -> list[tuple[int, int, int | None]]:
    """When each alert's condition began to hold, when it fired, and when it ended; None = not yet."""
    begins = _run_starts(hot)
    fires = np.flatnonzero(hot & (clock - clock[begins] >= rule.for_ms))
    ends = np.flatnonzero(clear & (clock - clock[_run_starts(clear)] >= rule.keep_ms))
    found: list[tuple[int, int, int | None]] = []
    after = -1
    while True:
        place = int(np.searchsorted(fires, after, side="right"))
        if place == len(fires):
            return found
        fired = int(fires[place])
        end = int(np.searchsorted(ends, fired, side="right"))
        over = int(ends[end]) if end < len(ends) else None
        found.append((int(begins[fired]), fired, over))
        if over is None:
            return found
        after = over


def _run_starts(flags: NDArray[np.bool_]) -> NDArray[np.intp]:
    """For each place in a run of flags the place where the run began; elsewhere some earlier place."""
    starts = flags & ~np.concatenate([[False], flags[:-1]])
    return np.asarray(np.maximum.accumulate(np.where(starts, np.arange(len(flags)), 0)), np.intp)
