"""Rolling metrics: median CPU, p95 latency and mean error rate over the last 60 ticks, on one axis "ago".

The axis never moves, so a zoom survives every tick. Each row has its warning and critical line; a metric that the
source does not have is said to be missing in words.
"""

from __future__ import annotations

from typing import Final

from dash import Patch, html

from tft_dash import components, ids
from tft_dash.figures import moment
from tft_dash.figures.ago import AgoAxis
from tft_dash.figures.lines import Row, figure_of, patch_of
from tft_dash.figures.plot import Figure, graph
from tft_dash.frame import Frame
from tft_dash.theme import Theme

NAME: Final = "rolling"
TICKS: Final = 60


def layout() -> html.Section:
    """The card that holds the figure."""
    note = html.Span(f"Last {TICKS} ticks", id=ids.MONITOR_ROLLING_NOTE)
    return components.card("Fleet metrics", note, graph(ids.MONITOR_ROLLING, zoom=True), name=NAME)


def note(frame: Frame) -> str:
    """What is drawn, and of how many servers the newest values are where some have none."""
    of = moment.speaks_of(frame)
    return f"Last {TICKS} ticks, at the end {of}" if of else f"Last {TICKS} ticks"


def figure(frame: Frame, theme: Theme) -> Figure:
    """The whole figure."""
    return figure_of(_rows(frame), _ago(frame), theme)


def patch(frame: Frame, since: int) -> Patch | None:  # noqa: ARG001 - the window is replaced, whatever was drawn
    """The values of the window."""
    return patch_of(_rows(frame), _ago(frame))


def _ago(frame: Frame) -> AgoAxis:
    return AgoAxis.of(frame, TICKS)


def _rows(frame: Frame) -> list[Row]:
    history, recorded = frame.history, frame.source.metrics
    rows = (
        Row("cpu_pct", "CPU, median", history.cpu_median),
        Row("latency_ms", "Latency, p95", history.latency_p95),
        Row("error_rate", "Error rate, mean", history.error_mean),
    )
    return [row if row.metric in recorded else Row(row.metric, row.title, None) for row in rows]
