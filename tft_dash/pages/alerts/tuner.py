"""The tuner: a threshold slid over recorded history, and what it would have cost and caught."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import dash_bootstrap_components as dbc
from dash import dcc, html

from tft_dash import components, ids
from tft_dash.alerts.tuning.tune import WEEK_MS, Tuning
from tft_dash.figures.plot import graph
from tft_dash.pages.alerts import frame
from tft_dash.pages.alerts import wording as say
from tft_dash.pages.wording import plural

LEAD: Final = "Slide a rule's threshold over what was recorded: how often it pages, what it misses, how early it is."
TRUTHS: Final = (
    ("contract", "a metric turned critical"),
    ("people", "people said “true”"),
)
"""What counts as an incident."""


@dataclass(frozen=True, slots=True)
class Scale:
    """The threshold's room."""

    low: float
    high: float
    step: float
    value: float


def layout(base: str, sources: Sequence[str], rules: Sequence[str], version: int, source: str | None) -> html.Div:
    """The page.

    :param rules: names of those that have a threshold.
    :param version: of the rules, so that saving overwrites nothing unseen.
    """
    if not sources or not rules:
        words = "There is no source." if not sources else "No rule in force has one threshold that could be moved."
        return frame.page(
            base, "tuner", "Tuner", html.P(LEAD), [components.banner("Nothing to tune", words, kind="info")]
        )
    start = source if source is not None and source in sources else sources[0]
    fields = [
        _select("History of", ids.ALERTS_TUNE_SOURCE, [(one, one) for one in sources], start),
        _select("Rule", ids.ALERTS_TUNE_RULE, [(one, one) for one in rules], rules[0]),
        _select("An incident is when", ids.ALERTS_TUNE_TRUTH, TRUTHS, TRUTHS[0][0]),
    ]
    bar = dbc.Input(
        id=ids.ALERTS_TUNE_BAR, type="range", min=0.01, max=0.99, step=0.01, value=0.5, className="tune-bar"
    )
    exact = dbc.Input(id=ids.ALERTS_TUNE_EXACT, type="number", value=0.5, step="any", debounce=True)
    slide = [
        html.Label([html.Span("Threshold", className="field-label"), bar], className="form-field form-wide"),
        html.Label([html.Span("Exactly", className="field-label"), exact], className="form-field"),
    ]
    save = html.Button("Save this threshold in the rules", id=ids.ALERTS_TUNE_SAVE, type="button",
                       className="button button-main")  # fmt: skip
    content = [
        html.Div(
            [html.Div(fields, className="form-grid"), html.Div(slide, className="form-grid")], className="alerts-form"
        ),
        html.Div(id=ids.ALERTS_TUNE_RESULT, role="status"),
        html.Div(graph(ids.ALERTS_TUNE_CURVE, zoom=False), className="problem-plot tune-plot"),
        html.Div([save], className="form-row"),
        dcc.Store(id=ids.ALERTS_TUNE_THEME),
        dcc.Store(id=ids.ALERTS_TUNE_ABOUT, data={"version": version}),
    ]
    return frame.page(base, "tuner", "Tuner", html.P(LEAD), content)


def _select(label: str, identity: str, options: Sequence[tuple[str, str]], value: str) -> html.Label:
    choices = [{"value": each, "label": text} for each, text in options]
    select = dbc.Select(id=identity, options=choices, value=value)
    return html.Label([html.Span(label, className="field-label"), select], className="form-field")


def result(found: Tuning, about: str) -> list[Any]:
    """What the threshold would have done. The whole of each number stands behind it.

    :param about: rule and threshold in words.
    """
    lead = found.median_lead_minutes
    caught = f"{found.announced:,} announced, {found.late:,} late, of {plural(found.incidents, 'incident')}"
    figures = [
        _figure(
            "Pages per week",
            found.pages_per_week,
            2,
            f"{plural(found.pages, 'page')} in {say.length(found.weeks * WEEK_MS)}",
        ),
        _figure("Missed incidents", found.missed, 0, caught),
        _figure(
            "Median lead, minutes",
            lead,
            1,
            "from the alert to the incident" if lead is not None else "none was announced",
        ),
        _figure("False pages per week", found.false_pages_per_week, 2, f"{plural(found.alerts, 'alert')} in all"),
    ]
    return [html.P(about, className="tune-about"), html.Div(figures, className="tune-figures")]


def _figure(name: str, value: float | None, places: int, note: str) -> html.Div:
    words = "—" if value is None else f"{value:,.{places}f}"
    return html.Div(
        [
            html.Span(name, className="quiet"),
            html.Span(words, className="tune-value", title=repr(value), **{"data-value": repr(value)}),
            html.Span(note, className="quiet"),
        ],
        className="tune-figure",
    )
