"""Histories of fleets, made in memory."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tft_dash.training.building import FleetFacts, Gathered, SimulatedOrigin
from tft_dash.training.building.parts import risks
from tft_dash.training.histories import Histories, history_of, laid_end_to_end, opened, save


def joined(parts: Sequence[Histories], folder: Path) -> Histories:
    """The series of several histories, one after the other, memory-mapped from ``folder``."""
    places = [folder / str(number) for number in range(len(parts))]
    for part, place in zip(parts, places, strict=True):
        save(part, place)
        np.save(place / "risk.npy", np.zeros(part.rows, np.float32))
    laid_end_to_end(places, folder)
    return opened(folder)


def simulated(seed: int, servers: int, days: float) -> Histories:
    """A simulated fleet's history in memory."""
    return history_of(SimulatedOrigin(seed, servers, days).window(0, servers))


def gathered_in_memory(seed: int, servers: int, days: float) -> Gathered:
    """A simulated fleet as it is when it was built in parts."""
    origin = SimulatedOrigin(seed, servers, days)
    window = origin.window(0, servers)
    return Gathered((origin.facts(),), history_of(window), risks(window))


def fleets_of(sizes: Sequence[int], ticks: int) -> tuple[FleetFacts, ...]:
    """Fleets of so many servers each."""
    return tuple(FleetFacts(f"fleet {place}", size, ticks) for place, size in enumerate(sizes))
