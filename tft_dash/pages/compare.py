"""The compare page: two recordings, or one under two models, side by side on one clock with a difference trace."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import dash_bootstrap_components as dbc
from dash import dcc, html

from tft_dash import components, ids
from tft_dash.figures.compare.elapsed import HORIZONS
from tft_dash.figures.plot import graph
from tft_dash.pages.monitor import SPEEDS
from tft_dash.schema import Phase

CLOCK_MS: Final = 250
NARROWEST: Final = 0.02
"""A phase of a smaller share of the clock has no button of its own; its key still jumps to it."""

SIDES: Final = (
    ("A", ids.COMPARE_A, ids.COMPARE_A_MODEL, ids.COMPARE_A_HEAD, ids.COMPARE_A_BODY),
    ("B", ids.COMPARE_B, ids.COMPARE_B_MODEL, ids.COMPARE_B_HEAD, ids.COMPARE_B_BODY),
)


def layout(sources: Sequence[str], models: Sequence[str], catalogue: Mapping[str, Any] | None = None) -> html.Div:
    """The page before its first instant.

    :param sources: names of the sources that can be compared, at least one.
    :param models: names of the risk models, at least one.
    :param catalogue: what the clientside script starts from where the address says nothing: ``a``, ``am``, ``b``,
        ``bm``, and all ``models``; without it the first source under the first two models.
    """
    another = models[1 if len(models) > 1 else 0]
    first = {"a": sources[0], "am": models[0], "b": sources[0], "bm": another, "models": list(models)}
    start = dict(catalogue) if catalogue else first
    stores = [dcc.Store(id=each, data=start if each == ids.COMPARE_CATALOGUE else None) for each in ids.COMPARE_STORES]
    return html.Div(
        [
            dcc.Interval(id=ids.COMPARE_CLOCK, interval=CLOCK_MS),
            *stores,
            html.H1("Compare", className="visually-hidden"),
            _toolbar(sources, models),
            html.Div([], id=ids.COMPARE_BANNER, className="banner-place", role="alert"),
            html.Div([_side(*side) for side in SIDES], className="compare-sides"),
            html.Section([], id=ids.COMPARE_SUMMARY, className="compare-summary", **{"aria-label": "Summary"}),
            _figures(),
            _transport(),
        ],
        className="compare",
    )


def phase_rows(rows: Sequence[tuple[str, Sequence[Phase]]], instants: int) -> list[html.Div]:
    """Each side's phases as buttons over the scrubber; the digit keys are the first row's.

    :param rows: whose phases they are, and the phases in instants of the common clock.
    """
    named = [(name, phases) for name, phases in rows if phases]
    return [_phase_row(name, phases, instants, keys=place == 0) for place, (name, phases) in enumerate(named)]


def _phase_row(side: str, phases: Sequence[Phase], instants: int, *, keys: bool) -> html.Div:
    last = max(instants - 1, 1)
    numbers = range(1, len(phases) + 1)
    hints = [f" ({number})" if keys and number <= components.PHASE_KEYS else "" for number in numbers]
    segments = [_segment(phase, f"of {side}{hint}", last) for phase, hint in zip(phases, hints, strict=True)]
    name = html.Span(side, className="compare-phases-name", hidden=len(side) > 1, **{"aria-hidden": "true"})
    return html.Div([name, *segments], className="phases", role="group", **{"aria-label": f"Phases of {side}"})


def _segment(phase: Phase, whose: str, last: int) -> html.Button:
    left, right = phase.first / last, min((phase.last + 1) / last, 1.0)
    title = f"Jump to {phase.name} {whose}"
    return html.Button(
        html.Span(phase.name, className="phase-name"),
        type="button",
        className="phase",
        title=title,
        style={"left": f"{left:.4%}", "width": f"{max(right - left, 0):.4%}"},
        hidden=right - left < NARROWEST,
        **{"data-instant": str(phase.first), "data-last": str(phase.last), "aria-label": title},
    )


def _toolbar(sources: Sequence[str], models: Sequence[str]) -> html.Div:
    picks = [_picks(name, source, model, sources, models) for name, source, model, _, _ in SIDES]
    swap = html.Button("Swap", id=ids.COMPARE_SWAP, type="button", className="text-button", title="Swap A and B")
    link = html.Button(
        components.icon("link"),
        id=ids.COMPARE_COPY_LINK,
        type="button",
        title="Copy a link to this moment",
        className="icon-button",
        **{"aria-label": "Copy a link to this moment"},
    )
    tell = html.Div([components.status_pill("loading", ids.COMPARE_STATUS), link], className="toolbar-tell")
    return html.Div([html.Div([*picks, swap], className="compare-choose"), tell], className="toolbar")


def _picks(name: str, source: str, model: str, sources: Sequence[str], models: Sequence[str]) -> html.Fieldset:
    return html.Fieldset(
        [
            html.Legend(_badge(name)),
            components.select(source, f"Source of {name}", [(each, each) for each in sources], None, bare=True),
            components.select(model, f"Model of {name}", [(each, each) for each in models], None, bare=True),
        ],
        className="compare-picks",
    )


def _badge(name: str) -> html.Span:
    return html.Span(name, className=f"compare-badge compare-badge-{name.lower()}")


def _side(name: str, _source: str, _model: str, head: str, body: str) -> html.Section:
    title = html.H2([_badge(name), html.Span(f"Side {name}", className="visually-hidden")], className="compare-name")
    return html.Section(
        [
            html.Div([title, html.Div([], id=head, className="compare-about")], className="card-head"),
            html.Div([], id=body, className="compare-body"),
        ],
        className="card-box compare-side",
        **{"aria-label": f"Side {name}"},
    )


def _figures() -> html.Div:
    # Dash's own radio items call themselves a list box with options, which have no name and cannot hold a control.
    horizon = dbc.RadioItems(
        id=ids.COMPARE_HORIZON,
        options=[{"value": value, "label": words} for value, words in HORIZONS.items()],
        value="30m",
        inline=True,
        class_name="compare-horizon",
    )
    switch = html.Fieldset(
        [html.Legend("Horizon of the probability", className="visually-hidden"), horizon], className="compare-switch"
    )
    keys = html.Div(
        [html.Span("A", className="key key-compare-a"), html.Span("B", className="key key-compare-b"), switch],
        className="keys",
    )
    lines = components.card("Incident probability", keys, graph(ids.COMPARE_LINES, zoom=False), name="compare-lines")
    difference = components.card(
        "Difference B − A", "percentage points", graph(ids.COMPARE_DIFFERENCE, zoom=False), name="compare-difference"
    )
    note = html.P("", id=ids.COMPARE_NOTE, className="compare-note")
    return html.Div([lines, difference, note], className="compare-figures")


def _transport() -> html.Section:
    scrubber = dcc.Input(id=ids.COMPARE_SCRUBBER, type="range", min=0, max=1, step=1, value=0, className="scrubber")
    return html.Section(
        [
            html.Div([], id=ids.COMPARE_PHASES, className="compare-phases"),
            html.Div(
                [
                    html.Label("Time since the start", htmlFor=ids.COMPARE_SCRUBBER, className="visually-hidden"),
                    scrubber,
                ],
                className="track compare-track",
            ),
            html.Div(
                [_buttons(), html.Div("—", id=ids.COMPARE_TIME, className="clock"), _pace()], className="transport-row"
            ),
        ],
        className="transport",
        **{"aria-label": "Playback"},
    )


def _buttons() -> html.Div:
    return html.Div(
        [
            components.icon_button(ids.COMPARE_RESTART, "restart", "Restart (Home)"),
            components.icon_button(ids.COMPARE_BACK, "back", "One instant back (←)"),
            components.icon_button(ids.COMPARE_PLAY, "play", "Play (space)", "pause"),
            components.icon_button(ids.COMPARE_FORWARD, "forward", "One instant forward (→)"),
            components.icon_button(ids.COMPARE_END, "end", "To the end (End)"),
        ],
        className="transport-buttons",
    )


def _pace() -> html.Div:
    speeds = [(speed, f"{speed}×") for speed in SPEEDS]
    return html.Div(components.select(ids.COMPARE_SPEED, "Speed", speeds, "1"), className="transport-pace")
