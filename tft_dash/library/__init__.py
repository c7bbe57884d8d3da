"""The team's scenarios: presets and saved documents."""

from tft_dash.library.scenarios import Entry, ScenarioLibrary

__all__ = ["Entry", "ScenarioLibrary"]
