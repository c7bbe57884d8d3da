"""Builds histories part by part, in as many processes or machines as there are, and opens them as one."""

from tft_dash.training.building.crew import Crew
from tft_dash.training.building.gathering import Gathered, gathered
from tft_dash.training.building.origins import FleetFacts, Origin, RecordedOrigin, SimulatedOrigin, simulated_origins

__all__ = [
    "Crew", "FleetFacts", "Gathered", "Origin", "RecordedOrigin", "SimulatedOrigin", "gathered", "simulated_origins",
]  # fmt: skip
