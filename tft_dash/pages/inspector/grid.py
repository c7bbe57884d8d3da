"""The rows' grid: its columns, and its filters and order as the plain view that the address and the exports carry."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import dash_ag_grid as dag
from dash import html

from tft_dash import ids

BLOCK: Final = 100
"""Rows that are fetched at a time."""
NUMBER, TEXT, TIME, FLAG = "number", "text", "time", "flag"

FILTERS: Final = {
    NUMBER: "agNumberColumnFilter",
    TEXT: "agTextColumnFilter",
    TIME: "agDateColumnFilter",
    FLAG: "agTextColumnFilter",
}
OPTIONS: Final = {
    NUMBER: ["equals", "notEqual", "lessThan", "lessThanOrEqual", "greaterThan", "greaterThanOrEqual", "inRange",
             "blank", "notBlank"],
    TEXT: ["contains", "equals", "notEqual", "startsWith", "endsWith", "blank", "notBlank"],
    TIME: ["inRange", "lessThan", "greaterThan", "equals", "blank", "notBlank"],
    FLAG: ["equals", "blank", "notBlank"],
}  # fmt: skip
OPERATORS: Final = {
    "contains": "contains",
    "equals": "equals",
    "notEqual": "not-equals",
    "startsWith": "starts",
    "endsWith": "ends",
    "lessThan": "less",
    "lessThanOrEqual": "at-most",
    "greaterThan": "more",
    "greaterThanOrEqual": "at-least",
    "inRange": "between",
    "blank": "blank",
    "notBlank": "not-blank",
}
"""The grid's word for a comparison → the view's."""
_GRID_WORDS: Final = {ours: theirs for theirs, ours in OPERATORS.items()}


def placeholder() -> html.P:
    """Stands where the grid will be."""
    return html.P("The rows come when the dataset has been read.", className="quiet")


@dataclass(frozen=True, slots=True)
class GridColumn:
    """One column of the rows.

    :param field: its neutral key in a row: a name such as ``__proto__`` is never a key in the browser.
    :param kind: number, text, time or flag.
    """

    field: str
    name: str
    kind: str


def layout(columns: Sequence[GridColumn], view: Mapping[str, Any]) -> dag.AgGrid:
    """The grid, empty, with the filters and order of ``view``.

    :param columns: in the file's order.
    """
    options = {
        "rowBuffer": 20,
        "cacheBlockSize": BLOCK,
        "maxBlocksInCache": 12,
        # The component answers one request at a time.
        "maxConcurrentDatasourceRequests": 1,
        "infiniteInitialRowCount": 1,
        "rowSelection": {"mode": "singleRow", "checkboxes": False, "enableClickSelection": True},
        "suppressDragLeaveHidesColumns": True,
        "suppressFieldDotNotation": True,
        "alwaysMultiSort": False,
        "enableCellTextSelection": True,
        "localeText": {"noRowsToShow": "No row matches."},
        "animateRows": False,
    }
    return dag.AgGrid(
        id=ids.DATASET_GRID,
        rowModelType="infinite",
        columnDefs=definitions(columns, view),
        defaultColDef={"sortable": True, "resizable": True, "floatingFilter": True, "minWidth": 110, "width": 150},
        filterModel=filter_model(columns, view),
        dashGridOptions=options,
        className="rows-grid",
        style={"height": "560px"},
    )


def definitions(columns: Sequence[GridColumn], view: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The grid's columns; what a cell shows is always text to the browser."""
    order = {sort["column"]: (place, sort) for place, sort in enumerate(view.get("sorts", ()))}
    return [_definition(column, order.get(column.field)) for column in columns]


def _definition(column: GridColumn, order: tuple[int, Mapping[str, Any]] | None) -> dict[str, Any]:
    definition: dict[str, Any] = {
        "field": column.field,
        "colId": column.field,
        "headerName": column.name,
        "headerTooltip": f"{column.name} ({column.kind})",
        "cellDataType": False,
        "filter": FILTERS[column.kind],
        "filterParams": _filter_params(column.kind),
    }
    if column.kind == NUMBER:
        definition["type"] = "rightAligned"
    if column.kind == TIME:
        definition["width"] = 220
    if order is not None:
        place, sort = order
        definition |= {"sort": "desc" if sort.get("descending") else "asc", "sortIndex": place}
    return definition


def _filter_params(kind: str) -> dict[str, Any]:
    shared = {"filterOptions": OPTIONS[kind], "maxNumConditions": 1, "debounceMs": 400, "buttons": ["reset"]}
    return {**shared, "includeTime": True} if kind == TIME else shared


def plain_view(columns: Sequence[GridColumn], request: Mapping[str, Any]) -> dict[str, Any]:
    """The view of a grid's request: ``{"filters": […], "sorts": […]}`` with columns by their keys.

    Anything of another shape is left out: the grid sends none.
    """
    by_key = {column.field: column for column in columns}
    model = request.get("filterModel")
    filters = [
        _filter(by_key[key], condition)
        for key, condition in (model.items() if isinstance(model, Mapping) else ())
        if key in by_key and isinstance(condition, Mapping) and condition.get("type") in OPERATORS
    ]
    asked = request.get("sortModel")
    sorts = [
        {"column": sort["colId"], "descending": sort.get("sort") == "desc"}
        for sort in (asked if isinstance(asked, Sequence) else ())
        if isinstance(sort, Mapping) and sort.get("colId") in by_key
    ]
    return {"filters": filters, "sorts": sorts}


def _filter(column: GridColumn, condition: Mapping[str, Any]) -> dict[str, Any]:
    kind, operator = column.kind, OPERATORS[str(condition["type"])]
    plain: dict[str, Any] = {"column": column.field, "kind": kind, "operator": operator}
    if operator in ("blank", "not-blank"):
        return plain
    first, second = ("dateFrom", "dateTo") if kind == TIME else ("filter", "filterTo")
    plain["value"] = _value(kind, condition.get(first))
    if operator == "between":
        plain["value_to"] = _value(kind, condition.get(second))
    return plain


def _value(kind: str, value: Any) -> Any:  # noqa: ANN401 - text, number or flag, as the kind says
    if kind == TIME and isinstance(value, str):
        return value.replace(" ", "T")
    if kind == FLAG and isinstance(value, str):
        return {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}.get(value.lower(), value)
    return value


def filter_model(columns: Sequence[GridColumn], view: Mapping[str, Any]) -> dict[str, Any]:
    """The grid's filters for a view; what the columns do not have is left out."""
    kinds = {column.field: column.kind for column in columns}
    return {
        one["column"]: _condition(kinds[one["column"]], one)
        for one in view.get("filters", ())
        if one.get("column") in kinds and one.get("operator") in _GRID_WORDS
    }


def _condition(kind: str, one: Mapping[str, Any]) -> dict[str, Any]:
    condition: dict[str, Any] = {
        "filterType": {NUMBER: "number", TIME: "date"}.get(kind, "text"),
        "type": _GRID_WORDS[one["operator"]],
    }
    first, second = ("dateFrom", "dateTo") if kind == TIME else ("filter", "filterTo")
    for key, name in ((first, "value"), (second, "value_to")):
        value = one.get(name)
        if value is None or (isinstance(value, float) and not math.isfinite(value)):
            continue
        if kind == TIME:
            value = str(value).replace("T", " ").removesuffix("Z")
        condition[key] = str(value).lower() if isinstance(value, bool) else value
    return condition
