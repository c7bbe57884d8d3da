"""The axis "so long ago": a fixed window that ends now, so that only values change from tick to tick."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from tft_dash.figures.plot import Numbers, numbers, small, time_unit
from tft_dash.frame import Frame
from tft_dash.schema import FloatArray
from tft_dash.theme import Theme

_NICE: Final = (1, 2, 3, 5, 6, 10, 12, 15, 20, 30, 60, 100, 120, 200, 300, 500, 1000)
_MARKS: Final = 6


@dataclass(frozen=True, slots=True)
class AgoAxis:
    """The last ``ticks`` ticks of ``step_seconds`` each; its values are in the unit that reads best, its end is 0.

    :param end: what stands at the end.
    """

    ticks: int
    step_seconds: float
    end: str = "now"

    @classmethod
    def of(cls, frame: Frame, ticks: int) -> AgoAxis:
        """The axis that ends with a frame. Of a live source that is called now only by the clock, on no axis."""
        return cls(ticks, frame.source.step_seconds, "0" if frame.source.live else "now")

    @property
    def span_seconds(self) -> float:
        """From the oldest tick of the window to now."""
        return (self.ticks - 1) * self.step_seconds

    @property
    def unit(self) -> tuple[str, float]:
        """Name and seconds of the unit: the largest of which the window holds at least two."""
        return time_unit(self.span_seconds)

    @property
    def trace(self) -> dict[str, float]:
        """Where a trace's first value stands and how far apart its values are."""
        seconds = self.unit[1]
        return {"x0": -self.span_seconds / seconds, "dx": self.step_seconds / seconds}

    def axis(self, theme: Theme) -> dict[str, Any]:
        """The Plotly axis."""
        name, seconds = self.unit
        span = self.span_seconds / seconds
        step = next((nice for nice in _NICE if span / nice <= _MARKS), _NICE[-1])
        places = [-step * count for count in range(int(span / step), -1, -1)]
        return {
            "range": [-span, 0],
            "tickvals": places,
            "ticktext": [f"−{-place} {name}" if place else self.end for place in places],
            "tickfont": small(theme),
            "ticklabelstandoff": 4,
            "showgrid": False,
            "zeroline": False,
            "showspikes": True,
            "spikemode": "across",
            "spikethickness": 1,
            "spikedash": "solid",
            "spikecolor": theme.control,
            "unifiedhovertitle": {"text": f"%{{x:.2~f}} {name}"},
        }

    def values(self, history: FloatArray, decimals: int) -> Numbers:
        """The window's values, oldest first; None before the first tick and where one is missing."""
        recent = history[-self.ticks :]
        missing = np.full(self.ticks - len(recent), np.nan, np.float32)
        return numbers(np.concatenate([missing, recent]), decimals)
