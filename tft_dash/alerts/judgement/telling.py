"""What is told of an alert: the labels that identify it, the texts of its rule, and one sentence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tft_dash.alerts.alert import Acknowledgement, Key, Transition
from tft_dash.alerts.judgement.templates import filled
from tft_dash.alerts.rules import Rule
from tft_dash.errors import shorten
from tft_dash.scenarios.format.fields import format_duration
from tft_dash.schema import METRIC, readable

SUBJECTS: Final[Mapping[str, str]] = {
    "prob_30m": "P(incident within 30 minutes)",
    "prob_8h": "P(incident within 8 hours)",
    "risk": "risk",
    "server_prob_30m": "P(incident within 30 minutes)",
    "server_prob_8h": "P(incident within 8 hours)",
    "server_silent": "no metric is reported",
    "source_silent": "nothing is reported",
}
_ENDS: Final[Mapping[str, str]] = {
    "rule-removed": "the rule was removed or turned off",
    "rule-changed": "the rule does not look at this any more",
    "left-the-fleet": "the server has left the fleet",
}


def labels_of(key: Key, rule: Rule, profile: str) -> dict[str, str]:
    """The labels that tell the alert apart; no value is ever in one, for then it would be another alert every tick."""
    own = {
        "alertname": rule.alert,
        "severity": rule.severity,
        "source": key.source,
        "server_name": key.server,
        "profile": profile if key.server else "",
        "metric": key.metric,
    }
    return {**rule.labels, **{name: value for name, value in own.items() if value}}


def annotations_of(rule: Rule, labels: Mapping[str, str], value: float | None) -> dict[str, str]:
    """The rule's texts, filled in, and its runbook."""
    found = {name: filled(text, labels, value) for name, text in rule.annotations.items()}
    return {**found, "runbook_url": rule.runbook_url} if rule.runbook_url else found


def words_of(told: Transition, rule: Rule | None, seen: Acknowledgement | None = None) -> str:
    """One sentence without its full stop: who, what, and how it stands to the bar."""
    who = told.key.server or told.key.source
    if told.reason in _ENDS or rule is None:
        return f"{who}: {_ENDS.get(told.reason, told.change)}"
    if told.change == "no-data":
        return f"{who}: nothing is said of it; the alert stands as it was"
    if seen is not None and told.reason == "person":
        comment = f" ({shorten(seen.comment, 200)})" if seen.comment else ""
        return f"{who}: {told.change} by {seen.by}{comment}"
    if told.reason in ("silence", "person"):
        return f"{who}: {told.change}"
    return f"{who}: {_subject(told, rule)}{_held(told, rule)}"


def _subject(told: Transition, rule: Rule) -> str:
    check = rule.when.check
    if check.endswith("_silent"):
        return SUBJECTS[check] if told.value else "is heard of again"
    name = told.key.metric or check
    shown = readable(float("nan") if told.value is None else told.value)
    unit = METRIC[name].unit if name in METRIC else ""
    subject = METRIC[name].label if name in METRIC else SUBJECTS[name]
    return f"{subject} {shown}{f' {unit}' if unit else ''}{_against(told, rule)}"


def _against(told: Transition, rule: Rule) -> str:
    if told.bar is None or told.value is None:
        return ""
    if told.change in ("data", "dropped"):
        return ""
    if told.change in ("recovering", "resolved"):
        return f", clear at {readable(told.bar)}"
    return f", {'above' if rule.when.bars(told.key.metric)[2] > 0 else 'below'} {readable(told.bar)}"


def _held(told: Transition, rule: Rule) -> str:
    if told.change == "firing" and rule.for_ms:
        return f" for {format_duration(rule.for_)}"
    if told.change == "resolved" and rule.keep_ms:
        return f" for {format_duration(rule.keep_firing_for)}"
    return ""
