"""From the servers' risks to the fleet's two probabilities: uncalibrated, ordered, honest about large fleets.

Only what a server's risk has beyond :data:`NOTICE` counts, and little of it counts very little (squared), so that a
thousand servers with their everyday noise are no likelier to have an incident than ten. What counts is added up from
the riskiest server down, each with two thirds of the weight of the one before, and saturates: one server at the
critical line makes about even odds, four make four in five.

The 8-hour figure starts from a higher base and remembers: besides now, the unrest of the last while counts, because a
fleet that has just been in trouble is not yet out of it.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from tft_dash.models.grading import RESTING_RISK
from tft_dash.models.scales import Values

NOTICE: Final = 0.3
"""Risk that novelty alone can reach."""
NOTICE_POWER: Final = 2
NEXT: Final = 2.0 / 3.0
"""How much each further server counts beside the one before it, the riskiest first."""
WEIGHT: Final = 0.75
CEILING: Final = 0.95
"""A model that was never calibrated is never sure."""
BASE: Final = 0.08
UNEASE: Final = 0.5
"""Weight of the mean risk of the fleet above resting, each server's up to :data:`UNEASE_LIMIT`."""
UNEASE_LIMIT: Final = 0.2
LONG_BASE: Final = 0.05
"""What the longer horizon adds to a fleet at rest."""
LONG_SHARE: Final = 0.7
"""How much of the remembered unrest counts."""
MEMORY_SECONDS: Final = 3600.0
MEMORY_SHARE: Final = 0.25
MEMORY_TICKS: Final = 6.0
"""Unrest is remembered for an hour, or for a quarter of what has been seen while that is less."""


class Outlook:
    """The two probabilities, tick after tick.

    :param step_seconds: time between ticks.
    """

    def __init__(self, step_seconds: float) -> None:
        self._limit = max(MEMORY_TICKS, MEMORY_SECONDS / step_seconds)
        self._ticks = 0
        self._unrest: float | None = None

    def look(self, risk: Values) -> tuple[float, float]:
        """P(incident within 30 minutes) and within 8 hours; NaN where no server has a risk.

        :param risk: (servers,), NaN = nothing to say.
        """
        known = risk[~np.isnan(risk)]
        soon = within_30_minutes(known) if len(known) else float("nan")
        return soon, self.within_8_hours(soon)

    def within_8_hours(self, soon: float) -> float:
        """P(incident within 8 hours) from that within 30 minutes, now and at the ticks before; NaN for NaN."""
        self._ticks += 1
        if np.isnan(soon):
            return soon
        before = soon if self._unrest is None else self._unrest
        memory = float(np.clip(MEMORY_SHARE * self._ticks, MEMORY_TICKS, self._limit))
        self._unrest = before + (soon - before) / memory
        return 1.0 - (1.0 - LONG_BASE) * (1.0 - soon) * (1.0 - LONG_SHARE * self._unrest)


def within_30_minutes(risk: Values) -> float:
    """P(incident in the fleet within 30 minutes) from the risks of its servers, at least one, none NaN.

    Grows with every risk. Sorted before anything is added up: the order of servers does not change even the last bit.
    """
    falling = np.sort(risk)[::-1]
    noticed = (np.maximum(falling - NOTICE, 0.0) / (1.0 - NOTICE)) ** NOTICE_POWER
    trouble = 1.0 - float(np.exp(-WEIGHT * np.sum(noticed * NEXT ** np.arange(len(noticed)))))
    unease = float(np.mean(np.minimum(falling, UNEASE_LIMIT))) - RESTING_RISK
    quiet = BASE + UNEASE * max(unease, 0.0)
    return quiet + (CEILING - quiet) * trouble
