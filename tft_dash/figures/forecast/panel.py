"""The forecast's part of a server's panel; hidden while another model answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from dash import html

from tft_dash import ids
from tft_dash.figures.forecast import ahead, words
from tft_dash.figures.plot import graph
from tft_dash.frame import Frame, ServerForecast, ServerTrace
from tft_dash.theme import Theme

if TYPE_CHECKING:
    from tft_dash.models.forecasting.evidence import Evidence

HIDDEN: Final = (ids.MONITOR_FORECAST, "hidden")
TARGETS: Final = (
    HIDDEN,
    (ids.MONITOR_FORECAST_WORDS, "children"),
    (ids.MONITOR_FORECAST_FIGURE, "figure"),
    (ids.MONITOR_FORECAST_LOOKED, "children"),
)


def layout() -> html.Section:
    """The part before the first forecast."""
    return html.Section(
        [
            html.H3("Forecast, 8 hours ahead", className="forecast-title"),
            html.Div([], id=ids.MONITOR_FORECAST_WORDS),
            html.Div(graph(ids.MONITOR_FORECAST_FIGURE, zoom=False), className="forecast-plot"),
            html.Div([], id=ids.MONITOR_FORECAST_LOOKED),
        ],
        id=ids.MONITOR_FORECAST,
        className="panel-forecast",
        hidden=True,
        **{"aria-label": "Forecast"},
    )


def drawing(
    frame: Frame, trace: ServerTrace, forecast: ServerForecast, evidence: Evidence | None, theme: Theme | None
) -> dict[tuple[str, str], Any]:
    """The values of :data:`TARGETS`.

    :param theme: for a whole figure; None = a patch of one of the same server, source and model.
    """
    change = ahead.patch(frame, trace, forecast) if theme is None else ahead.figure(frame, trace, forecast, theme)
    return {
        HIDDEN: False,
        (ids.MONITOR_FORECAST_WORDS, "children"): words.told(forecast, trace, evidence),
        (ids.MONITOR_FORECAST_FIGURE, "figure"): change,
        (ids.MONITOR_FORECAST_LOOKED, "children"): words.looked_at(forecast),
    }
