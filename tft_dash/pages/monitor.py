"""The live monitor: toolbar, tiles, four figures, a server's panel, and a transport bar like a video player's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from dash import dcc, html

from tft_dash import components, ids
from tft_dash.figures import heatmap, kpi, rolling, server, top, trend

CLOCK_MS: Final = 250
MODEL_WORDS: Final = {"best": "best for the source"}
"""What the list of models says in place of a name."""
SPEEDS: Final = ("0.5", "1", "2", "5", "10", "30", "60")


def layout(sources: Sequence[str], models: Sequence[str], catalogue: Mapping[str, Any] | None = None) -> html.Div:
    """The page before its first frame.

    :param sources: names of the sources that can be shown; the first one is preselected.
    :param models: names of the risk models, or ``best``; the first one is preselected.
    :param catalogue: what the clientside script starts from, put into its store.
    """
    figures = html.Div([trend.layout(), top.layout(), heatmap.layout(), rolling.layout()], className="figures")
    return html.Div(
        [
            dcc.Interval(id=ids.MONITOR_CLOCK, interval=CLOCK_MS),
            *(dcc.Store(id=each, data=_first(each, catalogue)) for each in ids.STORES),
            html.H1("Live monitor", className="visually-hidden"),
            _toolbar(sources, models),
            html.Div([], id=ids.MONITOR_BANNER, className="banner-place", role="alert"),
            kpi.layout(),
            figures,
            server.layout(),
            _transport(),
        ],
        className="monitor",
    )


def _first(store: str, catalogue: Mapping[str, Any] | None) -> dict[str, Any] | None:
    return dict(catalogue) if store == ids.MONITOR_CATALOGUE and catalogue is not None else None


def _toolbar(sources: Sequence[str], models: Sequence[str]) -> html.Div:
    choose = html.Div(
        [
            components.select(ids.MONITOR_SOURCE, "Source", [(name, name) for name in sources], _start(sources)),
            components.select(
                ids.MONITOR_MODEL, "Model", [(name, MODEL_WORDS.get(name, name)) for name in models], _start(models)
            ),
            components.server_picker(ids.MONITOR_SERVER),
        ],
        className="toolbar-choose",
    )
    simulated = html.Span(
        [components.icon("flask"), "Simulated data"],
        id=ids.MONITOR_SIMULATED,
        className="tag tag-simulated",
        hidden=True,
    )
    link = html.Button(
        components.icon("link"),
        id=ids.MONITOR_COPY_LINK,
        type="button",
        title="Copy a link to this moment",
        className="icon-button",
        **{"aria-label": "Copy a link to this moment"},
    )
    tell = html.Div(
        [
            simulated,
            html.Div([], id=ids.MONITOR_MODEL_NOTE, className="model-note"),
            html.Div([], id=ids.MONITOR_DRIFT, className="notices-place", role="status"),
            html.Div([], id=ids.MONITOR_NOTICES, className="notices-place"),
            html.Span("", id=ids.MONITOR_AGE, className="age"),
            components.status_pill("loading", ids.MONITOR_STATUS),
            link,
        ],
        className="toolbar-tell",
    )
    return html.Div([choose, tell], className="toolbar")


def _start(names: Sequence[str]) -> str | None:
    return names[0] if names else None


def _transport() -> html.Section:
    return html.Section(
        [
            html.Div([], id=ids.MONITOR_SUMMARY, className="summary-place"),
            html.Div(
                [
                    html.Div([], id=ids.MONITOR_PHASES, className="phases"),
                    html.Label("Position in the recording", htmlFor=ids.MONITOR_SCRUBBER, className="visually-hidden"),
                    dcc.Input(
                        id=ids.MONITOR_SCRUBBER, type="range", min=0, max=1, step=1, value=0, className="scrubber"
                    ),
                ],
                className="track",
            ),
            html.Div([_buttons(), _time(), _pace()], className="transport-row"),
        ],
        className="transport",
        **{"aria-label": "Playback"},
    )


def _buttons() -> html.Div:
    return html.Div(
        [
            components.icon_button(ids.MONITOR_RESTART, "restart", "Restart (Home)"),
            components.icon_button(ids.MONITOR_BACK, "back", "One tick back (←)"),
            components.icon_button(ids.MONITOR_PLAY, "play", "Play (space)", "pause"),
            components.icon_button(ids.MONITOR_FORWARD, "forward", "One tick forward (→)"),
            components.icon_button(ids.MONITOR_END, "end", "To the end (End)"),
        ],
        className="transport-buttons",
    )


def _time() -> html.Div:
    return html.Div("—", id=ids.MONITOR_TIME, className="clock")


def _pace() -> html.Div:
    speeds = [(speed, f"{speed}×") for speed in SPEEDS]
    return html.Div(
        [
            components.select(ids.MONITOR_SPEED, "Speed", speeds, "1"),
            components.select(ids.MONITOR_JUMP, "Jump to phase", [], "", bare=True),
        ],
        className="transport-pace",
    )
