"""The live monitor's callbacks: the clientside gate, the one that draws, and the clicks on figures."""

from __future__ import annotations

from typing import Any

from dash import ClientsideFunction, Dash, Input, Output

from tft_dash import ids
from tft_dash.callbacks.drawing import TARGETS, Drawings
from tft_dash.services import Services


def register_monitor(app: Dash, services: Services) -> None:
    """Add the callbacks of the live monitor to ``app``."""
    drawings = Drawings(services)
    app.clientside_callback(
        ClientsideFunction("tft_dash", "gate"),
        Output(ids.MONITOR_REQUEST, "data"),
        Input(ids.MONITOR_CLOCK, "n_intervals"),
        Input(ids.MONITOR_VIEW, "data"),
        Input(ids.MONITOR_CATALOGUE, "data"),
    )

    @app.callback(
        [Output(*target) for target in TARGETS], Input(ids.MONITOR_REQUEST, "data"), prevent_initial_call=True
    )
    def answer(request: dict[str, Any]) -> list[Any]:
        return drawings.answer(request)

    app.clientside_callback(ClientsideFunction("tft_dash", "land"), Input(ids.MONITOR_ANSWER, "data"))
    for figure in (ids.MONITOR_TOP, ids.MONITOR_HEATMAP):
        app.clientside_callback(ClientsideFunction("tft_dash", "pickCell"), Input(figure, "clickData"))
    app.clientside_callback(ClientsideFunction("tft_dash", "pickTime"), Input(ids.MONITOR_TREND, "clickData"))
    app.clientside_callback(ClientsideFunction("tft_dash", "pickServer"), Input(ids.MONITOR_SERVER, "value"))
