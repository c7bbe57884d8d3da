"""What the model will say: the fleet's probability of an incident, within 30 minutes and within 8 hours."""

from __future__ import annotations

from typing import Any, Final

from tft_dash.figures.plot import Figure, base_layout
from tft_dash.figures.preview.span import MARGIN, borders, points, share_axis, time_axis, times
from tft_dash.previews import Preview
from tft_dash.schema import HEALTH_BANDS
from tft_dash.theme import Theme

_BOUNDS: Final = tuple(band.upper for band in HEALTH_BANDS)


def figure(preview: Preview, theme: Theme) -> Figure:
    """Two lines; the marks of the axis are the bounds of the fleet's health."""
    line: dict[str, Any] = {"type": "scatter", "mode": "lines", "hovertemplate": "%{y:.1%}", **times(preview)}
    data = [
        {**line, "name": "within 8 h", "y": points(preview, preview.prob_8h, 4),
         "line": {"color": theme.prob_8h, "width": 1.75, "dash": "6px,3px"}},
        {**line, "name": "within 30 min", "y": points(preview, preview.prob_30m, 4),
         "line": {"color": theme.prob_30m, "width": 2.5}},
    ]  # fmt: skip
    layout = base_layout(
        theme,
        margin={**MARGIN, "t": 6},
        hovermode="x unified",
        dragmode=False,
        xaxis=time_axis(preview, theme),
        yaxis={**share_axis(theme), "tickvals": [0, *_BOUNDS]},
        shapes=borders(preview, theme),
    )
    return {"data": data, "layout": layout}
