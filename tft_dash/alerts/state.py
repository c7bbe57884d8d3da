"""The state machine of alerts: rules, states and one observation in; states and what changed out. Pure.

Its laws:

- Time is that of the observations. An alert fires when its condition has held for ``for``, and is over when it has been
  clear for ``keep_firing_for``; both count observed time only.
- A gap (NaN, or no observation) changes no phase: it resolves nothing, and what is seen after it goes on from there.
- From its first tick to its end an alert fires once. From firing on it holds until its value reaches ``clear_at``.
- What becomes of one alert does not depend on any other.
- A rule that is taken away or turned off ends its alerts, and so does a server that leaves the roster: the transition
  says so. A rule whose condition was edited goes on with its alerts and begins their clocks anew, unless it looks at
  something else than before: then they end. An alert keeps the labels with which it fired.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np

from tft_dash.alerts.alert import AlertState, Change, Key, Phase, Reason, Transition
from tft_dash.alerts.judgement.conditions import Readings, places, readings_of
from tft_dash.alerts.judgement.machine import Sight, moment_of, with_sight, without_sight
from tft_dash.alerts.judgement.telling import annotations_of, labels_of, words_of
from tft_dash.alerts.observing import Observation
from tft_dash.alerts.rules import Rule
from tft_dash.alerts.silences import NOBODY, People, silenced_by

States = Mapping[Key, AlertState]
_BY_PHASE: Mapping[tuple[Phase, Phase], Change] = {
    ("inactive", "pending"): "pending",
    ("resolved", "pending"): "pending",
    ("inactive", "firing"): "firing",
    ("resolved", "firing"): "firing",
    ("pending", "firing"): "firing",
    ("pending", "inactive"): "dropped",
    ("firing", "recovering"): "recovering",
    ("recovering", "firing"): "relapsed",
    ("firing", "resolved"): "resolved",
    ("recovering", "resolved"): "resolved",
}


_STANDING = frozenset[Change]({"no-data", "silenced", "unsilenced", "acknowledged", "unacknowledged"})
"""Changes in no phase, told after the one that there may be; ``data`` is told before it."""


def evaluate(
    rules: Iterable[Rule], states: States, seen: Observation, people: People = NOBODY
) -> tuple[dict[Key, AlertState], list[Transition]]:
    """The states after an observation, and what changed, in the order of rules and servers.

    :param rules: those in force.
    :param states: after the observation before this one, of the same source.
    :param people: what people have said by now.
    """
    by_rule: defaultdict[str, dict[Key, AlertState]] = defaultdict(dict)
    for key, state in states.items():
        by_rule[key.rule][key] = state
    found: dict[Key, AlertState] = {}
    changes: list[Transition] = []
    for rule in rules:
        judge = _Judge(rule, seen, people)
        judge.judge(by_rule.pop(rule.alert, {}))
        found |= judge.found
        changes += judge.changes
    for left in by_rule.values():
        for state in left.values():
            changes += _ended(state, seen, "rule-removed")
    return found, changes


class _Judge:
    """Judges one rule on one observation.

    :ivar found: the states after it.
    :ivar changes: what changed.
    """

    def __init__(self, rule: Rule, seen: Observation, people: People) -> None:
        self._rule, self._seen, self._people = rule, seen, people
        self._at = moment_of(rule, seen)
        self._silences = [one for one in people.silences if one.start_ms <= self._at.now < one.end_ms]
        self.found: dict[Key, AlertState] = {}
        self.changes: list[Transition] = []

    def judge(self, states: Mapping[Key, AlertState]) -> None:
        """Judge everything that the rule can alert about; ``states`` are its own, before."""
        readings = readings_of(self._rule, self._seen)
        if not readings:
            for state in states.values():
                self._settle(state, without_sight(state, self._at), None)
            return
        left = dict(states)
        for reading in readings:
            for place in self._worth_a_look(reading, left):
                self._look(reading, place, left)
        for state in left.values():
            gone = state.key.server and state.key.server not in places(self._seen.servers)
            self.changes += _ended(state, self._seen, "left-the-fleet" if gone else "rule-changed")

    def _key(self, reading: Readings, place: int) -> Key:
        return Key(self._seen.source, self._rule.alert, reading.servers[place], reading.metric)

    def _worth_a_look(self, reading: Readings, states: Mapping[Key, AlertState]) -> list[int]:
        """Places of what is beyond the bar or has a state. Anything else stays inactive, and costs nothing."""
        hot = np.flatnonzero(reading.bars.hot(reading.values) & reading.fits)
        place_of = places(reading.servers)
        known = (place_of.get(key.server, -1) for key in states if key.metric == reading.metric)
        return sorted({*hot.tolist(), *(place for place in known if place >= 0 and reading.fits[place])})

    def _look(self, reading: Readings, place: int, left: dict[Key, AlertState]) -> None:
        key = self._key(reading, place)
        if key in left and left[key].rule_digest.split(" ")[0] != self._rule.when.check:
            return  # what it looked at before is another thing: the old alert ends here, a new one begins next time
        before = left.pop(key, None) or _inactive(key, self._rule, reading.profiles[place])
        values = reading.values[place : place + 1]
        if np.isnan(values[0]):
            self._settle(before, without_sight(before, self._at), reading)
            return
        value, bars = float(values[0]), reading.bars
        sight = Sight(value, bool(bars.hot(values)[0]), bool(bars.clears(values)[0]), bars.worse(value, before.peak))
        self._settle(before, with_sight(before, sight, self._rule, self._at), reading)

    def _settle(self, before: AlertState, after: AlertState, reading: Readings | None) -> None:
        """Keep the state and tell what changed."""
        if after.phase == "firing" and not before.active:
            after = replace(after, labels=labels_of(after.key, self._rule, after.profile))
        if after.active:
            after = self._with_people(after)
        if after.phase != "inactive":
            self.found[after.key] = after
        for change in _changes(before, after):
            self.changes.append(self._told(change, before, after, reading))

    def _with_people(self, state: AlertState) -> AlertState:
        """The state of an alert that fires, with what people have said of it."""
        silences = silenced_by(self._silences, state.labels, self._at.now) if self._silences else ()
        acknowledged = self._people.acknowledged.get(state.episode) if self._people.acknowledged else None
        if silences == state.silenced_by and acknowledged == state.acknowledged:
            return state
        return replace(state, silenced_by=silences, acknowledged=acknowledged)

    def _told(self, change: Change, before: AlertState, after: AlertState, reading: Readings | None) -> Transition:
        labels = after.labels or labels_of(after.key, self._rule, after.profile)
        reason: Reason = _REASONS.get(change, "condition")
        bar = None if reading is None else reading.bars.clear if before.active else reading.bars.fire
        value = None if change == "no-data" else after.value
        transition = _transition(before, after, change, reason, self._seen)
        transition = replace(transition, time_ms=self._at.now, past=self._at.past, value=value, bar=bar, labels=labels)
        transition = replace(transition, annotations=annotations_of(self._rule, labels, value))
        return replace(transition, words=words_of(transition, self._rule, after.acknowledged or before.acknowledged))


_REASONS: Mapping[Change, Reason] = {
    "no-data": "gap",
    "data": "gap",
    "silenced": "silence",
    "unsilenced": "silence",
    "acknowledged": "person",
    "unacknowledged": "person",
}


def _changes(before: AlertState, after: AlertState) -> list[Change]:
    """What changed, in the order in which it is told."""
    found: list[Change] = []
    if before.no_data and not after.no_data and after.phase != "inactive":
        found.append("data")
    if (before.phase, after.phase) in _BY_PHASE:
        found.append(_BY_PHASE[before.phase, after.phase])
    if after.no_data and not before.no_data:
        found.append("no-data")
    if before.active and after.active and bool(before.silenced_by) != bool(after.silenced_by):
        found.append("silenced" if after.silenced_by else "unsilenced")
    if before.active and after.active and before.acknowledged != after.acknowledged:
        found.append("acknowledged" if after.acknowledged else "unacknowledged")
    return found


def _inactive(key: Key, rule: Rule, profile: str) -> AlertState:
    return AlertState(key, "inactive", rule.condition, rule.severity, profile, 0, 0, 0, 0, 0, 0.0, 0.0)


def _ended(state: AlertState, seen: Observation, reason: Reason) -> list[Transition]:
    """What is told of an alert that ends because it is no longer judged."""
    if state.phase in ("inactive", "resolved"):
        return []
    after = replace(state, phase="resolved" if state.active else "inactive", phase_ms=seen.time_ms)
    change: Change = "resolved" if state.active else "dropped"
    transition = _transition(state, after, change, reason, seen)
    return [replace(transition, labels=state.labels, words=words_of(transition, None))]


def _transition(before: AlertState, after: AlertState, change: Change, reason: Reason, seen: Observation) -> Transition:
    return Transition(
        key=after.key,
        check=after.check,
        episode=after.episode,
        change=change,
        reason=reason,
        before=after.phase if change in _STANDING else before.phase,
        after=before.phase if change == "data" else after.phase,
        tick=seen.tick,
        time_ms=seen.time_ms,
        issued_ms=seen.issued_ms,
        past=seen.past,
        severity=after.severity,
        profile=after.profile,
        since_ms=after.since_ms,
        since_tick=after.since_tick,
        fired_ms=after.fired_ms,
        value=None,
        bar=None,
        labels=after.labels,
        silenced=bool(after.silenced_by or (change == "resolved" and before.silenced_by)),
        problem=after.problem,
    )
