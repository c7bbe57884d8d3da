"""What a frame's place in time means, in words: the clock, how a recording ended, when a live tick was issued."""

from __future__ import annotations

from typing import Final

import numpy as np
from dash import html

from tft_dash import components
from tft_dash.frame import Frame
from tft_dash.schema import RISK_BANDS, band_of

SUMMARY_SERVERS: Final = 3
PROMPT_SECONDS: Final = 60.0
"""A live tick that was issued later than that after it was due was back-filled."""


def model_banner(frame: Frame, *, asked: bool) -> components.Children:
    """What keeps the frame's model from saying what was asked of it; nothing as a rule.

    :param asked: whether a viewer has asked for the very model in whose place this one answers.
    """
    if asked and frame.instead is not None:
        return components.banner("Another model answers", frame.instead, kind="info")
    needed = frame.card.context_ticks * (frame.card.step_seconds or 0.0)
    passed = (frame.tick + 1) * frame.source.step_seconds
    if passed >= needed or not np.isnan(frame.risk).all():
        return []
    words = (
        f"{frame.card.title} needs {components.span_words(needed)} of history before it says anything, and this "
        f"{'source' if frame.source.live else 'recording'} has {components.span_words(passed)} of it here. "
        f"{'It answers when there is enough' if frame.source.live else 'Go on, or choose another model'}."
    )
    return components.banner("Not enough history yet", words, kind="info")


def stamp(time: np.datetime64) -> str:
    """``2026-11-27 03:10:05``."""
    return str(time.astype("datetime64[s]")).replace("T", " ")


def clock(frame: Frame) -> components.Children:
    """The tick's time; before that of a recording how far into it that is."""
    time = stamp(frame.timestamp)
    if frame.source.live:
        first, second = f"{time[11:]} UTC", time[:10]
    else:
        first, second = elapsed(frame), f"{time} UTC"
    return [html.Span(first, className="clock-elapsed"), html.Span(second, className="clock-time")]


def elapsed(frame: Frame) -> str:
    """Time since a recording's first tick, of the whole where the whole is known: ``1:35 of 4:55``."""
    step, ticks = frame.source.step_seconds, frame.source.ticks
    passed = frame.tick * step
    if ticks is None:
        return components.duration(passed)
    whole = (ticks - 1) * step
    return f"{components.duration(passed, whole)} of {components.duration(whole)}"


def issued_after(frame: Frame) -> float | None:
    """Seconds from a live tick's time until it was judged and recorded; None for a recording."""
    if frame.issued is None:
        return None
    return float((frame.issued - frame.timestamp) / np.timedelta64(1, "ms")) / 1000.0


def backfilled(frame: Frame) -> bool:
    """Whether a live tick was recorded so late that nobody saw it at its time."""
    after = issued_after(frame)
    return after is not None and after > 2 * frame.source.step_seconds + PROMPT_SECONDS


def issue(frame: Frame) -> str:
    """When a live tick was issued, in a few words."""
    after = issued_after(frame)
    if after is None:
        return ""
    words = f"{components.span_words(max(after, 0.0))} later"
    return f"back-filled {words}" if backfilled(frame) else f"judged {words}"


def speaks_of(frame: Frame) -> str:
    """Of how many servers the fleet's figures speak, where some of them have no value; else nothing."""
    whole = len(frame.source.servers)
    return "" if frame.measured == whole else f"of {frame.measured:,} of {whole:,} servers"


def summary(frame: Frame) -> components.Children:
    """The end of a recording: how long it ran, the last probabilities, the servers at highest risk."""
    servers = [
        html.Li([html.Span(frame.source.servers[server], className="summary-server"), _risk(float(frame.risk[server]))])
        for server in frame.ranking[:SUMMARY_SERVERS]
    ]
    return html.Div(
        [
            html.Div([components.icon("flag"), html.Strong("End of the recording")], className="summary-title"),
            _fact("Ran", components.duration(frame.tick * frame.source.step_seconds)),
            _fact("Within 30 min", _share(frame.prob_30m)),
            _fact("Within 8 h", _share(frame.prob_8h)),
            html.Div(
                [html.Span("Highest risk now", className="fact-label"), html.Ol(servers, className="summary-servers")],
                className="fact fact-wide",
            ),
        ],
        className="summary",
    )


def _fact(label: str, value: str) -> html.Div:
    return html.Div(
        [html.Span(label, className="fact-label"), html.Span(value, className="fact-value")], className="fact"
    )


def _risk(value: float) -> html.Span:
    band = band_of(value, RISK_BANDS)
    return html.Span(f"{_share(value)} {band.word}", className=f"band-{band.name} summary-risk")


def _share(value: float) -> str:
    return "—" if np.isnan(value) else f"{value:.0%}"
