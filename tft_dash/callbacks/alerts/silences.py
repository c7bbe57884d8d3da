"""Silences: made, shown and ended. Each mistake is told beside its field."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from dash import ALL, Dash, Input, Output, State, ctx, no_update
from pydantic import TypeAdapter, ValidationError

from tft_dash import components, ids
from tft_dash.alerting.trying import Trial
from tft_dash.alerts.silences import parse_matcher
from tft_dash.callbacks.reporting import OWN_ERROR
from tft_dash.errors import TftDashError, UsageError, shorten
from tft_dash.pages.alerts import frame, silences
from tft_dash.scenarios.format.fields import Duration
from tft_dash.services import Services

logger = logging.getLogger(__name__)

_SHOWN_MS: Final = 30 * 86_400_000
_DURATION: Final = TypeAdapter(Duration)


@dataclass(frozen=True, slots=True)
class Asked:
    """The form as it was filled in."""

    matchers: str
    reason: str
    start: str
    length: str
    by: str
    maintenance: bool


def open_silences(services: Services, **query: str) -> Any:  # noqa: ANN401 - a Dash component
    """The page; the address may give matchers to start with."""
    given = "\n".join(part for part in query.get("matcher", "").split("\n") if part)
    return silences.layout(services.settings.base_path, _listed(services), _notes(services), given)


def _notes(services: Services) -> list[Any]:
    """What must be known where an Alertmanager is told."""
    try:
        note = Trial(services.alerts, services.settings).receiving.silences_note
    except TftDashError as error:
        return [components.banner("The file of receivers has a mistake", str(error))]
    return [components.banner("An Alertmanager is told", note, kind="info")] if note else []


def _listed(services: Services) -> Any:  # noqa: ANN401 - Dash children
    desk = services.alerts
    try:
        now = desk.now_ms()
        firing = [state for state in desk.alerts() if state.active]
        shown = [
            silences.Shown(one.silence, one.ended_by, sum(one.silence.holds(state.labels, now) for state in firing))
            for one in desk.silences(now - _SHOWN_MS)
        ]
        return silences.listed(shown, now)
    except TftDashError as error:
        return components.banner("The silences cannot be read", str(error))


def register_silences(app: Dash, services: Services) -> None:
    """Add the callbacks of the page to ``app``."""

    @app.callback(
        Output(ids.ALERTS_SAID, "children", allow_duplicate=True),
        Output(ids.ALERTS_SILENCES, "children"),
        Output({"type": ids.ALERTS_FIELD_ERROR, "field": ALL}, "children"),
        Input(ids.ALERTS_SILENCE_ADD, "n_clicks"),
        Input({"type": ids.ALERTS_END, "silence": ALL}, "n_clicks"),
        State(ids.ALERTS_MATCHERS, "value"),
        State(ids.ALERTS_REASON, "value"),
        State(ids.ALERTS_FROM, "value"),
        State(ids.ALERTS_FOR, "value"),
        State(ids.ALERTS_MAINTENANCE, "value"),
        State(ids.ALERTS_NAME, "value"),
        prevent_initial_call=True,
    )
    def act(_add: object, _end: object, *form: object) -> list[Any]:
        errors = [output["id"]["field"] for output in ctx.outputs_list[2]]
        if not ctx.triggered or not ctx.triggered[0]["value"]:
            return [no_update, no_update, [no_update] * len(errors)]
        matchers, reason, start, length, planned, by = form
        asked = Asked(_text(matchers), _text(reason), _text(start), _text(length), _text(by), planned is True)
        ended = ctx.triggered_id["silence"] if isinstance(ctx.triggered_id, Mapping) else None
        said, told = acted(services, asked, ended)
        return [said, _listed(services), [told.get(name, "") for name in errors]]


def acted(services: Services, asked: Asked, ended: str | None) -> tuple[Any, Mapping[str, str]]:
    """What became of the act, and what is wrong with which field."""
    wrong: dict[str, str] = {}
    try:
        if ended is not None:
            services.alerts.end_silence(ended, asked.by)
            return frame.said("It is ended: whoever is to be told is told from the next tick on."), wrong
        wrong = mistakes(asked)
        if wrong:
            return frame.said("Mend what is marked below.", good=False), wrong
        start = _start_ms(asked.start)
        begin = services.alerts.now_ms() if start is None else start
        made = services.alerts.add_silence(
            [line for line in asked.matchers.splitlines() if line.strip()], start_ms=start,
            end_ms=begin + round(_DURATION.validate_python(asked.length) * 1000), by=asked.by, reason=asked.reason,
            maintenance=asked.maintenance,
        )  # fmt: skip
    except TftDashError as error:
        return frame.said(str(error), good=False), wrong
    except Exception:
        logger.exception("an act on silences failed")
        return frame.said(OWN_ERROR, good=False), wrong
    return frame.said(f"The silence {made.id} is kept; it counts from the next tick on."), wrong


def mistakes(asked: Asked) -> dict[str, str]:
    """Field → what is wrong with it."""
    wrong = {}
    lines = [line for line in asked.matchers.splitlines() if line.strip()]
    found = []
    for line in lines:
        try:
            parse_matcher(line)
        except UsageError as error:
            found.append(str(error))
    if found or not lines:
        wrong["matchers"] = " ".join(found) or "Say what is to be silenced; without a matcher it would be everything."
    if not asked.reason.strip():
        wrong["reason"] = "Say why: whoever wonders at 3 a.m. why nobody was told reads it."
    try:
        if _DURATION.validate_python(asked.length) <= 0:
            wrong["for"] = "It must be longer than nothing."
    except ValidationError:
        wrong["for"] = f"'{shorten(asked.length)}' is no length of time. Write 30m, 2h or 1d12h."
    try:
        _start_ms(asked.start)
    except ValueError:
        wrong["from"] = f"'{shorten(asked.start)}' is no time. Write it like 2026-03-01T22:00, in UTC."
    return wrong


def _start_ms(text: str) -> int | None:
    if not text.strip():
        return None
    found = datetime.fromisoformat(text.strip())
    return round((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp() * 1000)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
