"""What the pages of alerts share: heading, the way between them, who is at the screen, and what became of an act."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import dash_bootstrap_components as dbc
from dash import dcc, html

from tft_dash import components, ids

PAGES: Final = (
    ("", "Problems"),
    ("silences", "Silences"),
    ("rules", "Rules"),
    ("tuner", "Tuner"),
    ("delivery", "Delivery"),
)
"""Address below ``alerts``, and name, in the order in which they stand."""
LONGEST_NAME: Final = 120

Children = Any


def page(base: str, current: str, title: str, lead: Children, content: Sequence[Any], *, name: bool = True) -> html.Div:
    """A whole page.

    :param base: the app's base path.
    :param current: address below ``alerts`` of the page that is open.
    :param lead: the sentence below the heading, or more.
    :param name: whether something can be said here, so that it matters who says it.
    """
    who = [name_field()] if name else []
    head = html.Div(
        [html.Div([html.H1(title, className="page-title"), *([lead] if lead else [])], className="alerts-title"), *who],
        className="page-head alerts-head",
    )
    said = html.Div(id=ids.ALERTS_SAID, className="alerts-said", role="status", **{"aria-live": "polite"})
    return html.Div(
        [ways(base, current), head, said, *content, dcc.Store(id=ids.ALERTS_START, data=current or "problems")],
        className="alerts page",
    )


def ways(base: str, current: str) -> html.Nav:
    """Links between the pages of alerts."""
    links = []
    for where, name in PAGES:
        here = where == current
        link = dcc.Link(name, href=f"{base}alerts/{where}" if where else f"{base}alerts", className="alerts-way")
        links.append(html.Li(link, className="active" if here else "", **({"aria-current": "page"} if here else {})))
    return html.Nav(html.Ul(links), className="alerts-ways", **{"aria-label": "Alerts"})


def name_field() -> html.Label:
    """Who is at the screen; kept by the browser."""
    field = dbc.Input(id=ids.ALERTS_NAME, type="text", maxlength=LONGEST_NAME, autocomplete="name")
    return html.Label([html.Span("Your name", className="field-label"), field], className="field field-author")


def section(title: str, content: Sequence[Any], *, aside: Children = None, name: str = "") -> html.Section:
    """A titled part of a page."""
    head = [html.H2(title, className="section-title"), *([aside] if aside is not None else [])]
    return html.Section(
        [html.Div(head, className="section-head"), *content],
        className=f"section {name}".strip(),
        **{"aria-label": title},
    )


def said(words: str, *, good: bool = True) -> Children:
    """What became of an act."""
    if good:
        return html.Div([components.icon("health-green"), html.Span(words)], className="state-mark state-good")
    return components.banner("Not done", words)


def act_button(act: str, words: str, kind: str = "", **more: Any) -> html.Button:  # noqa: ANN401 - attributes
    """A button that does something to what the page shows."""
    identity = {"type": ids.ALERTS_ACT, "act": act}
    return html.Button(words, id=identity, type="button", className=f"button {kind}".strip(), **more)


def fact(term: str, value: Children) -> html.Div:
    """A name with its value, within a list of such."""
    return html.Div([html.Dt(term), html.Dd(value)], className="alerts-fact")


def facts(rows: Sequence[tuple[str, Children]]) -> html.Dl:
    """Names with their values."""
    return html.Dl([fact(term, value) for term, value in rows], className="alerts-facts")


def quiet(words: str) -> html.P:
    """A remark of second rank."""
    return html.P(words, className="quiet")
