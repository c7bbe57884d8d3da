"""From samples in order of time to ticks, so that a rhythm on the edge between two ticks loses no sample.

A server whose first sample came late, or that resumed after a gap at another moment of the step, hovers about the
edge: its nominal ticks run 4, 4, 6, 6, … . Two samples in one tick are then not one too many; the second one belongs
to the empty tick that follows. So a sample that comes a step's time after the one before, and finds its tick taken, is
pushed to the next tick, and its successors with it, until a tick is skipped. This looks at the past only.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from tft_dash.sources.recording.alignment import Grid, Times

_APART: Final = 0.6
"""Share of a step from which two samples are successive ones, rather than one repeated."""
_NEVER: Final = -(1 << 40)


class Ticking:
    """Gives samples their ticks, block after block.

    :param in_order: whether every server's samples come in order of time. If not, nothing is known of a sample's
        predecessor, and each has its nominal tick.
    """

    def __init__(self, grid: Grid, *, in_order: bool) -> None:
        self._grid, self._in_order = grid, in_order
        servers = len(grid.bases)
        self._nominal = np.full(servers, _NEVER)
        self._times = np.zeros(servers, np.int64)
        self._pushed = np.zeros(servers, np.int8)

    def ticks(self, times: Times, servers: NDArray[np.int32]) -> NDArray[np.int64]:
        """(rows,) ticks; at most one past the grid's last."""
        nominal = self._grid.ticks_of(times, servers)
        if not self._in_order or not len(times):
            return nominal
        order = np.argsort(servers, kind="stable")
        pushed = np.empty(len(order), np.int8)
        pushed[order] = self._follow(servers[order], nominal[order], times[order])
        return nominal + pushed

    def _follow(self, servers: NDArray[np.int32], nominal: NDArray[np.int64], times: Times) -> NDArray[np.int8]:
        """1 for pushed samples, of rows ordered by server."""
        heads = np.ones(len(servers), bool)
        heads[1:] = servers[1:] != servers[:-1]
        whose = servers[heads]
        before, then = np.roll(nominal, 1), np.roll(times, 1)
        before[heads], then[heads] = self._nominal[whose], self._times[whose]
        skipped = nominal - before >= 2
        taken = (nominal == before) & (times - then > _APART * self._grid.step)
        state = np.full(len(servers), -1, np.int8)
        state[heads] = self._pushed[whose]
        state[skipped], state[taken] = 0, 1
        # Whoever has no reason of his own follows the one before.
        reason = np.maximum.accumulate(np.where(state >= 0, np.arange(len(state)), 0))
        pushed = state[reason]
        tails = np.append(heads[1:], True)
        whose = servers[tails]
        self._nominal[whose], self._times[whose], self._pushed[whose] = nominal[tails], times[tails], pushed[tails]
        return pushed
