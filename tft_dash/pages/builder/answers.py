"""What the server says beside the form: outcomes, what the preview covers, a run's progress, a conflict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from dash import html

from tft_dash import components
from tft_dash.errors import shorten

Children = Any
VERDICTS: Final = {True: ("green", "holds"), False: ("red", "broken"), None: ("unknown", "not judged")}
SHOWN_VALUE: Final = 80


def verdict(ok: bool | None) -> html.Span:
    """Whether an expectation holds: icon, word and colour."""
    band, word = VERDICTS[ok]
    return html.Span([components.icon(f"health-{band}"), word], className=f"verdict verdict-{band}")


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


def run_progress(state: str, words: str, share: float, *, link: str = "") -> Children:
    """A run's state with its bar and what can be done about it.

    :param link: address of the live monitor on it; "" = it is not there yet.
    """
    percent = round(100 * min(max(share, 0.0), 1.0))
    bar = html.Div(
        html.Div(style={"width": f"{percent}%"}, className="run-bar"),
        className="run-track",
        role="progressbar",
        **{
            "aria-valuenow": str(percent),
            "aria-valuemin": "0",
            "aria-valuemax": "100",
            "aria-label": "Progress of the run",
        },
    )
    going = state in ("queued", "running")
    kind = "error" if state == "failed" else "info"
    buttons = [html.A("Open the live monitor", href=link, className="text-button button-strong")] if link else []
    act, label = ("cancel-run", "Cancel") if going else ("close-run", "Close")
    buttons.append(html.Button(label, type="button", className="text-button", **{"data-act": act}))
    drawing = "hourglass" if going else "alert" if kind == "error" else "flag"
    return html.Div(
        [
            components.icon(drawing),
            html.Span(words, className="run-words", role="status"),
            bar if going else None,
            html.Div(buttons, className="run-buttons"),
        ],
        className=f"banner banner-{kind} run",
    )


def conflict(who: str, theirs: Sequence[tuple[str, str, str]], mine: Sequence[tuple[str, str, str]]) -> Children:
    """Somebody saved meanwhile: what they changed, what you changed, and the three ways on.

    :param who: who saved which version when, as a sentence.
    :param theirs: ``(path, before, after)`` of what they changed; ``mine`` likewise.
    """
    words = "Nothing was overwritten. What you take is yours to undo; what you leave stays in the history."
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
