"""Measured values as the figures and tables of the models' page take them, and a model's record in words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from tft_dash.frame import TrackRecord

if TYPE_CHECKING:
    from tft_dash.models.forecasting.evidence import Evidence, ReliabilityBin


def known(value: float | None) -> float | None:
    """``value``, or None where it was not measured."""
    return value if value is not None and math.isfinite(value) else None


def cases(count: int) -> str:
    """``1 case``, ``1,234 cases``."""
    return "1 case" if count == 1 else f"{count:,} cases"


def share(value: float | None) -> str:
    """A measured share in percent, with a decimal where it is small: ``71%``, ``0.4%``; a dash for a missing one."""
    measured = known(value)
    if measured is None:
        return "—"
    percent = 100 * measured
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


def track_record(evidence: Evidence) -> TrackRecord | None:
    """The record of the fleet's probabilities, for the hover of the trend; None where a horizon was not measured."""
    bins = {str(horizon): sorted(found, key=lambda one: one.low) for horizon, found in evidence.fleet.items() if found}
    if set(bins) != {"30m", "8h"}:
        return None
    return TrackRecord(
        {name: tuple((one.low, one.high, _came_true(one)) for one in found) for name, found in bins.items()}
    )


def _came_true(one: ReliabilityBin) -> str:
    happened = known(one.happened[0])
    return f", came true in {share(happened)} of {cases(one.count)}" if one.count and happened is not None else ""
