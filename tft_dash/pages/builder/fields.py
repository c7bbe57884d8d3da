"""The form's fields: each holds one value of the document, named by its path; problems stand below it.

The browser owns the document. A field says by ``data-path`` where its value belongs and by ``data-kind`` how its text
becomes that value: ``number``, ``list`` (words between commas) or plain text. A shape says how a part is written;
another one changes the form.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

import dash_bootstrap_components as dbc
from dash import html
from pydantic import BaseModel

from tft_dash import components, ids

Children = Any
Group = Mapping[str, Any]

NOTHING: Final[Group] = MappingProxyType({})
LEFT_OUT: Final = " "
"""A list's choice that leaves the field out; no name in a document can be a space."""


def group(value: object, name: str) -> Group:
    """The group of fields called ``name``; an empty one where the document has something else."""
    inner = value.get(name) if isinstance(value, Mapping) else None
    return inner if isinstance(inner, Mapping) else NOTHING


def entries(value: object, name: str) -> list[Any]:
    """The list called ``name``; an empty one where the document has something else."""
    inner = value.get(name) if isinstance(value, Mapping) else None
    return list(inner) if isinstance(inner, list | tuple) else []


def written(value: object) -> str:
    """A document's value as its author would type it."""
    if value is None or isinstance(value, Mapping):
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, list | tuple):
        return ", ".join(written(entry) for entry in value)
    return str(value)


def help_of(model: type[BaseModel], name: str) -> str:
    """What the format says of a field."""
    return model.model_fields[name].description or ""


def field(
    path: str, label: str, value: object, *, kind: str = "text", unit: str = "", usual: str = "", hint: str = ""
) -> html.Div:
    """One line of text.

    :param kind: ``text``, ``wide``, ``short``, ``number`` or ``list``.
    :param usual: what holds when it is left empty.
    """
    control = dbc.Input(
        id={"type": ids.BUILDER_FIELD, "path": path},
        type="text",
        value=written(value),
        placeholder=f"{usual} (usual)" if usual else "",
        inputmode="decimal" if kind == "number" else "text",
        autocomplete="off",
    )
    return _place(path, [label, html.Span(f" {unit}", className="bf-unit") if unit else ""], control, kind, hint)


def text_area(path: str, label: str, value: object, *, hint: str = "") -> html.Div:
    """Several lines of text."""
    control = dbc.Textarea(id={"type": ids.BUILDER_FIELD, "path": path}, value=written(value), rows=3)
    return _place(path, label, control, "wide", hint)


def choice(path: str, label: str, value: object, options: Sequence[tuple[str, str]], *, hint: str = "") -> html.Div:
    """One of several words; the document's own word is offered too when it is none of them."""
    return _place(path, label, _select(path, value, options), "text", hint)


def shape(path: str, label: str, value: str, options: Sequence[tuple[str, str]], *, name: str) -> html.Div:
    """How a part of the document is written; another choice changes which fields there are.

    :param name: which kind of part: ``curve``, ``selector``, ``effect``, ``span``, ``check``, ``top`` or ``metric``.
    """
    control = dbc.Select(
        id={"type": ids.BUILDER_FIELD, "path": f"{path}#{name}"},
        options=[{"value": each, "label": text} for each, text in options],
        value=value,
        size="sm",
    )
    return html.Div(
        html.Label([html.Span(label, className="bf-label"), control], className="bf-name"),
        className="bf bf-shape",
        **{"data-shape": name, "data-of": path},
    )


def problem(path: str) -> html.P:
    """Where what is wrong with the value at ``path`` is written."""
    return html.P(className="bf-problem", id=f"builder-problem-{path}", **{"data-problem": path})


def action(act: str, path: str, words: str, *, drawing: str = "", **more: str) -> html.Button:
    """A button that changes the document's structure; with a drawing, its words are read out and shown on hover."""
    data = {"data-act": act, "data-of": path, **{f"data-{name}": value for name, value in more.items()}}
    if drawing:
        data["aria-label"] = words
        return html.Button(components.icon(drawing), type="button", title=words, className="icon-button", **data)
    return html.Button([components.icon("plus"), words], type="button", className="text-button bf-add", **data)


def item(
    path: str, title: str, place: tuple[int, int], content: Children, *, what: str, more: Children = None
) -> html.Fieldset:
    """One entry of a list, with its own buttons.

    :param place: its number, and how many there are.
    :param what: what it is, for the buttons' words.
    """
    number, count = place
    listed, _, _ = path.rpartition("[")
    at = {"at": str(number)}
    buttons = [
        action("up", listed, f"Move {what} up", drawing="up", **at) if number else None,
        action("down", listed, f"Move {what} down", drawing="chevron", **at) if number + 1 < count else None,
        action("copy", listed, f"Duplicate {what}", drawing="copy", **at),
        action("remove", listed, f"Remove {what}", drawing="bin", **at),
    ]
    head = html.Div([html.Span(title, className="item-title"), more, html.Div(buttons, className="item-buttons")])
    head.className = "item-head"
    return html.Fieldset(
        [html.Legend(f"{what} {number + 1}", className="visually-hidden"), head, problem(path), html.Div(content)],
        className="item",
        **{"data-item": path},
    )


def section(name: str, title: str, content: Children, *, paths: Sequence[str]) -> html.Section:
    """One group of the form; problems of ``paths`` that have no field of their own stand at its head."""
    places = html.Div([problem(path) for path in paths], className="group-problems")
    return html.Section(
        [html.H2(title, className="group-title"), places, *content],
        id=f"builder-group-{name}",
        className="group",
        role="tabpanel",
        **{"data-group": name, "aria-labelledby": f"builder-tab-{name}"},
    )


def row(*parts: Children) -> html.Div:
    """Fields side by side, as many as there is room for."""
    return html.Div([part for part in parts if part is not None], className="bf-row")


def folded(title: str, content: Children, *, is_open: bool = False) -> html.Details:
    """What is rarely needed."""
    return html.Details([html.Summary(title), html.Div(content)], open=is_open, className="bf-more")


def _select(path: str, value: object, options: Sequence[tuple[str, str]]) -> dbc.Select:
    text = written(value)
    known = [each for each, _ in options]
    offered = [*options, *([(text, text)] if text and text not in known else [])]
    return dbc.Select(
        id={"type": ids.BUILDER_FIELD, "path": path},
        options=[{"value": each, "label": words} for each, words in offered],
        value=text or LEFT_OUT,
        size="sm",
    )


def _place(path: str, label: Children, control: Children, kind: str, hint: str) -> html.Div:
    return html.Div(
        [
            html.Label([html.Span(label, className="bf-label"), control], className="bf-name", title=hint or None),
            problem(path),
        ],
        className=f"bf bf-{kind}",
        **{"data-path": path, "data-kind": kind},
    )
