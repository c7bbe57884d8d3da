"""One side of a comparison at an instant: its key figures and its five servers at highest risk, as plain HTML."""

from __future__ import annotations

from typing import Any, Final

from dash import dcc, html

from tft_dash import components
from tft_dash.figures.plot import chance, percent, state_of
from tft_dash.frame import Frame, SourceDescription
from tft_dash.schema import RISK_BANDS, ModelCard, band_of

ROWS: Final = 5


def head(source: SourceDescription, card: ModelCard, instead: str | None = None) -> list[Any]:
    """What is shown and which model judges it, with all that weakens its answers.

    :param instead: why this model judges it in another one's place.
    """
    return [
        html.Span(source.title or source.name, className="compare-title", title=source.name),
        html.Div(components.model_note(card, simulated=source.simulated, instead=instead), className="model-note"),
        components.notices(source.notices) or None,
    ]


def body(frame: Frame, link: str) -> list[Any]:
    """The side at its frame.

    :param link: address of the live monitor at this tick.
    """
    health = frame.health
    tiles = html.Dl(
        [
            _tile("Health", [components.icon(f"health-{health.name}"), health.word], f"compare-health-{health.name}"),
            _tile("Phase", frame.phase or "—"),
            _tile("Within 30 min", chance(frame.prob_30m)),
            _tile("Within 8 h", chance(frame.prob_8h)),
        ],
        className="compare-tiles",
    )
    return [tiles, _table(frame), _foot(frame, link)]


def over(source: SourceDescription) -> list[Any]:
    """A side that has ended while the other goes on: nothing of it stands as current."""
    ticks = source.ticks or 0
    ended = components.duration(max(ticks - 1, 0) * source.step_seconds)
    return [
        html.Div(
            [
                html.Div([components.icon("flag"), html.Strong("Over")], className="summary-title"),
                html.P(f"This side ended {ended} after its start. Go back to see it."),
            ],
            className="compare-over",
        )
    ]


def waiting(what: str) -> list[Any]:
    """A side that is being prepared.

    :param what: what is being done for it.
    """
    title = html.Div([components.icon("hourglass"), html.Strong("Preparing")], className="summary-title")
    return [html.Div([title, html.P(f"{what}. It is shown as soon as it is there.")], className="compare-over")]


def blank() -> list[Any]:
    """A side of which nothing is known."""
    return [html.Div("—", className="compare-over")]


def _tile(label: str, value: Any, name: str = "") -> html.Div:  # noqa: ANN401 - what Dash takes as children
    return html.Div([html.Dt(label), html.Dd(value, className=name)], className="compare-tile")


def _table(frame: Frame) -> html.Table:
    columns = ("Server", "Why", "Risk", "")
    titles = [html.Th(name or html.Span("Level", className="visually-hidden"), scope="col") for name in columns]
    rows = [_row(frame, server) for server in frame.ranking[:ROWS]]
    if not rows:
        rows = [html.Tr(html.Td("No server has a risk at this tick.", colSpan=len(columns)))]
    empty = [html.Tr(html.Td("\u00a0", colSpan=len(columns))) for _ in range(ROWS - len(rows))]
    return html.Table(
        [
            html.Caption("Servers at highest risk", className="visually-hidden"),
            html.Thead(html.Tr(titles)),
            html.Tbody([*rows, *empty]),
        ],
        className="compare-table",
    )


def _row(frame: Frame, server: int) -> html.Tr:
    risk = float(frame.risk[server])
    band = band_of(risk, RISK_BANDS)
    reasons = [driver.words for driver in frame.drivers(server)] or ["nothing unusual"]
    name = frame.source.servers[server]
    about = f"{frame.source.profiles[server]}, {state_of(frame, server)}"
    return html.Tr(
        [
            html.Th(name, scope="row", title=f"{name}: {about}"),
            html.Td(reasons[0], className="compare-why", title="; ".join(reasons)),
            html.Td(percent(risk), className="compare-risk"),
            html.Td(band.word, className=f"compare-band band-{band.name}"),
        ]
    )


def _foot(frame: Frame, link: str) -> html.Div:
    return html.Div(
        [
            html.Span(f"Tick {frame.tick:,} · {frame.active:,} of {len(frame.source.servers):,} servers report"),
            dcc.Link("Open in the live monitor", href=link),
        ],
        className="compare-foot",
    )
