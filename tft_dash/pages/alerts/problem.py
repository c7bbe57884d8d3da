"""One problem: what to know at once, the servers in order, why, what happened when, and what people say of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from dash import dcc, html

from tft_dash import components, ids
from tft_dash.alerts.problem import LONGEST_COMMENT, OUTCOMES, Entry, Involved, Problem
from tft_dash.alerts.silences import matchers_of
from tft_dash.figures.plot import graph
from tft_dash.pages.alerts import frame
from tft_dash.pages.alerts import wording as say
from tft_dash.pages.alerts.bands import band
from tft_dash.pages.alerts.problems import Standing, clockwork, marks
from tft_dash.pages.alerts.told import Told, deliveries
from tft_dash.pages.wording import plural

_SILENCED: Final = {"server_name": "servers", "profile": "profiles", "source": "source"}
"""Label → what a silence by it silences."""
_OUTCOME_HINTS: Final = {
    "true": "Something was wrong with these servers.",
    "false": "Nothing was wrong: a false alarm.",
    "unclear": "Nobody can tell any more; it counts neither way.",
}


@dataclass(frozen=True, slots=True)
class Detail:
    """A problem with what belongs to it.

    :param runbooks: what to do, by rule.
    :param told: to whom what was sent.
    """

    standing: Standing
    now_ms: int
    base: str
    runbooks: tuple[tuple[str, str], ...] = ()
    told: tuple[Told, ...] = ()


def layout(detail: Detail) -> html.Div:
    """The page; what changes by itself stands apart from what people are writing."""
    problem = detail.standing.problem
    content = [
        html.Div(urgent(detail), id=ids.ALERTS_LIVE),
        html.Div(
            [
                frame.act_button("acknowledge", "I am at it", "button-main", title="Nobody else is told."),
                frame.act_button("take-back", "I am not at it any more"),
            ],
            className="say-row",
        ),
        html.Div(servers(detail), id=ids.ALERTS_SERVERS),
        frame.section("What do you know of it?", [_say()], name="problem-say"),
        frame.section(
            "Probability and alerts", [html.Div(graph(ids.ALERTS_CHART, zoom=True), className="problem-plot")]
        ),
        html.Div(rest(detail), id=ids.ALERTS_LOG),
        *clockwork({"page": "problem", "problem": problem.id}),
    ]
    return frame.page(detail.base, "problem", problem.title or problem.id, None, content)


def missing(base: str, words: str) -> html.Div:
    """There is no such problem."""
    return frame.page(base, "problem", "No such problem", None, [components.banner(words)], name=False)


def urgent(detail: Detail) -> list[Any]:
    """How it stands and where it began: what somebody who was just woken wants first."""
    one, problem = detail.standing, detail.standing.problem
    head = [say.severity_mark(problem.severity), say.life_mark(problem), *marks(one)]
    return [
        html.Div(head, className="problem-head"),
        frame.facts(_facts(detail)),
        html.Div(_links(detail), className="problem-links"),
    ]


def servers(detail: Detail) -> list[Any]:
    """Who is in it, in the order of likely origin, and why."""
    problem = detail.standing.problem
    aside = frame.quiet("likely origin first")
    return [frame.section(_servers_title(problem), [_servers(problem)], aside=aside)]


def _servers_title(problem: Problem) -> str:
    return plural(problem.server_count, "server") if problem.server_count else "Servers"


def _facts(detail: Detail) -> list[tuple[str, Any]]:
    one, problem = detail.standing, detail.standing.problem
    began = [
        say.time_tag(problem.began_ms, say.moment(problem.began_ms)),
        f" ({say.ago(problem.began_ms, detail.now_ms)})",
    ]
    rows: list[tuple[str, Any]] = [("Began", began), ("First alert", say.moment(problem.opened_ms))]
    if problem.resolved_ms is not None:
        lasted = say.length(problem.resolved_ms - problem.began_ms)
        rows.append(("Over", f"{say.moment(problem.resolved_ms)}, after {lasted}"))
    if problem.origin:
        why = f": {problem.origin_why}" if problem.origin_why else ""
        rows.append(("Likely origin", [html.B(problem.origin), f"{why}."]))
    firing = (
        f"{plural(one.firing, 'alert')} firing of {problem.alerts:,}"
        if one.firing
        else f"{problem.alerts:,}, none firing"
    )
    rows += [("Alerts", firing), ("Source", problem.source)]
    if problem.profiles:
        rows.append(("Profiles", ", ".join(problem.profiles)))
    if one.acknowledged is not None:
        at = f"{one.acknowledged.by}, since {say.moment(one.acknowledged.at_ms)}"
        rows.append(("At it", f"{at}: {one.acknowledged.comment}" if one.acknowledged.comment else at))
    if detail.runbooks:
        links = [
            html.Li(html.A(rule, href=url, rel="noreferrer noopener", target="_blank")) for rule, url in detail.runbooks
        ]
        rows.append(("What to do", html.Ul(links)))
    return rows


def _links(detail: Detail) -> list[Any]:
    problem = detail.standing.problem
    query = urlencode({"source": problem.source, "tick": max(problem.opened_tick, 0)})
    monitor = html.A(
        [components.icon("mark"), "See it on the monitor"], href=f"{detail.base}?{query}",
        className="button button-main", title="The live monitor at the moment of the first alert.",
    )  # fmt: skip
    report = html.A(
        "Post-mortem as HTML", href=f"{detail.base}api/v1/problems/{problem.id}/post-mortem.html",
        className="button", download=f"problem-{problem.id}.html",
        title="One file with figures, data and comments that opens anywhere.",
    )  # fmt: skip
    whole = len(problem.servers) == problem.server_count
    fitting = matchers_of(problem.source, [one.server for one in problem.servers] if whole else (), problem.profiles)
    given = urlencode({"matcher": "\n".join(str(each) for each in fitting)})
    silence = html.A(
        f"Silence its {_SILENCED[fitting[-1].label]}",
        href=f"{detail.base}alerts/silences?{given}", className="button",
        title="Opens a new silence with matchers that fit; nothing is silenced before it is kept there.",
    )  # fmt: skip
    return [monitor, report, silence]


def _servers(problem: Problem) -> Any:  # noqa: ANN401 - a Dash component
    if not problem.servers:
        return frame.quiet(
            "It is about the source as a whole." if problem.kind == "no-data" else "It is about the fleet as a whole."
        )
    ranks = {one.server: place for place, one in enumerate(problem.ranked, 1)}
    first = min(one.onset_ms for one in problem.servers)
    items = [_server(one, place, ranks[one.server], first) for place, one in enumerate(problem.servers, 1)]
    hidden = problem.server_count - len(problem.servers)
    more = [frame.quiet(f"and {plural(hidden, 'more server')}")] if hidden > 0 else []
    return html.Div([html.Ol(items, className="involved"), *more])


def _server(one: Involved, place: int, rank: int, first_ms: int) -> html.Li:
    later = one.onset_ms - first_ms
    onset = "first to show" if later <= 0 else f"{say.length(later)} later"
    head = [
        html.Span(f"{place}.", className="involved-place"),
        html.B(one.server),
        *([html.Span(one.profile, className="tag")] if one.profile else []),
        html.Span([say.time_tag(one.onset_ms, say.clock(one.onset_ms)), f" · {onset}"], className="involved-onset"),
    ]
    risk = [] if one.peak_risk is None else [
        html.Span(["highest risk ", html.B(say.risk_words(one.peak_risk)), f" (rank {rank})"])
    ]  # fmt: skip
    alerts = [html.Span(["alerts: ", ", ".join(one.alerts)])] if one.alerts else [html.Span("no alert of its own")]
    parts: list[Any] = [
        html.Div(head, className="involved-head"),
        html.Div([*risk, *alerts], className="involved-facts"),
        *([html.P(one.why, className="quiet")] if one.why else []),
        *([html.Ul([html.Li(band(driver)) for driver in one.drivers], className="drivers")] if one.drivers else []),
    ]
    return html.Li(parts)


def _say() -> html.Div:
    outcomes = [
        frame.act_button(f"outcome-{outcome}", say.OUTCOME_WORDS[outcome], title=_OUTCOME_HINTS[outcome])
        for outcome in OUTCOMES
    ]
    comment = dcc.Textarea(
        id=ids.ALERTS_COMMENT, maxLength=LONGEST_COMMENT, rows=3, className="form-control",
        placeholder="What you see, what you have done", persistence=False,
    )  # fmt: skip
    return html.Div(
        [
            html.Label([html.Span("Comment", className="field-label"), comment], className="say-comment"),
            html.Div([frame.act_button("comment", "Add the comment")], className="say-row"),
            html.Div(
                [html.Span("Was it a problem?", className="field-label"), *outcomes,
                 frame.act_button("outcome-none", "Take it back")],
                className="say-row",
                role="group",
                **{"aria-label": "Was it a problem?"},
            ),
        ],
        className="say",
    )  # fmt: skip


def rest(detail: Detail) -> list[Any]:
    """Comments, what happened when, and who was told."""
    remarks, problem = detail.standing.remarks, detail.standing.problem
    comments: list[Any] = [
        html.Li([html.Div([html.B(one.by), f" · {say.moment(one.at_ms)}"], className="comment-head"),
                 html.P(one.text, className="comment-text")])
        for one in remarks.comments
    ]  # fmt: skip
    said = "Nobody has said yet whether it was a problem."
    if remarks.outcome is not None:
        said = f"{say.OUTCOME_WORDS[remarks.outcome]}, says {remarks.outcome_by} ({say.moment(remarks.outcome_ms)})."
    listed = html.Ul(comments, className="comments") if comments else frame.quiet("No comment yet.")
    return [
        frame.section("What people say", [html.P(said), listed]),
        frame.section("What happened when", [_timeline(problem.timeline, problem.skipped)]),
        frame.section("Who was told", [deliveries(detail.told, "Nobody was told of it.")]),
    ]


def _timeline(entries: Sequence[Entry], skipped: int) -> Any:  # noqa: ANN401 - a Dash component
    if not entries:
        return frame.quiet("Nothing is on record.")
    items = [
        html.Li(
            [say.time_tag(one.time_ms, say.clock(one.time_ms)), html.Span(one.words)], className=f"entry-{one.what}"
        )
        for one in entries
    ]
    note = [frame.quiet(f"{plural(skipped, 'line')} from the middle did not fit.")] if skipped else []
    return html.Div([html.P(f"Times are UTC; it begins on {say.moment(entries[0].time_ms)[:10]}.", className="quiet"),
                     html.Ol(items, className="timeline-list", tabIndex="0"), *note])  # fmt: skip
