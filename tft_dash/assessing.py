"""A whole recording judged once: computed by one process, memory-mapped by all."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tft_dash.artefacts import build_once
from tft_dash.frame import History, SourceDescription
from tft_dash.models.base import RiskModel
from tft_dash.models.calibrated.model import CalibratedModel
from tft_dash.progress import Progress, silent
from tft_dash.schema import ASSESSMENT_FIELDS, SERVER_FIELDS, Assessments, FloatArray, ModelCard, Window
from tft_dash.sources.base import START, Source

LAYOUT_VERSION: Final = "2"
FLEET_FIELDS: Final = ("cpu_median", "latency_p95", "error_mean")


@dataclass(frozen=True, slots=True)
class Assessed:
    """A recording's assessments and fleet figures, as memory-mapped arrays with ticks as their first axis."""

    assessments: Assessments
    cpu_median: FloatArray
    latency_p95: FloatArray
    error_mean: FloatArray

    def history(self, tick: int) -> History:
        """Fleet figures from tick 0 to ``tick``, as views."""
        upto = slice(0, tick + 1)
        return History(
            self.assessments.prob_30m[upto],
            self.assessments.prob_8h[upto],
            self.cpu_median[upto],
            self.latency_p95[upto],
            self.error_mean[upto],
        )


def assessed_folder(cache: Path, source: SourceDescription, card: ModelCard) -> Path:
    """Where the assessments of a recording by a model lie; equal content and model mean an equal place."""
    identity = "\n".join([LAYOUT_VERSION, source.digest, card.identity])
    return cache / "assessments" / hashlib.sha256(identity.encode()).hexdigest()[:32]


def assess_source(source: Source, model: RiskModel, cache: Path, progress: Progress = silent) -> Assessed:
    """The assessments of a whole recording, computed unless they lie in ``cache``.

    :raises StorageError: the cache cannot be written.
    """
    description = source.describe()
    folder = assessed_folder(cache, description, model.card)

    def build(work: Path, report: Progress) -> None:
        if isinstance(model, CalibratedModel):  # what its base says is known, or known for others afterwards
            base = assess_source(source, model.base, cache, report)
            assessments = model.restated(base.assessments)
            figures: Mapping[str, FloatArray] = {name: getattr(base, name) for name in FLEET_FIELDS}
        else:
            batch = source.read(START, description.ticks or 0, labels=model.card.uses_labels)
            assessments = model.assess_recording(batch.window, lambda share: report(0.95 * share))
            figures = fleet_figures(batch.window)
        for name in (*ASSESSMENT_FIELDS, *(SERVER_FIELDS if assessments.tells_servers else ())):
            np.save(work / f"{name}.npy", getattr(assessments, name))
        for name, values in figures.items():
            np.save(work / f"{name}.npy", values)

    build_once(folder, build, progress, usable=_is_whole)
    return _load(folder)


def _is_whole(folder: Path) -> bool:
    try:
        _load(folder)
    except (OSError, ValueError, EOFError):  # not there, or somebody deleted or damaged a part of the cache
        return False
    return True


def _load(folder: Path) -> Assessed:
    # Plain arrays over the maps: slices of a memmap cost ten times as much.
    told = [name for name in SERVER_FIELDS if (folder / f"{name}.npy").exists()]
    names = (*ASSESSMENT_FIELDS, *told, *FLEET_FIELDS)
    arrays = {name: np.asarray(np.load(folder / f"{name}.npy", mmap_mode="r")) for name in names}
    return Assessed(
        Assessments(**{name: arrays[name] for name in (*ASSESSMENT_FIELDS, *told)}),
        **{name: arrays[name] for name in FLEET_FIELDS},
    )


def fleet_figures(window: Window) -> Mapping[str, FloatArray]:
    """Median CPU, 95th percentile of latency and mean error rate over the servers that report, per tick."""
    nothing = np.full((window.ticks, 1), np.nan, np.float32)
    return {
        "cpu_median": quantile_over_servers(window.metrics.get("cpu_pct", nothing), 0.5),
        "latency_p95": quantile_over_servers(window.metrics.get("latency_ms", nothing), 0.95),
        "error_mean": mean_over_servers(window.metrics.get("error_rate", nothing)),
    }


def quantile_over_servers(values: FloatArray, share: float, *, block: int = 4096) -> FloatArray:
    """The ``share`` quantile of each tick's present values, linear between ranks; NaN where there are none.

    :param values: (ticks, servers), NaN = missing.
    :param block: ticks held in memory at a time.
    """
    result = np.full(len(values), np.nan, np.float32)
    for first in range(0, len(values), block):
        ordered = np.sort(values[first : first + block], axis=1)  # NaN sorts last
        present = np.count_nonzero(~np.isnan(ordered), axis=1)
        place = np.maximum(present - 1, 0) * share
        low = np.floor(place).astype(np.intp)
        high = np.minimum(low + 1, np.maximum(present - 1, 0))
        rows = np.arange(len(ordered))
        below, above = ordered[rows, low], ordered[rows, high]
        result[first : first + block] = below + (above - below) * (place - low)
    return result


def mean_over_servers(values: FloatArray, *, block: int = 4096) -> FloatArray:
    """The mean of each tick's present values; NaN where there are none. ``values``: (ticks, servers)."""
    result = np.full(len(values), np.nan, np.float32)
    for first in range(0, len(values), block):
        part: NDArray[np.float64] = np.asarray(values[first : first + block], np.float64)
        present = np.count_nonzero(~np.isnan(part), axis=1)
        some = present > 0
        result[first : first + block][some] = np.nansum(part[some], axis=1) / present[some]
    return result
