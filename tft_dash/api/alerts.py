"""Alerts and problems in the JSON interface."""

from __future__ import annotations

from typing import Any, Final

from flask import Blueprint, Response, request

from tft_dash.alerting.desk import Kept
from tft_dash.alerts.alert import AlertState
from tft_dash.alerts.delivery.message import iso
from tft_dash.alerts.problem import Involved
from tft_dash.alerts.rules import SEVERITIES
from tft_dash.api.answers import json_answer
from tft_dash.errors import UsageError
from tft_dash.services import Services

MOST_PROBLEMS: Final = 1000
_SWITCH: Final = {"true": True, "false": False, "": False}


def add_alerts(blueprint: Blueprint, services: Services) -> None:
    """Add ``/api/v1/alerts`` and ``/api/v1/problems``."""

    @blueprint.get("/api/v1/alerts")
    def alerts() -> Response:
        found = services.alerts.alerts(request.args.get("source") or None)
        ordered = sorted(
            found, key=lambda one: (one.key.source, -SEVERITIES.index(one.severity), one.since_ms, one.key)
        )
        return json_answer([alert_payload(one) for one in ordered])

    @blueprint.get("/api/v1/problems")
    def problems() -> Response:
        source = request.args.get("source")
        found = services.alerts.problems(
            [source] if source else None, standing=_switch("standing"), limit=_limit(request.args.get("limit", "200"))
        )
        return json_answer([problem_payload(one) for one in found])

    @blueprint.get("/api/v1/problems/<problem>")
    def problem(problem: str) -> Response:
        found = services.alerts.problem(problem)
        timeline = [
            {
                "time": iso(one.time_ms),
                "tick": one.tick,
                "what": one.what,
                "server_name": one.server,
                "words": one.words,
            }
            for one in found.problem.timeline
        ]
        return json_answer({**problem_payload(found), "timeline": timeline})


def alert_payload(state: AlertState) -> dict[str, Any]:
    """Where an alert stands."""
    seen = state.acknowledged
    return {
        "id": state.episode,
        "alertname": state.key.rule,
        "state": state.phase,
        "source": state.key.source,
        "server_name": state.key.server or None,
        "profile": state.profile or None,
        "metric": state.key.metric or None,
        "severity": state.severity,
        "value": state.value,
        "labels": dict(state.labels),
        "since": iso(state.since_ms),
        "fired": None if state.fired_ms is None else iso(state.fired_ms),
        "no_data": state.no_data,
        "back_filled": state.past,
        "silenced_by": list(state.silenced_by),
        "acknowledged": None if seen is None else {"by": seen.by, "at": iso(seen.at_ms), "comment": seen.comment},
        "problem": state.problem or None,
    }


def problem_payload(kept: Kept) -> dict[str, Any]:
    """A problem, and what people say of it; without its timeline."""
    problem, remarks = kept.problem, kept.remarks
    return {
        "id": problem.id,
        "source": problem.source,
        "title": problem.title,
        "kind": problem.kind,
        "state": problem.life,
        "severity": problem.severity,
        "began": iso(problem.began_ms),
        "opened": iso(problem.opened_ms),
        "resolved": None if problem.resolved_ms is None else iso(problem.resolved_ms),
        "reopened": problem.reopened,
        "tick": problem.opened_tick,
        "back_filled": problem.past,
        "origin": problem.origin or None,
        "origin_why": problem.origin_why or None,
        "alerts": problem.alerts,
        "server_count": problem.server_count,
        "servers": [_server(one) for one in problem.servers],
        "outcome": remarks.outcome,
        "comments": [{"by": one.by, "at": iso(one.at_ms), "text": one.text} for one in remarks.comments],
    }


def _server(one: Involved) -> dict[str, Any]:
    return {
        "server_name": one.server,
        "profile": one.profile,
        "onset": iso(one.onset_ms),
        "peak_risk": one.peak_risk,
        "drivers": [{"metric": each.metric, "value": each.value, "usual": each.usual} for each in one.drivers],
        "alerts": list(one.alerts),
    }


def _switch(name: str) -> bool:
    text = request.args.get(name, "")
    if text not in _SWITCH:
        raise UsageError(f"{name}={text[:40]}: expected true or false.")
    return _SWITCH[text]


def _limit(text: str) -> int:
    if text.isascii() and text.isdigit() and len(text) <= 6 and 1 <= int(text) <= MOST_PROBLEMS:
        return int(text)
    raise UsageError(f"limit={text[:40]}: expected a whole number from 1 to {MOST_PROBLEMS:,}.")
