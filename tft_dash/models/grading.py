"""From strangeness and severity to one risk per server, and the metrics that explain it.

For each metric: ``share = gate · (NOVELTY · freshness + (1 − NOVELTY) · gate · severity^1.5)``.

- The **gate** opens where a value goes beyond what the server has ever done: a Hill curve of strangeness, 0.11 at 1,
  one half at :data:`GATE_MIDDLE`, 0.9 from 3 on.
- **Novelty** makes any onset visible, in both directions and in metrics without a threshold, but never more than
  "elevated". It wears off within hours while the metric stays where it is.
- **Severity** is how far the value has gone from usual to the critical line. Half of the way is less than half of the
  danger, therefore the exponent.

The two strongest shares make the risk; they are its drivers. A spell of higher alert follows every onset: trouble that
has shown itself once today is likelier to show itself again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tft_dash.models.baseline import Baseline
from tft_dash.models.scales import Flags, Scales, Values
from tft_dash.schema import DRIVERS_PER_SERVER

GATE_MIDDLE: Final = 1.7
GATE_POWER: Final = 4
STRANGEST: Final = 1e6
NOVELTY: Final = 0.3
NOVELTY_SECONDS: Final = 2 * 3600.0
NOVELTY_TICKS: Final = 20.0
"""Novelty wears off with this time constant, but not within a few ticks."""
SEVERITY_POWER: Final = 1.5
SECOND_WEIGHT: Final = 0.25
"""How much the second metric counts beside the first. More would let metrics that move together count twice."""
CONFIRM_SECONDS: Final = 60.0
CONFIRM_LIMIT: Final = 0.5
"""A value is believed by half at once, fully when it lasts. Ticks of minutes are averages already: believed at once."""
RESTING_RISK: Final = 0.06
"""Of a server that is as usual: no server is ever free of risk."""
ALERT_RISK: Final = 0.05
"""What the spell of higher alert adds at most."""
ALERT_FULL: Final = 0.1
"""The risk above resting from which on the spell is full."""
ALERT_SECONDS: Final = 12 * 3600.0
HELD_TICKS: Final = 3
"""Ticks for which a metric or a server that says nothing keeps its last word."""
FADE: Final = 0.9
"""What is left per tick of a metric's last word after that, while the server's other metrics go on."""
DRIVER_SHARE: Final = 0.05
"""A metric that contributes less is no reason."""


@dataclass(frozen=True, slots=True)
class Grade:
    """One tick; NaN = nothing to say.

    :param risk: (servers,).
    :param metrics: (2, servers) rows of the metrics that explain it, strongest first; -1 = none.
    """

    risk: Values
    metrics: NDArray[np.intp]


class Grading:
    """Grades one tick after the other.

    :param step_seconds: time between ticks.
    """

    def __init__(self, scales: Scales, servers: int, step_seconds: float) -> None:
        shape = (len(scales.numbers), servers)
        self._scales = scales
        self.baseline = Baseline(scales, servers, step_seconds)
        self._confirm = min(CONFIRM_LIMIT, float(np.exp(-step_seconds / CONFIRM_SECONDS)))
        self._novelty_ticks = max(NOVELTY_TICKS, NOVELTY_SECONDS / step_seconds)
        self._alert_fade = float(np.exp(-step_seconds / ALERT_SECONDS))
        self._before: Values = np.zeros(shape)
        self._shares: Values = np.zeros(shape)
        self._silent: Values = np.zeros(shape)
        self._alert: Values = np.zeros(servers)
        self._risk: Values = np.full(servers, np.nan)
        self._quiet: Values = np.zeros(servers)

    def grade(self, values: Values, stretched: Values, present: Flags) -> Grade:
        """Judge a tick, then learn from it; all (metrics, servers), zero where not ``present``."""
        strangeness = self.baseline.strangeness(stretched, present)
        severity = self._scales.severity(values, self._scales.shrink(self.baseline.normal.usual))
        shares = self._shares_of(strangeness, severity, present)
        self.baseline.learn(stretched, present, strangeness, severity)
        reporting = present.any(axis=0)
        self._quiet = np.where(reporting, 0.0, self._quiet + 1.0)
        metrics, strongest = two_strongest(shares)
        self._risk = np.where(reporting, self._risk_of(strongest), self._risk)
        risk = np.where(self._quiet <= HELD_TICKS, self._risk, np.nan)
        told = (strongest >= DRIVER_SHARE) & ~np.isnan(risk)
        return Grade(risk, np.where(told, metrics, -1))

    def _shares_of(self, strangeness: Values, severity: Values, present: Flags) -> Values:
        confirmed = strangeness + self._confirm * (np.minimum(strangeness, self._before) - strangeness)
        self._before = np.where(present, strangeness, self._before)
        power = np.minimum(confirmed, STRANGEST) ** GATE_POWER
        gate = power / (power + GATE_MIDDLE**GATE_POWER)
        fresh = np.exp(-np.maximum(self.baseline.away - 1.0, 0.0) / self._novelty_ticks)
        shares = gate * (NOVELTY * fresh + (1.0 - NOVELTY) * gate * severity**SEVERITY_POWER)
        self._silent = np.where(present, 0.0, self._silent + 1.0)
        held = np.where(self._silent > HELD_TICKS, FADE * self._shares, self._shares)
        self._shares = np.where(present, shares, held)
        return self._shares

    def _risk_of(self, strongest: Values) -> Values:
        raised = 1.0 - (1.0 - strongest[0]) * (1.0 - SECOND_WEIGHT * strongest[1])
        self._alert = np.maximum(self._alert * self._alert_fade, np.minimum(raised / ALERT_FULL, 1.0))
        raised = np.maximum(raised, ALERT_RISK * self._alert)
        return RESTING_RISK + (1.0 - RESTING_RISK) * raised


def two_strongest(shares: Values) -> tuple[NDArray[np.intp], Values]:
    """Rows and values of the two largest shares of every server, largest first; (2, servers) each.

    Where there is only one metric, the second is row 0 with share 0.
    """
    servers = np.arange(shares.shape[1])
    metrics = np.zeros((DRIVERS_PER_SERVER, len(servers)), np.intp)
    values = np.zeros((DRIVERS_PER_SERVER, len(servers)))
    rest = shares.copy()
    for place in range(min(DRIVERS_PER_SERVER, len(shares))):
        metrics[place] = rest.argmax(axis=0)
        values[place] = rest[metrics[place], servers]
        rest[metrics[place], servers] = -1.0
    return metrics, values
