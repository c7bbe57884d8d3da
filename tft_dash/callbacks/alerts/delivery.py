"""Receivers: shown, looked over by a dry run, and tested."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from dash import ALL, Dash, Input, Output, State, ctx, no_update

from tft_dash import components, ids
from tft_dash.alerting.trying import Trial
from tft_dash.alerts.delivery.receivers import PAGERDUTY_URL, Receiver
from tft_dash.callbacks.alerts import views
from tft_dash.callbacks.reporting import OWN_ERROR
from tft_dash.errors import TftDashError, shorten
from tft_dash.pages.alerts import delivery, frame
from tft_dash.services import Services

logger = logging.getLogger(__name__)

_PROBLEMS: Final = 50
_LINES: Final = 200


def open_delivery(services: Services, **_query: str) -> Any:  # noqa: ANN401 - a Dash component
    """The page; a broken file of receivers is told on it."""
    base = services.settings.base_path
    found: list[delivery.Receiving] = []
    trouble = ""
    try:
        receiving = Trial(services.alerts, services.settings).receiving
        found = [_shown(one) for one in receiving.receivers()]
        trouble = receiving.problem
    except TftDashError as error:
        trouble = str(error)
    try:
        problems = [(one.problem.id, _title(one.problem.title, one.problem.id)) for one in
                    services.alerts.problems(limit=_PROBLEMS)]  # fmt: skip
    except TftDashError:
        problems = []  # the log says why
    return delivery.layout(base, found, trouble, problems, _log(services))


def _title(title: str, identity: str) -> str:
    return f"{shorten(title, 60)} ({identity})"


def _shown(one: Receiver) -> delivery.Receiving:
    place = _host(one.url or (PAGERDUTY_URL if one.type == "pagerduty" else ""))
    if one.url_file or one.url_env:
        place = "its address is a secret"
    fits = f" that fit {', '.join(str(each) for each in one.where)}" if one.where else ""
    return delivery.Receiving(one.name, one.type, place, f"{one.severity} and above{fits}", one.enabled)


def _host(url: str) -> str:
    """An address without its path, which is as good as a password to many receivers."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}/…" if parts.netloc else ""


def _log(services: Services) -> Any:  # noqa: ANN401 - Dash children
    try:
        told = [views.delivered(one) for one in services.alerts.deliveries(limit=_LINES)]
    except TftDashError as error:
        return components.banner("The log cannot be read", str(error))
    return delivery.log(told, services.settings.base_path)


def register_delivery(app: Dash, services: Services) -> None:
    """Add the callbacks of the page to ``app``."""

    @app.callback(
        Output(ids.ALERTS_SAID, "children", allow_duplicate=True),
        Output(ids.ALERTS_PAYLOAD, "children"),
        Output(ids.ALERTS_DELIVERIES, "children"),
        Input({"type": ids.ALERTS_RECEIVER, "act": ALL, "receiver": ALL}, "n_clicks"),
        State(ids.ALERTS_PAYLOAD_OF, "value"),
        prevent_initial_call=True,
    )
    def act(_clicks: object, about: object) -> list[Any]:
        asked = ctx.triggered_id
        if not isinstance(asked, Mapping) or not ctx.triggered[0]["value"]:
            return [no_update] * 3
        return acted(services, str(asked["act"]), str(asked["receiver"]), str(about))


def acted(services: Services, act: str, receiver: str, about: str) -> list[Any]:
    """What became of the act: words, the payload, the log."""
    try:
        trial = Trial(services.alerts, services.settings)
        if act == "payload":
            text = trial.payload(receiver, None if about == delivery.EXAMPLE else about).text
            return ["", delivery.payload(text, receiver), no_update]
        answer = trial.test(receiver)
    except TftDashError as error:
        return [frame.said(str(error), good=False), no_update, no_update]
    except Exception:
        logger.exception("trying the receiver %r failed", receiver)
        return [frame.said(OWN_ERROR, good=False), no_update, no_update]
    status = f"HTTP {answer.status} in {answer.took_ms:,} ms" if answer.status else "no answer"
    words = f"{receiver}: {status}. {answer.words}".strip()
    return [
        frame.said(f"The test arrived at {words}" if answer.ok else words, good=answer.ok),
        no_update,
        _log(services),
    ]
