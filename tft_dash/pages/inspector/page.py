"""The page's frame: its sections in order, each filled when the scan has come so far."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from dash import dcc, html

from tft_dash import ids
from tft_dash.figures.plot import graph
from tft_dash.pages.inspector import grid

CLOCK_MS: Final = 250


def layout(name: str, view: str | None = None) -> html.Div:
    """The page of the dataset called ``name`` before its first answer.

    :param view: the rows' filters and order as the address has them.
    """
    return html.Div(
        [
            dcc.Interval(id=ids.DATASET_CLOCK, interval=CLOCK_MS),
            dcc.Store(id=ids.DATASET_ABOUT, data={"name": name, "view": view}),
            dcc.Store(id=ids.DATASET_REQUEST),
            dcc.Store(id=ids.DATASET_ANSWER),
            dcc.Store(id=ids.DATASET_PICK),
            dcc.Store(id=ids.DATASET_VIEW),
            dcc.Store(id=ids.DATASET_WAITING),
            dcc.Store(id=ids.DATASET_AGAIN),
            _head(name),
            _scan(),
            html.Div(html.P("Reading the dataset.", className="quiet"), id=ids.DATASET_VERDICT),
            html.Div([], id=ids.DATASET_FACTS),
            _columns(),
            _map(),
            _series(),
            html.Div([], id=ids.DATASET_DRILL),
            _rows(),
        ],
        className="dataset page",
    )


def section(title: str, content: Any, *, aside: Any = None, hidden: bool = False, **more: Any) -> html.Section:  # noqa: ANN401
    """A titled part of the page."""
    head = html.Div([html.H2(title, className="section-title"), aside], className="section-head")
    return html.Section([head, content], className="section", hidden=hidden, **{"aria-label": title, **more})


def _head(name: str) -> html.Div:
    return html.Div(
        [
            html.Nav(html.A("Datasets", href="../datasets", className="back-link"), **{"aria-label": "Breadcrumb"}),
            html.Div(
                [html.H1(html.Bdi(name), className="page-title"), html.Div([], className="page-actions")],
                className="page-title-row",
            ),
        ],
        className="page-head",
    )


def _scan() -> html.Div:
    """Shown while a scan runs and after it was cancelled; the script moves the bar and presses no button itself."""
    return html.Div(
        [
            html.Progress(max="1", value="0", className="progress", **{"aria-label": "Scan"}),
            html.Span("", className="scan-words", role="status"),
            html.Button("Cancel", type="button", className="button", **{"data-scan": "cancel"}),
            html.Button("Scan again", type="button", className="button", **{"data-scan": "retry"}),
        ],
        id=ids.DATASET_SCAN,
        className="scan",
        hidden=True,
    )


def _columns() -> html.Div:
    search = dcc.Input(
        id=ids.DATASET_COLUMNS_SEARCH,
        type="search",
        placeholder="Find a column",
        debounce=0.25,
        autoComplete="off",
        className="text-field",
    )
    label = html.Label("Find a column", htmlFor=ids.DATASET_COLUMNS_SEARCH, className="visually-hidden")
    more = html.Button("Show more columns", id=ids.DATASET_COLUMNS_MORE, type="button", className="button", hidden=True)
    content = [
        html.Div([], id=ids.DATASET_COLUMNS, className="table-box", role="group", tabIndex="0", **_named("Columns")),
        more,
    ]
    return html.Div(section("Columns", html.Div(content), aside=html.Div([label, search])), hidden=False)


def _map() -> html.Section:
    box = html.Div(
        graph(ids.DATASET_MAP, zoom=False),
        id=ids.DATASET_MAP_BOX,
        className="map-box",
        role="group",
        tabIndex="0",
        **_named("Servers by time"),
    )
    note = html.Div([], id=ids.DATASET_MAP_NOTE, className="map-note")
    return section("Servers by time", html.Div([note, box]))


def _series() -> html.Section:
    picker = dcc.Dropdown(
        id=ids.DATASET_SERVER, options=[], placeholder="Choose a server", clearable=True, maxHeight=320
    )
    content = html.Div(
        [
            html.Div([], id=ids.DATASET_SERIES_NOTE, className="series-note", **{"aria-live": "polite"}),
            html.Div(
                graph(ids.DATASET_SERIES, zoom=True), id=ids.DATASET_SERIES_BOX, className="series-box", hidden=True
            ),
        ]
    )
    return section("One server over time", content, aside=html.Div(picker, className="field-server"))


def _rows() -> html.Section:
    aside = html.Div(
        [
            html.Span("", id=ids.DATASET_MATCHING, role="status"),
            html.Div([], id=ids.DATASET_EXPORTS, className="exports"),
        ],
        className="rows-aside",
    )
    content = html.Div(
        [
            html.Div([], id=ids.DATASET_ROWS_BANNER, role="alert"),
            html.Div([], id=ids.DATASET_ROW, className="row-bar", **{"aria-live": "polite"}),
            html.Div(grid.placeholder(), id=ids.DATASET_GRID_PLACE),
            html.P(
                "A head sorts, by a click or Enter; with Shift, a further column joins the order. "
                "A row leads to its server and to the live monitor, by a click or the space bar.",
                className="quiet rows-hint",
            ),
        ]
    )
    return section("Rows", content, aside=aside)


def _named(name: str) -> Mapping[str, str]:
    return {"aria-label": name}
