"""The small parts that pages and figures are made of. Pure: values in, Dash components out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, Final

import dash_bootstrap_components as dbc
import numpy as np
from dash import dcc, html

from tft_dash.frame import Frame
from tft_dash.schema import RISK_BANDS, ModelCard, Phase, band_of

Children = Any
"""What Dash takes as ``children``: a component, text, or a list of them."""

STATUS_WORDS: Final = {
    "loading": "Loading",
    "preparing": "Preparing",
    "playing": "Playing",
    "paused": "Paused",
    "ended": "Ended",
    "stale": "Stale",
    "no-data": "No data",
    "error": "Error",
    "lost": "Connection lost",
}
"""Every state of the page: its CSS class is ``status-<key>``, with its icon, and the word beside it."""

AGED: Final = "May be out of date"
SUMMARY_SERVERS: Final = 3
_JOINER: Final = "\u2060"
_PROTOTYPE: Final = re.compile("__(proto__)", re.IGNORECASE)
_JOINED: Final = re.compile(f"_{_JOINER}_(proto__)", re.IGNORECASE)
PHASE_KEYS: Final = 6
"""So many phases can be jumped to by a digit key."""


def icon(name: str) -> html.Span:
    """A drawing of the style sheet, in the colour of the text; it says nothing to a screen reader."""
    return html.Span(className=f"icon icon-{name}", **{"aria-hidden": "true"})


def icon_button(component_id: str, name: str, title: str, *more: str) -> html.Button:
    """A button of one drawing, or of several among which the style sheet chooses.

    :param title: what it does, with its key in brackets; read out, and shown on hover.
    """
    drawings = [icon(each) for each in (name, *more)]
    return html.Button(
        drawings, id=component_id, type="button", title=title, className="icon-button", **{"aria-label": title}
    )


def card(title: str, aside: Children, content: Children, *, name: str) -> html.Section:
    """A titled card.

    :param aside: a few words or a legend at the right of the title.
    :param name: its place on the page: CSS class ``card-<name>``.
    """
    head = html.Div(
        [html.H2(title, className="card-title"), html.Div(aside, className="card-aside")], className="card-head"
    )
    return html.Section(
        [head, html.Div(content, className="card-body")], className=f"card-box card-{name}", **{"aria-label": title}
    )


def tile(
    label: str, value_id: str, note_id: str, *, key: str = "", below: Children = None, hint: str | None = None
) -> html.Div:
    """A figure in large type with its label above and a note below.

    :param key: the line that the trend draws for this value, repeated as a swatch.
    :param hint: what the figure means, for who rests the mouse on it.
    """
    head: list[Any] = [html.Span(className=f"swatch swatch-{key}"), label] if key else [label]
    return html.Div(
        [
            html.Div(head, className="tile-label"),
            html.Div("—", id=value_id, className="tile-value"),
            html.Div("", id=note_id, className="tile-note"),
            below,
        ],
        className="tile",
        title=hint,
    )


def select(
    component_id: str, label: str, options: Sequence[tuple[str, str]], value: str | None, *, bare: bool = False
) -> html.Label:
    """A native select with its label.

    :param options: ``(value, text)`` each.
    :param bare: whether the label stands in the control, while nothing is chosen, rather than beside it.
    """
    hint = {"placeholder": label} if bare else {}
    choices = [{"value": each, "label": text} for each, text in options]
    return html.Label(
        [
            html.Span(label, className="visually-hidden" if bare else "field-label"),
            dbc.Select(id=component_id, options=choices, value=value, size="sm", **hint),
        ],
        className="field",
    )


def entry(name: str) -> str:
    """A name as the option of a searchable list; :func:`entry_name` gives the name back.

    The list's index keeps parts of words as keys of objects, where ``__proto__`` would change every object of the page:
    a joiner, which is not seen, makes another word of it.
    """
    return _PROTOTYPE.sub(f"_{_JOINER}_\\1", name)


def entry_name(value: str) -> str:
    """The name behind an option of a searchable list."""
    return _JOINED.sub(r"__\1", value)


def server_picker(component_id: str) -> html.Div:
    """A searchable list that opens a server's panel by keyboard; its options come with the source."""
    picker = dcc.Dropdown(id=component_id, options=[], placeholder="Find a server", clearable=True, maxHeight=320)
    return html.Div(picker, className="field-server")


def status_pill(kind: str, component_id: str = "") -> html.Div:
    """The page's state as an icon and a word."""
    named = {"id": component_id} if component_id else {}
    word = html.Span(STATUS_WORDS[kind], className="status-word")
    return html.Div([word], className=f"status-pill status-{kind}", role="status", **named)


def phase_segments(phases: Iterable[Phase], ticks: int) -> list[html.Button]:
    """The phases as buttons, each as long as its share of the scrubber; ``data-tick`` and ``data-last`` bound it."""
    last = max(ticks - 1, 1)
    return [_segment(number, phase, last) for number, phase in enumerate(phases, 1)]


def _segment(number: int, phase: Phase, last: int) -> html.Button:
    left, right = phase.first / last, min((phase.last + 1) / last, 1.0)
    key = f" ({number})" if number <= PHASE_KEYS else ""
    return html.Button(
        html.Span(phase.name, className="phase-name"),
        type="button",
        className="phase",
        title=f"Jump to {phase.name}{key}",
        style={"left": f"{left:.4%}", "width": f"{right - left:.4%}"},
        **{"data-tick": str(phase.first), "data-last": str(phase.last), "aria-label": f"Jump to {phase.name}{key}"},
    )


def banner(title: str, text: str = "", *, kind: str = "error") -> Children:
    """What is wrong and what to do; ``kind`` is ``error`` or ``info``."""
    lines = [line for line in text.splitlines() if line.strip()]
    return html.Div(
        [
            icon("alert" if kind == "error" else "info"),
            html.Div([html.Strong(title), *(html.P(line) for line in lines)], className="banner-text"),
        ],
        className=f"banner banner-{kind}",
    )


def notices(texts: Sequence[str], *, aged: Sequence[str] = ()) -> Children:
    """What a viewer must know about the data, folded; nothing when there is nothing to know.

    :param aged: why the data may be older than what there is; said in the head too.
    """
    if not texts and not aged:
        return []
    items = html.Ul([html.Li(text) for text in (*aged, *texts)], className="notices-list")
    if aged:
        return html.Details([html.Summary([icon("unplugged"), AGED]), items], className="notices notices-aged")
    head = "1 data note" if len(texts) == 1 else f"{len(texts)} data notes"
    return html.Details([html.Summary([icon("info"), head]), items], className="notices")


def model_note(card: ModelCard, *, simulated: bool = False, instead: str | None = None) -> Children:
    """Names the model that answered and what weakens its answers.

    :param simulated: whether to add that the data is; where the page's own mark may be out of sight.
    :param instead: why it answers in another one's place.
    """
    tags = [html.Span("simulated data", className="tag tag-simulated")] if simulated else []
    if card.uses_labels:
        tags.append(
            html.Span("reads the script", className="tag tag-warning", title="It is told the incident's phases.")
        )
    if card.fitted:
        tags.append(html.Span("calibrated here", className="tag tag-active", title=card.fitted))
    elif card.simulated:
        why = "It has learnt on simulated fleets. On a real one its probabilities are a ranking until calibrated there."
        tags.append(html.Span("learnt on simulations", className="tag", title=why))
    if not card.calibrated:
        why = "Its probabilities were not fitted to outcomes; read them as a ranking."
        tags.append(html.Span("uncalibrated", className="tag", title=why))
    return [
        html.Span(f"{card.title} v{card.version}", className="model-name", title=card.summary),
        *tags,
        *_instead(instead),
    ]


def _instead(reason: str | None) -> list[Any]:
    """Folded: that the model answers in another one's place, and why."""
    if reason is None:
        return []
    head = html.Summary([icon("info"), "why this model"])
    return [html.Details([head, html.Ul([html.Li(reason)], className="notices-list")], className="notices")]


def model_banner(frame: Frame, *, asked: bool) -> Children:
    """What keeps the frame's model from saying what was asked of it; nothing as a rule.

    :param asked: whether a viewer has asked for the very model in whose place this one answers.
    """
    if asked and frame.instead is not None:
        return banner("Another model answers", frame.instead, kind="info")
    needed = frame.card.context_ticks * (frame.card.step_seconds or 0.0)
    if (frame.tick + 1) * frame.source.step_seconds >= needed or not np.isnan(frame.risk).all():
        return []
    words = (
        f"{frame.card.title} needs {span_words(needed)} of history before it says anything, and this recording has "
        f"{span_words((frame.tick + 1) * frame.source.step_seconds)} of it here. Go on, or choose another model."
    )
    return banner("Not enough history yet", words, kind="info")


def clock(frame: Frame) -> Children:
    """The tick's time, and how far into the recording that is."""
    time = str(frame.timestamp.astype("datetime64[s]")).replace("T", " ")
    return [html.Span(elapsed(frame), className="clock-elapsed"), html.Span(f"{time} UTC", className="clock-time")]


def elapsed(frame: Frame) -> str:
    """Time since the first tick, of the whole where the whole is known: ``1:35 of 4:55``."""
    step, ticks = frame.source.step_seconds, frame.source.ticks
    passed = frame.tick * step
    if ticks is None:
        return duration(passed)
    whole = (ticks - 1) * step
    return f"{duration(passed, whole)} of {duration(whole)}"


def duration(seconds: float, like: float | None = None) -> str:
    """``4:55`` below an hour, ``3:05:00`` below two days, ``12 d 6 h`` above.

    :param like: write it as this many seconds would be written.
    """
    scale = seconds if like is None else like
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if scale >= 48 * 3600:
        days, hours = divmod(hours, 24)
        return f"{days} d {hours} h"
    return f"{hours}:{minutes:02d}:{rest:02d}" if scale >= 3600 else f"{minutes}:{rest:02d}"


def span_words(seconds: float) -> str:
    """A length of time in the one unit that reads best: ``60 s``, ``12 min``, ``6 h``, ``3 d``."""
    for limit, unit, name in ((120, 1, "s"), (7200, 60, "min"), (172800, 3600, "h")):
        if seconds < limit:
            return f"{seconds / unit:.0f} {name}"
    return f"{seconds / 86400:.0f} d"


def summary(frame: Frame) -> Children:
    """The end of a recording: how long it ran, the last probabilities, the servers at highest risk."""
    servers = [
        html.Li([html.Span(frame.source.servers[server], className="summary-server"), _risk(float(frame.risk[server]))])
        for server in frame.ranking[:SUMMARY_SERVERS]
    ]
    return html.Div(
        [
            html.Div([icon("flag"), html.Strong("End of the recording")], className="summary-title"),
            _fact("Ran", duration(frame.tick * frame.source.step_seconds)),
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
