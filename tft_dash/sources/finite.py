"""A recording that lies in arrays, in memory or memory-mapped, read by ticks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tft_dash.errors import UsageError
from tft_dash.frame import SourceDescription
from tft_dash.schema import Batch, CodeArray, FloatArray, Phase, Window

NO_PHASE = -1


@dataclass(frozen=True, slots=True)
class FiniteSource:
    """The arrays behind a recording, and how they are read.

    :param metrics: metric name → (ticks, servers); at least one.
    :param states: (ticks, servers) codes.
    :param phase_codes: (ticks,) index into ``phase_names``, :data:`NO_PHASE` = none.
    """

    description: SourceDescription
    metrics: Mapping[str, FloatArray]
    states: CodeArray
    phase_codes: NDArray[np.int16]
    phase_names: tuple[str, ...]

    def read(self, after: int, limit: int, *, labels: bool) -> Batch:
        """Up to ``limit`` ticks strictly newer than ``after``, as views; see :meth:`Source.read`.

        Past the end the batch is empty and its cursor is the last tick.

        :raises UsageError: ``after`` is below -1 or ``limit`` is negative.
        """
        first, stop = span_after(after, limit, len(self.states))
        about = self.description
        phases = self._phases(first, stop) if labels and self.phase_names else None
        window = Window(
            start=about.time_of(first),
            step_seconds=about.step_seconds,
            servers=about.servers,
            profiles=about.profiles,
            metrics={name: values[first:stop] for name, values in self.metrics.items()},
            phases=phases,
        )
        return Batch(first, window, self.states[first:stop], cursor=stop - 1, exhausted=stop == len(self.states))

    def _phases(self, first: int, stop: int) -> tuple[str | None, ...]:
        codes = self.phase_codes[first:stop].tolist()
        return tuple(None if code == NO_PHASE else self.phase_names[code] for code in codes)


def span_after(after: int, limit: int, ticks: int) -> tuple[int, int]:
    """First tick and end of what a read gives, as for :func:`range`.

    :raises UsageError: ``after`` is below -1 or ``limit`` is negative.
    """
    if after < -1:
        raise UsageError(f"A source was read after tick {after}; ticks count from 0, and -1 stands before the first.")
    if limit < 0:
        raise UsageError(f"A source was asked for {limit} ticks; ask for 0 or more.")
    first = min(after + 1, ticks)
    return first, min(first + limit, ticks)


def phase_spans(codes: NDArray[np.int16], names: Sequence[str]) -> tuple[Phase, ...]:
    """Runs of equal phase codes as named spans, in order of time; ticks without a phase belong to none."""
    if not len(codes):
        return ()
    edges = np.flatnonzero(np.diff(codes)) + 1
    firsts = [0, *edges.tolist()]
    lasts = [*(edges - 1).tolist(), len(codes) - 1]
    runs = ((int(codes[first]), first, last) for first, last in zip(firsts, lasts, strict=True))
    return tuple(Phase(names[code], first, last) for code, first, last in runs if code != NO_PHASE)
