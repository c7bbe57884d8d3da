"""How numbers lie: how many differ, their quantiles and histogram, exact whatever way is cheapest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

BINS: Final = 40
SAMPLE_ROWS: Final = 20_000_000
"""From this many rows on, quantiles and distinct values are those of evenly spaced rows, and the facts say so."""
_LOOKED_AT: Final = 1 << 16
_MOSTLY_REPEATED: Final = 0.5
"""Values of which fewer than this share differ are counted by a hash table, several times faster than they sort."""

Floats = NDArray[np.floating[Any]]


@dataclass(frozen=True, slots=True)
class Spread:
    """How the numbers of a column lie.

    :param present: how many are no NaN.
    :param distinct: how many different ones; of the sample, where there is one.
    :param low: smallest finite value; None = there is none. So p50, p99 and high.
    :param edges: one more than ``counts``; empty where there is nothing to count.
    :param sample: how many values all but ``present`` is of; None = all.
    """

    present: int
    distinct: int
    low: float | None = None
    p50: float | None = None
    p99: float | None = None
    high: float | None = None
    edges: Sequence[float] | NDArray[np.float64] = ()
    counts: Sequence[int] | NDArray[np.int64] = ()
    sample: int | None = None


def spread_of(values: Floats) -> Spread:
    """How ``values`` lie; NaN = missing. They may be in another order afterwards."""
    stride = -(-len(values) // SAMPLE_ROWS) if len(values) else 1
    there = ~np.isnan(values)
    present = int(np.count_nonzero(there))
    kept = values[there] if present < len(values) else values
    del there
    if stride > 1:
        kept = kept[::stride].copy()
    ordered = _Ordered(kept)
    sample = len(kept) if stride > 1 else None
    if not ordered.count:
        return Spread(present, ordered.distinct, sample=sample)
    low, high = ordered.at(0), ordered.at(ordered.count - 1)
    edges = np.linspace(low, high, (min(BINS, ordered.distinct) if high > low else 1) + 1)
    # The last bin includes its upper edge.
    inner = ordered.below(edges[1:-1].astype(kept.dtype))
    counts = np.diff(np.concatenate([[0], inner, [ordered.count]]))
    middle, upper = ordered.quantile(0.5), ordered.quantile(0.99)
    return Spread(present, ordered.distinct, low, middle, upper, high, edges, counts, sample)


class _Ordered:
    """The finite values in order: either all of them, or each different one and how many there are up to it.

    :ivar distinct: how many different values, infinite ones included.
    :ivar count: how many finite values.
    """

    def __init__(self, values: Floats) -> None:
        counts: NDArray[np.int64] | None = None
        if repeats(values):
            values, counts = _counted(values)
        elif not bool((values[1:] >= values[:-1]).all()):
            values.sort()
        self.distinct = (1 + int(np.count_nonzero(values[1:] != values[:-1]))) if len(values) else 0
        finite = slice(np.searchsorted(values, -np.inf, "right"), np.searchsorted(values, np.inf, "left"))
        self._values = values[finite]
        self._upto = None if counts is None else np.concatenate([[0], np.cumsum(counts[finite])])
        self.count = len(self._values) if self._upto is None else int(self._upto[-1])

    def at(self, rank: int) -> float:
        """The value at a place of the order, from 0."""
        place = rank if self._upto is None else int(np.searchsorted(self._upto, rank, "right")) - 1
        return float(self._values[place])

    def below(self, edges: Floats) -> NDArray[np.int64]:
        """How many values are less than each edge."""
        places = np.searchsorted(self._values, edges, "left")
        return places if self._upto is None else self._upto[places]

    def quantile(self, share: float) -> float:
        """Linear between ranks."""
        place = (self.count - 1) * share
        below = int(place)
        low, high = self.at(below), self.at(min(below + 1, self.count - 1))
        return low + (high - low) * (place - below)


def repeats(values: NDArray[Any]) -> bool:
    """Whether the same few of very many values seem to come again and again."""
    if len(values) <= _LOOKED_AT:
        return False
    some = np.sort(values[:: len(values) // _LOOKED_AT])
    return int(np.count_nonzero(some[1:] != some[:-1])) < _MOSTLY_REPEATED * len(some)


def _counted(values: Floats) -> tuple[Floats, NDArray[np.int64]]:
    """The different values in order, and how many there are of each."""
    found = pc.value_counts(pa.array(values))
    different: Floats = found.field("values").to_numpy()
    order = np.argsort(different)
    return different[order], found.field("counts").to_numpy()[order]
