"""What Alertmanager is told (``POST /api/v2/alerts``): every alert that stands, and for a while those that are over.

An alert is the same to it as long as its labels are. They are those with which it fired, and no value is in any: values
are in annotations. Each time it is told of an alert that stands, it is told an end a few minutes ahead: should nobody
tell it any more, it takes the alert for over by then, as it does with Prometheus's own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from tft_dash.alerts.alert import AlertState, Transition
from tft_dash.alerts.delivery.message import iso, moment_link
from tft_dash.alerts.judgement.telling import annotations_of
from tft_dash.alerts.rules import Rule
from tft_dash.schema import readable

REFRESH_MS: Final = 30_000
AHEAD_MS: Final = 300_000
RESENT_MS: Final = 900_000
"""An end is told again for so long, as Prometheus does."""


def standing(state: AlertState, rule: Rule | None, now_ms: int, base: str) -> dict[str, Any]:
    """An alert that stands."""
    texts = {} if rule is None else annotations_of(rule, state.labels, state.value)
    fired = state.since_ms if state.fired_ms is None else state.fired_ms
    tick = state.since_tick if state.fired_tick is None else state.fired_tick
    return {
        "labels": dict(state.labels),
        "annotations": {**texts, "value": readable(state.value), "problem": state.problem},
        "startsAt": iso(fired),
        "endsAt": iso(now_ms + AHEAD_MS),
        "generatorURL": moment_link(base, state.key.source, tick),
    }


def over(told: Transition, fired_tick: int, recorded_ms: int, base: str) -> dict[str, Any]:
    """An alert that is over.

    :param fired_tick: the tick at which it fired, for the same link as before.
    :param recorded_ms: when the end was recorded; the source's clock may be ahead of ours, and an end that is still to
        come is none to Alertmanager.
    """
    fired = told.since_ms if told.fired_ms is None else told.fired_ms
    value = {} if told.value is None else {"value": readable(told.value)}
    return {
        "labels": dict(told.labels),
        "annotations": {**told.annotations, **value, "problem": told.problem},
        "startsAt": iso(fired),
        "endsAt": iso(max(min(told.time_ms, recorded_ms), fired)),
        "generatorURL": moment_link(base, told.key.source, fired_tick),
    }


def all_of(stands: Iterable[Mapping[str, Any]], ended: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """What is told at once: of an alert that stands again, nothing is told of its end before."""
    found = list(stands)
    taken = {tuple(sorted(one["labels"].items())) for one in found}
    latest: dict[tuple[Any, ...], Mapping[str, Any]] = {}
    for one in ended:
        latest[tuple(sorted(one["labels"].items()))] = one
    return [*found, *(one for labels, one in latest.items() if labels not in taken)]


def test_alert(receiver: str, now_ms: int, base: str) -> dict[str, Any]:
    """An alert that says that nothing is wrong, and is over in a minute."""
    labels = {"alertname": "TftDashTest", "severity": "info", "receiver": receiver}
    texts = {"summary": "Test: nothing is wrong", "description": "Somebody tries whether tft_dash can tell this."}
    ends = {"startsAt": iso(now_ms), "endsAt": iso(now_ms + 60_000), "generatorURL": base}
    return {"labels": labels, "annotations": texts, **ends}
