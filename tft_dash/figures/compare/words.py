"""What a comparison comes to, in words: the difference now, the greatest so far, and whether there is one at all."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from dash import html

from tft_dash import components
from tft_dash.comparing import OVER, Comparison, greatest
from tft_dash.figures.compare.elapsed import axis_of, difference_of
from tft_dash.figures.plot import chance
from tft_dash.frame import SourceDescription
from tft_dash.schema import FloatArray

_SMALLEST: Final = 0.0005
"""Below a twentieth of a point a difference would round to nothing, though it is there."""


def signed(difference: float) -> str:
    """A difference of two probabilities in points: ``+12.5``, ``−3.0``, ``0``; never 0 for one that is there."""
    if difference == 0:
        return "0"
    sign = "+" if difference > 0 else "−"
    return f"{sign}<0.1" if abs(difference) < _SMALLEST else f"{sign}{abs(100 * difference):.1f}"


def summary(comparison: Comparison, horizon: str, instant: int) -> list[Any]:
    """The facts about the difference; nothing in them is of the time after ``instant``."""
    seen = difference_of(comparison, horizon)[: instant + 1]
    peak = greatest(seen)
    most = "—"
    if peak is not None:
        most = f"{signed(peak.difference)} points"
        if peak.difference:
            most += f" at {_time(comparison, peak.instant)}"
    return [
        _fact("Difference now", _now(comparison, seen)),
        _fact("Greatest so far", most),
        html.P(_sentence(comparison, seen), className="compare-sentence"),
    ]


def _now(comparison: Comparison, seen: FloatArray) -> str:
    instant = len(seen) - 1
    if not np.isnan(seen[-1]):
        return f"{signed(float(seen[-1]))} points"
    over = [name for name, ticks in _sides(comparison) if ticks[instant] == OVER]
    return f"none, {over[0]} is over" if over else "none, not enough data"


def _sentence(comparison: Comparison, seen: FloatArray) -> str:
    known = seen[~np.isnan(seen)]
    whole = len(seen) == comparison.instants
    if not len(known):
        return "There is nothing to compare yet: no instant has a probability on both sides."
    if np.all(known == 0):
        where = "at every instant" if whole else "at every instant so far"
        return f"A and B are the same {where}: the difference is exactly zero."
    shares = [("above A", np.mean(known > 0)), ("below A", np.mean(known < 0)), ("the same", np.mean(known == 0))]
    parts = [f"{word} at {_share(float(share))}" for word, share in shares if share]
    return f"B is {', '.join(parts)}{'' if whole else ' so far'}."


def _share(share: float) -> str:
    return "every instant" if share == 1 else f"{chance(share)} of the instants"


def note(comparison: Comparison, a: SourceDescription, b: SourceDescription) -> str:
    """How the two are put on one clock, what a point stands for, and how they differ in length and step."""
    axis = axis_of(comparison)
    step = components.span_words(comparison.step_seconds)
    told = [f"One instant every {step}, counted from each side's own start."]
    if a.step_seconds != b.step_seconds:
        coarse, source = ("A", a) if a.step_seconds > b.step_seconds else ("B", b)
        told.append(
            f"A tick of {coarse} stands for {components.span_words(source.step_seconds)}, so {coarse} holds each tick "
            "until its next one."
        )
    spans = [components.span_words(_span(source)) for source in (a, b)]
    if spans[0] != spans[1]:
        told.append(f"A lasts {spans[0]}, B {spans[1]}: where one is over there is no difference.")
    if axis.bucket > 1:
        told.append(
            f"Each point is the highest of {axis.bucket} instants, and of a difference the one furthest from zero."
        )
    return " ".join(told)


def _span(source: SourceDescription) -> float:
    return (source.ticks or 0) * source.step_seconds


def _sides(comparison: Comparison) -> tuple[tuple[str, Any], tuple[str, Any]]:
    return ("A", comparison.ticks_a), ("B", comparison.ticks_b)


def _time(comparison: Comparison, instant: int) -> str:
    whole = float(comparison.seconds[-1])
    return components.duration(float(comparison.seconds[instant]), whole)


def _fact(label: str, value: str) -> html.Div:
    return html.Div(
        [html.Span(label, className="fact-label"), html.Span(value, className="fact-value")], className="fact"
    )
