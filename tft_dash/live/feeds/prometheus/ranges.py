"""Spans of time as instants of the grid, in pieces that a server answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from tft_dash.live.feeds.prometheus.client import TooMuchError

MOST_POINTS: Final = 11_000
"""More points of one series Prometheus refuses to give at once."""
VALUES_AT_ONCE: Final = 500_000
"""Series times points of one answer, about 15 MB of JSON."""
FIRST_GUESS: Final = 2000
"""So many series are expected of a query before any was answered."""
Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class Span:
    """Instants of the grid: ``first_ms``, and ``points - 1`` more, ``step_ms`` apart; since 1970."""

    first_ms: int
    step_ms: int
    points: int

    @property
    def last_ms(self) -> int:
        """The last instant."""
        return self.first_ms + (self.points - 1) * self.step_ms

    @property
    def times_ms(self) -> NDArray[np.int64]:
        """(points,) every instant."""
        return self.first_ms + np.arange(self.points, dtype=np.int64) * self.step_ms

    def piece(self, first: int, points: int) -> Span:
        """Up to ``points`` instants from the one at place ``first`` on."""
        return Span(self.first_ms + first * self.step_ms, self.step_ms, min(points, self.points - first))


def aligned(start_ms: int, end_ms: int, step_ms: int) -> Span:
    """The whole multiples of the step with ``start < time ≤ end``: the same ones whichever span is asked for."""
    first = (start_ms // step_ms + 1) * step_ms
    last = end_ms // step_ms * step_ms
    return Span(first, step_ms, max(0, (last - first) // step_ms + 1))


def points_for(series: int) -> int:
    """So many points are asked for at once of a query that has so many series."""
    return max(1, min(MOST_POINTS, VALUES_AT_ONCE // max(1, series)))


def in_pieces(span: Span, points: Callable[[], int], ask: Callable[[Span], Found]) -> list[Found]:
    """Everything that ``ask`` finds, a piece after the other; one that is too much is asked in smaller ones.

    :param points: how many may be asked for at once; looked up anew for each piece.
    :raises TooMuchError: even one point is too much.
    """
    found, at, most = list[Found](), 0, span.points
    while at < span.points:
        piece = span.piece(at, max(1, min(most, points())))
        try:
            found.append(ask(piece))
        except TooMuchError:
            if piece.points == 1:
                raise
            most = max(1, piece.points // 4)
            continue
        at += piece.points
    return found
