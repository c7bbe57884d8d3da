"""The last step from a network's probabilities to stated ones: a line on the logit scale at each horizon.

Platt (1999): ``p' = sigmoid(slope · logit(p) + intercept)``. It needs two numbers per horizon, so that a fleet's own
history is enough to fit it, and it keeps the order of servers.
"""

from __future__ import annotations

from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from tft_dash.models.forecasting.layout import LATE, SOON

Reals = NDArray[np.float64]
HorizonName = Literal["30m", "8h"]
HORIZON_NODES: Final[dict[HorizonName, int]] = {"30m": SOON, "8h": LATE}
_EDGE: Final = 1e-7


class Line(BaseModel):
    """One horizon's line on the logit scale; slope 1 and intercept 0 change nothing, slope 0 says one rate always."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    slope: float = Field(1.0, ge=0, le=20, allow_inf_nan=False)
    intercept: float = Field(0.0, ge=-20, le=20, allow_inf_nan=False)

    def apply(self, chance: NDArray[Any]) -> Reals:
        """The stated probabilities; NaN stays NaN."""
        return expit(self.slope * logit(chance) + self.intercept)


class Calibration(BaseModel):
    """``calibration.json``: how the probabilities were fitted, on what, and on how much of it.

    :ivar fitted_on: in words, for people.
    :ivar rows: server ticks that were counted.
    :ivar incidents: incidents among them.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal["tft-dash/calibration/1"] = "tft-dash/calibration/1"
    fitted_on: str = Field(min_length=1, max_length=500)
    horizons: dict[HorizonName, Line]
    rows: int = Field(0, ge=0)
    incidents: int = Field(0, ge=0)

    @classmethod
    def identity(cls) -> Calibration:
        """Changes nothing."""
        return cls(fitted_on="nothing", horizons={name: Line() for name in HORIZON_NODES})

    def apply(self, soon: NDArray[Any], late: NDArray[Any]) -> tuple[Reals, Reals]:
        """P(30 min) and P(8 h) as stated; the longer horizon's is never below the shorter one's."""
        stated = self.horizons.get("30m", Line()).apply(soon)
        return stated, np.maximum(stated, self.horizons.get("8h", Line()).apply(late))

    def apply_nodes(self, chance: NDArray[Any]) -> tuple[Reals, Reals]:
        """The same from the network's P by node, (…, nodes)."""
        return self.apply(chance[..., SOON], chance[..., LATE])


def logit(chance: NDArray[Any]) -> Reals:
    """``log(p / (1 − p))``, finite at 0 and 1."""
    inside = np.clip(np.asarray(chance, np.float64), _EDGE, 1.0 - _EDGE)
    return np.log(inside / (1.0 - inside))


def expit(value: Reals) -> Reals:
    """``1 / (1 + exp(−x))`` without overflow."""
    return 0.5 * (1.0 + np.tanh(0.5 * value))
