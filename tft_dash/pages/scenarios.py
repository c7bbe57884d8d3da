"""The library of scenarios: presets and the team's own drills as cards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import dash_bootstrap_components as dbc
from dash import dcc, html

from tft_dash import components, ids
from tft_dash.errors import shorten
from tft_dash.scenarios.document import Scenario

Children = Any
WIDTH, HEIGHT = 200.0, 48.0
LINES: Final = 8
"""So many faults with a span of their own are drawn in a picture."""
SHELVES: Final = (
    ("all", "All"), ("own", "The team's"), ("preset", "Presets"), ("archived", "Archived"), ("deleted", "Deleted"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Card:
    """A scenario as its card shows it.

    :param shelf: ``own``, ``preset``, ``archived`` or ``deleted``.
    :param changed: when and by whom it was saved, in words; "" for a preset.
    """

    key: str
    shelf: str
    version: int
    scenario: Scenario
    changed: str


def layout(shown: Mapping[str, Any], base: str, note: Children = None) -> html.Div:
    """The page.

    :param shown: what :func:`shelf` gives.
    :param base: the base path of the app, with a slash at its end.
    :param note: what is wrong with the library, if anything is.
    """
    stores = [dcc.Store(id=ids.SCENARIOS_CARDS, data=shown)]
    stores += [dcc.Store(id=each) for each in (ids.SCENARIOS_BEGUN, ids.SCENARIOS_REQUEST, ids.SCENARIOS_ANSWER)]
    return html.Div(
        [
            *stores,
            html.Div([html.H1("Scenarios", className="page-title"), _ways_in(base)], className="library-head"),
            _search(),
            html.Div(note or [], id=ids.SCENARIOS_NOTE, role="alert"),
            html.P("", id=ids.SCENARIOS_FOUND, className="library-found", role="status"),
            # The script fills this one; Dash never writes to it.
            html.Ul([], id=ids.SCENARIOS_LIST, className="library-cards"),
            html.Div(id=ids.SCENARIOS_TOAST, className="toast-place", role="status"),
        ],
        className="library",
        id=ids.SCENARIOS_PAGE,
    )


def shelf(cards: Sequence[Card], stamp: str) -> dict[str, Any]:
    """What the page's script draws the cards from.

    :param stamp: says whether the library has changed since.
    """
    return {"stamp": stamp, "cards": [_facts(card) for card in cards]}


def _facts(card: Card) -> dict[str, Any]:
    scenario, spec = card.scenario, card.scenario.spec
    metadata = scenario.metadata
    servers = "1 server" if spec.fleet.size == 1 else f"{spec.fleet.size:,} servers"
    return {
        "key": card.key,
        "shelf": card.shelf,
        "version": card.version,
        "title": scenario.title,
        "name": scenario.name,
        "owner": metadata.owner or "",
        "size": f"{servers} × {components.span_words(spec.clock.duration)}",
        "changed": card.changed,
        "words": metadata.description,
        "tags": list(metadata.tags),
        "picture": picture(scenario),
        "alt": f"Intensity: {', '.join(phase.name for phase in spec.story[:6])}",
    }


def refused(problems: Sequence[tuple[str, Sequence[tuple[str, str]]]]) -> Children:
    """What is wrong with the files that were not imported.

    :param problems: ``(file, (path, message) …)`` each.
    """
    words = "Dismiss" if len(problems) == 1 else "Dismiss all"
    dismiss = html.Button(words, type="button", className="text-button", **{"data-act": "dismiss"})
    return [_refused(name, found, None if place else dismiss) for place, (name, found) in enumerate(problems)]


def _refused(name: str, found: Sequence[tuple[str, str]], dismiss: Children) -> html.Div:
    told = [html.Li([html.Code(shorten(path, 120)), " ", words]) for path, words in found]
    title = html.Strong([html.Bdi(shorten(name)), " was not imported"])
    words = html.Div([title, html.Ul(told)], className="banner-text")
    return html.Div([components.icon("alert"), words, dismiss], className="banner banner-error")


def picture(scenario: Scenario) -> str:
    """The intensity of a scenario as an SVG: the story as a filled line, faults with a span of their own as thin ones.

    Its colour is the text's, since it is used as a mask.
    """
    spec = scenario.spec
    whole = spec.clock.duration
    story = [point for phase in spec.story for point in _along(phase.begin, phase.end, phase.intensity.line, whole)]
    shapes = [
        f'<path d="M0 {HEIGHT:g}L{_joined(story)}L{WIDTH:g} {HEIGHT:g}Z" fill-opacity=".3"/>',
        f'<path d="M{_joined(story)}" fill="none" stroke="#000" stroke-width="2" vector-effect="non-scaling-stroke"/>',
    ]
    own = [fault for fault in spec.faults if not fault.follows_phases][:LINES]
    for fault in own:
        begin, end = fault.begin or 0.0, whole if fault.end is None else fault.end
        line = ((0.0, 1.0), (1.0, 1.0)) if fault.intensity is None else fault.intensity.line
        path = _joined(_along(begin, end, line, whole))
        shapes.append(
            f'<path d="M{path}" fill="none" stroke="#000" stroke-opacity=".45" vector-effect="non-scaling-stroke"/>'
        )
    size = f'viewBox="0 -2 {WIDTH:g} {HEIGHT + 4:g}" preserveAspectRatio="none"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}>{"".join(shapes)}</svg>'


def _along(begin: float, end: float, line: Sequence[tuple[float, float]], whole: float) -> list[tuple[float, float]]:
    return [((begin + at * (end - begin)) / whole * WIDTH, HEIGHT * (1 - value)) for at, value in line]


def _joined(points: Sequence[tuple[float, float]]) -> str:
    return "L".join(f"{across:.1f} {down:.1f}" for across, down in points)


def _ways_in(base: str) -> html.Div:
    author = html.Label(
        [
            html.Span("Your name", className="field-label"),
            dbc.Input(id=ids.SCENARIOS_AUTHOR, type="text", maxlength=120, autocomplete="name"),
        ],
        className="field field-author",
    )
    load = html.Button(
        [components.icon("upload"), "Import"],
        id=ids.SCENARIOS_IMPORT,
        type="button",
        className="text-button",
        title="Import documents: YAML or JSON. They can be dropped on the page, too.",
    )
    new = html.A(
        [components.icon("plus"), "New drill"], href=f"{base}scenarios/new", className="text-button button-strong"
    )
    return html.Div([author, load, new], className="library-ways")


def _search() -> html.Div:
    search = html.Label(
        [
            html.Span("Search", className="field-label"),
            dbc.Input(id=ids.SCENARIOS_SEARCH, type="search", placeholder="title, name, tag, owner"),
        ],
        className="field field-search",
    )
    buttons = [
        html.Button(
            [words, html.Span("", className="tab-count")],
            type="button",
            className="tab",
            **{"data-shelf": name, "aria-pressed": "true" if name == "all" else "false"},
        )
        for name, words in SHELVES
    ]
    shelves = html.Div(
        buttons, id=ids.SCENARIOS_FILTER, className="tabs", role="group", **{"aria-label": "Which scenarios"}
    )
    return html.Div([search, shelves], className="library-search")
