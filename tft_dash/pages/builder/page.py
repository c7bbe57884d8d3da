"""The builder's page: head, timeline, the form's groups as tabs, and the preview beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import dash_bootstrap_components as dbc
from dash import dcc, html

from tft_dash import components, ids
from tft_dash.figures.plot import graph
from tft_dash.pages.builder.answers import run_panel
from tft_dash.pages.builder.form import frame

GROUPS: Final = (
    ("story", "Story"),
    ("fleet", "Fleet"),
    ("timeline", "Phases"),
    ("faults", "Faults"),
    ("clock", "Clock and seed"),
    ("document", "Document"),
)
STORES: Final = (
    ids.BUILDER_BEGUN,
    ids.BUILDER_STRUCTURE,
    ids.BUILDER_FORMED,
    ids.BUILDER_REQUEST,
    ids.BUILDER_ANSWER,
    ids.BUILDER_TASK,
    ids.BUILDER_RESULT,
    ids.BUILDER_RUN_TASK,
    ids.BUILDER_RUN_RESULT,
)


def layout(start: Mapping[str, Any], models: Sequence[tuple[str, str]]) -> html.Div:
    """The page before its script has drawn the document.

    :param start: the document and what is known of it, for the script: ``key`` (None = not saved yet), ``document``,
        ``version``, ``preset``, ``author``, ``updated``, ``base`` (the base path), ``run``.
    :param models: ``(name, title)`` of every risk model; the first one is preselected.
    """
    return html.Div(
        [
            dcc.Store(id=ids.BUILDER_START, data=dict(start)),
            *(dcc.Store(id=each) for each in STORES),
            dcc.Download(id=ids.BUILDER_DOWNLOAD),
            _head(start),
            html.Div(id=ids.BUILDER_DRAFT, className="builder-draft", role="status"),
            html.Div([], id=ids.BUILDER_CONFLICT, role="alert"),
            run_panel(),
            _timeline(),
            html.Div([_groups(), _preview(models)], className="builder-columns"),
        ],
        className="builder",
        id=ids.BUILDER_PAGE,
    )


def missing(words: str, library: str) -> html.Div:
    """The page where there is no such scenario.

    :param library: address of the library.
    """
    link = html.A("All scenarios", href=library, className="text-button")
    return html.Div(
        [html.H1("Scenario", className="visually-hidden"), components.banner("This cannot be shown", words), link],
        className="builder",
    )


def _head(start: Mapping[str, Any]) -> html.Div:
    back = html.A(
        [components.icon("left"), "Scenarios"], href=f"{start.get('base', '/')}scenarios", className="back-link"
    )
    title = html.H1("", className="builder-title", **{"data-shows": "title"})
    state = html.Span("", id=ids.BUILDER_STATUS, className="builder-state", role="status")
    mistakes = html.Button("", type="button", className="mistakes", hidden=True, **{"data-act": "mistakes"})
    return html.Div(
        [back, html.Div([title, state, mistakes], className="builder-name"), _buttons()], className="builder-head"
    )


def _buttons() -> html.Div:
    return html.Div(
        [
            _icon("undo", "Undo (Ctrl+Z)", "undo"),
            _icon("redo", "Redo (Ctrl+Y)", "redo"),
            _button("copy", "Save as a copy"),
            html.Details(
                [
                    html.Summary("Export", className="text-button"),
                    html.Div(
                        [_button("export-yaml", "YAML", sound=True), _button("export-json", "JSON", sound=True)],
                        className="menu",
                    ),
                ],
                className="menu-of",
            ),
            html.A("Compare", href="#", className="text-button", **{"data-shows": "compare"}),
            _button("run", "Run", title="Makes the recording of what is on the screen, and opens it", sound=True),
            _button("save", "Save", title="Save (Ctrl+S)", strong=True),
        ],
        className="builder-buttons",
    )


def _button(act: str, words: str, *, title: str = "", strong: bool = False, sound: bool = False) -> html.Button:
    """A button of the head.

    :param sound: it needs a document without mistakes; until then it says what it waits for.
    """
    looks = "text-button button-strong" if strong else "text-button"
    data = {"data-act": act, **({"data-needs-sound": ""} if sound else {})}
    return html.Button(words, type="button", className=looks, title=title or None, **data)


def _icon(act: str, title: str, drawing: str) -> html.Button:
    data = {"data-act": act, "aria-label": title}
    return html.Button(components.icon(drawing), type="button", title=title, className="icon-button", **data)


def _timeline() -> html.Section:
    drawing = html.Div(id=ids.BUILDER_TIMELINE, className="timeline")
    aside = html.Label(
        [
            html.Span("Moving the end", className="field-label"),
            dbc.Select(
                id="builder-end-rule",
                options=[
                    {"value": "extend", "label": "moves the last phase's end"},
                    {"value": "scale", "label": "scales the whole drill"},
                ],
                value="extend",
                size="sm",
            ),
        ],
        className="field",
    )
    return components.card("Timeline", aside, drawing, name="timeline")


def _groups() -> html.Div:
    tabs = [
        html.Button(
            [title, html.Span("", className="tab-count")],
            id=f"builder-tab-{name}",
            type="button",
            role="tab",
            className="tab",
            **{"data-tab": name, "aria-controls": f"builder-group-{name}", "aria-selected": "false"},
        )
        for name, title in GROUPS
    ]
    author = html.Label(
        [html.Span("Your name", className="field-label"), dbc.Input(id="builder-author", type="text", maxlength=120)],
        className="field field-author",
    )
    return html.Div(
        [
            html.Div([html.Div(tabs, className="tabs", role="tablist", **{"aria-label": "Parts of the document"})]),
            html.Div(frame(), id=ids.BUILDER_FORM, className="groups"),
            _document(),
            author,
        ],
        className="builder-form",
    )


def _document() -> html.Section:
    words = "The whole document as text. Change it here, or paste another one; YAML and JSON are both read."
    text = html.Label(
        [
            html.Span("Document", className="bf-label"),
            dbc.Textarea(id=ids.BUILDER_TEXT, rows=24, spellcheck=False, className="document-text"),
        ],
        className="bf-name",
    )
    return html.Section(
        [
            html.H2("Document", className="group-title"),
            html.P(words, className="group-note"),
            text,
            html.Div([], id=ids.BUILDER_TEXT_PROBLEMS, role="alert"),
            html.Div([_button("apply-text", "Apply"), _button("revert-text", "Take back")], className="bf-adds"),
        ],
        id="builder-group-document",
        className="group",
        role="tabpanel",
        hidden=True,
        **{"data-group": "document", "aria-labelledby": "builder-tab-document"},
    )


def _preview(models: Sequence[tuple[str, str]]) -> html.Aside:
    model = components.select(ids.BUILDER_MODEL, "Model", models, models[0][0] if models else None)
    head = html.Div(
        [
            html.H2("Preview", className="card-title"),
            model,
            html.Div([], id=ids.BUILDER_MODEL_NOTE, className="model-note"),
        ],
        className="preview-head",
    )
    keys = html.Div(
        [
            html.Span("within 30 min", className="key key-prob-30m"),
            html.Span("within 8 h", className="key key-prob-8h"),
        ],
        className="keys",
    )
    figures = [
        _figure("Intensity", [], ids.BUILDER_INTENSITY),
        _figure("Incident probability", keys, ids.BUILDER_OUTLOOK),
        _figure("Affected servers", [], ids.BUILDER_METRICS),
    ]
    stale = html.P("The preview shows the last document without mistakes.", className="preview-stale")
    return html.Aside(
        [head, stale, html.Div([], id=ids.BUILDER_NOTICE), *figures, html.Div([], id=ids.BUILDER_OUTCOMES)],
        className="preview",
        **{"aria-label": "Preview"},
    )


def _figure(title: str, aside: Any, component_id: str) -> html.Div:  # noqa: ANN401 - Dash components
    head = html.Div([html.H3(title, className="preview-title"), aside], className="preview-figure-head")
    place = html.Div(graph(component_id, zoom=False), className=f"preview-plot preview-{component_id}")
    return html.Div([head, place], className="preview-figure")
