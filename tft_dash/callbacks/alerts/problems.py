"""The list of problems and the page of one: opened, looked at again by themselves, and what people do there."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Mapping
from typing import Any, Final

from dash import ALL, ClientsideFunction, Dash, Input, Output, State, ctx, no_update
from plotly.utils import PlotlyJSONEncoder

from tft_dash import components, ids
from tft_dash.callbacks.alerts import views
from tft_dash.callbacks.alerts.charting import chart
from tft_dash.callbacks.reporting import OWN_ERROR, RETRIED_ERROR
from tft_dash.errors import NotThereError, TftDashError
from tft_dash.figures.plot import Figure, noted
from tft_dash.pages.alerts import frame, problem, problems
from tft_dash.services import Services
from tft_dash.theme import theme_of

logger = logging.getLogger(__name__)

LOOKED: Final = (
    Output(ids.ALERTS_LIVE, "children"),
    Output(ids.ALERTS_SERVERS, "children"),
    Output(ids.ALERTS_LOG, "children"),
    Output(ids.ALERTS_SEEN, "data"),
)
PARTS: Final = ("live", "servers", "rest")
_OUTCOMES: Final = {
    "outcome-true": "true",
    "outcome-false": "false",
    "outcome-unclear": "unclear",
    "outcome-none": None,
}


def open_problems(services: Services, **query: str) -> Any:  # noqa: ANN401 - a Dash component
    """The list; or the one problem that the address names behind a question mark, as links in what is told do."""
    if query.get("problem"):
        return open_problem(services, query["problem"])
    return problems.layout(services.settings.base_path, _shown_board(services), services.live_names())


def open_problem(services: Services, problem_id: str, **_query: str) -> Any:  # noqa: ANN401 - a Dash component
    """One problem's page."""
    try:
        return problem.layout(views.detail(services, problem_id))
    except TftDashError as error:
        return problem.missing(services.settings.base_path, str(error))


def _shown_board(services: Services) -> Any:  # noqa: ANN401 - Dash children
    try:
        return problems.board(views.board(services))
    except TftDashError as error:
        return components.banner("The problems cannot be read; this tries again by itself", str(error))


def register_problems(app: Dash, services: Services) -> None:
    """Add the callbacks of both pages to ``app``."""
    app.clientside_callback(
        ClientsideFunction("tft_dash", "alertsLook"),
        Output(ids.ALERTS_REQUEST, "data"),
        Input(ids.ALERTS_CLOCK, "n_intervals"),
        State(ids.ALERTS_ABOUT, "data"),
        State(ids.ALERTS_SEEN, "data"),
    )
    app.clientside_callback(
        ClientsideFunction("tft_dash", "alertsSeen"),
        Input(ids.ALERTS_SEEN, "data"),
    )
    app.clientside_callback(
        ClientsideFunction("tft_dash", "alertsDraw"),
        Output(ids.ALERTS_DRAW, "data"),
        Input(ids.ALERTS_ABOUT, "data"),
    )

    @app.callback(*LOOKED, Input(ids.ALERTS_REQUEST, "data"), prevent_initial_call=True)
    def look(request: object) -> list[Any]:
        return looked(services, request if isinstance(request, Mapping) else {})

    @app.callback(Output(ids.ALERTS_CHART, "figure"), Input(ids.ALERTS_DRAW, "data"), prevent_initial_call=True)
    def draw(request: object) -> Any:  # noqa: ANN401 - a figure
        return drawn(services, request if isinstance(request, Mapping) else {})

    @app.callback(
        Output(ids.ALERTS_SAID, "children", allow_duplicate=True),
        Output(ids.ALERTS_COMMENT, "value"),
        Output(ids.ALERTS_REQUEST, "data", allow_duplicate=True),
        Input({"type": ids.ALERTS_ACT, "act": ALL}, "n_clicks"),
        State(ids.ALERTS_NAME, "value"),
        State(ids.ALERTS_COMMENT, "value"),
        State(ids.ALERTS_ABOUT, "data"),
        prevent_initial_call=True,
    )
    def act(_clicks: object, name: object, comment: object, about: object) -> list[Any]:
        asked = ctx.triggered_id
        if not isinstance(asked, Mapping) or not ctx.triggered[0]["value"] or not isinstance(about, Mapping):
            return [no_update] * 3
        return acted(services, str(asked["act"]), about, _text(name), _text(comment))


def looked(services: Services, request: Mapping[str, Any]) -> list[Any]:
    """The values of :data:`LOOKED`; what is as the page has it already is not sent again."""
    parts = dict(zip(PARTS, _looked(services, request), strict=True))
    seen = request.get("seen")
    known = seen if isinstance(seen, Mapping) else {}
    made = {name: _digest(shown) for name, shown in parts.items()}
    changed = [no_update if known.get(name) == made[name] else shown for name, shown in parts.items()]
    return [*changed, {**made, "id": request.get("id")}]


def drawn(services: Services, request: Mapping[str, Any]) -> Figure:
    """The chart of a problem; where it cannot be drawn, words in its place."""
    theme = theme_of(request.get("theme"))
    try:
        return chart(services, str(request.get("problem")), theme)
    except TftDashError as error:
        logger.warning("the chart of a problem cannot be drawn: %s", error)
    except Exception:
        logger.exception("drawing the chart of a problem failed: %r", request)
    return noted("this cannot be drawn at the moment; load the page again", theme)


def _looked(services: Services, request: Mapping[str, Any]) -> tuple[Any, Any, Any]:
    try:
        if request.get("page") != "problem":
            return problems.board(views.board(services)), [], []
        found = views.detail(services, str(request.get("problem")))
        return problem.urgent(found), problem.servers(found), problem.rest(found)
    except TftDashError as error:
        title = "This cannot be read at the moment; the page tries again by itself"
        return components.banner(title, str(error)), [], []
    except Exception:
        logger.exception("looking at problems failed: %r", request)
        return components.banner("Something went wrong", RETRIED_ERROR), [], []


def acted(services: Services, act: str, about: Mapping[str, Any], name: str, comment: str) -> list[Any]:
    """What became of an act: words, what stays in the comment's field, and a look at once."""
    try:
        words = _done(services, act, str(about.get("problem")), name, comment)
    except TftDashError as error:
        return [frame.said(str(error), good=False), no_update, no_update]
    except Exception:
        logger.exception("an act on a problem failed: %s", act)
        return [frame.said(OWN_ERROR, good=False), no_update, no_update]
    kept = "" if act in ("comment", "acknowledge") else no_update
    return [frame.said(words), kept, {**about, "id": f"{act}"}]


def _done(services: Services, act: str, identity: str, name: str, comment: str) -> str:
    desk = services.alerts
    if act == "acknowledge":
        count = desk.acknowledge(identity, name, comment)
        return (
            f"You are at it: nobody else is told of {'its alert' if count == 1 else f'its {count} alerts'} meanwhile."
        )
    if act == "take-back":
        desk.take_back(identity)
        return "Nobody is at it any more; it is told again if it still stands."
    if act == "comment":
        desk.comment(identity, comment, name)
        return "The comment is kept."
    if act in _OUTCOMES:
        desk.say_outcome(identity, _OUTCOMES[act], name)
        return "Your word is kept; it counts when the model is calibrated."
    raise NotThereError(f"There is nothing called '{act}' to do here. Load the page again.")


def _digest(shown: Any) -> str:  # noqa: ANN401 - Dash children
    return hashlib.sha256(json.dumps(shown, cls=PlotlyJSONEncoder, sort_keys=True).encode()).hexdigest()[:16]


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
