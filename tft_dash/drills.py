"""Drills on disk: made when they are missing, and held against what their documents expect."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from tft_dash.models.base import RiskModel
from tft_dash.progress import Progress, silent
from tft_dash.scenarios.document import Scenario
from tft_dash.scenarios.expectations import Outcome, evaluate
from tft_dash.scenarios.files import generate_drill, is_current
from tft_dash.scenarios.generate import simulate
from tft_dash.scenarios.library import DEFAULT_DRILL, DEFAULT_SCENARIO

JUDGED_ROWS: Final = 500_000
"""Up to so many rows a drill's expectations are judged; a larger one would take longer to judge than to make."""


def drill_name(scenario: Scenario) -> str:
    """What a scenario's files are called: its own name, save for the default drill's."""
    return DEFAULT_DRILL if scenario.name == DEFAULT_SCENARIO else scenario.name


def make_drill(
    scenario: Scenario, folder: Path, *, regenerate: bool = False, progress: Progress = silent
) -> tuple[Path, bool]:
    """The Parquet file of a drill, made when it is missing or comes from another document; and whether it was made.

    :raises StorageError: ``folder`` cannot be written.
    """
    name = drill_name(scenario)
    if not regenerate and is_current(folder, name, scenario):
        return folder / f"{name}.parquet", False
    return generate_drill(scenario, folder, name, progress=progress).paths[0], True


def judge(scenario: Scenario, model: RiskModel) -> tuple[Outcome, ...] | None:
    """What became of each of the document's expectations; None for a drill too large to be judged."""
    clock, fleet = scenario.spec.clock, scenario.spec.fleet
    if clock.ticks * fleet.size > JUDGED_ROWS:
        return None
    drill = simulate(scenario)
    return evaluate(scenario, drill, model.assess_recording(drill.window))
