"""One step of one alert: from where it stands and what was just seen to where it stands now."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from tft_dash.alerts.alert import AlertState, Phase
from tft_dash.alerts.observing import Observation
from tft_dash.alerts.rules import Rule

GAP_STEPS: Final = 2
"""After so many steps without a value an alert is flagged: nothing is said of what it is about."""
RESOLVED_KEPT_MS: Final = 900_000
"""For so long a resolved alert is still shown as one; it is inactive for all that."""
LONGEST_SILENCE_MS: Final = 300_000
"""So much at most counts between two times that a source was asked in vain."""


@dataclass(frozen=True, slots=True)
class Moment:
    """When an observation is, for one rule.

    :param now: the tick's time; for a rule about the source itself, when the observation was issued.
    :param longest: so much time counts at most since the value before: what nobody saw counts for nothing.
    """

    tick: int
    now: int
    issued: int
    step: int
    longest: int
    past: bool


def moment_of(rule: Rule, seen: Observation) -> Moment:
    """When ``seen`` is, for ``rule``."""
    if rule.when.check == "source_silent":
        longest = max(seen.step_ms, LONGEST_SILENCE_MS)
        return Moment(seen.tick, seen.issued_ms, seen.issued_ms, seen.step_ms, longest, past=False)
    return Moment(seen.tick, seen.time_ms, seen.issued_ms, seen.step_ms, seen.step_ms, seen.past)


@dataclass(frozen=True, slots=True)
class Sight:
    """What was seen of one thing.

    :param hot: whether it is beyond the bar.
    :param clear: whether it lets a firing alert go.
    :param worst: the worse of this value and the worst before it.
    """

    value: float
    hot: bool
    clear: bool
    worst: float


def without_sight(state: AlertState, at: Moment) -> AlertState:
    """Nothing was seen: the phase stands still, its clock too."""
    if state.phase in ("inactive", "resolved"):
        return _expired(state, at)
    return replace(state, no_data=state.no_data or at.now - state.seen_ms >= GAP_STEPS * at.step)


def with_sight(state: AlertState, sight: Sight, rule: Rule, at: Moment) -> AlertState:
    """A value was seen."""
    if state.phase in ("inactive", "resolved"):
        return _begun(state, sight, rule, at) if sight.hot else _expired(state, at)
    passed = min(max(at.now - state.seen_ms, 0), at.longest)
    state = replace(state, value=sight.value, peak=sight.worst, seen_ms=at.now, no_data=False, severity=rule.severity)
    if state.rule_digest != rule.condition:
        # What was held against another bar is no evidence for this one.
        state, passed = replace(state, rule_digest=rule.condition, held_ms=0), 0
    if state.phase == "pending":
        return _pending(state, sight, rule, at, passed)
    if state.phase == "firing":
        return _moved(state, "recovering", at, rule.keep_ms) if sight.clear else state
    return _recovering(state, sight, rule, at, passed)


def _expired(state: AlertState, at: Moment) -> AlertState:
    if state.phase == "resolved" and at.now - state.phase_ms >= RESOLVED_KEPT_MS:
        return replace(state, phase="inactive")
    return state


def _begun(state: AlertState, sight: Sight, rule: Rule, at: Moment) -> AlertState:
    fresh = AlertState(
        key=state.key,
        phase="pending",
        rule_digest=rule.condition,
        severity=rule.severity,
        profile=state.profile,
        since_ms=at.now,
        since_tick=at.tick,
        phase_ms=at.now,
        held_ms=0,
        seen_ms=at.now,
        value=sight.value,
        peak=sight.value,
    )
    return _fired(fresh, at) if rule.for_ms == 0 else fresh


def _pending(state: AlertState, sight: Sight, rule: Rule, at: Moment, passed: int) -> AlertState:
    if not sight.hot:
        return replace(state, phase="inactive", phase_ms=at.now)
    held = state.held_ms + passed
    return _fired(state, at) if held >= rule.for_ms else replace(state, held_ms=held)


def _recovering(state: AlertState, sight: Sight, rule: Rule, at: Moment, passed: int) -> AlertState:
    if not sight.clear:
        return replace(state, phase="firing", phase_ms=at.now, held_ms=0)
    held = state.held_ms + passed
    return _resolved(state, at) if held >= rule.keep_ms else replace(state, held_ms=held)


def _fired(state: AlertState, at: Moment) -> AlertState:
    return replace(state, phase="firing", phase_ms=at.now, held_ms=0, fired_ms=at.now, fired_tick=at.tick, past=at.past)


def _moved(state: AlertState, phase: Phase, at: Moment, keep_ms: int) -> AlertState:
    moved = replace(state, phase=phase, phase_ms=at.now, held_ms=0)
    return _resolved(moved, at) if keep_ms == 0 else moved


def _resolved(state: AlertState, at: Moment) -> AlertState:
    return replace(
        state, phase="resolved", phase_ms=at.now, held_ms=0, acknowledged=None, silenced_by=(), no_data=False
    )
