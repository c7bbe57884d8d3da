"""The rows of a dataset: what the grid asks for, and where a row leads."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, urlencode

import orjson
from dash import html

from tft_dash import components
from tft_dash.errors import NotReadyError, TableError, TftDashError, UsageError, shorten
from tft_dash.frame import SourceDescription
from tft_dash.inspection.rows import PAGE_COLUMNS, Rows
from tft_dash.inspection.views import parse_view
from tft_dash.pages.inspector.grid import BLOCK, GridColumn, plain_view
from tft_dash.schema import SERVER_NAME, TIMESTAMP
from tft_dash.services import Services

logger = logging.getLogger(__name__)

LONGEST_VIEW: Final = 20_000
WAIT_SECONDS: Final = 0.15
"""How long a request waits for rows that must be put in order first; the page asks again."""


@dataclass(frozen=True, slots=True)
class Block:
    """Rows for the grid.

    :param response: what the grid takes.
    :param words: how many rows match.
    :param plain: the view as JSON for the address; empty = all rows in the file's order.
    :param problem: why there are none, for the banner.
    :param waiting: what is still done to all rows before there are any; empty = nothing.
    """

    response: Mapping[str, Any]
    words: str
    plain: str
    problem: str = ""
    waiting: str = ""


def grid_columns(rows: Rows) -> tuple[GridColumn, ...]:
    """The columns of the rows as the grid takes them; of a very wide table those that a page of rows holds."""
    return tuple(GridColumn(column.field, column.name, column.kind) for column in rows.columns[:PAGE_COLUMNS])


def described(services: Services, name: str) -> SourceDescription | None:
    """The dataset as a source; None = it cannot be played."""
    try:
        return services.describe(name)
    except TableError:
        return None


def plain_of(text: object) -> Mapping[str, Any]:
    """The view that stands in an address; an empty one where that cannot be read."""
    if not isinstance(text, str) or not text or len(text) > LONGEST_VIEW:
        return {}
    try:
        plain = orjson.loads(text)
        return parse_view(plain).as_dict()
    except (ValueError, UsageError):
        return {}


def block(services: Services, name: str, request: Mapping[str, Any]) -> Block:
    """The rows that the grid asks for."""
    path = services.path(name)
    try:
        view = plain_view(grid_columns(services.inspector.rows(path)), request)
        rows = services.inspector.arranged(path, parse_view(view), within_seconds=WAIT_SECONDS)
        first = int(request.get("startRow") or 0)
        limit = min(max(int(request.get("endRow") or first + BLOCK) - first, 1), 500)
        page = rows.page(parse_view(view), first, limit)
    except NotReadyError as error:
        return Block({}, f"{error.what}…", "", waiting=f"{error.what}…")
    except TftDashError as error:
        return Block({"rowData": [], "rowCount": 0}, "", "", str(error))
    plain = orjson.dumps(view).decode() if view["filters"] or view["sorts"] else ""
    return Block({"rowData": list(page.rows), "rowCount": page.matching}, _matching(page.matching, rows.total), plain)


def _matching(matching: int, total: int) -> str:
    rows = "row" if total == 1 else "rows"
    return f"{total:,} {rows}" if matching == total else f"{matching:,} of {total:,} {rows} match"


def exports(base: str, name: str, plain: str) -> list[Any]:
    """The current view as a file, or as a link."""
    query = f"?{urlencode({'view': plain})}" if plain else ""
    path = f"{base}api/v1/datasets/{quote(name, safe='')}"
    return [
        html.A("CSV", href=f"{path}/rows.csv{query}", className="button", title="These rows as CSV", download=""),
        html.A(
            "Parquet",
            href=f"{path}/rows.parquet{query}",
            className="button",
            title="These rows as Parquet",
            download="",
        ),
        html.Button(
            "Copy link", type="button", className="button", title="A link to these rows", **{"data-copy-link": ""}
        ),
    ]


def row_bar(
    columns: Sequence[GridColumn], row: Mapping[str, Any], about: SourceDescription | None, base: str
) -> list[Any]:
    """Where a chosen row leads: the live monitor at its time, and its server's metrics; nowhere without a source."""
    fields = {column.name: column.field for column in reversed(columns)}
    time, server, tick = row.get(fields.get(TIMESTAMP, "")), row.get(fields.get(SERVER_NAME, "")), row.get("tick")
    words = f"Row {row.get('row', '')}: {shorten(str(server or 'no server'))} at {shorten(str(time or 'no time'))}"
    bar: list[Any] = [html.Span(html.Bdi(words), className="row-words")]
    if about is None:
        return bar
    known = isinstance(server, str) and server in about.servers
    if isinstance(tick, int):
        bar.append(play_link(about, tick, base, str(server) if known else None))
    if known:
        bar.append(
            html.Button(
                "Show this server",
                type="button",
                className="button",
                **{"data-show-server": server, "data-tick": "" if tick is None else str(tick)},
            )
        )
    return bar


def play_link(about: SourceDescription, tick: int, base: str, server: str | None = None) -> html.A:
    """Opens the live monitor at a tick, with a server's panel where one is given."""
    query = urlencode(
        {"source": about.name, "tick": tick, "playing": 0, **({} if server is None else {"server": server})}
    )
    return html.A([components.icon("play"), "Play from here"], href=f"{base}?{query}", className="button")
