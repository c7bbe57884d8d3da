"""Where a viewer is: a value that travels with every request. Pure: playback + now → tick."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from tft_dash.errors import UsageError, shorten

SLOWEST: Final = 0.5
FASTEST: Final = 60.0


@dataclass(frozen=True, slots=True)
class Playback:
    """A viewer's place and pace.

    :param tick: anchor tick, where the viewer was at ``at_ms``.
    :param at_ms: anchor time in milliseconds, on the same clock as the ``now_ms`` it is later compared with.
    :param speed: 1 = a tick takes the source's own wall time.
    :param follow: at the newest tick of a live source, whatever ``tick`` says; of a recording nothing.
    """

    source: str
    model: str
    tick: int
    at_ms: float
    speed: float
    playing: bool
    follow: bool = False


def position(playback: Playback, now_ms: float, *, ticks: int, tick_seconds: float, live: bool = False) -> int:
    """The tick that the viewer sees at ``now_ms``, within ``0 … ticks − 1``.

    :param ticks: how many ticks there are, at least 1.
    :param tick_seconds: seconds a tick takes at speed 1.
    :param live: whether ticks keep coming.
    """
    if live and playback.follow:
        return ticks - 1
    moved = 0
    if playback.playing:
        elapsed_seconds = max(now_ms - playback.at_ms, 0.0) / 1000
        moved = math.floor(elapsed_seconds * playback.speed / tick_seconds)
    return max(0, min(playback.tick + moved, ticks - 1))


def decode(value: Mapping[str, Any]) -> Playback:
    """A playback from what the page sent.

    :raises UsageError: a part is missing or impossible; the message names it.
    """
    return Playback(
        source=_text(value, "source"),
        model=_text(value, "model"),
        tick=int(_number(value, "tick", -1e12, 1e12)),
        at_ms=_number(value, "at", 0, 1e15),
        speed=_number(value, "speed", SLOWEST, FASTEST),
        playing=_switch(value, "playing"),
        follow=value.get("follow") is True,
    )


def _text(value: Mapping[str, Any], name: str) -> str:
    part = value.get(name)
    if isinstance(part, str):
        return part
    raise UsageError(f"The link's {name} is {shorten(repr(part))}; it must be a name. Open the page without it.")


def _switch(value: Mapping[str, Any], name: str) -> bool:
    part = value.get(name)
    if isinstance(part, bool):
        return part
    raise UsageError(f"The link's {name} is {shorten(repr(part))}; it must be 1 or 0. Open the page without it.")


def _number(value: Mapping[str, Any], name: str, low: float, high: float) -> float:
    part = value.get(name)
    if isinstance(part, int | float) and not isinstance(part, bool) and low <= part <= high:
        return float(part)
    raise UsageError(
        f"The link's {name} is {shorten(repr(part))}; it must be a number from {low:g} to {high:g}. "
        "Open the page without it."
    )
