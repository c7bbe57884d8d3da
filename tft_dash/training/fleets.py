"""What every history has in common, simulated or recorded: five minutes a step, long enough, a digest."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Final, Protocol

import numpy as np

from tft_dash.errors import DataError
from tft_dash.models.forecasting.inputs import ticks_per_step
from tft_dash.models.forecasting.layout import CONTEXT, STEP_SECONDS
from tft_dash.scenarios.document import Scenario
from tft_dash.scenarios.library import load_scenario
from tft_dash.schema import FloatArray, Window
from tft_dash.training.histories import LATEST, Histories

PRESET: Final = "fleet-history"
DAY_SECONDS: Final = 86_400
_LEAST_STEPS: Final = CONTEXT + LATEST


@dataclass(frozen=True, slots=True)
class Simulated:
    """Fleets to simulate: one per seed."""

    seeds: tuple[int, ...]
    servers: int = 24
    days: float = 28.0

    @property
    def words(self) -> str:
        """What is simulated, for people."""
        each = f"{self.servers} servers over {self.days:g} days"
        return f"{len(self.seeds)} simulated fleets of {each} (preset {PRESET})"


def fleet_scenario(seed: int, servers: int, days: float) -> Scenario:
    """The document of a fleet of the preset.

    :raises SettingError: the size is impossible.
    """
    return load_scenario(PRESET).with_overrides(
        seed=seed, fleet_size=servers, duration_seconds=days * DAY_SECONDS, tick_seconds=STEP_SECONDS
    )


def at_five_minutes(window: Window) -> Window:
    """The window at the forecast's step: the mean of what is there of each five minutes, a step at their last tick."""
    each = ticks_per_step(window.step_seconds)
    if each == 1:
        return window
    steps = window.ticks // each
    late = np.timedelta64(round((each - 1) * window.step_seconds * 1000), "ms")
    metrics = {name: _averaged(values[: steps * each], steps) for name, values in window.metrics.items()}
    return Window(window.start + late, STEP_SECONDS, window.servers, window.profiles, metrics)


def _averaged(values: FloatArray, steps: int) -> FloatArray:
    parts = values.reshape(steps, -1, values.shape[1])
    there = ~np.isnan(parts)
    count = there.sum(1)
    total = np.where(there, parts, 0.0).sum(1, dtype=np.float64)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan).astype(np.float32)


class _Long(Protocol):
    @property
    def name(self) -> str: ...

    @property
    def ticks(self) -> int: ...


def require_length(fleets: Sequence[_Long], days: float, purpose: str) -> None:
    """Refuse histories that are too short to be divided by time.

    :raises DataError: one is shorter than ``days``.
    """
    least = max(round(days * DAY_SECONDS / STEP_SECONDS), _LEAST_STEPS)
    for fleet in fleets:
        if fleet.ticks < least:
            has = fleet.ticks * STEP_SECONDS / DAY_SECONDS
            steps = "1 step" if fleet.ticks == 1 else f"{fleet.ticks:,} steps"
            raise DataError(
                f"'{fleet.name}' spans {steps} of five minutes ({has:.2g} days); "
                f"{purpose} takes {days:g} days at least. Give a longer history."
            )


def digest_of(histories: Histories) -> str:
    """SHA-256 of everything that is learnt from."""
    found = hashlib.sha256()
    for field in fields(Histories):
        values = getattr(histories, field.name)
        for at in range(0, len(values), 1_000_000):  # memory-mapped arrays may be larger than memory
            found.update(np.ascontiguousarray(values[at : at + 1_000_000]).tobytes())
    return found.hexdigest()
