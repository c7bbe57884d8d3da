"""How the models' page writes measured values, intervals and names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from dash import html

from tft_dash.figures.models.values import known
from tft_dash.pages.wording import DASH

if TYPE_CHECKING:
    from tft_dash.models.forecasting.evidence import Interval

HORIZONS: Final = (("30m", "30 min"), ("8h", "8 h"))
"""Key in the evidence, and in words."""
BOOSTING: Final = "gradient-boosting"
CLIMATOLOGY: Final = "climatology"

_NAMES: Final = {
    "tft": "Forecast (tft)",
    BOOSTING: "Gradient boosting",
    "thresholds": "Adaptive thresholds",
    "persistence": "Persistence",
    CLIMATOLOGY: "Climatology",
}
MEANINGS: Final = {
    BOOSTING: "hundreds of small decision trees on the last hours' values",
    "persistence": "by the server's state now",
    CLIMATOLOGY: "the usual rate of that hour",
}
"""What the references do, for those who do not know their names."""


def model_name(name: str) -> str:
    """A model's or reference's name for people."""
    return _NAMES.get(name, name)


def decimal(value: float | None, places: int = 3) -> str:
    """A score with a fixed number of places; a dash where it was not measured."""
    measured = known(value)
    if measured is None:
        return DASH
    return f"{measured:.{places}f}".replace("-", "−")


def measured(interval: Interval, places: int = 3) -> list[Any]:
    """A score with its interval below, if it has one."""
    value, low, high = interval
    if known(low) is None or known(high) is None:
        return [html.Span(decimal(value, places), className="score")]
    return [
        html.Span(decimal(value, places), className="score"),
        html.Span(f"{decimal(low, places)} to {decimal(high, places)}", className="score-between"),
    ]


def minutes(value: float | None) -> str:
    """A lead in minutes."""
    lead = known(value)
    return DASH if lead is None else f"{lead:.0f} min"


def table(head: list[str], rows: list[list[Any]], label: str) -> html.Div:
    """A table whose first column names the rows; it scrolls by itself where it is too wide."""
    top = html.Tr([html.Th(name, scope="col") for name in head])
    body = [html.Tr([html.Th(first, scope="row"), *(html.Td(cell) for cell in cells)]) for first, *cells in rows]
    whole = html.Table([html.Thead(top), html.Tbody(body)], className="table")
    return html.Div(whole, className="table-box", role="region", tabIndex="0", **{"aria-label": label})
