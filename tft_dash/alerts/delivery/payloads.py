"""How a message reads to each type of receiver, as plain values for JSON. No secret is in any of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from tft_dash.alerts.delivery.message import Message, clock, facts, iso, server_lines
from tft_dash.alerts.problem import Involved
from tft_dash.errors import shorten

Plain = dict[str, Any]
FORM: Final = 1
"""Version of the generic form; raised when a field goes or changes its meaning, never when one is added."""
_SLACK_TEXT: Final = 2900
_SLACK_HEADER: Final = 150
_SLACK_FIELD: Final = 1900
_PAGERDUTY_SUMMARY: Final = 1024
_SLACK_MARKS: Final = {"critical": ":red_circle:", "warning": ":large_orange_circle:", "info": ":large_blue_circle:"}
_TEAMS_STYLES: Final = {"critical": "attention", "warning": "warning", "info": "accent"}


def generic(message: Message) -> Plain:
    """Everything, in words of our own."""
    problem = message.problem
    return {
        "version": FORM,
        "id": message.id,
        "event": message.event,
        "title": message.title,
        "source": problem.source,
        "severity": problem.severity,
        "links": {"problem": message.page, "monitor": message.moment, "runbooks": list(message.runbooks)},
        "problem": {
            "id": problem.id,
            "title": problem.title,
            "kind": problem.kind,
            "state": problem.life,
            "began": iso(problem.began_ms),
            "opened": iso(problem.opened_ms),
            "resolved": None if problem.resolved_ms is None else iso(problem.resolved_ms),
            "reopened": problem.reopened,
            "back_filled": problem.past,
            "origin": problem.origin or None,
            "origin_why": problem.origin_why or None,
            "server_count": problem.server_count,
            "servers": [_server(one) for one in problem.servers],
        },
        "alert_count": message.alert_count,
        "alerts": [
            {
                "id": one.episode,
                "severity": one.severity,
                "labels": dict(one.labels),
                "annotations": dict(one.annotations),
                "value": one.value,
                "since": iso(one.since_ms),
                "fired": iso(one.fired_ms),
            }
            for one in message.alerts
        ],
    }


def _server(one: Involved) -> Plain:
    drivers = [{"metric": each.metric, "value": each.value, "usual": each.usual} for each in one.drivers]
    return {
        "server_name": one.server,
        "profile": one.profile,
        "onset": iso(one.onset_ms),
        "peak_risk": one.peak_risk,
        "drivers": drivers,
        "alerts": list(one.alerts),
    }


def slack(message: Message) -> Plain:
    """Slack's incoming webhooks, and what takes the same: Mattermost, Rocket.Chat and others read ``text``."""
    mark = ":white_check_mark:" if message.event != "firing" else _SLACK_MARKS[message.problem.severity]
    title = shorten(message.title, _SLACK_HEADER - 30)
    lines = [*message.texts[:10], *server_lines(message.problem)]
    body = _cut("\n".join(f"• {_slack(line)}" for line in lines), _SLACK_TEXT)
    links = " · ".join(f"<{_slack(url)}|{words}>" for words, url in _links(message))
    fields = [
        {"type": "mrkdwn", "text": _cut(f"*{name}*\n{_slack(said)}", _SLACK_FIELD)} for name, said in facts(message)
    ]
    blocks: list[Plain] = [
        {"type": "header", "text": {"type": "plain_text", "text": f"{mark} {title}", "emoji": True}},
        *([{"type": "section", "text": {"type": "mrkdwn", "text": body}}] if body else []),
        {"type": "section", "fields": fields[:10]},
        {"type": "section", "text": {"type": "mrkdwn", "text": links}},
    ]
    return {"text": "\n".join(part for part in (f"{mark} *{_slack(title)}*", body, links) if part), "blocks": blocks}


def teams(message: Message) -> Plain:
    """An Adaptive Card, as the workflows of Microsoft Teams take it."""
    style = "good" if message.event != "firing" else _TEAMS_STYLES[message.problem.severity]
    lines = [*message.texts[:10], *server_lines(message.problem)]
    head = {"type": "TextBlock", "text": _teams(message.title), "weight": "Bolder", "size": "Large", "wrap": True}
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "msteams": {"width": "Full"},
        "fallbackText": shorten(message.title, 200),
        "body": [
            {"type": "Container", "style": style, "bleed": True, "items": [head]},
            *({"type": "TextBlock", "text": f"- {_teams(shorten(line, 400))}", "wrap": True} for line in lines),
            {"type": "FactSet", "facts": [{"title": name, "value": _teams(said)} for name, said in facts(message)]},
        ],
        "actions": [{"type": "Action.OpenUrl", "title": words, "url": url} for words, url in _links(message)],
    }
    kind = "application/vnd.microsoft.card.adaptive"
    return {"type": "message", "attachments": [{"contentType": kind, "contentUrl": None, "content": card}]}


def pagerduty(message: Message) -> Plain:
    """PagerDuty's Events API v2; the routing key is added when it is sent. A test opens nothing that stays open."""
    problem = message.problem
    base = {
        "event_action": "resolve" if message.event == "resolved" else "trigger",
        "dedup_key": f"tft-dash/{problem.source}/{problem.id}",
    }
    if message.event == "resolved":
        return base
    return {
        **base,
        "payload": {
            "summary": shorten(message.title, _PAGERDUTY_SUMMARY),
            "source": problem.origin or problem.source,
            "severity": "info" if message.event == "test" else problem.severity,
            "timestamp": iso(problem.opened_ms),
            "group": problem.source,
            "class": problem.kind,
            "custom_details": {
                **dict(facts(message)),
                "Texts": list(message.texts[:10]),
                "Servers": server_lines(problem),
            },
        },
        "client": "tft_dash",
        "client_url": message.page,
        "links": [{"href": url, "text": words} for words, url in _links(message)],
    }


PAYLOADS: Final[Mapping[str, Callable[[Message], Plain]]] = {
    "webhook": generic,
    "slack": slack,
    "teams": teams,
    "pagerduty": pagerduty,
}
"""Type of receiver → how a message reads to it; an Alertmanager is told of alerts, not of problems."""


def _links(message: Message) -> list[tuple[str, str]]:
    runbooks = [("Runbook", url) for url in message.runbooks[:3]]
    return [("Problem", message.page), (f"Monitor at {clock(message.problem.opened_ms)}", message.moment), *runbooks]


def _slack(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _teams(text: str) -> str:
    """Names of servers are full of what Markdown takes for marks."""
    return "".join(f"\\{letter}" if letter in "\\`*_[]<>#" else letter for letter in text)


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"
