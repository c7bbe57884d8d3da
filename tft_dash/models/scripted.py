"""The risk model ``scripted``: the two probabilities follow a drill's script, for presenters who want exactly that.

It reads the phase of each tick and says so. Which servers are in trouble, and why, it does not read from the script:
risks and drivers are those of ``thresholds``. In a phase whose name it does not know it has no probability.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np

from tft_dash.errors import DataError
from tft_dash.models.outlook import Outlook
from tft_dash.models.thresholds import ThresholdModel
from tft_dash.progress import Progress, silent
from tft_dash.schema import METRIC_NAMES, Assessments, FloatArray, ModelCard, Window

LEVELS: Final[Mapping[str, float]] = {"stable": 0.1, "escalation": 0.55, "peak": 0.8, "recovery": 0.08}
"""P(incident in 30 min) that each phase tends to."""
PACE: Final = 6.0
"""A phase is closed in on with a time constant of this part of all ticks before it, so that any tempo looks alike."""


class ScriptedModel:
    """The script's probabilities beside the risks of ``thresholds``."""

    card = ModelCard(
        name="scripted",
        title="Scripted",
        version="1",
        summary="Its probabilities follow the phases of the drill's script: stable, escalation, peak, recovery; in any "
        "other phase it has none. No real deployment has such a script. Risks and drivers are those of 'thresholds'.",
        calibrated=False,
        uses_labels=True,
        step_seconds=None,
        context_ticks=1,
        horizons_minutes=(30, 480),
        metrics=METRIC_NAMES,
    )

    def assess(self, window: Window) -> Assessments:
        """The last tick of ``window``.

        :raises DataError: the window has no phases.
        """
        return told(ThresholdModel().assess(window), phases_of(window), window.step_seconds)

    def assess_recording(self, recording: Window, progress: Progress = silent) -> Assessments:
        """Every tick of a recording.

        :raises DataError: the recording has no phases.
        """
        phases = phases_of(recording)
        return told(ThresholdModel().assess_recording(recording, progress), phases, recording.step_seconds)


def phases_of(window: Window) -> tuple[str | None, ...]:
    """The phase of each tick.

    :raises DataError: there are none.
    """
    if window.phases is None:
        raise DataError(
            "The risk model 'scripted' reads the phases of a drill's script, and this source has none. "
            "Choose the model 'thresholds'."
        )
    return window.phases


def told(measured: Assessments, phases: tuple[str | None, ...], step_seconds: float) -> Assessments:
    """``measured`` with the script's probabilities, NaN in phases that it does not know; for the last of ``phases``."""
    soon, late = (values[len(phases) - measured.ticks :] for values in script(phases, step_seconds))
    silent_fleet = np.isnan(measured.prob_30m)
    soon, late = np.where(silent_fleet, np.nan, soon), np.where(silent_fleet, np.nan, late)
    return Assessments(measured.risk, measured.driver_metric, measured.driver_usual, soon, late)


def script(phases: tuple[str | None, ...], step_seconds: float) -> tuple[FloatArray, FloatArray]:
    """(ticks,) the probabilities that the script tells, for 30 minutes and 8 hours; NaN in unknown phases."""
    soon, late = np.full((2, len(phases)), np.nan, np.float32)
    outlook = Outlook(step_seconds)
    level = LEVELS["stable"]
    begun = 0
    for tick, phase in enumerate(phases):
        if tick and phase != phases[tick - 1]:
            begun = tick
        if phase is None or phase not in LEVELS:
            continue
        level = LEVELS[phase] + (level - LEVELS[phase]) * float(np.exp(-PACE / max(begun, PACE)))
        soon[tick], late[tick] = level, outlook.within_8_hours(level)
    return soon, late
