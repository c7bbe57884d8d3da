"""The inspection's callbacks: the clientside gate, the parts, the rows, one server's course."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dash import ClientsideFunction, Dash, Input, Output, State, no_update

from tft_dash import components, ids
from tft_dash.callbacks import rows
from tft_dash.callbacks.inspection import TARGETS, Inspections
from tft_dash.errors import TftDashError, shorten
from tft_dash.figures import series
from tft_dash.figures.plot import blank
from tft_dash.services import Services
from tft_dash.theme import theme_of


def register_inspector(app: Dash, services: Services) -> None:
    """Add the callbacks of the page of one dataset to ``app``."""
    inspections = Inspections(services)
    _clientside(app)

    @app.callback(
        [Output(*target) for target in TARGETS], Input(ids.DATASET_REQUEST, "data"), prevent_initial_call=True
    )
    def answer(request: dict[str, Any]) -> list[Any]:
        return inspections.answer(request)

    _rows(app, services)

    @app.callback(
        Output(ids.DATASET_SERIES, "figure"),
        Output(ids.DATASET_SERIES_BOX, "hidden"),
        Output(ids.DATASET_SERIES_BOX, "style"),
        Output(ids.DATASET_SERIES_NOTE, "children"),
        Input(ids.DATASET_PICK, "data"),
        State(ids.DATASET_ABOUT, "data"),
        prevent_initial_call=True,
    )
    def course(pick: dict[str, Any], about: dict[str, Any]) -> tuple[Any, ...]:
        return _course(services, str(about["name"]), pick)


def _clientside(app: Dash) -> None:
    app.clientside_callback(
        ClientsideFunction("tft_dash", "gateDataset"),
        Output(ids.DATASET_REQUEST, "data"),
        Input(ids.DATASET_CLOCK, "n_intervals"),
        State(ids.DATASET_ABOUT, "data"),
    )
    for name, component, prop in (
        ("landDataset", ids.DATASET_ANSWER, "data"),
        ("pickGap", ids.DATASET_MAP, "clickData"),
        ("pickTick", ids.DATASET_SERIES, "clickData"),
        ("pickListed", ids.DATASET_SERVER, "value"),
        ("keepView", ids.DATASET_VIEW, "data"),
        ("awaitRows", ids.DATASET_WAITING, "data"),
        ("findColumns", ids.DATASET_COLUMNS_SEARCH, "value"),
    ):
        app.clientside_callback(ClientsideFunction("tft_dash", name), Input(component, prop), prevent_initial_call=True)


def _rows(app: Dash, services: Services) -> None:
    @app.callback(
        Output(ids.DATASET_GRID, "getRowsResponse"),
        Output(ids.DATASET_MATCHING, "children"),
        Output(ids.DATASET_EXPORTS, "children"),
        Output(ids.DATASET_VIEW, "data"),
        Output(ids.DATASET_ROWS_BANNER, "children"),
        Output(ids.DATASET_WAITING, "data"),
        Input(ids.DATASET_GRID, "getRowsRequest"),
        Input(ids.DATASET_AGAIN, "data"),
        State(ids.DATASET_ABOUT, "data"),
        prevent_initial_call=True,
    )
    def block(request: dict[str, Any] | None, again: int | None, about: dict[str, Any]) -> tuple[Any, ...]:
        if request is None:
            return (no_update,) * 6
        name = str(about["name"])
        found = rows.block(services, name, request)
        if found.waiting:
            waiting = {"words": found.waiting, "turn": (again or 0) + 1}
            return no_update, found.words, no_update, no_update, [], waiting
        problem = components.banner("These rows cannot be shown", found.problem) if found.problem else []
        links = rows.exports(services.settings.base_path, name, found.plain)
        return found.response, found.words, links, {"plain": found.plain}, problem, None

    @app.callback(
        Output(ids.DATASET_ROW, "children"),
        Input(ids.DATASET_GRID, "selectedRows"),
        State(ids.DATASET_ABOUT, "data"),
        prevent_initial_call=True,
    )
    def row_bar(selected: Sequence[Mapping[str, Any]] | None, about: dict[str, Any]) -> list[Any]:
        if not selected:
            return []
        name = str(about["name"])
        columns = rows.grid_columns(services.inspector.rows(services.path(name)))
        return rows.row_bar(columns, selected[0], rows.described(services, name), services.settings.base_path)


def _course(services: Services, name: str, pick: Mapping[str, Any]) -> tuple[Any, ...]:
    """One server's figure, whether it is hidden, its height, and the words above it."""
    theme = theme_of(pick.get("theme"))
    server, tick = pick.get("server"), pick.get("tick")
    if not isinstance(server, str):
        return blank(theme), True, no_update, []
    server = components.entry_name(server)
    try:
        about = services.describe(name)
        if server not in about.servers:
            return blank(theme), True, no_update, f"This dataset has no server '{shorten(server)}'."
        window = services.source(name).read(limit=about.ticks or 1).window
    except TftDashError as error:
        return blank(theme), True, no_update, components.banner("This server cannot be shown", str(error))
    place = about.servers.index(server)
    metrics = {metric: values[:, place] for metric, values in window.metrics.items()}
    course = series.Course(server, about.start, about.step_seconds, metrics)
    at = tick if isinstance(tick, int) and 0 <= tick < (about.ticks or 0) else None
    words: list[Any] = [series.words(course, at)]
    if at is not None:
        words.append(rows.play_link(about, at, services.settings.base_path, server))
    return series.figure(course, theme, tick=at), False, {"height": f"{series.height(len(metrics))}px"}, words
