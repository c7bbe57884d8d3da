"""The golden batch: windows made from a seed alone, alike in every process and with every numpy."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tft_dash.models.forecasting.layout import CONTEXT, INPUTS, PROFILES, WEEK_MINUTES

_LEVELS: Final = (40.0, 60.0, 120.0, 0.01, 25.0, 12.0, 18.0, 9.0)
"""Around these values, in the order of the inputs, the golden windows lie."""
_MISSING: Final = 0.05


@dataclass(frozen=True, slots=True)
class GoldenBatch:
    """Inputs of the graph; see :mod:`~tft_dash.models.forecasting.runtime`."""

    metrics: NDArray[np.float32]
    profile: NDArray[np.int64]
    minute: NDArray[np.float32]

    @property
    def digest(self) -> str:
        """SHA-256 of the values."""
        found = hashlib.sha256()
        for values, kind in ((self.metrics, "<f4"), (self.profile, "<i8"), (self.minute, "<f4")):
            found.update(np.ascontiguousarray(values, kind).tobytes())
        return found.hexdigest()


def golden_batch(seed: int, count: int) -> GoldenBatch:
    """``count`` windows: a wave per metric, noise, values that are missing. Built from raw random bits, which no
    version of numpy draws otherwise, and from sums and products that are exact or rounded alike everywhere."""
    bits = np.random.Philox(key=seed)

    def lots(*shape: int) -> NDArray[np.float64]:
        raw = bits.random_raw(int(np.prod(shape)))
        return ((raw >> np.uint64(40)).astype(np.float64) / 2.0**24).reshape(shape)

    slope = 2.0 * lots(count, 1, len(INPUTS)) - 1.0
    wave = 1.0 + 0.5 * slope * (np.arange(CONTEXT) / 64.0)[None, :, None]
    values = np.array(_LEVELS) * wave * (0.75 + 0.5 * lots(count, CONTEXT, len(INPUTS)))
    values[lots(count, CONTEXT, len(INPUTS)) < _MISSING] = np.nan
    return GoldenBatch(
        values.astype(np.float32),
        np.arange(count, dtype=np.int64) % len(PROFILES),
        np.floor(lots(count) * WEEK_MINUTES).astype(np.float32),
    )
