"""Samples held in memory, and a clock that one can set: the public test double of a live source."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from tft_dash.errors import SourceUnreachableError
from tft_dash.live.samples import Flags, Rejected, Samples, joined, no_samples, objects

DEFAULT_NOW = np.datetime64("2024-01-01T00:00:00.000", "ms")


class ManualClock:
    """A clock that stands still until it is set; call it for the time, UTC."""

    def __init__(self, now: np.datetime64 = DEFAULT_NOW) -> None:
        self._now = now.astype("datetime64[ms]")

    def __call__(self) -> np.datetime64:
        """What it shows."""
        return self._now

    def set(self, now: np.datetime64) -> None:
        """Show another time, earlier or later."""
        self._now = now.astype("datetime64[ms]")

    def forward(self, seconds: float) -> np.datetime64:
        """Go on by so many seconds; negative = back."""
        self._now = self._now + np.timedelta64(round(seconds * 1000), "ms")
        return self._now


class MemoryFeed:
    """A live source in memory. Thread-safe: a test adds samples while a collector asks for them.

    :param clock: the source's own clock, which every answer tells; None = it tells none.
    :ivar away: why the source does not answer; None = it does.
    :ivar asked: every span that was asked for, whether there was an answer or not.
    """

    def __init__(self, step_seconds: float = 5.0, *, clock: Callable[[], np.datetime64] | None = None) -> None:
        self.step_seconds = step_seconds
        self.away: str | None = None
        self.asked: list[tuple[np.datetime64, np.datetime64]] = []
        self.closed = False
        self._clock = clock
        self._held: list[Samples] = []
        self._rejected: list[Rejected] = []
        self._lock = threading.Lock()

    def add(self, samples: Samples) -> None:
        """Have these samples from now on; what was rejected is told by the next answer alone."""
        with self._lock:
            self._held.append(samples)
            self._rejected += samples.rejected

    def report(
        self,
        time: np.datetime64,
        metrics: Mapping[str, Sequence[float]],
        servers: Sequence[str],
        profiles: Sequence[str | None] | None = None,
    ) -> None:
        """Have one sample of each of ``servers`` at one instant; ``metrics``: name → a value for each server."""
        values = {name: np.asarray(column, np.float32) for name, column in metrics.items()}
        times = np.full(len(servers), time.astype("datetime64[ms]"))
        self.add(Samples(times, objects(servers), values, None if profiles is None else objects(profiles)))

    def forget(self, before: np.datetime64) -> None:
        """Have no sample before an instant any more, as a source of limited memory."""
        with self._lock:
            self._held = [_cut(one, one.times >= before) for one in self._held]

    def fetch(self, start: np.datetime64, end: np.datetime64) -> Samples:
        """See :meth:`tft_dash.live.adapters.Feed.fetch`."""
        with self._lock:
            self.asked.append((start, end))
            if self.away is not None:
                raise SourceUnreachableError(self.away)
            found = [_cut(one, (one.times > start) & (one.times <= end)) for one in self._held]
            now = None if self._clock is None else self._clock()
            answer = joined([no_samples(rejected=self._rejected, now=now), *(one for one in found if len(one))])
            self._rejected = []
        return answer

    def close(self) -> None:
        """Note that nobody asks any more."""
        self.closed = True


def _cut(samples: Samples, rows: Flags) -> Samples:
    def part(values: Any) -> Any:  # noqa: ANN401 - any column
        return None if values is None else values[rows]

    return Samples(
        samples.times[rows],
        samples.servers[rows],
        {name: values[rows] for name, values in samples.metrics.items()},
        profiles=part(samples.profiles),
        states=part(samples.states),
        up=part(samples.up),
    )
