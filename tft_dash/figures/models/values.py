"""Measured values as the figures and tables of the models' page take them, and a model's record in words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tft_dash.models.forecasting.evidence import ReliabilityBin


def known(value: float | None) -> float | None:
    """``value``, or None where it was not measured."""
    return value if value is not None and math.isfinite(value) else None


def cases(count: int) -> str:
    """``1 case``, ``1,234 cases``."""
    return "1 case" if count == 1 else f"{count:,} cases"


def share(value: float) -> str:
    """A measured share in percent, with a decimal where it is small: ``71%``, ``0.4%``."""
    percent = 100 * value
    if 0 < percent < 0.1:
        return "<0.1%"
    return f"{percent:.1f}%" if 0 < percent < 9.95 else f"{percent:.0f}%"


def between(low: float, high: float) -> str:
    """A range of probabilities: ``60–80%``."""
    return f"{100 * low:.3g}–{100 * high:.3g}%"


def record(bins: Sequence[ReliabilityBin], said: float) -> str:
    """What happened when the model said so much: ``when it said 60–80%, it happened in 71% of 412 cases``.

    "" where nothing was measured there.
    """
    for one in bins:
        happened = known(one.happened[0])
        if (one.low <= said < one.high or said == one.high == 1.0) and one.count and happened is not None:
            return f"when it said {between(one.low, one.high)}, it happened in {share(happened)} of {cases(one.count)}"
    return ""
