"""Ask a live source for its last ticks, and find out what is there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from tft_dash.live.adapters import Feed
from tft_dash.live.alignment import Aligned, Grid, align, whole_step
from tft_dash.live.samples import Rejected, Samples, merged
from tft_dash.live.specs import LiveSpec
from tft_dash.schema import METRIC_NAMES, NO_STATE

TICKS: Final = 60
"""So many ticks are looked at."""
LOOK_BACK: Final = 480
MOST_LOOKS: Final = 12
"""A source that is silent is looked through for the newest sample, so many times so many ticks back."""
_MS: Final = np.timedelta64(1, "ms")


@runtime_checkable
class Explaining(Protocol):
    """A feed that can say more of its source than samples tell."""

    def notes(self) -> tuple[str, ...]:
        """Sentences for people, about the last call of ``fetch``; may ask the source, and never fails for that."""
        ...


@dataclass(frozen=True, slots=True)
class Gap:
    """The longest time that a server said nothing, between two samples of it."""

    server: str
    start: np.datetime64
    seconds: float


@dataclass(frozen=True, slots=True)
class Probe:
    """What a source had.

    :param step_seconds: of the ticks.
    :param delay_seconds: how long a tick is left open.
    :param skew_seconds: how much the source's own clock is ahead of this machine's; None = it does not tell.
    :param aligned: the last ticks; the arrays are (ticks, servers).
    :param times: (ticks,).
    :param median_gap_seconds: between two samples of a server; NaN = none has two.
    :param missing_samples: ticks without a sample of a server, between its first and its last.
    :param newest: the newest sample's time; None = there is none, however far it was looked back.
    :param looked_back_seconds: how far it was looked back.
    """

    spec: LiveSpec
    step_seconds: float
    delay_seconds: float
    now: np.datetime64
    skew_seconds: float | None
    aligned: Aligned
    times: NDArray[np.datetime64]
    median_gap_seconds: float
    missing_samples: int
    longest_gap: Gap | None
    newest: np.datetime64 | None
    looked_back_seconds: float
    rejected: tuple[Rejected, ...]
    notes: tuple[str, ...]

    @property
    def servers(self) -> tuple[str, ...]:
        """Those that had a sample in the last ticks."""
        return self.aligned.servers

    @property
    def covered(self) -> tuple[str, ...]:
        """The metrics that had a value."""
        return tuple(name for name in METRIC_NAMES if name in self.aligned.metrics)

    @property
    def missing(self) -> tuple[str, ...]:
        """The metrics that had none."""
        return tuple(name for name in METRIC_NAMES if name not in self.aligned.metrics)

    @property
    def frame_row(self) -> int | None:
        """The newest tick with a sample."""
        rows = np.flatnonzero((self.aligned.states != NO_STATE).any(axis=1))
        return int(rows[-1]) if len(rows) else None


def probe(spec: LiveSpec, feed: Feed, clock: Callable[[], np.datetime64]) -> Probe:
    """Ask ``feed`` for its last :data:`TICKS` ticks.

    :param clock: this machine's, UTC.
    :raises TftDashError: the source does not answer, or its answer is not acceptable.
    """
    step_ms = round(feed.step_seconds * 1000)
    step = np.timedelta64(step_ms, "ms")
    delay = spec.delay_for(feed.step_seconds)
    here = clock()
    first = feed.fetch(whole_step(here, step_ms) - step, whole_step(here, step_ms))
    now = here if first.now is None else first.now
    skew = None if first.now is None else float((first.now - here) / _MS) / 1000
    end = whole_step(now - np.timedelta64(round(delay * 1000), "ms"), step_ms)
    start = end - TICKS * step
    samples = feed.fetch(start, end)
    notes = feed.notes() if isinstance(feed, Explaining) else ()
    inside = samples.times[(samples.times > start) & (samples.times <= end)]
    newest, looked = (inside.max(), TICKS) if len(inside) else _newest_before(feed, start, step)
    aligned = align(samples, Grid(start, step_ms), 1, TICKS, now)
    median, missing, longest = _gaps(aligned, start, step, samples)
    return Probe(
        spec=spec,
        step_seconds=feed.step_seconds,
        delay_seconds=delay,
        now=now,
        skew_seconds=skew,
        aligned=aligned,
        times=start + np.arange(1, TICKS + 1) * step,
        median_gap_seconds=median,
        missing_samples=missing,
        longest_gap=longest,
        newest=newest,
        looked_back_seconds=looked * feed.step_seconds,
        rejected=merged(samples.rejected),
        notes=notes,
    )


def _newest_before(feed: Feed, end: np.datetime64, step: np.timedelta64) -> tuple[np.datetime64 | None, int]:
    """The newest sample before an instant, and how many ticks it was looked back."""
    for look in range(MOST_LOOKS):
        last = end - look * LOOK_BACK * step
        first = last - LOOK_BACK * step
        times = feed.fetch(first, last).times
        times = times[(times > first) & (times <= last)]
        if len(times):
            return times.max(), TICKS + (look + 1) * LOOK_BACK
    return None, TICKS + MOST_LOOKS * LOOK_BACK


def _gaps(
    aligned: Aligned, start: np.datetime64, step: np.timedelta64, samples: Samples
) -> tuple[float, int, Gap | None]:
    """The median time between two samples of a server, how many ticks lack one, and the longest silence."""
    between: list[NDArray[np.float64]] = []
    for server in aligned.servers:
        own = np.unique(samples.times[(samples.servers == server) & (samples.times > start)])
        between.append((np.diff(own) / _MS).astype(np.float64))
    every = np.concatenate([np.zeros(0), *between])
    median = float(np.median(every)) / 1000 if len(every) else float("nan")
    present = aligned.states != NO_STATE
    missing, longest = 0, None
    for column, server in enumerate(aligned.servers):
        rows = np.flatnonzero(present[:, column])
        holes = np.diff(rows)
        missing += int((holes - 1).sum())
        if len(holes) and holes.max() > 1 and (longest is None or holes.max() * step > longest[1]):
            place = int(np.argmax(holes))
            longest = (server, holes.max() * step, start + (rows[place] + 1) * step)
    if longest is None:
        return median, missing, None
    return median, missing, Gap(longest[0], longest[2], float(longest[1] / _MS) / 1000)
