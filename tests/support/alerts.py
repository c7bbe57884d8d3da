"""Rules and observations for tests of alerts, in as few words as possible."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from tft_dash.alerts.alert import AlertState, Key, Transition
from tft_dash.alerts.observing import Observation
from tft_dash.alerts.rulebook import parse_rules
from tft_dash.alerts.rules import Rule, RuleSet
from tft_dash.alerts.silences import NOBODY, People
from tft_dash.alerts.state import evaluate
from tft_dash.schema import derive_states

STEP = 5_000
START = 1_780_000_000_000
NAN = float("nan")


def rules_of(*rules: Mapping[str, Any]) -> RuleSet:
    """A document of these rules; a name is given where one is missing."""
    named = [{"alert": f"Rule{number}", **rule} for number, rule in enumerate(rules)]
    document = {
        "apiVersion": "tft-dash/v1",
        "kind": "AlertRules",
        "metadata": {"name": "test"},
        "spec": {"rules": named},
    }
    return parse_rules(document, "test")


def rule_of(check: str = "risk", **fields: Any) -> Rule:
    """One rule; ``above``, ``below``, ``clear_at`` and ``metrics`` go into its condition."""
    when = {"check": check, **{name: fields.pop(name) for name in _CONDITION if name in fields}}
    if check not in ("server_silent", "source_silent"):
        when.setdefault("below" if "below" in when else "above", 0.5)
    return rules_of({"when": when, **fields}).rules[0]


_CONDITION = ("above", "below", "clear_at", "metrics")


def observed(
    tick: int, risk: Sequence[float] = (), *, late_ms: int = 0, source: str = "fleet", **more: Any
) -> Observation:
    """A tick at which servers a, b, … have these risks; ``cpu_pct`` is given for all, or as it is told."""
    count = len(risk)
    metrics = {name: np.asarray(values, np.float32) for name, values in more.pop("metrics", {}).items()}
    if not metrics:
        metrics = {"cpu_pct": np.where(np.isnan(np.asarray(risk, float)), np.nan, 10.0).astype(np.float32)}
    fields: dict[str, Any] = {
        "servers": tuple(chr(ord("a") + place) for place in range(count)),
        "profiles": ("web",) * count,
        "risk": np.asarray(risk, np.float32),
        "metrics": metrics,
        "states": derive_states(metrics),
        "server_prob_30m": np.full(count, np.nan, np.float32),
        "server_prob_8h": np.full(count, np.nan, np.float32),
        "driver_metric": np.full((count, 2), -1, np.int8),
        "driver_usual": np.full((count, 2), np.nan, np.float32),
        **more,
    }
    time = START + tick * STEP
    return Observation(source, tick, time, time + late_ms, STEP, **fields)


def stream(*series: Sequence[float], first: int = 0) -> Iterator[Observation]:
    """An observation for each place of these equally long series of risks, one for each server."""
    for tick, risk in enumerate(zip(*series, strict=True), first):
        yield observed(tick, risk)


def run(
    rules: Sequence[Rule],
    observations: Iterator[Observation] | Sequence[Observation],
    states: Mapping[Key, AlertState] | None = None,
    people: People = NOBODY,
) -> tuple[Mapping[Key, AlertState], list[Transition]]:
    """The states at the end and everything that changed on the way."""
    states, changes = states or {}, []
    for seen in observations:
        states, new = evaluate(rules, states, seen, people)
        changes += new
    return states, changes


def story(changes: Sequence[Transition], server: str = "a") -> list[tuple[int, str]]:
    """What changed about a server: tick and change."""
    return [(one.tick, one.change) for one in changes if one.key.server == server]
