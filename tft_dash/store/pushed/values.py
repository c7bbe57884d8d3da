"""What is pushed, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tft_dash.schema import METRIC_NAMES, CodeArray, FloatArray

Milliseconds = NDArray[np.int64]
Key = tuple[int, str]
"""An instant and a server."""
Values = tuple[str, int, tuple[float | None, ...]]
"""Profile, state and metrics in the contract's order; "", ``NO_STATE`` and None = not said."""

ROW_BYTES: Final = 250
"""What a sample takes in the store, about."""


@dataclass(frozen=True, slots=True)
class PushedRows:
    """Samples of one delivery, each acceptable by itself; all arrays are (rows,).

    :param times: milliseconds since 1970, UTC.
    :param profiles: "" = not said.
    :param states: ``NO_STATE`` = not said.
    :param metrics: NaN = missing.
    :param rejections: rule → how many were not acceptable, and the first few in words.
    """

    times: Milliseconds
    servers: Sequence[str]
    profiles: Sequence[str]
    states: CodeArray
    metrics: Mapping[str, FloatArray]
    rejections: tuple[tuple[str, int, tuple[str, ...]], ...] = ()

    def __len__(self) -> int:
        return len(self.times)

    def items(self) -> list[tuple[Key, Values]]:
        """Every row as key and values."""
        nothing: list[float | None] = [None] * len(self)
        columns = [_plain(self.metrics[name]) if name in self.metrics else nothing for name in METRIC_NAMES]
        keys = zip(self.times.tolist(), self.servers, strict=True)
        values = zip(self.profiles, self.states.tolist(), zip(*columns, strict=True), strict=True)
        return list(zip(keys, values, strict=True))


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of what is taken.

    :param step_ms: of the source; a sample more than that ahead of the clock is from the future.
    :param delay_ms: so long a tick is left open after its time.
    :param rows_per_second: of one source, by all workers and hosts together.
    :param keep_ms: older samples are late, whether or not their tick is recorded.
    :param most_rows: so many may wait, of all sources together.
    """

    step_ms: int
    delay_ms: int
    rows_per_second: float
    keep_ms: int
    most_rows: int


TAKEN, DUPLICATE, LATE, FUTURE = range(4)
"""What became of a row."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a delivery.

    :param fates: (rows,) :data:`TAKEN`, :data:`DUPLICATE`, :data:`LATE` or :data:`FUTURE`; empty if it was refused.
    :param retry_seconds: 0 = it was taken; else nothing of it was, and it may come again so much later.
    :param crowded: whether it was refused for want of room; else because the source sends too much.
    :param now_ms: the store's clock.
    """

    fates: NDArray[np.int8]
    retry_seconds: float = 0.0
    crowded: bool = False
    now_ms: int = 0

    def count(self, fate: int) -> int:
        """How many rows had it."""
        return int((self.fates == fate).sum())


def joined(held: Values, more: Values) -> Values:
    """Two samples of one server at one instant as one: the higher of each value that both tell.

    So neither their order nor how often they come makes a difference.
    """
    metrics = tuple(map(_higher, held[2], more[2]))
    return max(held[0], more[0]), max(held[1], more[1]), metrics


def _higher(one: float | None, other: float | None) -> float | None:
    if one is None or other is None:
        return other if one is None else one
    return max(one, other)


def _plain(values: FloatArray) -> list[float | None]:
    return [None if value != value else value for value in values.tolist()]  # noqa: PLR0124 - NaN alone differs
