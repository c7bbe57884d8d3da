"""A risk model whose probabilities are restated as one fleet's own history has taught."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from tft_dash.frame import SourceDescription
from tft_dash.models.base import RiskModel, unfit
from tft_dash.models.calibrated.document import FleetCalibration
from tft_dash.models.forecasting.calibration import Line
from tft_dash.progress import Progress, silent
from tft_dash.schema import Assessments, FloatArray, Window

CERTAIN = 1.0
"""A server that is critical now; no history makes that less certain."""


class CalibratedModel:
    """``base`` with its probabilities restated; everything else is as it says.

    :ivar base: the model itself.
    :ivar calibration: the lines that restate it.
    """

    def __init__(self, base: RiskModel, calibration: FleetCalibration) -> None:
        self.base = base
        self.calibration = calibration
        identity = f"{base.card.digest} {calibration.digest}"
        self.card = replace(
            base.card,
            calibrated=True,
            fitted=calibration.words,
            digest=hashlib.sha256(identity.encode()).hexdigest(),
        )

    def fits(self, about: SourceDescription) -> str | None:
        """Why it cannot answer for a source, as the rest of a sentence; None = it can."""
        return unfit(self.base, about)

    def assess(self, window: Window) -> Assessments:
        """The last tick of ``window`` judged, as :class:`Assessments` of one tick."""
        return self.restated(self.base.assess(window))

    def assess_recording(self, recording: Window, progress: Progress = silent) -> Assessments:
        """Every tick of a whole recording judged, each by its past alone."""
        return self.restated(self.base.assess_recording(recording, progress))

    def restated(self, said: Assessments) -> Assessments:
        """What the base says, with its probabilities restated.

        A model without probabilities of single servers gets them from its risks. The fleet's are never below its
        likeliest server's, and the longer horizon's never below the shorter one's.
        """
        soon, late = self.servers(*raw_servers(said))
        fleet_soon = _at_least(_stated(self.calibration.fleet["30m"], said.prob_30m), soon)
        fleet_late = _at_least(_stated(self.calibration.fleet["8h"], said.prob_8h), late)
        return Assessments(
            risk=soon if said.tells_servers else said.risk,
            driver_metric=said.driver_metric,
            driver_usual=said.driver_usual,
            prob_30m=fleet_soon,
            prob_8h=np.maximum(fleet_soon, fleet_late),
            server_prob_30m=soon,
            server_prob_8h=late,
        )

    def servers(self, soon: FloatArray, late: FloatArray) -> tuple[FloatArray, FloatArray]:
        """P(30 min) and P(8 h) of single servers, restated; NaN stays NaN, and 1 stays 1."""
        stated = _stated(self.calibration.server["30m"], soon)
        return stated, np.maximum(stated, _stated(self.calibration.server["8h"], late))


def raw_servers(said: Assessments) -> tuple[FloatArray, FloatArray]:
    """What a model says of single servers at both horizons: its probabilities, or its risk where it has none."""
    if said.tells_servers:
        return said.server_prob_30m, said.server_prob_8h
    return said.risk, said.risk


def _stated(line: Line, chance: FloatArray) -> FloatArray:
    found = line.apply(chance).astype(np.float32)
    return np.where(chance >= CERTAIN, np.float32(CERTAIN), found)


def _at_least(fleet: FloatArray, servers: FloatArray) -> FloatArray:
    """The fleet's probability, raised to its likeliest server's; NaN where the fleet has none."""
    known: NDArray[np.bool_] = ~np.isnan(servers)
    highest = np.where(known, servers, 0.0).max(axis=1, initial=0.0)
    return np.maximum(fleet, highest.astype(np.float32))
