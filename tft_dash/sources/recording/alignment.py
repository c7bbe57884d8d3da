"""From times that jitter, stop and start to numbered ticks. Pure: arrays in, arrays out.

A sample's tick is counted from its own server's first sample, so that servers that are sampled at different moments
of a step never flip between two ticks::

    base = floor((first of server - start) / step + 1/2)
    tick = base + floor((time - first of server) / step + 1/2)

Nothing here depends on a recording's tail: the earlier ticks of a recording cut short are those of the whole.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tft_dash.errors import TableError

NS_PER_SECOND: Final = 1_000_000_000
NS_PER_MS: Final = 1_000_000
DEFAULT_STEP_SECONDS: Final = 5.0
SAMPLES_PER_SERVER: Final = 256
"""How much of a server's beginning tells the step."""

_SNAP: Final = 0.001
_LONG_GAP_STEPS: Final = 3
_SERIES: Final = 32
_ALIKE: Final = math.log(1.25)
_AROUND: Final = 0.25
_SHORTEST_STEP: Final = NS_PER_MS
_LONGEST_STEP: Final = 31 * 86_400 * NS_PER_SECOND
_CELLS_ALWAYS: Final = 2_000_000
_CELLS_PER_ROW: Final = 64
_CELLS_EVER: Final = 2_000_000_000

Times = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Grid:
    """The ticks of a recording.

    :param start: time of tick 0, nanoseconds since 1970, a whole millisecond.
    :param step: nanoseconds.
    :param firsts: (servers,) each server's first sample.
    :param bases: (servers,) the tick of that sample.
    :param ticks: how many there are.
    """

    start: int
    step: int
    firsts: Times
    bases: NDArray[np.int64]
    ticks: int

    @property
    def step_seconds(self) -> float:
        """Time between ticks."""
        return self.step / NS_PER_SECOND

    def ticks_of(self, times: Times, servers: NDArray[np.integer]) -> NDArray[np.int64]:
        """The tick of every sample."""
        return self.bases[servers] + _nearest(times - self.firsts[servers], self.step)

    def times_of(self, ticks: NDArray[np.int64]) -> Times:
        """The nominal time of ticks, to the millisecond as ``SourceDescription.time_of`` gives it."""
        return self.start + np.rint(ticks * self.step_seconds * 1000).astype(np.int64) * NS_PER_MS


def make_grid(firsts: Times, lasts: Times, step: int, rows: int) -> Grid:
    """The grid of servers whose first and last samples are given.

    :param rows: how many samples there are, to tell a sparse grid from an absurd one.
    :raises TableError: the step is impossible, or the grid would be far larger than what it holds.
    """
    start = int(firsts.min()) // NS_PER_MS * NS_PER_MS
    _demand_step(step)
    bases = _nearest(firsts - start, step)
    ticks = int((bases + _nearest(lasts - firsts, step)).max()) + 1
    cells = ticks * len(firsts)
    if cells > min(max(_CELLS_ALWAYS, _CELLS_PER_ROW * rows), _CELLS_EVER):
        span = (int(lasts.max()) - start) / NS_PER_SECOND
        raise TableError(
            f"The samples span {duration(span)} at a step of {duration(step / NS_PER_SECOND)}: {ticks:,} ticks × "
            f"{len(firsts):,} servers for {rows:,} rows, which is far too sparse to play. Remove samples with a wrong "
            "time, split the recording at its long gaps, or declare a longer step."
        )
    return Grid(start, step, firsts, bases, ticks)


def _demand_step(step: int) -> None:
    if not _SHORTEST_STEP <= step <= _LONGEST_STEP:
        raise TableError(
            f"The step between samples is {duration(step / NS_PER_SECOND)}; it must be from a millisecond to 31 days. "
            "Check the timestamps' unit, or declare the step."
        )


def _nearest(spans: Times, step: int) -> NDArray[np.int64]:
    """``floor(span / step + 1/2)`` in whole numbers, so that no rounding of floats can move a sample."""
    return (2 * spans + step) // (2 * step)


def infer_step(series: Sequence[Times]) -> int | None:
    """The step of a recording in nanoseconds: the median gap between samples of a server, made precise.

    The median is taken for every server, then over servers, so that one fast server does not set the pace of all. It
    alone is off by a share of the jitter, which adds up over hundreds of ticks until samples meet in one tick. So the
    samples are numbered, and the step is the slope of time over number (least squares, every run without a long gap
    with its own offset). Within 0.1 %, or two standard errors, of a median that most gaps equal or of a number with two
    digits, the step is that.

    :param series: of some servers, the times of the first samples, sorted and without repetition.
    :returns: None when no server has two samples.
    """
    series = _cut_at_horizon(series)
    if not series:
        return None
    median = _lower_median([_lower_median(np.diff(times)) for times in series])
    slope, error = _slope(series, median)
    exact = [median] if _mostly(median, series) else []
    for candidate in (*exact, _two_digits(slope)):
        if abs(slope - candidate) <= max(_SNAP * candidate, 2 * error):
            return round(candidate)
    return round(slope)


def _cut_at_horizon(series: Sequence[Times]) -> list[Times]:
    """Gaps as they were known when the first server's beginning was complete: later servers change no step."""
    complete = [int(times[-1]) for times in series if len(times) == SAMPLES_PER_SERVER]
    horizon = min(complete, default=np.iinfo(np.int64).max)
    return [early for times in series if len(early := times[times <= horizon]) > 1]


def _lower_median(values: ArrayLike) -> float:
    """A value that occurs: the mean of two different gaps would be the gap of none."""
    ordered = np.sort(np.asarray(values, np.float64))
    return float(ordered[(len(ordered) - 1) // 2])


def _mostly(gap: float, series: Sequence[Times]) -> bool:
    """Whether most gaps are exactly ``gap``: the recording hardly jitters."""
    gaps = np.concatenate([np.diff(times) for times in series])
    return bool(np.count_nonzero(gaps == gap) > len(gaps) / 2)


def _slope(series: Sequence[Times], median: float) -> tuple[float, float]:
    """Least-squares slope of time over number, pooled over runs without a long gap, and its standard error.

    Numbering needs a step that is right to a fraction of a tick over a whole run, which no median is. The step in which
    the samples agree best on their moment is (the peak of a periodogram), however a few of them stray.
    """
    alike = [times for times in series if abs(math.log(_lower_median(np.diff(times)) / median)) < _ALIKE]
    runs = [run for times in alike[:_SERIES] for run in _split(times, median)]
    step = _most_agreed(runs, median)
    return _fit(runs, [_numbered(run, step) for run in runs], step)


def _most_agreed(runs: Sequence[NDArray[np.float64]], median: float) -> float:
    """The step within a quarter of the median in which the runs' samples come closest to one moment each."""
    longest = max(float(run[-1]) for run in runs) / median
    # Over the longest run, neighbouring rates are half a turn apart.
    rates = np.linspace(1 - _AROUND, 1 + _AROUND, 2 * math.ceil(2 * _AROUND * longest) + 1) / median
    agreement = np.zeros(len(rates))
    for run in runs:
        agreement += np.abs(np.exp(2j * np.pi * np.outer(rates, run)).sum(axis=1)) ** 2
    return float(1 / rates[agreement.argmax()])


def _numbered(run: NDArray[np.float64], step: float) -> NDArray[np.float64]:
    """Samples' numbers about the run's own moment of the step, for its first sample may have strayed."""
    moment = np.angle(np.exp(2j * np.pi * run / step).sum()) / (2 * np.pi) * step
    return np.rint((run - moment) / step)


def _split(times: Times, median: float) -> list[NDArray[np.float64]]:
    """The runs without a long gap, as nanoseconds since their first sample."""
    edges = np.flatnonzero(np.diff(times) > _LONG_GAP_STEPS * median) + 1
    return [(run - run[0]).astype(np.float64) for run in np.split(times, edges)]


def _fit(
    runs: Sequence[NDArray[np.float64]], numbers: Sequence[NDArray[np.float64]], known: float
) -> tuple[float, float]:
    """Slope and standard error; ``known`` and 0 where the runs tell nothing sensible."""
    product = square = spread = 0.0
    freedom = -1
    for run, numbered in zip(runs, numbers, strict=True):
        times, places = run - run.mean(), numbered - numbered.mean()
        product += float(places @ times)
        square += float(places @ places)
        spread += float(times @ times)
        freedom += len(run) - 1
    if not square or not 0.8 * known <= product / square <= 1.25 * known:
        return known, 0.0
    slope = product / square
    return slope, math.sqrt(max(0.0, spread - slope * product) / max(1, freedom) / square)


def _two_digits(nanoseconds: float) -> float:
    """The nearest number with two significant digits, in the unit that people would use."""
    unit = next((unit for unit in _UNITS if nanoseconds >= unit), 1.0)
    amount = nanoseconds / unit
    digits = 1 if amount < 10 else 0
    return round(amount, digits) * unit


_UNITS: Final = (86_400e9, 3_600e9, 60e9, 1e9, 1e6)


def duration(seconds: float) -> str:
    """A span for people: ``5 s``, ``4.0 years``."""
    for size, word in ((365.25 * 86_400, "years"), (86_400.0, "days"), (3_600.0, "h"), (60.0, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.1f} {word}"
    return f"{seconds:.4g} s" if seconds >= 0.001 or seconds == 0 else f"{seconds * 1e6:.4g} µs"


class SeriesSample:
    """The earliest samples of a bounded number of servers, collected from blocks in any order."""

    SERVERS: Final = 1_024
    _PENDING: Final = 1 << 18

    def __init__(self) -> None:
        self._codes = np.empty(0, np.int64)
        self._times = np.empty(0, np.int64)
        self._pending: list[tuple[NDArray[np.integer], Times]] = []
        self._waiting = 0
        self._full_at = np.full(self.SERVERS, np.iinfo(np.int64).max)

    def add(self, codes: NDArray[np.integer], times: Times) -> None:
        """Samples of servers, numbered in order of appearance."""
        known = codes < self.SERVERS
        wanted = known & (times < self._full_at[np.where(known, codes, 0)])
        if wanted.any():
            self._pending.append((codes[wanted], times[wanted]))
            self._waiting += int(np.count_nonzero(wanted))
        if self._waiting > self._PENDING:
            self._settle()

    def series(self) -> list[Times]:
        """Each server's earliest times, sorted, without repetition."""
        self._settle()
        edges = np.flatnonzero(np.diff(self._codes)) + 1
        return np.split(self._times, edges) if len(self._times) else []

    def _settle(self) -> None:
        codes = np.concatenate([self._codes, *(codes for codes, _ in self._pending)])
        times = np.concatenate([self._times, *(times for _, times in self._pending)])
        self._pending, self._waiting = [], 0
        order = np.lexsort((times, codes))
        codes, times = codes[order], times[order]
        fresh = np.ones(len(codes), bool)
        fresh[1:] = (codes[1:] != codes[:-1]) | (times[1:] != times[:-1])
        codes, times = codes[fresh], times[fresh]
        ranks = np.arange(len(codes)) - np.searchsorted(codes, codes)
        kept = ranks < SAMPLES_PER_SERVER
        last = ranks == SAMPLES_PER_SERVER - 1
        self._full_at[codes[last]] = times[last]
        self._codes, self._times = codes[kept], times[kept]
