"""How intense the story and each fault are, the faults' lag included."""

from __future__ import annotations

from typing import Any, Final

from tft_dash.figures.plot import Figure, base_layout, label
from tft_dash.figures.preview.span import MARGIN, borders, phase_names, points, share_axis, time_axis, times
from tft_dash.previews import Preview
from tft_dash.theme import Theme

FAULTS: Final = 12
"""So many faults are drawn; more could not be told apart."""

_DASHES: Final = ("solid", "6px,3px", "2px,2px", "8px,3px,2px,3px")


def figure(preview: Preview, theme: Theme) -> Figure:
    """The story as a filled line, faults as thin ones."""
    story = {
        **_line("the phases", {"color": theme.accent, "width": 2}),
        "fill": "tozeroy",
        "y": points(preview, preview.intensity[""], 3),
    }
    faults = [(name, values) for name, values in preview.intensity.items() if name][:FAULTS]
    own = [
        {
            **_line(label(name), {"color": theme.series, "width": 1.25, "dash": _DASHES[place % len(_DASHES)]}),
            "y": points(preview, values, 3),
        }
        for place, (name, values) in enumerate(faults)
    ]
    layout = base_layout(
        theme,
        margin=MARGIN,
        hovermode="x unified",
        dragmode=False,
        xaxis=time_axis(preview, theme),
        yaxis=share_axis(theme),
        shapes=borders(preview, theme),
        annotations=phase_names(preview, theme),
    )
    return {"data": [{**trace, **times(preview)} for trace in (story, *own)], "layout": layout}


def _line(name: str, line: dict[str, Any]) -> dict[str, Any]:
    return {"type": "scatter", "mode": "lines", "name": name, "line": line, "hovertemplate": "%{y:.0%}"}
