"""tft_dash: a server fleet, its risks, and the probability of an incident, as a web app."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tft_dash.notebook import LiveDashboard, generate_demo_dataset, run_dashboard
    from tft_dash.sources.cursor import DataSource

__version__ = "0.1.0"
__all__ = ["DataSource", "LiveDashboard", "generate_demo_dataset", "run_dashboard"]


def __getattr__(name: str) -> object:
    """Import the names for notebooks at first use, so that ``import tft_dash`` costs nothing."""
    if name in __all__:
        return getattr(import_module("tft_dash.notebook"), name)
    raise AttributeError(f"module 'tft_dash' has no attribute {name!r}")
