"""Where histories come from: recordings with a past, or fleets that the simulator makes anew; all at five minutes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, fields
from multiprocessing import get_context
from typing import Final

import numpy as np

from tft_dash.errors import DataError
from tft_dash.models.forecasting.inputs import step_problem, ticks_per_step
from tft_dash.models.forecasting.layout import CONTEXT, STEP_SECONDS, TARGETS
from tft_dash.progress import Progress, silent
from tft_dash.scenarios.chance import Incident, drawn
from tft_dash.scenarios.generate import simulate
from tft_dash.scenarios.library import load_scenario
from tft_dash.schema import FloatArray, Window
from tft_dash.training.histories import LATEST, Histories, history_of

PRESET: Final = "fleet-history"
DAY_SECONDS: Final = 86_400
_LEAST_STEPS: Final = CONTEXT + LATEST


@dataclass(frozen=True, slots=True)
class Fleet:
    """One fleet's history.

    :param name: ``seed 7``, or a recording's name.
    :param window: at five-minute steps.
    :param incidents: as drawn, for sorting what was found by its kind; empty for a recording.
    """

    name: str
    window: Window
    incidents: tuple[Incident, ...]

    @property
    def history(self) -> Histories:
        """Its series with what happened next."""
        return history_of(self.window)


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


def simulated_fleet(seed: int, servers: int, days: float) -> Fleet:
    """A fleet of the preset, made from its seed.

    :raises SettingError: the size is impossible.
    """
    scenario = load_scenario(PRESET).with_overrides(
        seed=seed, fleet_size=servers, duration_seconds=days * DAY_SECONDS, tick_seconds=STEP_SECONDS
    )
    return Fleet(f"seed {seed}", simulate(scenario).window, drawn(scenario.spec).incidents)


def simulated_fleets(plan: Simulated, workers: int = 1, progress: Progress = silent) -> Iterator[Fleet]:
    """The fleets in order of the seeds, made by ``workers`` processes."""
    sizes = [(seed, plan.servers, plan.days) for seed in plan.seeds]
    if workers == 1 or len(sizes) == 1:
        for done, size in enumerate(sizes, 1):
            yield simulated_fleet(*size)
            progress(done / len(sizes))
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        for done, fleet in enumerate(pool.map(_made, sizes), 1):
            yield fleet
            progress(done / len(sizes))


def _made(size: tuple[int, int, float]) -> Fleet:
    return simulated_fleet(*size)


def recorded_fleet(name: str, window: Window) -> Fleet:
    """A recording, averaged to five minutes where its step is finer.

    :raises DataError: its step is not fit, or nothing that could cross a line was measured.
    """
    problem = step_problem(window.step_seconds)
    if problem is not None:
        raise DataError(f"'{name}' cannot be learnt from: {problem}. Export it with a step of 5 minutes or less.")
    if all(np.isnan(window.metrics[metric]).all() for metric in TARGETS if metric in window.metrics):
        raise DataError(f"'{name}' has no value of {', '.join(TARGETS)}, of which a forecast needs one at least.")
    return Fleet(name, at_five_minutes(window), ())


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


def require_length(fleets: Sequence[Fleet], days: float, purpose: str) -> None:
    """Refuse histories that are too short to be divided by time.

    :raises DataError: one is shorter than ``days``.
    """
    least = max(round(days * DAY_SECONDS / STEP_SECONDS), _LEAST_STEPS)
    for fleet in fleets:
        if fleet.window.ticks < least:
            has = fleet.window.ticks * STEP_SECONDS / DAY_SECONDS
            raise DataError(
                f"'{fleet.name}' spans {fleet.window.ticks:,} steps of five minutes ({has:.2g} days); "
                f"{purpose} takes {days:g} days at least. Record for longer."
            )


def digest_of(histories: Histories) -> str:
    """SHA-256 of everything that is learnt from."""
    found = hashlib.sha256()
    for field in fields(Histories):
        values = getattr(histories, field.name)
        for at in range(0, len(values), 1_000_000):  # memory-mapped arrays may be larger than memory
            found.update(np.ascontiguousarray(values[at : at + 1_000_000]).tobytes())
    return found.hexdigest()
