"""What the server says beside the form: outcomes, what the preview covers, a run's progress, a conflict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from dash import html

from tft_dash import components, ids
from tft_dash.errors import shorten

Children = Any
VERDICTS: Final = {True: ("green", "holds"), False: ("red", "broken"), None: ("unknown", "not judged")}
SHOWN_VALUE: Final = 80


def verdict(ok: bool | None) -> html.Span:
    """Whether an expectation holds: icon, word and colour."""
    band, word = VERDICTS[ok]
    return html.Span([components.icon(f"health-{band}"), word], className=f"judged judged-{band}")


def outcomes(results: Sequence[tuple[str, str, bool | None]]) -> Children:
    """Every expectation with its verdict.

    :param results: ``(expectation in words, what was measured, whether it holds)``.
    """
    if not results:
        return html.P("This drill expects nothing yet; add expectations to the story.", className="group-note")
    items = [
        html.Li(
            [verdict(ok), html.Span(words, className="outcome-words"), html.Span(measured, className="outcome-value")]
        )
        for words, measured, ok in results
    ]
    broken = sum(ok is False for *_, ok in results)
    count = f"{len(results) - broken} of {len(results)} not broken" if broken else f"{len(results)}, none broken"
    head = html.Div(
        [html.H3("Expectations", className="preview-title"), html.Span(count)], className="preview-figure-head"
    )
    return html.Div([head, html.Ul(items, className="outcomes")], className="preview-figure")


def mistakes(problems: Sequence[tuple[str, str]], title: str) -> Children:
    """Every mistake of a text with its path."""
    items = [html.Li([html.Code(shorten(path, 120)), " ", words]) for path, words in problems]
    return html.Div(
        [components.icon("alert"), html.Div([html.Strong(title), html.Ul(items)], className="banner-text")],
        className="banner banner-error",
    )


def run_panel() -> html.Div:
    """Where a run's progress is told. Its parts stay what they are, so that a button can be pressed at any moment."""
    bar = html.Div(
        html.Div(id=ids.BUILDER_RUN_BAR, className="run-bar"),
        className="run-track",
        role="progressbar",
        **{"aria-valuenow": "0", "aria-valuemin": "0", "aria-valuemax": "100", "aria-label": "Progress of the run"},
    )
    acts = [
        html.Button(words, type="button", className="text-button", **{"data-act": act})
        for act, words in (("cancel-run", "Cancel"), ("close-run", "Close"))
    ]
    link = html.A("Open the live monitor", id=ids.BUILDER_RUN_LINK, href="", className="text-button button-strong")
    return html.Div(
        [
            components.icon("hourglass"),
            html.Span("", id=ids.BUILDER_RUN_WORDS, className="run-words", role="status"),
            bar,
            html.Div([link, *acts], className="run-buttons"),
        ],
        id=ids.BUILDER_RUN,
        className=run_class("none"),
    )


def run_class(state: str) -> str:
    """How the panel looks: the style sheet shows what belongs to a run in this state; ``none`` = no run."""
    return f"banner banner-{'error' if state == 'failed' else 'info'} run run-{state}"


def conflict(who: str, theirs: Sequence[tuple[str, str, str]], mine: Sequence[tuple[str, str, str]]) -> Children:
    """Somebody saved meanwhile: what they changed, what you changed, and the three ways on.

    :param who: who saved which version when, as a sentence.
    :param theirs: ``(path, before, after)`` of what they changed; ``mine`` likewise.
    """
    words = (
        "Nothing was overwritten. Take theirs, and yours is put aside in this browser; save yours over theirs, and "
        "theirs stays in the history."
    )
    buttons = [
        ("take-theirs", "Take theirs"),
        ("save-copy", "Save mine as a copy"),
        ("save-over", "Save mine over theirs"),
    ]
    return html.Div(
        [
            html.Div([components.icon("alert"), html.Strong(who)], className="conflict-head"),
            html.P(words),
            html.Div([_changes("They changed", theirs), _changes("You changed", mine)], className="conflict-sides"),
            html.Div(
                [
                    html.Button(text, type="button", className="text-button", **{"data-act": act})
                    for act, text in buttons
                ],
                className="bf-adds",
            ),
        ],
        className="conflict card-box",
        tabIndex="-1",
    )


def _changes(title: str, changes: Sequence[tuple[str, str, str]]) -> html.Div:
    head = html.Thead(html.Tr([html.Th("Where"), html.Th("Before"), html.Th("After")]))
    rows = [html.Tr([html.Td(html.Code(path)), html.Td(before), html.Td(after)]) for path, before, after in changes]
    table = html.Table([head, html.Tbody(rows)], className="changes")
    content = table if rows else html.P("Nothing.", className="group-note")
    return html.Div([html.H3(title, className="preview-title"), content], className="conflict-side")


def shown(value: object) -> str:
    """A value of a document, short enough for a table."""
    if value is None:
        return "—"
    if isinstance(value, Mapping):
        return shorten("; ".join(f"{name}: {shown(inner)}" for name, inner in value.items()), SHOWN_VALUE)
    if isinstance(value, list | tuple):
        return shorten(", ".join(shown(inner) for inner in value), SHOWN_VALUE)
    return shorten(str(value), SHOWN_VALUE)
