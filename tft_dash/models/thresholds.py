"""The risk model ``thresholds``: each server against its own normal and the contract's thresholds, metrics only.

It learns no weights and needs no training. How it works is told by its parts: :mod:`~tft_dash.models.scales` (what
counts as a step), :mod:`~tft_dash.models.baseline` and :mod:`~tft_dash.models.normal` (what is normal here),
:mod:`~tft_dash.models.grading` (risk and drivers) and :mod:`~tft_dash.models.outlook` (the fleet's probabilities).
Their constants are one set for all recordings, each explained where it stands. Times and spreads come from operations
practice; the gate, the share of novelty, and the spell of alert were chosen as round numbers in the middle of ranges
over which real recordings of four systems, also resampled, noisy and with holes, gave about the same figures.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from tft_dash.models.baseline import Baseline
from tft_dash.models.grading import Grade, Grading
from tft_dash.models.outlook import Outlook
from tft_dash.models.scales import Flags, Scales, Values
from tft_dash.progress import Progress, silent
from tft_dash.schema import (
    ASSESSMENT_FIELDS,
    DRIVERS_PER_SERVER,
    METRIC_NAMES,
    Assessments,
    CodeArray,
    ModelCard,
    Window,
)

BLOCK_TICKS: Final = 256
USUAL_TICKS: Final = 3.0
"""Values that must have been normal before "usually" is said of a metric."""


class ThresholdModel:
    """Adaptive thresholds; see the module."""

    card = ModelCard(
        name="thresholds",
        title="Adaptive thresholds",
        version="1",
        summary="Holds every metric against the server's own normal, learnt from its past alone, and against the "
        "critical lines. Explains each risk by the two strongest metrics. Its probabilities are not calibrated.",
        calibrated=False,
        uses_labels=False,
        step_seconds=None,
        context_ticks=1,
        horizons_minutes=(30, 480),
        metrics=METRIC_NAMES,
    )

    def assess(self, window: Window) -> Assessments:
        """The last tick of ``window``, judged after all before it; no tick for an empty window."""
        answer = blank(min(window.ticks, 1), len(window.servers))
        last = None
        for judgement in judge(window):
            last = judgement
        if last is not None:
            last.write(answer, 0)
        return answer

    def assess_recording(self, recording: Window, progress: Progress = silent) -> Assessments:
        """Every tick judged, each by its past alone."""
        answer = blank(recording.ticks, len(recording.servers))
        every = max(1, recording.ticks // 100)
        for tick, judgement in enumerate(judge(recording)):
            judgement.write(answer, tick)
            if tick % every == 0:
                progress(tick / recording.ticks)
        progress(1.0)
        return answer


@dataclass(frozen=True, slots=True)
class Judgement:
    """One tick judged; arrays are (servers,) and (servers, 2), NaN = nothing to say, -1 = no driver."""

    risk: Values
    driver_metric: CodeArray
    driver_usual: Values
    prob_30m: float
    prob_8h: float

    def write(self, answer: Assessments, tick: int) -> None:
        """Put it into row ``tick`` of ``answer``."""
        for name in ASSESSMENT_FIELDS:
            getattr(answer, name)[tick] = getattr(self, name)


def blank(ticks: int, servers: int) -> Assessments:
    """Assessments that say nothing yet."""
    return Assessments(
        np.full((ticks, servers), np.nan, np.float32),
        np.full((ticks, servers, DRIVERS_PER_SERVER), -1, np.int8),
        np.full((ticks, servers, DRIVERS_PER_SERVER), np.nan, np.float32),
        np.full(ticks, np.nan, np.float32),
        np.full(ticks, np.nan, np.float32),
    )


def judge(window: Window) -> Iterator[Judgement]:
    """The ticks of ``window`` one after the other, each judged before the next is read."""
    names = [name for name in METRIC_NAMES if name in window.metrics]
    if not names:
        yield from (nothing(len(window.servers)) for _ in range(window.ticks))
        return
    scales = Scales(names)
    grading = Grading(scales, len(window.servers), window.step_seconds)
    outlook = Outlook(window.step_seconds)
    for values, stretched, present in rows(window, names, scales):
        grade = grading.grade(values, stretched, present)
        soon, late = outlook.look(grade.risk)
        metrics, usual = drivers(grade, grading.baseline, scales)
        yield Judgement(grade.risk, metrics, usual, soon, late)


def nothing(servers: int) -> Judgement:
    """A tick of which nothing can be said."""
    empty = blank(1, servers)
    return Judgement(empty.risk[0].astype(np.float64), empty.driver_metric[0], empty.driver_usual[0], np.nan, np.nan)


def rows(window: Window, names: list[str], scales: Scales) -> Iterator[tuple[Values, Values, Flags]]:
    """Per tick the values, the same on their scales, and which are there; (metrics, servers), zero where not.

    Read in blocks, so that a memory-mapped recording is never held whole.
    """
    for first in range(0, window.ticks, BLOCK_TICKS):
        block = np.stack([window.metrics[name][first : first + BLOCK_TICKS] for name in names], axis=1)
        present = np.isfinite(block)
        values = np.clip(np.where(present, block, 0.0).astype(np.float64), 0.0, scales.high)
        yield from zip(values, scales.stretch(values), present, strict=True)


def drivers(grade: Grade, baseline: Baseline, scales: Scales) -> tuple[CodeArray, Values]:
    """The metrics that explain each risk, and what they usually are there; (servers, 2).

    What is usual is NaN until :data:`USUAL_TICKS` normal values have been seen.
    """
    servers = np.arange(len(grade.risk))
    place = np.maximum(grade.metrics, 0)
    known = (grade.metrics >= 0) & (baseline.normal.seen[place, servers] >= USUAL_TICKS)
    usual = np.where(known, scales.shrink(baseline.normal.usual)[place, servers], np.nan)
    metrics = np.where(grade.metrics >= 0, scales.numbers[place], -1).astype(np.int8)
    return metrics.T, usual.T
