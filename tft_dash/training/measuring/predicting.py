"""A model's answers for many rows: block by block, side by side on the cores there are."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from tft_dash.models.forecasting.calibration import Calibration
from tft_dash.models.forecasting.layout import LATE, SOON
from tft_dash.models.forecasting.runtime import Outputs
from tft_dash.progress import Progress, silent
from tft_dash.training.histories import Histories, Rows

BLOCK: Final = 4096
Reals = NDArray[np.float64]
Floats = NDArray[np.float32]


class Predictor(Protocol):
    """What answers for windows: ONNX Runtime as it is served, or a network that is being trained."""

    def run(self, metrics: Floats, profile: NDArray[np.int64], minute: Floats) -> Outputs:
        """Everything."""
        ...

    def chance(self, metrics: Floats, profile: NDArray[np.int64], minute: Floats) -> Floats:
        """(windows, nodes) the chances alone, uncalibrated."""
        ...


def cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def raw_chances(
    predictor: Predictor, histories: Histories, rows: Rows, progress: Progress = silent
) -> tuple[Reals, Reals]:
    """P(30 min) and P(8 h) for ``rows`` as the network says them."""
    profile = histories.profile[histories.server_of(rows)]

    def answer(at: int) -> Floats:
        part = rows[at : at + BLOCK]
        windows = histories.windows(part)
        return predictor.chance(windows, profile[at : at + BLOCK], histories.minute[part])[:, [SOON, LATE]]

    found = _in_blocks(len(rows), answer, progress)
    return found[:, 0].astype(np.float64), found[:, 1].astype(np.float64)


def _in_blocks(count: int, answer: Callable[[int], Floats], progress: Progress) -> Floats:
    starts = range(0, count, BLOCK)
    found = []
    with ThreadPoolExecutor(cores()) as pool:
        for done, part in enumerate(pool.map(answer, starts), 1):
            found.append(part)
            progress(done / len(starts))
    return np.concatenate(found) if found else np.zeros((0, 2), np.float32)


def chances(
    predictor: Predictor, calibration: Calibration, histories: Histories, rows: Rows, progress: Progress = silent
) -> tuple[Reals, Reals]:
    """P(30 min) and P(8 h) for ``rows`` as they are stated: calibrated."""
    return calibration.apply(*raw_chances(predictor, histories, rows, progress))


def quantiles_of(predictor: Predictor, histories: Histories, rows: Rows) -> Floats:
    """(rows, nodes, targets, quantiles) in the metrics' units."""
    profile = histories.profile[histories.server_of(rows)]
    parts = [
        predictor.run(
            histories.windows(rows[at : at + BLOCK]), profile[at : at + BLOCK], histories.minute[rows[at : at + BLOCK]]
        ).quantiles
        for at in range(0, len(rows), BLOCK)
    ]
    return np.concatenate(parts)
