"""Weeks of history by chance: what happens to whom and when, drawn from the seed."""

from tft_dash.scenarios.chance.drawing import happenings, struck_by_chance

__all__ = ["happenings", "struck_by_chance"]
