"""How each metric is measured against itself: on which scale, and how much movement is never worth a word.

CPU and memory are shares of a whole, so their points count alike everywhere. Latencies, error rates and flows
differ between servers by factors, so they are compared on a logarithmic scale, ``log(value + offset)``. The offset is
a value too small to matter to anybody (10 ms, 1 % errors, 0.05 MB/s): below it, even a tenfold rise is a small step.

``spread`` is what a server of which nothing is known yet is expected to vary by, ``floor`` the smallest spread that is
ever believed: half a point of CPU, 10 % of a flow. Both are round numbers of operations practice, not fits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tft_dash.schema import METRIC, METRIC_NAMES, THRESHOLDS

Values = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Scale:
    """One metric's scale.

    :param offset: of the logarithm, in the metric's unit; None for a linear scale.
    :param spread: standard deviation expected before any is seen, on the scale.
    :param floor: smallest standard deviation that is believed, on the scale.
    """

    offset: float | None
    spread: float
    floor: float


SCALES: Final = {
    "cpu_pct": Scale(None, 3.0, 0.5),
    "mem_pct": Scale(None, 2.0, 0.5),
    "latency_ms": Scale(10.0, 0.3, 0.1),
    "error_rate": Scale(0.01, 0.3, 0.1),
    "disk_io_mb_s": Scale(0.05, 0.3, 0.1),
    "net_in_mb_s": Scale(0.05, 0.3, 0.1),
    "net_out_mb_s": Scale(0.05, 0.3, 0.1),
    "gc_pause_ms": Scale(5.0, 0.3, 0.1),
}

LEAST_SPAN: Final = 10.0
"""Points between usual and critical that a percentage is granted at least, so that 89 → 91 % is no disaster."""
LEAST_FACTOR: Final = 4.0
"""Times its usual value that a metric on a logarithmic scale must reach at least before it counts as critical."""


class Scales:
    """The scales and thresholds of some metrics as columns, (metrics, 1) each, to be broadcast over servers.

    :param names: metrics of the contract, in its order.
    """

    def __init__(self, names: Sequence[str]) -> None:
        scales = [SCALES[name] for name in names]
        thresholds = [THRESHOLDS.get(name) for name in names]
        self.numbers: NDArray[np.int8] = np.array([METRIC_NAMES.index(name) for name in names], np.int8)
        self.logarithmic: Flags = np.array([[scale.offset is not None] for scale in scales], bool)
        self.offset = column([scale.offset or 1.0 for scale in scales])
        self.spread = column([scale.spread for scale in scales])
        self.floor = column([scale.floor for scale in scales])
        self.high = column([METRIC[name].high for name in names])
        self.graded: Flags = np.array([[threshold is not None] for threshold in thresholds], bool)
        self.critical = column([threshold.critical if threshold else np.inf for threshold in thresholds])
        self.warning = self.stretch(column([threshold.warning if threshold else np.inf for threshold in thresholds]))

    def stretch(self, values: Values) -> Values:
        """Values in their units → values on their scales; (…, metrics, servers), none of them missing."""
        return np.where(self.logarithmic, np.log(values + self.offset), values)

    def shrink(self, stretched: Values) -> Values:
        """The inverse of :meth:`stretch`; (metrics, servers)."""
        return np.where(self.logarithmic, np.exp(np.where(self.logarithmic, stretched, 0.0)) - self.offset, stretched)

    def severity(self, values: Values, usual: Values) -> Values:
        """How far the values have gone from usual towards critical: 0 = usual or better, 1 = critical or worse.

        Metrics without a threshold have none: 0. All (metrics, servers), in the metrics' units.
        """
        least = np.where(self.logarithmic, (LEAST_FACTOR - 1.0) * usual + self.offset, LEAST_SPAN)
        span = np.where(self.graded, np.maximum(self.critical - usual, least), 1.0)
        return np.where(self.graded, np.clip((values - usual) / span, 0.0, 1.0), 0.0)


def column(values: Sequence[float]) -> Values:
    """``values`` as (metrics, 1)."""
    return np.array(values, np.float64)[:, None]
