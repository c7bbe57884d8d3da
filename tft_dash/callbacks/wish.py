"""What a compare page asks for, as it is read from its request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tft_dash.errors import UsageError, shorten
from tft_dash.figures.compare.elapsed import HORIZONS
from tft_dash.playback import Playback, decode


@dataclass(frozen=True, slots=True)
class Wish:
    """What a page asks for.

    :param names: source and model, of A and of B.
    :param seconds: where the viewer was at the playback's anchor time, since the start.
    :param known: keys of the figures that the page has.
    :param drawn: key of what the page shows.
    """

    names: tuple[tuple[str, str], tuple[str, str]]
    playback: Playback
    seconds: float
    now: float
    horizon: str
    theme: str | None
    known: Sequence[object]
    drawn: object


def wish_of(request: Mapping[str, Any]) -> Wish:
    """The wish of a request.

    :raises UsageError: a part of it is none, as in a link that somebody has changed by hand.
    """
    for name in ("a", "am", "b", "bm"):
        if not isinstance(request.get(name), str):
            told = shorten(repr(request.get(name)))
            raise UsageError(f"The link's {name} is {told}; it must be a name. Open the page without it.")
    seconds = request.get("seconds")
    if not isinstance(seconds, int | float) or isinstance(seconds, bool) or not 0 <= seconds <= 1e12:
        told = shorten(repr(seconds))
        raise UsageError(f"The link's at is {told}; it must be a number of seconds from 0. Open the page without it.")
    horizon = request.get("horizon")
    if not isinstance(horizon, str) or horizon not in HORIZONS:
        told = shorten(repr(horizon))
        raise UsageError(f"The link's horizon is {told}; it must be {' or '.join(HORIZONS)}. Open the page without it.")
    now, theme, known = request.get("now"), request.get("theme"), request.get("known")
    return Wish(
        names=((request["a"], request["am"]), (request["b"], request["bm"])),
        playback=decode({**request, "source": request["a"], "model": request["am"], "tick": 0}),
        seconds=float(seconds),
        now=float(now) if isinstance(now, int | float) else 0.0,
        horizon=horizon,
        theme=theme if isinstance(theme, str) else None,
        known=known if isinstance(known, list) else [],
        drawn=request.get("drawn"),
    )
