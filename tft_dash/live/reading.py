"""The fleet's figures over the last ticks of a live source, read once and carried on as ticks are added."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Final

import numpy as np

from tft_dash.frame import History
from tft_dash.schema import FloatArray
from tft_dash.store.live import FleetHistory, LiveStore
from tft_dash.ticks import FLEET_SCALARS

HISTORY_TICKS: Final = 2000
_PROBABILITIES: Final = ("prob_30m", "prob_8h")
_ROOM: Final = 1000
"""So many more ticks are kept before the oldest are dropped, and may be gone back to without reading."""


@dataclass(frozen=True, slots=True)
class _Span:
    """The figures of the ticks ``first`` to ``last``; (ticks,) each; see :class:`History` for the rest."""

    first: int
    last: int
    figures: dict[str, FloatArray]
    thinned_before: int


class Histories:
    """The histories of one source. What was recorded does not change, so what was read is read once."""

    def __init__(self, name: str, store: LiveStore) -> None:
        self._name, self._store = name, store
        self._span: _Span | None = None
        self._lock = threading.Lock()

    def until(self, tick: int) -> History:
        """The figures of the last :data:`HISTORY_TICKS` ticks up to ``tick``, which must be recorded by now."""
        first = max(0, tick - HISTORY_TICKS + 1)
        with self._lock:
            span = self._span
            if span is None or first < span.first or first > span.last + 1:
                span = self._read(first, tick)
                if self._span is None or tick > self._span.last:
                    self._span = span
            elif tick > span.last:
                span = self._span = _joined(span, self._read(span.last + 1, tick))
        part = slice(first - span.first, tick + 1 - span.first)
        figures = {name: values[part] for name, values in span.figures.items()}
        return History(**figures, first=first, thinned_before=max(0, min(span.thinned_before, tick + 1)))

    def clear(self) -> None:
        """Forget what was read."""
        with self._lock:
            self._span = None

    def _read(self, first: int, last: int) -> _Span:
        found = self._store.history(self._name, first, last)
        several = found.ticks[found.stands_for > 1]
        return _Span(first, last, filled(found, first, last), int(several[-1]) + 1 if len(several) else 0)


def filled(found: FleetHistory, first: int, last: int) -> dict[str, FloatArray]:
    """The figures of every tick from ``first`` to ``last``; NaN where nothing is known.

    A kept tick has its own, as issued. The ticks before it that it stands for have the highest probability and the
    means of the metrics over all of them: no peak is lost.
    """
    figures = {name: np.full(last - first + 1, np.nan, np.float32) for name in FLEET_SCALARS}
    several = np.flatnonzero(found.stands_for > 1).tolist()
    for name, values in figures.items():
        for place in several:
            tick, before = int(found.ticks[place]), int(found.stands_for[place])
            rolled = found.maxima if name in _PROBABILITIES else found.means
            values[max(0, tick - before + 1 - first) : tick - first] = rolled[name][place]
        values[found.ticks - first] = found.figures[name]
    return figures


def _joined(span: _Span, more: _Span) -> _Span:
    """Both; the oldest ticks are dropped where they have become too many."""
    drop = max(0, more.last - span.first + 1 - HISTORY_TICKS - _ROOM)
    drop = drop + _ROOM if drop else 0
    drop = min(drop, span.last - span.first + 1)
    joined = {name: np.concatenate([values[drop:], more.figures[name]]) for name, values in span.figures.items()}
    thinned = max(span.thinned_before, more.thinned_before)
    return _Span(span.first + drop, more.last, joined, thinned)
