"""How regular a recording is: samples that are missing, and samples that are off their server's rhythm."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tft_dash.sources.cubes.cube import release
from tft_dash.sources.findings import Example, Findings, counted, iso_time
from tft_dash.sources.recording.alignment import Grid, duration

_CELLS_PER_CHUNK: Final = 1 << 20
_OFF_RHYTHM: Final = 0.1


@dataclass(frozen=True, slots=True)
class Rhythm:
    """What was found.

    :param samples: how many cells of the grid hold a sample.
    :param jitter_seconds: mean distance of a sample from its server's rhythm.
    """

    samples: int
    jitter_seconds: float


def chunks(ticks: int, servers: int) -> Iterator[slice]:
    """Spans of ticks with a bounded number of cells."""
    size = max(1, _CELLS_PER_CHUNK // max(1, servers))
    return (slice(first, min(first + size, ticks)) for first in range(0, ticks, size))


class RhythmReader:
    """Reads it off the offsets of the samples.

    :param offsets: (ticks, servers) as in ``time.npy``; ``nothing`` where there is no sample.
    :param unit: nanoseconds per unit of the offsets.
    """

    def __init__(
        self, grid: Grid, offsets: NDArray[np.signedinteger[Any]], *, nothing: int, unit: int, servers: tuple[str, ...]
    ) -> None:
        self._grid, self._offsets, self._nothing, self._unit = grid, offsets, nothing, unit
        self._servers = servers

    def read(self, findings: Findings) -> Rhythm:
        """One pass over the grid; a second one over its beginning where there are gaps."""
        grid = self._grid
        held = np.zeros(len(self._servers), np.int64)
        lasts = grid.bases.copy()
        off, distance = 0, 0.0
        for span in chunks(*self._offsets.shape):
            there = self._offsets[span] != self._nothing
            held += there.sum(axis=0)
            ends = span.stop - 1 - there[::-1].argmax(axis=0)
            lasts = np.where(there.any(axis=0), ends, lasts)
            away = self._away(span, there)
            distance += float(away.sum())
            off += self._note_off(findings, span, away)
            release(self._offsets)
        samples = int(held.sum())
        jitter = distance / max(1, samples) / 1e9
        if off:
            detail = f"on average {duration(jitter)} away"
            findings.count("jitter", off, detail=detail, of=samples)
        self._note_gaps(findings, held, lasts)
        return Rhythm(samples, jitter)

    def _away(self, span: slice, there: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Nanoseconds between each sample and its server's rhythm, which its first sample sets; 0 without a sample."""
        grid = self._grid
        ticks = np.arange(span.start, span.stop)
        nominal = grid.times_of(ticks)[:, None]
        rhythm = grid.firsts + (ticks[:, None] - grid.bases) * grid.step
        times = nominal + self._offsets[span].astype(np.int64) * self._unit
        return np.where(there, np.abs(times - rhythm), 0)

    def _note_off(self, findings: Findings, span: slice, away: NDArray[np.int64]) -> int:
        off = away > _OFF_RHYTHM * self._grid.step
        found = int(np.count_nonzero(off))
        wanted = findings.wants_example("jitter", None) if found else 0
        if wanted:
            places = np.argwhere(off)[:wanted]
            findings.example(
                "jitter", None, [self._example(span.start + int(row), int(server)) for row, server in places]
            )
        return found

    def _note_gaps(self, findings: Findings, held: NDArray[np.int64], lasts: NDArray[np.int64]) -> None:
        spans = lasts - self._grid.bases + 1
        gaps = spans - held
        if not gaps.any():
            return
        detail = f"on {counted(int(np.count_nonzero(gaps)), 'server')}"
        findings.count("gap", int(gaps.sum()), detail=detail, of=int(spans.sum()))
        for span in chunks(*self._offsets.shape):
            ticks = np.arange(span.start, span.stop)[:, None]
            empty = (self._offsets[span] == self._nothing) & (ticks > self._grid.bases) & (ticks < lasts)
            places = np.argwhere(empty)[: findings.wants_example("gap", None)]
            findings.example("gap", None, [self._example(span.start + int(row), int(server)) for row, server in places])
            if not findings.wants_example("gap", None):
                return

    def _example(self, tick: int, server: int) -> Example:
        nominal = int(self._grid.times_of(np.array([tick]))[0])
        offset = int(self._offsets[tick, server])
        time = nominal if offset == self._nothing else nominal + offset * self._unit
        return Example(file="", row=None, time=iso_time(time), server=self._servers[server], value=None)
