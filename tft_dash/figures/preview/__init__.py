"""What the builder shows of a drill that is being written: intensity, probabilities, the affected servers' metrics.

Pure functions from a preview and a theme to a plain figure, all on one axis of time since the drill's start.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from tft_dash import ids
from tft_dash.figures.plot import Figure
from tft_dash.figures.preview import intensity, metrics, outlook
from tft_dash.previews import Preview
from tft_dash.theme import Theme

FIGURES: Final[Mapping[str, Callable[[Preview, Theme], Figure]]] = {
    ids.BUILDER_INTENSITY: intensity.figure,
    ids.BUILDER_OUTLOOK: outlook.figure,
    ids.BUILDER_METRICS: metrics.figure,
}
"""The figures by the component that draws each."""
