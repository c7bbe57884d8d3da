"""A fleet in which nothing is wrong: every metric around its usual value, alive, and the same everywhere.

The arithmetic is held to operations whose result is the same to the last bit on every processor: ``+ − × ÷``, square
root, comparisons, and integers. Logarithms, powers and sines differ in their last bit between mathematical libraries,
sums of arrays by the order in which a processor adds, and numpy's own normal generator between versions.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tft_dash.scenarios.fleet import Places, server_names, server_profiles
from tft_dash.scenarios.format.parts import Spec
from tft_dash.scenarios.profiles import (
    BEHAVIOUR,
    LOAD_DEVIATION,
    LOAD_MEMORY_SECONDS,
    NOISE_MEMORY_SECONDS,
    usual_values,
)
from tft_dash.schema import METRIC_NAMES

Reals = NDArray[np.float64]
Integers = NDArray[np.int64]

DAY_MS: Final = 86_400_000
_MEAN_OF_FOUR: Final = 4 * 65_535 / 2
_DEVIATION_OF_FOUR: Final = math.sqrt(4 * (65_536**2 - 1) / 12)
_LOAD: Final = len(METRIC_NAMES)
"""The place of the load among a server's streams, after its metrics."""


def stream(seed: int, server: str, what: str) -> np.random.Philox:
    """A stream of random bits of its own for one server and purpose; other servers and purposes do not touch it."""
    key = hashlib.sha256(f"{seed}\x1f{server}\x1f{what}".encode()).digest()[:16]
    return np.random.Philox(key=int.from_bytes(key, "little"))


def normals(bits: np.random.Philox, count: int) -> Reals:
    """``count`` values of mean 0 and deviation 1, nearly normal and never beyond ±3.47.

    Irwin and Hall: the sum of the four 16-bit quarters of each 64-bit draw.
    """
    raw = bits.random_raw(count)
    pairs = (raw & np.uint64(0x0000FFFF0000FFFF)) + ((raw >> np.uint64(16)) & np.uint64(0x0000FFFF0000FFFF))
    sums = (pairs & np.uint64(0xFFFFFFFF)) + (pairs >> np.uint64(32))
    return (sums.astype(np.float64) - _MEAN_OF_FOUR) / _DEVIATION_OF_FOUR


def uniforms(bits: np.random.Philox, count: int) -> Reals:
    """``count`` values in [0, 1)."""
    return (bits.random_raw(count) >> np.uint64(11)).astype(np.float64) / 2.0**53


class Signals:
    """The metrics of a healthy fleet, block after block of ticks.

    :param places: only of the servers at these places; each is as it is in the whole fleet. None = of all.
    :ivar usual: (metrics, servers) what each metric of each server wavers around, without its daily rhythm.
    """

    def __init__(self, spec: Spec, places: Places | None = None) -> None:
        profiles = list(server_profiles(spec.fleet.profiles))
        names = list(server_names(spec.fleet.profiles))
        if places is not None:
            profiles, names = [profiles[place] for place in places], [names[place] for place in places]
        self._tick_ms = round(spec.clock.tick * 1000)
        self._start_ms = round(spec.clock.start.timestamp() * 1000)
        self._noise = np.array([profile.noise for profile in profiles])
        self._amplitude = np.array([profile.daily_rhythm.amplitude for profile in profiles])
        self._peak_hour = np.array([profile.daily_rhythm.peak_hour for profile in profiles])
        self._weekend = np.array([profile.daily_rhythm.weekend or 0.0 for profile in profiles])
        # The swing is multiplied by the amplitude later; a fleet without a daily rhythm has none at weekends either.
        self._divisor = np.where(self._amplitude > 0.0, self._amplitude, 1.0)
        self._streams = [[stream(spec.seed, name, what) for name in names] for what in (*METRIC_NAMES, "load")]
        self._last: Reals | None = None
        memory = np.array([NOISE_MEMORY_SECONDS] * _LOAD + [LOAD_MEMORY_SECONDS])
        self._keep = (memory / (memory + spec.clock.tick))[:, None]
        self._fresh = np.sqrt(1.0 - self._keep * self._keep)
        spread = np.array([[BEHAVIOUR[metric].spread] for metric in METRIC_NAMES])
        wanted = {profile.name: usual_values(profile) for profile in spec.fleet.profiles}
        middle = np.array([wanted[profile.name] for profile in profiles]).T
        own = np.array([normals(stream(spec.seed, name, "usual"), len(METRIC_NAMES)) for name in names]).T
        self.usual: Reals = middle * (1.0 + spread * own * self._noise)

    def blocks(self, ticks: int, size: int) -> Iterator[tuple[int, Reals, Reals]]:
        """``(first tick, values, noise)`` for consecutive blocks of at most ``size`` ticks.

        Values and noise are (metrics, ticks, servers); values in the metrics' units, noise of deviation 1. What they
        hold does not depend on ``size``. To be consumed once.
        """
        for first in range(0, ticks, size):
            count = min(size, ticks - first)
            moving = self._wander(count)
            yield first, self._values(first, moving), moving[:_LOAD]

    def _wander(self, count: int) -> Reals:
        """(metrics and load, ticks, servers): first-order autoregressive, stationary, deviation 1."""
        servers = len(self._streams[0])
        moving = np.empty((count, len(self._streams), servers))
        for place, streams in enumerate(self._streams):
            for server, bits in enumerate(streams):
                moving[:, place, server] = normals(bits, count)
        begun = 0 if self._last is not None else 1
        last = moving[0] if self._last is None else self._last
        moving[begun:] *= self._fresh
        for tick in range(begun, count):
            moving[tick] += self._keep * last
            last = moving[tick]
        self._last = last.copy()
        return np.ascontiguousarray(moving.transpose(1, 0, 2))

    def _values(self, first: int, moving: Reals) -> Reals:
        values = np.empty_like(moving[:_LOAD])
        swing = self._daily(first, moving.shape[1]) * self._amplitude
        swing += moving[_LOAD] * (LOAD_DEVIATION * self._noise)
        for place, metric in enumerate(METRIC_NAMES):
            behaviour = BEHAVIOUR[metric]
            share = moving[place] * (behaviour.noise * self._noise)
            share += swing * behaviour.load
            share += 1.0
            np.multiply(share, self.usual[place], out=values[place])
        return values

    def _daily(self, first: int, count: int) -> Reals:
        """(ticks, servers) how far the load is from its mean, in units of the amplitude; less at weekends."""
        instants = self._start_ms + np.arange(first, first + count, dtype=np.int64) * self._tick_ms
        day = (instants % DAY_MS).astype(np.float64) / DAY_MS
        swing = swing_at(day[:, None], self._peak_hour)
        if self._weekend.any():
            swing = np.where(is_weekend(instants)[:, None], swing - self._weekend / self._divisor, swing)
        return swing


def swing_at(day: Reals, peak_hour: Reals | float) -> Reals:
    """−1…1 over a day's share, 1 at the peak hour: two parabolas in place of a cosine, the same everywhere."""
    turn = day - peak_hour / 24.0 + 0.25
    turn -= np.floor(turn)
    rising, falling = 16.0 * turn * (0.5 - turn), -16.0 * (turn - 0.5) * (1.0 - turn)
    return np.where(turn < 0.5, rising, falling)


def is_weekend(instants: Integers) -> NDArray[np.bool_]:
    """Whether instants, in milliseconds since 1970 (a Thursday), lie on a Saturday or Sunday, UTC."""
    return (instants // DAY_MS + 3) % 7 >= 5
