"""Weeks of history by chance: what happens to whom and when, drawn from the seed."""

from tft_dash.scenarios.chance.drawing import drawn
from tft_dash.scenarios.chance.happening import Drawn, Happening, Incident

__all__ = ["Drawn", "Happening", "Incident", "drawn"]
