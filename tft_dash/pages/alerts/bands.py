"""A driver as a strip: the value beside what is usual and the contract's lines, in words and in place."""

from __future__ import annotations

from typing import Any, Final

from dash import html

from tft_dash.alerts.problem import Reading
from tft_dash.pages.alerts import wording as say
from tft_dash.schema import METRIC

_ROOM: Final = 1.1
"""The strip ends so much beyond the largest of its marks."""


def band(driver: Reading) -> list[Any]:
    """The driver's name and value, the strip, and the words for its marks."""
    head = html.Div(
        [html.Span(say.metric_name(driver.metric), className="driver-name"),
         html.B(say.with_unit(driver.metric, driver.value)),
         html.Span(say.usual_words(driver), className="quiet")],
        className="driver-words",
    )  # fmt: skip
    return [head, _strip(driver)]


def _strip(driver: Reading) -> html.Div:
    """Decoration: the words say the same."""
    marks = [one for one in (driver.usual, driver.warning, driver.critical, driver.value) if one is not None]
    top = max(marks) * _ROOM
    bound = METRIC[driver.metric].high if driver.metric in METRIC else float("inf")
    top = min(top, bound) if top > 0 else 1.0

    def place(value: float) -> str:
        return f"{100 * min(max(value / top, 0.0), 1.0):.2f}%"

    parts = [html.Span(className="strip-value", style={"width": place(driver.value)})]
    for name in ("warning", "critical", "usual"):
        value = getattr(driver, name)
        if value is not None:
            parts.append(html.Span(className=f"strip-mark strip-{name}", style={"left": place(value)}))
    return html.Div(parts, className="strip", **{"aria-hidden": "true"})
