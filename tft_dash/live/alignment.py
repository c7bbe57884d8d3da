"""Samples → ticks: pure, and the same whatever the order of the samples and however they were split."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tft_dash.live.samples import Flags, Names, Samples
from tft_dash.schema import METRIC_NAMES, NO_STATE, OFFLINE, CodeArray, FloatArray, derive_states
from tft_dash.ticks import Counts

Ticks = NDArray[np.int64]
NO_PROFILE: Final = ""


@dataclass(frozen=True, slots=True)
class Grid:
    """Where the ticks of a source lie. All in whole milliseconds, so that no tick drifts.

    :param origin: time of tick 0.
    """

    origin: np.datetime64
    step_ms: int

    def time_of(self, tick: int) -> np.datetime64:
        """Time of a tick."""
        return self.origin + np.timedelta64(tick * self.step_ms, "ms")

    def ticks_of(self, times: NDArray[np.datetime64]) -> Ticks:
        """The ticks that samples of these times belong to: each the first one that is not before its sample."""
        since = (times.astype("datetime64[ms]") - self.origin.astype("datetime64[ms]")).astype(np.int64)
        return -(-since // self.step_ms)

    def last_before(self, time: np.datetime64) -> int:
        """The last tick at or before an instant."""
        since = int((time.astype("datetime64[ms]") - self.origin.astype("datetime64[ms]")).astype(np.int64))
        return since // self.step_ms


def whole_step(time: np.datetime64, step_ms: int) -> np.datetime64:
    """The last instant at or before ``time`` that is a whole number of steps since 1970."""
    since = int(time.astype("datetime64[ms]").astype(np.int64))
    return np.datetime64(since // step_ms * step_ms, "ms")


@dataclass(frozen=True, slots=True)
class Aligned:
    """Consecutive ticks of those servers that samples speak of, by name; arrays are (ticks, servers).

    :param first: number of the first tick.
    :param metrics: NaN = missing; only those of which some sample had a value.
    :param states: ``NO_STATE`` = no sample at all.
    :param profiles: as objects; "" = not said.
    :param counts: samples that are in none of the ticks, over the whole delivery.
    """

    first: int
    servers: tuple[str, ...]
    metrics: dict[str, FloatArray]
    states: CodeArray
    profiles: NDArray[np.object_]
    counts: Counts

    @property
    def ticks(self) -> int:
        """How many ticks."""
        return len(self.states)


def align(samples: Samples, grid: Grid, first: int, last: int, now: np.datetime64) -> Aligned:
    """The ticks ``first`` to ``last`` from whatever was delivered.

    Samples of earlier ticks are late. Those of later ticks are left for their own time, uncounted, unless they are more
    than a step ahead of ``now``: then they are from the future. See :mod:`tft_dash.live` for the rules.

    :param now: by the clock that closes ticks.
    """
    ticks = grid.ticks_of(samples.times)
    ahead = samples.times > now + np.timedelta64(grid.step_ms, "ms")
    late = (ticks < first) & ~ahead
    inside = (ticks >= first) & (ticks <= last) & ~ahead
    codes, servers = _numbered(samples.servers, inside)
    cells = _Cells(ticks[inside] - first, codes, samples.times[inside], (max(0, last - first + 1), len(servers)))
    metrics = {}
    for name in METRIC_NAMES:
        if name in samples.metrics:
            values = np.asarray(samples.metrics[name], np.float32)[inside]
            if np.isfinite(values).any():
                metrics[name] = cells.newest(values, np.isfinite(values), np.float32(np.nan))
    counts = Counts(
        late=int(late.sum()) + samples.late,
        duplicate=cells.duplicates() + samples.duplicate,
        future=int(ahead.sum()) + samples.future,
        rejected=samples.rejected_count,
    )
    return Aligned(
        first, servers, metrics, _states(samples, inside, cells, metrics), _profiles(samples, inside, cells), counts
    )


class _Cells:
    """Which cell of (ticks, servers) each sample falls into, and when."""

    def __init__(self, ticks: Ticks, servers: Ticks, times: NDArray[np.datetime64], shape: tuple[int, int]) -> None:
        self.shape = shape
        self._ticks, self._servers, self._times = ticks, servers, times.astype(np.int64)

    def newest(self, values: NDArray[Any], said: Flags, nothing: Any) -> NDArray[Any]:  # noqa: ANN401 - any number
        """(ticks, servers) the newest value that was said; of several at the same instant the highest."""
        cube = np.full(self.shape, nothing, values.dtype)
        some = np.flatnonzero(said)
        order = some[np.lexsort((values[some], self._times[some]))]
        cube[self._ticks[order], self._servers[order]] = values[order]  # of several for one cell the last one stays
        return cube

    def any(self) -> Flags:
        """(ticks, servers) whether there is a sample."""
        found = np.zeros(self.shape, bool)
        found[self._ticks, self._servers] = True
        return found

    def duplicates(self) -> int:
        """Samples that repeat the server and instant of another."""
        pairs = np.stack([self._servers, self._times])
        return pairs.shape[1] - np.unique(pairs, axis=1).shape[1] if pairs.size else 0


def _numbered(names: Names, inside: Flags) -> tuple[Ticks, tuple[str, ...]]:
    """The servers' names in order, and each sample's place among them."""
    codes, found = pd.factorize(names[inside])
    order = sorted(range(len(found)), key=lambda place: found[place])
    places = np.empty(len(found), np.int64)
    places[order] = np.arange(len(found))
    return (places[codes] if len(found) else np.zeros(0, np.int64)), tuple(str(found[place]) for place in order)


def _states(samples: Samples, inside: Flags, cells: _Cells, metrics: dict[str, FloatArray]) -> CodeArray:
    """As the source says, else from the metrics; down is offline; a sample without a value is online at least."""
    derived = derive_states(metrics) if metrics else np.full(cells.shape, NO_STATE, np.int8)
    states = np.where(cells.any() & (derived == NO_STATE), np.int8(0), derived).astype(np.int8)
    if samples.states is not None:
        codes = np.asarray(samples.states, np.int8)[inside]
        told = cells.newest(codes, codes != NO_STATE, np.int8(NO_STATE))
        states = np.where(told != NO_STATE, told, states).astype(np.int8)
    if samples.up is not None:
        down = ~np.asarray(samples.up, bool)[inside]
        is_down = cells.newest(down, np.ones(len(down), bool), False)
        states = np.where(is_down, np.int8(OFFLINE), states).astype(np.int8)
    return states


def _profiles(samples: Samples, inside: Flags, cells: _Cells) -> NDArray[np.object_]:
    """The newest profile that was said of each server in each tick; of several at the same instant the last by name."""
    found = np.full(cells.shape, NO_PROFILE, object)
    if samples.profiles is None or not inside.any():
        return found
    given = samples.profiles[inside]
    said = np.array([isinstance(profile, str) and profile != NO_PROFILE for profile in given], bool)
    if not said.any():
        return found
    names = np.array(sorted({str(profile) for profile in given[said]}), object)
    places = {name: place for place, name in enumerate(names)}
    codes = np.array([places.get(profile, -1) for profile in given], np.int64)
    newest = cells.newest(codes, said, np.int64(-1))
    found[newest >= 0] = names[newest[newest >= 0]]
    return found
