"""All callbacks of the pages of alerts."""

from __future__ import annotations

from dash import ClientsideFunction, Dash, Input, Output

from tft_dash import ids
from tft_dash.callbacks.alerts.delivery import register_delivery
from tft_dash.callbacks.alerts.problems import register_problems
from tft_dash.callbacks.alerts.rules import register_rules
from tft_dash.callbacks.alerts.silences import register_silences
from tft_dash.callbacks.alerts.tuner import register_tuner
from tft_dash.services import Services


def register_alerts(app: Dash, services: Services) -> None:
    """Add the callbacks of the pages of alerts to ``app``."""
    app.clientside_callback(
        ClientsideFunction("tft_dash", "alertsName"), Output(ids.ALERTS_NAME, "value"), Input(ids.ALERTS_START, "data")
    )
    app.clientside_callback(ClientsideFunction("tft_dash", "alertsKeepName"), Input(ids.ALERTS_NAME, "value"))
    register_problems(app, services)
    register_silences(app, services)
    register_rules(app, services)
    register_delivery(app, services)
    register_tuner(app, services)
