"""The models' page as it is opened, and the callback that draws its figures in the reader's theme."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar

from dash import ClientsideFunction, Dash, Input, Output

from tft_dash import components, ids
from tft_dash.alerting.worth import Worth, worth_of
from tft_dash.callbacks.reporting import OWN_ERROR
from tft_dash.errors import TftDashError
from tft_dash.figures.models import alarms, leads, reliability
from tft_dash.figures.plot import Figure, blank
from tft_dash.pages.models import page
from tft_dash.pages.models.trust import bins_of
from tft_dash.pages.models.wording import BOOSTING
from tft_dash.schema import ModelCard
from tft_dash.services import Services
from tft_dash.theme import Theme, theme_of

if TYPE_CHECKING:
    from tft_dash.models.forecasting.evidence import Evidence

logger = logging.getLogger(__name__)

Answer = TypeVar("Answer")

FIGURES: Final = (ids.MODELS_RELIABILITY_30M, ids.MODELS_RELIABILITY_8H, ids.MODELS_LEADS, ids.MODELS_ALARMS)
_MOST_PROBLEMS: Final = 1000
TARGETS: Final = (*((name, "figure") for name in FIGURES), (ids.MODELS_BANNER, "children"))


def open_models(services: Services, **_query: str) -> Any:  # noqa: ANN401 - a Dash component
    """The page; what cannot be read is told on it, with the rest of the page alive."""
    problems: list[str] = []
    found = [_tried(partial(_card, services, name), problems) for name in services.model_names()]
    cards = [card for card in found if card is not None]
    name = next((card.name for card in cards if card.forecasts), None)
    evidence = None if name is None else _tried(partial(services.model_evidence, name), problems)
    versions = _tried(services.artefacts, problems) or ()
    fitted = _tried(services.calibrations, problems) or ()
    outcomes, newest = _tried(partial(_outcomes, services), problems) or ((), None)
    watched = services.watchable() if name is not None else ()
    own = page.OwnFleets(watched, fitted, outcomes, newest)
    return page.layout(cards, services.default_model(), versions, evidence, problems, own=own)


def _outcomes(services: Services) -> tuple[tuple[Worth, ...], int | None]:
    """What alerts were worth, and of how many of the newest problems; None = of all."""
    live = services.live_names()
    found = services.alerts.problems(live, limit=_MOST_PROBLEMS + 1) if live else ()
    return worth_of(found[:_MOST_PROBLEMS]), _MOST_PROBLEMS if len(found) > _MOST_PROBLEMS else None


def _card(services: Services, name: str) -> ModelCard:
    return services.model(name).card


def _tried(ask: Callable[[], Answer], problems: list[str]) -> Answer | None:
    """The answer; None where it fails, with the problem told in ``problems``."""
    try:
        return ask()
    except TftDashError as error:
        if str(error) not in problems:
            problems.append(str(error))
        return None


def register_models(app: Dash, services: Services) -> None:
    """Add the callbacks of the models' page to ``app``."""
    app.clientside_callback(
        ClientsideFunction("tft_dash", "modelsAsk"),
        Output(ids.MODELS_REQUEST, "data"),
        Input(ids.MODELS_START, "data"),
    )

    @app.callback([Output(*target) for target in TARGETS], Input(ids.MODELS_REQUEST, "data"), prevent_initial_call=True)
    def answer(request: object) -> list[Any]:
        return drawn(services, request if isinstance(request, Mapping) else {})


def drawn(services: Services, request: Mapping[str, Any]) -> list[Any]:
    """The values of :data:`TARGETS`: every figure in the request's theme, or blank ones and what went wrong."""
    theme = theme_of(request.get("theme"))
    try:
        evidence = services.model_evidence(str(request.get("model")))
    except TftDashError as error:
        return [*[blank(theme)] * len(FIGURES), components.banner("The evidence cannot be shown", str(error))]
    except Exception:
        logger.exception("the figures of the models' page failed: %r", request)
        return [*[blank(theme)] * len(FIGURES), components.banner("Something went wrong", OWN_ERROR)]
    if evidence is None:
        gone = "The model that was shown is no longer in use. Load the page again."
        return [*[blank(theme)] * len(FIGURES), components.banner("The evidence is gone", gone)]
    return [*_figures(evidence, theme), []]


def _figures(evidence: Evidence, theme: Theme) -> list[Figure]:
    own = evidence.alarms.get(evidence.model)
    return [
        reliability.figure(bins_of(evidence, "30m"), theme.prob_30m, theme),
        reliability.figure(bins_of(evidence, "8h"), theme.prob_8h, theme),
        leads.figure(own.lead_minutes if own is not None else (), theme),
        alarms.figure(own, evidence.alarms.get(BOOSTING), theme),
    ]
