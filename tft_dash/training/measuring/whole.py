"""Whether the probabilities of whole fleets kept their word: 1 − Π(1 − p) against any of the servers turning critical.

Ticks at which a server is critical already are left out: the answer is 1 then, and true. The bounds come from drawing
days of fleets anew, for the servers of one fleet share its ticks.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from tft_dash.models.forecasting.calibration import HorizonName
from tft_dash.models.forecasting.evidence import ReliabilityBin
from tft_dash.models.forecasting.layout import STEP_SECONDS
from tft_dash.training.measuring.answers import Answers
from tft_dash.training.measuring.references import HORIZON_STEPS
from tft_dash.training.measuring.scores import Forecasts, reliability, resamples

DAY_STEPS: Final = round(86_400 / STEP_SECONDS)
_NAMES: Final[tuple[HorizonName, ...]] = ("30m", "8h")
Reals = NDArray[np.float64]


def fleet_reliability(answers: Answers, model: str) -> dict[HorizonName, tuple[ReliabilityBin, ...]]:
    """What a model said of fleets, and how often it happened, at both horizons; nothing where nothing was said."""
    found: dict[HorizonName, tuple[ReliabilityBin, ...]] = {}
    for place, (name, steps) in enumerate(zip(_NAMES, HORIZON_STEPS, strict=True)):
        forecasts = _forecasts(answers, model, place, steps)
        if len(forecasts.truth):
            found[name] = reliability(forecasts, resamples(forecasts.servers))
    return found


def _forecasts(answers: Answers, model: str, horizon: int, steps: int) -> Forecasts:
    """A row for each tick of each fleet of which something was said while none of its servers was critical."""
    truths, chances, days = [np.zeros(0, bool)], [np.zeros(0)], [np.zeros(0, np.int64)]
    first_day, server = 0, 0
    for fleet in answers.data.fleets:
        whole = _Whole(fleet.ticks)
        for _ in range(fleet.servers):
            whole.add(answers, server, answers.of_server(model, horizon, server), steps)
            server += 1
        counted = np.flatnonzero(whole.calm & whole.said)
        truths.append(whole.happened[counted])
        chances.append(1.0 - whole.certain[counted])
        days.append(first_day + counted // DAY_STEPS)
        first_day += fleet.ticks // DAY_STEPS + 1
    return Forecasts(np.concatenate(truths), np.concatenate(chances), np.concatenate(days), first_day)


class _Whole:
    """A fleet's ticks, one server after the other: 1 − Π(1 − p), servers independent; no answer adds nothing."""

    def __init__(self, ticks: int) -> None:
        self.certain = np.ones(ticks)
        self.calm, self.said, self.happened = np.ones(ticks, bool), np.zeros(ticks, bool), np.zeros(ticks, bool)

    def add(self, answers: Answers, server: int, chance: Reals, steps: int) -> None:
        history = answers.data.history
        span = history.span(server)
        known = ~np.isnan(chance)
        self.certain *= np.where(known, 1.0 - chance, 1.0)
        self.said |= known
        self.calm &= ~history.critical[span]
        self.happened |= history.first[span] <= steps
