"""Lines over time as a drawing that needs no script: for a file that opens anywhere, also years from now.

Colours and type come from classes of the document's style sheet; what a line is is told by its name at its end and its
dashes, not by its colour alone. Every text is escaped.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tft_dash.errors import shorten
from tft_dash.frame import AlertMark
from tft_dash.schema import FloatArray, readable

WIDTH: Final = 960
DASHES: Final = ("", "7 3", "2 3", "9 3 2 3", "4 4", "12 4", "1 4", "6 2 1 2")
"""One for each line; a drawing has at most so many."""
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 150, 18, 26
_LABEL: Final = 22
_LINE_PX: Final = 13
_SYMBOLS: Final = {
    "critical": "M-5 -4h10l-5 9z",
    "warning": "M0 -6l5 6l-5 6l-5 -6z",
    "info": "M-4 0a4 4 0 1 0 8 0a4 4 0 1 0 -8 0",
    "over": "M-4 0a4 4 0 1 0 8 0a4 4 0 1 0 -8 0",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One line.

    :param values: (points,); NaN = a gap.
    """

    name: str
    values: FloatArray


@dataclass(frozen=True, slots=True)
class _Scale:
    first: float
    last: float
    top: float
    height: int

    def x(self, time: float) -> float:
        share = (time - self.first) / (self.last - self.first) if self.last > self.first else 0.5
        return _LEFT + share * (WIDTH - _LEFT - _RIGHT)

    def y(self, value: float) -> float:
        return self.height - _BOTTOM - value / self.top * (self.height - _TOP - _BOTTOM)


def drawing(
    title: str,
    times: NDArray[np.int64],
    lines: Sequence[Line],
    *,
    marks: Sequence[AlertMark] = (),
    percent: bool = False,
    height: int = 220,
) -> str:
    """The drawing as SVG.

    :param title: what it shows, for who cannot see it.
    :param times: (points,) milliseconds since 1970, rising; at least one.
    :param percent: whether values are shares, on an axis from 0 to 100%.
    """
    top = 1.0 if percent else _top([one.values for one in lines])
    scale = _Scale(float(times[0]), float(times[-1]), top, height)
    parts = [
        f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(title)}" class="drawing">',
        *_rows(scale, percent=percent),
        *_hours(scale),
        *(_path(one, times, scale, place) for place, one in enumerate(lines[: len(DASHES)])),
        *_names(lines[: len(DASHES)], scale),
        *(_mark(one, scale) for one in marks if scale.first <= one.time_ms <= scale.last),
        "</svg>",
    ]
    return "".join(parts)


def _top(values: Sequence[FloatArray]) -> float:
    """A round number above everything."""
    known = [float(np.nanmax(one)) for one in values if np.isfinite(one).any()]
    highest = max(known, default=1.0)
    if highest <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(highest))
    return next(step * power for step in (1, 2, 2.5, 5, 10) if step * power >= highest)


def _rows(scale: _Scale, *, percent: bool) -> list[str]:
    found = []
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        value = share * scale.top
        words = f"{100 * value:.0f}%" if percent else readable(value)
        at = scale.y(value)
        found.append(f'<line class="grid" x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{at:.1f}" y2="{at:.1f}"/>')
        found.append(f'<text class="axis" x="{_LEFT - 6}" y="{at + 4:.1f}" text-anchor="end">{escape(words)}</text>')
    return found


def _hours(scale: _Scale) -> list[str]:
    found = []
    for place in range(5):
        time = scale.first + place / 4 * (scale.last - scale.first)
        anchor = ("start", "middle", "middle", "middle", "end")[place]
        words = datetime.fromtimestamp(time / 1000, UTC).strftime("%H:%M:%S" if place else "%Y-%m-%d %H:%M:%S")
        found.append(
            f'<text class="axis" x="{scale.x(time):.1f}" y="{scale.height - 8}" text-anchor="{anchor}">{words}</text>'
        )
    return found


def _path(line: Line, times: NDArray[np.int64], scale: _Scale, place: int) -> str:
    steps: list[str] = []
    pen = "M"
    for time, value in zip(times.tolist(), line.values.tolist(), strict=True):
        if not math.isfinite(value):
            pen = "M"
            continue
        steps.append(f"{pen}{scale.x(time):.1f} {scale.y(value):.1f}")
        pen = "L"
    dash = f' stroke-dasharray="{DASHES[place]}"' if DASHES[place] else ""
    return f'<path class="line line-{place}" d="{"".join(steps)}"{dash}><title>{escape(line.name)}</title></path>'


def _names(lines: Sequence[Line], scale: _Scale) -> list[str]:
    """Each name at the height of its line's end; moved apart where they would cover each other."""
    ends = []
    for place, one in enumerate(lines):
        known = one.values[np.isfinite(one.values)]
        if len(known):
            ends.append((scale.y(float(known[-1])), place, one.name))
    found, free = [], -math.inf
    room = scale.height - 4
    for left, (wanted, place, name) in enumerate(sorted(ends)):
        at = min(max(wanted, free), room - (len(ends) - 1 - left) * _LINE_PX)
        free = at + _LINE_PX
        shown = escape(shorten(name, _LABEL))
        found.append(
            f'<line class="line line-{place}" x1="{WIDTH - _RIGHT + 4}" x2="{WIDTH - _RIGHT + 22}" y1="{at:.1f}" '
            f'y2="{at:.1f}" stroke-dasharray="{DASHES[place]}"/>'
            f'<text class="name" x="{WIDTH - _RIGHT + 26}" y="{at + 4:.1f}">{shown}</text>'
        )
    return found


def _mark(mark: AlertMark, scale: _Scale) -> str:
    at = scale.x(mark.time_ms)
    return (
        f'<g class="mark mark-{escape(mark.kind)}" transform="translate({at:.1f} {_TOP - 8})">'
        f'<path d="{_SYMBOLS[mark.kind]}"/><title>{escape(mark.words)}</title></g>'
    )
