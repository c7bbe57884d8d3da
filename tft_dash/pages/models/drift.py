"""Whether the forecasts for a source still hold: a state in a word, its reasons, figures over time, and a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from dash import dcc, html

from tft_dash import components, ids
from tft_dash.figures.models.values import share
from tft_dash.figures.plot import graph
from tft_dash.pages.models.wording import HORIZONS, decimal, table
from tft_dash.pages.wording import plural, whole
from tft_dash.schema import METRIC

if TYPE_CHECKING:
    from tft_dash.watching.watch import Drift, DriftPoint

POLL_MS: Final = 1500
STATES: Final = {
    "fine": ("flag", "Holds", "tag tag-active"),
    "drifting": ("alert", "Drifting", "tag tag-warning"),
    "unknown": ("info", "Too little evidence", "tag"),
}
"""State → icon, word and look."""
_TOO_SHORT: Final = "The source is shorter than the first window."
_NOT_YET: Final = (
    "Nothing was judged yet: that begins 22 to 28 hours after the first tick, and needs every tick of that time."
)


def section(sources: Sequence[str]) -> list[Any]:
    """The chooser and the places that are filled once the watch of a source is made."""
    why = (
        "Every forecast is held against what happened afterwards, once its horizon has passed, over a sliding window. "
        "Nothing is retrained by this: when it drifts, calibrate again, or train on your own history."
    )
    plots = [
        _figure("Share of the values within the 80% band, by metric", ids.MODELS_DRIFT_COVERAGE),
        _figure("Within 30 min: said and happened", ids.MODELS_DRIFT_30M),
        _figure("Within 8 h: said and happened", ids.MODELS_DRIFT_8H),
    ]
    return [
        html.P(why),
        components.select(ids.MODELS_DRIFT_SOURCE, "Source", [(name, name) for name in sources], _first(sources)),
        html.Div([], id=ids.MODELS_DRIFT_WORDS, className="drift-words", **{"aria-live": "polite"}),
        html.Div(plots, id=ids.MODELS_DRIFT_PLOTS, className="model-columns", hidden=True),
        html.Div([], id=ids.MODELS_DRIFT_TABLE),
        dcc.Store(id=ids.MODELS_DRIFT_THEME),
        dcc.Interval(id=ids.MODELS_DRIFT_CLOCK, interval=POLL_MS, disabled=True),
    ]


def words(drift: Drift, times: Sequence[str], *, live: bool = False) -> list[Any]:
    """The state at the end of the source, since when, and why.

    :param times: when each window ended.
    :param live: whether it goes on.
    """
    whose = f"{drift.model} v{drift.version}" + (f", restated by {drift.fitted}" if drift.fitted else "")
    if not drift.points:
        return [_state("unknown"), html.P(f"{_NOT_YET if live else _TOO_SHORT} {whose}.", className="quiet")]
    last = drift.points[-1]
    since = next(time for time, point in zip(times, drift.points, strict=True) if point.tick == last.since)
    about = f"Since {since.replace('T', ' ')} UTC, over windows of {drift.days:g} days of the fleet's time; {whose}."
    before = _before(drift, times)
    return [
        _state(last.state),
        html.Ul([html.Li(reason) for reason in last.reasons], className="sentences"),
        html.P(about, className="quiet"),
        *([html.P(before, className="quiet")] if before else []),
    ]


def figures_table(point: DriftPoint) -> list[Any]:
    """The last window's figures."""
    bands = [
        [METRIC[name].label, "–" if value is None else share(value), whole(count)]
        for name, (value, count) in point.coverage.items()
    ]
    told = {str(name): one for name, one in point.chances.items()}
    rows = [
        [
            f"Within {words_}", whole(one.rows), share(one.said), share(one.happened), decimal(one.announced, 1),
            decimal(one.incidents, 1), decimal(one.calibration_error, 4), decimal(one.brier, 4),
            decimal(one.brier_skill),
        ]
        for key, words_ in HORIZONS if (one := told.get(key)) is not None
    ]  # fmt: skip
    head = ["Probability", "Judged", "Said", "Happened", "Incidents announced", "Incidents there were",
            "Calibration error", "Brier score", "Brier skill"]  # fmt: skip
    gloss = (
        f"The last window: {plural(point.forecasts, 'forecast')}, one an hour and server, with all values that "
        "followed. Incidents announced is what the probabilities add up to, an incident being half an hour, or eight "
        "hours, of true rows; incidents that overlap count once. Brier skill is against always saying how often it "
        "happened in the window."
    )
    return [
        html.Div(
            [table(["Metric", "Within the 80% band", "Values"], bands, "Coverage of the bands"),
             table(head, rows, "Calibration of the probabilities")],
            className="drift-tables",
        ),
        html.P(gloss, className="quiet"),
    ]  # fmt: skip


def preparing(what: str, progress: float) -> html.P:
    """While the watch is made."""
    return html.P([components.icon("info"), f" {what}: {progress:.0%} done."], className="quiet")


def told(point: DriftPoint | None) -> str:
    """Names the warning of the live monitor; equal where it is."""
    return f"{point.tick}" if point is not None and point.state == "drifting" else ""


def notice(point: DriftPoint | None, where: str) -> Any:  # noqa: ANN401 - a Dash component
    """The warning of the live monitor; nothing unless the forecasts drift.

    :param where: the address of the models' page.
    """
    if point is None or point.state != "drifting":
        return []
    head = html.Summary([components.icon("alert"), "forecast drifts"])
    items = [html.Li(reason) for reason in point.reasons]
    more = html.Li(html.A("How it has held over time", href=where))
    listed = html.Ul([*items, more], className="notices-list")
    return html.Details([head, listed], className="notices notices-warning")


def _state(state: str) -> html.P:
    icon, word, look = STATES[state]
    return html.P(html.Span([components.icon(icon), word], className=f"{look} drift-state drift-{state}"))


def _before(drift: Drift, times: Sequence[str]) -> str:
    """That it has drifted earlier, where it does not now."""
    spells = [time for time, point in zip(times, drift.points, strict=True) if point.state == "drifting"]
    if not spells or drift.points[-1].state == "drifting":
        return ""
    return f"It drifted earlier, last on {spells[-1].replace('T', ' ')} UTC."


def _figure(title: str, component_id: str) -> html.Div:
    plot = html.Div(graph(component_id, zoom=False), className="model-plot drift-plot")
    return html.Div([html.H3(title, className="small-title"), plot], className="model-column")


def _first(names: Sequence[str]) -> str | None:
    return names[0] if names else None
