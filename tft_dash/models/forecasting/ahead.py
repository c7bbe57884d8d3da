"""The forecast of one server in full: bands, chances, what the network looked at, and when a line is crossed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from tft_dash.frame import Crossing, ServerForecast
from tft_dash.models.forecasting.curve import MINUTES, crossings_of, stated_curve
from tft_dash.models.forecasting.inputs import HELD_STEPS, LEAST_STEPS, Ticks, critical_at, inputs_of, profile_codes
from tft_dash.models.forecasting.layout import CONTEXT, INPUTS, NODES, QUANTILES, STEP_SECONDS, TARGETS
from tft_dash.models.forecasting.runtime import FEW
from tft_dash.schema import FloatArray, Window

if TYPE_CHECKING:
    from tft_dash.models.tft import TftModel

STEP_MINUTES: Final = STEP_SECONDS / 60.0
_HOUR: Final = slice(len(INPUTS), len(INPUTS) + 2)


def ticks_needed(step_seconds: float) -> int:
    """How many ticks up to "now" a forecast looks at; so many and one minute more give the same as all.

    :raises DataError: the step is not one that the forecast can be asked about.
    """
    each = round(STEP_SECONDS / step_seconds)
    return (CONTEXT + HELD_STEPS + 1) * max(each, 1)


def forecast_of(model: TftModel, window: Window, tick: int, server: int) -> ServerForecast:
    """What the model expects of one server from the last tick of ``window`` on.

    :param window: of that server alone.
    :param tick: what the last tick is called.
    :param server: which one it is.
    :raises DataError: the window's step is not one that the forecast can be asked about.
    """
    inputs = inputs_of(window, model.zone)
    end = inputs.fresh_ticks()[-1:]
    past = inputs.steps(end, slice(0, 1)).cut(end)[0]
    found = model.runtime.run(past, profile_codes(window.profiles), inputs.minutes(end), at_once=FEW)
    soon, late = _stated(model, window, found.chance, end, np.any(~np.isnan(past[0]), axis=1))
    if np.isnan(soon):
        return _unknown(tick, server)
    quantiles = {name: found.quantiles[0, :, place] for place, name in enumerate(TARGETS)}
    curve = stated_curve(found.chance[0], soon, late)
    weights = found.selection[0].astype(float)
    return ServerForecast(
        server=server,
        tick=tick,
        step_minutes=STEP_MINUTES,
        minutes=MINUTES,
        levels=QUANTILES,
        quantiles=quantiles,
        chance=curve,
        prob_30m=soon,
        prob_8h=late,
        selection={
            **dict(zip(INPUTS, weights.tolist(), strict=False)),
            "hour": float(weights[_HOUR].sum()),
            "missing": float(weights[-1]),
        },
        attention=found.attention[0],
        confidence=float(np.mean(~np.isnan(past))),
        crossings=crossings_of(quantiles, curve),
    )


def _stated(
    model: TftModel, window: Window, chance: FloatArray, end: Ticks, reported: NDArray[np.bool_]
) -> tuple[float, float]:
    """P(30 min) and P(8 h) as :meth:`TftModel.assess` says them; NaN = nothing.

    :param chance: (1, nodes) of the window that ends at ``end``.
    :param reported: (96,) in which of its steps the server did.
    """
    if not reported[-1]:
        said = model.assess(window)  # the last answer may still stand
        return float(said.server_prob_30m[0, 0]), float(said.server_prob_8h[0, 0])
    if reported.sum() < LEAST_STEPS:
        return float("nan"), float("nan")
    if critical_at(window, np.array([end[0], window.ticks - 1])).any():
        return 1.0, 1.0
    soon, late = (float(np.float32(values[0])) for values in model.artefact.calibration.apply_nodes(chance))
    return soon, max(soon, late)


def _unknown(tick: int, server: int) -> ServerForecast:
    """Too little history, or a server that reports no more: nothing is made up."""
    gap = np.full((len(NODES), len(QUANTILES)), np.nan, np.float32)
    return ServerForecast(
        server=server,
        tick=tick,
        step_minutes=STEP_MINUTES,
        minutes=MINUTES,
        levels=QUANTILES,
        quantiles=dict.fromkeys(TARGETS, gap),
        chance=np.full(len(NODES), np.nan, np.float32),
        prob_30m=float("nan"),
        prob_8h=float("nan"),
        selection=dict.fromkeys((*INPUTS, "hour", "missing"), float("nan")),
        attention=np.full(CONTEXT, np.nan, np.float32),
        confidence=0.0,
        crossings=dict.fromkeys(TARGETS, Crossing(None, None)),
    )
