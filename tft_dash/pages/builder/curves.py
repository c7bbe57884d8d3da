"""Fields of a curve of intensity: a number, a line from start to end, or points."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dash import html

from tft_dash.pages.builder.fields import action, entries, field, problem, row, shape

SHAPES = (("constant", "one value"), ("line", "from start to end"), ("points", "through points"))


def curve_shape(value: object) -> str:
    """How a curve is written: ``constant``, ``line`` or ``points``; ``none`` where there is none."""
    if value is None:
        return "none"
    if not isinstance(value, Mapping):
        return "constant"
    if "points" in value:
        return "points"
    return "line" if "end" in value else "constant"


def curve_fields(path: str, value: object, *, label: str = "Intensity", without: str = "") -> html.Div:
    """The fields of a curve.

    :param without: the choice that leaves it out; "" = it cannot be left out.
    """
    kind = curve_shape(value)
    options = [("none", without), *SHAPES] if without else list(SHAPES)
    chosen = shape(path, label, kind if without or kind != "none" else "constant", options, name="curve")
    return html.Div([row(chosen, *_ends(path, value, kind)), _points(path, value, kind), problem(path)])


def _ends(path: str, value: object, kind: str) -> list[Any]:
    hint = "0 = nothing shows, 1 = in full."
    if kind == "constant":
        where, held = (f"{path}.start", value.get("start")) if isinstance(value, Mapping) else (path, value)
        return [field(where, "Value", held, kind="number", unit="0–1", hint=hint)]
    if kind == "line" and isinstance(value, Mapping):
        return [
            field(f"{path}.start", "At start", value.get("start"), kind="number", unit="0–1", hint=hint),
            field(f"{path}.end", "At end", value.get("end"), kind="number", unit="0–1", hint=hint),
        ]
    return []


def _points(path: str, value: object, kind: str) -> Any:  # noqa: ANN401 - a Dash component or nothing
    if kind != "points":
        return None
    listed = f"{path}.points"
    rows = []
    for place, point in enumerate(entries(value, "points")):
        here, held = f"{listed}[{place}]", point if isinstance(point, Mapping) else {}
        rows.append(
            html.Li(
                [
                    field(
                        f"{here}.at",
                        "At",
                        held.get("at"),
                        kind="number",
                        unit="0–1",
                        hint="Where in the span: 0 its start, 1 its end.",
                    ),
                    field(f"{here}.value", "Value", held.get("value"), kind="number", unit="0–1"),
                    action("remove", listed, f"Remove point {place + 1}", drawing="bin", at=str(place)),
                    problem(here),
                ],
                className="bf-point",
            )
        )
    return html.Div([html.Ol(rows), problem(listed), action("add-point", listed, "Add a point")], className="bf-points")
