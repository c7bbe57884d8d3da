"""What a drill says of itself: its phases, the servers its story affects, its metadata and its document."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from dash import html

from tft_dash.pages.inspector.page import section

_NAMES_SHOWN: Final = 60


@dataclass(frozen=True, slots=True)
class Drill:
    """What lies beside a recording, or in it, that a generator wrote.

    :param simulated: whether a generator made the recording.
    :param title: for people; empty when there is none.
    :param facts: ``(label, value)`` for people.
    :param phases: ``(name, from, to)`` in words.
    :param labels: label columns, and the file of labels beside the recording.
    :param label_document: what that file says.
    :param document: the scenario as YAML; empty when it is not known.
    """

    simulated: bool
    title: str
    description: str
    facts: Sequence[tuple[str, str]]
    phases: Sequence[tuple[str, str, str]]
    affected: Sequence[str]
    labels: Sequence[str]
    metadata: str
    label_document: str
    document: str


def drill(found: Drill, base: str, name: str) -> html.Section:
    """The part of the page about the drill."""
    link = None
    if found.document:
        href = f"{base}scenarios/new?from={quote(name, safe='')}"
        link = html.A("Open in the builder", href=href, className="button")
    parts: list[Any] = [
        html.P([html.Strong(html.Bdi(found.title)), html.Br(), html.Bdi(found.description)], className="drill-words")
        if found.title or found.description
        else None,
        _facts(found.facts),
        _phases(found.phases),
        _names("Affected servers", found.affected),
        _names("Labels", found.labels),
        _text("Scenario document", found.document),
        _text("Metadata", found.metadata),
        _text("Labels document", found.label_document),
    ]
    title = "Drill" if found.simulated else "Labels"
    return section(title, html.Div([part for part in parts if part is not None], className="drill"), aside=link)


def _facts(facts: Sequence[tuple[str, str]]) -> Any:  # noqa: ANN401 - a list or nothing
    if not facts:
        return None
    items = [html.Div([html.Dt(label), html.Dd(html.Bdi(value))], className="fact-item") for label, value in facts]
    return html.Dl(items, className="facts")


def _phases(phases: Sequence[tuple[str, str, str]]) -> Any:  # noqa: ANN401 - a table or nothing
    if not phases:
        return None
    heads = html.Tr([html.Th(title, scope="col") for title in ("Phase", "From", "To")])
    rows = [html.Tr([html.Td(html.Bdi(name)), html.Td(start), html.Td(end)]) for name, start, end in phases]
    table = html.Table([html.Thead(heads), html.Tbody(rows)], className="table phases-list")
    return html.Div(table, className="table-box", role="group", tabIndex="0", **{"aria-label": "Phases"})


def _names(title: str, names: Sequence[str]) -> Any:  # noqa: ANN401 - a list or nothing
    if not names:
        return None
    items = [html.Li(html.Bdi(name), className="tag") for name in names[:_NAMES_SHOWN]]
    if len(names) > _NAMES_SHOWN:
        items.append(html.Li(f"and {len(names) - _NAMES_SHOWN:,} more", className="quiet"))
    return html.Div([html.H3(f"{title} ({len(names):,})", className="small-title"), html.Ul(items, className="tags")])


def _text(title: str, text: str) -> Any:  # noqa: ANN401 - a folded text or nothing
    if not text:
        return None
    return html.Details(
        [html.Summary(title), html.Pre(text, className="document", tabIndex="0", **{"aria-label": title})],
        className="fold",
    )
