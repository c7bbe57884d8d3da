"""What a page is told of a live source beside its ticks: how old the newest is, who collects it, what is amiss."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from tft_dash import components
from tft_dash.figures import moment
from tft_dash.frame import Frame
from tft_dash.store.live import LiveState

UNATTENDED_SECONDS: Final = 15.0
"""A collector that has ended is replaced within that, where another one is ready."""
_LATE_WORDS: Final = (
    ("late", "came after their tick was over, and are in none"),
    ("duplicate", "came twice"),
    ("future", "are of a time that has not come; look at the clocks of those who measure"),
)


def facts(state: LiveState, oldest: int) -> dict[str, Any]:
    """What the browser must know to follow a source, and to call it stale by itself."""
    return {
        "latest": state.latest,
        "oldest": oldest,
        "age": state.age_seconds,
        "due": state.step_seconds + state.delay_seconds,
        "stale": state.stale_seconds,
    }


def banners(state: LiveState, frame: Frame, asked: int, *, resting: bool) -> list[Any]:
    """What is amiss with the source now, and what is to be said of the tick that is shown.

    :param asked: the tick that was asked for; ``frame`` may be another one that stands for it.
    :param resting: whether the page rests on that tick, neither replaying nor at the newest one.
    """
    about = _of_source(state)
    if not resting:
        return about
    if frame.tick != asked:
        wanted = moment.stamp(frame.source.time_of(asked))
        words = f"Only some ticks of that age are kept. This one stands for it, of {moment.stamp(frame.timestamp)} UTC."
        about.append(components.banner(f"The tick of {wanted} UTC is not kept", words, kind="info"))
    if frame.issued is not None and moment.backfilled(frame):
        words = f"It was judged and recorded at {moment.stamp(frame.issued)} UTC: nobody could see it at its time."
        about.append(components.banner("This tick was back-filled", words, kind="info"))
    return about


def notices(state: LiveState) -> tuple[str, ...]:
    """What has come from the source and is in no tick, over its whole life."""
    counted = [(getattr(state.counts, name), words) for name, words in _LATE_WORDS]
    told = [f"{count:,} {'sample' if count == 1 else 'samples'} {words}." for count, words in counted if count]
    for rule, count, examples in state.rejections:
        told.append(f"{count:,} not acceptable ({rule}){': ' if examples else '.'}{'; '.join(examples[:3])}")
    return tuple(told)


def _of_source(state: LiveState) -> list[Any]:
    if state.store_away:
        words = f"{state.problem}\nWhat is shown was read before."
        return [components.banner("The store does not answer", words)]
    if not state.collected and (state.stale or _unattended(state) > UNATTENDED_SECONDS):
        return [components.banner("Nobody collects this source", _uncollected(state))]
    if state.problem and state.answered is not None and state.polled is not None and state.answered < state.polled:
        words = (
            f"{state.problem}\nIt last answered at {moment.stamp(state.answered)} UTC. It is asked again and again; "
            "what it still has of the time between is recorded then."
        )
        return [components.banner("The source does not answer", words)]
    if state.problem:
        return [components.banner("The collector has met a problem", state.problem)]
    if state.stale:
        return [components.banner("Ticks are overdue", _behind(state), kind="info")]
    return []


def _uncollected(state: LiveState) -> str:
    asked = "" if state.polled is None else f" It was last asked at {moment.stamp(state.polled)} UTC."
    return (
        f"No collector is at work on '{state.name}', so nothing new is recorded.{asked}\n"
        "tft-dash serve starts one itself, unless TFT_DASH_COLLECT is off; tft-dash collect runs one apart. "
        "What the source still has of the time between is recorded then."
    )


def _behind(state: LiveState) -> str:
    after = "" if state.latest_time is None else f" after {moment.stamp(state.latest_time)} UTC"
    told = f"Those{after} are over and not recorded yet; they are recorded in order."
    if state.polled is not None and _unattended(state) > UNATTENDED_SECONDS:
        told += f" The source was last asked at {moment.stamp(state.polled)} UTC."
    return told


def _unattended(state: LiveState) -> float:
    ends = [time for time in (state.until, state.polled) if time is not None]
    return _seconds(state.now - max(ends))


def _seconds(span: np.timedelta64) -> float:
    return float(span / np.timedelta64(1, "ms")) / 1000.0
