"""The library of scenarios: presets and the team's own drills as cards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

import dash_bootstrap_components as dbc
from dash import dcc, html

from tft_dash import components, ids
from tft_dash.errors import shorten
from tft_dash.scenarios.document import Scenario

Children = Any
WIDTH, HEIGHT = 200.0, 48.0
LINES: Final = 8
"""So many faults with a span of their own are drawn in a picture."""
DESCRIBED: Final = 180
"""So many characters of a description stand on a card."""
SHELVES: Final = (("all", "All"), ("own", "The team's"), ("preset", "Presets"), ("archived", "Archived"))


@dataclass(frozen=True, slots=True)
class Card:
    """A scenario as its card shows it.

    :param shelf: ``own``, ``preset`` or ``archived``.
    :param changed: when and by whom it was saved, in words; "" for a preset.
    """

    key: str
    shelf: str
    version: int
    scenario: Scenario
    changed: str


def layout(cards: Sequence[Card], base: str) -> html.Div:
    """The page.

    :param base: the base path of the app, with a slash at its end.
    """
    stores = [dcc.Store(id=ids.SCENARIOS_START, data={"base": base})]
    stores += [dcc.Store(id=each) for each in (ids.SCENARIOS_BEGUN, ids.SCENARIOS_REQUEST, ids.SCENARIOS_ANSWER)]
    return html.Div(
        [
            *stores,
            html.Div([html.H1("Scenarios", className="library-title"), _ways_in(base)], className="library-head"),
            _search(),
            html.Div([], id=ids.SCENARIOS_NOTE, role="alert"),
            html.Div(shelf(cards, base), id=ids.SCENARIOS_LIST),
            html.P("Nothing matches the search.", className="library-empty", hidden=True),
            html.Div(id="scenarios-deleted", className="library-deleted"),
            html.Div(id=ids.SCENARIOS_TOAST, className="toast-place", role="status"),
        ],
        className="library",
        id=ids.SCENARIOS_PAGE,
    )


def shelf(cards: Sequence[Card], base: str) -> Children:
    """All cards, those to be filtered out by the browser too."""
    return html.Ul([_card(card, base) for card in cards], className="library-cards")


def refused(problems: Sequence[tuple[str, Sequence[tuple[str, str]]]]) -> Children:
    """What is wrong with the files that were not imported.

    :param problems: ``(file, (path, message) …)`` each.
    """
    return [
        html.Div(
            [
                components.icon("alert"),
                html.Div(
                    [
                        html.Strong(f"{shorten(name)} was not imported"),
                        html.Ul([html.Li([html.Code(shorten(path, 120)), " ", words]) for path, words in found]),
                    ],
                    className="banner-text",
                ),
            ],
            className="banner banner-error",
        )
        for name, found in problems
    ]


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
            dbc.Input(id=ids.SCENARIOS_SEARCH, type="search", placeholder="title, tag, owner"),
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


def _card(card: Card, base: str) -> html.Li:
    scenario, spec = card.scenario, card.scenario.spec
    metadata = scenario.metadata
    words = [scenario.title, scenario.name, card.key, metadata.owner or "", *metadata.tags, metadata.description]
    art = quote(picture(scenario), safe="")
    drawing = html.Div(
        className="library-picture",
        style={"--picture": f'url("data:image/svg+xml,{art}")'},
        role="img",
        **{"aria-label": f"Intensity: {', '.join(phase.name for phase in spec.story[:6])}"},
    )
    servers = "1 server" if spec.fleet.size == 1 else f"{spec.fleet.size:,} servers"
    size = f"{servers} × {components.span_words(spec.clock.duration)}"
    facts = [size, *([f"owner {metadata.owner}"] if metadata.owner else []), *([card.changed] if card.changed else [])]
    title = html.H2(html.A(scenario.title, href=f"{base}scenarios/{card.key}"), className="library-name")
    return html.Li(
        html.Article(
            [
                drawing,
                html.Div([title, _marks(card)], className="library-top"),
                html.Div([html.Code(scenario.name), *(html.Span(fact) for fact in facts)], className="library-facts"),
                html.P(_begun(metadata.description), className="library-words"),
                html.Div([html.Span(tag, className="tag") for tag in metadata.tags], className="library-tags"),
                _buttons(card, base),
                _renaming(card),
            ],
            className="library-card",
        ),
        **{
            "data-key": card.key,
            "data-shelf": card.shelf,
            "data-version": str(card.version),
            "data-title": scenario.title,
            "data-search": " ".join(words).casefold(),
        },
    )


def _begun(text: str) -> str:
    """The beginning of a description, to a word's end."""
    return text if len(text) <= DESCRIBED else f"{text[:DESCRIBED].rsplit(' ', 1)[0]} …"


def _marks(card: Card) -> html.Div:
    marks = [html.Span("unsaved changes", className="tag tag-warning", hidden=True, **{"data-draft-of": card.key})]
    if card.shelf == "preset":
        marks.append(html.Span("preset", className="tag", title="It comes with the app and stays as it is."))
    if card.shelf == "archived":
        marks.append(html.Span("archived", className="tag"))
    return html.Div(marks, className="library-marks")


def _buttons(card: Card, base: str) -> html.Div:
    address = f"{base}api/v1/scenarios/{card.key}?format="
    files = [html.A(words, href=f"{address}{name}", download="", className="text-button") for name, words in _FORMATS]
    export = html.Details(
        [html.Summary("Export", className="text-button"), html.Div(files, className="menu")], className="menu-of"
    )
    own = []
    if card.shelf != "preset":
        put_away = ("unarchive", "Take out of the archive") if card.shelf == "archived" else ("archive", "Archive")
        own = [_icon("rename", "Rename", "pen"), _icon(*put_away, "box"), _icon("delete", "Delete", "bin")]
    return html.Div(
        [
            html.A(
                "Open",
                href=f"{base}scenarios/{card.key}",
                className="text-button",
                **{"aria-label": f"Open {card.scenario.title}"},
            ),
            _icon("duplicate", "Duplicate", "copy"),
            *own,
            export,
        ],
        className="library-buttons",
    )


_FORMATS: Final = (("yaml", "YAML"), ("json", "JSON"))


def _icon(act: str, words: str, drawing: str) -> html.Button:
    data: Mapping[str, str] = {"data-act": act, "aria-label": words}
    return html.Button(components.icon(drawing), type="button", title=words, className="icon-button", **data)


def _renaming(card: Card) -> Children:
    if card.shelf == "preset":
        return None
    fields = [
        html.Label(
            [
                html.Span(words, className="bf-label"),
                dbc.Input(id={"type": f"scenarios-{name}", "key": card.key}, type="text", value=value, maxlength=200),
            ],
            className="bf-name",
        )
        for name, words, value in (("title", "Title", card.scenario.title), ("name", "Name", card.scenario.name))
    ]
    buttons = [
        html.Button(words, type="button", className="text-button", **{"data-act": act})
        for act, words in (("rename-save", "Save"), ("rename-cancel", "Cancel"))
    ]
    return html.Div([*fields, html.Div(buttons, className="bf-adds")], className="library-renaming", hidden=True)
