"""The list: what is wrong now, each problem once, the most urgent first; then what was lately."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from dash import dcc, html

from tft_dash import components, ids
from tft_dash.alerts.alert import Acknowledgement
from tft_dash.alerts.problem import Involved, Problem, Remarks
from tft_dash.alerts.rules import SEVERITIES
from tft_dash.pages.alerts import frame
from tft_dash.pages.alerts import wording as say
from tft_dash.pages.wording import CALIBRATE, plural

LEAD: Final = "What is wrong, each problem once: where it likely began, who is in it, and what people say of it."
SERVERS_SHOWN: Final = 3
LOOK_MS: Final = 5_000


@dataclass(frozen=True, slots=True)
class Watch:
    """Whether a source is judged at the moment.

    :param judged_ms: time of the newest tick; None = there is none yet.
    :param problem: why it is not up to date; "" = it is.
    """

    source: str
    judged_ms: int | None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """A problem as it stands.

    :param acknowledged: who is at it; None = nobody.
    :param silenced: whether nobody is told of any of its alerts.
    :param firing: how many of its alerts stand.
    """

    problem: Problem
    remarks: Remarks
    acknowledged: Acknowledgement | None = None
    silenced: bool = False
    firing: int = 0


@dataclass(frozen=True, slots=True)
class Board:
    """All that the list shows."""

    now_ms: int
    watched: tuple[Watch, ...]
    standing: tuple[Standing, ...]
    past: tuple[Standing, ...]
    past_days: int = 7
    base: str = "/"


def layout(base: str, live: Any, sources: Sequence[str]) -> html.Div:  # noqa: ANN401 - Dash children
    """The page; what changes by itself is in ``live``.

    :param sources: the live ones; each has its own file of outcomes, for servers of two fleets may share a name.
    """
    lead = html.P(LEAD)
    content = [
        html.Div(live, id=ids.ALERTS_LIVE),
        html.Div(id=ids.ALERTS_SERVERS, hidden=True),
        html.Div(id=ids.ALERTS_LOG, hidden=True),
        html.Div([*_exports(base, sources), frame.quiet(
            f"What people have said calibrates models: {CALIBRATE}. What came of it stands on the page Models."
        )], className="alerts-foot"),
        *clockwork({"page": "problems"}),
    ]  # fmt: skip
    return frame.page(base, "", "Alerts", lead, content, name=False)


def _exports(base: str, sources: Sequence[str]) -> list[Any]:
    found = []
    for name in sources or ("",):
        words = f"Outcomes of {name} as CSV" if len(sources) > 1 else "Outcomes as CSV"
        query = f"?source={quote(name, safe='')}" if name else ""
        found.append(html.A(
            words, href=f"{base}api/v1/problems/outcomes.csv{query}", className="button", download="outcomes.csv",
            title="What people have said, as tft-dash calibrate --outcomes reads it.",
        ))  # fmt: skip
    return found


def clockwork(about: dict[str, Any]) -> list[Any]:
    """What lets a page look again by itself."""
    return [
        dcc.Interval(id=ids.ALERTS_CLOCK, interval=LOOK_MS),
        dcc.Store(id=ids.ALERTS_ABOUT, data=about),
        dcc.Store(id=ids.ALERTS_REQUEST),
        dcc.Store(id=ids.ALERTS_SEEN),
        dcc.Store(id=ids.ALERTS_DRAW),
    ]


def board(now: Board) -> list[Any]:
    """Everything that changes by itself."""
    ranked = sorted(now.standing, key=lambda one: one.problem.opened_ms, reverse=True)
    ranked.sort(key=lambda one: (one.problem.life != "open", -SEVERITIES.index(one.problem.severity)))
    title = "Nothing is wrong" if not ranked else f"{plural(len(ranked), 'problem')} now"
    cards: list[Any] = [html.Ul([_card(one, now) for one in ranked], className="problem-cards")] if ranked else []
    return [
        _watches(now),
        frame.section(title if ranked or _all_watched(now) else "No problem is known", cards),
        frame.section(f"Over in the last {now.past_days} days", [_past(now)]),
    ]


def _all_watched(now: Board) -> bool:
    return bool(now.watched) and not any(one.problem for one in now.watched)


def _watches(now: Board) -> html.Div:
    """Which sources are judged, so that "nothing is wrong" can be believed."""
    if not now.watched:
        return components.banner(
            "No live source is watched",
            "Alerts are judged of live sources. Add one, for example "
            'TFT_DASH_SOURCES="fleet=prometheus+http://host:9090/?mapping=node", and start again.',
            kind="info",
        )
    items = [html.Li(_watch(one, now)) for one in now.watched]
    return html.Ul(items, className="watches", **{"aria-label": "Sources that are judged"})


def _watch(one: Watch, now: Board) -> list[Any]:
    when: Any = "has no tick yet"
    if one.judged_ms is not None:
        when = ["judged up to ", say.time_tag(one.judged_ms, say.clock(one.judged_ms)), " UTC, ",
                say.ago(one.judged_ms, now.now_ms)]  # fmt: skip
    state = "state-good" if not one.problem else "state-warning"
    icon = components.icon("health-green" if not one.problem else "clock")
    mark = html.Span([icon, html.Span([html.B(one.source), " ", *(when if isinstance(when, list) else [when])])],
                     className=f"state-mark {state}")  # fmt: skip
    return [mark, *([html.Span(one.problem, className="watch-problem")] if one.problem else [])]


def address_of(problem: Problem, base: str) -> str:
    """Where a problem's page is."""
    return f"{base}alerts/{problem.id}"


def _card(one: Standing, now: Board) -> html.Li:
    problem = one.problem
    began = ["began ", say.time_tag(problem.began_ms, say.ago(problem.began_ms, now.now_ms)), f" in {problem.source}"]
    head = [
        say.severity_mark(problem.severity),
        say.life_mark(problem),
        *marks(one),
        html.Span(began, className="problem-when"),
    ]
    title = html.H3(
        dcc.Link(problem.title or problem.id, href=address_of(problem, now.base)), className="problem-title"
    )
    return html.Li(
        [html.Div(head, className="problem-head"), title, *_origin(problem), *_servers(problem)],
        className=f"problem-card severity-{problem.severity}",
    )


def marks(one: Standing) -> list[Any]:
    """Who is at it, and whether anybody is told."""
    found = []
    if one.acknowledged is not None:
        found.append(_tag("flag", f"{one.acknowledged.by} is at it", one.acknowledged.comment))
    if one.silenced:
        found.append(_tag("empty", "silenced", "A silence holds for all of its alerts: nobody is told of it."))
    if one.problem.past:
        found.append(
            _tag("clock", "seen afterwards", "It was recorded after the fact, when the source answered again.")
        )
    if one.problem.reopened:
        found.append(_tag("restart", f"came back {one.problem.reopened}×", "It was over, and began again."))
    if one.remarks.outcome is not None:
        found.append(_tag("info", say.SHORT_OUTCOMES[one.remarks.outcome], f"said {one.remarks.outcome_by}"))
    return found


def _tag(icon: str, words: str, hint: str) -> html.Span:
    return html.Span([components.icon(icon), words], className="tag", title=hint or words)


def _origin(problem: Problem) -> list[Any]:
    if not problem.origin:
        return []
    why = f": {problem.origin_why}" if problem.origin_why else ""
    return [html.P(["Likely origin ", html.B(problem.origin), why, "."], className="problem-origin")]


def _servers(problem: Problem) -> list[Any]:
    if not problem.servers:
        return []
    shown = problem.ranked[:SERVERS_SHOWN]
    items = [html.Li(_server(one)) for one in shown]
    more = problem.server_count - len(shown)
    if more > 0:
        items.append(html.Li(f"and {plural(more, 'more server')}"))
    return [html.Ul(items, className="problem-servers")]


def _server(one: Involved) -> list[Any]:
    drivers = ", ".join(say.driver_words(driver) for driver in one.drivers)
    profile = f" ({one.profile})" if one.profile else ""
    return [html.B(one.server), f"{profile}: risk {say.risk_words(one.peak_risk)}", f" · {drivers}" if drivers else ""]


def _past(now: Board) -> Any:  # noqa: ANN401 - a Dash component
    if not now.past:
        return frame.quiet("None.")
    head = ["Problem", "Severity", "Began", "Lasted", "Servers", "Outcome"]
    rows = [_past_row(one, now) for one in now.past]
    body = html.Table(
        [html.Thead(html.Tr([html.Th(name, scope="col") for name in head])), html.Tbody(rows)], className="table"
    )
    return html.Div(
        body, className="table-box", role="region", tabIndex="0", **{"aria-label": "Problems that are over"}
    )


def _past_row(one: Standing, now: Board) -> html.Tr:
    problem = one.problem
    lasted = say.length((problem.resolved_ms or problem.changed_ms) - problem.began_ms)
    title = [dcc.Link(problem.title or problem.id, href=address_of(problem, now.base)),
             html.Span(problem.source, className="cell-note")]  # fmt: skip
    outcome = "not said yet" if one.remarks.outcome is None else say.SHORT_OUTCOMES[one.remarks.outcome]
    cells = [
        say.severity_mark(problem.severity),
        say.time_tag(problem.began_ms, say.moment(problem.began_ms)),
        lasted,
        f"{problem.server_count:,}",
        outcome,
    ]
    return html.Tr([html.Th(title, scope="row", className="cell-name"), *(html.Td(cell) for cell in cells)])
