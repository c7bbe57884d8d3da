"""The fields of the import step: a control for each part of a mapping, and the place for what is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import dash_bootstrap_components as dbc
from dash import dcc, html

from tft_dash import components
from tft_dash.importing.units import UNIT_WORDS, UNITS
from tft_dash.pages.wording import DASH
from tft_dash.schema import METRICS

LISTED: Final = 200
"""A column is chosen from a list up to so many; beyond, it is typed, with suggestions."""
DATALIST: Final = "import-columns"
NO_COLUMN: Final = "(no column)"
"""What a list of columns has for none: a select takes an empty value for its hint."""

LAYOUTS: Final = (
    ("long", "a row per server and time"),
    ("wide", "a column per server"),
    ("narrow", "a row per server, time and metric"),
)
FORMATS: Final = (
    ("iso", "ISO 8601 (2026-12-31T12:00:00Z)"),
    ("epoch-s", "seconds since 1970"),
    ("epoch-ms", "milliseconds since 1970"),
    ("epoch-us", "microseconds since 1970"),
    ("epoch-ns", "nanoseconds since 1970"),
    ("excel", "Excel's day number"),
    ("day-first", "day first (31.12.2026 12:00)"),
    ("month-first", "month first (12/31/2026 12:00)"),
    ("custom", "a pattern of its own"),
)
SEPARATORS: Final = ((",", "comma"), (";", "semicolon"), ("\t", "tab"), ("|", "vertical bar"))
DECIMALS: Final = ((".", "point"), (",", "comma"))
ENCODINGS: Final = (("utf-8", "UTF-8"), ("latin-1", "Latin-1"), ("windows-1252", "Windows-1252"))


def field_id(path: str) -> dict[str, str]:
    """The id of a field of the form, by its path in the mapping document."""
    return {"type": "import-field", "path": path}


def problem_id(path: str) -> dict[str, str]:
    """The id of the place for what is wrong with a field."""
    return {"type": "import-problem", "path": path}


CHANGING: Final = frozenset(
    {"spec.narrow.metric", "spec.timestamp.pattern", "spec.keep", "spec.columns.server_name.from"}
)
"""Fields that not every layout and time format has."""


def fields_of(spec: Mapping[str, Any]) -> set[str]:
    """Which of the :data:`CHANGING` fields the form of a mapping has."""
    shape = spec.get("layout", "long")
    custom = spec.get("timestamp", {}).get("format") == "custom"
    there = {
        "spec.narrow.metric": shape == "narrow",
        "spec.timestamp.pattern": custom,
        "spec.keep": shape == "long",
        "spec.columns.server_name.from": shape != "wide",
    }
    return {path for path, has in there.items() if has}


def form(columns: Sequence[str], spec: Mapping[str, Any], *, csv: bool) -> list[Any]:
    """The fields of a mapping.

    :param columns: of the foreign file.
    :param spec: the mapping's ``spec`` as plain values.
    :param csv: whether the file is a CSV.
    """
    fields = _Fields(columns, spec)
    groups = [
        _group("Table", [fields.choice("layout", "Layout", LAYOUTS, "long")]),
        _csv_group(fields) if csv else None,
        _narrow_group(fields) if spec.get("layout") == "narrow" else None,
        _time_group(fields),
        _server_group(fields),
        _metrics_group(fields),
        _keep_group(fields) if spec.get("layout", "long") == "long" else None,
    ]
    listed = [html.Option(value=name) for name in columns] if fields.typed else []
    return [html.Datalist(listed, id=DATALIST), *(group for group in groups if group is not None)]


def _csv_group(fields: _Fields) -> html.Fieldset:
    return _group(
        "CSV",
        [
            fields.choice("csv.separator", "Separator", SEPARATORS, ","),
            fields.choice("csv.decimal", "Decimal sign", DECIMALS, "."),
            fields.choice("csv.encoding", "Encoding", ENCODINGS, "utf-8"),
            fields.whole("csv.skip_lines", "Lines before the header"),
        ],
    )


def _narrow_group(fields: _Fields) -> html.Fieldset:
    return _group(
        "Metrics by row",
        [
            fields.column("narrow.metric", "Column that names the metric"),
            fields.column("narrow.value", "Column of values"),
        ],
    )


def _time_group(fields: _Fields) -> html.Fieldset:
    items = [
        fields.column("timestamp.from", "Time: column"),
        fields.choice("timestamp.format", "Written as", FORMATS, "iso"),
        fields.column("timestamp.clock", "Time of day: column, if apart"),
        fields.text("timestamp.zone", "Zone of times that name none", "UTC"),
    ]
    if fields.value("timestamp.format") == "custom":
        items.append(fields.text("timestamp.pattern", "Pattern (strptime)", "%d %b %Y %H:%M:%S"))
    return _group("Time", items)


def _server_group(fields: _Fields) -> html.Fieldset:
    items = []
    if fields.layout != "wide":
        items += [
            fields.column("columns.server_name.from", "Server: column"),
            fields.text("columns.server_name.value", "or the same on every row"),
        ]
    items += [
        fields.column("columns.profile.from", "Profile: column"),
        fields.text("columns.profile.value", "or the same on every row", "generic"),
        fields.column("columns.state.from", "State: column"),
    ]
    return _group("Server", items)


def _metrics_group(fields: _Fields) -> html.Fieldset:
    items: list[Any] = []
    for metric in METRICS:
        path = f"columns.{metric.name}"
        units = [(unit, UNIT_WORDS[unit]) for unit in UNITS[metric.name]]
        items += [
            html.Div(
                [
                    fields.source(f"{path}.from", f"{metric.label} ({metric.name})"),
                    fields.choice(f"{path}.unit", f"Unit of {metric.label}", units, units[0][0]),
                ],
                className="metric-item",
            )
        ]
    hints = {
        "wide": "Write {server} where the server's name stands in the columns' names, e.g. {server}.cpu.",
        "narrow": "Write the word by which the file names the metric.",
    }
    hint = hints.get(fields.layout)
    return _group("Metrics", items, hint=hint)


def _keep_group(fields: _Fields) -> html.Fieldset:
    path = "spec.keep"
    picker = dcc.Dropdown(
        id=field_id(path),
        options=[components.entry(name) for name in fields.columns],
        value=[components.entry(name) for name in fields.spec.get("keep", ())],
        multi=True,
        placeholder="None",
    )
    item = html.Div(
        [
            html.Span("Other columns that are kept as they are, for the inspector", className="form-label"),
            picker,
            html.Span("", id=problem_id(path), className="form-problem"),
        ],
        className="form-item",
    )
    return _group("Keep", [item])


def _group(title: str, items: Sequence[Any], *, hint: str | None = None) -> html.Fieldset:
    words = html.P(hint, className="quiet") if hint else None
    return html.Fieldset(
        [html.Legend(title), words, html.Div(list(items), className="form-grid")], className="form-group"
    )


class _Fields:
    """Makes fields with the values of a mapping's ``spec``."""

    def __init__(self, columns: Sequence[str], spec: Mapping[str, Any]) -> None:
        self.columns, self.spec = columns, spec
        self.layout = str(spec.get("layout", "long"))
        self.typed = len(columns) > LISTED or self.layout != "long"

    def value(self, path: str) -> Any:  # noqa: ANN401 - text or a number
        """What the mapping has at a path; None = nothing."""
        found: Any = self.spec
        for part in path.split("."):
            found = found.get(part) if isinstance(found, Mapping) else None
        return found

    def choice(self, path: str, label: str, options: Sequence[tuple[str, str]], default: str) -> html.Div:
        """One of a closed list."""
        listed = [{"value": value, "label": text} for value, text in options]
        control = dbc.Select(id=field_id(f"spec.{path}"), options=listed, value=self.value(path) or default, size="sm")
        return self._item(path, label, control)

    def column(self, path: str, label: str) -> html.Div:
        """A column of the file, or none."""
        if len(self.columns) > LISTED:
            return self._typed(path, label)
        here = self.value(path)
        names = [*self.columns, *([here] if here and here not in self.columns else [])]
        listed = [
            {"value": NO_COLUMN, "label": f"{DASH} none {DASH}"},
            *({"value": name, "label": name} for name in names),
        ]
        control = dbc.Select(id=field_id(f"spec.{path}"), options=listed, value=here or NO_COLUMN, size="sm")
        return self._item(path, label, control)

    def source(self, path: str, label: str) -> html.Div:
        """Where a metric comes from: a column, a pattern of columns, or the word in a narrow table."""
        return self.column(path, label) if self.layout == "long" else self._typed(path, label)

    def text(self, path: str, label: str, hint: str = "") -> html.Div:
        """Free text."""
        control = dcc.Input(
            id=field_id(f"spec.{path}"),
            type="text",
            value=self.value(path) or "",
            placeholder=hint,
            debounce=0.5,
            className="text-field",
            autoComplete="off",
        )
        return self._item(path, label, control)

    def whole(self, path: str, label: str) -> html.Div:
        """A count."""
        control = dcc.Input(
            id=field_id(f"spec.{path}"),
            type="number",
            min=0,
            max=1000,
            step=1,
            value=self.value(path) or 0,
            debounce=0.5,
            className="text-field",
        )
        return self._item(path, label, control)

    def _typed(self, path: str, label: str) -> html.Div:
        control = dcc.Input(
            id=field_id(f"spec.{path}"),
            type="text",
            list=DATALIST,
            value=self.value(path) or "",
            debounce=0.5,
            className="text-field",
            autoComplete="off",
        )
        return self._item(path, label, control)

    def _item(self, path: str, label: str, control: Any) -> html.Div:  # noqa: ANN401 - any control
        problem = html.Span("", id=problem_id(f"spec.{path}"), className="form-problem")
        # The label holds the control: an id of the form's own kind is no target for "for".
        named = html.Label([html.Span(label), control], className="form-label")
        return html.Div([named, problem], className="form-item")
