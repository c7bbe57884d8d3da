"""How a problem goes on: its servers, its timeline, and whether it is over; from its alerts and who is in unrest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from tft_dash.alerts.alert import AlertState, Transition
from tft_dash.alerts.gathering.onsets import Onset
from tft_dash.alerts.gathering.origin import by_origin, why
from tft_dash.alerts.grouping import Terms, is_about_the_source, worse
from tft_dash.alerts.observing import Observation
from tft_dash.alerts.problem import MOST_SERVERS, Entry, Involved, Life, Problem, with_entries
from tft_dash.schema import readable


@dataclass(slots=True)
class News:
    """What there is to say of one problem at one observation.

    :ivar states: of the alerts that belong to it.
    :ivar changes: of those.
    :ivar onsets: the servers in unrest that belong to it.
    """

    states: list[AlertState] = field(default_factory=list)
    changes: list[Transition] = field(default_factory=list)
    onsets: dict[str, Onset] = field(default_factory=dict)


def gone_on(problem: Problem, news: News, seen: Observation, terms: Terms) -> Problem:
    """The problem after an observation; the very same one where nothing about it is new."""
    changes = news.changes
    fired = [one for one in changes if one.change == "firing"]
    after = replace(
        problem,
        alerts=problem.alerts + len(fired),
        last_onset_ms=max((one.time_ms for one in fired), default=problem.last_onset_ms),
        kind="incident" if any(not one.check.endswith("_silent") for one in fired) else problem.kind,
        past=problem.past and all(one.past for one in changes),
    )
    for one in fired:
        after = replace(after, severity=worse(after.severity, one.severity))
    now = changes[-1].time_ms if changes else seen.time_ms
    after = _with_servers(after, news, seen, terms)
    after = _with_life(after, problem, news.states, now)
    entries = [*_onset_entries(problem, after), *_entries(changes), *_life_entries(problem, after, now, seen.tick)]
    if entries:
        after = with_entries(after, entries)
    after = replace(after, title=_title(after, changes))
    return problem if after == problem else replace(after, changed_ms=now)


def _with_servers(problem: Problem, news: News, seen: Observation, terms: Terms) -> Problem:
    found = {one.server: one for one in problem.servers}
    profile_of = dict(zip(seen.servers, seen.profiles, strict=True))
    for server, onset in news.onsets.items():
        found[server] = _in_unrest(found.get(server), server, profile_of.get(server, ""), onset)
    for state in news.states:
        if state.key.server and state.fired_ms is not None:
            found[state.key.server] = _alerted(found.get(state.key.server), state)
    if not found:
        return problem
    ordered = by_origin(tuple(found.values()), terms.graph, seen.step_ms)
    began = min((problem.began_ms, problem.began_tick), *((one.onset_ms, one.onset_tick) for one in ordered))
    return replace(
        problem,
        servers=ordered[:MOST_SERVERS],
        server_count=max(problem.server_count, len(ordered)),
        profiles=tuple(sorted({*problem.profiles, *(one.profile for one in ordered if one.profile)})),
        origin=ordered[0].server,
        origin_why=why(ordered, terms.graph, seen.step_ms),
        began_ms=began[0],
        began_tick=began[1],
    )


def _in_unrest(known: Involved | None, server: str, profile: str, onset: Onset) -> Involved:
    if known is None:
        return Involved(server, profile, onset.ms, onset.tick, onset.peak_risk, onset.peak_ms, onset.drivers)
    if known.peak_risk is None or onset.peak_risk > known.peak_risk:
        known = replace(known, peak_risk=onset.peak_risk, peak_ms=onset.peak_ms, drivers=onset.drivers)
    return known


def _alerted(known: Involved | None, state: AlertState) -> Involved:
    rule = state.key.rule
    if known is None:
        return Involved(
            state.key.server, state.profile, state.since_ms, state.since_tick, None, state.since_ms, alerts=(rule,)
        )
    if rule not in known.alerts:
        known = replace(known, alerts=(*known.alerts, rule))
    if state.since_ms < known.onset_ms:
        known = replace(known, onset_ms=state.since_ms, onset_tick=state.since_tick)
    return known


def _with_life(after: Problem, before: Problem, states: Sequence[AlertState], now: int) -> Problem:
    life: Life = "resolved"
    if any(one.phase == "firing" for one in states):
        life = "open"
    elif any(one.phase == "recovering" for one in states):
        life = "recovering"
    again = before.life == "resolved" and life != "resolved"
    over = before.resolved_ms if life == before.life == "resolved" else now
    return replace(
        after,
        life=life,
        resolved_ms=over if life == "resolved" else None,
        reopened=after.reopened + (1 if again else 0),
    )


def _entries(changes: Sequence[Transition]) -> list[Entry]:
    told = [one for one in changes if one.change not in ("pending", "dropped")]
    return [Entry(one.time_ms, one.tick, one.change, one.key.server, f"{one.key.rule}: {one.words}") for one in told]


def _onset_entries(before: Problem, after: Problem) -> list[Entry]:
    known = {one.server for one in before.servers}
    return [
        Entry(one.onset_ms, one.onset_tick, "onset", one.server, f"{one.server}: showed first signs{_reasons(one)}")
        for one in after.servers
        if one.server not in known
    ]


def _reasons(one: Involved) -> str:
    return "".join(
        f", {driver.metric} {readable(driver.value)}"
        + ("" if driver.usual is None else f" (usually {readable(driver.usual)})")
        for driver in one.drivers[:1]
    )


def _life_entries(before: Problem, after: Problem, at_ms: int, tick: int) -> list[Entry]:
    if after.life == before.life and after.reopened == before.reopened:
        return []
    words = "reopened" if after.reopened > before.reopened else after.life
    return [Entry(at_ms, tick, words, "", f"The problem is {words}")]


def _title(problem: Problem, changes: Sequence[Transition]) -> str:
    if is_about_the_source(problem):
        return f"Nothing comes from {problem.source}"
    if not problem.servers:
        first = next((one.annotations.get("summary") or one.words for one in changes if one.change == "firing"), "")
        return problem.title or first
    more = problem.server_count - 1
    return problem.origin + (f" and {more} more server{'s' if more > 1 else ''}" if more else "")
