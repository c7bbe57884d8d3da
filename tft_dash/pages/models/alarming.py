"""What its alarms are worth, where it is good and where it is blind."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from dash import html

from tft_dash import components, ids
from tft_dash.figures.models.values import known, share
from tft_dash.figures.plot import graph
from tft_dash.pages.models.wording import BOOSTING, decimal, minutes, table
from tft_dash.pages.wording import DASH, plural, whole

if TYPE_CHECKING:
    from tft_dash.models.forecasting.evidence import AlarmPoint, Evidence, Group

HOURS: Final = (
    "The days of simulated fleets run by UTC. On a fleet whose days run at other hours the bands of the metrics lie "
    "beside its rhythm and are too narrow, while the probabilities hold for the most part: name its time zone in "
    "TFT_DASH_FLEET_ZONES, and see whether it still holds."
)


def alarms(evidence: Evidence) -> list[Any]:
    """The chosen threshold in a sentence, with its leads and with every other threshold."""
    lead = _figure("Lead of the alarm", ids.MODELS_LEADS)
    trade = _figure("Recall and precision at false alarms per server and week", ids.MODELS_ALARMS)
    return [html.P(chosen_words(evidence)), html.Div([lead, trade], className="model-columns")]


def chosen_words(evidence: Evidence) -> str:
    """What an alarm at the chosen threshold would have brought."""
    own = evidence.alarms.get(evidence.model)
    if own is None:
        return "Its alarms were not measured."
    if own.chosen is None:
        return (
            "No threshold keeps to one false alarm per server and week and to 3% of the time in alarm, so no alarm on "
            "it can be recommended."
        )
    point = own.chosen
    words = (
        f"An alarm at a probability of {share(point.threshold)} or more within 30 minutes would have caught "
        f"{share(point.recall)} of {plural(evidence.incidents, 'incident')}"
    )
    if known(point.median_lead_minutes) is not None:
        words += f", half of those at least {minutes(point.median_lead_minutes)} ahead"
    cost = (
        f". It costs {decimal(point.false_per_server_week, 2)} false alarms per server and week; "
        f"{_right(point)}the alarm is on for {share(point.share_in_alarm)} of the time."
    )
    return words + cost + _beside(evidence, point)


def groups(evidence: Evidence) -> list[Any]:
    """By profile and by kind of incident."""
    found = []
    for title, parts, first in (
        ("By profile", evidence.by_profile, "Profile"),
        ("By kind of incident", evidence.by_kind, "Kind"),
    ):
        content = _groups(parts, first) if parts else html.P("It was not measured.", className="quiet")
        found.append(html.Div([html.H3(title, className="small-title"), content], className="model-column"))
    return [html.Div(found, className="model-columns")]


def blind_spots(evidence: Evidence) -> list[Any]:
    """What it is known not to see."""
    told = evidence.blind_spots or ("None is on record; that does not mean that there is none.",)
    if evidence.simulated:
        told = (*told, HOURS)
    return [html.Ul([html.Li([components.icon("alert"), one]) for one in told], className="blind-spots")]


def _right(point: AlarmPoint) -> str:
    precision = known(point.precision)
    return "" if precision is None else f"{share(precision)} of its alarms were right, and "


def _beside(evidence: Evidence, point: AlarmPoint) -> str:
    other = evidence.alarms.get(BOOSTING)
    if other is None or other.chosen is None:
        return ""
    theirs = other.chosen
    return (
        f" Gradient boosting, under the same limits, would have caught {share(theirs.recall)}"
        f"{_lead_words(theirs, point)}."
    )


def _lead_words(theirs: AlarmPoint, ours: AlarmPoint) -> str:
    if known(theirs.median_lead_minutes) is None or known(ours.median_lead_minutes) is None:
        return ""
    return f", half of those at least {minutes(theirs.median_lead_minutes)} ahead"


def _figure(title: str, component_id: str) -> html.Div:
    plot = html.Div(graph(component_id, zoom=False), className="model-plot")
    return html.Div([html.H3(title, className="small-title"), plot], className="model-column")


def _groups(parts: Sequence[Group], first: str) -> html.Div:
    skills = any(one.brier_skill_30m is not None or one.brier_skill_8h is not None for one in parts)
    head = [first, "Incidents", "Caught", "Median lead", *(["Brier skill, 30 min", "8 h"] if skills else [])]
    rows = []
    for one in parts:
        recall = known(one.recall)
        row: list[Any] = [one.name, whole(one.incidents), DASH if recall is None else share(recall),
                          minutes(one.median_lead_minutes)]  # fmt: skip
        if skills:
            row += [decimal(one.brier_skill_30m), decimal(one.brier_skill_8h)]
        rows.append(row)
    return table(head, rows, f"By {first.lower()}")
