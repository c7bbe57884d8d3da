"""Each model in words, and the trained versions that are there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from dash import html

from tft_dash import components
from tft_dash.errors import shorten
from tft_dash.frame import ModelVersion
from tft_dash.pages.models.wording import table
from tft_dash.pages.wording import DASH
from tft_dash.schema import METRIC, METRIC_NAMES, ModelCard

SIMULATED_TITLE: Final = "Its probabilities say nothing about a real fleet until they are recalibrated there."


def model_cards(cards: Sequence[ModelCard], default: str) -> html.Ul:
    """One card for each model.

    :param default: the model that a page starts with.
    """
    return html.Ul([_card(card, default) for card in cards], className="model-cards")


def versions(found: Sequence[ModelVersion]) -> list[Any]:
    """The trained versions in the registry; a broken one with what is wrong with it."""
    if not found:
        words = ["No trained model is installed; ", html.Code("thresholds"), " answers on every page."]
        return [html.P(words, className="quiet")]
    rows = [[one.version, _use(one), one.created or DASH, _learnt(one)] for one in found]
    change = html.P(
        ["Another version answers after ", html.Code("tft-dash models activate VERSION"), "; ",
         html.Code("tft-dash models rollback"), " goes back. No restart is needed."],
        className="quiet",
    )  # fmt: skip
    return [table(["Version", "In use", "Made", "Learnt from"], rows, "Versions of the forecast model"), change]


def _card(card: ModelCard, default: str) -> html.Li:
    head = html.Div(
        [
            html.H3([card.title, html.Span(card.name, className="model-key")], className="model-title"),
            _tags(card, default),
        ]
    )
    facts = [html.Div([html.Dt(name), html.Dd(words)], className="model-fact") for name, words in _facts(card)]
    return html.Li([head, html.P(card.summary), html.Dl(facts, className="model-facts")], className="model-card")


def _tags(card: ModelCard, default: str) -> html.Div:
    tags = []
    if card.name == default:
        tags.append(html.Span("pages start with it", className="tag tag-active"))
    if card.calibrated:
        title = "Its probabilities were fitted to what happened."
        tags.append(html.Span("calibrated", className="tag", title=title))
    else:
        title = "Its probabilities were not fitted to what happened; read them as a ranking."
        tags.append(html.Span("uncalibrated", className="tag tag-warning", title=title))
    if card.simulated:
        words = [components.icon("flask"), "trained on simulated fleets"]
        tags.append(html.Span(words, className="tag tag-simulated", title=SIMULATED_TITLE))
    if card.uses_labels:
        tags.append(html.Span("reads the script", className="tag tag-warning"))
    return html.Div(tags, className="tags")


def _facts(card: ModelCard) -> list[tuple[str, str]]:
    return [
        ("Reads", _reads(card)),
        ("Step", _step(card)),
        ("Needs first", _context(card)),
        ("Says", _says(card)),
        ("Learnt from", card.trained_on or "nothing: it has no learnt weights"),
        ("Version", card.version),
    ]


def _reads(card: ModelCard) -> str:
    if card.uses_labels:
        return "the drill's own script: it is told the phases of the incident"
    names = ", ".join(METRIC[name].label for name in METRIC_NAMES if name in card.metrics)
    return f"{names}: those of them that a source has"


def _step(card: ModelCard) -> str:
    if card.step_seconds is None:
        return "any"
    return f"{components.span_words(card.step_seconds)}; finer steps are averaged, coarser ones refused"


def _context(card: ModelCard) -> str:
    if card.step_seconds is None or card.context_ticks <= 1:
        return "nothing: it answers from the first tick on"
    return f"{components.span_words(card.step_seconds * card.context_ticks)} of a server's history"


def _says(card: ModelCard) -> str:
    spans = " and ".join(components.span_words(60 * minutes) for minutes in card.horizons_minutes)
    words = f"a risk for each server, and the probability of an incident within {spans}"
    return f"{words}; a forecast of each server's metrics" if card.forecasts else words


def _use(one: ModelVersion) -> list[Any]:
    if one.problem is not None:
        problem = html.P(shorten(one.problem, 600), className="version-problem")
        return [html.Span([components.icon("alert"), "refused"], className="state-mark state-bad"), problem]
    if one.active:
        return [html.Span([components.icon("health-green"), "answers"], className="state-mark state-good")]
    return [html.Span("ready", className="quiet")]


def _learnt(one: ModelVersion) -> list[Any]:
    words: list[Any] = [one.trained_on or DASH]
    if one.simulated:
        words.append(html.Span("simulated", className="tag tag-simulated"))
    if one.shipped:
        words.append(html.Span("shipped", className="tag"))
    return [html.Span(words, className="version-learnt")]
