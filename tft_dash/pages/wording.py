"""Numbers, sizes and times as the pages write them, and a state as an icon with its word."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from dash import html

from tft_dash import components
from tft_dash.errors import shorten

DASH: Final = "—"
"""Stands where nothing is known."""

CALIBRATE: Final = "tft-dash calibrate RECORDING --for SOURCE --outcomes outcomes.csv"
"""Fits a model's probabilities to what people have said of a live source's problems."""

_SIZES: Final = ((1e9, "GB"), (1e6, "MB"), (1e3, "kB"))
_ICONS: Final = {
    "good": "health-green",
    "warning": "health-yellow",
    "bad": "health-red",
    "working": "hourglass",
    "unknown": "health-unknown",
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is known of a dataset.

    :param kind: ``good``, ``warning``, ``bad``, ``working`` or ``unknown``: the icon and the colour.
    :param words: the state in words; colour never says it alone.
    """

    kind: str
    words: str


def mark(verdict: Verdict, *, title: str | None = None) -> html.Span:
    """A verdict as an icon and its words."""
    hint = {} if title is None else {"title": shorten(title, 400)}
    return html.Span(
        [components.icon(_ICONS[verdict.kind]), html.Span(verdict.words)],
        className=f"state-mark state-{verdict.kind}",
        **hint,
    )


def size_words(count: int | None) -> str:
    """Bytes in the unit that reads best."""
    if count is None:
        return DASH
    for size, word in _SIZES:
        if count >= size:
            return f"{count / size:.1f} {word}"
    return f"{count:,} bytes"


def whole(count: int | None) -> str:
    """A count with thousands marked."""
    return DASH if count is None else f"{count:,}"


def plural(count: int, word: str) -> str:
    """``1 error``, ``2 errors``."""
    return f"{count:,} {word}" if count == 1 else f"{count:,} {word}s"


def span(seconds: float | None) -> str:
    """A length of time in one unit."""
    return DASH if seconds is None else components.span_words(seconds)


def day(moment: float | None) -> str:
    """A moment (seconds since 1970) as date and time in UTC."""
    if moment is None:
        return DASH
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d %H:%M")


def share(value: float | None) -> str:
    """A share in percent, never rounded to nothing or to all; a dash where there is none."""
    if value is None:
        return DASH
    percent = 100 * value
    if 0 < percent < 0.1:
        return "<0.1%"
    if 99.9 < percent < 100:
        return ">99.9%"
    return f"{percent:.0f}%" if percent == round(percent) else f"{percent:.1f}%"


def number(value: float | None) -> str:
    """A measured value to four digits."""
    if value is None or math.isnan(value):
        return DASH
    if value != 0 and (abs(value) >= 1e7 or abs(value) < 1e-3):
        return f"{value:.3g}"
    return f"{value:,.0f}" if value == round(value) else f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.1f}"
