"""One server's own panel: its risk and each of its recorded metrics over the last ticks, with its drivers in words."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from dash import Patch, html

from tft_dash import components, ids
from tft_dash.figures.ago import AgoAxis
from tft_dash.figures.forecast import panel as forecast
from tft_dash.figures.lines import RISK, Row, figure_of, patch_of
from tft_dash.figures.plot import Figure, graph, percent, state_of
from tft_dash.frame import Frame, ServerTrace
from tft_dash.schema import METRICS, RISK_BANDS, band_of
from tft_dash.theme import Theme

NAME: Final = "server"
TICKS: Final = 120
"""How far back the panel looks; a longer trace is cut."""

_SLOTS: Final = len(METRICS) + 1


def layout() -> html.Aside:
    """The side panel; hidden until a server is chosen."""
    return html.Aside(
        [
            html.Div(
                [
                    html.H2("", id=ids.MONITOR_SERVER_TITLE, className="panel-title"),
                    components.icon_button(ids.MONITOR_SERVER_CLOSE, "close", "Close the server's panel (Esc)"),
                ],
                className="panel-head",
            ),
            html.Div(
                [components.status_pill("loading"), html.Div([], id=ids.MONITOR_SERVER_MODEL, className="model-note")],
                className="panel-truth",
            ),
            html.P("", id=ids.MONITOR_SERVER_FACTS, className="panel-facts"),
            html.Ul([], id=ids.MONITOR_SERVER_DRIVERS, className="panel-drivers"),
            forecast.layout(),
            html.Div(graph(ids.MONITOR_SERVER_FIGURE, zoom=True), className="panel-plot"),
        ],
        id=ids.MONITOR_SERVER_PANEL,
        className="server-panel",
        hidden=True,
        **{"aria-labelledby": ids.MONITOR_SERVER_TITLE},
    )


def texts(frame: Frame, server: int) -> dict[tuple[str, str], Any]:
    """The panel's words: ``(component id, property)`` → value."""
    return {
        (ids.MONITOR_SERVER_TITLE, "children"): frame.source.servers[server],
        (ids.MONITOR_SERVER_MODEL, "children"): components.model_note(frame.card, simulated=frame.source.simulated),
        (ids.MONITOR_SERVER_FACTS, "children"): facts(frame, server),
        (ids.MONITOR_SERVER_DRIVERS, "children"): drivers(frame, server),
    }


def facts(frame: Frame, server: int) -> list[Any]:
    """Profile, state and risk in words."""
    risk = float(frame.risk[server])
    band = band_of(risk, RISK_BANDS)
    words = "no risk can be given" if np.isnan(risk) else f"risk {percent(risk)}, {band.word}"
    about = f"{frame.source.profiles[server]} · {state_of(frame, server)} · "
    silence = frame.silence_of(server)
    heard = [] if silence is None else [f" · last heard of {components.span_words(silence)} before"]
    return [about, html.Span(words, className=f"band-{band.name}"), *heard]


def drivers(frame: Frame, server: int) -> list[html.Li]:
    """One item for each driver, strongest first; one that says so when there is none."""
    words = [driver.words for driver in frame.drivers(server)]
    return [html.Li(text) for text in words or ["Nothing unusual."]]


def figure(frame: Frame, trace: ServerTrace, theme: Theme) -> Figure:
    """The whole figure."""
    return figure_of(_rows(frame, trace), _ago(frame), theme, slots=_SLOTS)


def patch(frame: Frame, trace: ServerTrace) -> Patch:
    """The values of the window, for the same server and source."""
    return patch_of(_rows(frame, trace), _ago(frame))


def _ago(frame: Frame) -> AgoAxis:
    return AgoAxis.of(frame, TICKS)


def _rows(frame: Frame, trace: ServerTrace) -> list[Row]:
    recorded = [metric for metric in METRICS if metric.name in frame.source.metrics]
    rows = [Row(metric.name, metric.label, trace.metrics[metric.name]) for metric in recorded]
    return [Row(RISK, "Risk", trace.risk), *rows]
