"""Where samples are missing, doubled, or the server was offline: servers by time, one cell per span.

Colour is not alone: cells that are not complete carry a symbol, and the hover says the counts in words.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from dash import html
from numpy.typing import NDArray

from tft_dash.figures.plot import Figure, base_layout, label, labels, small
from tft_dash.theme import SMALL, Theme

COMPLETE, SOME, NONE, DOUBLE, OFFLINE = range(5)
SYMBOLS: Final = 3000
"""At most so many symbols are drawn; beyond them the colours and the hover remain."""
MARGIN_TOP: Final = 8
MARGIN_BOTTOM: Final = 42
_NAMES: Final = 24
_LONGEST_NAME: Final = 60
_OF_OBJECTS: Final = frozenset(
    {
        *("__proto__", "constructor", "hasOwnProperty", "isPrototypeOf", "propertyIsEnumerable", "toLocaleString"),
        *("toString", "valueOf", "__defineGetter__", "__defineSetter__", "__lookupGetter__", "__lookupSetter__"),
    }
)
"""What every object of a browser has: Plotly keeps rows as keys of one, and takes these for rows that it has."""
_JOINER: Final = "\u2060"
"""Is not seen, and makes another name of a name."""
_MARKS: Final = {SOME: "diamond-open", NONE: "x-thin", DOUBLE: "cross", OFFLINE: "square-open"}


@dataclass(frozen=True, slots=True)
class Gaps:
    """How complete the samples are.

    :param servers: those shown, top to bottom.
    :param times: (buckets,) start of each span of time, UTC.
    :param bucket_seconds: how long a span is.
    :param expected: (buckets,) samples that a server should have in each span.
    :param present: (servers, buckets), like the following ones.
    :param first_ticks: (buckets,) tick with which each span begins.
    """

    servers: Sequence[str]
    times: NDArray[np.datetime64]
    bucket_seconds: float
    expected: NDArray[Any]
    present: NDArray[Any]
    duplicate: NDArray[Any]
    offline: NDArray[Any]
    first_ticks: NDArray[Any]


def codes(gaps: Gaps) -> NDArray[np.int8]:
    """(servers, buckets): the worst of what a cell holds.

    Duplicates stand before offline and incomplete cells, for they are a fault of the data and not of the server.
    """
    found = np.full(gaps.present.shape, COMPLETE, np.int8)
    found[gaps.present < np.asarray(gaps.expected)[None, :]] = SOME
    found[gaps.offline > 0] = OFFLINE
    found[gaps.present == 0] = NONE
    found[gaps.duplicate > 0] = DOUBLE
    return found


def legend() -> html.Div:
    """What each colour and symbol means, in words."""
    words = (
        ("complete", "complete"),
        ("some", "some samples missing"),
        ("none", "no sample"),
        ("double", "doubled samples"),
        ("offline", "offline"),
    )
    return html.Div(
        [html.Span(text, className=f"key gap-key gap-key-{name}") for name, text in words], className="keys"
    )


def height(servers: int) -> int:
    """The figure's height in px: every server has its row."""
    return MARGIN_TOP + MARGIN_BOTTOM + max(servers, 1) * row_height(servers)


def row_height(servers: int) -> int:
    """px of a server's row: less where there are many."""
    return 20 if servers <= 80 else 14


def figure(gaps: Gaps, theme: Theme) -> Figure:
    """The whole figure; a cell's ``x`` is its start and its ``y`` the server's :func:`row_names` entry."""
    found = codes(gaps)
    names = row_names(gaps.servers)
    times = [str(time) for time in gaps.times.astype("datetime64[ms]")]
    cells = {
        "type": "heatmap",
        "x": times,
        "y": names,
        "z": found.tolist(),
        "zmin": -0.5,
        "zmax": 4.5,
        "colorscale": _colours(theme),
        "showscale": False,
        "xgap": 1 if len(times) <= 120 else 0,
        "ygap": 2,
        "text": _hover(gaps),
        "hovertemplate": "<b>%{y}</b><br>from %{x|%Y-%m-%d %H:%M:%S} UTC<br>%{text}<extra></extra>",
    }
    return {"data": [cells, *_marks(found, times, names, theme)], "layout": _layout(gaps, names, theme)}


def row_names(servers: Sequence[str]) -> list[str]:
    """Each server's row: its name fit for Plotly's text, with a number where shortening made two alike."""
    seen: Counter[str] = Counter()
    names = []
    for server in servers:
        name = label(server, _LONGEST_NAME)
        if name in _OF_OBJECTS:
            name += _JOINER
        seen[name] += 1
        names.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return names


def _colours(theme: Theme) -> list[list[Any]]:
    shades = (
        theme.band_tint["green"],
        theme.band_tint["yellow"],
        theme.band_tint["red"],
        theme.band_tint["orange"],
        theme.missing,
    )
    return [[edge, shade] for place, shade in enumerate(shades) for edge in (place / 5, (place + 1) / 5)]


def _hover(gaps: Gaps) -> list[list[str]]:
    expected = np.asarray(gaps.expected).tolist()
    rows = zip(gaps.present.tolist(), gaps.duplicate.tolist(), gaps.offline.tolist(), strict=True)
    return [
        [_counts(*cell) for cell in zip(present, expected, doubles, offs, strict=True)]
        for present, doubles, offs in rows
    ]


def _counts(present: int, expected: int, double: int, offline: int) -> str:
    words = f"{present:,} of {expected:,} samples"
    words += f" · {double:,} doubled" if double else ""
    return words + (f" · {offline:,} offline" if offline else "")


def _marks(found: NDArray[np.int8], times: Sequence[str], names: Sequence[str], theme: Theme) -> list[dict[str, Any]]:
    """Symbols on the cells that are not complete, worst kinds first, while they are few enough to be drawn."""
    traces = []
    left = SYMBOLS
    colours = {SOME: "yellow", NONE: "red", DOUBLE: "orange", OFFLINE: "unknown"}
    for kind in (DOUBLE, NONE, SOME, OFFLINE):
        rows, columns = np.nonzero(found == kind)
        rows, columns = rows[:left], columns[:left]
        left -= len(rows)
        colour = theme.band_text[colours[kind]]
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "x": [times[column] for column in columns.tolist()],
                "y": [names[row] for row in rows.tolist()],
                "marker": {"symbol": _MARKS[kind], "size": 6, "color": colour, "line": {"color": colour, "width": 1.2}},
                "hoverinfo": "skip",
            }
        )
    return traces


def _range(gaps: Gaps) -> list[str]:
    """From half a span before the first cell's place to half a span after the last one's: the cells lie around it."""
    half = np.timedelta64(round(gaps.bucket_seconds * 500), "ms")
    ends = gaps.times[[0, -1]].astype("datetime64[ms]") + np.array([-half, half])
    return [str(end) for end in ends]


def _layout(gaps: Gaps, rows: Sequence[str], theme: Theme) -> dict[str, Any]:
    count = len(gaps.servers)
    names = labels(list(gaps.servers), _NAMES)
    # The name fills the margin: 6.4 px is what a letter of this size takes on average.
    left = 16 + round(6.4 * min(_NAMES, max((len(name) for name in gaps.servers), default=4)))
    return base_layout(
        theme,
        margin={"l": left, "r": 8, "t": MARGIN_TOP, "b": MARGIN_BOTTOM},
        height=height(count),
        dragmode=False,
        hovermode="closest",
        xaxis={
            "type": "date",
            "range": _range(gaps),
            "fixedrange": True,
            "tickfont": small(theme),
            "showgrid": False,
            "zeroline": False,
            "nticks": 8,
        },
        yaxis={
            "range": [count - 0.5, -0.5],
            "type": "category",
            "categoryorder": "array",
            "categoryarray": list(rows),
            "tickvals": list(rows),
            "ticktext": names,
            "tickfont": {**small(theme), "size": SMALL},
            "fixedrange": True,
            "showgrid": False,
            "zeroline": False,
        },
    )
