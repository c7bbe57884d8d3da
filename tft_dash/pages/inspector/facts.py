"""What the source is, in numbers: rows, servers, span, step and jitter, size, digest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dash import html

from tft_dash import components
from tft_dash.pages.inspector.page import section
from tft_dash.pages.wording import size_words, span, whole


def facts(found: Mapping[str, Any], scanned: str) -> html.Section:
    """The facts of a report that are known.

    :param found: as :class:`tft_dash.sources.report.Report` has them.
    :param scanned: how much of it was read, in words.
    """
    shown: list[tuple[str, Any]] = [
        ("Rows", whole(found.get("rows"))),
        ("Servers", whole(found.get("servers"))),
        ("Ticks", whole(found.get("ticks"))),
        ("From", _time(found.get("start"))),
        ("To", _time(found.get("end"))),
        ("Span", span(found.get("span_seconds"))),
        ("Step", _seconds(found.get("step_seconds"))),
        ("Jitter", _jitter(found.get("jitter_seconds"))),
        ("Size", size_words(found.get("size_bytes"))),
        ("Format", _format(found)),
        ("Scanned", scanned),
    ]
    items = [_fact(label, value) for label, value in shown if value is not None]
    if found.get("digest"):
        items.append(_digest(str(found["digest"])))
    return section("Source", html.Dl(items, className="facts"))


def _fact(label: str, value: Any) -> html.Div:  # noqa: ANN401 - text or components
    return html.Div([html.Dt(label), html.Dd(value)], className="fact-item")


def _digest(digest: str) -> html.Div:
    copy = html.Button(
        components.icon("copy"),
        type="button",
        className="icon-button",
        title="Copy the digest",
        **{"data-copy": digest, "aria-label": "Copy the digest"},
    )
    return html.Div(
        [html.Dt("SHA-256"), html.Dd([html.Code(digest, title=digest), copy], className="digest")],
        className="fact-item fact-digest",
    )


def _time(text: object) -> str | None:
    return None if text is None else str(text).replace("T", " ").replace("Z", " UTC")


def _seconds(value: float | None) -> str | None:
    return None if value is None else f"{value:g} s" if value < 120 else span(value)


def _jitter(value: float | None) -> str | None:
    if value is None:
        return None
    return "none" if not value else f"{value:.3g} s"


def _format(found: Mapping[str, Any]) -> str | None:
    files = found.get("files")
    return f"{found['format']}, {files:,} {'file' if files == 1 else 'files'}" if "format" in found and files else None
