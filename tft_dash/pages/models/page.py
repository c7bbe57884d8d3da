"""The page: the models in words first, then the evidence for the one that forecasts, from trust to its origin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from dash import dcc, html

from tft_dash import components, ids
from tft_dash.frame import ModelVersion
from tft_dash.pages.models import alarming, cards, drift, fitted, said, scores, trust
from tft_dash.pages.wording import plural
from tft_dash.schema import ModelCard

if TYPE_CHECKING:
    from tft_dash.alerting.worth import Worth
    from tft_dash.models.calibrated.shelf import ShelvedCalibration
    from tft_dash.models.forecasting.evidence import Evidence

SIMULATED: Final = "A probability learnt on simulated fleets says nothing about a real fleet until recalibrated."
RECALIBRATE: Final = "tft-dash calibrate SOURCE"


@dataclass(frozen=True, slots=True)
class OwnFleets:
    """What is known of the models on the fleets that are served here.

    :param watched: sources whose forecasts can be held against what happened.
    :param calibrations: those that were fitted here.
    :param outcomes: of the problems of live sources, as people say them.
    :param newest: of so many of the newest problems; None = of all.
    """

    watched: Sequence[str] = ()
    calibrations: Sequence[ShelvedCalibration] = ()
    outcomes: Sequence[Worth] = ()
    newest: int | None = None


def layout(
    model_cards: Sequence[ModelCard],
    default: str,
    versions: Sequence[ModelVersion],
    evidence: Evidence | None,
    problems: Sequence[str] = (),
    *,
    own: OwnFleets = OwnFleets(),
) -> html.Div:
    """The whole page; its figures come with the theme.

    :param default: the model that a page starts with.
    :param evidence: of the model that forecasts; None = there is none.
    :param problems: what could not be read.
    :param own: what the fleets that are served here say of them.
    """
    simulated = any(card.simulated for card in model_cards) or bool(evidence and evidence.simulated)
    return html.Div(
        [
            html.Div(
                [
                    html.H1("Models", className="page-title"),
                    html.P("Who gives the risks and probabilities on the pages, and how far each can be trusted."),
                ],
                className="page-head",
            ),
            html.Div(_problems(problems), id=ids.MODELS_BANNER, role="alert"),
            *([_simulated()] if simulated else []),
            _section("The models", [cards.model_cards(model_cards, default)]),
            *(_evidence(evidence) if evidence is not None else [_none(model_cards, versions, problems)]),
            *([_section("Does it still hold?", drift.section(own.watched))] if own.watched else []),
            *(
                [_section("What people said of its alerts", said.outcomes(own.outcomes, own.newest))]
                if own.outcomes
                else []
            ),
            _section("Fitted to your own fleets", fitted.calibrations(own.calibrations)),
            _section("Versions of the forecast model", cards.versions(versions)),
        ],
        className="models page",
    )


def _evidence(evidence: Evidence) -> list[Any]:
    # The stores are there with the figures alone: without them nothing asks for figures that have no place.
    stores = [dcc.Store(id=ids.MODELS_START, data=evidence.model), dcc.Store(id=ids.MODELS_REQUEST)]
    bands = scores.bands(evidence)
    return [
        *stores,
        _section("When it says a probability, does it happen?", [_measured(evidence), *trust.reliability(evidence)]),
        _section("What its alarms are worth", alarming.alarms(evidence)),
        _section("Beside simpler methods", scores.comparison(evidence)),
        *([_section("How good its forecast bands are", bands)] if bands else []),
        _section("Where it is good, and where not", alarming.groups(evidence)),
        _section("Known blind spots", alarming.blind_spots(evidence)),
        _section("How these figures were made", _origin(evidence)),
    ]


def _section(title: str, content: list[Any]) -> html.Section:
    head = html.Div(html.H2(title, className="section-title"), className="section-head")
    return html.Section([head, *content], className="section", **{"aria-label": title})


def _simulated() -> html.Div:
    words = html.Div(
        [html.Strong(SIMULATED), html.P(["Recalibrate it on your own fleet's history: ", html.Code(RECALIBRATE)])],
        className="banner-text",
    )
    return html.Div([components.icon("flask"), words], className="banner banner-info simulated-banner")


def _problems(problems: Sequence[str]) -> Any:  # noqa: ANN401 - a Dash component
    return components.banner("Something about the models cannot be read", "\n".join(problems)) if problems else []


def _none(model_cards: Sequence[ModelCard], versions: Sequence[ModelVersion], problems: Sequence[str]) -> html.Section:
    forecaster = next((card for card in model_cards if card.forecasts), None)
    words: list[Any] = ["No model that forecasts is installed."]
    if forecaster is None and (versions or problems):
        reason = "the reason stands above" if problems else "the reason stands beside each version below"
        words = [f"No model that forecasts can be used; {reason}."]
    elif forecaster is not None and problems:
        words = [
            f"What was measured of {forecaster.title} v{forecaster.version} cannot be read; the reason stands above."
        ]
    elif forecaster is not None:
        unknown = f"{forecaster.title} v{forecaster.version} has not been measured, so nobody knows. Measure it: "
        words = [unknown, html.Code(f"tft-dash evaluate --model {forecaster.name}")]
    return _section("How far it can be trusted", [html.P(words)])


def _measured(evidence: Evidence) -> html.P:
    fleet = "simulated servers" if evidence.simulated else "servers"
    words = (
        f"Measured on {evidence.servers:,} {fleet} over {evidence.days:g} days with "
        f"{plural(evidence.incidents, 'incident')}"
    )
    return html.P(f"{words}, none of which it had learnt from." if evidence.simulated else f"{words}.")


def _origin(evidence: Evidence) -> list[Any]:
    sources = ", ".join(evidence.sources) or "not on record"
    rows = [
        ("Model", f"{evidence.model} v{evidence.version}"),
        ("Measured on", f"{sources}{' (simulated)' if evidence.simulated else ''}"),
        ("Made anew by", html.Code(evidence.command)),
        ("Digest", html.Code(evidence.digest, className="digest-words")),
    ]
    items = [html.Div([html.Dt(name), html.Dd(value)], className="model-fact") for name, value in rows]
    why = "The same command gives the same figures and the same digest; another digest means other figures."
    return [html.Dl(items, className="model-facts origin"), html.P(why, className="quiet")]
