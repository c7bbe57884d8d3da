"""Tiny drawings of one column, a histogram and a course over time, as SVG in a data address.

The style sheet uses them as masks over the colour of the text, so that one drawing serves both themes and hundreds of
columns cost the browser no figure.
"""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import quote

import numpy as np
from numpy.typing import NDArray

WIDTH: Final = 120
HEIGHT: Final = 28
_EDGE: Final = 2


def histogram(counts: NDArray[Any]) -> str | None:
    """Bars, the highest as high as the drawing; None when nothing was counted."""
    counts = np.asarray(counts, np.float64)
    if not counts.size or not counts.max() > 0:
        return None
    width = WIDTH / counts.size
    # A bin that holds anything is seen, however few it holds beside the fullest.
    heights = np.where(counts > 0, np.maximum(counts / counts.max() * HEIGHT, 1.5), 0.0)
    bars = "".join(
        f"M{place * width:.1f} {HEIGHT}v{-height:.1f}h{max(width - 0.6, 0.4):.1f}V{HEIGHT}z"
        for place, height in enumerate(heights.tolist())
        if height
    )
    return _address(f'<path d="{bars}"/>')


def sparkline(values: NDArray[Any]) -> str | None:
    """A line from the oldest to the newest value with a gap where there is none; None without any value."""
    values = np.asarray(values, np.float64)
    known = np.isfinite(values)
    if not known.any():
        return None
    low, high = float(values[known].min()), float(values[known].max())
    span = high - low
    middle = HEIGHT / 2
    down = np.full(values.size, middle) if span <= 0 else HEIGHT - _EDGE - (values - low) / span * (HEIGHT - 2 * _EDGE)
    across = np.linspace(_EDGE, WIDTH - _EDGE, values.size)
    line = "".join(_strokes(across, down, known))
    return _address(f'<path d="{line}" fill="none" stroke="#000" stroke-width="1.6" stroke-linecap="round"/>')


def _strokes(across: NDArray[Any], down: NDArray[Any], known: NDArray[np.bool_]) -> list[str]:
    strokes = []
    pen_down = False
    for x, y, there in zip(across.tolist(), down.tolist(), known.tolist(), strict=True):
        if there:
            # A lone value is a dot: a line of no length with round ends.
            strokes.append(f"L{x:.1f} {y:.1f}" if pen_down else f"M{x:.1f} {y:.1f}h0")
        pen_down = there
    return strokes


def _address(content: str) -> str:
    size = f"viewBox='0 0 {WIDTH} {HEIGHT}' preserveAspectRatio='none'"
    svg = f"<svg xmlns='http://www.w3.org/2000/svg' {size}>{content}</svg>"
    return "data:image/svg+xml," + quote(svg.replace('"', "'"), safe="/:=' <>.,-")
