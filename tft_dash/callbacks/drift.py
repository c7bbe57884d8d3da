"""The drift watch on the models' page: the chosen source's watch, asked for again while it is made."""

from __future__ import annotations

import logging
from typing import Any, Final

from dash import ClientsideFunction, Dash, Input, Output

from tft_dash import components, ids
from tft_dash.callbacks.reporting import OWN_ERROR
from tft_dash.errors import NotReadyError, TftDashError
from tft_dash.figures.models import drift as figures
from tft_dash.figures.plot import blank
from tft_dash.pages.models import drift as page
from tft_dash.services import Services
from tft_dash.theme import theme_of
from tft_dash.watching.verdict import BEGIN

logger = logging.getLogger(__name__)

PLOTS: Final = (ids.MODELS_DRIFT_COVERAGE, ids.MODELS_DRIFT_30M, ids.MODELS_DRIFT_8H)
TARGETS: Final = (
    (ids.MODELS_DRIFT_WORDS, "children"),
    (ids.MODELS_DRIFT_TABLE, "children"),
    (ids.MODELS_DRIFT_PLOTS, "hidden"),
    (ids.MODELS_DRIFT_CLOCK, "disabled"),
    *((name, "figure") for name in PLOTS),
)


def register_drift(app: Dash, services: Services) -> None:
    """Add the watch's callback to ``app``."""

    app.clientside_callback(
        ClientsideFunction("tft_dash", "driftTheme"),
        Output(ids.MODELS_DRIFT_THEME, "data"),
        Input(ids.MODELS_DRIFT_SOURCE, "id"),
    )

    @app.callback(
        [Output(*target) for target in TARGETS],
        Input(ids.MODELS_DRIFT_SOURCE, "value"),
        Input(ids.MODELS_DRIFT_CLOCK, "n_intervals"),
        Input(ids.MODELS_DRIFT_THEME, "data"),
    )
    def answer(source: object, _asked: object, theme: object) -> list[Any]:
        return drawn(services, source, theme)


def drawn(services: Services, source: object, theme_name: object) -> list[Any]:
    """The values of :data:`TARGETS`; what goes wrong in words, with the rest of the page alive."""
    theme = theme_of(theme_name if isinstance(theme_name, str) else None)
    empty = [blank(theme)] * len(PLOTS)
    if not isinstance(source, str):
        return [[], [], True, True, *empty]
    try:
        drift = services.drift(source)
    except NotReadyError as error:
        return [page.preparing(error.what, error.progress), [], True, False, *empty]
    except TftDashError as error:
        return [components.banner("Not watched", str(error), kind="info"), [], True, True, *empty]
    except Exception:
        logger.exception("the drift watch of %r failed", source)
        return [components.banner("Something went wrong", OWN_ERROR), [], True, True, *empty]
    plots = [
        figures.coverage(drift, (BEGIN.low, BEGIN.high), theme),
        figures.chances(drift, "30m", theme.prob_30m, theme),
        figures.chances(drift, "8h", theme.prob_8h, theme),
    ]
    table = page.figures_table(drift.points[-1]) if drift.points else []
    return [
        page.words(drift, figures.times(drift), live=source in services.live_names()),
        table,
        not drift.points,
        True,
        *plots,
    ]
