"""Asking a source: for which span, how much at once, and how soon again after it did not answer."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Final

import numpy as np

from tft_dash.errors import StorageError, TftDashError
from tft_dash.live.adapters import Feed
from tft_dash.live.alignment import Grid, whole_step
from tft_dash.live.clock import SteadyClock
from tft_dash.live.samples import Samples

logger = logging.getLogger(__name__)

TICKS_AT_ONCE: Final = 480
VALUES_AT_ONCE: Final = 250_000
"""Samples of servers and ticks that one call asks for when ticks are back-filled; bounds the memory."""
FIRST_TICKS: Final = 2000
"""A source that is collected for the first time is looked through for so many ticks at most: what a page shows."""
LOOK_BACK_SECONDS: Final = 60.0
FIRST_RETRY_SECONDS: Final = 1.0
LAST_RETRY_SECONDS: Final = 30.0


class BackOff:
    """How soon a source that does not answer is asked again: twice as late each time, but never by many ticks."""

    def __init__(self, step_seconds: float) -> None:
        self._most = min(LAST_RETRY_SECONDS, max(5.0, step_seconds))
        self._next = FIRST_RETRY_SECONDS

    def failed(self) -> float:
        """Seconds to wait after another failure."""
        wait, self._next = self._next, min(2 * self._next, self._most)
        return min(wait, self._most)

    def answered(self) -> None:
        """It has answered: begin anew."""
        self._next = FIRST_RETRY_SECONDS


class FailedPollError(Exception):
    """A poll that brought nothing; its message is for people."""


@dataclass(frozen=True, slots=True)
class Due:
    """Ticks to be recorded now: ``first`` to ``last``; more may be due after them."""

    first: int
    last: int


class Polling:
    """One source and its clock.

    :param delay_seconds: how long a tick is left open after its time.
    :param backfill_ticks: older ticks than so many are not asked for any more.
    """

    def __init__(self, feed: Feed, delay_seconds: float, backfill_ticks: int, store_clock: SteadyClock) -> None:
        self._feed = feed
        self.delay_seconds = delay_seconds
        self._delay = np.timedelta64(round(delay_seconds * 1000), "ms")
        self._step_ms = round(feed.step_seconds * 1000)
        self._backfill_ticks = max(1, backfill_ticks)
        self._store_clock = store_clock
        self._own_clock = SteadyClock(monotonic=store_clock.monotonic)
        self._looked: np.datetime64 | None = None

    def now(self) -> np.datetime64:
        """The source's own clock if it tells one, else the store's; neither is followed at once when it jumps."""
        return self._own_clock.now() if self._own_clock.known else self._store_clock.now()

    def due(self, grid: Grid, latest: int, servers: int) -> Due | None:
        """The ticks after ``latest`` that are over; None = none is."""
        last = self._over(grid)
        if last <= latest:
            return None
        first = max(latest + 1, last - self._backfill_ticks + 1)
        return Due(first, min(last, first + self._chunk(servers) - 1))

    def seconds_until(self, grid: Grid, tick: int) -> float:
        """Until a tick is over; 0 = it is."""
        left = grid.time_of(tick) + self._delay - self.now()
        return max(0.0, float(left / np.timedelta64(1, "ms")) / 1000.0)

    def ask(self, grid: Grid, due: Due) -> tuple[Samples, Due | None]:
        """The samples of ticks that are due, and which of these are over by the source's own clock, too.

        :raises FailedPollError: it did not answer.
        :raises StorageError: it is kept in the store, and that cannot be read.
        """
        samples = self._fetch(grid.time_of(due.first - 1), grid.time_of(due.last))
        last = min(due.last, self._over(grid))
        if samples.until is not None:
            last = min(last, int(grid.ticks_of(np.array([samples.until]))[0]))
        return samples, Due(due.first, last) if last >= due.first else None

    def origin(self) -> np.datetime64 | None:
        """The tick of the first sample that the source has, within the last :data:`FIRST_TICKS`; None = it has none.

        :raises FailedPollError: it did not answer.
        """
        step = np.timedelta64(self._step_ms, "ms")
        if not self._own_clock.known:  # any answer tells it, if the source tells it at all
            now = whole_step(self.now(), self._step_ms)
            self._fetch(now - step, now)
        end = whole_step(self.now() - self._delay, self._step_ms)
        start = end - min(FIRST_TICKS, self._backfill_ticks) * step
        if self._looked is not None:
            start = max(start, whole_step(self._looked - np.timedelta64(int(LOOK_BACK_SECONDS), "s"), self._step_ms))
        while start < end:
            stop = min(start + TICKS_AT_ONCE * step, end)
            samples = self._fetch(start, stop)
            inside = samples.times[(samples.times > start) & (samples.times <= stop)]
            if len(inside):
                return whole_step(inside.min() - np.timedelta64(1, "ms"), self._step_ms) + step
            start = stop
        self._looked = end
        return None

    def _over(self, grid: Grid) -> int:
        return grid.last_before(self.now() - self._delay)

    def _chunk(self, servers: int) -> int:
        return int(np.clip(VALUES_AT_ONCE // max(servers, 1), 1, TICKS_AT_ONCE))

    def _fetch(self, start: np.datetime64, end: np.datetime64) -> Samples:
        try:
            samples = self._feed.fetch(start, end)
        except StorageError:
            raise
        except TftDashError as error:
            raise FailedPollError(str(error)) from error
        except Exception as error:  # a feed's own fault must not end the collector; it is told on every page
            logger.exception("a feed met an error of its own")
            # Not in its own words: what a library says may hold a piece of a secret.
            raise FailedPollError(
                f"The source was not read, by an error of the feed's own ({type(error).__name__}). The collector's log "
                "tells where."
            ) from error
        if samples.now is not None:
            self._own_clock.show(samples.now)
        return samples
