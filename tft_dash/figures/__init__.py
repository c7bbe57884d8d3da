"""The figures of the live monitor: pure functions from a frame to plain values.

Each module has ``NAME``, ``layout()``, ``figure(frame, theme)`` and ``patch(frame, since)``. Two differ: ``kpi`` gives
``texts(frame)`` instead of the last two, because its tiles are plain HTML, and ``server`` needs a server's trace too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from dash import Patch

from tft_dash import ids
from tft_dash.figures import heatmap, rolling, top, trend
from tft_dash.figures.plot import Figure
from tft_dash.frame import Frame
from tft_dash.theme import Theme


@dataclass(frozen=True, slots=True)
class FigureModule:
    """One Plotly figure of the page.

    :param id: the component's id; its ``figure`` property takes what the functions give.
    :param figure: the whole figure.
    :param patch: the data that a page which has drawn tick ``since`` of the same source, model and theme lacks; None
        when it needs a whole figure.
    :param by_server: whether it has a place for every server, and is drawn anew when servers come and go.
    """

    name: str
    id: str
    figure: Callable[[Frame, Theme], Figure]
    patch: Callable[[Frame, int], Patch | None]
    by_server: bool = False


FIGURES: Final = (
    FigureModule(trend.NAME, ids.MONITOR_TREND, trend.figure, trend.patch),
    FigureModule(top.NAME, ids.MONITOR_TOP, top.figure, top.patch),
    FigureModule(heatmap.NAME, ids.MONITOR_HEATMAP, heatmap.figure, heatmap.patch, by_server=True),
    FigureModule(rolling.NAME, ids.MONITOR_ROLLING, rolling.figure, rolling.patch),
)
"""The Plotly figures in page order."""
