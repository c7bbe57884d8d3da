"""What the pages of alerts show, gathered from the desk: values alone, made anew at each look."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from tft_dash.alerting.desk import Kept
from tft_dash.alerts.alert import Acknowledgement, AlertState
from tft_dash.alerts.observing import milliseconds
from tft_dash.errors import TftDashError
from tft_dash.pages.alerts.problem import Detail
from tft_dash.pages.alerts.problems import Board, Standing, Watch
from tft_dash.pages.alerts.told import Told
from tft_dash.services import Services
from tft_dash.store.alerts.outbox import Delivery, Telling
from tft_dash.store.live import LiveState

PAST_DAYS: Final = 7
PAST_SHOWN: Final = 100
_DAY_MS: Final = 86_400_000
_LATE_STEPS: Final = 2


def board(services: Services) -> Board:
    """Everything that the list shows, as it is now."""
    desk = services.alerts
    now = desk.now_ms()
    open_ones = desk.problems(standing=True)
    lately = desk.problems(first_ms=now - PAST_DAYS * _DAY_MS, limit=PAST_SHOWN)
    states = by_problem(desk.alerts())
    return Board(
        now_ms=now,
        watched=tuple(watch(services, name) for name in services.live_names()),
        standing=tuple(standing(one, states) for one in open_ones),
        past=tuple(standing(one, states) for one in lately if one.problem.life == "resolved"),
        past_days=PAST_DAYS,
        base=services.settings.base_path,
    )


def detail(services: Services, identity: str) -> Detail:
    """Everything that a problem's page shows.

    :raises NotThereError: there is no such problem.
    """
    desk = services.alerts
    kept = desk.problem(identity)
    source = kept.problem.source
    states = by_problem(desk.alerts(source))
    told = (*(_waiting(one) for one in desk.tellings(problem=identity) if one.state in ("waiting", "carried")),
            *(delivered(one) for one in desk.deliveries(problem=identity)))  # fmt: skip
    return Detail(
        standing(kept, states, _said_of(services, kept)),
        desk.now_ms(),
        services.settings.base_path,
        runbooks=_runbooks(services, kept),
        told=told,
    )


def by_problem(states: Iterable[AlertState]) -> Mapping[str, list[AlertState]]:
    """The alerts of each problem that still stand."""
    found: dict[str, list[AlertState]] = {}
    for state in states:
        if state.active and state.problem:
            found.setdefault(state.problem, []).append(state)
    return found


def standing(kept: Kept, states: Mapping[str, Sequence[AlertState]], said: Acknowledgement | None = None) -> Standing:
    """A problem with where its alerts stand.

    :param said: that somebody is at it, where that is known better than by the last judged tick.
    """
    mine = states.get(kept.problem.id, ())
    at_it = said or next((one.acknowledged for one in mine if one.acknowledged is not None), None)
    silenced = bool(mine) and all(one.silenced_by for one in mine)
    return Standing(kept.problem, kept.remarks, at_it, silenced, len(mine))


def watch(services: Services, name: str) -> Watch:
    """Whether a source is judged at the moment."""
    try:
        state = services.live_state(name)
    except TftDashError as error:
        return Watch(name, None, str(error))
    if state is None or state.latest_time is None:
        return Watch(name, None, state.problem if state else "")
    return Watch(name, milliseconds(state.latest_time), _trouble(state))


def _trouble(state: LiveState) -> str:
    lag = state.lag_seconds or 0.0
    if lag <= _LATE_STEPS * state.step_seconds:
        return ""
    if state.problem:
        return state.problem
    return "Nobody collects it at the moment." if not state.collected else "Its collector has fallen behind."


def delivered(one: Delivery) -> Told:
    """A line of the log."""
    outcome = "test" if one.event == "test" and one.outcome == "sent" else one.outcome
    return Told(
        one.at_ms, one.receiver, one.event, outcome, one.attempt, one.status, one.took_ms, one.words, one.problem
    )


def _waiting(one: Telling) -> Told:
    return Told(one.created_ms, one.receiver, one.event, "waiting", one.attempts, None, 0, one.words, one.problem)


def _said_of(services: Services, kept: Kept) -> Acknowledgement | None:
    return services.alerts.acknowledged(kept.problem.id) if kept.problem.life != "resolved" else None


def _runbooks(services: Services, kept: Kept) -> tuple[tuple[str, str], ...]:
    """What to do, of the rules that fired; those of the rules in force, so that a mended link is a mended link."""
    fired = {rule for one in kept.problem.servers for rule in one.alerts}
    try:
        rules = services.alerts.rules().rules.rules
    except TftDashError:
        return ()
    return tuple((rule.alert, rule.runbook_url) for rule in rules if rule.runbook_url and rule.alert in fired)
