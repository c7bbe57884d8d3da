"""Where a sensor stands still: a server's value that does not change in a column whose values usually do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tft_dash.inspection.stored.rowfile import SERVER, TICK, RowFile

STUCK_SAMPLES: Final = 12
"""From this many equal consecutive samples on a value is stuck."""
_USUALLY: Final = 0.5


@dataclass(frozen=True, slots=True)
class Stillness:
    """What was found in one column.

    :param runs: how many.
    :param longest: samples of the longest.
    :param server: where that is; None without a run.
    """

    runs: int = 0
    longest: int = 0
    server: str | None = None


class StuckReader:
    """Puts the rows in order of server and time, once for all columns."""

    def __init__(self, rows: RowFile) -> None:
        self._names = rows.layout.servers
        self._order = np.empty(0, np.int32)
        self._heads = np.empty(0, bool)
        self._places = self._whose = np.empty(0, np.int64)
        if not self._names or not rows.rows:
            return
        narrow = np.uint16 if len(self._names) < np.iinfo(np.uint16).max else np.uint32
        # Unknown servers become the highest number, and so come last.
        servers = rows.whole(SERVER, lambda chunk: chunk.to_numpy().astype(narrow), narrow)
        order = np.argsort(servers, kind="stable").astype(np.int32)
        ticks = rows.whole(TICK, lambda chunk: chunk.to_numpy(), np.int32)[order]
        servers = servers[order]
        heads = np.concatenate([[True], servers[1:] != servers[:-1]])
        if bool(((ticks[1:] < ticks[:-1]) & ~heads[1:]).any()):
            order = order[np.lexsort((ticks, servers))]
        known = int(np.searchsorted(servers, narrow(len(self._names)), "left"))
        self._order, self._heads = order[:known], heads[:known]
        self._places = np.flatnonzero(self._heads)
        self._whose = servers[self._places].astype(np.int64)

    def read(self, values: NDArray[np.floating[Any]]) -> Stillness:
        """Runs of equal values; a missing value ends one. ``values``: (rows,), NaN = missing."""
        if len(self._order) < STUCK_SAMPLES:
            return Stillness()
        ordered = values[self._order]
        there = ~np.isnan(ordered)
        pairs = there[1:] & there[:-1] & ~self._heads[1:]
        same = pairs & (ordered[1:] == ordered[:-1])
        if np.count_nonzero(same) > (1 - _USUALLY) * np.count_nonzero(pairs):
            return Stillness()
        edges = np.flatnonzero(np.diff(np.concatenate([[False], same, [False]]).view(np.int8)))
        begins, lengths = edges[::2], edges[1::2] - edges[::2] + 1
        long = lengths >= STUCK_SAMPLES
        if not long.any():
            return Stillness()
        worst = int(np.argmax(lengths))
        server = self._whose[np.searchsorted(self._places, begins[worst], "right") - 1]
        return Stillness(int(np.count_nonzero(long)), int(lengths[worst]), self._names[server])
